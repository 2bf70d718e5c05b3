/* SPDX-License-Identifier: ISC */
/*
 * Who may have a zone as a whole: a list of addresses and of keys (TSIG, RFC 8945).
 */
#ifndef LIB_DNS_ACCESS_H
#define LIB_DNS_ACCESS_H

#include "lib/dns/dns.h"
#include "lib/dns/name.h"
#include "lib/dns/prefix.h"

enum {
    ACCESS_WORD_MAX = 192, /* characters of a word on the command line */
    ACCESS_KEYS = 8,
    ACCESS_RULES = 32,
    KEY_NAME_MAX = 64, /* octets of a key's name: a message of the largest set has room for it */
    SECRET_MAX = 64,
};

struct tsig_key {
    uint8_t name[KEY_NAME_MAX]; /* lower case, wire form */
    uint8_t name_len;
    uint8_t algorithm; /* an enum hmac_kind */
    uint8_t mac_len;   /* octets of its MACs: what is shorter is not believed */
    uint8_t secret_len;
    uint8_t secret[SECRET_MAX];
};

/* Another server: where it is, and what signs the messages to and from it. */
struct dns_peer {
    uint8_t address[16];
    uint8_t address_len; /* 4 or 16 */
    uint16_t port;
    const struct tsig_key *key; /* NULL: nothing is signed */
};

/* Allows what comes from an address, or is signed by a key, or both. */
struct access_rule {
    struct dns_prefix prefix;
    const struct tsig_key *key; /* NULL: none is needed */
};

struct dns_access {
    struct tsig_key key[ACCESS_KEYS];
    struct access_rule rule[ACCESS_RULES];
    unsigned keys, rules;
};

/* The next word of a list, which ends at a comma, into WORD[ACCESS_WORD_MAX]; false: it is too long. */
bool access_next_word(const char **list, char *word);

/* A name without escapes, in wire form and lower case, of at most MAX octets; returns them, 0: it is none. */
unsigned access_parse_name(const char *text, uint8_t *name, unsigned max);

/*
 * Adds the keys of a list "[ALGORITHM:]NAME:BASE64,...", as dig -y takes them; the algorithm is HMAC-SHA-256, or
 * with CONFIG_DNS_TSIG_ALGORITHMS one that algorithm_parse() knows. Returns NULL, or what is wrong with it.
 */
const char *access_add_keys(struct dns_access *a, const char *list);

/*
 * Adds the rules of a list "ADDRESS[/BITS][@KEY],@KEY,...", whose keys must be there already. Returns
 * NULL, or what is wrong with it.
 */
const char *access_add_rules(struct dns_access *a, const char *list, access_parse_address *parse);

/*
 * Reads ADDRESS[:PORT][@KEY], an IPv6 address with a port in brackets, whose key must be there already.
 * WORD is written to. Returns NULL, or what is wrong with it.
 */
const char *access_parse_peer(const struct dns_access *a, char *word, access_parse_address *parse,
                              struct dns_peer *peer);

/* The key of this name in wire form, lower case, or NULL. */
const struct tsig_key *access_find_key(const struct dns_access *a, const uint8_t *name,
                                       unsigned len);

/* May CLIENT, whose query was signed by KEY or by none, have zones? */
bool access_allows(const struct dns_access *a, const struct dns_client *client,
                   const struct tsig_key *key);

#endif
