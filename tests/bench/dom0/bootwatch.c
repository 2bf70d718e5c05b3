/* SPDX-License-Identifier: ISC */
/*
 * Runs in dom0: starts a paused guest and tells when it printed its first line and when it first
 * answered, in nanoseconds since it was started, and what CPU time the guest had used by then.
 *
 *   bootwatch DOMID LOG [ADDRESS PORT MAC HEX]
 *
 * Prints "first_line NS CPU" and, with an address, "first_answer NS CPU". HEX is the datagram to
 * ask with; an answer begins with the same two bytes and has, as a DNS message, RCODE 0. The guest's
 * Ethernet address is entered beforehand: ARP's retries, a second apart, are not the guest's.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if_arp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "load.h"

#define LOOK_EVERY 100000LL /* nanoseconds */
#define ASK_EVERY 1000000LL
#define CHECK_EVERY 1000000000LL
#define PATIENCE 120000000000LL /* BIND reads a million names in half of it */

static const char *domid;

static void tell(const char *event, long long started)
{
    long long passed = now() - started;
    char text[512];

    domstat(text, sizeof(text), domid, NULL);
    printf("%s %lld %lld\n", event, passed, domstat_field(text, "cpu_time="));
    fflush(stdout);
}

/* On the interface that leads to the address. */
static void enter_neighbour(int s, const char *address, const char *mac)
{
    struct arpreq request = {.arp_flags = ATF_COM | ATF_PERM};
    struct sockaddr_in *to = (struct sockaddr_in *)&request.arp_pa;
    unsigned char *bytes = (unsigned char *)request.arp_ha.sa_data;

    to->sin_family = AF_INET;
    inet_pton(AF_INET, address, &to->sin_addr);
    request.arp_ha.sa_family = ARPHRD_ETHER;
    if (sscanf(mac, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", bytes, bytes + 1, bytes + 2, bytes + 3,
               bytes + 4, bytes + 5) != 6 ||
        ioctl(s, SIOCSARP, &request))
        fail("SIOCSARP");
}

static bool has_printed(const char *log, off_t before)
{
    struct stat file;

    return stat(log, &file) == 0 && file.st_size > before;
}

int main(int argc, char **argv)
{
    char query[512], answer[2048], text[512];
    bool printed = false, answered = argc != 7;
    long long started, checked, asked = 0;
    struct stat file;
    long size = 0;
    off_t before;
    int s = -1;

    if (argc != 3 && argc != 7)
        return 2;
    domid = argv[1];
    before = stat(argv[2], &file) ? 0 : file.st_size;
    if (!answered) {
        s = connect_to(argv[3], argv[4], SOCK_DGRAM);
        enter_neighbour(s, argv[3], argv[5]);
        size = from_hex(argv[6], query, sizeof(query));
    }
    domstat(text, sizeof(text), "-u", domid);
    started = checked = domstat_field(text, "unpaused_at=");
    while (!printed || !answered) {
        struct timespec pause = {.tv_nsec = LOOK_EVERY};

        if (!printed && has_printed(argv[2], before)) {
            tell("first_line", started);
            printed = true;
        }
        if (!answered && now() - asked >= ASK_EVERY) {
            asked = now();
            (void)!send(s, query, (size_t)size, MSG_DONTWAIT); /* refused while nobody listens */
        }
        if (!answered && recv(s, answer, sizeof(answer), MSG_DONTWAIT) >= 4 &&
            !memcmp(answer, query, 2) && (answer[3] & 15) == 0) {
            tell("first_answer", started);
            answered = true;
        }
        if (now() - checked > CHECK_EVERY) {
            checked = now();
            domstat(text, sizeof(text), domid, NULL);
            (void)domstat_field(text, "cpu_time="); /* ends us when the guest has ended */
        }
        if (now() - started > PATIENCE) {
            fprintf(stderr, "bootwatch: no sign of life\n");
            return 1;
        }
        nanosleep(&pause, NULL);
    }
    return 0;
}
