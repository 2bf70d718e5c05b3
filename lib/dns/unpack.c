/* SPDX-License-Identifier: ISC */
/*
 * From an image back to records: see unpack.h. Each set is written into a message as the answer to a question
 * for its own name, and read from there.
 */
#include "lib/dns/unpack.h"

#include "lib/dns/denial.h"
#include "lib/dns/entry.h"
#include "lib/dns/reply.h"

#include <errno.h>
#include <stdlib.h>

struct unpacker {
    const struct dns_zone *zone;
    struct dns_builder *b;
    struct reply r; /* r.out has DNS_TCP_MAX octets */
    size_t start;   /* behind the question's name */
};

/* Makes the owner of the sets that follow the LEN octets of labels LABELS below the apex. */
static void set_owner(struct unpacker *u, const uint8_t *labels, unsigned len)
{
    struct reply *r = &u->r;

    memcpy(r->out + HEADER_SIZE, labels, len);
    memcpy(r->out + HEADER_SIZE + len, u->zone->name, u->zone->name_len);
    r->name_pos = HEADER_SIZE;
    r->name_len = len;
    r->apex_pos = HEADER_SIZE + len;
    u->start = HEADER_SIZE + len + u->zone->name_len;
}

/* Gives the records written to the message to the builder. */
static int give(struct unpacker *u)
{
    struct message m = {u->r.out, u->r.pos, u->start};
    uint8_t buffer[ENTRY_DATA_MAX];
    struct entry e;

    while (m.pos < m.len && message_entry(&m, &e)) {
        size_t len;
        const uint8_t *data = entry_data(&m, &e, buffer, &len);
        const struct dns_record record = {.owner = e.owner,
                                          .data = data,
                                          .ttl = e.ttl,
                                          .type = (uint16_t)e.type,
                                          .len = (uint16_t)len};
        int err = data ? dns_builder_add(u->b, &record, &(struct dns_place){.file = ""}) : 0;

        if (err)
            return err;
    }
    return 0;
}

static int unpack_set(struct unpacker *u, const uint8_t *set)
{
    struct reply *r = &u->r;
    int err = 0;

    r->sent_count = REPLY_SENT_MAX; /* nothing is to be remembered */
    if (set_type(set) != TYPE_SOA) {
        r->pos = u->start;
        (void)reply_add(r, SECTION_ANSWER, set, OWNER_POINTER);
        err = give(u);
    }
    if (!err && set_is_signed(set)) {
        r->pos = u->start;
        (void)reply_add_signatures(r, set, OWNER_POINTER);
        err = give(u);
    }
    return err;
}

static int unpack_nodes(struct unpacker *u)
{
    const uint8_t *image = u->zone->image, *node = zone_apex(u->zone), *set;
    const uint8_t *end = image + 4 * (size_t)dns_le32(image + IMAGE_OFF_NODES_END);
    int err = 0;

    for (; node < end && !err; node = image + ROUND_UP((size_t)(set - image), 4)) {
        set_owner(u, node_name(node), node_name_len(node));
        set = node_first_set(node);
        for (unsigned n = node_sets(node); n && !err; n--, set = set_next(set))
            err = unpack_set(u, set);
    }
    return err;
}

/* Unpacks the NSEC3 sets. */
static int unpack_hashed(struct unpacker *u)
{
    uint8_t label[DENIAL_LABEL];
    int err = 0;

    if (!IS_ENABLED(CONFIG_DNS_DNSSEC) || !(u->zone->features & FEATURE_NSEC3))
        return 0;
    for (uint32_t i = 0; i < u->zone->denials && !err; i++) {
        const uint8_t *set = denial_nsec3(u->zone, i, label);

        set_owner(u, label, sizeof(label));
        err = unpack_set(u, set);
    }
    return err;
}

int unpack_zone(const struct dns_zone *zone, struct dns_builder *b)
{
    struct unpacker *u = calloc(1, sizeof(*u));
    int err = -ENOMEM;

    if (!u)
        return err;
    u->zone = zone;
    u->b = b;
    u->r.limit = DNS_TCP_MAX;
    u->r.out = malloc(DNS_TCP_MAX);
    if (u->r.out)
        err = unpack_nodes(u);
    if (!err)
        err = unpack_hashed(u);
    free(u->r.out);
    free(u);
    return err;
}
