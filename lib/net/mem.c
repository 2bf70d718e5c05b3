/* SPDX-License-Identifier: ISC */
/*
 * Memory for lwIP's control blocks, segments and small buffers: size classes over whole pages.
 *
 * Every page begins with a header, so freeing finds size and page from the address alone, and
 * both directions take a handful of instructions whatever the number of objects (a general malloc
 * walks its free list). A page of which every object is free goes back to the page allocator,
 * unless it is its class's last. Objects too large for a class get pages of their own.
 *
 * Out of memory is a NULL that lwIP handles: the packet is dropped (hardening.md, rule 29).
 */
#include "lib/net/mem.h"

#include <string.h>

#include "kernel/log.h"
#include "kernel/page.h"
#include "lib/list.h"

#define LOG_MODULE "net"

struct object {
    struct object *next;
};

/* At the start of each page; the objects follow. */
struct slab {
    struct list node; /* among the class's pages with free objects; unlinked when none is free */
    struct object *free;
    uint16_t class;
    uint16_t used;
    uint32_t order; /* of an object with pages of its own */
} __attribute__((aligned(64)));

_Static_assert(sizeof(struct slab) == NET_MEM_HEADER, "mem.h tells");

#define OWN_PAGES UINT16_MAX
/* Objects of this size hold data that waits to be sent. They leave some pages to the small ones:
 * acknowledgements, which are what frees them. Data may be cut small, too, as a client wants it: so these leave the last pages to
 * all that does not ask here: network pages, threads, what is published. */
#define DATA_SIZE 960
#define RESERVE_PAGES 32
#define OTHERS_PAGES 8

#define GRANULE 16
/* From lwIP's objects: list nodes, headers of packets, connections (twelve fill a page), full-size segments. */
static const uint16_t class_size[] = {64, 128, 192, 256, 336, 448, 576, 960, 1344, 1984};
/* The class of a size, by the number of granules it needs. */
static uint8_t class_of_granule[1984 / GRANULE + 1];
static struct list partial[ARRAY_SIZE(class_size)];
static struct net_mem_stats stats;

static void init_classes(void)
{
    unsigned class = 0;

    for (unsigned i = 0; i < ARRAY_SIZE(partial); i++)
        list_init(&partial[i]);
    for (unsigned granule = 0; granule < ARRAY_SIZE(class_of_granule); granule++) {
        while (granule * GRANULE > class_size[class])
            class ++;
        class_of_granule[granule] = (uint8_t) class;
    }
}

static struct slab *slab_new(unsigned class)
{
    unsigned size = class_size[class];
    struct slab *s;

    if (page_count_free() < (size >= DATA_SIZE ? RESERVE_PAGES : OTHERS_PAGES))
        return NULL;
    s = page_alloc(0);
    if (!s)
        return NULL;
    s->class = (uint16_t) class;
    s->used = 0;
    s->free = NULL;
    for (size_t left = (PAGE_SIZE - sizeof(*s)) / size; left; left--) {
        struct object *o = (struct object *)((char *)s + PAGE_SIZE - left * size);

        o->next = s->free;
        s->free = o;
    }
    list_init(&s->node);
    list_add_head(&partial[class], &s->node);
    stats.pages++;
    return s;
}

static void *alloc_own_pages(size_t size)
{
    unsigned order = 0;
    struct slab *s;

    while ((PAGE_SIZE << order) < size + sizeof(*s))
        order++;
    if (page_count_free() < ((size_t)1 << order) + RESERVE_PAGES)
        return NULL;
    s = page_alloc(order);
    if (!s)
        return NULL;
    s->class = OWN_PAGES;
    s->order = order;
    stats.pages += (size_t)1 << order;
    return s + 1;
}

void *net_mem_alloc(size_t size)
{
    struct object *o;
    struct slab *s;
    unsigned class;

    if (size > class_size[ARRAY_SIZE(class_size) - 1]) {
        o = size <= NET_MEM_MAX ? alloc_own_pages(size) : NULL;
        stats.failed += !o;
        return o;
    }
    if (!partial[0].next)
        init_classes();
    class = class_of_granule[(size + GRANULE - 1) / GRANULE];
    if (list_empty(&partial[class])) {
        s = slab_new(class);
        if (!s) {
            stats.failed++;
            return NULL;
        }
    } else {
        s = container_of(partial[class].next, struct slab, node);
    }
    o = s->free;
    s->free = o->next;
    s->used++;
    if (!s->free)
        list_del(&s->node);
    return o;
}

void *net_mem_calloc(size_t count, size_t size)
{
    void *p;

    if (size && count > NET_MEM_MAX / size)
        return NULL;
    p = net_mem_alloc(count * size);
    if (p)
        memset(p, 0, count * size);
    return p;
}

void net_mem_free(void *p)
{
    struct slab *s = (struct slab *)((uintptr_t)p & PAGE_MASK);
    struct object *o = p;

    if (!p)
        return;
    if (s->class == OWN_PAGES) {
        stats.pages -= (size_t)1 << s->order;
        page_free(s, s->order);
        return;
    }
    if (!s->free)
        list_add_head(&partial[s->class], &s->node);
    o->next = s->free;
    s->free = o;
    s->used--;
    if (s->used == 0 && (s->node.next != &partial[s->class] || s->node.prev != s->node.next)) {
        list_del(&s->node);
        page_free(s, 0);
        stats.pages--;
    }
}

const struct net_mem_stats *net_mem_stats(void)
{
    return &stats;
}
