/* SPDX-License-Identifier: ISC */
/*
 * The directives of master files: $ORIGIN and $INCLUDE of RFC 1035 section 5.1, $TTL of RFC 2308
 * section 4, and $GENERATE, which is BIND's.
 */
#include "lib/dns/generate.h"
#include "lib/dns/reader.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

enum { INCLUDE_DEPTH_MAX = 8, GENERATED_MAX = 4096 };

/* After a directive: nothing more may follow. */
static void end_directive(struct reader *r, struct lexer *lex)
{
    enum token t = lexer_next(lex);

    if (t == TOKEN_ERROR)
        reader_bad_entry(r, lex, lex->error, false);
    else if (t != TOKEN_EOL && t != TOKEN_EOF)
        reader_bad_entry(r, lex, "unexpected word after the directive", true);
}

/* A source of one line, for $GENERATE; the context is a pointer to the rest of its text. */
static void *line_open(void *ctx, const char *name, const char *parent, char *opened, size_t size)
{
    (void)parent;
    snprintf(opened, size, "%s", name);
    return ctx;
}

static long line_read(void *ctx, void *handle, void *buf, size_t size)
{
    char **text = handle;
    size_t n = MIN(strlen(*text), size);

    (void)ctx;
    memcpy(buf, *text, n);
    *text += n;
    return n;
}

static void line_close(void *ctx, void *handle)
{
    (void)ctx;
    (void)handle;
}

static void do_origin(struct reader *r, struct lexer *lex)
{
    uint8_t name[DNS_NAME_MAX + 1];
    const char *wrong;

    if (lexer_next(lex) != TOKEN_WORD) {
        reader_bad_entry(r, lex, "$ORIGIN needs a name", false);
        return;
    }
    wrong = dns_name_parse(lex->text, r->origin, name);
    if (wrong) {
        reader_bad_entry(r, lex, wrong, true);
        return;
    }
    memcpy(r->origin, name, sizeof(name));
    end_directive(r, lex);
}

static void do_ttl(struct reader *r, struct lexer *lex)
{
    uint32_t ttl;

    if (lexer_next(lex) != TOKEN_WORD || !dns_time_parse(lex->text, &ttl) || ttl > INT32_MAX) {
        reader_bad_entry(r, lex, "$TTL needs a time", true);
        return;
    }
    r->default_ttl = ttl;
    r->have_default_ttl = true;
    end_directive(r, lex);
}

static void do_include(struct reader *r, struct lexer *lex)
{
    uint8_t origin[DNS_NAME_MAX + 1], inner[DNS_NAME_MAX + 1];
    char name[LEXER_FILE_MAX];
    enum token t = lexer_next(lex);
    struct owner owner = r->owner;
    const char *wrong = NULL;

    if ((t != TOKEN_WORD && t != TOKEN_QUOTED) || lex->text_len >= sizeof(name)) {
        reader_bad_entry(r, lex, "$INCLUDE needs a file name", false);
        return;
    }
    memcpy(name, lex->text, lex->text_len + 1);
    memcpy(origin, r->origin, sizeof(origin));
    memcpy(inner, origin, sizeof(inner));
    if (lexer_next(lex) == TOKEN_WORD)
        wrong = dns_name_parse(lex->text, origin, inner);
    else
        lexer_push(lex);
    if (wrong) {
        reader_bad_entry(r, lex, wrong, true);
        return;
    }
    end_directive(r, lex);
    if (r->depth >= INCLUDE_DEPTH_MAX) {
        reader_report(r, DNS_ERROR, lex, "$INCLUDE nested too deeply (does a file include itself?)",
                      name);
        r->stop = -EINVAL;
        return;
    }
    memcpy(r->origin, inner, sizeof(inner));
    reader_file(r, name, lex);
    memcpy(r->origin, origin, sizeof(origin));
    r->owner = owner;
}

/* Reads one line of text as an entry of the file that LEX reads. */
static void read_line(struct reader *r, const struct lexer *lex, char *line)
{
    struct dns_source source = {line_open, line_read, line_close, &line};
    struct lexer *inner = malloc(sizeof(*inner));

    if (!inner || lexer_open(inner, &source, lex->file, NULL, r->text)) {
        r->stop = -ENOMEM;
    } else {
        inner->line = lex->token_line;
        reader_entry(r, inner);
        lexer_close(inner);
    }
    free(inner);
}

/*
 * Copies the latest token; returns the end of the copy. A quote within quotes loses its backslash: the line that
 * is made has it as a quote of its own.
 */
static char *copy_word(char *to, const struct lexer *lex)
{
    for (const char *from = lex->text; *from; *to++ = *from++) {
        if (*from != '\\')
            continue;
        if (lex->latest != TOKEN_QUOTED || from[1] != '"')
            *to++ = *from;
        from++;
    }
    *to = '\0';
    return to;
}

/* Joins the words to the end of the line into LINE[GENERATED_MAX]. What is wrong, or NULL. */
static const char *join_words(struct lexer *lex, char *line)
{
    char *to = line;

    for (;;) {
        bool more;
        const char *wrong = field_more(lex, &more);

        if (wrong || !more)
            return wrong ? wrong : to > line ? NULL : "$GENERATE needs an owner, a type and data";
        if (to - line + lex->text_len + 2 > GENERATED_MAX)
            return "$GENERATE is too long";
        if (to > line)
            *to++ = ' ';
        to = copy_word(to, lex);
    }
}

/* $GENERATE range owner [TTL] [class] type data, the data in one word, or in quotes. */
static void do_generate(struct reader *r, struct lexer *lex)
{
    char template[GENERATED_MAX], line[2 * GENERATED_MAX];
    struct generate_range range;
    struct owner owner = r->owner;
    unsigned errors = r->errors;
    const char *wrong = "$GENERATE needs a range";

    if (lexer_next(lex) == TOKEN_WORD)
        wrong = generate_range_parse(lex->text, &range);
    if (!wrong)
        wrong = join_words(lex, template);
    if (wrong) {
        reader_bad_entry(r, lex, wrong, true);
        return;
    }
    for (uint32_t i = range.start; i <= range.stop && !r->stop && r->errors == errors;
         i += range.step) {
        wrong = generate_expand(template, i, line, sizeof(line));
        if (wrong)
            reader_report(r, DNS_ERROR, lex, wrong, template);
        else
            read_line(r, lex, line);
    }
    r->owner = owner;
    lexer_next(lex);
}

void reader_directive(struct reader *r, struct lexer *lex)
{
    if (!strcasecmp(lex->text, "$ORIGIN"))
        do_origin(r, lex);
    else if (!strcasecmp(lex->text, "$TTL"))
        do_ttl(r, lex);
    else if (!strcasecmp(lex->text, "$INCLUDE"))
        do_include(r, lex);
    else if (!strcasecmp(lex->text, "$GENERATE"))
        do_generate(r, lex);
    else
        reader_bad_entry(r, lex, "unknown directive", true);
}
