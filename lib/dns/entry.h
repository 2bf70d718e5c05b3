/* SPDX-License-Identifier: ISC */
/*
 * The records of a message that came from elsewhere (RFC 1035 section 4.1). Private to lib/dns.
 */
#ifndef LIB_DNS_ENTRY_H
#define LIB_DNS_ENTRY_H

#include "lib/dns/name.h"

enum {
    ENTRY_NAMED_MAX = 540, /* octets of data that may have compressed names: an SOA has most */
    ENTRY_DATA_MAX = ENTRY_NAMED_MAX + 2 * DNS_NAME_MAX,
};

/* A message being read. What `pos` has passed is there. */
struct message {
    const uint8_t *octets;
    size_t len, pos;
};

/* A record of it. */
struct entry {
    uint8_t owner[DNS_NAME_MAX]; /* without compression */
    size_t at, fields, data;     /* where it is, what is behind its name, and its data */
    unsigned type, class, len;
    uint32_t ttl;
};

/* Steps over a name, which may be compressed, and gives it without compression; its octets, or 0. */
unsigned message_name(struct message *m, uint8_t name[DNS_NAME_MAX]);

/* Steps over a record. False: it is malformed. */
bool message_entry(struct message *m, struct entry *e);

/*
 * The data of a record without compression: in the message itself, or in BUFFER[ENTRY_DATA_MAX]; its length
 * at *LEN. NULL: it is malformed.
 */
const uint8_t *entry_data(const struct message *m, const struct entry *e, uint8_t *buffer,
                          size_t *len);

#endif
