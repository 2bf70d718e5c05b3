# SPDX-License-Identifier: ISC
"""Zones of very many random names and delegations: what their images take beside the wire form, and that the answers
are those of others.

A million names are compiled and asked for in each run. Beside the other servers, which take long to read so many, there
are DNS_NAMES of them, 50,000 unless told, and a third as many delegations; the figures of docs/dns.md are of a million.
"""

import os
import random
import resource
import socket
import struct
import subprocess
import tomllib

import dns.name
import dns.rdatatype
import pytest

import asking
import differential
import generated
import messages
import queries
import servers
from test_differences import judged

NAMES = int(os.environ.get("DNS_NAMES", "50000"))
MILLION = 1000000
SECONDS_A_MILLION = 60  # generous: 3 on the machine of docs/dns.md


ZONES = {generated.MANY: lambda: generated.random_names(NAMES), "big": lambda: generated.tld("big", NAMES // 3)}


def compiled(directory, zone, lines):
    """The zone's file, its image, and the CPU's seconds for that."""
    text = directory / f"{zone}.zone"
    generated.write(text, lines)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([servers.BIN / "zonec", "-o", directory / "image", text], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return text, directory / "image", after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@pytest.fixture(scope="module", params=ZONES)
def many(request, compile_zones, tmp_path_factory):
    """The zone's name, its file, its image, and the CPU's seconds for that."""
    return request.param, *compiled(tmp_path_factory.mktemp("many"), request.param, ZONES[request.param]())


def check_size(records, octets, image, seconds):
    ratio = image.stat().st_size / octets
    print(f"{records} records, {octets} octets on the wire, {image.stat().st_size} in the image: {ratio:.2f} times")
    print(f"zonec: {seconds:.1f} s")
    with open(servers.TOP / "tests" / "budgets.toml", "rb") as f:
        assert ratio <= tomllib.load(f)["dns"]["image_per_wire_form"]
    assert seconds < SECONDS_A_MILLION * max(records, 100000) / 1000000


def test_size(many, tmp_path):
    zone, _, image, seconds = many
    with servers.host(servers.BIN / "hostserver", image, tmp_path, options=["-x", "127.0.0.1"]) as ours:
        sizes = [len(owner) + 10 + len(data) for owner, _, _, _, data in queries.transferred(ours, zone)]
    check_size(len(sizes) - 1, sum(sizes), image, seconds)


def some_owners(zone, text):
    """A thousand of the names, with their types: a record a line."""
    lines = text.read_text().splitlines()[3:]
    words = [line.split() for line in random.Random(2).sample(lines, 1000)]
    origin = dns.name.from_text(zone)
    return {dns.name.from_text(owner, origin): {dns.rdatatype.from_text(rdtype)} for owner, rdtype, *_ in words}


def test_answers(many, tmp_path):
    zone, text, image, _ = many
    with judged({zone: text}, image, tmp_path) as (ours, judges):
        asked = queries.generate_more(some_owners(zone, text), 2000, random.Random(1))
        result = differential.run(ours, judges, [zone], asked)
    assert result.asked == 2000
    result.check()


APEX = dns.name.from_text(generated.MANY).to_wire()
NS = b"\2ns" + APEX
DATA_OCTETS = {"A": 4, "AAAA": 16, "MX": 2 + len(NS), "CNAME": len(NS)}


def octets_of(line):
    """What a line of generated.random_names() is on the wire: a letter for a letter, and a text without its quotes."""
    owner, rdtype, data = line.split(" ", 2)
    return len(owner) + 1 + len(APEX) + 10 + (DATA_OCTETS.get(rdtype) or len(data) - 1)


def wire_name(name):
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + APEX


def wire_data(rdtype, words):
    if rdtype in ("A", "AAAA"):
        return socket.inet_pton(socket.AF_INET if rdtype == "A" else socket.AF_INET6, words[0])
    if rdtype == "TXT":
        return bytes([len(words[0]) - 2]) + words[0].strip('"').encode()
    return (struct.pack("!H", int(words[0])) if rdtype == "MX" else b"") + NS


def ask_about(name, line, rng):
    """(query, RCODE, data in the answer) for the name, which has the record of this line, or is not there."""
    _, rdtype, *words = line.split() if line else (name, "A")
    number = dns.rdatatype.from_text(rdtype)
    asked = queries.Query(messages.build(wire_name(name), number), f"{name} {rdtype}", rng.random() < 0.1)
    if line:
        return asked, messages.NOERROR, {wire_data(rdtype, words)}
    return asked, messages.NXDOMAIN, set()


def test_million(compile_zones, tmp_path):
    """A million random names: the image's size, and what is said of names that are there and, a letter added or changed,
    of such as are not, which the text alone decides."""
    rng = random.Random(4)
    text, image, seconds = compiled(tmp_path, generated.MANY, generated.random_names(MILLION))
    lines = text.read_text().splitlines()[5:]
    names = {line.partition(" ")[0] for line in lines}
    assert len(names) == MILLION
    check_size(MILLION, sum(map(octets_of, lines)), image, seconds)
    wanted = {}
    for line in rng.sample(lines, 2000):
        name = line.partition(" ")[0]
        wanted[name] = ask_about(name, line, rng)
        for other in {name + "x", "q" + name[1:]} - names:
            wanted[other] = ask_about(other, None, rng)
    assert len(wanted) > 5500
    with servers.host(servers.BIN / "hostserver", image, tmp_path) as ours:
        for query, (answer,) in asking.ask([asking.Asker(ours)], [query for query, _, _ in wanted.values()]):
            _, rcode, data = wanted[query.kind.split()[0]]
            said = messages.read(answer)
            assert (said.rcode, {r[4] for r in said.answer}) == (rcode, data), query
            assert said.flags == messages.QR | messages.AA, query
            assert rcode == messages.NOERROR or said.types("authority") == {messages.SOA}, query
