/* SPDX-License-Identifier: ISC */
/* See options.h. */
#define _GNU_SOURCE
#include "arch/unix/sim/options.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/unix/gate.h"
#include "arch/unix/sim/report.h"
#include "lib/util.h"

#define MEMORY_MAX 65536
#if defined(CONFIG_SANITIZE) || defined(CONFIG_COVERAGE)
#define INSTRUMENTED true
#else
#define INSTRUMENTED false
#endif

static const char help[] =
    "usage: %s [OPTION...] [WORD...]\n"
    "\n"
    "Runs the app %s as a process, over a simulated Xen. The words are the guest's command\n"
    "line (default: \"%s\"); put -- in front when the first begins with -.\n"
    "\n"
    "  --memory=MIB       the guest's memory (default %u)\n"
    "  --name=NAME        the domain's name (default %s)\n"
    "  --net=WHAT         a network interface (may be repeated): tap:NAME is a TAP device, fd:N a\n"
    "                     socket of frames, vnet:N one of frames behind virtio_net_hdr, none a\n"
    "                     cable that hangs loose (default); behind it ,mac= ,ip= ,mtu= as in\n"
    "                     xl's vif=, and ,later: plugged in by a command of --control\n"
    "  --disk=[r:]FILE    a disk (may be repeated: xvda, xvdb ...), which r: in front makes "
    "read-only;\n"
    "                     FILE is an image or a block device; behind it ,later\n"
    "  --paused           starts with the command unpause of --control\n"
    "  --on-reboot=WHAT   restart (default) or exit\n"
    "  --control=FD       takes commands from this descriptor (arch/unix/sim/control.h)\n"
    "  --verbose          what the simulation does, on standard error\n"
    "  --help\n"
    "\n"
    "The terminal is the guest's console. Ctrl-C asks the guest to shut down; a second one ends\n"
    "it. The exit status is 0 after an orderly end, 1 after a crash, 2 when the simulation\n"
    "cannot go on.\n";

enum { MEMORY = 256, NAME, NET, DISK, PAUSED, ON_REBOOT, CONTROL, VERBOSE, HELP };

static const struct option known[] = {
    {"memory", required_argument, NULL, MEMORY},
    {"name", required_argument, NULL, NAME},
    {"net", required_argument, NULL, NET},
    {"disk", required_argument, NULL, DISK},
    {"paused", no_argument, NULL, PAUSED},
    {"on-reboot", required_argument, NULL, ON_REBOOT},
    {"control", required_argument, NULL, CONTROL},
    {"verbose", no_argument, NULL, VERBOSE},
    {"help", no_argument, NULL, HELP},
    {NULL, 0, NULL, 0},
};

static _Noreturn void refuse(const char *option, const char *value, const char *wanted)
{
    report_fatal("--%s=%s: %s is needed", option, value, wanted);
}

static unsigned number(const char *option, const char *value, unsigned min, unsigned max)
{
    char wanted[64], *end;
    unsigned long n;

    errno = 0;
    n = strtoul(value, &end, 10);
    if (value[0] < '0' || value[0] > '9' || *end || errno || n < min || n > max) {
        snprintf(wanted, sizeof(wanted), "a whole number from %u to %u", min, max);
        refuse(option, value, wanted);
    }
    return (unsigned)n;
}

static void set_text(char *dest, size_t size, const char *option, const char *value)
{
    if ((size_t)snprintf(dest, size, "%s", value) >= size)
        refuse("net", option, "a shorter value");
}

/* What stands behind the first comma of --net. */
static void set_nic(struct options *o, char *word)
{
    struct vif_config *c = &o->nics[o->nic_count].config;
    const char *value = strchr(word, '=');

    value = value ? value + 1 : "";
    if (!strncmp(word, "mac=", 4))
        set_text(c->mac, sizeof(c->mac), word, value);
    else if (!strncmp(word, "ip=", 3))
        set_text(c->ip, sizeof(c->ip), word, value);
    else if (!strncmp(word, "mtu=", 4))
        set_text(c->mtu, sizeof(c->mtu), word, value);
    else if (!strcmp(word, "later"))
        o->nics[o->nic_count].later = true;
    else
        refuse("net", word, "mac=, ip=, mtu= or later");
}

static void add_nic(struct options *o, const char *value)
{
    unsigned index = o->nic_count;
    const char *wrong;
    char *copy, *rest;

    if (index >= NIC_MAX)
        refuse("net", value, "no more than eight");
    rest = copy = strdup(value);
    if (!copy)
        report_fatal("no memory for --net=%s", value);
    snprintf(o->nics[index].config.mac, sizeof(o->nics[0].config.mac), "00:16:3e:00:00:%02x",
             index + 1);
    wrong = nic_open(&o->nics[index].nic, strsep(&rest, ","));
    if (wrong)
        report_fatal("--net=%s: %s", value, wrong);
    while (rest)
        set_nic(o, strsep(&rest, ","));
    free(copy);
    o->nic_count++;
}

static void add_disk(struct options *o, const char *value)
{
    unsigned index = o->disk_count;
    const char *wrong;
    char *copy, *rest;

    if (index >= DISK_MAX)
        refuse("disk", value, "no more than sixteen");
    rest = copy = strdup(value);
    if (!copy)
        report_fatal("no memory for --disk=%s", value);
    wrong = disk_open(&o->disks[index].disk, strsep(&rest, ","));
    if (wrong)
        report_fatal("--disk=%s: %s", value, wrong);
    o->disks[index].later = rest && !strcmp(rest, "later");
    if (rest && !o->disks[index].later)
        refuse("disk", rest, "later, or nothing behind a comma,");
    free(copy);
    o->disk_count++;
}

static void set(struct options *o, int option, const char *value)
{
    switch (option) {
    case MEMORY:
        o->domain.memory_mib = number("memory", value, 1, MEMORY_MAX);
        break;
    case NAME:
        o->domain.name = value;
        break;
    case NET:
        add_nic(o, value);
        break;
    case DISK:
        add_disk(o, value);
        break;
    case PAUSED:
        o->paused = true;
        break;
    case ON_REBOOT:
        o->restart = !strcmp(value, "restart");
        if (!o->restart && strcmp(value, "exit"))
            refuse("on-reboot", value, "restart or exit");
        break;
    case CONTROL:
        o->control = (int)number("control", value, 0, INT_MAX);
        break;
    case VERBOSE:
        report_set_verbose(true);
        break;
    default:
        exit(2); /* getopt has said why */
    }
}

/* The words with a blank between each two. */
static const char *join(char **words)
{
    static char line[MAX_GUEST_CMDLINE];
    size_t n = 0;

    for (; *words; words++) {
        n += (size_t)snprintf(line + n, sizeof(line) - n, "%s%s", n ? " " : "", *words);
        if (n >= sizeof(line))
            report_fatal("the guest's command line is longer than %zu bytes", sizeof(line) - 1);
    }
    return line;
}

void options_parse(struct options *o, int argc, char **argv)
{
    const struct guest_image *image = &guest_image;
    int option;

    *o = (struct options){
        .domain = {.name = image->name, .memory_mib = image->memory_mib, .cmdline = image->cmdline},
        .restart = true,
        .control = -1,
    };
    while ((option = getopt_long(argc, argv, "+", known, NULL)) != -1) {
        if (option == HELP) {
            printf(help, argv[0], image->name, image->cmdline, image->memory_mib, image->name);
            exit(0);
        }
        set(o, option, optarg);
    }
    while (o->nic_count < image->nics)
        add_nic(o, "none");
    if (INSTRUMENTED)
        o->domain.memory_mib += 8; /* stacks and data are larger: the guest has what it expects */
    if (argv[optind])
        o->domain.cmdline = join(argv + optind);
}
