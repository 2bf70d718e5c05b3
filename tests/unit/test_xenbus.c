/* SPDX-License-Identifier: ISC */
/*
 * xenbus against a toolstack and backends that the test plays, through the real xenstore client and
 * a small xenstored: orderly life, and rules 16 to 19 of hardening.md broken one by one.
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/thread.h"
#include "lib/util.h"
#include "tests/unit/fake_kernel.h"
#include "tests/unit/fake_xenstored.h"
#include "xen/xenbus.h"

/* --- a driver that counts ------------------------------------------------------------------- */

static struct {
    unsigned probe, connect, connected, disconnect, remove;
    int probe_error, connect_error, connected_error;
    bool disable_in_connect;
    bool told; /* in disconnect(), that there will be no other connection */
    bool reset_in_connect, reset_after_connect; /* the store's connection, at our next request */
    unsigned live;                              /* probed and not removed */
    unsigned up;                                /* connected and not disconnected */
    struct xenbus_device *last;
} driver;

static int drv_probe(struct xenbus_device *dev)
{
    ck_assert_ptr_nonnull(thread_current());
    driver.probe++;
    driver.last = dev;
    if (driver.probe_error)
        return driver.probe_error;
    driver.live++;
    dev->driver_data = calloc(1, 1);
    return 0;
}

static int drv_connect(struct xenbus_device *dev)
{
    int err;

    driver.connect++;
    ck_assert(!dev->connected);
    ck_assert_int_eq(dev->state, XenbusStateInitialising);
    if (driver.disable_in_connect)
        xenbus_disable(dev, "bad offer", 42);
    if (driver.connect_error)
        return driver.connect_error;
    if (driver.reset_in_connect)
        store.lie_len = 70000;
    driver.reset_in_connect = false;
    driver.up++;
    err = xs_printf(XS_NONE, "device/vif/0/ring-ref", "%u", driver.connect);
    if (driver.reset_after_connect)
        store.lie_len = 70000;
    driver.reset_after_connect = false;
    return err;
}

static int drv_connected(struct xenbus_device *dev)
{
    ck_assert(dev->connected);
    driver.connected++;
    return driver.connected_error;
}

static void drv_disconnect(struct xenbus_device *dev)
{
    ck_assert_ptr_nonnull(dev->driver_data);
    driver.disconnect++;
    driver.told |= dev->broken;
    if (driver.up)
        driver.up--;
}

static void drv_remove(struct xenbus_device *dev)
{
    driver.remove++;
    driver.live--;
    free(dev->driver_data);
}

/* Without XENBUS_DRIVER(), so that a test may change it. */
static struct xenbus_driver counting __attribute__((used)) = {
    .type = "vif",
    .probe = drv_probe,
    .connect = drv_connect,
    .connected = drv_connected,
    .disconnect = drv_disconnect,
    .remove = drv_remove,
};

/* What the link script does in the guest. */
extern const struct xenbus_driver *const the_driver;
const struct xenbus_driver *const the_driver = &counting;
__asm__(".pushsection .data.rel.ro, \"aw\"\n"
        ".globl xenbus_drivers_begin, xenbus_drivers_end\n"
        "xenbus_drivers_begin: .quad counting\n"
        "xenbus_drivers_end:\n"
        ".popsection");

/* --- the toolstack and the backend ----------------------------------------------------------- */

static const char *backend_path(unsigned index)
{
    static char path[64];

    snprintf(path, sizeof(path), "/local/domain/0/backend/vif/5/%u", index);
    return path;
}

static void set(unsigned index, const char *key, const char *value)
{
    char path[96];

    snprintf(path, sizeof(path), "device/vif/%u/%s", index, key);
    store_set(path, value);
}

static const char *get(unsigned index, const char *key)
{
    char path[96];
    const char *value;

    snprintf(path, sizeof(path), "device/vif/%u/%s", index, key);
    value = store_get(path);
    return value ? value : "(none)";
}

static void backend_state(unsigned index, const char *state)
{
    char path[96];

    snprintf(path, sizeof(path), "%s/state", backend_path(index));
    store_set(path, state);
    fake_run();
}

static void create_with(unsigned index, const char *backend, const char *backend_id)
{
    char path[96];

    snprintf(path, sizeof(path), "%s/state", backend_path(index));
    store_set(path, "1");
    set(index, "backend", backend);
    set(index, "backend-id", backend_id);
    set(index, "state", "1");
    snprintf(path, sizeof(path), "device/vif/%u", index);
    store_set(path, ""); /* the last event is the one on the directory, as with a transaction */
}

static void create(unsigned index)
{
    create_with(index, backend_path(index), "0");
}

static void destroy(unsigned index)
{
    char path[96];

    store_remove(backend_path(index));
    snprintf(path, sizeof(path), "device/vif/%u", index);
    store_remove(path);
}

static void start(void)
{
    store_init();
    store_set("domid", "5");
    ck_assert_int_eq(xenstore_init(), 0);
    ck_assert_int_eq(xenbus_init(), 0);
}

static void setup(void)
{
    start();
    fake_run();
}

static void bring_up(unsigned index)
{
    create(index);
    fake_run();
    ck_assert_uint_ge(driver.probe, 1);
    backend_state(index, "2");
    ck_assert_str_eq(get(index, "state"), "4");
    backend_state(index, "4");
    ck_assert_uint_eq(driver.up, driver.live);
}

static void check_disabled(unsigned index)
{
    char path[96];

    ck_assert_uint_eq(driver.up, 0);
    ck_assert_str_eq(get(index, "state"), "5");
    snprintf(path, sizeof(path), "error/device/vif/%u/error", index);
    ck_assert_ptr_nonnull(store_get(path));
    ck_assert_uint_eq(fake_log_count("disabled"), 1);
}

/* --- orderly life ---------------------------------------------------------------------------- */

START_TEST(device_at_boot)
{
    start();
    create(0);
    fake_run();
    ck_assert_uint_eq(driver.probe, 1);
    ck_assert_uint_eq(driver.connect, 0);
    ck_assert_str_eq(driver.last->name, "vif/0");
    ck_assert_str_eq(driver.last->nodename, "device/vif/0");
    ck_assert_str_eq(driver.last->otherend, backend_path(0));
    ck_assert_uint_eq(driver.last->otherend_id, 0);
    backend_state(0, "2");
    ck_assert_uint_eq(driver.connect, 1);
    ck_assert_str_eq(get(0, "state"), "4");
    ck_assert_str_eq(get(0, "ring-ref"), "1");
    backend_state(0, "4");
    ck_assert_uint_eq(driver.connected, 1);
}
END_TEST

START_TEST(backend_that_is_quicker)
{
    start();
    create(0);
    store_set("/local/domain/0/backend/vif/5/0/state", "2");
    fake_run();
    ck_assert_str_eq(get(0, "state"), "4");
    ck_assert_uint_eq(driver.connect, 1);
}
END_TEST

START_TEST(round_trips_of_a_boot)
{
    start();
    create(0);
    store_set("/local/domain/0/backend/vif/5/0/state", "2");
    fake_run();
    backend_state(0, "4");
    ck_assert_uint_eq(driver.connected, 1);
    ck_assert_msg(store.rounds <= 10, "%u", store.rounds);
}
END_TEST

START_TEST(detach)
{
    bring_up(0);
    backend_state(0, "5");
    ck_assert_str_eq(get(0, "state"), "6");
    ck_assert_uint_eq(driver.disconnect, 1);
    backend_state(0, "6");
    ck_assert_uint_eq(driver.remove, 0);
    destroy(0);
    fake_run();
    ck_assert_uint_eq(driver.remove, 1);
    ck_assert_uint_eq(driver.disconnect, 1);
    ck_assert_uint_eq(fake_pages, 0);
    ck_assert_uint_eq(store_watches(), 1);
}
END_TEST

START_TEST(attach_again_and_again)
{
    for (unsigned i = 1; i <= 20; i++) {
        bring_up(0);
        ck_assert_uint_eq(driver.probe, i);
        ck_assert_uint_eq(driver.connected, i);
        backend_state(0, "5");
        backend_state(0, "6");
        destroy(0);
        fake_run();
        ck_assert_uint_eq(driver.live, 0);
        ck_assert_uint_eq(fake_pages, 0);
    }
}
END_TEST

START_TEST(removed_without_a_word)
{
    bring_up(0);
    destroy(0);
    fake_run();
    ck_assert_uint_eq(driver.up, 0);
    ck_assert_uint_eq(driver.live, 0);
    ck_assert_uint_eq(fake_pages, 0);
}
END_TEST

/* Both changes come before the guest looks: only the state tells that this is another device. */
START_TEST(removed_and_made_again_between_two_looks)
{
    bring_up(0);
    destroy(0);
    create(0);
    fake_run();
    ck_assert_uint_eq(driver.probe, 2);
    ck_assert_uint_eq(driver.remove, 1);
    backend_state(0, "2");
    ck_assert_str_eq(get(0, "state"), "4");
    ck_assert_uint_eq(driver.up, 1);
}
END_TEST

/* The state is the same, the backend is not. */
START_TEST(another_backend_between_two_looks)
{
    create(0);
    fake_run();
    destroy(0);
    create_with(0, "/local/domain/3/backend/vif/5/0", "3");
    fake_run();
    ck_assert_uint_eq(driver.remove, 1);
    ck_assert_uint_eq(driver.last->otherend_id, 3);
}
END_TEST

START_TEST(three_devices)
{
    for (unsigned i = 0; i < 3; i++)
        bring_up(i);
    ck_assert_uint_eq(driver.up, 3);
    destroy(1);
    fake_run();
    ck_assert_uint_eq(driver.up, 2);
    ck_assert_str_eq(get(2, "state"), "4");
}
END_TEST

/* By hand, key by key: events below the directory matter until it is complete. */
START_TEST(directory_that_grows_slowly)
{
    store_set("device/vif/0", "");
    fake_run();
    set(0, "backend", backend_path(0));
    fake_run();
    set(0, "backend-id", "0");
    fake_run();
    ck_assert_uint_eq(driver.probe, 0);
    set(0, "state", "1");
    fake_run();
    ck_assert_uint_eq(driver.probe, 1);
}
END_TEST

START_TEST(own_writes_do_not_wake)
{
    unsigned before;

    bring_up(0);
    before = store.requests;
    set(0, "ring-ref", "9"); /* as if by us */
    fake_run();
    ck_assert_uint_eq(store.requests, before);
}
END_TEST

/* --- backends that jump (rule 18) ------------------------------------------------------------ */

START_TEST(same_state_again_is_nothing)
{
    create(0);
    fake_run();
    backend_state(0, "2");
    backend_state(0, "2");
    backend_state(0, "3");
    ck_assert_uint_eq(driver.connect, 1);
    ck_assert_uint_eq(driver.disconnect, 0);
    backend_state(0, "4");
    backend_state(0, "4");
    ck_assert_uint_eq(driver.connected, 1);
}
END_TEST

START_TEST(restart_of_the_backend)
{
    bring_up(0);
    backend_state(0, "2");
    ck_assert_uint_eq(driver.disconnect, 1);
    ck_assert_uint_eq(driver.connect, 2);
    ck_assert_str_eq(get(0, "state"), "4");
    backend_state(0, "4");
    ck_assert_uint_eq(driver.connected, 2);
}
END_TEST

START_TEST(restart_from_the_beginning)
{
    bring_up(0);
    backend_state(0, "1");
    ck_assert_uint_eq(driver.up, 0);
    backend_state(0, "2");
    ck_assert_uint_eq(driver.connect, 2);
    backend_state(0, "4");
    ck_assert_uint_eq(driver.connected, 2);
}
END_TEST

START_TEST(closed_and_opened_again)
{
    static const char *const ways[] = {"5", "6", "0"};

    bring_up(0);
    backend_state(0, ways[_i]);
    ck_assert_str_eq(get(0, "state"), "6");
    ck_assert_uint_eq(driver.up, 0);
    ck_assert_uint_eq(driver.live, 1);
    backend_state(0, "2");
    ck_assert_str_eq(get(0, "state"), "4");
    backend_state(0, "4");
    ck_assert_uint_eq(driver.up, 1);
    ck_assert_uint_eq(driver.connected, 2);
}
END_TEST

static void backend_stays(const char *online)
{
    char path[96];

    snprintf(path, sizeof(path), "%s/online", backend_path(0));
    store_set(path, online);
}

START_TEST(restart_goes_by_way_of_closed)
{
    bring_up(0);
    backend_stays("1");
    backend_state(0, "2");
    ck_assert_str_eq(get(0, "state"), "6");
    ck_assert_uint_eq(driver.up, 0);
    backend_state(0, "4"); /* it took our old state for an answer */
    backend_state(0, "5");
    ck_assert_str_eq(get(0, "state"), "6");
    backend_state(0, "6");
    ck_assert_str_eq(get(0, "state"), "1");
    backend_state(0, "2");
    ck_assert_str_eq(get(0, "state"), "4");
    backend_state(0, "4");
    ck_assert_uint_eq(driver.connect, 2);
    ck_assert_uint_eq(driver.connected, 2);
}
END_TEST

START_TEST(backend_that_does_not_close)
{
    bring_up(0);
    backend_stays("1");
    backend_state(0, "2");
    backend_state(0, "3");
    ck_assert_str_eq(get(0, "state"), "6");
    fake_sleep(2 * NSEC_PER_SEC);
    ck_assert_str_eq(get(0, "state"), "4");
    ck_assert_uint_eq(driver.connect, 2);
}
END_TEST

START_TEST(closed_for_good)
{
    bring_up(0);
    backend_stays("0");
    backend_state(0, "5");
    backend_state(0, "6");
    ck_assert_str_eq(get(0, "state"), "6");
    ck_assert_uint_eq(driver.connect, 1);
}
END_TEST

/* A backend's driver as Linux has it: bound anew at any time, told of our state at any time later,
 * and then it reads what is there by then. */
static struct {
    unsigned state, rings; /* rings: those it is connected to */
} linux_back;

static void linux_step(unsigned state)
{
    char path[96], text[16];

    linux_back.state = state;
    if (state == 4)
        linux_back.rings = (unsigned)atoi(get(0, "ring-ref"));
    snprintf(text, sizeof(text), "%u", state);
    snprintf(path, sizeof(path), "%s/state", backend_path(0));
    store_set(path, text);
}

static void linux_look(void)
{
    unsigned front = (unsigned)atoi(get(0, "state"));
    unsigned goal = front == 1 ? 2 : front == 4 ? 4 : front == 6 ? 6 : linux_back.state;

    while (linux_back.state != goal) {
        switch (linux_back.state) {
        case 2:
            linux_step(goal == 4 ? 4 : 5);
            break;
        case 4:
            linux_step(5);
            break;
        case 5:
            linux_step(6);
            break;
        default:
            linux_step(2);
            break;
        }
    }
}

/* It may look between any two requests of ours; and the store's connection be reset at any. */
static unsigned resets;

static bool serve_and_look(void)
{
    if (rand() % 4 == 0)
        linux_look();
    if (resets && rand() % 8 == 0) {
        resets--;
        store.lie_len = 70000;
        store.lie_undone = rand() % 2;
    }
    return store_serve();
}

START_TEST(driver_bound_anew_at_any_time)
{
    srand((unsigned)_i);
    store.page->server_features = XENSTORE_SERVER_FEATURE_RECONNECTION;
    bring_up(0);
    backend_stays("1");
    for (unsigned round = 0; round < 30; round++) {
        resets = _i % 2 && xenstore_stats()->reconnects < 3; /* after 4 we give it up */
        linux_step(2);
        if (rand() % 2)
            linux_look();
        fake_peer = serve_and_look;
        fake_run();
        fake_peer = store_serve;
        for (unsigned i = 0; i < 6; i++) {
            linux_look();
            fake_run();
        }
        ck_assert_uint_eq(linux_back.state, 4);
        ck_assert_uint_eq(linux_back.rings, driver.connect);
        ck_assert_uint_eq(driver.up, 1);
        ck_assert_uint_eq(driver.remove, 0);
        fake_sleep(20 * NSEC_PER_SEC);
    }
}
END_TEST

START_TEST(backend_vanishes)
{
    bring_up(0);
    store_remove(backend_path(0));
    fake_run();
    ck_assert_str_eq(get(0, "state"), "6");
    ck_assert_uint_eq(driver.up, 0);
    backend_state(0, "2"); /* it is back, in the same place */
    ck_assert_uint_eq(driver.up, 1);
}
END_TEST

START_TEST(backend_becomes_unreadable)
{
    bring_up(0);
    store.forbidden = "/local/domain/0";
    backend_state(0, "4");
    ck_assert_str_eq(get(0, "state"), "6");
    ck_assert_uint_eq(driver.up, 0);
}
END_TEST

START_TEST(connected_out_of_nowhere)
{
    create(0);
    fake_run();
    backend_state(0, "4");
    ck_assert_uint_eq(driver.connected, 0);
    ck_assert_uint_eq(driver.connect, 0);
    backend_state(0, "2");
    backend_state(0, "4");
    ck_assert_uint_eq(driver.connected, 1);
}
END_TEST

START_TEST(closed_before_it_began)
{
    create(0);
    fake_run();
    backend_state(0, "6");
    ck_assert_str_eq(get(0, "state"), "1");
    backend_state(0, "2");
    ck_assert_str_eq(get(0, "state"), "4");
}
END_TEST

START_TEST(reconfiguring_is_nothing)
{
    bring_up(0);
    backend_state(0, "7");
    backend_state(0, "8");
    backend_state(0, "4");
    ck_assert_uint_eq(driver.connected, 1);
    ck_assert_uint_eq(driver.up, 1);
}
END_TEST

START_TEST(restarts_without_end)
{
    bring_up(0);
    for (unsigned i = 0; i < 50; i++)
        backend_state(0, i % 2 ? "4" : "2");
    ck_assert_uint_le(driver.connect, 10);
    check_disabled(0);
    ck_assert(driver.told);
}
END_TEST

START_TEST(restarts_now_and_then)
{
    bring_up(0);
    for (unsigned i = 0; i < 50; i++) {
        backend_state(0, "2");
        backend_state(0, "4");
        fake_sleep(6 * NSEC_PER_SEC);
    }
    ck_assert_uint_eq(driver.connected, 51);
}
END_TEST

/* --- nonsense (rule 16) ---------------------------------------------------------------------- */

static const char *const nonsense[] = {
    "",
    "9",
    "-1",
    "4 ",
    " 4",
    "0x4",
    "four",
    "4x",
    "10",
    "256",
    "44",
    "4294967300",
    "18446744073709551620",
    "444444444444444444444444444444444444444444444444444444444444444444444444444444444444444444",
};

START_TEST(state_is_no_state)
{
    bring_up(0);
    backend_state(0, nonsense[_i]);
    check_disabled(0);
    backend_state(0, "2"); /* too late */
    ck_assert_uint_eq(driver.connect, 1);
    backend_state(0, "6");
    ck_assert_str_eq(get(0, "state"), "6");
    destroy(0);
    fake_run();
    ck_assert_uint_eq(fake_pages, 0);
    fake_log_clear();
    bring_up(0); /* another one, in the same place */
}
END_TEST

START_TEST(only_that_device_suffers)
{
    bring_up(0);
    bring_up(1);
    backend_state(0, "garbage");
    ck_assert_str_eq(get(0, "state"), "5");
    ck_assert_str_eq(get(1, "state"), "4");
    ck_assert_uint_eq(driver.up, 1);
}
END_TEST

START_TEST(names_that_are_no_devices)
{
    static const char *const names[] = {"x",   "-1", "4294967296",
                                        "0x1", "1 ", "99999999999999999999"};
    char path[96];

    for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
        snprintf(path, sizeof(path), "device/vif/%s/state", names[i]);
        store_set(path, "1");
    }
    fake_run();
    ck_assert_uint_eq(driver.probe, 0);
    bring_up(0);
}
END_TEST

static void do_read_keys(void *arg)
{
    struct xenbus_key keys[] = {
        {.name = "missing", .min = 1, .max = 10, .def = 3},
        {.name = "good", .min = 1, .max = 10, .def = 3},
        {.name = "small", .min = 1, .max = 10, .def = 3},
        {.name = "large", .min = 1, .max = 10, .def = 3},
        {.name = "negative", .min = 1, .max = 10, .def = 3},
        {.name = "text", .min = 1, .max = 10, .def = 3},
        {.name = "empty", .min = 1, .max = 10, .def = 3},
        {.name = "huge", .min = 1, .max = 10, .def = 3},
        {.name = "long", .min = 1, .max = 10, .def = 3},
        {.name = "good", .min = 8, .max = 10, .def = 9},
    };

    (void)arg;
    xenbus_read_keys(driver.last, keys, ARRAY_SIZE(keys));
    for (unsigned i = 0; i < ARRAY_SIZE(keys); i++)
        ck_assert_uint_eq(keys[i].value, i == 1 ? 7 : keys[i].def);
}

START_TEST(keys_of_the_backend)
{
    static const char *const keys[][2] = {
        {"good", "7"},
        {"small", "0"},
        {"large", "11"},
        {"negative", "-1"},
        {"text", "x7"},
        {"empty", ""},
        {"huge", "18446744073709551617"},
        {"long", "0000000000000000000000000000000000000000000000000000000000007"},
    };
    char path[96];

    bring_up(0);
    for (unsigned i = 0; i < ARRAY_SIZE(keys); i++) {
        snprintf(path, sizeof(path), "%s/%s", backend_path(0), keys[i][0]);
        store_set(path, keys[i][1]);
    }
    fake_run();
    fake_in_thread(do_read_keys, NULL);
    ck_assert_uint_eq(fake_log_count("out of range"), 7 + 1);
    ck_assert(!fake_logged("missing"));
}
END_TEST

/* --- the backend's path (rule 17) ------------------------------------------------------------ */

START_TEST(backend_elsewhere)
{
    static const struct {
        const char *backend, *id;
    } cases[] = {
        {"/local/domain/0/backend/vif/6/0", "0"},
        {"/local/domain/0/backend/vif/5/1", "0"},
        {"/local/domain/0/backend/vbd/5/0", "0"},
        {"/local/domain/1/backend/vif/5/0", "0"},
        {"/local/domain/0/backend/vif/5/0", "1"},
        {"/local/domain/0/backend/vif/5/0/", "0"},
        {"/local/domain/0/backend/vif/5/0/../0", "0"},
        {"/local/domain/0/backend/vif/../vif/5/0", "0"},
        {"/local/domain/0//backend/vif/5/0", "0"},
        {"/local/domain/5/data/fake", "5"},
        {"backend/vif/5/0", "5"},
        {"", "0"},
        {"/", "0"},
        {"/local/domain/00/backend/vif/5/0", "0"},
        {"/local/domain/0/backend/vif/5/0", ""},
        {"/local/domain/0/backend/vif/5/0", "-1"},
        {"/local/domain/0/backend/vif/5/0", "4294967296"},
        {"/local/domain/0/backend/vif/5/0", "0x0"},
        {"/local/domain/32752/backend/vif/5/0", "32752"}, /* DOMID_SELF */
        {"/local/domain/65535/backend/vif/5/0", "65535"},
        {"/local/domain/0/backend/vif/5/"
         "00000000000000000000000000000000000000000000000000000000000000000000000000000000000",
         "0"},
    };

    create_with(0, cases[_i].backend, cases[_i].id);
    fake_run();
    backend_state(0, "2");
    ck_assert_uint_eq(driver.probe, 0);
    ck_assert_str_eq(get(0, "state"), "1");
    ck_assert_uint_eq(store_watches(), 1);
    destroy(0);
    fake_run();
    ck_assert_uint_eq(fake_pages, 0);
    bring_up(0);
}
END_TEST

START_TEST(backend_in_a_driver_domain)
{
    store_set("/local/domain/3/backend/vif/5/0/state", "2");
    create_with(0, "/local/domain/3/backend/vif/5/0", "3");
    fake_run();
    ck_assert_uint_eq(driver.last->otherend_id, 3);
    ck_assert_uint_eq(driver.connect, 1);
}
END_TEST

/* --- the driver's own trouble ---------------------------------------------------------------- */

START_TEST(disable)
{
    bring_up(0);
    xenbus_disable(driver.last, "bad id", 42);
    xenbus_disable(driver.last, "and again", 43); /* the first reason counts */
    ck_assert_uint_eq(driver.up, 1);              /* it happens in the watch thread */
    fake_run();
    check_disabled(0);
    ck_assert(fake_logged("vif/0: disabled: bad id (42)"));
    ck_assert_uint_eq(xenbus_count_disabled(), 1);
    ck_assert_str_eq(store_get("error/device/vif/0/error"), "bad id");
    ck_assert_uint_eq(driver.disconnect, 1);
    backend_state(0, "5");
    ck_assert_str_eq(get(0, "state"), "6");
    backend_state(0, "2");
    ck_assert_uint_eq(driver.connect, 1);
}
END_TEST

START_TEST(disable_in_connect)
{
    driver.disable_in_connect = true;
    create(0);
    fake_run();
    backend_state(0, "2");
    check_disabled(0);
}
END_TEST

START_TEST(probe_fails)
{
    driver.probe_error = -ENOMEM;
    create(0);
    fake_run();
    backend_state(0, "2");
    ck_assert_uint_eq(driver.probe, 1);
    ck_assert_uint_eq(driver.connect, 0);
    destroy(0);
    fake_run();
    ck_assert_uint_eq(driver.remove, 0);
    ck_assert_uint_eq(fake_pages, 0);
}
END_TEST

/* A shortage is not final, and neither is a reset of the connection to the store (rules 23, 29). */
START_TEST(connect_fails_for_now)
{
    driver.connect_error = -ENOMEM;
    create(0);
    fake_run();
    backend_state(0, "2");
    ck_assert_uint_eq(driver.disconnect, 1);
    fake_sleep(1000 * NSEC_PER_SEC); /* tried after 1, 2, 4 ... 64, 64 s */
    ck_assert_uint_ge(driver.connect, 18);
    ck_assert_uint_le(driver.connect, 25);
    ck_assert_uint_eq(fake_log_count("ENOMEM"), 1);
    ck_assert_str_eq(get(0, "state"), "1");
    driver.connect_error = 0;
    fake_sleep(64 * NSEC_PER_SEC);
    ck_assert_str_eq(get(0, "state"), "4");
    ck_assert_uint_eq(fake_log_count("connected at last"), 1);
    backend_state(0, "4");
    ck_assert_uint_eq(driver.connected, 1);
}
END_TEST

START_TEST(reset_while_connecting)
{
    store.page->server_features = XENSTORE_SERVER_FEATURE_RECONNECTION;
    driver.reset_in_connect = _i == 0;
    driver.reset_after_connect = _i > 0;
    store.lie_undone = _i == 2; /* our state is lost with the answer */
    create(0);
    fake_run();
    backend_state(0, "2");
    ck_assert_uint_eq(xenstore_stats()->reconnects, 1);
    ck_assert_str_eq(get(0, "state"), "4");
    backend_state(0, "4");
    ck_assert_uint_eq(driver.connected, 1);
    ck_assert_uint_eq(driver.up, 1);
    ck_assert_uint_eq(driver.remove, 0);
}
END_TEST

START_TEST(connect_fails)
{
    driver.connect_error = -EINVAL;
    create(0);
    fake_run();
    backend_state(0, "2");
    check_disabled(0);
    ck_assert_uint_eq(driver.disconnect, 1); /* undoes what connect() began */
    ck_assert(driver.told);
}
END_TEST

START_TEST(connected_fails)
{
    driver.connected_error = -EINVAL;
    create(0);
    fake_run();
    backend_state(0, "2");
    backend_state(0, "4");
    check_disabled(0);
}
END_TEST

/* A shortage, or a reset of the store's connection, in connected(): it is called again. */
START_TEST(connected_fails_for_now)
{
    driver.connected_error = -ENOMEM;
    create(0);
    fake_run();
    backend_state(0, "2");
    backend_state(0, "4");
    ck_assert_uint_eq(driver.connected, 1);
    ck_assert_uint_eq(xenbus_count_disabled(), 0);
    driver.connected_error = 0;
    fake_sleep(2 * NSEC_PER_SEC);
    ck_assert_uint_eq(driver.connected, 2);
    ck_assert_uint_eq(driver.connect, 1);
    ck_assert_uint_eq(driver.last->otherend_watch.retry_after, 0);
    ck_assert(fake_logged("vif/0: connecting: ENOMEM: will try on"));
}
END_TEST

/* blkif.h: we are Connected after the backend is. */
START_TEST(two_steps)
{
    counting.two_steps = true;
    create(0);
    fake_run();
    backend_state(0, "2");
    ck_assert_str_eq(get(0, "state"), "3");
    ck_assert_uint_eq(driver.connected, 0);
    backend_state(0, "4");
    ck_assert_str_eq(get(0, "state"), "4");
    ck_assert_uint_eq(driver.connected, 1);
    backend_state(0, "6");
    ck_assert_uint_eq(driver.up, 0);
    backend_state(0, "2");
    ck_assert_str_eq(get(0, "state"), "3");
}
END_TEST

START_TEST(no_memory) /* and a probe without memory: both are tried again, ever later */
{
    fake_no_memory = _i == 0;
    driver.probe_error = _i ? -ENOMEM : 0;
    create(0);
    fake_run();
    ck_assert_uint_eq(driver.live, 0);
    fake_sleep(20 * NSEC_PER_SEC);
    ck_assert_uint_eq(driver.probe, _i ? 5 : 0); /* after 0, 1, 3, 7, 15 s */
    ck_assert_uint_eq(fake_log_count("will try on"), 1);
    ck_assert_uint_eq(fake_pages, 0);
    fake_no_memory = false;
    driver.probe_error = 0;
    fake_sleep(20 * NSEC_PER_SEC);
    ck_assert_uint_eq(driver.live, 1);
    create(1);
    fake_run();
    ck_assert_uint_eq(driver.live, 2);
}
END_TEST

/* One reply of a connection's that makes no sense, or says that the store is in trouble: nothing but time
 * is lost. _i: which reply, and how it is wrong. */
#define ODD_REPLIES 5
#define REPLIES_MAX 14 /* there are 12 */

START_TEST(a_reply_that_cannot_be)
{
    static const char *const errors[ODD_REPLIES - 1] = {"EIO", "ESTRANGE", "ENOMEM", "EAGAIN"};
    unsigned kind = (unsigned)_i % ODD_REPLIES;

    start();
    create(0);
    store_set("/local/domain/0/backend/vif/5/0/state", "2");
    store.honest = (unsigned)_i / ODD_REPLIES;
    if (kind)
        store.lie_error = errors[kind - 1];
    else
        store.lie_type = XS_CONTROL;
    fake_sleep(200 * NSEC_PER_SEC);
    ck_assert_str_eq(get(0, "state"), "4");
    ck_assert_str_eq(get(0, "ring-ref"), driver.connect == 1 ? "1" : "2");
    backend_state(0, "4");
    fake_sleep(200 * NSEC_PER_SEC);
    ck_assert_uint_eq(store.honest > 0, _i / ODD_REPLIES >= 12);
    ck_assert_uint_eq(driver.connected, 1);
    ck_assert_uint_eq(driver.up, 1);
    ck_assert_uint_eq(driver.remove, 0);
    ck_assert_uint_eq(xenbus_count_disabled(), 0);
    ck_assert_uint_eq(store_watches(), 2);
    destroy(0);
    fake_sleep(200 * NSEC_PER_SEC);
    ck_assert_uint_eq(store_watches(), 1);
    ck_assert_uint_eq(fake_pages, 0);
}
END_TEST

/* There are devices once it is let (rule 22). */
START_TEST(watch_refused_at_boot)
{
    store_init();
    store_set("domid", "5");
    store.forbidden = STORE_HOME "/device";
    ck_assert_int_eq(xenstore_init(), 0);
    ck_assert_int_eq(xenbus_init(), 0);
    create(0);
    fake_sleep(10 * NSEC_PER_SEC);
    ck_assert_uint_eq(driver.probe, 0);
    store.forbidden = NULL;
    fake_sleep(10 * NSEC_PER_SEC);
    ck_assert_uint_eq(driver.probe, 1);
    bring_up(0);
}
END_TEST

START_TEST(store_breaks_down)
{
    bring_up(0);
    store.deaf = true;
    store.page->rsp_prod += 5000;
    fake_raise(STORE_PORT);
    fake_run();
    ck_assert(!xenstore_available());
    xenbus_disable(driver.last, "x", 0);
    fake_run();
    ck_assert_uint_eq(driver.up, 0);
}
END_TEST

START_TEST(without_a_store)
{
    ck_assert_int_eq(xenstore_init(), -ENODEV);
    ck_assert_int_eq(xenbus_init(), -ECONNRESET);
}
END_TEST

/* Any order of states and removals: nothing leaks, nothing is called out of order. */
START_TEST(random_walk)
{
    static const char *const states[] = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "x"};

    srand((unsigned)_i);
    for (unsigned i = 0; i < 300; i++) {
        unsigned index = (unsigned)rand() % 3;
        char path[96];

        switch (rand() % 8) {
        case 0:
            create(index);
            break;
        case 1:
            destroy(index);
            break;
        case 2:
            store_remove(backend_path(index));
            break;
        default:
            snprintf(path, sizeof(path), "%s/state", backend_path(index));
            store_set(path, states[(unsigned)rand() % (rand() % 8 ? 9 : 10)]);
            break;
        }
        if (rand() % 2)
            fake_run();
        if (rand() % 4 == 0)
            fake_sleep((uint64_t)(rand() % 5) * NSEC_PER_SEC);
    }
    for (unsigned i = 0; i < 3; i++)
        destroy(i);
    fake_run();
    ck_assert_uint_eq(driver.live, 0);
    ck_assert_uint_eq(driver.up, 0);
    ck_assert_uint_eq(fake_pages, 0);
    ck_assert_uint_eq(store_watches(), 1);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("xenbus");
    TCase *t = tcase_create("boot");
    SRunner *runner;
    int failed;

    tcase_add_test(t, device_at_boot);
    tcase_add_test(t, backend_that_is_quicker);
    tcase_add_test(t, round_trips_of_a_boot);
    tcase_add_test(t, without_a_store);
    tcase_add_loop_test(t, a_reply_that_cannot_be, 0, ODD_REPLIES * REPLIES_MAX);
    tcase_add_test(t, watch_refused_at_boot);
    suite_add_tcase(s, t);

    t = tcase_create("life");
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, detach);
    tcase_add_test(t, attach_again_and_again);
    tcase_add_test(t, removed_without_a_word);
    tcase_add_test(t, removed_and_made_again_between_two_looks);
    tcase_add_test(t, another_backend_between_two_looks);
    tcase_add_test(t, three_devices);
    tcase_add_test(t, directory_that_grows_slowly);
    tcase_add_test(t, own_writes_do_not_wake);
    suite_add_tcase(s, t);

    t = tcase_create("jumps");
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, same_state_again_is_nothing);
    tcase_add_test(t, restart_of_the_backend);
    tcase_add_test(t, restart_from_the_beginning);
    tcase_add_loop_test(t, closed_and_opened_again, 0, 3);
    tcase_add_test(t, restart_goes_by_way_of_closed);
    tcase_add_test(t, backend_that_does_not_close);
    tcase_add_test(t, closed_for_good);
    tcase_add_loop_test(t, driver_bound_anew_at_any_time, 0, 50);
    tcase_add_test(t, backend_vanishes);
    tcase_add_test(t, backend_becomes_unreadable);
    tcase_add_test(t, connected_out_of_nowhere);
    tcase_add_test(t, closed_before_it_began);
    tcase_add_test(t, reconfiguring_is_nothing);
    tcase_add_test(t, restarts_without_end);
    tcase_add_test(t, restarts_now_and_then);
    suite_add_tcase(s, t);

    t = tcase_create("nonsense");
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_loop_test(t, state_is_no_state, 0, (int)ARRAY_SIZE(nonsense));
    tcase_add_test(t, only_that_device_suffers);
    tcase_add_test(t, names_that_are_no_devices);
    tcase_add_test(t, keys_of_the_backend);
    tcase_add_loop_test(t, backend_elsewhere, 0, 21);
    tcase_add_test(t, backend_in_a_driver_domain);
    suite_add_tcase(s, t);

    t = tcase_create("driver");
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, disable);
    tcase_add_test(t, disable_in_connect);
    tcase_add_test(t, probe_fails);
    tcase_add_test(t, connect_fails_for_now);
    tcase_add_loop_test(t, reset_while_connecting, 0, 3);
    tcase_add_test(t, connect_fails);
    tcase_add_test(t, connected_fails);
    tcase_add_test(t, connected_fails_for_now);
    tcase_add_test(t, two_steps);
    tcase_add_loop_test(t, no_memory, 0, 2);
    tcase_add_test(t, store_breaks_down);
    tcase_add_loop_test(t, random_walk, 0, 20);
    suite_add_tcase(s, t);

    runner = srunner_create(s);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
