/*
 * core.together(seconds or nil, f, ...): run each function in a branch of its own and wait for all.
 * The first error ends the others, those in a write or a shield after it, and is the call's own.
 * With seconds, what is not finished by then is ended the same way (ui.timeout).
 *
 * A function may come with a container to draw in: f is then a table {f, container}.
 */
#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "base/list.h"
#include "base/memory.h"
#include "bridge/state.h"
#include "limits.h"
#include "run/engine.h"
#include "run/failure.h"
#include "run/op.h"
#include "run/run.h"

struct op_together {
    struct op op;
    lua_State *L; /* the app's main state */
    struct alarm alarm;
    struct list children; /* struct child, of branches not ended */
    double seconds;       /* negative: no limit */
    int functions;        /* reference: the list of what to call */
    int results;          /* reference: [i] = {n = count, ...} */
    int error;            /* reference of the first error, or LUA_NOREF */
    int count;
    bool ending; /* an error or the time: the others are being ended */
};

struct child {
    struct list link;
    struct op_together *op;
    struct branch *branch;
    int number;
};

static struct op_together *together_of(struct op *op)
{
    return list_item(op, struct op_together, op);
}

static void end_child(struct child *child)
{
    list_remove(&child->link);
    branch_end(child->branch);
    free(child);
}

/* End every child that may end now; ready when none is left. */
static void sweep(struct op_together *op)
{
    list_each_safe (link, after, &op->children) {
        struct child *child = list_item(link, struct child, link);
        if (branch_is_busy(child->branch)) {
            child->branch->doomed = true;
        } else {
            end_child(child);
        }
    }
    if (list_is_empty(&op->children) && !op->op.ready) {
        alarm_clear(&op->op.branch->run->engine->clock, &op->alarm);
        op_ready(&op->op);
    }
}

/* `error` is the op's from here on: the first is the call's own, later ones go. */
static void begin_ending(struct op_together *op, int error)
{
    if (op->ending) {
        luaL_unref(op->L, LUA_REGISTRYINDEX, error);
    } else {
        op->ending = true;
        op->error = error;
    }
    sweep(op);
}

static void on_time(struct alarm *alarm)
{
    struct op_together *op = list_item(alarm, struct op_together, alarm);
    lua_State *L = op->L;
    lua_pushfstring(L, "ui.timeout: not finished after %f s", op->seconds);
    begin_ending(op, luaL_ref(L, LUA_REGISTRYINDEX));
}

static void keep_results(struct child *child, lua_State *co, int results)
{
    lua_State *L = child->op->L;
    lua_createtable(co, results, 1);
    lua_insert(co, 1);
    lua_pushinteger(co, results);
    lua_setfield(co, 1, "n");
    for (int i = results; i > 0; i--) {
        lua_rawseti(co, 1, i);
    }
    lua_rawgeti(L, LUA_REGISTRYINDEX, child->op->results);
    lua_xmove(co, L, 1);
    lua_rawseti(L, -2, child->number);
    lua_pop(L, 1);
}

static void on_child_end(struct branch *branch, int status, int results)
{
    struct child *child = branch->data;
    struct op_together *op = child->op;
    int error = LUA_NOREF;
    if (status == 0) {
        keep_results(child, branch->co, results);
    } else if (status != BRANCH_DOOMED) {
        error = branch->error;
        branch->error = LUA_NOREF;
    }
    end_child(child);
    if (status != 0) {
        begin_ending(op, error);
    } else if (op->ending || list_is_empty(&op->children)) {
        sweep(op);
    }
}

static void start_child(struct op_together *op, lua_State *L, int number)
{
    struct branch *parent = op->op.branch;
    struct child *child = memory_new(sizeof *child);
    child->op = op;
    child->number = number;
    lua_rawgeti(L, LUA_REGISTRYINDEX, op->functions);
    lua_rawgeti(L, -1, number);
    lua_rawgeti(L, -1, 1);
    child->branch = branch_new(parent->run, parent, L, 0);
    lua_rawgeti(L, -1, 2);
    if (!lua_isnil(L, -1)) {
        if (child->branch->container_reference != LUA_NOREF) {
            luaL_unref(L, LUA_REGISTRYINDEX, child->branch->container_reference);
        }
        child->branch->container_reference = luaL_ref(L, LUA_REGISTRYINDEX);
    } else {
        lua_pop(L, 1);
    }
    lua_pop(L, 2);
    child->branch->on_end = on_child_end;
    child->branch->data = child;
    list_push_last(&op->children, &child->link);
    branch_ready(child->branch);
}

static void together_start(struct op *base)
{
    struct op_together *op = together_of(base);
    struct engine *engine = base->branch->run->engine;
    for (int i = 1; i <= op->count; i++) {
        start_child(op, op->L, i);
    }
    if (op->seconds >= 0) {
        alarm_set(&engine->clock, &op->alarm, (uint64_t)(op->seconds * 1000), on_time);
    }
    if (op->count == 0) {
        op_ready(base);
    }
}

static int together_finish(struct op *base, lua_State *L)
{
    struct op_together *op = together_of(base);
    lua_pushboolean(L, op->error == LUA_NOREF);
    lua_rawgeti(L, LUA_REGISTRYINDEX, op->error == LUA_NOREF ? op->results : op->error);
    return 2;
}

/* The branch that waits is being ended, and its children with it; a run that ends has dropped them
 * before. */
static void together_cancel(struct op *base)
{
    struct op_together *op = together_of(base);
    struct run *run = base->branch->run;
    alarm_clear(&run->engine->clock, &op->alarm);
    while (!list_is_empty(&op->children)) {
        struct list *first = list_take_first(&op->children);
        struct child *child = list_item(first, struct child, link);
        if (run->state < RUN_FINISHED) {
            branch_end(child->branch);
        }
        free(child);
    }
}

static void together_free(struct op *base)
{
    struct op_together *op = together_of(base);
    luaL_unref(op->L, LUA_REGISTRYINDEX, op->functions);
    luaL_unref(op->L, LUA_REGISTRYINDEX, op->results);
    luaL_unref(op->L, LUA_REGISTRYINDEX, op->error);
    free(op);
}

static const struct op_type together_type = {"ui.together", together_start, together_finish,
                                             together_cancel, together_free};

static int together_call(lua_State *L)
{
    double seconds = luaL_optnumber(L, 1, -1);
    luaL_checktype(L, 2, LUA_TTABLE);
    int count = (int)lua_objlen(L, 2);
    struct run *run = run_of(L);
    int branches = 0;
    if (run != NULL) {
        list_each (link, &run->branches) {
            branches++;
        }
    }
    if (branches + count > LIMIT_RUN_BRANCHES) {
        return luaL_error(L, "a run has at most %d branches: give ui.together fewer functions",
                          LIMIT_RUN_BRANCHES);
    }
    lua_pushvalue(L, 2);
    lua_createtable(L, count, 0);
    struct op_together *op = memory_new(sizeof *op); /* no error from here on */
    op->op.type = &together_type;
    op->op.kind = OP_QUIET;
    op->L = state_of(L)->L;
    op->seconds = seconds;
    op->count = count;
    op->error = LUA_NOREF;
    list_init(&op->children);
    op->results = state_ref(L);
    op->functions = state_ref(L);
    return op_wait(L, &op->op);
}

void lib_together_open(lua_State *L)
{
    lua_pushcfunction(L, together_call);
    lua_setfield(L, -2, "together");
}
