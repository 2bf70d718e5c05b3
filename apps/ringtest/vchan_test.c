/* SPDX-License-Identifier: ISC */
/*
 * What the tests have a vchan do (N: its number; its path is data/vchan/N):
 *
 *   vchan N serve LEFT RIGHT BYTES [DOMAIN]   a server with rings of these orders, for that domain (0): it
 *                                      sends back what it is sent, and closes after so many bytes (0: never)
 *   vchan N connect PATH BYTES [DOMAIN]       the same as the client of its server at an absolute path
 *   vchan N info
 *
 * What comes of it is a line "vchan N: serve: COUNT bytes, WHY".
 */
#include <errno.h>
#include <string.h>

#include "apps/ringtest/ringtest.h"
#include "apps/ringtest/vchan.h"
#include "kernel/app.h"
#include "lib/util.h"

#define LOG_MODULE "ringtest"
#define CHUNK 1500 /* more than the smallest ring, and no divisor of any */

static const char *name_of(int err)
{
    switch (err) {
    case 0:
        return "closed";
    case -EPIPE:
        return "the peer has closed";
    case -EPROTO:
        return "disabled";
    default:
        return errno_name(err);
    }
}

/* Sends back what comes, until so many bytes have. */
static int echo(struct vchan *v, uint64_t bytes, uint64_t *done)
{
    char buf[CHUNK];

    while (!bytes || *done < bytes) {
        int n = vchan_read(v, buf, sizeof(buf));
        int err = n > 0 ? vchan_write(v, buf, (size_t)n) : n;

        if (n == 0)
            return -EPIPE;
        if (err)
            return err;
        *done += (uint64_t)n;
    }
    return vchan_drain(v);
}

static void do_serve(unsigned number, char **words)
{
    uint64_t done = 0;
    struct vchan v;
    int err = vchan_serve(&v, number, (domid_t)ringtest_number(words[6]),
                          (unsigned)ringtest_number(words[3]), (unsigned)ringtest_number(words[4]));

    if (!err) {
        log_info("vchan %u: waits for its client", number);
        err = echo(&v, ringtest_number(words[5]), &done);
        vchan_close(&v);
    }
    log_info("vchan %u: serve: %lu bytes, %s", number, (unsigned long)done, name_of(err));
}

static void do_connect(unsigned number, char **words)
{
    uint64_t done = 0;
    struct vchan v;
    int err = vchan_connect(&v, number, (domid_t)ringtest_number(words[5]), words[3]);

    if (!err) {
        log_info("vchan %u: has connected", number);
        err = echo(&v, ringtest_number(words[4]), &done);
        vchan_close(&v);
    }
    log_info("vchan %u: connect: %lu bytes, %s", number, (unsigned long)done, name_of(err));
}

void vchan_command(char **words)
{
    unsigned number = (unsigned)ringtest_number(words[1]);

    if (!strcmp(words[2], "serve"))
        do_serve(number, words);
    else if (!strcmp(words[2], "connect"))
        do_connect(number, words);
    else if (!strcmp(words[2], "info"))
        log_info("vchan %u: info: %u disabled", number, vchan_count_disabled());
    else
        log_error("vchan %u: cannot %s", number, words[2]);
}
