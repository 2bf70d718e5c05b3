# SPDX-License-Identifier: ISC
"""Zone transfer out of lib/dns: the same records as NSD sends, and NSD, BIND and Knot as secondaries.

The host server gives zones only to who signs with the key below, as `hostserver -k KEY -x @transfer.test`.
"""

import contextlib
import os
import signal
import struct
import subprocess
import time
from pathlib import Path

import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype
import dns.tsig
import dns.tsigkeyring
import pytest

import messages
import options
import servers
from secondaries import SECONDARIES, copy_of
from transfers import KEY_NAME, KEYRING, OPTIONS, SECRET, transfer, write_live, write_partial, write_turned
from transport import connect, framed, receive_message

WAIT_SECONDS = 30
BADSIG, BADKEY = 16, 17  # RFC 8945 section 3
BIN = Path(os.environ.get("XENOLITH_HOST_BIN", servers.TOP / "out/host"))


@pytest.fixture
def ours(zones, tmp_path):
    with serving(zones, tmp_path, [f"hmac-sha256:{KEY_NAME}:{SECRET}"]) as address:
        yield address


def test_same_zone_as_nsd(zones, ours, tmp_path):
    if not servers.find_nsd():
        assert not os.environ.get("XENOLITH_NSD_REQUIRED"), "nsd is missing"
        pytest.skip("nsd is not installed")
    total = 0
    with servers.nsd(zones, tmp_path) as nsd:
        for zone in zones:
            mine, parts = transfer(ours, zone, KEYRING)
            theirs, _ = transfer(nsd, zone)
            assert mine[0] == mine[-1] and mine[0][1] == dns.rdatatype.SOA
            assert len(mine) == len(set(mine)) + 1, zone
            assert set(mine) == set(theirs), zone
            total += len(mine)
            if zone == "example.test":
                assert parts > 1
    assert total > 900


def test_dig_takes_it(zones, ours):
    """dig counts what came, and would say so if a signature were wrong."""
    words = ["dig", f"@{ours[0]}", "-p", str(ours[1]), "-y", f"hmac-sha256:{KEY_NAME}:{SECRET}"]
    done = subprocess.run([*words, "example.test", "AXFR"], capture_output=True, text=True, check=True)
    assert "XFR size:" in done.stdout and "WARNING" not in done.stdout, done.stdout[-2000:]
    serial = int(subprocess.run([*words, "example.test", "SOA", "+short"], capture_output=True, text=True,
                                check=True).stdout.split()[2])  # fmt: skip
    for known, whole in ((serial, False), (serial + 1, False), (serial - 1, True)):
        done = subprocess.run([*words, "example.test", f"IXFR={known}"], capture_output=True, text=True, check=True)
        assert ("XFR size: 1 records" in done.stdout) != whole, done.stdout[-2000:]


def asked_raw(server, query):
    """The first message of the answer over TCP, whose signature nobody looks at."""
    with connect(server) as s:
        s.sendall(framed(query))
        return messages.read(receive_message(s))


def test_who_may_not(ours):
    """No key, another key, another secret, UDP; and what is no zone of ours."""
    unsigned = dns.message.make_query("example.test.", "AXFR")
    answer = asked_raw(ours, unsigned.to_wire())
    assert answer.rcode == messages.REFUSED and not answer.answer and not answer.types("additional")
    for key, secret, error in ((KEY_NAME, SECRET, 0), ("other.test.", SECRET, BADKEY), (KEY_NAME, "AAAA", BADSIG)):
        query = dns.message.make_query("example.test.", "AXFR")
        query.use_tsig(dns.tsigkeyring.from_text({key: secret}), algorithm=dns.tsig.HMAC_SHA256)
        answer = asked_raw(ours, query.to_wire())
        [signature] = [r[4] for r in answer.additional if r[1] == messages.TSIG]
        rest = signature[messages.read_name(signature, 0)[1] :]
        mac = struct.unpack_from("!H", rest, 8)[0]
        said = struct.unpack_from("!H", rest, 12 + mac)[0]
        if error:
            assert (answer.rcode, said, mac) == (messages.NOTAUTH, error, 0)
            assert not answer.answer and not answer.authority
        else:
            assert (answer.rcode, said, mac) == (messages.NOERROR, 0, 32) and messages.SOA in answer.types("answer")
    query = dns.message.make_query("example.test.", "AXFR", use_edns=0)
    answer = dns.query.tcp(query, ours[0], port=ours[1], timeout=20)
    assert [(int(o.otype), o.to_wire()) for o in answer.options] == [(15, b"\0\x12")]  # prohibited
    for name, rcode, via in (
        ("www.example.test.", dns.rcode.NOTAUTH, dns.query.tcp),
        ("nowhere.invalid.", dns.rcode.NOTAUTH, dns.query.tcp),
        ("example.test.", dns.rcode.REFUSED, dns.query.udp),
    ):
        query = dns.message.make_query(name, "AXFR")
        query.use_tsig(KEYRING, algorithm=dns.tsig.HMAC_SHA256)
        answer = via(query, ours[0], port=ours[1], timeout=20)
        assert answer.rcode() == rcode and not answer.answer and answer.had_tsig


def test_signed_answers(ours):
    """Any answer to a signed query is signed, over UDP and TCP, with EDNS and without."""
    for edns in (False, 0):
        for via in (dns.query.udp, dns.query.tcp):
            query = dns.message.make_query("mail.example.test.", "A", use_edns=edns)
            query.use_tsig(KEYRING, algorithm=dns.tsig.HMAC_SHA256)
            answer = via(query, ours[0], port=ours[1], timeout=20)
            assert answer.answer and answer.had_tsig and answer.edns == (-1 if edns is False else 0)


def dig(server, *words, key=f"hmac-sha256:{KEY_NAME}:{SECRET}"):
    argv = ["dig", f"@{server[0]}", "-p", str(server[1]), "-y", key, *words]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


@contextlib.contextmanager
def serving(zones, directory, keys):
    """Context: the host server with the zones, for who has one of the keys."""
    image = directory / "zones.img"
    subprocess.run([BIN / "zonec", "-o", image, *zones.values()], check=True)
    words = [word for key in keys for word in ("-k", key, "-x", f"@{key.split(':')[1]}")]
    with servers.host(BIN / "hostserver", image, directory, options=words) as address:
        yield address


def test_algorithms(zones, tmp_path):
    """Transfers of many messages to dig and kdig by each algorithm; cut MACs to dig, if the key is for such."""
    zone = {"example.test": zones["example.test"]}
    keys = {a: f"{a}:{a}.test:{SECRET}" for a in ("hmac-sha1", "hmac-sha224", "hmac-sha256", "hmac-sha384",
            "hmac-sha512", "hmac-sha256-128", "hmac-sha1-80", "hmac-sha512-384")}  # fmt: skip
    kdig = servers.find("kdig", "knot-dnsutils")
    with serving(zone, tmp_path, keys.values()) as ours:
        for algorithm, key in keys.items():
            said = dig(ours, "example.test", "AXFR", key=key)
            assert "XFR size:" in said and "WARNING" not in said, said[-2000:]
            if algorithm.count("-") == 1 and kdig:
                argv = [kdig, f"@{ours[0]}", "-p", str(ours[1]), "-y", key, "example.test", "AXFR"]
                done = subprocess.run(argv, capture_output=True, text=True, check=True)
                assert "Received" in done.stdout and "WARNING" not in done.stdout + done.stderr, done.stderr
        # A full MAC is as good as one that is cut; one that is cut is not as good as a full one.
        whole = keys["hmac-sha256-128"].replace("hmac-sha256-128:", "hmac-sha256:", 1)
        assert "status: NOERROR" in dig(ours, "example.test", "SOA", key=whole)
        cut = keys["hmac-sha256"].replace("hmac-sha256:", "hmac-sha256-128:", 1)
        said = dig(ours, "example.test", "SOA", key=cut)
        assert "status: NOTAUTH" in said and "BADTRUNC" in said and "ANSWER: 0," in said, said
        other = keys["hmac-sha384"].replace("hmac-sha384:", "hmac-sha512:", 1)
        said = dig(ours, "example.test", "SOA", key=other)
        assert "status: NOTAUTH" in said and "BADKEY" in said, said


ALGORITHMS = {"nsd": "hmac-sha512", "bind": "hmac-sha384", "knot": "hmac-sha224"}


@pytest.mark.parametrize("name", SECONDARIES)
def test_secondary(zones, tmp_path, name):
    """NSD, BIND and Knot fetch the zones with the key, each by another algorithm, and have the same records then."""
    program, package, configure = SECONDARIES[name]
    if not servers.find(program, package):
        pytest.skip(f"{name} is not installed")
    if name == "knot":  # which does not know all the types
        zones = {zone: file for zone, file in zones.items() if zone != "types.test"}
    directory = tmp_path / name
    directory.mkdir()
    address = ("127.0.0.1", servers.free_port())
    algorithm = ALGORITHMS[name]
    with serving(zones, tmp_path, [f"{algorithm}:{KEY_NAME}:{SECRET}"]) as ours:
        argv = configure(ours, zones, directory, address, algorithm)
        with servers.running(argv, address, directory / "log"):
            for zone in zones:
                mine, _ = transfer(ours, zone, KEYRING, algorithm=dns.name.from_text(algorithm))
                assert set(copy_of(address, zone)) == set(mine), zone


def wait_until(what, is_so):
    end = time.monotonic() + WAIT_SECONDS
    while not is_so():
        assert time.monotonic() < end, what
        time.sleep(0.05)


def serial_of(server, zone):
    query = dns.message.make_query(zone, "SOA")
    answer = dns.query.udp(query, server[0], port=server[1], timeout=20).answer
    return answer[0][0].serial if answer else None


CHANGING = {"live.test": lambda file, serial: write_live(file, serial, names=200), "turned.test": write_turned,
            "partial.test": write_partial}  # fmt: skip


def test_differences(tmp_path):
    """What we fetch from NSD, NSD, BIND and Knot fetch from us: after the first version by differences alone. Of one zone
    NSD gives us all each time, with a set in another order, which is no difference; of one our image lacks a record, and all
    of it goes from server to server."""
    wanted = {name: s for name, s in SECONDARIES.items() if servers.find(*s[:2])}
    if not servers.find_nsd() or not wanted:
        pytest.skip("nsd is not installed")
    image, log = tmp_path / "empty.img", tmp_path / "hostserver.log"
    files = {zone: tmp_path / f"{zone}.zone" for zone in CHANGING}

    def write(serial):
        for zone, file in files.items():
            CHANGING[zone](file, serial)

    write(1)
    subprocess.run([BIN / "zonec", "-o", image], check=True)
    port, addresses = servers.free_port(), {name: ("127.0.0.1", servers.free_port()) for name in wanted}
    told = ",".join(f"127.0.0.1:{address[1]}" for address in addresses.values())
    with contextlib.ExitStack() as stack:
        nsd = stack.enter_context(servers.nsd(files, tmp_path, signed=True, notify=port, whole=["turned.test"]))
        fetched = ",".join(f"{zone}=127.0.0.1:{nsd[1]}@{KEY_NAME}" for zone in files)
        more = [*OPTIONS, "-s", fetched, "-n", told]
        ours = stack.enter_context(servers.host(BIN / "hostserver", image, tmp_path, options=more, port=port))
        for zone in files:
            wait_until("no first version", lambda zone=zone: f"{zone}. serial 1" in log.read_text())
        for name, (_, _, configure) in wanted.items():
            (tmp_path / name).mkdir()
            argv = configure(ours, files, tmp_path / name, addresses[name])
            stack.enter_context(servers.running(argv, addresses[name], tmp_path / name / "log"))
            for zone in files:
                assert set(copy_of(addresses[name], zone)) == set(transfer(ours, zone, KEYRING)[0])
        before = options.counters(ours)["transfers"]
        for serial in (2, 3):
            write(serial)
            nsd.process.send_signal(signal.SIGHUP)
            for name, address in addresses.items():
                for zone in files:
                    wait_until(f"{name} does not come to {serial} of {zone}",
                               lambda at=address, zone=zone, to=serial: serial_of(at, zone) == to)  # fmt: skip
        counted = options.counters(ours)
        assert counted["transfers"] == before + 2 * len(wanted), counted  # of partial.test
        assert counted["differences"] >= 2 * 2 * len(wanted), counted
        for zone in files:
            by_differences = log.read_text().count(f"{zone}. serial 3 by differences\n")
            assert by_differences == (zone == "live.test"), log.read_text()
            mine, theirs = set(transfer(ours, zone, KEYRING)[0]), set(transfer(nsd, zone, KEYRING)[0])
            assert [record[1] for record in mine ^ theirs] == [dns.rdatatype.RRSIG] * (zone == "partial.test")
            for name, address in addresses.items():
                assert set(copy_of(address, zone)) == mine, (name, zone)
        mine = set(transfer(ours, "live.test", KEYRING)[0])
        assert dig(ours, "turned.test", "IXFR=2", "+tcp").count("\tIN\t") == 8
        assert dig(ours, "partial.test", "IXFR=2", "+tcp").count("\tIN\t") > 8
        for words, whole in (["+tcp"], len(mine) + 1), (["+notcp"], 1):
            for known, records in (0, whole), (1, 14), (2, 8), (3, 1):
                said = dig(ours, "live.test", f"IXFR={known}", *words)
                assert said.count("\tIN\t") == records and "WARNING" not in said, said
    assert "Sanitizer" not in log.read_text(), log.read_text()
