# SPDX-License-Identifier: ISC
"""Peers that fail (tests/peers/faults.c; "Fault, end, test" in docs/hardening.md): netback, xenstored and
xenconsoled die, start again, stall, or fail to send an event, at every step of their protocols; rings are
full; ports storm. Each time the guest ends in the state that the table says."""

import itertools
import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from pair import Pair

FRONT, BACK = "device/vif/0", "/local/domain/0/backend/vif/5/0"
AT_ONCE = 4  # guests; they mostly wait
LAST = 30  # more keys than a frontend writes at a time


def settle(pair):
    """Whoever has something to do has done it: nothing here waits for a timer."""
    pair.guest.quiet(2)


def both_answer(pair):
    return pair.bad.answers() and pair.good.answers()


# --- netback -----------------------------------------------------------------------------------------

def leave(pair):
    """What xl network-detach writes."""
    pair.guest.command(f"write {BACK}/online 0")
    pair.guest.command(f"write {BACK}/state 5")


def remove(pair):
    """What xl does in the end, whether the other two have come to an end or not."""
    pair.guest.command(f"rm {FRONT}")
    pair.guest.command(f"rm {BACK}")
    settle(pair)


def attach(pair):
    pair.guest.command("attach vif 0")


def connected(pair):
    attach(pair)
    settle(pair)


def breach(pair):
    """The frontend closes of its own accord."""
    pair.lie("4-rx-id")
    pair.bad.echo()


# How a connection comes and goes, each with what goes before it; and the least number of keys that the
# frontend writes meanwhile.
WAYS = {
    "connects": (lambda pair: None, attach, 13),
    "connects again": (connected, lambda pair: pair.guest.command("backend restart 0"), 15),
    "is disabled": (connected, breach, 2),
    "leaves": (connected, leave, 1),
}


def restart(pair):
    pair.guest.command("fault vif-restart now")


def resume(pair):
    pair.guest.command("fault vif-resume now")


def renew(pair):
    remove(pair)
    resume(pair)
    attach(pair)


# What becomes good again by what; without it the guest waits.
VIF_FAULTS = {"vif-stop": None, "vif-restart": None, "vif-crash": restart, "vif-vanish": renew,
              "vif-stall": resume}


def strike(pair, way, fault, moment, number):
    """One fault at one moment: what is wrong with its end, or None; False when there is no such moment."""
    prepare, begin, _least = WAYS[way]
    prepare(pair)
    pair.guest.command(f"fault {fault} {moment} {number}")
    begin(pair)
    settle(pair)
    struck = pair.guest.command("struck") == "1"
    wrong = None
    if struck and not pair.good.answers():
        wrong = "the other interface does not serve"
    if struck and VIF_FAULTS[fault] and way.startswith("connects"):
        VIF_FAULTS[fault](pair)
        settle(pair)
    if way.startswith("connects") and not wrong and not pair.bad.answers():
        wrong = "it does not serve again"
    if way.startswith("connects"):
        leave(pair)
    elif struck and VIF_FAULTS[fault] in (restart, resume):
        VIF_FAULTS[fault](pair)
    settle(pair)
    remove(pair)
    pair.guest.command("fault vif-resume now")
    if wrong:
        return f"{fault}, {way}, {moment} {number}: {wrong}"
    return None if struck else False


@pytest.mark.parametrize("fault", VIF_FAULTS)
def test_netback_fails_at_each_write(pair, fault):
    """Before the frontend's first key, and behind each of those that it writes: between two of them nothing
    else can be seen of it. What has been granted comes back; a breach alone disables the device."""
    pair.detach()
    moments = [("now", 0), ("write", 0)] + [("written", n) for n in range(LAST)]
    needs_device = fault in ("vif-stop", "vif-restart", "vif-vanish")
    for way, (_prepare, _begin, least) in WAYS.items():
        for moment, number in moments[way == "connects" and needs_device:]:
            result = strike(pair, way, fault, moment, number)
            if result is False:
                break
            assert result is None, f"{result}\n{pair.guest.diagnosis()}"
        assert least <= number < LAST - 1
    text = pair.guest.messages()
    states = set(re.findall(rf"fault: {fault}: .*state (\d)", text))
    assert states >= {"2", "4", "5"}, states
    pair.wait_grants(pair.baseline)
    assert pair.counter("in quarantine") == 0
    assert pair.disabled() == text.count("vif0 lies") >= 4
    attach(pair)
    settle(pair)
    assert both_answer(pair)
    pair.end()


# --- xenstored -----------------------------------------------------------------------------------------

def store_fails(guest, number, fault):
    """At one request of a boot: as strike()."""
    p = Pair(guest, paused=True)
    p.guest.command(f"fault {fault} asked {number}")
    p.guest.unpause()
    settle(p)
    struck = p.guest.command("struck") == "1"
    if fault == "store-stall":
        p.guest.command("fault store-resume now")
    settle(p)
    lines = p.guest.printed().count("xenstore: ERROR resetting the connection")
    good = p.guest.find() and both_answer(p) and lines == (struck and fault == "store-drop")
    good = good and p.guest.command("read control/feature-poweroff") == "1"
    p.guest.xl("shutdown")
    good = good and p.guest.wait_end() == 0
    p.guest.close()
    if not good:
        return f"{fault}, request {number}:\n{p.guest.diagnosis()}"
    return None if struck else False


@pytest.mark.parametrize("fault", ["store-stall", "store-drop"])
def test_xenstored_fails_at_each_request_of_a_boot(guest, program, fault):
    """It is silent for a while, or forgets the connection: both devices are there in the end, and so is
    everything that the guest has written."""
    program("echo", sanitize=True, peers=True)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for first in itertools.count(0, 4 * AT_ONCE):
            numbers = range(first, first + 4 * AT_ONCE)
            results = list(pool.map(lambda n: store_fails(guest, n, fault), numbers))
            assert not any(results), "\n".join(filter(None, results))
            if False in results:
                break
    assert first + results.index(False) >= 40


def test_xenstored_stalls_at_each_request_of_a_sysrq(pair):
    """And so does the transaction that acknowledges it. Everybody else is served meanwhile."""
    for number in itertools.count():
        pair.guest.command(f"fault store-stall asked {number}")
        pair.guest.xl("sysrq m")
        settle(pair)
        struck = pair.guest.command("struck") == "1"
        assert both_answer(pair)
        pair.guest.command("fault store-resume now")
        settle(pair)
        assert pair.guest.printed().count("pages free") == number + 1
        if not struck:
            break
    assert number >= 6
    pair.end()


def test_xenstored_says_nothing_for_long(pair):
    """One line, and one when it speaks again; no more than what waits for it waits."""
    pair.guest.command("fault store-stall asked 0")
    pair.guest.xl("sysrq m")
    for _ in range(8):
        pair.guest.command("clock step 20000")
        settle(pair)
    assert both_answer(pair)
    pair.guest.wait(r"WARNING the store has not answered for \d+ s")
    pair.guest.command("fault store-resume now")
    pair.guest.wait("pages free")
    pair.guest.wait("WARNING the store answers again")
    assert pair.guest.printed().count("has not answered") == 1
    pair.end()


def test_xenstored_forgets_us_and_cannot_say_so(pair):
    """As Xen's C xenstored, which offers neither the error field nor a reset: it is as one that says nothing
    for ever."""
    pair.guest.command("features 0")
    pair.guest.command("fault store-drop asked 0")
    pair.guest.xl("sysrq m")
    settle(pair)
    assert pair.guest.command("struck") == "1"
    pair.guest.command("clock step 16000")
    pair.guest.wait(r"WARNING the store has not answered for \d+ s")
    assert both_answer(pair)
    assert "ERROR" not in pair.guest.printed()


def test_xenstored_forgets_us_too_often(pair):
    """Four times in a life; then there is no store, and what there is serves on."""
    for count in range(1, 6):
        pair.guest.command("fault store-drop now")
        settle(pair)
        assert both_answer(pair), count
    text = pair.guest.printed()
    assert text.count("xenstore: ERROR resetting") == 4 and text.count("xenstore: ERROR disabled") == 1


# --- xenconsoled ---------------------------------------------------------------------------------------

def numbers(console, of):
    return [int(n) for n in re.findall(rf"line (\d+) of {of}\b", console)]


# What the guest does while nobody reads its console, and with which status it ends; the ring holds 2 KiB,
# the buffer 32.
CONSOLE = {"idle": 0, "flood": 0, "flood-log": 0, "flood-panic": 1}


def stall_console(guest, deed):
    g = guest("selftest", f"{deed} 3000", sanitize=True, paused=True)
    g.command("clock stop")  # however busy the machine: for the guest no time passes meanwhile
    g.command("console stop")
    g.unpause()
    if deed == "idle":
        g.quiet()
        g.xl("shutdown")
    g.quiet(20)
    assert g.find() and not g.printed()
    return g


@pytest.mark.parametrize("deed", CONSOLE)
def test_the_console_stalls_and_goes_on(guest, deed):
    """A program that prints has waited; of what was only logged the oldest lines are lost and counted."""
    g = stall_console(guest, deed)
    g.command("console go")
    g.can("clock go")  # it may have ended already
    assert g.wait_end() == CONSOLE[deed]
    text, seen = g.console(), numbers(g.console(), 3000)
    lost = int((re.findall(r"\[console: (\d+) lines lost\]", text) or ["0"])[0])
    if deed == "idle":
        assert "ready: idle" in text and "power-off requested" in text and not lost
    elif deed == "flood":
        assert seen == list(range(1, 3001)) and not lost
    else:
        assert seen[-1] == 3000 and lost > 2000 and lost + len(seen) >= 3000
        assert deed == "flood-log" or re.search("PANIC: after 3000 lines(.*\n)+.*back-trace", text)


@pytest.mark.parametrize("deed", CONSOLE)
def test_the_console_stalls_for_ever(guest, deed):
    """It holds up nothing for longer than a second, and the end for two."""
    g = stall_console(guest, deed)
    g.command("clock go")
    while g.can("clock step 2500") and g.can("quiet 20"):
        pass
    assert g.wait_end() == CONSOLE[deed]


def test_the_console_stalls_while_something_is_typed(guest):
    g = guest("selftest", "input", sanitize=True)
    g.wait("ready")
    g.command("console stop")
    g.send("x" * 3000 + "\n")
    g.quiet()
    g.command("console go")
    while sum(int(n) for n in re.findall(r"input (\d+) bytes", g.console())) < 3001:
        g.wait("input", count=len(re.findall("input ", g.console())) + 1)


# --- events --------------------------------------------------------------------------------------------

# Whose events, and how many at least there are of them while a device comes, serves and goes.
LOST = {"lose-store": 10, "lose-vif-rx": 4, "lose-vif-tx": 1, "lose-console": 2}


@pytest.mark.parametrize("fault", LOST)
def test_each_event_of_a_connection_is_lost(pair, fault):
    """Xen loses none, but a peer may fail to send one. Two seconds later all is as if it had come: whoever
    waits has looked again."""
    pair.detach()
    for number in itertools.count():
        pair.guest.command(f"fault {fault} event {number}")
        attach(pair)
        settle(pair)
        for size in range(4):
            pair.bad.echo(size)
            settle(pair)
        struck = pair.guest.command("struck") == "1"
        pair.guest.command("clock step 2000")
        settle(pair)
        assert both_answer(pair), f"{number}\n{pair.guest.diagnosis()}"
        leave(pair)
        settle(pair)
        pair.guest.command("clock step 2000")
        remove(pair)
        if not struck:
            break
    assert number >= LOST[fault]
    pair.wait_grants(pair.baseline)
    assert pair.counter("in quarantine") == 0
    pair.end()


def test_storms_at_every_port(pair):
    """14: 1,000 events with nothing behind them, at each port that is open."""
    ports, spurious, throttled = 0, 0, 0
    for port in range(1, 64):
        if not pair.guest.can(f"fault storm port {port}"):
            continue  # it is not open
        ports += 1
        for _ in range(5):
            assert both_answer(pair)
        pair.guest.quiet(40)
        before, spurious = spurious, pair.counter("spurious")
        assert spurious - before < 200, port
        throttled += spurious - before > 2
        assert both_answer(pair)
    assert ports >= 7  # console, store, timer, two for each interface
    assert throttled >= ports - 1  # Xen's own timer needs no defence
    pair.end()


# --- full rings ----------------------------------------------------------------------------------------

def posted(pair):
    return int(re.search(r"posted=(\d+)", pair.guest.command("vif 0"))[1])


def flood(pair, packets=300):
    """As fast as the backend takes them from us."""
    for number in range(packets):
        try:
            pair.bad.echo(number)
        except BlockingIOError:
            settle(pair)
    settle(pair)


@pytest.mark.parametrize("end", ["resumes", "for ever"])
def test_the_transmit_ring_is_full(pair, end):
    """What has no room is dropped and counted."""
    pair.guest.command("fault vif-stall-tx now")
    flood(pair)
    assert pair.good.answers() and not pair.bad.answers(timeout=0.1)
    pair.guest.xl("sysrq n")
    pair.guest.wait("vif/0: dropped: tx_full [1-9]")
    if end == "resumes":
        resume(pair)
        settle(pair)
        pair.bad.drain(0.05)
        assert both_answer(pair)
    pair.detach()
    pair.wait_grants(pair.baseline)
    assert pair.counter("in quarantine") == 0
    pair.end()


def test_no_page_is_left_to_post(pair):
    """The receive ring runs dry, because memory does and the backend keeps what is to be sent; the other
    interface has pages of its own. When there are pages again they are posted."""
    pair.guest.command("fault vif-stall-tx now")
    pair.lie("shortage-of-pages")
    flood(pair)
    assert posted(pair) < 32
    assert pair.good.answers()
    pair.lie("honest")
    resume(pair)
    settle(pair)
    pair.bad.drain(0.05)
    assert both_answer(pair) and posted(pair) > 200
    pair.detach()
    pair.wait_grants(pair.baseline)
    pair.end()


def test_the_ring_to_the_store_is_full(guest):
    """From the first request on; then there is room."""
    p = Pair(guest, paused=True)
    p.guest.command("fault store-full now")
    p.guest.unpause()
    settle(p)
    p.guest.command("fault store-resume now")
    settle(p)
    assert both_answer(p)
    p.guest.command("fault store-full asked 1")
    leave(p)
    settle(p)
    assert p.good.answers()
    p.guest.command("fault store-resume now")
    p.guest.wait("vif/0: link down")
    p.end()
