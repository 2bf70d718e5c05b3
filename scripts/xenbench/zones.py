# SPDX-License-Identifier: ISC
"""Zones and query mixes: generated, the same in every run."""

import random

ORIGIN = "example.org"
HEAD = """$ORIGIN example.org.
$TTL 3600
@ IN SOA ns1 hostmaster 1 7200 3600 1209600 300
@ IN NS ns1
@ IN NS ns2
ns1 IN A 192.0.2.1
ns2 IN A 192.0.2.2
"""
HOT_NAMES = 16


def name(number):
    """The owner of host number N, relative to the origin: no two lie side by side in the tree."""
    return f"h{(number * 7919) % 10000019:x}"


def types(number):
    """What host number N has beside its A record."""
    found = ["A"]
    if number % 4 == 0:
        found.append("AAAA")
    if number % 8 == 0:
        found.append("MX")
    if number % 16 == 0:
        found.append("TXT")
    return found


def zone(names):
    """The master file of a zone with that many hosts."""
    lines = [HEAD]
    for number in range(names):
        owner = name(number)
        data = {
            "A": f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}",
            "AAAA": f"2001:db8::{number >> 16:x}:{number & 0xffff:x}",
            "MX": f"10 {name(0)}",
            "TXT": f'"host number {number}"',
        }
        lines += [f"{owner} IN {kind} {data[kind]}\n" for kind in types(number)]
    return "".join(lines)


def queries(mix, names, count):
    """dnsperf's input, "NAME TYPE" a line. mix: "random" existing names and types, "hot" the same
    of a few names, "missing" names that do not exist."""
    dice = random.Random(f"{mix} {names}")
    lines = []
    for _ in range(count):
        number = dice.randrange(min(names, HOT_NAMES) if mix == "hot" else names)
        if mix == "missing":
            lines.append(f"no{dice.randrange(1 << 40):x}.{ORIGIN} A\n")
        else:
            lines.append(f"{name(number)}.{ORIGIN} {dice.choice(types(number))}\n")
    return "".join(lines)
