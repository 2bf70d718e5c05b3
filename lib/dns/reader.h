/* SPDX-License-Identifier: ISC */
/*
 * The reader of a master file, shared by its entries (zonefile.c) and its directives (directive.c):
 * private to both.
 */
#ifndef LIB_DNS_READER_H
#define LIB_DNS_READER_H

#include "lib/dns/rdata.h"

/* The owner of the latest entry, which one without an owner takes. */
struct owner {
    bool known;
    uint8_t name[DNS_NAME_MAX + 1];
};

struct reader {
    const struct dns_source *source;
    const struct dns_sink *sink;
    unsigned errors;
    unsigned depth;
    int stop; /* negative errno: give up */
    bool have_default_ttl, have_last_ttl;
    uint32_t default_ttl, last_ttl;
    uint8_t origin[DNS_NAME_MAX + 1];
    struct owner owner;
    char text[LEXER_TOKEN_MAX + 1];
    uint8_t data[RDATA_MAX];
};

/* Reports to the sink at the line of LEX; ABOUT, if not NULL, is appended. */
void reader_report(struct reader *r, enum dns_severity severity, const struct lexer *lex,
                   const char *what, const char *about);

/* Reports an error in the entry and goes to its end. `shown` says that the latest word is the
 * culprit. */
void reader_bad_entry(struct reader *r, struct lexer *lex, const char *what, bool shown);

/* Reads the file NAME to its end; PARENT includes it, or is NULL. */
void reader_file(struct reader *r, const char *name, const struct lexer *parent);

/* Reads one entry, a directive or an empty line. False at the end of the file. */
bool reader_entry(struct reader *r, struct lexer *lex);

/* Obeys the directive whose name is the latest token. */
void reader_directive(struct reader *r, struct lexer *lex);

#endif
