/* SPDX-License-Identifier: ISC */
/*
 * What the tests have a disk do (V: its number, 51712 for xvda):
 *
 *   disk V info
 *   disk V write SECTOR COUNT SEED     each sector's 64 words have the seed in the topmost 16 bits, and
 *   disk V read SECTOR COUNT SEED      count on below, from sector * 64; reading compares
 *   disk V flush
 *   disk V traffic JOBS SEED           so many writes, each read back at once, 40 at a time:
 *                                      more than fit into a ring of one page
 *   disk V odd                         requests that a backend must refuse
 *
 * What comes of it is "disk V: WHAT: ok", "error", "unsupported", "gone" (the device is disabled or has
 * been detached), "differs", or "no memory".
 */
#include <string.h>

#include "apps/ringtest/disk.h"
#include "apps/ringtest/ringtest.h"
#include "kernel/app.h"
#include "lib/util.h"

#define LOG_MODULE "ringtest"
#define WINDOW 40
#define WORDS (DISK_SECTOR / 8)

/* --- data ------------------------------------------------------------------------------------- */

static uint64_t word(uint64_t sector, unsigned i, uint64_t seed)
{
    return seed << 48 | (sector * WORDS + i);
}

static void fill(const struct disk_job *job, uint64_t seed)
{
    uint64_t *words = (uint64_t *)job->data;

    for (unsigned i = 0; i < job->count * WORDS; i++)
        words[i] = word(job->sector, i, seed);
}

static bool is_filled(const struct disk_job *job, uint64_t seed)
{
    const uint64_t *words = (const uint64_t *)job->data;

    for (unsigned i = 0; i < job->count * WORDS; i++)
        if (words[i] != word(job->sector, i, seed))
            return false;
    return true;
}

/* --- one at a time ---------------------------------------------------------------------------- */

struct waiting {
    struct disk_job job;
    struct wait_queue queue;
    bool done;
};

static void wake(struct disk_job *job)
{
    struct waiting *w = container_of(job, struct waiting, job);

    w->done = true;
    wait_queue_wake_all(&w->queue);
}

static int run(struct disk *d, struct waiting *w)
{
    wait_queue_init(&w->queue);
    w->done = false;
    w->job.done = wake;
    disk_submit(d, &w->job);
    while (!w->done)
        wait_queue_sleep(&w->queue);
    return w->job.status;
}

static const char *name_of(int status)
{
    switch (status) {
    case BLKIF_RSP_OKAY:
        return "ok";
    case BLKIF_RSP_ERROR:
        return "error";
    case BLKIF_RSP_EOPNOTSUPP:
        return "unsupported";
    default:
        return "gone";
    }
}

static void transfer(unsigned index, struct disk *d, char **words, uint8_t operation)
{
    struct waiting w = {
        .job = {.operation = operation,
                .sector = ringtest_number(words[3]),
                .count = (unsigned)MIN(ringtest_number(words[4]), DISK_JOB_SECTORS),
                .data = page_alloc(DISK_PAGE_ORDER)},
    };
    uint64_t seed = ringtest_number(words[5]);
    const char *result;

    if (!w.job.data) {
        log_info("disk %u: %s %s: no memory", index, words[2], words[3]);
        return;
    }
    if (operation == BLKIF_OP_WRITE)
        fill(&w.job, seed);
    result = name_of(run(d, &w));
    if (operation == BLKIF_OP_READ && w.job.status == BLKIF_RSP_OKAY && !is_filled(&w.job, seed))
        result = "differs";
    page_free(w.job.data, DISK_PAGE_ORDER);
    log_info("disk %u: %s %lu+%u: %s", index, words[2], (unsigned long)w.job.sector, w.job.count,
             result);
}

static void do_read(unsigned index, struct disk *d, char **words)
{
    transfer(index, d, words, BLKIF_OP_READ);
}

static void do_write(unsigned index, struct disk *d, char **words)
{
    transfer(index, d, words, BLKIF_OP_WRITE);
}

static void do_flush(unsigned index, struct disk *d, char **words)
{
    struct waiting w = {.job = {.operation = BLKIF_OP_FLUSH_DISKCACHE}};

    (void)words;
    log_info("disk %u: flush: %s", index, name_of(run(d, &w)));
}

static void do_info(unsigned index, struct disk *d, char **words)
{
    (void)words;
    log_info("disk %u: info: %lu sectors, %s, %s", index, (unsigned long)d->sectors,
             d->readonly ? "read-only" : "writable", d->flushes ? "flushes" : "does not flush");
}

/* --- many at a time --------------------------------------------------------------------------- */

struct pair {
    struct disk_job job;
    struct traffic *traffic;
    bool busy;
};

/* Of one command, in a page of its own. */
struct traffic {
    struct pair pairs[WINDOW];
    struct disk *disk;
    uint64_t seed;
    unsigned good, wrong, failed;
    struct wait_queue queue;
};

static void half_done(struct disk_job *job)
{
    struct pair *p = container_of(job, struct pair, job);
    struct traffic *t = p->traffic;

    if (job->status == BLKIF_RSP_OKAY && job->operation == BLKIF_OP_WRITE) {
        job->operation = BLKIF_OP_READ;
        memset(job->data, 0, job->count * DISK_SECTOR);
        disk_submit(t->disk, job);
        return;
    }
    if (job->status != BLKIF_RSP_OKAY)
        t->failed++;
    else if (is_filled(job, t->seed))
        t->good++;
    else
        t->wrong++;
    p->busy = false;
    wait_queue_wake_all(&t->queue);
}

static struct pair *idle_pair(struct traffic *t)
{
    for (;;) {
        for (unsigned i = 0; i < WINDOW; i++)
            if (!t->pairs[i].busy)
                return &t->pairs[i];
        wait_queue_sleep(&t->queue);
    }
}

static void start_pair(struct traffic *t, struct pair *p, unsigned number)
{
    uint64_t places = t->disk->sectors / DISK_JOB_SECTORS;

    p->busy = true;
    p->job.operation = BLKIF_OP_WRITE;
    p->job.sector = places ? number % places * DISK_JOB_SECTORS : 0;
    p->job.count = 1 + number % DISK_JOB_SECTORS;
    p->job.done = half_done;
    fill(&p->job, t->seed);
    disk_submit(t->disk, &p->job);
}

static void free_traffic(struct traffic *t)
{
    for (unsigned i = 0; i < WINDOW; i++)
        if (t->pairs[i].job.data)
            page_free(t->pairs[i].job.data, DISK_PAGE_ORDER);
    page_free(t, 0);
}

/* NULL: there is no memory. */
static struct traffic *new_traffic(struct disk *d, uint64_t seed)
{
    struct traffic *t = page_alloc_zeroed(0);

    _Static_assert(sizeof(*t) <= PAGE_SIZE, "a traffic is kept in a page");
    if (!t)
        return NULL;
    t->disk = d;
    t->seed = seed;
    wait_queue_init(&t->queue);
    for (unsigned i = 0; i < WINDOW; i++) {
        t->pairs[i].traffic = t;
        t->pairs[i].job.data = page_alloc(DISK_PAGE_ORDER);
        if (!t->pairs[i].job.data) {
            free_traffic(t);
            return NULL;
        }
    }
    return t;
}

static bool all_idle(const struct traffic *t)
{
    for (unsigned i = 0; i < WINDOW; i++)
        if (t->pairs[i].busy)
            return false;
    return true;
}

static void do_traffic(unsigned index, struct disk *d, char **words)
{
    struct traffic *t = new_traffic(d, ringtest_number(words[4]));
    uint64_t jobs = ringtest_number(words[3]);

    if (!t) {
        log_info("disk %u: traffic: no memory", index);
        return;
    }
    for (unsigned i = 0; i < jobs; i++) {
        struct pair *p = idle_pair(t);

        if (disk_find(index) != d)
            break; /* it has gone meanwhile */
        start_pair(t, p, i);
    }
    while (!all_idle(t))
        wait_queue_sleep(&t->queue);
    log_info("disk %u: traffic: %u ok, %u differ, %u failed", index, t->good, t->wrong, t->failed);
    free_traffic(t);
}

/* --- what no frontend asks -------------------------------------------------------------------- */

static void no_segments(struct blkif_request *r)
{
    r->nr_segments = 0;
}

static void twelve_segments(struct blkif_request *r)
{
    r->nr_segments = BLKIF_MAX_SEGMENTS_PER_REQUEST + 1;
}

static void backwards(struct blkif_request *r)
{
    r->seg[0].first_sect = 3;
    r->seg[0].last_sect = 2;
}

static void beyond_its_page(struct blkif_request *r)
{
    r->seg[0].last_sect = PAGE_SIZE / DISK_SECTOR;
}

static void reference_of_none(struct blkif_request *r)
{
    r->seg[0].gref = 8191;
}

/* The page of a write, which can only be read. */
static void into_a_page_to_be_read(struct blkif_request *r)
{
    r->operation = BLKIF_OP_READ;
}

static void operation_of_none(struct blkif_request *r)
{
    r->operation = 77;
}

static void do_odd(unsigned index, struct disk *d, char **words)
{
    const uint64_t end = d->sectors;
    const struct {
        const char *name;
        uint8_t operation;
        uint64_t sector;
        void (*spoil)(struct blkif_request *request);
    } odd[] = {
        {"over the end", BLKIF_OP_READ, end - 1, NULL},
        {"beyond the end", BLKIF_OP_WRITE, end, NULL},
        {"a sector that wraps", BLKIF_OP_READ, UINT64_MAX, NULL},
        {"no segments", BLKIF_OP_READ, 0, no_segments},
        {"twelve segments", BLKIF_OP_READ, 0, twelve_segments},
        {"a segment backwards", BLKIF_OP_READ, 0, backwards},
        {"a segment beyond its page", BLKIF_OP_WRITE, 0, beyond_its_page},
        {"a reference of none", BLKIF_OP_WRITE, 0, reference_of_none},
        {"into a page to be read", BLKIF_OP_WRITE, 0, into_a_page_to_be_read},
        {"an operation of none", BLKIF_OP_READ, 0, operation_of_none},
        {"nothing odd", BLKIF_OP_READ, 0, NULL},
    };
    uint8_t *data = page_alloc_zeroed(DISK_PAGE_ORDER);

    (void)words;
    for (size_t i = 0; i < ARRAY_SIZE(odd) && data; i++) {
        struct waiting w = {
            .job = {.operation = odd[i].operation,
                    .sector = odd[i].sector,
                    .count = 2,
                    .data = data,
                    .spoil = odd[i].spoil},
        };

        if (disk_find(index) != d)
            break; /* it has gone meanwhile */
        log_info("disk %u: odd: %s: %s", index, odd[i].name, name_of(run(d, &w)));
    }
    if (data)
        page_free(data, DISK_PAGE_ORDER);
    log_info("disk %u: odd: done", index);
}

/* --- the command ------------------------------------------------------------------------------ */

void disk_command(char **words)
{
    static const struct {
        const char *name;
        void (*fn)(unsigned index, struct disk *d, char **words);
    } verbs[] = {
        {"info", do_info},   {"read", do_read},       {"write", do_write},
        {"flush", do_flush}, {"traffic", do_traffic}, {"odd", do_odd},
    };
    unsigned index = (unsigned)ringtest_number(words[1]);
    struct disk *d = disk_find(index);

    if (!d) {
        log_error("disk %u: there is none", index);
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
        if (!strcmp(verbs[i].name, words[2])) {
            verbs[i].fn(index, d, words);
            return;
        }
    }
    log_error("disk %u: cannot %s", index, words[2]);
}
