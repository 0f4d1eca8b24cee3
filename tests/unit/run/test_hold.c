/* Holds and the ways to leave a run: what is an action, where it ends, what is waited for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <lauxlib.h>

#include "base/memory.h"
#include "bridge/state.h"
#include "run/engine.h"
#include "run/op.h"
#include "run/run.h"

enum { BUTTON = 7 };

struct place {
    uv_loop_t loop;
    struct log log;
    struct state *state;
    struct engine engine;
    struct run *run;    /* NULL when it has ended */
    struct op *waiting; /* the op under way */
    bool newer;         /* something newer waits */
    unsigned started, cancelled, commits;
    enum leave left;
};

/* ---- the owner ---- */

static void on_wait(struct run *run)
{
}

static void on_commit(struct run *run)
{
    ((struct place *)run->data)->commits++;
}

static bool is_superseded(struct run *run)
{
    return ((struct place *)run->data)->newer;
}

static void on_end(struct run *run)
{
    struct place *place = run->data;
    place->run = NULL;
    place->left = run->leave;
}

static const struct run_owner owner = {on_wait, on_commit, is_superseded, on_end};

/* ---- an op that is ready when the test says so ---- */

static struct place *place_of(lua_State *L)
{
    return engine_of(L)->host;
}

static void op_start(struct op *op)
{
    struct place *place = op->branch->run->data;
    place->started++;
    place->waiting = op;
}

static int op_finish(struct op *op, lua_State *L)
{
    return 0;
}

static void op_cancel(struct op *op)
{
    struct place *place = op->branch->run->data;
    place->cancelled++;
    place->waiting = NULL;
}

static void op_free(struct op *op)
{
    free(op);
}

static const struct op_type type = {"a test", op_start, op_finish, op_cancel, op_free};

static int wait_as(lua_State *L, enum op_kind kind)
{
    struct op *op = memory_new(sizeof *op);
    op->type = &type;
    op->kind = kind;
    return op_wait(L, op);
}

/* ---- what the scripts call ---- */

static int sleep_call(lua_State *L)
{
    return wait_as(L, OP_QUIET);
}

static int read_call(lua_State *L)
{
    return wait_as(L, OP_READ);
}

static int write_call(lua_State *L)
{
    return wait_as(L, OP_WRITE);
}

static int draw_call(lua_State *L)
{
    return run_before_draw(L, branch_of(L)) ? 0 : run_leave_here(L, LEAVE_SUPERSEDED);
}

static int press_call(lua_State *L)
{
    lua_pushboolean(L, run_receive_press(L, branch_of(L), BUTTON));
    return 1;
}

static int rerun_call(lua_State *L)
{
    return run_leave_here(L, LEAVE_RERUN);
}

static int look_call(lua_State *L)
{
    lua_pushboolean(L, run_is_action(run_of(L)));
    return 1;
}

static int commits_call(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)place_of(L)->commits);
    return 1;
}

/* ---- the place ---- */

static int set_up(void **test)
{
    static const luaL_Reg functions[] = {
        {"sleep", sleep_call},    {"read", read_call},       {"write", write_call},
        {"draw", draw_call},      {"press", press_call},     {"rerun", rerun_call},
        {"is_action", look_call}, {"commits", commits_call}, {"claim", hold_claim},
        {"end_hold", hold_end},   {"drop", hold_drop},       {"keep", hold_keep},
    };
    struct place *place = calloc(1, sizeof *place);
    struct error error = {0};
    struct engine_limits limits = {
        .cpu_ms = 10000, .wall_ms = 120000, .press_ms = 30000, .memory_bytes = 64 << 20};
    *test = place;
    uv_loop_init(&place->loop);
    place->state = state_new(&place->engine, &error);
    engine_init(&place->engine, &place->loop, &place->log, place->state, &limits, place);
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
        lua_pushcfunction(place->state->L, functions[i].func);
        lua_setglobal(place->state->L, functions[i].name);
    }
    return 0;
}

static int tear_down(void **test)
{
    struct place *place = *test;
    if (place->run != NULL) {
        run_finish(place->run, LEAVE_SHUTDOWN);
    }
    engine_close(&place->engine);
    uv_run(&place->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&place->loop), 0);
    state_free(place->state);
    free(place);
    return 0;
}

/* Let it go on until it waits or has ended. */
static void go_on(struct place *place)
{
    do {
        uv_run(&place->loop, UV_RUN_NOWAIT);
    } while (!list_is_empty(&place->engine.line));
}

static void start(struct place *place, bool pressed, const char *source)
{
    lua_State *L = place->state->L;
    if (luaL_loadbuffer(L, source, strlen(source), "@test.lua") != 0) {
        fail_msg("%s", lua_tostring(L, -1));
    }
    place->run = run_new(&place->engine, L, 0, NULL, &owner, place);
    if (pressed) {
        place->run->press = BUTTON;
        place->run->holds.press = PRESS_UNRECEIVED;
    }
    run_start(place->run);
    go_on(place);
}

static void answer(struct place *place)
{
    struct op *op = place->waiting;
    place->waiting = NULL;
    op_ready(op);
    go_on(place);
}

/* Something newer comes; true when the run gave way to it. */
static bool gives_way(struct place *place)
{
    place->newer = true;
    run_look(place->run);
    place->newer = false;
    return place->run == NULL && place->left == LEAVE_SUPERSEDED;
}

static void ends_well(struct place *place, bool pressed, const char *source)
{
    start(place, pressed, source);
    assert_null(place->run);
    assert_int_equal(place->left, LEAVE_NOT);
}

/* ---- views ---- */

static void a_view_gives_way_where_it_waits(void **test)
{
    struct place *place = *test;
    start(place, false, "read()");
    assert_true(gives_way(place));
    assert_int_equal(place->cancelled, 1);
}

static void a_view_begins_nothing_when_something_newer_waits(void **test)
{
    struct place *place = *test;
    place->newer = true;
    start(place, false, "pcall(write)");
    assert_null(place->run);
    assert_int_equal(place->left, LEAVE_SUPERSEDED);
    assert_int_equal(place->started, 0);
}

/* ---- the press ---- */

static void a_press_holds_until_its_button_was_called_and_thrown_away(void **test)
{
    struct place *place = *test;
    start(place, true, "sleep() assert(press()) assert(not press()) drop() sleep()");
    assert_false(gives_way(place));
    answer(place);
    assert_int_equal(place->commits, 1);
    assert_true(gives_way(place));
}

static void a_press_that_an_if_claimed_ends_with_just_this_claim(void **test)
{
    ends_well(*test, true,
              "assert(press()) local inner = claim() drop() assert(is_action())\n"
              "local outer = claim() end_hold(inner) assert(is_action())\n"
              "end_hold(outer) assert(not is_action() and commits() == 1)\n"
              "local again = claim() assert(is_action()) end_hold(again)");
}

static void a_press_that_is_kept_holds_to_the_end(void **test)
{
    struct place *place = *test;
    start(place, true, "press() keep(12, 1) drop() sleep()");
    assert_false(gives_way(place));
    assert_int_equal(place->run->holds.kept_line, 12);
}

static void a_press_that_is_dropped_is_received_by_nobody(void **test)
{
    struct place *place = *test;
    start(place, true, "sleep() assert(not press())");
    hold_drop_press(place->run);
    assert_int_equal(place->commits, 1);
    answer(place);
    assert_int_equal(place->left, LEAVE_NOT);
}

/* ---- callbacks, rows of writes, branches ---- */

static void callbacks_hold_from_the_start_of_the_run(void **test)
{
    struct place *place = *test;
    start(place, false, "sleep()");
    place->run->holds.callbacks = true;
    assert_false(gives_way(place));
    hold_end_callbacks(place->run);
    assert_int_equal(place->commits, 1);
    assert_true(gives_way(place));
}

static void a_row_of_writes_ends_at_a_draw(void **test)
{
    struct place *place = *test;
    start(place, false, "write() write() sleep() draw() read()");
    for (int i = 0; i < 2; i++) {
        assert_false(gives_way(place));
        answer(place);
    }
    assert_false(gives_way(place)); /* a sleep is no read */
    assert_int_equal(place->commits, 0);
    place->newer = true;
    answer(place);
    assert_int_equal(place->commits, 1);
    assert_int_equal(place->left, LEAVE_SUPERSEDED);
    assert_int_equal(place->started, 3);
}

static void a_row_of_writes_ends_at_the_start_of_a_read(void **test)
{
    struct place *place = *test;
    start(place, false, "write() read()");
    answer(place);
    assert_int_equal(place->commits, 1);
    assert_true(gives_way(place));
}

static struct branch *add_branch(struct place *place)
{
    luaL_loadstring(place->state->L, "");
    return branch_new(place->run, place->run->main, place->state->L, 0);
}

static void the_end_of_a_branch_commits_only_what_it_held(void **test)
{
    struct place *place = *test;
    start(place, false, "sleep()");
    branch_end(add_branch(place));
    assert_int_equal(place->commits, 0);
    struct branch *writer = add_branch(place);
    writer->row_of_writes = true;
    assert_false(gives_way(place));
    branch_end(writer);
    assert_int_equal(place->commits, 1);
    assert_true(gives_way(place));
}

static void a_branch_is_busy_when_one_inside_of_it_is(void **test)
{
    struct place *place = *test;
    start(place, false, "sleep()");
    struct branch *outer = add_branch(place), *beside = add_branch(place);
    struct branch *inner = add_branch(place);
    inner->parent = outer;
    inner->shields = 1;
    assert_true(branch_is_busy(outer) && branch_is_busy(inner) && !branch_is_busy(beside));
    outer->doomed = true;
    assert_true(branch_is_doomed(outer) && !branch_is_doomed(inner) && !branch_is_doomed(beside));
    inner->shields = 0;
    assert_true(!branch_is_busy(outer) && branch_is_doomed(inner));
}

/* ---- leaving ---- */

static void stop_waits_for_a_write_and_the_run_does_not_go_on(void **test)
{
    struct place *place = *test;
    start(place, false, "write() write()");
    run_leave(place->run, LEAVE_STOPPED);
    assert_non_null(place->run);
    answer(place);
    assert_int_equal(place->left, LEAVE_STOPPED);
    assert_int_equal(place->started, 1);
    assert_int_equal(place->cancelled, 0);
}

static void stop_waits_for_no_shield(void **test)
{
    struct place *place = *test;
    start(place, false, "sleep()");
    place->run->main->shields = 1;
    run_leave(place->run, LEAVE_STOPPED);
    assert_null(place->run);
    assert_int_equal(place->cancelled, 1);
}

static void the_stronger_reason_to_leave_counts(void **test)
{
    struct place *place = *test;
    start(place, false, "write()");
    run_leave(place->run, LEAVE_RERUN);
    run_leave(place->run, LEAVE_STOPPED);
    run_leave(place->run, LEAVE_RERUN);
    assert_int_equal(place->run->leave, LEAVE_STOPPED);
    run_leave(place->run, LEAVE_SHUTDOWN);
    answer(place);
    assert_int_equal(place->left, LEAVE_SHUTDOWN);
}

static void a_script_that_leaves_waits_for_the_shield_of_another_branch(void **test)
{
    struct place *place = *test;
    start(place, false, "sleep()");
    struct branch *other = add_branch(place);
    other->shields = 1;
    run_leave(place->run, LEAVE_RERUN);
    assert_non_null(place->run);
    answer(place); /* the first branch does not go on meanwhile */
    assert_non_null(place->run);
    run_leave(place->run, LEAVE_STOPPED);
    assert_null(place->run);
}

static void a_rerun_passes_through_pcall_and_its_own_shields(void **test)
{
    struct place *place = *test;
    start(place, false, "sleep() pcall(rerun) sleep()");
    place->run->main->shields = 1;
    answer(place);
    assert_int_equal(place->left, LEAVE_RERUN);
    assert_int_equal(place->started, 1);
}

#define promise(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        promise(a_view_gives_way_where_it_waits),
        promise(a_view_begins_nothing_when_something_newer_waits),
        promise(a_press_holds_until_its_button_was_called_and_thrown_away),
        promise(a_press_that_an_if_claimed_ends_with_just_this_claim),
        promise(a_press_that_is_kept_holds_to_the_end),
        promise(a_press_that_is_dropped_is_received_by_nobody),
        promise(callbacks_hold_from_the_start_of_the_run),
        promise(a_row_of_writes_ends_at_a_draw),
        promise(a_row_of_writes_ends_at_the_start_of_a_read),
        promise(the_end_of_a_branch_commits_only_what_it_held),
        promise(a_branch_is_busy_when_one_inside_of_it_is),
        promise(stop_waits_for_a_write_and_the_run_does_not_go_on),
        promise(stop_waits_for_no_shield),
        promise(the_stronger_reason_to_leave_counts),
        promise(a_script_that_leaves_waits_for_the_shield_of_another_branch),
        promise(a_rerun_passes_through_pcall_and_its_own_shields),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
