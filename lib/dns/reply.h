/* SPDX-License-Identifier: ISC */
/*
 * A reply under construction: private to lib/dns.
 *
 * Sections are written in order, whole sets at a time, so a reply never holds part of a set.
 * The name being answered stands uncompressed, as far as the apex, at out[name_pos]; at first that
 * is the question, later the target of a CNAME. The zone's apex stands at out[apex_pos]. Both, and all of the
 * name, stand below RELOC_SELF_MAX, so pointers reach them.
 */
#ifndef LIB_DNS_REPLY_H
#define LIB_DNS_REPLY_H

#include "lib/dns/lookup.h"
#include "lib/dns/query.h"

enum reply_section { SECTION_ANSWER, SECTION_AUTHORITY, SECTION_ADDITIONAL, SECTIONS };

enum {
    REPLY_SENT_MAX = 48, /* sets remembered so that none is sent twice */
    REPLY_REFS_MAX = 2,  /* sets whose references want additional records: answer, authority */
};

struct reply {
    uint8_t *out;
    size_t pos;
    size_t limit;
    unsigned name_pos;
    unsigned name_len; /* of it, before the apex */
    unsigned apex_pos;
    uint16_t count[SECTIONS];
    uint8_t flags; /* octet 2 of the header: AA, TC */
    uint8_t rcode;
    bool referral;
    bool dnssec; /* the client wants signatures and proofs */
    unsigned sent_count;
    unsigned ref_count;
    struct {
        const uint8_t *set;
        uint16_t owner;
        uint16_t pos;
    } sent[REPLY_SENT_MAX];
    struct {
        const uint8_t *set;
        size_t pos;
    } ref[REPLY_REFS_MAX];
};

/*
 * Appends SET to SECTION under OWNER, a compression pointer. Sections must be filled in order.
 * Returns false, and appends nothing, when the set does not fit.
 */
bool reply_add(struct reply *r, enum reply_section section, const uint8_t *set, uint16_t owner);

/*
 * Appends SET, which has no compressed names, to the authority section, unless it is there already.
 * Its owner is the LEN octets of labels LABELS, then the last SHARED octets before the apex of the
 * name being answered, and the apex. Returns false when it does not fit.
 */
bool reply_add_named(struct reply *r, const uint8_t *set, const uint8_t *labels, unsigned len,
                     unsigned shared);

/* Appends SET's signatures alone to the answer section. False when they do not fit. */
bool reply_add_signatures(struct reply *r, const uint8_t *set, uint16_t owner);

/* Was SET sent already? Under this owner, unless OWNER is 0. */
bool reply_has(const struct reply *r, const uint8_t *set, uint16_t owner);

/* Where SET was written, or 0. */
size_t reply_place(const struct reply *r, const uint8_t *set);

/*
 * Appends the CNAME that the DNAME at out[dname] means for the name being answered, of which PREFIX
 * octets precede the DNAME's owner. Returns 0; -EMSGSIZE when it does not fit; -ENAMETOOLONG when its
 * target would be longer than a name may be.
 */
int reply_add_alias(struct reply *r, unsigned prefix, size_t dname);

/* Has reply_add_addresses add the addresses that SET, just about to be added, refers to. */
void reply_want_addresses(struct reply *r, const uint8_t *set);

/* Adds the wanted addresses to the additional section. Sets TC when needed glue does not fit. */
void reply_add_addresses(struct reply *r, const struct dns_zone *zone);

/* Where the name at out[pos], known to be well-formed, really starts when it is but a compression
 * pointer. */
unsigned reply_resolve(const struct reply *r, size_t pos);

/*
 * Where the part of the name being answered stands that begins LEN octets before the apex. The
 * question is there in full; the target of a CNAME may itself be compressed.
 */
unsigned reply_position(const struct reply *r, unsigned len);

/* Replaces KEY by the possibly compressed name at out[pos]. False when that is malformed. */
bool reply_read_name(const struct reply *r, size_t pos, struct dns_key *key);

/* The same, but false also when it is the name which KEY has already, or one with the same hash. */
bool reply_next_name(const struct reply *r, size_t pos, struct dns_key *key);

#endif
