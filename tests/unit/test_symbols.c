/* SPDX-License-Identifier: ISC */
/*
 * lib/symbols.c on a table made by hand from the format in lib/symbols.h, and on broken ones.
 * That scripts/symbols.py writes this format is tested in tests/build/test_symbols.py.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "lib/symbols.h"

/*
 * 0x401000 net_init, 0x401010 net_input, 0x401210 main: steps of one and of two bytes. The letters are
 * 0 to 9 of "\0aeimntup_"; code 65 is "ne", 66 "t_", 67 "net_", 68 "in".
 */
#define TABLE                                                                                      \
    0x80, 0xa0, 0x80, 0x02, 67, 68, 3, 6, 0, 0x10, 67, 68, 8, 7, 6, 0, 0x80, 0x04, 4, 1, 68, 0

static const unsigned char good[] = {TABLE};

static unsigned char table[256];
extern const unsigned char symbol_table[sizeof(table)] __attribute__((alias("table")));
static unsigned used;
extern const unsigned symbol_table_size __attribute__((alias("used")));
const char symbol_letters[SYMBOL_LETTERS] = {'\0', 'a', 'e', 'i', 'm', 'n', 't', 'u', 'p', '_'};
const unsigned char symbol_pairs[256 - SYMBOL_LETTERS][2] = {{5, 2}, {6, 9},   {65, 66},
                                                             {3, 5}, {69, 69}, {1, 71}};

static void load(const void *bytes, unsigned size)
{
    memset(table, 0xff, sizeof(table));
    memcpy(table, bytes, size);
    used = size;
}

static void expect(uintptr_t addr, const char *name, size_t where)
{
    size_t offset = 12345;
    const char *found = symbol_lookup(addr, &offset);

    ck_assert_ptr_nonnull(found);
    ck_assert_str_eq(found, name);
    ck_assert_uint_eq(offset, where);
}

START_TEST(names)
{
    load(good, sizeof(good));
    expect(0x401000, "net_init", 0);
    expect(0x40100f, "net_init", 15);
    expect(0x401010, "net_input", 0);
    expect(0x40120f, "net_input", 0x1ff);
    expect(0x401210, "main", 0);
    expect(UINTPTR_MAX, "main", UINTPTR_MAX - 0x401210);
}
END_TEST

START_TEST(below_and_empty)
{
    size_t offset;

    load(good, sizeof(good));
    ck_assert_ptr_null(symbol_lookup(0x400fff, &offset));
    ck_assert_ptr_null(symbol_lookup(0, &offset));
    load("", 0);
    ck_assert_ptr_null(symbol_lookup(0x401000, &offset));
}
END_TEST

/* Cut anywhere, or with any one byte changed, nothing outside the table is touched (ASan looks). */
START_TEST(broken)
{
    size_t offset;

    for (unsigned size = 0; size < sizeof(good); size++) {
        load(good, size);
        symbol_lookup(UINTPTR_MAX, &offset);
    }
    for (unsigned i = 0; i < sizeof(good); i++)
        for (unsigned value = 0; value < 256; value++) {
            load(good, sizeof(good));
            table[i] = (unsigned char)value;
            const char *name = symbol_lookup(UINTPTR_MAX, &offset);
            ck_assert(!name || strlen(name) <= SYMBOL_NAME_MAX);
        }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("symbols");
    TCase *tcase = tcase_create("symbols");
    SRunner *runner = srunner_create(suite);

    tcase_add_test(tcase, names);
    tcase_add_test(tcase, below_and_empty);
    tcase_add_test(tcase, broken);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
