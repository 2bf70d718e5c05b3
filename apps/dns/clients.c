/* SPDX-License-Identifier: ISC */
/* How many connections each client has: see clients.h. */
#include "apps/dns/clients.h"

#include <string.h>

#include "kernel/app.h"
#include "lib/siphash.h"

enum { PLACES = 4096, KEY_WORDS = 2 };

static uint16_t counts[PLACES];

/* What tells clients apart. */
static void read_client(const ip_addr_t *address, uint64_t words[KEY_WORDS])
{
    words[0] = words[1] = 0;
#if LWIP_IPV6
    if (IP_IS_V6(address)) {
        memcpy(words, ip_2_ip6(address)->addr, sizeof(words[0]));
        words[1] = 1;
        return;
    }
#endif
#if LWIP_IPV4
    words[0] = ip4_addr_get_u32(ip_2_ip4(address));
#endif
}

uint16_t clients_place(const ip_addr_t *address)
{
    static uint8_t key[SIPHASH_KEY];
    static bool keyed;
    uint64_t words[KEY_WORDS];

    if (!keyed)
        random_bytes(key, sizeof(key));
    keyed = true;
    read_client(address, words);
    return siphash(key, words, sizeof(words)) % PLACES;
}

void clients_count(uint16_t place, int change)
{
    counts[place] = (uint16_t)(counts[place] + change);
}

unsigned clients_at(uint16_t place)
{
    return counts[place];
}

bool clients_same(const ip_addr_t *a, const ip_addr_t *b)
{
    uint64_t one[KEY_WORDS], other[KEY_WORDS];

    read_client(a, one);
    read_client(b, other);
    return !memcmp(one, other, sizeof(one));
}
