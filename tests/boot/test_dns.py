# SPDX-License-Identifier: ISC
"""The dns guest on real Xen: the host's clients, NSD beside it, little memory, budgets."""

import contextlib
import itertools
import os
import random
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import dns.message
import dns.name
import dns.opcode
import dns.query
import dns.rcode
import dns.rdatatype
import dns.tsig
import pytest

from conftest import OUT, TOP, xlcfg

sys.path.insert(0, os.path.join(TOP, "tests", "dns"))
import asking  # noqa: E402
import differential  # noqa: E402
import flooding  # noqa: E402
import messages  # noqa: E402
import options  # noqa: E402
import queries  # noqa: E402
import servers  # noqa: E402
import signing  # noqa: E402
import test_differences  # noqa: E402
import transfers  # noqa: E402
import transport  # noqa: E402

ZONE = {"example.org": os.path.join(TOP, "apps", "dns", "example.org.zone")}


@pytest.fixture
def server(xen, network, guest):
    g = guest("dns")
    g.wait(r"address 10\.0\.1\.[0-9]*/16")
    return g


def test_dig(server, host):
    answer = host("dig", f"@{server.address}", "www.example.org", "AAAA", "+norecurse").stdout
    assert "status: NOERROR" in answer and "flags: qr aa;" in answer
    assert re.search(r"example\.org\.\s+\d+\s+IN\s+AAAA\s+2001:db8::1\b", answer), answer
    assert "status: NXDOMAIN" in host("dig", f"@{server.address}", "no.example.org").stdout
    assert "status: REFUSED" in host("dig", f"@{server.address}", "example.com").stdout


def test_over_ipv6(server, host):
    server.wait("address .*:1:")
    for _ in range(10):  # the address is used once no neighbour has claimed it
        done = host(
            "dig",
            "-6",
            f"@{server.address6}",
            "example.org",
            "SOA",
            "+short",
            "+time=1",
            check=False,
        )
        if done.returncode == 0 and done.stdout.strip():
            return
    pytest.fail(done.stdout + server.console())


def test_queries_share_a_tcp_connection(server):
    with socket.create_connection((server.address, 53), timeout=20) as s:
        for name in ("example.org", "www.example.org", "nowhere.example.org"):
            query = dns.message.make_query(name, "A")
            dns.query.send_tcp(s, query)
            answer, _ = dns.query.receive_tcp(s, time.time() + 20)
            assert answer.id == query.id and answer.question == query.question


def test_same_answers_as_nsd(server, tmp_path):
    if not servers.find_nsd():
        assert not os.environ.get("XENOLITH_NSD_REQUIRED"), "nsd is missing"
        pytest.skip("nsd is not installed")
    with servers.nsd(ZONE, tmp_path, minimal=True) as nsd:
        asked = queries.generate(queries.load_owners(nsd, ZONE), ZONE)
        result = differential.run((server.address, 53), {"nsd": nsd}, ZONE, asked, all_options=False)
    assert result.asked > 300
    result.check()
    assert server.stat().state != {"shutdown"}


@pytest.fixture(scope="module")
def zones(tmp_path_factory):
    """Those of tests/dns/zones and those signed just now, with NSEC, NSEC3 and opt-out, a dict of name to file."""
    plain = {p.name.removesuffix(".zone"): p for p in sorted(Path(TOP, "tests", "dns", "zones").glob("*.zone"))}
    signed = signing.sign(tmp_path_factory.mktemp("signed")) if signing.tool("ldns-signzone") else {}
    return plain | signed


CLIENT_LIMIT = 64  # half of the limit for all: up to there none has to hurry


@pytest.fixture(scope="module")
def complete(zones):
    """The configuration of a server of these zones with all options on, that takes 256 KiB from a client at
    once."""
    out = f"{OUT}-complete"
    words = [f"OUT={out}", f"ZONE={' '.join(map(str, zones.values()))}", "CONFIG_NET_TCP_WINDOW_KIB=256",
             f"CONFIG_DNS_TCP_CLIENT_CONNECTIONS={CLIENT_LIMIT}", "CONFIG_DNS_MINIMAL=n"]  # fmt: skip
    words += [f"CONFIG_DNS_{option}=y" for option in ("DNAME", "DNSSEC", "EDNS", "XFR", "TSIG", "TSIG_ALGORITHMS",
                                                      "SECONDARY", "IXFR", "ZONEMD", "NOTIFY", "LIMIT", "COUNTERS",
                                                      "TCP_CLIENTS")]  # fmt: skip
    subprocess.run(["make", "-s", "-j2", "APP=dns", *words], cwd=TOP, check=True)
    with open(os.path.join(out, "dns.cfg")) as f:
        return dict(xlcfg.parse(f.read(), f.name), kernel=os.path.join(out, "dns"), memory=64)


def test_same_answers_as_three_others(xen, network, guest, complete, zones, tmp_path):
    """A choice of what tests/dns/test_differences.py asks the host's server, of the zones made by hand and of those
    signed; and delv validates what comes from these."""
    signed = [name for name in zones if name.endswith(tuple(signing.ZONES))]
    plain = [name for name in zones if name not in signed]
    rng = random.Random(1)
    g = guest(complete, extra="rrl=0")
    g.wait(r"address 10\.0\.1\.[0-9]*/16")
    with test_differences.others(zones, tmp_path) as judges:
        owners = queries.load_owners(judges["nsd"], plain)
        asked = rng.sample(list(queries.generate(owners, plain, more=3000)), 3000)
        owners = queries.load_owners(judges["nsd"], signed)
        asked += [query for query in queries.generate_signed(owners, rng) if rng.random() < 0.1]
        asked += queries.generate_more(owners, 300 if signed else 0, rng)
        result = differential.run((g.address, 53), judges, zones, asked)
    assert result.asked > (3700 if signed else 2999)
    result.check()
    for i, name in enumerate(signing.ZONES if signed and signing.delv() else ()):
        signing.check_delv((g.address, 53), name, zones[name].parent, signing.VALIDATED[i::3])


@pytest.mark.parametrize(
    "check",
    transport.CHECKS + transport.GUEST_CHECKS,
    ids=lambda check: check.__name__.removeprefix("check_"),
)
def test_connections(xen, network, guest, complete, check):
    g = guest(complete)
    g.wait(r"address 10\.0\.1\.[0-9]*/16")
    check((g.address, 53))
    afterwards = queries.Query(messages.build(transport.NAME, messages.A), "afterwards")
    [(_, [answer])] = asking.ask([asking.Asker((g.address, 53))], [afterwards])
    assert answer


def test_connection_limits(xen, network, guest, host, complete):
    """A client's, which costs nobody else a connection, and the one for all, which three clients reach."""
    others = ["10.0.3.1", "10.0.3.2"]
    for address in others:
        host("ip", "address", "add", f"{address}/16", "dev", "xentap0")
    g = guest(complete)
    g.wait(r"address 10\.0\.1\.[0-9]*/16")
    transport.check_client_limit((g.address, 53), [network, others[0]], CLIENT_LIMIT)
    transport.check_limit((g.address, 53), [network, *others])


def test_options(xen, network, guest, complete):
    g = guest(complete, extra="id=host.example")
    g.wait(r"address 10\.0\.1\.[0-9]*/16")
    options.check_cookie((g.address, 53))
    options.check_others((g.address, 53))
    answer, _ = options.ask((g.address, 53), name="id.server.", rdtype="TXT", rdclass="CH")
    assert answer.answer[0][0].strings == (b"host.example",)


def test_transfer(xen, network, guest, complete, zones, tmp_path):
    """All zones by TSIG, each by one of two algorithms, as NSD has them; and to nobody else."""
    algorithms = {dns.tsig.HMAC_SHA256: transfers.KEY_NAME, dns.tsig.HMAC_SHA512: "longer.test."}
    keys = ",".join(f"{algorithm.to_text(True)}:{name}:{transfers.SECRET}" for algorithm, name in algorithms.items())
    rules = ",".join(f"10.0.0.0/8@{name}" for name in algorithms.values())
    g = guest(complete, extra=f"tsig={keys} xfr={rules}")
    g.wait(r"address 10\.0\.1\.[0-9]*/16")
    with servers.nsd(zones, tmp_path) as nsd:
        for zone, (algorithm, name) in zip(zones, itertools.cycle(algorithms.items())):
            mine, _ = transfers.transfer((g.address, 53), zone, transfers.keyring(name), name=name, algorithm=algorithm)
            assert set(mine) == set(transfers.transfer(nsd, zone)[0])
    query = dns.message.make_query("example.test", "AXFR")
    assert dns.query.tcp(query, g.address, timeout=20).rcode() == dns.rcode.REFUSED


def take_notices(sock, *wanted):
    """Answers NOTIFY messages until one for each of the zones `wanted` has come, in any order."""
    missing = {dns.name.from_text(name) for name in wanted}
    while missing:
        data, sender = sock.recvfrom(4096)
        notice = dns.message.from_wire(data)
        assert notice.opcode() == dns.opcode.NOTIFY
        missing.discard(notice.question[0].name)
        sock.sendto(dns.message.make_response(notice).to_wire(), sender)


def test_secondary(xen, network, guest, complete, tmp_path):
    """A zone of another server, by TSIG; its next version when the guest is told, of which it tells others, with
    the difference for who wants it; and one for which it has too little memory, so that it serves that before."""
    live = tmp_path / "live.test.zone"
    transfers.write_live(live, 1)
    key = f"{transfers.KEY_NAME}:{transfers.SECRET}"
    with contextlib.ExitStack() as stack:
        nsd = stack.enter_context(servers.nsd({"live.test": live}, tmp_path, signed=True, host="10.0.0.1",
                                              clients="10.0.0.0/8"))  # fmt: skip
        told = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        told.bind(("10.0.0.1", 0))
        told.settimeout(60)
        g = guest(complete, memory=8, extra=f"tsig={key} secondary=live.test=10.0.0.1:{nsd[1]}@{transfers.KEY_NAME} "
                                  f"xfr=10.0.0.1@{transfers.KEY_NAME} "
                                  f"notify=10.0.0.1:{told.getsockname()[1]}")  # fmt: skip
        take_notices(told, "example.test", "live.test")  # one of those in the image, and the one that is fetched
        g.wait("serving live.test.*serial 1.*fetched")
        transfers.write_live(live, 2)
        nsd.process.send_signal(signal.SIGHUP)
        notify = dns.message.make_query("live.test", "SOA")
        notify.set_opcode(dns.opcode.NOTIFY)
        notify.use_tsig(transfers.KEYRING, algorithm=dns.tsig.HMAC_SHA256)
        end = time.monotonic() + 60
        while "serial 2), " not in g.console() and time.monotonic() < end:  # NSD takes its time
            assert dns.query.udp(notify, g.address, timeout=20).rcode() == dns.rcode.NOERROR
            time.sleep(0.5)
        take_notices(told, "live.test")
        change, _ = transfers.transfer((g.address, 53), "live.test", transfers.KEYRING, "IXFR", serial=1)
        assert [rdtype for _, rdtype, _, _ in change].count(dns.rdatatype.SOA) == 4 and len(change) == 8
        transfers.write_live(live, 3, names=60000)
        nsd.process.send_signal(signal.SIGHUP)
        end = time.monotonic() + 60
        while "half of the free memory" not in g.console() and time.monotonic() < end:
            assert dns.query.udp(notify, g.address, timeout=20).rcode() == dns.rcode.NOERROR
            time.sleep(0.5)
        g.wait("live.test.: nothing from 10.0.0.1: it takes more than half of the free memory")
        answer = dns.query.udp(dns.message.make_query("version.live.test", "TXT"), g.address, timeout=20)
        assert answer.answer[0][0].strings == (b"2",)
    assert g.stat().state != {"shutdown"}


def test_limit(xen, network, guest, complete):
    """A flood gets a second's worth of answers, and half as many empty ones as it has queries."""
    g = guest(complete, extra="rrl=20")
    g.wait(r"address 10\.0\.1\.[0-9]*/16")
    whole, truncated, sent, paused = flooding.flood((g.address, 53), "mail.example.test.", 3)
    assert 20 <= whole <= 20 * (2 + paused)
    assert sent / 4 < truncated <= sent / 2
    assert dns.query.udp(dns.message.make_query("example.test.", "SOA"), g.address, timeout=20).answer


def test_counters(xen, network, guest, complete):
    """Over CHAOS, in xenstore within ten seconds, and in the log at the end."""
    g = guest(complete, extra="counters=chaos,xenstore")
    g.wait(r"address 10\.0\.1\.[0-9]*/16")
    options.check_counters((g.address, 53))
    path = f"/local/domain/{g.domid}/attr/dns/counters"
    told = ""
    end = time.monotonic() + 60
    while "MX=1" not in told and time.monotonic() < end:
        told = xen.run(f"xenstore-read {path} 2>/dev/null; true").out
    assert "queries=4 tcp=1 noerror=3 nxdomain=1 A=1 MX=1 TXT=2" in told, told
    g.xl("shutdown")
    g.wait(r"dns: queries=4\b")
    g.wait(r"dns: TXT=2\b")


def test_little_memory(xen, network, guest, host, budgets):
    g = guest("dns", memory=budgets["dns"]["memory_mib"])
    g.wait(r"address 10\.0\.1\.[0-9]*/16")
    assert host("dig", f"@{g.address}", "example.org", "+short").stdout.strip()


def listening(guest, machine, memory):
    g = guest("dns", machine=machine, paused=True, memory=memory)
    g.unpause()
    g.wait("listening on port 53")
    # The guest goes on connecting its network; this is all of it, once it sleeps.
    g.wait(r"address 10\.0\.1\.[0-9]*/16")
    return g


def test_boot_budget(xen_icount, guest, budget):
    g = listening(guest, xen_icount, 4)
    budget("dns.boot_instructions", g.stat().cpu_time)


@pytest.mark.parametrize("what, name, window", [("query", "mail", 1), ("query", "mail", 32), ("query", "mail", 100),
                                                ("alias", "www", 100), ("missing", "nobody", 100)])  # fmt: skip
def test_query_budget(xen_icount, guest, load, budget, what, name, window):
    g = listening(guest, xen_icount, 4)
    query = dns.message.make_query(f"{name}.example.org", "A", id=4660).to_wire()
    figure = load(g, 53, window, 3000, query=query)
    budget(f"dns.{what}_instructions_{window}", round(figure))
