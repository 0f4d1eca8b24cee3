/*
 * The words of LuaJIT's language: a lexer that copies nothing. Tokens are places in the source;
 * long brackets, escapes, numbers with suffixes, names with bytes above 127 and "::" are read as
 * LuaJIT reads them. It is more lenient than the compiler, which has seen the source before.
 */
#ifndef MOONLIT_BRIDGE_TOKEN_H
#define MOONLIT_BRIDGE_TOKEN_H

#include <stdbool.h>
#include <stddef.h>

enum token_kind {
    TOKEN_END_OF_SOURCE,
    TOKEN_NAME,
    TOKEN_NUMBER,
    TOKEN_STRING,
    TOKEN_BROKEN, /* an unfinished string or comment */
    TOKEN_DOTS,   /* ... */
    TOKEN_LABEL,  /* :: */
    TOKEN_BINARY, /* an operator between two expressions; "-" is one of them */
    TOKEN_SYMBOL, /* one byte: token.symbol */
    /* Reserved words. */
    TOKEN_AND_OR,
    TOKEN_BREAK,
    TOKEN_DO,
    TOKEN_ELSE,
    TOKEN_ELSEIF,
    TOKEN_END,
    TOKEN_CONSTANT, /* nil, true, false */
    TOKEN_FOR,
    TOKEN_FUNCTION,
    TOKEN_GOTO,
    TOKEN_IF,
    TOKEN_IN,
    TOKEN_LOCAL,
    TOKEN_NOT,
    TOKEN_REPEAT,
    TOKEN_RETURN,
    TOKEN_THEN,
    TOKEN_UNTIL,
    TOKEN_WHILE,
};

struct token {
    enum token_kind kind;
    char symbol; /* the first byte */
    size_t start;
    size_t end;
    int line;
};

struct lexer {
    const char *source;
    size_t length;
    size_t at;
    int line;
};

/* Begin; a byte order mark and a first line that begins with "#" are passed over. */
void lexer_init(struct lexer *lexer, const char *source, size_t length);
struct token lexer_next(struct lexer *lexer);

#endif
