/* SPDX-License-Identifier: ISC */
/* See fake_net_kernel.h. */
#include "tests/unit/fake_net_kernel.h"

#include <check.h>
#include <string.h>

#include "kernel/app.h"
#include "lib/net/interface.h"
#include "lib/net/net.h"
#include "lib/net/netpage.h"
#include "lib/util.h"
#include "tests/unit/fake_kernel.h"

const char app_name[] = "test";

/* --- memory ------------------------------------------------------------------------------ */

size_t fake_memory = 4096;

size_t page_count_total(void)
{
    return fake_memory;
}

size_t page_count_free(void)
{
    return fake_memory - MIN(fake_pages, fake_memory);
}

/* --- the command line -------------------------------------------------------------------- */

static struct {
    const char *key, *value;
} words[8];

void fake_cmdline(const char *key, const char *value)
{
    unsigned i = 0;

    while (i < ARRAY_SIZE(words) && words[i].key && strcmp(words[i].key, key) != 0)
        i++;
    ck_assert_uint_lt(i, ARRAY_SIZE(words));
    words[i].key = key;
    words[i].value = value;
}

const char *cmdline_get(const char *key)
{
    for (unsigned i = 0; i < ARRAY_SIZE(words) && words[i].key; i++) {
        if (strcmp(words[i].key, key) == 0)
            return words[i].value;
    }
    return NULL;
}

void cmdline_known(const char *key)
{
}

/* --- what is published ------------------------------------------------------------------- */

static struct {
    char path[64], value[64];
} published[16];

int guest_publish(const char *path, const char *value)
{
    unsigned i = 0;

    while (i < ARRAY_SIZE(published) && published[i].path[0] &&
           strcmp(published[i].path, path) != 0)
        i++;
    ck_assert_uint_lt(i, ARRAY_SIZE(published));
    ck_assert_uint_lt(strlen(path), sizeof(published[i].path));
    ck_assert(!value || strlen(value) < sizeof(published[i].value));
    strcpy(published[i].path, path);
    strcpy(published[i].value, value ? value : "");
    return 0;
}

const char *fake_published(const char *path)
{
    for (unsigned i = 0; i < ARRAY_SIZE(published); i++) {
        if (strcmp(published[i].path, path) == 0)
            return published[i].value;
    }
    return "";
}

/* --- the rest ---------------------------------------------------------------------------- */

uint64_t time_monotonic(void)
{
    return fake_now;
}

void shutdown_hook_add(struct shutdown_hook *hook)
{
}

void random_bytes(void *buf, size_t len)
{
    static uint64_t state = 88172645463325252;

    for (size_t i = 0; i < len; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        ((uint8_t *)buf)[i] = (uint8_t)state;
    }
}

static void release(struct netpage *np)
{
}

void fake_net_start(struct netdev *dev)
{
    netpage_open(release);
    ck_assert_int_eq(net_init(), 0);
    ck_assert_int_eq(net_attach(dev), 0);
}
