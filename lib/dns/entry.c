/* SPDX-License-Identifier: ISC */
/*
 * Reading records: see entry.h. Each length is checked before what it covers is read.
 */
#include "lib/dns/entry.h"

#include "lib/dns/rrtype.h"

enum { FIELDS = 10 }; /* octets behind a record's name */

unsigned message_name(struct message *m, uint8_t name[DNS_NAME_MAX])
{
    unsigned len = dns_name_expand(m->octets, m->len, m->pos, name);

    if (!len)
        return 0;
    while (m->octets[m->pos] && m->octets[m->pos] < 0xc0)
        m->pos += m->octets[m->pos] + 1u;
    m->pos += m->octets[m->pos] ? 2 : 1;
    return len;
}

bool message_entry(struct message *m, struct entry *e)
{
    const uint8_t *fields;

    e->at = m->pos;
    if (!message_name(m, e->owner) || m->len - m->pos < FIELDS)
        return false;
    fields = m->octets + m->pos;
    e->fields = m->pos;
    e->type = dns_be16(fields);
    e->class = dns_be16(fields + 2);
    e->ttl = dns_be32(fields + 4);
    e->len = dns_be16(fields + 8);
    e->data = m->pos + FIELDS;
    if (m->len - e->data < e->len)
        return false;
    m->pos = e->data + e->len;
    return true;
}

/*
 * Copies data with names of any of its fields compressed to OUT[ENTRY_DATA_MAX] without compression. Returns
 * its length, or 0 when it is malformed.
 */
static size_t expand_data(const struct message *m, const struct entry *e, const char *format,
                          uint8_t *out)
{
    struct message part = {m->octets, e->data + e->len, e->data};
    size_t used = 0;

    for (; *format; format++) {
        size_t left = part.len - part.pos, n;

        if ((*format | 0x20) == 'n') {
            if (ENTRY_DATA_MAX - used < DNS_NAME_MAX)
                return 0;
            n = message_name(&part, out + used);
            if (!n || part.pos > part.len)
                return 0;
        } else {
            n = dns_field_length(*format, part.octets + part.pos, left);
            if (n > left || n > ENTRY_DATA_MAX - used)
                return 0;
            memcpy(out + used, part.octets + part.pos, n);
            part.pos += n;
        }
        used += n;
    }
    return part.pos == part.len ? used : 0;
}

static bool has_name(const char *format)
{
    return format && (strchr(format, 'n') || strchr(format, 'N'));
}

const uint8_t *entry_data(const struct message *m, const struct entry *e, uint8_t *buffer,
                          size_t *len)
{
    const char *format = dns_type_format(e->type);

    *len = e->len;
    /* Longer data has no compressed names: those types that may have them are short. */
    if (!has_name(format) || e->len > ENTRY_NAMED_MAX)
        return m->octets + e->data;
    *len = expand_data(m, e, format, buffer);
    return *len ? buffer : NULL;
}
