/* SPDX-License-Identifier: ISC */
/*
 * The pool of network pages; see netpage.h. The free list is a stack: the page used last, still in
 * the cache, is used first.
 */
#include "lib/net/netpage.h"

#include <string.h>

#include "kernel/log.h"
#include "lib/net/mem.h"
#include "lib/util.h"

#define LOG_MODULE "net"

/* The pool may take three eighths of the guest's memory. */
#define SHARE_OF_MEMORY(pages) ((pages)*3 / 8)
#define PAGES_MIN 64
#define PAGES_MAX 6144
/* Below an eighth of the maximum pages are scarce. */
#define SCARCE(max) ((max) / 8)

static struct {
    struct netpage *free;
    unsigned users; /* open drivers */
    void (*release)(struct netpage *np);
    struct netpage_stats stats;
} pool;

static void set_limit(void)
{
    size_t n = SHARE_OF_MEMORY(page_count_total());

    pool.stats.max = (unsigned)MIN(MAX(n, (size_t)PAGES_MIN), (size_t)PAGES_MAX);
}

static void destroy(struct netpage *np)
{
    if (pool.release)
        pool.release(np);
    page_free(np->page, 0);
    net_mem_free(np);
    pool.stats.pages--;
}

static struct netpage *create(void)
{
    struct netpage *np;

    if (!pool.stats.max)
        set_limit();
    if (pool.stats.pages + pool.stats.lost >= pool.stats.max)
        return NULL;
    np = net_mem_calloc(1, sizeof(*np));
    if (!np)
        return NULL;
    np->page = page_alloc_zeroed(0);
    if (!np->page) {
        net_mem_free(np);
        return NULL;
    }
    pool.stats.pages++;
    return np;
}

static void push(struct netpage *np)
{
    np->next = pool.free;
    pool.free = np;
    pool.stats.free++;
}

struct netpage *netpage_get(bool reserve)
{
    struct netpage *np;

    if (pool.stats.free <= (reserve ? 0 : NETPAGE_RESERVE)) {
        np = create();
        if (!np)
            pool.stats.exhausted++;
        return np;
    }
    np = pool.free;
    pool.free = np->next;
    pool.stats.free--;
    return np;
}

static __attribute__((noinline)) void put_seldom(struct netpage *np)
{
    if (np->lost) {
        pool.stats.pages--;
        net_mem_free(np);
        return;
    }
    memset(np->page, 0, PAGE_SIZE); /* written, and never sent */
    np->ours = false;
    netpage_put(np);
}

void netpage_put(struct netpage *np)
{
    if (netpage_is_published(np)) {
        if (!pool.users && !np->lost)
            pool.release(np);
        return;
    }
    if (np->lost || np->ours) {
        put_seldom(np);
        return;
    }
    if (!pool.users) {
        destroy(np);
        return;
    }
    push(np);
}

void netpage_lose(struct netpage *np)
{
    np->lost = true;
    pool.stats.lost += !netpage_is_published(np);
}

void netpage_open(void (*release)(struct netpage *np))
{
    set_limit();
    pool.release = release;
    pool.users++;
    while (pool.stats.free < NETPAGE_RESERVE) {
        struct netpage *np = create();

        if (!np)
            break;
        push(np);
    }
}

void netpage_close(void)
{
    ASSERT(pool.users > 0);
    if (--pool.users)
        return;
    while (pool.free) {
        struct netpage *np = pool.free;

        pool.free = np->next;
        pool.stats.free--;
        destroy(np);
    }
    netpage_close_published(pool.release);
}

void netpage_free_pbuf(struct pbuf *p)
{
    netpage_put(container_of(p, struct netpage, custom.pbuf));
}

struct pbuf *netpage_pbuf(struct netpage *np, size_t offset, size_t len)
{
    struct pbuf *p = &np->custom.pbuf;

    np->custom.custom_free_function = netpage_free_pbuf;
    p->next = NULL;
    p->payload = np->page + offset;
    p->tot_len = p->len = (uint16_t)len;
    p->type_internal = PBUF_REF;
    p->flags = PBUF_FLAG_IS_CUSTOM;
    p->ref = 1;
    p->if_idx = 0;
    return p;
}

void netpage_hold(struct netpage *np)
{
    if (netpage_is_published(np) && !np->custom.pbuf.ref)
        (void)netpage_pbuf(np, 0, PAGE_SIZE);
    else
        netpage_ref(np);
}

struct pbuf *netpage_alloc(size_t size)
{
    struct netpage *np;

    if (size > NETPAGE_PAYLOAD_MAX)
        return NULL;
    np = netpage_get(false);
    if (!np)
        return NULL;
    np->ours = true;
    return netpage_pbuf(np, NETPAGE_HEADROOM, size);
}

struct pbuf *netpage_answer(struct pbuf *question, size_t size)
{
    struct netpage *np = netpage_of(question);
    size_t at;

    if (!np || np->sends || question->next || question->ref != 1)
        return netpage_alloc(size);
    at = ROUND_UP((size_t)((uint8_t *)question->payload - np->page) + question->len, 8) +
         NETPAGE_HEADROOM;
    if (at + size > PAGE_SIZE)
        return netpage_alloc(size);
    np->ours = true;
    question->flags = PBUF_FLAG_IS_CUSTOM; /* and none that tells how it came */
    question->payload = np->page + at;
    question->len = question->tot_len = (uint16_t)size;
    return question;
}

bool netpage_scarce(void)
{
    /* A lost page counts twice until its owner puts it back. */
    unsigned used = pool.stats.pages + pool.stats.lost - pool.stats.free;

    return used + SCARCE(pool.stats.max) > pool.stats.max;
}

const struct netpage_stats *netpage_stats(void)
{
    return &pool.stats;
}
