/* Sources from anywhere. What LuaJIT compiles, the rewriter takes, and what it makes of that
 * compiles too, unless it then passes a limit of the compiler; line numbers stay. Anything else may
 * be refused but must not harm. */
#include <lauxlib.h>
#include <lualib.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/rewrite.h"
#include "limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t count_lines(const uint8_t *text, size_t length)
{
    size_t lines = 0;
    for (size_t i = 0; i < length; i++) {
        lines += text[i] == '\n';
    }
    return lines;
}

static bool is_about_a_limit(const char *words)
{
    static const char *const limits[] = {"too many",         "limit",
                                         "too complex",      "too long",
                                         "overflow",         "main function has more than",
                                         "function at line", NULL};
    for (int i = 0; limits[i] != NULL; i++) {
        if (strstr(words, limits[i]) != NULL) {
            return true;
        }
    }
    return false;
}

static void expect_compiles(lua_State *L, const struct buffer *rewritten)
{
    if (luaL_loadbufferx(L, (const char *)rewritten->bytes, rewritten->length, "=r", "t") != 0 &&
        !is_about_a_limit(lua_tostring(L, -1))) {
        abort();
    }
    lua_settop(L, 0);
}

static void rewrite(lua_State *L, const uint8_t *data, size_t size, enum rewrite_mode mode,
                    bool compiles)
{
    struct buffer out;
    struct error error = {0};
    struct rewrite_globals globals = {0};
    buffer_init(&out, LIMIT_SCRIPT_REWRITTEN);
    bool ok = rewrite_source((const char *)data, size, mode, &out, &globals, &error);
    if (compiles && !ok && strstr(error.message, "_ml_") == NULL &&
        strstr(error.message, "nested") == NULL) {
        abort();
    }
    if (ok && compiles) {
        expect_compiles(L, &out);
        if (count_lines(out.bytes, out.length) != count_lines(data, size) + 1) {
            abort();
        }
    }
    rewrite_globals_deinit(&globals);
    buffer_deinit(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    lua_State *L = luaL_newstate();
    if (L == NULL) {
        return 0;
    }
    luaL_openlibs(L); /* LuaJIT reads numbers like 1LL wrongly while ffi is not there */
    bool compiles =
        L != NULL && size > 0 && luaL_loadbufferx(L, (const char *)data, size, "=o", "t") == 0;
    lua_settop(L, 0);
    for (enum rewrite_mode mode = REWRITE_ALL; mode <= REWRITE_WRAP; mode++) {
        rewrite(L, data, size, mode, compiles);
    }
    lua_close(L);
    return 0;
}
