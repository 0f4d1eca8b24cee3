/*
 * core.once(key, f): call f once per process, in a run of the host's own that belongs to no session
 * and is never superseded; everybody who asks for the same key waits for the one, and gets its
 * result or its error. A failure is not remembered. Misuse is answered with nil and a sentence.
 *
 * The table of keys is a Lua table in the registry: key -> single flight (userdata). Results are
 * kept as Lua values, so they must not be changed by those who get them.
 */
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "base/list.h"
#include "base/memory.h"
#include "bridge/state.h"
#include "limits.h"
#include "run/engine.h"
#include "run/op.h"
#include "run/run.h"

struct flight {
    struct engine *engine;
    struct run *run;     /* NULL when it has ended */
    struct list waiters; /* struct op_once */
    bool failed;
    int value; /* reference of the result or the error */
    char *key;
};

struct op_once {
    struct op op;
    struct list link;
    char *key;
    int function;          /* reference: what to call when nobody has yet */
    struct flight *flight; /* NULL before the start, and after it has landed */
    bool failed;
    int value;
};

static const char table_key;

static struct op_once *once_of(struct op *op)
{
    return list_item(op, struct op_once, op);
}

static void push_table(lua_State *L)
{
    lua_pushlightuserdata(L, (void *)&table_key);
    lua_rawget(L, LUA_REGISTRYINDEX);
}

static struct flight *find_flight(lua_State *L, const char *key)
{
    push_table(L);
    lua_pushstring(L, key);
    lua_rawget(L, -2);
    struct flight *flight = lua_touserdata(L, -1);
    lua_pop(L, 2);
    return flight;
}

static void put_flight(lua_State *L, const char *key, struct flight *flight)
{
    push_table(L);
    lua_pushstring(L, key);
    if (flight != NULL) {
        lua_pushlightuserdata(L, flight);
    } else {
        lua_pushnil(L);
    }
    lua_rawset(L, -3);
    lua_pop(L, 1);
}

static void free_flight(struct flight *flight)
{
    flight->engine->flights--;
    luaL_unref(flight->engine->state->L, LUA_REGISTRYINDEX, flight->value);
    free(flight->key);
    free(flight);
}

static void land(struct flight *flight)
{
    lua_State *L = flight->engine->state->L;
    while (!list_is_empty(&flight->waiters)) {
        struct op_once *op = list_item(list_take_first(&flight->waiters), struct op_once, link);
        lua_rawgeti(L, LUA_REGISTRYINDEX, flight->value);
        op->value = luaL_ref(L, LUA_REGISTRYINDEX);
        op->failed = flight->failed;
        op->flight = NULL;
        op_ready(&op->op);
    }
    if (flight->failed) {
        put_flight(L, flight->key, NULL);
        free_flight(flight);
    }
}

/* ---- the host's own run ---- */

static bool is_superseded(struct run *run)
{
    (void)run;
    return false;
}

static void nothing(struct run *run)
{
    (void)run;
}

static void on_branch_end(struct branch *branch, int status, int results)
{
    struct flight *flight = branch->run->data;
    lua_State *L = flight->engine->state->L;
    if (status != 0) {
        flight->value = branch->error;
        branch->error = LUA_NOREF;
    } else {
        lua_settop(branch->co, 1); /* the first result, or nil */
        lua_xmove(branch->co, L, 1);
        flight->value = luaL_ref(L, LUA_REGISTRYINDEX);
    }
    flight->failed = status != 0;
    run_finish(branch->run, status == 0 ? LEAVE_NOT : LEAVE_FAILED);
}

static void on_end(struct run *run)
{
    struct flight *flight = run->data;
    flight->run = NULL;
    if (run->leave != LEAVE_NOT && run->leave != LEAVE_FAILED) {
        lua_State *L = flight->engine->state->L;
        lua_pushfstring(L, "ui.once: %s",
                        run->failure != NULL ? run->failure->message : "the host is ending");
        flight->value = luaL_ref(L, LUA_REGISTRYINDEX);
        flight->failed = true;
    }
    land(flight);
}

static const struct run_owner once_owner = {nothing, nothing, is_superseded, on_end};

static struct flight *take_off(struct engine *engine, const char *key, int function)
{
    lua_State *L = engine->state->L;
    struct flight *flight = memory_new(sizeof *flight);
    flight->engine = engine;
    engine->flights++;
    flight->key = memory_copy_text(key);
    flight->value = LUA_NOREF;
    list_init(&flight->waiters);
    put_flight(L, key, flight);
    lua_rawgeti(L, LUA_REGISTRYINDEX, function);
    flight->run = run_new(engine, L, 0, NULL, &once_owner, flight);
    flight->run->main->on_end = on_branch_end;
    run_start(flight->run);
    return flight;
}

/* ---- the waiting ---- */

/* Only a run that may still begin something takes off. */
static void once_start(struct op *base)
{
    struct op_once *op = once_of(base);
    struct engine *engine = base->branch->run->engine;
    op->flight = find_flight(engine->state->L, op->key);
    if (op->flight == NULL) {
        op->flight = take_off(engine, op->key, op->function);
    }
    list_push_last(&op->flight->waiters, &op->link);
}

static int once_finish(struct op *base, lua_State *L)
{
    struct op_once *op = once_of(base);
    lua_pushboolean(L, !op->failed);
    lua_rawgeti(L, LUA_REGISTRYINDEX, op->value);
    return 2;
}

static void once_cancel(struct op *base)
{
    list_remove(&once_of(base)->link);
}

static void once_free(struct op *base)
{
    struct op_once *op = once_of(base);
    if (base->branch != NULL) {
        lua_State *L = base->branch->run->engine->state->L;
        luaL_unref(L, LUA_REGISTRYINDEX, op->value);
        luaL_unref(L, LUA_REGISTRYINDEX, op->function);
    }
    free(op->key);
    free(op);
}

static const struct op_type once_type = {"ui.once", once_start, once_finish, once_cancel,
                                         once_free};

static int once_call(lua_State *L)
{
    const char *key = luaL_checkstring(L, 1);
    luaL_checktype(L, 2, LUA_TFUNCTION);
    struct flight *flight = find_flight(L, key);
    if (flight != NULL && flight->run == NULL) {
        lua_pushboolean(L, 1);
        lua_rawgeti(L, LUA_REGISTRYINDEX, flight->value);
        return 2;
    }
    struct run *run = run_of(L);
    if (run != NULL && flight != NULL && run == flight->run) {
        lua_pushnil(L);
        lua_pushfstring(L, "ui.once(\"%s\") was called inside itself and would wait for ever", key);
        return 2;
    }
    if (flight == NULL && engine_of(L)->flights >= LIMIT_ONCE) {
        lua_pushnil(L);
        lua_pushfstring(L,
                        "ui.once keeps at most %d names: it is for what is done once per process, "
                        "not once per value",
                        LIMIT_ONCE);
        return 2;
    }
    struct op_once *op = memory_new(sizeof *op);
    op->op.type = &once_type;
    op->op.kind = OP_QUIET;
    op->key = memory_copy_text(key);
    lua_pushvalue(L, 2);
    op->function = state_ref(L);
    op->value = LUA_NOREF;
    list_init(&op->link);
    return op_wait(L, &op->op);
}

void lib_once_open(lua_State *L)
{
    lua_pushlightuserdata(L, (void *)&table_key);
    lua_newtable(L);
    lua_rawset(L, LUA_REGISTRYINDEX);
    lua_pushcfunction(L, once_call);
    lua_setfield(L, -2, "once");
}

/* Ending a run takes its flight out of the table, which lua_next allows for the key it is at. */
bool lib_once_stop(lua_State *L)
{
    bool is_left = false;
    push_table(L);
    for (lua_pushnil(L); lua_next(L, -2) != 0; lua_pop(L, 1)) {
        struct flight *flight = lua_touserdata(L, -1);
        if (flight->run != NULL) {
            run_leave(flight->run, LEAVE_SHUTDOWN);
            is_left = true;
        }
    }
    lua_pop(L, 1);
    return is_left;
}

void lib_once_close(lua_State *L)
{
    push_table(L);
    for (lua_pushnil(L); lua_next(L, -2) != 0; lua_pop(L, 1)) {
        free_flight(lua_touserdata(L, -1));
    }
    lua_pop(L, 1);
}
