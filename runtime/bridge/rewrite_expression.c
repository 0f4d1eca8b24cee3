#include <string.h>

#include "bridge/rewrite_inside.h"
#include "limits.h"

/* ---- tokens ---- */

void rewrite_advance(struct rewriter *rewriter)
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

struct token rewrite_peek(const struct rewriter *rewriter)
{
    struct lexer ahead = rewriter->lexer;
    return lexer_next(&ahead);
}

bool rewrite_is_symbol(const struct token *token, char symbol)
{
    return token->kind == TOKEN_SYMBOL && token->symbol == symbol;
}

bool rewrite_accept(struct rewriter *rewriter, char symbol)
{
    bool is = rewrite_is_symbol(&rewriter->token, symbol);
    if (is) {
        rewrite_advance(rewriter);
    }
    return is;
}

void rewrite_expect_symbol(struct rewriter *rewriter, char symbol)
{
    if (!rewrite_accept(rewriter, symbol)) {
        rewrite_fail(rewriter, "'%c' expected", symbol);
    }
}

void rewrite_expect(struct rewriter *rewriter, enum token_kind kind, const char *word)
{
    if (rewriter->token.kind != kind) {
        rewrite_fail(rewriter, "'%s' expected", word);
        return;
    }
    rewrite_advance(rewriter);
}

/* LuaJIT lets `goto` be a name where no goto statement can be meant. */
bool rewrite_is_name(const struct token *token)
{
    return token->kind == TOKEN_NAME || token->kind == TOKEN_GOTO;
}

struct token rewrite_expect_name(struct rewriter *rewriter)
{
    struct token name = rewriter->token;
    if (!rewrite_is_name(&name)) {
        rewrite_fail(rewriter, "a name expected");
        return name;
    }
    rewrite_advance(rewriter);
    return name;
}

static bool name_is(const struct rewriter *rewriter, const struct token *token, const char *word)
{
    size_t length = token->end - token->start;
    return strlen(word) == length &&
           memcmp(rewriter->lexer.source + token->start, word, length) == 0;
}

bool rewrite_enter(struct rewriter *rewriter)
{
    if (++rewriter->depth > LIMIT_SCRIPT_NESTING) {
        rewrite_fail(rewriter, "the code is nested too deeply (more than %d levels)",
                     LIMIT_SCRIPT_NESTING);
    }
    return !rewriter->failed;
}

void rewrite_leave(struct rewriter *rewriter)
{
    rewriter->depth--;
}

struct function *current_function(struct rewriter *rewriter)
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

bool read_expressions(struct rewriter *rewriter)
{
    bool calls = read_expression(rewriter);
    while (rewrite_accept(rewriter, ',')) {
        calls |= read_expression(rewriter);
    }
    return calls;
}

static bool table(struct rewriter *rewriter)
{
    bool calls = false;
    rewrite_expect_symbol(rewriter, '{');
    while (!rewriter->failed && !rewrite_is_symbol(&rewriter->token, '}')) {
        if (rewrite_accept(rewriter, '[')) {
            calls |= read_expression(rewriter);
            rewrite_expect_symbol(rewriter, ']');
            rewrite_expect_symbol(rewriter, '=');
        } else if (rewrite_is_name(&rewriter->token)) {
            struct token after = rewrite_peek(rewriter);
            if (rewrite_is_symbol(&after, '=')) {
                rewrite_advance(rewriter);
                rewrite_advance(rewriter);
            }
        }
        calls |= read_expression(rewriter);
        if (!rewrite_accept(rewriter, ',') && !rewrite_accept(rewriter, ';')) {
            break;
        }
    }
    rewrite_expect_symbol(rewriter, '}');
    return calls;
}

static bool is_arguments(const struct token *token)
{
    return token->kind == TOKEN_STRING || rewrite_is_symbol(token, '(') ||
           rewrite_is_symbol(token, '{');
}

/* The arguments of a call; true when they contain a call. */
static bool arguments(struct rewriter *rewriter)
{
    bool was_in_test = rewriter->in_test;
    bool calls = false;
    rewriter->in_test = false;
    if (rewriter->token.kind == TOKEN_STRING) {
        rewrite_advance(rewriter);
    } else if (rewrite_is_symbol(&rewriter->token, '{')) {
        calls = table(rewriter);
    } else if (rewrite_accept(rewriter, '(')) {
        if (!rewrite_is_symbol(&rewriter->token, ')')) {
            calls = read_expressions(rewriter);
        }
        rewrite_expect_symbol(rewriter, ')');
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
    bool calls = read_expression(rewriter);
    rewrite_expect_symbol(rewriter, ']');
    rewriter->in_test = was_in_test;
    current_function(rewriter)->has_call |= !is_constant;
    return calls;
}

struct suffixed read_suffixed(struct rewriter *rewriter)
{
    struct suffixed result = {0};
    bool is_pure = false, is_library = false;
    if (rewrite_accept(rewriter, '(')) {
        result.calls = read_expression(rewriter);
        rewrite_expect_symbol(rewriter, ')');
    } else {
        struct token name = rewrite_expect_name(rewriter);
        if (!rewriter->failed && name_mention(rewriter, &name, false)) {
            is_pure = is_pure_name(rewriter, &name);
            is_library = is_pure_library(rewriter, &name);
        }
    }
    while (!rewriter->failed) {
        bool is_method = rewrite_is_symbol(&rewriter->token, ':');
        if (is_method) {
            rewrite_advance(rewriter);
            rewrite_expect_name(rewriter);
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
        if (rewrite_accept(rewriter, '.')) {
            rewrite_expect_name(rewriter);
            is_pure = is_library;
        } else if (rewrite_accept(rewriter, '[')) {
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
        rewrite_advance(rewriter);
        return false;
    case TOKEN_FUNCTION:
        rewrite_advance(rewriter);
        read_function(rewriter, false);
        return false;
    default:
        break;
    }
    if (rewrite_is_symbol(&rewriter->token, '{')) {
        bool was_in_test = rewriter->in_test;
        rewriter->in_test = false;
        bool calls = table(rewriter);
        rewriter->in_test = was_in_test;
        return calls;
    }
    return read_suffixed(rewriter).calls;
}

/* An expression; true when something in it may run the script's or Moonlit's code. Which operator
 * binds how does not matter here. */
bool read_expression(struct rewriter *rewriter)
{
    bool calls = false;
    if (!rewrite_enter(rewriter)) {
        return false;
    }
    for (;;) {
        while (rewriter->token.kind == TOKEN_NOT || rewrite_is_symbol(&rewriter->token, '#') ||
               (rewriter->token.kind == TOKEN_BINARY && rewriter->token.symbol == '-')) {
            rewrite_advance(rewriter);
        }
        calls |= operand(rewriter);
        if (rewriter->token.kind != TOKEN_BINARY && rewriter->token.kind != TOKEN_AND_OR) {
            break;
        }
        rewrite_advance(rewriter);
    }
    rewrite_leave(rewriter);
    return calls;
}

/* The condition of an if: a name in it is tested. */
bool read_condition(struct rewriter *rewriter)
{
    rewriter->in_test = true;
    bool calls = read_expression(rewriter);
    rewriter->in_test = false;
    return calls;
}

static void parameters(struct rewriter *rewriter)
{
    rewrite_expect_symbol(rewriter, '(');
    while (!rewriter->failed && !rewrite_is_symbol(&rewriter->token, ')')) {
        if (rewriter->token.kind == TOKEN_DOTS) {
            rewrite_advance(rewriter);
        } else {
            struct token name = rewrite_expect_name(rewriter);
            name_declare(rewriter, &name, NONE);
        }
        if (!rewrite_accept(rewriter, ',')) {
            break;
        }
    }
    rewrite_expect_symbol(rewriter, ')');
}

void read_function(struct rewriter *rewriter, bool is_method)
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
    read_block(rewriter);
    block_close(rewriter);
    rewrite_expect(rewriter, TOKEN_END, "end");
    function_close(rewriter);
    rewriter->in_test = was_in_test;
}
