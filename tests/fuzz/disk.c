/* SPDX-License-Identifier: ISC */
/*
 * Fuzz target: the disk's frontend (apps/ringtest) and the lending of pages under the real xenbus, with a blkback
 * and a toolstack that do what the input says: states and keys in xenstore, responses in any order, indices,
 * events, pages kept, bytes written over the ring, restarts with requests in flight, memory that runs out.
 *
 * fake_grants.c judges each grant. What an honest backend is asked to write is what was submitted, and what is
 * read is what it answered; each job ends, once. Whatever there was, each has ended when the device has gone, and
 * all that the driver had has come back. A backend that never lied must not have been disabled; after one that
 * did, another one with an honest backend works. In half of the cases nobody lies.
 */
#include <check.h>

#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/peer.h"
#include "tests/fuzz/sync_store.h"
#include "tests/unit/fake_grants.h"
#include "tests/unit/fake_kernel.h"

#include "apps/ringtest/disk.c"

#define INDEX 51712
#define FRONT "device/vbd/51712"
#define BACK "/local/domain/7/backend/vbd/5/51712"
#define JOBS 80 /* more than the largest ring has room for */
#define HELD_MAX 256

static bool lost_track; /* of what is on the ring */
static unsigned starts;
static bool large;

/* --- what is asked of the disk ---------------------------------------------------------------- */

static struct asked {
    struct disk_job job;
    bool out;        /* submitted, and not done */
    bool given;      /* an honest backend has answered it... */
    int status;      /* ...so */
    uint8_t pattern; /* and this is what it has read */
} asked[JOBS];
static unsigned done_count;

/* No octet is that of a page that was never filled (0xa5). */
static uint8_t octet(uint8_t pattern, size_t at)
{
    return (uint8_t)((pattern + at / 64 + at % 7) & 0x7f);
}

static struct asked *of_job(struct disk_job *job)
{
    return container_of(job, struct asked, job);
}

static void done(struct disk_job *job);

static void submit(struct asked *a)
{
    struct disk *d = disk_find(INDEX);

    a->out = true;
    a->given = false;
    a->job.done = done;
    disk_submit(d, &a->job);
}

static void done(struct disk_job *job)
{
    struct asked *a = of_job(job);

    ck_assert_msg(a->out, "a job is done twice");
    a->out = false;
    done_count++;
    if (!lied && job->status != -EIO) {
        ck_assert_msg(a->given, "a job is done that nobody has answered");
        ck_assert_int_eq(job->status, a->status);
    }
    if (!lied && job->operation == BLKIF_OP_READ && job->status == BLKIF_RSP_OKAY)
        for (size_t i = 0; i < job->count * DISK_SECTOR; i++)
            ck_assert_msg(job->data[i] == octet(a->pattern, i), "something else has been read");
    if (job->status == BLKIF_RSP_OKAY && fuzz_u8() & 1) { /* from within, as a file system would */
        job->sector++;
        submit(a);
    }
}

static void ask(void)
{
    static const uint8_t operations[] = {BLKIF_OP_READ, BLKIF_OP_WRITE, BLKIF_OP_WRITE,
                                         BLKIF_OP_FLUSH_DISKCACHE};
    struct asked *a = &asked[fuzz_below(JOBS)];
    uint8_t how = fuzz_u8();

    if (a->out || !disk_find(INDEX))
        return;
    free(a->job.data);
    a->job.operation = operations[how & 3];
    a->job.count =
        a->job.operation == BLKIF_OP_FLUSH_DISKCACHE ? 0 : 1 + (how >> 2) % DISK_JOB_SECTORS;
    a->job.sector = fuzz_u8();
    a->job.data = malloc(a->job.count * DISK_SECTOR);
    for (size_t i = 0; i < a->job.count * DISK_SECTOR; i++)
        a->job.data[i] = octet(how, i);
    submit(a);
}

static unsigned count_out(void)
{
    unsigned n = 0;

    for (unsigned i = 0; i < JOBS; i++)
        n += asked[i].out;
    return n;
}

/* --- the backend's ring ----------------------------------------------------------------------- */

static struct {
    struct ring_header *page; /* NULL: there is none */
    uint32_t size, req_cons, rsp_prod, pushed;
    evtchn_port_t port;
    struct blkif_request held[HELD_MAX]; /* taken, and not answered */
    unsigned count;
} back;

static void *slot(uint32_t i)
{
    return (char *)(back.page + 1) + (i & (back.size - 1)) * sizeof(union blkif_sring_entry);
}

/* What the frontend has written says where its ring is. */
static void check_keys(const struct disk *d)
{
    const char *order = store_find(FRONT "/ring-page-order");
    char key[sizeof(FRONT) + 16];

    ck_assert(!order == !store_find(FRONT "/ring-ref0"));
    ck_assert(!order != !store_find(FRONT "/ring-ref"));
    ck_assert_uint_eq(order ? (unsigned)atoi(order) : 0, d->ring_order);
    for (unsigned i = 0; i < 1u << d->ring_order; i++) {
        const struct fake_grant *g;

        snprintf(key, sizeof(key), order ? FRONT "/ring-ref%u" : FRONT "/ring-ref", i);
        g = fake_grant((grant_ref_t)atoi(store_find(key)));
        ck_assert(g->live && !g->readonly);
        ck_assert_ptr_eq(g->page, (uint8_t *)d->ring.shared + i * PAGE_SIZE);
    }
    ck_assert_uint_eq((evtchn_port_t)atoi(store_find(FRONT "/event-channel")), d->port);
}

static int checked_connect(struct xenbus_device *dev)
{
    const struct disk *d = dev->driver_data;
    int err;

    fake_grants_made = 2; /* the first two need not be a ring's */
    err = disk_driver.connect(dev);
    if (err)
        return err;
    memset(&back, 0, sizeof(back));
    back.page = d->ring.shared;
    back.size = d->ring.size;
    back.port = d->port;
    lost_track = false;
    if (!lied)
        check_keys(d);
    return 0;
}

static void checked_disconnect(struct xenbus_device *dev)
{
    disk_driver.disconnect(dev);
    back.page = NULL;
}

bool ringtest_option(const char *word)
{
    return large && !strcmp(word, "large");
}

/* The pages of a request are lent, for what it says and no more, and hold nothing else of the guest's. */
static void check_pages(const struct blkif_request *r, const struct disk_job *job)
{
    ck_assert_uint_eq(r->operation, job->operation);
    ck_assert_uint_eq(r->sector_number, job->sector);
    ck_assert_uint_eq(r->nr_segments, DIV_ROUND_UP(job->count * DISK_SECTOR, PAGE_SIZE));
    for (unsigned i = 0, left = job->count; i < r->nr_segments; i++) {
        const struct fake_grant *g = fake_grant(r->seg[i].gref);
        unsigned sectors = r->seg[i].last_sect + 1u;

        ck_assert(g->live);
        ck_assert_uint_eq(g->readonly, r->operation == BLKIF_OP_WRITE);
        ck_assert_uint_eq(r->seg[i].first_sect, 0);
        ck_assert_uint_eq(sectors, MIN(left, PAGE_SIZE / DISK_SECTOR));
        ck_assert_msg(!memchr(g->page, 0xa5, PAGE_SIZE), "a page that is lent was not zeroed");
        for (size_t at = 0; r->operation == BLKIF_OP_WRITE && at < sectors * DISK_SECTOR; at++)
            ck_assert_msg(g->page[at] == job->data[i * PAGE_SIZE + at],
                          "something else is to be written");
        left -= sectors;
    }
}

/* Takes requests off the ring. */
static void take(unsigned max)
{
    const struct disk *d = disk_find(INDEX);
    uint32_t waiting = shared_load_acquire(&back.page->req_prod) - back.req_cons;

    ck_assert(lost_track || waiting <= back.size);
    for (; max && waiting && waiting <= back.size && back.count < HELD_MAX; max--, waiting--) {
        struct blkif_request *r = &back.held[back.count++];

        memcpy(r, slot(back.req_cons++), sizeof(*r));
        if (lost_track)
            continue;
        ck_assert_uint_lt(r->id, DISK_JOBS);
        ck_assert_ptr_nonnull(d->job[r->id]);
        check_pages(r, d->job[r->id]);
    }
}

static void put(const struct blkif_response *response)
{
    memcpy(slot(back.rsp_prod), response, sizeof(*response));
    back.rsp_prod++;
}

/* The event is sent when it is asked for, as RING_PUSH_RESPONSES_AND_CHECK_NOTIFY() does. */
static void push(void)
{
    uint32_t old = back.pushed;

    back.pushed = back.rsp_prod;
    shared_store_release(&back.page->rsp_prod, back.rsp_prod);
    if (back.rsp_prod - shared_read(&back.page->rsp_event) < back.rsp_prod - old)
        fake_raise(back.port);
}

/* Answers one of those that it holds, which is done when it is. */
static void answer(unsigned which, int status)
{
    struct blkif_request r = back.held[which];
    const struct disk *d = disk_find(INDEX);
    struct asked *a = of_job(d->job[r.id]);
    struct blkif_response response = {
        .id = r.id, .operation = r.operation, .status = (int16_t)status};

    back.held[which] = back.held[--back.count];
    a->given = true;
    a->status = status;
    a->pattern = fuzz_u8();
    for (unsigned i = 0; i < r.nr_segments && r.operation == BLKIF_OP_READ && status == 0; i++)
        for (size_t at = 0; at < (r.seg[i].last_sect + 1u) * DISK_SECTOR; at++)
            fake_grants[r.seg[i].gref].page[at] = octet(a->pattern, i * PAGE_SIZE + at);
    put(&response);
}

static void serve(unsigned max)
{
    static const int statuses[] = {BLKIF_RSP_OKAY,  BLKIF_RSP_OKAY,      BLKIF_RSP_OKAY,
                                   BLKIF_RSP_OKAY,  BLKIF_RSP_OKAY,      BLKIF_RSP_OKAY,
                                   BLKIF_RSP_ERROR, BLKIF_RSP_EOPNOTSUPP};

    if (lost_track)
        return;
    take(max);
    while (max-- && back.count) {
        uint8_t how = fuzz_u8();

        answer(how / 8 % back.count, statuses[how % 8]);
    }
    push();
}

/* Responses of any content. */
static void answer_wildly(void)
{
    lied = lost_track = true;
    take(fuzz_u8());
    for (unsigned n = fuzz_below(40); n-- && back.count;) {
        const struct blkif_request *r = &back.held[--back.count];
        struct blkif_response response = {.id = r->id, .operation = r->operation};
        uint8_t how = fuzz_u8();

        response.id ^= how & 1 ? (uint64_t)fuzz_u16() << (how >> 4) * 4 : 0;
        response.operation ^= how & 2 ? fuzz_u8() : 0;
        response.status = how & 4 ? (int16_t)fuzz_u16() : 0;
        if (how & 8 && r->nr_segments)
            fake_grants[r->seg[0].gref % FAKE_GRANTS].mapped = true;
        put(&response);
    }
    push();
}

static void write_index(void)
{
    uint8_t how = fuzz_u8();
    uint32_t value = how & 4 ? fuzz_u32() : back.rsp_prod + (uint32_t)(int8_t)fuzz_u8();

    lied = lost_track = true;
    switch (how & 3) {
    case 0:
        shared_write(&back.page->rsp_prod, value);
        break;
    case 1:
        back.rsp_prod = value;
        push();
        break;
    case 2:
        shared_write(&back.page->req_event, value);
        break;
    default:
        shared_write(&back.page->rsp_event, value);
    }
    fake_raise(back.port);
}

static void scribble(void)
{
    lost_track = true;
    peer_scribble(back.page);
    fake_raise(back.port);
}

/* One page, or all of them. */
static void keep_mapped(void)
{
    unsigned first = fuzz_u8(), last = first;

    if (fuzz_u8() & 1) {
        first = 0;
        last = 255;
    }
    for (unsigned i = first; i <= last; i++)
        peer_keep_mapped(i);
}

static void ring_step(void)
{
    switch (fuzz_below(honest ? 3 : 8)) {
    case 0:
    case 1:
        serve(fuzz_u8());
        break;
    case 2:
        fake_raise(back.port);
        break;
    case 3:
    case 4:
        answer_wildly();
        break;
    case 5:
        write_index();
        break;
    case 6:
        scribble();
        break;
    default:
        keep_mapped();
    }
}

/* Nobody sleeps while something has come that no event told of. */
static void rest(void)
{
    const struct disk *d;

    fake_run();
    d = disk_find(INDEX);
    if (!lied && d && d->running && back.page)
        ck_assert_msg(d->ring.rsp_cons == back.pushed, "responses lie there and nobody looks");
}

/* --- the store ------------------------------------------------------------------------------- */

static int state_of(const char *path)
{
    const char *value = store_find(path);

    return value ? atoi(value) : -1;
}

static void describe(void)
{
    store_put_text(BACK "/sectors", "2048");
    store_put_text(BACK "/sector-size", "512");
    store_put_text(BACK "/info", "0");
    store_put_text(BACK "/feature-flush-cache", "1");
}

/* One step of a blkback that follows the frontend's state; false: there is nothing to follow. */
static bool follow_once(void)
{
    int front = state_of(FRONT "/state"), own = state_of(BACK "/state");

    fake_run();
    if (front == XenbusStateInitialising &&
        (own == XenbusStateInitialising || own == XenbusStateClosed)) {
        lied |= ++starts > PEER_HONEST_STARTS;
        store_put_text(BACK "/state", "2");
    } else if (front == XenbusStateInitialised && own == XenbusStateInitWait) {
        describe();
        store_put_text(BACK "/state", "4");
    } else if ((front == XenbusStateClosing || front == XenbusStateClosed) && own > 0 &&
               own != front) {
        store_put_text(BACK "/state", front == XenbusStateClosing ? "5" : "6");
    } else {
        return false;
    }
    rest();
    return true;
}

static void follow(void)
{
    for (unsigned i = 0; i < 32 && follow_once(); i++)
        ;
}

static void plug(void)
{
    store_put_text("domid", "5");
    store_put_text(BACK "/max-ring-page-order", "4");
    store_put_text(BACK "/online", "1");
    store_put_text(BACK "/state", "1");
    store_put_text(FRONT "/backend", BACK);
    store_put_text(FRONT "/backend-id", "7");
    store_put_text(FRONT "/state", "1");
}

/* The driver is bound anew: what it had taken and not answered is forgotten. */
static void restart_backend(void)
{
    if (honest && starts >= PEER_HONEST_STARTS)
        return;
    lied |= ++starts > PEER_HONEST_STARTS;
    store_put_text(BACK "/state", "1");
    if (fuzz_u8() & 1)
        fake_run();
    store_put_text(BACK "/state", "2");
    rest();
    follow();
}

static void unplug(void)
{
    fake_run();
    store_put(FRONT, NULL, 0);
    fake_run();
    plug();
    starts = 0;
    follow();
}

static const char *const keys[] = {BACK "/state",
                                   FRONT "/state",
                                   BACK "/max-ring-page-order",
                                   BACK "/sectors",
                                   BACK "/sector-size",
                                   BACK "/info",
                                   BACK "/feature-flush-cache",
                                   BACK "/online",
                                   FRONT "/backend",
                                   "device/vbd/51728/state",
                                   "device/vbd/x",
                                   "domid"};

/* --- the case -------------------------------------------------------------------------------- */

static void step(void)
{
    switch (fuzz_below(16)) {
    case 0:
        restart_backend();
        break;
    case 1:
        unplug();
        break;
    case 2:
    case 3:
        if (!honest)
            peer_lie(keys, ARRAY_SIZE(keys));
        break;
    case 4:
        fake_no_memory = fuzz_u8() & 1;
        break;
    case 5:
        fake_no_grants = fuzz_u8() & 1;
        break;
    case 6:
        fake_sleep(fuzz_u8() * 10 * NSEC_PER_MSEC);
        break;
    case 7:
    case 8:
        follow();
        break;
    case 9:
    case 10:
    case 11:
        for (unsigned n = fuzz_below(40) + 1; n--;)
            ask();
        break;
    default:
        if (back.page)
            ring_step();
    }
    if (fuzz_u8() & 1)
        rest();
}

/* An honest backend does, in time, all that it is asked. */
static void serve_all(void)
{
    for (unsigned i = 0; i < 400 && (i < 2 || count_out()); i++) {
        follow();
        if (back.page && disk_find(INDEX) && disk_find(INDEX)->running)
            serve(HELD_MAX);
        rest();
        if (!back.page)
            fake_sleep(NSEC_PER_SEC);
    }
    ck_assert_msg(!count_out(), "%u jobs wait for ever", count_out());
}

/* The device goes, and with it all that it had, but for what the backend holds on to. */
static void take_away(void)
{
    store_put("device/vbd", NULL, 0);
    fake_run();
    fake_grants_release();
    fake_sleep(20 * NSEC_PER_SEC);
    ck_assert(!disk_find(INDEX));
    ck_assert_msg(!count_out(), "a job has not ended with its disk");
    ck_assert_uint_eq(store_watched(), 1); /* for devices */
    fake_grants_check_blocks(DISK_JOB_PAGES);
}

/* Whatever there was before: a new device with an honest backend serves. */
static void check_recovery(void)
{
    unsigned before = xenbus_count_disabled(), ended = done_count;

    lied = false;
    starts = 0;
    plug();
    fake_run();
    follow();
    ck_assert_msg(back.page, "a new device does not connect");
    for (unsigned i = 0; i < 3; i++) {
        free(asked[i].job.data);
        asked[i].job.operation = i & 1 ? BLKIF_OP_WRITE : BLKIF_OP_READ;
        asked[i].job.count = 9 + i;
        asked[i].job.data = calloc(asked[i].job.count, DISK_SECTOR);
        submit(&asked[i]);
    }
    serve_all();
    ck_assert_uint_eq(done_count, ended + 3);
    ck_assert_uint_eq(xenbus_count_disabled(), before);
    take_away();
}

void fuzz_case(void)
{
    uint8_t how = fuzz_u8();
    bool recover = how & 4;

    honest = how & 1;
    large = how & 2;
    store_fault = peer_fault;
    peer_drive(&disk_driver, checked_connect, checked_disconnect);
    plug();
    ck_assert_int_eq(xenbus_init(), 0);
    fake_run();
    follow();
    while (fuzz_more())
        step();
    peer_end_shortage();
    fake_run();
    if (!lied)
        serve_all();
    if (disk_find(INDEX) && disk_find(INDEX)->dev->broken)
        ck_assert_msg(!count_out(), "a disk that is disabled has jobs");
    ck_assert_msg(lied || !xenbus_count_disabled(), "an honest backend is disabled");
    take_away();
    if (recover)
        check_recovery();
}
