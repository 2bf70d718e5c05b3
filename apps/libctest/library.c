/* SPDX-License-Identifier: ISC */
/* Formatting, descriptors, time, environment, random numbers: what needs one thread only. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "apps/libctest/check.h"
#include "kernel/app.h"
#include "lib/util.h"

static char text[256];

/* The format passes as a variable, so that the compiler does not work the result out itself. */
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#define formats_to(want, ...) (format(__VA_ARGS__), strcmp(text, (want)) == 0)

static void format(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
}

static void printf_integers(void)
{
    CHECK(formats_to("-42 42 2a 2A 0x2a 052", "%d %u %x %X %#x %#o", -42, 42u, 42u, 42u, 42u, 42u));
    CHECK(formats_to("[   -7|-7   |00007|+7]", "[%5d|%-5d|%05d|%+d]", -7, -7, 7, 7));
    CHECK(formats_to("-9223372036854775808", "%ld", LONG_MIN));
    CHECK(formats_to("18446744073709551615", "%llu", UINT64_MAX));
    CHECK(formats_to("18446744073709551615 7", "%zu %d", SIZE_MAX, 7));
    CHECK(formats_to("-1 7", "%jd %d", (intmax_t)-1, 7));
    CHECK(formats_to("-1 255 ffff", "%hhd %hhu %hx", (signed char)-1, (unsigned char)255,
                     (unsigned short)0xffff));
}

static void printf_text(void)
{
    volatile size_t size = 4;

    CHECK(formats_to("[  abc|abc  |ab|x%]", "[%5s|%-5s|%.2s|%c%%]", "abc", "abc", "abc", 'x'));
    CHECK(formats_to("[   ab]", "[%*.*s]", 5, 2, "abc"));
    CHECK(snprintf(text, size, "%s", "abcdef") == 6 && strcmp(text, "abc") == 0);
}

static void printf_floating_point(void)
{
    CHECK(formats_to("3.142 -0.50 1e+10 2.5", "%.3f %.2f %g %g", 3.14159, -0.5, 1e10, 2.5));
    CHECK(formats_to("1.5e-05", "%.1e", 1.5e-5));
}

static void scanf_reads_back(void)
{
    char word[16];
    double d;
    long l;
    int n;

    CHECK(sscanf("12 -345678901234 word 2.25", "%d %ld %15s %lf", &n, &l, word, &d) == 4);
    CHECK(n == 12 && l == -345678901234 && strcmp(word, "word") == 0 && d == 2.25);
}

static void numbers_are_parsed(void)
{
    char *end;

    CHECK(strtol("  -0x1fz", &end, 0) == -31 && *end == 'z');
    errno = 0;
    CHECK(strtol("99999999999999999999", NULL, 10) == LONG_MAX && errno == ERANGE);
    CHECK(strtoull("18446744073709551615", NULL, 10) == UINT64_MAX);
    CHECK(strtod("-2.5e3", NULL) == -2500.0);
}

static int compare_ints(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

static void sorting_and_searching(void)
{
    int v[100], key = 50;

    for (int i = 0; i < 100; i++)
        v[i] = i * 37 % 100;
    qsort(v, 100, sizeof(*v), compare_ints);
    for (int i = 0; i < 100; i++)
        CHECK(v[i] == i);
    CHECK(bsearch(&key, v, 100, sizeof(*v), compare_ints) == &v[50]);
}

static void floating_point_works(void)
{
    volatile double x = 2.0;

    CHECK(fabs(sqrt(x) * sqrt(x) - 2.0) < 1e-15);
    CHECK(fabs(sin(x) * sin(x) + cos(x) * cos(x) - 1.0) < 1e-15);
    CHECK(fabs(pow(x, 0.5) - sqrt(x)) < 1e-15);
}

static void long_jumps_work(void)
{
    static jmp_buf place;
    volatile int passed = 0;

    if (setjmp(place) == 0) {
        passed = 1;
        longjmp(place, 5);
    }
    CHECK(passed == 1);
}

static volatile sig_atomic_t caught;

static void catch (int signal)
{
    caught = signal;
}

static void a_handled_signal_is_no_end(void)
{
    signal(SIGUSR1, catch);
    raise(SIGUSR1);
    CHECK(caught == SIGUSR1);
    signal(SIGUSR1, SIG_IGN);
    CHECK(raise(SIGUSR1) == 0);
}

/* --- descriptors ------------------------------------------------------------------------------ */

#define fails_with(call, error) (errno = 0, (call) == -1 && errno == (error))

static void descriptors_report_errors(void)
{
    struct stat st;
    char c;

    CHECK(fails_with(read(77, &c, 1), EBADF));
    CHECK(fails_with(write(-1, &c, 1), EBADF));
    CHECK(fails_with(close(77), EBADF));
    CHECK(fails_with(lseek(1, 0, SEEK_SET), ESPIPE));
    CHECK(fails_with(open("/etc/passwd", O_RDONLY), ENOENT));
    CHECK(fails_with(stat("/", &st), ENOENT));
    CHECK(fopen("/etc/passwd", "r") == NULL && errno == ENOENT);
    CHECK(isatty(1) == 1 && fstat(1, &st) == 0 && S_ISCHR(st.st_mode));
}

static void a_duplicate_writes_too(void)
{
    int fd = dup(1);
    FILE *f = fdopen(fd, "w");

    CHECK(fd >= 3 && f);
    CHECK(fprintf(f, "written through a duplicate\n") > 0);
    CHECK(fclose(f) == 0);
    CHECK(fails_with(write(fd, "x", 1), EBADF));
}

/* --- the world -------------------------------------------------------------------------------- */

static void time_passes(void)
{
    struct timespec before, after, wall;
    struct timeval day;
    long us;

    CHECK(clock_gettime(CLOCK_MONOTONIC, &before) == 0);
    CHECK(nanosleep(&(struct timespec){0, 30 * 1000000}, NULL) == 0);
    CHECK(usleep(20000) == 0);
    CHECK(clock_gettime(CLOCK_MONOTONIC, &after) == 0);
    us = (after.tv_sec - before.tv_sec) * 1000000 + (after.tv_nsec - before.tv_nsec) / 1000;
    CHECK(us >= 50000);
    CHECK(us < 5000000);
    CHECK(clock_gettime(CLOCK_REALTIME, &wall) == 0 && gettimeofday(&day, NULL) == 0);
    CHECK(day.tv_sec - wall.tv_sec <= 1 && wall.tv_sec > 1577836800); /* 2020 */
    CHECK(time(NULL) - wall.tv_sec <= 1);
    CHECK(clock() > 0);
    CHECK(fails_with(nanosleep(&(struct timespec){0, 1000000000}, NULL), EINVAL));
    CHECK(fails_with(clock_gettime(99, &wall), EINVAL));
}

static void calendar_is_right(void)
{
    time_t leap = 1709210096; /* 2024-02-29 12:34:56 */
    struct tm *t = gmtime(&leap);

    CHECK(strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S %a", t) > 0);
    CHECK(strcmp(text, "2024-02-29 12:34:56 Thu") == 0);
    CHECK(mktime(t) == leap);
}

static void environment_can_be_changed(void)
{
    CHECK(getenv("NAME") == NULL);
    CHECK(setenv("NAME", "value", 1) == 0 && strcmp(getenv("NAME"), "value") == 0);
    CHECK(unsetenv("NAME") == 0 && getenv("NAME") == NULL);
}

static void facts_are_told(void)
{
    CHECK(sysconf(_SC_PAGESIZE) == 4096 && getpagesize() == 4096);
    CHECK(sysconf(_SC_NPROCESSORS_ONLN) == 1);
    CHECK(sysconf(_SC_PHYS_PAGES) >= sysconf(_SC_AVPHYS_PAGES));
    CHECK(getpid() == 1 && kill(1, 0) == 0);
    CHECK(fails_with(kill(2, SIGTERM), ESRCH));
    CHECK(fails_with(fork(), ENOSYS));
    CHECK(gethostname(text, sizeof(text)) == 0 && strcmp(text, "libctest") == 0);
}

static void random_numbers_differ(void)
{
    uint64_t a[4], b[4];

    CHECK(getentropy(a, sizeof(a)) == 0 && getentropy(b, sizeof(b)) == 0);
    CHECK(memcmp(a, b, sizeof(a)) != 0);
    CHECK(fails_with(getentropy(text, 257), EIO));
    CHECK(arc4random() != arc4random() || arc4random() != arc4random());
    CHECK(arc4random_uniform(10) < 10);
}

const struct test library_tests[] = {
    {"printf-integers", printf_integers},
    {"printf-text", printf_text},
    {"printf-float", printf_floating_point},
    {"scanf", scanf_reads_back},
    {"strtol", numbers_are_parsed},
    {"qsort", sorting_and_searching},
    {"math", floating_point_works},
    {"longjmp", long_jumps_work},
    {"signal", a_handled_signal_is_no_end},
    {"descriptors", descriptors_report_errors},
    {"dup", a_duplicate_writes_too},
    {"time", time_passes},
    {"calendar", calendar_is_right},
    {"environment", environment_can_be_changed},
    {"facts", facts_are_told},
    {"random", random_numbers_differ},
};
const size_t library_tests_count = ARRAY_SIZE(library_tests);
