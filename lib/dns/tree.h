/* SPDX-License-Identifier: ISC */
/*
 * What the two halves of the builder share: records kept in chunks, sorted, and the tree of names
 * made of them. build.c fills it, render.c turns it into an image. Private to lib/dns.
 *
 * An owner's name is kept as its sort key: the labels from right to left, lowered, each ended by an
 * octet 0; octets 0 and 1 inside a label become 1,1 and 1,2. memcmp of keys is the canonical order
 * of names (RFC 4034 section 6.1), and a name lies below another when the other's key is a prefix
 * of its own. In sorted order each name follows its parent: one pass over the list is a walk of the
 * tree.
 */
#ifndef LIB_DNS_TREE_H
#define LIB_DNS_TREE_H

#include "lib/dns/build.h"
#include "lib/dns/dns.h"
#include "lib/dns/image.h"

enum {
    KEY_MAX = 2 * DNS_NAME_MAX,
    CHUNK_BITS = 16, /* units of 4 octets in a chunk */
    CHUNK_SIZE = 4 << CHUNK_BITS,
    CHUNK_MIN = 4096,
    STEPS = 256, /* between two pauses */
};

/* A record: in a chunk, at a multiple of 4. */
struct rec {
    uint32_t ttl;
    uint32_t line; /* 0: it is of no file */
    uint16_t file;
    uint16_t type;
    uint16_t len;
    uint16_t key_len : 14;
    uint16_t removes : 1;  /* it takes the same one away */
    uint16_t left_out : 1; /* the same one came before, or it was taken away: see same.c */
    uint8_t octets[];      /* key, then data */
};

/* A name of the zone, in canonical order. */
struct leaf {
    uint32_t
        first; /* its first record in the sorted list; of an empty non-terminal: the record below */
    uint32_t count;  /* its records */
    uint32_t number; /* its node in the image */
    uint16_t key_len;
    uint8_t flags;
    uint8_t depth;
    bool nsec; /* has an NSEC record */
};

/* An NSEC3 set: its records in the sorted list, and where it is in the image, divided by 4. */
struct hashed {
    uint32_t first, count, number;
    uint8_t hash[NSEC3_HASH];
};

struct dns_builder {
    struct dns_sink sink;
    unsigned errors;
    unsigned steps; /* of work done, for the pauses between */

    const char *source; /* what messages name that are about no record, or NULL */
    char **files;       /* names of the files the records came from */
    unsigned file_count;

    uint8_t **chunks;
    unsigned chunk_count;
    size_t chunk_used, chunk_size; /* of the last one */
    size_t octets, limit;          /* that all records take, and may take */

    bool differences; /* some records remove others */
    bool verifies;    /* the zone is compared with its digest */
    uint32_t *recs;   /* handles of records: chunk << CHUNK_BITS | offset / 4 */
    uint32_t rec_count, rec_room;

    struct leaf *leaves;
    uint32_t leaf_count, leaf_room;

    struct hashed *hashed; /* by hash */
    uint32_t hashed_count, hashed_room;
    const struct rec *nsec3param; /* of the chain that is served, or NULL */

    uint8_t apex[DNS_NAME_MAX + DNS_NAME_PAD]; /* lower case */
    uint8_t apex_key[KEY_MAX];
    unsigned apex_len, apex_key_len;
    unsigned max_depth;
    uint8_t features;
    const struct rec *soa;   /* NULL until it is seen */
    struct scratch *scratch; /* zonemd.c's, while it works */
};

static inline const struct rec *builder_at(const struct dns_builder *b, uint32_t handle)
{
    return (const void *)(b->chunks[handle >> CHUNK_BITS] +
                          4 * (size_t)(handle & ((1u << CHUNK_BITS) - 1)));
}

static inline const struct rec *builder_rec(const struct dns_builder *b, uint32_t index)
{
    return builder_at(b, b->recs[index]);
}

static inline const uint8_t *rec_data(const struct rec *rec)
{
    return rec->octets + rec->key_len;
}

/* The type of the set that the record belongs to: a signature is kept with what it signs. */
static inline unsigned rec_set_type(const struct rec *rec)
{
    return rec->type == TYPE_RRSIG ? dns_be16(rec_data(rec)) : rec->type;
}

/* After each step of work, which takes some hundred instructions. */
static inline void builder_step(struct dns_builder *b)
{
    if (b->sink.pause && ++b->steps % STEPS == 0)
        b->sink.pause(b->sink.ctx);
}

/* Are two records of one name and set the same, but for their TTL? */
bool rec_same_data(const struct rec *a, const struct rec *b);

/* Where the signatures begin in the set recs[from..end): `end` if there are none. */
uint32_t builder_signatures(struct dns_builder *b, uint32_t from, uint32_t end);

/*
 * Reports a problem at REC's line in at most 90 characters; NAME, if not NULL, is appended. A record of no
 * file has no line: then its owner is.
 */
void builder_report(struct dns_builder *b, enum dns_severity severity, const struct rec *rec,
                    const char *what, const uint8_t *name);

/* Makes the sort key of a well-formed name; returns its length. */
unsigned builder_key(const uint8_t *name, uint8_t key[KEY_MAX]);

/*
 * Writes the wire form of a key's labels from octet FROM on, without the root, into NAME[KEY_MAX]; returns
 * its length.
 */
unsigned builder_name(const uint8_t *key, unsigned from, unsigned len, uint8_t *name);

/*
 * ARRAY of COUNT members of SIZE octets, moved if need be so that there is room for one more. NULL
 * when memory is short; the array is then as it was.
 */
void *builder_grow(void *array, uint32_t count, uint32_t *room, size_t size);

/* Does the record of the handle FIRST come after that of SECOND? */
typedef bool builder_order(struct dns_builder *b, uint32_t first, uint32_t second);

/* Sorts the N handles of LIST; those of which none comes after the other keep their order. SPARE has room for N. */
void builder_sort_list(struct dns_builder *b, uint32_t *list, size_t n, uint32_t *spare,
                       builder_order *after);

/* Sorts the records by name, set, and signatures last. -ENOMEM or 0. */
int builder_sort(struct dns_builder *b);

/* Compares the zone with the digest that it has of itself (ZONEMD): reports if it is wrong. 0 or -ENOMEM. */
int zonemd_check(struct dns_builder *b);

/*
 * Of sorted records, marks those that are there already; if they are differences, carries these out and reports what
 * does not fit. -ENOMEM or 0.
 */
int builder_settle(struct dns_builder *b);

/* What is wrong where the owner of an NSEC3 record is a name of the zone, too. */
extern const char chain_not_alone[];

/* Notes an NSEC3PARAM record of the apex: it tells which chain is served. */
void chain_take_param(struct dns_builder *b, const struct rec *rec);

/* Are the records at FROM an NSEC3 set, whose owner is no name of the zone? */
bool chain_is_hashed(const struct dns_builder *b, uint32_t from);

/* Takes the NSEC3 set recs[from..end), the next in order. -ENOMEM or 0. */
int chain_take(struct dns_builder *b, uint32_t from, uint32_t end);

/* Writes the image of a builder whose tree is made. As dns_builder_finish. */
int builder_render(struct dns_builder *b, uint8_t **image, size_t *size);

#endif
