# SPDX-License-Identifier: ISC
"""What a network can throw at a guest: it goes on serving, and holds no more afterwards than
before."""

import os
import random
import socket
import struct
import threading
import time

import pytest

import nettools

HOST_MAC = bytes.fromhex("02000a000001")


@pytest.fixture
def nettest(network, shared):
    g = shared("nettest")
    nettools.wait_ready(g, g.address, g.address6, port=99)
    return g


@pytest.fixture
def wire(network):
    w = nettools.Wire()
    yield w
    w.close()


def assert_serves(g):
    nettools.figures(g.address)
    for address in (g.address, g.address6):
        with socket.create_connection((address, 13), timeout=20) as s:
            assert s.recv(100) == b"nettest\r\n"


def ethernet(g, kind):
    return bytes.fromhex(nettools.mac_of(g).replace(":", "")) + HOST_MAC + struct.pack(">H", kind)


# --- the transmit ring is full -----------------------------------------------------------------


def test_arp_burst_while_the_ring_is_full(xen, network, guest, wire):
    """A backend that sends 20 kB/s leaves the guest's requests lying; then every neighbour asks
    for its address."""
    g = guest("nettest", vif=["rate=20KB/s"], extra="", memory=8)
    nettools.wait_ready(g, g.address, port=99)
    before = nettools.figures_at_rest(g.address)
    with socket.create_connection((g.address, 19), timeout=20) as s:
        s.recv(1)  # from now on it sends as much as it can
        head = bytes.fromhex("ffffffffffff")
        frames = []
        for n in range(5000):
            mac = b"\x02\x00\x0b\x00" + n.to_bytes(2, "big")
            ip = bytes((10, 0, 16 + n // 250, 1 + n % 250))
            arp = struct.pack(">HHBBH", 1, 0x0800, 6, 4, 1) + mac + ip + bytes(6)
            frames.append(head + mac + b"\x08\x06" + arp + socket.inet_aton(g.address))
        wire.send(*frames)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    now = nettools.wait_baseline(g, before, timeout=60)
    assert now["tx_full"] > before["tx_full"], now
    assert_serves(g)


# --- short connections -------------------------------------------------------------------------


def connections(count, exchange, ports=None, workers=4):
    """Makes count connections, workers at a time; exchange(socket) uses one. A list of errors."""
    errors = []

    def work(part):
        for n in range(part, count, workers):
            try:
                with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as s:
                    s.settimeout(60)
                    if ports:
                        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                        s.bind(("10.0.0.1", ports[n % len(ports)]))
                    exchange(s)
            except (OSError, AssertionError) as e:
                errors.append(f"connection {n}: {e!r}")
                if len(errors) > 5:
                    return

    threads = [threading.Thread(target=work, args=(part,)) for part in range(workers)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return errors


COUNT = 10000


def test_short_connections_that_the_server_closes(nettest):
    """The client comes back with ports whose connections are in TIME_WAIT here."""
    before = nettools.figures_at_rest(nettest.address)

    def exchange(s):
        s.connect((nettest.address, 13))
        assert s.recv(100) == b"nettest\r\n"
        assert s.recv(100) == b""

    assert connections(COUNT, exchange, ports=range(20000, 20200)) == []
    now = nettools.wait_baseline(nettest, before)
    assert 100 < now["tcp_time_wait"] <= 300
    assert now["memory_pages"] - before["memory_pages"] < 40
    assert_serves(nettest)


def test_short_connections_that_the_client_closes(nettest):
    before = nettools.figures_at_rest(nettest.address)

    def exchange(s):
        s.connect((nettest.address, 9))
        s.send(b"x")
        s.shutdown(socket.SHUT_WR)
        assert s.recv(100) == b""

    assert connections(COUNT, exchange) == []
    nettools.wait_baseline(nettest, before)
    assert_serves(nettest)


def test_connections_that_are_reset(nettest):
    before = nettools.figures_at_rest(nettest.address)

    def exchange(s):
        s.connect((nettest.address, 9))
        s.send(b"x")
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    assert connections(2000, exchange) == []
    nettools.wait_baseline(nettest, before)
    assert_serves(nettest)


def test_syn_flood(network, guest, wire):
    """From addresses that never answer."""
    from scapy.layers.inet import IP, TCP

    g = guest("nettest")
    nettools.wait_ready(g, g.address, g.address6, port=99)
    head, frames = ethernet(g, 0x0800), []
    for n in range(3000):
        source = f"10.0.{32 + n // 250}.{1 + n % 250}"
        segment = IP(src=source, dst=g.address) / TCP(sport=1024 + n, dport=13, seq=n)
        frames.append(head + bytes(segment))
    wire.send(*frames)
    assert_serves(g)
    now = nettools.figures(g.address)
    assert 100 < now["tcp_active"] < 300, now
    assert now["memory_pages"] < 100, now


# --- clients that do not read ------------------------------------------------------------------


class Silent:
    """A connection to port 7 from an address of the host's network that nobody has, on the wire: its window is shut."""

    def __init__(self, g, wire, n):
        self.g, self.wire, self.port, self.address = g, wire, 20000 + n, "10.0.0.77"
        self.head = ethernet(g, 0x0800)
        self.seq, self.ack = 1000, 0

    def segment(self, flags, data=b"", window=0, options=()):
        from scapy.layers.inet import IP, TCP

        ip = IP(src=self.address, dst=self.g.address)
        tcp = TCP(sport=self.port, dport=7, seq=self.seq, ack=self.ack, flags=flags, window=window, options=list(options))
        return self.head + bytes(ip / tcp / data)

    def introduce(self):
        arp = struct.pack(">HHBBH", 1, 0x0800, 6, 4, 2) + self.head[6:12] + socket.inet_aton(self.address)
        target = self.head[:6] + socket.inet_aton(self.g.address)
        self.wire.send(self.head[:12] + b"\x08\x06" + arp + target)

    def connect(self, capture):
        """The guest's sequence number is in its answer."""
        syn = self.segment("S", window=1000, options=[("MSS", 1460), ("WScale", 0)])
        for _ in range(20):
            self.introduce()
            self.wire.send(syn)
            time.sleep(0.2)
            for frame in list(capture.frames):
                ip = frame[14:]
                if frame[12:14] == b"\x08\x00" and ip[9] == 6 and ip[33] & 0x12 == 0x12 and ip[22:24] == struct.pack(">H", self.port):
                    self.ack = struct.unpack_from(">I", ip, 24)[0] + 1 & 0xFFFFFFFF
                    self.seq += 1
                    self.wire.send(self.segment("A", window=1000), self.segment("A"))
                    return
        raise AssertionError("no answer to a SYN")

    def send(self, size, count):
        frames = []
        for _ in range(count):
            frames.append(self.segment("PA", bytes(size)))
            self.seq += size
        self.wire.send(*frames)


def assert_echoes(g):
    assert nettools.udp_echo_sizes(g.address, (1400,)) == []
    assert nettools.tcp_echo(g.address, 30000, timeout=20) == []


@pytest.mark.parametrize("size, count, clients", [(1448, 140, 6), (1, 6000, 1)])
def test_clients_that_do_not_read(xen, network, guest, wire, size, count, clients):
    """They send all that fits, in full segments or an octet at a time. In 4 MiB another one is served meanwhile."""
    g = guest("echo", memory=4)
    nettools.wait_ready(g, g.address)
    with nettools.Capture() as capture:
        silent = [Silent(g, wire, n) for n in range(clients)]
        for s in silent:
            s.connect(capture)
    if size == 1:
        silent[0].send(1448, 67)
    for s in silent:
        s.send(size, count)
    for _ in range(5):
        for s in silent:
            wire.send(s.segment("A"))  # it lives, and does not read
        assert_echoes(g)


# --- fragments ---------------------------------------------------------------------------------


def checksum(data):
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total >> 16) + (total & 0xFFFF)
    return 0xFFFF - total


class Fragments:
    """Frames with pieces of datagrams to UDP port 99 of the guest, over IPv4 or IPv6."""

    def __init__(self, g, version):
        self.version = version
        self.ethernet = ethernet(g, 0x0800 if version == 4 else 0x86DD)
        if version == 4:
            self.ends = socket.inet_aton("10.0.0.1") + socket.inet_aton(g.address)
        else:
            self.ends = b"".join(
                socket.inet_pton(socket.AF_INET6, a) for a in ("fd00:10::1", g.address6)
            )

    def piece(self, ident, offset, data, more):
        if self.version == 6:
            fragment = struct.pack(">BBHI", 17, 0, offset | more, ident)
            header = struct.pack(">IHBB", 6 << 28, 8 + len(data), 44, 64) + self.ends
            return self.ethernet + header + fragment + data
        header = struct.pack(
            ">BBHHHBBH", 0x45, 0, 20 + len(data), ident & 0xFFFF, offset // 8 | more << 13, 64, 17, 0
        )
        header = header[:10] + struct.pack(">H", checksum(header + self.ends)) + self.ends
        return self.ethernet + header + data

    def first(self, ident, size=1400):
        return self.piece(ident, 0, struct.pack(">HHHH", 9, 99, 4000, 0) + bytes(size - 8), 1)


@pytest.mark.parametrize("version", [4, 6])
def test_flood_of_first_fragments(nettest, wire, host, version):
    """Datagrams that are never completed: memory is bounded, and complete ones get through."""
    before = nettools.figures_at_rest(nettest.address)
    make = Fragments(nettest, version)
    address = nettest.address if version == 4 else nettest.address6
    nettools.wait_ready(nettest, address, port=99)
    for part in range(4):
        wire.send(*[make.first(ident) for ident in range(part * 1000, part * 1000 + 1000)])
        now = nettools.wait_bounded(nettest, before)
        assert now["memory_pages"] - before["memory_pages"] < 50, now
        host("ping", "-c2", "-i0.05", "-W5", "-s", "5000", address)
    assert_serves(nettest)


def test_a_first_fragment_without_data(network, shared, wire):
    """The UDP header alone, and its data behind it: for the driver the answer begins with an empty piece."""
    g = shared("echo")
    nettools.wait_ready(g, g.address)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("10.0.0.1", 0))
        s.settimeout(10)
        for size in (1, 32, 64, 1400):
            data, make = os.urandom(size), Fragments(g, 4)
            header = struct.pack(">HHHH", s.getsockname()[1], 7, 8 + size, 0)
            wire.send(make.piece(size, 0, header, 1), make.piece(size, 8, data, 0))
            assert s.recvfrom(2000) == (data, (g.address, 7))


@pytest.mark.parametrize("version", [4, 6])
def test_overlapping_and_misplaced_fragments(nettest, wire, host, version):
    before = nettools.figures_at_rest(nettest.address)
    make = Fragments(nettest, version)
    data, ident = bytes(1400), 10000
    patterns = [
        [(0, 1400, 1), (800, 1400, 0)],  # the second overlaps the first's end
        [(800, 1400, 0), (0, 1400, 1)],
        [(0, 1400, 1), (0, 1400, 1), (0, 1400, 0)],  # the same place three times, the last ends it
        [(1400, 800, 1), (0, 1400, 1), (1400, 808, 0)],
        [(0, 8, 1), (16, 8, 0)],  # a hole for ever
        [(0, 1399, 1), (1392, 100, 0)],  # a length that is no multiple of eight
        [(0, 0, 1), (0, 0, 0)],
        [(65528, 1400, 0)],  # past the largest datagram
        [(65528, 8, 1), (0, 1400, 1)],
        [(0, 1400, 0), (1400, 1400, 1)],  # more after the end
        [(1400, 1400, 0), (2800, 1400, 0), (0, 1400, 1)],  # two ends
    ]
    for _ in range(20):
        for pattern in patterns:
            ident += 1
            for offset, size, more in pattern:
                wire.send(make.piece(ident, offset, data[:size], more))
    address = nettest.address if version == 4 else nettest.address6
    nettools.wait_ready(nettest, address, port=99)
    host("ping", "-c2", "-i0.05", "-W5", "-s", "5000", address)
    nettools.wait_bounded(nettest, before)
    assert_serves(nettest)


# --- frames that make no sense -----------------------------------------------------------------


def test_tiny_frames(nettest, wire):
    """Every length from the bare Ethernet header on, of every protocol."""
    from scapy.layers.inet import ICMP, IP, TCP, UDP
    from scapy.layers.inet6 import IPv6
    from scapy.layers.l2 import ARP

    before = nettools.figures_at_rest(nettest.address)
    v4, v6 = IP(src="10.0.0.1", dst=nettest.address), IPv6(src="fd00:10::1", dst=nettest.address6)
    for kind, packet in [
        (0x0806, ARP(pdst=nettest.address)),
        (0x0800, v4 / UDP(sport=9, dport=99) / bytes(20)),
        (0x0800, v4 / TCP(sport=9, dport=13)),
        (0x0800, v4 / ICMP() / bytes(20)),
        (0x86DD, v6 / UDP(sport=9, dport=99) / bytes(20)),
        (0x86DD, v6 / TCP(sport=9, dport=13)),
        (0x88CC, b"\0" * 64),
        (0x0005, b"\0" * 64),
    ]:
        frame = ethernet(nettest, kind) + bytes(packet)
        wire.send(*[frame[:size] for size in range(14, len(frame)) for _ in range(5)])
    now = nettools.wait_baseline(nettest, before)
    assert now["rx_packets"] - before["rx_packets"] > 500
    assert_serves(nettest)


def bad_options(g):
    """Headers whose lengths and options lie. (Nobody lies about where the host is: believing that
    is how neighbour discovery works.)"""
    from scapy.layers.inet import IP, TCP, UDP
    from scapy.layers.inet6 import (
        ICMPv6ND_NA,
        ICMPv6ND_NS,
        ICMPv6ND_RA,
        IPv6,
        IPv6ExtHdrDestOpt,
        IPv6ExtHdrFragment,
        IPv6ExtHdrHopByHop,
        IPv6ExtHdrRouting,
    )
    from scapy.packet import Raw

    def ip4(**fields):
        return IP(src="10.0.0.1", dst=g.address, **fields)

    def ip6(**fields):
        return IPv6(src="fd00:10::1", dst=g.address6, **fields)

    v4, v6 = ethernet(g, 0x0800), ethernet(g, 0x86DD)
    udp, tcp = UDP(sport=9, dport=99), TCP(sport=9, dport=13, seq=7)
    for ihl in range(16):
        yield v4 + bytes(ip4(ihl=ihl) / udp / b"?")
    for length in (0, 19, 20, 27, 28, 29, 1500, 65535):
        yield v4 + bytes(ip4(len=length) / udp / b"?")
        yield v4 + bytes(ip4() / UDP(sport=9, dport=99, len=length) / b"?")
        yield v6 + bytes(ip6(plen=length) / udp / b"?")
        yield v6 + bytes(ip6() / UDP(sport=9, dport=99, len=length) / b"?")
    for option in (b"\x07\x00", b"\x07\xff", b"\x83\x03\x00", b"\x44\x01", b"\x88", b"\x07" * 40):
        padded = option.ljust((len(option) + 3) // 4 * 4, b"\1")
        whole = ip4(ihl=5 + len(padded) // 4, len=20 + len(padded) + 9)
        header = bytearray(bytes(whole)[:20] + padded)
        header[10:12] = b"\0\0"
        header[10:12] = struct.pack(">H", checksum(bytes(header)))
        yield v4 + bytes(header) + bytes(udp) + b"?"
    for words in range(16):
        yield v4 + bytes(ip4() / TCP(sport=9, dport=13, flags="S", dataofs=words))
        yield v6 + bytes(ip6() / TCP(sport=9, dport=13, flags="S", dataofs=words))
    for option in (b"\2\0\0\0", b"\2\1\0\0", b"\2\4\0\0", b"\2\4\0\1", b"\3\3\xff\0", b"\2\x28\5\xb4", b"\5\2\5\1", b"\x08\x0a\0\0", b"\1\1\1\2", b"\xff\0\xff\0"):
        for n in (1, 5, 10):
            raw = bytearray(bytes(tcp)[:20])
            raw[12] = (5 + len(option) * n // 4) << 4
            for header, prefix in ((ip4(proto=6), v4), (ip6(nh=6), v6)):
                # The checksum is right, so that the options are looked at.
                segment = bytes(header / TCP(bytes(raw) + option * n, chksum=None))
                yield prefix + segment
    for ext in (
        IPv6ExtHdrHopByHop(len=255),
        IPv6ExtHdrDestOpt(len=31),
        IPv6ExtHdrRouting(len=0, segleft=255),
        IPv6ExtHdrFragment(nh=44, m=1),
        IPv6ExtHdrHopByHop() / IPv6ExtHdrHopByHop(),
        IPv6ExtHdrDestOpt(autopad=0, options=[]) / Raw(b"\x05\xff"),
    ):
        yield v6 + bytes(ip6() / ext / udp / b"?")
    chain = ip6()
    for _ in range(150):
        chain = chain / IPv6ExtHdrDestOpt()
    yield v6 + bytes(chain / udp / b"?")
    for message in (ICMPv6ND_NS(tgt=g.address6), ICMPv6ND_NA(tgt="fd00:10::77"), ICMPv6ND_RA()):
        for option in (b"\1\0" + bytes(6), b"\1\xff" + bytes(6), b"\1\1", b"\3\4" + b"\xff" * 30, b"\3\1" + bytes(6), b"\5\1\0\0" + b"\xff" * 4, b"\5\1\0\0\0\0\0\0", b"\x19\0", b"\x18\xff" + bytes(22)):
            yield v6 + bytes(ip6(hlim=255) / message / Raw(option))
            yield v6 + bytes(IPv6(src="fe80::1", dst=g.address6, hlim=255) / message / Raw(option))


def test_malformed_headers_and_options(nettest, wire, host):
    before = nettools.figures_at_rest(nettest.address)
    frames = [frame for frame in bad_options(nettest) if len(frame) <= 1514]
    for _ in range(3):
        wire.send(*frames)
        assert_serves(nettest)
    assert len(frames) > 200
    host("ping", "-6", "-c2", "-i0.05", "-W5", nettest.address6)
    nettools.wait_baseline(nettest, before)


def test_random_damage(nettest, wire, host):
    """Good frames with a few bytes changed, always the same ones."""
    chance = random.Random(1)
    before = nettools.figures_at_rest(nettest.address)
    good = [frame for frame in bad_options(nettest) if len(frame) <= 1514]
    good += [Fragments(nettest, version).first(n, 400) for version in (4, 6) for n in range(20)]
    for _ in range(3):
        frames = []
        for frame in good * 4:
            damaged = bytearray(frame)
            for _ in range(chance.randint(1, 4)):
                damaged[chance.randrange(12, len(damaged))] = chance.randrange(256)
            frames.append(damaged[: chance.randint(14, len(damaged))] if chance.random() < 0.2 else damaged)
        wire.send(*frames)
        assert_serves(nettest)
    nettools.wait_bounded(nettest, before)


# --- and in the end ----------------------------------------------------------------------------


def test_what_stays_incomplete_is_forgotten(xen_icount, network, guest, wire):
    """Fragments and connections without an end: when their time is over the guest holds what it
    held before, and nothing once its interface is gone."""
    g = guest("nettest", machine=xen_icount)
    nettools.wait_ready(g, g.address, g.address6, port=99)
    before, left = nettools.figures_at_rest(g.address), []
    for _ in range(2):
        with nettools.busy(xen_icount):
            for version in (4, 6):
                make = Fragments(g, version)
                wire.send(*[make.first(ident) for ident in range(100)])
            assert connections(20, lambda s: s.connect((g.address, 13))) == []
            assert nettools.in_use(nettools.figures(g.address)) > nettools.in_use(before) + 50
        xen_icount.run("sleep 75", timeout=120)  # RFC 8200: 60 s
        left.append(nettools.wait_baseline(g, before))
    for name in ("memory_pages", "pages"):  # a leak would show as a hundred and more
        assert abs(left[0][name] - left[1][name]) < 10, left
    g.xl("network-detach 0")
    g.wait("vif/0: removed")
    assert nettools.grants(g).startswith("0 in use, 0 in quarantine")
