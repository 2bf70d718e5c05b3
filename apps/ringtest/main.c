/* SPDX-License-Identifier: ISC */
/*
 * A guest for the tests of rings: it has a disk's frontend and both ends of a vchan, no more of them
 * than their rings (docs/simulator.md), which lines typed on the console set to work. What each line came to
 * is a line of the log. Datagrams are echoed on UDP port 7 meanwhile: the rest of the guest serves,
 * whatever happens to its disks.
 */
#include "apps/ringtest/ringtest.h"

#include <errno.h>
#include <string.h>

#include "kernel/app.h"
#include "kernel/console.h"
#include "lib/net/net.h"
#include "lib/util.h"

#include "lwip/udp.h"

#define LOG_MODULE "ringtest"
#define ECHO_PORT 7
#define LINE_SIZE 128
#define LINES 16
#define QUEUES 4

/* Lines for the same device wait for one another, as do those for devices whose numbers lead to the same
 * queue: a vchan and xvda, but not xvda and xvdb. */
struct queue {
    char lines[LINES][LINE_SIZE];
    unsigned typed, done;
    struct wait_queue more;
};

static struct {
    int argc;
    char **argv;
    struct queue *queues; /* QUEUES of them */
    char line[LINE_SIZE]; /* that is being typed */
    size_t len;
} test;

static const struct {
    const char *name;
    void (*fn)(char **words);
} commands[] = {
    {"disk", disk_command},
    {"vchan", vchan_command},
};

uint64_t ringtest_number(const char *word)
{
    uint64_t n = 0;

    for (; *word >= '0' && *word <= '9'; word++)
        n = n * 10 + (uint64_t)(*word - '0');
    return *word ? 0 : n;
}

bool ringtest_option(const char *word)
{
    for (int i = 1; i < test.argc; i++)
        if (!strcmp(test.argv[i], word))
            return true;
    return false;
}

/* Fills words; those that are missing are "". */
static void split(char *line, char **words)
{
    char *end = line + strlen(line);
    unsigned count = 0;

    for (char *c = line; *c && count < RINGTEST_WORDS; c++) {
        if (*c == ' ')
            *c = '\0';
        else if (c == line || !c[-1])
            words[count++] = c;
    }
    while (count < RINGTEST_WORDS)
        words[count++] = end;
}

static void run_line(char *line)
{
    char *words[RINGTEST_WORDS];

    split(line, words);
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        if (!strcmp(commands[i].name, words[0])) {
            commands[i].fn(words);
            return;
        }
    }
    log_error("unknown command %s", words[0]);
}

static void run_lines(void *arg)
{
    struct queue *q = arg;

    for (;;) {
        while (q->done == q->typed)
            wait_queue_sleep(&q->more);
        run_line(q->lines[q->done % LINES]);
        q->done++;
    }
}

/* By the second word, the device's number. */
static struct queue *queue_of(const char *line)
{
    char copy[LINE_SIZE], *words[RINGTEST_WORDS];

    memcpy(copy, line, sizeof(copy));
    split(copy, words);
    return &test.queues[ringtest_number(words[1]) / 16 % QUEUES];
}

static void end_line(void)
{
    struct queue *q;

    test.line[test.len] = '\0';
    q = queue_of(test.line);
    if (test.len && q->typed - q->done < LINES) {
        memcpy(q->lines[q->typed++ % LINES], test.line, sizeof(test.line));
        wait_queue_wake_all(&q->more);
    } else if (test.len) {
        log_error("too many lines wait: %s", test.line);
    }
    test.len = 0;
}

static void typed(void *unused)
{
    char buf[64];
    size_t n;

    (void)unused;
    while ((n = console_read(buf, sizeof(buf)))) {
        for (size_t i = 0; i < n; i++) {
            if (buf[i] == '\n' || buf[i] == '\r')
                end_line();
            else if (test.len < LINE_SIZE - 1)
                test.line[test.len++] = buf[i];
        }
    }
}

static int start_queues(void)
{
    _Static_assert(QUEUES * sizeof(struct queue) <= 4 * 4096, "the queues take four pages");
    test.queues = page_alloc_zeroed(2);
    if (!test.queues)
        return -ENOMEM;
    for (unsigned i = 0; i < QUEUES; i++) {
        wait_queue_init(&test.queues[i].more);
        if (!thread_create("commands", run_lines, &test.queues[i], 0))
            return -ENOMEM;
    }
    return 0;
}

static void on_datagram(void *arg, struct udp_pcb *pcb, struct pbuf *p, const ip_addr_t *from,
                        u16_t port)
{
    (void)arg;
    (void)udp_sendto(pcb, p, from, port);
    pbuf_free(p);
}

static int start_echo(void)
{
    struct udp_pcb *pcb;
    int err = net_init();

    if (err)
        return err;
    pcb = udp_new_ip_type(IPADDR_TYPE_ANY);
    if (!pcb || udp_bind(pcb, IP_ANY_TYPE, ECHO_PORT) != ERR_OK)
        return -ENOMEM;
    udp_recv(pcb, on_datagram, NULL);
    return 0;
}

int app_init(int argc, char **argv)
{
    int err = start_echo();

    test.argc = argc;
    test.argv = argv;
    if (!err)
        err = start_queues();
    if (err)
        return err;
    console_on_input(typed, NULL);
    log_info("ready");
    return 0;
}
