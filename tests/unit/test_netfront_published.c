/* SPDX-License-Identifier: ISC */
/* drivers/netfront_piece.c, lib/net/published.c: packets of an app's own pages, for honest backends and others. */
#include <errno.h>

#include "tests/unit/netfront_testing.h"
#include "tests/unit/published_frame.h"

#include "drivers/netfront.h"

static int send_published(size_t at, size_t size)
{
    struct netdev_offload offload = {.blank = true};
    struct pbuf *p = published_frame(at, size);
    int err;

    ck_assert_ptr_nonnull(p);
    err = netback_dev->transmit(netback_dev, p, &offload);
    pbuf_free(p); /* the pages need nobody to keep them */
    netback_run();
    return err;
}

static void ck_got(size_t at, size_t size)
{
    ck_assert_uint_eq(netback_got.len, PUBLISHED_HEADERS + size);
    ck_assert_uint_eq(netback_got.data[PUBLISHED_HEADERS - 1], 'h');
    for (size_t i = 0; i < size; i++)
        ck_assert_uint_eq(netback_got.data[PUBLISHED_HEADERS + i], published_octet(at + i));
    for (size_t i = 0; i < sizeof(published); i++)
        ck_assert_uint_eq(published[i], published_octet(i));
}

/* How many grants are live that show a published page. */
static unsigned live(void)
{
    unsigned count = 0;

    for (unsigned i = 0; i < FAKE_GRANTS; i++) {
        const uint8_t *page = fake_grants[i].page;

        if (fake_grants[i].live && page >= published && page < published + sizeof(published)) {
            ck_assert(fake_grants[i].readonly);
            count++;
        }
    }
    return count;
}

static void sent_in_place(size_t at, size_t size, unsigned pieces)
{
    unsigned before = live();

    ck_assert_int_eq(send_published(at, size), 0);
    ck_assert_uint_gt(live(), before);
    ck_assert_uint_eq(netback_receive(10), 1);
    ck_got(at, size);
    ck_assert_uint_eq(netback_got.pieces, pieces);
    ck_assert_uint_eq(netback_got.app_pieces, pieces - 1); /* but the headers */
    fake_sleep(NSEC_PER_SEC);
    ck_assert_uint_eq(live(), before);
}

static void sent_as_copy(size_t at, size_t size)
{
    unsigned before = live();

    ck_assert_int_eq(send_published(at, size), 0);
    ck_assert_uint_eq(live(), before);
    ck_assert_uint_eq(netback_receive(10), 1);
    ck_got(at, size);
    ck_assert_uint_eq(netback_got.app_pieces, 0);
}

START_TEST(goes_out_in_place)
{
    publish();
    sent_in_place(0, 100, 2);
    sent_in_place(100, PAGE_SIZE, 3);
    sent_in_place(3 * PAGE_SIZE + 1, 2 * PAGE_SIZE, 4);
    sent_in_place(4095, 62780, 18); /* the same page several times */
    ck_assert_ptr_null(netback_disabled);
}
END_TEST

START_TEST(too_many_pieces_are_copied)
{
    struct netdev_offload offload = {.blank = true};
    struct pbuf *p;

    publish();
    p = published_frame(0, 16 * PAGE_SIZE - 100);
    for (unsigned i = 0; i < 2; i++)
        pbuf_cat(p, pbuf_alloc_reference(published, 1, PBUF_ROM));
    ck_assert_int_eq(netback_dev->transmit(netback_dev, p, &offload), 0);
    ck_assert_uint_eq(live(), 0);
    pbuf_free(p);
    netback_run();
    ck_assert_uint_eq(netback_receive(10), 1);
    ck_assert_uint_eq(netback_got.pieces, 16);
}
END_TEST

START_TEST(what_is_not_published_is_copied)
{
    fill_pages();
    sent_as_copy(0, 10000);
    publish();
    sent_in_place(0, 10000, 4);
}
END_TEST

START_TEST(a_backend_without_pieces)
{
    publish();
    netback_disconnect();
    fake_offers.no_sg = true;
    connected();
    sent_as_copy(5, 1000);
}
END_TEST

START_TEST(an_untrusted_backend) /* rule 11: its pages hold what is being sent, and zeroes */
{
    publish();
    netback_disconnect();
    fake_offers.trusted = "0";
    connected();
    sent_as_copy(5, 1000);
}
END_TEST

START_TEST(still_mapped) /* rule 9 */
{
    publish();
    ck_assert_int_eq(send_published(0, PAGE_SIZE), 0);
    (void)netback_take_tx(); /* the headers */
    for (unsigned i = 0; i < FAKE_GRANTS; i++)
        fake_grants[i].mapped |= fake_grants[i].live && fake_grants[i].page == published;
    netback_answer_tx(netback_take_tx().id, NETIF_RSP_OKAY);
    netback_show(&netback_tx);
    fake_sleep(NSEC_PER_SEC);
    ck_assert_ptr_nonnull(netback_disabled);
    netback_disconnect();
    fake_sleep(NSEC_PER_SEC);
    connected(); /* that page is not granted any more, the others are */
    sent_as_copy(0, PAGE_SIZE);
    sent_in_place(PAGE_SIZE, PAGE_SIZE, 2);
}
END_TEST

START_TEST(another_backend) /* the page is the app's: it is not zeroed */
{
    publish();
    sent_in_place(7, 5000, 3);
    ck_assert_int_eq(send_published(7, 5000), 0);
    for (unsigned i = 0; i < FAKE_GRANTS; i++)
        fake_grants[i].mapped |= fake_grants[i].live && fake_grants[i].page == published;
    netback_disconnect();
    netback_move(BACKEND + 1);
    connected();
    sent_in_place(2 * PAGE_SIZE, 5000, 3);
    sent_as_copy(7, 4000); /* the first has not let go */
    fake_grants_release();
    fake_sleep(10 * NSEC_PER_SEC);
    sent_in_place(7, 4000, 2);
}
END_TEST

/* Two devices of one backend: what one of them has on its ring ends with that device, so the other sends copies. */
START_TEST(another_device)
{
    publish();
    netback_dev->index = 70000;
    sent_in_place(0, 5 * PAGE_SIZE, 6); /* one page of them twice */
    ck_assert_int_eq(send_published(7, 4000), 0);
    netback_dev->index += 1 << 16;
    ck_assert_int_eq(send_published(7, 4000), 0);
    netback_dev->index = 0;
    ck_assert_uint_eq(netback_receive(1), 1);
    ck_assert_uint_eq(netback_got.app_pieces, 1);
    ck_assert_uint_eq(netback_receive(1), 1);
    ck_assert_uint_eq(netback_got.app_pieces, 0);
    ck_got(7, 4000);
}
END_TEST

/* A page that another backend has had is zeroed when it is granted: not after the headers are in it. */
START_TEST(headers_in_a_page_that_was_elsewhere)
{
    struct netpage *pages[200];
    unsigned count = 0;

    publish();
    for (unsigned i = 0; i < 30; i++)
        ck_assert_int_eq(send_frame(100, true), 0);
    netback_run();
    (void)netback_receive(30);
    fake_sleep(NSEC_PER_SEC);
    while (count < ARRAY_SIZE(pages) && (pages[count] = netpage_get(true)))
        count++; /* they stay ours, with what belongs to their first backend */
    netback_disconnect();
    netback_move(BACKEND + 1);
    connected();
    while (count--)
        netpage_put(pages[count]);
    for (unsigned i = 0; i < 200; i++) {
        ck_assert_int_eq(send_published(0, 100), 0);
        ck_assert_uint_eq(netback_receive(1), 1);
        ck_got(0, 100);
    }
}
END_TEST

/* What a page keeps of a driver's goes when the pool closes, or when the page comes back after that. */
START_TEST(comes_back_after_the_end)
{
    publish();
    ck_assert_int_eq(send_published(0, 2 * PAGE_SIZE), 0);
    for (unsigned i = 0; i < FAKE_GRANTS; i++)
        fake_grants[i].mapped |= fake_grants[i].live && fake_grants[i].page == published;
    netback_disconnect();
    fake_sleep(NSEC_PER_SEC);
    ck_assert_uint_eq(live(), 1);
    fake_grants_release();
    fake_sleep(10 * NSEC_PER_SEC);
    for (unsigned i = 0; i < FAKE_GRANTS; i++)
        ck_assert(!fake_grants[i].allocated || !fake_is_app_page(fake_grants[i].page));
}
END_TEST

/* Empty pbufs are no pieces, wherever they are: a datagram's first fragment with nothing but headers is one. */
START_TEST(empty_pbufs)
{
    struct netdev_offload offload = {0};
    struct pbuf *headers = pbuf_alloc(PBUF_RAW, 42, PBUF_RAM), *first = netpage_alloc(8);
    struct pbuf *second = netpage_alloc(32), *nothing = netpage_alloc(8);

    memset(headers->payload, 'h', 42);
    memset(second->payload, 'p', 32);
    (void)pbuf_remove_header(first, 8);
    (void)pbuf_remove_header(nothing, 8);
    /* There is less room in front of this one than the headers have, unless it is that of the empty one. */
    second->payload = netpage_of(second)->page + _i;
    memset(second->payload, 'p', 32);
    pbuf_cat(headers, first);
    pbuf_cat(headers, second);
    pbuf_cat(headers, nothing);
    ck_assert_int_eq(netback_dev->transmit(netback_dev, headers, &offload), 0);
    pbuf_free(headers);
    netback_run();
    ck_assert_uint_eq(netback_receive(10), 1);
    ck_assert_uint_eq(netback_got.len, 42 + 32);
    for (unsigned i = 0; i < 42 + 32; i++)
        ck_assert_uint_eq(netback_got.data[i], i < 42 ? 'h' : 'p');
    ck_assert_uint_eq(netback_got.pieces, 1);
}
END_TEST

START_TEST(nothing_to_send)
{
    struct netdev_offload offload = {0};
    struct pbuf *p = netpage_alloc(8), *q = netpage_alloc(8);

    (void)pbuf_remove_header(p, 8);
    (void)pbuf_remove_header(q, 8);
    ck_assert_int_eq(netback_dev->transmit(netback_dev, p, &offload), -EMSGSIZE);
    pbuf_cat(p, q);
    ck_assert_int_eq(netback_dev->transmit(netback_dev, p, &offload), -EMSGSIZE);
    pbuf_free(p);
    ck_assert_uint_eq(netback_dev->stats.tx_packets, 0);
}
END_TEST

/* A page that goes out again before it has come back: the headers of the first are not written over. */
START_TEST(headers_of_the_same_page_twice)
{
    struct netdev_offload offload = {0};
    struct pbuf *data = netpage_alloc(32);

    memset(data->payload, 'p', 32);
    for (char c = 'a'; c <= 'b'; c++) {
        struct pbuf *headers = pbuf_alloc(PBUF_RAW, 42, PBUF_RAM);

        memset(headers->payload, c, 42);
        pbuf_ref(data);
        pbuf_cat(headers, data);
        ck_assert_int_eq(netback_dev->transmit(netback_dev, headers, &offload), 0);
        pbuf_free(headers);
    }
    pbuf_free(data);
    netback_run();
    for (char c = 'a'; c <= 'b'; c++) {
        ck_assert_uint_eq(netback_receive(1), 1);
        ck_assert_uint_eq(netback_got.data[41], (uint8_t)c);
        ck_assert_uint_eq(netback_got.data[42], 'p');
    }
}
END_TEST

START_TEST(without_grants) /* for the headers' page, or for the published ones behind it */
{
    publish();
    if (_i) {
        ck_assert_int_eq(send_frame(100, true), 0);
        netback_run();
        ck_assert_uint_eq(netback_receive(1), 1);
        fake_sleep(NSEC_PER_SEC); /* a page with a grant is in the pool */
    }
    fake_no_grants = true;
    ck_assert_int_eq(send_published(7, 5000), -ENOMEM);
    fake_no_grants = false;
    for (unsigned i = 0; i < FAKE_GRANTS; i++)
        ck_assert_msg(!fake_grants[i].live || !fake_grants[i].readonly, "a page is still shown");
    sent_in_place(7, 5000, 3);
}
END_TEST

START_TEST(without_memory)
{
    struct netpage *first = NULL, *np;
    struct pbuf *frame;

    publish();
    frame = published_frame(7, 5000);
    fake_no_memory = true;
    while ((np = netpage_get(true))) {
        np->next = first;
        first = np;
    }
    ck_assert_int_eq(netback_dev->transmit(netback_dev, frame, &(struct netdev_offload){0}),
                     -ENOMEM);
    pbuf_free(frame);
    fake_no_memory = false;
    while (first) {
        np = first;
        first = np->next;
        netpage_put(np);
    }
    sent_in_place(7, 5000, 3);
}
END_TEST

START_TEST(without_memory_for_descriptors)
{
    fill_pages();
    fake_no_memory = true;
    ck_assert_int_eq(netpage_publish(published, PUBLISHED_PAGES), -ENOMEM);
    fake_no_memory = false;
    sent_as_copy(7, 5000);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("netfront_published");
    TCase *c = tcase_create("published");

    tcase_add_test(c, goes_out_in_place);
    tcase_add_test(c, too_many_pieces_are_copied);
    tcase_add_test(c, what_is_not_published_is_copied);
    tcase_add_test(c, a_backend_without_pieces);
    tcase_add_test(c, an_untrusted_backend);
    tcase_add_test(c, still_mapped);
    tcase_add_test(c, another_backend);
    tcase_add_test(c, another_device);
    tcase_add_test(c, headers_in_a_page_that_was_elsewhere);
    tcase_add_test(c, comes_back_after_the_end);
    tcase_add_loop_test(c, empty_pbufs, 34, 44);
    tcase_add_test(c, nothing_to_send);
    tcase_add_test(c, headers_of_the_same_page_twice);
    tcase_add_loop_test(c, without_grants, 0, 2);
    tcase_add_test(c, without_memory);
    tcase_add_test(c, without_memory_for_descriptors);
    return run_suite(s, c);
}
