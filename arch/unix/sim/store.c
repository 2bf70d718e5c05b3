/* SPDX-License-Identifier: ISC */
/* The store as domain 0 sees it. */
#define _GNU_SOURCE
#include "arch/unix/sim/store.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/unix/sim/report.h"
#include "arch/unix/sim/store_op.h"

#define DOMAIN_0 0

/* The root, which belongs to domain 0. */
static void make_root(void)
{
    static const struct store_perm nobody = {.domid = DOMAIN_0, .mask = 0};

    if (!store_db_get(NULL, "/"))
        store_db_set_perms(NULL, store_db_add(NULL, "/"), &nobody, 1);
}

void store_write(const char *path, const char *value)
{
    make_root();
    if (store_op_write(DOMAIN_0, NULL, path, value, strlen(value)))
        report_fatal("store: cannot write %s", path);
}

void store_printf(const char *path, const char *fmt, ...)
{
    char *value;
    va_list ap;
    int len;

    va_start(ap, fmt);
    len = vasprintf(&value, fmt, ap);
    va_end(ap);
    if (len < 0)
        report_fatal("no memory for the store");
    store_write(path, value);
    free(value);
}

void store_make(const char *path, const char *text)
{
    struct store_perm perms[PERMS_MAX];
    unsigned count = 0;
    char *copy = strdup(text), *next = copy, *word;

    make_root();
    while ((word = strsep(&next, " ")))
        if (count == PERMS_MAX || !store_op_parse_perm(word, &perms[count++]))
            report_fatal("store: bad permissions \"%s\"", text);
    free(copy);
    if (store_op_mkdir(DOMAIN_0, NULL, path) ||
        store_op_set_perms(DOMAIN_0, NULL, path, perms, count))
        report_fatal("store: cannot make %s", path);
}

void store_remove(const char *path)
{
    make_root();
    (void)store_op_remove(DOMAIN_0, NULL, path);
}

const char *store_read(const char *path)
{
    const struct store_node *node = store_db_get(NULL, path);

    return node ? node->value : NULL;
}

uint64_t store_read_number(const char *path, uint64_t min, uint64_t max, uint64_t def)
{
    const char *text = store_read(path);
    unsigned long long value;
    char *end;

    if (!text || text[0] < '0' || text[0] > '9')
        return def;
    errno = 0;
    value = strtoull(text, &end, 10);
    return *end || errno || value < min || value > max ? def : value;
}

bool store_list(const char *path, char *names, size_t size)
{
    const struct store_node *node = store_db_get(NULL, path);
    const char *end;
    size_t n = 0;

    if (!node)
        return false;
    end = node->children + node->children_len;
    names[0] = '\0';
    for (const char *name = node->children; name < end && n < size; name += strlen(name) + 1)
        n += (size_t)snprintf(names + n, size - n, "%s ", name);
    return true;
}
