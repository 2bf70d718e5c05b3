# SPDX-License-Identifier: ISC
"""Zones of very many random names and delegations: what their images take beside the wire form, and that the answers
are those of others.

DNS_NAMES: how many names, 50,000 unless told, and a third as many delegations; the figures of docs/dns.md are of
a million.
"""

import os
import random
import resource
import subprocess
import tomllib

import dns.name
import dns.rdatatype
import pytest

import differential
import generated
import queries
import servers
from test_differences import judged

NAMES = int(os.environ.get("DNS_NAMES", "50000"))
SECONDS_A_MILLION = 60  # generous: 3 on the machine of docs/dns.md


ZONES = {generated.MANY: lambda: generated.random_names(NAMES), "big": lambda: generated.tld("big", NAMES // 3)}


@pytest.fixture(scope="module", params=ZONES)
def many(request, compile_zones, tmp_path_factory):
    """The zone's name, its file, its image, and the CPU's seconds for that."""
    directory = tmp_path_factory.mktemp("many")
    text = directory / f"{request.param}.zone"
    generated.write(text, ZONES[request.param]())
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([servers.BIN / "zonec", "-o", directory / "image", text], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return request.param, text, directory / "image", seconds


def test_size(many, tmp_path):
    zone, _, image, seconds = many
    with servers.host(servers.BIN / "hostserver", image, tmp_path, options=["-x", "127.0.0.1"]) as ours:
        sizes = [len(owner) + 10 + len(data) for owner, _, _, _, data in queries.transferred(ours, zone)]
    octets = sum(sizes)
    ratio = image.stat().st_size / octets
    print(f"{len(sizes) - 1} records, {octets} octets on the wire, {image.stat().st_size} in the image: {ratio:.2f} times")
    print(f"zonec: {seconds:.1f} s")
    with open(servers.TOP / "tests" / "budgets.toml", "rb") as f:
        assert ratio <= tomllib.load(f)["dns"]["image_per_wire_form"]
    assert seconds < SECONDS_A_MILLION * max(NAMES, 100000) / 1000000


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
