# SPDX-License-Identifier: ISC
"""lib/dns as a secondary of NSD, BIND and Knot: their zones arrive as they are, and what changes in them."""

import contextlib
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import dns.message
import dns.query
import dns.rcode
import dns.zone
import pytest

import servers
from secondaries import SECONDARIES, copy_of
from transfers import KEY_NAME, KEYRING, OPTIONS, transfer, write_live, write_partial

BIN = Path(os.environ.get("XENOLITH_HOST_BIN", servers.TOP / "out/host"))
WAIT_SECONDS = 30
PRIMARIES = {"nsd": servers.find_nsd, "bind": lambda: servers.find("named", "bind9"),
             "knot": lambda: servers.find("knotd", "knot")}  # fmt: skip


def wait_for(log, pattern):
    end = time.monotonic() + WAIT_SECONDS
    while not re.search(pattern, log.read_text(), re.M):
        assert time.monotonic() < end, f"no {pattern!r} in:\n{log.read_text()}"
        time.sleep(0.05)


def ask(server, name, rdtype="TXT"):
    return dns.query.udp(dns.message.make_query(name, rdtype), server[0], port=server[1], timeout=5)


def secondary(directory, names, primary, port=None, key=f"@{KEY_NAME}", options=()):
    """Context: the host server with no zones but those of the primary."""
    image = directory / "empty.img"
    subprocess.run([BIN / "zonec", "-o", image], check=True)
    zones = ",".join(f"{name}={primary[0]}:{primary[1]}{key}" for name in names)
    return servers.host(BIN / "hostserver", image, directory, options=[*OPTIONS, "-s", zones, *options], port=port)


@pytest.mark.parametrize("name", PRIMARIES)
def test_primary(zones, tmp_path, name):
    """Every zone by TSIG, the same records; what has changed by NOTIFY and IXFR, as the refresh is hours away; but all of
    a zone of which our image lacks a record."""
    if not PRIMARIES[name]():
        pytest.skip(f"{name} is not installed")
    if name == "knot":  # which does not know all the types
        zones = {zone: file for zone, file in zones.items() if zone != "types.test"}
    live, partial = tmp_path / "live.test.zone", tmp_path / "partial.test.zone"
    write_live(live, 1)
    write_partial(partial, 1)
    zones = zones | {"live.test": live, "partial.test": partial}
    log, port = tmp_path / "hostserver.log", servers.free_port()
    with getattr(servers, name)(zones, tmp_path, signed=True, notify=port) as primary:
        with secondary(tmp_path, zones, primary, port) as ours:
            for zone in zones:
                wait_for(log, f"^{re.escape(zone)}\\. serial")
                theirs, mine = (transfer(server, zone, KEYRING)[0] for server in (primary, ours))
                assert len(set(theirs) ^ set(mine)) == (zone == "partial.test"), zone
            write_live(live, 2)
            write_partial(partial, 2)
            primary.process.send_signal(signal.SIGHUP)
            wait_for(log, r"^partial\.test\. serial 2$")
            wait_for(log, r"^live\.test\. serial 2 by differences")
            theirs, mine = (transfer(server, "live.test", KEYRING)[0] for server in (primary, ours))
            assert set(theirs) == set(mine) and ask(ours, "version.live.test").answer[0][0].to_text() == '"2"'
    assert "Sanitizer" not in log.read_text(), log.read_text()
    assert not re.search(r"^[^:]* port", log.read_text(), re.M), log.read_text()


def test_digests(zones, tmp_path):
    """Digests (ZONEMD) that dnspython has made of the zones it can read are right, and another one is not."""
    if not servers.find_nsd():
        pytest.skip("nsd is not installed")
    digested = {}
    for number, name in enumerate(sorted(set(zones) - {"types.test", "example.test"})):
        zone = dns.zone.from_file(str(zones[name]), f"{name}.", relativize=False)
        digest = zone.compute_digest(1 + number % 2)
        digested[name] = tmp_path / f"{name}.zone"
        text = f"$ORIGIN {name}.\n$INCLUDE {zones[name]} {name}.\n{name}. 300 ZONEMD {digest.to_text()}\n"
        digested[name].write_text(text)
    digested["other.test"].write_text(digested["other.test"].read_text() + "more.other.test. 5 A 192.0.2.1\n")
    log = tmp_path / "hostserver.log"
    with servers.nsd(digested, tmp_path) as nsd, secondary(tmp_path, digested, nsd, key=""):
        for name in digested:
            told = "serial" if name != "other.test" else r"port .*: the zone's digest \(ZONEMD\) is wrong"
            wait_for(log, f"^{re.escape(name)}\\. {told}")
    assert "Sanitizer" not in log.read_text(), log.read_text()


@pytest.mark.parametrize("name", SECONDARIES)
def test_between(tmp_path, name):
    """From NSD to us to another server: each tells the next that there is a new version."""
    program, package, configure = SECONDARIES[name]
    if not servers.find(program, package) or not servers.find_nsd():
        pytest.skip(f"{name} or nsd is not installed")
    live, log = tmp_path / "live.test.zone", tmp_path / "hostserver.log"
    write_live(live, 1, names=20)
    port, address = servers.free_port(), ("127.0.0.1", servers.free_port())
    last = tmp_path / name
    last.mkdir()
    with contextlib.ExitStack() as stack:
        nsd = stack.enter_context(servers.nsd({"live.test": live}, tmp_path, signed=True, notify=port))
        options = ["-n", f"127.0.0.1:{address[1]}"]
        ours = stack.enter_context(secondary(tmp_path, ["live.test"], nsd, port, options=options))
        wait_for(log, r"^live\.test\. serial 1")
        argv = configure(ours, ["live.test"], last, address)
        stack.enter_context(servers.running(argv, address, last / "log"))
        assert set(copy_of(address, "live.test")) == set(transfer(ours, "live.test", KEYRING)[0])
        write_live(live, 2, names=20)
        nsd.process.send_signal(signal.SIGHUP)
        end = time.monotonic() + WAIT_SECONDS
        while ask(address, "version.live.test").answer[0][0].to_text() != '"2"':
            assert time.monotonic() < end, log.read_text()
            time.sleep(0.1)
    assert "Sanitizer" not in log.read_text(), log.read_text()


def test_times(tmp_path):
    """Without NOTIFY the refresh brings the new version; without a primary the zone expires."""
    if not servers.find_nsd():
        pytest.skip("nsd is not installed")
    live = tmp_path / "live.test.zone"
    log = tmp_path / "hostserver.log"
    write_live(live, 1, refresh=2, names=10)
    with contextlib.ExitStack() as stack:
        with servers.nsd({"live.test": live}, tmp_path) as nsd:
            ours = stack.enter_context(secondary(tmp_path, ["live.test"], nsd, key=""))
            wait_for(log, r"^live\.test\. serial 1")
            write_live(live, 2, refresh=2, names=10)
            nsd.process.send_signal(signal.SIGHUP)
            wait_for(log, r"^live\.test\. serial 2")
        assert ask(ours, "version.live.test").answer
        wait_for(log, r"^live\.test\. expired")
        query = dns.message.make_query("version.live.test", "TXT", use_edns=0)
        answer = dns.query.udp(query, ours[0], port=ours[1], timeout=5)
        assert answer.rcode() == dns.rcode.SERVFAIL
        assert [(int(o.otype), o.to_wire()) for o in answer.options] == [(15, b"\0\x18")]  # invalid data
    assert "Sanitizer" not in log.read_text(), log.read_text()
