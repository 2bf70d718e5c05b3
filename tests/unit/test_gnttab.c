/* SPDX-License-Identifier: ISC */
/*
 * xen/gnttab.c over a grant table in host memory, with a peer that keeps a page mapped.
 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/fake_hypercall.h"

#include "arch/arch.h"
#include "lib/util.h"

#include <xen/grant_table.h>

static struct grant_entry_v1 table[16 * PAGE_SIZE / sizeof(struct grant_entry_v1)];
#undef ARCH_GRANT_BASE
#define ARCH_GRANT_BASE ((uintptr_t)table)

#include "xen/gnttab.c"

static unsigned max_frames, mapped_frames;
static bool setup_fails;
static uint64_t above; /* added to every frame number */

mfn_t arch_virt_to_mfn(const void *linear)
{
    return (mfn_t){((uintptr_t)linear >> PAGE_SHIFT & 0xffffff) + above};
}

int arch_map_mfn(uintptr_t va, mfn_t mfn)
{
    ck_assert_uint_eq(va, ARCH_GRANT_BASE + mapped_frames * PAGE_SIZE);
    ck_assert_uint_eq(mfn.n, 1000 + mapped_frames);
    mapped_frames++;
    return 0;
}

void log_write(enum log_level level, const char *module, const char *fmt, ...)
{
    (void)level, (void)module, (void)fmt;
}

bool log_permit(struct log_limit *limit, const char *module)
{
    (void)limit, (void)module;
    return true;
}

long fake_hypercall(unsigned op, uintptr_t cmd, uintptr_t arg, uintptr_t count, uintptr_t a4)
{
    (void)count, (void)a4;
    ck_assert_uint_eq(op, __HYPERVISOR_grant_table_op);
    if (cmd == GNTTABOP_query_size) {
        ((struct gnttab_query_size *)arg)->max_nr_frames = max_frames;
        ((struct gnttab_query_size *)arg)->status = GNTST_okay;
    } else if (cmd == GNTTABOP_setup_table) {
        struct gnttab_setup_table *s = (void *)arg;

        ck_assert_uint_le(s->nr_frames, max_frames);
        for (unsigned i = 0; i < s->nr_frames; i++)
            s->frame_list.p[i] = 1000 + i;
        s->status = setup_fails ? GNTST_general_error : GNTST_okay;
    }
    return 0;
}

void panic(const char *fmt, ...)
{
    exit(strstr(fmt, "16 TiB") ? 34 : 33);
}

static int grant_page(const void *page, bool readonly)
{
    int ref = gnttab_alloc();

    ck_assert_int_gt(ref, 0);
    gnttab_grant((grant_ref_t)ref, 7, page, readonly);
    return ref;
}

static void setup(void)
{
    memset(table, 0, sizeof(table));
    memset(&gnttab, 0, sizeof(gnttab));
    max_frames = 4;
    mapped_frames = 0;
    setup_fails = false;
    ck_assert_int_eq(gnttab_init(), 0);
}

START_TEST(a_reference_is_granted_again)
{
    static uint8_t page[PAGE_SIZE];
    int ref = grant_page(page, false);
    struct grant_entry_v1 first = table[ref];

    ck_assert_uint_eq(first.flags, GTF_permit_access);
    for (unsigned i = 0; i < 4; i++) {
        ck_assert_int_eq(gnttab_end((grant_ref_t)ref), 0);
        ck_assert_uint_eq(table[ref].flags, 0);
        gnttab_grant_again((grant_ref_t)ref, i & 1);
        ck_assert_uint_eq(table[ref].flags, GTF_permit_access | (i & 1 ? GTF_readonly : 0));
        ck_assert_uint_eq(table[ref].frame, first.frame);
        ck_assert_uint_eq(table[ref].domid, 7);
    }
}
END_TEST

START_TEST(references_are_unique_and_never_reserved)
{
    unsigned n = 4 * PER_FRAME - GNTTAB_NR_RESERVED_ENTRIES;
    static bool seen[16 * PER_FRAME];
    int ref;

    memset(seen, 0, sizeof(seen));
    for (unsigned i = 0; i < n; i++) {
        ref = gnttab_alloc();
        ck_assert_int_ge(ref, GNTTAB_NR_RESERVED_ENTRIES);
        ck_assert(!seen[ref]);
        seen[ref] = true;
    }
    ck_assert_int_eq(gnttab_alloc(), -ENOSPC);
    ck_assert_uint_eq(gnttab_count_used(), n);
    ck_assert_uint_eq(mapped_frames, 4);
    for (ref = GNTTAB_NR_RESERVED_ENTRIES; ref < (int)(4 * PER_FRAME); ref++)
        gnttab_free((grant_ref_t)ref);
    ck_assert_uint_eq(gnttab_count_used(), 0);
    ck_assert_int_gt(gnttab_alloc(), 0);
}
END_TEST

START_TEST(xen_refusing_more_frames_is_shortage)
{
    setup_fails = true;
    ck_assert_int_eq(gnttab_alloc(), -ENOSPC);
    setup_fails = false;
    ck_assert_int_gt(gnttab_alloc(), 0);
}
END_TEST

START_TEST(an_entry_says_who_what_and_how)
{
    static char page[PAGE_SIZE] __attribute__((aligned(4096)));
    int ref = grant_page(page, true);

    ck_assert_uint_eq(table[ref].domid, 7);
    ck_assert_uint_eq(table[ref].frame, arch_virt_to_mfn(page).n);
    ck_assert_uint_eq(table[ref].flags, GTF_permit_access | GTF_readonly);
    ck_assert_int_eq(gnttab_end((grant_ref_t)ref), 0);
    ck_assert_uint_eq(table[ref].flags, 0);
    ck_assert_int_eq(gnttab_end((grant_ref_t)ref), 0);
    gnttab_grant((grant_ref_t)ref, 7, page, false);
    ck_assert_uint_eq(table[ref].flags, GTF_permit_access);
    ck_assert_int_eq(gnttab_end((grant_ref_t)ref), 0);
    gnttab_free((grant_ref_t)ref);
    ck_assert_uint_eq(gnttab_count_used(), 0);
}
END_TEST

START_TEST(a_page_in_use_is_not_taken_back) /* hardening.md, rule 9 */
{
    static char page[PAGE_SIZE] __attribute__((aligned(4096)));
    int ref = grant_page(page, false);

    table[ref].flags |= GTF_writing;
    ck_assert_int_eq(gnttab_end((grant_ref_t)ref), -EBUSY);
    ck_assert_uint_ne(table[ref].flags, 0);
    gnttab_quarantine((grant_ref_t)ref);
    ck_assert_uint_eq(gnttab_count_quarantined(), 1);
    for (unsigned i = 0; i < 3 * PER_FRAME; i++)
        ck_assert_int_ne(gnttab_alloc(), ref);
    table[ref].flags = GTF_permit_access | GTF_reading;
    ck_assert_int_eq(gnttab_end((grant_ref_t)ref), -EBUSY);
}
END_TEST

START_TEST(references_that_are_not_to_be_freed)
{
    static char page[PAGE_SIZE] __attribute__((aligned(4096)));
    grant_ref_t ref = (grant_ref_t)grant_page(page, false);

    switch (_i) {
    case 0: /* live */
        break;
    case 1: /* twice */
        ck_assert_int_eq(gnttab_end(ref), 0);
        gnttab_free(ref);
        break;
    case 2: /* the toolstack's */
        ref = GNTTAB_NR_RESERVED_ENTRIES - 1;
        break;
    default: /* beyond the table */
        ref = PER_FRAME;
    }
    gnttab_free(ref);
}
END_TEST

START_TEST(a_frame_that_no_entry_can_name)
{
    static char page[PAGE_SIZE] __attribute__((aligned(4096)));

    above = UINT64_C(1) << 32;
    (void)grant_page(page, false);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("gnttab");
    TCase *c = tcase_create("version 1");
    SRunner *r;
    int failed;

    tcase_add_checked_fixture(c, setup, NULL);
    tcase_add_test(c, a_reference_is_granted_again);
    tcase_add_test(c, references_are_unique_and_never_reserved);
    tcase_add_test(c, xen_refusing_more_frames_is_shortage);
    tcase_add_test(c, an_entry_says_who_what_and_how);
    tcase_add_test(c, a_page_in_use_is_not_taken_back);
    tcase_add_loop_exit_test(c, references_that_are_not_to_be_freed, 33, 0, 4);
    tcase_add_exit_test(c, a_frame_that_no_entry_can_name, 34);
    suite_add_tcase(s, c);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
