/* Patterns: what LuaJIT's own library answers, except for those that take too long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "script_case.h"

/* Run internal Lua, which sees the stock library as `string` and ours as `text`. */
static void run_internal(const char *source)
{
    struct script_case *test = case_new();
    lua_State *L = test->state->L;
    struct error error = {0};
    if (!state_require(test->state, "moonlit.text", &error)) {
        fail_msg("%s", error.message);
    }
    lua_setglobal(L, "text");
    if (luaL_loadbuffer(L, source, strlen(source), "=case") != 0 || lua_pcall(L, 0, 0, 0) != 0) {
        fail_msg("%s", lua_tostring(L, -1));
    }
    case_free(test);
}

static void find_match_gmatch_and_gsub_answer_as_the_stock_library(void **state)
{
    (void)state;
    run_internal(
        "local seed = tonumber(os.getenv 'SEED' or 1)\n"
        "local function pick(n) seed = (seed * 16807) % 2147483647 return seed % n + 1 end\n"
        "local pieces = { 'a', 'b', 'c', '.', '%a', '%A', '%d', '%s', '%w', '%W', '%p', '%x', "
        "'%g',\n"
        "  '%c', '%l', '%u', '%z', '%Z', '[ab]', '[^ab]', '[a-c]', '[%w_]', '[]]', '[^]a]', "
        "'[a-]',\n"
        "  '[%a-z]', '*', '+', '-', '?', '(', ')', '()', '%1', '%2', '%0', '%b()', '%bab', "
        "'%f[%w]',\n"
        "  '%f[^a]', '%f', '%b', '%', '[', '[^', '^', '$', '%%', '%.', '\\0', '\\200', '%\\200', ' "
        "',\n"
        "  '[\\1-\\255]', '%y', '%9' }\n"
        "local letters = { 'a', 'b', 'c', 'A', '1', ' ', '(', ')', '_', '\\0', '\\200', '.', 'ab' "
        "}\n"
        "local function make(from, most)\n"
        "  local t = {} for i = 1, pick(most) - 1 do t[i] = from[pick(#from)] end\n"
        "  return table.concat(t)\n"
        "end\n"
        "local function show(...)\n"
        "  local t = { ... } for i = 1, select('#', ...) do t[i] = type(t[i]) .. ':' .. "
        "tostring(t[i]) end\n"
        "  if t[1] == 'boolean:false' then return (t[2]:gsub('^string:', ''):gsub('^case:%d+: ', "
        "'')\n"
        "    :gsub('%S*lua/moonlit/%S+ ', '')) end\n"
        "  return table.concat(t, '|')\n"
        "end\n"
        "local function all(f, s, p) local t = {}\n"
        "  for a, b, c in f(s, p) do t[#t + 1] = tostring(a) .. ';' .. tostring(b) .. ';' .. "
        "tostring(c) end\n"
        "  return table.concat(t, ',') end\n"
        "local function same(what, s, p, theirs, ours)\n"
        "  if theirs ~= ours then error(('%s(%q, %q):\\n stock %s\\n ours  %s'):format(what, s, p, "
        "theirs, ours), 0) end\n"
        "end\n"
        "local function caps(...) local n = select('#', ...) return n > 1 and tostring((...)) .. n "
        "or nil end\n"
        "local replacements = { 'x', '<%0>', '%1', '%1%2', '%%', '', '%', '%z', { a = 'A', ab = 1, "
        "b = false },\n"
        "  caps, function(a) return a end, function() return {} end }\n"
        "for round = 1, 30000 do\n"
        "  local s, p = make(letters, 10), make(pieces, 7)\n"
        "  local init = pick(14) - 7\n"
        "  same('find', s, p, show(pcall(string.find, s, p, init)), show(pcall(text.find, s, p, "
        "init)))\n"
        "  same('match', s, p, show(pcall(string.match, s, p, init)), show(pcall(text.match, s, p, "
        "init)))\n"
        "  local plain = make(letters, 3)\n"
        "  same('plain', s, plain, show(pcall(string.find, s, plain, init, true)), "
        "show(pcall(text.find, s, plain, init, true)))\n"
        "  same('gmatch', s, p, show(pcall(all, string.gmatch, s, p)), show(pcall(all, "
        "text.gmatch, s, p)))\n"
        "  local by, n = replacements[pick(#replacements)], pick(5) < 4 and pick(4) - 1 or nil\n"
        "  same('gsub', s, p, show(pcall(string.gsub, s, p, by, n)), show(pcall(text.gsub, s, p, "
        "by, n)))\n"
        "end\n");
}

static void a_long_text_is_searched_in_pieces_with_the_same_answers(void **state)
{
    (void)state;
    run_internal(
        "local s = ('\\1'):rep(150000) .. 'ab (cab) ' .. ('\\2a'):rep(150000) .. 'end'\n"
        "local function all(f, p) local t = {} for a, b in f(s, p) do t[#t + 1] = #tostring(a) .. "
        "tostring(b) "
        "end return table.concat(t, ' ') end\n"
        "local function same(p, ...)\n"
        "  local a, b = { string[p](s, ...) }, { text[p](s, ...) }\n"
        "  if #a ~= #b then error(p .. (...) .. #a .. #b) end\n"
        "  for i = 1, #a do if a[i] ~= b[i] then error(p .. (...) .. i) end end\n"
        "end\n"
        "for _, p in ipairs { 'ab', '(a)(b)', '()c', '%a+', '^\\1', '^a', 'end$', '%f[%w]%w+', "
        "'[xy]', '%((.-)%)', '\\1*', '%b()', 'q', '', '.', '%d' } do\n"
        "  for _, init in ipairs { 1, 2, 149999, 150003, -5, -1e6, 1e6 } do\n"
        "    same('find', p, init) same('match', p, init)\n"
        "  end\n"
        "  same('find', p, 1, true) same('gsub', p, '<%0>') same('gsub', p, 'x', 3)\n"
        "  same('gsub', p, { ab = 1, a = 'A' }) same('gsub', p, function(a) return '!' end)\n"
        "  if p ~= '^\\1' and p ~= '^a' and all(string.gmatch, p) ~= all(text.gmatch, p) then "
        "error(p) end\n"
        "end");
}

static void a_catastrophic_pattern_is_an_error(void **state)
{
    (void)state;
    run_internal(
        "local function slow(f, ...) local ok, problem = pcall(f, ...)\n"
        "  assert(not ok and problem:find('pattern takes too long', 1, true), problem) end\n"
        "local s = ('a'):rep(300)\n"
        "slow(text.find, s, '.-.-.-.-b')\n"
        "slow(text.match, s, ('a?'):rep(25) .. ('a'):rep(300) .. 'b')\n"
        "slow(text.gsub, s, '.-.-.-.-b', '')\n"
        "slow(text.gsub, s, '.-.-.-.-b', function() end)\n"
        "slow(function() for x in text.gmatch(s, '.-.-.-.-b') do end end)\n"
        "slow(text.find, ('a'):rep(20000), '.-b')\n"
        "assert(#text.match(('a'):rep(1000000), 'a*') == 1000000)\n"
        "assert(text.gsub(('ab'):rep(200000), 'b', 'c'):sub(-2) == 'ac')\n");
}

static void a_long_plain_search_is_linear(void **state)
{
    (void)state;
    run_internal("local needle = ('a'):rep(200000) .. 'b'\n"
                 "assert(not text.find(('a'):rep(400000), needle, 1, true))\n"
                 "assert(text.find('x' .. needle, needle, 1, true) == 2)\n");
}

static void errors_name_the_line_of_the_script(void **state)
{
    (void)state;
    static const char *const sources[] = {
        "\nlocal x = ('a'):find('[')",         "\nlocal x = string.match('a', '%')",
        "\nfor x in ('a'):gmatch('(') do end", "\nlocal x = ('a'):gsub('[', '')",
        "\nlocal x = ('a'):gsub('[', print)",  "\nlocal x = ('a'):rep(1e9)"};
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
        struct script_case *test = case_new();
        case_push_sandbox(test, LUA_NOREF);
        const char *problem = case_run(test, sources[i]);
        if (strncmp(problem, "case:2: ", 8) != 0) {
            fail_msg("%s: %s", sources[i], problem);
        }
        case_free(test);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(find_match_gmatch_and_gsub_answer_as_the_stock_library),
        cmocka_unit_test(a_long_text_is_searched_in_pieces_with_the_same_answers),
        cmocka_unit_test(a_catastrophic_pattern_is_an_error),
        cmocka_unit_test(a_long_plain_search_is_linear),
        cmocka_unit_test(errors_name_the_line_of_the_script),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
