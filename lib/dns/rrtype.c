/* SPDX-License-Identifier: ISC */
/*
 * The table of record types.
 *
 * Formats: RFC 1035, 1183 (RP, AFSDB, X25, ISDN, RT), 1706 (NSAP, NSAP-PTR), 1712 (GPOS), 1876 (LOC), 2163
 * (PX), 2230 (KX), 2535 (KEY, SIG), 2782 (SRV), 3123 (APL), 3403 (NAPTR), 3596 (AAAA), 4025 (IPSECKEY), 4034 (DS, RRSIG,
 * NSEC, DNSKEY), 4255 (SSHFP), 4398 (CERT), 4431 (DLV), 4701 (DHCID), 5155 (NSEC3, NSEC3PARAM), 6672
 * (DNAME), 6698 (TLSA), 6742 (NID, L32, L64, LP), 7043 (EUI48, EUI64), 7344 (CDS, CDNSKEY), 7477
 * (CSYNC), 7553 (URI), 7929 (OPENPGPKEY), 8005 (HIP), 8162 (SMIMEA), 8659 (CAA), 8777 (AMTRELAY), 8976
 * (ZONEMD), 9460 (SVCB, HTTPS), 9606 (RESINFO), 9859 (DSYNC); for NINFO, RKEY, TALINK, AVC, WALLET, TA the templates
 * in the IANA registry.
 */
#include "lib/dns/rrtype.h"

#include "lib/dns/image.h"
#include "lib/util.h"

#include <stdlib.h>
#include <strings.h>

static const struct {
    uint16_t type;
    char name[11];
    char format[10];
} types[] = {
    {1, "A", "4"},
    {2, "NS", "n"},
    {3, "MD", "n"},
    {4, "MF", "n"},
    {5, "CNAME", "n"},
    {6, "SOA", "nnltttt"},
    {7, "MB", "n"},
    {8, "MG", "n"},
    {9, "MR", "n"},
    {11, "WKS", "4W"},
    {12, "PTR", "n"},
    {13, "HINFO", "ss"},
    {14, "MINFO", "nn"},
    {15, "MX", "wn"},
    {16, "TXT", "S"},
    {17, "RP", "NN"},
    {18, "AFSDB", "wN"},
    {19, "X25", "s"},
    {20, "ISDN", "S"},
    {21, "RT", "wN"},
    {22, "NSAP", "X"},
    {23, "NSAP-PTR", "N"},
    {24, "SIG", "TabtDDwNd"},
    {25, "KEY", "wbak"},
    {26, "PX", "wNN"},
    {27, "GPOS", "sss"},
    {28, "AAAA", "6"},
    {29, "LOC", "L"},
    {33, "SRV", "wwwN"},
    {35, "NAPTR", "wwsssN"},
    {36, "KX", "wN"},
    {37, "CERT", "cwad"},
    {39, "DNAME", "N"},
    {42, "APL", "A"},
    {43, "DS", "wabx"},
    {44, "SSHFP", "bbx"},
    {45, "IPSECKEY", "bbbG"},
    {46, "RRSIG", "TabtDDwNd"},
    {47, "NSEC", "Nm"},
    {48, "DNSKEY", "wbad"},
    {49, "DHCID", "d"},
    {50, "NSEC3", "bbwhHm"},
    {51, "NSEC3PARAM", "bbwh"},
    {52, "TLSA", "bbbx"},
    {53, "SMIMEA", "bbbx"},
    {55, "HIP", "P"},
    {56, "NINFO", "S"},
    {57, "RKEY", "wbad"},
    {58, "TALINK", "NN"},
    {59, "CDS", "wabx"},
    {60, "CDNSKEY", "wbad"},
    {61, "OPENPGPKEY", "d"},
    {62, "CSYNC", "lwm"},
    {63, "ZONEMD", "lbbx"},
    {64, "SVCB", "wNp"},
    {65, "HTTPS", "wNp"},
    {66, "DSYNC", "TywN"},
    {99, "SPF", "S"},
    {104, "NID", "wi"},
    {105, "L32", "w4"},
    {106, "L64", "wi"},
    {107, "LP", "wN"},
    {108, "EUI48", "e"},
    {109, "EUI64", "E"},
    {256, "URI", "wwu"},
    {257, "CAA", "bgr"},
    {258, "AVC", "S"},
    {260, "AMTRELAY", "bM"},
    {261, "RESINFO", "S"},
    {262, "WALLET", "S"},
    {32768, "TA", "wabx"},
    {32769, "DLV", "wabx"},
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
    case 'a':
    case 'b':
    case 'y':
        return 1;
    case 'c':
    case 'w':
    case 'T':
        return 2;
    case '4':
    case 'l':
    case 't':
    case 'D':
        return 4;
    case 'e':
        return 6;
    case 'i':
    case 'E':
        return 8;
    case '6':
    case 'L':
        return 16;
    case 'n':
    case 'N':
        return dns_name_length(data, len);
    case 'g':
    case 'h':
    case 'H':
    case 's':
        return len ? data[0] + 1u : 1;
    default:
        return len;
    }
}

/* Lengths within names are no letters. */
static int compare_lower(const uint8_t *a, const uint8_t *b, size_t len)
{
    int diff = 0;

    for (size_t i = 0; i < len && !diff; i++)
        diff = (int)dns_lower(a[i]) - dns_lower(b[i]);
    return diff;
}

int dns_rdata_compare(unsigned type, const uint8_t *a, const uint8_t *b, size_t len)
{
    const char *format = dns_type_format(type);

    for (; format && *format; format++) {
        size_t n = dns_field_length(*format, a, len), m = dns_field_length(*format, b, len);
        int diff = n < m ? -1 : n > m;

        if (!diff)
            diff = (*format | 0x20) == 'n' ? compare_lower(a, b, n) : memcmp(a, b, n);
        if (diff)
            return diff;
        a += n;
        b += n;
        len -= n;
    }
    return memcmp(a, b, len);
}
