#include "base/memory.h"
#include "mongo/pool.h"
#include <assert.h>
#include <stdlib.h>

/* A quarter of the pool, at least one client where there are more, stays free of cursors. */
static unsigned most_pins(unsigned pool_size)
{
    return pool_size < 2 ? 1 : pool_size - (pool_size + 3) / 4;
}

/* NULL when there are too many. */
struct mongo_lease *lease_of_reply(struct member *member)
{
    struct mongo *mongo = member->mongo;
    if (mongo->stopping || mongo->stats.clients_pinned >= most_pins(mongo->settings.pool_size)) {
        return NULL;
    }
    struct mongo_lease *lease = memory_new(sizeof *lease);
    lease->mongo = mongo;
    lease->member = member;
    lease->server = member->client.call.replied;
    lease->cursor = member->client.call.cursor;
    lease->database = member->client.call.database;
    member->client.call.database = NULL;
    member->lease = lease;
    list_push_last(&mongo->leases, &lease->link);
    mongo->stats.clients_pinned++;
    return lease;
}

/* The cursor is no more, for whatever reason; the member is free to settle. */
void lease_lose(struct mongo_lease *lease)
{
    if (lease->member) {
        lease->member->lease = NULL;
        lease->member = NULL;
        lease->mongo->stats.clients_pinned--;
    }
}

void lease_after_call(struct mongo_lease *lease, struct member *member)
{
    const struct call *call = &member->client.call;
    bool at_end = call->ok && call->cursor.name[0] && call->cursor.id == 0;
    bool broken = !member->client.driver || wire_is_cut(&member->client.wire);
    if (at_end || broken) {
        lease_lose(lease);
    }
}

/* The call that kills the cursor goes to the member as that of a request that nobody waits for. */
static void kill_cursor(struct mongo_lease *lease, struct member *member)
{
    struct call *call = &member->client.call;
    call_clear(call);
    call->ok = true;
    call->cursor = lease->cursor;
    call->replied = lease->server;
    call->database = lease->database;
    lease->database = NULL;
}

void mongo_lease_release(struct mongo_lease *lease)
{
    struct member *member = lease->member;
    if (member) {
        assert(!member->request);
        kill_cursor(lease, member);
        lease_lose(lease);
        member_settle(member);
    }
    list_remove(&lease->link);
    free(lease->database);
    free(lease);
}

bool mongo_lease_is_open(const struct mongo_lease *lease)
{
    return lease->member != NULL;
}
