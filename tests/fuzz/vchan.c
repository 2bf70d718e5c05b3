/* SPDX-License-Identifier: ISC */
/*
 * Fuzz target: both ends of a vchan (apps/ringtest) against another end that does what the input says: it comes,
 * writes, reads, asks for events, goes or dies; or it lies, with indices, bits, liveness, orders, lists of grants,
 * keys, octets anywhere, pages that it keeps. The guest's end is a thread that reads and writes as the input says.
 *
 * fake_grants.c judges each grant, and pages of the other end's are mapped from a memory file, so that one that was
 * unmapped faults. Between honest ends octets come as they were sent, in turn, none is missing when an end has
 * closed, each error has its reason, and no end sleeps while there is something for it to do. Whatever there was,
 * the guest's end comes to its end, everything comes back, and with an honest end a new one works.
 */
#include <check.h>
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "apps/ringtest/vchan.h"
#include "lib/atomic.h"
#include "lib/util.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/peer.h"
#include "tests/fuzz/sync_store.h"
#include "tests/unit/fake_grants.h"
#include "tests/unit/fake_kernel.h"

#define NUMBER 7
#define OURS "data/vchan/7"
#define THEIRS "/local/domain/7/data/vchan/x"
#define POOL 16 /* pages of the other end's */
#define REF_BASE 900
#define THEIR_PORT 77
#define BUFFER 5000

static uint8_t octet(uint32_t position)
{
    return (uint8_t)(position ^ position >> 8 ^ position >> 16);
}

/* --- the guest's end --------------------------------------------------------------------------- */

static struct {
    struct vchan v;
    bool client;
    unsigned left, right; /* orders of a server's */
    enum { ELSEWHERE, READS, WRITES, DRAINS } in;
    uint32_t read, written; /* octets, up to what a call has finished */
    uint32_t writing;       /* and what it has not */
    int result;
} guest;

/* --- the other end ----------------------------------------------------------------------------- */

struct side {
    struct ring_shared *shared;
    uint8_t *data;
    uint32_t size;
};

static struct {
    struct vchan_interface *page; /* NULL: it is not there */
    struct side in, out;          /* as the other end sees them */
    uint8_t *ask, *tell, *own_live;
    evtchn_port_t port; /* the guest's */
    bool bound;
    uint32_t prod, cons;
    uint32_t read, written;        /* octets in all */
    uint8_t waits;                 /* for what it has asked to be told of... */
    uint32_t seen_prod, seen_cons; /* ...since these */
    bool closed;                   /* it was there, and said that it goes; or died */
    bool died;
} other;

static struct {
    int fd;
    uint8_t *pages;
    bool lent[POOL];
    unsigned mapped; /* by the guest */
} pool;

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    pool.fd = memfd_create("pool", 0);
    ck_assert_int_eq(ftruncate(pool.fd, POOL * 4096), 0);
    pool.pages = mmap(NULL, POOL * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, pool.fd, 0);
    ck_assert(pool.pages != MAP_FAILED);
    return 0;
}

int gntmap_map(struct gntmap *m, domid_t dom, const grant_ref_t *refs, unsigned order)
{
    size_t bytes = (size_t)4096 << order;
    uint8_t *at;

    ck_assert_uint_eq(dom, BACKEND);
    ck_assert_uint_le(1u << order, GNTMAP_PAGES_MAX);
    ck_assert(!m->pages);
    if (fake_no_memory)
        return -ENOMEM;
    for (unsigned i = 0; i < 1u << order; i++)
        if (refs[i] < REF_BASE || refs[i] >= REF_BASE + POOL || !pool.lent[refs[i] - REF_BASE])
            return -EACCES;
    at = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (unsigned i = 0; i < 1u << order; i++)
        ck_assert(mmap(at + i * 4096, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, pool.fd,
                       (off_t)(refs[i] - REF_BASE) * 4096) != MAP_FAILED);
    m->pages = at;
    m->order = order;
    pool.mapped++;
    return 0;
}

void gntmap_unmap(struct gntmap *m)
{
    if (!m->pages)
        return;
    ck_assert_int_eq(munmap(m->pages, (size_t)4096 << m->order), 0);
    m->pages = NULL;
    pool.mapped--;
}

int evtchn_bind_interdomain(domid_t remote, evtchn_port_t remote_port, evtchn_handler *fn,
                            void *ctx)
{
    int port;

    if (remote_port != THEIR_PORT)
        return -EINVAL;
    port = evtchn_alloc_unbound(remote, fn, ctx);
    if (port > 0) {
        other.port = (evtchn_port_t)port;
        other.bound = true;
        fake_raise(other.port);
    }
    return port;
}

bool evtchn_is_connected(evtchn_port_t port)
{
    return other.bound && port == other.port;
}

static void raise_event(void)
{
    if (other.bound && other.port < FAKE_PORTS && fake_ports[other.port].fn)
        fake_raise(other.port);
}

static void tell(uint8_t bit)
{
    if (shared_and(other.tell, (uint8_t)~bit) & bit)
        raise_event();
}

/* As it goes to sleep: then what the guest does must wake it. */
static void ask(uint8_t bits)
{
    (void)shared_or(other.ask, bits);
    other.waits = bits;
    other.seen_prod = shared_read(&other.in.shared->prod);
    other.seen_cons = shared_read(&other.out.shared->cons);
    fake_ports[other.port].notified = false;
}

static void take_sides(bool server)
{
    struct vchan_interface *page = other.page;

    other.ask = server ? &page->cli_notify : &page->srv_notify;
    other.tell = server ? &page->srv_notify : &page->cli_notify;
    other.own_live = server ? &page->srv_live : &page->cli_live;
    other.prod = other.out.shared->prod;
    other.cons = other.in.shared->cons;
    other.waits = 0;
}

/* --- the other end as server ------------------------------------------------------------------ */

static void *own_ring(unsigned order, unsigned *listed)
{
    void *first = pool.pages + (1 + *listed) * 4096;

    if (order < 12)
        return (uint8_t *)other.page + (1u << order);
    for (unsigned i = 0; i < 1u << (order - 12); i++, (*listed)++) {
        pool.lent[1 + *listed] = true;
        other.page->grants[*listed] = REF_BASE + 1 + *listed;
    }
    return first;
}

/* The page is complete, then its keys are written. The rings may have carried octets before. */
static void serve(unsigned left, unsigned right, uint32_t start)
{
    unsigned listed = 0;

    memset(pool.pages, 0, POOL * 4096);
    memset(pool.lent, 0, sizeof(pool.lent));
    memset(&other, 0, sizeof(other));
    other.page = (void *)pool.pages;
    pool.lent[0] = true;
    other.in = (struct side){&other.page->left, own_ring(left, &listed), 1u << left};
    other.out = (struct side){&other.page->right, own_ring(right, &listed), 1u << right};
    other.page->left_order = (uint16_t)left;
    other.page->right_order = (uint16_t)right;
    other.page->cli_live = VCHAN_EXPECTED;
    other.page->srv_live = VCHAN_CONNECTED;
    other.page->cli_notify = VCHAN_NOTIFY_WRITE;
    other.in.shared->prod = other.in.shared->cons = start;
    other.out.shared->prod = other.out.shared->cons = start;
    take_sides(true);
    store_put_text(THEIRS "/event-channel", "77");
    store_put_text(THEIRS "/ring-ref", "900");
}

/* --- the other end as client ------------------------------------------------------------------ */

/* A page that the guest lends, by the reference it has written. */
static uint8_t *lent_page(grant_ref_t ref)
{
    const struct fake_grant *g = fake_grant(ref);

    ck_assert(g->live && !g->readonly);
    return g->page;
}

static uint8_t *their_ring(unsigned order, unsigned *listed)
{
    uint8_t *first;

    if (order < 12)
        return (uint8_t *)other.page + (1u << order);
    first = lent_page(other.page->grants[*listed]);
    for (unsigned i = 0; i < 1u << (order - 12); i++)
        ck_assert_ptr_eq(lent_page(other.page->grants[(*listed)++]), first + i * 4096);
    return first;
}

/* Finds the guest's end by what it has written. */
static void come(void)
{
    const char *ref = store_find(OURS "/ring-ref"), *port = store_find(OURS "/event-channel");
    unsigned listed = 0;

    if (lied || guest.client || other.page || !guest.v.open || !ref || !port)
        return;
    memset(&other, 0, sizeof(other));
    other.page = (void *)lent_page((grant_ref_t)atoi(ref));
    other.port = (evtchn_port_t)atoi(port);
    ck_assert_uint_eq(other.port, guest.v.port);
    ck_assert_uint_eq(other.page->left_order, guest.left);
    ck_assert_uint_eq(other.page->right_order, guest.right);
    other.out = (struct side){&other.page->left, their_ring(guest.left, &listed), 1u << guest.left};
    other.in =
        (struct side){&other.page->right, their_ring(guest.right, &listed), 1u << guest.right};
    other.bound = true;
    take_sides(false);
    shared_store_release(other.own_live, (uint8_t)VCHAN_CONNECTED);
    ask(VCHAN_NOTIFY_WRITE);
    raise_event();
}

/* --- what it does when it is there -------------------------------------------------------------- */

static void write_octets(uint32_t max)
{
    uint32_t room = other.out.size - (other.prod - shared_load_acquire(&other.out.shared->cons));

    for (uint32_t n = MIN(max, room); n--; other.prod++)
        other.out.data[other.prod % other.out.size] = octet(other.written++);
    shared_store_release(&other.out.shared->prod, other.prod);
    tell(VCHAN_NOTIFY_WRITE);
}

static void read_octets(uint32_t max)
{
    uint32_t waiting = shared_load_acquire(&other.in.shared->prod) - other.cons;

    ck_assert_uint_le(waiting, other.in.size);
    for (uint32_t n = MIN(max, waiting); n--; other.cons++)
        ck_assert_msg(other.in.data[other.cons % other.in.size] == octet(other.read++),
                      "something else comes than was written");
    ck_assert_uint_le(other.read, guest.written + guest.writing);
    shared_store_release(&other.in.shared->cons, other.cons);
    tell(VCHAN_NOTIFY_READ);
}

static void leave(bool dies)
{
    if (!dies) {
        shared_store_release(other.own_live, (uint8_t)VCHAN_GONE);
        raise_event();
    }
    other.closed = true;
    other.died |= dies;
    other.bound = false;
}

static void write_index(void)
{
    uint8_t how = fuzz_u8();
    struct ring_shared *r = how & 1 ? other.in.shared : other.out.shared;
    uint32_t *index = how & 2 ? &r->prod : &r->cons;

    shared_write(index, how & 4 ? fuzz_u32() : *index + (uint32_t)(int8_t)fuzz_u8());
}

/* Whatever is in a server's page: then keys say that it is there. */
static void serve_nonsense(void)
{
    other.page->left_order = fuzz_u8() & 1 ? fuzz_u8() % 24 : fuzz_u16();
    other.page->right_order = fuzz_u8() & 1 ? fuzz_u8() % 24 : fuzz_u16();
    for (unsigned i = 0; i < 8; i++)
        other.page->grants[i] = REF_BASE + fuzz_u8() % (2 * POOL);
    for (unsigned i = 0; i < POOL; i++)
        pool.lent[i] |= fuzz_u8() & 1;
}

static void lie(void)
{
    static const char *const keys[] = {OURS "/ring-ref",
                                       OURS "/event-channel",
                                       THEIRS "/ring-ref",
                                       THEIRS "/event-channel",
                                       THEIRS,
                                       "domid"};
    unsigned which = fuzz_below(8);

    lied = true;
    if (which == 0)
        peer_write_nonsense(keys, ARRAY_SIZE(keys));
    else if (which == 1)
        fault_every = fuzz_u8();
    if (!other.page || other.closed)
        return;
    switch (which) {
    case 2:
        shared_write(other.own_live, fuzz_u8() & 1 ? fuzz_u8() % 4 : fuzz_u8());
        break;
    case 3:
    case 4:
        write_index();
        break;
    case 5:
        peer_scribble(other.page);
        break;
    case 6:
        peer_keep_mapped(fuzz_below(16));
        break;
    case 7:
        if (guest.client)
            serve_nonsense();
        break;
    default:
        break;
    }
    raise_event();
}

/* --- the guest's thread -------------------------------------------------------------------------- */

static int read_some(void)
{
    size_t size = 1 + fuzz_u16() % BUFFER;
    uint8_t *buffer = malloc(size);
    int n;

    guest.in = READS;
    n = vchan_read(&guest.v, buffer, size);
    guest.in = ELSEWHERE;
    ck_assert(n <= (int)size);
    for (int i = 0; i < n && !lied; i++)
        ck_assert_msg(buffer[i] == octet(guest.read + (uint32_t)i), "something else is read");
    guest.read += n > 0 ? (uint32_t)n : 0;
    if (n == 0 && !lied) {
        ck_assert_msg(other.closed, "an end that is there has closed");
        ck_assert_msg(guest.read == other.written, "octets are missing at the end");
    }
    free(buffer);
    return n ? MIN(n, 0) : -EPIPE;
}

static int write_some(void)
{
    size_t size = fuzz_u16() % BUFFER;
    uint8_t *buffer = malloc(size + 1);
    bool said; /* by the other end, that it goes */
    int err;

    for (size_t i = 0; i < size; i++)
        buffer[i] = octet(guest.written + (uint32_t)i);
    guest.in = WRITES;
    guest.writing = (uint32_t)size;
    said = other.closed && !other.died && size;
    err = vchan_write(&guest.v, buffer, size);
    guest.in = ELSEWHERE;
    ck_assert_msg(lied || !said || err == -EPIPE, "there is nobody to write for");
    if (!err) {
        guest.written += (uint32_t)size;
        guest.writing = 0;
    }
    free(buffer);
    return err;
}

static int drain(void)
{
    int err;

    guest.in = DRAINS;
    err = vchan_drain(&guest.v);
    guest.in = ELSEWHERE;
    ck_assert_msg(lied || err || other.read == guest.written, "not all has been read");
    return err;
}

/* Until there is nobody any more, or it has had enough. */
static int talk(void)
{
    int err = 0;

    while (!err) {
        switch (fuzz_below(8)) {
        case 4:
        case 5:
        case 6:
            err = write_some();
            break;
        case 7:
            err = drain();
            if (!err && fuzz_u8() & 1)
                return 0;
            break;
        default:
            err = read_some();
        }
    }
    ck_assert_msg(err != -EPROTO || vchan_count_disabled(), "nobody says why it is disabled");
    ck_assert_msg(lied || err == -EPIPE, "an honest end is disabled");
    ck_assert_msg(lied || other.closed, "an end that is there has closed");
    return err;
}

static void live(void *unused)
{
    uint8_t how = fuzz_below(8) == 7 ? fuzz_u8() : 0;

    memset(&guest.v, 0, sizeof(guest.v));
    guest.read = guest.written = guest.writing = 0;
    fake_no_memory = how & 1;
    fake_no_grants = how & 2;
    fake_grants_made = 2; /* the page is lent when it says where the rings are */
    guest.result = guest.client ? vchan_connect(&guest.v, NUMBER, BACKEND, THEIRS)
                                : vchan_serve(&guest.v, NUMBER, BACKEND, guest.left, guest.right);
    if (guest.result == 0) {
        guest.result = talk();
        vchan_close(&guest.v);
        vchan_close(&guest.v); /* harmless */
        if (guest.client && !lied)
            ck_assert_msg(other.page->cli_live == VCHAN_GONE, "it goes and says nothing");
    }
    ck_assert(!guest.v.open);
    other.page = NULL;
}

/* Nobody sleeps while there is something to do that it has not been told of. */
static void rest(void)
{
    const struct vchan_ring *in = &guest.v.in, *out = &guest.v.out;

    fake_run();
    if (lied || !other.page || !guest.v.open || !other.bound)
        return;
    ck_assert_msg(guest.in != READS || in->shared->prod == in->own, "octets wait for a reader");
    ck_assert_msg(guest.in != WRITES || out->own - out->shared->cons == out->size,
                  "room waits for a writer");
    ck_assert_msg(guest.in != DRAINS || out->own != out->shared->cons, "all has been read");
    if (other.waits & VCHAN_NOTIFY_WRITE && other.in.shared->prod != other.seen_prod)
        ck_assert_msg(fake_ports[other.port].notified, "nobody says that something was written");
    if (other.waits & VCHAN_NOTIFY_READ && other.out.shared->cons != other.seen_cons)
        ck_assert_msg(fake_ports[other.port].notified, "nobody says that something was read");
}

/* --- the case ------------------------------------------------------------------------------------ */

static void begin(void)
{
    static const uint8_t orders[] = {10, 11, 12, 13, 14};
    uint8_t left = orders[fuzz_below(ARRAY_SIZE(orders))],
            right = orders[fuzz_below(ARRAY_SIZE(orders))];

    guest.client = fuzz_u8() & 1;
    if (left == right && left < 12 && (guest.client || fuzz_u8() & 7))
        right = left == 10 ? 11 : 10;
    guest.left = left;
    guest.right = right;
    memset(&other, 0, sizeof(other));
    if (guest.client && fuzz_u8() & 7)
        serve(left, right, fuzz_u8() & 1 ? fuzz_u32() : 0);
    if (!honest && fuzz_below(4) == 3)
        lie();
    (void)fake_start(live, NULL);
}

/* What an end does that is there. */
static void move(void)
{
    switch (fuzz_below(12)) {
    case 0:
    case 1:
    case 2:
    case 3:
        write_octets(fuzz_u16() % BUFFER);
        break;
    case 4:
    case 5:
    case 6:
    case 7:
        read_octets(fuzz_u16() % BUFFER);
        break;
    case 8:
    case 9:
        ask(fuzz_u8() & (VCHAN_NOTIFY_READ | VCHAN_NOTIFY_WRITE));
        break;
    case 10:
        raise_event();
        break;
    default:
        leave(fuzz_u8() & 1);
    }
}

static void step(void)
{
    switch (fuzz_below(16)) {
    case 0:
        come();
        break;
    case 1:
        if (!other.page && guest.client && !lied) /* late */
            serve(guest.left, guest.right, 0);
        break;
    case 2:
    case 3:
    case 4:
        if (!honest)
            lie();
        break;
    case 5:
        fake_sleep(fuzz_u8() * 10 * NSEC_PER_MSEC);
        break;
    case 6:
        fake_no_memory = fuzz_u8() & 1;
        break;
    case 7:
        fake_no_grants = fuzz_u8() & 1;
        break;
    default:
        come();
        if (other.page && !other.closed && !lied)
            move();
        else if (other.page && !other.closed)
            raise_event();
    }
    if (fuzz_u8() & 1)
        rest();
}

/* The guest's end comes to its end, whoever is there, and everything comes back. */
static void finish(void)
{
    peer_end_shortage();
    rest();
    come();
    if (!lied && other.page && !other.closed) {
        read_octets(UINT32_MAX);
        rest();
        leave(false);
    } else if (guest.v.open && guest.v.peer_live) {
        shared_write(guest.v.peer_live, (uint8_t)VCHAN_GONE);
    }
    store_put(THEIRS, NULL, 0);
    other.closed = true;
    fake_sleep(20 * NSEC_PER_SEC); /* what waits for a server waits ten */
    ck_assert_msg(fake_ended(), "the guest's end waits for ever");
    ck_assert_msg(lied || !vchan_count_disabled(), "an honest end is disabled");
    ck_assert_uint_eq(fake_log_count("disabled: "), vchan_count_disabled());
    ck_assert_uint_eq(pool.mapped, 0);
    ck_assert(lied || !store_find(OURS));
    fake_grants_release();
    fake_sleep(20 * NSEC_PER_SEC);
    fake_grants_check_blocks(4);
}

/* Whatever there was before: with honest ends an octet comes and goes. */
static void check_recovery(bool client)
{
    unsigned before = vchan_count_disabled();

    lied = false;
    guest.client = client;
    guest.left = 10;
    guest.right = 12;
    store_put_text("domid", "5");
    memset(&other, 0, sizeof(other));
    if (client)
        serve(10, 12, 0);
    (void)fake_start(live, NULL); /* which reads: no input is left */
    come();
    ck_assert_ptr_nonnull(other.page);
    write_octets(1);
    rest();
    ck_assert_uint_eq(guest.read, 1);
    leave(false);
    fake_sleep(20 * NSEC_PER_SEC);
    ck_assert(fake_ended());
    ck_assert_uint_eq(vchan_count_disabled(), before);
    ck_assert_uint_eq(pool.mapped, 0);
    fake_grants_check_blocks(4);
}

void fuzz_case(void)
{
    honest = fuzz_u8() & 1;
    store_fault = peer_fault;
    store_put_text("domid", "5");
    begin();
    while (fuzz_more() && !fake_ended())
        step();
    finish();
    fuzz_input(NULL, 0);
    check_recovery(false);
    check_recovery(true);
}
