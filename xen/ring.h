/* SPDX-License-Identifier: ISC */
/*
 * The frontend's end of a shared request/response ring (the layout of xen/include/public/io/ring.h)
 * written so that a lying backend can do no harm (hardening.md, rules 1 to 4).
 *
 * The shared page is written by both ends; this struct holds our private copies of every index,
 * and only those are trusted. The entry array follows the 64-byte header; entry_size is the size
 * of the union of request and response.
 */
#ifndef XEN_RING_H
#define XEN_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/atomic.h"
#include "lib/util.h"

struct ring_header {
    uint32_t req_prod, req_event;
    uint32_t rsp_prod, rsp_event;
    uint8_t pad[48];
};

struct ring {
    struct ring_header *shared;
    uint32_t size;       /* entries, a power of two */
    uint32_t entry;      /* bytes per entry */
    uint32_t req_prod;   /* next request we write */
    uint32_t req_pushed; /* requests the backend may see: up to here */
    uint32_t rsp_cons;   /* next response we read; rsp_cons <= rsp_prod <= req_pushed */
};

/* Sets up both our state and the (zeroed) shared page of bytes `bytes`. */
static inline void ring_init(struct ring *r, void *page, size_t bytes, size_t entry)
{
    uint32_t n = (uint32_t)((bytes - sizeof(struct ring_header)) / entry);

    while (n & (n - 1))
        n &= n - 1; /* drop the lowest set bit: the largest power of two below */
    r->shared = page;
    r->size = n;
    r->entry = (uint32_t)entry;
    r->req_prod = r->req_pushed = r->rsp_cons = 0;
    shared_write(&r->shared->req_prod, 0);
    shared_write(&r->shared->rsp_prod, 0);
    shared_write(&r->shared->req_event, 1);
    shared_write(&r->shared->rsp_event, 1);
}

/* Requests that can still be written. */
static inline uint32_t ring_free(const struct ring *r)
{
    return r->size - (r->req_prod - r->rsp_cons);
}

/* Where entry number i (free running) lies in the shared page. */
static inline __attribute__((always_inline)) void *ring_slot(const struct ring *r, uint32_t i)
{
    return (char *)(r->shared + 1) + (size_t)(i & (r->size - 1)) * r->entry;
}

/* Writes a request; the caller checked ring_free(). It is not visible before ring_push(). In line even where code is to
 * be small: of a known size, the copy is two moves. */
static inline __attribute__((always_inline)) void ring_put(struct ring *r, const void *request,
                                                           size_t bytes)
{
    DEBUG_CHECK(ring_free(r) > 0 && bytes <= r->entry);
    __builtin_memcpy(ring_slot(r, r->req_prod), request, bytes);
    r->req_prod++;
}

/* Makes the requests written so far visible. True when the backend asked to be notified. */
static inline bool ring_push(struct ring *r)
{
    uint32_t old = r->req_pushed;

    shared_store_release(&r->shared->req_prod, r->req_prod); /* partner: the backend's acquire */
    r->req_pushed = r->req_prod;
    shared_fence(); /* publish before asking; partner: the backend's final check */
    return (uint32_t)(r->req_prod - shared_read(&r->shared->req_event)) <
           (uint32_t)(r->req_prod - old);
}

/*
 * How many responses wait: up to ring.size, or -1 when the backend's producer index is impossible
 * (ahead of what we pushed, or behind what we consumed: the unsigned difference covers both).
 */
static inline int ring_responses(const struct ring *r)
{
    uint32_t prod = shared_load_acquire(&r->shared->rsp_prod); /* partner: its release */
    uint32_t n = prod - r->rsp_cons;

    return n <= r->req_pushed - r->rsp_cons ? (int)n : -1;
}

/* Copies the next response out, once; the caller checked ring_responses(). */
static inline __attribute__((always_inline)) void ring_get(struct ring *r, void *response,
                                                           size_t bytes)
{
    volatile const uint8_t *from = ring_slot(r, r->rsp_cons);

    DEBUG_CHECK(r->rsp_cons != r->req_pushed && bytes <= r->entry);
    __builtin_memcpy(response, (const void *)from, bytes);
    __asm__ volatile("" : : "r"(response) : "memory"); /* the copy is made here, and only here */
    r->rsp_cons++;
}

/* Asks for an event at the next response. True when one has come meanwhile: look again first. */
static inline bool ring_rearm(struct ring *r)
{
    shared_write(&r->shared->rsp_event, r->rsp_cons + 1);
    shared_fence(); /* arm before looking; partner: the backend's fence in its push */
    return shared_read(&r->shared->rsp_prod) != r->rsp_cons;
}

/*
 * Which requests are out, by the id that each carries and its response repeats (rules 3 and 4). What
 * was asked for under an id is the driver's to remember, in an array of its own.
 *
 * Invariant: an id is in flight, or on the free list that begins at `free` and runs through `next`.
 */
#define RING_NO_ID UINT16_MAX

struct ring_id {
    uint32_t at; /* the request's index on the ring: shown when req_pushed is beyond */
    uint16_t next;
    bool in_flight;
};

struct ring_ids {
    struct ring_id *id;
    uint16_t count, free; /* free: the first one or RING_NO_ID */
};

/* All of the array's `count` ids, fewer than RING_NO_ID, are free. */
static inline void ring_ids_init(struct ring_ids *ids, struct ring_id *array, uint16_t count)
{
    ids->id = array;
    ids->count = count;
    ids->free = 0;
    for (uint16_t i = 0; i < count; i++)
        array[i] = (struct ring_id){.next = i + 1 < count ? (uint16_t)(i + 1) : RING_NO_ID};
}

/* An id for the request that is put next, or RING_NO_ID. There is one whenever the ring has room, if
 * there are as many ids as entries and each request takes one. */
static inline uint16_t ring_id_take(struct ring_ids *ids, const struct ring *r)
{
    uint16_t i = ids->free;

    if (i == RING_NO_ID)
        return i;
    ids->free = ids->id[i].next;
    ids->id[i].at = r->req_prod;
    ids->id[i].in_flight = true;
    return i;
}

/* Takes an id, of a response that was copied out, back. False when it is not one that the backend can
 * have seen and not answered: whatever is in that response is a lie. */
static inline bool ring_id_answered(struct ring_ids *ids, const struct ring *r, uint64_t id)
{
    struct ring_id *slot;

    if (id >= ids->count)
        return false;
    slot = &ids->id[id];
    if (!slot->in_flight || (int32_t)(r->req_pushed - slot->at) <= 0)
        return false;
    slot->in_flight = false;
    slot->next = ids->free;
    ids->free = (uint16_t)id;
    return true;
}

#endif
