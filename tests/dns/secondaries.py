# SPDX-License-Identifier: ISC
"""NSD, BIND and Knot as secondaries, which sign what they ask by the key of transfers.py."""

import time

import dns.exception

import servers
from transfers import KEY_NAME, SECRET, transfer

START_SECONDS = 30


def secondary_nsd(primary, zones, directory, address, algorithm="hmac-sha256"):
    lines = [
        "server:", f"  ip-address: {address[0]}@{address[1]}", '  username: ""', '  chroot: ""',
        '  database: ""', f'  zonesdir: "{directory}"', f'  pidfile: "{directory}/nsd.pid"',
        f'  xfrdfile: "{directory}/xfrd.state"', f'  xfrdir: "{directory}"',
        f'  zonelistfile: "{directory}/zone.list"', "  server-count: 1", "remote-control:",
        "  control-enable: no", "key:", f"  name: {KEY_NAME}", f"  algorithm: {algorithm}", f"  secret: {SECRET}",
    ]  # fmt: skip
    for zone in zones:
        lines += ["zone:", f"  name: {zone}", f'  zonefile: "{directory}/{zone}.copy"',
                  f"  request-xfr: {primary[0]}@{primary[1]} {KEY_NAME}",
                  "  allow-notify: 127.0.0.1 NOKEY", "  provide-xfr: 127.0.0.1 NOKEY"]  # fmt: skip
    conf = directory / "nsd.conf"
    conf.write_text("\n".join(lines) + "\n")
    return [servers.find("nsd", "nsd"), "-d", "-c", str(conf)]


def secondary_bind(primary, zones, directory, address, algorithm="hmac-sha256"):
    lines = [
        f'key "{KEY_NAME}" {{ algorithm {algorithm}; secret "{SECRET}"; }};', "options {",
        f'  directory "{directory}"; listen-on port {address[1]} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};',
        "  recursion no; dnssec-validation no; notify no; empty-zones-enable no; pid-file none;",
        f'  allow-transfer {{ 127.0.0.1; }}; session-keyfile "{directory}/session.key"; lock-file none;',
        f'  managed-keys-directory "{directory}"; check-names secondary ignore;', "};", "controls { };",
    ]  # fmt: skip
    for zone in zones:
        lines.append(f'zone "{zone}" {{ type secondary; file "{zone}.copy"; primaries port {primary[1]} '
                     f'{{ {primary[0]} key "{KEY_NAME}"; }}; }};')  # fmt: skip
    conf = directory / "named.conf"
    conf.write_text("\n".join(lines) + "\n")
    return [servers.find("named", "bind9"), "-g", "-n", "1", "-c", str(conf)]


def secondary_knot(primary, zones, directory, address, algorithm="hmac-sha256"):
    lines = [
        "server:", f"    rundir: {directory}", f"    listen: 127.0.0.1@{address[1]}", "    udp-workers: 1",
        "    tcp-workers: 1", "    background-workers: 1", "database:", f"    storage: {directory}", "key:",
        f"  - id: {KEY_NAME}", f"    algorithm: {algorithm}", f"    secret: {SECRET}", "remote:",
        "  - id: primary", f"    address: {primary[0]}@{primary[1]}", f"    key: {KEY_NAME}", "acl:",
        "  - id: all", "    address: 127.0.0.1", "    action: [transfer, notify]", "template:", "  - id: default",
        f"    storage: {directory}", "    master: primary", "    acl: all", "zone:",
    ]  # fmt: skip
    lines += [f"  - domain: {zone}" for zone in zones]
    conf = directory / "knot.conf"
    conf.write_text("\n".join(lines) + "\n")
    return [servers.find("knotd", "knot"), "-c", str(conf)]


SECONDARIES = {"nsd": ("nsd", "nsd", secondary_nsd), "bind": ("named", "bind9", secondary_bind),
               "knot": ("knotd", "knot", secondary_knot)}  # fmt: skip


def copy_of(server, zone):
    """The zone as a secondary has it, as soon as it has it; dnspython asks without a key."""
    end = time.monotonic() + START_SECONDS
    while True:
        try:
            return transfer(server, zone)[0]
        except (dns.exception.DNSException, OSError):
            if time.monotonic() > end:
                raise
        time.sleep(0.2)
