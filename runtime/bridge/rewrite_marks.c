#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "bridge/rewrite_inside.h"
#include "limits.h"

void rewrite_grow(void **items, size_t *count, size_t *capacity, size_t size)
{
    if (*count == *capacity) {
        *capacity = *capacity == 0 ? 32 : *capacity * 2;
        *items = memory_resize(*items, *capacity * size);
    }
    memset((char *)*items + *count * size, 0, size);
    ++*count;
}

void rewrite_fail(struct rewriter *rewriter, const char *format, ...)
{
    if (rewriter->failed) {
        return;
    }
    char words[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(words, sizeof words, format, arguments);
    va_end(arguments);
    rewriter->failed = true;
    error_set(rewriter->error, ERROR_SCRIPT, rewriter->token.line, "%s", words);
    rewriter->token.kind = TOKEN_END_OF_SOURCE;
}

/* ---- slots ---- */

static int slot_at(struct rewriter *rewriter, size_t offset)
{
    struct slot *slot = vector_push(&rewriter->slots);
    slot->offset = offset;
    return (int)rewriter->slots.count - 1;
}

int slot_before_token(struct rewriter *rewriter)
{
    return slot_at(rewriter, rewriter->token.start);
}

int slot_after_token(struct rewriter *rewriter)
{
    return slot_at(rewriter, rewriter->end);
}

/* A slot is mostly filled once. What is added later to a filled one is copied behind it. */
void slot_add(struct rewriter *rewriter, int number, const char *format, ...)
{
    char text[160];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    struct slot *slot = &rewriter->slots.items[number];
    struct buffer *texts = &rewriter->texts;
    size_t start = texts->length;
    uint8_t *room = buffer_reserve(texts, slot->length + (size_t)length);
    if (room == NULL) {
        rewrite_fail(rewriter, "the script is too large");
        return;
    }
    memcpy(room, texts->bytes + slot->text, slot->length);
    memcpy(room + slot->length, text, (size_t)length);
    slot->text = start;
    slot->length += (size_t)length;
    texts->length += slot->length;
}

/* ---- names ---- */

static uint32_t bucket_of(const char *text, size_t length)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < length; i++) {
        hash = (hash ^ (unsigned char)text[i]) * 16777619u;
    }
    return hash % NAME_BUCKETS;
}

static const char *text_of(const struct rewriter *rewriter, const struct token *name)
{
    return rewriter->lexer.source + name->start;
}

static void declare(struct rewriter *rewriter, const char *text, size_t length, int candidate)
{
    struct name *name = vector_push(&rewriter->names);
    *name = (struct name){.text = text,
                          .length = length,
                          .function = rewriter->function,
                          .candidate = candidate,
                          .bucket = bucket_of(text, length)};
    name->below = rewriter->buckets[name->bucket];
    rewriter->buckets[name->bucket] = (int)rewriter->names.count - 1;
}

static bool is_reserved(const char *text, size_t length)
{
    return length >= 4 && memcmp(text, "_ml_", 4) == 0;
}

static void refuse_reserved(struct rewriter *rewriter, const struct token *name)
{
    if (is_reserved(text_of(rewriter, name), name->end - name->start)) {
        rewrite_fail(rewriter, "names that begin with _ml_ are Moonlit's own; choose another name");
    }
}

void name_declare(struct rewriter *rewriter, const struct token *name, int candidate)
{
    refuse_reserved(rewriter, name);
    declare(rewriter, text_of(rewriter, name), name->end - name->start, candidate);
}

void name_declare_text(struct rewriter *rewriter, const char *text)
{
    declare(rewriter, text, strlen(text), NONE);
}

static struct name *find_name(struct rewriter *rewriter, const char *text, size_t length)
{
    int at = rewriter->buckets[bucket_of(text, length)];
    while (at != NONE) {
        struct name *name = &rewriter->names.items[at];
        if (name->length == length && memcmp(name->text, text, length) == 0) {
            return name;
        }
        at = name->below;
    }
    return NULL;
}

static void add_global(struct rewriter *rewriter, const struct token *token, bool assigned)
{
    struct rewrite_globals *globals = rewriter->globals;
    if (globals == NULL) {
        return;
    }
    struct rewrite_global *global = vector_push(globals);
    *global = (struct rewrite_global){
        .name = text_of(rewriter, token),
        .length = token->end - token->start,
        .line = token->line,
        .assigned = assigned,
        .top = rewriter->functions.items[rewriter->function].parent == NONE,
    };
}

bool name_mention(struct rewriter *rewriter, const struct token *token, bool assigned)
{
    refuse_reserved(rewriter, token);
    struct name *name = find_name(rewriter, text_of(rewriter, token), token->end - token->start);
    if (name == NULL) {
        add_global(rewriter, token, assigned);
        return true;
    }
    if (name->candidate != NONE) {
        struct candidate *candidate = &rewriter->candidates.items[name->candidate];
        bool is_test = rewriter->in_test && !assigned && name->function == rewriter->function;
        candidate->mentioned = true;
        candidate->tested |= is_test;
        candidate->other |= !is_test;
    }
    return false;
}

/* ---- blocks and functions ---- */

int block_open(struct rewriter *rewriter, bool is_loop)
{
    struct block *block = vector_push(&rewriter->blocks);
    *block = (struct block){.parent = rewriter->block,
                            .function = rewriter->function,
                            .is_loop = is_loop,
                            .ranges = NONE,
                            .labels = NONE,
                            .names = rewriter->names.count,
                            .candidates = rewriter->candidates.count};
    rewriter->block = (int)rewriter->blocks.count - 1;
    return rewriter->block;
}

static void add_range(struct rewriter *rewriter, int block, int number, size_t from, size_t to)
{
    struct range *range = vector_push(&rewriter->ranges);
    *range = (struct range){number, from, to, rewriter->blocks.items[block].ranges};
    rewriter->blocks.items[block].ranges = (int)rewriter->ranges.count - 1;
}

static void mark_candidate(struct rewriter *rewriter, const struct candidate *candidate)
{
    if (candidate->other || candidate->guard) {
        mark_keep(rewriter, candidate->slot, candidate->line,
                  candidate->other ? HINT_LOCAL : HINT_GUARD);
    } else if (!candidate->mentioned || candidate->end_slot == NONE) {
        mark_drop(rewriter, candidate->slot);
    } else {
        int number = ++rewriter->holds;
        slot_add(rewriter, candidate->slot,
                 " local _ml_h%d if _ml_P[1]~=_ml_c then _ml_h%d=_ml_H() end ", number, number);
        slot_add(rewriter, candidate->end_slot, " if _ml_h%d then _ml_E(_ml_h%d) end ", number,
                 number);
        add_range(rewriter, rewriter->block, number, candidate->from, candidate->end);
    }
}

void block_close(struct rewriter *rewriter)
{
    struct block *block = &rewriter->blocks.items[rewriter->block];
    block->end = rewriter->end;
    for (size_t i = block->candidates; i < rewriter->candidates.count; i++) {
        mark_candidate(rewriter, &rewriter->candidates.items[i]);
    }
    rewriter->candidates.count = block->candidates;
    while (rewriter->names.count > block->names) {
        const struct name *name = &rewriter->names.items[--rewriter->names.count];
        rewriter->buckets[name->bucket] = name->below;
    }
    rewriter->block = block->parent;
}

void function_open(struct rewriter *rewriter)
{
    struct function *function = vector_push(&rewriter->functions);
    *function = (struct function){.parent = rewriter->function, .entry = NONE};
    rewriter->function = (int)rewriter->functions.count - 1;
}

void function_close(struct rewriter *rewriter)
{
    struct function *function = &rewriter->functions.items[rewriter->function];
    if (function->has_call) {
        mark_tick(rewriter, function->entry);
    }
    if (function->counts) {
        slot_add(rewriter, function->entry, " local _ml_c; ");
    }
    rewriter->function = function->parent;
}

/* ---- marks ---- */

void mark_tick(struct rewriter *rewriter, int slot)
{
    if (rewriter->mode != REWRITE_WRAP) {
        slot_add(rewriter, slot, " _ml_n=_ml_n-1 if _ml_n<0 then _ml_n=_ml_T() end ");
    }
}

void mark_count(struct rewriter *rewriter, int slot)
{
    slot_add(rewriter, slot, " _ml_c=_ml_P[1]; ");
    rewriter->functions.items[rewriter->function].counts = true;
}

void mark_drop(struct rewriter *rewriter, int slot)
{
    slot_add(rewriter, slot, " if _ml_P[1]~=_ml_c then _ml_D() end ");
}

void mark_keep(struct rewriter *rewriter, int slot, int line, enum rewrite_hint hint)
{
    slot_add(rewriter, slot, " if _ml_P[1]~=_ml_c then _ml_L(%d,%d) end ", line, (int)hint);
}

bool arms_leave(const struct rewriter *rewriter, size_t first_arm)
{
    for (size_t i = first_arm; i < rewriter->arms.count; i++) {
        if (!rewriter->blocks.items[rewriter->arms.items[i].block].leaves) {
            return false;
        }
    }
    return true;
}

/* `not_taken`: the slot in front of the end of an if without else, or NONE. */
void mark_if(struct rewriter *rewriter, size_t first_arm, int not_taken, int line)
{
    for (size_t i = first_arm; i < rewriter->arms.count; i++) {
        struct arm arm = rewriter->arms.items[i];
        int number = ++rewriter->holds;
        slot_add(rewriter, arm.open,
                 " local _ml_h%d if _ml_P[1]~=_ml_c then _ml_h%d=_ml_H() end do ", number, number);
        slot_add(rewriter, arm.close, " end if _ml_h%d then _ml_E(_ml_h%d) end ", number, number);
        add_range(rewriter, arm.block, number, arm.from, arm.to);
    }
    if (not_taken != NONE) {
        slot_add(rewriter, not_taken, " else ");
        if (arms_leave(rewriter, first_arm)) {
            mark_keep(rewriter, not_taken, line, HINT_GUARD);
        } else {
            mark_drop(rewriter, not_taken);
        }
    }
}

int candidate_new(struct rewriter *rewriter, int line, int slot)
{
    struct candidate *candidate = vector_push(&rewriter->candidates);
    *candidate =
        (struct candidate){.line = line, .slot = slot, .from = rewriter->end, .end_slot = NONE};
    return (int)rewriter->candidates.count - 1;
}

/* A statement of the innermost block has been read: the locals it tested may end behind it. */
void mark_statement_end(struct rewriter *rewriter, bool is_guard)
{
    size_t first = rewriter->blocks.items[rewriter->block].candidates;
    for (size_t i = first; i < rewriter->candidates.count; i++) {
        if (rewriter->candidates.items[i].tested) {
            int slot = slot_after_token(rewriter);
            rewriter->candidates.items[i].tested = false;
            rewriter->candidates.items[i].guard = is_guard;
            rewriter->candidates.items[i].end_slot = slot;
            rewriter->candidates.items[i].end = rewriter->end;
        }
    }
}

/* ---- jumps ---- */

void jump_add(struct rewriter *rewriter, const struct token *name)
{
    int slot = slot_before_token(rewriter);
    struct jump *jump = vector_push(&rewriter->jumps);
    jump->offset = rewriter->token.start;
    jump->slot = slot;
    jump->block = rewriter->block;
    if (name != NULL) {
        jump->name = text_of(rewriter, name);
        jump->length = name->end - name->start;
    }
}

void label_add(struct rewriter *rewriter, const struct token *name)
{
    struct block *block = &rewriter->blocks.items[rewriter->block];
    struct label *label = vector_push(&rewriter->labels);
    *label = (struct label){.name = text_of(rewriter, name),
                            .length = name->end - name->start,
                            .offset = name->start,
                            .next = block->labels};
    block->labels = (int)rewriter->labels.count - 1;
}

/* Where the jump goes when it goes out to this block; false: it goes further. */
static bool find_target(const struct rewriter *rewriter, const struct jump *jump,
                        const struct block *block, size_t *target)
{
    if (jump->name == NULL) {
        *target = block->end;
        return block->is_loop;
    }
    for (int at = block->labels; at != NONE; at = rewriter->labels.items[at].next) {
        const struct label *label = &rewriter->labels.items[at];
        if (label->length == jump->length && memcmp(label->name, jump->name, label->length) == 0) {
            *target = label->offset;
            return true;
        }
    }
    return false;
}

static void end_holds(struct rewriter *rewriter, const struct jump *jump, int block, size_t target)
{
    for (int at = rewriter->blocks.items[block].ranges; at != NONE;
         at = rewriter->ranges.items[at].next) {
        const struct range *range = &rewriter->ranges.items[at];
        bool is_inside = range->from <= jump->offset && jump->offset < range->to;
        bool stays = range->from <= target && target < range->to;
        if (is_inside && !stays) {
            slot_add(rewriter, jump->slot, " if _ml_h%d then _ml_E(_ml_h%d) end ", range->number,
                     range->number);
        }
    }
}

static void mark_jump(struct rewriter *rewriter, const struct jump *jump)
{
    int function = rewriter->blocks.items[jump->block].function;
    size_t target = 0;
    int outermost = jump->block;
    while (outermost != NONE && rewriter->blocks.items[outermost].function == function &&
           !find_target(rewriter, jump, &rewriter->blocks.items[outermost], &target)) {
        outermost = rewriter->blocks.items[outermost].parent;
    }
    if (outermost == NONE || rewriter->blocks.items[outermost].function != function) {
        return; /* no such loop or label: the compiler says so */
    }
    for (int block = jump->block;; block = rewriter->blocks.items[block].parent) {
        end_holds(rewriter, jump, block, target);
        if (block == outermost) {
            return;
        }
    }
}

void mark_jumps(struct rewriter *rewriter)
{
    for (size_t i = 0; i < rewriter->jumps.count; i++) {
        mark_jump(rewriter, &rewriter->jumps.items[i]);
    }
}
