/* The state: its memory account, internal modules, compiled files and their renewal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <unistd.h>

#include "limits.h"
#include "script_case.h"

#define TEN(text) text text text text text text text text text text

/* ---- memory ---- */

static const char *const hogs[] = {
    "local t = {} for i = 1, 1e9 do t[i] = i end",
    "local t = {} for i = 1, 1e9 do t[i] = { i } end",
    "local t = {} while true do t = { t } end",
    "local t = {} for i = 1, 1e9 do t['k' .. i] = i end",
    "local s = 'x' while true do s = s .. s end",
    "local s = 'x' while true do s = s .. 'y' .. s .. 'z' .. s end",
    "local s = ('x'):rep(1e6) local t = {} for i = 1, 1e9 do t[i] = s .. i end",
    "local t = {} while true do t[#t + 1] = coroutine.create(function() end) end",
    "local t = {} while true do t[#t + 1] = load('return {1, 2, 3}') end",
    "local t = {} for i = 1, 1e9 do t[i] = (tostring(i)):gsub('%d', '%0%0%0%0%0%0%0%0') end",
    "local t = {} for i = 1, 1e9 do t[i] = ('ABCDEFGHIJKLMNOP' .. i):lower():reverse() end",
    "local t = {} for i = 1, 1e9 do t[i] = string.format('%020d', i) .. tostring(i + 0.5) end",
    "local s = 'x' " TEN("s = s .. s .. s ") TEN("s = s .. s .. s "),
    "local function f(s) return f(s .. s) end while true do f('x') end",
    "local s = ('x'):rep(4e5) while true do pcall(function() return #(s .. s .. s .. s .. s) end) "
    "end",
    ("local t = {} while true do xpcall(function() while true do t[#t + 1] = tostring(#t + 0.5) "
     "end end, function(e) t[#t + 1] = tostring(e):upper() .. #t error(e, 0) end) end"),
};

static void push_function(struct script_case *test, const char *text)
{
    struct error error = {0};
    case_push_sandbox(test, LUA_NOREF);
    assert_true(chunk_load_text(test->state->L, text, strlen(text), "=hog",
                                lua_gettop(test->state->L), &error));
}

/* Call the function on top in a coroutine, with budgets that no hog uses up, until it is stopped for
 * its growth; what it left is collected. */
static int stop_hog(struct script_case *test, size_t grown, size_t limit)
{
    lua_State *L = test->state->L, *co = lua_newthread(L);
    lua_pushvalue(L, -2);
    lua_xmove(L, co, 1);
    state_guard(test->state, grown, limit);
    int status = lua_resume(co, 0);
    while (status == LUA_YIELD && state_growth(test->state) < (ptrdiff_t)(limit - grown)) {
        lua_pushinteger(co, 1000000000);
        status = lua_resume(co, 1);
    }
    if (status != LUA_YIELD) {
        assert_true(state_was_stopped(test->state));
        assert_non_null(strstr(lua_tostring(co, -1), "not enough memory"));
    }
    assert_in_range(state_growth(test->state), limit - grown, limit * LIMIT_RUN_MEMORY_REFUSED);
    state_unguard(test->state);
    lua_pop(L, 1);
    lua_gc(L, LUA_GCCOLLECT, 0);
    return status;
}

/* Again and again: so that the code has been compiled, and the collector is at other places. */
static void a_hog_is_stopped_however_hot_its_code_is_and_the_state_lives_on(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof hogs / sizeof *hogs; i++) {
        struct script_case *test = case_new();
        test->tick_yields = true;
        push_function(test, hogs[i]);
        for (int round = 0; round < 40; round++) {
            assert_int_not_equal(stop_hog(test, 0, 1 << 20), 0);
        }
        lua_settop(test->state->L, 0);
        case_push_sandbox(test, LUA_NOREF);
        assert_string_equal(case_run(test, "local t = {} for i = 1, 1e5 do t[i] = { i } end"), "");
        case_free(test);
    }
}

static void a_script_that_is_beyond_its_limit_looks_before_it_meets_an_error(void **state)
{
    (void)state;
    static const char *const grow[] = {
        "tostring(1) local t = {} for i = 1, 1e9 do t[i] = i .. '' end",
        "local t = {} local function add(i) t[i] = { i } end for i = 1, 1e9 do add(i) end",
    };
    for (size_t i = 0; i < sizeof grow / sizeof *grow; i++) {
        struct script_case *test = case_new();
        test->tick_yields = true;
        push_function(test, grow[i]);
        for (int round = 0; round < 40; round++) {
            assert_int_equal(stop_hog(test, 1 << 19, 1 << 20), LUA_YIELD);
        }
        case_free(test);
    }
}

static int take_much(lua_State *L)
{
    lua_newuserdata(L, LIMIT_RUN_MEMORY_REFUSED << 20);
    return 0;
}

static void what_is_far_beyond_the_limit_is_refused(void **state)
{
    (void)state;
    struct script_case *test = case_new();
    state_guard(test->state, 0, 1 << 20);
    assert_int_equal(lua_cpcall(test->state->L, take_much, NULL), LUA_ERRMEM);
    assert_true(state_was_stopped(test->state));
    assert_in_range(state_growth(test->state), 0, 1 << 20);
    state_unguard(test->state);
    case_free(test);
}

static void a_block_keeps_its_bytes_at_every_size(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 16, 17, 256, 257, 5000, 300, 256, 255, 17, 16, 3, 4096, 2};
    struct script_case *test = case_new();
    size_t before = test->state->memory.bytes, size = 1;
    uint8_t *block = state_allocate(test->state, NULL, 0, size);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        memset(block, (int)i + 1, size);
        size_t kept = size < sizes[i] ? size : sizes[i];
        block = state_allocate(test->state, block, size, sizes[i]);
        size = sizes[i];
        for (size_t at = 0; at < kept; at++) {
            assert_int_equal(block[at], i + 1);
        }
        assert_int_equal(test->state->memory.bytes, before + size);
    }
    state_allocate(test->state, block, size, 0);
    assert_int_equal(test->state->memory.bytes, before);
    case_free(test);
}

static void blocks_given_back_are_kept_up_to_a_limit(void **state)
{
    (void)state;
    enum { COUNT = 2 * LIMIT_STATE_SPARE / MEMORY_SMALL };
    static void *blocks[COUNT];
    struct script_case *test = case_new();
    for (size_t i = 0; i < COUNT; i++) {
        blocks[i] = state_allocate(test->state, NULL, 0, MEMORY_SMALL);
    }
    for (size_t i = 0; i < COUNT; i++) {
        state_allocate(test->state, blocks[i], MEMORY_SMALL, 0);
    }
    assert_in_range(test->state->memory.spared, 0, LIMIT_STATE_SPARE);
    case_free(test);
}

static void a_memory_error_can_be_caught_and_is_remembered(void **state)
{
    (void)state;
    struct script_case *test = case_new();
    case_push_sandbox(test, LUA_NOREF);
    state_guard(test->state, 0, 4 << 20);
    assert_string_equal(
        case_run(test, "local ok, e = pcall(function() local t = {} for i = 1, 1e9 do "
                       "t[i] = { i } end end) assert(not ok and e:find('not enough memory'))"),
        "");
    assert_true(state_was_stopped(test->state));
    state_unguard(test->state);
    state_guard(test->state, 0, 4 << 20);
    assert_false(state_was_stopped(test->state));
    state_unguard(test->state);
    case_free(test);
}

static void nothing_is_refused_outside_of_a_guard(void **state)
{
    (void)state;
    struct script_case *test = case_new();
    state_guard(test->state, 0, 0);
    state_unguard(test->state);
    lua_newuserdata(test->state->L, 32 << 20);
    assert_false(state_was_stopped(test->state));
    case_free(test);
}

/* An error of the main state would be caught by nobody, and one in a C function of scripts would
 * lose what that holds. */
static void a_reference_of_the_hosts_is_never_refused(void **state)
{
    (void)state;
    struct script_case *test = case_new();
    lua_State *L = test->state->L;
    state_guard(test->state, 0, 0);
    for (int i = 0; i < 5000; i++) { /* the registry must grow */
        lua_pushboolean(L, 1);
        int reference = state_ref(L);
        lua_rawgeti(L, LUA_REGISTRYINDEX, reference);
        assert_true(lua_toboolean(L, -1));
        lua_pop(L, 1);
    }
    assert_false(state_was_stopped(test->state));
    assert_true(test->state->memory.guarded);
    state_unguard(test->state);
    case_free(test);
}

static void growth_counts_what_is_collected(void **state)
{
    (void)state;
    struct script_case *test = case_new();
    lua_State *L = test->state->L;
    lua_gc(L, LUA_GCCOLLECT, 0);
    state_guard(test->state, 0, 64 << 20);
    lua_newuserdata(L, 60 << 20);
    assert_true(state_growth(test->state) >= 60 << 20);
    lua_settop(L, 0);
    for (unsigned cycles = 2; cycles > 0;) {
        cycles = state_collect(test->state, cycles, 100);
    }
    assert_true(state_growth(test->state) < 1 << 20);
    state_unguard(test->state);
    lua_newuserdata(L, 8 << 20);
    lua_gc(L, LUA_GCCOLLECT, 0);
    state_guard(test->state, 0, 1 << 20);
    lua_settop(L, 0);
    lua_gc(L, LUA_GCCOLLECT, 0);
    assert_true(state_growth(test->state) < 0);
    state_unguard(test->state);
    case_free(test);
}

/* ---- internal modules ---- */

static void an_internal_module_is_made_once_and_a_missing_one_is_named(void **state)
{
    (void)state;
    struct script_case *test = case_new();
    struct error error = {0};
    assert_true(state_require(test->state, "moonlit.text", &error));
    assert_true(state_require(test->state, "moonlit.text", &error));
    assert_true(lua_rawequal(test->state->L, -1, -2));
    assert_false(state_require(test->state, "moonlit.nothing", &error));
    assert_non_null(strstr(error.message, "moonlit.nothing"));
    case_free(test);
}

static void every_coroutine_finds_its_state(void **state)
{
    (void)state;
    struct script_case *test = case_new();
    assert_ptr_equal(state_of(test->state->L), test->state);
    assert_ptr_equal(state_of(lua_newthread(test->state->L)), test->state);
    case_free(test);
}

/* ---- files ---- */

struct file {
    char folder[64];
    char path[96];
};

static struct file new_file(const char *text)
{
    struct file file = {"/tmp/moonlit-test-XXXXXX", ""};
    assert_non_null(mkdtemp(file.folder));
    snprintf(file.path, sizeof file.path, "%s/app.lua", file.folder);
    FILE *out = fopen(file.path, "w");
    fputs(text, out);
    fclose(out);
    return file;
}

static void rewrite_file(const struct file *file, const char *text)
{
    FILE *out = fopen(file->path, "w");
    fputs(text, out);
    fclose(out);
}

static void remove_file(const struct file *file)
{
    unlink(file->path);
    rmdir(file->folder);
}

static void expect_result(struct script_case *test, struct chunk *chunk, int expected)
{
    lua_State *L = test->state->L;
    lua_newtable(L);
    chunk_instantiate(L, chunk, -1);
    assert_int_equal(lua_pcall(L, 0, 1, 0), 0);
    assert_int_equal(lua_tointeger(L, -1), expected);
    lua_settop(L, 0);
}

static void a_file_is_compiled_once_and_renewed_when_it_is_whole(void **state)
{
    (void)state;
    struct script_case *test = case_new();
    struct error error = {0};
    struct file file = new_file("return 1");
    struct chunk *chunk = chunk_load(test->state, file.path, &error);
    assert_non_null(chunk);
    rewrite_file(&file, "return 2");
    assert_ptr_equal(chunk_load(test->state, file.path, &error), chunk);
    expect_result(test, chunk, 1);
    assert_int_equal(chunk_refresh(test->state, &error), CHUNK_CHANGED);
    expect_result(test, chunk, 2);
    assert_int_equal(chunk_refresh(test->state, &error), CHUNK_SAME);
    rewrite_file(&file, "return (");
    assert_int_equal(chunk_refresh(test->state, &error), CHUNK_BROKEN);
    assert_memory_equal(error.message, file.path, strlen(file.path));
    expect_result(test, chunk, 2);
    remove_file(&file);
    assert_int_equal(chunk_refresh(test->state, &error), CHUNK_BROKEN);
    expect_result(test, chunk, 2);
    case_free(test);
}

static void instances_have_globals_of_their_own(void **state)
{
    (void)state;
    struct script_case *test = case_new();
    struct error error = {0};
    struct file file = new_file("n = (n or 0) + 1 return n");
    struct chunk *chunk = chunk_load(test->state, file.path, &error);
    expect_result(test, chunk, 1);
    expect_result(test, chunk, 1);
    remove_file(&file);
    case_free(test);
}

static void expect_refused(const char *text, const char *words)
{
    struct script_case *test = case_new();
    struct error error = {0};
    struct file file = new_file(text);
    assert_null(chunk_load(test->state, file.path, &error));
    if (strncmp(error.message, file.path, strlen(file.path)) != 0 ||
        strstr(error.message, words) == NULL) {
        fail_msg("%s", error.message);
    }
    remove_file(&file);
    case_free(test);
}

static void what_is_no_script_is_refused_with_a_sentence(void **state)
{
    (void)state;
    expect_refused("x = 1\nx = = 2", ":2: unexpected symbol near '='");
    expect_refused("\x1bLJ\x02", "this is bytecode");
    expect_refused("x = 1\nlocal _ml_n = 2", ":2: names that begin with _ml_");
    char *large = malloc((10 << 20) + 1);
    memset(large, '\n', 10 << 20);
    large[10 << 20] = '\0';
    expect_refused(large, "larger than 1024 KiB");
    size_t length = 0;
    for (int i = 0; i < 100000; i++) {
        length += (size_t)sprintf(large + length, "do ");
    }
    expect_refused(large, "chunk has too many syntax levels");
    length = 0;
    length += (size_t)sprintf(large, "x=");
    memset(large + length, '(', 100000);
    large[length + 100000] = '\0';
    expect_refused(large, "chunk has too many syntax levels");
    free(large);
    struct script_case *test = case_new();
    struct error error = {0};
    assert_null(chunk_load(test->state, "/nonexistent/app.lua", &error));
    assert_string_equal(error.message, "/nonexistent/app.lua: the file cannot be opened: "
                                       "No such file or directory");
    assert_null(chunk_load(test->state, "/tmp", &error));
    assert_string_equal(error.message, "/tmp: this is not a file");
    case_free(test);
}

static void expect_lines(const char *text, const char *expected)
{
    struct script_case *test = case_new();
    struct error error = {0};
    struct file file = new_file(text);
    struct buffer out;
    buffer_init(&out, 1 << 16);
    bool clean = chunk_check(test->state, file.path, &out, &error);
    assert_int_equal(clean, expected[0] == '\0');
    buffer_append(&out, "", 1);
    char whole[1024] = "";
    const char *mark = strchr(expected, '@');
    if (mark != NULL) {
        snprintf(whole, sizeof whole, "%s%s", file.path, mark + 1);
    }
    assert_string_equal((const char *)out.bytes, whole);
    buffer_deinit(&out);
    remove_file(&file);
    case_free(test);
}

static void check_finds_misspelt_globals_without_running(void **state)
{
    (void)state;
    expect_lines("local ui = require 'moonlit' total = 1 print(total, _G) error('never run')", "");
    expect_lines("local x = 1\nprnt(x)", "@:2: there is no global 'prnt'; did you mean 'print'?\n");
    expect_lines("total = 1 local function f() return totla end",
                 "@:1: there is no global 'totla'; did you mean 'total'?\n");
    expect_lines(
        "local function f()\n hidden = 1 end",
        "@:2: the global 'hidden' is assigned inside a function but not declared at the top "
        "level\n");
    expect_lines("x = ", "@:1: unexpected symbol near '<eof>'\n");
}

static void told(void *data, const char *path)
{
    snprintf(data, 128, "%s", path);
}

static void whoever_watches_is_told_of_each_file(void **state)
{
    (void)state;
    struct script_case *test = case_new();
    struct error error = {0};
    char seen[128] = "";
    struct file file = new_file("return (");
    state_set_on_file(test->state, told, seen);
    assert_null(chunk_load(test->state, file.path, &error));
    assert_string_equal(seen, file.path);
    remove_file(&file);
    case_free(test);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hog_is_stopped_however_hot_its_code_is_and_the_state_lives_on),
        cmocka_unit_test(a_script_that_is_beyond_its_limit_looks_before_it_meets_an_error),
        cmocka_unit_test(what_is_far_beyond_the_limit_is_refused),
        cmocka_unit_test(a_block_keeps_its_bytes_at_every_size),
        cmocka_unit_test(blocks_given_back_are_kept_up_to_a_limit),
        cmocka_unit_test(a_memory_error_can_be_caught_and_is_remembered),
        cmocka_unit_test(nothing_is_refused_outside_of_a_guard),
        cmocka_unit_test(a_reference_of_the_hosts_is_never_refused),
        cmocka_unit_test(growth_counts_what_is_collected),
        cmocka_unit_test(an_internal_module_is_made_once_and_a_missing_one_is_named),
        cmocka_unit_test(every_coroutine_finds_its_state),
        cmocka_unit_test(a_file_is_compiled_once_and_renewed_when_it_is_whole),
        cmocka_unit_test(instances_have_globals_of_their_own),
        cmocka_unit_test(what_is_no_script_is_refused_with_a_sentence),
        cmocka_unit_test(check_finds_misspelt_globals_without_running),
        cmocka_unit_test(whoever_watches_is_told_of_each_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
