/* SPDX-License-Identifier: ISC */
/*
 * kernel/chacha.c against the vectors of RFC 8439, and kernel/random.c over sources that the test
 * holds still: then its output must depend on the seed alone, never repeat, and be wiped.
 */
#include <check.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "arch/arch.h"
#include "kernel/app.h"
#include "kernel/chacha.h"
#include "kernel/cmdline.h"
#include "kernel/random.h"

static struct start_info start = {.nr_pages = 256};
const struct start_info *arch_start_info = &start;
static const char *seed_option;
static bool hardware;
static uint64_t hardware_next;
static char logged[1024];

mfn_t arch_pfn_to_mfn(pfn_t pfn)
{
    return (mfn_t){pfn.n + 1000};
}

uint64_t arch_tsc(void)
{
    return 1;
}

bool arch_random(uint64_t *value)
{
    *value = hardware_next++;
    return hardware;
}

uint64_t time_monotonic(void)
{
    return 2;
}

uint64_t time_wall(void)
{
    return 3;
}

int cmdline_take(const char *key, char *buf, size_t size)
{
    ck_assert_str_eq(key, "seed");
    if (!seed_option)
        return 0;
    if (strlen(seed_option) >= size)
        return -E2BIG;
    strcpy(buf, seed_option);
    return (int)strlen(buf);
}

void log_write(enum log_level level, const char *module, const char *fmt, ...)
{
    size_t used = strlen(logged);
    va_list ap;

    (void)level;
    (void)module;
    va_start(ap, fmt);
    vsnprintf(logged + used, sizeof(logged) - used, fmt, ap);
    va_end(ap);
}

static void expect_block(const uint8_t key[32], uint32_t counter, const uint8_t nonce[12],
                         const uint8_t want[64])
{
    uint32_t k[8], n[3], out[16];

    memcpy(k, key, sizeof(k));
    memcpy(n, nonce, sizeof(n));
    chacha_block(k, counter, n, out);
    ck_assert_mem_eq(out, want, 64);
}

START_TEST(block_of_rfc8439_section_2_3_2)
{
    static const uint8_t nonce[12] = {0, 0, 0, 9, 0, 0, 0, 0x4a};
    static const uint8_t want[64] = {
        0x10, 0xf1, 0xe7, 0xe4, 0xd1, 0x3b, 0x59, 0x15, 0x50, 0x0f, 0xdd, 0x1f, 0xa3,
        0x20, 0x71, 0xc4, 0xc7, 0xd1, 0xf4, 0xc7, 0x33, 0xc0, 0x68, 0x03, 0x04, 0x22,
        0xaa, 0x9a, 0xc3, 0xd4, 0x6c, 0x4e, 0xd2, 0x82, 0x64, 0x46, 0x07, 0x9f, 0xaa,
        0x09, 0x14, 0xc2, 0xd7, 0x05, 0xd9, 0x8b, 0x02, 0xa2, 0xb5, 0x12, 0x9c, 0xd1,
        0xde, 0x16, 0x4e, 0xb9, 0xcb, 0xd0, 0x83, 0xe8, 0xa2, 0x50, 0x3c, 0x4e};
    uint8_t key[32];

    for (unsigned i = 0; i < 32; i++)
        key[i] = (uint8_t)i;
    expect_block(key, 1, nonce, want);
}
END_TEST

START_TEST(blocks_of_rfc8439_appendix_a_1)
{
    static const uint8_t zero[32];
    static const uint8_t first[64] = {
        0x76, 0xb8, 0xe0, 0xad, 0xa0, 0xf1, 0x3d, 0x90, 0x40, 0x5d, 0x6a, 0xe5, 0x53,
        0x86, 0xbd, 0x28, 0xbd, 0xd2, 0x19, 0xb8, 0xa0, 0x8d, 0xed, 0x1a, 0xa8, 0x36,
        0xef, 0xcc, 0x8b, 0x77, 0x0d, 0xc7, 0xda, 0x41, 0x59, 0x7c, 0x51, 0x57, 0x48,
        0x8d, 0x77, 0x24, 0xe0, 0x3f, 0xb8, 0xd8, 0x4a, 0x37, 0x6a, 0x43, 0xb8, 0xf4,
        0x15, 0x18, 0xa1, 0x1c, 0xc3, 0x87, 0xb6, 0x69, 0xb2, 0xee, 0x65, 0x86};
    static const uint8_t second[64] = {
        0x9f, 0x07, 0xe7, 0xbe, 0x55, 0x51, 0x38, 0x7a, 0x98, 0xba, 0x97, 0x7c, 0x73,
        0x2d, 0x08, 0x0d, 0xcb, 0x0f, 0x29, 0xa0, 0x48, 0xe3, 0x65, 0x69, 0x12, 0xc6,
        0x53, 0x3e, 0x32, 0xee, 0x7a, 0xed, 0x29, 0xb7, 0x21, 0x76, 0x9c, 0xe6, 0x4e,
        0x43, 0xd5, 0x71, 0x33, 0xb0, 0x74, 0xd8, 0x39, 0xd5, 0x31, 0xed, 0x1f, 0x28,
        0x51, 0x0a, 0xfb, 0x45, 0xac, 0xe1, 0x0a, 0x1f, 0x4b, 0x79, 0x4d, 0x6f};

    expect_block(zero, 0, zero, first);
    expect_block(zero, 1, zero, second);
}
END_TEST

/* Each test runs in a process of its own (Check forks), so the generator starts afresh. */
static void draw(uint8_t out[64])
{
    random_init();
    random_bytes(out, 64);
}

/* Draws in a process of its own, where the generator starts from nothing. */
static void draw_apart(const char *seed, bool with_hardware, uint8_t out[64])
{
    int fd[2], status;
    pid_t child;

    ck_assert_int_eq(pipe(fd), 0);
    child = fork();
    if (child == 0) {
        seed_option = seed;
        hardware = with_hardware;
        draw(out);
        _exit(write(fd[1], out, 64) == 64 ? 0 : 1);
    }
    ck_assert_int_eq(read(fd[0], out, 64), 64);
    waitpid(child, &status, 0);
    ck_assert_int_eq(status, 0);
    close(fd[0]);
    close(fd[1]);
}

START_TEST(each_source_changes_the_output)
{
    uint8_t none[64], same[64], seeded[64], other[64], hard[64];

    draw_apart(NULL, false, none);
    draw_apart(NULL, false, same);
    draw_apart("00112233445566778899aabbccddeeff", false, seeded);
    draw_apart("00112233445566778899aabbccddeefe", false, other);
    draw_apart(NULL, true, hard);
    ck_assert_mem_eq(none, same, 64); /* the test's sources stand still */
    ck_assert_mem_ne(none, seeded, 64);
    ck_assert_mem_ne(seeded, other, 64);
    ck_assert_mem_ne(none, hard, 64);
}
END_TEST

static int compare_words(const void *a, const void *b)
{
    return memcmp(a, b, 8);
}

START_TEST(output_does_not_repeat)
{
    enum { WORDS = 20000 };
    uint8_t *out = malloc(8 * WORDS);
    unsigned ones = 0;

    random_init();
    for (size_t at = 0; at < 8 * WORDS;) { /* pieces of every size up to two refills */
        size_t n = MIN(8 * WORDS - at, at % 450);

        n = MAX(n, 1);
        random_bytes(out + at, n);
        at += n;
    }
    for (size_t i = 0; i < 8 * WORDS; i++)
        ones += (unsigned)__builtin_popcount(out[i]);
    ck_assert(ones > 8 * 4 * WORDS * 0.99 && ones < 8 * 4 * WORDS * 1.01);
    qsort(out, WORDS, 8, compare_words);
    for (size_t i = 1; i < WORDS; i++)
        ck_assert(memcmp(out + 8 * (i - 1), out + 8 * i, 8) != 0);
    free(out);
}
END_TEST

START_TEST(an_added_seed_changes_what_follows)
{
    int fd[2];
    uint8_t plain[32], added[32];

    ck_assert_int_eq(pipe(fd), 0);
    for (int variant = 0; variant < 2; variant++) {
        if (fork() == 0) {
            random_init();
            random_bytes(plain, 8); /* the rest of a refill is waiting */
            if (variant == 1)
                random_add("x", 1);
            random_bytes(plain, 32);
            _exit(write(fd[1], plain, 32) == 32 ? 0 : 1);
        }
        wait(NULL);
    }
    ck_assert_int_eq(read(fd[0], plain, 32), 32);
    ck_assert_int_eq(read(fd[0], added, 32), 32);
    ck_assert_mem_ne(plain, added, 32);
}
END_TEST

START_TEST(the_log_says_how_it_was_seeded)
{
    uint8_t out[64];
    static const struct {
        const char *seed;
        bool hardware;
        const char *want, *never;
    } cases[] = {
        {NULL, false, "no long-lived keys", "toolstack's"},
        {NULL, true, "from the processor", "no long-lived"},
        {"00112233445566778899aabbccddeeff", false, "toolstack's seed", "no long-lived"},
        {"0011", false, "no long-lived keys", "toolstack's"},
        {"not hexadecimal but thirty-two ch", false, "taken as text", "toolstack's"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        int status;

        if (fork() == 0) {
            seed_option = cases[i].seed;
            hardware = cases[i].hardware;
            draw(out);
            random_bytes(out, 64);
            _exit(strstr(logged, cases[i].want) && !strstr(logged, cases[i].never) ? 0 : 1);
        }
        wait(&status);
        ck_assert_msg(status == 0, "case %zu", i);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("random");
    TCase *t = tcase_create("random");
    SRunner *runner = srunner_create(s);
    int failed;

    tcase_add_test(t, block_of_rfc8439_section_2_3_2);
    tcase_add_test(t, blocks_of_rfc8439_appendix_a_1);
    tcase_add_test(t, each_source_changes_the_output);
    tcase_add_test(t, output_does_not_repeat);
    tcase_add_test(t, an_added_seed_changes_what_follows);
    tcase_add_test(t, the_log_says_how_it_was_seeded);
    tcase_set_timeout(t, 60);
    suite_add_tcase(s, t);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
