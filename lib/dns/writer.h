/* SPDX-License-Identifier: ISC */
/*
 * The growing image, and the form of a set in it: private to the builder.
 */
#ifndef LIB_DNS_WRITER_H
#define LIB_DNS_WRITER_H

#include "lib/dns/tree.h"

enum {
    WRITER_NAMES_MAX = 64, /* names of a set that later ones are compressed against */
    WRITER_RECORDS_MAX = SET_RECORDS_MAX / RECORD_HEADER + 1,
};

/* The image being written. */
struct writer {
    struct dns_builder *b;
    uint8_t *data;
    size_t len, room;
    uint32_t records; /* written so far, duplicates not counted */
    bool failed;      /* memory was short; data is incomplete */
};

/* The set being written: where it is, and what its records said so far. */
struct set_writer {
    struct writer *w;
    size_t records; /* offset of its records in the image */
    unsigned names, relocs, refs;
    struct dns_key owner; /* the name that may be pointed to */
    unsigned owner_len;   /* its octets before the apex */
    struct {
        unsigned at; /* offset in the records */
        uint32_t hash;
        const uint8_t *name;
    } name[WRITER_NAMES_MAX];
    uint16_t reloc[2 * WRITER_RECORDS_MAX];
    struct {
        uint16_t at;  /* offset of the name in the records */
        uint32_t rec; /* whose name it is */
    } ref[WRITER_RECORDS_MAX];
};

/* Appends N octets, zeroes when OCTETS is NULL. */
void writer_put(struct writer *w, const void *octets, size_t n);

/* The TTL of the set recs[from..end). They should all have the same (RFC 2181 section 5.2). */
uint32_t writer_ttl(struct dns_builder *b, uint32_t from, uint32_t end);

/*
 * Appends the set recs[from..end) with this TTL. In its references the place of the node's number
 * is taken by the index of the record that refers.
 */
void writer_put_set(struct set_writer *s, uint32_t from, uint32_t end, uint32_t ttl);

#endif
