/* SPDX-License-Identifier: ISC */
/*
 * A doubly linked ring of nodes embedded in the structs they link. The head is a node too; an
 * unlinked node points at itself, so removing twice is harmless and membership can be asked.
 */
#ifndef LIB_LIST_H
#define LIB_LIST_H

#include <stdbool.h>

#include "lib/util.h"

struct list {
    struct list *next, *prev;
};

#define LIST_INIT(name)                                                                            \
    {                                                                                              \
        &(name), &(name)                                                                           \
    }

static inline void list_init(struct list *l)
{
    l->next = l->prev = l;
}

static inline bool list_empty(const struct list *head)
{
    return head->next == head;
}

static inline void list_add_before(struct list *pos, struct list *node)
{
    DEBUG_CHECK(pos->prev->next == pos && pos->next->prev == pos);
    node->next = pos;
    node->prev = pos->prev;
    pos->prev->next = node;
    pos->prev = node;
}

/* Adds node as the last of the list. */
static inline void list_add_tail(struct list *head, struct list *node)
{
    list_add_before(head, node);
}

static inline void list_add_head(struct list *head, struct list *node)
{
    list_add_before(head->next, node);
}

static inline void list_del(struct list *node)
{
    DEBUG_CHECK(node->prev->next == node && node->next->prev == node);
    node->prev->next = node->next;
    node->next->prev = node->prev;
    list_init(node);
}

/* Removes and returns the first node, or NULL when the list is empty. */
static inline struct list *list_pop(struct list *head)
{
    struct list *node = head->next;

    if (node == head)
        return NULL;
    list_del(node);
    return node;
}

#define list_for_each(pos, head) for ((pos) = (head)->next; (pos) != (head); (pos) = (pos)->next)
/* The body may remove pos; n holds the next node meanwhile. */
#define list_for_each_safe(pos, n, head)                                                           \
    for ((pos) = (head)->next, (n) = (pos)->next; (pos) != (head); (pos) = (n), (n) = (pos)->next)

#endif
