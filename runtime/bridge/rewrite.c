#include "bridge/rewrite.h"

#include <stdlib.h>
#include <string.h>

#include "bridge/rewrite_inside.h"
#include "limits.h"

/* What an expression that begins with a name or a bracket turned out to be. */
struct suffixed {
    bool is_call;        /* its last suffix is a call */
    bool calls;          /* something in it may run the script's or Moonlit's code */
    bool argument_calls; /* an argument of a call does */
};

static bool expression(struct rewriter *rewriter);
static void block_body(struct rewriter *rewriter);
static void function_body(struct rewriter *rewriter, bool is_method);

/* ---- tokens ---- */

static void advance(struct rewriter *rewriter)
{
    if (rewriter->failed) {
        return;
    }
    rewriter->end = rewriter->token.end;
    rewriter->token = lexer_next(&rewriter->lexer);
    if (rewriter->token.kind == TOKEN_BROKEN) {
        rewrite_fail(rewriter, "unfinished string or comment");
    }
}

static struct token peek(const struct rewriter *rewriter)
{
    struct lexer ahead = rewriter->lexer;
    return lexer_next(&ahead);
}

static bool is_symbol(const struct token *token, char symbol)
{
    return token->kind == TOKEN_SYMBOL && token->symbol == symbol;
}

static bool accept_symbol(struct rewriter *rewriter, char symbol)
{
    bool is = is_symbol(&rewriter->token, symbol);
    if (is) {
        advance(rewriter);
    }
    return is;
}

static void expect_symbol(struct rewriter *rewriter, char symbol)
{
    if (!accept_symbol(rewriter, symbol)) {
        rewrite_fail(rewriter, "'%c' expected", symbol);
    }
}

static void expect(struct rewriter *rewriter, enum token_kind kind, const char *word)
{
    if (rewriter->token.kind != kind) {
        rewrite_fail(rewriter, "'%s' expected", word);
        return;
    }
    advance(rewriter);
}

/* LuaJIT lets `goto` be a name where no goto statement can be meant. */
static bool is_name(const struct token *token)
{
    return token->kind == TOKEN_NAME || token->kind == TOKEN_GOTO;
}

static struct token expect_name(struct rewriter *rewriter)
{
    struct token name = rewriter->token;
    if (!is_name(&name)) {
        rewrite_fail(rewriter, "a name expected");
        return name;
    }
    advance(rewriter);
    return name;
}

static bool name_is(const struct rewriter *rewriter, const struct token *token, const char *word)
{
    size_t length = token->end - token->start;
    return strlen(word) == length &&
           memcmp(rewriter->lexer.source + token->start, word, length) == 0;
}

static bool enter(struct rewriter *rewriter)
{
    if (++rewriter->depth > LIMIT_SCRIPT_NESTING) {
        rewrite_fail(rewriter, "the code is nested too deeply (more than %d levels)",
                     LIMIT_SCRIPT_NESTING);
    }
    return !rewriter->failed;
}

static void leave(struct rewriter *rewriter)
{
    rewriter->depth--;
}

static struct function *current_function(struct rewriter *rewriter)
{
    return &rewriter->functions.items[rewriter->function];
}

/* ---- expressions ---- */

/* Functions of the frozen library that call neither a script's function nor a button. */
static bool is_pure_name(const struct rewriter *rewriter, const struct token *name)
{
    static const char *const words[] = {"assert",   "error",  "ipairs",   "next",   "pairs",
                                        "print",    "rawget", "rawset",   "select", "setmetatable",
                                        "tonumber", "type",   "rawequal", "unpack", NULL};
    for (int i = 0; words[i] != NULL; i++) {
        if (name_is(rewriter, name, words[i])) {
            return true;
        }
    }
    return false;
}

static bool is_pure_library(const struct rewriter *rewriter, const struct token *name)
{
    return name_is(rewriter, name, "string") || name_is(rewriter, name, "math") ||
           name_is(rewriter, name, "bit") || name_is(rewriter, name, "os");
}

static bool expressions(struct rewriter *rewriter)
{
    bool calls = expression(rewriter);
    while (accept_symbol(rewriter, ',')) {
        calls |= expression(rewriter);
    }
    return calls;
}

static bool table(struct rewriter *rewriter)
{
    bool calls = false;
    expect_symbol(rewriter, '{');
    while (!rewriter->failed && !is_symbol(&rewriter->token, '}')) {
        if (accept_symbol(rewriter, '[')) {
            calls |= expression(rewriter);
            expect_symbol(rewriter, ']');
            expect_symbol(rewriter, '=');
        } else if (is_name(&rewriter->token)) {
            struct token after = peek(rewriter);
            if (is_symbol(&after, '=')) {
                advance(rewriter);
                advance(rewriter);
            }
        }
        calls |= expression(rewriter);
        if (!accept_symbol(rewriter, ',') && !accept_symbol(rewriter, ';')) {
            break;
        }
    }
    expect_symbol(rewriter, '}');
    return calls;
}

static bool is_arguments(const struct token *token)
{
    return token->kind == TOKEN_STRING || is_symbol(token, '(') || is_symbol(token, '{');
}

/* The arguments of a call; true when they contain a call. */
static bool arguments(struct rewriter *rewriter)
{
    bool was_in_test = rewriter->in_test;
    bool calls = false;
    rewriter->in_test = false;
    if (rewriter->token.kind == TOKEN_STRING) {
        advance(rewriter);
    } else if (is_symbol(&rewriter->token, '{')) {
        calls = table(rewriter);
    } else if (accept_symbol(rewriter, '(')) {
        if (!is_symbol(&rewriter->token, ')')) {
            calls = expressions(rewriter);
        }
        expect_symbol(rewriter, ')');
    } else {
        rewrite_fail(rewriter, "arguments expected");
    }
    rewriter->in_test = was_in_test;
    return calls;
}

/* [key]: a key that is computed may be a metamethod's way to recurse without a call. */
static bool index_suffix(struct rewriter *rewriter)
{
    bool was_in_test = rewriter->in_test;
    bool is_constant = rewriter->token.kind == TOKEN_STRING || rewriter->token.kind == TOKEN_NUMBER;
    rewriter->in_test = false;
    bool calls = expression(rewriter);
    expect_symbol(rewriter, ']');
    rewriter->in_test = was_in_test;
    current_function(rewriter)->has_call |= !is_constant;
    return calls;
}

static struct suffixed suffixed(struct rewriter *rewriter)
{
    struct suffixed result = {0};
    bool is_pure = false, is_library = false;
    if (accept_symbol(rewriter, '(')) {
        result.calls = expression(rewriter);
        expect_symbol(rewriter, ')');
    } else {
        struct token name = expect_name(rewriter);
        if (!rewriter->failed && name_mention(rewriter, &name, false)) {
            is_pure = is_pure_name(rewriter, &name);
            is_library = is_pure_library(rewriter, &name);
        }
    }
    while (!rewriter->failed) {
        bool is_method = is_symbol(&rewriter->token, ':');
        if (is_method) {
            advance(rewriter);
            expect_name(rewriter);
        }
        if (is_method || is_arguments(&rewriter->token)) {
            bool calls = arguments(rewriter);
            result.argument_calls |= calls;
            result.calls |= calls || is_method || !is_pure;
            result.is_call = true;
            current_function(rewriter)->has_call = true;
            is_pure = is_library = false;
            continue;
        }
        if (accept_symbol(rewriter, '.')) {
            expect_name(rewriter);
            is_pure = is_library;
        } else if (accept_symbol(rewriter, '[')) {
            result.calls |= index_suffix(rewriter);
            is_pure = false;
        } else {
            break;
        }
        is_library = false;
        result.is_call = false;
    }
    return result;
}

static bool operand(struct rewriter *rewriter)
{
    switch (rewriter->token.kind) {
    case TOKEN_NUMBER:
    case TOKEN_STRING:
    case TOKEN_CONSTANT:
    case TOKEN_DOTS:
        advance(rewriter);
        return false;
    case TOKEN_FUNCTION:
        advance(rewriter);
        function_body(rewriter, false);
        return false;
    default:
        break;
    }
    if (is_symbol(&rewriter->token, '{')) {
        bool was_in_test = rewriter->in_test;
        rewriter->in_test = false;
        bool calls = table(rewriter);
        rewriter->in_test = was_in_test;
        return calls;
    }
    return suffixed(rewriter).calls;
}

/* An expression; true when something in it may run the script's or Moonlit's code. Which operator
 * binds how does not matter here. */
static bool expression(struct rewriter *rewriter)
{
    bool calls = false;
    if (!enter(rewriter)) {
        return false;
    }
    for (;;) {
        while (rewriter->token.kind == TOKEN_NOT || is_symbol(&rewriter->token, '#') ||
               (rewriter->token.kind == TOKEN_BINARY && rewriter->token.symbol == '-')) {
            advance(rewriter);
        }
        calls |= operand(rewriter);
        if (rewriter->token.kind != TOKEN_BINARY && rewriter->token.kind != TOKEN_AND_OR) {
            break;
        }
        advance(rewriter);
    }
    leave(rewriter);
    return calls;
}

/* The condition of an if: a name in it is tested. */
static bool condition(struct rewriter *rewriter)
{
    rewriter->in_test = true;
    bool calls = expression(rewriter);
    rewriter->in_test = false;
    return calls;
}

static void parameters(struct rewriter *rewriter)
{
    expect_symbol(rewriter, '(');
    while (!rewriter->failed && !is_symbol(&rewriter->token, ')')) {
        if (rewriter->token.kind == TOKEN_DOTS) {
            advance(rewriter);
        } else {
            struct token name = expect_name(rewriter);
            name_declare(rewriter, &name, NONE);
        }
        if (!accept_symbol(rewriter, ',')) {
            break;
        }
    }
    expect_symbol(rewriter, ')');
}

static void function_body(struct rewriter *rewriter, bool is_method)
{
    bool was_in_test = rewriter->in_test;
    rewriter->in_test = false;
    function_open(rewriter);
    block_open(rewriter, false);
    if (is_method) {
        name_declare_text(rewriter, "self");
    }
    parameters(rewriter);
    current_function(rewriter)->entry = slot_after_token(rewriter);
    block_body(rewriter);
    block_close(rewriter);
    expect(rewriter, TOKEN_END, "end");
    function_close(rewriter);
    rewriter->in_test = was_in_test;
}

/* ---- statements ---- */

static bool marks_holds(const struct rewriter *rewriter)
{
    return rewriter->mode == REWRITE_ALL;
}

static void nested_block(struct rewriter *rewriter)
{
    block_open(rewriter, false);
    block_body(rewriter);
    block_close(rewriter);
}

/* Behind "do" of a loop: the body in a block of its own, so that the check can stand behind it,
 * whatever its last statement is. */
static void loop_body(struct rewriter *rewriter)
{
    bool marks = rewriter->mode != REWRITE_WRAP;
    int open = slot_after_token(rewriter);
    block_body(rewriter);
    int close = slot_after_token(rewriter);
    if (marks && !rewriter->failed) {
        slot_add(rewriter, open, " do ");
        slot_add(rewriter, close, " end ");
        mark_tick(rewriter, close);
    }
    block_close(rewriter);
    expect(rewriter, TOKEN_END, "end");
}

static void while_statement(struct rewriter *rewriter)
{
    advance(rewriter);
    expression(rewriter);
    expect(rewriter, TOKEN_DO, "do");
    block_open(rewriter, true);
    loop_body(rewriter);
}

static size_t read_names(struct rewriter *rewriter)
{
    size_t first = rewriter->pending.count;
    do {
        struct token name = expect_name(rewriter);
        *vector_push(&rewriter->pending) = name;
    } while (accept_symbol(rewriter, ','));
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
    advance(rewriter);
    size_t first = read_names(rewriter);
    if (!accept_symbol(rewriter, '=')) {
        expect(rewriter, TOKEN_IN, "= or in");
    }
    expressions(rewriter);
    expect(rewriter, TOKEN_DO, "do");
    block_open(rewriter, true);
    declare_names(rewriter, first, NONE);
    loop_body(rewriter);
}

static void repeat_statement(struct rewriter *rewriter)
{
    advance(rewriter);
    mark_tick(rewriter, slot_after_token(rewriter));
    block_open(rewriter, true);
    block_body(rewriter);
    expect(rewriter, TOKEN_UNTIL, "until");
    expression(rewriter);
    block_close(rewriter);
}

/* Behind then or else: one branch of an if. */
static void read_arm(struct rewriter *rewriter)
{
    struct arm arm = {.open = slot_after_token(rewriter), .from = rewriter->end};
    arm.block = block_open(rewriter, false);
    block_body(rewriter);
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
        advance(rewriter);
        calls |= condition(rewriter);
        expect(rewriter, TOKEN_THEN, "then");
        read_arm(rewriter);
    } while (rewriter->token.kind == TOKEN_ELSEIF);
    if (rewriter->token.kind == TOKEN_ELSE) {
        advance(rewriter);
        read_arm(rewriter);
    } else {
        not_taken = slot_after_token(rewriter);
    }
    expect(rewriter, TOKEN_END, "end");
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
    advance(rewriter);
    struct token name = expect_name(rewriter);
    bool is_field = is_symbol(&rewriter->token, '.') || is_symbol(&rewriter->token, ':');
    if (!rewriter->failed) {
        name_mention(rewriter, &name, !is_field);
    }
    while (!rewriter->failed && !is_method && is_field) {
        is_method = is_symbol(&rewriter->token, ':');
        advance(rewriter);
        expect_name(rewriter);
        is_field = is_symbol(&rewriter->token, '.') || is_symbol(&rewriter->token, ':');
    }
    function_body(rewriter, is_method);
}

static void local_statement(struct rewriter *rewriter)
{
    int line = rewriter->token.line;
    int before = slot_before_token(rewriter);
    advance(rewriter);
    if (rewriter->token.kind == TOKEN_FUNCTION) {
        advance(rewriter);
        struct token name = expect_name(rewriter);
        name_declare(rewriter, &name, NONE);
        function_body(rewriter, false);
        return;
    }
    size_t first = read_names(rewriter);
    bool calls = accept_symbol(rewriter, '=') && expressions(rewriter);
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
    struct token after = peek(rewriter);
    if (is_name(&rewriter->token) && (is_symbol(&after, '=') || is_symbol(&after, ','))) {
        struct token name = expect_name(rewriter);
        name_mention(rewriter, &name, true);
        return (struct suffixed){0};
    }
    return suffixed(rewriter);
}

static void expression_statement(struct rewriter *rewriter)
{
    int line = rewriter->token.line;
    int before = slot_before_token(rewriter);
    struct suffixed first = assignable(rewriter);
    bool calls = first.calls;
    bool is_assignment = is_symbol(&rewriter->token, '=') || is_symbol(&rewriter->token, ',');
    if (is_assignment) {
        while (accept_symbol(rewriter, ',')) {
            calls |= assignable(rewriter).calls;
        }
        expect_symbol(rewriter, '=');
        calls |= expressions(rewriter);
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
    struct token name = peek(rewriter);
    jump_add(rewriter, &name);
    advance(rewriter);
    expect_name(rewriter);
}

static void label_statement(struct rewriter *rewriter)
{
    advance(rewriter);
    struct token name = expect_name(rewriter);
    if (!rewriter->failed) {
        label_add(rewriter, &name);
    }
    expect(rewriter, TOKEN_LABEL, "::");
}

static bool ends_block(const struct token *token)
{
    return token->kind == TOKEN_END_OF_SOURCE || token->kind == TOKEN_END ||
           token->kind == TOKEN_ELSE || token->kind == TOKEN_ELSEIF || token->kind == TOKEN_UNTIL;
}

static void return_statement(struct rewriter *rewriter)
{
    advance(rewriter);
    if (!ends_block(&rewriter->token) && !is_symbol(&rewriter->token, ';')) {
        expressions(rewriter);
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
        advance(rewriter);
        nested_block(rewriter);
        expect(rewriter, TOKEN_END, "end");
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
        advance(rewriter);
        return true;
    case TOKEN_GOTO:
        if (peek(rewriter).kind == TOKEN_NAME) {
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

static void block_body(struct rewriter *rewriter)
{
    bool leaves = false;
    if (!enter(rewriter)) {
        return;
    }
    while (!ends_block(&rewriter->token)) {
        bool is_guard = false;
        leaves = statement(rewriter, &is_guard);
        mark_statement_end(rewriter, is_guard);
        accept_symbol(rewriter, ';');
    }
    rewriter->blocks.items[rewriter->block].leaves = leaves;
    leave(rewriter);
}

/* ---- the whole ---- */

static void read_all(struct rewriter *rewriter)
{
    function_open(rewriter);
    block_open(rewriter, false);
    rewriter->token.end = rewriter->end = rewriter->lexer.at;
    current_function(rewriter)->entry = slot_after_token(rewriter);
    advance(rewriter);
    block_body(rewriter);
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
        return "a press was received";
    }
}
