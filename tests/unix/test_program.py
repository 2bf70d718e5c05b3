# SPDX-License-Identifier: ISC
"""An app as a process: options, the terminal, signals, the exit status, the developer's tools."""

import re
import signal
import subprocess
import time

import pytest


def run(path, *arguments, timeout=20, **keywords):
    return subprocess.run([path, *arguments], capture_output=True, text=True, timeout=timeout,
                          stdin=subprocess.DEVNULL, **keywords)


@pytest.mark.parametrize("sanitize", [False, True])
def test_hello(program, sanitize):
    done = run(program("hello", sanitize), "one", "two")
    assert done.returncode == 0 and done.stderr == ""
    assert "Hello from hello.\n" in done.stdout
    assert "one" in done.stdout and "two" in done.stdout


def test_help_names_every_option(program):
    done = run(program("hello"), "--help")
    assert done.returncode == 0
    for option in ("--memory", "--name", "--net", "--disk", "--on-reboot", "--control", "--verbose", "--help"):
        assert option in done.stdout


@pytest.mark.parametrize("option, word", [
    ("--memory=0", "whole number"), ("--memory=x", "whole number"), ("--memory=-1", "whole number"),
    ("--memory=99999999999999999999", "whole number"), ("--on-reboot=never", "restart or exit"),
    ("--nonsense", "unrecognized"),
])
def test_options_are_checked(program, option, word):
    done = run(program("hello"), option)
    assert done.returncode == 2 and word in done.stderr and done.stdout == ""


def test_a_command_line_that_is_too_long(program):
    done = run(program("hello"), "x" * 1100)
    assert done.returncode == 2 and "1023" in done.stderr


def test_memory_is_the_guests(program):
    done = run(program("hello"), "--memory=64")
    assert "65536 KiB of memory" in done.stdout


@pytest.mark.parametrize("sanitize", [False, True])
def test_interrupt_is_an_orderly_shutdown(guest, sanitize):
    g = guest("selftest", "hook", sanitize)
    g.wait("ready: hook")
    g.interrupt()
    assert g.wait_end() == 0
    assert "power-off requested" in g.console() and "hook ran" in g.console()


def test_second_interrupt_ends_it(guest):
    g = guest("selftest", "stuck-hook")
    g.wait("ready")
    g.interrupt()
    g.wait("power-off requested")
    g.interrupt()
    assert g.wait_end() == 128 + signal.SIGINT


def test_crash_is_the_exit_status(guest):
    g = guest("selftest", "panic")
    assert g.wait_end() == 1
    assert g.console().rstrip().splitlines()[-1].startswith("PANIC:")


def test_reboot_can_be_the_end(guest):
    g = guest("selftest", "input", options=["--on-reboot=exit"])
    g.wait("ready")
    g.send("r\n")
    assert g.wait_end() == 0


def test_end_of_input_is_not_the_end(guest):
    g = guest("selftest", "ticks 3")
    g.process.stdin.close()
    assert g.wait_end() == 0 and "tick 3" in g.console()


def test_output_that_nobody_reads(program):
    """A closed pipe: the guest goes on, and its end is still orderly."""
    done = subprocess.run(f"{program('selftest')} flood 2000 | head -n 1", shell=True, timeout=20,
                          capture_output=True, text=True)
    assert "boot" in done.stdout and done.stderr == ""


def test_idle_costs_nothing(guest):
    g = guest("selftest")
    g.wait("ready")

    def time_on_cpu():
        with open(f"/proc/{g.process.pid}/schedstat", encoding="ascii") as f:
            return int(f.read().split()[0])

    before = time_on_cpu()
    subprocess.run(["sleep", "2"], check=True)
    assert time_on_cpu() - before < 5_000_000  # ns; the clock is published once a second


def test_much_input_arrives_whole(guest):
    """The ring holds 1024 bytes; the rest waits in the pipe."""
    g = guest("selftest", "input")
    g.wait("ready")
    g.send("x" * 100_000 + "\n")
    g.process.stdin.close()
    while sum(int(n) for n in re.findall(r"input (\d+) bytes", g.console())) < 100_001:
        g.wait("input", count=len(re.findall("input ", g.console())) + 1)


def stopped(g):
    """Waits until the host no longer runs it."""
    while open(f"/proc/{g.process.pid}/stat", encoding="ascii").read().rpartition(") ")[2][0] != "T":
        time.sleep(0.001)


def test_input_that_comes_as_the_ring_closes(guest):
    """Both are there when the simulation looks: the console that stops, and input for it."""
    g = guest("selftest", "input")
    g.wait("ready")
    g.process.send_signal(signal.SIGSTOP)
    stopped(g)
    g.ask("console stop")
    g.send("early\n")
    g.process.send_signal(signal.SIGCONT)
    g.answer("console stop")
    g.command("console go")
    g.wait("input 6 bytes, first 'e'")


def test_quiet_waits_for_timers_that_are_late(guest):
    """The host may keep the process from running past several times at which something is due; the guest,
    which sleeps for 100 ms at most, has not been quiet for 150 then."""
    g = guest("selftest", "ticks 6")
    g.wait("ready")
    g.ask("quiet 150")
    while g.find():
        g.process.send_signal(signal.SIGSTOP)
        time.sleep(0.2)
        g.process.send_signal(signal.SIGCONT)
        time.sleep(0.13)
    assert "tick 6" in g.console() and g.control.recv(100) == b""


def test_addresses_are_checked(guest):
    """SANITIZE=1 sees what only a guard page would, or nothing."""
    g = guest("selftest", "smash", True)
    assert g.wait_end() == 1
    assert "stack-buffer-overflow" in g.messages()
    g.texts["err"] = ""  # the guest fixture looks for reports


@pytest.mark.parametrize("deed, what", [("free-twice", "double-free"), ("overflow-heap", "overflow")])
def test_the_heap_is_checked(guest, deed, what):
    g = guest("libctest", deed, True)
    assert g.wait_end() == 1
    assert what in g.messages()
    g.texts["err"] = ""


def test_debugger_shows_source_lines(program):
    done = run("gdb", "-nx", "-batch", "-ex", "break kernel_main", "-ex", "run", "-ex", "backtrace",
               program("hello"), timeout=60)
    assert re.search(r"#0 +kernel_main \(\) at kernel/main\.c:\d+", done.stdout)
    assert "boot_main" in done.stdout


def test_valgrind_finds_nothing(program):
    done = run("valgrind", "--error-exitcode=9", program("hello"), timeout=120)
    assert done.returncode == 0, done.stderr
    assert "Hello" in done.stdout


def test_perf_names_functions(program, tmp_path):
    """By a software event: a machine that is emulated may count no cycles."""
    data = tmp_path / "perf.data"
    done = run("perf", "record", "-e", "cpu-clock:u", "-F", "2000", "-o", data, program("selftest"), "flood", "20000")
    if "perf_event_paranoid" in done.stderr or "not permitted" in done.stderr:
        pytest.skip("this kernel allows no profiling: sysctl kernel.perf_event_paranoid=2")
    assert done.returncode == 0, done.stderr
    report = run("perf", "report", "-i", data, "--stdio", "--sort", "symbol", timeout=60).stdout
    assert re.search(r"\[\.\] (fmt_vprint|put|put_number|log_print|console_write)", report), report


def test_pages_of_domain_0_take_a_grant(guest, tmp_path):
    """The program looks for frames that it can map around the shared page; domain 0 lends some there."""
    (tmp_path / "in").write_bytes(b"")
    g = guest("conformance", "calls", paused=True)
    g.command(f"vchan server /local/domain/0/data/v {tmp_path}/in {tmp_path}/out")
    g.unpause()
    g.wait("frames of Xen's and others' that could be mapped: 0")
