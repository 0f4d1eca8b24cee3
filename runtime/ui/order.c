/*
 * Who may stay where it is. The children of a container that were drawn in one flush must stand in
 * the order of their draws, behind those drawn earlier in the run. The most of them that already do
 * are the longest increasing subsequence of their present places.
 */
#include <stdlib.h>

#include "base/memory.h"
#include "ui/node.h"

enum { NOT_FOUND = 0 };

/* The ordinal of those looked for. */
#define WANTED UINT32_MAX

static bool can_stay(const struct work *work)
{
    return work->node->told && work->node->parent == work->parent;
}

/* Number the siblings behind what was drawn before; true when the works stand in order already. */
static bool number_siblings(struct node *parent, struct work *works, unsigned candidates)
{
    struct node *at = parent->last_drawn != NULL ? parent->last_drawn->next : parent->first;
    for (uint32_t ordinal = 1; at != NULL && candidates > 0; at = at->next) {
        if (at->ordinal == WANTED) {
            at->ordinal = ordinal++;
            candidates--;
        }
    }
    uint32_t before = NOT_FOUND;
    bool in_order = true;
    for (uint32_t i = parent->work_first; i != 0; i = works[i - 1].next) {
        struct node *node = works[i - 1].node;
        if (!can_stay(&works[i - 1])) {
            continue;
        }
        node->ordinal = node->ordinal == WANTED ? NOT_FOUND : node->ordinal;
        in_order = in_order && node->ordinal > before;
        before = node->ordinal;
    }
    return in_order;
}

static unsigned count_candidates(const struct node *parent, struct work *works)
{
    unsigned count = 0;
    for (uint32_t i = parent->work_first; i != 0; i = works[i - 1].next) {
        bool can = can_stay(&works[i - 1]);
        works[i - 1].node->ordinal = can ? WANTED : NOT_FOUND;
        count += can;
    }
    return count;
}

static void keep_all(const struct node *parent, struct work *works)
{
    for (uint32_t i = parent->work_first; i != 0; i = works[i - 1].next) {
        works[i - 1].stays = can_stay(&works[i - 1]);
    }
}

/* Where in `tails` the work goes: the first that does not stand before it. */
static unsigned find_pile(struct work **tails, unsigned count, uint32_t ordinal)
{
    unsigned low = 0;
    while (low < count) {
        unsigned middle = (low + count) / 2;
        if (tails[middle]->node->ordinal < ordinal) {
            low = middle + 1;
        } else {
            count = middle;
        }
    }
    return low;
}

/* Patience: tails[n] ends the best sequence of n + 1, and `before` leads back along it. */
static void keep_longest(const struct node *parent, struct work *works, unsigned candidates)
{
    struct work **tails = memory_new(2 * candidates * sizeof *tails);
    struct work **before = tails + candidates; /* by ordinal, from 1 */
    unsigned count = 0;
    for (uint32_t i = parent->work_first; i != 0; i = works[i - 1].next) {
        struct work *work = &works[i - 1];
        if (!can_stay(work) || work->node->ordinal == NOT_FOUND) {
            continue;
        }
        unsigned pile = find_pile(tails, count, work->node->ordinal);
        before[work->node->ordinal - 1] = pile > 0 ? tails[pile - 1] : NULL;
        tails[pile] = work;
        count += pile == count;
    }
    for (struct work *work = count > 0 ? tails[count - 1] : NULL; work != NULL;
         work = before[work->node->ordinal - 1]) {
        work->stays = true;
    }
    free(tails);
}

void order_find_staying(struct node *parent, struct work *works)
{
    unsigned candidates = count_candidates(parent, works);
    if (candidates == 0) {
        return;
    }
    if (number_siblings(parent, works, candidates)) {
        keep_all(parent, works);
    } else {
        keep_longest(parent, works, candidates);
    }
}
