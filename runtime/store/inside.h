/* What the files of the store process share: store.c, connection.c, store_lua.c. For no one else.
 */
#ifndef MOONLIT_STORE_INSIDE_H
#define MOONLIT_STORE_INSIDE_H

#include <lua.h>
#include <uv.h>

#include "base/buffer.h"
#include "base/list.h"
#include "store/file.h"
#include "store/store.h"

struct connection;

enum { STORE_LISTENERS = 3 };

struct store {
    struct store_options options;
    uv_loop_t loop;
    union {
        uv_stream_t stream;
        uv_pipe_t pipe;
        uv_tcp_t tcp;
    } listeners[STORE_LISTENERS];
    size_t listener_count;
    uv_signal_t signals[2];
    uv_pipe_t parent;
    uv_idle_t idle;   /* runs while commands are ready to go on */
    uv_timer_t alarm; /* the next moment for which Lua asked */
    uv_timer_t checkpoint;
    struct list connections;
    size_t connection_count;
    uint32_t last_connection;
    struct file *file;
    struct buffer key; /* where Lua puts keys together */
    lua_State *L;
    lua_Alloc allocate; /* Lua's own */
    void *allocate_data;
    size_t heap;     /* bytes that Lua holds */
    bool is_guarded; /* its limit holds */
    int server;      /* registry reference of the module store.server */
    bool is_stopping;
    char unused[16];   /* what a parent would say */
    char address[300]; /* as hello tells it: a path or host:port */
};

/* ---- store.c ---- */

/* Call when Lua or a connection may have made work: starts what is to follow. */
void store_continue(struct store *store);
void store_wake(struct store *store);
void store_set_alarm(struct store *store, uint64_t milliseconds);

/* ---- connection.c ---- */

/* Accept what waits at a listener. */
void store_accept(struct store *store, uv_stream_t *listener);
struct connection *connection_find(struct store *store, uint32_t id);

/* Hand the next whole request to Lua, if the last one is answered. */
void connection_process(struct connection *connection);
void connection_process_all(struct store *store);

/* Answer the request under way; without bytes it gets no answer. */
void connection_answer(struct connection *connection, int operation, int32_t request,
                       const char *bytes, size_t length);
void connection_close(struct connection *connection);
/* The same from within Lua: it happens when Lua has returned. */
void connection_close_later(struct connection *connection);
void connection_close_all(struct store *store);

/* ---- store_lua.c ---- */

struct wire_request;

bool store_lua_open(struct store *store, struct error *error);
void store_lua_close(struct store *store);

/* A request arrived; a connection was opened or closed; commands may go on; time to look at clocks.
 */
bool store_lua_receive(struct store *store, uint32_t connection,
                       const struct wire_request *request);
void store_lua_tell(struct store *store, const char *what, uint32_t connection);
bool store_lua_turn(struct store *store);

#endif
