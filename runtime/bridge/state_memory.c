/*
 * The memory account of a Lua state: the allocator, the guard around each resume, and collecting in
 * small pieces. bridge/state.h has the story.
 *
 * LuaJIT does not survive every refusal: in compiled code, and in functions like string.lower that
 * it runs without a frame of their own, it raises "not enough memory" with its stack as another call
 * left it, and may crash. So the allocator gives what is asked for and has the script stopped where
 * an error is safe, at its next instruction (`on_look`), and refuses only what is far beyond.
 *
 * A run makes and drops some fifty small blocks; malloc for them costs as much as drawing three
 * elements. So blocks that were given back wait in lists by size: LuaJIT always says how large a
 * block is.
 */
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bridge/state.h"
#include "limits.h"

struct spare {
    struct spare *next;
};

/* In a build with assertions all come from malloc, so that its sanitizers see what is used behind
 * its end, or when it has been given back. */
#ifdef NDEBUG
enum { SMALL = MEMORY_SMALL };
#else
enum { SMALL = 0 };
#endif

/* ---- small blocks ---- */

/* The list of spare blocks of this size; NULL for large ones, and for none. */
static struct spare **spares_of(struct memory_account *account, size_t size)
{
    return size > 0 && size <= SMALL ? &account->spares[(size - 1) / MEMORY_STEP] : NULL;
}

static size_t whole_steps(size_t size)
{
    return (size + MEMORY_STEP - 1) / MEMORY_STEP * MEMORY_STEP;
}

static void *take_block(struct memory_account *account, size_t size)
{
    struct spare **spares = spares_of(account, size);
    if (spares == NULL) {
        return malloc(size);
    }
    struct spare *spare = *spares;
    if (spare == NULL) {
        return malloc(whole_steps(size));
    }
    *spares = spare->next;
    account->spared -= whole_steps(size);
    return spare;
}

static void give_block(struct memory_account *account, void *memory, size_t size)
{
    struct spare **spares = spares_of(account, size);
    if (spares == NULL || account->spared + whole_steps(size) > LIMIT_STATE_SPARE) {
        free(memory);
        return;
    }
    struct spare *spare = memory;
    spare->next = *spares;
    *spares = spare;
    account->spared += whole_steps(size);
}

static void *resize_block(struct memory_account *account, void *memory, size_t old_size,
                          size_t size)
{
    if (old_size > SMALL && size > SMALL) {
        return realloc(memory, size);
    }
    void *moved = take_block(account, size);
    if (moved != NULL && old_size > 0) {
        memcpy(moved, memory, old_size < size ? old_size : size);
        give_block(account, memory, old_size);
    }
    return moved;
}

void state_free_spares(struct state *state)
{
    for (size_t i = 0; i < MEMORY_SMALL / MEMORY_STEP; i++) {
        for (struct spare *spare = state->memory.spares[i], *next; spare != NULL; spare = next) {
            next = spare->next;
            free(spare);
        }
    }
}

/* ---- the account ---- */

/* The count hook of chunks that have no counter: it is their counter. */
static void on_count(lua_State *L, lua_Debug *activation)
{
    (void)activation;
    int top = lua_gettop(L);
    state_of(L)->functions.tick(L);
    lua_settop(L, top);
}

static void set_usual_hook(struct state *state)
{
    bool counts = state->interpreted > 0;
    lua_sethook(state->L, counts ? on_count : NULL, counts ? LUA_MASKCOUNT : 0, 1000);
}

void state_end_demand(struct state *state)
{
    struct memory_account *account = &state->memory;
    if (account->demands > 0) {
        account->demands = 0;
        lua_gc(state->L, LUA_GCSETSTEPMUL, account->usual_multiplier);
        set_usual_hook(state);
    }
}

/* The next instruction behind a demand: look, or meet an error. */
static void on_look(lua_State *L, lua_Debug *activation)
{
    struct state *state = state_of(L);
    state_end_demand(state);
    state_run_down(L, 0);
    if (state->memory.bytes > state->memory.stop_at) {
        state->memory.stopped = true;
        state_push_place(L, 0);
        lua_pushliteral(L, "not enough memory");
        lua_concat(L, 2);
        lua_error(L);
    }
    if (state->interpreted > 0) {
        on_count(L, activation);
    }
}

/* The hook is called at the next instruction of the interpreter. Compiled code knows no hooks; it
 * comes back to the interpreter when the collector has marked everything, so that is made to go on
 * at the next allocation: by a large step, and where that was not enough or much is at stake, to the
 * end. Only numbers are set: the allocator is called in the middle of everything. */
static void demand_look(struct state *state)
{
    enum { LARGE_STEP = 1000000 }; /* percent: some 10 MiB in one go */
    struct memory_account *account = &state->memory;
    bool is_urgent = account->demands > 0 || account->bytes > account->stop_at;
    int before = lua_gc(state->L, LUA_GCSETSTEPMUL, is_urgent ? 0 : LARGE_STEP);
    lua_gc(state->L, LUA_GCRESTART, 0);
    if (account->demands == 0) {
        account->usual_multiplier = before;
        lua_sethook(state->L, on_look, LUA_MASKCOUNT, 1);
    }
    account->look_at = account->bytes + (account->look_step << account->demands);
    account->demands++;
}

static void *refuse(struct state *state)
{
    if (state->memory.demands == 0) { /* an error handler, which has no hooks, may ask in a loop */
        demand_look(state);
    }
    state->memory.stopped = true;
    return NULL;
}

void *state_allocate(void *data, void *memory, size_t old_size, size_t size)
{
    struct state *state = data;
    struct memory_account *account = &state->memory;
    if (size == 0) {
        give_block(account, memory, old_size);
        account->bytes -= old_size;
        return NULL;
    }
    bool counts = account->guarded && size > old_size;
    if (counts && account->bytes + (size - old_size) > account->refuse_at) {
        return refuse(state);
    }
    void *moved = resize_block(account, memory, old_size, size);
    if (moved == NULL) {
        return NULL;
    }
    account->bytes += size - old_size;
    if (account->bytes > account->highest) {
        account->highest = account->bytes;
    }
    if (counts && account->bytes > account->look_at) {
        demand_look(state);
    }
    return moved;
}

void state_guard(struct state *state, size_t grown, size_t limit)
{
    struct memory_account *account = &state->memory;
    size_t end = account->bytes + limit - (grown < limit ? grown : limit);
    account->before = account->bytes;
    account->look_step = limit / 8;
    account->look_at = end + account->look_step;
    account->stop_at = end + limit;
    account->refuse_at = end + (LIMIT_RUN_MEMORY_REFUSED - 1) * limit;
    account->guarded = true;
    account->stopped = false;
    if (state->interpreted > 0) {
        set_usual_hook(state);
    }
}

void state_unguard(struct state *state)
{
    state->memory.guarded = false;
    state_end_demand(state);
    if (state->interpreted > 0) {
        lua_sethook(state->L, NULL, 0, 0);
    }
}

void state_add_interpreted(struct state *state)
{
    state->interpreted++;
    if (state->memory.demands == 0) { /* else when it has ended */
        set_usual_hook(state);
    }
}

bool state_set_guarded(struct state *state, bool guarded)
{
    bool before = state->memory.guarded;
    state->memory.guarded = guarded;
    return before;
}

int state_ref(lua_State *L)
{
    struct state *state = state_of(L);
    bool was_guarded = state_set_guarded(state, false);
    int reference = luaL_ref(L, LUA_REGISTRYINDEX);
    state_set_guarded(state, was_guarded);
    return reference;
}

ptrdiff_t state_growth(const struct state *state)
{
    return (ptrdiff_t)state->memory.bytes - (ptrdiff_t)state->memory.before;
}

bool state_was_stopped(const struct state *state)
{
    return state->memory.stopped;
}

static uint64_t microseconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

unsigned state_collect(struct state *state, unsigned cycles, unsigned microseconds)
{
    enum { STEP = 10000 }; /* percent: some 100 KiB in one go */
    uint64_t end = microseconds_now() + microseconds;
    bool was_guarded = state_set_guarded(state, false);
    state_end_demand(state);
    int usual = lua_gc(state->L, LUA_GCSETSTEPMUL, STEP);
    while (cycles > 0 && microseconds_now() < end) {
        cycles -= lua_gc(state->L, LUA_GCSTEP, 0) != 0 ? 1 : 0;
    }
    lua_gc(state->L, LUA_GCSETSTEPMUL, usual);
    state_set_guarded(state, was_guarded);
    return cycles;
}
