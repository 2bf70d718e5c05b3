# SPDX-License-Identifier: ISC
"""Name servers for the DNS tests, as child processes on 127.0.0.1: NSD, and lib/dns on the host."""

import contextlib
import functools
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import dns.exception
import dns.message
import dns.query

from transfers import KEY_NAME, SECRET

TOP = Path(__file__).resolve().parents[2]
BIN = Path(os.environ.get("XENOLITH_HOST_BIN", TOP / "out/host"))
START_SECONDS = 20


def find_nsd():
    """The NSD binary: XENOLITH_NSD, else from the PATH (Debian keeps it in sbin). None if there is none."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin"
    return os.environ.get("XENOLITH_NSD") or shutil.which("nsd", path=path)


@functools.cache
def find(program, package):
    """A program of a Debian package: the machine's own, else one unpacked into the cache, which
    installs nothing. None if there is neither, which no run with XENOLITH_NSD_REQUIRED accepts."""
    if program == "nsd" and find_nsd():
        return find_nsd()
    path = os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin"
    found = shutil.which(program, path=path)
    if not found:
        script = [TOP / "scripts" / "unpacked", "bookworm", package, program]
        found = subprocess.run(script, stdout=subprocess.PIPE, text=True).stdout.strip() or None
    assert found or not os.environ.get("XENOLITH_NSD_REQUIRED"), f"{program} is missing"
    return found


def free_port():
    """A port that is free for UDP and for TCP."""
    for _ in range(50):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp:
            tcp.bind(("127.0.0.1", 0))
            port = tcp.getsockname()[1]
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, contextlib.suppress(OSError):
                udp.bind(("127.0.0.1", port))
                return port
    raise RuntimeError("no free port")


def wait_until_answering(address, process, log):
    """Waits until the server at `address` accepts a TCP connection."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        if process.poll() is not None:
            break
        with contextlib.suppress(OSError), socket.create_connection(address, timeout=1):
            return
        time.sleep(0.05)
    process.kill()
    raise RuntimeError(f"server did not start:\n{Path(log).read_text(errors='replace')}")


def wait_until_serving(address, zone, seconds=300):
    """Waits until the server has the zone: it may accept connections before."""
    query = dns.message.make_query(zone, "SOA")
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(dns.exception.Timeout):
            if dns.query.udp(query, address[0], port=address[1], timeout=2).answer:
                return
        time.sleep(0.05)
    raise RuntimeError(f"the server does not have the zone {zone}")


class Address(tuple):
    """(address, port) of a server, and its process."""

    process = None


@contextlib.contextmanager
def running(argv, address, log):
    address = Address(address)
    with open(log, "wb") as out:
        process = address.process = subprocess.Popen(argv, stdout=out, stderr=subprocess.STDOUT)
    try:
        wait_until_answering(address, process, log)
        yield address
        if process.poll() is not None:
            raise RuntimeError(f"server died:\n{Path(log).read_text(errors='replace')}")
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)
        process.kill()
        process.wait()


def nsd(zones, directory, minimal=False, rate=0, signed=False, notify=None, host="127.0.0.1", clients="127.0.0.1",
        whole=()):
    """Context: NSD serving `zones`, a dict of zone name to file, with a limit of answers a second; yields
    (address, port). It gives zones away; `signed`: by the key of transfers.py. When a file has changed and
    it is told by SIGHUP, it tells 127.0.0.1 on the port `notify`, and has differences for who asks, but of the zones `whole`."""
    address = (host, free_port())
    directory = Path(directory)
    lines = [
        "server:",
        f"  ip-address: {address[0]}@{address[1]}",
        '  username: ""',
        '  chroot: ""',
        '  database: ""',
        f'  zonesdir: "{Path(next(iter(zones.values()))).parent}"',
        f'  pidfile: "{directory}/nsd.pid"',
        f'  xfrdfile: "{directory}/xfrd.state"',
        f'  xfrdir: "{directory}"',
        f'  zonelistfile: "{directory}/zone.list"',
        f"  minimal-responses: {'yes' if minimal else 'no'}",
        "  server-count: 1",
        f"  rrl-ratelimit: {rate}",
        "  rrl-whitelist-ratelimit: 0",
        "remote-control:",
        "  control-enable: no",
    ]
    key = KEY_NAME if signed else "NOKEY"
    if signed:
        lines += ["key:", f"  name: {KEY_NAME}", "  algorithm: hmac-sha256", f"  secret: {SECRET}"]
    for name, file in zones.items():
        lines += ["zone:", f"  name: {name}", f'  zonefile: "{file}"', f"  provide-xfr: {clients} {key}"]
        lines += [f"  notify: 127.0.0.1@{notify} {key}"] if notify else []
        lines += ["  store-ixfr: yes", "  create-ixfr: yes"] if notify and name not in whole else []
    conf = directory / "nsd.conf"
    conf.write_text("\n".join(lines) + "\n")
    return running([find("nsd", "nsd"), "-d", "-c", str(conf)], address, directory / "nsd.log")


def bind(zones, directory, signed=False, notify=None):
    """Context: BIND serving `zones`, as nsd()."""
    address = ("127.0.0.1", free_port())
    directory = Path(directory)
    key = f' key "{KEY_NAME}"' if signed else ""
    lines = [
        f'key "{KEY_NAME}" {{ algorithm hmac-sha256; secret "{SECRET}"; }};',
        "options {",
        f'  directory "{Path(next(iter(zones.values()))).parent}";',
        f"  listen-on port {address[1]} {{ 127.0.0.1; }};",
        "  listen-on-v6 { none; };",
        "  recursion no; dnssec-validation no; empty-zones-enable no;",
        f"  ixfr-from-differences yes; notify explicit; notify-delay 0; also-notify {{ 127.0.0.1 port {notify}{key}; }};" if notify else "  notify no;",
        "  minimal-responses no; minimal-any yes; max-udp-size 1232; edns-udp-size 1232;",
        f"  allow-transfer {{{key or ' 127.0.0.1'}; }}; rrset-order {{ order none; }}; pid-file none;",
        f'  session-keyfile "{directory}/session.key"; managed-keys-directory "{directory}"; lock-file none;',
        '   check-names primary ignore; check-integrity no;',
        '  check-sibling no; check-wildcard no; answer-cookie no;',
        "};",
        "controls { };",
    ]
    for name, file in zones.items():
        lines.append(f'zone "{name}" {{ type primary; file "{file}"; }};')
    conf = directory / "named.conf"
    conf.write_text("\n".join(lines) + "\n")
    argv = [find("named", "bind9"), "-g", "-n", "1", "-c", str(conf)]
    return running(argv, address, directory / "named.log")


def knot(zones, directory, signed=False, notify=None):
    """Context: Knot serving `zones`, as nsd()."""
    address = ("127.0.0.1", free_port())
    directory = Path(directory)
    key = [f"    key: {KEY_NAME}"] if signed else []
    key_lines = ["key:", f"  - id: {KEY_NAME}", "    algorithm: hmac-sha256", f"    secret: {SECRET}"]
    lines = [
        "server:",
        f"    rundir: {directory}",
        f"    listen: 127.0.0.1@{address[1]}",
        "    udp-max-payload: 1232",
        "    udp-workers: 1",
        "    tcp-workers: 1",
        "    background-workers: 1",
        "    edns-client-subnet: off",
        "database:",
        f"    storage: {directory}",
        *key_lines,
        "remote:",
        "  - id: secondary",
        f"    address: 127.0.0.1@{notify or address[1]}",
        *key,
        "acl:",
        "  - id: all",
        "    address: 127.0.0.1",
        "    action: transfer",
        *key,
        "template:",
        "  - id: default",
        "    zonefile-sync: -1",
        f"    zonefile-load: {'difference' if notify else 'whole'}",
        f"    journal-content: {'changes' if notify else 'none'}",
        "    acl: all",
        *(["    notify: secondary"] if notify else []),
        "zone:",
    ]
    for name, file in zones.items():
        lines += [f"  - domain: {name}", f"    file: {file}"]
    conf = directory / "knot.conf"
    conf.write_text("\n".join(lines) + "\n")
    argv = [find("knotd", "knot"), "-c", str(conf)]
    return running(argv, address, directory / "knot.log")


def host(server, images, directory, minimal=False, options=(), port=None):
    """Context: the host server (tests/dns/hostserver.c) on a file of images; yields (address, port)."""
    address = ("127.0.0.1", port or free_port())
    argv = [str(server), *(["-m"] if minimal else []), *options, str(address[1]), str(images)]
    return running(argv, address, Path(directory) / "hostserver.log")


def unbound(zones, server, keys, directory):
    """Context: unbound as a validating resolver that trusts the records in the files `keys`. It asks `server` for all
    of `zones`, and nobody else."""
    address = ("127.0.0.1", free_port())
    lines = [
        "server:", f"  interface: 127.0.0.1@{address[1]}", '  username: ""', '  chroot: ""', '  pidfile: ""',
        f'  directory: "{directory}"', "  do-daemonize: no", "  use-syslog: no", "  do-not-query-localhost: no",
        "  do-not-query-address: 10.0.0.0/8", "  do-not-query-address: 192.0.2.0/24", "  do-ip6: no",
        '  module-config: "validator iterator"', '  local-zone: "test." nodefault', '  local-zone: "invalid." nodefault',
        "  qname-minimisation: no", "  aggressive-nsec: no", "  trust-anchor-signaling: no", "  num-threads: 1",
        '  root-hints: "/dev/null"',
        *(f'  trust-anchor-file: "{key}"' for key in keys),
        "remote-control:", "  control-enable: no",
    ]  # fmt: skip
    for name in zones:
        lines += ["stub-zone:", f'  name: "{name}"', f"  stub-addr: {server[0]}@{server[1]}"]
    conf = Path(directory) / "unbound.conf"
    conf.write_text("\n".join(lines) + "\n")
    return running([find("unbound", "unbound"), "-d", "-c", str(conf)], address, Path(directory) / "unbound.log")
