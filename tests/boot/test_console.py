# SPDX-License-Identifier: ISC
"""Nothing printed is lost, whatever ends the guest and whatever the host's end of the console does; and
requests that are not quite as xl makes them."""

import re

import pytest


def numbers(console, of):
    return [int(n) for n in re.findall(rf"line (\d+) of {of}\b", console)]


@pytest.mark.parametrize("deed, reason", [("flood-log", "poweroff"), ("flood-panic", "crash")])
def test_400_lines_and_the_end_at_once(xen, guest, deed, reason):
    """Mini-OS shows 41 of them. The buffer holds them all, so not one may be counted as lost."""
    g = guest("selftest", extra=f"{deed} 400", on_poweroff="preserve", on_crash="preserve")
    assert g.wait_shutdown().reason == reason
    console = g.console()
    assert numbers(console, 400) == list(range(1, 401))
    assert "lost" not in console
    if deed == "flood-panic":
        assert "after 400 lines" in console and "back-trace" in console


def test_lines_end_as_on_a_terminal(xen, guest):
    g = guest("selftest", on_poweroff="preserve")
    g.wait("ready")
    raw = xen.run(f"od -c {g.log}").out
    assert r"\r" in raw and r"\n" in raw


def test_endless_flood_stalls_nothing(xen, guest):
    """The guest hears requests and ends in order while it prints without end."""
    g = guest("selftest", extra="flood-endless", on_poweroff="preserve")
    g.wait("lines lost")
    g.xl("shutdown")
    assert g.wait_shutdown().reason == "poweroff"
    assert "power-off requested" in g.console()


def test_dead_console_daemon_does_not_hold_up_the_end(xen, guest):
    """Nobody reads: the guest's end waits for the console, but not for ever."""
    g = guest("selftest", extra="ticks 1000", on_poweroff="preserve")
    g.wait("tick 3")
    xen.run("kill -STOP $(pidof xenconsoled)")
    try:
        g.xl("shutdown")
        assert g.wait_shutdown(timeout=30).reason == "poweroff"
    finally:
        xen.run("kill -CONT $(pidof xenconsoled)")


def test_dead_console_daemon_does_not_hold_up_a_program(xen, guest):
    """Its output waits, until it is clear that nobody reads."""
    g = guest("selftest", extra="flood 20000", on_poweroff="preserve")
    g.wait("line 10 of")
    xen.run("kill -STOP $(pidof xenconsoled)")
    try:
        assert g.wait_shutdown(timeout=30).reason == "poweroff"
    finally:
        xen.run("kill -CONT $(pidof xenconsoled)")


def test_console_daemon_that_pauses(xen, guest):
    """A program's output waits for the reader: still nothing is lost."""
    g = guest("selftest", extra="flood 3000")
    g.wait("line 10 of")
    xen.run("kill -STOP $(pidof xenconsoled); usleep 500000; kill -CONT $(pidof xenconsoled)")
    g.wait_gone(timeout=60)
    assert numbers(g.console(), 3000) == list(range(1, 3001))


def test_input_flood(xen, guest):
    g = guest("selftest", extra="input", on_poweroff="preserve")
    g.wait("ready")
    g.send("x" * 3000 + "\n")
    g.send("q\n")
    g.wait("first 'q'")
    total = sum(int(n) for n in re.findall(r"input (\d+) bytes", g.console()))
    assert total == 3003


def test_input_that_nobody_reads(xen, guest):
    g = guest("selftest", on_poweroff="preserve")
    g.wait("ready")
    for _ in range(5):
        xen.run(
            f"head -c 2000 /dev/zero | timeout 2 tee /dev/null >$(xenstore-read /local/domain/{g.domid}/console/tty)",
            check=False,
        )
    g.xl("sysrq m")
    g.wait("pages free")
    g.xl("shutdown")
    assert g.wait_shutdown().reason == "poweroff"


def control(g, key):
    return f"/local/domain/{g.domid}/control/{key}"


@pytest.mark.parametrize("value", ["suspend", "nonsense", "x" * 300])
def test_request_that_is_not_supported(xen, guest, value):
    """It is acknowledged, logged, and the guest lives."""
    g = guest("selftest", on_poweroff="preserve")
    g.wait("ready")
    xen.run(f"xenstore-write {control(g, 'shutdown')} {value}")
    g.wait("not supported")
    assert xen.run(f"xenstore-read {control(g, 'shutdown')}").out.strip() == ""
    g.xl("shutdown")
    assert g.wait_shutdown().reason == "poweroff"


def test_request_keys_removed(xen, guest):
    """Made anew by xl, they are not ours to write: shutdown needs no acknowledgement, sysrq does."""
    g = guest("selftest", on_poweroff="preserve")
    g.wait("ready")
    xen.run(f"xenstore-rm {control(g, 'shutdown')}")
    xen.run(f"xenstore-rm {control(g, 'sysrq')}")
    g.xl("sysrq m")
    g.wait("cannot be acknowledged")
    xen.run(f"xenstore-write {control(g, 'shutdown')} poweroff")
    assert g.wait_shutdown().reason == "poweroff"
    assert "pages free" not in g.console()


def test_features_are_announced(xen, guest):
    g = guest("selftest")
    g.wait("ready")
    for feature in ("feature-poweroff", "feature-reboot"):
        xen.run(
            f'n=50; until [ "$(xenstore-read {control(g, feature)})" = 1 ]; do usleep 50000; [ $((n-=1)) -gt 0 ]; done'
        )


def test_sysrq_unknown_letter_is_help(xen, guest):
    g = guest("selftest")
    g.wait("ready")
    g.xl("sysrq Z")
    g.wait("m: memory")


def test_sysrq_many(xen, guest):
    g = guest("selftest")
    g.wait("ready")
    for _ in range(20):
        g.xl("sysrq m")
    g.wait("pages free")
    g.xl("sysrq e")
    g.wait("events:")


def test_quotas_are_kept(xen, guest):
    """A flood of changes in its directories costs the guest events, and nothing else."""
    g = guest("selftest", on_poweroff="preserve")
    g.wait("ready")
    xen.run(
        f"n=200; while [ $n -gt 0 ]; do xenstore-write {control(g, 'shutdown')} ''; n=$((n-1)); done",
        timeout=60,
    )
    g.xl("shutdown")
    assert g.wait_shutdown().reason == "poweroff"
