/* SPDX-License-Identifier: ISC */
/*
 * The toolstack's part of xenstore: nodes, values and permissions as libxl of Xen 4.17 leaves them,
 * as far as a guest can see them.
 */
#include "arch/unix/sim/toolstack.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xen/xen.h>
#include <xen/io/xenbus.h>

#include "arch/unix/sim/domain.h"
#include "arch/unix/sim/report.h"
#include "arch/unix/sim/store.h"
#include "arch/unix/sim/vtime.h"
#include "lib/util.h"

#define UUID "6f0e5d3c-0000-4000-8000-000000000005"

#define PATH_SIZE 128
#define DETACH_PATIENCE (10 * NSEC_PER_SEC) /* libxl's */

static char *new_text(void)
{
    static char texts[4][PATH_SIZE];
    static unsigned next;

    return texts[next++ % ARRAY_SIZE(texts)];
}

const char *toolstack_backend_path(const char *type, unsigned index, const char *key)
{
    char *text = new_text();

    snprintf(text, PATH_SIZE, "/local/domain/0/backend/%s/%u/%u%s%s", type, DOMAIN_ID, index,
             *key ? "/" : "", key);
    return text;
}

const char *toolstack_path(const char *fmt, ...)
{
    char *text = new_text();
    int n = snprintf(text, PATH_SIZE, "/local/domain/%u/", DOMAIN_ID);
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text + n, PATH_SIZE - (size_t)n, fmt, ap);
    va_end(ap);
    return text;
}

/* Nodes that the guest may only read, and those that belong to it. */
static void make_tree(void)
{
    static const char *const readable[] = {
        "cpu", "memory", "device", "device/suspend", "control", "store", "console",
    };
    static const char *const own[] = {
        "device/suspend/event-channel",
        "control/shutdown",
        "control/feature-poweroff",
        "control/feature-reboot",
        "control/feature-suspend",
        "control/sysrq",
        "data",
        "drivers",
        "feature",
        "attr",
        "error",
    };
    char home[40], read_only[24], owned[12];

    snprintf(home, sizeof(home), "/local/domain/%u", DOMAIN_ID);
    snprintf(read_only, sizeof(read_only), "n0 r%u", DOMAIN_ID);
    snprintf(owned, sizeof(owned), "n%u", DOMAIN_ID);
    store_make("/local/domain/0", "n0");
    store_make(home, read_only);
    store_make("/vm/" UUID, read_only);
    for (size_t i = 0; i < ARRAY_SIZE(readable); i++)
        store_make(toolstack_path("%s", readable[i]), read_only);
    for (size_t i = 0; i < ARRAY_SIZE(own); i++)
        store_make(toolstack_path("%s", own[i]), owned);
}

void toolstack_create(const char *name, unsigned memory_mib, uint32_t store_port,
                      uint32_t console_port)
{
    make_tree();
    store_write(toolstack_path("vm"), "/vm/" UUID);
    store_write(toolstack_path("name"), name);
    store_printf(toolstack_path("domid"), "%u", DOMAIN_ID);
    store_write(toolstack_path("cpu/0/availability"), "online");
    store_printf(toolstack_path("memory/static-max"), "%u", memory_mib * 1024);
    store_printf(toolstack_path("memory/target"), "%u", memory_mib * 1024);
    store_write(toolstack_path("control/platform-feature-multiprocessor-suspend"), "1");
    store_write(toolstack_path("control/platform-feature-xs_reset_watches"), "1");
    store_printf(toolstack_path("store/port"), "%u", store_port);
    store_printf(toolstack_path("console/port"), "%u", console_port);
    store_write(toolstack_path("console/type"), "xenconsoled");
    store_write("/vm/" UUID "/name", name);
    store_write("/vm/" UUID "/uuid", UUID);
}

void toolstack_request(const char *what)
{
    store_write(toolstack_path("control/shutdown"), what);
}

void toolstack_sysrq(char letter)
{
    store_printf(toolstack_path("control/sysrq"), "%c", letter);
}

/* --- devices ---------------------------------------------------------------------------------- */

/* One end's key of a device, and what libxl writes there. */
struct key {
    const char *name, *value; /* NULL: it is not written */
};

/* The directories of both ends, which name each other. The states come last: they are what is looked
 * at. */
static void add_device(const char *type, unsigned index, const struct key *back,
                       const struct key *front)
{
    char guest_reads[24], owned[24];

    snprintf(guest_reads, sizeof(guest_reads), "n0 r%u", DOMAIN_ID);
    snprintf(owned, sizeof(owned), "n%u r0", DOMAIN_ID);
    store_make(toolstack_backend_path(type, index, ""), guest_reads);
    store_write(toolstack_backend_path(type, index, "frontend"),
                toolstack_path("device/%s/%u", type, index));
    store_printf(toolstack_backend_path(type, index, "frontend-id"), "%u", DOMAIN_ID);
    store_write(toolstack_backend_path(type, index, "online"), "1");
    for (; back->name; back++)
        if (back->value)
            store_write(toolstack_backend_path(type, index, back->name), back->value);
    store_write(toolstack_backend_path(type, index, "state"), "1");
    store_make(toolstack_path("device/%s/%u", type, index), owned);
    store_write(toolstack_path("device/%s/%u/backend", type, index),
                toolstack_backend_path(type, index, ""));
    store_write(toolstack_path("device/%s/%u/backend-id", type, index), "0");
    for (; front->name; front++)
        if (front->value)
            store_write(toolstack_path("device/%s/%u/%s", type, index, front->name), front->value);
    store_write(toolstack_path("device/%s/%u/state", type, index), "1");
}

void toolstack_add_vif(unsigned index, const struct vif_config *config)
{
    char handle[12];
    const struct key back[] = {
        {"handle", handle},   {"ip", *config->ip ? config->ip : NULL},
        {"mac", config->mac}, {"script", "/etc/xen/scripts/vif-bridge"},
        {"type", "vif"},      {"bridge", "xenbr0"},
        {NULL, NULL},
    };
    const struct key front[] = {
        {"handle", handle},
        {"mac", config->mac},
        {"mtu", *config->mtu ? config->mtu : NULL},
        {NULL, NULL},
    };

    snprintf(handle, sizeof(handle), "%u", index);
    add_device("vif", index, back, front);
}

/* What the script of hotplugging writes is there at once. */
void toolstack_add_vbd(unsigned index, const char *path, bool readonly)
{
    char number[12], name[] = {'x', 'v', 'd', (char)('a' + (index - TOOLSTACK_VBD(0)) / 16), 0};
    const struct key back[] = {
        {"params", path},
        {"script", "/etc/xen/scripts/block"},
        {"removable", "0"},
        {"bootable", "1"},
        {"dev", name},
        {"type", "phy"},
        {"mode", readonly ? "r" : "w"},
        {"device-type", "disk"},
        {"discard-enable", "1"},
        {"physical-device", "7:0"},
        {"physical-device-path", "/dev/loop0"},
        {"hotplug-status", "connected"},
        {NULL, NULL},
    };
    const struct key front[] = {
        {"virtual-device", number},
        {"device-type", "disk"},
        {NULL, NULL},
    };

    snprintf(number, sizeof(number), "%u", index);
    add_device("vbd", index, back, front);
}

/* A device that goes: what libxl__initiate_device_generic_remove() waits for, and for how long. */
struct detach {
    struct store_listener backend;
    struct timer patience;
    const char *type;
    unsigned index;
    void (*done)(void);
};

static void detached(struct detach *d)
{
    void (*done)(void) = d->done;

    vtime_disarm(&d->patience);
    store_unlisten(&d->backend);
    store_remove(toolstack_path("device/%s/%u", d->type, d->index));
    store_remove(toolstack_backend_path(d->type, d->index, ""));
    free(d);
    done();
}

static bool backend_closed(const struct detach *d)
{
    const char *state = store_read(toolstack_backend_path(d->type, d->index, "state"));

    return !state || atoi(state) == XenbusStateClosed;
}

static void backend_changed(struct store_listener *listener)
{
    struct detach *d = container_of(listener, struct detach, backend);

    if (backend_closed(d))
        detached(d);
}

static void detach_by_force(struct timer *timer)
{
    detached(container_of(timer, struct detach, patience));
}

void toolstack_detach(const char *type, unsigned index, void (*done)(void))
{
    struct detach *d = calloc(1, sizeof(*d));

    if (!d)
        report_fatal("no memory to detach %s%u", type, index);
    d->type = type;
    d->index = index;
    d->done = done;
    d->backend.fn = backend_changed;
    snprintf(d->backend.path, sizeof(d->backend.path), "%s",
             toolstack_backend_path(type, index, "state"));
    store_listen(&d->backend);
    d->patience.fn = detach_by_force;
    vtime_arm(&d->patience, vtime_now() + DETACH_PATIENCE);
    if (!store_read(d->backend.path))
        return; /* the backend has gone: so does the rest, at once */
    store_write(toolstack_backend_path(type, index, "online"), "0");
    if (!backend_closed(d))
        store_printf(d->backend.path, "%d", XenbusStateClosing);
}
