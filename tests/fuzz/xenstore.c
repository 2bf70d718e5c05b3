/* SPDX-License-Identifier: ISC */
/*
 * Fuzz target: the xenstore client and xenbus, through the ring, with a xenstored that serves small
 * requests honestly until the input has it lie: wrong ids, types, lengths and errors, replies that
 * never come or come in pieces, events for nobody, any octets in the stream, any value in an index.
 * Threads of the guest read, write, list, watch and run transactions meanwhile, and devices come and
 * go.
 *
 * No reply is written beyond its buffer, what an honest store answers is what it has, a driver sees
 * connect and disconnect by turns, a watch that has ended is not called. When the store is honest again, and
 * has reset the connection if a reply had been lost, everything is as it should be: every caller has its
 * answer, every watch is registered, a device whose backend waits is connected; or the client has said that
 * it is disabled. When the connection is lost at last every caller has its error.
 */
#include <check.h>
#include <errno.h>

#include "kernel/thread.h"
#include "lib/atomic.h"
#include "lib/util.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/fake_kernel.h"
#include "tests/unit/fake_xenstored.h"
#include "xen/xenbus.h"

#define FRONT "device/vif/0"
#define BACK "/local/domain/0/backend/vif/5/0"
#define WORKERS_MAX 8
#define TRANSACTIONS_MAX 40 /* of the small xenstored's numbers each takes up to ten */
#define WATCHES 4
#define CONSTANT "data/constant" /* a key, and its value, which nobody changes */

static bool lied;
static bool lost;     /* a reply, or the order of the stream: some caller may wait for ever */
static bool believed; /* something false that might have been true, or is the device's own */
static bool wrecked;  /* the ring makes no sense to the store any more */
static bool may_reset;
static unsigned workers, transactions;

/* --- a driver that checks when it is called ------------------------------------------------- */

static struct {
    bool up, disable;
    uint8_t error;
} driver;

static int probe(struct xenbus_device *dev)
{
    ck_assert(!dev->driver_data);
    dev->driver_data = malloc(1);
    return 0;
}

static int connect(struct xenbus_device *dev)
{
    static const int errors[] = {0, -ENOMEM, -EAGAIN, -EIO, -EINVAL};
    struct xenbus_key keys[] = {{.name = "feature-a", .max = 1}, {.name = "size", .max = 99}};
    struct xs_write_item items[] = {{FRONT "/ring-ref", "8", 0}, {FRONT "/port", NULL, 0}};

    ck_assert(thread_current() && dev->driver_data && !dev->connected && !driver.up);
    driver.up = true;
    xenbus_read_keys(dev, keys, ARRAY_SIZE(keys));
    ck_assert(keys[0].value <= 1 && keys[1].value <= 99);
    if (driver.disable)
        xenbus_disable(dev, "the input says so", 42);
    return xs_write_many(XS_NONE, items, ARRAY_SIZE(items))
               ?: errors[driver.error % ARRAY_SIZE(errors)];
}

static int connected(struct xenbus_device *dev)
{
    ck_assert(dev->connected && driver.up);
    return driver.error == 5 ? -EINVAL : 0;
}

static void disconnect(struct xenbus_device *dev)
{
    ck_assert_ptr_nonnull(dev->driver_data);
    driver.up = false;
}

static void remove_device(struct xenbus_device *dev)
{
    ck_assert(!driver.up);
    free(dev->driver_data);
}

extern const struct xenbus_driver fuzzed_driver;
const struct xenbus_driver fuzzed_driver = {
    .type = "vif",
    .probe = probe,
    .connect = connect,
    .connected = connected,
    .disconnect = disconnect,
    .remove = remove_device,
};
/* What the link script does in the guest. */
__asm__(".pushsection .data.rel.ro, \"aw\"\n"
        ".globl xenbus_drivers_begin, xenbus_drivers_end\n"
        "xenbus_drivers_begin: .quad fuzzed_driver\n"
        "xenbus_drivers_end:\n"
        ".popsection");

/* --- the guest's threads ---------------------------------------------------------------------- */

static struct xs_watch *watched[WATCHES];
static bool ending[WATCHES]; /* a thread waits in xs_unwatch() */

static void watch_called(struct xs_watch *w)
{
    char value[8];

    ck_assert(w->token); /* not after xs_unwatch() */
    (void)xs_read(XS_NONE, w->path, value, sizeof(value));
}

static int change(xs_tid t, void *ctx)
{
    char *value = malloc(5);
    int err = xs_read(t, "data/a", value, 5);

    free(value);
    if (err == -EIO)
        return err;
    return xs_write(t, "data/b", "2") ?: xs_printf(t, "data/c", "%d", 3);
}

/* A reply lies in a block of exactly the size that was said. */
static void read_some(unsigned what, size_t size)
{
    static const char *const paths[] = {"data/a",      "data", "device",
                                        BACK "/state", "none", CONSTANT};
    char *buf = malloc(size);
    const char *path = paths[what % ARRAY_SIZE(paths)];
    uint64_t number;
    int n;

    switch (what % 4) {
    case 0:
        n = xs_read(XS_NONE, path, buf, size);
        ck_assert(n < 0 || ((size_t)n < size && !buf[n]));
        ck_assert(lied || n < 0 || strcmp(path, CONSTANT) != 0 || !strcmp(buf, CONSTANT));
        break;
    case 1:
        n = xs_directory(XS_NONE, path, buf, size);
        ck_assert(n <= 0 || ((size_t)n <= size && !buf[n - 1]));
        break;
    case 2:
        n = xs_get_perms(XS_NONE, path, buf, size);
        ck_assert(n <= 0 || ((size_t)n <= size && !buf[n - 1]));
        break;
    default:
        n = xs_read_number(XS_NONE, path, 3, 300, &number);
        ck_assert(n < 0 || (number >= 3 && number <= 300));
    }
    free(buf);
}

static void read_many(size_t size)
{
    struct xs_read_item items[18];

    for (unsigned i = 0; i < ARRAY_SIZE(items); i++)
        items[i] = (struct xs_read_item){i & 1 ? "data/a" : "data/b", malloc(size), size, 0};
    xs_read_many(XS_NONE, items, ARRAY_SIZE(items));
    for (unsigned i = 0; i < ARRAY_SIZE(items); i++) {
        ck_assert(items[i].result < (int)size);
        free(items[i].buf);
    }
}

static void watch_some(unsigned which)
{
    static const char *const paths[WATCHES] = {"data", "data/a", "/local/domain/5/data/b", "none"};
    struct xs_watch *w = watched[which];

    if (ending[which])
        return;
    if (!w) {
        w = watched[which] = calloc(1, sizeof(*w));
        w->path = paths[which];
        w->fn = watch_called;
        w->depth = which;
        (void)xs_watch(w);
        return;
    }
    ending[which] = true;
    xs_unwatch(w);
    ending[which] = false;
    watched[which] = NULL;
    free(w);
}

static void work(void *arg)
{
    uint32_t what = (uint32_t)(uintptr_t)arg;
    size_t size = 1 + (what >> 16) % 200;

    switch (what & 7) {
    case 0:
    case 1:
        read_some(what >> 3, size);
        break;
    case 2:
        read_many(size);
        break;
    case 3:
        (void)xs_write(XS_NONE, "data/a", (const char[]){(char)('0' + size % 10), 0});
        break;
    case 4:
        (void)xs_mkdir(XS_NONE, "data/d");
        (void)xs_remove(XS_NONE, "data/d");
        break;
    case 5:
        (void)xs_transaction_run(change, NULL);
        break;
    case 6:
        (void)xs_set_perms(XS_NONE, "data", (const char *const[]){"n0", "r5"}, 2);
        break;
    default:
        watch_some(what >> 3 & 3);
    }
    workers--;
}

static void start_worker(void)
{
    uint32_t what = fuzz_u32();

    if (workers == WORKERS_MAX)
        return;
    if ((what & 7) == 5 && transactions++ >= TRANSACTIONS_MAX)
        return;
    workers++;
    ck_assert_ptr_nonnull(thread_create("worker", work, (void *)(uintptr_t)what, 0));
}

/* --- the store -------------------------------------------------------------------------------- */

static bool serve(void)
{
    if (store.page->connection == XENSTORE_RECONNECT) {
        if (!may_reset)
            return false;
        wrecked = false;
    }
    return !wrecked && store_serve();
}

static void lie_in_reply(void)
{
    static const char *const errors[] = {"EINVAL", "EIO", "ENOENT", "EPERM", "NOSUCH", ""};
    uint8_t what = fuzz_u8();

    lied = true;
    store.honest = what / 8;
    switch (what % 8) {
    case 0:
        store.lie_req_id = fuzz_u8() & 1 ? fuzz_u32() : fuzz_u16();
        lost = believed = true;
        break;
    case 1:
        store.lie_tx_id = fuzz_u8();
        lost = true;
        break;
    case 2:
        store.lie_type = fuzz_u8() & 1 ? fuzz_u8() : fuzz_u32();
        lost |= store.lie_type == XS_WATCH_EVENT;
        break;
    case 3:
        store.lie_len = fuzz_u8() & 1 ? fuzz_u16() : fuzz_u32();
        lost = believed = true;
        break;
    case 4:
        what = fuzz_u8() % ARRAY_SIZE(errors);
        store.lie_error = errors[what];
        believed |= what == 0 || what == 2 || what == 3;
        break;
    case 5:
        store.lie_lost = lost = true;
        break;
    case 6:
        store.hold = fuzz_u8() & 1;
        lost |= store.hold;
        break;
    default:
        store.deaf = fuzz_u8() & 1;
    }
}

static void write_page(void)
{
    uint32_t *const fields[] = {&store.page->rsp_prod,       &store.page->rsp_cons,
                                &store.page->req_prod,       &store.page->req_cons,
                                &store.page->connection,     &store.page->error,
                                &store.page->server_features};
    uint32_t *field = fields[fuzz_below(ARRAY_SIZE(fields))];
    uint8_t how = fuzz_u8();

    lied = wrecked = lost = believed = true;
    shared_write(field, how & 1 ? fuzz_u32() : *field + (uint32_t)(int8_t)fuzz_u8());
    if (how & 2)
        fake_raise(STORE_PORT);
}

/* Octets in the stream, or a whole packet around them. */
static void send_packet(void)
{
    struct xsd_sockmsg head = {.type = fuzz_below(26), .req_id = fuzz_u16(), .tx_id = fuzz_u8()};
    uint8_t how = fuzz_u8();
    const uint8_t *data;

    lied = lost = believed = true;
    head.len = (uint32_t)fuzz_bytes(&data, fuzz_u8());
    if (how & 1)
        head.type = XS_WATCH_EVENT;
    if (how & 2)
        head.len = fuzz_u16();
    if (!(how & 4))
        store_raw(&head, sizeof(head));
    if (head.len && !(how & 2))
        store_raw(data, head.len);
}

static void send_event(void)
{
    static const char *const paths[] = {"data/a", "device/vif", BACK "/state", "/", ""};
    char token[16];

    lied = true;
    snprintf(token, sizeof(token), "%x", fuzz_u8() << 8 | fuzz_below(8));
    store_event(paths[fuzz_below(ARRAY_SIZE(paths))], token);
}

static void change_tree(void)
{
    static const char *const keys[] = {BACK "/state",
                                       FRONT "/state",
                                       FRONT "/backend",
                                       FRONT "/backend-id",
                                       "domid",
                                       "device/vif/x/state",
                                       "device/vif/1/state",
                                       BACK "/feature-a",
                                       BACK "/size",
                                       "data/a",
                                       "data/b"};
    const char *key = keys[fuzz_below(ARRAY_SIZE(keys))];
    const uint8_t *value;
    uint8_t how = fuzz_u8();
    size_t len;

    believed = true;
    if (how == 255) {
        store_remove(FRONT);
    } else if (how & 1) {
        store_set(BACK "/state", (const char[]){(char)('1' + (how >> 1 & 7)), 0});
    } else if (how & 2) {
        store_remove(key);
    } else {
        len = fuzz_bytes(&value, fuzz_below(70));
        store_set_bytes(key, (const char *)value, len);
    }
}

static void plug(void)
{
    store_set("domid", "5");
    store_set(BACK "/state", "2");
    store_set(FRONT "/backend", BACK);
    store_set(FRONT "/backend-id", "0");
    store_set(FRONT "/state", "1");
    store_set(FRONT, ""); /* the last event is the one on the directory, as with a transaction */
}

/* --- the case --------------------------------------------------------------------------------- */

static void behave(void)
{
    switch (fuzz_below(5)) {
    case 0:
        store.read_chunk = fuzz_u8();
        break;
    case 1:
        store.write_chunk = fuzz_u8();
        break;
    case 2:
        store.eagain = fuzz_below(12);
        break;
    case 3:
        store.events_per_change = fuzz_below(5);
        break;
    default:
        store.forbidden = fuzz_u8() & 1 ? "/local/domain/5/data" : NULL;
    }
}

static void step(void)
{
    switch (fuzz_below(14)) {
    case 0:
    case 1:
    case 2:
        start_worker();
        break;
    case 3:
        behave();
        break;
    case 4:
        lie_in_reply();
        break;
    case 5:
        write_page();
        break;
    case 6:
        send_packet();
        break;
    case 7:
        send_event();
        break;
    case 8:
    case 9:
        change_tree();
        break;
    case 10:
        plug();
        break;
    case 11:
        driver.error = fuzz_below(8);
        driver.disable = fuzz_u8() & 1;
        believed |= driver.error || driver.disable;
        break;
    case 12:
        fake_sleep(fuzz_u8() * 10 * NSEC_PER_MSEC);
        break;
    default:
        fake_raise(STORE_PORT);
    }
    if (fuzz_u8() & 1)
        fake_run();
}

/* From here on the store is honest, and a connection on which something was lost is a new one. False: the
 * store offers none, or the guest has had enough of it. */
static bool heal(bool can_reset)
{
    store.honest = store.lie_req_id = store.lie_tx_id = store.lie_type = store.lie_len = 0;
    store.lie_error = store.forbidden = NULL;
    store.lie_lost = store.hold = store.deaf = false;
    store.read_chunk = store.write_chunk = store.eagain = store.events_per_change = 0;
    driver.error = driver.disable = 0;
    if (lost) {
        if (!can_reset)
            return false;
        may_reset = true;
        store.page->server_features =
            XENSTORE_SERVER_FEATURE_RECONNECTION | XENSTORE_SERVER_FEATURE_ERROR;
        store.page->error = XENSTORE_ERROR_COMM;
        fake_raise(STORE_PORT);
    }
    fake_sleep(200 * NSEC_PER_SEC); /* whatever waits does so for 64 s at most */
    if (!xenstore_available())
        ck_assert(fake_logged("disabled"));
    return xenstore_available();
}

static void check_connected(void)
{
    ck_assert_msg(driver.up && !strcmp(store_get(FRONT "/state") ?: "", "4"),
                  "a device whose backend waits is not connected");
}

static void check_recovered(void)
{
    ck_assert_uint_eq(workers, 0);
    for (unsigned i = 0; i < WATCHES; i++)
        ck_assert_msg(!watched[i] || watched[i]->registered, "a watch is not registered");
    /* (A transaction of the small xenstored's that comes to nothing takes everything back.) */
    if (!believed && !transactions) {
        check_connected();
        ck_assert_uint_eq(xenbus_count_disabled(), 0);
    }
    store_remove(FRONT);
    store_remove(BACK);
    fake_sleep(200 * NSEC_PER_SEC);
    ck_assert(!driver.up);
    plug();
    fake_sleep(200 * NSEC_PER_SEC);
    check_connected();
}

static void finish(bool can_reset)
{
    if (!lied) {
        fake_sleep(10 * NSEC_PER_SEC);
        ck_assert(xenstore_available());
        ck_assert_uint_eq(workers, 0);
        ck_assert_uint_eq(xenstore_stats()->ignored, 0);
        ck_assert_uint_eq(xenstore_stats()->reconnects, 0);
    }
    if (heal(can_reset))
        check_recovered();
    wrecked = true;
    store.page->server_features = XENSTORE_SERVER_FEATURE_ERROR;
    store.page->error = XENSTORE_ERROR_PROTO;
    store.page->connection = XENSTORE_CONNECTED; /* should it wait for that */
    fake_raise(STORE_PORT);
    fake_sleep(10 * NSEC_PER_SEC);
    fake_raise(STORE_PORT);
    fake_sleep(10 * NSEC_PER_SEC);
    ck_assert(!xenstore_available());
    ck_assert_uint_eq(workers, 0);
}

void fuzz_case(void)
{
    uint8_t how = fuzz_u8();

    store_init();
    fake_peer = serve;
    may_reset = how & 1;
    if (how & 2)
        store.page->server_features =
            XENSTORE_SERVER_FEATURE_RECONNECTION | XENSTORE_SERVER_FEATURE_ERROR;
    store_set("data/a", "1");
    store_set("data/b", "some longer value");
    store_set(CONSTANT, CONSTANT);
    plug();
    ck_assert_int_eq(xenstore_init(), 0);
    ck_assert_int_eq(xenbus_init(), 0);
    if (how & 4)
        fake_run();
    while (fuzz_more())
        step();
    finish(how & 2);
}
