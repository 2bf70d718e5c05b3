/* SPDX-License-Identifier: ISC */
/* What the app can be told to do. See main.c. */
#ifndef APPS_GROWTH_H
#define APPS_GROWTH_H

#include <stdbool.h>
#include <stdint.h>

/* A job begins, and ends with job_done(), at once or later. count: how often it does its one operation. */
struct job {
    const char *name;
    void (*begin)(uint32_t count);
};

void job_done(bool well);

/* A number below limit, the same ones in each run. */
uint32_t any_below(uint32_t limit);

extern const struct job timer_jobs[], thread_jobs[]; /* end with an empty one */

#endif
