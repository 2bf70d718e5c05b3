/* SPDX-License-Identifier: ISC */
/*
 * Comparing images: see compare.h. What is gone is what the old one has and the new one has not; what is new,
 * the other way round: so there is one walk, over either image, that looks everything up in the other. Sets that
 * are the same octet by octet are passed over; others are written out as answers, and compared record by record.
 */
#include "lib/dns/compare.h"

#include "lib/dns/denial.h"
#include "lib/dns/entry.h"
#include "lib/dns/reply.h"

#include <stdlib.h>

enum {
    FIRST_ROOM = 1024,
    STEPS = 256, /* between two pauses */
    /* Records looked at in vain: beyond, sets are in another order, and the whole zone is sent with less work. */
    SEARCHES_MAX = 1 << 20,
};

/* A set of one of the images, written out under its owner. */
struct side {
    struct reply r; /* r.out has DNS_TCP_MAX octets */
    size_t start;   /* of the records */
    struct message m;
    struct entry e; /* the record that was read last */
    const uint8_t *data;
    size_t len;
    uint8_t buffer[ENTRY_DATA_MAX];
};

/* The walk over one image, with an eye on the other. */
struct walk {
    const struct dns_zone *zone, *other;
    struct side mine, theirs;
    struct dns_change *change; /* grows; NULL when it cannot */
    size_t room, max;
    void (*pause)(void);
    unsigned steps, searches;
};

enum part { RECORDS, SIGNATURES };

static void step(struct walk *w)
{
    if (w->pause && ++w->steps % STEPS == 0)
        w->pause();
}

static void give_up(struct walk *w)
{
    free(w->change);
    w->change = NULL;
}

/* Makes room for LEN octets more, which are then there to be written to; NULL: there is none. */
static uint8_t *grow(struct walk *w, size_t len)
{
    struct dns_change *larger;
    size_t need;

    if (!w->change)
        return NULL;
    need = w->change->size + len;
    if (need > w->room) {
        size_t room = MIN(MAX(2 * w->room, need), w->max);

        larger = need > w->max ? NULL : realloc(w->change, sizeof(*w->change) + room);
        if (!larger) {
            give_up(w);
            return NULL;
        }
        w->change = larger;
        w->room = room;
    }
    w->change->size = (uint32_t)need;
    return w->change->octets + need - len;
}

/* Appends the record that side S has read. */
static void append(struct walk *w, const struct side *s)
{
    const uint8_t *labels = s->r.out + HEADER_SIZE;
    unsigned owner = s->r.name_len;
    uint8_t *to = grow(w, 1 + owner + CHANGE_FIELDS + s->len);

    if (!to)
        return;
    *to++ = (uint8_t)owner;
    memcpy(to, labels, owner);
    to += owner;
    memcpy(to, s->m.octets + s->e.fields, CHANGE_FIELDS - 2);
    dns_put_be16(to + CHANGE_FIELDS - 2, (uint16_t)s->len);
    memcpy(to + CHANGE_FIELDS, s->data, s->len);
}

/* Makes the owner of what is written to side S next: LEN octets of labels LABELS below the apex. */
static void set_owner(struct side *s, const struct dns_zone *zone, const uint8_t *labels,
                      unsigned len)
{
    struct reply *r = &s->r;

    memcpy(r->out + HEADER_SIZE, labels, len);
    memcpy(r->out + HEADER_SIZE + len, zone->name, zone->name_len);
    r->name_pos = HEADER_SIZE;
    r->name_len = len;
    r->apex_pos = HEADER_SIZE + len;
    s->start = HEADER_SIZE + len + zone->name_len;
}

/* Writes a part of a set, which may be NULL, and goes back to its beginning. */
static void write_part(struct side *s, const uint8_t *set, enum part part)
{
    struct reply *r = &s->r;

    r->pos = s->start;
    r->sent_count = REPLY_SENT_MAX; /* nothing is to be remembered */
    if (set && part == RECORDS)
        (void)reply_add(r, SECTION_ANSWER, set, OWNER_POINTER);
    else if (set && set_is_signed(set))
        (void)reply_add_signatures(r, set, OWNER_POINTER);
    s->m = (struct message){r->out, r->pos, s->start};
}

/* Reads the next record of what was written. False: there is none. */
static bool read_record(struct side *s)
{
    if (s->m.pos == s->m.len || !message_entry(&s->m, &s->e))
        return false;
    s->data = entry_data(&s->m, &s->e, s->buffer, &s->len);
    return s->data;
}

static bool same_record(const struct side *a, const struct side *b)
{
    return a->e.ttl == b->e.ttl && a->len == b->len && !memcmp(a->data, b->data, a->len);
}

/*
 * Has the other side the record that was read from this one? The search begins behind the record that was found
 * last and goes all round, so sets in the same order take one step for each record. There is nothing to look for any
 * more when the comparison is given up.
 */
static bool is_there(struct walk *w)
{
    size_t begin = w->theirs.m.pos;
    bool round = false;

    for (;;) {
        step(w);
        if (!read_record(&w->theirs)) {
            if (round)
                break;
            round = true;
            w->theirs.m.pos = w->theirs.start;
        } else if (same_record(&w->mine, &w->theirs)) {
            return true;
        } else if (++w->searches > SEARCHES_MAX) {
            give_up(w);
            return true;
        }
        if (round && w->theirs.m.pos >= begin)
            break;
    }
    w->theirs.m.pos = begin;
    return false;
}

/* Appends the records of a part of a set that the other image's set, or NULL, has not. */
static void compare_records(struct walk *w, const uint8_t *set, const uint8_t *other,
                            enum part part)
{
    write_part(&w->mine, set, part);
    write_part(&w->theirs, other, part);
    while (w->change && read_record(&w->mine)) {
        if (!is_there(w))
            append(w, &w->mine);
    }
}

/* Octets of a set's relocations; references differ from image to image. */
static unsigned relocations_len(const uint8_t *set)
{
    return set_fixups_len(set) ? 2 + 2 * dns_le16(set_fixups(set)) : 0;
}

static bool same_octets(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
    return a_len == b_len && !memcmp(a, b, a_len);
}

static bool same_records(const uint8_t *a, const uint8_t *b)
{
    return same_octets(set_records(a), set_records_len(a), set_records(b), set_records_len(b)) &&
           same_octets(set_fixups(a), relocations_len(a), set_fixups(b), relocations_len(b));
}

static bool same_signatures(const uint8_t *a, const uint8_t *b)
{
    const uint8_t *s = set_signatures(a), *t = set_signatures(b);

    if (!set_is_signed(a) || !set_is_signed(b))
        return !set_is_signed(a);
    return same_octets(s, SIGNATURES_HEADER + signatures_len(s), t,
                       SIGNATURES_HEADER + signatures_len(t));
}

/* Compares a set with the one of the same name and type in the other image, or NULL. SOAs are marks of their own. */
static void compare_set(struct walk *w, const uint8_t *set, const uint8_t *other)
{
    if (set_type(set) != TYPE_SOA && !(other && same_records(set, other)))
        compare_records(w, set, other, RECORDS);
    if (set_is_signed(set) && !(other && same_signatures(set, other)))
        compare_records(w, set, other, SIGNATURES);
}

static const uint8_t *first_node(const struct dns_zone *zone)
{
    return zone_apex(zone);
}

static const uint8_t *nodes_end(const struct dns_zone *zone)
{
    return zone->image + 4 * (size_t)dns_le32(zone->image + IMAGE_OFF_NODES_END);
}

static const uint8_t *node_after(const struct dns_zone *zone, const uint8_t *node)
{
    const uint8_t *set = node_first_set(node);

    for (unsigned n = node_sets(node); n; n--)
        set = set_next(set);
    return zone->image + ROUND_UP((size_t)(set - zone->image), 4);
}

/* The node of the other image that has the name of NODE, or NULL. GUESS is likely to be it, if not NULL. */
static const uint8_t *same_node(const struct walk *w, const uint8_t *node, const uint8_t *guess)
{
    unsigned len = node_name_len(node);

    if (guess && node_name_len(guess) == len && !memcmp(node_name(guess), node_name(node), len))
        return guess;
    return zone_find(w->other, node_name(node), len);
}

static void compare_nodes(struct walk *w)
{
    const uint8_t *guess = first_node(w->other);

    for (const uint8_t *node = first_node(w->zone); node < nodes_end(w->zone) && w->change;
         node = node_after(w->zone, node)) {
        const uint8_t *other = same_node(w, node, guess), *set = node_first_set(node);

        step(w);
        set_owner(&w->mine, w->zone, node_name(node), node_name_len(node));
        set_owner(&w->theirs, w->zone, node_name(node), node_name_len(node));
        for (unsigned n = node_sets(node); n; n--, set = set_next(set))
            compare_set(w, set, other ? node_find_set(other, set_type(set)) : NULL);
        if (other)
            guess = node_after(w->other, other);
        if (guess == nodes_end(w->other))
            guess = NULL;
    }
}

static bool is_hashed(const struct dns_zone *zone)
{
    return IS_ENABLED(CONFIG_DNS_DNSSEC) && zone->features & FEATURE_NSEC3;
}

/* Compares the NSEC3 sets: both images have them by hash, which is how their labels are ordered, too. */
static void compare_hashed(struct walk *w)
{
    uint32_t count = is_hashed(w->zone) ? w->zone->denials : 0, at = 0;
    uint32_t others = is_hashed(w->other) ? w->other->denials : 0;

    for (uint32_t i = 0; i < count && w->change; i++) {
        uint8_t label[DENIAL_LABEL], next[DENIAL_LABEL];
        const uint8_t *set = denial_nsec3(w->zone, i, label), *other = NULL;
        int order = -1;

        step(w);
        for (; at < others && order < 0; at += order <= 0) {
            other = denial_nsec3(w->other, at, next);
            order = memcmp(next, label, DENIAL_LABEL);
        }
        set_owner(&w->mine, w->zone, label, DENIAL_LABEL);
        set_owner(&w->theirs, w->zone, label, DENIAL_LABEL);
        compare_set(w, set, order ? NULL : other);
    }
}

/* Appends the SOA of one version, and what that one has and the other has not. */
static void append_side(struct walk *w, const struct dns_zone *zone, const struct dns_zone *other)
{
    w->zone = zone;
    w->other = other;
    set_owner(&w->mine, zone, zone->name, 0);
    write_part(&w->mine, node_find_set(first_node(zone), TYPE_SOA), RECORDS);
    if (read_record(&w->mine))
        append(w, &w->mine);
    compare_nodes(w);
    compare_hashed(w);
}

struct dns_change *compare_zones(const struct dns_zone *old, const struct dns_zone *next,
                                 size_t max, void (*pause)(void))
{
    struct walk *w = calloc(1, sizeof(*w));
    struct dns_change *change = NULL;

    if (!w)
        return NULL;
    w->pause = pause;
    w->max = max;
    w->room = MIN(FIRST_ROOM, w->max);
    w->mine.r.limit = w->theirs.r.limit = DNS_TCP_MAX;
    w->mine.r.out = malloc(DNS_TCP_MAX);
    w->theirs.r.out = malloc(DNS_TCP_MAX);
    if (w->mine.r.out && w->theirs.r.out)
        w->change = malloc(sizeof(*w->change) + w->room);
    if (w->change) {
        *w->change = (struct dns_change){.from = dns_zone_serial(old), .to = dns_zone_serial(next)};
        append_side(w, old, next);
        append_side(w, next, old);
        change = w->change;
    }
    free(w->mine.r.out);
    free(w->theirs.r.out);
    free(w);
    return change;
}
