/* The rewriter: what is put in, where holds begin and end, and that nothing else changes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bridge/rewrite.h"
#include "limits.h"
#include "script_case.h"

#define TICK " _ml_n=_ml_n-1 if _ml_n<0 then _ml_n=_ml_T() end "
#define HEAD "local _ml_n,_ml_T,_ml_P,_ml_H,_ml_E,_ml_D,_ml_L=0,... return function(...) "

static void expect_rewritten(const char *source, enum rewrite_mode mode, const char *expected)
{
    struct buffer out;
    struct error error = {0};
    buffer_init(&out, LIMIT_SCRIPT_REWRITTEN);
    if (!rewrite_source(source, strlen(source), mode, &out, NULL, &error)) {
        fail_msg("%s: %s", source, error.message);
    }
    buffer_append(&out, "", 1);
    assert_string_equal((const char *)out.bytes, expected);
    buffer_deinit(&out);
}

static void the_check_stands_at_the_end_of_loop_bodies(void **state)
{
    (void)state;
    expect_rewritten("while a do b = 1 end", REWRITE_COUNTER,
                     HEAD "while a do do  b = 1 end " TICK " end\nend");
    expect_rewritten("for i=1,2 do end", REWRITE_COUNTER,
                     HEAD "for i=1,2 do do  end " TICK " end\nend");
    expect_rewritten("repeat b = 1 until b", REWRITE_COUNTER,
                     HEAD "repeat" TICK " b = 1 until b\nend");
    expect_rewritten("::a:: goto a", REWRITE_COUNTER, HEAD "::a:: " TICK "goto a\nend");
}

static void functions_with_a_call_check_at_their_entry_and_leaves_do_not(void **state)
{
    (void)state;
    expect_rewritten("local function f(a) return a + 1 end", REWRITE_COUNTER,
                     HEAD "local function f(a) return a + 1 end\nend");
    expect_rewritten("local function f(a) return f(a) end", REWRITE_COUNTER,
                     HEAD "local function f(a)" TICK " return f(a) end\nend");
}

static void strings_comments_and_names_are_left_alone(void **state)
{
    (void)state;
    static const char *const sources[] = {
        "x = 'while a do end' --[==[ while a do end ]] ]==]",
        "x = [[\nwhile a do end]] -- while a do end",
        "x = \"\\\" while a do end\" y = 'a\\\n while'",
        "t = { ['end'] = 1, goto_ = 2 } t.x = 0x1p-4 + 1e-3 + 1ULL",
        "local a <const>",
    };
    for (size_t i = 0; i < 4; i++) {
        char expected[512];
        snprintf(expected, sizeof expected, HEAD "%s\nend", sources[i]);
        expect_rewritten(sources[i], REWRITE_ALL, expected);
    }
}

static void a_first_line_with_a_hash_and_a_byte_order_mark_are_passed_over(void **state)
{
    (void)state;
    expect_rewritten("#!/usr/bin/moonlit\nx = 1", REWRITE_ALL, HEAD "\nx = 1\nend");
    expect_rewritten("\xef\xbb\xbfx = 1", REWRITE_ALL, HEAD "x = 1\nend");
}

static void expect_refused(const char *source, size_t length, const char *words)
{
    struct buffer out;
    struct error error = {0};
    buffer_init(&out, LIMIT_SCRIPT_REWRITTEN);
    assert_false(rewrite_source(source, length, REWRITE_ALL, &out, NULL, &error));
    if (strstr(error.message, words) == NULL) {
        fail_msg("%s", error.message);
    }
    buffer_deinit(&out);
}

static void names_of_the_rewriter_are_refused_as_variables(void **state)
{
    (void)state;
    static const char *const sources[] = {"x = _ml_T", "_ml_n = 1e9", "local _ml_P = {}",
                                          "function _ml_T() end", "for _ml_c = 1, 2 do end"};
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
        expect_refused(sources[i], strlen(sources[i]), "choose another name");
    }
    expect_rewritten("t._ml_T = 1", REWRITE_ALL, HEAD "t._ml_T = 1\nend");
}

static void endless_nesting_is_an_error(void **state)
{
    (void)state;
    enum { DEEP = 100000 };
    char *source = malloc(DEEP * 8 + 16);
    static const char *const pieces[] = {"x=(", "x={", "do ", "f(", "x=function() "};
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        source[0] = '\0';
        size_t length = 0;
        const char *piece = pieces[i];
        for (int n = 0; n < DEEP / 10; n++) {
            length += (size_t)sprintf(source + length, "%s", piece);
            piece = piece[0] == 'x' && piece[2] != 'f' ? piece + 2 : piece;
        }
        expect_refused(source, length, "nested too deeply");
    }
    free(source);
}

/* ---- presses ---- */

static void expect_log(const char *source, const char *expected)
{
    struct script_case *test = case_new();
    case_push_open_globals(test);
    const char *problem = case_run(test, source);
    if (problem[0] != '\0') {
        fail_msg("%s: %s", source, problem);
    }
    if (strcmp(test->log, expected) != 0) {
        fail_msg("%s\n  gives    %s\n  expected %s", source, test->log, expected);
    }
    case_free(test);
}

static void an_if_that_received_a_press_holds_to_the_end_of_its_branch(void **state)
{
    (void)state;
    expect_log("if press() then say 'a' end say 'b'", "H1 a E1 b");
    expect_log("if not press() then say 'a' else say 'b' end say 'c'", "H1 b E1 c");
    expect_log("if false then elseif press() then say 'a' end say 'b'", "H1 a E1 b");
    expect_log("if false or press() and true then say 'a' end", "H1 a E1");
}

static void an_if_without_a_press_calls_nothing(void **state)
{
    (void)state;
    expect_log(
        "local function no() return false end if no() then elseif no() then else say 'x' end", "x");
    expect_log("for i = 1, 3 do local x = tostring(i) say(x) end", "1 2 3");
}

static void an_if_not_taken_drops_the_press_unless_it_is_a_guard(void **state)
{
    (void)state;
    expect_log("if press() and false then say 'a' end say 'b'", "D b");
    expect_log("if not press() then return end say 'b'", "L1:4 b");
}

static void break_and_goto_end_the_hold_and_return_keeps_it(void **state)
{
    (void)state;
    expect_log("for i = 1, 3 do if press() then say 'a' break end end say 'b'", "H1 a E1 b");
    expect_log("for i = 1, 1 do if press() then say 'a' goto next end say 'x' ::next:: end say 'b'",
               "H1 a E1 b");
    expect_log("if press() then ::top:: say 'a' if true then goto on end ::on:: say 'c' end",
               "H1 a c E1");
    expect_log("local function f() if press() then say 'a' return end end f() say 'b'", "H1 a D b");
    expect_log("while true do if press() then while true do break end say 'a' break end end",
               "H1 a E1");
}

static void an_outer_if_takes_the_hold_over(void **state)
{
    (void)state;
    expect_log("local function inner() if press() then say 'i' return true end end "
               "if inner() then say 'o' end say 'b'",
               "H1 i H2 o E2 b");
    expect_log("local function asked() return press() end if asked() then say 'o' end", "H1 o E1");
}

static void a_press_in_a_local_holds_to_the_last_if_that_tests_it(void **state)
{
    (void)state;
    expect_log("local go = press() say 'a' if go then say 'b' end say 'c' if go then say 'd' end "
               "say 'e'",
               "H1 a b c d E1 e");
    expect_log("local go = press() do if go and true then say 'b' end say 'c' end say 'e'",
               "H1 b c E1 e");
    expect_log("local a, go = 1, press() if go == true then say 'b' end say 'e'", "H1 b E1 e");
}

static void a_press_in_a_local_that_is_never_used_holds_nothing(void **state)
{
    (void)state;
    expect_log("local go = press() say 'a'", "D a");
    expect_log("local go = press() do local go = 1 if go then say 'a' end end", "D a");
}

static void a_press_in_a_local_used_otherwise_is_kept_and_named(void **state)
{
    (void)state;
    expect_log("\nlocal go = press() say(tostring(go))", "L2:1 true");
    expect_log("local go = press() if go then say 'a' end go = false", "L1:1 a");
    expect_log("local go = press() local function f() if go then say 'a' end end f()", "L1:1 a");
    expect_log("local function f() local go = press() return go end if f() then say 'a' end",
               "L1:1 H1 a E1");
    expect_log("local go = press() if not go then return end say 'a'", "L1:4 a");
    expect_log("local go = press() while go do say 'a' break end", "L1:1 a");
}

static void a_local_left_by_break_or_goto_ends_its_hold(void **state)
{
    (void)state;
    expect_log("for i = 1, 2 do local go = press() if i then break end if go then say 'x' end end "
               "say 'b'",
               "H1 E1 b");
    expect_log("for i = 1, 1 do local go = press() if i then goto next end if go then end ::next:: "
               "end say 'b'",
               "H1 E1 b");
}

static void a_statement_throws_the_press_away_and_an_argument_keeps_it(void **state)
{
    (void)state;
    expect_log("press() say 'a'", "D a");
    expect_log("say(press() and 'a')", "a L1:2");
    expect_log("x = press() say 'a'", "L1:3 a");
    expect_log("local t = {} t.x = press() say 'a'", "L1:3 a");
}

/* ---- interruption ---- */

static void every_kind_of_loop_is_interrupted(void **state)
{
    (void)state;
    static const char *const loops[] = {
        "while true do end",
        "repeat until false",
        "::a:: goto a",
        "for i = 1, math.huge do end",
        "for i = 1, 1e18 do end",
        "local function f() return f() end f()",
        "local t = {1, 2, 3} while true do for k in pairs(t) do end end",
        "while true do pcall(error, 'x') end",
        "while true do pcall(function() error('x') end) end",
        "local function f() while true do pcall(f) end end f()",
        "local t = setmetatable({}, {__index = function(t, k) return k end}) "
        "while t[1] do end",
        "local t = setmetatable({}, {__index = function(t, n) if n < 2 then return n end "
        "return t[n - 1] + t[n - 2] end}) return t[100]",
        "local n = 0 while true do n = n + 1 if n > 5 then goto continue end ::continue:: end",
        "for _ in function() return 1 end do end",
        "load('while true do end')()",
        "string.gsub('a', 'a', function() while true do end end)",
        "table.sort({1, 2}, function() while true do end end)",
        "coroutine.wrap(function() while true do end end)()",
        "local f = coroutine.wrap(function() while true do coroutine.yield() end end) for _ in "
        "function() f() return 1 end do end",
        "for w in ('a'):gmatch('a') do while true do end end",
    };
    for (size_t i = 0; i < sizeof loops / sizeof *loops; i++) {
        struct script_case *test = case_new();
        case_push_sandbox(test, LUA_NOREF);
        lua_State *L = test->state->L;
        struct error error = {0};
        test->tick_yields = true;
        assert_true(chunk_load_text(L, loops[i], strlen(loops[i]), "=loop", lua_gettop(L), &error));
        lua_State *co = lua_newthread(L);
        lua_insert(L, -2);
        lua_xmove(L, co, 1);
        if (case_resume(test, co, 300) != LUA_YIELD || test->slices < 300) {
            fail_msg("%s: %s", loops[i], lua_tostring(co, -1));
        }
        case_free(test);
    }
}

static void loops_of_scripts_are_compiled_to_machine_code(void **state)
{
    (void)state;
    struct script_case *test = case_new();
    lua_State *L = test->state->L;
    if (luaL_dostring(L, "traces = 0 jit.attach(function(what) "
                         "if what == 'stop' then traces = traces + 1 end end, 'trace')") != 0) {
        fail_msg("%s", lua_tostring(L, -1));
    }
    case_push_open_globals(test);
    assert_string_equal(case_run(test, "local s = 0 for i = 1, 1e5 do s = s + i end\n"
                                       "while s > 0 do s = s - 1e5 end\n"
                                       "assert(jit.status() and traces >= 2, traces)"),
                        "");
    case_free(test);
}

static void a_function_with_too_many_upvalues_is_interrupted_all_the_same(void **state)
{
    (void)state;
    struct buffer source;
    buffer_init(&source, 1 << 20);
    for (int i = 0; i < 60; i++) {
        buffer_append_format(&source, "local v%d = %d\n", i, i);
    }
    buffer_append_text(&source, "local function f() return 0");
    for (int i = 0; i < 60; i++) {
        buffer_append_format(&source, " + v%d", i);
    }
    buffer_append_text(&source, " + (function() while true do end end)() end f()");
    struct script_case *test = case_new();
    lua_State *L = test->state->L;
    struct error error = {0};
    test->tick_yields = true;
    case_push_open_globals(test);
    assert_true(chunk_load_text(L, (const char *)source.bytes, source.length, "=many",
                                lua_gettop(L), &error));
    assert_int_equal(test->state->interpreted, 1);
    lua_State *co = lua_newthread(L);
    lua_insert(L, -2);
    lua_xmove(L, co, 1);
    for (int slice = 0; slice < 20; slice++) {
        state_guard(test->state, 0, 1 << 20);
        test->waits = false;
        assert_int_equal(lua_resume(co, 0), LUA_YIELD);
        assert_true(test->waits);
        state_unguard(test->state);
    }
    buffer_deinit(&source);
    case_free(test);
}

static void two_hundred_locals_still_run(void **state)
{
    (void)state;
    struct buffer source;
    buffer_init(&source, 1 << 20);
    for (int i = 0; i < 200; i++) {
        buffer_append_format(&source, "local v%d = tostring(%d)\n", i, i);
    }
    buffer_append(&source, "say(v199)", 10);
    expect_log((const char *)source.bytes, "199");
    buffer_deinit(&source);
}

static void lines_are_those_of_the_source(void **state)
{
    (void)state;
    struct script_case *test = case_new();
    case_push_open_globals(test);
    assert_string_equal(case_run(test, "local a = tostring(1)\nfor i = 1, 2 do\n  if press() then\n"
                                       "    local t = nil\n    t.x = 1\n  end\nend\n"),
                        "case:5: attempt to index local 't' (a nil value)");
    case_push_open_globals(test);
    assert_string_equal(case_run(test, "x = 1\n\n\nend"), "case:4: '<eof>' expected near 'end'");
    case_free(test);
}

static void globals_are_listed_with_their_lines(void **state)
{
    (void)state;
    static const char source[] = "local a = b\nfunction c() d = a end\nc.x = 1";
    struct rewrite_globals globals = {0};
    struct buffer out;
    char text[256] = "";
    buffer_init(&out, LIMIT_SCRIPT_REWRITTEN);
    assert_true(rewrite_source(source, strlen(source), REWRITE_ALL, &out, &globals, NULL));
    for (size_t i = 0; i < globals.count; i++) {
        const struct rewrite_global *global = &globals.items[i];
        sprintf(text + strlen(text), "%.*s:%d%s%s ", (int)global->length, global->name,
                global->line, global->assigned ? "=" : "", global->top ? "^" : "");
    }
    assert_string_equal(text, "b:1^ c:2=^ d:2= c:3^ ");
    rewrite_globals_deinit(&globals);
    buffer_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_check_stands_at_the_end_of_loop_bodies),
        cmocka_unit_test(functions_with_a_call_check_at_their_entry_and_leaves_do_not),
        cmocka_unit_test(strings_comments_and_names_are_left_alone),
        cmocka_unit_test(a_first_line_with_a_hash_and_a_byte_order_mark_are_passed_over),
        cmocka_unit_test(names_of_the_rewriter_are_refused_as_variables),
        cmocka_unit_test(endless_nesting_is_an_error),
        cmocka_unit_test(an_if_that_received_a_press_holds_to_the_end_of_its_branch),
        cmocka_unit_test(an_if_without_a_press_calls_nothing),
        cmocka_unit_test(an_if_not_taken_drops_the_press_unless_it_is_a_guard),
        cmocka_unit_test(break_and_goto_end_the_hold_and_return_keeps_it),
        cmocka_unit_test(an_outer_if_takes_the_hold_over),
        cmocka_unit_test(a_press_in_a_local_holds_to_the_last_if_that_tests_it),
        cmocka_unit_test(a_press_in_a_local_that_is_never_used_holds_nothing),
        cmocka_unit_test(a_press_in_a_local_used_otherwise_is_kept_and_named),
        cmocka_unit_test(a_local_left_by_break_or_goto_ends_its_hold),
        cmocka_unit_test(a_statement_throws_the_press_away_and_an_argument_keeps_it),
        cmocka_unit_test(every_kind_of_loop_is_interrupted),
        cmocka_unit_test(loops_of_scripts_are_compiled_to_machine_code),
        cmocka_unit_test(a_function_with_too_many_upvalues_is_interrupted_all_the_same),
        cmocka_unit_test(two_hundred_locals_still_run),
        cmocka_unit_test(lines_are_those_of_the_source),
        cmocka_unit_test(globals_are_listed_with_their_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
