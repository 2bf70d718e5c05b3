/* SPDX-License-Identifier: ISC */
/*
 * Counters as text: see counters.h. Their names are those of the table, of the response codes (RFC 6895
 * section 2.3) and of the types most asked for; the others are counted together.
 */
#include "lib/dns/counters.h"

#include "lib/dns/image.h"

#include <string.h>

static const struct {
    char name[14];
    uint16_t offset;
} totals[] = {
    {"queries", offsetof(struct dns_stats, queries)},
    {"tcp", offsetof(struct dns_stats, tcp)},
    {"dropped", offsetof(struct dns_stats, dropped)},
    {"truncated", offsetof(struct dns_stats, truncated)},
    {"cookies", offsetof(struct dns_stats, cookies)},
    {"limited", offsetof(struct dns_stats, limited)},
    {"slipped", offsetof(struct dns_stats, slipped)},
    {"transfers", offsetof(struct dns_stats, transfers)},
    {"differences", offsetof(struct dns_stats, differences)},
};

static const struct {
    char name[10];
    uint8_t rcode;
} rcodes[] = {
    {"noerror", DNS_NOERROR},     {"formerr", DNS_FORMERR}, {"servfail", DNS_SERVFAIL},
    {"nxdomain", DNS_NXDOMAIN},   {"notimp", DNS_NOTIMP},   {"refused", DNS_REFUSED},
    {"yxdomain", DNS_YXDOMAIN},   {"notauth", DNS_NOTAUTH}, {"badvers", DNS_BADVERS},
    {"badcookie", DNS_BADCOOKIE},
};

/* The last is all others. */
static const struct {
    char name[7];
    uint16_t type;
} types[DNS_TYPES_COUNTED] = {
    {"A", TYPE_A},       {"NS", TYPE_NS},     {"CNAME", TYPE_CNAME},   {"SOA", TYPE_SOA},
    {"PTR", TYPE_PTR},   {"MX", TYPE_MX},     {"TXT", TYPE_TXT},       {"AAAA", TYPE_AAAA},
    {"SRV", TYPE_SRV},   {"DS", TYPE_DS},     {"DNSKEY", TYPE_DNSKEY}, {"HTTPS", TYPE_HTTPS},
    {"AXFR", TYPE_AXFR}, {"IXFR", TYPE_IXFR}, {"ANY", TYPE_ANY},       {"other", 0},
};

enum {
    RCODES_AT = ARRAY_SIZE(totals),
    TYPES_AT = RCODES_AT + ARRAY_SIZE(rcodes),
    COUNTERS = TYPES_AT + DNS_TYPES_COUNTED,
    DIGITS = 20, /* of the largest number */
};

_Static_assert(COUNTERS *COUNTER_TEXT <= COUNTERS_TEXT, "all counters together fit");

void counters_type(struct dns_stats *stats, unsigned type)
{
    unsigned i = 0;

    while (i < DNS_TYPES_COUNTED - 1 && types[i].type != type)
        i++;
    stats->type[i]++;
}

static uint64_t value_of(const struct dns_stats *stats, unsigned i, const char **name)
{
    uint64_t value;

    if (i < RCODES_AT) {
        *name = totals[i].name;
        memcpy(&value, (const char *)stats + totals[i].offset, sizeof(value));
        return value;
    }
    if (i < TYPES_AT) {
        *name = rcodes[i - RCODES_AT].name;
        return stats->rcode[rcodes[i - RCODES_AT].rcode];
    }
    *name = types[i - TYPES_AT].name;
    return stats->type[i - TYPES_AT];
}

static unsigned put_decimal(uint64_t value, char *text)
{
    char digits[DIGITS];
    unsigned n = 0;

    do
        digits[n++] = (char)('0' + value % 10);
    while (value /= 10);
    for (unsigned i = 0; i < n; i++)
        text[i] = digits[n - 1 - i];
    text[n] = '\0';
    return n;
}

unsigned counters_next(const struct dns_stats *stats, unsigned *next, char *text)
{
    while (*next < COUNTERS) {
        const char *name;
        uint64_t value = value_of(stats, (*next)++, &name);
        size_t len = strlen(name);

        if (!value)
            continue;
        memcpy(text, name, len);
        text[len] = '=';
        return (unsigned)len + 1 + put_decimal(value, text + len + 1);
    }
    return 0;
}

void counters_text(const struct dns_stats *stats, char *text)
{
    unsigned next = 0, len, used = 0;

    while ((len = counters_next(stats, &next, text + used))) {
        used += len;
        text[used++] = ' ';
    }
    text[used ? used - 1 : 0] = '\0';
}
