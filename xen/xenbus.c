/* SPDX-License-Identifier: ISC */
/*
 * xenbus: devices come and go (docs/xenbus.md; hardening.md, rules 16 to 19). The state machine of
 * each device with its backend is in xenbus_state.c.
 *
 * The watch on device/TYPE says that something is different there: the directory is read and
 * compared with our list. This looks at what is, not at what happened, so events may be merged,
 * late or missing in between.
 *
 * Invariants: everything here but xenbus_init() runs in the watch thread; a device is in `devices`
 * from before probe() until after remove().
 */
#include "xen/xenbus.h"

#include <errno.h>
#include <string.h>

#include "kernel/log.h"
#include "kernel/page.h"
#include "lib/util.h"
#include "xen/xenbus_internal.h"
#include "xen/xenstore.h"

#define LOG_MODULE "xenbus"

#define TYPES_MAX 8
#define NAMES_MAX 1024 /* bytes of a directory: over a hundred devices */
#define KEYS_BATCH 8   /* what is on the stack at one time */

struct type {
    const struct xenbus_driver *driver;
    char path[24];
    struct xs_watch watch;
};

static struct {
    struct type types[TYPES_MAX];
    struct list devices;
} bus;

/* --- devices come and go ---------------------------------------------------------------------- */

/* What the toolstack says of a device, in our directory device/TYPE/INDEX. */
struct description {
    char state[12], backend[XENBUS_PATH_MAX], backend_id[12], domid[12];
    bool complete;
};

/* 0, or what hindered it for the moment. */
static int read_description(const char *nodename, struct description *d)
{
    static const char *const keys[] = {"state", "backend", "backend-id"};
    char paths[ARRAY_SIZE(keys)][XENBUS_PATH_MAX + 16];
    struct xs_read_item items[] = {
        {paths[0], d->state, sizeof(d->state), 0},
        {paths[1], d->backend, sizeof(d->backend), 0},
        {paths[2], d->backend_id, sizeof(d->backend_id), 0},
        {"domid", d->domid, sizeof(d->domid), 0},
    };
    int err;

    for (unsigned i = 0; i < ARRAY_SIZE(keys); i++)
        (void)fmt_print(paths[i], sizeof(paths[i]), "%s/%s", nodename, keys[i]);
    err = xs_read_many(XS_NONE, items, ARRAY_SIZE(items));
    if (err)
        return err;
    d->complete = true;
    for (unsigned i = 0; i < ARRAY_SIZE(items); i++) {
        if (items[i].result < 0 || strlen(items[i].buf) != (size_t)items[i].result) {
            items[i].buf[0] = '\0';
            d->complete = false;
        }
    }
    return 0;
}

/*
 * Takes the backend's path only if it is the one place below the backend domain's own directory
 * where this device belongs: anything else would have us read, and trust, another's keys.
 */
static bool check_otherend(struct xenbus_device *dev, const struct description *d)
{
    uint64_t domid, ours;
    char expected[XENBUS_PATH_MAX];

    if (!xs_parse_number(d->backend_id, strlen(d->backend_id), 0, DOMID_FIRST_RESERVED - 1,
                         &domid) ||
        !xs_parse_number(d->domid, strlen(d->domid), 0, DOMID_FIRST_RESERVED - 1, &ours))
        return false;
    (void)fmt_print(expected, sizeof(expected), "/local/domain/%u/backend/%s/%u/%u",
                    (unsigned)domid, dev->driver->type, (unsigned)ours, dev->index);
    if (strcmp(d->backend, expected))
        return false;
    dev->otherend_id = (domid_t)domid;
    memcpy(dev->otherend, expected, sizeof(expected));
    (void)fmt_print(dev->watch_path, sizeof(dev->watch_path), "%s/state", expected);
    return true;
}

static void device_remove(struct xenbus_device *dev)
{
    log_info("%s: removed", dev->name);
    xenbus_peer_end(dev);
    if (dev->probed)
        dev->driver->remove(dev);
    list_del(&dev->node);
    page_free(dev, 0);
}

/* 0, also for a device that is ignored; -ENOMEM: it is to be tried again. */
static int device_start(struct xenbus_device *dev, const struct description *d)
{
    int err;

    if (!check_otherend(dev, d)) {
        log_error("%s: ignored: \"%s\" is not where its backend (domain %s) belongs", dev->name,
                  d->backend, d->backend_id);
        return 0;
    }
    err = dev->driver->probe(dev);
    if (err == -ENOMEM)
        return err;
    if (err) {
        log_error("%s: ignored: the driver says %s", dev->name, errno_name(err));
        return 0;
    }
    dev->probed = true;
    xenbus_peer_begin(dev);
    return 0;
}

/* Devices that are ignored stay in the list, so that they are reported once. -ENOMEM: not added. */
static int device_add(struct type *type, unsigned index, const struct description *d)
{
    struct xenbus_device *dev = page_alloc_zeroed(0);
    uint64_t state;

    _Static_assert(sizeof(*dev) <= PAGE_SIZE, "a device is kept in a page");
    if (!dev)
        return -ENOMEM;
    dev->driver = type->driver;
    dev->index = index;
    (void)fmt_print(dev->name, sizeof(dev->name), "%s/%u", type->driver->type, index);
    (void)fmt_print(dev->nodename, sizeof(dev->nodename), "%s/%u", type->path, index);
    if (xs_parse_number(d->state, strlen(d->state), 0, XenbusStateReconfigured, &state))
        dev->state = dev->state_written = (enum xenbus_state)state;
    list_add_tail(&bus.devices, &dev->node);
    if (device_start(dev, d) == 0)
        return 0;
    list_del(&dev->node);
    page_free(dev, 0);
    return -ENOMEM;
}

/* Nothing is final, be it a shortage or an answer that cannot be: the directory is looked at again. */
static void try_later(struct type *type, int err)
{
    if (!type->watch.retry_after && err != -ECONNRESET)
        log_error("%s: %s: will try on", type->path, errno_name(err));
    xs_watch_retry(&type->watch, err);
}

static struct xenbus_device *device_find(const struct type *type, unsigned index)
{
    struct list *node;

    list_for_each(node, &bus.devices) {
        struct xenbus_device *dev = container_of(node, struct xenbus_device, node);

        if (dev->driver == type->driver && dev->index == index)
            return dev;
    }
    return NULL;
}

/* Whether the directory of a device we know is still the one we know: if it was removed and made
 * again in between, the toolstack has written another state, or another backend. (A state of ours may
 * not be written yet, or be written though the answer was lost.) */
static bool device_same(const struct xenbus_device *dev, const struct description *d)
{
    uint64_t state;

    return (!dev->probed || !strcmp(d->backend, dev->otherend)) &&
           xs_parse_number(d->state, strlen(d->state), 0, XenbusStateReconfigured, &state) &&
           (state == dev->state || state == dev->state_written);
}

/* An incomplete directory is still being written: then every change in it matters. */
static bool device_check(struct type *type, unsigned index)
{
    struct xenbus_device *dev = device_find(type, index);
    struct description d;
    char nodename[XENBUS_PATH_MAX];
    int err;

    (void)fmt_print(nodename, sizeof(nodename), "%s/%u", type->path, index);
    err = read_description(nodename, &d);
    if (err)
        try_later(type, err);
    if (err || !d.complete)
        return false;
    if (dev && device_same(dev, &d))
        return true;
    if (dev)
        device_remove(dev);
    if (device_add(type, index, &d) != 0)
        try_later(type, -ENOMEM);
    return true;
}

static bool name_listed(const char *names, size_t len, unsigned index)
{
    uint64_t n;

    for (const char *name = names; name < names + len; name += strlen(name) + 1)
        if (xs_parse_number(name, strlen(name), 0, UINT32_MAX, &n) && n == index)
            return true;
    return false;
}

static void remove_unlisted(const struct type *type, const char *names, size_t len)
{
    struct list *node, *next;

    list_for_each_safe(node, next, &bus.devices) {
        struct xenbus_device *dev = container_of(node, struct xenbus_device, node);

        if (dev->driver == type->driver && !name_listed(names, len, dev->index))
            device_remove(dev);
    }
}

static void type_changed(struct xs_watch *w)
{
    struct type *type = container_of(w, struct type, watch);
    char names[NAMES_MAX];
    int len = xs_directory(XS_NONE, type->path, names, sizeof(names));
    bool complete = true;

    if (len < 0 && len != -ENOENT) {
        try_later(type, len);
        return;
    }
    len = MAX(len, 0);
    remove_unlisted(type, names, (size_t)len);
    for (const char *name = names; name < names + len; name += strlen(name) + 1) {
        uint64_t index;

        if (xs_parse_number(name, strlen(name), 0, UINT32_MAX, &index))
            complete &= device_check(type, (unsigned)index);
        else
            log_limited(LOG_WARN, "%s: not a device", type->path);
    }
    type->watch.depth = complete ? 1 : 0;
}

int xenbus_init(void)
{
    size_t count = (size_t)(xenbus_drivers_end - xenbus_drivers_begin);
    int err;

    ASSERT(count <= TYPES_MAX);
    list_init(&bus.devices);
    if (!xenstore_available())
        return -ECONNRESET;
    for (size_t i = 0; i < count; i++) {
        struct type *type = &bus.types[i];

        type->driver = xenbus_drivers_begin[i];
        (void)fmt_print(type->path, sizeof(type->path), "device/%s", type->driver->type);
        type->watch = (struct xs_watch){.path = type->path, .fn = type_changed, .depth = 1};
        err = xs_watch(&type->watch);
        if (err)
            return err;
    }
    return 0;
}

/* --- for drivers ------------------------------------------------------------------------------ */

static int read_keys(struct xenbus_device *dev, struct xenbus_key *keys, unsigned count)
{
    char paths[KEYS_BATCH][XENBUS_PATH_MAX + 40];
    char texts[KEYS_BATCH][24];
    struct xs_read_item items[KEYS_BATCH];
    int err;

    for (unsigned i = 0; i < count; i++) {
        (void)fmt_print(paths[i], sizeof(paths[i]), "%s/%s", dev->otherend, keys[i].name);
        items[i] = (struct xs_read_item){paths[i], texts[i], sizeof(texts[i]), 0};
    }
    err = xs_read_many(XS_NONE, items, count);
    if (err)
        return err;
    for (unsigned i = 0; i < count; i++) {
        int len = items[i].result;

        if (len >= 0 &&
            xs_parse_number(texts[i], (size_t)len, keys[i].min, keys[i].max, &keys[i].value))
            continue;
        keys[i].value = keys[i].def;
        if (len >= 0 || len == -ENOSPC)
            log_limited(LOG_WARN, "%s: the backend's %s is out of range: taken as %lu", dev->name,
                        keys[i].name, (unsigned long)keys[i].def);
    }
    return 0;
}

int xenbus_read_keys(struct xenbus_device *dev, struct xenbus_key *keys, unsigned count)
{
    int err = 0;

    for (unsigned i = 0; i < count && !err; i += KEYS_BATCH)
        err = read_keys(dev, keys + i, MIN(count - i, (unsigned)KEYS_BATCH));
    return err;
}
