#include "ui/draft.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "limits.h"

enum {
    FIRST_DRAWS = 64,
    FIRST_SET = 128,
    FIRST_TIDY = 256 * 1024,
    FIRST_TIDY_COUNT = 4096,
};

struct draft_count {
    uint64_t container; /* 0: a free place */
    uint32_t serial;
    uint32_t type;
    uint32_t number;
};

/* ---- life ---- */

struct draft *draft_new(void)
{
    struct draft *draft = memory_new(sizeof *draft);
    buffer_init(&draft->buffer, 4 * (size_t)LIMIT_PAGE_BYTES);
    draft->out.buffer = &draft->buffer;
    draft->batch = 1;
    draft->tidy_at = FIRST_TIDY;
    draft->tidy_count = FIRST_TIDY_COUNT;
    return draft;
}

void draft_free(struct draft *draft)
{
    buffer_deinit(&draft->buffer);
    free(draft->draws);
    free(draft->set);
    free(draft->counts);
    free(draft);
}

static void clear_draws(struct draft *draft)
{
    draft->count = 0;
    draft->committed = 0;
    draft->tidy_at = FIRST_TIDY;
    draft->tidy_count = FIRST_TIDY_COUNT;
    buffer_clear(&draft->buffer);
}

void draft_clear(struct draft *draft)
{
    clear_draws(draft);
    if (draft->set_count > 0) {
        memset(draft->set, 0, draft->set_room * sizeof *draft->set);
    }
    if (draft->counts_count > 0) {
        memset(draft->counts, 0, draft->counts_room * sizeof *draft->counts);
    }
    draft->set_count = draft->counts_count = 0;
    draft->alive = 0;
    draft->alive_size = 0;
    draft->batch = 1;
    draft->serial = draft->scope = 0;
}

bool draft_is_empty(const struct draft *draft)
{
    return draft->count == 0;
}

void draft_flushed(struct draft *draft)
{
    clear_draws(draft);
    draft->batch++;
}

/* ---- who was drawn ---- */

static struct drawn *place_of(struct drawn *set, uint32_t room, uint64_t id)
{
    uint32_t at = (uint32_t)(id * 0x9e3779b97f4a7c15u >> 32) & (room - 1);
    while (set[at].id != 0 && set[at].id != id) {
        at = (at + 1) & (room - 1);
    }
    return &set[at];
}

static struct drawn *find(const struct draft *draft, uint64_t id)
{
    if (draft->set_count == 0) {
        return NULL;
    }
    struct drawn *drawn = place_of(draft->set, draft->set_room, id);
    return drawn->id == id && drawn->alive ? drawn : NULL;
}

static void grow_set(struct draft *draft)
{
    uint32_t room = draft->set_room > 0 ? 2 * draft->set_room : FIRST_SET;
    struct drawn *set = memory_new(room * sizeof *set);
    for (uint32_t i = 0; i < draft->set_room; i++) {
        if (draft->set[i].id != 0) {
            *place_of(set, room, draft->set[i].id) = draft->set[i];
        }
    }
    free(draft->set);
    draft->set = set;
    draft->set_room = room;
}

/* The place of an id, new or that of one forgotten. */
static struct drawn *take_place(struct draft *draft, uint64_t id)
{
    if (2 * (draft->set_count + 1) > draft->set_room) {
        grow_set(draft);
    }
    struct drawn *drawn = place_of(draft->set, draft->set_room, id);
    if (drawn->id == 0) {
        drawn->id = id;
        draft->set_count++;
    }
    return drawn;
}

bool draft_has(const struct draft *draft, uint64_t id)
{
    return id <= ROOT_LAST || find(draft, id) != NULL;
}

enum element_type draft_type(const struct draft *draft, uint64_t id)
{
    static const enum element_type roots[] = {ELEMENT_COUNT, ELEMENT_main, ELEMENT_sidebar,
                                              ELEMENT_event, ELEMENT_bottom};
    if (id <= ROOT_LAST) {
        return roots[id];
    }
    const struct drawn *drawn = find(draft, id);
    return drawn != NULL ? (enum element_type)drawn->type : ELEMENT_COUNT;
}

int draft_line(const struct draft *draft, uint64_t id)
{
    const struct drawn *drawn = find(draft, id);
    return drawn != NULL ? drawn->line : 0;
}

/* ---- numbers of unkeyed elements ---- */

static struct draft_count *place_of_count(struct draft_count *counts, uint32_t room,
                                          const struct draft_count *wanted)
{
    uint64_t hash = (wanted->container + ((uint64_t)wanted->serial << 32)) * 0x9e3779b97f4a7c15u;
    uint32_t at = ((uint32_t)(hash >> 32) + wanted->type * 0x9e3779b1u) & (room - 1);
    while (counts[at].container != 0 &&
           (counts[at].container != wanted->container || counts[at].serial != wanted->serial ||
            counts[at].type != wanted->type)) {
        at = (at + 1) & (room - 1);
    }
    return &counts[at];
}

static void grow_counts(struct draft *draft)
{
    uint32_t room = draft->counts_room > 0 ? 2 * draft->counts_room : FIRST_SET / 2;
    struct draft_count *counts = memory_new(room * sizeof *counts);
    for (uint32_t i = 0; i < draft->counts_room; i++) {
        if (draft->counts[i].container != 0) {
            *place_of_count(counts, room, &draft->counts[i]) = draft->counts[i];
        }
    }
    free(draft->counts);
    draft->counts = counts;
    draft->counts_room = room;
}

unsigned draft_next_number(struct draft *draft, enum element_type type, uint64_t container)
{
    const struct drawn *drawn = container > ROOT_LAST ? find(draft, container) : NULL;
    if (drawn != NULL && element_get((enum element_type)drawn->type)->single) {
        return 1;
    }
    if (2 * (draft->counts_count + 1) > draft->counts_room) {
        grow_counts(draft);
    }
    struct draft_count wanted = {container, drawn != NULL ? drawn->serial : 0, type, 0};
    struct draft_count *count = place_of_count(draft->counts, draft->counts_room, &wanted);
    if (count->container == 0) {
        *count = wanted;
        draft->counts_count++;
    }
    return ++count->number;
}

/* ---- forgetting ---- */

/* Does its draw stand in the row? */
static bool has_draw(const struct draft *draft, const struct drawn *drawn)
{
    return drawn->batch == draft->batch;
}

/* Was it told to the page in this run? */
static bool is_told(const struct draft *draft, const struct drawn *drawn)
{
    return !has_draw(draft, drawn) || draft->draws[drawn->draw].again;
}

static void forget_one(struct draft *draft, struct drawn *drawn)
{
    drawn->alive = false;
    draft->alive--;
    draft->alive_size -= drawn->length;
    if (has_draw(draft, drawn)) {
        draft->draws[drawn->draw].act = DRAW_NOTHING;
    }
}

static bool is_below(const struct draft *draft, const struct drawn *drawn, uint64_t container)
{
    uint64_t parent = drawn->parent;
    while (parent > ROOT_LAST && parent != container) {
        parent = place_of(draft->set, draft->set_room, parent)->parent;
    }
    return parent == container;
}

static void forget_below(struct draft *draft, uint64_t container)
{
    for (uint32_t i = 0; i < draft->set_room; i++) {
        struct drawn *drawn = &draft->set[i];
        if (drawn->alive && is_below(draft, drawn, container)) {
            forget_one(draft, drawn);
        }
    }
}

static bool is_container(const struct drawn *drawn)
{
    return element_get((enum element_type)drawn->type)->kind == KIND_CONTAINER;
}

/* ---- the row of draws ---- */

/* Drop the draws and bytes that were replaced before they were told. */
static void tidy(struct draft *draft)
{
    struct buffer kept;
    buffer_init(&kept, draft->buffer.maximum);
    uint32_t count = 0;
    for (uint32_t i = 0; i < draft->count; i++) {
        struct draw draw = draft->draws[i];
        if (draw.act == DRAW_NOTHING) {
            continue;
        }
        uint32_t offset = (uint32_t)kept.length;
        buffer_append(&kept, draft->buffer.bytes + draw.offset, draw.length);
        draw.offset = offset;
        struct drawn *drawn = find(draft, draw.id);
        if (draw.act == DRAW_ELEMENT && drawn != NULL) {
            drawn->draw = count;
        }
        draft->draws[count++] = draw;
    }
    draft->count = count;
    buffer_deinit(&draft->buffer);
    draft->buffer = kept;
    draft->committed = kept.length;
    draft->tidy_at = 2 * kept.length > FIRST_TIDY ? 2 * kept.length : FIRST_TIDY;
    draft->tidy_count = 2 * count > FIRST_TIDY_COUNT ? 2 * count : FIRST_TIDY_COUNT;
}

static void tidy_when_due(struct draft *draft)
{
    if (draft->committed > draft->tidy_at || draft->count > draft->tidy_count) {
        tidy(draft);
    }
}

static bool push(struct draft *draft, const struct draw *draw, struct error *error)
{
    if (error != NULL && draft->count >= LIMIT_PAGE_DRAWS) {
        return error_set(error, ERROR_LIMIT, 0,
                         "the run draws too much at once: more than %d changes without a wait",
                         LIMIT_PAGE_DRAWS);
    }
    if (draft->count == draft->room) {
        draft->room = draft->room > 0 ? 2 * draft->room : FIRST_DRAWS;
        draft->draws = memory_resize(draft->draws, draft->room * sizeof *draft->draws);
    }
    draft->draws[draft->count++] = *draw;
    return true;
}

/* One DRAW_CLEAR a flush is enough: what was drawn behind it is forgotten here. */
static bool push_clear(struct draft *draft, struct drawn *drawn, struct error *error)
{
    drawn->serial = ++draft->serial;
    if (drawn->cleared == draft->batch) {
        return true;
    }
    drawn->cleared = draft->batch;
    return push(draft, &(struct draw){.id = drawn->id, .act = DRAW_CLEAR}, error);
}

/* The next element takes the place of what a single container holds. */
static bool replace_content(struct draft *draft, struct drawn *parent, struct error *error)
{
    struct drawn *content = parent->content != 0 ? find(draft, parent->content) : NULL;
    parent->content = 0;
    if (content == NULL || content->parent != parent->id) {
        return true;
    }
    if (!is_told(draft, content) && !is_container(content)) {
        forget_one(draft, content);
        return true;
    }
    forget_below(draft, parent->id);
    return push_clear(draft, parent, error);
}

/* ---- drawing ---- */

static void begin_props(struct draft *draft, const struct draw *draw)
{
    draft->pending = *draw;
    draft->out.full = false;
    draft->buffer.length = draft->committed;
    draft->document = bson_write_begin(&draft->out);
}

enum draft_answer draft_begin(struct draft *draft, enum element_type type, uint64_t id,
                              uint64_t container)
{
    struct drawn *parent = NULL;
    tidy_when_due(draft);
    if (container > ROOT_LAST) {
        parent = find(draft, container);
        if (parent == NULL) {
            return DRAFT_GONE;
        }
        if (parent->depth >= LIMIT_ELEMENT_DEPTH) {
            return DRAFT_DEEP;
        }
        if (element_get((enum element_type)parent->type)->single) {
            struct error error;
            replace_content(draft, parent, &error);
        }
    }
    if (find(draft, id) != NULL) {
        return DRAFT_TWICE;
    }
    begin_props(draft, &(struct draw){.id = id,
                                      .parent = container,
                                      .scope = draft->scope,
                                      .type = (uint16_t)type,
                                      .act = DRAW_ELEMENT});
    return DRAFT_YES;
}

enum draft_answer draft_begin_again(struct draft *draft, enum element_type type, uint64_t id)
{
    tidy_when_due(draft);
    const struct drawn *drawn = find(draft, id);
    if (drawn == NULL) {
        return DRAFT_GONE;
    }
    begin_props(draft, &(struct draw){.id = id,
                                      .parent = drawn->parent,
                                      .scope = draft->scope,
                                      .type = (uint16_t)type,
                                      .act = DRAW_ELEMENT,
                                      .again = is_told(draft, drawn)});
    return DRAFT_YES;
}

static bool check_size(const struct draft *draft, const struct drawn *old, size_t length,
                       struct error *error)
{
    size_t before = old != NULL ? old->length : 0;
    if (old == NULL && draft->alive >= LIMIT_PAGE_ELEMENTS) {
        return error_set(error, ERROR_LIMIT, 0,
                         "a page holds at most %d elements: draw a table, or a part of the rows",
                         LIMIT_PAGE_ELEMENTS);
    }
    if (draft->out.full || draft->alive_size - before + length > LIMIT_PAGE_BYTES) {
        return error_set(error, ERROR_LIMIT, 0,
                         "a page holds at most %d MB: draw a part of the data",
                         LIMIT_PAGE_BYTES / 1024 / 1024);
    }
    return true;
}

static void note_new(struct draft *draft, struct drawn *drawn, const struct draw *draw)
{
    struct drawn *parent = draw->parent > ROOT_LAST ? find(draft, draw->parent) : NULL;
    *drawn = (struct drawn){
        .id = draw->id,
        .parent = draw->parent,
        .serial = ++draft->serial,
        .depth = parent != NULL ? (uint8_t)(parent->depth + 1) : 1,
        .alive = true,
    };
    draft->alive++;
    if (parent != NULL) {
        parent->content = draw->id;
    }
}

bool draft_end(struct draft *draft, bool by_script, int line, struct error *error)
{
    struct draw *draw = &draft->pending;
    bson_write_end(&draft->out, draft->document);
    size_t length = draft->buffer.length - draft->committed;
    struct drawn *old = find(draft, draw->id);
    if (error != NULL && !check_size(draft, old, length, error)) {
        return false;
    }
    draw->offset = (uint32_t)draft->committed;
    draw->length = (uint32_t)length;
    draw->by_script = by_script;
    uint32_t at = old != NULL && has_draw(draft, old) ? old->draw : draft->count;
    if (at < draft->count) {
        draft->draws[at] = *draw;
    } else if (!push(draft, draw, error)) {
        return false;
    }
    draft->committed = draft->buffer.length;
    struct drawn *drawn = old != NULL ? old : take_place(draft, draw->id);
    if (old == NULL) {
        note_new(draft, drawn, draw);
        drawn = take_place(draft, draw->id);
    }
    draft->alive_size += length - drawn->length;
    drawn->length = (uint32_t)length;
    drawn->type = draw->type;
    drawn->draw = at;
    drawn->batch = draft->batch;
    drawn->line = line;
    return true;
}

/* ---- taking away ---- */

bool draft_empty(struct draft *draft, uint64_t id, struct error *error)
{
    struct drawn *drawn = find(draft, id);
    if (drawn == NULL) {
        return true;
    }
    forget_below(draft, id);
    drawn->content = 0;
    return push_clear(draft, drawn, error);
}

bool draft_remove(struct draft *draft, uint64_t id, struct error *error)
{
    struct drawn *drawn = find(draft, id);
    if (drawn == NULL) {
        return true;
    }
    bool told = is_told(draft, drawn);
    forget_below(draft, id);
    forget_one(draft, drawn);
    return !told || push(draft, &(struct draw){.id = id, .act = DRAW_REMOVE}, error);
}

bool draft_set_value(struct draft *draft, uint64_t id, uint8_t kind, const uint8_t *bytes,
                     size_t length, struct error *error)
{
    if (find(draft, id) == NULL) {
        return true;
    }
    tidy_when_due(draft);
    begin_props(draft, &(struct draw){.id = id, .act = DRAW_VALUE, .by_script = true});
    bson_write_raw(&draft->out, (enum bson_kind)kind, "value", bytes, length);
    bson_write_end(&draft->out, draft->document);
    if (draft->out.full) {
        return error_set(error, ERROR_LIMIT, 0, "the value is too large");
    }
    draft->pending.offset = (uint32_t)draft->committed;
    draft->pending.length = (uint32_t)(draft->buffer.length - draft->committed);
    struct draw *last = draft->count > 0 ? &draft->draws[draft->count - 1] : NULL;
    if (last != NULL && last->act == DRAW_VALUE && last->id == id) {
        *last = draft->pending;
    } else if (!push(draft, &draft->pending, error)) {
        return false;
    }
    draft->committed = draft->buffer.length;
    return true;
}
