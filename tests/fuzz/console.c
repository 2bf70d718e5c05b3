/* SPDX-License-Identifier: ISC */
/*
 * Fuzz target: the console against a backend that reads and types what it likes, and writes anything
 * into the page and its indices. A backend that never lied has got every line, or the number of those
 * that were lost.
 */
#include <check.h>

#include "tests/unit/fake_hypercall.h"

#define CONFIG_CONSOLE_BUFFER_KIB 2
#define CONFIG_CONSOLE_INPUT 1

#include "drivers/console.c"

#include "tests/fuzz/fuzz.h"
#include "tests/unit/fake_kernel.h"

#define PORT 2
#define LINES_MAX 1000

static struct start_info start_info;
const struct start_info *arch_start_info = &start_info;
static struct xencons_interface *ring;
static bool lied;
static char seen[1 << 16];
static size_t seen_len;
static unsigned said;        /* lines */
static unsigned waited;      /* lines that waited for room */
static uint8_t read_at_poll; /* octets that the backend reads while the guest flushes */

void *arch_mfn_to_virt(mfn_t mfn)
{
    return mfn.n == 88 ? ring : NULL;
}

/* --- the backend --------------------------------------------------------------------------- */

static bool reads(size_t max)
{
    uint32_t prod = ring->out_prod, before = ring->out_cons;

    if (prod - before > sizeof(ring->out)) {
        ck_assert_msg(lied, "the guest overfills the ring");
        return false;
    }
    for (; ring->out_cons != prod && max && seen_len < sizeof(seen); max--)
        seen[seen_len++] = ring->out[MASK_XENCONS_IDX(ring->out_cons++, ring->out)];
    if (ring->out_cons == before)
        return false;
    fake_raise(PORT);
    return true;
}

static bool reads_all(void)
{
    return reads(SIZE_MAX);
}

static void types(void)
{
    const uint8_t *text;
    size_t n = fuzz_bytes(&text, fuzz_u8());

    while (n-- && ring->in_prod - ring->in_cons < sizeof(ring->in))
        ring->in[MASK_XENCONS_IDX(ring->in_prod++, ring->in)] = (char)*text++;
    fake_raise(PORT);
}

static void lies(void)
{
    uint8_t how = fuzz_u8();
    uint32_t *index[] = {&ring->in_prod, &ring->in_cons, &ring->out_cons, &ring->out_prod};
    uint32_t *at = index[how & 3];
    uint32_t near = *at + (uint32_t)(int8_t)fuzz_u8();

    lied = true;
    shared_write(at, how & 4 ? fuzz_u32() : near);
    fake_raise(PORT);
}

static void scribbles(void)
{
    size_t at = fuzz_u16() % sizeof(*ring), n = fuzz_u8();
    const uint8_t *from;

    n = fuzz_bytes(&from, MIN(n, sizeof(*ring) - at));
    lied = true;
    memcpy((uint8_t *)ring + at, from, n);
}

void evtchn_poll(evtchn_port_t port, uint64_t ns)
{
    ck_assert_uint_eq(port, PORT);
    ck_assert(ns > fake_now);
    if (!reads(read_at_poll))
        fake_now = ns;
    else
        fake_now += NSEC_PER_MSEC;
}

/* --- the guest ------------------------------------------------------------------------------- */

/* Numbered lines, so that what is missing can be seen. */
static void say(void *wait)
{
    char line[300];
    int n;

    if (said >= LINES_MAX)
        return;
    /* Lines that wait for room come when they come. */
    n = snprintf(line, sizeof(line), "%u %*s.\n", wait ? 0 : said++, fuzz_u8(), "");
    if (wait)
        line[0] = 'w';
    if (wait)
        console_write_wait(line, (size_t)n);
    else
        console_write(line, (size_t)n);
}

static void read_input(void *ctx)
{
    size_t size = 1 + fuzz_below(64);
    char *buf = malloc(size);

    (void)ctx;
    ck_assert_uint_le(console_read(buf, size), size);
    free(buf);
}

static void step(void)
{
    switch (fuzz_below(12)) {
    case 0:
    case 1:
        for (unsigned n = fuzz_below(32); n--;)
            say(NULL);
        break;
    case 2:
        waited += fake_ended();
        if (fake_ended()) /* one that waits for room */
            (void)fake_start(say, &waited);
        break;
    case 3:
        (void)reads(fuzz_u8());
        break;
    case 4:
        (void)reads_all();
        break;
    case 5:
        types();
        break;
    case 6:
        read_input(NULL);
        break;
    case 7:
        console_on_input(fuzz_u8() & 1 ? read_input : NULL, NULL);
        break;
    case 8:
        lies();
        break;
    case 9:
        scribbles();
        break;
    case 10:
        read_at_poll = fuzz_u8();
        console_flush(fuzz_below(4) * NSEC_PER_MSEC);
        break;
    default:
        fake_sleep(fuzz_u8() * 16 * NSEC_PER_MSEC);
    }
    if (fuzz_u8() & 1)
        fake_run();
}

/* Every line that was said was seen, in order, or counted as lost. */
static void check_lines(void)
{
    unsigned lost = 0, got = 0, number;

    seen[MIN(seen_len, sizeof(seen) - 1)] = '\0';
    for (char *line = strtok(seen, "\r\n"); line; line = strtok(NULL, "\r\n")) {
        char *notice = strstr(line, "[console: ");

        if (notice) {
            lost += (unsigned)atoi(notice + strlen("[console: "));
        } else if (strchr(line, '.') && sscanf(line, "%u", &number) == 1) { /* it is whole */
            ck_assert_uint_ge(number, got);
            got = number + 1;
        }
    }
    if (!lost)
        ck_assert_uint_eq(got, said);
    ck_assert_uint_le(lost, said + waited);
}

static void nothing(void *ctx)
{
    (void)ctx;
}

void fuzz_case(void)
{
    uint8_t how = fuzz_u8();

    ring = calloc(1, PAGE_SIZE);
    ring->out_cons = ring->out_prod = how & 1 ? 0xffffff80 : 0;
    ring->in_cons = ring->in_prod = how & 2 ? 0xfffffff0 : 0;
    start_info.console.domU.mfn = 88;
    start_info.console.domU.evtchn = PORT;
    if (how & 4)
        say(NULL); /* before there are events */
    ck_assert_int_eq(console_init(), 0);
    (void)fake_start(nothing, NULL);
    while (fuzz_more())
        step();
    console_on_input(NULL, NULL);
    fake_peer = reads_all;
    fake_sleep(4 * NSEC_PER_SEC);
    if (lied)
        return;
    ck_assert_msg(fake_ended(), "a writer waits for ever");
    if (seen_len < sizeof(seen))
        check_lines();
}
