# SPDX-License-Identifier: ISC
"""Each fuzz target for twenty seconds from the inputs of the tree, among them every one that ever failed;
XENOLITH_FUZZ_SECONDS for longer. The mutations are others each time, whatever the seed, so this may find
something in code that nobody touched: that is a finding, not a flaky test.

A crash, a leak, something that is not as it should be, or a case that takes too long fails the test; the
input is then in the test's directory, and at the end of the message when it is short.
"""
import importlib.machinery
import importlib.util
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
SECONDS = os.environ.get("XENOLITH_FUZZ_SECONDS", "20")


def load(name):
    loader = importlib.machinery.SourceFileLoader(name, str(TOP / "scripts" / name))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
    loader.exec_module(module)
    return module


fuzz = load("fuzz")
TARGETS = [name for name in fuzz.targets() if name != "config"]


@pytest.fixture(scope="session")
def binaries():
    if not shutil.which("clang"):
        pytest.skip("clang is not installed")
    subprocess.run(["make", "-s", f"-j{os.cpu_count()}", "fuzz-build", f"OUT={fuzz.OUT}"], cwd=TOP, check=True)
    return TOP / fuzz.OUT / "fuzz"


def complaint(stderr):
    """What is wrong, first: of a failure's message, a list shows the first line. Then the end of it all."""
    found = re.search(r"(?m)^.*(not so: | is not |ERROR: |runtime error: ).*$", stderr)
    return f"{found.group() if found else 'no complaint'}\n{stderr[-4000:]}"


@pytest.mark.parametrize("name", TARGETS)
def test_target(binaries, tmp_path, name):
    corpus = tmp_path / "corpus"
    shutil.copytree(TOP / "tests/fuzz/corpus" / name, corpus)
    count = len(list(corpus.iterdir()))
    words = [binaries / name, f"-max_total_time={SECONDS}", f"-max_len={fuzz.MAX_LEN}", "-timeout=10",
             "-print_final_stats=1", corpus]  # fmt: skip
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, errors="replace", check=False)
    assert done.returncode == 0, complaint(done.stderr)
    # At least all of these; how many more depends on what else the machine does.
    assert int(re.findall(r"number_of_executed_units:\s*(\d+)", done.stderr)[-1]) >= count


def test_config(tmp_path):
    done = subprocess.run([TOP / "tests/fuzz/config.py", f"--seconds={SECONDS}", f"--crashes={tmp_path}",
                           *fuzz.seeds("config")], capture_output=True, text=True, check=False)  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert int(done.stdout.split()[0]) >= len(fuzz.seeds("config")), done.stdout


def test_a_defect_is_found(binaries, tmp_path):
    """The machinery itself: an input that breaks a rule of the fakes ends the process."""
    broken = tmp_path / "broken.c"
    broken.write_text('#include <check.h>\n#include "tests/fuzz/fuzz.h"\n'
                      "static unsigned count;\n"
                      "void fuzz_case(void)\n{\n"
                      "    char *block = malloc(4);\n"
                      "    ck_assert_uint_eq(count++, 0);\n" # every case is the first
                      "    if (fuzz_u8() == 'x' && fuzz_u8() == 'y')\n"
                      "        block[fuzz_below(8)] = 1;\n}\n")
    flags = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-g", "-fno-pie", "-iquote", TOP,
             "-I", TOP / "tests/fuzz/include"]  # fmt: skip
    subprocess.run(["clang", *flags, "-fsanitize=fuzzer-no-link", "-include", TOP / "tests/fuzz/heap.h", "-c",
                    "-o", "broken.o", broken], cwd=tmp_path, check=True)  # fmt: skip
    subprocess.run(["objcopy", "--rename-section", ".data=fuzz_data", "--rename-section",
                    ".bss=fuzz_bss,alloc,load,data,contents", "broken.o"], cwd=tmp_path, check=True)
    subprocess.run(["clang", *flags, "-fsanitize=fuzzer", "-no-pie", "-o", "broken", "broken.o",
                    TOP / "tests/fuzz/fuzz.c", TOP / "tests/fuzz/input.c"], cwd=tmp_path, check=True)  # fmt: skip
    done = subprocess.run(["./broken", "-max_total_time=20"], cwd=tmp_path, capture_output=True, text=True,
                          errors="replace", check=False)
    assert "heap-buffer-overflow" in done.stderr and "not so" not in done.stderr, done.stderr[-2000:]
    assert "count++" not in done.stderr
