/* SPDX-License-Identifier: ISC */
/*
 * The counters (lib/dns/counters.h) for others. Command line: counters=chaos answers questions for
 * counters.server, counters=xenstore writes attr/dns/counters below the domain's directory; both with a
 * comma between them. At shutdown they are in the log, whatever it says.
 */
#include <errno.h>
#include <string.h>

#include "apps/dns/server.h"
#include "kernel/app.h"
#include "lib/dns/counters.h"

#define LOG_MODULE "dns"

enum { PUBLISH_SECONDS = 10 };

static struct timer timer;

static void publish(struct timer *t)
{
    static char text[COUNTERS_TEXT], told[COUNTERS_TEXT];

    counters_text(&server.stats, text);
    /* What cannot be queued now is told the next time. */
    if (strcmp(text, told) && !guest_publish("attr/dns/counters", text))
        memcpy(told, text, sizeof(told));
    timer_arm_in(t, PUBLISH_SECONDS * NSEC_PER_SEC);
}

static void log_counters(struct shutdown_hook *hook)
{
    char text[COUNTER_TEXT];
    unsigned next = 0;

    while (counters_next(&server.stats, &next, text))
        log_info("%s", text);
}

int server_tell_counters(bool *chaos)
{
    static struct shutdown_hook at_end = {.fn = log_counters};
    const char *list = cmdline_get("counters"), *at = list;
    bool publishes = false;

    shutdown_hook_add(&at_end);
    while (at && *at) {
        size_t len = strcspn(at, ",");

        if (len == 5 && !memcmp(at, "chaos", len)) {
            *chaos = true;
        } else if (len == 8 && !memcmp(at, "xenstore", len)) {
            publishes = true;
        } else {
            log_error("counters=%s: chaos, xenstore or both", list);
            return -EINVAL;
        }
        at += len + (at[len] == ',');
    }
    if (publishes) {
        timer_init(&timer, publish);
        timer_arm_in(&timer, PUBLISH_SECONDS * NSEC_PER_SEC);
    }
    return 0;
}
