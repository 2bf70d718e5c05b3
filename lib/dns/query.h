/* SPDX-License-Identifier: ISC */
/*
 * A query, parsed: private to lib/dns.
 */
#ifndef LIB_DNS_QUERY_H
#define LIB_DNS_QUERY_H

#include "lib/dns/name.h"

enum {
    HEADER_SIZE = 12,
    QUESTION_TAIL = 4, /* type and class */
    OPT_SIZE = 11,     /* an OPT record without options */
    FLAG_QR = 0x80,    /* octet 2 of the header */
    FLAG_AA = 0x04,
    FLAG_TC = 0x02,
    FLAG_RD = 0x01,
    OPCODE = 0x78,
    OPCODE_NOTIFY = 4 << 3,
    EDNS_DO = 0x80, /* first octet of the OPT record's flags */
};

struct dns_query {
    uint16_t type;
    uint16_t class;
    uint16_t udp_size;     /* what the client can take, at least DNS_UDP_MIN */
    uint16_t question_len; /* octets of name, type and class */
    bool edns;
    bool dnssec_ok;
    bool notify; /* no query but a NOTIFY; with CONFIG_DNS_SECONDARY */
    uint8_t edns_version;
    uint16_t options_at; /* where the EDNS options are in the message, and their octets */
    uint16_t options_len;
    struct dns_key key;
    uint16_t tsig_at;      /* where the TSIG record is, or 0; with CONFIG_DNS_TSIG */
    uint16_t tsig_fields;  /* ... and what follows its name */
    uint16_t authority_at; /* where the record of an IXFR is, or 0; with CONFIG_DNS_XFR */
};

/*
 * Parses a message of at least HEADER_SIZE octets that has QR clear.
 * Returns the response code it calls for by its form alone: DNS_NOERROR, DNS_FORMERR or DNS_NOTIMP.
 */
int dns_query_parse(struct dns_query *q, const uint8_t *msg, size_t len);

#endif
