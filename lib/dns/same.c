/* SPDX-License-Identifier: ISC */
/*
 * The builder's view of records that are the same: one that was given twice counts once, and differences between
 * two versions of a zone (RFC 1995) take away what is there and add what is not.
 *
 * Both kinds of sorting keep the order of what is equal. So in a set that is sorted by data each record stands
 * beside those that are the same, in the order in which they came.
 */
#include "lib/dns/rrtype.h"
#include "lib/dns/tree.h"

#include <errno.h>
#include <stdlib.h>

/* The order of two records of a set: negative, 0 when they are the same, positive. */
static int order(const struct rec *a, const struct rec *b)
{
    int diff = (int)a->type - b->type;

    if (!diff)
        diff = (int)a->len - b->len;
    return diff ? diff : dns_rdata_compare(a->type, rec_data(a), rec_data(b), a->len);
}

bool rec_same_data(const struct rec *a, const struct rec *b)
{
    return !order(a, b);
}

static bool data_after(struct dns_builder *b, uint32_t first, uint32_t second)
{
    return order(builder_at(b, first), builder_at(b, second)) > 0;
}

static bool same_set(const struct rec *a, const struct rec *b)
{
    return a->key_len == b->key_len && rec_set_type(a) == rec_set_type(b) &&
           !memcmp(a->octets, b->octets, a->key_len);
}

/* Looks at the N records of LIST, which are sorted by data. */
static void settle_sorted(struct dns_builder *b, const uint32_t *list, uint32_t n)
{
    struct rec *before = NULL; /* the same one */

    for (uint32_t i = 0; i < n; i++) {
        struct rec *rec = (struct rec *)builder_at(b, list[i]);
        bool is_there;

        builder_step(b);
        if (before && order(before, rec))
            before = NULL;
        is_there = before && !before->removes;
        if (rec->removes && is_there)
            before->left_out = true;
        else if (rec->removes)
            builder_report(b, DNS_ERROR, rec, "what is to be removed is not there", NULL);
        else if (is_there && b->differences)
            builder_report(b, DNS_ERROR, rec, "what is to be added is there already", NULL);
        rec->left_out = rec->removes || is_there;
        before = rec;
    }
}

/* Leaves out what is not to be there. */
static void close_gaps(struct dns_builder *b)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < b->rec_count; i++) {
        builder_step(b);
        if (!builder_rec(b, i)->left_out)
            b->recs[kept++] = b->recs[i];
    }
    b->rec_count = kept;
}

int builder_settle(struct dns_builder *b)
{
    uint32_t *list = NULL, room = 0, end;

    for (uint32_t from = 0; from < b->rec_count; from = end) {
        const struct rec *first = builder_rec(b, from);
        uint32_t n;

        for (end = from + 1; end < b->rec_count && same_set(first, builder_rec(b, end)); end++)
            builder_step(b);
        n = end - from;
        builder_step(b);
        if (n == 1 && !first->removes)
            continue;
        if (n > room) {
            free(list);
            room = 2 * n;
            list = malloc(2 * (size_t)room * sizeof(*list));
            if (!list)
                return -ENOMEM;
        }
        memcpy(list, b->recs + from, n * sizeof(*list));
        builder_sort_list(b, list, n, list + n, data_after);
        settle_sorted(b, list, n);
    }
    free(list);
    if (b->differences)
        close_gaps(b);
    return 0;
}
