/* SPDX-License-Identifier: ISC */
/*
 * Tokens of master files: see lexer.h.
 */
#include "lib/dns/lexer.h"

#include <errno.h>

enum { END = -1, FAILED = -2 };

int lexer_open(struct lexer *lex, const struct dns_source *source, const char *name,
               const char *parent, char *text)
{
    memset(lex, 0, sizeof(*lex));
    lex->source = source;
    lex->text = text;
    lex->line = 1;
    errno = ENOENT;
    lex->handle = source->open(source->ctx, name, parent, lex->file, sizeof(lex->file));
    return lex->handle ? 0 : -errno;
}

void lexer_close(struct lexer *lex)
{
    lex->source->close(lex->source->ctx, lex->handle);
}

/* The next octet, which stays unread, or END or FAILED. */
static int peek(struct lexer *lex)
{
    if (lex->used == lex->have) {
        lex->used = 0;
        lex->have = 0;
        if (lex->at_end)
            return END;
        lex->have = lex->source->read(lex->source->ctx, lex->handle, lex->buf, sizeof(lex->buf));
        if (lex->have <= 0) {
            int why = lex->have ? FAILED : END;

            lex->at_end = true;
            lex->have = 0;
            return why;
        }
    }
    return lex->buf[lex->used];
}

static void advance(struct lexer *lex)
{
    if (lex->buf[lex->used++] == '\n')
        lex->line++;
}

static enum token fail(struct lexer *lex, const char *why)
{
    lex->error = why;
    return TOKEN_ERROR;
}

static bool append(struct lexer *lex, char c)
{
    if (lex->text_len == LEXER_TOKEN_MAX)
        return false;
    lex->text[lex->text_len++] = c;
    return true;
}

static bool ends_word(int c)
{
    return c < 0 || strchr(" \t\r\n;()\"", c);
}

/* Reads a word, or the inside of a quoted string; the opening quote is behind us. */
static enum token read_text(struct lexer *lex, bool quoted)
{
    int c;

    lex->text_len = 0;
    for (;;) {
        c = peek(lex);
        if (c == FAILED)
            return fail(lex, "cannot read on");
        if (quoted ? c == '"' : ends_word(c) && c != 0)
            break;
        if (quoted && (c == '\n' || c == END))
            return fail(lex, "quoted string is not closed on its line");
        if (c == 0)
            return advance(lex), fail(lex, "zero octet in a text file");
        advance(lex);
        if (!append(lex, c))
            return fail(lex, "word longer than 65535 characters");
        if (c != '\\')
            continue;
        c = peek(lex);
        if (c < 0 || c == '\n' || c == 0)
            return fail(lex, "backslash at the end of a line");
        advance(lex);
        if (!append(lex, c))
            return fail(lex, "word longer than 65535 characters");
    }
    if (quoted)
        advance(lex);
    lex->text[lex->text_len] = '\0';
    return quoted ? TOKEN_QUOTED : TOKEN_WORD;
}

static void skip_comment(struct lexer *lex)
{
    for (int c = peek(lex); c >= 0 && c != '\n'; c = peek(lex))
        advance(lex);
}

/* Handles a parenthesis; NULL, or what is wrong. */
static const char *parenthesis(struct lexer *lex, bool open)
{
    if (open == lex->in_parens)
        return open ? "parenthesis inside parentheses"
                    : "closing parenthesis without an opening one";
    lex->in_parens = open;
    lex->paren_line = lex->line;
    return NULL;
}

static enum token read_token(struct lexer *lex)
{
    lex->blank = false;
    for (;;) {
        int c = peek(lex);

        lex->token_line = lex->line;
        switch (c) {
        case FAILED:
            return fail(lex, "cannot read on");
        case END:
            if (!lex->in_parens)
                return TOKEN_EOF;
            lex->in_parens = false;
            lex->token_line = lex->paren_line;
            return fail(lex, "parenthesis is never closed");
        case ';':
            skip_comment(lex);
            break;
        case '(':
        case ')': {
            const char *wrong = parenthesis(lex, c == '(');

            advance(lex);
            lex->blank = true;
            if (wrong)
                return fail(lex, wrong);
            break;
        }
        case '\n':
            advance(lex);
            if (!lex->in_parens)
                return TOKEN_EOL;
            lex->blank = true;
            break;
        case ' ':
        case '\t':
        case '\r':
            advance(lex);
            lex->blank = true;
            break;
        case '"':
            advance(lex);
            return read_text(lex, true);
        default:
            return read_text(lex, false);
        }
    }
}

enum token lexer_next(struct lexer *lex)
{
    if (lex->pushed) {
        lex->pushed = false;
        return lex->latest;
    }
    lex->latest = read_token(lex);
    return lex->latest;
}

void lexer_push(struct lexer *lex)
{
    lex->pushed = true;
}

void lexer_skip_line(struct lexer *lex)
{
    enum token t = lex->latest;

    lex->pushed = false;
    while (t != TOKEN_EOF && t != TOKEN_EOL) {
        /* An unclosed quote or parenthesis must not swallow the rest of the file. */
        if (t == TOKEN_ERROR) {
            lex->in_parens = false;
            skip_comment(lex);
        }
        t = lex->latest = read_token(lex);
    }
}

int lexer_octet(const char **p)
{
    const char *s = *p;
    int value;

    *p = s + 1;
    if (*s != '\\')
        return (uint8_t)*s;
    if (s[1] < '0' || s[1] > '9') {
        *p = s + 2;
        return s[1] ? (uint8_t)s[1] : -1;
    }
    if (s[2] < '0' || s[2] > '9' || s[3] < '0' || s[3] > '9')
        return -1;
    value = (s[1] - '0') * 100 + (s[2] - '0') * 10 + s[3] - '0';
    *p = s + 4;
    return value > 255 ? -1 : value;
}
