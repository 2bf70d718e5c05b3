# SPDX-License-Identifier: ISC
"""Peers of bare rings that fail (tests/peers/faults.c; "Fault, end, test" in docs/hardening.md): blkback, or the
other end of a vchan, dies, starts again, stalls, or fails to send an event, at every step of its protocol, with
requests in flight. Each time the guest ends in the state that the table says, and its other disk and its
network serve meanwhile."""

import itertools
import re

import pytest
from test_peers_rings import BAD, GOOD, VCHAN, Rings, rings

FRONT, BACK = f"device/vbd/{BAD}", f"/local/domain/0/backend/vbd/5/{BAD}"
LAST = 30  # more keys than a frontend writes at a time
JOBS, WINDOW = 45, 40  # more than there is room for, and how many of them at a time


class FailingRings(Rings):
    """Each test has one of its own."""

    def __init__(self, guest, directory):
        directory.mkdir()
        super().__init__(guest, directory)
        self.asked = self.guest.printed().count("traffic: ")

    def settle(self):
        """Whoever has something to do has done it: nothing here waits for a timer."""
        self.guest.quiet(2)

    def fault(self, name, moment="now", number=0):
        self.guest.command(f"fault {name} {moment} {number}")

    def struck(self):
        return self.guest.command("struck") == "1"

    def ask(self):
        """As much as there is room for, and more."""
        self.asked += 1
        self.guest.send(f"disk {BAD} traffic {JOBS} {self.asked}\n")
        self.settle()

    def answered(self):
        """What became of it: (ok, differ, failed)."""
        line = self.guest.wait(f"disk {BAD}: traffic: ", count=self.asked)
        return tuple(map(int, re.findall(r"(\d+) (?:ok|differ|failed)", line)))

    def other_disk(self):
        return rings.results(self.guest, "write 5 3 1", "read 5 3 1", disk=GOOD) == [
            "write 5+3: ok", "read 5+3: ok"]

    def leave(self):
        """What xl block-detach writes."""
        self.guest.command(f"write {BACK}/online 0")
        self.guest.command(f"write {BACK}/state 5")

    def remove(self):
        """What xl does in the end, whether the other two have come to an end or not."""
        self.guest.command(f"rm {FRONT}")
        self.guest.command(f"rm {BACK}")
        self.settle()


@pytest.fixture
def make(starter, tmp_path):
    made, numbers = [], itertools.count()

    def start():
        made.append(FailingRings(starter, tmp_path / str(next(numbers))))
        return made[-1]

    yield start
    for r in made:
        r.guest.close()
        assert "Sanitizer" not in r.guest.messages() and "runtime error" not in r.guest.messages(), \
            r.guest.messages()


# --- blkback -----------------------------------------------------------------------------------------

def connected(r):
    r.attach()
    r.settle()


def busy(r):
    """Connected, and everything that there is room for is on the ring."""
    connected(r)
    r.fault("vbd-stall-io")
    r.ask()


def breach(r):
    r.lie("4-blk-id-large")
    r.ask()


# How a connection comes and goes, each with what goes before it; and the least number of keys that the
# frontend writes meanwhile.
WAYS = {
    "connects": (lambda r: None, lambda r: r.attach(), 10),
    "connects again": (busy, lambda r: r.guest.command(f"backend restart vbd {BAD}"), 12),
    "is disabled": (connected, breach, 2),
    "leaves": (busy, lambda r: r.leave(), 1),
}


def restart(r):
    r.fault("vbd-restart")


def resume(r):
    r.fault("vbd-resume")


def renew(r):
    r.remove()
    resume(r)
    r.attach()


# What becomes good again by what; without it the guest waits.
VBD_FAULTS = {"vbd-stop": None, "vbd-restart": None, "vbd-crash": restart, "vbd-vanish": renew,
              "vbd-stall": resume}


def strike(r, way, fault, moment, number):
    """One fault at one moment: what is wrong with its end, or None; False when there is no such moment."""
    prepare, begin, _least = WAYS[way]
    prepare(r)
    r.fault(fault, moment, number)
    begin(r)
    r.settle()
    struck, wrong = r.struck(), None
    if struck and not r.other_disk():
        wrong = "the other disk does not serve"
    if way.startswith("connects"):
        if struck and VBD_FAULTS[fault]:
            VBD_FAULTS[fault](r)
            r.settle()
        gone = way == "connects again" and fault == "vbd-vanish" and struck
        if gone and r.answered() != (0, 0, WINDOW):
            wrong = "what was asked of it has not come to an end"
        if gone or way == "connects":
            r.ask()
        if r.answered() != (JOBS, 0, 0):
            wrong = "it does not serve again"
        r.leave()
    elif struck and VBD_FAULTS[fault] in (restart, resume):
        VBD_FAULTS[fault](r)
    r.settle()
    r.remove()
    resume(r)
    if way in ("is disabled", "leaves") and sum(r.answered()) < WINDOW:
        wrong = "what was asked of it has not come to an end"
    if wrong:
        return f"{fault}, {way}, {moment} {number}: {wrong}"
    return None if struck else False


@pytest.mark.parametrize("fault", VBD_FAULTS)
def test_blkback_fails_at_each_write(make, fault):
    """Before the frontend's first key, and behind each of those that it writes. What has been asked of it is
    done, once, or has failed when the device goes; what has been granted comes back; a breach alone disables
    the device."""
    r = make()
    moments = [("now", 0), ("write", 0)] + [("written", n) for n in range(LAST)]
    needs_device = fault in ("vbd-stop", "vbd-restart", "vbd-vanish")
    for way, (_prepare, _begin, least) in WAYS.items():
        for moment, number in moments[way == "connects" and needs_device:]:
            result = strike(r, way, fault, moment, number)
            if result is False:
                break
            assert result is None, f"{result}\n{r.guest.diagnosis()}"
        assert least <= number < LAST - 1
    text = r.guest.messages()
    states = set(re.findall(rf"fault: {fault}: .*state (\d)", text))
    assert states >= {"2", "4", "5"}, states
    r.wait_grants(r.baseline)
    assert r.counter("in quarantine") == 0
    assert r.disabled() == text.count("xvda lies") >= 4
    connected(r)
    r.ask()
    assert r.answered() == (JOBS, 0, 0)
    r.serves()
    r.end()


@pytest.mark.parametrize("end", ["resumes", "for ever"])
def test_the_disk_s_ring_is_full(make, end):
    """What has no room waits; with the device it fails."""
    r = make()
    busy(r)
    assert r.guest.printed().count("traffic: ") == r.asked - 1
    r.serves()
    if end == "resumes":
        resume(r)
        assert r.answered() == (JOBS, 0, 0)
    r.detach()
    assert end == "resumes" or r.answered() == (0, 0, WINDOW)
    r.wait_grants(r.baseline)
    assert r.counter("in quarantine") == 0
    r.end()


def test_blkback_keeps_all_it_was_lent(make):
    """It starts again and lets go of nothing: it is lent no more until it does."""
    r = make()
    busy(r)
    r.fault("vbd-keep")
    r.guest.command(f"backend restart vbd {BAD}")
    r.guest.wait(r"lending: WARNING domain 0 keeps \d+ pages of ended connections")
    r.guest.wait(f"vbd/{BAD}: connecting: ENOMEM: will try on")
    r.serves()
    assert r.answered() == (JOBS, 0, 0)
    assert f"vbd/{BAD}: connected at last" in r.guest.printed()
    r.detach()
    r.wait_grants(r.baseline)
    assert r.counter("in quarantine") == 0
    r.end()


def test_each_event_of_a_disk_is_lost(make):
    """Xen loses none, but blkback may fail to send one. A second later all is as if it had come."""
    r = make()
    for number in itertools.count():
        connected(r)
        r.fault("lose-vbd", "event", number)
        r.ask()
        r.settle()
        struck = r.struck()
        r.guest.command("clock step 2000")
        assert r.answered() == (JOBS, 0, 0)
        r.leave()
        r.settle()
        r.remove()
        if not struck:
            break
    assert number >= 2
    r.wait_grants(r.baseline)
    r.end()


# --- vchan -------------------------------------------------------------------------------------------

BYTES = 4000  # both rings wrap
WHOLE = f"{BYTES} bytes, closed"
# What the guest's end comes to when the other one dies: it was there, or only its keys are.
ENDS = WHOLE + r"|\d+ bytes, the peer has closed|0 bytes, (EACCES|EINVAL)"
VCHAN_FAULTS = {  # and which ends are good ones
    "vchan-die": ENDS, "vchan-restart": ENDS + r"|\d+ bytes, closed", "vchan-crash": ENDS, "vchan-stall": WHOLE, "lose-vchan": WHOLE}


def strike_vchan(r, mode, fault, moment, number):
    """As strike()."""
    r.fault(fault, moment, number)
    r.vchan(mode, BYTES, wait=False)
    r.settle()
    struck, wrong = r.struck(), None
    if struck and not r.other_disk():
        wrong = "the disk does not serve"
    r.fault("vchan-resume")
    r.guest.command("clock step 2000")
    r.settle()
    if r.guest.printed().count(f"vchan {VCHAN}: {r.verb}: ") < r.begun[r.verb]:
        # It waits for somebody.
        r.guest.can(r.liar)
    said = r.vchan_end()
    if not re.fullmatch(VCHAN_FAULTS[fault], said):
        wrong = said
    if said == WHOLE and fault in ("vchan-stall", "lose-vchan") and r.echoed() != r.data:
        wrong = "something else comes back"
    r.guest.command("vchan close")
    r.wait_grants(r.baseline)  # what the network sends meanwhile comes back too
    if r.guest.command("foreign") != "0":
        wrong = "something is still mapped"
    if wrong:
        return f"{fault}, {mode}, {moment} {number}: {wrong}"
    return None if struck else False


@pytest.mark.parametrize("fault", VCHAN_FAULTS)
@pytest.mark.parametrize("mode", ["client", "server"])
def test_the_other_end_fails_at_each_step(make, mode, fault):
    """At each request to the store by which the guest's end comes and goes, whenever the other one comes, has
    written or has read, and with each event that it sends. What dies has closed; what crashes is noticed within
    a second; what stalls is waited for."""
    r = make()
    for moment, least in (("event", 5),) if fault == "lose-vchan" else (("asked", 2), ("step", 9)):
        for number in itertools.count():
            result = strike_vchan(r, mode, fault, moment, number)
            if result is False:
                break
            assert result is None, f"{result}\n{r.guest.diagnosis()}"
        assert number >= least
    assert ("gone without a word" in r.guest.printed()) == (fault == "vchan-crash")
    assert r.vchan(mode, BYTES) == WHOLE
    assert r.echoed() == r.data and not r.errors()
    r.serves()
    r.end()
