/* SPDX-License-Identifier: ISC */
/*
 * The builder's records: taken one by one, kept in chunks until the image is made. build.c checks
 * them and makes the tree.
 */
#include "lib/dns/rrtype.h"
#include "lib/dns/tree.h"

#include <errno.h>
#include <stdlib.h>

struct dns_builder *dns_builder_new(const struct dns_sink *sink)
{
    struct dns_builder *b = calloc(1, sizeof(*b));

    if (!b)
        return NULL;
    b->sink = *sink;
    b->limit = SIZE_MAX;
    return b;
}

void dns_builder_free(struct dns_builder *b)
{
    if (!b)
        return;
    for (unsigned i = 0; i < b->file_count; i++)
        free(b->files[i]);
    for (unsigned i = 0; i < b->chunk_count; i++)
        free(b->chunks[i]);
    free(b->files);
    free(b->chunks);
    free(b->recs);
    free(b->leaves);
    free(b->hashed);
    free(b);
}

void *builder_grow(void *array, uint32_t count, uint32_t *room, size_t size)
{
    size_t want = *room ? *room + *room / 2 : 32;
    void *grown;

    if (count < *room)
        return array;
    grown = want < UINT32_MAX ? realloc(array, want * size) : NULL;
    if (grown)
        *room = want;
    return grown;
}

void builder_report(struct dns_builder *b, enum dns_severity severity, const struct rec *rec,
                    const char *what, const uint8_t *name)
{
    struct dns_place place = {.file = b->source ? b->source : ""};
    char message[DNS_TEXT_MAX + 100];
    uint8_t owner[KEY_MAX];
    size_t len = strlen(what);

    if (rec)
        place = (struct dns_place){.file = b->files[rec->file], .line = rec->line};
    if (rec && !rec->line) {
        owner[builder_name(rec->octets, 0, rec->key_len, owner)] = 0;
        name = owner;
    }
    memcpy(message, what, len + 1);
    if (name) {
        message[len++] = ' ';
        dns_name_text(name, message + len);
    }
    b->errors += severity == DNS_ERROR;
    b->sink.report(b->sink.ctx, severity, &place, message);
}

/* The index of a file's name in b->files, negative when memory is short. Files come in runs. */
static int file_index(struct dns_builder *b, const char *file)
{
    char **grown;

    for (unsigned i = b->file_count; i; i--) {
        if (!strcmp(b->files[i - 1], file))
            return i - 1;
    }
    grown =
        b->file_count < UINT16_MAX ? realloc(b->files, (b->file_count + 1) * sizeof(*grown)) : NULL;
    if (!grown)
        return -ENOMEM;
    b->files = grown;
    grown[b->file_count] = malloc(strlen(file) + 1);
    if (!grown[b->file_count])
        return -ENOMEM;
    strcpy(grown[b->file_count], file);
    return b->file_count++;
}

/* Room for a record of SIZE octets, a multiple of 4, and its handle. */
static struct rec *new_rec(struct dns_builder *b, size_t size, uint32_t *handle)
{
    if (!b->chunk_count || size > b->chunk_size - b->chunk_used) {
        uint8_t **grown = realloc(b->chunks, (b->chunk_count + 1) * sizeof(*grown));
        /* Small at first: most zones are. */
        size_t room = MIN(MAX(2 * b->chunk_size, MAX(CHUNK_MIN, size)), CHUNK_SIZE);

        if (!grown)
            return NULL;
        b->chunks = grown;
        if (b->chunk_count >> (32 - CHUNK_BITS))
            return NULL;
        grown[b->chunk_count] = malloc(room);
        if (!grown[b->chunk_count])
            return NULL;
        b->chunk_count++;
        b->chunk_size = room;
        b->chunk_used = 0;
    }
    *handle = (b->chunk_count - 1) << CHUNK_BITS | b->chunk_used / 4;
    b->chunk_used += size;
    return (void *)(b->chunks[b->chunk_count - 1] + b->chunk_used - size);
}

static void take_soa(struct dns_builder *b, const struct rec *rec, const uint8_t *owner)
{
    unsigned len = dns_name_length(owner, DNS_NAME_MAX);

    if (b->soa) {
        builder_report(b, DNS_ERROR, rec, "a zone has one SOA only", NULL);
        return;
    }
    b->soa = rec;
    b->apex_len = len;
    for (unsigned i = 0; i < len; i++)
        b->apex[i] = dns_lower(owner[i]);
    b->apex_key_len = rec->key_len;
    memcpy(b->apex_key, rec->octets, rec->key_len);
}

int dns_builder_add(struct dns_builder *b, const struct dns_record *record,
                    const struct dns_place *place)
{
    uint8_t key[KEY_MAX];
    unsigned key_len = builder_key(record->owner, key);
    size_t size = ROUND_UP(sizeof(struct rec) + key_len + record->len, 4);
    int file = file_index(b, place->file);
    struct rec *rec;
    uint32_t *recs;

    if (file < 0)
        return -ENOMEM;
    if (size + sizeof(*recs) > b->limit - b->octets)
        return -ENOSPC;
    recs = builder_grow(b->recs, b->rec_count, &b->rec_room, sizeof(*recs));
    if (!recs)
        return -ENOMEM;
    b->recs = recs;
    rec = new_rec(b, size, &b->recs[b->rec_count]);
    if (!rec)
        return -ENOMEM;
    b->rec_count++;
    b->octets += size + sizeof(*recs);
    *rec = (struct rec){.ttl = record->ttl,
                        .line = place->line,
                        .file = file,
                        .type = record->type,
                        .len = record->len,
                        .key_len = key_len,
                        .removes = record->remove};
    b->differences |= record->remove;
    memcpy(rec->octets, key, key_len);
    memcpy(rec->octets + key_len, record->data, record->len);
    if (dns_type_is_meta(record->type) || !dns_rdata_ok(record->type, record->data, record->len)) {
        builder_report(b, DNS_ERROR, rec, "malformed data for this type", NULL);
        b->rec_count--;
    } else if (record->type == TYPE_SOA && !record->remove) {
        take_soa(b, rec, record->owner);
    }
    builder_step(b);
    return 0;
}

void dns_builder_limit(struct dns_builder *b, size_t octets)
{
    b->limit = octets;
}

void dns_builder_verify(struct dns_builder *b)
{
    b->verifies = true;
}

uint32_t dns_builder_count(const struct dns_builder *b)
{
    return b->rec_count;
}

static void reverse(struct dns_builder *b, uint32_t from, uint32_t end)
{
    for (; from + 1 < end; from++) {
        uint32_t handle = b->recs[from];

        builder_step(b);
        b->recs[from] = b->recs[--end];
        b->recs[end] = handle;
    }
}

/* Each of the two parts reversed, and then all: they have changed places. */
void dns_builder_put_first(struct dns_builder *b, uint32_t from)
{
    b->differences = true;
    reverse(b, 0, from);
    reverse(b, from, b->rec_count);
    reverse(b, 0, b->rec_count);
}
