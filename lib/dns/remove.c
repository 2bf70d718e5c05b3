/* SPDX-License-Identifier: ISC */
/*
 * The builder's view of differences between two versions of a zone (RFC 1995): records that take others away.
 *
 * Sorting keeps the order of what is equal, so within each set the records and what removes them are in the
 * order in which they came.
 */
#include "lib/dns/tree.h"

enum { GONE = UINT32_MAX }; /* in the place of a handle */

static bool same_set(const struct rec *a, const struct rec *b)
{
    return a->key_len == b->key_len && rec_set_type(a) == rec_set_type(b) &&
           !memcmp(a->octets, b->octets, a->key_len);
}

/* Takes the record away that recs[i] removes, one of recs[from..i). */
static void remove_one(struct dns_builder *b, uint32_t from, uint32_t i)
{
    const struct rec *rec = builder_rec(b, i);

    for (; from < i; from++) {
        const struct rec *other = b->recs[from] == GONE ? NULL : builder_rec(b, from);

        if (other && other->type == rec->type && rec_same_data(other, rec)) {
            b->recs[from] = b->recs[i] = GONE;
            return;
        }
    }
    builder_report(b, DNS_ERROR, rec, "what is to be removed is not there", NULL);
}

/* Leaves out what is gone. */
static void close_gaps(struct dns_builder *b)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < b->rec_count; i++) {
        if (b->recs[i] != GONE)
            b->recs[kept++] = b->recs[i];
    }
    b->rec_count = kept;
}

void builder_remove(struct dns_builder *b)
{
    const struct rec *first = NULL;
    uint32_t from = 0;

    for (uint32_t i = 0; i < b->rec_count; i++) {
        const struct rec *rec = builder_rec(b, i);

        builder_step(b);
        if (!first || !same_set(first, rec)) {
            first = rec;
            from = i;
        }
        if (rec->removes)
            remove_one(b, from, i);
    }
    close_gaps(b);
}
