# SPDX-License-Identifier: ISC
"""lib/dns on the host: compared with NSD, which serves the same zones; and its use of connections.

XENOLITH_HOST_BIN is the directory of the host programs zonec and hostserver; without it they are made.
Without NSD the tests are skipped, unless XENOLITH_NSD_REQUIRED is set: then they fail.
"""

import os
import random
import re
import subprocess
from pathlib import Path

import pytest

import differential
import judges
import options
import servers
import signing
import transport

HERE = Path(__file__).resolve().parent
BIN = Path(os.environ.get("XENOLITH_HOST_BIN", servers.TOP / "out/host"))
ZONES = {p.name.removesuffix(".zone"): p for p in sorted((HERE / "zones").glob("*.zone"))}


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    if "XENOLITH_HOST_BIN" not in os.environ:
        subprocess.run(["make", "-s", "host-dns"], cwd=servers.TOP, check=True)
    out = tmp_path_factory.mktemp("dns") / "zones.img"
    subprocess.run([BIN / "zonec", "-o", out, *ZONES.values()], check=True)
    return out


@pytest.mark.parametrize("minimal", [False, True], ids=["full", "minimal"])
def test_same_answers_as_nsd(images, tmp_path, minimal):
    if not servers.find_nsd():
        assert not os.environ.get("XENOLITH_NSD_REQUIRED"), "nsd is missing"
        pytest.skip("nsd is not installed")
    with servers.nsd(ZONES, tmp_path, minimal) as nsd:
        with servers.host(BIN / "hostserver", images, tmp_path, minimal) as ours:
            owners = differential.load_owners(nsd, ZONES)
            queries = differential.generate(owners, ZONES, dnssec=not minimal)
            asked, unexpected = differential.run(ours, nsd, queries, differential.expected)
    print(f"{asked} queries")
    assert asked > 5000
    assert not unexpected, f"{len(unexpected)} of {asked} differ:\n" + "\n".join(
        differential.describe(q, f) for q, f in unexpected[:20]
    )


@pytest.fixture(scope="module")
def signed(images, tmp_path_factory):
    """All zones, those signed just now too: a dict of name to file, and the image of them."""
    if not servers.find("ldns-signzone", "ldnsutils"):
        pytest.skip("ldnsutils are not installed")
    directory = tmp_path_factory.mktemp("signed")
    zones = ZONES | signing.sign(directory)
    subprocess.run([BIN / "zonec", "-o", directory / "zones.img", *zones.values()], check=True)
    return zones, directory / "zones.img"


def test_signed_zones(signed, tmp_path):
    if not servers.find_nsd():
        pytest.skip("nsd is not installed")
    zones, image = signed
    with servers.nsd(zones, tmp_path) as nsd, servers.host(BIN / "hostserver", image, tmp_path) as ours:
        owners = differential.load_owners(nsd, [zone for zone in zones if zone not in ZONES])
        queries = differential.generate_signed(owners, random.Random(1))
        asked, unexpected = differential.run(ours, nsd, queries, differential.expected)
    print(f"{asked} queries")
    assert asked > 4000
    assert not unexpected, f"{len(unexpected)} of {asked} differ:\n" + "\n".join(
        differential.describe(q, f) for q, f in unexpected[:20]
    )


@pytest.mark.parametrize("name, package", [("bind", "bind9"), ("knot", "knot")])
def test_agrees_with(signed, tmp_path, name, package):
    """BIND and Knot on a fifth of all queries, or on all of them with XENOLITH_DNS_SHARE=1."""
    share = float(os.environ.get("XENOLITH_DNS_SHARE", "0.2"))
    if not servers.find({"bind": "named", "knot": "knotd"}[name], package):
        pytest.skip(f"{name} is not installed")
    zones, image = signed
    if name == "knot":  # which does not know all the types
        zones = {zone: file for zone, file in zones.items() if zone != "types.test"}
    with getattr(servers, name)(zones, tmp_path) as judge:
        with servers.host(BIN / "hostserver", image, tmp_path) as ours:
            queries = differential.generate(differential.load_owners(judge, zones), zones)
            asked, unexpected = judges.run(name, ours, judge, zones, queries, share)
    print(f"{asked} queries")
    assert asked > 20000 * share * 0.9
    assert not unexpected, f"{len(unexpected)} of {asked} differ:\n" + "\n".join(unexpected[:20])


@pytest.mark.parametrize("zone", signing.ZONES)
def test_validator_accepts_answers(signed, tmp_path, zone):
    """delv, with the zone's key as its trust anchor, validates answers and proofs of all kinds."""
    zones, image = signed
    delv = servers.find("delv", "bind9-dnsutils")
    if not delv:
        pytest.skip("delv is not installed")
    anchor = tmp_path / "anchor"
    anchor.write_text(signing.trust_anchor(zones[zone].parent, zone))
    with servers.host(BIN / "hostserver", image, tmp_path) as ours:
        for name, rdtype, verdict in signing.VALIDATED:
            words = [delv, "-a", anchor, f"+root={zone}", f"@{ours[0]}", "-p", str(ours[1])]
            done = subprocess.run(
                [*words, f"{name}.{zone}.".removeprefix("@."), rdtype], capture_output=True, text=True
            )
            said = done.stdout + done.stderr
            assert "validat" in said or "unsigned" in said, said
            assert signing.expected_verdict(zone, name, verdict) in said, f"{name}.{zone} {rdtype}:\n{said}"


def test_options(images, tmp_path):
    """Cookie, NSID, keepalive, padding, extended error and CHAOS, as dnspython and its like see them."""
    with servers.host(BIN / "hostserver", images, tmp_path) as ours:
        options.check(ours)


@pytest.mark.parametrize("check", transport.CHECKS, ids=lambda check: check.__name__.removeprefix("check_"))
def test_connections(images, tmp_path, check):
    with servers.host(BIN / "hostserver", images, tmp_path) as ours:
        check(ours)


def test_a_name_has_one_zone(images, tmp_path):
    zone = HERE / "zones" / "example.test.zone"
    done = subprocess.run([BIN / "zonec", "-o", tmp_path / "out", zone, f"Example.TEST={zone}"],
                          capture_output=True, text=True)
    assert done.returncode == 1 and "is already the zone in" in done.stderr
    assert not list(tmp_path.glob("out*"))


def test_messages_are_in_the_order_of_the_file(images, tmp_path):
    """Whether it was the reader who complained, the builder, or of an included file."""
    zone = tmp_path / "example.org.zone"
    zone.write_text("$TTL 60\n@ SOA a b 1 2 3 4 5\n@ NS ns\n$INCLUDE more\nz CNAME b\nz A 192.0.2.1\n"
                    "f A 192.0.2.1\na CNAME b\na A 192.0.2.1\nns A 192.0.2.1\n")
    (tmp_path / "more").write_text("y CNAME b\ny A 192.0.2.1\n")

    def said(*files):
        done = subprocess.run([BIN / "zonec", "-o", tmp_path / "out", *files], capture_output=True, text=True)
        assert done.returncode == 1 and not list(tmp_path.glob("out*"))
        return re.sub(r"(?m)^(zonec: )?" + re.escape(f"{tmp_path}/"), "", done.stderr).splitlines()

    lines = said(zone)
    assert [line.split(": ")[0] for line in lines[:-1]] == [
        "example.org.zone:6", "example.org.zone:9", "more:2"], lines
    assert lines[-1] == "example.org.zone: no zone made"
    zone.write_text(zone.read_text().replace("INCLUDE more", "INCLUDE gone").replace("f A", "f AA"))
    assert said(zone, tmp_path / "none", tmp_path) == [
        "example.org.zone:4: cannot open gone: No such file or directory",
        "example.org.zone:7: unknown type: AA", "example.org.zone: no zone made",
        "none: cannot open: No such file or directory", "none: no zone made",
        f"{tmp_path}: cannot open: Is a directory", f"zonec: {tmp_path}: no zone made"]
