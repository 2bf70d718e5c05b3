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
        ck_assert_uint_eq(netback_got.data[PUBLISHED_HEADERS + i],
                          published[(at + i) % sizeof(published)]);
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
    ck_assert_int_eq(send_published(0, PAGE_SIZE), 0);
    ck_assert_uint_eq(netback_receive(1), 1);
    ck_got(0, PAGE_SIZE);
    ck_assert_uint_eq(netback_got.pieces, 2);
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

START_TEST(without_memory_or_grants)
{
    publish();
    fake_no_grants = true; /* no page has had one yet */
    ck_assert_int_eq(send_published(7, 5000), -ENOMEM);
    fake_no_grants = false;
    ck_assert_uint_eq(live(), 0);
    sent_in_place(7, 5000, 3);
}
END_TEST

START_TEST(without_memory_for_descriptors)
{
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
    tcase_add_test(c, without_memory_or_grants);
    tcase_add_test(c, without_memory_for_descriptors);
    return run_suite(s, c);
}
