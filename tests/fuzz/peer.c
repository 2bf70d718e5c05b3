/* SPDX-License-Identifier: ISC */
/* See peer.h. */
#include "tests/fuzz/peer.h"

#include <errno.h>
#include <string.h>

#include "arch/types.h"
#include "lib/util.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/sync_store.h"
#include "tests/unit/fake_grants.h"
#include "tests/unit/fake_kernel.h"

bool honest, lied;
uint8_t fault_every;

int peer_fault(const char *path)
{
    static const int errors[] = {-EIO, -EAGAIN, -ENOMEM, -EACCES, -ENOENT, -EINVAL, -ENOSPC};
    static unsigned count;

    (void)path;
    if (!fault_every || ++count % fault_every)
        return 0;
    return errors[fuzz_below(ARRAY_SIZE(errors))];
}

static bool ends_with(const char *key, const char *end)
{
    size_t len = strlen(key), n = strlen(end);

    return len >= n && !strcmp(key + len - n, end);
}

void peer_write_nonsense(const char *const *keys, unsigned count)
{
    const char *key = keys[fuzz_below(count)];
    const uint8_t *value;
    size_t len = fuzz_u8();

    lied = true;
    if (len == 255) {
        store_put(key, NULL, 0);
        return;
    }
    len = fuzz_bytes(&value, len % 80);
    if (ends_with(key, "/backend-id")) /* another domain would be another grant's owner */
        store_put_text(key, len & 1 ? "7" : "32752");
    else
        store_put(key, len ? (const void *)value : "", len);
}

static void set_state(const char *key)
{
    const char digit[] = {(char)('0' + fuzz_below(9)), '\0'};

    lied = true;
    store_put_text(key, digit);
    if (fuzz_u8() & 1)
        fake_run();
}

void peer_lie(const char *const *keys, unsigned count)
{
    switch (fuzz_below(3)) {
    case 0:
        set_state(keys[0]);
        break;
    case 1:
        peer_write_nonsense(keys, count);
        break;
    default:
        fault_every = fuzz_u8();
        lied |= fault_every != 0;
    }
}

void peer_scribble(void *page)
{
    size_t at = fuzz_u16() % PAGE_SIZE, n = fuzz_u8();
    const uint8_t *from;

    lied = true;
    n = fuzz_bytes(&from, MIN(n, PAGE_SIZE - at));
    memcpy((uint8_t *)page + at, from, n);
}

void peer_keep_mapped(unsigned grant)
{
    struct fake_grant *g = &fake_grants[GNTTAB_NR_RESERVED_ENTRIES + grant];

    lied = true;
    g->mapped |= g->live;
}

void peer_end_shortage(void)
{
    fault_every = 0;
    fake_no_memory = fake_no_grants = false;
}

extern struct xenbus_driver fuzzed_driver;
struct xenbus_driver fuzzed_driver;
/* What the link script does in the guest. */
__asm__(".pushsection .data.rel.ro, \"aw\"\n"
        ".globl xenbus_drivers_begin, xenbus_drivers_end\n"
        "xenbus_drivers_begin: .quad fuzzed_driver\n"
        "xenbus_drivers_end:\n"
        ".popsection");

void peer_drive(const struct xenbus_driver *driver, int (*connect)(struct xenbus_device *dev),
                void (*disconnect)(struct xenbus_device *dev))
{
    fuzzed_driver = *driver;
    fuzzed_driver.connect = connect;
    fuzzed_driver.disconnect = disconnect;
}
