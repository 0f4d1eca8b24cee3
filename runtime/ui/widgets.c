#include "ui/widgets.h"

#include <stdlib.h>
#include <string.h>

#include "base/bson.h"
#include "base/memory.h"
#include "limits.h"

enum { FIRST_BUCKETS = 16 };

struct widgets {
    struct widget **by_id;
    size_t room, count;
    uint64_t pages; /* that runs have finished so far */
    struct widget *journal;
    bool marked;
};

/* ---- life ---- */

struct widgets *widgets_new(void)
{
    return memory_new(sizeof(struct widgets));
}

static void free_widget(struct widget *widget)
{
    free(widget->value.bytes);
    free(widget->before.bytes);
    free(widget->key);
    free(widget);
}

void widgets_free(struct widgets *widgets)
{
    for (size_t i = 0; i < widgets->room; i++) {
        for (struct widget *widget = widgets->by_id[i], *next; widget != NULL; widget = next) {
            next = widget->next_by_id;
            free_widget(widget);
        }
    }
    free(widgets->by_id);
    free(widgets);
}

/* ---- by id; a keyed widget's is made of its key ---- */

static size_t bucket_of(size_t room, uint64_t id)
{
    return (id * 0x9e3779b97f4a7c15u >> 32) & (room - 1);
}

struct widget *widgets_find(const struct widgets *widgets, uint64_t id)
{
    if (widgets->room == 0) {
        return NULL;
    }
    struct widget *widget = widgets->by_id[bucket_of(widgets->room, id)];
    while (widget != NULL && widget->id != id) {
        widget = widget->next_by_id;
    }
    return widget;
}

struct widget *widgets_find_key(const struct widgets *widgets, const char *key)
{
    struct widget *widget = widgets_find(widgets, element_id_keyed(key, strlen(key)));
    return widget != NULL && widget->key != NULL && strcmp(widget->key, key) == 0 ? widget : NULL;
}

void widgets_each_keyed(const struct widgets *widgets,
                        bool (*each)(void *data, struct widget *widget), void *data)
{
    for (size_t i = 0; i < widgets->room; i++) {
        for (struct widget *widget = widgets->by_id[i]; widget != NULL;
             widget = widget->next_by_id) {
            if (widget->key != NULL && !each(data, widget)) {
                return;
            }
        }
    }
}

static void insert(struct widget **buckets, size_t room, struct widget *widget)
{
    struct widget **bucket = &buckets[bucket_of(room, widget->id)];
    widget->next_by_id = *bucket;
    *bucket = widget;
}

static void grow(struct widgets *widgets)
{
    size_t room = widgets->room > 0 ? 2 * widgets->room : FIRST_BUCKETS;
    struct widget **buckets = memory_new(room * sizeof(struct widget *));
    for (size_t i = 0; i < widgets->room; i++) {
        for (struct widget *widget = widgets->by_id[i], *next; widget != NULL; widget = next) {
            next = widget->next_by_id;
            insert(buckets, room, widget);
        }
    }
    free(widgets->by_id);
    widgets->by_id = buckets;
    widgets->room = room;
}

/* ---- values ---- */

static void copy_value(struct widget_value *to, const struct widget_value *from)
{
    *to = *from;
    to->bytes = from->length > 0 ? memory_copy(from->bytes, from->length) : NULL;
}

/* The first change since the mark keeps what stood there. */
static void write_journal(struct widgets *widgets, struct widget *widget)
{
    if (!widgets->marked || widget->journaled) {
        return;
    }
    copy_value(&widget->before, &widget->value);
    widget->journaled = true;
    widget->next_journaled = widgets->journal;
    widgets->journal = widget;
}

static bool is_same(const struct widget_value *value, uint8_t kind, const uint8_t *bytes,
                    size_t length)
{
    return value->kind == kind && value->length == length &&
           (length == 0 || memcmp(value->bytes, bytes, length) == 0);
}

static void set(struct widgets *widgets, struct widget *widget, const struct widget_value *value)
{
    if (is_same(&widget->value, value->kind, value->bytes, value->length) &&
        widget->value.owned == value->owned && widget->value.by_script == value->by_script) {
        return;
    }
    write_journal(widgets, widget);
    struct widget_value old = widget->value;
    copy_value(&widget->value, value);
    free(old.bytes);
}

void widgets_set(struct widgets *widgets, uint64_t id, uint8_t kind, const uint8_t *bytes,
                 size_t length)
{
    struct widget *widget = widgets_find(widgets, id);
    if (widget != NULL && length <= LIMIT_WIDGET_VALUE) {
        set(widgets, widget,
            &(struct widget_value){(uint8_t *)bytes, (uint32_t)length, kind, true, false});
    }
}

void widgets_set_by_script(struct widgets *widgets, struct widget *widget, uint8_t kind,
                           const uint8_t *bytes, size_t length)
{
    set(widgets, widget,
        &(struct widget_value){(uint8_t *)bytes, (uint32_t)length, kind, true, true});
}

void widgets_set_default(struct widgets *widgets, struct widget *widget, uint8_t kind,
                         const uint8_t *bytes, size_t length)
{
    set(widgets, widget,
        &(struct widget_value){(uint8_t *)bytes, (uint32_t)length, kind, false, false});
}

/* ---- making room ---- */

/* Neither the last run that finished its page has drawn it nor one since, so no page shows it. */
static bool is_hidden(const struct widgets *widgets, const struct widget *widget)
{
    return widget->drawn + 1 < widgets->pages && !widget->journaled;
}

/* The page that parts the hidden ones into two halves, more or less: their mean. */
static uint64_t mean_page_of_hidden(const struct widgets *widgets)
{
    uint64_t sum = 0, count = 0;
    for (size_t i = 0; i < widgets->room; i++) {
        for (struct widget *widget = widgets->by_id[i]; widget; widget = widget->next_by_id) {
            sum += is_hidden(widgets, widget) ? widget->drawn : 0;
            count += is_hidden(widgets, widget);
        }
    }
    return count > 0 ? sum / count : 0;
}

static void forget_hidden(struct widgets *widgets)
{
    uint64_t last = mean_page_of_hidden(widgets);
    for (size_t i = 0; i < widgets->room; i++) {
        for (struct widget **link = &widgets->by_id[i]; *link != NULL;) {
            struct widget *widget = *link;
            if (!is_hidden(widgets, widget) || widget->drawn > last) {
                link = &widget->next_by_id;
                continue;
            }
            *link = widget->next_by_id;
            free_widget(widget);
            widgets->count--;
        }
    }
}

struct widget *widgets_draw(struct widgets *widgets, uint64_t id, enum element_type type,
                            const char *key, size_t key_length, struct error *error)
{
    struct widget *widget = widgets_find(widgets, id);
    if (widget == NULL) {
        if (widgets->count >= LIMIT_WIDGETS) {
            forget_hidden(widgets);
        }
        if (widgets->count >= LIMIT_WIDGETS) {
            error_set(error, ERROR_LIMIT, 0, "a page holds at most %d widgets", LIMIT_WIDGETS);
            return NULL;
        }
        if (widgets->count >= widgets->room) {
            grow(widgets);
        }
        widget = memory_new(sizeof *widget);
        widget->id = id;
        widget->key = key != NULL ? memory_copy_text(key) : NULL;
        insert(widgets->by_id, widgets->room, widget);
        widgets->count++;
    }
    if (widget->type != type) {
        widget->former = widget->type;
        widget->type = (uint16_t)type;
    }
    widget->drawn = widgets->pages;
    return widget;
}

/* ---- what the page says ---- */

static bool is_number(uint8_t kind)
{
    return kind == BSON_KIND_DOUBLE || kind == BSON_KIND_INT32 || kind == BSON_KIND_INT64;
}

static bool is_date(uint8_t kind)
{
    return kind == BSON_KIND_DATE;
}

static bool is_text(const struct bson_element *element)
{
    size_t length;
    if (element->kind != BSON_KIND_TEXT) {
        return false;
    }
    const char *text = bson_element_text(element, &length);
    return text != NULL && bson_is_utf8(text, length);
}

/* Two numbers, or two dates. */
static bool is_pair(const struct bson_element *list)
{
    struct bson_walk walk;
    struct bson_element item;
    unsigned count = 0, dates = 0;
    if (list->kind != BSON_KIND_ARRAY) {
        return false;
    }
    for (bool ok = bson_walk_begin(&walk, list->value, list->length);
         ok && bson_walk_next(&walk, &item); count++) {
        dates += is_date((uint8_t)item.kind);
        if (!is_number((uint8_t)item.kind) && !is_date((uint8_t)item.kind)) {
            return false;
        }
    }
    return !walk.broken && count == 2 && dates != 1;
}

static bool is_list_of_texts(const struct bson_element *list)
{
    struct bson_walk walk;
    struct bson_element item;
    if (list->kind != BSON_KIND_ARRAY) {
        return false;
    }
    for (bool ok = bson_walk_begin(&walk, list->value, list->length);
         ok && bson_walk_next(&walk, &item);) {
        if (!is_text(&item)) {
            return false;
        }
    }
    return !walk.broken;
}

static bool is_value_for(enum element_type type, const struct bson_element *value)
{
    bool is_null = value->kind == BSON_KIND_NULL;
    switch (type) {
    case ELEMENT_checkbox:
    case ELEMENT_toggle:
    case ELEMENT_expander:
        return value->kind == BSON_KIND_BOOL;
    case ELEMENT_tabs:
        return is_text(value);
    case ELEMENT_slider:
        return is_number((uint8_t)value->kind) || is_date((uint8_t)value->kind) || is_pair(value);
    case ELEMENT_number_input:
        return is_null || is_number((uint8_t)value->kind);
    case ELEMENT_text_input:
    case ELEMENT_text_area:
    case ELEMENT_radio:
    case ELEMENT_selectbox:
        return is_null || is_text(value);
    case ELEMENT_multiselect:
        return is_list_of_texts(value);
    default:
        return false;
    }
}

bool widgets_is_outdated(const struct widgets *widgets, uint64_t id, uint8_t kind,
                         const uint8_t *bytes, size_t length)
{
    const struct widget *widget = widgets_find(widgets, id);
    struct bson_element value = {.kind = (enum bson_kind)kind, .value = bytes, .length = length};
    return widget != NULL && length <= LIMIT_WIDGET_VALUE &&
           !is_value_for((enum element_type)widget->type, &value) &&
           is_value_for((enum element_type)widget->former, &value);
}

bool widgets_was_button(const struct widgets *widgets, uint64_t id)
{
    const struct widget *widget = widgets_find(widgets, id);
    return widget != NULL && widget->type != ELEMENT_button && widget->former == ELEMENT_button;
}

static const struct widget *find_or_say(const struct widgets *widgets, uint64_t id,
                                        struct error *error)
{
    const struct widget *widget = widgets_find(widgets, id);
    if (widget == NULL) {
        error_set(error, ERROR_PROTOCOL, 0,
                  "The page spoke of widget %llu, which this session has never drawn.",
                  (unsigned long long)id);
    }
    return widget;
}

bool widgets_check(const struct widgets *widgets, uint64_t id, uint8_t kind, const uint8_t *bytes,
                   size_t length, struct error *error)
{
    const struct widget *widget = find_or_say(widgets, id, error);
    struct bson_element value = {.kind = (enum bson_kind)kind, .value = bytes, .length = length};
    if (widget == NULL) {
        return false;
    }
    if (length > LIMIT_WIDGET_VALUE || !is_value_for((enum element_type)widget->type, &value)) {
        return error_set(error, ERROR_PROTOCOL, 0,
                         "The page sent a value that no %s can have (%s, %zu bytes).",
                         element_get((enum element_type)widget->type)->name,
                         bson_kind_name((enum bson_kind)kind), length);
    }
    return true;
}

bool widgets_is_button(const struct widgets *widgets, uint64_t id, struct error *error)
{
    const struct widget *widget = find_or_say(widgets, id, error);
    if (widget == NULL) {
        return false;
    }
    if (widget->type != ELEMENT_button) {
        return error_set(error, ERROR_PROTOCOL, 0, "The page pressed a %s.",
                         element_get((enum element_type)widget->type)->name);
    }
    return true;
}

void widgets_finish(struct widgets *widgets)
{
    widgets->pages++;
}

/* ---- the journal ---- */

static void close_journal(struct widgets *widgets, bool undo)
{
    for (struct widget *widget = widgets->journal, *next; widget != NULL; widget = next) {
        next = widget->next_journaled;
        bool is_first_default = widget->before.kind == BSON_KIND_END && !widget->value.owned;
        if (undo && !is_first_default) {
            free(widget->value.bytes);
            widget->value = widget->before;
        } else {
            free(widget->before.bytes);
        }
        widget->before = (struct widget_value){0};
        widget->journaled = false;
        widget->next_journaled = NULL;
    }
    widgets->journal = NULL;
}

void widgets_mark(struct widgets *widgets)
{
    close_journal(widgets, false);
    widgets->marked = true;
}

void widgets_commit(struct widgets *widgets)
{
    close_journal(widgets, false);
}

void widgets_rollback(struct widgets *widgets)
{
    close_journal(widgets, true);
}
