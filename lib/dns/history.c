/* SPDX-License-Identifier: ISC */
/*
 * Changes of zones: see history.h.
 */
#include "lib/dns/history.h"

#include "lib/dns/image.h"
#include "lib/util.h"

#include <stdlib.h>

enum {
    VERSIONS_MAX = CONFIG_DNS_IXFR_VERSIONS,
    OCTETS_MAX = CONFIG_DNS_IXFR_KIB * 1024,
};

struct dns_history {
    struct dns_change *first, *last;
    unsigned count;
    size_t size;
};

static void drop_first(struct dns_history *h)
{
    struct dns_change *change = h->first;

    h->first = change->next;
    h->size -= change->size;
    h->count--;
    free(change);
}

void history_forget(struct dns_zone *zone)
{
    if (!zone->history)
        return;
    while (zone->history->first)
        drop_first(zone->history);
    free(zone->history);
    zone->history = NULL;
}

/* Keeps CHANGE behind those that are there, and no more than there may be. */
static void keep(struct dns_history *h, struct dns_change *change)
{
    /* What is held beside it is given back. */
    struct dns_change *exact = realloc(change, sizeof(*change) + change->size);

    change = exact ? exact : change;
    if (h->first)
        h->last->next = change;
    else
        h->first = change;
    h->last = change;
    h->size += change->size;
    h->count++;
    while (h->count > VERSIONS_MAX || h->size > OCTETS_MAX)
        drop_first(h);
}

void history_add(struct dns_zone *old, struct dns_zone *next, void (*pause)(void))
{
    struct dns_change *change = NULL;

    /* Serials that go back (RFC 1982) are no sequence; what is longer than the zone is of no use, nor is what an
     * image tells that lacks records: a secondary may have had its version from elsewhere, whole. */
    if (old->image && (int32_t)(dns_zone_serial(next) - dns_zone_serial(old)) > 0 &&
        !((old->features | next->features) & FEATURE_PARTIAL))
        change = compare_zones(old, next, MIN(OCTETS_MAX, next->size), pause);
    next->history = old->history;
    old->history = NULL;
    if (change && !next->history)
        next->history = calloc(1, sizeof(*next->history));
    if (change && next->history) {
        keep(next->history, change);
        return;
    }
    free(change);
    history_forget(next);
}

const struct dns_change *history_find(const struct dns_zone *zone, uint32_t serial)
{
    const struct dns_change *change = zone->history ? zone->history->first : NULL;

    while (change && change->from != serial)
        change = change->next;
    return change;
}

bool history_is_short(const struct dns_zone *zone, const struct dns_change *change)
{
    size_t size = 0;

    for (; change; change = change->next)
        size += change->size;
    return size < zone->size;
}
