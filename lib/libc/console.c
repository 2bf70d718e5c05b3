/* SPDX-License-Identifier: ISC */
/*
 * The console as standard input, output and error.
 *
 * Input is by lines, as on a terminal: what is typed is echoed and can be edited (backspace, ^U for
 * the whole line), and read() sees a line when it is complete; ^D on an empty line is the end of
 * the input. The bytes are handled when read() asks, or, so that the echo does not wait for it,
 * when they arrive.
 *
 * Invariant: text[0, ready) are complete lines, text[ready, ready + editing) is the one being typed.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "kernel/app.h"
#include "kernel/console.h"
#include "lib/libc/file.h"
#include "lib/util.h"

#define TEXT_MAX 512

#define CONTROL(letter) ((letter)&0x1f)
#define DELETE 0x7f

static struct {
    unsigned ready, editing;
    bool end; /* ^D was typed: one read() returns 0 */
    bool listening;
    struct wait_queue readers;
    char text[TEXT_MAX];
} in = {.readers = WAIT_QUEUE_INIT(in.readers)};

static void echo(const char *text)
{
    console_write(text, strlen(text));
}

static void erase_one(void)
{
    in.editing--;
    echo("\b \b");
}

static void complete_line(void)
{
    in.ready += in.editing;
    in.editing = 0;
}

/* A line that fills the buffer can still be ended, so it does not block the input for ever. */
static void type_char(char c)
{
    unsigned limit = TEXT_MAX - 1 - in.ready;

    if (in.editing >= limit)
        return;
    in.text[in.ready + in.editing++] = c;
    console_write(&c, 1);
}

static void end_line(void)
{
    in.text[in.ready + in.editing++] = '\n';
    echo("\n");
    complete_line();
}

static void type(char c)
{
    switch (c) {
    case '\r':
    case '\n':
        end_line();
        break;
    case '\b':
    case DELETE:
        if (in.editing)
            erase_one();
        break;
    case CONTROL('U'):
        while (in.editing)
            erase_one();
        break;
    case CONTROL('D'):
        in.end = in.editing == 0;
        complete_line();
        break;
    default:
        if ((unsigned char)c >= ' ' || c == '\t')
            type_char(c);
    }
}

/* Takes what has been typed while there is room for it. */
static void take_input(void)
{
    char c;

    while (!in.end && in.ready + in.editing < TEXT_MAX && console_read(&c, 1))
        type(c);
    if (in.ready || in.end)
        wait_queue_wake_all(&in.readers);
}

static void on_input(void *ctx)
{
    take_input();
}

/* Up to the end of the first line. */
static size_t take_line(char *buf, size_t len)
{
    char *newline = memchr(in.text, '\n', in.ready);
    size_t n = newline ? (size_t)(newline + 1 - in.text) : in.ready;

    n = MIN(n, len);
    memcpy(buf, in.text, n);
    in.ready -= (unsigned)n;
    memmove(in.text, in.text + n, in.ready + in.editing);
    return n;
}

static ssize_t console_file_read(struct file *f, void *buf, size_t len)
{
    if (!IS_ENABLED(CONFIG_CONSOLE_INPUT))
        return 0;
    if (!in.listening)
        console_on_input(on_input, NULL);
    in.listening = true;
    for (;;) {
        take_input();
        if (in.ready)
            return (ssize_t)take_line(buf, len);
        if (in.end) {
            in.end = false;
            return 0;
        }
        if (f->flags & O_NONBLOCK)
            return -EAGAIN;
        wait_queue_sleep(&in.readers);
    }
}

static ssize_t console_file_write(struct file *f, const void *buf, size_t len)
{
    console_write_wait(buf, len);
    return (ssize_t)len;
}

static int console_file_nonblock(struct file *f, bool on)
{
    return 0;
}

static void console_file_close(struct file *f)
{
}

static const struct file_ops console_ops = {
    .read = console_file_read,
    .write = console_file_write,
    .type = S_IFCHR,
    .set_nonblock = console_file_nonblock,
    .close = console_file_close,
};

struct file console_file = {&console_ops, 3, O_RDWR};
