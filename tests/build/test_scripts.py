# SPDX-License-Identifier: ISC
"""The smaller scripts: layers, and the runner of the suites."""
import fcntl
import os
import re
import signal
import subprocess
import time

import pytest
from conftest import TOP, call, clean_environment
from test_xlcfg import load

layers = load("check-layers")
runner = load("test")


def test_this_tree_keeps_its_layers():
    assert list(layers.violations(TOP)) == []


@pytest.mark.parametrize("path,include,allowed", [
    ("arch/x86_64/trap.c", '"lib/util.h"', True),
    ("arch/x86_64/trap.c", '"drivers/netfront.h"', False),
    ("arch/x86_64/trap.c", "<xen/xen.h>", True),
    ("xen/gnttab.c", '"kernel/timer.h"', True),
    ("xen/gnttab.c", '"kernel/app.h"', False),
    ("kernel/timer.h", '"xen/clock.h"', False),
    ("kernel/main.c", '"drivers/netfront.h"', False),
    ("drivers/netfront.c", '"lib/netif.h"', True),
    ("lib/dns/name.c", '"kernel/app.h"', True),
    ("lib/dns/name.c", '"kernel/loop.h"', False),
    ("lib/dns/name.c", '"xen/gnttab.h"', False),
    ("lib/dns/name.c", "<xen/xen.h>", False),
    ("lib/util.h", '"lib/netif.h"', False),
    ("apps/a/main.c", '"lib/netif.h"', True),
    ("apps/a/main.c", '"apps/a/a.h"', True),
    ("apps/a/main.c", '"apps/b/b.h"', False),
    ("apps/a/main.c", '"arch/arch.h"', False),
    ("apps/a/main.c", '"a.h"', False),
    ("apps/a/main.c", '"lib/net/interface.h"', False),
    ("lib/net/net.c", '"lib/net/interface.h"', True),
])
def test_layers(tmp_path, path, include, allowed):
    for name in (path, "lib/util.h", "lib/netif.h", "kernel/app.h", "kernel/loop.h",
                 "kernel/timer.h", "xen/clock.h", "xen/gnttab.h", "drivers/netfront.h",
                 "arch/arch.h", "apps/a/a.h", "apps/b/b.h", "lib/net/interface.h"):
        os.makedirs(tmp_path / os.path.dirname(name), exist_ok=True)
        (tmp_path / name).write_text("")
    (tmp_path / path).write_text(f"#include {include}\n")
    found = list(layers.violations(str(tmp_path)))
    assert (found == []) == allowed, found
    assert allowed or found[0].startswith(f"{path}:1: ")


@pytest.mark.parametrize("text,status,want", [
    ("x\n12 passed, 0 failed\n", 0, (12, 0, 0)),
    ("12 passed, 3 failed\n", 1, (12, 3, 0)),
    ("12 passed, 0 failed\n", 2, (12, 1, 0)),
    ("", 0, (0, 1, 0)),
    ("Segmentation fault\n", 139, (0, 1, 0)),
    ("==== 5 passed in 1.20s ====\n", 0, (5, 0, 0)),
    ("==== 1 failed, 5 passed, 2 skipped in 61.20s (0:01:01) ====\n", 1, (5, 1, 2)),
    ("==== 3 passed, 2 errors in 1s ====\n", 1, (3, 2, 0)),
    ("==== 2 skipped in 0.10s ====\n", 0, (0, 0, 2)),
    ("==== no tests ran in 0.01s ====\n", 5, (0, 1, 0)),
])
def test_counting_of_results(text, status, want):
    assert runner.counts(text, status) == want


PYTEST_FAILED = """tests/x/test_a.py::test_good[1 2] PASSED [ 1/3]
tests/x/test_a.py::test_bad FAILED     [ 2/3]
tests/x/test_a.py::test_lost ERROR      [ 3/3]
==== FAILURES ====
why it is bad
==== slowest 20 durations ====
3.00s call test_good
==== short test summary info ====
FAILED tests/x/test_a.py::test_bad - assert 1 == 2
ERROR tests/x/test_a.py::test_lost - no machine
==== 1 failed, 1 passed, 1 error in 1.20s ====
"""
UNIT_FAILED = """  TEST     out/unit/test_a
  ok       test_a: 3
  FAIL     test_b: 1 of 2 failed (status 1)
test_b.c:7: it is not so
4 passed, 1 failed
make: *** [config/unit.mk:59: unit] Error 1
"""


@pytest.mark.parametrize("text,shown,hidden,reasons", [
    (PYTEST_FAILED, "why it is bad", "test_good",
     ["FAILED tests/x/test_a.py::test_bad - assert 1 == 2",
      "ERROR tests/x/test_a.py::test_lost - no machine"]),
    (UNIT_FAILED, "test_b.c:7: it is not so", "test_a: 3",
     ["  FAIL     test_b: 1 of 2 failed (status 1)",
      "make: *** [config/unit.mk:59: unit] Error 1"]),
    ("==== ERRORS ====\nImportError: no scapy\n", "no scapy", "PASSED", ["ImportError: no scapy"]),
    ("Segmentation fault\n", "Segmentation fault", "PASSED", ["Segmentation fault"]),
    ("", "", "PASSED", []),
])
def test_failures_are_explained(text, shown, hidden, reasons):
    lines = text.splitlines(keepends=True)
    explanation = "".join(runner.explanation(lines))
    assert shown in explanation and hidden not in explanation
    assert runner.reasons(lines) == reasons


@pytest.mark.parametrize("text,done,failed,all_tests", [
    (PYTEST_FAILED, 3, 2, "3"), (UNIT_FAILED, 2, 1, ""), ("Segmentation fault\n", 0, 0, "")])
def test_progress_of_a_suite(text, done, failed, all_tests, capsys):
    progress = runner.Progress()
    for line in text.splitlines():
        progress.line(line)
    assert (progress.done, progress.failed, progress.all) == (done, failed, all_tests)
    assert len(capsys.readouterr().out.splitlines()) == failed


GOOD = "tests/x/test_a.py::test_bad PASSED\n==== 1 passed in 1s ====\n"
BAD = """tests/x/test_a.py::test_bad FAILED [1/2]
tests/x/test_a.py::test_good PASSED [2/2]
FAILED tests/x/test_a.py::test_bad - late
==== 1 failed, 1 passed in 1s ====
"""


@pytest.mark.parametrize("name,first,outputs,counted,failures,unsteady", [
    ("boot", 1, [BAD, GOOD], (2, 0), 0, 1),
    ("boot", 1, [BAD, BAD], (1, 1), 1, 0),
    ("boot", 1, [BAD, "no machine\n"], (1, 1), 1, 0),
    ("build", 1, [BAD], (1, 1), 1, 0),
    # A test that failed and whose end failed, too.
    ("boot", 1, ["tests/x/test_a.py::test_bad ERROR [1/2]\n" + BAD.replace("1 failed", "1 failed, 1 error"), GOOD],
     (2, 0), 0, 1),
    # What else went wrong would go unseen.
    ("boot", -9, [BAD[:BAD.index("FAILED tests")]], (0, 1), 1, 0),
    ("boot", 1, [BAD[:BAD.index("FAILED tests")]], (0, 1), 1, 0),
    ("boot", 3, [BAD], (1, 1), 1, 0),
    ("boot", 1, [BAD.replace("1 failed", "1 failed, 1 error")], (1, 2), 1, 0),
    ("boot", 1, [PYTEST_FAILED.replace("1 failed, 1 passed, 1 error", "9 failed")
              + "tests/x/test_a.py::test_c FAILED\ntests/x/test_a.py::test_d FAILED\n"], (0, 9), 2, 0),
])
def test_a_few_failures_in_real_time_get_a_second_run(monkeypatch, name, first, outputs, counted, failures, unsteady):
    commands = []

    def run(_name, command, progress, mode="w"):
        commands.append(command)
        lines = outputs[len(commands) - 1].splitlines(keepends=True)
        for line in lines:
            progress.line(line.rstrip("\n"))
        bad = "failed" in lines[-1] or "no " in lines[-1]
        return lines, int(bad) if commands[1:] else first

    monkeypatch.setattr(runner, "run", run)
    result, bad, luckier = runner.suite(name, "what it is", ["whole"])
    assert (result[:2], len(bad), len(luckier)) == (counted, failures, unsteady)
    assert len(commands) == len(outputs)
    assert commands[1:] in ([], [runner.PYTEST + ["tests/x/test_a.py::test_bad"]])


def test_one_suite_runs_beside_the_next(monkeypatch, tmp_path, capsys):
    """It ends when the next one has begun, or else after ten seconds with a failure."""
    begun = tmp_path / "begun"
    waits = f"for i in $(seq 100); do [ -e {begun} ] && echo '2 passed, 0 failed' && exit; sleep 0.1; done; exit 1"
    monkeypatch.setattr(runner, "OUT", str(tmp_path))
    monkeypatch.setattr(runner, "name_server", dict)
    monkeypatch.setattr(runner, "SUITES", [("fuzz", "waits", ["sh", "-c", waits]),
                                           ("boot", "begins", ["sh", "-c", f"touch {begun}; echo '3 passed, 0 failed'"])])
    assert runner.main([]) == 0
    assert capsys.readouterr().out.endswith("\n5 passed, 0 failed\n")


# Runs a script whose arguments are interrupted as soon as they are looked at.
INTERRUPTED = """
import sys
class Arguments(list):
    def __getitem__(self, _):
        raise KeyboardInterrupt
    __contains__ = __getitem__
path = sys.argv[1]
sys.argv = Arguments()
exec(compile(open(path).read(), path, "exec"), {"__name__": "__main__", "__file__": path})
"""


@pytest.mark.parametrize("script", ["fetch", "kconfig.py", "run", "run-unix", "test", "unpacked", "xlcfg"])
def test_ctrl_c_shows_no_traceback(script):
    done = call("/usr/bin/python3", "-Bc", INTERRUPTED, os.path.join(TOP, "scripts", script))
    assert done.returncode in (1, 130) and "Traceback" not in done.stdout, done.stdout


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("script", ["fetch", "profile", "test"])
def test_other_signals_end_a_script_as_ctrl_c_does(script, number):
    """With what it does at its end, not at once."""
    usual = f"import os, signal, sys\nsignal.signal({int(number)}, signal.SIG_DFL)"  # also in a run under nohup
    kill = INTERRUPTED.replace("import sys", usual).replace(
        "raise KeyboardInterrupt", f"os.kill(os.getpid(), {int(number)})")
    done = call("/usr/bin/python3", "-Bc", kill, os.path.join(TOP, "scripts", script))
    assert done.returncode in (1, 130) and "Traceback" not in done.stdout, done.stdout


# Runs scripts/test with suites that have a program in the background, which ignores Ctrl-C as all do there.
LONG_SUITES = """
import os, signal, sys
path, trap = sys.argv[1:]
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # also in a run under nohup
slow = trap.replace("exit", "sleep 0.5; exit")  # what waits for build would have begun
suites = [(name, "waits", ["sh", "-c", f"trap {slow if name == 'lint' else trap} INT; sleep 99 & echo $$ $! >pids.{name}; wait; wait"])
          for name in ("build", "fuzz", "lint")]
text = open(path).read().replace("if __name__ ==", f"TOP, SUITES = {os.getcwd()!r}, {suites!r}\\nif __name__ ==")
sys.argv[1:] = []
exec(compile(text, path, "exec"), {"__name__": "__main__", "__file__": path})
"""


def is_running(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("trap,numbers", [
    ("'echo $$ >>ended; exit'", [signal.SIGINT]), ("'echo $$ >>ended; exit'", [signal.SIGTERM]),
    ("'echo $$ >>ended; exit'", [signal.SIGHUP, signal.SIGHUP]), ("''", [signal.SIGINT, signal.SIGINT]),
])
def test_a_signal_to_the_runner_ends_its_suites(tmp_path, trap, numbers):
    """One of them runs beside the other, one waits for it and does not begin. Each ends in order, and all that it started
    with it."""
    words = ["/usr/bin/python3", "-Bc", LONG_SUITES, os.path.join(TOP, "scripts/test"), trap]
    with subprocess.Popen(words, cwd=tmp_path, env=clean_environment(XENOLITH_OUT=tmp_path), text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as child:
        pids = []
        while len(pids) < 4:
            assert child.poll() is None, child.stdout.read()
            time.sleep(0.05)
            pids = [pid for path in tmp_path.glob("pids.*") for pid in path.read_text().split()]
        for number in numbers:
            child.send_signal(number)
            time.sleep(0.2)
        try:
            text = child.communicate(timeout=20)[0]
        finally:
            child.kill()
    assert child.returncode == 1 and "test: interrupted" in text and "Traceback" not in text, text
    assert not any(map(is_running, pids))
    assert not (tmp_path / "pids.fuzz").exists()
    assert trap == "''" or len((tmp_path / "ended").read_text().split()) == 2


def test_newlib_interrupted(tmp_path):
    """An interrupted build of newlib leaves nothing in the cache, though make was still writing."""
    source, cache = tmp_path / "source/newlib", tmp_path / "cache"
    source.mkdir(parents=True)
    (source / "configure").write_text(
        "#!/bin/sh\nprintf 'all:\\n\\t@for i in $$(seq 99); do mkdir -p d/$$i; touch d/$$i/x.o; "
        "sleep 0.1; done\\n' >Makefile\n")
    (source / "configure").chmod(0o755)
    child = subprocess.Popen(
        ["scripts/newlib", source.parent, cache / "newlib"], cwd=TOP, stderr=subprocess.DEVNULL,
        start_new_session=True, env=clean_environment(
            CROSS_COMPILE="", NEWLIB_CC="gcc", NEWLIB_CFLAGS="", NEWLIB_OPTIONS=""))
    while not list(cache.glob(".newlib-*/build/d/3")):
        assert child.poll() is None
        time.sleep(0.05)
    os.killpg(child.pid, signal.SIGTERM)
    assert child.wait(20) == 1
    time.sleep(0.3)
    assert os.listdir(cache) == ["newlib.lock"]


def test_lint_says_which_checks_pass_and_that_there_is_no_such_one():
    done = call("make", "lint", "LINT=headers layers")
    assert done.returncode == 0 and done.stdout == "  ok       layers\n  ok       headers\n2 passed, 0 failed\n"
    done = call("scripts/lint", LINT="layers fromat")
    assert done.returncode == 1 and "no check 'fromat'; the checks are: format " in done.stdout
    assert "passed" not in done.stdout


def test_lint_of_nothing_is_no_success(copy_of_tree):
    done = call("scripts/lint", cwd=copy_of_tree("tree"))
    assert done.returncode == 1 and "git does not list" in done.stdout and "ok" not in done.stdout


@pytest.mark.parametrize("words,first,last", [
    (["APP=hello", "MEMORY=none"], "waiting for another build in ", "MEMORY"), (["APP=helo"], "no such app", ""),
])
def test_a_run_waits_for_another_build_but_refuses_at_once(tmp_path, words, first, last):
    out = tmp_path / "out"
    out.mkdir()
    with open(out / ".xenolith", "w", encoding="ascii") as mark:
        fcntl.flock(mark, fcntl.LOCK_EX)
        with subprocess.Popen(["make", "run", *words, f"OUT={out}"], cwd=TOP,
                              env=clean_environment(SETUP="skip"), text=True,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as child:
            line = child.stderr.readline()
            fcntl.flock(mark, fcntl.LOCK_UN)
            rest = child.stderr.read()
    assert first in line and child.returncode and last in rest, line + rest


@pytest.mark.parametrize("place", ["", "./", "{cwd}/"])
def test_unit_programs_anywhere(tmp_path, place):
    program = tmp_path / "test_x"
    program.write_text("#!/bin/sh\necho '100%: Checks: 3, Failures: 0, Errors: 0'\n")
    program.chmod(0o755)
    done = call(f"{TOP}/scripts/unit-run", place.format(cwd=tmp_path) + "test_x", cwd=tmp_path)
    assert done.returncode == 0 and done.stdout.endswith("\n3 passed, 0 failed\n"), done.stdout


@pytest.mark.parametrize("given,out", [({}, "out"), ({"XENOLITH_OUT": "other"}, "other")])
def test_coverage_keeps_to_its_directory(monkeypatch, given, out):
    """What the tests build and what the script reads are one."""
    monkeypatch.delenv("XENOLITH_OUT", raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    script = load("coverage")
    assert script.PAGES == os.path.join(TOP, out, "coverage")
    done = call("/usr/bin/python3", "-Bc", "import conftest; print(conftest.OUT)",
                cwd=os.path.join(TOP, "tests/unix"), COVERAGE="1", **given)
    assert os.path.join(TOP, done.stdout.strip()) == script.BUILT == os.path.join(TOP, out, "test/coverage")


def test_unknown_suite():
    done = call("scripts/test", "nonsense")
    assert done.returncode == 1 and "unit" in done.stdout and "boot" in done.stdout
    done = call("scripts/test", "lint", SUITE="unit")
    assert done.returncode == 1 and "one of Debian's is meant, bullseye, " in done.stdout


def test_one_suite_and_the_last_line():
    """With one of the unit tests: they all have had their turn."""
    done = call("scripts/test", "unit", UNIT_TIMEOUT="120", TEST="symbols")
    last = done.stdout.splitlines()[-1]
    assert done.returncode == 0, done.stdout
    assert re.fullmatch(r"[1-9]\d* passed, 0 failed", last)
