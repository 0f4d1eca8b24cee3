/*
 * core.sleep(seconds): the shortest call that waits. The one to read first.
 */
#include <lauxlib.h>
#include <stdlib.h>

#include "api/api.h"
#include "base/list.h"
#include "base/memory.h"
#include "run/engine.h"
#include "run/op.h"
#include "run/run.h"

struct op_sleep {
    struct op op;
    struct alarm alarm;
    uint64_t milliseconds;
};

static struct op_sleep *sleep_of(struct op *op)
{
    return list_item(op, struct op_sleep, op);
}

static void on_alarm(struct alarm *alarm)
{
    op_ready(&list_item(alarm, struct op_sleep, alarm)->op);
}

static void sleep_start(struct op *op)
{
    struct op_sleep *sleep = sleep_of(op);
    alarm_set(&op->branch->run->engine->clock, &sleep->alarm, sleep->milliseconds, on_alarm);
}

static int sleep_finish(struct op *op, lua_State *L)
{
    (void)op;
    lua_pushboolean(L, 1);
    return 1;
}

static void sleep_cancel(struct op *op)
{
    alarm_clear(&op->branch->run->engine->clock, &sleep_of(op)->alarm);
}

static void sleep_free(struct op *op)
{
    free(sleep_of(op));
}

static const struct op_type sleep_type = {"sleep", sleep_start, sleep_finish, sleep_cancel,
                                          sleep_free};

static int sleep_call(lua_State *L)
{
    double seconds = luaL_checknumber(L, 1);
    luaL_argcheck(L, seconds >= 0 && seconds <= 86400, 1, "expected 0 to 86400 seconds");
    struct op_sleep *sleep = memory_new(sizeof *sleep);
    sleep->op.type = &sleep_type;
    sleep->op.kind = OP_QUIET;
    sleep->milliseconds = (uint64_t)(seconds * 1000 + 0.5);
    return op_wait(L, &sleep->op);
}

void lib_sleep_open(lua_State *L)
{
    lua_pushcfunction(L, sleep_call);
    lua_setfield(L, -2, "sleep");
}
