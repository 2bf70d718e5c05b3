/* SPDX-License-Identifier: ISC */
/*
 * The guest's command line: words separated by blanks, key=value words for the kernel and the
 * libraries, everything else for the app.
 *
 * Quoting is the shell's: 'as it is', "with \" and \\", and \ before any one character. The words
 * are cut and unquoted in place, which only ever shortens them, so nothing is copied and a secret
 * that is overwritten here is gone.
 *
 * Which keys exist is known only to those who read them, and they differ with the configuration;
 * so a word is claimed by being asked for, and what nobody claimed is the app's, and is reported:
 * a misspelt key would otherwise be ignored in silence. After a word "--" nothing is a key.
 */
#include "kernel/cmdline.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "kernel/app.h"
#include "lib/util.h"

#define LOG_MODULE "cmdline"
#define WORDS_MAX 64

static struct {
    char *word[WORDS_MAX];
    uint64_t claimed; /* a bit per word */
    unsigned count;
    unsigned keys_end; /* words from here on came after "--" */
    char *argv[WORDS_MAX + 2];
} cmdline;

_Static_assert(WORDS_MAX <= 64, "claimed has a bit per word");

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Unquotes the word that starts at in to the same place, and terminates it. *quoted is set when
 * it had quotes. Returns where the next word may start. */
static char *cut_word(char *in, bool *quoted)
{
    char *out = in;
    char quote = 0;

    for (; *in && (quote || !is_blank(*in)); in++) {
        if (*in == quote) {
            quote = 0;
        } else if (!quote && (*in == '\'' || *in == '"')) {
            quote = *in;
            *quoted = true;
        } else if (*in == '\\' && in[1] && quote != '\'' &&
                   (!quote || in[1] == '"' || in[1] == '\\')) {
            *out++ = *++in;
        } else {
            *out++ = *in;
        }
    }
    if (quote)
        log_error("the command line ends inside quotes (%c)", quote);
    if (*in)
        in++;
    /* To the end of what the word was: unquoting has moved its text, which may be a secret's. */
    memset(out, 0, (size_t)(in - out));
    return in;
}

void cmdline_init(char *line, size_t size)
{
    bool keys = true;

    cmdline.count = cmdline.keys_end = 0;
    cmdline.claimed = 0;
    line[size - 1] = '\0'; /* the toolstack cuts a long line without a terminator */
    for (;;) {
        bool quoted = false;
        char *word;

        while (is_blank(*line))
            line++;
        if (!*line)
            break;
        if (cmdline.count == WORDS_MAX) {
            log_error("more than %u words on the command line: the rest is ignored", WORDS_MAX);
            break;
        }
        word = line;
        line = cut_word(line, &quoted);
        if (keys && !quoted && strcmp(word, "--") == 0) {
            keys = false;
            continue;
        }
        cmdline.word[cmdline.count++] = word;
        cmdline.keys_end += keys;
    }
}

/* The value when the word is key=value, or NULL. */
static char *value_of(char *word, const char *key)
{
    size_t len = strlen(key);

    return strncmp(word, key, len) == 0 && word[len] == '=' ? word + len + 1 : NULL;
}

const char *cmdline_get(const char *key)
{
    const char *result = NULL;

    for (unsigned i = 0; i < cmdline.keys_end; i++) {
        const char *value = value_of(cmdline.word[i], key);

        if (value) {
            cmdline.claimed |= UINT64_C(1) << i;
            result = value;
        }
    }
    return result;
}

void cmdline_known(const char *key)
{
    (void)cmdline_get(key);
}

int cmdline_take(const char *key, char *buf, size_t size)
{
    int result = 0;

    (void)cmdline_get(key);
    for (unsigned i = 0; i < cmdline.keys_end; i++) {
        char *value = value_of(cmdline.word[i], key);
        size_t len;

        if (!value)
            continue;
        len = strlen(value);
        result = -E2BIG;
        if (len < size) {
            memcpy(buf, value, len + 1);
            result = (int)len;
        }
        memset(value, 0, len);
    }
    return result;
}

int cmdline_argv(const char *name, char ***argv)
{
    int argc = 0;

    cmdline.argv[argc++] = (char *)(uintptr_t)name; /* argv is not const for historical reasons */
    for (unsigned i = 0; i < cmdline.count; i++)
        if (!(cmdline.claimed >> i & 1))
            cmdline.argv[argc++] = cmdline.word[i];
    cmdline.argv[argc] = NULL;
    *argv = cmdline.argv;
    return argc;
}

void cmdline_report_unknown(void)
{
    for (unsigned i = 0; i < cmdline.keys_end; i++) {
        const char *word = cmdline.word[i];
        const char *equals = strchr(word, '=');

        if (equals && !(cmdline.claimed >> i & 1))
            log_warn("unknown key '%.*s': left to the app (a word after -- is never a key)",
                     (int)(equals - word), word);
    }
}
