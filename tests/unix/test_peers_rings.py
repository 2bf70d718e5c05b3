# SPDX-License-Identifier: ISC
"""Peers of bare rings that lie (docs/hardening.md): blkback of the first of two disks, or the other end of
a vchan, breaks one rule at one step (tests/peers/blk_lies.c, vchan_lies.c), under AddressSanitizer and
UBSan. Whatever it was, the guest lives, its other disk and its network serve, nothing is lost, and what
was lied to says why in one line.

One guest is lied to by one test after the other, each with a new device."""

import os

import pytest
import test_rings as rings
from lied import Lied, Port

BAD, GOOD = rings.XVDA, rings.XVDB
VCHAN = 32


class Rings(Lied):
    """ringtest with two disks, a network, and the console."""

    def __init__(self, start, directory):
        images = [directory / "a.img", directory / "b.img"]
        for image in images:
            image.write_bytes(bytes(1 << 20))
        self.directory = directory
        self.port = Port(0)
        fd = self.port.theirs.fileno()
        super().__init__(start("ringtest", "ip=10.0.1.2/24 ip6=none", memory=8,
                               pass_fds=[fd], options=[f"--net=fd:{fd}"]
                               + [f"--disk={image}" for image in images]))
        self.guest.wait("vif/0: link up")
        self.connected, self.begun = 0, {"serve": 0, "connect": 0}
        self.wait_disk()
        assert self.traffic(2).endswith("0 differ, 0 failed")
        self.detach()
        self.baseline, self.held = self.settled_grants(), self.counter("in quarantine")

    def wait_disk(self):
        self.connected += 1
        rings.wait_disk(self.guest, BAD, "2048 sectors", count=self.connected)

    def traffic(self, jobs):
        return rings.results(self.guest, f"traffic {jobs} 6")[0]

    def serves(self):
        """The network, the console and the other disk."""
        assert self.port.answers()
        assert rings.results(self.guest, "write 5 3 1", "read 5 3 1", disk=GOOD) == [
            "write 5+3: ok", "read 5+3: ok"]

    def attach(self):
        self.guest.command(f"attach vbd {BAD}")

    def detach(self):
        before = self.guest.printed().count(f"vbd/{BAD}: removed")
        self.guest.xl("block-detach xvda", check=False)
        self.guest.wait(f"vbd/{BAD}: removed", count=before + 1)

    def has_disk(self):
        return not self.guest.run_in_dom0(f"xenstore-ls device/vbd/{BAD}", check=False).status

    def vchan(self, mode="client", size=20_000, wait=True):
        """What becomes of the guest's end, which is to send back so many bytes; mode: the liar's."""
        self.verb = "serve" if mode == "client" else "connect"
        self.begun[self.verb] += 1
        self.data = os.urandom(size)
        (self.directory / "in").write_bytes(self.data)
        path = f"data/vchan/{VCHAN}" if mode == "client" else "/local/domain/0/data/vchan/x"
        self.liar = f"vchan {mode} {path} {self.directory}/in {self.directory}/out"
        if mode == "client":
            self.guest.send(f"vchan {VCHAN} serve 10 11 {size}\n")
            self.guest.command(self.liar)
        else:
            self.guest.command(self.liar)
            self.guest.send(f"vchan {VCHAN} connect {path} {size}\n")
        return self.vchan_end() if wait else None

    def vchan_end(self):
        line = self.guest.wait(f"vchan {VCHAN}: {self.verb}: ", count=self.begun[self.verb])
        return line.split(f"{self.verb}: ")[1]

    def echoed(self):
        return (self.directory / "out").read_bytes()

    def errors(self):
        return self.guest.printed().count("ERROR")


@pytest.fixture(scope="module")
def all_rings(starter, tmp_path_factory):
    running = []
    directory = tmp_path_factory.mktemp("disks")

    def get():
        if not running or not running[0].guest.find():
            running[:] = [Rings(starter, directory)]
        return running[0]

    yield get
    for r in running:
        if r.guest.find():
            r.end()
        r.guest.close()
        assert "Sanitizer" not in r.guest.messages() and "runtime error" not in r.guest.messages(), \
            r.guest.messages()


@pytest.fixture
def lied(request, all_rings):
    """A guest whose first disk is not there yet, and with it the state that the test must leave."""
    r = all_rings()
    request.node.guests = [r.guest]
    if r.has_disk():  # a test failed
        r.detach()
        r.connected = r.guest.printed().count(f"vbd/{BAD}: 2048 sectors")
    r.errors_before, r.disabled_before = r.errors(), r.disabled()
    r.lie("honest")
    yield r
    assert "Sanitizer" not in r.guest.messages() and "runtime error" not in r.guest.messages()


# What the log says of it.
BREACHES = {
    "2-blk-ahead": "an impossible response index",
    "2-blk-far-ahead": "an impossible response index",
    "2-blk-back": "an impossible response index",
    "4-blk-id-large": "a response to a request that is not in flight",
    "4-blk-id-wide": "a response to a request that is not in flight",
    "4-blk-id-pointer": "a response to a request that is not in flight",
    "4-blk-id-twice": "a response to a request that is not in flight|an impossible response index",
    "4-blk-id-idle": "a response to a request that is not in flight",
    "5-blk-operation": "a response to another operation",
    "5-blk-operation-unknown": "a response to another operation",
    "5-blk-status": "an unknown status",
    "5-blk-status-negative": "an unknown status",
    "9-blk-hold": "a page that was answered is still in use",
}


@pytest.mark.parametrize("after", [0, 70])
@pytest.mark.parametrize("lie", BREACHES)
def test_a_breach_costs_the_disk_and_nothing_else(lied, lie, after):
    """At the first step of its kind, and when the ring has wrapped."""
    lied.attach()
    lied.wait_disk()
    lied.lie(lie, after)
    # A step is a response, or a turn's responses.
    jobs = after * 20 if lie.startswith("2-") else after
    assert not lied.traffic(jobs + 10).endswith(" 0 failed")
    assert lied.told() == 1
    lied.guest.wait(rf"ERROR vbd/{BAD}: disabled: ({BREACHES[lie]}) \(\d+\)$")
    assert lied.errors() == lied.errors_before + 1
    assert lied.disabled() == lied.disabled_before + 1
    assert lied.guest.command(f"read error/device/vbd/{BAD}/error")
    lied.serves()
    lied.detach()
    held = 1 if lie.startswith("9-") else 0
    lied.held += held
    lied.baseline += held
    lied.wait_grants(lied.baseline)
    assert lied.grants()[1] == lied.held


HARMLESS = ["3-blk-scribble", "5-blk-error", "5-blk-unsupported", "14-blk-storm", "19-blk-all-states"]


@pytest.mark.parametrize("lie", ["1-blk-flip", *HARMLESS])
def test_a_lie_that_is_not_believed(lied, lie):
    lied.attach()
    lied.wait_disk()
    lied.lie(lie, 3)
    said = lied.traffic(400 if lie.startswith("1-") else 100)
    assert lied.told()
    assert " 0 differ" in said
    if lie.startswith("5-"):
        assert said.endswith(" 1 failed")
    elif lie in HARMLESS and not lie.startswith("19-"):
        assert said.endswith(" 0 failed")
    if lie in HARMLESS and not lie.startswith("19-"):  # what the other two do may be a breach, or not
        assert lied.disabled() == lied.disabled_before
    elif lie.startswith("19-"):
        lied.guest.quiet(20)
        lied.connected = lied.guest.printed().count(f"vbd/{BAD}: 2048 sectors")
    lied.serves()
    lied.detach()
    lied.wait_grants(lied.baseline)
    assert lied.grants()[1] == lied.held


def test_a_storm_of_events_costs_little(lied):
    """14: a port whose events are spurious is looked at ever more rarely."""
    lied.attach()
    lied.wait_disk()
    before = lied.counter("spurious")
    lied.lie("14-blk-storm")
    lied.traffic(2)
    lied.guest.quiet()  # in the storm
    assert 0 < lied.counter("spurious") - before < 1000  # of 25,000
    assert lied.traffic(10).endswith(" 0 failed")
    lied.detach()


@pytest.mark.parametrize("lie, said", [
    ("10-blk-write", "a page to be read cannot be written"),
    ("10-blk-late", "no page can be written after its response"),
    ("11-blk-peek", "lent pages are empty"),
])
def test_pages_are_open_no_longer_than_needed(lied, lie, said):
    lied.attach()
    lied.wait_disk()
    lied.lie(lie)
    assert lied.traffic(100).endswith(" 0 failed")
    lied.guest.wait_message(said)
    lied.detach()
    lied.wait_grants(lied.baseline)


def test_a_ring_that_is_kept(lied):
    """9: the device has gone, and the backend still has its ring: the page comes back when it can."""
    lied.attach()
    lied.wait_disk()
    lied.lie("9-blk-hold-ring")
    assert lied.traffic(10).endswith(" 0 failed")
    lied.detach()
    lied.wait_grants(lied.baseline + 1)  # the others are back, but for packets: each is lent for 20 ms
    lied.serves()
    lied.lie("honest")
    lied.wait_grants(lied.baseline)
    assert lied.grants()[1] == lied.held


@pytest.mark.parametrize("lie", ["16-blk-order-huge", "16-blk-order-negative", "16-blk-order-nothing",
                                 "16-blk-features"])
def test_offers_that_are_none(lied, lie):
    """16: what cannot be read counts as not offered, and the disk works without."""
    lied.lie(lie)
    lied.attach()
    lied.wait_disk()
    assert lied.told() == 1
    assert lied.traffic(20).endswith(" 0 failed")
    lied.detach()
    lied.wait_grants(lied.baseline)


SIZES = {"sectors-none": "no number of sectors", "sectors-missing": "no number of sectors",
         "sectors-huge": "no number of sectors", "sectors-text": "no number of sectors",
         "sector-size-zero": "no size of a sector", "sector-size-odd": "no size of a sector",
         "sector-size-huge": "no size of a sector"}


@pytest.mark.parametrize("lie", SIZES)
def test_a_size_that_is_none(lied, lie):
    """16: a disk without a size is none."""
    before = lied.guest.printed().count(SIZES[lie])
    lied.lie(f"16-blk-{lie}")
    lied.attach()
    lied.guest.wait(rf"ERROR vbd/{BAD}: disabled: {SIZES[lie]} \(\d+\)$", count=before + 1)
    assert lied.errors() == lied.errors_before + 1
    assert lied.disabled() == lied.disabled_before + 1
    lied.serves()
    lied.detach()
    lied.wait_grants(lied.baseline)


@pytest.mark.parametrize("lie", [f"18-blk-{what}-{when}"
                                 for what in ("closed", "closing", "no-state", "vanish")
                                 for when in ("at-offer", "at-connect", "in-traffic")])
def test_states_out_of_order(lied, lie):
    """18: at each step the backend may be closed, gone or mad; a new device takes its place."""
    if lie.endswith("in-traffic"):
        lied.attach()
        lied.wait_disk()
        lied.lie(lie, 5)
        lied.guest.send(f"disk {BAD} traffic 50 6\n")
    else:
        lied.lie(lie)
        lied.attach()
    lied.guest.quiet(20)  # a ring that is still mapped is tried again every 50 ms
    assert lied.told() == 1
    lied.serves()
    lied.guest.xl("block-detach xvda")
    lied.wait_grants(lied.baseline)
    assert lied.grants()[1] == lied.held
    # What was asked of it has come to an end, one way or the other.
    lied.connected = lied.guest.printed().count(f"vbd/{BAD}: 2048 sectors")
    lied.attach()
    lied.wait_disk()
    lied.lie("honest")
    assert lied.traffic(5).endswith("5 ok, 0 differ, 0 failed")
    lied.detach()


# --- vchan ----------------------------------------------------------------------------------------

VCHAN_BREACHES = {
    "2-vchan-write-ahead": "an impossible write index",
    "2-vchan-write-far-ahead": "an impossible write index",
    "2-vchan-write-back": "an impossible write index",
    "2-vchan-read-ahead": "an impossible read index",
    "2-vchan-read-far-ahead": "an impossible read index",
    "2-vchan-read-back": "an impossible read index",
    "18-vchan-live-at-connect": "a liveness of none",
    "18-vchan-live-in-traffic": "a liveness of none",
    "18-vchan-expected-again": "a liveness of none",
}


MODES = ("client", "server")


def honest_vchan(lied, mode="client"):
    """After a lie: everything has come back, and a new one works."""
    lied.guest.command("vchan close")
    lied.wait_grants(lied.baseline)
    assert lied.grants()[1] == lied.held
    assert lied.guest.command("foreign") == "0"
    lied.lie("honest")
    assert lied.vchan(mode) == "20000 bytes, closed"
    assert lied.echoed() == lied.data


@pytest.mark.parametrize("mode, lie, after", [
    (mode, lie, after) for mode in MODES for lie in VCHAN_BREACHES for after in (0, 9)
    if not ("connect" in lie and (after or mode == "server"))  # a server is there before its client
    and (after or "expected" not in lie)])  # a client that has not been seen yet may be expected
def test_a_breach_costs_the_vchan_and_nothing_else(lied, mode, lie, after):
    """At the first step of its kind, and when the rings have wrapped."""
    before = lied.guest.printed().count(f"vchan/{VCHAN}: disabled: {VCHAN_BREACHES[lie]}")
    lied.lie(lie, after)
    assert lied.vchan(mode).endswith("disabled")
    assert lied.told() == 1
    lied.guest.wait(rf"ERROR vchan/{VCHAN}: disabled: {VCHAN_BREACHES[lie]} \(\d+\)$", count=before + 1)
    assert lied.errors() == lied.errors_before + 1
    lied.serves()
    honest_vchan(lied, mode)


OFFERS = {
    "2-vchan-start": "disabled", "16-vchan-order-small": "disabled", "16-vchan-order-large": "disabled",
    "16-vchan-order-huge": "disabled", "16-vchan-order-same": "disabled", "16-vchan-list": "EACCES",
    "16-vchan-ref-none": "EACCES", "16-vchan-ref-huge": "disabled", "16-vchan-ref-text": "disabled",
    "16-vchan-port-none": "EINVAL", "16-vchan-port-negative": "disabled",
}


@pytest.mark.parametrize("lie", OFFERS)
def test_a_server_that_cannot_be(lied, lie):
    """16: orders, references and ports that are none, or not for us."""
    lied.lie(lie)
    assert lied.vchan("server") == f"0 bytes, {OFFERS[lie]}"
    assert lied.told() == 1
    assert lied.errors() == lied.errors_before + (OFFERS[lie] == "disabled")
    lied.serves()
    honest_vchan(lied, "server")


@pytest.mark.parametrize("mode, lie", [("client", "9-vchan-hold")] + [
    (mode, lie) for mode in MODES for lie in ("3-vchan-scribble", "14-vchan-ask-all", "14-vchan-storm")])
def test_a_lie_to_a_vchan_that_is_not_believed(lied, mode, lie):
    lied.lie(lie)
    assert lied.vchan(mode) == "20000 bytes, closed"
    assert lied.told()
    assert lied.echoed() == lied.data
    lied.serves()
    assert lied.errors() == lied.errors_before
    honest_vchan(lied, mode)


def test_indices_that_change_while_they_are_read(lied):
    """1: a breach, or none, or bytes that never come; and no harm."""
    lied.lie("1-vchan-flip", 2)
    lied.vchan(size=100_000, wait=False)
    lied.guest.quiet()
    lied.serves()
    lied.guest.command("vchan close")
    assert lied.vchan_end().endswith(("disabled", "closed"))
    honest_vchan(lied)


@pytest.mark.parametrize("mode", MODES)
def test_an_end_that_stalls(lied, mode):
    """18: the guest waits, and nobody else does; then it is told that the other end has gone."""
    lied.lie("18-vchan-stall", 3)
    lied.vchan(mode, wait=False)
    lied.guest.quiet()
    lied.serves()
    lied.guest.command("vchan close")
    assert lied.vchan_end().endswith("the peer has closed")
    honest_vchan(lied, mode)


@pytest.mark.parametrize("mode, when", [("client", "at-connect")] + [
    (mode, when) for mode in MODES for when in ("at-write", "at-read")])
def test_an_end_that_leaves_in_the_middle(lied, mode, when):
    lied.lie(f"18-vchan-leave-{when}", 0 if when == "at-connect" else 3)
    assert lied.vchan(mode).endswith("the peer has closed")
    assert lied.told() == 1 and lied.errors() == lied.errors_before
    honest_vchan(lied, mode)
