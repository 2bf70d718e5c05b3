/* SPDX-License-Identifier: ISC */
/*
 * domstat [DOMID]: one line per domain with its CPU time in nanoseconds, state and memory.
 * domstat -u DOMID: starts the paused domain and prints the time (CLOCK_MONOTONIC, nanoseconds).
 *
 * xl prints CPU time in tenths of a second. Under QEMU's -icount a nanosecond is one instruction,
 * so the tests' budgets need the hypervisor's own figure: XEN_DOMCTL_getdomaininfo through
 * /dev/xen/privcmd. It is made without libc and libxenctrl, so that it needs nothing but a compiler
 * and the public headers of the very Xen version it will run on (the domctl interface is not stable
 * between versions).
 */
#define __XEN_TOOLS__ 1
#include <stddef.h>
#include <stdint.h>
#include <xen/xen.h>
#include <xen/domctl.h>

enum {
    SYS_write = 1,
    SYS_open = 2,
    SYS_ioctl = 16,
    SYS_exit = 60,
    SYS_clock_gettime = 228,
    O_RDWR = 2,
    CLOCK_MONOTONIC = 1,
};

struct privcmd_hypercall {
    uint64_t op;
    uint64_t arg[5];
};
/* _IOC(_IOC_NONE, 'P', 0, sizeof(struct privcmd_hypercall)) */
#define IOCTL_PRIVCMD_HYPERCALL ((sizeof(struct privcmd_hypercall) << 16) | ('P' << 8))

static long syscall3(long nr, long a, long b, long c)
{
    long ret;

    __asm__ volatile("syscall"
                     : "=a"(ret)
                     : "0"(nr), "D"(a), "S"(b), "d"(c)
                     : "rcx", "r11", "memory");
    return ret;
}

static char line[512];
static size_t used;

static void put(const char *s)
{
    while (*s && used < sizeof(line))
        line[used++] = *s++;
}

static void put_number(const char *name, uint64_t value)
{
    char digits[24], *p = digits + sizeof(digits) - 1;

    *p = '\0';
    do
        *--p = (char)('0' + value % 10);
    while (value /= 10);
    put(name);
    put(p);
}

static void flush(int fd)
{
    syscall3(SYS_write, fd, (long)line, (long)used);
    used = 0;
}

/* The flags can be set together (a shutdown domain may be paused): all of them, joined by '+'. */
static void put_state(uint32_t flags)
{
    static const struct {
        uint32_t bit;
        const char *name;
    } names[] = {
        {XEN_DOMINF_dying, "+dying"},     {XEN_DOMINF_shutdown, "+shutdown"},
        {XEN_DOMINF_paused, "+paused"},   {XEN_DOMINF_blocked, "+blocked"},
        {XEN_DOMINF_running, "+running"},
    };

    put(" state=");
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (flags & names[i].bit)
            put(line[used - 1] == '=' ? names[i].name + 1 : names[i].name);
    if (line[used - 1] == '=')
        put("runnable");
    if (flags & XEN_DOMINF_shutdown)
        put_number(" reason=", (flags >> XEN_DOMINF_shutdownshift) & XEN_DOMINF_shutdownmask);
}

static void fail(const char *why, uint64_t value)
{
    put("domstat: ");
    put(why);
    put_number(" ", value);
    put("\n");
    flush(2);
    syscall3(SYS_exit, 1, 0, 0);
}

static long domctl(long fd, struct xen_domctl *op, uint32_t cmd, domid_t domid)
{
    struct privcmd_hypercall call = {__HYPERVISOR_domctl, {(uint64_t)op}};

    for (size_t i = 0; i < sizeof(*op); i++)
        ((volatile char *)op)[i] = 0;
    op->cmd = cmd;
    op->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
    op->domain = domid;
    return syscall3(SYS_ioctl, fd, IOCTL_PRIVCMD_HYPERCALL, (long)&call);
}

static long get_info(long fd, struct xen_domctl *op, domid_t domid)
{
    return domctl(fd, op, XEN_DOMCTL_getdomaininfo, domid);
}

static void print_domain(const struct xen_domctl *op)
{
    const struct xen_domctl_getdomaininfo *info = &op->u.getdomaininfo;

    put_number("domid=", op->domain);
    put_number(" cpu_time=", info->cpu_time);
    put_state(info->flags);
    put_number(" pages=", info->tot_pages);
    put_number(" max_pages=", info->max_pages);
    put_number(" vcpus=", info->nr_online_vcpus);
    put("\n");
    flush(1);
}

static uint64_t number(const char *digits)
{
    uint64_t value = 0;

    for (; *digits; digits++)
        value = value * 10 + (uint64_t)(*digits - '0');
    return value;
}

/* xl unpause takes longer than a small guest needs to boot. */
static void unpause(long fd, struct xen_domctl *op, domid_t domid)
{
    int64_t time[2];

    syscall3(SYS_clock_gettime, CLOCK_MONOTONIC, (long)time, 0);
    if (domctl(fd, op, XEN_DOMCTL_unpausedomain, domid))
        fail("cannot unpause", domid);
    put_number("unpaused_at=", (uint64_t)time[0] * 1000000000 + (uint64_t)time[1]);
    put("\n");
    flush(1);
}

__attribute__((used)) static void run(long argc, char **argv)
{
    static struct xen_domctl op;
    uint64_t domid = 0;
    long fd = syscall3(SYS_open, (long)"/dev/xen/privcmd", O_RDWR, 0);

    if (fd < 0)
        fail("cannot open /dev/xen/privcmd, error", (uint64_t)-fd);
    if (argc > 2 && argv[1][0] == '-' && argv[1][1] == 'u') {
        unpause(fd, &op, (domid_t)number(argv[2]));
    } else if (argc > 1) {
        domid = number(argv[1]);
        if (get_info(fd, &op, (domid_t)domid) || op.u.getdomaininfo.domain != domid)
            fail("no domain", domid);
        print_domain(&op);
    } else {
        /* Up to Xen 4.17 the answer may be for the next existing domain, later never. */
        for (domid = 0; domid < 1024; domid++)
            if (!get_info(fd, &op, (domid_t)domid) && op.u.getdomaininfo.domain == domid)
                print_domain(&op);
    }
    syscall3(SYS_exit, 0, 0, 0);
}

/* The kernel enters with argc at the stack pointer; rsp must be 16-byte aligned before the call. */
__asm__(".globl _start\n"
        "_start: mov (%rsp), %rdi\n"
        " lea 8(%rsp), %rsi\n"
        " and $-16, %rsp\n"
        " call run\n"
        " hlt\n");
