/* SPDX-License-Identifier: ISC */
/*
 * A guest for measurements (docs/growth.md): what does an operation cost while there are N of a thing? Asked over UDP
 * port 7, "JOB NUMBER", it does a job, and answers with the same text when it is done, or with "failed". It measures
 * nothing: who asks reads the domain's CPU time before and after.
 *
 *   timers N    from now on there are N armed timers, none of them due   (timers.c)
 *   set N       sets another one somewhere among them and cancels it, N times
 *   due N       from now on there are N armed timers that become due in turn, and are set anew
 *   fire N      until N of them have run
 *   threads N   from now on there are N threads that wait   (threads.c)
 *   switch N    another thread gives way N times
 *   wake N      any of them is woken, and waits again, N times
 *   create N    another one is made, runs and ends, N times
 *
 * What is sent before the answer is lost.
 */
#include <errno.h>
#include <string.h>

#include "apps/growth/growth.h"
#include "kernel/app.h"
#include "lib/net/net.h"

#include "lwip/udp.h"

#define LOG_MODULE "growth"
#define PORT 7

static struct {
    struct udp_pcb *pcb;
    struct pbuf *question; /* of the job at work */
    ip_addr_t from;
    u16_t port;
} state;

uint32_t any_below(uint32_t limit)
{
    static uint64_t seed = 1;

    seed = seed * 6364136223846793005u + 1442695040888963407u; /* Knuth's, MMIX */
    return (uint32_t)((seed >> 32) * limit >> 32);
}

void job_done(bool well)
{
    struct pbuf *answer = state.question;

    state.question = NULL;
    if (!well)
        (void)pbuf_take(answer, "failed", LWIP_MIN(answer->tot_len, 6));
    (void)udp_sendto(state.pcb, answer, &state.from, state.port);
    pbuf_free(answer);
}

static bool begin(const struct job *jobs, const char *text)
{
    for (; jobs->name; jobs++) {
        size_t size = strlen(jobs->name);
        uint32_t count = 0;

        if (strncmp(text, jobs->name, size) != 0 || text[size] != ' ')
            continue;
        for (const char *digit = text + size + 1; *digit >= '0' && *digit <= '9'; digit++)
            count = count * 10 + (uint32_t)(*digit - '0');
        jobs->begin(count);
        return true;
    }
    return false;
}

static void on_question(void *arg, struct udp_pcb *pcb, struct pbuf *p, const ip_addr_t *from,
                        u16_t port)
{
    char text[64] = "";

    if (state.question) {
        pbuf_free(p);
        return;
    }
    state.question = p;
    state.from = *from;
    state.port = port;
    (void)pbuf_copy_partial(p, text, sizeof(text) - 1, 0);
    /* What is no job is answered like one: so who asks sees that we are there. */
    if (!begin(timer_jobs, text) && !begin(thread_jobs, text))
        job_done(true);
}

int app_init(int argc, char **argv)
{
    int err = net_init();

    if (err)
        return err;
    state.pcb = udp_new_ip_type(IPADDR_TYPE_ANY);
    if (!state.pcb || udp_bind(state.pcb, IP_ANY_TYPE, PORT) != ERR_OK)
        return -ENOMEM;
    udp_recv(state.pcb, on_question, NULL);
    log_info("listening on port %u", PORT);
    return 0;
}
