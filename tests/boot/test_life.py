# SPDX-License-Identifier: ISC
"""The life of a guest as its operator sees it: xl shutdown, reboot, destroy, console, sysrq, and an
idle guest's cost."""

import re

import pytest


def test_idle_guest_uses_no_cpu(xen_icount, guest):
    """Ten seconds of virtual time: no instruction for the guest. It has nothing to do, so it must
    not even be woken."""
    g = guest("selftest", machine=xen_icount)
    g.wait("ready: idle")
    xen_icount.run("sleep 1")
    before = g.stat().cpu_time
    xen_icount.run("sleep 10")
    assert g.stat().cpu_time - before == 0


def test_shutdown_runs_hooks_and_powers_off(xen, guest):
    g = guest("selftest", extra="hook", on_poweroff="preserve")
    g.wait("ready: hook")
    g.xl("shutdown")
    assert g.wait_shutdown().reason == "poweroff"
    assert "hook ran" in g.console()


def test_shutdown_wait(xen, guest):
    """xl shutdown -w returns when the domain is gone."""
    g = guest("selftest")
    g.wait("ready")
    xen.run(f"xl shutdown -w {g.name}", timeout=60)
    assert g.find() is None


def test_shutdown_is_not_stopped_by_a_stuck_hook(xen, guest):
    g = guest("selftest", extra="stuck-hook", on_poweroff="preserve")
    g.wait("ready")
    g.xl("shutdown")
    assert g.wait_shutdown(timeout=30).reason == "poweroff"


def test_reboot_starts_the_guest_again(xen, guest):
    g = guest("selftest")
    g.wait("ready")
    g.xl("reboot")
    g.wait_gone()
    g.domid = g.wait_restarted()
    g.wait("ready", count=2)
    g.xl("shutdown")
    g.wait_gone()


def test_destroy(xen, guest):
    g = guest("selftest")
    g.wait("ready")
    g.xl("destroy")
    g.wait_gone()
    assert g.find() is None


def test_pause_and_unpause(xen, guest):
    g = guest("selftest", paused=True, extra="ticks 5")
    assert "paused" in g.stat().state
    assert g.stat().cpu_time == 0
    g.unpause()
    g.wait("tick 5")
    g.wait_gone()


def test_console_input(xen, guest):
    g = guest("selftest", extra="input")
    g.wait("ready")
    g.send("q\n")
    g.wait("input .* first 'q'")


def test_xl_console_shows_what_was_printed_before(xen, guest):
    g = guest("selftest")
    g.wait("ready")
    shown = xen.run(f"timeout 3 xenconsole {g.domid} </dev/null", check=False).out
    assert "ready: idle" in shown


def test_flood_of_a_thread_loses_no_line(xen, guest):
    """Every line of a burst much larger than the console ring arrives, once and in order."""
    g = guest("selftest", extra="flood 1000")
    g.wait_gone(timeout=60)
    lines = re.findall(r"line (\d+) of 1000", g.console())
    assert lines == [str(n) for n in range(1, 1001)]


def test_flood_of_the_log_counts_what_it_drops(xen, guest):
    """The log does not wait: lines shown and lines counted as lost are all there were, in order."""
    g = guest("selftest", extra="flood-log 2000")
    g.wait_gone(timeout=60)
    console = g.console()
    lines = [int(n) for n in re.findall(r"line (\d+) of 2000", console)]
    lost = sum(int(n) for n in re.findall(r"console: (\d+) lines lost", console))
    assert lines == sorted(lines) and lines[-1] == 2000
    assert len(lines) + lost >= 2000
    assert "status 0" in console


@pytest.mark.parametrize("status, reason", [(0, "poweroff"), (1, "crash"), (77, "crash")])
def test_exit_status(xen, guest, status, reason):
    g = guest("selftest", extra=f"exit {status}", on_poweroff="preserve", on_crash="preserve")
    assert g.wait_shutdown().reason == reason
    assert f"status {status}" in g.console()


def test_exit_again_and_again(xen, guest):
    """From a callback, hundreds of times while a hook takes its time."""
    g = guest("selftest", extra="exits", on_poweroff="preserve", on_crash="preserve")
    assert g.wait_shutdown().reason == "poweroff"
    console = g.console()
    assert int(re.search(r"left (\d+) times", console)[1]) >= 300
    assert console.count("the app has ended") == 1


@pytest.mark.parametrize(
    "letter, answer", [("h", "threads"), ("m", "pages free"), ("t", "thread .*:"), ("e", "events:")]
)
def test_sysrq_reports(xen, guest, letter, answer):
    g = guest("selftest")
    g.wait("ready")
    g.xl(f"sysrq {letter}")
    g.wait(answer)


@pytest.mark.parametrize("letter, reason", [("o", "poweroff"), ("b", "reboot"), ("c", "crash")])
def test_sysrq_ends(xen, guest, letter, reason):
    keep = {"on_poweroff": "preserve", "on_reboot": "preserve", "on_crash": "preserve"}
    g = guest("selftest", **keep)
    g.wait("ready")
    g.xl(f"sysrq {letter}")
    assert g.wait_shutdown().reason == reason


def test_timers_keep_time(xen_icount, guest):
    """Ten ticks of 100 ms take a second of the guest's clock."""
    g = guest("selftest", machine=xen_icount, extra="ticks 10")
    g.wait("tick 10")
    stamps = [float(t) for t in re.findall(r"\[ *(\d+\.\d+)\] selftest: tick", g.console())]
    assert len(stamps) == 10
    assert 0.9 <= stamps[9] - stamps[0] < 0.95


def test_wall_clock(xen, guest):
    g = guest("selftest", extra="wall", paused=True)
    before = int(xen.run("date +%s").out)
    g.unpause()
    seen = int(re.search(r"wall (\d+) s", g.wait("wall [0-9]")).group(1))
    assert before - 1 <= seen <= int(xen.run("date +%s").out) + 1


def test_random_differs_between_boots(xen, guest):
    words = [
        guest("selftest", extra="random").wait("random [0-9a-f]*").split()[-1] for _ in range(2)
    ]
    assert words[0] != words[1]


def test_publishes_in_xenstore(xen, guest):
    g = guest("selftest", extra="publish greeting")
    g.wait("ready")
    path = f"/local/domain/{g.domid}/data/selftest"
    xen.run(
        f'n=50; until [ "$(xenstore-read {path})" = greeting ]; do '
        "[ $((n-=1)) -gt 0 ] || exit 1; usleep 100000; done"
    )


def test_memory_exhaustion_is_survived(xen, guest):
    g = guest("selftest", extra="exhaust")
    g.wait_gone()
    rounds = re.findall(r"round \d: (\d+) pages taken, (\d+) of (\d+) free", g.console())
    assert len(rounds) == 3
    assert all(int(taken) > 100 and after == before for taken, after, before in rounds[1:])
