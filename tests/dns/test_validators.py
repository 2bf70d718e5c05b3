# SPDX-License-Identifier: ISC
"""Programs that validate, with nothing but the key of a zone to trust: they accept what we answer, and tell what is
proved from what is left open. delv and drill ask for a list of all kinds of answers, unbound for every name
and its neighbours, down a chain from the root; ldns-verify-zone checks zones as we transfer them."""

import os
import random
import subprocess

import dns.flags
import dns.message
import dns.name
import pytest

import asking
import differential
import messages
import queries
import servers
import signing

UNASKED = {46, 47, 50, 255}  # a resolver has answers of its own to these
ASKED = min(int(os.environ.get("DNS_QUERIES", "9000")) // 6, 20000)  # of unbound, for each of two sets of zones


@pytest.fixture(scope="module")
def ours(signed, tmp_path_factory):
    zones, image = signed
    with servers.host(servers.BIN / "hostserver", image, tmp_path_factory.mktemp("ours"), options=["-x", "127.0.0.1"]) as at:
        yield zones, at


@pytest.fixture(scope="module")
def ours_tree(tree, tmp_path_factory):
    zones, image = tree
    with servers.host(servers.BIN / "hostserver", image, tmp_path_factory.mktemp("tree"), options=["-x", "127.0.0.1"]) as at:
        yield zones, at


@pytest.mark.parametrize("zone", signing.ZONES)
def test_delv(ours, zone):
    zones, at = ours
    if not signing.delv():
        pytest.skip("delv is not installed")
    signing.check_delv(at, zone, zones[zone].parent)


@pytest.mark.parametrize("zone", signing.ZONES)
def test_drill(ours, zone):
    """It follows the signatures of an answer up to the key; a CNAME made of a DNAME, which has none, it cannot,
    and for an empty non-terminal proved by NSEC it wants a wildcard denied that nobody has asked for."""
    zones, at = ours
    drill = signing.tool("drill") or pytest.skip("drill is not installed")
    key = zones[zone].parent / f"{zone}.key"
    for name, rdtype, _ in signing.VALIDATED:
        if name.endswith(".d") or name in signing.UNSIGNED or (zone, name) == ("nsec.test", "y.wild"):
            continue
        words = [drill, "-t", "-S", "-k", key, f"@{at[0]}", "-p", str(at[1]), signing.name_in(zone, name), rdtype]
        done = subprocess.run(words, capture_output=True, text=True)
        assert ";; Chase successful" in done.stdout, f"{name}.{zone} {rdtype}:\n{done.stdout}{done.stderr}"


def check_zone(zone, at, key, tmp_path):
    verify = signing.tool("ldns-verify-zone") or pytest.skip("ldns-verify-zone is not installed")
    queries.write_transferred(at, zone, tmp_path / "zone")
    done = subprocess.run([verify, "-k", key, tmp_path / "zone"], capture_output=True, text=True)
    assert done.returncode == 0 and "verified and complete" in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize("zone", signing.ZONES)
def test_ldns_verify_zone(ours, tmp_path, zone):
    zones, at = ours
    check_zone(zone, at, zones[zone].parent / f"{zone}.key", tmp_path)


@pytest.mark.parametrize("zone", [".", "big", "child.big"])
def test_ldns_verify_zone_of_tree(ours_tree, tmp_path, zone):
    zones, at = ours_tree
    check_zone(zone, at, zones[zone].parent / f"{'root' if zone == '.' else zone}.key", tmp_path)


def apexes(names):
    return {dns.name.from_text(name).canonicalize().to_wire() for name in names}


class Verdict:
    """What a validating resolver has to say of an answer of ours, if that is known: not where it may not ask."""

    def __init__(self, query, answer, served, insecure):
        message = messages.read(answer)
        names = [query.asked[0]] + [r[4] for r in message.answer if r[1] == messages.CNAME]
        zones = [differential.apex_of(name, served) for name in names]
        self.rcode = message.rcode
        referral = not message.flags & messages.AA
        cut = any(r[1] == messages.NS and r[0] not in served for r in message.authority)  # at the end of an alias
        # Of a DS that is not there a resolver makes NODATA of any proof, even where there is an alias.
        alias_for_ds = query.type == messages.DS and len(names) > 1
        self.known = not (referral or cut or alias_for_ds or None in zones or message.truncated)
        opted_out = any(r[1] == messages.NSEC3 and r[4][1] & 1 for r in message.authority)
        self.secure = not opted_out and not insecure & set(zones)


def check_resolver(at, zones, keys, insecure, unknown, asked, tmp_path):
    """Asks unbound that trusts `keys` what we answer ourselves. `insecure`: zones without a chain to a key; `unknown`:
    those that are served but that nobody above knows of, so that what they say is false."""
    served = apexes(zones) - apexes(unknown)
    last = messages.build(dns.name.from_text(next(iter(zones))).to_wire(), messages.SOA)
    wrong, counts = [], {True: 0, False: 0}
    wanted = {}
    for query, (direct,) in asking.ask([asking.Asker(at, last)], asked):
        want = Verdict(query, direct, served, apexes(insecure))
        if want.known and not any(messages.is_below(query.asked[0], apex) for apex in apexes(unknown)):
            wanted[query.kind] = query, want
    chosen = random.Random(5).sample(list(wanted.values()), min(len(wanted), ASKED))
    with servers.unbound(zones, at, keys, tmp_path) as resolver:
        for query, (got,) in asking.ask([asking.Asker(resolver)], [query for query, _ in chosen]):
            want = wanted[query.kind][1]
            said = got and dns.message.from_wire(got)
            secure = bool(said and said.flags & dns.flags.AD)
            counts[secure] += 1
            if not said or said.rcode() != want.rcode or secure < want.secure:
                wrong.append(f"{query}: {said and said.to_text()}")
    print(f"{counts[True]} secure, {counts[False]} insecure")
    assert counts[True] > ASKED // 15 and counts[False] > ASKED // 150
    assert not wrong, f"{len(wrong)}:\n" + "\n".join(wrong[:5])


def resolved_queries(owners, rng):
    """Names and their neighbours, with a type or two, as resolvers get them: with RD and DO."""
    chosen = rng.sample(sorted(owners), min(len(owners), ASKED // 4))
    for name in queries.near_all({name: owners[name] for name in chosen}):
        found = owners.get(name, set()) - UNASKED
        for rdtype in {rng.choice([1, 15, 16, 43]), rng.choice(sorted(found | {1}))}:
            asked = queries.build(name.to_wire(), rdtype, flags=0x100, additional=(queries.edns(flags=0x8000),))
            yield queries.Query(asked, f"{name} {rdtype}")


def test_unbound(ours, tmp_path):
    zones, at = ours
    zones = {name: file for name, file in zones.items() if name.endswith(tuple(signing.ZONES))}
    owners = queries.load_owners(at, zones)
    keys = [zones[zone].parent / f"{zone}.key" for zone in signing.ZONES]
    insecure = [name for name in zones if name.startswith("plain.")]
    check_resolver(at, zones, keys, insecure, [], resolved_queries(owners, random.Random(4)), tmp_path)


def test_unbound_from_the_root(ours_tree, tmp_path):
    zones, at = ours_tree
    owners = queries.load_owners(at, zones)
    check_resolver(at, zones, [zones["."].parent / "root.key"], ["cut.child.big"], ["hidden.deep.child.big"],
                   resolved_queries(owners, random.Random(4)), tmp_path)
