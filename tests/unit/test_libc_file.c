/* SPDX-License-Identifier: ISC */
/*
 * lib/libc/file.c: descriptors, references, flags; with the file as a fake that counts.
 */
#include <check.h>
#include <stdlib.h>

/* Other names, so that this program keeps its own functions. */
#define read tested_read
#define write tested_write
#define lseek tested_lseek
#define close tested_close
#define fstat tested_fstat
#define isatty tested_isatty
#define dup tested_dup
#define dup2 tested_dup2
#define fcntl tested_fcntl
#include "lib/libc/file.c"

static unsigned reads, closes;
static bool nonblock;
static int close_during_read = -1;

static ssize_t fake_read(struct file *f, void *buf, size_t len)
{
    reads++;
    if (close_during_read >= 0) {
        ck_assert_int_eq(tested_close(close_during_read), 0);
        close_during_read = -1;
        ck_assert_uint_eq(closes, 0); /* not while we are inside */
        ck_assert_uint_eq(f->refs, 1);
    }
    memset(buf, 'r', len);
    return (ssize_t)len;
}

static ssize_t fake_write(struct file *f, const void *buf, size_t len)
{
    (void)f;
    (void)buf;
    return len > 100 ? -ENOSPC : (ssize_t)len;
}

static int fake_nonblock(struct file *f, bool on)
{
    (void)f;
    nonblock = on;
    return 0;
}

static void fake_close(struct file *f)
{
    ck_assert_uint_eq(f->refs, 0);
    closes++;
}

static const struct file_ops fake_ops = {
    .read = fake_read,
    .write = fake_write,
    .type = S_IFSOCK,
    .set_nonblock = fake_nonblock,
    .close = fake_close,
};
static const struct file_ops bare_ops = {.type = S_IFCHR, .close = fake_close};

struct file console_file = {&bare_ops, 3, O_RDWR};

#define expect_error(call, error)                                                                  \
    do {                                                                                           \
        errno = 0;                                                                                 \
        ck_assert_int_eq((call), -1);                                                              \
        ck_assert_int_eq(errno, (error));                                                          \
    } while (0)

START_TEST(the_lowest_free_descriptor_is_given)
{
    struct file f = {.ops = &fake_ops, .flags = O_RDWR};

    ck_assert_int_eq(file_install(&f), 3);
    ck_assert_int_eq(file_install(&f), 4);
    ck_assert_int_eq(tested_close(1), 0);
    ck_assert_int_eq(file_install(&f), 1);
    ck_assert_uint_eq(f.refs, 3);
    tested_close(3);
    ck_assert_int_eq(file_install(&f), 3);
    ck_assert_uint_eq(console_file.refs, 2);
}
END_TEST

START_TEST(a_full_table_is_an_error)
{
    struct file f = {.ops = &fake_ops, .flags = O_RDWR};

    for (int fd = 3; fd < CONFIG_LIBC_FILES; fd++)
        ck_assert_int_eq(file_install(&f), fd);
    ck_assert_int_eq(file_install(&f), -EMFILE);
    expect_error(tested_dup(3), EMFILE);
    ck_assert_uint_eq(f.refs, CONFIG_LIBC_FILES - 3);
    for (int fd = 3; fd < CONFIG_LIBC_FILES; fd++)
        ck_assert_int_eq(tested_close(fd), 0);
    ck_assert_uint_eq(closes, 1);
}
END_TEST

START_TEST(bad_descriptors_are_refused)
{
    static const int bad[] = {-1, 3, CONFIG_LIBC_FILES, 1 << 30, -(1 << 30)};
    struct stat st;
    char c;

    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        expect_error(tested_read(bad[i], &c, 1), EBADF);
        expect_error(tested_write(bad[i], &c, 1), EBADF);
        expect_error(tested_close(bad[i]), EBADF);
        expect_error(tested_fstat(bad[i], &st), EBADF);
        expect_error(tested_lseek(bad[i], 0, SEEK_SET), EBADF);
        expect_error(tested_fcntl(bad[i], F_GETFL), EBADF);
        expect_error(tested_dup(bad[i]), EBADF);
        expect_error(tested_dup2(bad[i], 1), EBADF);
        if (bad[i] != 3)
            expect_error(tested_dup2(1, bad[i]), EBADF);
        ck_assert_int_eq(tested_isatty(bad[i]), 0);
    }
    ck_assert_uint_eq(console_file.refs, 3);
}
END_TEST

START_TEST(what_a_file_cannot_do_is_an_error)
{
    struct file reader = {.ops = &fake_ops, .flags = O_RDONLY};
    struct file writer = {.ops = &fake_ops, .flags = O_WRONLY};
    int r = file_install(&reader), w = file_install(&writer);
    char buf[200];

    ck_assert_int_eq(tested_read(r, buf, 10), 10);
    expect_error(tested_write(r, buf, 10), EBADF);
    expect_error(tested_read(w, buf, 10), EBADF);
    expect_error(tested_write(w, buf, 101), ENOSPC);
    expect_error(tested_lseek(r, 0, SEEK_SET), ESPIPE);
    expect_error(tested_read(0, buf, 1), EBADF); /* bare_ops has no read */
    expect_error(tested_fcntl(0, F_SETFL, O_NONBLOCK), EINVAL);
    ck_assert_int_eq(tested_fcntl(0, F_SETFL, 0), 0);
    expect_error(tested_fcntl(0, 999, 0), EINVAL);
    expect_error(tested_fcntl(0, F_DUPFD, -1), EINVAL);
    ck_assert_uint_eq(reader.refs, 1);
    ck_assert_uint_eq(writer.refs, 1);
}
END_TEST

START_TEST(duplicates_share_the_file)
{
    struct file f = {.ops = &fake_ops, .flags = O_RDWR}, g = {.ops = &fake_ops, .flags = O_RDWR};
    int fd = file_install(&f), other = file_install(&g);

    ck_assert_int_eq(tested_dup2(fd, fd), fd);
    ck_assert_int_eq(tested_dup2(fd, other), other);
    ck_assert_uint_eq(closes, 1); /* g's only descriptor was taken */
    ck_assert_int_eq(tested_fcntl(fd, F_DUPFD, 20), 20);
    ck_assert_int_eq(tested_dup2(fd, 40), 40);
    ck_assert_uint_eq(f.refs, 4);
    tested_close(fd);
    tested_close(20);
    tested_close(40);
    ck_assert_uint_eq(closes, 1);
    tested_close(other);
    ck_assert_uint_eq(closes, 2);
}
END_TEST

START_TEST(nonblock_is_a_flag_of_the_file)
{
    struct file f = {.ops = &fake_ops, .flags = O_RDWR};
    int fd = file_install(&f), copy = tested_dup(fd);

    ck_assert_int_eq(tested_fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    ck_assert(nonblock);
    ck_assert_int_eq(tested_fcntl(copy, F_GETFL), O_RDWR | O_NONBLOCK);
    ck_assert_int_eq(tested_fcntl(copy, F_SETFL, 0), 0);
    ck_assert(!nonblock);
    ck_assert_int_eq(tested_fcntl(fd, F_GETFL), O_RDWR);
}
END_TEST

START_TEST(closing_under_a_reader_waits_for_it)
{
    struct file f = {.ops = &fake_ops, .flags = O_RDWR};
    int fd = file_install(&f);
    char c;

    close_during_read = fd;
    ck_assert_int_eq(tested_read(fd, &c, 1), 1);
    ck_assert_uint_eq(closes, 1);
    expect_error(tested_read(fd, &c, 1), EBADF);
}
END_TEST

START_TEST(types_are_told)
{
    struct file f = {.ops = &fake_ops, .flags = O_RDWR};
    int fd = file_install(&f);
    struct stat st;

    ck_assert_int_eq(tested_fstat(fd, &st), 0);
    ck_assert(S_ISSOCK(st.st_mode));
    ck_assert_int_eq(tested_isatty(1), 1);
    expect_error(tested_isatty(fd) - 1, ENOTTY);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("libc_file");
    TCase *t = tcase_create("libc_file");
    SRunner *runner = srunner_create(s);
    int failed;

    tcase_add_test(t, the_lowest_free_descriptor_is_given);
    tcase_add_test(t, a_full_table_is_an_error);
    tcase_add_test(t, bad_descriptors_are_refused);
    tcase_add_test(t, what_a_file_cannot_do_is_an_error);
    tcase_add_test(t, duplicates_share_the_file);
    tcase_add_test(t, nonblock_is_a_flag_of_the_file);
    tcase_add_test(t, closing_under_a_reader_waits_for_it);
    tcase_add_test(t, types_are_told);
    suite_add_tcase(s, t);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
