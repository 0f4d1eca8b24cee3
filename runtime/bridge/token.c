#include "bridge/token.h"

#include <string.h>

static int peek(const struct lexer *lexer, size_t ahead)
{
    size_t at = lexer->at + ahead;
    return at < lexer->length ? (unsigned char)lexer->source[at] : -1;
}

static bool is_new_line(int c)
{
    return c == '\n' || c == '\r';
}

static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

static bool is_name_byte(int c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_' || c >= 128;
}

/* "\n", "\r", "\r\n" and "\n\r" are one new line each. */
static void pass_new_line(struct lexer *lexer)
{
    int first = peek(lexer, 0);
    lexer->at++;
    if (is_new_line(peek(lexer, 0)) && peek(lexer, 0) != first) {
        lexer->at++;
    }
    lexer->line++;
}

void lexer_init(struct lexer *lexer, const char *source, size_t length)
{
    *lexer = (struct lexer){.source = source, .length = length, .line = 1};
    if (length >= 3 && memcmp(source, "\xef\xbb\xbf", 3) == 0) {
        lexer->at = 3;
    }
    if (peek(lexer, 0) == '#') {
        while (peek(lexer, 0) >= 0 && !is_new_line(peek(lexer, 0))) {
            lexer->at++;
        }
    }
}

/* At "[": the number of "=" of a long bracket, or -1 when it is none. */
static int long_bracket_level(const struct lexer *lexer)
{
    size_t level = 0;
    while (peek(lexer, 1 + level) == '=') {
        level++;
    }
    return peek(lexer, 1 + level) == '[' ? (int)level : -1;
}

static bool pass_long_bracket(struct lexer *lexer, int level)
{
    lexer->at += (size_t)level + 2;
    while (peek(lexer, 0) >= 0) {
        if (is_new_line(peek(lexer, 0))) {
            pass_new_line(lexer);
            continue;
        }
        if (peek(lexer, 0) == ']') {
            size_t equals = 0;
            while (peek(lexer, 1 + equals) == '=') {
                equals++;
            }
            if (equals == (size_t)level && peek(lexer, 1 + equals) == ']') {
                lexer->at += equals + 2;
                return true;
            }
            lexer->at += equals;
        }
        lexer->at++;
    }
    return false;
}

/* Blanks and comments; false when a comment does not end. */
static bool pass_blanks(struct lexer *lexer)
{
    for (;;) {
        int c = peek(lexer, 0);
        if (is_new_line(c)) {
            pass_new_line(lexer);
        } else if (c == ' ' || c == '\t' || c == '\v' || c == '\f') {
            lexer->at++;
        } else if (c == '-' && peek(lexer, 1) == '-') {
            lexer->at += 2;
            int level = peek(lexer, 0) == '[' ? long_bracket_level(lexer) : -1;
            if (level >= 0) {
                if (!pass_long_bracket(lexer, level)) {
                    return false;
                }
                continue;
            }
            while (peek(lexer, 0) >= 0 && !is_new_line(peek(lexer, 0))) {
                lexer->at++;
            }
        } else {
            return true;
        }
    }
}

static bool pass_string(struct lexer *lexer)
{
    int quote = peek(lexer, 0);
    lexer->at++;
    while (peek(lexer, 0) >= 0) {
        int c = peek(lexer, 0);
        if (c == quote) {
            lexer->at++;
            return true;
        }
        if (c == '\\' && peek(lexer, 1) >= 0) {
            lexer->at++;
            c = peek(lexer, 0);
            if (!is_new_line(c)) {
                lexer->at++;
                continue;
            }
        }
        if (is_new_line(c)) { /* after a backslash, or after \z */
            pass_new_line(lexer);
        } else {
            lexer->at++;
        }
    }
    return false;
}

static void pass_number(struct lexer *lexer)
{
    bool hex = peek(lexer, 0) == '0' && (peek(lexer, 1) | 32) == 'x';
    int exponent = hex ? 'p' : 'e';
    int c = peek(lexer, 0);
    while (is_name_byte(c) || c == '.') {
        lexer->at++;
        bool signs = (c | 32) == exponent;
        c = peek(lexer, 0);
        if (signs && (c == '+' || c == '-')) {
            lexer->at++;
            c = peek(lexer, 0);
        }
    }
}

static enum token_kind word_kind(const char *word, size_t length)
{
    static const struct {
        const char *word;
        enum token_kind kind;
    } words[] = {
        {"and", TOKEN_AND_OR},     {"break", TOKEN_BREAK},   {"do", TOKEN_DO},
        {"else", TOKEN_ELSE},      {"elseif", TOKEN_ELSEIF}, {"end", TOKEN_END},
        {"false", TOKEN_CONSTANT}, {"for", TOKEN_FOR},       {"function", TOKEN_FUNCTION},
        {"goto", TOKEN_GOTO},      {"if", TOKEN_IF},         {"in", TOKEN_IN},
        {"local", TOKEN_LOCAL},    {"nil", TOKEN_CONSTANT},  {"not", TOKEN_NOT},
        {"or", TOKEN_AND_OR},      {"repeat", TOKEN_REPEAT}, {"return", TOKEN_RETURN},
        {"then", TOKEN_THEN},      {"true", TOKEN_CONSTANT}, {"until", TOKEN_UNTIL},
        {"while", TOKEN_WHILE},
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strlen(words[i].word) == length && memcmp(words[i].word, word, length) == 0) {
            return words[i].kind;
        }
    }
    return TOKEN_NAME;
}

static enum token_kind pass_word(struct lexer *lexer)
{
    size_t start = lexer->at;
    while (is_name_byte(peek(lexer, 0))) {
        lexer->at++;
    }
    return word_kind(lexer->source + start, lexer->at - start);
}

static enum token_kind pass_symbol(struct lexer *lexer)
{
    int c = peek(lexer, 0);
    int second = peek(lexer, 1);
    lexer->at++;
    switch (c) {
    case '.':
        if (second == '.') {
            bool three = peek(lexer, 1) == '.';
            lexer->at += three ? 2 : 1;
            return three ? TOKEN_DOTS : TOKEN_BINARY;
        }
        return TOKEN_SYMBOL;
    case ':':
        if (second == ':') {
            lexer->at++;
            return TOKEN_LABEL;
        }
        return TOKEN_SYMBOL;
    case '=':
        if (second == '=') {
            lexer->at++;
            return TOKEN_BINARY;
        }
        return TOKEN_SYMBOL;
    case '<':
    case '>':
    case '~':
        if (second == '=') {
            lexer->at++;
            return TOKEN_BINARY;
        }
        return c == '~' ? TOKEN_SYMBOL : TOKEN_BINARY;
    case '+':
    case '-':
    case '*':
    case '/':
    case '%':
    case '^':
        return TOKEN_BINARY;
    default:
        return TOKEN_SYMBOL;
    }
}

static enum token_kind pass_token(struct lexer *lexer)
{
    int c = peek(lexer, 0);
    if (c < 0) {
        return TOKEN_END_OF_SOURCE;
    }
    if (c == '"' || c == '\'') {
        return pass_string(lexer) ? TOKEN_STRING : TOKEN_BROKEN;
    }
    if (is_digit(c) || (c == '.' && is_digit(peek(lexer, 1)))) {
        pass_number(lexer);
        return TOKEN_NUMBER;
    }
    if (c == '[' && long_bracket_level(lexer) >= 0) {
        return pass_long_bracket(lexer, long_bracket_level(lexer)) ? TOKEN_STRING : TOKEN_BROKEN;
    }
    return is_name_byte(c) ? pass_word(lexer) : pass_symbol(lexer);
}

struct token lexer_next(struct lexer *lexer)
{
    struct token token = {.kind = TOKEN_BROKEN};
    bool ended = pass_blanks(lexer);
    token.start = lexer->at;
    token.line = lexer->line;
    token.symbol = lexer->at < lexer->length ? lexer->source[lexer->at] : '\0';
    if (ended) {
        token.kind = pass_token(lexer);
    }
    token.end = lexer->at;
    return token;
}
