/* SPDX-License-Identifier: ISC */
/* Networks: see prefix.h. */
#include "lib/dns/prefix.h"

#include <errno.h>
#include <string.h>

bool prefix_parse(struct dns_prefix *prefix, char *text, access_parse_address *parse)
{
    char *slash = strchr(text, '/');
    unsigned bits = 0;

    if (slash)
        *slash = '\0';
    prefix->address_len = (uint8_t)parse(text, prefix->address);
    if (!prefix->address_len)
        return false;
    prefix->bits = 8 * prefix->address_len;
    if (!slash)
        return true;
    for (const char *c = slash + 1; *c; c++) {
        if (*c < '0' || *c > '9' || c > slash + 3)
            return false;
        bits = bits * 10 + (unsigned)(*c - '0');
    }
    if (!bits || bits > prefix->bits)
        return false;
    prefix->bits = (uint8_t)bits;
    return true;
}

int prefix_parse_list(struct dns_prefix *prefix, unsigned max, const char *list,
                      access_parse_address *parse)
{
    char text[PREFIX_TEXT_MAX];
    unsigned count = 0;

    while (*list) {
        size_t len = strcspn(list, ",");

        if (count == max)
            return -E2BIG;
        if (len >= sizeof(text))
            return -EINVAL;
        memcpy(text, list, len);
        text[len] = '\0';
        if (!prefix_parse(&prefix[count++], text, parse))
            return -EINVAL;
        list += len + (list[len] == ',');
    }
    return (int)count;
}

bool prefix_has(const struct dns_prefix *prefix, const struct dns_client *client)
{
    unsigned whole = prefix->bits / 8, rest = prefix->bits % 8;

    if (!prefix->address_len)
        return true;
    if (client->address_len != prefix->address_len ||
        memcmp(client->address, prefix->address, whole) != 0)
        return false;
    return !rest || !((client->address[whole] ^ prefix->address[whole]) >> (8 - rest));
}
