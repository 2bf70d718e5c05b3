/* SPDX-License-Identifier: ISC */
/*
 * Runs in dom0: a command while Xen traces, and then how often each domain entered Xen meanwhile.
 *
 *   hypercount DOMID COMMAND...
 *
 * Prints "guest N guest_events N dom0 N dom0_events N guest_event_1_at N guest_event_2_at N": hypercalls of domain
 * DOMID and of dom0, how many of these were event channel operations, and for a domain that is paused at
 * first, how long it had run until its first two of those (0: they never came): cycles, with what Xen's tracing took. What the command prints is thrown away. Ends
 * with an error if Xen had to drop a record, or the machine has several CPUs.
 *
 * Xen writes a record for every hypercall of a PV guest, without the caller's name; between them
 * stand the scheduler's records of who runs next. Nobody reads the buffer until the command has
 * ended, so that what is counted is not disturbed: it has to hold everything.
 *
 * Documents: Xen's public/trace.h (the records), public/sysctl.h (XEN_SYSCTL_tbuf_op).
 */
#define __XEN_TOOLS__ 1
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xen/xen.h>
#include <xen/sysctl.h>
#include <xen/trace.h>

#include "load.h"

#define PAGE 4096
#define BUFFER_PAGES 4096
#define EVENTS (TRC_PV_ENTRY | TRC_SCHED_MIN)
#define RUNSTATES 0xff0u /* in an event TRC_SCHED_RUNSTATE_CHANGE: the states, old and new */
#define NEW_STATE(event) ((event) >> 4 & 15)
#define OLD_STATE(event) ((event) >> 8 & 15)
#define RUNNING 0
#define OPERATION 0xfffffu /* in the first word of a hypercall's record */

struct privcmd_hypercall {
    uint64_t op, arg[5];
};
struct privcmd_mmap_entry {
    uint64_t va, mfn, npages;
};
struct privcmd_mmap {
    int num;
    domid_t dom;
    struct privcmd_mmap_entry *entry;
};
#define IOCTL_PRIVCMD_HYPERCALL _IOC(_IOC_NONE, 'P', 0, sizeof(struct privcmd_hypercall))
#define IOCTL_PRIVCMD_MMAP _IOC(_IOC_NONE, 'P', 2, sizeof(struct privcmd_mmap))

#define TIMED 2
struct calls {
    long all, events;
    uint64_t ran,
        since; /* cycles: until its last stop, and the clock when it last changed its state */
    uint64_t ran_at[TIMED];
};

static int privcmd;

static int control(uint32_t cmd, struct xen_sysctl_tbuf_op *tbuf)
{
    static struct xen_sysctl op;
    struct privcmd_hypercall call = {__HYPERVISOR_sysctl, {(uint64_t)&op}};
    int status;

    memset(&op, 0, sizeof(op));
    op.cmd = XEN_SYSCTL_tbuf_op;
    op.interface_version = XEN_SYSCTL_INTERFACE_VERSION;
    op.u.tbuf_op = *tbuf;
    op.u.tbuf_op.cmd = cmd;
    status = ioctl(privcmd, IOCTL_PRIVCMD_HYPERCALL, &call);
    *tbuf = op.u.tbuf_op;
    return status;
}

/* Maps Xen's pages, one behind the other: a mapping has to be filled by one call. */
static void *map(const uint32_t *mfns, size_t count, int protection)
{
    static struct privcmd_mmap_entry entries[BUFFER_PAGES];
    struct privcmd_mmap request = {(int)count, DOMID_XEN, entries};
    char *at = mmap(NULL, count * PAGE, protection, MAP_SHARED, privcmd, 0);

    if (at == MAP_FAILED)
        fail("mmap of /dev/xen/privcmd");
    for (size_t i = 0; i < count; i++)
        entries[i] = (struct privcmd_mmap_entry){(uint64_t)(at + i * PAGE), mfns[i], 1};
    if (ioctl(privcmd, IOCTL_PRIVCMD_MMAP, &request))
        fail("IOCTL_PRIVCMD_MMAP");
    return at;
}

/* Switches tracing on with an empty buffer; its size is a matter of the first call after boot. */
static struct t_buf *start_tracing(size_t *size)
{
    struct xen_sysctl_tbuf_op tbuf = {.size = BUFFER_PAGES};
    struct t_info *info;
    struct t_buf *buffer;
    uint32_t mfns[BUFFER_PAGES];
    size_t pages;

    (void)control(XEN_SYSCTL_TBUFOP_set_size, &tbuf);
    if (control(XEN_SYSCTL_TBUFOP_get_info, &tbuf))
        fail("XEN_SYSCTL_TBUFOP_get_info");
    pages = tbuf.size / PAGE;
    for (size_t i = 0; i < pages && i < BUFFER_PAGES; i++)
        mfns[i] = (uint32_t)tbuf.buffer_mfn + (uint32_t)i;
    info = map(mfns, pages, PROT_READ);
    if (info->mfn_offset[1]) {
        fprintf(stderr, "hypercount: for one CPU only\n");
        exit(1);
    }
    buffer = map((uint32_t *)info + info->mfn_offset[0], info->tbuf_size, PROT_READ | PROT_WRITE);
    *size = (size_t)info->tbuf_size * PAGE - sizeof(struct t_buf);
    buffer->cons = buffer->prod;
    tbuf.evt_mask = EVENTS;
    if (control(XEN_SYSCTL_TBUFOP_set_evt_mask, &tbuf) || control(XEN_SYSCTL_TBUFOP_enable, &tbuf))
        fail("XEN_SYSCTL_TBUFOP_enable");
    return buffer;
}

static void stop_tracing(void)
{
    struct xen_sysctl_tbuf_op tbuf = {0};

    if (control(XEN_SYSCTL_TBUFOP_disable, &tbuf))
        fail("XEN_SYSCTL_TBUFOP_disable");
}

static void run(char **command)
{
    pid_t child = fork();
    int status;

    if (child == 0) {
        int nothing = open("/dev/null", O_WRONLY);

        dup2(nothing, 1);
        execvp(command[0], command);
        _exit(127);
    }
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
        fail(command[0]);
}

/* One record: words[count], at that time. domain: who runs. */
static void count_one(struct calls *calls, unsigned *domain, uint32_t event, uint64_t time,
                      const uint32_t *words)
{
    struct calls *c;

    if ((event & ~RUNSTATES) == TRC_SCHED_RUNSTATE_CHANGE) {
        c = &calls[words[0] >> 16];
        if (OLD_STATE(event) == RUNNING)
            c->ran += time - c->since;
        c->since = time;
        if (NEW_STATE(event) == RUNNING)
            *domain = words[0] >> 16;
    } else if (event == TRC_PV_HYPERCALL_V2) {
        c = &calls[*domain];
        c->all++;
        if ((words[0] & OPERATION) != __HYPERVISOR_event_channel_op)
            return;
        c->events++;
        if (c->events <= TIMED)
            c->ran_at[c->events - 1] = c->ran + time - c->since;
    }
}

/* Counts into one struct for each domain id; who runs at the start is dom0, which asked for it. */
static void count(const struct t_buf *buffer, size_t size, struct calls *calls)
{
    const char *data = (const char *)(buffer + 1);
    uint32_t at = buffer->cons, end = buffer->prod;
    unsigned domain = 0;

    while (at != end) {
        const char *record = data + at % size;
        uint32_t head = *(const uint32_t *)record, event = TRC_HD_TO_EVENT(head);
        uint32_t stamp = TRC_HD_INCLUDES_CYCLE_COUNT(head) ? 8 : 0, count = head >> 28 & 7;
        uint32_t words[7] = {0};
        uint64_t time = 0;

        if (event == TRC_LOST_RECORDS) {
            fprintf(stderr, "hypercount: the buffer is too small\n");
            exit(1);
        }
        memcpy(&time, record + 4, stamp);
        memcpy(words, record + 4 + stamp, 4 * count);
        count_one(calls, &domain, event, time, words);
        at = (at + 4 + stamp + 4 * count) % (uint32_t)(2 * size);
    }
}

int main(int argc, char **argv)
{
    static struct calls calls[1 << 16];
    unsigned guest = argc < 3 ? 0 : (unsigned)atoi(argv[1]);
    struct t_buf *buffer;
    size_t size;

    if (guest == 0)
        return 2;
    privcmd = open("/dev/xen/privcmd", O_RDWR);
    if (privcmd < 0)
        fail("/dev/xen/privcmd");
    buffer = start_tracing(&size);
    run(argv + 2);
    stop_tracing();
    count(buffer, size, calls);
    printf("guest %ld guest_events %ld dom0 %ld dom0_events %ld", calls[guest].all,
           calls[guest].events, calls[0].all, calls[0].events);
    for (unsigned i = 0; i < TIMED; i++)
        printf(" guest_event_%u_at %lu", i + 1, calls[guest].ran_at[i]);
    printf("\n");
    return 0;
}
