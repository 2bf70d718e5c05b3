/* SPDX-License-Identifier: ISC */
/*
 * What the DNS unit tests share: zones from strings, collected messages, queries.
 */
#ifndef TESTS_UNIT_DNS_TESTING_H
#define TESTS_UNIT_DNS_TESTING_H

#include "lib/dns/build.h"
#include "lib/dns/dns.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A file system of strings: pairs of name and content, ended by NULL. */
struct text_file {
    const char *name, *content;
    size_t size; /* 0: the length of content */
};

struct text_handle {
    const char *content;
    size_t left;
};

static void *text_open(void *ctx, const char *name, const char *parent, char *opened, size_t size)
{
    for (const struct text_file *f = ctx; f->name; f++) {
        if (!strcmp(f->name, name)) {
            struct text_handle *h = malloc(sizeof(*h));

            h->content = f->content;
            h->left = f->size ? f->size : strlen(f->content);
            snprintf(opened, size, "%s", name);
            return h;
        }
    }
    return NULL;
}

/* Gives a few octets at a time, so that tokens cross the boundaries of reads. */
static long text_read(void *ctx, void *handle, void *buf, size_t size)
{
    struct text_handle *h = handle;
    size_t n = h->left < 7 ? h->left : 7;

    memcpy(buf, h->content, n);
    h->content += n;
    h->left -= n;
    return n;
}

static void text_close(void *ctx, void *handle)
{
    free(handle);
}

/* All messages, one a line. */
static char messages[8192];

static void collect(void *ctx, enum dns_severity severity, const struct dns_place *place,
                    const char *message)
{
    size_t len = strlen(messages);

    snprintf(messages + len, sizeof(messages) - len, "%s:%u: %s%s\n", place->file, place->line,
             severity == DNS_WARNING ? "warning: " : "", message);
}

/*
 * Compiles files[0], whose zone is example.org unless it says otherwise, and has a digest (ZONEMD) that may be wrong.
 * Returns as dns_zone_compile.
 */
static int compile_files(const struct text_file *files, uint8_t **image, size_t *size)
{
    static const uint8_t origin[] = "\7example\3org";
    const struct dns_source source = {text_open, text_read, text_close, (void *)files};
    const struct dns_sink sink = {.report = collect};

    messages[0] = '\0';
    *image = NULL;
    return dns_zone_compile(&source, files[0].name, origin, false, &sink, image, size);
}

#endif
