/* SPDX-License-Identifier: ISC */
/*
 * Reader of master files: entries and directives (RFC 1035 section 5.1, RFC 2308 section 4).
 *
 * An entry is [owner] [TTL] [class] type data, TTL and class in either order. A record without a
 * TTL gets that of $TTL, else the one given last, else (an SOA) its own MINIMUM field. What an
 * entry leaves out comes from before, across the end of an included file too, but for the origin
 * and the owner, which are put back.
 */
#include "lib/dns/reader.h"

#include "lib/dns/image.h"
#include "lib/dns/rdata.h"
#include "lib/dns/rrtype.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

enum { ERRORS_MAX = 20 };

void reader_report(struct reader *r, enum dns_severity severity, const struct lexer *lex,
                   const char *what, const char *about)
{
    struct dns_place place = {lex->file, lex->token_line};
    char message[200];

    if (about)
        snprintf(message, sizeof(message), "%s: %.100s", what, about);
    else
        snprintf(message, sizeof(message), "%s", what);
    r->sink->report(r->sink->ctx, severity, &place, message);
    if (severity == DNS_ERROR && ++r->errors >= ERRORS_MAX && !r->stop) {
        r->sink->report(r->sink->ctx, DNS_ERROR, &place, "too many errors, giving up");
        r->stop = -EINVAL;
    }
}

void reader_bad_entry(struct reader *r, struct lexer *lex, const char *what, bool shown)
{
    bool word = lex->latest == TOKEN_WORD || lex->latest == TOKEN_QUOTED;

    reader_report(r, DNS_ERROR, lex, what, shown && word ? lex->text : NULL);
    lexer_skip_line(lex);
}

/* 1: the word is class IN; 0: it is no class; -1: it is a class which is not served. */
static int parse_class(const char *text)
{
    char *end;

    if (!strcasecmp(text, "IN"))
        return 1;
    if (!strcasecmp(text, "CH") || !strcasecmp(text, "HS") || !strcasecmp(text, "CS"))
        return -1;
    if (strncasecmp(text, "CLASS", 5) || text[5] < '0' || text[5] > '9')
        return 0;
    return strtoul(text + 5, &end, 10) == CLASS_IN && !*end ? 1 : -1;
}

/* Reads [TTL] [class] type. Returns NULL, or what is wrong. */
static const char *read_type(struct lexer *lex, int *type, bool *have_ttl, uint32_t *ttl)
{
    bool have_class = false;

    *have_ttl = false;
    for (;;) {
        enum token t = lexer_next(lex);
        int class;

        if (t == TOKEN_ERROR)
            return lex->error;
        if (t != TOKEN_WORD)
            return "the type is missing";
        class = parse_class(lex->text);
        if (class < 0)
            return "only class IN is served";
        if (class > 0 && !have_class) {
            have_class = true;
            continue;
        }
        if (lex->text[0] < '0' || lex->text[0] > '9' || *have_ttl)
            break;
        if (!dns_time_parse(lex->text, ttl))
            return "not a TTL";
        if (*ttl > INT32_MAX)
            return "TTL larger than 2147483647";
        *have_ttl = true;
    }
    *type = dns_type_number(lex->text);
    if (*type < 0)
        return "unknown type";
    if (dns_type_is_meta(*type))
        return "a zone cannot hold this type";
    return NULL;
}

/* The TTL of a record that gives none. Returns NULL, or what is wrong. */
static const char *implied_ttl(struct reader *r, struct lexer *lex, int type, size_t len,
                               uint32_t *ttl)
{
    if (r->have_default_ttl) {
        *ttl = r->default_ttl;
    } else if (r->have_last_ttl) {
        *ttl = r->last_ttl;
    } else if (type == TYPE_SOA) {
        *ttl = dns_be32(r->data + len - 4);
        if (*ttl > INT32_MAX)
            return "no TTL, and the SOA's minimum is larger than 2147483647";
        reader_report(r, DNS_WARNING, lex, "no $TTL and no TTL: the SOA's minimum is taken", NULL);
    } else {
        return "no TTL: put one here, or $TTL before";
    }
    return NULL;
}

/* An entry whose owner is known and whose next token is a TTL, class or type. */
static void read_record(struct reader *r, struct lexer *lex)
{
    struct dns_record record = {.owner = r->owner.name, .data = r->data};
    struct dns_place place = {.file = lex->file, .line = lex->token_line};
    bool have_ttl;
    uint32_t ttl = 0;
    size_t len = 0;
    int type = 0;
    const char *wrong = read_type(lex, &type, &have_ttl, &ttl);

    if (!wrong)
        wrong = rdata_read(lex, type, r->origin, r->data, &len);
    if (wrong) {
        reader_bad_entry(r, lex, wrong, true);
        return;
    }
    if (!have_ttl)
        wrong = implied_ttl(r, lex, type, len, &ttl);
    if (wrong) {
        reader_bad_entry(r, lex, wrong, false);
        return;
    }
    r->last_ttl = ttl;
    r->have_last_ttl = true;
    record.ttl = ttl;
    record.type = type;
    record.len = len;
    if (!r->stop)
        r->stop = r->sink->record(r->sink->ctx, &record, &place);
    lexer_next(lex);
}

/* An entry which begins with its owner, the latest token. */
static void read_owner(struct reader *r, struct lexer *lex)
{
    uint8_t name[DNS_NAME_MAX + 1];
    const char *wrong = dns_name_parse(lex->text, r->origin, name);

    if (wrong) {
        reader_bad_entry(r, lex, wrong, true);
        return;
    }
    memcpy(r->owner.name, name, sizeof(name));
    r->owner.known = true;
    read_record(r, lex);
}

bool reader_entry(struct reader *r, struct lexer *lex)
{
    enum token t = lexer_next(lex);
    bool blank = lex->blank;

    switch (t) {
    case TOKEN_EOF:
        return false;
    case TOKEN_EOL:
        return true;
    case TOKEN_ERROR:
        reader_bad_entry(r, lex, lex->error, false);
        return true;
    default:
        break;
    }
    if (!blank && t == TOKEN_WORD && lex->text[0] == '$') {
        reader_directive(r, lex);
    } else if (!blank) {
        read_owner(r, lex);
    } else if (!r->owner.known) {
        reader_bad_entry(r, lex, "the first record has no owner", false);
    } else {
        lexer_push(lex);
        read_record(r, lex);
    }
    return true;
}

void reader_file(struct reader *r, const char *name, const struct lexer *parent)
{
    struct lexer *lex = malloc(sizeof(*lex));
    char what[120] = "cannot open";
    int err;

    if (!lex) {
        r->stop = -ENOMEM;
        return;
    }
    err = lexer_open(lex, r->source, name, parent ? parent->file : NULL, r->text);
    if (err) {
        snprintf(lex->file, sizeof(lex->file), "%s", parent ? parent->file : name);
        lex->token_line = parent ? parent->token_line : 0;
        if (parent)
            snprintf(what, sizeof(what), "cannot open %.100s", name);
        reader_report(r, DNS_ERROR, lex, what, strerror(-err));
        free(lex);
        return;
    }
    r->depth++;
    while (!r->stop && reader_entry(r, lex))
        ;
    r->depth--;
    lexer_close(lex);
    free(lex);
}

int dns_zonefile_read(const struct dns_source *source, const char *name, const uint8_t *origin,
                      const struct dns_sink *sink)
{
    struct reader *r = calloc(1, sizeof(*r));
    int err;

    if (!r)
        return -ENOMEM;
    r->source = source;
    r->sink = sink;
    memcpy(r->origin, origin, dns_name_length(origin, DNS_NAME_MAX));
    reader_file(r, name, NULL);
    err = r->stop ? r->stop : r->errors ? -EINVAL : 0;
    free(r);
    return err;
}
