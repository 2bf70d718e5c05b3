/* SPDX-License-Identifier: ISC */
/*
 * Sorting of the builder's records by name, then type, signatures after what they sign. A merge sort, as equal records must keep
 * their order: that of the file is the order in answers. Runs that are in order already are only
 * compared, so a sorted zone costs one pass.
 */
#include "lib/dns/tree.h"

#include <errno.h>
#include <stdlib.h>

static bool in_set_after(struct dns_builder *b, uint32_t first, uint32_t second)
{
    const struct rec *x = builder_at(b, first), *y = builder_at(b, second);
    int order = memcmp(x->octets, y->octets, MIN(x->key_len, y->key_len));

    if (!order)
        order = (int)x->key_len - y->key_len;
    if (!order)
        order = (int)rec_set_type(x) - (int)rec_set_type(y);
    return order ? order > 0 : x->type == TYPE_RRSIG && y->type != TYPE_RRSIG;
}

/* Merges the sorted list[0..mid) and list[mid..n); SPARE has room for the first of them. */
static void merge(struct dns_builder *b, uint32_t *list, size_t mid, size_t n, uint32_t *spare,
                  builder_order *after)
{
    size_t left = 0, right = mid, to = 0;

    builder_step(b);
    if (!after(b, list[mid - 1], list[mid]))
        return;
    memcpy(spare, list, mid * sizeof(*list));
    while (left < mid && right < n) {
        builder_step(b);
        if (after(b, spare[left], list[right]))
            list[to++] = list[right++];
        else
            list[to++] = spare[left++];
    }
    memcpy(list + to, spare + left, (mid - left) * sizeof(*list));
}

void builder_sort_list(struct dns_builder *b, uint32_t *list, size_t n, uint32_t *spare,
                       builder_order *after)
{
    for (size_t width = 1; width < n; width *= 2) {
        for (size_t at = 0; at + width < n; at += 2 * width)
            merge(b, list + at, width, MIN(2 * width, n - at), spare, after);
    }
}

int builder_sort(struct dns_builder *b)
{
    uint32_t *spare = malloc(b->rec_count * sizeof(*spare));

    if (!spare)
        return -ENOMEM;
    builder_sort_list(b, b->recs, b->rec_count, spare, in_set_after);
    free(spare);
    return 0;
}
