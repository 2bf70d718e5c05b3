/* SPDX-License-Identifier: ISC */
/*
 * Output for programs that do no more than print (CONFIG_LIBC_STDIO_CONSOLE): the functions of <stdio.h> that
 * write text, on the kernel's own formatting, straight to the console. There is no buffer, so nothing is left
 * to be flushed, and no other stream: whatever FILE is named is the console.
 *
 * A program that wants more of stdio brings newlib's own into the link, which then ends with a "multiple
 * definition" of what is here: such a program needs CONFIG_LIBC_STDIO_SMALL.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "kernel/app.h"
#include "kernel/console.h"
#include "kernel/log.h"
#include "kernel/page.h"

#undef errno

/* What newlib's exit() calls; and where its calls of the system leave their error (file.c has the right one
 * by then). Both stand in for objects that would bring the streams along. */
extern void (*__stdio_exit_handler)(void);
void (*__stdio_exit_handler)(void);
extern int errno;
int errno;

static int write_text(const char *text, size_t len)
{
    console_write_wait(text, len);
    return (int)len;
}

int vprintf(const char *restrict fmt, va_list ap)
{
    char line[128], *text = line;
    unsigned order = 0;
    int n = fmt_vprint(line, sizeof(line), fmt, ap);

    if (n < 0) { /* more than an int can say */
        errno = EOVERFLOW;
        return -1;
    }
    if ((size_t)n < sizeof(line))
        return write_text(line, (size_t)n);
    while (PAGE_SIZE << order <= (size_t)n)
        order++;
    text = page_alloc(order);
    if (!text) /* what there is room for */
        return write_text(line, sizeof(line) - 1);
    (void)fmt_vprint(text, PAGE_SIZE << order, fmt, ap);
    (void)write_text(text, (size_t)n);
    page_free(text, order);
    return n;
}

int printf(const char *restrict fmt, ...)
{
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vprintf(fmt, ap);
    va_end(ap);
    return n;
}

int vfprintf(FILE *restrict f, const char *restrict fmt, va_list ap)
{
    return vprintf(fmt, ap);
}

int fprintf(FILE *restrict f, const char *restrict fmt, ...)
{
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vprintf(fmt, ap);
    va_end(ap);
    return n;
}

int vsnprintf(char *restrict buf, size_t size, const char *restrict fmt, va_list ap)
{
    return fmt_vprint(buf, size, fmt, ap);
}

int snprintf(char *restrict buf, size_t size, const char *restrict fmt, ...)
{
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = fmt_vprint(buf, size, fmt, ap);
    va_end(ap);
    return n;
}

int fputs(const char *restrict text, FILE *restrict f)
{
    return write_text(text, strlen(text));
}

int putchar(int c)
{
    char text = (char)c;

    (void)write_text(&text, 1);
    return (unsigned char)text;
}

int putc(int c, FILE *f)
{
    return putchar(c);
}

int fputc(int c, FILE *f)
{
    return putchar(c);
}

int puts(const char *text)
{
    int n = write_text(text, strlen(text));

    return n + write_text("\n", 1);
}

size_t fwrite(const void *restrict data, size_t size, size_t count, FILE *restrict f)
{
    console_write_wait(data, size * count);
    return count;
}

int fflush(FILE *f)
{
    return 0;
}
