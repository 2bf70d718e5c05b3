/* SPDX-License-Identifier: ISC */
/*
 * BSD sockets as descriptors of the C library: each function finds lwIP's socket behind the
 * descriptor and calls lwIP's function of the same name. read(), write(), close(), fcntl() and
 * fstat() come through struct file_ops like those of every other kind of file.
 *
 * All of these may wait, so they are for threads (main() runs in one).
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "kernel/thread.h"
#include "lib/libc/file.h"
#include "lib/net/mem.h"
#include "lib/net/net.h"
#include "lib/util.h"

struct socket {
    struct file file;
    int s; /* lwIP's number */
};

static int socket_number(struct file *f)
{
    return container_of(f, struct socket, file)->s;
}

/*
 * What a call came to. One that would have had to wait and must not lets the others run first:
 * frames arrive in the event loop, and a program may do nothing but ask again.
 */
static ssize_t give_way(ssize_t n)
{
    int error = errno;

    if (n < 0 && (error == EWOULDBLOCK || error == EINPROGRESS || error == EALREADY ||
                  error == ENOMEM || error == ENOBUFS)) {
        thread_yield();
        errno = error;
    }
    return n;
}

/* lwIP's -1 and errno as a negative errno. */
static ssize_t outcome(ssize_t n)
{
    return give_way(n) < 0 ? -errno : n;
}

static ssize_t file_read(struct file *f, void *buf, size_t len)
{
    return outcome(lwip_read(socket_number(f), buf, len));
}

static ssize_t file_write(struct file *f, const void *buf, size_t len)
{
    return outcome(lwip_write(socket_number(f), buf, len));
}

static int file_set_nonblock(struct file *f, bool on)
{
    int value = on;

    return (int)outcome(lwip_ioctl(socket_number(f), FIONBIO, &value));
}

static void file_close(struct file *f)
{
    (void)lwip_close(socket_number(f));
    net_mem_free(container_of(f, struct socket, file));
}

static const struct file_ops socket_ops = {
    .read = file_read,
    .write = file_write,
    .type = S_IFSOCK,
    .set_nonblock = file_set_nonblock,
    .close = file_close,
};

/* A descriptor for lwIP's socket s, which is closed when there is none. */
static int install(int s)
{
    struct socket *sock;
    int fd;

    if (s < 0)
        return -1;
    sock = net_mem_calloc(1, sizeof(*sock));
    if (!sock) {
        (void)lwip_close(s);
        return (int)libc_result(-ENOMEM);
    }
    sock->file.ops = &socket_ops;
    sock->file.flags = O_RDWR;
    sock->s = s;
    fd = file_install(&sock->file);
    if (fd < 0)
        file_close(&sock->file);
    return (int)libc_result(fd);
}

/* The socket behind fd, to be put back; NULL with errno set. */
static struct file *get(int fd)
{
    struct file *f = file_get(fd);

    if (f && f->ops == &socket_ops)
        return f;
    if (f)
        file_put(f);
    errno = f ? ENOTSOCK : EBADF;
    return NULL;
}

/* The body of a function on one socket: `call` uses s. */
#define ON_SOCKET(type, fd, call)                                                                  \
    do {                                                                                           \
        struct file *f = get(fd);                                                                  \
        type result;                                                                               \
        int s;                                                                                     \
                                                                                                   \
        if (!f)                                                                                    \
            return -1;                                                                             \
        s = socket_number(f);                                                                      \
        result = (type)give_way(call);                                                             \
        file_put(f);                                                                               \
        return result;                                                                             \
    } while (0)

int socket(int domain, int type, int protocol)
{
    if (net_init())
        return (int)libc_result(-ENETDOWN);
    return install(lwip_socket(domain, type, protocol));
}

int accept(int fd, struct sockaddr *addr, socklen_t *len)
{
    struct file *f = get(fd);
    int s;

    if (!f)
        return -1;
    s = (int)give_way(lwip_accept(socket_number(f), addr, len));
    file_put(f);
    return install(s);
}

int bind(int fd, const struct sockaddr *addr, socklen_t len)
{
    ON_SOCKET(int, fd, lwip_bind(s, addr, len));
}

int listen(int fd, int backlog)
{
    ON_SOCKET(int, fd, lwip_listen(s, backlog));
}

int connect(int fd, const struct sockaddr *addr, socklen_t len)
{
    ON_SOCKET(int, fd, lwip_connect(s, addr, len));
}

int shutdown(int fd, int how)
{
    ON_SOCKET(int, fd, lwip_shutdown(s, how));
}

ssize_t send(int fd, const void *data, size_t size, int flags)
{
    ON_SOCKET(ssize_t, fd, lwip_send(s, data, size, flags));
}

ssize_t sendto(int fd, const void *data, size_t size, int flags, const struct sockaddr *to,
               socklen_t len)
{
    ON_SOCKET(ssize_t, fd, lwip_sendto(s, data, size, flags, to, len));
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    ON_SOCKET(ssize_t, fd, lwip_sendmsg(s, message, flags));
}

ssize_t recv(int fd, void *data, size_t size, int flags)
{
    ON_SOCKET(ssize_t, fd, lwip_recv(s, data, size, flags));
}

ssize_t recvfrom(int fd, void *data, size_t size, int flags, struct sockaddr *from, socklen_t *len)
{
    ON_SOCKET(ssize_t, fd, lwip_recvfrom(s, data, size, flags, from, len));
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
    ON_SOCKET(ssize_t, fd, lwip_recvmsg(s, message, flags));
}

ssize_t readv(int fd, const struct iovec *iov, int count)
{
    ON_SOCKET(ssize_t, fd, lwip_readv(s, iov, count));
}

ssize_t writev(int fd, const struct iovec *iov, int count)
{
    ON_SOCKET(ssize_t, fd, lwip_writev(s, iov, count));
}

int getsockname(int fd, struct sockaddr *addr, socklen_t *len)
{
    ON_SOCKET(int, fd, lwip_getsockname(s, addr, len));
}

int getpeername(int fd, struct sockaddr *addr, socklen_t *len)
{
    ON_SOCKET(int, fd, lwip_getpeername(s, addr, len));
}

int getsockopt(int fd, int level, int option, void *value, socklen_t *len)
{
    ON_SOCKET(int, fd, lwip_getsockopt(s, level, option, value, len));
}

int setsockopt(int fd, int level, int option, const void *value, socklen_t len)
{
    ON_SOCKET(int, fd, lwip_setsockopt(s, level, option, value, len));
}

/* --- waiting for several ----------------------------------------------------------------- */

/*
 * Looks up the descriptors of fds: those of sockets become lwIP's numbers in theirs, with the file
 * held in files; the others stay -1, which lwIP skips. A file of another kind can always be
 * written, and never tells that it can be read. Returns how many are ready without waiting.
 */
static int look_up(struct pollfd *fds, nfds_t count, struct pollfd *theirs, struct file **files)
{
    int ready = 0;

    for (nfds_t i = 0; i < count; i++) {
        struct file *f = fds[i].fd < 0 ? NULL : file_get(fds[i].fd);

        files[i] = f;
        theirs[i] = (struct pollfd){.fd = -1, .events = fds[i].events};
        fds[i].revents = 0;
        if (fds[i].fd >= 0 && !f)
            fds[i].revents = POLLNVAL;
        else if (f && f->ops == &socket_ops)
            theirs[i].fd = socket_number(f);
        else if (f)
            fds[i].revents = fds[i].events & POLLOUT;
        ready += fds[i].revents != 0;
    }
    return ready;
}

int poll(struct pollfd *fds, nfds_t count, int timeout)
{
    size_t each = sizeof(struct pollfd) + sizeof(struct file *);
    struct file **files = net_mem_alloc(MAX(count, 1) * each);
    struct pollfd *theirs;
    int ready, more;

    if (!files)
        return (int)libc_result(-ENOMEM);
    theirs = (struct pollfd *)(files + count);
    ready = look_up(fds, count, theirs, files);
    if (!timeout || ready)
        thread_yield(); /* see give_way() */
    more = lwip_poll(theirs, count, ready ? 0 : timeout);
    for (nfds_t i = 0; i < count; i++) {
        if (theirs[i].fd >= 0)
            fds[i].revents = theirs[i].revents;
        if (files[i])
            file_put(files[i]);
    }
    net_mem_free(files);
    return more < 0 ? more : ready + more;
}

static bool wanted(int fd, fd_set *set)
{
    return set && FD_ISSET(fd, set);
}

/* Keeps fd in set when it was there and is ready: how many, 0 or 1. */
static int answer(int fd, fd_set *set, bool ready)
{
    if (!wanted(fd, set))
        return 0;
    if (!ready)
        FD_CLR(fd, set);
    return ready;
}

/* A time for poll(), rounded up; -EINVAL: no time. */
static int milliseconds(const struct timeval *t)
{
    if (!t)
        return -1;
    if (t->tv_sec < 0 || t->tv_usec < 0 || t->tv_usec >= 1000000)
        return -EINVAL;
    if (t->tv_sec >= INT_MAX / 1000)
        return INT_MAX;
    return (int)(t->tv_sec * 1000 + (t->tv_usec + 999) / 1000);
}

int select(int count, fd_set *reads, fd_set *writes, fd_set *excepts, struct timeval *timeout)
{
    int ready = 0, result, wait = milliseconds(timeout);
    struct pollfd *fds;
    nfds_t n = 0;

    if (count < 0 || count > FD_SETSIZE || wait == -EINVAL)
        return (int)libc_result(-EINVAL);
    fds = net_mem_alloc((size_t)MAX(count, 1) * sizeof(*fds));
    if (!fds)
        return (int)libc_result(-ENOMEM);
    for (int fd = 0; fd < count; fd++) {
        short events =
            (short)((wanted(fd, reads) ? POLLIN : 0) | (wanted(fd, writes) ? POLLOUT : 0));

        if (events || wanted(fd, excepts))
            fds[n++] = (struct pollfd){.fd = fd, .events = events};
    }
    result = poll(fds, n, wait);
    for (nfds_t i = 0; i < n && result >= 0; i++) {
        int fd = fds[i].fd, seen = fds[i].revents;

        if (seen & POLLNVAL)
            result = (int)libc_result(-EBADF);
        ready += answer(fd, reads, seen & (POLLIN | POLLHUP | POLLERR));
        ready += answer(fd, writes, seen & (POLLOUT | POLLERR));
        ready += answer(fd, excepts, false);
    }
    net_mem_free(fds);
    return result < 0 ? -1 : ready;
}

#ifdef CONFIG_RESOLVER
const char *gai_strerror(int error)
{
    switch (error) {
    case 0:
        return "no error";
    case EAI_NONAME:
        return "no such name, or no answer from a name server";
    case EAI_SERVICE:
        return "a service must be a port number";
    case EAI_MEMORY:
        return "out of memory";
    case EAI_FAMILY:
        return "no such address family";
    default:
        return "the name could not be resolved";
    }
}
#endif
