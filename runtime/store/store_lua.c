#include "store/store_lua.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/bson.h"
#include "base/log.h"
#include "bridge/module.h"
#include "limits.h"
#include "store/key.h"
#include "store/regex.h"
#include "store/wire.h"

/* Functions for the FFI, in the order in which lua/store/core.lua declares them. */
struct store_api {
    double (*now)(void);
    bool (*check)(const uint8_t *, size_t, unsigned);
    bool (*key_append)(struct buffer *, uint8_t, const uint8_t *, bool);
    bool (*key_successor)(struct buffer *);
    const char *(*file_problem)(const struct file *);
    bool (*file_problem_is_full)(const struct file *);
    bool (*file_begin)(struct file *, bool);
    bool (*file_commit)(struct file *);
    void (*file_rollback)(struct file *);
    void (*file_pause)(struct file *);
    struct tree *(*tree_open)(struct file *, int, uint32_t);
    void (*tree_close)(struct tree *);
    bool (*tree_drop)(struct tree *);
    bool (*tree_clear)(struct tree *);
    bool (*record_put)(struct tree *, int64_t, const uint8_t *, size_t);
    bool (*record_delete)(struct tree *, int64_t);
    const uint8_t *(*record_get)(struct tree *, int64_t, size_t *);
    bool (*record_count)(struct tree *, int64_t *);
    bool (*record_last)(struct tree *, int64_t *);
    bool (*record_bytes)(struct tree *, int64_t *);
    bool (*index_put)(struct tree *, const uint8_t *, size_t, int64_t);
    bool (*index_delete)(struct tree *, const uint8_t *, size_t, int64_t);
    int64_t (*index_find)(struct tree *, const uint8_t *, size_t);
    bool (*pair_put)(struct tree *, const uint8_t *, size_t, const uint8_t *, size_t);
    bool (*pair_delete)(struct tree *, const uint8_t *, size_t);
    const uint8_t *(*pair_get)(struct tree *, const uint8_t *, size_t, size_t *);
    struct scan *(*scan_records)(struct tree *, int64_t, int64_t, bool);
    struct scan *(*scan_keys)(struct tree *, const uint8_t *, size_t, const uint8_t *, size_t,
                              bool);
    int (*scan_next)(struct scan *);
    void (*scan_close)(struct scan *);
};

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

static bool check(const uint8_t *bytes, size_t length, unsigned depth)
{
    return bson_check(bytes, length, depth, NULL);
}

static const struct store_api store_api = {
    now,         check,        key_append,    key_successor, file_problem, file_problem_is_full,
    file_begin,  file_commit,  file_rollback, file_pause,    tree_open,    tree_close,
    tree_drop,   tree_wipe,    record_put,    record_delete, record_get,   record_count,
    record_last, record_bytes, index_put,     index_delete,  index_find,   pair_put,
    pair_delete, pair_get,     scan_records,  scan_keys,     scan_next,    scan_close,
};

/* ---- functions for Lua ---- */

static struct store *store_of(lua_State *L)
{
    return lua_touserdata(L, lua_upvalueindex(1));
}

static int core_send(lua_State *L)
{
    size_t length;
    uint32_t id = (uint32_t)luaL_checknumber(L, 1);
    int operation = (int)luaL_checkinteger(L, 2);
    int32_t request = (int32_t)luaL_checknumber(L, 3);
    const char *bytes = luaL_checklstring(L, 4, &length);
    struct connection *connection = connection_find(store_of(L), id);
    if (connection != NULL) {
        connection_answer(connection, operation, request, bytes, length);
    }
    return 0;
}

static int core_finish(lua_State *L)
{
    struct connection *connection = connection_find(store_of(L), (uint32_t)luaL_checknumber(L, 1));
    if (connection != NULL) {
        connection_answer(connection, 0, 0, NULL, 0);
    }
    return 0;
}

static int core_close(lua_State *L)
{
    struct connection *connection = connection_find(store_of(L), (uint32_t)luaL_checknumber(L, 1));
    if (connection != NULL) {
        connection_close_later(connection);
    }
    return 0;
}

static int core_wake(lua_State *L)
{
    store_wake(store_of(L));
    return 0;
}

static int core_alarm(lua_State *L)
{
    lua_Number milliseconds = luaL_checknumber(L, 1);
    store_set_alarm(store_of(L), milliseconds < 0 ? 0 : (uint64_t)milliseconds);
    return 0;
}

/* ---- the state ---- */

/* A loader for require: the sources that are built into the binary. */
static int load_module(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    char chunk[200];
    for (const struct lua_module *module = lua_modules; module->name != NULL; module++) {
        if (strcmp(module->name, name) == 0) {
            lua_pushfstring(L, "@%s", module->path);
            snprintf(chunk, sizeof chunk, "%s", lua_tostring(L, -1));
            if (luaL_loadbuffer(L, module->start, (size_t)(module->end - module->start), chunk)) {
                return lua_error(L);
            }
            return 1;
        }
    }
    lua_pushfstring(L, "\n\tno module '%s' in the binary", name);
    return 1;
}

static void set_number(lua_State *L, const char *name, double number)
{
    lua_pushnumber(L, number);
    lua_setfield(L, -2, name);
}

static void push_limits(lua_State *L)
{
    lua_newtable(L);
    set_number(L, "document", LIMIT_DOCUMENT);
    set_number(L, "depth", LIMIT_DOCUMENT_DEPTH);
    set_number(L, "message", LIMIT_STORE_MESSAGE);
    set_number(L, "batch", LIMIT_STORE_BATCH);
    set_number(L, "connections", LIMIT_STORE_CONNECTIONS);
    set_number(L, "slice", LIMIT_STORE_SLICE);
    set_number(L, "steady", LIMIT_STORE_STEADY);
    set_number(L, "cursors", LIMIT_STORE_CURSORS);
    set_number(L, "cursor_time", LIMIT_STORE_CURSOR_TIME);
    set_number(L, "session_time", LIMIT_STORE_SESSION_TIME);
    set_number(L, "indexes", LIMIT_STORE_INDEXES);
    set_number(L, "sort", LIMIT_STORE_SORT);
}

static void push_core(struct store *store)
{
    static const luaL_Reg functions[] = {{"send", core_send},   {"finish", core_finish},
                                         {"close", core_close}, {"wake", core_wake},
                                         {"alarm", core_alarm}, {NULL, NULL}};
    lua_State *L = store->L;
    lua_newtable(L);
    for (const luaL_Reg *function = functions; function->name != NULL; function++) {
        lua_pushlightuserdata(L, store);
        lua_pushcclosure(L, function->func, 1);
        lua_setfield(L, -2, function->name);
    }
    regex_register(L);
    lua_pushlightuserdata(L, (void *)&store_api);
    lua_setfield(L, -2, "api");
    lua_pushlightuserdata(L, store->file);
    lua_setfield(L, -2, "file");
    lua_pushlightuserdata(L, &store->key);
    lua_setfield(L, -2, "key");
    push_limits(L);
    lua_setfield(L, -2, "limits");
    lua_pushstring(L, store->options.folder);
    lua_setfield(L, -2, "folder");
    lua_pushstring(L, store->address);
    lua_setfield(L, -2, "address");
    lua_pushliteral(L, MOONLIT_VERSION);
    lua_setfield(L, -2, "version");
    lua_pushboolean(L, store->options.test_commands);
    lua_setfield(L, -2, "test_commands");
    set_number(L, "pid", getpid());
}

static void prepend_loader(lua_State *L)
{
    lua_getglobal(L, "package");
    lua_getfield(L, -1, "loaders");
    lua_pushcfunction(L, load_module);
    lua_rawseti(L, -2, 2); /* behind the preloaded ones, in place of the search on the disk */
    lua_pop(L, 2);
}

/* Lua's own allocator. Above the limit a command fails, and not the process; what happens outside
 * of a protected call is let through. */
static void *allocate(void *data, void *block, size_t old_size, size_t new_size)
{
    struct store *store = data;
    if (store->is_guarded && new_size > old_size &&
        store->heap + (new_size - old_size) > LIMIT_STORE_HEAP) {
        return NULL;
    }
    void *result = store->allocate(store->allocate_data, block, old_size, new_size);
    if (result != NULL || new_size == 0) {
        store->heap += new_size - old_size;
    }
    return result;
}

static void limit_heap(struct store *store)
{
    store->heap = (size_t)lua_gc(store->L, LUA_GCCOUNT, 0) * 1024;
    store->allocate = lua_getallocf(store->L, &store->allocate_data);
    lua_setallocf(store->L, allocate, store);
}

static int open_protected(lua_State *L)
{
    struct store *store = lua_touserdata(L, 1);
    luaL_openlibs(L);
    prepend_loader(L);
    lua_getfield(L, LUA_REGISTRYINDEX, "_LOADED");
    push_core(store);
    lua_setfield(L, -2, "store.core");
    lua_getglobal(L, "require");
    lua_pushliteral(L, "store.server");
    lua_call(L, 1, 1);
    store->server = luaL_ref(L, LUA_REGISTRYINDEX);
    return 0;
}

bool store_lua_open(struct store *store, struct error *error)
{
    store->L = luaL_newstate();
    if (store->L == NULL) {
        return error_set(error, ERROR_SYSTEM, 0, "There is no memory for the store's Lua.");
    }
    limit_heap(store);
    if (lua_cpcall(store->L, open_protected, store) != 0) {
        return error_set(error, ERROR_SCRIPT, 0, "The store's Lua does not start: %s",
                         lua_tostring(store->L, -1));
    }
    return true;
}

void store_lua_close(struct store *store)
{
    if (store->L != NULL) {
        lua_setallocf(store->L, store->allocate, store->allocate_data);
        lua_close(store->L);
        store->L = NULL;
    }
}

/* ---- calls into Lua ---- */

static int add_traceback(lua_State *L)
{
    luaL_traceback(L, L, lua_tostring(L, 1), 1);
    return 1;
}

static bool push_server(struct store *store, const char *name)
{
    if (store->L == NULL) {
        return false;
    }
    lua_pushcfunction(store->L, add_traceback);
    lua_rawgeti(store->L, LUA_REGISTRYINDEX, store->server);
    lua_getfield(store->L, -1, name);
    lua_remove(store->L, -2);
    return true;
}

/* The function and its arguments are on the stack, the traceback below; true when it returned true.
 */
static bool call_server(struct store *store, int arguments, bool *result)
{
    lua_State *L = store->L;
    store->is_guarded = true;
    bool ok = lua_pcall(L, arguments, 1, -2 - arguments) == 0;
    store->is_guarded = false;
    if (!ok) {
        struct log log = {.level = LOG_INFO};
        log_write(&log, LOG_ERROR, "store: %s", lua_tostring(L, -1));
    }
    *result = ok && lua_toboolean(L, -1);
    lua_pop(L, 2);
    file_pause(store->file);
    return ok;
}

/* Bytes by name, and the names in a list. */
static void push_sections(lua_State *L, const struct wire_request *request)
{
    lua_createtable(L, (int)request->section_count, (int)request->section_count);
    for (size_t i = 0; i < request->section_count; i++) {
        const struct wire_section *section = &request->sections[i];
        lua_pushstring(L, section->name);
        lua_pushlstring(L, (const char *)section->bytes, section->length);
        lua_rawset(L, -3);
        lua_pushstring(L, section->name);
        lua_rawseti(L, -2, (int)i + 1);
    }
}

bool store_lua_receive(struct store *store, uint32_t connection, const struct wire_request *request)
{
    lua_State *L = store->L;
    bool result;
    if (!push_server(store, "receive")) {
        return false;
    }
    lua_pushnumber(L, connection);
    lua_pushnumber(L, request->id);
    lua_pushinteger(L, request->operation == WIRE_QUERY ? WIRE_REPLY : WIRE_MESSAGE);
    lua_pushboolean(L, request->wants_reply);
    lua_pushlstring(L, (const char *)request->body, request->body_length);
    push_sections(L, request);
    lua_pushstring(L, request->database);
    return call_server(store, 7, &result);
}

void store_lua_tell(struct store *store, const char *what, uint32_t connection)
{
    bool result;
    if (push_server(store, what)) {
        lua_pushnumber(store->L, connection);
        call_server(store, 1, &result);
    }
}

bool store_lua_turn(struct store *store)
{
    bool result = false;
    return push_server(store, "turn") && call_server(store, 0, &result) && result;
}
