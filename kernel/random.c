/* SPDX-License-Identifier: ISC */
/*
 * The random number generator: ChaCha20 with fast key erasure (docs/entropy.md).
 *
 * The key makes a few blocks of output; the first 32 bytes of them are the next key at once, and
 * each byte handed out is wiped from the rest. So somebody who reads the whole state later learns
 * nothing of what was handed out before.
 *
 * Input is absorbed into the key: the key is XORed with 32 bytes of it and replaced by the block
 * function of the result. Input that an adversary knows or chose cannot take away what is unknown
 * in the key. Sources are gathered at the first use, not at boot: an app that never asks pays
 * nothing. Everything here is bounded: a machine without a source gets a warning, not a hang
 * (hardening.md, rule 26).
 */
#include "kernel/random.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "arch/arch.h"
#include "kernel/app.h"
#include "kernel/chacha.h"
#include "kernel/cmdline.h"
#include "lib/util.h"

#define LOG_MODULE "random"

#define BLOCK_BYTES (CHACHA_BLOCK_WORDS * sizeof(uint32_t))
#define KEY_BYTES (CHACHA_KEY_WORDS * sizeof(uint32_t))
#define AHEAD_BLOCKS 4   /* generated at a time: 224 bytes of output beside the next key */
#define HARDWARE_WORDS 8 /* twice the key's size: each may hold less than 64 bits of entropy */
#define JITTER_SAMPLES 64
#define SEED_HEX_MAX 128   /* of seed=: 64 bytes */
#define SEED_HEX_ENOUGH 32 /* 128 bits, of hex digits: such a seed alone is enough */

/* The nonce tells the uses of the block function apart, so that none repeats another's output. */
enum purpose { PURPOSE_OUTPUT, PURPOSE_ABSORB };

static struct {
    uint32_t key[CHACHA_KEY_WORDS];
    union {
        uint32_t words[AHEAD_BLOCKS][CHACHA_BLOCK_WORDS];
        uint8_t bytes[AHEAD_BLOCKS * BLOCK_BYTES];
    } ahead;
    size_t left;     /* output not handed out yet: the last bytes of ahead */
    bool gathered;   /* the sources have been read */
    bool trusted;    /* 128 unpredictable bits came from hardware or from the toolstack */
    bool seed_given; /* by the toolstack */
} rng;

/* memset() before the end of a variable's life is dropped by the compiler; this is not. */
static void wipe(void *p, size_t len)
{
    memset(p, 0, len);
    __asm__ volatile("" : : "r"(p) : "memory");
}

static void block(enum purpose purpose, uint32_t counter, uint32_t out[CHACHA_BLOCK_WORDS])
{
    const uint32_t nonce[3] = {purpose, 0, 0};

    chacha_block(rng.key, counter, nonce, out);
}

/* What was generated ahead came from the key as it was: it is dropped with every absorption. */
static void absorb(const void *data, size_t len)
{
    const uint8_t *in = data;
    uint32_t out[CHACHA_BLOCK_WORDS];

    while (len) {
        size_t n = MIN(len, KEY_BYTES);
        uint8_t *key = (uint8_t *)rng.key;

        for (size_t i = 0; i < n; i++)
            key[i] ^= in[i];
        block(PURPOSE_ABSORB, (uint32_t)n, out);
        memcpy(rng.key, out, KEY_BYTES);
        in += n;
        len -= n;
    }
    wipe(out, sizeof(out));
    wipe(&rng.ahead, sizeof(rng.ahead));
    rng.left = 0;
}

/* The processor's generator; how many words it gave. */
static unsigned gather_hardware(void)
{
    uint64_t word[HARDWARE_WORDS];
    unsigned n = 0;

    while (n < HARDWARE_WORDS && arch_random(&word[n]))
        n++;
    absorb(word, n * sizeof(*word));
    wipe(word, sizeof(word));
    return n;
}

/* How long a few dependent memory accesses take, again and again: caches, interrupts of the host
 * and other guests' work leave their traces in the low bits. Nothing is claimed about how much. */
static void gather_jitter(void)
{
    uint64_t pool[KEY_BYTES / sizeof(uint64_t)] = {0};
    volatile uint8_t field[512] = {0};
    uint64_t last = arch_tsc();
    uint64_t at = last;

    for (unsigned i = 0; i < JITTER_SAMPLES; i++) {
        uint64_t *p = &pool[i % ARRAY_SIZE(pool)];
        uint64_t now;

        for (unsigned j = 0; j < 8; j++) {
            at = at * 6364136223846793005u + 1442695040888963407u + field[at >> 55];
            field[at >> 55]++;
        }
        now = arch_tsc();
        *p = (*p << 9 | *p >> 55) ^ (now - last) ^ at;
        last = now;
    }
    absorb(pool, sizeof(pool));
}

/* What tells this boot from others: the host's clocks, and which machine pages we were given. An
 * observer on the host knows all of it; somebody on the network knows some. */
static void gather_identity(void)
{
    const struct start_info *start = arch_start_info;
    struct {
        uint64_t tsc, wall, monotonic, pages, shared_info, store_mfn, store_port, mfn[9];
    } id = {
        .tsc = arch_tsc(),
        .wall = time_wall(),
        .monotonic = time_monotonic(),
        .pages = start->nr_pages,
        .shared_info = start->shared_info,
        .store_mfn = start->store_mfn,
        .store_port = start->store_evtchn,
    };

    for (unsigned i = 0; i < ARRAY_SIZE(id.mfn); i++)
        id.mfn[i] = arch_pfn_to_mfn((pfn_t){start->nr_pages * i / ARRAY_SIZE(id.mfn)}).n;
    absorb(&id, sizeof(id));
}

static void gather(void)
{
    unsigned words = gather_hardware();

    gather_jitter();
    gather_identity();
    if (words == HARDWARE_WORDS)
        rng.trusted = true;
    rng.gathered = true;
}

static void report(void)
{
    if (rng.trusted)
        log_info("seeded from %s%s, timing and the host's clocks",
                 rng.seed_given ? "the toolstack's seed" : "the processor",
                 rng.seed_given ? " (and the processor where it can)" : "");
    else
        log_warn(
            "no RDRAND and no seed= of %u hex digits: seeded from timing and the host's clocks "
            "only; make no long-lived keys here",
            SEED_HEX_ENOUGH);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void random_init(void)
{
    char seed[SEED_HEX_MAX + 1];
    int len = cmdline_take("seed", seed, sizeof(seed));
    bool hex = len >= 0;

    for (int i = 0; i < len; i++)
        hex = hex && hex_digit(seed[i]) >= 0;
    if (!hex)
        log_error("seed= wants at most %u hex digits: %s", SEED_HEX_MAX,
                  len < 0 ? "not used" : "taken as text");
    if (len > 0) {
        absorb(seed, (size_t)len);
        rng.seed_given = true;
        rng.trusted = hex && len >= SEED_HEX_ENOUGH;
    }
    wipe(seed, sizeof(seed));
}

void random_add(const void *seed, size_t len)
{
    absorb(seed, len);
    if (len >= SEED_HEX_ENOUGH)
        rng.seed_given = rng.trusted = true;
}

static void refill(void)
{
    for (uint32_t i = 0; i < AHEAD_BLOCKS; i++)
        block(PURPOSE_OUTPUT, i, rng.ahead.words[i]);
    memcpy(rng.key, rng.ahead.bytes, KEY_BYTES);
    wipe(rng.ahead.bytes, KEY_BYTES);
    rng.left = sizeof(rng.ahead.bytes) - KEY_BYTES;
}

void random_bytes(void *buf, size_t len)
{
    uint8_t *out = buf;

    if (!rng.gathered) {
        gather();
        report();
    }
    while (len) {
        size_t n = MIN(len, rng.left);
        uint8_t *from = rng.ahead.bytes + sizeof(rng.ahead.bytes) - rng.left;

        memcpy(out, from, n);
        wipe(from, n);
        rng.left -= n;
        out += n;
        len -= n;
        if (!rng.left)
            refill();
    }
}
