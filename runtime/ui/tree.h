/*
 * A session's tree: what its page has been told. It is the only memory of the page; each flush
 * of a run commits into it and writes the difference as operations.
 *
 * Life: tree_new with the session; for each run tree_begin, tree_flush at every wait and at the
 * end, then tree_finish if the run came to its end (not when it was superseded, stopped or over a
 * limit), else tree_settle; tree_free.
 *
 * Order: what a run has drawn keeps the script's order; old elements that it has not drawn yet stay
 * after their last drawn predecessor. Of the elements of one flush, the most that can stay where
 * they are do so (the longest increasing subsequence in each container), the others move. Equal
 * props are found by comparing bytes, and only fields that differ are sent.
 *
 * Pure; owned by the session.
 */
#ifndef MOONLIT_UI_TREE_H
#define MOONLIT_UI_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ui/draft.h"
#include "ui/patch.h"

struct tree;

struct tree *tree_new(void);
void tree_free(struct tree *tree);

/* A run begins; its number differs from the last one's and is not 0. */
void tree_begin(struct tree *tree, uint64_t run);

/* Commit what the draft holds, and empty it. */
void tree_flush(struct tree *tree, struct draft *draft, struct patch *patch);

/* Remove what this run, now at its end, has not drawn; of its scope alone. Settles too. */
void tree_finish(struct tree *tree, struct patch *patch);

/* The run ended early: nothing turns any more (spinners go). */
void tree_settle(struct tree *tree, struct patch *patch);

/* Remove everything below the roots. */
void tree_clear(struct tree *tree, struct patch *patch);

/* Append the ids of what this run has not drawn yet; of what is in such a container, that one's. */
void tree_list_old(const struct tree *tree, struct buffer *ids);

/* The whole page, as inserts in order. */
void tree_whole(const struct tree *tree, struct patch *patch);

/* The user changed a widget. The page shows that value already, or is told by `patch` if there is
 * one. Bytes of a BSON value of `kind`. */
void tree_set_value(struct tree *tree, uint64_t id, uint8_t kind, const uint8_t *bytes,
                    size_t length, struct patch *patch);

bool tree_has(const struct tree *tree, uint64_t id);

/* Elements below the roots, and the bytes of their props. */
size_t tree_count(const struct tree *tree);
size_t tree_bytes(const struct tree *tree);

#endif
