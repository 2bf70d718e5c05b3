/* SPDX-License-Identifier: ISC */
/*
 * The table of record types, and a check of record data against its type's format.
 *
 * Formats: RFC 1035, 1183 (RP, AFSDB), 2230 (KX), 2782 (SRV), 3403 (NAPTR), 3596 (AAAA), 4034 (DS,
 * DNSKEY), 4255 (SSHFP), 4398 (CERT), 6698 (TLSA), 7344 (CDS), 7553 (URI), 7929 (OPENPGPKEY), 8162
 * (SMIMEA), 8659 (CAA).
 */
#include "lib/dns/rrtype.h"

#include "lib/dns/image.h"
#include "lib/util.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

static const struct {
    uint16_t type;
    char name[11];
    char format[8];
} types[] = {
    {1, "A", "4"},           {2, "NS", "n"},       {5, "CNAME", "n"},       {6, "SOA", "nnltttt"},
    {12, "PTR", "n"},        {13, "HINFO", "ss"},  {15, "MX", "wn"},        {16, "TXT", "S"},
    {17, "RP", "NN"},        {18, "AFSDB", "wN"},  {28, "AAAA", "6"},       {33, "SRV", "wwwN"},
    {35, "NAPTR", "wwsssN"}, {36, "KX", "wN"},     {37, "CERT", "wwbd"},    {39, "DNAME", "N"},
    {43, "DS", "wbbx"},      {44, "SSHFP", "bbx"}, {48, "DNSKEY", "wbbd"},  {52, "TLSA", "bbbx"},
    {53, "SMIMEA", "bbbx"},  {59, "CDS", "wbbx"},  {60, "CDNSKEY", "wbbd"}, {61, "OPENPGPKEY", "d"},
    {99, "SPF", "S"},        {256, "URI", "wwr"},  {257, "CAA", "bsr"},
};

int dns_type_number(const char *text)
{
    char *end;
    unsigned long n;

    for (unsigned i = 0; i < ARRAY_SIZE(types); i++) {
        if (!strcasecmp(types[i].name, text))
            return types[i].type;
    }
    if (strncasecmp(text, "TYPE", 4) || text[4] < '0' || text[4] > '9')
        return -1;
    n = strtoul(text + 4, &end, 10);
    return *end || n > 0xffff ? -1 : (int)n;
}

const char *dns_type_text(unsigned type, char *text)
{
    for (unsigned i = 0; i < ARRAY_SIZE(types); i++) {
        if (types[i].type == type)
            return types[i].name;
    }
    snprintf(text, DNS_TYPE_TEXT_MAX, "TYPE%u", type & 0xffff);
    return text;
}

const char *dns_type_format(unsigned type)
{
    for (unsigned i = 0; i < ARRAY_SIZE(types); i++) {
        if (types[i].type == type)
            return types[i].format;
    }
    return NULL;
}

bool dns_type_is_meta(unsigned type)
{
    return type == 0 || type == TYPE_OPT || (type >= 128 && type <= 255) || type == 0xffff;
}

int dns_type_target(unsigned type)
{
    switch (type) {
    case TYPE_NS:
        return 0;
    case TYPE_MX:
    case TYPE_KX:
        return 2;
    case TYPE_SRV:
        return 6;
    default:
        return -1;
    }
}

size_t dns_field_length(char format, const uint8_t *data, size_t len)
{
    switch (format) {
    case 'b':
        return 1;
    case 'w':
        return 2;
    case '4':
    case 'l':
    case 't':
        return 4;
    case '6':
        return 16;
    case 'n':
    case 'N':
        return dns_name_length(data, len);
    case 's':
        return len ? data[0] + 1u : 1;
    default:
        return len;
    }
}

static bool strings_ok(const uint8_t *data, size_t len)
{
    size_t pos = 0;

    while (pos < len)
        pos += data[pos] + 1u;
    return len && pos == len;
}

bool dns_rdata_ok(unsigned type, const uint8_t *data, size_t len)
{
    const char *format = dns_type_format(type);

    if (!format)
        return true;
    for (; *format; format++) {
        size_t n = dns_field_length(*format, data, len);

        if (n > len || ((*format | 0x20) == 'n' && !n))
            return false;
        if (*format == 'S' && !strings_ok(data, len))
            return false;
        data += n;
        len -= n;
    }
    return len == 0;
}

bool dns_rdata_equal(unsigned type, const uint8_t *a, const uint8_t *b, size_t len)
{
    const char *format = dns_type_format(type);

    for (; format && *format; format++) {
        bool name = (*format | 0x20) == 'n';
        size_t n = dns_field_length(*format, a, len);

        if (name ? !dns_name_equal(a, b) : memcmp(a, b, n) != 0)
            return false;
        a += n;
        b += n;
        len -= n;
    }
    return !memcmp(a, b, len);
}
