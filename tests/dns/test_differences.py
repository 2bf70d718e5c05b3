# SPDX-License-Identifier: ISC
"""The same questions to lib/dns on the host and to NSD, BIND and Knot, which serve the same zones.

DNS_QUERIES: how many queries at random there are in addition to those made by rule.
"""

import contextlib
import os
import random
import re
import subprocess

import pytest

import differences
import differential
import queries
import servers

MORE = int(os.environ.get("DNS_QUERIES", "9000")) // 3
PACKAGES = {"nsd": "nsd", "named": "bind9", "knotd": "knot"}


@contextlib.contextmanager
def others(zones, directory):
    """Context: a dict of the judges, all with these zones."""
    if not all(servers.find(*pair) for pair in PACKAGES.items()):
        pytest.skip("NSD, BIND and Knot are not installed")
    with contextlib.ExitStack() as stack:
        started = {}
        for name in ("nsd", "bind", "knot"):
            (directory / name).mkdir()
            if name == "knot" and "types.test" in zones:  # it does not know all types
                generic = directory / "types.test.generic"
                queries.write_transferred(started["nsd"], "types.test", generic)
                zones = zones | {"types.test": generic}
            started[name] = stack.enter_context(getattr(servers, name)(zones, directory / name))
        for address in started.values():
            servers.wait_until_serving(address, list(zones)[-1])
        yield started


@contextlib.contextmanager
def judged(zones, image, directory):
    """Context: our server, and the judges."""
    with others(zones, directory) as judges, servers.host(servers.BIN / "hostserver", image, directory) as ours:
        yield ours, judges


def test_plain_zones(plain, tmp_path):
    zones, image = plain
    with judged(zones, image, tmp_path) as (ours, judges):
        asked = queries.generate(queries.load_owners(judges["nsd"], zones), zones, more=MORE)
        result = differential.run(ours, judges, zones, asked)
    assert result.asked > 14000 + MORE
    result.check()


def test_signed_zones(signed, tmp_path):
    zones, image = signed
    rng = random.Random(1)
    with judged(zones, image, tmp_path) as (ours, judges):
        owners = queries.load_owners(judges["nsd"], [zone for zone in zones if "sec" in zone or "optout" in zone])
        result = differential.run(ours, judges, zones, queries.generate_signed(owners, rng))
        result += differential.run(ours, judges, zones, queries.generate_more(owners, MORE, rng))
    assert result.asked > 6000 + MORE
    result.check()


def test_tree_of_zones(tree, tmp_path):
    """The root, a top-level domain and zones inside each other."""
    zones, image = tree
    with judged(zones, image, tmp_path) as (ours, judges):
        owners = queries.load_owners(judges["nsd"], zones)
        small = {name: types for name, types in owners.items() if b"child" in name.labels}
        result = differential.run(ours, judges, zones, queries.generate_signed(small, random.Random(1)))
        result += differential.run(ours, judges, zones, queries.generate_more(owners, MORE, random.Random(2)))
    assert result.asked > 1500 + MORE
    result.check()


def test_minimal_answers(plain, tmp_path):
    zones, image = plain
    if not servers.find_nsd():
        assert not os.environ.get("XENOLITH_NSD_REQUIRED"), "nsd is missing"
        pytest.skip("nsd is not installed")
    with servers.nsd(zones, tmp_path, minimal=True) as nsd:
        with servers.host(servers.BIN / "hostserver", image, tmp_path, minimal=True) as ours:
            asked = queries.generate(queries.load_owners(nsd, zones), zones, dnssec=False)
            result = differential.run(ours, {"nsd": nsd}, zones, asked)
    assert result.asked > 10000
    result.check()


def test_table_is_in_the_book():
    book = (servers.TOP / "docs" / "dns.md").read_text(encoding="utf-8")
    assert "\n".join(differences.table()) in book, "the table is what tests/dns/differences.py prints"


def test_tests_named_in_the_book_are_there():
    book = (servers.TOP / "docs" / "dns.md").read_text(encoding="utf-8")
    sources = [p.read_text(encoding="utf-8") for pattern in ("dns/*.py", "unit/*.c", "boot/*.py")
               for p in (servers.TOP / "tests").glob(pattern)]  # fmt: skip
    there = set(re.findall(r"(?:def |START_TEST\()(\w+)", "\n".join(sources)))
    named = set(re.findall(r"`((?:test|check|generate)_\w+)`", book))
    assert len(named) > 30 and not named - there, named - there
