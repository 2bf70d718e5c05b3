# SPDX-License-Identifier: ISC
"""Signed zones for the DNS tests, made with ldns: one text, signed with NSEC, NSEC3 and opt-out."""

import subprocess
from pathlib import Path

import generated
import servers

TEMPLATE = Path(__file__).resolve().parent / "zones" / "signed" / "template"
# Name of the zone: algorithm and what ldns-signzone is told. Iterations and salt are what RFC 9276
# advises against and servers have to serve.
ZONES = {
    "nsec.test": ("ECDSAP256SHA256", []),
    "nsec3.test": ("ECDSAP256SHA256", ["-n", "-t", "0"]),
    "optout.test": ("RSASHA256", ["-n", "-p", "-t", "5", "-s", "aabbccdd"]),
}


def tool(name):
    """A program of ldnsutils: the machine's or one unpacked into the cache. None if there is none."""
    return servers.find(name, "ldnsutils")


# Zones below each of them, which are served too: one that is signed and has a DS record above, and one without.
CHILD = """$TTL 3600
@ SOA ns root 1 3600 600 86400 300
@ NS ns
ns A 192.0.2.1
www A 192.0.2.9
*.wild TXT "from the wildcard"
"""


def run_tool(directory, program, *words):
    """What the program of ldnsutils prints."""
    argv = [tool(program), *words]
    return subprocess.run(argv, cwd=directory, check=True, capture_output=True, text=True).stdout.strip()


def sign_zone(directory, name, text, algorithm, options):
    """Makes a key, NAME.key (root.key) with its DNSKEY record and K*.ds with its DS, and signs: the zone's file."""
    key = run_tool(directory, "ldns-keygen", "-r", "/dev/urandom", "-a", algorithm, "-b", "1024", "-k", name)
    stem = "root" if name == "." else name
    (directory / f"{stem}.key").write_text((directory / f"{key}.key").read_text())
    plain, out = directory / f"{stem}.plain", directory / f"{stem}.zone"
    plain.write_text(text)
    run_tool(directory, "ldns-signzone", *options, "-o", name, "-f", out, plain, key)
    return out


def sign(directory):
    """Makes keys and signs all zones, below `directory`: a dict of zone name to file."""
    directory, files = Path(directory), {}
    for name, (algorithm, options) in ZONES.items():
        child, plain = f"child.{name}", directory / f"plain.{name}.zone"
        files[child] = sign_zone(directory, child, CHILD, algorithm, options)
        plain.write_text(CHILD)
        files[f"plain.{name}"] = plain
        ds = next(directory.glob(f"K{child}.*.ds")).read_text()
        text = TEMPLATE.read_text() + f"child NS ns.child\nns.child A 192.0.2.1\n{ds}plain NS ns.plain\nns.plain A 192.0.2.1\n"
        files[name] = sign_zone(directory, name, text, algorithm, options)
    return files


def trust_anchor(directory, name):
    """The zone's key in the form of BIND's configuration."""
    key = (Path(directory) / f"{name}.key").read_text()
    flags, protocol, algorithm, *data = key.split("DNSKEY")[1].split(";")[0].split()
    return f'trust-anchors {{ {name}. static-key {flags} {protocol} {algorithm} "{"".join(data)}"; }};\n'


# What is asked and what delv must say to it.
POSITIVE = "; fully validated"
NODATA = "; negative response, fully validated"
UNSIGNED_ANSWER = "; unsigned answer"
UNSIGNED_NEGATIVE = "; negative response, unsigned answer"
# At the end of an alias, after which delv says ";; resolution failed".
NO_TARGET, NO_DATA = "$NXDOMAIN", "$NXRRSET"
VALIDATED = [
    ("@", "SOA", POSITIVE),
    ("@", "NS", POSITIVE),
    ("@", "DNSKEY", POSITIVE),
    ("@", "AAAA", NODATA),
    ("a", "A", POSITIVE),
    ("a", "MX", NODATA),
    ("upper", "TXT", POSITIVE),
    ("big", "TXT", POSITIVE),
    ("nowhere", "A", NODATA),
    ("nowhere.a", "A", NODATA),
    ("nowhere.empty.non.terminal", "A", NODATA),
    ("non.terminal", "A", NODATA),
    ("any.wild", "A", POSITIVE),
    ("any.name.wild", "A", POSITIVE),
    ("any.wild", "TXT", NODATA),
    ("*.wild", "A", POSITIVE),
    ("*.wild", "TXT", NODATA),
    ("below.under.wild", "A", NODATA),
    ("y.wild", "A", NODATA),
    ("any.alias", "A", POSITIVE),
    ("any.tochain", "A", POSITIVE),
    ("any.twice", "A", POSITIVE),
    ("any.nothing", "A", NO_TARGET),
    ("www", "A", POSITIVE),
    ("dangling", "A", NO_TARGET),
    ("host.d", "A", POSITIVE),
    ("nowhere.d", "A", NO_TARGET),
    ("d", "TXT", POSITIVE),
    ("secure", "DS", POSITIVE),
    ("unsigned", "DS", NODATA),
    ("two.deleg.only", "DS", NODATA),
    ("child", "DS", POSITIVE),
    ("tochild", "DS", POSITIVE),
    ("toplain", "DS", NO_DATA),
    ("www.child", "A", POSITIVE),
    ("www.child", "MX", NODATA),
    ("any.wild.child", "TXT", POSITIVE),
    ("nowhere.child", "A", NODATA),
    ("www.plain", "A", UNSIGNED_ANSWER),
    ("nowhere.plain", "A", UNSIGNED_NEGATIVE),
]
UNSIGNED = ("www.plain", "nowhere.plain")

# What opt-out leaves open whether it exists cannot be more than this (RFC 5155 section 12.2).
OPTED_OUT = {name: "; unsigned answer" for name in ("any.wild", "any.name.wild", "any.tochain", "any.wild.child")}


def expected_verdict(zone, name, verdict):
    return OPTED_OUT.get(name, verdict) if zone == "optout.test" and verdict == POSITIVE else verdict


def delv():
    return servers.find("delv", "bind9-dnsutils")


def check_delv(at, zone, directory, asked=VALIDATED):
    """delv, which trusts the zone's key in `directory` alone, says of each of `asked` what it should."""
    anchor = Path(directory) / f"{zone}.anchor"
    anchor.write_text(trust_anchor(directory, zone))
    for name, rdtype, verdict in asked:
        words = [delv(), "-a", anchor, f"+root={zone}", f"@{at[0]}", "-p", str(at[1]), name_in(zone, name), rdtype]
        done = subprocess.run(words, capture_output=True, text=True)
        said = done.stdout + done.stderr
        assert "validat" in said or "unsigned" in said, said
        assert expected_verdict(zone, name, verdict) in said, f"{name}.{zone} {rdtype}:\n{said}"


def name_in(zone, name):
    return f"{name}.{zone}.".removeprefix("@.")


def sign_tree(directory, tlds=1500, delegations=2000):
    """A tree of zones, each served: the root (NSEC), a top-level domain (NSEC3, opt-out), one below it (NSEC3), and in
    that one zone that it delegates and one that it does not. A dict of zone name to file; root.key is the trust
    anchor."""
    directory, files = Path(directory), {}
    for hidden in ("hidden.deep.child.big", "cut.child.big"):
        files[hidden] = directory / f"{hidden}.zone"
        generated.write(files[hidden], generated.inner(hidden))

    def add(name, lines, options):
        text = "\n".join(lines) + "\n"
        files[name] = sign_zone(directory, name, text, "ECDSAP256SHA256", options)
        return "" if name == "." else next(directory.glob(f"K{name}.+*.ds")).read_text().strip()

    ds = add("child.big", generated.inner("child.big"), ["-n"])
    ds = add("big", generated.tld("big", delegations, "child.big", ds), ["-n", "-p"])
    add(".", generated.root(tlds, "big", ds), [])
    return files
