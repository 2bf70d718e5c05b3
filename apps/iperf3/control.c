/* SPDX-License-Identifier: ISC */
/*
 * A test, from the client's cookie to its goodbye.
 *
 *   client                      server
 *   cookie                 -->
 *                          <--  PARAM_EXCHANGE
 *   length, JSON           -->                      what is to be measured
 *                          <--  CREATE_STREAMS
 *   data connections       -->
 *                          <--  TEST_START, TEST_RUNNING
 *   TEST_END               -->                      the client alone knows when
 *                          <--  EXCHANGE_RESULTS
 *   length, JSON           -->                      what it has counted: passed over
 *                          <--  length, JSON, DISPLAY_RESULTS
 *   IPERF_DONE             -->
 *
 * Nothing that a client says costs more than its own test: each message is bounded, each step but the run itself is
 * waited for no longer than STEP_SECONDS, and a client that has vanished is noticed by the keepalives of this connection.
 */
#include <errno.h>
#include <string.h>

#include "apps/iperf3/iperf3.h"
#include "apps/iperf3/json.h"
#include "kernel/app.h"
#include "lib/net/mem.h"

#define LOG_MODULE "iperf3"

/* The octets that say what comes next; what is above the protocol's numbers is negative there. */
enum {
    TEST_START = 1,
    TEST_RUNNING = 2,
    TEST_END = 4,
    PARAM_EXCHANGE = 9,
    CREATE_STREAMS = 10,
    CLIENT_TERMINATE = 12,
    EXCHANGE_RESULTS = 13,
    DISPLAY_RESULTS = 14,
    IPERF_DONE = 16,
    SERVER_ERROR = 0xfe,
    ACCESS_DENIED = 0xff,
};

/* iperf3's numbers for what it tells its user, as arguments of SERVER_ERROR. */
enum { ERROR_STREAMS = 6, ERROR_BLOCK = 7, ERROR_UNSUPPORTED = 13, ERROR_PARAMETERS = 114 };

enum {
    LENGTH_SIZE = 4,
    PARAMETERS_MAX = 4096,
    RESULTS_MAX = 1 << 18, /* of a client with as many streams as there may be */
    STEP_SECONDS = 30,
    BLOCK_MAX = 1 << 20,
    OMIT_MAX = 600, /* seconds */
    DAY = 86400,
    KEEPALIVE_IDLE_MS = 10000,
    KEEPALIVE_EVERY_MS = 5000,
    KEEPALIVES = 4,
};

static struct {
    struct tcp_pcb *control; /* NULL: there is no test */
    uint8_t state;
    uint8_t cookie[COOKIE_SIZE];
    struct timer step, omit;

    /* The message that is being received: its length, and of the parameters its text. */
    uint32_t message_have, message_size;
    char text[PARAMETERS_MAX];

    uint64_t reverse, both, nodelay, streams_each, seconds, omit_seconds;
    struct stream streams[2 * STREAMS_MAX];
    unsigned streams_count, streams_wanted;
    uint64_t began, took; /* ns */
} test;

/* --- the end ------------------------------------------------------------------------------ */

static void end_streams(void)
{
    for (unsigned i = 0; i < test.streams_count; i++)
        stream_end(&test.streams[i]);
}

/* The test is over; why: NULL when all went as it should. */
static void end_test(const char *why)
{
    struct tcp_pcb *pcb = test.control;

    if (why)
        log_limited(LOG_INFO, "the test has ended: %s", why);
    timer_disarm(&test.step);
    timer_disarm(&test.omit);
    end_streams();
    test.control = NULL;
    test.streams_count = 0;
    if (pcb)
        connection_close(pcb);
}

static void on_step_late(struct timer *t)
{
    end_test("the client takes too long");
}

/* --- saying ------------------------------------------------------------------------------- */

static void say(const void *data, size_t len)
{
    if (!test.control)
        return;
    if (tcp_write(test.control, data, (u16_t)len, TCP_WRITE_FLAG_COPY) != ERR_OK) {
        end_test("there is no memory for what it is to be told");
        return;
    }
    (void)tcp_output(test.control);
}

/* The test goes over to this state, and the client is told. */
static void enter(uint8_t state)
{
    uint64_t seconds = STEP_SECONDS;

    if (state == TEST_RUNNING)
        seconds = test.seconds ? test.seconds + test.omit_seconds + STEP_SECONDS : DAY;
    timer_arm_in(&test.step, seconds * NSEC_PER_SEC);
    test.state = state;
    test.message_have = 0;
    say(&state, sizeof(state));
}

static void put_be32(uint8_t *to, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        to[i] = (uint8_t)(value >> (24 - 8 * i));
}

static void refuse(uint8_t number, const char *why)
{
    uint8_t message[1 + 4 + 4] = {SERVER_ERROR};

    put_be32(message + 1, number);
    say(message, sizeof(message));
    end_test(why);
}

/* --- results ------------------------------------------------------------------------------ */

/* iperf3's numbers of a client's streams: 1, 3, 4, 5 ... */
static unsigned stream_number(unsigned index)
{
    return index ? index + 2 : 1;
}

#define HEAD                                                                                       \
    "{\"cpu_util_total\":0,\"cpu_util_user\":0,\"cpu_util_system\":0,"                             \
    "\"sender_has_retransmits\":0,\"streams\":["
#define STREAM(number, octets, end)                                                                \
    "%s{\"id\":" number ",\"bytes\":" octets ",\"retransmits\":0,\"jitter\":0,\"errors\":0,"       \
    "\"packets\":0,\"start_time\":0,\"end_time\":" end "}"
#define MOST "18446744073709551615"
enum { STREAM_TEXT = sizeof(STREAM(MOST, MOST, MOST ".000000")) };

/* How much of a CPU the guest has had it cannot know: the hypervisor does. */
static size_t write_results(char *to, size_t room)
{
    unsigned long us = test.took / 1000;
    size_t at = (size_t)fmt_print(to, room, HEAD);

    for (unsigned i = 0; i < test.streams_count; i++) {
        at +=
            (size_t)fmt_print(to + at, room - at, STREAM("%u", "%lu", "%lu.%06lu"), i ? "," : "",
                              stream_number(i), test.streams[i].octets, us / 1000000, us % 1000000);
    }
    return at + (size_t)fmt_print(to + at, room - at, "]}");
}

static void send_results(void)
{
    size_t room = LENGTH_SIZE + sizeof(HEAD "]}") + STREAM_TEXT * test.streams_count, size;
    uint8_t *message = net_mem_alloc(room);

    if (!message) {
        end_test("there is no memory for the results");
        return;
    }
    size = write_results((char *)message + LENGTH_SIZE, room - LENGTH_SIZE);
    put_be32(message, (uint32_t)size);
    say(message, LENGTH_SIZE + size);
    net_mem_free(message);
}

static void log_results(void)
{
    uint64_t received = 0, sent = 0;

    for (unsigned i = 0; i < test.streams_count; i++)
        *(test.streams[i].sends ? &sent : &received) += test.streams[i].octets;
    log_limited(LOG_INFO, "%s: %u streams, %lu KiB received, %lu KiB sent, %lu ms",
                ipaddr_ntoa(&test.control->remote_ip), test.streams_count, received / 1024,
                sent / 1024, test.took / NSEC_PER_MSEC);
}

/* --- the run ------------------------------------------------------------------------------ */

/* What was moved at first, while windows grew, is not to count. */
static void on_omitted(struct timer *t)
{
    for (unsigned i = 0; i < test.streams_count; i++)
        test.streams[i].octets = 0;
    test.began = time_monotonic();
}

static void run(void)
{
    uint8_t start = TEST_START;

    say(&start, sizeof(start));
    if (test.control)
        enter(TEST_RUNNING);
    if (!test.control)
        return;
    test.began = time_monotonic();
    if (test.omit_seconds)
        timer_arm_in(&test.omit, test.omit_seconds * NSEC_PER_SEC);
    for (unsigned i = 0; i < test.streams_count; i++)
        stream_run(&test.streams[i]);
}

static void stop(void)
{
    test.took = time_monotonic() - test.began;
    timer_disarm(&test.omit);
    log_results();
    end_streams();
    enter(EXCHANGE_RESULTS);
}

static err_t add_stream(struct tcp_pcb *pcb, struct pbuf *p)
{
    struct stream *s = &test.streams[test.streams_count];
    /* First those that the client sends on. */
    bool sends = test.reverse || test.streams_count >= test.streams_each;
    err_t err;

    test.streams_count++;
    err = stream_begin(s, pcb, sends, test.nodelay, p);
    if (test.streams_count == test.streams_wanted)
        run();
    return err;
}

/* --- messages ----------------------------------------------------------------------------- */

static void take_parameters(void)
{
    uint64_t tcp = 0, udp = 0, sctp = 0, block = 0, rate = 0;
    const struct json_member wanted[] = {
        {"tcp", 0, &tcp},
        {"udp", 0, &udp},
        {"sctp", 0, &sctp},
        {"reverse", 0, &test.reverse},
        {"bidirectional", 0, &test.both},
        {"nodelay", 0, &test.nodelay},
        {"parallel", UINT32_MAX, &test.streams_each},
        {"len", UINT32_MAX, &block},
        {"time", DAY, &test.seconds},
        {"omit", OMIT_MAX, &test.omit_seconds},
        {"bandwidth", UINT64_MAX, &rate},
    };
    bool valid;

    test.reverse = test.both = test.nodelay = test.seconds = test.omit_seconds = 0;
    test.streams_each = 1;
    valid = json_read(test.text, test.message_size, wanted, ARRAY_SIZE(wanted)) == 0;
    test.streams_wanted = (unsigned)(test.streams_each * (test.both ? 2 : 1));
    if (!valid)
        refuse(ERROR_PARAMETERS, "its parameters make no sense");
    else if (!tcp || udp || sctp || (rate && (test.reverse || test.both)))
        refuse(ERROR_UNSUPPORTED,
               "the client wants what there is not: UDP, SCTP or a rate to send at");
    else if (test.streams_each < 1 || test.streams_each > STREAMS_MAX)
        refuse(ERROR_STREAMS, "no such number of streams");
    else if (block > BLOCK_MAX)
        refuse(ERROR_BLOCK, "no such size of blocks");
    else
        enter(CREATE_STREAMS);
}

static void take_message(void)
{
    if (test.state == PARAM_EXCHANGE) {
        take_parameters();
        return;
    }
    send_results();
    if (test.control)
        enter(DISPLAY_RESULTS);
}

static void message_octet(uint8_t octet)
{
    uint32_t limit = test.state == PARAM_EXCHANGE ? PARAMETERS_MAX : RESULTS_MAX;
    uint32_t at = test.message_have++;

    if (at < LENGTH_SIZE)
        test.message_size = (at ? test.message_size << 8 : 0) | octet;
    else if (test.state == PARAM_EXCHANGE)
        test.text[at - LENGTH_SIZE] = (char)octet;
    if (test.message_have < LENGTH_SIZE)
        return;
    if (!test.message_size || test.message_size > limit)
        end_test("a message of an impossible length");
    else if (test.message_have == LENGTH_SIZE + test.message_size)
        take_message();
}

static void take_state(uint8_t state)
{
    if (state == TEST_END && test.state == TEST_RUNNING)
        stop();
    else if (state == IPERF_DONE && test.state == DISPLAY_RESULTS)
        end_test(NULL);
    else if (state == CLIENT_TERMINATE)
        end_test("the client gives up");
    else
        end_test("the client says what makes no sense now");
}

/* --- the control connection --------------------------------------------------------------- */

static err_t on_received(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
    if (!p) {
        end_test("the client has gone");
        return ERR_OK;
    }
    tcp_recved(pcb, p->tot_len);
    for (struct pbuf *q = p; q; q = q->next) {
        for (u16_t i = 0; i < q->len && test.control; i++) {
            uint8_t octet = ((const uint8_t *)q->payload)[i];

            if (test.state == PARAM_EXCHANGE || test.state == EXCHANGE_RESULTS)
                message_octet(octet);
            else
                take_state(octet);
        }
    }
    pbuf_free(p);
    return ERR_OK;
}

static void on_failed(void *arg, err_t err)
{
    test.control = NULL;
    end_test("its connection has failed");
}

static err_t begin(struct tcp_pcb *pcb, const uint8_t cookie[COOKIE_SIZE], struct pbuf *p)
{
    test.control = pcb;
    memcpy(test.cookie, cookie, COOKIE_SIZE);
    tcp_nagle_disable(pcb);
    ip_set_option(pcb, SOF_KEEPALIVE);
    pcb->keep_idle = KEEPALIVE_IDLE_MS;
    pcb->keep_intvl = KEEPALIVE_EVERY_MS;
    pcb->keep_cnt = KEEPALIVES;
    tcp_arg(pcb, NULL);
    tcp_recv(pcb, on_received);
    tcp_err(pcb, on_failed);
    enter(PARAM_EXCHANGE);
    return p ? on_received(NULL, pcb, p, ERR_OK) : ERR_OK;
}

err_t test_take(struct tcp_pcb *pcb, const uint8_t cookie[COOKIE_SIZE], struct pbuf *p)
{
    static const uint8_t denied = ACCESS_DENIED;

    if (!test.control)
        return begin(pcb, cookie, p);
    if (test.state == CREATE_STREAMS && memcmp(cookie, test.cookie, COOKIE_SIZE) == 0)
        return add_stream(pcb, p);
    if (p) {
        tcp_recved(pcb, p->tot_len);
        pbuf_free(p);
    }
    (void)tcp_write(pcb, &denied, sizeof(denied), 0);
    connection_close(pcb);
    return ERR_OK;
}

void test_init(void)
{
    timer_init(&test.step, on_step_late);
    timer_init(&test.omit, on_omitted);
}
