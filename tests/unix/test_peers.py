# SPDX-License-Identifier: ISC
"""Peers that lie (docs/hardening.md): netback of the first of two interfaces, or xenstored, breaks one
rule at one step (tests/peers), under AddressSanitizer and UBSan. Whatever it was, the guest lives, the
second interface serves, nothing is lost, and the device that was lied to says why in one line."""

import re
import time

import pytest
from pair import Pair
from scapy.all import ICMP, IP, TCP, UDP  # pylint: disable=no-name-in-module

# What the log says of it.
BREACHES = {
    "2-tx-ahead": "an impossible transmit index",
    "2-tx-far-ahead": "an impossible transmit index",
    "2-tx-back": "an impossible transmit index",
    "2-rx-ahead": "an impossible receive index",
    "2-rx-far-ahead": "an impossible receive index",
    "2-rx-back": "an impossible receive index",
    "4-tx-id-large": "a response to a transmit request that is not in flight",
    "4-tx-id-idle": "a response to a transmit request that is not in flight",
    "4-tx-id-twice": "a response to a transmit request that is not in flight|an impossible transmit index",
    "4-rx-id": "a response to a request that was not made",
    "4-rx-id-other": "a response to a request that was not made",
    "5-tx-null": "a null response to nothing",
    "5-tx-status": "an unknown transmit status",
    "6-rx-offset": "a piece beyond the end of its page",
    "6-rx-offset-huge": "a piece beyond the end of its page",
    "6-rx-size": "a piece beyond the end of its page",
    "6-rx-no-end": "a packet that does not end",
    "6-rx-many": "a packet of too many pieces",
    "6-rx-extra-missing": "extra info beyond the last response",
    "6-rx-extra-type": "extra info of an unknown type",
    "6-rx-extra-none": "extra info of an unknown type",
    "6-rx-gso-type": "segmentation of an unknown type",
    "9-rx-hold": "a page that was answered is still in use",
    "9-tx-hold": "a page that was sent is still in use",
}


@pytest.mark.parametrize("after", [0, 300])
@pytest.mark.parametrize("lie", BREACHES)
def test_a_breach_costs_the_device_and_nothing_else(pair, lie, after):
    """At the first step of its kind, and when the ring has wrapped."""
    pair.lie(lie, after)
    pair.traffic()
    pair.guest.wait(rf"ERROR vif/0: disabled: ({BREACHES[lie]}).* \(\d+\)$")
    assert pair.good.answers()
    assert not pair.bad.answers(timeout=0.3)
    assert pair.guest.console().count("ERROR") == 1
    assert pair.disabled() == 1
    assert pair.guest.command("read error/device/vif/0/error")
    # A new device takes its place; nothing of the old one is left but what the liar holds.
    pair.detach()
    held = 1 if lie.startswith("9-") else 0
    pair.wait_grants(pair.baseline + held)
    assert pair.grants()[1] == held
    pair.guest.command("attach vif 0")
    assert pair.bad.answers()
    assert pair.good.answers()
    pair.end()


def test_a_backend_that_keeps_all_it_was_lent(pair):
    """9: it starts again, and lets go of nothing: no connection is made until it does."""
    pair.detach()
    pair.lie("9-rx-keep")
    pair.guest.command("attach vif 0")
    pair.guest.wait("vif/0: link up", count=3)
    pair.guest.command("backend restart 0")
    pair.guest.wait("vif/0: connecting: EBUSY: will try on")
    assert pair.good.answers()
    pair.guest.wait("vif/0: connected at last")
    assert pair.bad.answers() and pair.good.answers()
    pair.detach()
    pair.wait_grants(pair.baseline)
    assert pair.counter("in quarantine") == 0
    pair.end()


# Lies that cost no more than the packets they are told of.
HARMLESS = ["1-rx-flip", "3-scribble", "5-tx-error", "6-rx-error", "6-rx-empty", "7-rx-gso-untrue",
            "7-rx-blank-untrue", "14-storm", "19-all-states"]


@pytest.mark.parametrize("after", [0, 20])
@pytest.mark.parametrize("lie", HARMLESS)
def test_a_lie_that_is_not_believed(pair, lie, after):
    pair.lie(lie, after)
    pair.traffic()
    assert pair.good.answers()
    if lie not in ("1-rx-flip", "19-all-states"):  # what these two do may be a breach, or not
        assert pair.bad.answers(), "the device serves on"
        assert pair.disabled() == 0
    if lie != "1-rx-flip":  # it would write to the ring of the next device
        pair.detach()
        pair.wait_grants(pair.baseline)
    assert pair.grants()[1] == 0
    assert pair.good.answers()
    pair.end()


def test_a_storm_of_events_costs_little(pair):
    """14: a port whose events are spurious is looked at ever more rarely."""
    pair.lie("14-storm")
    pair.traffic()
    time.sleep(2.5)
    assert 0 < pair.counter("spurious") < 2000  # of 200,000
    pair.end()


@pytest.mark.parametrize("kind", ["tcp", "fragment", "icmp"])
def test_a_blank_checksum_is_no_promise(pair, kind):
    """7: headers that are not what they say, declared as checked."""
    pair.lie("7-rx-blank-untrue")
    odd = {
        "tcp": IP(src="10.0.1.1", dst="10.0.1.2") / TCP(dport=7, dataofs=15) / b"x",
        "fragment": IP(src="10.0.1.1", dst="10.0.1.2", flags="MF", frag=100, proto=6) / b"xy",
        "icmp": IP(src="10.0.1.1", dst="10.0.1.2", ihl=15) / ICMP(),
    }[kind]
    for _ in range(50):
        pair.bad.send(odd)
    pair.bad.send(IP(src="10.0.1.1", dst="10.0.1.2", len=60000) / UDP(dport=7, len=50000) / b"x")
    pair.traffic()
    assert pair.bad.answers() and pair.good.answers()
    pair.end()


@pytest.mark.parametrize("lie, said", [
    ("10-tx-write", "a page to be sent cannot be written"),
    ("10-rx-late", "no page can be written after its response"),
])
def test_pages_are_open_no_longer_than_needed(pair, lie, said):
    pair.lie(lie)
    deadline = time.monotonic() + 20
    while said not in pair.guest.messages() and time.monotonic() < deadline:
        pair.bad.echo()
        pair.bad.drain(0.01)
    assert said in pair.guest.messages()
    assert pair.bad.answers() and pair.good.answers()
    pair.end()


def test_pages_are_empty_before_they_are_shown(guest):
    """11: what is posted first."""
    p = Pair(guest, paused=True)
    p.lie("11-peek")
    p.guest.unpause()
    p.wait_up()
    assert p.told() == 1
    assert re.search(r"\d\d+ posted pages are empty", p.guest.messages())
    p.end()


OFFERS = ["16-huge", "16-negative", "16-text", "16-empty", "16-nothing"]


@pytest.mark.parametrize("lie", OFFERS)
def test_offers_that_are_none(guest, lie):
    """16: what cannot be read counts as not offered, and the device works without."""
    p = Pair(guest, paused=True)
    p.lie(lie)
    p.guest.command("backend restart 0")  # the first offer has been made already
    p.guest.unpause()
    p.wait_up()
    assert p.told() == 1
    assert p.bad.answers()
    p.end()


def test_a_backend_that_cannot_copy(guest):
    p = Pair(guest, paused=True)
    p.lie("16-no-copy")
    p.guest.command("backend restart 0")
    p.guest.unpause()
    p.wait_up()
    p.guest.wait("vif/0: the backend cannot copy packets to us")
    assert not p.bad.answers(timeout=0.3)
    p.end()


@pytest.mark.parametrize("lie", [
    f"18-{what}-{when}"
    for what, steps in {"closed": ("at-offer", "at-connect", "in-traffic"),
                        "closing": ("at-connect", "in-traffic"),
                        "no-state": ("at-offer", "at-connect", "in-traffic"),
                        "vanish": ("at-offer", "at-connect", "in-traffic")}.items()
    for when in steps
])
def test_states_out_of_order(pair, lie):
    """18: at each step the backend may be closed, gone or mad; a new device takes its place."""
    pair.lie(lie)
    if lie.endswith("in-traffic"):
        pair.traffic()
    else:
        pair.detach()
        pair.guest.command("attach vif 0")
        deadline = time.monotonic() + 20
        while not pair.told() and time.monotonic() < deadline:
            time.sleep(0.02)
    assert pair.told() == 1
    pair.guest.quiet()
    assert pair.good.answers()
    pair.guest.xl("network-detach 0")
    assert pair.guest.run_in_dom0("xenstore-ls device/vif/0", check=False).status
    pair.wait_grants(pair.baseline)
    assert pair.grants()[1] == 0
    pair.guest.command("attach vif 0")
    assert pair.bad.answers()
    pair.end()


# A stream that is lost; a reply that is, since nobody can be told whose it is; one that makes no sense.
STREAM = {"20-reply-ahead": "its reply index is out of range",
          "20-reply-back": "its reply index is out of range",
          "20-request-ahead": "its request index is out of range",
          "20-length": "a packet is too long",
          "20-length-huge": "a packet is too long"}
LOST = {"20-request-id": "reply to an unknown request",
        "20-transaction-id": "reply from another transaction",
        "20-event-token": "event with an unknown token",
        "20-event-endless": "event with an unknown token",
        "20-event-empty": "event with an unknown token"}
SENSELESS = {"20-type-other": r"reply of type \d+ to a request of type \d+",
             "20-type-unknown": r"reply of type 65534 to a request of type \d+",
             "21-error-unknown": 'unknown error "ESTRANGE"',
             "21-error-endless": 'unknown error "EINVALID-AND-NO-END'}
AT_REPLY = range(0, 28, 4)  # from the first reply of the boot to the last one of the devices' connecting


def lied_to_at_boot(guest, lie, after, features=3):
    p = Pair(guest, paused=True)
    p.guest.command(f"features {features}")
    p.lie(lie, after)
    p.guest.unpause()
    p.guest.quiet()
    for _ in range(30):
        if p.told():
            return p
        p.guest.xl("sysrq m")
        p.guest.quiet()
    raise AssertionError("the lie has not been told")


def both_serve_and_the_host_is_heard(p, **counters):
    assert p.bad.answers() and p.good.answers(), p.guest.diagnosis()
    assert p.guest.command("read control/feature-poweroff") == "1"
    assert p.disabled() == 0
    line = re.findall(r"xenstore: requests .*", p.guest.printed())[-1]
    for name, count in counters.items():
        assert f"{name} {count}" in line
    p.end()


@pytest.mark.parametrize("after", AT_REPLY)
@pytest.mark.parametrize("lie", STREAM)
def test_a_store_whose_stream_is_lost(guest, lie, after):
    """20, 23: it begins anew, and nothing is missing in the end. (The store has no error field, or it would
    be the first to complain.)"""
    p = lied_to_at_boot(guest, lie, after, features=1)
    p.guest.wait(f"xenstore: ERROR resetting the connection: {STREAM[lie]}")
    p.guest.wait("xenstore: the connection is reset")
    both_serve_and_the_host_is_heard(p, ignored=0, resets=1)


@pytest.mark.parametrize("lie", STREAM)
def test_a_store_whose_stream_cannot_begin_anew(pair, lie):
    """23: as Xen's C xenstored has it. It is given up, and costs the devices nothing."""
    pair.guest.command("features 0")
    pair.lie(lie)
    pair.guest.xl("sysrq m")
    pair.guest.wait(f"xenstore: ERROR disabled: {STREAM[lie]}")
    assert pair.bad.answers() and pair.good.answers()
    pair.guest.quiet()
    assert pair.guest.find() and pair.guest.printed().count("ERROR") == 1


@pytest.mark.parametrize("after", AT_REPLY)
@pytest.mark.parametrize("lie", LOST)
def test_a_store_that_loses_a_reply(guest, lie, after):
    """20: it is for nobody, and costs what has waited for it, for which there is a line, and no more: a
    device that is connected serves. With the connection the wait ends."""
    p = lied_to_at_boot(guest, lie, after)
    p.guest.wait(f"xenstore: WARNING ignored: {LOST[lie]}")
    for port in p.ports:
        assert f"vif/{port.index}: link up" not in p.guest.printed() or port.answers()
    p.guest.command("clock step 16000")
    p.guest.wait("xenstore: WARNING the store has not answered")
    p.guest.command("fault store-drop now")
    both_serve_and_the_host_is_heard(p, ignored=1, resets=1)


@pytest.mark.parametrize("after", AT_REPLY)
@pytest.mark.parametrize("lie", SENSELESS)
def test_a_store_that_talks_nonsense(guest, lie, after):
    """20, 21: whoever was told it asks again, soon."""
    p = lied_to_at_boot(guest, lie, after)
    p.guest.wait(f"xenstore: WARNING {SENSELESS[lie]}")
    p.guest.command("clock step 6000")
    both_serve_and_the_host_is_heard(p, ignored=0, resets=0)


def test_a_store_whose_transactions_never_end_well(pair):
    """21: what the host asks for waits, without a storm of tries."""
    pair.lie("21-again")
    pair.guest.xl("sysrq m")
    pair.guest.wait("control/sysrq: EAGAIN: looking again")
    assert pair.bad.answers() and pair.good.answers()
    assert "pages free" not in pair.guest.printed()
    pair.lie("honest")
    pair.guest.command("clock step 1000")
    pair.guest.wait("pages free")
    both_serve_and_the_host_is_heard(pair, ignored=0, resets=0)


def attach_without_room(pair):
    """22: neither the guest's keys can be written nor a watch registered: the device waits, the other
    serves."""
    pair.detach()
    pair.lie("22-no-space")
    pair.guest.command("attach vif 0")
    pair.guest.wait("ERROR watch on /local/domain/0/backend/vif/5/0/state: ENOSPC: will try on")
    assert pair.told() and pair.good.answers()


def test_a_store_without_room(pair):
    """22: what the host asks for is done once there is room."""
    attach_without_room(pair)
    pair.guest.xl("shutdown")
    pair.guest.wait("ENOSPC: looking again")
    assert pair.guest.find()
    pair.lie("honest")
    assert pair.guest.wait_end() == 0


def test_a_store_with_room_again(pair):
    """22: so is a device connected then."""
    attach_without_room(pair)
    pair.lie("honest")
    pair.guest.command("clock step 4000")
    assert pair.bad.answers() and pair.good.answers()
    assert pair.disabled() == 0
    pair.end()


def test_a_store_without_room_at_boot(guest):
    """22: not even for the watches on control/ and on the devices' directory."""
    p = Pair(guest, paused=True)
    p.lie("22-no-space")
    p.guest.unpause()
    p.guest.wait("ERROR watch on control: ENOSPC: will try on")
    p.guest.wait("ERROR watch on device/vif: ENOSPC: will try on")
    p.lie("honest")
    p.guest.command("clock step 4000")
    p.wait_up()
    assert p.bad.answers()
    p.end()
