/* SPDX-License-Identifier: ISC */
/*
 * echo-sockets' datagrams: what comes is sent back, but not to another echo service.
 */
#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>

enum { SOCKET = 5 };

static struct sockaddr_in6 sender;
static ssize_t datagram; /* octets that came, or -1 */
static unsigned sent;

static ssize_t fake_recvfrom(int s, void *data, size_t size, struct sockaddr *from, socklen_t *len)
{
    ck_assert_int_eq(s, SOCKET);
    ck_assert_uint_ge(*len, sizeof(sender));
    if (datagram < 0)
        return -1;
    ck_assert_uint_le((size_t)datagram, size);
    memset(data, 'x', (size_t)datagram);
    memcpy(from, &sender, sizeof(sender));
    *len = sizeof(sender);
    return datagram;
}

static ssize_t fake_sendto(int s, const char *data, size_t size, const struct sockaddr *to,
                           socklen_t len)
{
    ck_assert_int_eq(s, SOCKET);
    ck_assert_int_eq((ssize_t)size, datagram);
    for (size_t i = 0; i < size; i++)
        ck_assert_int_eq(data[i], 'x');
    ck_assert_uint_eq(len, sizeof(sender));
    ck_assert_mem_eq(to, &sender, len);
    sent++;
    return (ssize_t)size;
}

#define main(...) echo_main(__VA_ARGS__)
#define recvfrom(s, data, size, flags, from, len) fake_recvfrom(s, data, size, from, len)
#define sendto(s, data, size, flags, to, len) fake_sendto(s, data, size, to, len)
int echo_main(int argc, char **argv);
#include "apps/echo-sockets/main.c"
#undef main

static const struct {
    unsigned short from, port;
    ssize_t octets;
    unsigned sent;
} cases[] = {
    {4711, 7, 100, 1}, {4711, 7, 0, 1},   {4711, 7, -1, 0},      {7, 7, 100, 0},
    {7, 7, 0, 0},      {7, 7007, 100, 1}, {7007, 7007, 1000, 0},
};

START_TEST(test_datagram)
{
    static char buffer[DATAGRAM_MAX];

    sender = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(cases[_i].from)};
    datagram = cases[_i].octets;
    sent = 0;
    echo_datagram(SOCKET, buffer, cases[_i].port);
    ck_assert_uint_eq(sent, cases[_i].sent);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("datagrams");
    Suite *s = suite_create("echo_sockets");
    SRunner *r = srunner_create(s);
    int failed;

    suite_add_tcase(s, t);
    tcase_add_loop_test(t, test_datagram, 0, sizeof(cases) / sizeof(cases[0]));
    srunner_run_all(r, CK_ENV);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
