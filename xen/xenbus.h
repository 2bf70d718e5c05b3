/* SPDX-License-Identifier: ISC */
/*
 * xenbus: finds the devices that the toolstack put into xenstore, matches them with drivers and
 * leads both ends through the connection states (xen/include/public/io/xenbus.h, docs/xenbus.md).
 *
 * A driver is a table of functions in a linker set. All of them are called from the watch thread,
 * so they may use the blocking xenstore calls, and never two at a time. xenbus owns the state
 * machine, including a backend that vanishes, jumps to Closed or starts again (hardening.md, rules
 * 16 to 19); the driver owns its rings and grants.
 */
#ifndef XEN_XENBUS_H
#define XEN_XENBUS_H

#include <stdbool.h>
#include <stdint.h>

#include <xen/io/xenbus.h>
#include <xen/xen.h>

#include "lib/list.h"
#include "xen/xenstore.h"

struct xenbus_device;

struct xenbus_driver {
    const char *type; /* the directory under device/: "vif", "vbd" */
    /* The backend tells what the device is only when it is connected itself (blkif.h): we are
     * Initialised after connect(), and Connected after connected(). */
    bool two_steps;
    /* A new device: allocate dev->driver_data. 0, or an error: the device is left alone. */
    int (*probe)(struct xenbus_device *dev);
    /* The backend is ready (InitWait or Initialised): read its offers, set up rings and grants,
     * write our keys. xenbus sets the state afterwards. An error disables the device;
     * but -ENOSPC, -EBUSY (what of an earlier connection is still in use) and what is xs_passing()
     * only put it off. */
    int (*connect)(struct xenbus_device *dev);
    /* The backend became Connected: traffic may start. Errors as those of connect(). */
    int (*connected)(struct xenbus_device *dev);
    /* Undo connect(), as often as called: stop traffic, end grants, unbind. dev stays; with
     * dev->broken there will be no other connection, and what waits for one is to fail. */
    void (*disconnect)(struct xenbus_device *dev);
    /* The device is gone: free driver_data. Called after disconnect(). */
    void (*remove)(struct xenbus_device *dev);
};

/* Places the driver into the linker set that xenbus walks. */
#define XENBUS_DRIVER(name)                                                                        \
    static const struct xenbus_driver name;                                                        \
    static const struct xenbus_driver *const name##_entry                                          \
        __attribute__((used, section(".set.xenbus_drivers"))) = &name;                             \
    static const struct xenbus_driver name

extern const struct xenbus_driver *const xenbus_drivers_begin[]; /* from the link script */
extern const struct xenbus_driver *const xenbus_drivers_end[];

#define XENBUS_PATH_MAX 64 /* "/local/domain/32751/backend/TYPE/32751/4294967295" and some */

struct xenbus_device {
    struct list node;
    const struct xenbus_driver *driver;
    void *driver_data;
    char name[24];                  /* "vif/0": for logs, and below "device/" */
    char nodename[XENBUS_PATH_MAX]; /* "device/vif/0" */
    char otherend[XENBUS_PATH_MAX]; /* the backend's directory, checked (rule 17) */
    domid_t otherend_id;
    unsigned index;               /* the number in nodename */
    enum xenbus_state state;      /* what we are in; written, unless state_unwritten */
    enum xenbus_state peer_state; /* what we last read */
    bool broken;                  /* disabled after a breach of the protocol */
    const char *reason;           /* why broken; for the watch thread to write down */
    /* xenbus's own: */
    bool probed;        /* the driver knows the device */
    bool connected;     /* connect() done and not undone */
    bool running;       /* connected() called since */
    bool late;          /* connecting has failed, and is tried on */
    bool closing;       /* broken, and the peer has been told */
    bool closing_first; /* Closed, for the backend to close too before we connect anew */
    bool state_unwritten;
    enum xenbus_state state_written; /* what the store has, as far as we know */
    unsigned restarts; /* of the backend, within the window that began at restart_window */
    uint64_t restart_window;
    struct xs_watch otherend_watch;
    char watch_path[XENBUS_PATH_MAX + 8];
};

/* Starts the enumeration; devices appear as the watch thread finds them. Never waits. 0, or
 * -ECONNRESET without xenstore. */
int xenbus_init(void);

/* The driver found its peer breaking the protocol: logs reason and value, once, disconnects soon
 * (from the watch thread), sets the state to Closing, writes the reason to the device's error node.
 * reason is a constant string. Callable from anywhere but the upcall. */
void xenbus_disable(struct xenbus_device *dev, const char *reason, uint64_t value);
/* How many devices have been disabled. */
unsigned xenbus_count_disabled(void);

/*
 * Reads several of the backend's keys, all of them numbers, in one round trip. A value that is
 * missing, or that is not a number within [min, max], becomes def (the latter is logged). 0, or an
 * error that is xs_passing(): no value is good then.
 */
struct xenbus_key {
    const char *name;
    uint64_t min, max, def;
    uint64_t value;
};
int xenbus_read_keys(struct xenbus_device *dev, struct xenbus_key *keys, unsigned count);

#endif
