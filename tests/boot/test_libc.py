# SPDX-License-Identifier: ISC
"""The C library as a program sees it: libctest's own verdicts, and what can only be seen from outside."""

import re

import pytest

PRESERVE = {"on_poweroff": "preserve", "on_crash": "preserve"}


def libctest(guest, extra, **config):
    return guest("libctest", extra=extra, **PRESERVE, **config)


def ended(g, reason):
    assert g.wait_shutdown(timeout=60).reason == reason
    return g.console()


def test_its_own_verdicts(xen, guest):
    g = libctest(guest, "")
    g.wait_shutdown(timeout=60)
    console = g.console()
    verdicts = re.findall(r"^(PASS|FAIL) (.*?)\r?$", console, re.M)
    assert [what for verdict, what in verdicts if verdict == "FAIL"] == []
    assert len(verdicts) >= 30
    assert "0 failed" in console
    # Eight threads print 40 lines each; none is torn.
    assert len(re.findall(r"^whole <([a-h])\1{59}>\r?$", console, re.M)) == 320
    assert console.count("whole") == 320
    assert "written through a duplicate" in console
    assert "printed from a callback" in console


@pytest.mark.parametrize(
    "deed, message",
    {
        "abort": "abort() was called",
        "assert": "assertion failed: argument == argument + 1",
        "raise": "signal 15",
        "free-twice": "is not allocated",
        "free-middle": "is not allocated",
        "overflow-heap": "is not allocated",
    }.items(),
)
def test_mistakes_end_in_a_report(xen, guest, deed, message):
    console = ended(libctest(guest, deed), "crash")
    assert message in console
    assert re.search(r"\brun\b", console), "no back-trace to main's thread"
    assert "unnoticed" not in console


def test_overflow_of_mains_stack_ends_the_guest(xen, guest):
    ended(libctest(guest, "overflow-stack"), "crash")


@pytest.mark.parametrize("status, reason", [(0, "poweroff"), (3, "crash")])
def test_exit_status(xen, guest, status, reason):
    assert f"status {status}" in ended(libctest(guest, f"exit {status}"), reason)


def test_output_is_flushed_at_exit(xen, guest):
    assert "main, atexit, " in ended(libctest(guest, "atexit"), "poweroff")


def test_a_flood_of_output_is_complete(xen, guest):
    """More than the console buffers: the program waits, and no line is lost."""
    console = ended(libctest(guest, "flood 3000"), "poweroff")
    numbers = [int(n) for n in re.findall(r"^line (\d+) of 3000 -+\r?$", console, re.M)]
    assert numbers == list(range(1, 3001))


def test_standard_input_is_edited_by_lines(xen, guest):
    g = libctest(guest, "upper")
    g.wait("ready")
    g.send("hello\r")
    g.wait("<HELLO>")
    g.send("wrong\x15helo\x7flo\r")
    g.wait("<HELLO>", count=2)
    g.send("\x04")
    assert "end of input" in ended(g, "poweroff")


def test_a_sleeping_program_shuts_down_when_asked(xen, guest):
    g = libctest(guest, "sleep 3600")
    g.wait("asleep")
    g.xl("shutdown")
    assert "awake" not in ended(g, "poweroff")


def test_a_sleeping_program_uses_no_processor(xen, guest):
    g = libctest(guest, "sleep 3600")
    g.wait("asleep")
    xen.run("sleep 1")
    before = g.stat().cpu_time
    xen.run("sleep 2")
    assert g.stat().cpu_time - before < 1_000_000  # ns


def test_seed_from_the_command_line_is_used_and_not_shown(xen, guest):
    g = libctest(guest, "seed=00112233445566778899aabbccddeeff")
    g.wait_shutdown(timeout=60)
    console = g.console()
    assert "seeded from the toolstack's seed" in console
    assert "00112233" not in console


def test_seed_from_xenstore_is_mixed_in(xen, guest):
    g = guest("libctest", extra="sleep 3600", paused=True, **PRESERVE)
    xen.run(f"xenstore-write /local/domain/{g.domid}/random-seed 0123456789abcdef0123456789abcdef")
    g.unpause()
    g.wait("mixed in 32 bytes of seed from xenstore")
    xen.run(f"xenstore-write /local/domain/{g.domid}/random-seed fedcba9876543210")
    g.wait("mixed in 16 bytes of seed from xenstore")
    assert "0123456789" not in g.console()
