/* SPDX-License-Identifier: ISC */
/* For kernel/log.h: the names that xenstored uses, and those of what the kernel's own calls return. */

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "kernel/log.h"
#include "lib/util.h"

#define NAME(e)                                                                                    \
    {                                                                                              \
        e, #e                                                                                      \
    }

static const struct {
    uint8_t number;
    char name[11]; /* in place: no pointers */
} table[] = {
    NAME(EPERM),    NAME(ENOENT),     NAME(EIO),        NAME(E2BIG),     NAME(EAGAIN),
    NAME(ENOMEM),   NAME(EACCES),     NAME(EBUSY),      NAME(EEXIST),    NAME(ENODEV),
    NAME(EISDIR),   NAME(EINVAL),     NAME(ENOSPC),     NAME(EROFS),     NAME(ERANGE),
    NAME(ENOSYS),   NAME(ENOTEMPTY),  NAME(EISCONN),    NAME(EFAULT),    NAME(EMSGSIZE),
    NAME(ENOTCONN), NAME(EADDRINUSE), NAME(EOPNOTSUPP), NAME(ETIMEDOUT), NAME(ECONNRESET),
};

const char *errno_name(int err)
{
    static char other[12];

    for (unsigned i = 0; i < ARRAY_SIZE(table); i++)
        if (table[i].number == -err)
            return table[i].name;
    (void)fmt_print(other, sizeof(other), "%d", err);
    return other;
}

int errno_number(const char *name)
{
    for (unsigned i = 0; i < ARRAY_SIZE(table); i++)
        if (!strcmp(table[i].name, name))
            return -table[i].number;
    return 0;
}
