/* SPDX-License-Identifier: ISC */
/*
 * Zones of other servers: see secondary.h. RFC 1034 section 4.3.5 (refresh, retry, expire), RFC 1996 (NOTIFY
 * means that a refresh is due), RFC 1982 (which of two serials is later).
 *
 * A refresh asks for the SOA, and on the same connection for the differences if that one is later. A primary
 * which has none that fit is asked for the whole zone; one that fails is followed by the next one of the list at
 * once; after the last it is time to wait.
 */
#include "lib/dns/secondary.h"

#include "lib/dns/history.h"
#include "lib/dns/image.h"
#include "lib/dns/lookup.h"

#include <errno.h>
#include <stdlib.h>

enum {
    TIME_MIN = 2,          /* seconds: what an SOA says that is less counts as this */
    TIME_MAX = 28 * 86400, /* and what is more as this, but for the time until it expires */
    PATIENCE_MAX = 300,    /* seconds between attempts for a zone that is not there */
    LENGTH_SIZE = 2,       /* of the length in front of a message */
};

/* The times of a zone's SOA, in seconds. */
struct times {
    uint32_t refresh, retry, expire;
};

static bool is_there(const struct secondary *s)
{
    return s->served->image;
}

static struct times times_of(const struct secondary *s)
{
    const uint8_t *set = node_find_set(zone_apex(s->served), TYPE_SOA);
    const uint8_t *numbers = record_next(set_records(set)) - 16;
    struct times t = {dns_be32(numbers), dns_be32(numbers + 4), dns_be32(numbers + 8)};

    t.refresh = MAX(MIN(t.refresh, TIME_MAX), TIME_MIN);
    t.retry = MAX(MIN(t.retry, TIME_MAX), TIME_MIN);
    /* It has to outlive one failure at least. */
    t.expire = MAX(MIN(t.expire, INT32_MAX), t.refresh + t.retry);
    return t;
}

static bool is_due(uint32_t when, uint32_t now)
{
    return (int32_t)(now - when) >= 0;
}

static struct dns_zone *other_zone(struct secondary *s)
{
    return s->served == &s->zone[0] ? &s->zone[1] : &s->zone[0];
}

static void stop_serving(struct secondaries *all, struct secondary *s)
{
    struct dns_zone *vacant = other_zone(s);

    dns_zone_vacate(vacant, s->name);
    (void)dns_db_set(all->db, vacant);
    if (IS_ENABLED(CONFIG_DNS_IXFR))
        history_forget(s->served);
    s->served = vacant;
    free(s->image);
    s->image = NULL;
    s->patience = SECONDARY_PATIENCE;
    s->due = all->ops->monotonic();
}

/* Serves the new image from now on. */
static void serve(struct secondaries *all, struct secondary *s, uint8_t *image, size_t size)
{
    struct dns_zone *next = other_zone(s);

    (void)dns_zone_open(next, image, size); /* the builder has done so before */
    if (IS_ENABLED(CONFIG_DNS_IXFR))
        history_add(s->served, next, all->ops->pause);
    (void)dns_db_set(all->db, next);
    s->served = next;
    free(s->image);
    s->image = image;
}

/* Ends the attempt, whatever has become of it. */
static void release(struct secondaries *all)
{
    if (all->connected)
        all->ops->disconnect();
    all->connected = all->building = all->excess = false;
    fetch_end(&all->fetch);
    free(all->message);
    all->message = NULL;
    all->have = 0;
    all->fetch.type = 0;
    all->active = NULL;
    all->ops->wake();
}

/* The first of the list is asked next, or who has sent a NOTIFY meanwhile. */
static void begin_round(struct secondary *s)
{
    s->turn = s->again ? s->sender : 0;
    s->tried = 0;
}

/* The primary has been heard: the version that is served is the latest. */
static void succeed(struct secondaries *all)
{
    struct secondary *s = all->active;
    struct times t = times_of(s);

    s->known = all->ops->monotonic();
    begin_round(s);
    s->whole = false;
    /* Not all zones at one moment. */
    s->due = s->known + (s->again ? 1 : t.refresh - all->ops->random() % (t.refresh / 8 + 1));
    s->again = false;
    release(all);
}

static void give_up(struct secondaries *all, const char *reason)
{
    struct secondary *s = all->active;

    all->ops->tell(s, SECONDARY_FAILED, &s->primary[s->turn], reason);
    s->due = all->ops->monotonic();
    if (all->fetch.type == TYPE_IXFR && !s->whole) {
        s->whole = true; /* the same one again, without differences */
    } else if (++s->tried < s->primaries) {
        s->turn = (s->turn + 1) % s->primaries;
    } else {
        begin_round(s);
        if (s->again) {
            s->due++;
        } else if (is_there(s)) {
            s->due += times_of(s).retry;
        } else {
            s->due += s->patience;
            s->patience = MIN(2 * s->patience, PATIENCE_MAX);
        }
        s->again = false;
    }
    release(all);
}

/* Sends a question for the zone. */
static void ask(struct secondaries *all, unsigned type)
{
    struct secondary *s = all->active;
    uint8_t query[LENGTH_SIZE + FETCH_QUERY_MAX];
    const struct fetch_question question = {.name = s->name,
                                            .type = (uint16_t)type,
                                            .id = (uint16_t)all->ops->random(),
                                            .old = s->served,
                                            .key = s->primary[s->turn].key,
                                            .now = all->ops->wall(),
                                            .room =
                                                all->limit ? all->limit : all->ops->memory() / 2};
    size_t len = fetch_begin(&all->fetch, &question, query + LENGTH_SIZE);

    all->span = all->ops->monotonic() + SECONDARY_SPAN_SECONDS;
    all->come = 0;
    dns_put_be16(query, (uint16_t)len);
    if (!len)
        give_up(all, "memory is short");
    else if (all->ops->send(query, LENGTH_SIZE + len))
        give_up(all, "the connection takes nothing");
}

void secondaries_connected(struct secondaries *all)
{
    all->deadline = all->ops->monotonic() + SECONDARY_IDLE_SECONDS;
    ask(all, is_there(all->active) ? TYPE_SOA : TYPE_AXFR);
}

/* How far the version that is offered is ahead of ours (RFC 1982). */
static int32_t serials_ahead(const struct secondaries *all)
{
    return (int32_t)(all->fetch.serial - dns_zone_serial(all->active->served));
}

/* Differences would be from something else than what we have if an image lacks records of its zone. */
static bool takes_differences(const struct secondary *s)
{
    return !s->whole && !(s->served->features & FEATURE_PARTIAL);
}

/* The SOA of the primary has come. */
static void compare(struct secondaries *all)
{
    int32_t ahead = serials_ahead(all);

    if (ahead > 0)
        ask(all, takes_differences(all->active) ? TYPE_IXFR : TYPE_AXFR);
    else if (ahead < 0)
        give_up(all, "it has an older version");
    else
        succeed(all);
}

/* Is the zone that comes, whatever its primary said before, no later one than ours? */
static bool comes_late(const struct secondaries *all)
{
    return is_there(all->active) && all->fetch.part != FETCH_FIRST && serials_ahead(all) <= 0;
}

static void take_message(struct secondaries *all, const uint8_t *message, size_t len)
{
    enum fetch_result result = fetch_take(&all->fetch, message, len, all->ops->wall());

    all->deadline = all->ops->monotonic() + SECONDARY_IDLE_SECONDS;
    if (result == FETCH_FAILED) {
        give_up(all, all->fetch.reason);
    } else if (all->fetch.type == TYPE_SOA) {
        compare(all);
    } else if (comes_late(all)) {
        give_up(all, "it offers a later version than it gives");
    } else if (result == FETCH_DONE) {
        all->building = true;
        all->ops->build();
    }
}

/* Octets of the message being received, as far as is known, with its length. */
static size_t message_size(const struct secondaries *all)
{
    return LENGTH_SIZE + (all->have < LENGTH_SIZE ? 0u : dns_be16(all->message));
}

void secondaries_received(struct secondaries *all, const uint8_t *octets, size_t len)
{
    all->come += len;
    while (len && all->active && !all->building) {
        size_t n = MIN(message_size(all) - all->have, len);

        memcpy(all->message + all->have, octets, n);
        all->have += n;
        octets += n;
        len -= n;
        if (all->have < LENGTH_SIZE || all->have < message_size(all))
            continue;
        all->have = 0;
        take_message(all, all->message + LENGTH_SIZE, dns_be16(all->message));
    }
    all->excess |= len && all->building;
}

void secondaries_disconnected(struct secondaries *all, const char *reason)
{
    all->connected = false;
    if (!all->building)
        give_up(all, reason);
}

void secondaries_build(struct secondaries *all)
{
    struct secondary *s = all->active;
    bool differences = all->fetch.differences;
    uint8_t *image;
    size_t size;

    all->fetch.pause = all->ops->pause;
    if (all->excess) {
        give_up(all, "there is more behind the end of the zone");
        return;
    }
    if (fetch_finish(&all->fetch, &image, &size)) {
        give_up(all, all->fetch.reason);
        return;
    }
    serve(all, s, image, size);
    all->ops->tell(s, differences ? SECONDARY_CHANGED : SECONDARY_LOADED, NULL, NULL);
    succeed(all);
}

/* Begins to ask for the zone. */
static void start(struct secondaries *all, struct secondary *s, uint32_t now)
{
    int err;

    all->message = malloc(LENGTH_SIZE + DNS_TCP_MAX);
    all->active = s;
    s->asked = now;
    if (!all->message) {
        give_up(all, "memory is short");
        return;
    }
    all->deadline = now + SECONDARY_CONNECT_SECONDS;
    all->span = now + SECONDARY_SPAN_SECONDS;
    all->end = now + SECONDARY_TOTAL_SECONDS;
    err = all->ops->connect(&s->primary[s->turn]);
    all->connected = !err;
    if (err == -ENETDOWN) {
        s->due = now + 1;
        release(all);
    } else if (err) {
        give_up(all, "no way there");
    }
}

/* Gives a primary up that is too slow; what it has sent takes memory meanwhile. */
static void look_at_pace(struct secondaries *all, uint32_t now)
{
    bool is_slow = is_due(all->span, now) && all->come < SECONDARY_SPAN_OCTETS;

    if (is_due(all->end, now)) {
        give_up(all, "it takes too long");
    } else if (is_due(all->deadline, now)) {
        give_up(all, "it is silent");
    } else if (is_slow) {
        give_up(all, "it is too slow");
    } else if (is_due(all->span, now)) {
        all->span = now + SECONDARY_SPAN_SECONDS;
        all->come = 0;
    }
}

uint32_t secondaries_run(struct secondaries *all)
{
    uint32_t now = all->ops->monotonic(), next = TIME_MAX;
    struct secondary *first = NULL;

    if (all->active && !all->building)
        look_at_pace(all, now);
    for (struct secondary *s = all->list; s; s = s->next) {
        if (s != all->active && (!first || (int32_t)(first->due - s->due) > 0))
            first = s;
        if (!is_there(s) || (s == all->active && all->building))
            continue;
        if (is_due(s->known + times_of(s).expire, now)) {
            if (s == all->active)
                give_up(all, "the zone has expired meanwhile");
            all->ops->tell(s, SECONDARY_EXPIRED, NULL, NULL);
            stop_serving(all, s);
            next = 0;
        } else {
            next = MIN(next, s->known + times_of(s).expire - now);
        }
    }
    if (!all->active && first && is_due(first->due, now)) {
        start(all, first, now);
        if (!all->active)
            return 0; /* that failed: who is next? */
    }
    if (!all->active)
        return first ? MIN(next, first->due - now) : next;
    if (!all->building)
        next = MIN(next, MIN(all->deadline - now, all->span - now));
    return next;
}
