/* SPDX-License-Identifier: ISC */
/*
 * Is record data what its type's format says (rrtype.h)? All data is looked at, wherever it comes from.
 */
#include "lib/dns/image.h"
#include "lib/dns/rrtype.h"
#include "lib/dns/svcparams.h"
#include "lib/util.h"

bool dns_tag_ok(const uint8_t *string)
{
    for (unsigned i = 1; i <= string[0]; i++) {
        uint8_t c = string[i] | 0x20;

        if ((c < 'a' || c > 'z') && (string[i] < '0' || string[i] > '9'))
            return false;
    }
    return string[0];
}

static bool strings_ok(const uint8_t *data, size_t len)
{
    size_t pos = 0;

    while (pos < len)
        pos += data[pos] + 1u;
    return len && pos == len;
}

/* RFC 4034 section 4.1.2: windows in order, without zero octets at their ends. */
static bool bitmap_ok(const uint8_t *data, size_t len)
{
    int window = -1;

    while (len) {
        if (len < 2 || data[0] <= window || !data[1] || data[1] > 32 || data[1] + 2u > len ||
            !data[data[1] + 1])
            return false;
        window = data[0];
        len -= data[1] + 2u;
        data += data[1] + 2u;
    }
    return true;
}

/* An address prefix of LEN octets: of the families that we know, and others, without zero octets at its end. */
static bool prefix_ok(const uint8_t *prefix, size_t len)
{
    static const uint8_t sizes[] = {0, 4, 16};
    unsigned family = dns_be16(prefix), size = family < ARRAY_SIZE(sizes) ? sizes[family] : 0;

    if (len > 4 && !prefix[len - 1])
        return false;
    return !size || (prefix[2] <= 8 * size && len - 4 <= size);
}

/* RFC 3123 section 4. */
static bool prefixes_ok(const uint8_t *data, size_t len)
{
    while (len) {
        size_t n = len < 4 ? len : 4u + (data[3] & 0x7f);

        if (n < 4 || n > len || !prefix_ok(data, n))
            return false;
        data += n;
        len -= n;
    }
    return true;
}

/* RFC 1876 section 2: sizes are a digit and a power of ten. Of another version nothing is known. */
static bool location_ok(const uint8_t *data)
{
    enum { QUARTER = 90 * 3600 * 1000 };
    const uint32_t equator = 0x80000000;

    for (unsigned i = 1; i < 4 && !data[0]; i++) {
        if (data[i] > 0x99 || (data[i] & 15) > 9 || (data[i] < 0x10 && data[i]))
            return false;
    }
    return data[0] || (dns_be32(data + 4) - (equator - QUARTER) <= 2 * QUARTER &&
                       dns_be32(data + 8) - (equator - 2u * QUARTER) <= 4u * QUARTER);
}

/* RFC 4025 section 2: type of gateway and algorithm are the two octets in front of it. */
static bool gateway_ok(const uint8_t *gateway, size_t len)
{
    static const uint8_t sizes[] = {0, 4, 16};
    unsigned type = gateway[-2];
    size_t n = type < ARRAY_SIZE(sizes) ? sizes[type] : dns_name_length(gateway, len);

    return type <= ARRAY_SIZE(sizes) && (n || !type) && n <= len && (len > n) == (gateway[-1] != 0);
}

/* RFC 8777 section 4: the relay that its type says; types which do not exist yet may be anything. */
static bool relay_ok(const uint8_t *data, size_t len)
{
    static const uint8_t sizes[] = {0, 4, 16};
    unsigned type = len ? data[0] & 0x7f : 0;

    if (type < ARRAY_SIZE(sizes))
        return len == 1u + sizes[type];
    return type > ARRAY_SIZE(sizes) || (len > 1 && dns_name_length(data + 1, len - 1) == len - 1);
}

/* RFC 8005 section 5: lengths, tag, key, names. */
static bool hip_ok(const uint8_t *data, size_t len)
{
    size_t at = len < 4 ? len : 4u + data[0] + dns_be16(data + 2);

    if (len < 4 || !data[0] || !dns_be16(data + 2) || at > len)
        return false;
    while (at < len) {
        unsigned n = dns_name_length(data + at, len - at);

        if (!n)
            return false;
        at += n;
    }
    return true;
}

/* Has the field, LEN octets which are all there, an inner structure that is right? */
static bool inside_ok(char format, const uint8_t *data, size_t len)
{
    switch (format) {
    case 'n':
    case 'N':
    case 'd':
    case 'u':
    case 'x':
    case 'X':
        return len;
    case 'H':
        return len > 1;
    case 'g':
        return dns_tag_ok(data);
    case 'L':
        return location_ok(data);
    case 'S':
        return strings_ok(data, len);
    case 'm':
        return bitmap_ok(data, len);
    case 'A':
        return prefixes_ok(data, len);
    case 'G':
        return gateway_ok(data, len);
    case 'M':
        return relay_ok(data, len);
    case 'P':
        return hip_ok(data, len);
    case 'W':
        return len >= 1 &&
               len <= 1 + 65536 / 8; /* a protocol, and as many bits as there are ports */
    case 'p':
        return !svcparams_check(data, len);
    default:
        return true;
    }
}

bool dns_rdata_ok(unsigned type, const uint8_t *data, size_t len)
{
    const char *format = dns_type_format(type);

    if (!format)
        return true;
    for (; *format; format++) {
        size_t n = dns_field_length(*format, data, len);

        if (n > len || !inside_ok(*format, data, n))
            return false;
        data += n;
        len -= n;
    }
    return len == 0;
}
