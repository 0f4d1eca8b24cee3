#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "bridge/view.h"
#include "lua_case.h"
#include "random_bson.h"

static int set_up(void **state)
{
    *state = lua_case_new();
    return 0;
}

static int tear_down(void **state)
{
    lua_close(*state);
    return 0;
}

static void a_view_reads_like_a_table(void **state)
{
    lua_case_run(*state,
                 "local doc = bson.doc{ { 'name', 'Ada' }, { 'tags', { 'x', 'y', { z = 1 } } },\n"
                 "  { 'a', { b = { c = 5 } } }, { 'big', bson.int64('-9007199254740993') },\n"
                 "  { 'yes', true }, { 'no', false } }\n"
                 "equal(doc.name, 'Ada') equal(doc['a'].b.c, 5) equal(doc.yes, true)\n"
                 "equal(doc.no, false) equal(doc.missing, nil) equal(doc.nam, nil)\n"
                 "equal(#doc.tags, 3) equal(doc.tags[1], 'x') equal(doc.tags[3].z, 1)\n"
                 "equal(doc.tags[0], nil) equal(doc.tags[4], nil) equal(doc.tags[1.5], nil)\n"
                 "equal(doc.tags[-1], nil) equal(doc.tags[0/0], nil) equal(doc.tags['0'], nil)\n"
                 "equal(doc[1], nil) equal(doc[true], nil) equal(#doc, 6)\n"
                 "equal(doc.big == -9007199254740993LL, true)\n");
}

static void items_are_found_in_any_order(void **state)
{
    lua_case_run(*state, "local list = {} for i = 1, 300 do list[i] = i * 2 end\n"
                         "local view = bson.doc{ { 'l', list } }.l\n"
                         "for i = 300, 1, -1 do equal(view[i], i * 2) end\n"
                         "for i = 1, 300 do equal(view[i], i * 2) end\n"
                         "for i = 1, 300 do local n = i * 7 % 300 + 1 equal(view[n], n * 2) end\n"
                         "equal(view[301], nil) equal(#view, 300)\n");
}

/* The functions behind pairs, ipairs, next and unpack of scripts. */
static void a_view_is_gone_over_in_its_order(void **state)
{
    lua_case_run(
        *state,
        "local doc = bson.doc{ { 'b', 1 }, { 'a', 2 }, { 'b', 3 }, { 'l', { 'x', 'y' } } }\n"
        "local mt = debug.getmetatable(doc)\n"
        "local function collect(f, s, v)\n"
        "  local all = {} for k, x in f, s, v do all[#all + 1] = k .. '=' .. tostring(x) end\n"
        "  return table.concat(all, ' ')\n"
        "end\n"
        "equal(collect(mt.__pairs(doc)), 'b=1 a=2 b=3 l=[ \"x\", \"y\" ]')\n"
        "equal(collect(mt.__next, doc), 'b=1 a=2 b=3 l=[ \"x\", \"y\" ]')\n"
        "equal(collect(mt.__pairs(doc.l)), '1=x 2=y') equal(collect(mt.__ipairs(doc.l)), '1=x "
        "2=y')\n"
        "equal(collect(mt.__next, doc.l), '1=x 2=y') equal(collect(mt.__ipairs(doc)), '')\n"
        "equal(select('#', mt.__unpack(doc.l)), 2) equal(select(2, mt.__unpack(doc.l)), 'y')\n"
        "equal(select('#', mt.__unpack(doc.l, 2, 4)), 3)\n"
        "equal(pcall(mt.__unpack, doc.l, 1, 1e8), false)\n"
        "equal(pcall(mt.__unpack, doc.l, -2^63, 2^62), false)\n"
        "equal(pcall(mt.__next, doc, 'none'), false) equal(pcall(mt.__index, {}, 'x'), false)\n"
        "equal(pcall(mt.__index, newproxy(true), 'x'), false)\n"
        "local items, rest = core.items(doc.l) equal(items(rest), 'x') equal(items(rest), 'y')\n"
        "equal(items(rest), nil) equal(items(rest), nil) equal(pcall(items), false)\n"
        "equal(pcall(items, doc), false) equal(pcall(items, newproxy(true)), false)\n"
        "equal(table.concat(bson.keys(doc), ' '), 'b a b l')\n");
}

static void a_view_cannot_be_changed_and_says_how_to(void **state)
{
    lua_case_run(*state,
                 "local doc = bson.doc{ { 'a', { 1 } } }\n"
                 "local ok, problem = pcall(function() doc.a = 2 end)\n"
                 "equal(ok, false) equal(problem:find('bson.totable', 1, true) ~= nil, true)\n"
                 "equal(problem:find('case:', 1, true), 1)\n"
                 "equal(getmetatable(doc), 'document') equal(pcall(setmetatable, doc, {}), false)\n"
                 "local t = bson.totable(doc) t.a[2] = 5\n"
                 "equal(#t.a, 2) equal(#doc.a, 1) equal(bson.json(t), '{ \"a\" : [ 1, 5 ] }')\n");
}

static void equal_bytes_are_equal_views(void **state)
{
    lua_case_run(*state, "local a = bson.doc{ { 'x', 1 }, { 'l', {} }, { 'm', bson.array{} } }\n"
                         "local b = bson.doc{ { 'x', 1 }, { 'l', {} }, { 'm', bson.array{} } }\n"
                         "equal(a, b) equal(a ~= bson.doc{ { 'x', 2 } }, true)\n"
                         "equal(a.l ~= a.m, true) equal(a.l, b.l)\n"
                         "equal(tostring(a), '{ \"x\" : 1, \"l\" : {  }, \"m\" : [  ] }')\n");
}

static void a_part_keeps_the_whole_alive(void **state)
{
    lua_State *L = *state;
    lua_case_run(
        L,
        "parts = {}\n"
        "for i = 1, 200 do\n"
        "  local doc = bson.doc{ { 'a', { { deep = { n = i } } } }, { 'pad', ('x'):rep(999) } }\n"
        "  parts[i] = doc.a[1].deep\n"
        "end\n"
        "collectgarbage() collectgarbage()\n"
        "for i = 1, 200 do equal(parts[i].n, i) end\n"
        "local each, rest = core.items(bson.doc{ { 'l', { { n = 1 }, { n = 2 } } } }.l)\n"
        "collectgarbage() equal(each(rest).n, 1) collectgarbage() equal(each(rest).n, 2)\n");
    lua_case_run(L, "parts = nil collectgarbage() collectgarbage()\n"
                    "equal(collectgarbage('count') < 2000, true)\n");
}

/* What the JIT compiles while views are gone over must not hold on to them. */
static void compiled_loops_keep_no_view_alive(void **state)
{
    lua_State *L = *state;
    lua_case_run(L, "local pad, n = ('x'):rep(1e6), 0\n"
                    "for i = 1, 400 do\n"
                    "  local doc = bson.doc{ { 'l', { i, { n = i } } }, { 'pad', pad } }\n"
                    "  local meta = debug.getmetatable(doc)\n"
                    "  for _ in meta.__pairs(doc) do n = n + 1 end\n"
                    "  for _ in meta.__ipairs(doc.l) do n = n + 1 end\n"
                    "  for _ in core.items(doc.l) do n = n + 1 end\n"
                    "  local each, rest = core.items(doc.l)\n"
                    "  while each(rest) do n = n + 1 end\n"
                    "  if i % 20 == 0 then collectgarbage() end\n"
                    "end\n"
                    "equal(n, 400 * 8)\n"
                    "pad = nil collectgarbage() collectgarbage()\n"
                    "equal(collectgarbage('count') < 2500, true)\n");
}

/* The collector runs at every step while random documents are read all the way down. */
static void reading_everything_survives_the_collector(void **state)
{
    lua_State *L = *state;
    lua_case_run(L, "function read(value)\n"
                    "  local mt = debug.getmetatable(value)\n"
                    "  tostring(value)\n"
                    "  if type(value) ~= 'userdata' or not mt.__pairs then return end\n"
                    "  for key, inner in mt.__pairs(value) do\n"
                    "    read(inner)\n"
                    "    collectgarbage('step')\n"
                    "  end\n"
                    "  equal(#value, #bson.keys(value))\n"
                    "end\n");
    for (uint64_t seed = 1; seed <= 100; seed++) {
        struct random random = {seed};
        struct buffer document;
        buffer_init(&document, 1 << 20);
        random_document(&random, &document);
        lua_getglobal(L, "read");
        value_push_document(L, document.bytes, document.length);
        if (lua_pcall(L, 1, 0, 0) != 0) {
            fail_msg("seed %d: %s", (int)seed, lua_tostring(L, -1));
        }
        buffer_deinit(&document);
    }
}

static void json_shows_what_it_can_of_any_document(void **state)
{
    lua_case_run(*state,
                 "local odd = bson.doc{ { 'n', 0/0 }, { 'b', bson.binary('\\255') } }\n"
                 "equal(type(tostring(odd)), 'string')\n"
                 "local broken = bson.from_bytes('\\14\\0\\0\\0\\2a\\0\\2\\0\\0\\0\\255\\0\\0')\n"
                 "equal(type(tostring(broken)), 'string')\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_view_reads_like_a_table, set_up, tear_down),
        cmocka_unit_test_setup_teardown(items_are_found_in_any_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_view_is_gone_over_in_its_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_view_cannot_be_changed_and_says_how_to, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(equal_bytes_are_equal_views, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_part_keeps_the_whole_alive, set_up, tear_down),
        cmocka_unit_test_setup_teardown(compiled_loops_keep_no_view_alive, set_up, tear_down),
        cmocka_unit_test_setup_teardown(reading_everything_survives_the_collector, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(json_shows_what_it_can_of_any_document, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
