#include "store/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <lauxlib.h>
#include <pcre2.h>
#include <stdbool.h>
#include <string.h>

#include "limits.h"

struct regex {
    pcre2_code *code;
    pcre2_match_data *data;
    pcre2_match_context *context;
    pcre2_jit_stack *stack;
};

static const char *const type_name = "moonlit.store.regex";

static bool read_options(const char *letters, uint32_t *options)
{
    *options = PCRE2_UTF | PCRE2_MATCH_INVALID_UTF;
    for (; *letters != '\0'; letters++) {
        switch (*letters) {
        case 'i':
            *options |= PCRE2_CASELESS;
            break;
        case 'm':
            *options |= PCRE2_MULTILINE;
            break;
        case 's':
            *options |= PCRE2_DOTALL;
            break;
        case 'x':
            *options |= PCRE2_EXTENDED;
            break;
        case 'u':
            break;
        default:
            return false;
        }
    }
    return true;
}

static int regex_compile(lua_State *L)
{
    size_t length;
    const char *pattern = luaL_checklstring(L, 1, &length);
    uint32_t options;
    int code;
    size_t offset;
    if (!read_options(luaL_optstring(L, 2, ""), &options)) {
        lua_pushnil(L);
        lua_pushliteral(L, "its options hold a letter that is not one of imsx");
        return 2;
    }
    struct regex *regex = lua_newuserdata(L, sizeof *regex);
    memset(regex, 0, sizeof *regex);
    luaL_getmetatable(L, type_name);
    lua_setmetatable(L, -2);
    regex->code = pcre2_compile((PCRE2_SPTR)pattern, length, options, &code, &offset, NULL);
    if (regex->code == NULL) {
        PCRE2_UCHAR words[200];
        pcre2_get_error_message(code, words, sizeof words);
        lua_pushnil(L);
        lua_pushfstring(L, "%s at offset %d", (const char *)words, (int)offset);
        return 2;
    }
    pcre2_jit_compile(regex->code, PCRE2_JIT_COMPLETE); /* without it, it is interpreted */
    regex->data = pcre2_match_data_create_from_pattern(regex->code, NULL);
    regex->context = pcre2_match_context_create(NULL);
    pcre2_set_match_limit(regex->context, LIMIT_STORE_REGEX_STEPS);
    regex->stack = pcre2_jit_stack_create(32 * 1024, LIMIT_STORE_REGEX_STACK, NULL);
    pcre2_jit_stack_assign(regex->context, NULL, regex->stack);
    return 1;
}

static int raise_trouble(lua_State *L, int code)
{
    PCRE2_UCHAR words[200];
    pcre2_get_error_message(code, words, sizeof words);
    lua_createtable(L, 0, 3);
    lua_pushinteger(L, 51156);
    lua_setfield(L, -2, "code");
    lua_pushliteral(L, "Location51156");
    lua_setfield(L, -2, "name");
    lua_pushfstring(L, "a regular expression took too much work (%s); write a simpler one",
                    (const char *)words);
    lua_setfield(L, -2, "message");
    return lua_error(L);
}

/* The number of pairs found, 0 for none. */
static int run(lua_State *L, struct regex *regex, size_t start)
{
    size_t length;
    const char *text = luaL_checklstring(L, 2, &length);
    if (start > length) {
        return 0;
    }
    int count =
        pcre2_match(regex->code, (PCRE2_SPTR)text, length, start, 0, regex->data, regex->context);
    if (count < 0 && count != PCRE2_ERROR_NOMATCH) {
        return raise_trouble(L, count);
    }
    return count == PCRE2_ERROR_NOMATCH ? 0 : count;
}

static int regex_match(lua_State *L)
{
    lua_pushboolean(L, run(L, luaL_checkudata(L, 1, type_name), 0) > 0);
    return 1;
}

static void push_capture(lua_State *L, const char *text, const size_t *pair)
{
    if (pair[0] == PCRE2_UNSET) {
        lua_pushboolean(L, false);
    } else {
        lua_pushlstring(L, text + pair[0], pair[1] - pair[0]);
    }
}

static int regex_find(lua_State *L)
{
    struct regex *regex = luaL_checkudata(L, 1, type_name);
    lua_Integer start = luaL_optinteger(L, 3, 1);
    int count = run(L, regex, start < 1 ? 0 : (size_t)start - 1);
    if (count == 0) {
        return 0;
    }
    const char *text = lua_tostring(L, 2);
    const size_t *pairs = pcre2_get_ovector_pointer(regex->data);
    int total = (int)pcre2_get_ovector_count(regex->data);
    luaL_checkstack(L, total + 2, "captures");
    lua_pushinteger(L, (lua_Integer)pairs[0] + 1);
    lua_pushinteger(L, (lua_Integer)pairs[1]);
    for (int i = 1; i < total; i++) {
        push_capture(L, text, pairs + 2 * i);
    }
    return total + 1;
}

static int regex_free(lua_State *L)
{
    struct regex *regex = luaL_checkudata(L, 1, type_name);
    pcre2_jit_stack_free(regex->stack);
    pcre2_match_context_free(regex->context);
    pcre2_match_data_free(regex->data);
    pcre2_code_free(regex->code);
    memset(regex, 0, sizeof *regex);
    return 0;
}

void regex_register(lua_State *L)
{
    static const luaL_Reg functions[] = {{"regex_compile", regex_compile},
                                         {"regex_match", regex_match},
                                         {"regex_find", regex_find},
                                         {NULL, NULL}};
    luaL_newmetatable(L, type_name);
    lua_pushcfunction(L, regex_free);
    lua_setfield(L, -2, "__gc");
    lua_pop(L, 1);
    luaL_register(L, NULL, functions);
}
