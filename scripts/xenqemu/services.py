# SPDX-License-Identifier: ISC
"""What each app serves: its port, the host port that leads to it by default, a probe, and a command
to try."""

import os
import socket
import struct

PROBE_SECONDS = 0.5


class Service:
    """guest_port: the app's port. host_port: the default port of 127.0.0.1. probe(port): does it
    answer? attempt: a command to try; {served}: what the build says the app serves."""

    def __init__(self, host_port, guest_port, probe=None, attempt="nc 127.0.0.1 {port}"):
        self.host_port, self.guest_port, self.attempt = host_port, guest_port, attempt
        self.probe = probe


def _exchange_udp(port, data):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(PROBE_SECONDS)
        s.connect(("127.0.0.1", port))
        try:
            s.send(data)
            return s.recv(4096)
        except OSError:
            return b""


def probe_dns(port):
    """Any answer to a query counts, whatever its code: the zone is not our business."""
    ident = 0x5858
    query = (
        struct.pack(">HHHHHH", ident, 0, 1, 0, 0, 0)
        + b"\x07example\x03org\0"
        + struct.pack(">HH", 6, 1)
    )
    answer = _exchange_udp(port, query)
    return (
        len(answer) >= 12
        and struct.unpack_from(">HH", answer)[0] == ident
        and answer[2] & 0x80 != 0
    )


def probe_echo(port):
    return _exchange_udp(port, b"xenolith") == b"xenolith"


SERVICES = {
    "dns": Service(5300, 53, probe_dns, "dig @127.0.0.1 -p {port} {served}"),
    "echo": Service(7007, 7, probe_echo, "echo hello | nc -u -w1 127.0.0.1 {port}"),
    "iperf3": Service(5201, 5201, attempt="iperf3 -c 127.0.0.1 -p {port}"),
}


def served(build):
    """The first zone in the image made in the directory `build`, which zonec named (apps/dns)."""
    try:
        with open(os.path.join(build, "gen", "served"), encoding="ascii", errors="replace") as f:
            return f.readline().split()[0].rstrip(".") or "."
    except (OSError, IndexError):
        return "example.org"


def service_of(app, port):
    """The app's Service with the host port that PORT chose: "" (the default), "5300", or "8080:80"
    for an app not listed here. None if the app serves nothing. Raises ValueError."""
    host, _, guest = port.partition(":")
    known = SERVICES.get(app)
    if not port:
        return known
    if not known and not guest:
        raise ValueError(
            f"PORT={port}: app {app} has no default port; give HOST:GUEST, for example PORT=8080:80"
        )
    host, guest = _port(host), _port(guest) if guest else known.guest_port
    if known and guest == known.guest_port:
        return Service(host, guest, known.probe, known.attempt)
    return Service(host, guest)


def _port(text):
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise ValueError(f"PORT: {text!r} is no port number (1 to 65535)")
    return int(text)
