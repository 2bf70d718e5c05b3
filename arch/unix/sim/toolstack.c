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

static void write_backend(unsigned index, const struct vif_config *config)
{
    char guest_reads[24];
    const struct {
        const char *key, *value;
    } keys[] = {
        {"online", "1"},      {"script", "/etc/xen/scripts/vif-bridge"},
        {"mac", config->mac}, {"bridge", "xenbr0"},
        {"type", "vif"},      {"state", "1"},
    };

    snprintf(guest_reads, sizeof(guest_reads), "n0 r%u", DOMAIN_ID);
    store_make(toolstack_backend_path("vif", index, ""), guest_reads);
    store_write(toolstack_backend_path("vif", index, "frontend"),
                toolstack_path("device/vif/%u", index));
    store_printf(toolstack_backend_path("vif", index, "frontend-id"), "%u", DOMAIN_ID);
    store_printf(toolstack_backend_path("vif", index, "handle"), "%u", index);
    if (*config->ip)
        store_write(toolstack_backend_path("vif", index, "ip"), config->ip);
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
        store_write(toolstack_backend_path("vif", index, keys[i].key), keys[i].value);
}

void toolstack_add_vif(unsigned index, const struct vif_config *config)
{
    char owned[24];

    write_backend(index, config);
    snprintf(owned, sizeof(owned), "n%u r0", DOMAIN_ID);
    store_make(toolstack_path("device/vif/%u", index), owned);
    store_write(toolstack_path("device/vif/%u/backend", index),
                toolstack_backend_path("vif", index, ""));
    store_write(toolstack_path("device/vif/%u/backend-id", index), "0");
    store_printf(toolstack_path("device/vif/%u/handle", index), "%u", index);
    store_write(toolstack_path("device/vif/%u/mac", index), config->mac);
    if (*config->mtu)
        store_write(toolstack_path("device/vif/%u/mtu", index), config->mtu);
    store_write(toolstack_path("device/vif/%u/state", index), "1");
}

/* A device that goes: what libxl__initiate_device_generic_remove() waits for, and for how long. */
struct detach {
    struct store_listener backend;
    struct timer patience;
    unsigned index;
    void (*done)(void);
};

static void detached(struct detach *d)
{
    void (*done)(void) = d->done;

    vtime_disarm(&d->patience);
    store_unlisten(&d->backend);
    store_remove(toolstack_path("device/vif/%u", d->index));
    store_remove(toolstack_backend_path("vif", d->index, ""));
    free(d);
    done();
}

static bool backend_closed(unsigned index)
{
    const char *state = store_read(toolstack_backend_path("vif", index, "state"));

    return !state || atoi(state) == XenbusStateClosed;
}

static void backend_changed(struct store_listener *listener)
{
    struct detach *d = container_of(listener, struct detach, backend);

    if (backend_closed(d->index))
        detached(d);
}

static void detach_by_force(struct timer *timer)
{
    detached(container_of(timer, struct detach, patience));
}

void toolstack_detach_vif(unsigned index, void (*done)(void))
{
    struct detach *d = calloc(1, sizeof(*d));

    if (!d)
        report_fatal("no memory to detach vif%u", index);
    d->index = index;
    d->done = done;
    d->backend.fn = backend_changed;
    snprintf(d->backend.path, sizeof(d->backend.path), "%s",
             toolstack_backend_path("vif", index, "state"));
    store_listen(&d->backend);
    d->patience.fn = detach_by_force;
    vtime_arm(&d->patience, vtime_now() + DETACH_PATIENCE);
    if (!store_read(d->backend.path))
        return; /* the backend has gone: so does the rest, at once */
    store_write(toolstack_backend_path("vif", index, "online"), "0");
    if (!backend_closed(index))
        store_printf(d->backend.path, "%d", XenbusStateClosing);
}
