/*
 * Intrusive, doubly linked, circular list. A `struct list` is a head or a link inside an item;
 * an unlinked link points to itself.
 */
#ifndef MOONLIT_BASE_LIST_H
#define MOONLIT_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
    struct list *next;
    struct list *previous;
};

#define list_item(link, type, member) ((type *)(void *)((char *)(link)-offsetof(type, member)))

#define list_each(link, head)                                                                      \
    for (struct list *link = (head)->next; link != (head); link = link->next)

/* As list_each, but the item may be removed on the way. */
#define list_each_safe(link, after, head)                                                          \
    for (struct list *link = (head)->next, *after = link->next; link != (head);                    \
         link = after, after = link->next)

static inline void list_init(struct list *list)
{
    list->next = list->previous = list;
}

static inline bool list_is_empty(const struct list *head)
{
    return head->next == head;
}

static inline void list_insert_after(struct list *where, struct list *link)
{
    link->previous = where;
    link->next = where->next;
    where->next->previous = link;
    where->next = link;
}

static inline void list_push_last(struct list *head, struct list *link)
{
    list_insert_after(head->previous, link);
}

static inline void list_push_first(struct list *head, struct list *link)
{
    list_insert_after(head, link);
}

static inline void list_remove(struct list *link)
{
    link->previous->next = link->next;
    link->next->previous = link->previous;
    list_init(link);
}

static inline struct list *list_take_first(struct list *head)
{
    if (list_is_empty(head)) {
        return NULL;
    }
    struct list *first = head->next;
    list_remove(first);
    return first;
}

#endif
