/*
 * "moonlit.core.mongo": one call that waits, core.run, through which lua/moonlit/mongo.lua does
 * everything: run this command in that database. It follows op.h: true, the reply as a view and the
 * lease of an open cursor; or false and a table with what is known of the error.
 *
 * A lease lives as a userdata. Its server cursor ends when it is released, when the userdata is
 * collected, or with the run that opened it, whichever comes first.
 */
#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "base/list.h"
#include "base/memory.h"
#include "bridge/state.h"
#include "bridge/view.h"
#include "limits.h"
#include "mongo/mongo.h"
#include "run/defer.h"
#include "run/engine.h"
#include "run/op.h"
#include "run/run.h"

#define LEASE_TYPE "moonlit.lease"

struct lease {
    struct mongo_lease *lease; /* NULL: released */
    struct defer defer;        /* with the run */
    bool busy;                 /* a command is under way on it */
    bool closing;              /* release it when that has ended */
};

struct op_command {
    struct op op;
    struct mongo_request *request; /* while it is under way */
    struct mongo_command command;
    char *database;
    uint8_t *bytes;
    struct lease *lease; /* of getMore; kept by the reference */
    int lease_reference;
    lua_State *L; /* the app's main state */
    struct mongo_result result;
};

static struct op_command *command_of(struct op *op)
{
    return list_item(op, struct op_command, op);
}

/* ---- leases ---- */

static void lease_release(struct lease *lease)
{
    if (lease->lease == NULL) {
        return;
    }
    if (lease->busy) {
        lease->closing = true;
        return;
    }
    defer_remove(&lease->defer);
    mongo_lease_release(lease->lease);
    lease->lease = NULL;
}

static void on_run_end(struct defer *defer)
{
    struct lease *lease = list_item(defer, struct lease, defer);
    lease->busy = false; /* the run's ops have been cancelled before */
    lease_release(lease);
}

/* Raises nothing but for want of memory; before the call the lease must be safe elsewhere. */
static struct lease *lease_new(lua_State *L)
{
    struct lease *lease = lua_newuserdata(L, sizeof *lease);
    *lease = (struct lease){0};
    list_init(&lease->defer.link);
    luaL_getmetatable(L, LEASE_TYPE);
    lua_setmetatable(L, -2);
    return lease;
}

static void lease_push(lua_State *L, struct run *run, struct mongo_result *result)
{
    struct lease *lease = lease_new(L);
    lease->lease = result->lease;
    result->lease = NULL;
    lease->defer.call = on_run_end;
    run_defer(run, &lease->defer);
}

static void lease_end_use(struct lease *lease)
{
    lease->busy = false;
    if (lease->closing) {
        lease_release(lease);
    }
}

static struct lease *check_lease(lua_State *L)
{
    return luaL_checkudata(L, 1, LEASE_TYPE);
}

static int release(lua_State *L)
{
    lease_release(check_lease(L));
    return 0;
}

static int is_open(lua_State *L)
{
    struct lease *lease = check_lease(L);
    lua_pushboolean(L,
                    lease->lease != NULL && !lease->closing && mongo_lease_is_open(lease->lease));
    return 1;
}

static int is_busy(lua_State *L)
{
    lua_pushboolean(L, check_lease(L)->busy);
    return 1;
}

/* ---- results ---- */

static void set_text(lua_State *L, const char *name, const char *text)
{
    if (text[0] != '\0') {
        lua_pushstring(L, text);
        lua_setfield(L, -2, name);
    }
}

/* false and { code, code_name, message, labels, unknown } */
static int push_error(lua_State *L, const struct mongo_error *error)
{
    lua_pushboolean(L, 0);
    lua_createtable(L, 0, 5);
    if (error->code != 0) {
        lua_pushinteger(L, error->code);
        lua_setfield(L, -2, "code");
    }
    set_text(L, "code_name", error->code_name);
    set_text(L, "message", error->message);
    if (error->unknown) {
        lua_pushboolean(L, 1);
        lua_setfield(L, -2, "unknown");
    }
    lua_createtable(L, (int)error->label_count, 0);
    for (unsigned i = 0; i < error->label_count && i < LIMIT_MONGO_LABELS; i++) {
        lua_pushstring(L, error->labels[i]);
        lua_rawseti(L, -2, (int)i + 1);
    }
    lua_setfield(L, -2, "labels");
    return 2;
}

static int push_refusal(lua_State *L, const char *message)
{
    struct mongo_error error = {0};
    snprintf(error.message, sizeof error.message, "%s", message);
    return push_error(L, &error);
}

static void push_reply(lua_State *L, const struct mongo_result *result)
{
    memcpy(view_push_batch(L, result->length), result->reply, result->length);
    view_push(L, -1, lua_touserdata(L, -1), result->length, false);
    lua_remove(L, -2);
}

/* ---- the op ---- */

static void on_done(void *data, struct mongo_result *result)
{
    struct op_command *op = data;
    op->request = NULL;
    op->result = *result;
    result->reply = NULL;
    result->lease = NULL;
    op_ready(&op->op);
}

static void command_start(struct op *base)
{
    struct op_command *op = command_of(base);
    struct run *run = base->branch->run;
    unsigned left = run_time_left(run);
    if (op->command.max_time_ms == 0 || op->command.max_time_ms > left) {
        op->command.max_time_ms = left;
    }
    if (op->lease != NULL) {
        op->lease->busy = true;
    }
    op->request = mongo_start(run_mongo(run), run_gate(run), &op->command, on_done, op);
}

static int command_finish(struct op *base, lua_State *L)
{
    struct op_command *op = command_of(base);
    if (!op->result.ok) {
        return push_error(L, &op->result.error);
    }
    lua_pushboolean(L, 1);
    push_reply(L, &op->result);
    if (op->result.lease == NULL) {
        return 2;
    }
    lease_push(L, base->branch->run, &op->result);
    return 3;
}

static void command_cancel(struct op *base)
{
    struct op_command *op = command_of(base);
    if (op->request == NULL) {
        return;
    }
    bool nothing_happened = mongo_cancel(op->request);
    op->request = NULL;
    if (base->kind == OP_WRITE && !nothing_happened) {
        base->branch->run->write_unknown = true;
    }
}

static void command_free(struct op *base)
{
    struct op_command *op = command_of(base);
    if (op->lease != NULL) {
        lease_end_use(op->lease);
        luaL_unref(op->L, LUA_REGISTRYINDEX, op->lease_reference);
    }
    if (op->result.lease != NULL) {
        mongo_lease_release(op->result.lease);
    }
    free(op->result.reply);
    free(op->database);
    free(op->bytes);
    free(op);
}

static const struct op_type read_type = {"a read from the database", command_start, command_finish,
                                         command_cancel, command_free};
static const struct op_type write_type = {"a write to the database", command_start, command_finish,
                                          command_cancel, command_free};

static struct op_command *command_new(lua_State *L, const char *database, int bytes_index,
                                      enum mongo_kind kind)
{
    size_t length;
    const char *bytes = luaL_checklstring(L, bytes_index, &length);
    struct op_command *op = memory_new(sizeof *op);
    op->op.type = kind == MONGO_WRITE ? &write_type : &read_type;
    op->op.kind = kind == MONGO_WRITE ? OP_WRITE : OP_READ;
    op->L = state_of(L)->L;
    op->database = memory_copy_text(database);
    op->bytes = memory_copy(bytes, length);
    op->command = (struct mongo_command){
        .database = op->database, .bson = op->bytes, .length = length, .kind = kind};
    return op;
}

static unsigned opt_milliseconds(lua_State *L, int index)
{
    double ms = luaL_optnumber(L, index, 0);
    return ms < 1 || ms > LIMIT_MONGO_SOCKET_TIME ? 0 : (unsigned)ms;
}

/* Why there can be no command here, or NULL. */
static const char *why_not(lua_State *L)
{
    struct run *run = run_of(L);
    return run == NULL              ? "the database can only be used while a script runs"
           : run_mongo(run) == NULL ? "there is no database: start Moonlit with --database URI"
                                    : NULL;
}

/* run(database or nil, command, "read" or "write", keeps_cursor, milliseconds or nil) */
static int run_command(lua_State *L)
{
    static const char *const kinds[] = {"read", "write", NULL};
    enum mongo_kind kind = luaL_checkoption(L, 3, NULL, kinds) == 1 ? MONGO_WRITE : MONGO_READ;
    bool keeps_cursor = lua_toboolean(L, 4);
    unsigned milliseconds = opt_milliseconds(L, 5);
    const char *problem = why_not(L);
    if (problem != NULL) {
        return push_refusal(L, problem);
    }
    const char *database = lua_isnoneornil(L, 1) ? mongo_default_database(run_mongo(run_of(L)))
                                                 : luaL_checkstring(L, 1);
    struct op_command *op = command_new(L, database, 2, kind);
    op->command.keeps_cursor = keeps_cursor;
    op->command.max_time_ms = milliseconds;
    return op_wait(L, &op->op);
}

/* more(lease, database or nil, command): getMore on the client that has the cursor */
static int more(lua_State *L)
{
    struct lease *lease = check_lease(L);
    const char *problem = why_not(L);
    if (problem != NULL) {
        return push_refusal(L, problem);
    }
    if (lease->lease == NULL || lease->closing) {
        return push_refusal(L, "the cursor is closed: it ends with the run that opened it");
    }
    if (lease->busy) {
        return push_refusal(L, "the cursor is being read by another function: give each its own");
    }
    const char *database = lua_isnoneornil(L, 2) ? mongo_default_database(run_mongo(run_of(L)))
                                                 : luaL_checkstring(L, 2);
    struct op_command *op = command_new(L, database, 3, MONGO_READ);
    op->command.lease = lease->lease;
    lua_pushvalue(L, 1);
    op->lease_reference = state_ref(L);
    op->lease = lease;
    return op_wait(L, &op->op);
}

/* default_database(): its name, or nil and why not */
static int default_database(lua_State *L)
{
    const char *problem = why_not(L);
    if (problem != NULL) {
        lua_pushnil(L);
        lua_pushstring(L, problem);
        return 2;
    }
    lua_pushstring(L, mongo_default_database(run_mongo(run_of(L))));
    return 1;
}

/* place(): file and line of the script's call now running; 0 when there is none */
static int place(lua_State *L)
{
    char file[256] = "";
    int line = run_line(L, file, sizeof file);
    lua_pushstring(L, file);
    lua_pushinteger(L, line);
    return 2;
}

int luaopen_moonlit_core_mongo(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"run", run_command}, {"more", more},       {"release", release},
        {"is_open", is_open}, {"is_busy", is_busy}, {"default_database", default_database},
        {"place", place},     {NULL, NULL},
    };
    luaL_newmetatable(L, LEASE_TYPE);
    lua_pushcfunction(L, release);
    lua_setfield(L, -2, "__gc");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
    lua_newtable(L);
    for (const luaL_Reg *function = functions; function->name != NULL; function++) {
        lua_pushcfunction(L, function->func);
        lua_setfield(L, -2, function->name);
    }
    return 1;
}
