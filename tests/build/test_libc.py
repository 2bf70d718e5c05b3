# SPDX-License-Identifier: ISC
"""What of the C library ends up in an image: no more than the app uses."""
import re
import subprocess

from conftest import APPS_OUT

STDIO = {"__sf", "__sinit", "_fflush_r", "_vfprintf_r", "_printf_common"}


def symbols(app, name, *options):
    where = {"out": "-".join([APPS_OUT, *options]).replace("=", "-")} if options else {}
    elf = app(name, *options, **where) / f"{name}.elf"
    listing = subprocess.run(["nm", elf], capture_output=True, text=True, check=True).stdout
    return elf, {line.split()[-1] for line in listing.splitlines()}


def test_an_app_with_callbacks_has_no_stdio_and_no_malloc(app):
    _, found = symbols(app, "selftest")
    assert not found & (STDIO | {"_malloc_r", "_free_r", "__getreent", "main"})


def test_who_only_prints_has_no_streams(app):
    _, found = symbols(app, "hello")
    assert {"printf", "__getreent"} <= found
    assert not found & (STDIO | {"_malloc_r", "_free_r", "_impure_data", "__call_exitprocs"})


def test_printf_with_streams_has_only_what_it_needs(app):
    _, found = symbols(app, "hello", "CONFIG_LIBC_STDIO_SMALL=y")
    assert STDIO <= found
    assert not found & {"_printf_float", "_dtoa_r", "__call_exitprocs", "_scanf_i", "memalign",
                        "setlocale", "arc4random_uniform"}
    assert "__wrap__free_r" in found, "pointers are not looked at before they are freed"


def test_no_copy_goes_byte_by_byte(app):
    """gcc -Os copies and clears with `rep movsb` in line; newlib's own with non-temporal stores."""
    elf, found = symbols(app, "hello")
    assert {"memcpy", "memmove", "memset"} <= found
    text = subprocess.run(["objdump", "-d", "--no-show-raw-insn", elf], capture_output=True,
                          text=True, check=True).stdout
    slow = [line for line in text.splitlines()
            if re.search(r"rep movs[bl]|rep stos %[ae][alx]+,|movnti|prefetchnta", line)]
    assert slow == []
