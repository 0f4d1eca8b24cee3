#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "bridge/view.h"
#include "limits.h"
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

/* Numbers of Lua do not remember their width; everything else does. */
static void assert_same_value(const struct bson_element *before, const struct bson_element *after)
{
    double left, right;
    if (bson_element_number(before, &left) && bson_element_number(after, &right)) {
        assert_true(left == right);
        if (before->kind == BSON_KIND_INT64 && after->kind == BSON_KIND_INT64) {
            assert_true(bson_element_int64(before) == bson_element_int64(after));
        }
        return;
    }
    assert_int_equal(before->kind, after->kind);
    assert_int_equal(before->length, after->length);
    if (before->length > 0) {
        assert_memory_equal(before->value, after->value, before->length);
    }
}

/* Every value of a random document, pushed and written again, is what it was. */
static void round_trip_each_value(lua_State *L, const struct buffer *document)
{
    struct bson_walk walk;
    struct bson_element element;
    for (bson_walk_begin(&walk, document->bytes, document->length);
         bson_walk_next(&walk, &element);) {
        value_push(L, &element, 0);
        struct buffer again;
        buffer_init(&again, LIMIT_DOCUMENT);
        struct bson_out out = {&again, false};
        struct error error;
        size_t mark = bson_write_begin(&out);
        if (!value_encode_field(L, -1, &again, element.name, &error)) {
            fail_msg("%s", error.message);
        }
        bson_write_end(&out, mark);
        struct bson_element after;
        assert_true(
            bson_find(again.bytes, again.length, element.name, element.name_length, &after));
        assert_same_value(&element, &after);
        buffer_deinit(&again);
        lua_pop(L, 1);
    }
    assert_int_equal(lua_gettop(L), 0);
}

static void assert_same_tree(const uint8_t *before, size_t before_length, const uint8_t *after,
                             size_t after_length);

static void assert_same_element(const struct bson_element *before, const struct bson_element *after)
{
    bool is_inner = before->kind == BSON_KIND_DOCUMENT || before->kind == BSON_KIND_ARRAY;
    if (!is_inner) {
        assert_same_value(before, after);
        return;
    }
    assert_int_equal(before->kind, after->kind);
    assert_same_tree(before->value, before->length, after->value, after->length);
}

/* As documents without order: tables have none. */
static void assert_same_tree(const uint8_t *before, size_t before_length, const uint8_t *after,
                             size_t after_length)
{
    struct bson_walk walk;
    struct bson_element element, other;
    assert_int_equal(bson_count(before, before_length), bson_count(after, after_length));
    for (bson_walk_begin(&walk, before, before_length); bson_walk_next(&walk, &element);) {
        assert_true(bson_find(after, after_length, element.name, element.name_length, &other));
        assert_same_element(&element, &other);
    }
}

static void round_trip_as_table(lua_State *L, const struct buffer *document)
{
    value_push_document(L, document->bytes, document->length);
    value_to_table(L, -1);
    assert_int_equal(lua_type(L, -1), LUA_TTABLE);
    struct buffer again;
    buffer_init(&again, LIMIT_DOCUMENT);
    struct error error;
    if (!value_encode(L, -1, &again, &error)) {
        fail_msg("%s", error.message);
    }
    assert_same_tree(document->bytes, document->length, again.bytes, again.length);
    buffer_deinit(&again);
    lua_settop(L, 0);
}

static void random_documents_come_back_as_they_were(void **state)
{
    lua_State *L = *state;
    for (uint64_t seed = 1; seed <= 400; seed++) {
        struct random random = {seed};
        struct buffer document;
        buffer_init(&document, 1 << 20);
        random_document(&random, &document);
        value_push_document(L, document.bytes, document.length);
        struct buffer again;
        buffer_init(&again, LIMIT_DOCUMENT);
        assert_true(value_encode(L, -1, &again, NULL));
        assert_int_equal(again.length, document.length);
        assert_memory_equal(again.bytes, document.bytes, document.length);
        buffer_deinit(&again);
        lua_settop(L, 0);
        round_trip_each_value(L, &document);
        round_trip_as_table(L, &document);
        buffer_deinit(&document);
    }
    lua_gc(L, LUA_GCCOLLECT, 0);
}

static void every_maker_writes_the_type_it_says(void **state)
{
    lua_case_run(
        *state, "local id = bson.oid('507f1f77bcf86cd799439011')\n"
                "local cases = {\n"
                "  { 3, 'int' }, { 3.5, 'double' }, { 2^31, 'long' }, { 2^53, 'long' },\n"
                "  { 2^54, 'double' }, { bson.double(3), 'double' }, { bson.int32(3), 'int' },\n"
                "  { bson.int64(3), 'long' }, { bson.int64('9007199254740993'), 'long' },\n"
                "  { 42LL, 'long' }, { 42ULL, 'long' }, { 'x', 'string' }, { 'a\\0b', 'string' },\n"
                "  { true, 'bool' }, { bson.null, 'null' }, { bson.undefined, 'undefined' },\n"
                "  { {}, 'object' }, { bson.array{}, 'array' }, { { 1, 2 }, 'array' },\n"
                "  { bson.doc{}, 'object' }, { id, 'objectId' }, { bson.date(), 'date' },\n"
                "  { bson.binary('\\255', 128), 'binData' }, { bson.uuid(), 'binData' },\n"
                "  { bson.decimal('1.10'), 'decimal' }, { bson.regex('a', 'xi'), 'regex' },\n"
                "  { bson.timestamp(1, 2), 'timestamp' }, { bson.code('f'), 'javascript' },\n"
                "  { bson.code('f', { a = 1 }), 'javascriptWithScope' },\n"
                "  { bson.symbol('s'), 'symbol' }, { bson.dbpointer('c', id), 'dbPointer' },\n"
                "  { bson.minkey, 'minKey' }, { bson.maxkey, 'maxKey' },\n"
                "}\n"
                "for _, case in ipairs(cases) do\n"
                "  equal(bson.type(case[1]), case[2])\n"
                "  local doc = bson.doc{ { 'x', case[1] } }\n"
                "  equal(bson.type(doc, 'x'), case[2])\n"
                "  equal(bson.bytes(bson.doc{ { 'x', doc.x } }) == bson.bytes(doc)\n"
                "    or type(doc.x) == 'number', true)\n"
                "end\n"
                "equal(bson.type(bson.doc{ { 'x', nil } }, 'x'), nil)\n");
}

static void a_table_is_written_in_the_order_of_its_names(void **state)
{
    lua_case_run(
        *state,
        "local one, other, names = {}, {}, {}\n"
        "for i = 1, 99 do one['n' .. i] = { z = i, a = { y = 'text', b = {} } } end\n"
        "for i = 99, 1, -1 do\n"
        "  other['n' .. i] = { a = { b = {}, y = 'text' }, z = i }\n"
        "  names[i] = 'n' .. i\n"
        "end\n"
        "table.sort(names)\n"
        "equal(bson.bytes(one) == bson.bytes(other), true)\n"
        "local doc = bson.from_bytes(bson.bytes(one))\n"
        "equal(table.concat(bson.keys(doc), ' '), table.concat(names, ' '))\n"
        "equal(bson.json(doc.n7), '{ \"a\" : { \"b\" : {  }, \"y\" : \"text\" }, \"z\" : 7 }')\n"
        "local large = bson.from_bytes(bson.bytes { z = 1, t = ('long '):rep(999), a = 2 })\n"
        "equal(table.concat(bson.keys(large), ' '), 'a t z') equal(large.a .. large.z, '21')\n"
        "local own = bson.doc{ { 'z', 1 }, { 'a', { d = 1, c = { 3, 2 } } } }\n"
        "equal(bson.json(own), '{ \"z\" : 1, \"a\" : { \"c\" : [ 3, 2 ], \"d\" : 1 } }')\n");
}

static void makers_tell_what_they_hold(void **state)
{
    lua_case_run(
        *state,
        "local id = bson.oid('507f1f77bcf86cd799439011')\n"
        "equal(tostring(id), '507f1f77bcf86cd799439011') equal(id:hex(), tostring(id))\n"
        "equal('id ' .. id .. '!', 'id 507f1f77bcf86cd799439011!')\n"
        "equal(bson.decimal('1.50') .. 2, '1.502') equal(pcall(function() return id .. {} end), "
        "false)\n"
        "equal(id:time(), 0x507f1f77) equal(id, bson.oid(tostring(id)))\n"
        "equal(bson.oid() ~= bson.oid(), true) equal(id < bson.oid(), true)\n"
        "local date = bson.date{ year = 2024, month = 2, day = 29, hour = 23, ms = 5 }\n"
        "equal(tostring(date), '2024-02-29T23:00:00.005Z') equal(date, bson.date(tostring(date)))\n"
        "equal(date:ms(), 1709247600005) equal(date:parts().day, 29)\n"
        "equal(bson.date('1969-12-31T23:59:59.999Z'):ms(), -1)\n"
        "equal(tostring(bson.date(-62135596800000)), '0001-01-01T00:00:00Z')\n"
        "equal(bson.date('2024-01-01T02:00+02:00'), bson.date('2024-01-01'))\n"
        "equal(bson.date(1) < bson.date(2), true) equal(bson.date(1) <= bson.date(1), true)\n"
        "local old = bson.binary('abc', 2) equal(old:data(), 'abc') equal(old:subtype(), 2)\n"
        "equal(bson.binary('a\\0b'):data(), 'a\\0b')\n"
        "local uuid = bson.uuid('00112233-4455-6677-8899-aabbccddeeff')\n"
        "equal(tostring(uuid), '00112233-4455-6677-8899-aabbccddeeff') equal(uuid:subtype(), 4)\n"
        "for _, text in ipairs{ '1.10', '-0', 'NaN', 'Infinity', '1E+6000',\n"
        "  '1234567890123456789012345678901234' } do\n"
        "  equal(tostring(bson.decimal(text)), text)\n"
        "end\n"
        "equal(bson.decimal('2.5'):number(), 2.5)\n"
        "equal(bson.regex('^a', 'xi'):options(), 'ix') equal(bson.regex('^a'):pattern(), '^a')\n"
        "local ts = bson.timestamp(4294967295, 7)\n"
        "equal(ts:time(), 4294967295) equal(ts:increment(), 7)\n"
        "equal(ts > bson.timestamp(1, 9), true)\n"
        "equal(bson.code('f', { a = 1 }):scope().a, 1) equal(bson.code('f'):source(), 'f')\n"
        "equal(bson.int64('9007199254740993') == 9007199254740993LL, true)\n"
        "equal(bson.int64(3):number(), 3) equal(tostring(bson.double(3)), '3.0')\n"
        "equal(tostring(bson.null), 'null') equal(bson.doc{ { 'a', bson.null } }.a, bson.null)\n");
}

/* Each line: what is written, and words that the refusal must have. */
static void what_bson_cannot_hold_is_refused_by_its_place(void **state)
{
    lua_case_run(
        *state,
        "local function handle() return setmetatable({}, { __handle = 'collection' }) end\n"
        "local cyclic = {} cyclic.a = { cyclic }\n"
        "local deep = {} do local at = deep for _ = 1, 100 do at.a = {} at = at.a end end\n"
        "local full = bson.totable(bson.doc{}) full.text = ('x'):rep(16 * 1024 * 1024)\n"
        "local cases = {\n"
        "  { { a = { b = { 1, 2, print } } }, 'a.b[3]: a function cannot' },\n"
        "  { { c = coroutine.create(print) }, 'c: a coroutine cannot' },\n"
        "  { { f = io.stdout }, 'f: this handle' },\n"
        "  { { p = newproxy(true) }, 'p: this handle' },\n"
        "  { { h = handle() }, 'h: this collection cannot' },\n"
        "  { { o = setmetatable({}, {}) }, 'o: an object' },\n"
        "  { { a = { 1, nil, 3 } }, 'a: the list has a hole' },\n"
        "  { { a = { [5] = 1 } }, 'a: the list has a hole' },\n"
        "  { { [1.5] = 1 }, 'the number 1.5 as a key' }, { { [0] = 1 }, 'the number 0 as a key' "
        "},\n"
        "  { { [true] = 1 }, 'a boolean as a key' },\n"
        "  { { a = { 1, x = 2 } }, 'a: the table mixes' },\n"
        "  { { x = { ['a\\0b'] = 1 } }, 'a NUL byte' }, { { ['\\255'] = 1 }, 'not valid UTF%-8' "
        "},\n"
        "  { { x = '\\xff' }, 'x: the text is not valid UTF%-8' },\n"
        "  { { x = 1i }, 'x: of all cdata only int64' }, { { x = 18446744073709551615ULL }, "
        "'larger' },\n"
        "  { cyclic, 'a%[1%]: the table contains itself' },\n"
        "  { deep, 'nested deeper than 100 levels' }, { full, 'larger than 16 MiB' },\n"
        "  { { a = { list = bson.array{ 1, x = 1 } } }, 'a.list: the table mixes' },\n"
        "}\n"
        "for i, case in ipairs(cases) do\n"
        "  local ok, problem = pcall(bson.bytes, case[1])\n"
        "  local words = case[2]:find('%%') and case[2] or case[2]:gsub('%[', '%%[')\n"
        "  if ok or not problem:find(words) then\n"
        "    error(i .. ': ' .. tostring(problem))\n"
        "  end\n"
        "end\n"
        "local ok, problem = pcall(bson.doc, { { 'a', { b = print } } })\n"
        "equal(problem:find('a.b: a function', 1, true) ~= nil, true)\n"
        "equal(pcall(bson.doc, { { 'a\\0', 1 } }), false) equal(pcall(bson.doc, { 5 }), false)\n"
        "equal(pcall(bson.doc, { a = 1 }), false)\n");
}

static void a_refusal_leaves_the_buffer_as_it_was(void **state)
{
    lua_State *L = *state;
    struct buffer buffer;
    struct error error;
    buffer_init(&buffer, LIMIT_DOCUMENT);
    buffer_append(&buffer, "before", 6);
    assert_int_equal(luaL_dostring(L, "return { a = 'text', b = { 1, { c = print } } }"), 0);
    assert_false(value_encode(L, -1, &buffer, &error));
    assert_int_equal(buffer.length, 6);
    assert_false(value_encode_field(L, -1, &buffer, "name", &error));
    assert_int_equal(buffer.length, 6);
    assert_string_equal(error.message, "name.b[2].c: a function cannot be written as BSON");
    assert_int_equal(lua_gettop(L), 1);
    lua_pushinteger(L, 5);
    assert_false(value_encode(L, -1, &buffer, &error));
    buffer_deinit(&buffer);
    lua_settop(L, 0);
}

static void a_view_inside_a_table_counts_its_own_levels(void **state)
{
    lua_case_run(*state, "local deep = {} local at = deep\n"
                         "for _ = 1, 99 do at.a = {} at = at.a end\n"
                         "local view = bson.from_bytes(bson.bytes(deep))\n"
                         "equal(#bson.bytes(view), #bson.bytes(deep))\n"
                         "local ok, problem = pcall(bson.bytes, { x = view })\n"
                         "equal(ok, false) equal(problem:find('nested deeper') ~= nil, true)\n");
}

static void bad_arguments_of_makers_are_told_in_a_sentence(void **state)
{
    lua_case_run(
        *state,
        "local cases = {\n"
        "  { 'oid', 'xyz' }, { 'oid', ('0'):rep(12) }, { 'oid', 5 }, { 'date', 'yesterday' },\n"
        "  { 'date', '2024-13-01' }, { 'date', { year = 2024, month = 0 } }, { 'date', 0/0 },\n"
        "  { 'binary', 5 }, { 'binary', 'x', 256 }, { 'uuid', '0011' }, { 'decimal', '1.x' },\n"
        "  { 'regex', 'a\\0b' }, { 'regex', 'a', 'q' }, { 'regex', 'a', 'ii' },\n"
        "  { 'timestamp', -1 }, { 'int64', '9223372036854775808' }, { 'int64', 0.5 },\n"
        "  { 'int64', 2^60 }, { 'int32', 2^31 }, { 'symbol', '\\255' }, { 'from_bytes', 'x' },\n"
        "  { 'from_json', '{' }, { 'from_json', '1, \"b\": 2' }, { 'keys', {} },\n"
        "  { 'dbpointer', 'c', 5 }, { 'code', 'f', { print } },\n"
        "}\n"
        "for i, case in ipairs(cases) do\n"
        "  local ok, problem = pcall(bson[case[1]], case[2], case[3])\n"
        "  if ok or not problem:find('bson.' .. case[1] .. ': ', 1, true) then\n"
        "    error(i .. ': ' .. tostring(problem))\n"
        "  end\n"
        "end\n");
}

static void json_goes_both_ways(void **state)
{
    lua_case_run(
        *state,
        "local doc = bson.from_json('{\"a\": [1, {\"b\": null}], \"id\": {\"$oid\": "
        "\"507f1f77bcf86cd799439011\"}}')\n"
        "equal(doc.a[2].b, bson.null) equal(bson.type(doc, 'id'), 'objectId')\n"
        "equal(bson.json(doc), tostring(doc)) equal(bson.from_json(bson.json(doc)), doc)\n"
        "equal(bson.json(5), '5') equal(bson.json('a'), '\"a\"') equal(bson.json{}, '{  }')\n"
        "equal(bson.json(5, { canonical = true }), '{ \"$numberInt\" : \"5\" }')\n"
        "equal(bson.from_json('5'), 5) equal(bson.from_json('[1,2]')[2], 2)\n");
}

static void packed_values_are_unpacked_as_what_they_were(void **state)
{
    lua_case_run(*state,
                 "local function trip(value) return core.unpack(core.pack(value)) end\n"
                 "equal(trip(5), 5) equal(trip('x'), 'x') equal(trip(bson.null), bson.null)\n"
                 "local list = trip{ 1, { a = {} } }\n"
                 "equal(type(list), 'table') equal(type(list[2].a), 'table')\n"
                 "list[3] = 'more' equal(#trip(list), 3)\n"
                 "equal(bson.type(trip(bson.array{})), 'array')\n"
                 "local doc = bson.doc{ { 'b', 1 }, { 'a', 2 } }\n"
                 "equal(trip(doc), doc) equal(type(trip(doc)), 'userdata')\n"
                 "local bytes, problem = core.pack{ f = print }\n"
                 "equal(bytes, nil) equal(problem, 'f: a function cannot be written as BSON')\n"
                 "equal(pcall(core.unpack, 'nonsense'), false)\n");
}

static void an_id_is_put_first_and_kept_when_there_is_one(void **state)
{
    lua_case_run(
        *state,
        "local doc, id = core.with_id{ a = 1 }\n"
        "equal(doc._id, id) equal(bson.type(id), 'objectId') equal(bson.keys(doc)[1], '_id')\n"
        "doc, id = core.with_id(bson.doc{ { 'a', 1 }, { '_id', 7 } })\n"
        "equal(id, 7) equal(table.concat(bson.keys(doc), ' '), '_id a')\n"
        "doc, id = core.with_id{ _id = { k = 1 } } equal(id.k, 1)\n"
        "equal(core.with_id{ f = print }, nil)\n"
        "equal(core.with_id(bson.doc{ { '_id', 7 }, { '_id', 8 } }), bson.doc{ { '_id', 7 } })\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(random_documents_come_back_as_they_were, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_maker_writes_the_type_it_says, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_table_is_written_in_the_order_of_its_names, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(makers_tell_what_they_hold, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_bson_cannot_hold_is_refused_by_its_place, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_refusal_leaves_the_buffer_as_it_was, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_view_inside_a_table_counts_its_own_levels, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(bad_arguments_of_makers_are_told_in_a_sentence, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(json_goes_both_ways, set_up, tear_down),
        cmocka_unit_test_setup_teardown(packed_values_are_unpacked_as_what_they_were, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_id_is_put_first_and_kept_when_there_is_one, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
