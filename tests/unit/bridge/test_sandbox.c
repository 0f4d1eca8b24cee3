/* What scripts see: nothing leaks from one session to another, names are checked, and what calls a
 * script's function lets it wait. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/stat.h>
#include <unistd.h>

#include "script_case.h"

static void run(struct script_case *test, const char *source)
{
    case_push_sandbox(test, LUA_NOREF);
    const char *problem = case_run(test, source);
    if (problem[0] != '\0') {
        fail_msg("%s\n  %s", source, problem);
    }
}

static void run_once(const char *source)
{
    struct script_case *test = case_new();
    run(test, source);
    case_free(test);
}

/* The script must fail at its line `line` with `words` in the message. */
static void expect_problem(const char *source, int line, const char *words)
{
    struct script_case *test = case_new();
    char place[32];
    case_push_sandbox(test, LUA_NOREF);
    const char *problem = case_run(test, source);
    snprintf(place, sizeof place, "case:%d: ", line);
    if (strncmp(problem, place, strlen(place)) != 0 || strstr(problem, words) == NULL) {
        fail_msg("%s\n  gives    %s\n  expected %s... %s", source, problem, place, words);
    }
    case_free(test);
}

/* ---- leaks ---- */

static void nothing_leaks_to_another_session(void **state)
{
    (void)state;
    static const char *const attempts[] = {
        "string.upper = function() return 'leak' end",
        "string.leak = 1",
        "getmetatable('').__index.upper = function() return 'leak' end",
        "getmetatable('').__index = nil",
        "rawset(string, 'upper', function() return 'leak' end)",
        "rawset(getmetatable(string).__index, 'leak', 1)",
        "setmetatable(string, {})",
        "table.insert(string, 'leak')",
        "local _, t = pairs(string) t.upper = function() return 'leak' end",
        "local f, t = pairs(string) rawset(t, 'leak', 1)",
        "leak = 1",
        "_G.leak = 1",
        "rawset(_G, 'leak', 1)",
        "setmetatable(_G, {})",
        "getmetatable(_G).__index.leak = 1",
        "math.random = function() return 'leak' end",
        "os.time = 1",
        "coroutine.yield = 1",
        "string = nil",
        "load('leak = 1')()",
        "loadstring('leak = 1', 'x')()",
        "load('rawset(_G, \"leak\", 1)', 'x', 't')()",
        "getfenv(0).leak = 1",
        "setfenv(1, {})",
        "debug.setmetatable('', {})",
        "package.loaded.leak = 1",
        "require('moonlit.core.script').leak = 1",
        "require('moonlit.sandbox').leak = 1",
        "require('string').leak = 1",
        "require('ffi').cdef 'int x;'",
        "string.dump(function() end)",
        "newproxy(true)",
        "jit.off()",
        "local f = load(string.char(27) .. 'LJ') f()",
        "local p = pcall p(rawset, string, 'leak', 1) p(table.insert, math, 1)",
        "table.sort(string, function() end)",
        "coroutine.wrap(function() leak = 1 end)()",
        "local e = select(2, pcall(error, setmetatable({}, {__index = _G}))) e.leak = 1",
    };
    struct script_case *test = case_new();
    for (size_t i = 0; i < sizeof attempts / sizeof *attempts; i++) {
        case_push_sandbox(test, LUA_NOREF);
        case_run(test, attempts[i]);
        case_push_sandbox(test, LUA_NOREF);
        const char *problem = case_run(
            test, "assert(('a'):upper() == 'A' and string.upper('b') == 'B')\n"
                  "assert(rawget(_G, 'leak') == nil and string.leak == nil)\n"
                  "assert(type(math.random()) == 'number' and type(os.time()) == 'number')\n"
                  "assert(getmetatable('') == false and getmetatable(_G) == false)\n"
                  "assert(not pcall(function() return leak end))\n"
                  "for k in pairs(string) do assert(type(k) == 'string' and k ~= 'leak') end");
        if (problem[0] != '\0') {
            fail_msg("%s leaks: %s", attempts[i], problem);
        }
    }
    case_free(test);
}

static void nothing_of_the_host_can_be_reached(void **state)
{
    (void)state;
    run_once(
        "local seen, found = {}, {}\n"
        "local banned = { ffi = true, jit = true, debug = true, io = true, package = true,\n"
        "  execute = true, exit = true, getfenv = true, setfenv = true, newproxy = true, dump = "
        "true,\n"
        "  getmetatable_raw = true, cdef = true, setlocale = true, getenv = true, popen = true }\n"
        "local function walk(v, path)\n"
        "  if (type(v) ~= 'table' and type(v) ~= 'userdata') or seen[v] then return end\n"
        "  seen[v] = true\n"
        "  local ok, f, t = pcall(pairs, v)\n"
        "  if ok then for k, x in pairs(v) do\n"
        "    if banned[k] then found[#found + 1] = path .. '.' .. tostring(k) end\n"
        "    walk(x, path .. '.' .. tostring(k)) end end\n"
        "  local m = getmetatable(v)\n"
        "  if type(m) == 'table' then walk(m, path .. '<meta>') end\n"
        "end\n"
        "walk(_G, '_G')\n"
        "for _, name in ipairs { 'string', 'table', 'math', 'os', 'coroutine', 'bit' } do "
        "walk(_G[name], name) end\n"
        "assert(#found == 0, table.concat(found, ' '))");
}

static void a_sessions_globals_are_fresh_in_each_run(void **state)
{
    (void)state;
    struct script_case *test = case_new();
    run(test, "x = 1 function f() return x end assert(f() == 1)");
    run(test, "assert(rawget(_G, 'x') == nil and rawget(_G, 'f') == nil)");
    case_free(test);
}

static void coroutines_of_the_host_cannot_be_resumed(void **state)
{
    (void)state;
    run_once("assert(coroutine.running() == nil)\n"
             "local co = coroutine.create(function() return coroutine.running() end)\n"
             "local ok, me = coroutine.resume(co) assert(ok and me == co)\n"
             "assert(not pcall(coroutine.yield))");
}

/* ---- names ---- */

static void a_global_that_is_not_there_names_the_nearest(void **state)
{
    (void)state;
    expect_problem("\nprnt('x')", 2, "there is no global 'prnt'; did you mean 'print'?");
    expect_problem("count = 1\n\nlocal x = conut + 1", 3, "did you mean 'count'?");
    expect_problem("local x = abrakadabra", 1, "there is no global 'abrakadabra': assign it first");
    expect_problem("local function f()\n return pirnt\nend f()", 2, "did you mean 'print'?");
}

static void what_is_absent_says_so(void **state)
{
    (void)state;
    expect_problem("\nio.open('x')", 2, "'io' is not there in Moonlit: ");
    expect_problem("os.execute('x')", 1, "os.execute is not there in Moonlit: ");
    expect_problem("os.exit()", 1, "use ui.stop()");
    expect_problem("os.remove('x')", 1, "os.remove");
    expect_problem("os.rename('x', 'y')", 1, "os.rename");
    expect_problem("string.dump(print)", 1, "string.dump");
    expect_problem("debug.traceback()", 1, "'debug' is not there");
    expect_problem("collectgarbage()\ncollectgarbage('collect')", 2, "Moonlit collects by itself");
    run_once("assert(collectgarbage() > 0 and os.time() > 0 and #os.date() > 0)\n"
             "assert(table.unpack == nil and math.huge > 1 and bit.band(3, 1) == 1)");
}

static void globals_are_declared_at_the_top_level_only(void **state)
{
    (void)state;
    run_once(
        "x = nil assert(x == nil) local function f() x = 5 x = nil x = 6 end f() assert(x == 6)\n"
        "y = 1 y = nil assert(y == nil)\n"
        "if true then z = 1 end for i = 1, 1 do w = z end assert(w == 1)\n"
        "function g() return 1 end assert(g() == 1)\n"
        "load('from_text = 1')() assert(from_text == 1)");
    expect_problem("local function f()\n\n new = 1\nend\nf()", 3,
                   "the global 'new' is assigned inside");
    expect_problem("local function f() _G.new = 1 end f()", 1, "the global 'new'");
}

static void libraries_cannot_be_changed(void **state)
{
    (void)state;
    expect_problem("\nstring.upper = nil", 2, "string.upper cannot be set");
}

/* ---- waiting ---- */

static void sort_is_stable_and_its_comparison_may_wait(void **state)
{
    (void)state;
    run_once(
        "local t = {} for i = 1, 200 do t[i] = { key = i * 7919 % 10, at = i } end\n"
        "table.sort(t, function(a, b) if a.at % 50 == 0 then wait() end return a.key < b.key end)\n"
        "for i = 2, 200 do assert(t[i - 1].key < t[i].key\n"
        "  or (t[i - 1].key == t[i].key and t[i - 1].at < t[i].at)) end\n"
        "local n = {} for i = 1, 1000 do n[i] = (i * 7919) % 1009 end table.sort(n)\n"
        "for i = 2, 1000 do assert(n[i - 1] <= n[i]) end\n"
        "local s = { 'b', 'a' } table.sort(s) assert(s[1] == 'a') table.sort({})\n"
        "local kept = { 3, 1, 2 } pcall(table.sort, kept, function() error('x') end)\n"
        "assert(kept[1] == 3 and kept[2] == 1 and kept[3] == 2)");
    expect_problem("\ntable.sort { 1, 'a' }", 2, "cannot compare a number with a string");
    expect_problem("table.sort { {}, {} }", 1, "cannot compare two values of type table");
    expect_problem("table.sort({ 1 }, 2)", 1, "the comparison must be a function");
}

static void gsub_gmatch_and_metamethods_may_wait(void **state)
{
    (void)state;
    run_once(
        "assert(('a b c'):gsub('%w', function(c) wait() return c:upper() end) == 'A B C')\n"
        "assert(('$x'):gsub('$(%w)', setmetatable({}, { __index = function(_, k) wait() return k "
        ".. k end }))"
        " == 'xx')\n"
        "for w in ('a b'):gmatch('%w') do wait() assert(#w == 1) end\n"
        "local named = setmetatable({}, { __tostring = function() wait() return 'named' end })\n"
        "assert(tostring(named) == 'named' and string.format('%s %d', named, 2) == 'named 2')\n"
        "print(named, 1)\n"
        "assert(pcall(function() wait() end) and xpcall(function() wait() end, print))\n"
        "local ok, e = pcall(function() wait() error({}) end) assert(not ok and type(e) == "
        "'table')\n"
        "assert(select('#', pcall(function() return nil, nil end)) == 3)");
}

static void a_wait_inside_a_scripts_coroutine_reaches_the_host(void **state)
{
    (void)state;
    struct script_case *test = case_new();
    run(test,
        "local got = {}\n"
        "local f = coroutine.wrap(function(a) got[#got + 1] = a wait()\n"
        "  local b = coroutine.yield('first') got[#got + 1] = b wait() wait() return 'last' end)\n"
        "assert(f('in') == 'first') assert(f('again') == 'last')\n"
        "assert(got[1] == 'in' and got[2] == 'again')\n"
        "local outer = coroutine.wrap(function()\n"
        "  local inner = coroutine.wrap(function() wait() coroutine.yield(1) wait() "
        "coroutine.yield(2) end)\n"
        "  for x in inner do wait() coroutine.yield(x) end end)\n"
        "assert(outer() == 1 and outer() == 2 and outer() == nil)\n"
        "local co = coroutine.create(function() wait() error('inside', 0) end)\n"
        "local ok, e = coroutine.resume(co) assert(not ok and e == 'inside')\n"
        "assert(coroutine.status(co) == 'dead')");
    assert_int_equal(test->slices, 8);
    case_free(test);
}

static void slices_end_anywhere_without_changing_results(void **state)
{
    (void)state;
    struct script_case *test = case_new();
    test->tick_yields = true;
    run(test,
        "local function fib(n) if n < 2 then return n end return fib(n - 1) + fib(n - 2) end\n"
        "assert(fib(15) == 610)\n"
        "local gen = coroutine.wrap(function() for i = 1, 200 do coroutine.yield(fib(5) + i) end "
        "end)\n"
        "local sum = 0 for i = 1, 200 do sum = sum + gen() end assert(sum == 200 * 5 + 20100)\n"
        "local t = {} for i = 1, 500 do t[i] = (i * 7919) % 1009 end\n"
        "table.sort(t, function(a, b) return a > b end)\n"
        "for i = 2, 500 do assert(t[i - 1] >= t[i]) end\n"
        "local n = 0 ;(('x'):rep(300)):gsub('x', function() n = n + 1 end) assert(n == 300)\n"
        "for i = 1, 100 do assert(not pcall(error, 'x')) end");
    assert_true(test->slices > 100);
    case_free(test);
}

static void an_error_puts_the_place_where_the_script_draws_back(void **state)
{
    (void)state;
    struct script_case *test = case_new();
    lua_State *L = test->state->L;
    case_push_sandbox(test, LUA_NOREF);
    state_push_shared(L);
    lua_setglobal(L, "P");
    lua_pushliteral(L, "P");
    lua_getglobal(L, "P");
    lua_rawset(L, -3);
    const char *problem =
        case_run(test, "P[2], P[3] = 'outer', 1\n"
                       "pcall(function() P[2], P[3] = 'inner', 2 error('x') end)\n"
                       "assert(P[2] == 'outer' and P[3] == 1)\n"
                       "xpcall(function() P[2] = 'inner' error('x') end, function() end)\n"
                       "assert(P[2] == 'outer')\n"
                       "local f = coroutine.wrap(function() P[2] = 'co' coroutine.yield() "
                       "assert(P[2] == 'co') end)\n"
                       "f() assert(P[2] == 'outer') f() assert(P[2] == 'outer')");
    assert_string_equal(problem, "");
    assert_string_equal(test->log, "left"); /* once: the shield that the first error left */
    case_free(test);
}

/* ---- views ---- */

static int view_length(lua_State *L)
{
    lua_pushinteger(L, 3);
    return 1;
}

static int view_index(lua_State *L)
{
    lua_Integer i = lua_tointeger(L, 2);
    if (i >= 1 && i <= 3) {
        lua_pushinteger(L, i * 10);
    } else {
        lua_pushnil(L);
    }
    return 1;
}

static int view_next(lua_State *L)
{
    lua_Integer i = lua_tointeger(L, 2) + 1;
    if (i > 3) {
        lua_pushnil(L);
        return 1;
    }
    lua_pushinteger(L, i);
    lua_pushinteger(L, i * 10);
    return 2;
}

static int view_pairs(lua_State *L)
{
    lua_pushcfunction(L, view_next);
    lua_pushvalue(L, 1);
    lua_pushnil(L);
    return 3;
}

static void views_are_walked_like_tables(void **state)
{
    (void)state;
    static const luaL_Reg methods[] = {{"__len", view_length},  {"__index", view_index},
                                       {"__pairs", view_pairs}, {"__ipairs", view_pairs},
                                       {"__next", view_next},   {NULL, NULL}};
    struct script_case *test = case_new();
    lua_State *L = test->state->L;
    case_push_sandbox(test, LUA_NOREF);
    lua_pushliteral(L, "view");
    lua_newuserdata(L, 1);
    lua_newtable(L);
    luaL_register(L, NULL, methods);
    lua_setmetatable(L, -2);
    lua_rawset(L, -3);
    const char *problem = case_run(
        test, "local n = 0 for k, v in pairs(view) do n = n + k * v end assert(n == 140)\n"
              "n = 0 for i, v in ipairs(view) do n = n + v end assert(n == 60)\n"
              "assert(next(view) == 1 and next(view, 3) == nil and #view == 3)\n"
              "assert(select('#', unpack(view)) == 3 and (unpack(view, 2)) == 20)\n"
              "assert(table.concat(view, ',') == '10,20,30' and table.concat(view, ',', 2, 3) == "
              "'20,30')\n"
              "n = 0 for k, v in pairs { 1, 2, a = 3 } do n = n + v end assert(n == 6)\n"
              "for i, v in ipairs { 5, 6 } do assert(v == i + 4) end assert(next {} == nil)");
    assert_string_equal(problem, "");
    case_free(test);
}

/* ---- modules ---- */

struct folder {
    char path[64];
};

static void write_file(const struct folder *folder, const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder->path, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static struct folder new_folder(struct script_case *test)
{
    struct folder folder = {"/tmp/moonlit-test-XXXXXX"};
    assert_non_null(mkdtemp(folder.path));
    state_set_directory(test->state, folder.path);
    return folder;
}

static void remove_folder(const struct folder *folder)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder->path);
    assert_int_equal(system(command), 0);
}

static void expect_run(struct script_case *test, int session, const char *source)
{
    case_push_sandbox(test, session);
    const char *problem = case_run(test, source);
    if (problem[0] != '\0') {
        fail_msg("%s\n  %s", source, problem);
    }
}

static void a_module_lives_in_its_session_until_the_reload(void **state)
{
    (void)state;
    struct script_case *test = case_new();
    lua_State *L = test->state->L;
    struct folder folder = new_folder(test);
    char path[128];
    snprintf(path, sizeof path, "%s/sub", folder.path);
    assert_int_equal(mkdir(path, 0700), 0);
    write_file(&folder, "counter.lua",
               "local c = { n = 0 } own = 1 function c.add() c.n = c.n + 1 "
               "return c.n end return c");
    write_file(&folder, "sub/init.lua", "wait_is = 1 return { name = ... }");
    int one = (lua_newtable(L), luaL_ref(L, LUA_REGISTRYINDEX));
    int two = (lua_newtable(L), luaL_ref(L, LUA_REGISTRYINDEX));
    expect_run(test, one, "assert(require('counter').add() == 1 and rawget(_G, 'own') == nil)");
    expect_run(test, one,
               "assert(require('counter').add() == 2 and require 'counter' == require 'counter')");
    expect_run(test, two, "assert(require('counter').add() == 1 and require('sub').name == 'sub')");
    lua_rawgeti(L, LUA_REGISTRYINDEX, one);
    lua_pushnil(L);
    lua_setfield(L, -2, "modules");
    lua_pop(L, 1);
    expect_run(test, one, "assert(require('counter').add() == 1)");
    remove_folder(&folder);
    case_free(test);
}

static void a_module_that_fails_says_which_and_where(void **state)
{
    (void)state;
    struct script_case *test = case_new();
    struct folder folder = new_folder(test);
    char expected[256];
    write_file(&folder, "bad.lua", "local x = 1\nx = = 2");
    write_file(&folder, "dies.lua", "\nerror('on purpose')");
    write_file(&folder, "a.lua", "require 'b'");
    write_file(&folder, "b.lua", "require 'a'");
    write_file(&folder, "code.lua", "\x1bLJ");
    static const struct {
        const char *source, *words;
    } cases[] = {{"require 'bad'", "bad.lua:2: unexpected symbol near '='"},
                 {"require 'dies'", "dies.lua:2: on purpose"},
                 {"require 'a'", "in a circle: a -> b -> a"},
                 {"require 'code'", "bytecode"},
                 {"require 'none'", "there is no module \"none\""},
                 {"require '../x'", "is no name of a module"},
                 {"require 'moonlit.core.script'", "there is no module"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        case_push_sandbox(test, LUA_NOREF);
        const char *problem = case_run(test, cases[i].source);
        if (strstr(problem, cases[i].words) == NULL) {
            fail_msg("%s: %s", cases[i].source, problem);
        }
    }
    snprintf(expected, sizeof expected, "%s/bad.lua:2: ", folder.path);
    case_push_sandbox(test, LUA_NOREF);
    assert_memory_equal(case_run(test, "require 'bad'"), expected, strlen(expected));
    remove_folder(&folder);
    case_free(test);
}

/* A coroutine that runs the source in the environment on top of the stack. */
static lua_State *branch(struct script_case *test, const char *source)
{
    lua_State *L = test->state->L;
    struct error error = {0};
    assert_true(chunk_load_text(L, source, strlen(source), "=case", lua_gettop(L), &error));
    lua_State *co = lua_newthread(L);
    lua_insert(L, -2);
    lua_xmove(L, co, 1);
    return co;
}

static void two_branches_that_need_a_module_at_once_get_the_same(void **state)
{
    (void)state;
    struct script_case *test = case_new();
    struct folder folder = new_folder(test);
    write_file(&folder, "slow.lua", "for i = 1, 2000 do end return {}");
    case_push_sandbox(test, LUA_NOREF);
    int environment = lua_gettop(test->state->L);
    lua_State *branches[2];
    for (int i = 0; i < 2; i++) {
        lua_pushvalue(test->state->L, environment);
        branches[i] = branch(test, "local m = require 'slow' return m");
    }
    test->tick_yields = true;
    bool done[2] = {false, false};
    for (int turn = 0; !done[0] || !done[1]; turn++) {
        lua_State *co = branches[turn % 2];
        if (!done[turn % 2]) {
            test->waits = false;
            lua_pushinteger(co, 10);
            int status = lua_resume(co, lua_gettop(co) > 1 ? 1 : lua_status(co) == LUA_YIELD);
            if (status != 0 && status != LUA_YIELD) {
                fail_msg("%s", lua_tostring(co, -1));
            }
            done[turn % 2] = status == 0;
            if (status == LUA_YIELD) {
                lua_settop(co, 0);
            }
        }
    }
    assert_true(lua_istable(branches[0], -1));
    assert_ptr_equal(lua_topointer(branches[0], -1), lua_topointer(branches[1], -1));
    remove_folder(&folder);
    case_free(test);
}

static void load_and_its_kin_go_through_the_rewriter(void **state)
{
    (void)state;
    struct script_case *test = case_new();
    struct folder folder = new_folder(test);
    write_file(&folder, "extra.lua", "extra = 7 return ...");
    run(test,
        "assert(load('return 1 + 1')() == 2 and loadstring('return ...')(3) == 3)\n"
        "local n = 0 assert(load(function() n = n + 1 return n < 3 and 'return' or n == 3 and ' 5' "
        "or nil end)"
        " == nil or true)\n"
        "local f, e = load('x = = 1', '=text') assert(f == nil and e:find('text:1:', 1, true))\n"
        "assert(load('return y', 'n', 't', { y = 4 })() == 4)\n"
        "assert(load('x', 'n', 'b') == nil)\n"
        "local g, e = load('\\27LJ') assert(g == nil and e:find 'bytecode')\n"
        "dofile 'extra.lua' assert(extra == 7) assert(loadfile('extra.lua')(1) == 1)\n"
        "local h, e = loadfile 'none.lua' assert(h == nil and e:find 'cannot be opened')\n"
        "local k, e = load('_ml_n = 1e9') assert(k == nil and e:find 'choose another name')");
    remove_folder(&folder);
    case_free(test);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_leaks_to_another_session),
        cmocka_unit_test(nothing_of_the_host_can_be_reached),
        cmocka_unit_test(a_sessions_globals_are_fresh_in_each_run),
        cmocka_unit_test(coroutines_of_the_host_cannot_be_resumed),
        cmocka_unit_test(a_global_that_is_not_there_names_the_nearest),
        cmocka_unit_test(what_is_absent_says_so),
        cmocka_unit_test(globals_are_declared_at_the_top_level_only),
        cmocka_unit_test(libraries_cannot_be_changed),
        cmocka_unit_test(sort_is_stable_and_its_comparison_may_wait),
        cmocka_unit_test(gsub_gmatch_and_metamethods_may_wait),
        cmocka_unit_test(a_wait_inside_a_scripts_coroutine_reaches_the_host),
        cmocka_unit_test(slices_end_anywhere_without_changing_results),
        cmocka_unit_test(an_error_puts_the_place_where_the_script_draws_back),
        cmocka_unit_test(views_are_walked_like_tables),
        cmocka_unit_test(a_module_lives_in_its_session_until_the_reload),
        cmocka_unit_test(a_module_that_fails_says_which_and_where),
        cmocka_unit_test(two_branches_that_need_a_module_at_once_get_the_same),
        cmocka_unit_test(load_and_its_kin_go_through_the_rewriter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
