#include "bridge/rewrite.h"

#include <stdlib.h>
#include <string.h>

#include "bridge/rewrite_inside.h"
#include "limits.h"

/* ---- statements ---- */

static bool marks_holds(const struct rewriter *rewriter)
{
    return rewriter->mode == REWRITE_ALL;
}

static void nested_block(struct rewriter *rewriter)
{
    block_open(rewriter, false);
    read_block(rewriter);
    block_close(rewriter);
}

/* Behind "do" of a loop: the body in a block of its own, so that the check can stand behind it,
 * whatever its last statement is. */
static void loop_body(struct rewriter *rewriter)
{
    bool marks = rewriter->mode != REWRITE_WRAP;
    int open = slot_after_token(rewriter);
    read_block(rewriter);
    int close = slot_after_token(rewriter);
    if (marks && !rewriter->failed) {
        slot_add(rewriter, open, " do ");
        slot_add(rewriter, close, " end ");
        mark_tick(rewriter, close);
    }
    block_close(rewriter);
    rewrite_expect(rewriter, TOKEN_END, "end");
}

static void while_statement(struct rewriter *rewriter)
{
    rewrite_advance(rewriter);
    read_expression(rewriter);
    rewrite_expect(rewriter, TOKEN_DO, "do");
    block_open(rewriter, true);
    loop_body(rewriter);
}

static size_t read_names(struct rewriter *rewriter)
{
    size_t first = rewriter->pending.count;
    do {
        struct token name = rewrite_expect_name(rewriter);
        *vector_push(&rewriter->pending) = name;
    } while (rewrite_accept(rewriter, ','));
    return first;
}

/* The names read since `first` come into scope. */
static void declare_names(struct rewriter *rewriter, size_t first, int candidate)
{
    for (size_t i = first; i < rewriter->pending.count && !rewriter->failed; i++) {
        struct token name = rewriter->pending.items[i];
        name_declare(rewriter, &name, candidate);
    }
    rewriter->pending.count = first;
}

static void for_statement(struct rewriter *rewriter)
{
    rewrite_advance(rewriter);
    size_t first = read_names(rewriter);
    if (!rewrite_accept(rewriter, '=')) {
        rewrite_expect(rewriter, TOKEN_IN, "= or in");
    }
    read_expressions(rewriter);
    rewrite_expect(rewriter, TOKEN_DO, "do");
    block_open(rewriter, true);
    declare_names(rewriter, first, NONE);
    loop_body(rewriter);
}

static void repeat_statement(struct rewriter *rewriter)
{
    rewrite_advance(rewriter);
    mark_tick(rewriter, slot_after_token(rewriter));
    block_open(rewriter, true);
    read_block(rewriter);
    rewrite_expect(rewriter, TOKEN_UNTIL, "until");
    read_expression(rewriter);
    block_close(rewriter);
}

/* Behind then or else: one branch of an if. */
static void read_arm(struct rewriter *rewriter)
{
    struct arm arm = {.open = slot_after_token(rewriter), .from = rewriter->end};
    arm.block = block_open(rewriter, false);
    read_block(rewriter);
    block_close(rewriter);
    arm.close = slot_after_token(rewriter);
    arm.to = rewriter->end;
    *vector_push(&rewriter->arms) = arm;
}

/* True for a guard: no else, and every branch leaves. */
static bool if_statement(struct rewriter *rewriter)
{
    int line = rewriter->token.line;
    int before = slot_before_token(rewriter);
    size_t first_arm = rewriter->arms.count;
    int not_taken = NONE;
    bool calls = false;
    do {
        rewrite_advance(rewriter);
        calls |= read_condition(rewriter);
        rewrite_expect(rewriter, TOKEN_THEN, "then");
        read_arm(rewriter);
    } while (rewriter->token.kind == TOKEN_ELSEIF);
    if (rewriter->token.kind == TOKEN_ELSE) {
        rewrite_advance(rewriter);
        read_arm(rewriter);
    } else {
        not_taken = slot_after_token(rewriter);
    }
    rewrite_expect(rewriter, TOKEN_END, "end");
    if (calls && marks_holds(rewriter) && !rewriter->failed) {
        mark_count(rewriter, before);
        mark_if(rewriter, first_arm, not_taken, line);
    }
    bool is_guard = not_taken != NONE && arms_leave(rewriter, first_arm);
    rewriter->arms.count = first_arm;
    return is_guard;
}

static void function_statement(struct rewriter *rewriter)
{
    bool is_method = false;
    rewrite_advance(rewriter);
    struct token name = rewrite_expect_name(rewriter);
    bool is_field =
        rewrite_is_symbol(&rewriter->token, '.') || rewrite_is_symbol(&rewriter->token, ':');
    if (!rewriter->failed) {
        name_mention(rewriter, &name, !is_field);
    }
    while (!rewriter->failed && !is_method && is_field) {
        is_method = rewrite_is_symbol(&rewriter->token, ':');
        rewrite_advance(rewriter);
        rewrite_expect_name(rewriter);
        is_field =
            rewrite_is_symbol(&rewriter->token, '.') || rewrite_is_symbol(&rewriter->token, ':');
    }
    read_function(rewriter, is_method);
}

static void local_statement(struct rewriter *rewriter)
{
    int line = rewriter->token.line;
    int before = slot_before_token(rewriter);
    rewrite_advance(rewriter);
    if (rewriter->token.kind == TOKEN_FUNCTION) {
        rewrite_advance(rewriter);
        struct token name = rewrite_expect_name(rewriter);
        name_declare(rewriter, &name, NONE);
        read_function(rewriter, false);
        return;
    }
    size_t first = read_names(rewriter);
    bool calls = rewrite_accept(rewriter, '=') && read_expressions(rewriter);
    int candidate = NONE;
    if (calls && marks_holds(rewriter) && !rewriter->failed) {
        mark_count(rewriter, before);
        candidate = candidate_new(rewriter, line, slot_after_token(rewriter));
    }
    declare_names(rewriter, first, candidate);
}

/* A plain name on the left of "=" or "," is assigned; anything else is read. */
static struct suffixed assignable(struct rewriter *rewriter)
{
    struct token after = rewrite_peek(rewriter);
    if (rewrite_is_name(&rewriter->token) &&
        (rewrite_is_symbol(&after, '=') || rewrite_is_symbol(&after, ','))) {
        struct token name = rewrite_expect_name(rewriter);
        name_mention(rewriter, &name, true);
        return (struct suffixed){0};
    }
    return read_suffixed(rewriter);
}

static void expression_statement(struct rewriter *rewriter)
{
    int line = rewriter->token.line;
    int before = slot_before_token(rewriter);
    struct suffixed first = assignable(rewriter);
    bool calls = first.calls;
    bool is_assignment =
        rewrite_is_symbol(&rewriter->token, '=') || rewrite_is_symbol(&rewriter->token, ',');
    if (is_assignment) {
        while (rewrite_accept(rewriter, ',')) {
            calls |= assignable(rewriter).calls;
        }
        rewrite_expect_symbol(rewriter, '=');
        calls |= read_expressions(rewriter);
    } else if (!first.is_call) {
        rewrite_fail(rewriter, "a statement expected");
    }
    if (!calls || !marks_holds(rewriter) || rewriter->failed) {
        return;
    }
    mark_count(rewriter, before);
    int after = slot_after_token(rewriter);
    if (is_assignment || first.argument_calls) {
        mark_keep(rewriter, after, line, is_assignment ? HINT_ASSIGNED : HINT_ARGUMENT);
    } else {
        mark_drop(rewriter, after);
    }
}

static void goto_statement(struct rewriter *rewriter)
{
    mark_tick(rewriter, slot_before_token(rewriter));
    struct token name = rewrite_peek(rewriter);
    jump_add(rewriter, &name);
    rewrite_advance(rewriter);
    rewrite_expect_name(rewriter);
}

static void label_statement(struct rewriter *rewriter)
{
    rewrite_advance(rewriter);
    struct token name = rewrite_expect_name(rewriter);
    if (!rewriter->failed) {
        label_add(rewriter, &name);
    }
    rewrite_expect(rewriter, TOKEN_LABEL, "::");
}

static bool ends_block(const struct token *token)
{
    return token->kind == TOKEN_END_OF_SOURCE || token->kind == TOKEN_END ||
           token->kind == TOKEN_ELSE || token->kind == TOKEN_ELSEIF || token->kind == TOKEN_UNTIL;
}

static void return_statement(struct rewriter *rewriter)
{
    rewrite_advance(rewriter);
    if (!ends_block(&rewriter->token) && !rewrite_is_symbol(&rewriter->token, ';')) {
        read_expressions(rewriter);
    }
}

/* One statement; true when it leaves the block. */
static bool statement(struct rewriter *rewriter, bool *is_guard)
{
    switch (rewriter->token.kind) {
    case TOKEN_IF:
        *is_guard = if_statement(rewriter);
        return false;
    case TOKEN_WHILE:
        while_statement(rewriter);
        return false;
    case TOKEN_FOR:
        for_statement(rewriter);
        return false;
    case TOKEN_REPEAT:
        repeat_statement(rewriter);
        return false;
    case TOKEN_DO:
        rewrite_advance(rewriter);
        nested_block(rewriter);
        rewrite_expect(rewriter, TOKEN_END, "end");
        return false;
    case TOKEN_FUNCTION:
        function_statement(rewriter);
        return false;
    case TOKEN_LOCAL:
        local_statement(rewriter);
        return false;
    case TOKEN_LABEL:
        label_statement(rewriter);
        return false;
    case TOKEN_RETURN:
        return_statement(rewriter);
        return true;
    case TOKEN_BREAK:
        jump_add(rewriter, NULL);
        rewrite_advance(rewriter);
        return true;
    case TOKEN_GOTO:
        if (rewrite_peek(rewriter).kind == TOKEN_NAME) {
            goto_statement(rewriter);
            return true;
        }
        break;
    default:
        break;
    }
    expression_statement(rewriter);
    return false;
}

void read_block(struct rewriter *rewriter)
{
    bool leaves = false;
    if (!rewrite_enter(rewriter)) {
        return;
    }
    while (!ends_block(&rewriter->token)) {
        bool is_guard = false;
        leaves = statement(rewriter, &is_guard);
        mark_statement_end(rewriter, is_guard);
        rewrite_accept(rewriter, ';');
    }
    rewriter->blocks.items[rewriter->block].leaves = leaves;
    rewrite_leave(rewriter);
}

/* ---- the whole ---- */

static void read_all(struct rewriter *rewriter)
{
    function_open(rewriter);
    block_open(rewriter, false);
    rewriter->token.end = rewriter->end = rewriter->lexer.at;
    current_function(rewriter)->entry = slot_after_token(rewriter);
    rewrite_advance(rewriter);
    read_block(rewriter);
    if (!rewriter->failed && rewriter->token.kind != TOKEN_END_OF_SOURCE) {
        rewrite_fail(rewriter, "'end' without a beginning");
    }
    if (!rewriter->failed) {
        block_close(rewriter);
        function_close(rewriter);
        mark_jumps(rewriter);
    }
}

static bool write_all(const struct rewriter *rewriter, struct buffer *out)
{
    const char *source = rewriter->lexer.source;
    size_t at = rewriter->slots.items[0].offset;
    bool ok = buffer_append_text(out, "local _ml_n,_ml_T,_ml_P,_ml_H,_ml_E,_ml_D,_ml_L=0,... "
                                      "return function(...) ");
    for (size_t i = 0; i < rewriter->slots.count && ok; i++) {
        const struct slot *slot = &rewriter->slots.items[i];
        if (slot->length > 0) {
            ok = buffer_append(out, source + at, slot->offset - at) &&
                 buffer_append(out, rewriter->texts.bytes + slot->text, slot->length);
            at = slot->offset;
        }
    }
    return ok && buffer_append(out, source + at, rewriter->lexer.length - at) &&
           buffer_append_text(out, "\nend");
}

static void free_vectors(struct rewriter *rewriter)
{
    buffer_deinit(&rewriter->texts);
    free(rewriter->slots.items);
    free(rewriter->ranges.items);
    free(rewriter->labels.items);
    free(rewriter->jumps.items);
    free(rewriter->candidates.items);
    free(rewriter->names.items);
    free(rewriter->blocks.items);
    free(rewriter->functions.items);
    free(rewriter->arms.items);
    free(rewriter->pending.items);
}

bool rewrite_source(const char *source, size_t length, enum rewrite_mode mode, struct buffer *out,
                    struct rewrite_globals *globals, struct error *error)
{
    struct rewriter rewriter = {
        .mode = mode, .error = error, .globals = globals, .block = NONE, .function = NONE};
    for (int i = 0; i < NAME_BUCKETS; i++) {
        rewriter.buckets[i] = NONE;
    }
    buffer_init(&rewriter.texts, LIMIT_SCRIPT_REWRITTEN);
    lexer_init(&rewriter.lexer, source, length);
    read_all(&rewriter);
    if (!rewriter.failed && !write_all(&rewriter, out)) {
        rewrite_fail(&rewriter, "the script is too large");
    }
    free_vectors(&rewriter);
    return !rewriter.failed;
}

void rewrite_globals_deinit(struct rewrite_globals *globals)
{
    free(globals->items);
    *globals = (struct rewrite_globals){0};
}

const char *rewrite_hint(int kind)
{
    switch (kind) {
    case HINT_LOCAL:
        return "the local that received a press is used outside of conditions";
    case HINT_ARGUMENT:
        return "a press was received inside the arguments of a call";
    case HINT_ASSIGNED:
        return "a press was assigned to something that is not a new local";
    case HINT_GUARD:
        return "a press was received by an if that leaves when there is none";
    default:
        return "a press was received where no if and no local tests it";
    }
}
