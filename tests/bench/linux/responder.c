/* SPDX-License-Identifier: ISC */
/*
 * A trivial server: RFC 862's echo on port 7, by two system calls a datagram. One process answers
 * datagrams; one for each TCP connection copies what it reads.
 */
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static char buffer[65536];

static int open_socket(int type)
{
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(7)};
    int one = 1, s = socket(AF_INET, type, 0);

    setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (s < 0 || bind(s, (struct sockaddr *)&here, sizeof(here)) ||
        (type == SOCK_STREAM && listen(s, 128))) {
        perror("responder");
        exit(1);
    }
    return s;
}

static void echo_datagrams(int s)
{
    for (;;) {
        struct sockaddr_in from;
        socklen_t length = sizeof(from);
        ssize_t n = recvfrom(s, buffer, sizeof(buffer), 0, (struct sockaddr *)&from, &length);

        if (n >= 0)
            sendto(s, buffer, (size_t)n, 0, (struct sockaddr *)&from, length);
    }
}

static void echo_stream(int s)
{
    ssize_t n;

    while ((n = read(s, buffer, sizeof(buffer))) > 0) {
        for (ssize_t done = 0, step; done < n; done += step) {
            step = write(s, buffer + done, (size_t)(n - done));
            if (step <= 0)
                return;
        }
    }
}

int main(void)
{
    int udp = open_socket(SOCK_DGRAM), tcp = open_socket(SOCK_STREAM);

    signal(SIGCHLD, SIG_IGN);
    if (fork() == 0)
        echo_datagrams(udp);
    for (;;) {
        int s = accept(tcp, NULL, NULL);

        if (s >= 0 && fork() == 0) {
            echo_stream(s);
            exit(0);
        }
        close(s);
    }
}
