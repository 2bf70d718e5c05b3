/* SPDX-License-Identifier: ISC */
/*
 * Writes one set of records in the form the image keeps it in (image.h): compresses the names in
 * its data against the apex and against each other, and notes where those pointers are, and which
 * names addresses are to be found for.
 */
#include "lib/dns/writer.h"

#include "lib/dns/lookup.h"
#include "lib/dns/rrtype.h"

#include <errno.h>
#include <stdlib.h>

void writer_put(struct writer *w, const void *octets, size_t n)
{
    if (!n)
        return;
    if (n > w->room - w->len) {
        size_t room = MAX(2 * w->room, w->len + n + 4096);
        uint8_t *grown = w->failed ? NULL : realloc(w->data, room);

        if (!grown) {
            w->failed = true;
            return;
        }
        w->data = grown;
        w->room = room;
    }
    if (octets)
        memcpy(w->data + w->len, octets, n);
    else
        memset(w->data + w->len, 0, n);
    w->len += n;
}

static void write_le16(struct writer *w, uint16_t v)
{
    uint8_t le[2];

    dns_put_le16(le, v);
    writer_put(w, le, sizeof(le));
}

static void write_be16(struct writer *w, uint16_t v)
{
    uint8_t be[2];

    dns_put_be16(be, v);
    writer_put(w, be, sizeof(be));
}

static void write_be32(struct writer *w, uint32_t v)
{
    write_be16(w, v >> 16);
    write_be16(w, v);
}

static void write_pointer(struct set_writer *s, unsigned kind, unsigned offset)
{
    s->reloc[s->relocs++] = kind | (s->w->len - s->records);
    write_be16(s->w, POINTER_BITS | offset);
}

/* Are the names, of which each has one of these hashes, the same? Looking at them is a step of work. */
static bool same_name(struct dns_builder *b, const uint8_t *name, uint32_t hash,
                      const uint8_t *other, uint32_t other_hash)
{
    if (hash != other_hash)
        return false;
    builder_step(b);
    return dns_name_equal(name, other);
}

/* A name written earlier in this set which is the same as NAME: its offset, or -1. */
static int known_name(const struct set_writer *s, const uint8_t *name, uint32_t hash)
{
    for (unsigned i = 0; i < s->names; i++) {
        if (same_name(s->w->b, name, hash, s->name[i].name, s->name[i].hash))
            return s->name[i].at;
    }
    return -1;
}

/* If NAME, of LABELS labels, is the owner or one of its ancestors down to the apex: its octets before the
 * apex. Else -1. */
static int owner_part(const struct set_writer *s, const uint8_t *name, unsigned labels,
                      uint32_t hash)
{
    const struct dns_key *owner = &s->owner;
    unsigned at;

    if (labels > owner->labels)
        return -1;
    at = owner->label[owner->labels - labels];
    if (at > s->owner_len ||
        !same_name(s->w->b, name, hash, owner->lower + at, dns_key_hash(owner, labels)))
        return -1;
    return s->owner_len - at;
}

/* Writes a pointer to a name of LABELS labels if there is something to point to. */
static bool write_known(struct set_writer *s, const uint8_t *name, unsigned labels, uint32_t hash)
{
    int at = owner_part(s, name, labels, hash);
    unsigned kind = 0;

    if (at < 0) {
        kind = RELOC_SELF;
        at = known_name(s, name, hash);
    }
    if (at < 0)
        return false;
    write_pointer(s, kind, at);
    return true;
}

/*
 * Writes a name of LEN octets that may be compressed: labels up to a suffix which is the owner's or is known. Each
 * label is a step of work, as it is looked for among many names. Where no pointer can be noted any more
 * (RELOC_SELF), nothing is looked for.
 */
static void write_name(struct set_writer *s, const uint8_t *name, size_t len)
{
    struct writer *w = s->w;
    const uint8_t *end = name + len;
    struct dns_key key;

    dns_key_parse(&key, name, len);
    for (unsigned k = key.labels; k; k--, name += *name + 1) {
        unsigned at = w->len - s->records;
        uint32_t hash = dns_key_hash(&key, k);

        if (at >= RELOC_SELF)
            break;
        builder_step(w->b);
        if (write_known(s, name, k, hash))
            return;
        if (at < RELOC_SELF_MAX && s->names < WRITER_NAMES_MAX) {
            s->name[s->names].at = at;
            s->name[s->names].hash = hash;
            s->name[s->names++].name = name;
        }
        writer_put(w, name, *name + 1);
    }
    writer_put(w, name, end - name);
}

static void write_data(struct set_writer *s, const struct rec *rec)
{
    const uint8_t *data = rec_data(rec);
    size_t left = rec->len;
    const char *format = dns_type_format(rec->type);

    for (; format && *format; format++) {
        size_t n = dns_field_length(*format, data, left);

        if (*format == 'n')
            write_name(s, data, n);
        else
            writer_put(s->w, data, n);
        data += n;
        left -= n;
    }
    writer_put(s->w, data, left);
}

/* Notes a reference if the target of the record, recs[index], lies in the zone. */
static void note_target(struct set_writer *s, uint32_t index, size_t data_at)
{
    const struct rec *rec = builder_rec(s->w->b, index);
    int offset = dns_type_target(rec->type);
    size_t at = data_at + offset - s->records;
    unsigned prefix;

    if (offset < 0 || at >= REF_NEEDED || s->refs == WRITER_RECORDS_MAX)
        return;
    if (dns_name_under(rec_data(rec) + offset, s->w->b->apex, &prefix)) {
        s->ref[s->refs].at = at;
        s->ref[s->refs++].rec = index;
    }
}

static void write_record(struct set_writer *s, uint32_t index, uint32_t ttl)
{
    struct writer *w = s->w;
    const struct rec *rec = builder_rec(w->b, index);
    size_t data_at;

    write_be16(w, OWNER_POINTER);
    write_be16(w, rec->type);
    write_be16(w, CLASS_IN);
    write_be32(w, ttl);
    write_be16(w, 0);
    data_at = w->len;
    write_data(s, rec);
    if (!w->failed)
        dns_put_be16(w->data + data_at - 2, w->len - data_at);
    note_target(s, index, data_at);
}

static void write_fixups(struct set_writer *s)
{
    if (!s->relocs && !s->refs)
        return;
    write_le16(s->w, s->relocs);
    for (unsigned i = 0; i < s->relocs; i++)
        write_le16(s->w, s->reloc[i]);
    for (unsigned i = 0; i < s->refs; i++) {
        write_le16(s->w, s->ref[i].at);
        write_le16(s->w, s->ref[i].rec);
        write_le16(s->w, s->ref[i].rec >> 16);
    }
}

uint32_t builder_signatures(struct dns_builder *b, uint32_t from, uint32_t end)
{
    for (; end > from && builder_rec(b, end - 1)->type == TYPE_RRSIG; end--)
        builder_step(b);
    return end;
}

uint32_t writer_ttl(struct dns_builder *b, uint32_t from, uint32_t end)
{
    uint32_t ttl = builder_rec(b, from)->ttl;
    bool differ = false;

    end = builder_signatures(b, from, end);
    for (uint32_t i = from + 1; i < end; i++) {
        const struct rec *rec = builder_rec(b, i);

        builder_step(b);
        if (rec->ttl != ttl && !differ)
            builder_report(b, DNS_WARNING, rec, "TTLs of a set differ: the least is taken", NULL);
        differ |= rec->ttl != ttl;
        ttl = MIN(ttl, rec->ttl);
    }
    return ttl;
}

/*
 * Writes recs[from..end), without those that are there already; returns how many. LIMIT is the most
 * octets that they may have.
 */
static unsigned write_records(struct set_writer *s, uint32_t from, uint32_t end, uint32_t ttl,
                              size_t limit)
{
    struct writer *w = s->w;
    unsigned count = 0;
    size_t start = w->len;

    for (uint32_t i = from; i < end && !w->failed; i++) {
        const struct rec *rec = builder_rec(w->b, i);

        builder_step(w->b);
        if (rec->left_out) {
            builder_report(w->b, DNS_WARNING, rec, "the record is there already", NULL);
            continue;
        }
        write_record(s, i, ttl);
        count++;
        if (w->len - start > limit) {
            builder_report(w->b, DNS_ERROR, rec, "the set does not fit into a DNS message", NULL);
            return count;
        }
    }
    w->records += count;
    return count;
}

/* Writes the signatures recs[from..end) behind their set, whose header is at HEADER. */
static void write_signatures(struct set_writer *s, size_t header, uint32_t from, uint32_t end,
                             uint32_t ttl)
{
    struct writer *w = s->w;
    size_t at = w->len, used = w->len - s->records;
    unsigned count;

    writer_put(w, NULL, SIGNATURES_HEADER);
    count = write_records(s, from, end, ttl, SET_RECORDS_MAX - MIN(used, SET_RECORDS_MAX));
    if (w->failed)
        return;
    dns_put_le16(w->data + header + 2, dns_le16(w->data + header + 2) | SET_SIGNED);
    dns_put_le16(w->data + at, count);
    dns_put_le16(w->data + at + 2, w->len - at - SIGNATURES_HEADER);
    w->b->features |= FEATURE_SIGNED;
}

void writer_put_set(struct set_writer *s, uint32_t from, uint32_t end, uint32_t ttl)
{
    struct writer *w = s->w;
    struct dns_builder *b = w->b;
    size_t header = w->len, fixups;
    uint32_t signatures = builder_signatures(b, from, end);
    unsigned count;

    s->names = s->relocs = s->refs = 0;
    writer_put(w, NULL, SET_HEADER);
    s->records = w->len;
    count = write_records(s, from, signatures, ttl, SET_RECORDS_MAX);
    fixups = w->len;
    write_fixups(s);
    if (w->failed)
        return;
    dns_put_le16(w->data + header, builder_rec(b, from)->type);
    dns_put_le16(w->data + header + 2, count);
    dns_put_le16(w->data + header + 4, fixups - s->records);
    dns_put_le16(w->data + header + 6, w->len - fixups);
    if (signatures < end)
        write_signatures(s, header, signatures, end, ttl);
}
