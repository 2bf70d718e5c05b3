/* SPDX-License-Identifier: ISC */
/*
 * The other end of the device on which the stack is, for tests of TCP: a client as in net_frames.h, over IPv4 or IPv6.
 * What the guest sends is the test's to hear. Each includes this once.
 */
#ifndef TESTS_UNIT_NET_CLIENT_H
#define TESTS_UNIT_NET_CLIENT_H

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/app.h"
#include "lib/net/headers.h"
#include "lib/net/net.h"
#include "lib/net/netdev.h"
#include "lib/net/netpage.h"
#include "lib/util.h"
#include "tests/unit/fake_kernel.h"
#include "tests/unit/fake_net_kernel.h"
#include "tests/unit/net_frames.h"

#define THEIR_PORT 4000
#define THEIR_SEQ 5000u

static int transmit(struct netdev *dev, struct pbuf *p, const struct netdev_offload *offload);
static struct netdev dev = {
    .name = "vif/0", .transmit = transmit, .mac = {0, 0x16, 0x3e, 1, 2, 3}, .mtu = 1500};
static bool over_ip6;

/* A frame as a driver hands it up: in network pages, so many octets in each, or for piece == 0 copied. The loop has not run
 * then. False without memory. */
static inline bool deliver(const uint8_t *frame, size_t length, size_t piece)
{
    struct pbuf *p = piece ? NULL : pbuf_alloc(PBUF_RAW, (uint16_t)length, PBUF_RAM);

    for (size_t at = 0; piece && at < length; at += piece) {
        struct netpage *np = netpage_get(false);
        struct pbuf *q = np ? netpage_pbuf(np, 0, MIN(piece, length - at)) : NULL;

        if (!q && p)
            pbuf_free(p);
        if (!q)
            return false;
        p ? pbuf_cat(p, q) : (void)(p = q);
        memcpy(q->payload, frame + at, q->len);
    }
    if (!p)
        return false;
    if (!piece)
        pbuf_take(p, frame, (uint16_t)length);
    net_input(&dev, p, NET_INPUT_CHECKED | (piece && !p->next ? NET_INPUT_ALONE : 0));
    return true;
}

static inline void arrive(const uint8_t *frame, uint16_t length)
{
    (void)deliver(frame, length, 0);
    fake_run();
}

/* Whoever wants to send to the client knows its address then. */
static inline void introduce(void)
{
    uint8_t frame[128];

    arrive(frame, over_ip6 ? frame_solicitation(frame, dev.mac) : frame_arp(frame, dev.mac));
}

/* A segment with so many octets of data. As deliver(). */
static inline bool deliver_segment(const struct frame_segment *s, const uint8_t *data, size_t len,
                                   size_t piece)
{
    static uint8_t frame[UINT16_MAX];
    uint16_t content = (uint16_t)(TCP_BYTES + s->options_len + len);
    uint8_t *tcp = over_ip6 ? frame_ip6(frame, dev.mac, PROTOCOL_TCP, content)
                            : frame_ip4(frame, dev.mac, PROTOCOL_TCP, content);
    uint8_t *payload = frame_tcp(tcp, s);

    ck_assert((size_t)(payload - frame) + len <= sizeof(frame));
    if (len)
        memcpy(payload, data, len);
    return deliver(frame, (size_t)(payload - frame) + len, piece);
}

static inline void set_link(bool cuts)
{
    net_link(&dev, false);
    dev.features = NETDEV_CSUM4 | NETDEV_CSUM6 | (cuts ? NETDEV_GSO4 | NETDEV_GSO6 : 0);
    net_link(&dev, true);
}

/* The options of a SYN: the longest segment, and the window's scale. */
#define SYN_OPTIONS 8
static inline uint8_t *syn_options(uint8_t options[SYN_OPTIONS], uint16_t mss, uint8_t scale)
{
    uint8_t with[SYN_OPTIONS] = {2, 4, (uint8_t)(mss >> 8), (uint8_t)mss, 3, 3, scale, 1};

    return memcpy(options, with, sizeof(with));
}

static inline int run_tests(Suite *s, TCase *c)
{
    SRunner *r = srunner_create(s);
    int failed;

    tcase_set_timeout(c, 0); /* turns are counted, not seconds */
    suite_add_tcase(s, c);
    srunner_run_all(r, CK_ENV);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}

#endif
