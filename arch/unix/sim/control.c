/* SPDX-License-Identifier: ISC */
/* See control.h. */
#include "arch/unix/sim/control.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arch/unix/sim/blkback.h"
#include "arch/unix/sim/console.h"
#include "arch/unix/sim/event.h"
#include "arch/unix/sim/grant.h"
#include "arch/unix/sim/netback.h"
#include "arch/unix/sim/peer.h"
#include "arch/unix/sim/sched.h"
#include "arch/unix/sim/store.h"
#include "arch/unix/sim/toolstack.h"
#include "arch/unix/sim/vchan.h"
#include "arch/unix/sim/vtime.h"
#include "lib/util.h"

#define LINE_MAX 1024
#define QUIET_STEP NSEC_PER_MSEC
#define QUIET_PATIENCE (10 * NSEC_PER_SEC)

static struct {
    struct sched_fd fd;
    char line[LINE_MAX];
    size_t len;
    bool unpaused;
} control;

static void PRINTF_LIKE(1, 2) answer(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vdprintf(control.fd.fd, fmt, ap);
    va_end(ap);
    (void)!write(control.fd.fd, "\n", 1);
}

static const char *absolute(const char *path)
{
    return path[0] == '/' ? path : toolstack_path("%s", path);
}

static void do_shutdown(const char *what, const char *unused)
{
    (void)unused;
    toolstack_request(*what ? what : "poweroff");
    answer("ok");
}

static void do_sysrq(const char *letter, const char *unused)
{
    (void)unused;
    toolstack_sysrq(letter[0]);
    answer("ok");
}

static void do_read(const char *path, const char *unused)
{
    const char *value = store_read(absolute(path));

    (void)unused;
    if (value)
        answer("ok %s", value);
    else
        answer("error no such path");
}

static void do_write(const char *path, const char *value)
{
    store_write(absolute(path), value);
    answer("ok");
}

static void do_remove(const char *path, const char *unused)
{
    (void)unused;
    store_remove(absolute(path));
    answer("ok");
}

static void do_list(const char *path, const char *unused)
{
    char names[4096];

    (void)unused;
    if (store_list(absolute(path), names, sizeof(names)))
        answer("ok %s", names);
    else
        answer("error no such path");
}

static void do_chmod(const char *path, const char *perms)
{
    store_make(absolute(path), perms);
    answer("ok");
}

static void do_unpause(const char *unused, const char *unused2)
{
    (void)unused;
    (void)unused2;
    control.unpaused = true;
    answer("ok");
}

bool control_unpaused(void)
{
    return control.unpaused;
}

static void do_attach(const char *type, const char *index)
{
    unsigned n = (unsigned)strtoul(index, NULL, 10);

    if (!strcmp(type, "vif") && netback_of(n))
        toolstack_add_vif(n, &netback_of(n)->config);
    else if (!strcmp(type, "vbd") && blkback_of(n))
        toolstack_add_vbd(n, blkback_of(n)->disk.path, blkback_of(n)->disk.readonly);
    else
        type = NULL;
    answer(type ? "ok" : "error only a device that there was at the start");
}

static void detached(void)
{
    answer("ok");
}

static void do_detach(const char *type, const char *index)
{
    unsigned n = (unsigned)strtoul(index, NULL, 10);

    type = strcmp(type, "vbd") ? "vif" : "vbd";
    if (store_read(toolstack_path("device/%s/%u", type, n)))
        toolstack_detach(type, n, detached);
    else
        answer("error no such device");
}

static void do_backend(const char *what, const char *which)
{
    bool disk = !strncmp(which, "vbd ", 4), restart = !strcmp(what, "restart");
    unsigned n = (unsigned)strtoul(which + (disk ? 4 : 0), NULL, 10);

    if (disk && blkback_of(n))
        blkback_stop(blkback_of(n), restart);
    else if (!disk && netback_of(n))
        netback_stop(netback_of(n), restart);
    else
        which = NULL;
    answer(which ? "ok" : "error no such backend");
}

static void do_vif(const char *index, const char *unused)
{
    const struct netback *nb = netback_of((unsigned)strtoul(index, NULL, 10));

    (void)unused;
    if (nb)
        answer("ok sent=%lu received=%lu filtered=%lu posted=%u", nb->count.sent,
               nb->count.received, nb->count.filtered, netback_posted(nb));
    else
        answer("error no such backend");
}

static void do_vbd(const char *index, const char *unused)
{
    const struct blkback *bb = blkback_of((unsigned)strtoul(index, NULL, 10));

    (void)unused;
    if (bb)
        answer("ok reads=%lu writes=%lu flushes=%lu refused=%lu", bb->count.reads, bb->count.writes,
               bb->count.flushes, bb->count.refused);
    else
        answer("error no such backend");
}

static void vchan_ended(unsigned long received)
{
    answer("ok %lu", received);
}

static void do_vchan(const char *what, const char *rest)
{
    char path[128], in[512], out[512];
    const char *wrong = NULL;

    if (!strcmp(what, "wait")) {
        vchan_wait(vchan_ended);
        return;
    }
    if (!strcmp(what, "close"))
        vchan_close();
    else if (sscanf(rest, "%127s %511s %511s", path, in, out) == 3)
        wrong = vchan_open(!strcmp(what, "server"), absolute(path), in, out);
    else
        wrong = "client or server PATH IN OUT, wait or close";
    answer(wrong ? "error %s" : "ok", wrong);
}

static void do_lie(const char *name, const char *after)
{
    answer(peer_lie(name, (unsigned)strtoul(after, NULL, 10)) ? "ok" : "error no such lie");
}

static void do_lies(const char *unused, const char *unused2)
{
    (void)unused;
    (void)unused2;
    answer("ok %u", peer_count());
}

/* NAME WHEN [N] */
static void do_fault(const char *name, const char *rest)
{
    char *words = strdup(rest), *number = words;
    const char *when = number ? strsep(&number, " ") : "";

    answer(peer_fault(name, when, number ? (unsigned)strtoul(number, NULL, 10) : 0)
               ? "ok"
               : "error no such fault");
    free(words);
}

static void do_struck(const char *unused, const char *unused2)
{
    (void)unused;
    (void)unused2;
    answer("ok %u", peer_struck());
}

static void do_clock(const char *what, const char *milliseconds)
{
    int64_t ns = strtoll(milliseconds, NULL, 10) * (int64_t)NSEC_PER_MSEC;

    if (!strcmp(what, "step"))
        vtime_step(ns);
    else if (!strcmp(what, "wall"))
        vtime_step_wall(ns);
    else
        vtime_stand(!strcmp(what, "stop"));
    answer("ok");
}

static void do_features(const char *word, const char *unused)
{
    (void)unused;
    store_set_features((uint32_t)strtoul(word, NULL, 0));
    answer("ok");
}

static void do_console(const char *what, const char *unused)
{
    (void)unused;
    console_stall(!strcmp(what, "stop"));
    answer("ok");
}

static void do_grants(const char *unused, const char *unused2)
{
    (void)unused;
    (void)unused2;
    answer("ok %u %u", grant_count_given(), grant_count_mapped());
}

static void do_foreign(const char *unused, const char *unused2)
{
    (void)unused;
    (void)unused2;
    answer("ok %u", grant_count_foreign());
}

/* --- until the guest has nothing to do ---------------------------------------------------------- */

static struct {
    struct timer timer;
    uint64_t rest, give_up;
} quiet;

static void look_whether_quiet(struct timer *timer)
{
    uint64_t now = vtime_now(), since = sched_asleep_since();

    if (since < now && now - since >= quiet.rest)
        answer("ok");
    else if (now >= quiet.give_up)
        answer("error the guest is busy");
    else
        vtime_arm(timer, MAX(since < now ? since + quiet.rest : 0, now + QUIET_STEP));
}

static void do_quiet(const char *milliseconds, const char *unused)
{
    (void)unused;
    quiet.timer.fn = look_whether_quiet;
    quiet.rest = strtoul(milliseconds, NULL, 10) * NSEC_PER_MSEC;
    quiet.give_up = vtime_now() + QUIET_PATIENCE;
    vtime_arm(&quiet.timer, vtime_now()); /* soon: frames that came before the command come first */
}

static const struct {
    const char *name;
    void (*fn)(const char *word, const char *rest);
    bool needs_word;
} commands[] = {
    {"shutdown", do_shutdown, false},
    {"sysrq", do_sysrq, true},
    {"read", do_read, true},
    {"write", do_write, true},
    {"rm", do_remove, true},
    {"ls", do_list, true},
    {"chmod", do_chmod, true},
    {"unpause", do_unpause, false},
    {"attach", do_attach, true},
    {"detach", do_detach, true},
    {"backend", do_backend, true},
    {"vif", do_vif, true},
    {"vbd", do_vbd, true},
    {"vchan", do_vchan, true},
    {"lie", do_lie, true},
    {"lies", do_lies, false},
    {"fault", do_fault, true},
    {"struck", do_struck, false},
    {"clock", do_clock, true},
    {"features", do_features, true},
    {"console", do_console, true},
    {"grants", do_grants, false},
    {"foreign", do_foreign, false},
    {"quiet", do_quiet, true},
};

static void obey(char *line)
{
    char *rest = line;
    const char *name = strsep(&rest, " ");
    const char *word = rest ? strsep(&rest, " ") : "";

    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        if (strcmp(commands[i].name, name))
            continue;
        if (commands[i].needs_word && !*word)
            answer("error %s what?", name);
        else
            commands[i].fn(word, rest ? rest : "");
        return;
    }
    answer("error unknown command");
}

/* Whole lines of what has come. One that is too long is an unknown command. */
static void input(struct sched_fd *sfd, short revents)
{
    ssize_t n = read(sfd->fd, control.line + control.len, LINE_MAX - 1 - control.len);
    char *end;

    (void)revents;
    if (n <= 0) {
        sched_remove(sfd);
        return;
    }
    control.len += (size_t)n;
    control.line[control.len] = '\0';
    while ((end = strchr(control.line, '\n')) || control.len == LINE_MAX - 1) {
        size_t used = end ? (size_t)(end + 1 - control.line) : control.len;

        control.line[end ? used - 1 : used] = '\0';
        obey(control.line);
        memmove(control.line, control.line + used, control.len + 1 - used);
        control.len -= used;
    }
}

void control_serve(int fd)
{
    control.fd = (struct sched_fd){.fd = fd, .events = POLLIN, .fn = input};
    sched_add(&control.fd);
}
