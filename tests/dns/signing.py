# SPDX-License-Identifier: ISC
"""Signed zones for the DNS tests, made with ldns: one text, signed with NSEC, NSEC3 and opt-out."""

import subprocess
from pathlib import Path

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


def sign(directory):
    """Makes keys and signs all zones below `directory`: a dict of zone name to file."""
    files = {}
    for name, (algorithm, options) in ZONES.items():
        key = subprocess.run(
            [tool("ldns-keygen"), "-r", "/dev/urandom", "-a", algorithm, "-b", "1024", "-k", name],
            cwd=directory, check=True, capture_output=True, text=True,
        ).stdout.strip()
        out = Path(directory) / f"{name}.zone"
        subprocess.run(
            [tool("ldns-signzone"), *options, "-o", name, "-f", out, TEMPLATE, key],
            cwd=directory, check=True, capture_output=True, text=True,
        )
        files[name] = out
    return files


def trust_anchor(directory, name):
    """The zone's key in the form of BIND's configuration."""
    key = next(Path(directory).glob(f"K{name}.*.key")).read_text()
    flags, protocol, algorithm, *data = key.split("DNSKEY")[1].split(";")[0].split()
    return f'trust-anchors {{ {name}. static-key {flags} {protocol} {algorithm} "{"".join(data)}"; }};\n'


# What is asked and what delv must say to it.
POSITIVE = "; fully validated"
NODATA = "; negative response, fully validated"
NO_TARGET = "$NXDOMAIN"  # at the end of an alias, after which delv says ";; resolution failed"
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
]

# What opt-out leaves open whether it exists cannot be more than this (RFC 5155 section 12.2).
OPTED_OUT = {name: "; unsigned answer" for name in ("any.wild", "any.name.wild", "any.tochain")}


def expected_verdict(zone, name, verdict):
    return OPTED_OUT.get(name, verdict) if zone == "optout.test" and verdict == POSITIVE else verdict
