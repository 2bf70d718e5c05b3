# SPDX-License-Identifier: ISC
"""A clock that fails (docs/hardening.md, rule 25): the system time is set forwards or back, or stands; the
wall clock steps. For the guest time never runs backwards, no timer is lost, none fires twice, and
everything serves on."""

import re
import socket
import time

import dns.message
import dns.query
import pytest
from pair import Pair

SECOND, HOUR, DAY = 1000, 3600 * 1000, 24 * 3600 * 1000  # ms
STEPS = {"an hour": HOUR, "a day": DAY, "a month": 30 * DAY, "back a little": -1, "back a second": -SECOND,
         "back an hour": -HOUR, "back to before the boot": -20 * DAY}


def stamps(text):
    """What stands in front of the lines of the log, in seconds."""
    return [float(s) for s in re.findall(r"^\[ *(\d+\.\d{6})\]", text, re.M)]


def goes_forward(text):
    assert stamps(text) == sorted(stamps(text)), text


@pytest.mark.parametrize("step", [step for step in STEPS if step != "a month"])
def test_the_network_serves_on(guest, step):
    """Nor is the guest kept busy by it."""
    p = Pair(guest)
    p.wait_up()
    before = p.counter("upcalls")
    p.guest.command(f"clock step {STEPS[step]}")
    p.guest.quiet(2)
    assert p.bad.answers() and p.good.answers()
    assert p.counter("upcalls") - before < 200
    text = p.guest.printed()
    goes_forward(text)
    assert text.count("WARNING the system time was set back") == (STEPS[step] <= -SECOND)
    assert stamps(text)[-1] >= STEPS[step] / SECOND
    p.end()


def count_ticks(g):
    """How many there have been, the guest having nothing to do while its clock stands."""
    g.quiet(5)
    return g.printed().count(": tick")


def test_a_timer_fires_once(guest):
    """One that fires every tenth of a second is not made up for; after a step back the first event wakes
    it."""
    g = guest("selftest", "ticks 100000", sanitize=True)
    g.wait("tick 1$")
    for step in STEPS.values():
        g.command("clock stop")
        before = count_ticks(g)
        g.command(f"clock step {step}")
        g.xl("sysrq m")
        assert count_ticks(g) <= before + 1
        g.command("clock go")
        g.xl("sysrq m")
        g.wait(f"tick {before + 2}$")
    goes_forward(g.printed())


def test_a_clock_that_stands(guest):
    """No timer fires; requests are served; then it all goes on."""
    g = guest("selftest", "ticks 100000", sanitize=True)
    g.wait("tick 1$")
    g.command("clock stop")
    before = count_ticks(g)
    g.xl("sysrq m")
    g.wait("pages free")
    g.quiet(150)
    assert g.printed().count(": tick") == before
    g.command("clock go")
    g.wait(f"tick {before + 3}$")
    goes_forward(g.printed())


@pytest.mark.parametrize("years", [-20, 0, 10, 250])
def test_the_wall_clock(guest, years):
    g = guest("selftest", "wall", sanitize=True, paused=True)
    g.command(f"clock wall {years * 365 * DAY}")
    g.command(f"clock step {DAY}")
    g.unpause()
    assert g.wait_end() == 0
    shown = int(re.search(r"wall (\d+) s", g.console())[1])
    assert abs(shown - time.time() - (years * 365 + 1) * DAY / SECOND) < 60


def test_dns_answers_whatever_the_time(network, guest):
    """A connection may be closed for having been idle; the next one is served."""
    g = guest("dns")
    g.wait("address")
    query = dns.message.make_query("www.example.org", "A")

    def answers():
        for ask in (dns.query.udp, dns.query.tcp):
            assert "192.0.2.1" in ask(query, g.address, timeout=5).to_text()

    answers()
    with socket.create_connection((g.address, 53), timeout=5) as idle:
        for what in [f"step {ms}" for ms in STEPS.values()] + \
                    [f"wall {365 * DAY * years}" for years in (10, -20, 250)] + ["stop", "go"]:
            g.command(f"clock {what}")
            g.quiet(2)
            answers()
        assert idle.recv(1) == b""
    goes_forward(g.printed())
    g.xl("shutdown")
    assert g.wait_end() == 0
