/* SPDX-License-Identifier: ISC */
/*
 * drivers/netfront_piece.c, lib/net/forward.c: received pages that are sent on, for honest backends and others. What lwIP's
 * tcp_write() does with them is done here: it asks for what refers to the data.
 */
#include <errno.h>

#include "tests/unit/netfront_testing.h"

#include "drivers/netfront.h"
#include "lib/net/forward.h"
#include "lib/net/include/lwiphooks.h"

#define HEADERS 54
#define AT 66 /* the data's place in its page: behind headers */

/* --- views ------------------------------------------------------------------------------- */

/* There are no connections. */
struct tcp_pcb *tcp_active_pcbs;
void tcp_free_ooseq(struct tcp_pcb *pcb);
void tcp_free_ooseq(struct tcp_pcb *pcb)
{
}

static struct pbuf *view; /* the latest */

err_t tcp_write(struct tcp_pcb *pcb, const void *data, u16_t len, u8_t flags)
{
    ck_assert_uint_eq(flags & TCP_WRITE_FLAG_COPY, 0);
    view = net_tcp_refer(len);
    if (!view)
        return ERR_MEM;
    ck_assert(view->len == len && view->tot_len == len && view->ref == 1 && !view->next);
    view->payload = (void *)(uintptr_t)data;
    return ERR_OK;
}

static uint8_t octet(size_t i)
{
    return (uint8_t)(i * 7 + i / 256 + 1);
}

/* A page as it is when a packet has come in it, and what refers to its data. */
static struct netpage *received(size_t size)
{
    struct netpage *np = netpage_get(true);
    struct pbuf *p;

    ck_assert_ptr_nonnull(np);
    for (size_t i = 0; i < PAGE_SIZE; i++)
        np->page[i] = octet(i);
    p = netpage_pbuf(np, AT, size);
    ck_assert_int_eq(net_tcp_forward(NULL, p), ERR_OK);
    ck_assert(!netpage_of(view) && netpage_viewed(view) == np);
    ck_assert(p->ref == 1); /* the view's */
    return np;
}

/* Headers, and the view behind them. */
static struct pbuf *frame_of(struct pbuf *data)
{
    struct pbuf *frame = pbuf_alloc(PBUF_RAW, HEADERS, PBUF_RAM);

    memset(frame->payload, 'h', HEADERS);
    pbuf_cat(frame, data);
    return frame;
}

static int transmit(struct pbuf *frame)
{
    struct netdev_offload offload = {.blank = true};
    int err = netback_dev->transmit(netback_dev, frame, &offload);

    netback_run();
    return err;
}

static void ck_octets(size_t at, size_t from, size_t size)
{
    for (size_t i = 0; i < size; i++)
        ck_assert_uint_eq(netback_got.data[at + i], octet(from + i));
}

static void ck_got(size_t from, size_t size)
{
    ck_assert_uint_eq(netback_got.len, HEADERS + size);
    for (size_t i = 0; i < HEADERS; i++)
        ck_assert_uint_eq(netback_got.data[i], 'h');
    ck_octets(HEADERS, from, size);
}

/* Nobody has written to it. */
static void ck_same(const struct netpage *np)
{
    for (size_t i = 0; i < PAGE_SIZE; i++)
        ck_assert_uint_eq(np->page[i], octet(i));
}

static const struct fake_grant *grant_of(const struct netpage *np)
{
    for (unsigned i = 0; i < FAKE_GRANTS; i++)
        if (fake_grants[i].live && fake_grants[i].page == np->page)
            return &fake_grants[i];
    return NULL;
}

static unsigned in_use(void)
{
    return netpage_stats()->pages - netpage_stats()->free;
}

/* --- tests ------------------------------------------------------------------------------- */

START_TEST(goes_out_in_place)
{
    unsigned before = in_use();
    struct netpage *np = received(1460);
    struct pbuf *frame = frame_of(view);

    ck_assert_int_eq(transmit(frame), 0);
    ck_assert_ptr_nonnull(grant_of(np));
    ck_assert(grant_of(np)->readonly);
    ck_assert(np->sends == 1 && np->custom.pbuf.ref == 2);
    pbuf_free(frame); /* acknowledged before the backend has sent it */
    ck_same(np);
    ck_assert_uint_eq(netback_receive(10), 1);
    ck_got(AT, 1460);
    ck_assert_uint_eq(netback_got.pieces, 2);
    fake_sleep(NSEC_PER_SEC);
    ck_assert_ptr_null(grant_of(np));
    ck_assert_uint_eq(np->sends, 0);
    ck_assert_uint_eq(in_use(), before);
    ck_assert_ptr_null(netback_disabled);
}
END_TEST

/* Sent anew while the backend has it, in part: it has one grant, which goes with the last. */
START_TEST(parts_of_it_again)
{
    unsigned before = in_use();
    struct netpage *np = received(3000);
    struct pbuf *whole = view, *part = net_refer_part(whole, 1000), *last;
    struct pbuf *frame = frame_of(whole), *second;

    ck_assert(part->len == 2000 && netpage_viewed(part) == np);
    last = net_refer_part(part, 1999);
    second = frame_of(part);
    pbuf_cat(second, last);
    ck_assert_int_eq(transmit(frame), 0);
    ck_assert_int_eq(transmit(second), 0);
    ck_assert_uint_eq(np->sends, 3);
    pbuf_free(frame);
    pbuf_free(second);
    ck_assert_uint_eq(netback_receive(1), 1);
    ck_got(AT, 3000);
    fake_sleep(NSEC_PER_SEC);
    ck_assert_ptr_nonnull(grant_of(np));
    ck_assert_uint_eq(netback_receive(1), 1);
    ck_assert_uint_eq(netback_got.pieces, 3);
    ck_octets(HEADERS, AT + 1000, 2000);
    ck_octets(HEADERS + 2000, AT + 2999, 1);
    ck_same(np);
    fake_sleep(NSEC_PER_SEC);
    ck_assert_ptr_null(grant_of(np));
    ck_assert_uint_eq(in_use(), before);
}
END_TEST

/* As many as there may be, of as many pages; one more, and all are copied. */
START_TEST(large_ones)
{
    unsigned before = in_use(), count = 17 + (unsigned)_i;
    struct pbuf *frame = frame_of((received(3000), view));

    for (unsigned i = 1; i < count; i++)
        pbuf_cat(frame, (received(3000), view));
    ck_assert_int_eq(transmit(frame), 0);
    pbuf_free(frame);
    ck_assert_uint_eq(netback_receive(1), 1);
    ck_assert_uint_eq(netback_got.pieces,
                      count == 17 ? 18 : DIV_ROUND_UP(HEADERS + count * 3000, PAGE_SIZE));
    for (unsigned i = 0; i < count; i++)
        ck_octets(HEADERS + 3000 * i, AT, 3000);
    fake_sleep(NSEC_PER_SEC);
    ck_assert_uint_eq(in_use(), before);
    ck_assert_ptr_null(netback_disabled);
}
END_TEST

static void ck_copied(struct netpage *np, struct pbuf *frame)
{
    ck_assert_int_eq(transmit(frame), 0);
    ck_assert_ptr_null(grant_of(np));
    ck_same(np);
    ck_assert_uint_eq(netback_receive(1), 1);
    ck_got(AT, 1460);
    ck_assert_uint_eq(netback_got.pieces, 1);
}

/* What a backend's packets were in no other is shown. */
START_TEST(another_backend)
{
    struct netpage *np = received(1460);
    struct pbuf *frame = frame_of(view);
    unsigned before;

    ck_assert_int_eq(transmit(frame), 0);
    ck_assert_uint_eq(netback_receive(1), 1);
    fake_sleep(NSEC_PER_SEC);
    ck_assert(np->grant && !np->sends);
    netback_disconnect();
    netback_move(BACKEND + 1);
    connected();
    before = in_use();
    ck_copied(np, frame);
    pbuf_free(frame);
    fake_sleep(NSEC_PER_SEC);
    ck_assert_uint_eq(in_use(), before - 1);
}
END_TEST

START_TEST(an_untrusted_backend_and_one_without_pieces)
{
    struct netpage *np;
    struct pbuf *frame;

    netback_disconnect();
    fake_offers.trusted = _i ? NULL : "0";
    fake_offers.no_sg = _i;
    connected();
    np = received(1460);
    frame = frame_of(view);
    ck_copied(np, frame);
    pbuf_free(frame);
}
END_TEST

/* The page of what is sent is on one ring at a time: its grant ends with that device. */
START_TEST(another_device)
{
    struct netpage *np = received(1460);
    struct pbuf *frame = frame_of(view);

    netback_dev->index = 70000;
    ck_assert_int_eq(transmit(frame), 0);
    ck_assert_uint_eq(np->device, 70000);
    netback_dev->index += 1 << 16;
    ck_assert_int_eq(transmit(frame), 0);
    ck_assert_uint_eq(np->sends, 1);
    netback_dev->index = 70000;
    ck_assert_int_eq(transmit(frame), 0); /* its own once more */
    ck_assert_uint_eq(np->sends, 2);
    netback_dev->index = 0;
    pbuf_free(frame);
    for (unsigned i = 0; i < 3; i++) {
        ck_assert_uint_eq(netback_receive(1), 1);
        ck_got(AT, 1460);
        ck_assert_uint_eq(netback_got.pieces, i == 1 ? 1 : 2);
    }
}
END_TEST

/* The same of a page that is sent as it is, or with headers in front. */
START_TEST(another_device_and_an_ordinary_page)
{
    struct netpage *np = netpage_get(true);
    struct pbuf *p = netpage_pbuf(np, AT, 1460), *frame = p;

    for (size_t i = 0; i < PAGE_SIZE; i++)
        np->page[i] = octet(i);
    if (_i)
        frame = frame_of(p);
    netback_dev->index = 70000;
    ck_assert_int_eq(transmit(frame), 0);
    ck_assert(np->sends == 1 && np->device == 70000);
    netback_dev->index += 1 << 16;
    ck_assert_int_eq(transmit(frame), 0);
    ck_assert(np->sends == 1 && np->device == 70000);
    netback_dev->index = 0;
    pbuf_free(frame);
    for (unsigned i = 0; i < 2; i++) {
        ck_assert_uint_eq(netback_receive(1), 1);
        ck_assert_uint_eq(netback_got.pieces, 1);
        ck_octets(_i ? HEADERS : 0, AT, 1460);
    }
    /* And when the other has it alone, it may have it as it is. */
    fake_sleep(NSEC_PER_SEC);
    ck_assert_uint_eq(np->sends, 0);
}
END_TEST

/* A page that a backend keeps is lost, and so is that device for now; nothing else is. */
START_TEST(still_mapped)
{
    struct netpage *np = received(1460);
    struct pbuf *frame = frame_of(view);
    unsigned lost = netpage_stats()->lost;
    netif_tx_request_t headers;

    ck_assert_int_eq(transmit(frame), 0);
    headers = netback_take_tx();
    netback_answer_tx(headers.id, NETIF_RSP_OKAY);
    fake_grants[np->grant].mapped = true;
    netback_answer_tx(netback_take_tx().id, NETIF_RSP_OKAY);
    netback_show(&netback_tx);
    fake_sleep(NSEC_PER_SEC);
    ck_assert_ptr_nonnull(netback_disabled);
    ck_assert_uint_eq(netpage_stats()->lost, lost + 1);
    netback_disconnect();
    fake_sleep(NSEC_PER_SEC);
    connected();
    ck_same(np);
    ck_assert_int_eq(transmit(frame), 0); /* anew: it is not acknowledged yet */
    ck_assert_uint_eq(netback_receive(1), 1);
    ck_assert_uint_eq(netback_got.pieces, 1);
    ck_got(AT, 1460);
    pbuf_free(frame);
    np = received(1460);
    frame = frame_of(view);
    ck_assert_int_eq(transmit(frame), 0);
    ck_assert_uint_eq(np->sends, 1);
    pbuf_free(frame);
    ck_assert_uint_eq(netback_receive(1), 1);
    ck_got(AT, 1460);
    fake_sleep(NSEC_PER_SEC);
    ck_assert_uint_eq(netpage_stats()->lost, lost + 1);
    ck_assert_ptr_null(netback_disabled);
}
END_TEST

/* It ends while the backend has the page, which comes back when that lets go. */
START_TEST(the_device_goes)
{
    struct netpage *np = received(1460);
    struct pbuf *frame = frame_of(view);

    ck_assert_int_eq(transmit(frame), 0);
    if (_i)
        fake_grants[np->grant].mapped = true;
    netback_disconnect();
    connected();
    ck_assert_int_eq(transmit(frame), 0);
    ck_same(np);
    ck_assert_uint_eq(netback_receive(1), 1);
    ck_got(AT, 1460);
    ck_assert_uint_eq(netback_got.pieces, _i ? 1 : 2);
    pbuf_free(frame);
    fake_grants_release();
    fake_sleep(10 * NSEC_PER_SEC);
    ck_assert_uint_eq(netpage_stats()->lost, 0);
}
END_TEST

START_TEST(
    without_memory) /* for a view; and of what there is none, for what it refers to nothing is freed */
{
    struct netpage *np = netpage_get(true);
    struct pbuf *p = netpage_pbuf(np, AT, 1460);

    fake_no_memory = true;
    ck_assert_int_eq(net_tcp_forward(NULL, p), ERR_MEM);
    fake_no_memory = false;
    ck_assert_uint_eq(p->ref, 1);
    ck_assert_int_eq(net_tcp_forward(NULL, p), ERR_OK);
    fake_no_memory = true;
    ck_assert_ptr_null(net_refer_part(view, 10));
    fake_no_memory = false;
    pbuf_free(view);
    view = net_tcp_refer(10); /* of an app's memory */
    ck_assert(view && !netpage_viewed(view) && view->len == 10);
    pbuf_free(view);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("netfront_forwarded");
    TCase *c = tcase_create("forwarded");

    tcase_add_test(c, goes_out_in_place);
    tcase_add_test(c, parts_of_it_again);
    tcase_add_loop_test(c, large_ones, 0, 3);
    tcase_add_test(c, another_backend);
    tcase_add_loop_test(c, an_untrusted_backend_and_one_without_pieces, 0, 2);
    tcase_add_test(c, another_device);
    tcase_add_loop_test(c, another_device_and_an_ordinary_page, 0, 2);
    tcase_add_test(c, still_mapped);
    tcase_add_loop_test(c, the_device_goes, 0, 2);
    tcase_add_test(c, without_memory);
    return run_suite(s, c);
}
