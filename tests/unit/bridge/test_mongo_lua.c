/* The Lua side of the database against a fake core: tests/scripts/mongo, in the runner's words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "bridge/script.h"
#include "lua_case.h"

static void run_file(const char *file)
{
    static const char head[] = "package.path = 'tests/support/?.lua;' .. package.path\n"
                               "os.exit = function(status) exit_status = status end\n"
                               "arg = { ... }\n";
    lua_State *L = lua_case_new();
    lua_getglobal(L, "package");
    lua_getfield(L, -1, "preload");
    lua_pushcfunction(L, luaopen_moonlit_core_script);
    lua_setfield(L, -2, "moonlit.core.script");
    lua_pop(L, 2);
    assert_int_equal(luaL_loadstring(L, head), 0);
    lua_pushstring(L, file);
    assert_int_equal(lua_pcall(L, 1, 0, 0), 0);
    if (luaL_dofile(L, "tests/support/runner.lua") != 0) {
        fail_msg("%s", lua_tostring(L, -1));
    }
    lua_getglobal(L, "exit_status");
    int status = (int)lua_tointeger(L, -1);
    lua_close(L);
    assert_int_equal(status, 0);
}

static void what_is_read_from_the_database(void **state)
{
    run_file("tests/scripts/mongo/mongo_reads.lua");
}

static void what_is_written_to_the_database(void **state)
{
    run_file("tests/scripts/mongo/mongo_writes.lua");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_read_from_the_database),
        cmocka_unit_test(what_is_written_to_the_database),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
