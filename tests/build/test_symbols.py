# SPDX-License-Identifier: ISC
"""The symbol table: scripts/symbols.py against lib/symbols.c, on invented names and on an image."""
import importlib
import random
import subprocess

from conftest import TOP, call

symbols = importlib.import_module("symbols")

READER = r"""
#include <stdio.h>
#include "lib/symbols.h"
int main(void)
{
    unsigned long at;
    while (scanf("%lx", &at) == 1) {
        size_t offset = 0;
        const char *name = symbol_lookup(at, &offset);
        printf("%s+%zu\n", name ? name : "-", offset);
    }
}
"""


def lookup(tmp_path, table, addresses):
    """What lib/symbols.c says of addresses, given the C text of a table."""
    (tmp_path / "table.c").write_text(table)
    (tmp_path / "reader.c").write_text(READER)
    subprocess.run(["gcc", "-Wall", "-Werror", "-DCONFIG_SYMBOLS=1", "-fsanitize=address,undefined",
                    "-iquote", TOP, "-o", tmp_path / "reader", tmp_path / "reader.c",
                    tmp_path / "table.c", f"{TOP}/lib/symbols.c"], check=True)
    done = subprocess.run([tmp_path / "reader"], text=True, check=True, stdout=subprocess.PIPE,
                          input="\n".join(f"{at:x}" for at in addresses))
    return done.stdout.splitlines()


def test_reader_and_writer_agree(tmp_path):
    chance = random.Random(1)
    table, at = [], 0x400000
    for index in range(2000):
        at += chance.choice((1, 16, 127, 128, 16383, 16384, 1 << 22))
        table.append((at, f"{chance.choice(('net', 'xs', 'page'))}_{'x' * chance.randrange(50)}{index}"))
    text = symbols.source(*symbols.encode(table))
    probes = [(at + extra, f"{name}+{extra}") for at, name in table for extra in (0,)]
    probes += [(0x3fffff, "-+0"), (table[-1][0] + 5, table[-1][1] + "+5")]
    assert lookup(tmp_path, text, [at for at, _ in probes]) == [want for _, want in probes]


def test_empty_table(tmp_path):
    assert lookup(tmp_path, symbols.source(*symbols.encode([])), [0x401000]) == ["-+0"]


def test_reads_nm():
    lines = ["0000000000401000 t local_name\n", "0000000000401000 T global_name\n",
             "0000000000402000 R rodata\n", "                 U undefined\n",
             "0000000000401010 t .Lhidden\n", f"0000000000401020 T {'y' * 100}\n"]
    assert symbols.functions(lines) == [(0x401000, "global_name"), (0x401020, "y" * 63)]


def test_image_without(make, tmp_path):
    done = make("APP=hello", "CONFIG_SYMBOLS=n")
    assert done.returncode == 0, done.stdout
    assert "symbol_find" not in call("nm", tmp_path / "out/hello.elf").stdout


def test_image_with(app, tmp_path):
    elf = app("hello") / "hello.elf"
    wanted = symbols.functions(call("nm", "-n", elf).stdout.splitlines())
    names = {name for _, name in wanted}
    assert "page_alloc" in names and "kernel_main" in names
    table = (app("hello") / "obj/hello/symtab-2.c").read_text()
    assert lookup(tmp_path, table, [at for at, _ in wanted]) == [f"{name}+0" for _, name in wanted]
