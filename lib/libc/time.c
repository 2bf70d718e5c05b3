/* SPDX-License-Identifier: ISC */
/*
 * POSIX time over the kernel's clocks. CLOCK_REALTIME is the host's clock and cannot be set. The processor time of
 * times() and clock() is the time since boot, for there is one process; clock_gettime() has no clock for it.
 */
#include <errno.h>
#include <stdint.h>
#include <sys/time.h>
#include <sys/times.h>
#include <time.h>
#include <unistd.h>

#include "kernel/app.h"
#include "lib/libc/file.h"
#include "lib/util.h"

static struct timespec to_timespec(uint64_t ns)
{
    return (struct timespec){(time_t)(ns / NSEC_PER_SEC), (long)(ns % NSEC_PER_SEC)};
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    switch (clock) {
    case CLOCK_REALTIME:
        *now = to_timespec(time_wall());
        return 0;
    case CLOCK_MONOTONIC:
        *now = to_timespec(time_monotonic());
        return 0;
    default:
        errno = EINVAL;
        return -1;
    }
}

int clock_getres(clockid_t clock, struct timespec *resolution)
{
    struct timespec now;

    if (clock_gettime(clock, &now))
        return -1;
    if (resolution)
        *resolution = (struct timespec){0, 1};
    return 0;
}

int gettimeofday(struct timeval *restrict now, void *restrict timezone)
{
    uint64_t ns = time_wall();

    now->tv_sec = (time_t)(ns / NSEC_PER_SEC);
    now->tv_usec = (suseconds_t)(ns % NSEC_PER_SEC / NSEC_PER_USEC);
    return 0;
}

/* What clock() is made of. */
clock_t times(struct tms *t)
{
    clock_t now = (clock_t)(time_monotonic() / (NSEC_PER_SEC / CLOCKS_PER_SEC));

    *t = (struct tms){.tms_utime = now};
    return now;
}

/* Nothing interrupts a sleep, so there is never a remainder. */
int nanosleep(const struct timespec *wanted, struct timespec *left)
{
    uint64_t ns = UINT64_MAX / 2; /* 292 years: what longer sleeps are cut to */

    if (wanted->tv_sec < 0 || wanted->tv_nsec < 0 || wanted->tv_nsec >= (long)NSEC_PER_SEC) {
        errno = EINVAL;
        return -1;
    }
    if ((uint64_t)wanted->tv_sec < ns / NSEC_PER_SEC)
        ns = (uint64_t)wanted->tv_sec * NSEC_PER_SEC + (uint64_t)wanted->tv_nsec;
    thread_sleep(ns);
    if (left)
        *left = (struct timespec){0, 0};
    return 0;
}

int usleep(useconds_t us)
{
    thread_sleep(us * NSEC_PER_USEC);
    return 0;
}

unsigned sleep(unsigned seconds)
{
    thread_sleep(seconds * NSEC_PER_SEC);
    return 0;
}
