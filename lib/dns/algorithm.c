/* SPDX-License-Identifier: ISC */
/* The algorithms of TSIG: see algorithm.h. */
#include "lib/dns/algorithm.h"

#include "lib/crypto/hmac.h"
#include "lib/util.h"

#include <string.h>

/* In wire form, by enum hmac_kind. */
static const uint8_t names[][ALGORITHM_NAME_MAX + 1] = {
    "\13hmac-sha256", "\11hmac-sha1", "\13hmac-sha224", "\13hmac-sha384", "\13hmac-sha512",
};

const uint8_t *algorithm_name(const struct tsig_key *key)
{
    return names[key->algorithm];
}

/* Reads "" or "-BITS", whether the octets of a MAC are to be SIZE or fewer. */
static bool parse_bits(const char *text, unsigned size, struct tsig_key *key)
{
    unsigned bits = 0;

    key->mac_len = (uint8_t)size;
    if (!*text)
        return true;
    if (*text != '-' || strlen(text) > 4)
        return false;
    while (*++text) {
        if (*text < '0' || *text > '9')
            return false;
        bits = bits * 10 + (unsigned)(*text - '0');
    }
    key->mac_len = (uint8_t)(bits / 8);
    return bits % 8 == 0 && bits <= 8 * size && bits >= MAX(80, 4 * size);
}

bool algorithm_parse(const char *text, struct tsig_key *key)
{
    for (unsigned kind = 0; kind < HMAC_KINDS; kind++) {
        size_t len = names[kind][0];

        if (strncmp(text, (const char *)names[kind] + 1, len))
            continue;
        key->algorithm = (uint8_t)kind;
        return parse_bits(text + len, hmac_size(kind), key);
    }
    return false;
}
