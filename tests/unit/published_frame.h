/* SPDX-License-Identifier: ISC */
/* A frame whose payload lies in published pages, as lwIP makes it of what an app has it refer to. */
#ifndef TESTS_UNIT_PUBLISHED_FRAME_H
#define TESTS_UNIT_PUBLISHED_FRAME_H

#include <string.h>

#include "lib/net/netpage.h"
#include "tests/unit/fake_grants.h"

#define PUBLISHED_PAGES 4
#define PUBLISHED_HEADERS 54
/* What an object of the allocator's is for good. */
extern unsigned fake_objects;

static uint8_t published[PUBLISHED_PAGES * PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));

/* What the octet i, or one that comes in its place when they are repeated, is from the beginning on. */
static inline uint8_t published_octet(size_t i)
{
    i %= sizeof(published);
    return (uint8_t)(i * 7 + i / PAGE_SIZE + 1);
}

static inline void fill_pages(void)
{
    for (size_t i = 0; i < sizeof(published); i++)
        published[i] = published_octet(i);
}

/* Once in a process. */
static inline void publish(void)
{
    fill_pages();
    fake_app_pages = published;
    fake_app_size = sizeof(published);
    if (netpage_publish(published, PUBLISHED_PAGES) == 0)
        fake_objects--;
}

/* Headers, and size octets of the pages from the one at, which come again and again. NULL without memory. */
static inline struct pbuf *published_frame(size_t at, size_t size)
{
    struct pbuf *frame = pbuf_alloc(PBUF_RAW, PUBLISHED_HEADERS, PBUF_RAM);

    if (!frame)
        return NULL;
    memset(frame->payload, 'h', PUBLISHED_HEADERS);
    for (size_t n; size; size -= n, at += n) {
        struct pbuf *p;

        at %= sizeof(published);
        n = MIN(size, sizeof(published) - at);
        p = pbuf_alloc_reference(published + at, (u16_t)n, PBUF_ROM);
        if (!p) {
            pbuf_free(frame);
            return NULL;
        }
        pbuf_cat(frame, p);
    }
    return frame;
}

#endif
