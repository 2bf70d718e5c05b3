/* SPDX-License-Identifier: ISC */
/*
 * Tokens of master files (RFC 1035 section 5.1): private to the zone-file reader.
 *
 * A token keeps its escapes (\. and \DDD), as only the consumer knows what they mean. Parentheses
 * make line ends disappear, comments too; neither reaches the consumer.
 */
#ifndef LIB_DNS_LEXER_H
#define LIB_DNS_LEXER_H

#include "lib/dns/zonefile.h"

enum {
    LEXER_TOKEN_MAX = 65535, /* characters of a token */
    LEXER_FILE_MAX = 256,    /* characters of a file's name */
};

enum token {
    TOKEN_WORD,
    TOKEN_QUOTED,
    TOKEN_EOL,
    TOKEN_EOF,
    TOKEN_ERROR, /* lexer.error says which */
};

struct lexer {
    const struct dns_source *source;
    void *handle;
    char file[LEXER_FILE_MAX];
    unsigned line;       /* of the next octet */
    unsigned token_line; /* on which the latest token began */
    unsigned paren_line; /* of the open parenthesis */
    bool in_parens;
    bool blank;  /* the latest token was preceded by a blank */
    bool at_end; /* the source has no more */
    bool pushed; /* the latest token is to be read again */
    enum token latest;
    const char *error;
    char *text; /* of the latest token, [LEXER_TOKEN_MAX + 1], the caller's */
    size_t text_len;
    long have, used; /* octets in buf */
    uint8_t buf[1024];
};

/*
 * Begins reading SOURCE's file NAME, included from PARENT (or NULL). Returns 0, or minus the errno that SOURCE's
 * open() set: -ENOENT if it set none.
 */
int lexer_open(struct lexer *lex, const struct dns_source *source, const char *name,
               const char *parent, char *text);
void lexer_close(struct lexer *lex);

enum token lexer_next(struct lexer *lex);

/* Makes lexer_next return the latest token once more. */
void lexer_push(struct lexer *lex);

/* Reads up to and with the end of the line, out of parentheses, after an error. */
void lexer_skip_line(struct lexer *lex);

/*
 * The value of the octet, possibly escaped, at *P, which is moved on; -1 when the escape is
 * malformed.
 */
int lexer_octet(const char **p);

#endif
