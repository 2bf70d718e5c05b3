# SPDX-License-Identifier: ISC
"""Response-rate limiting: a flood of the same question gets few answers, from us as from NSD."""

import os
import subprocess
from pathlib import Path

import dns.flags
import dns.message
import dns.query
import pytest

import options
import servers
from flooding import flood

HERE = Path(__file__).resolve().parent
BIN = Path(os.environ.get("XENOLITH_HOST_BIN", servers.TOP / "out/host"))
ZONES = {"example.test": HERE / "zones" / "example.test.zone"}
RATE, SECONDS = 20, 5  # answers a second allowed, seconds of a flood


@pytest.fixture
def ours(tmp_path):
    if "XENOLITH_HOST_BIN" not in os.environ:
        subprocess.run(["make", "-s", "host-dns"], cwd=servers.TOP, check=True)
    image = tmp_path / "zones.img"
    subprocess.run([BIN / "zonec", "-o", image, *ZONES.values()], check=True)
    with servers.host(BIN / "hostserver", image, tmp_path, options=["-r", str(RATE), "-e", "127.0.1.0/24,::1"]) as address:
        yield address


def test_flood(ours):
    """A second's worth of answers, and what the first seconds allow before the debt; half the rest slips."""
    whole, truncated, sent, paused = flood(ours, "mail.example.test.", SECONDS)
    assert RATE <= whole <= (2 + paused) * RATE
    assert paused or abs(truncated - (sent - whole) / 2) <= 1
    # Another name of the zone is not affected, nor is TCP, nor who has a cookie.
    assert dns.query.udp(dns.message.make_query("www.example.test.", "A"), ours[0], port=ours[1], timeout=20)
    query = dns.message.make_query("mail.example.test.", "A")
    for _ in range(3 * RATE):
        assert dns.query.tcp(query, ours[0], port=ours[1], timeout=20).answer
    mine = os.urandom(8)
    full = options.ask(ours, [(options.COOKIE, mine)], tcp=True)[1][options.COOKIE]
    for _ in range(3 * RATE):
        assert options.ask(ours, [(options.COOKIE, full)])[0].answer


def test_exempt(ours):
    """A network that is exempt gets all answers, while another gets a few."""
    query = dns.message.make_query("mail.example.test.", "A")
    for _ in range(10 * RATE):
        answer = dns.query.udp(query, ours[0], port=ours[1], timeout=20, source="127.0.1.9")
        assert answer.answer and not answer.flags & dns.flags.TC
    assert flood(ours, "mail.example.test.", 1, source="127.0.2.9")[1]


def test_as_nsd(ours, tmp_path):
    """NSD smooths its count over the seconds, so it lets somewhat more through; not by an order."""
    if not servers.find_nsd():
        assert not os.environ.get("XENOLITH_NSD_REQUIRED"), "nsd is missing"
        pytest.skip("nsd is not installed")
    with servers.nsd(ZONES, tmp_path, rate=RATE) as nsd:
        theirs, their_truncated, _, _ = flood(nsd, "mail.example.test.", SECONDS)
        mine, truncated, _, _ = flood(ours, "mail.example.test.", SECONDS)
    assert RATE <= mine <= theirs + RATE
    assert theirs <= 10 * RATE * SECONDS / 2
    assert 0.5 < truncated / their_truncated < 2
