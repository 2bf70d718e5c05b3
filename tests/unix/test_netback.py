# SPDX-License-Identifier: ISC
"""netback over a socket of frames: what becomes of checksums and segments on the way."""

import socket
import struct
import time

import pytest
from scapy.all import ARP, ICMP, IP, TCP, UDP, Ether, IPv6, Raw  # pylint: disable=no-name-in-module
from scapy.layers.inet6 import ICMPv6ND_NS

HOST, GUEST = "10.0.1.1", "10.0.1.2"
MAC = "02:00:00:00:00:01"
HEADER = struct.Struct("<BBHHHH")  # struct virtio_net_hdr
NEEDS_CSUM, DATA_VALID = 1, 2
GSO_TCPV4 = 1


class Wire:
    """The far side of a guest's interface."""

    def __init__(self, guest, kind="fd", app="echo", **options):
        self.header = kind == "vnet"
        self.socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.settimeout(5)
        self.guest = guest(app, f"ip={GUEST}/24 ip6=auto", pass_fds=[theirs.fileno()],
                           options=[f"--net={kind}:{theirs.fileno()}"], **options)
        theirs.close()
        self.guest.wait("link up")
        self.mac = self.ask(ARP(pdst=GUEST, psrc=HOST, hwsrc=MAC), ARP).hwsrc

    def send(self, packet, flags=0, gso=(0, 0, 0)):
        """gso: type, length of the headers, size of a segment."""
        header = HEADER.pack(flags, *gso, 34, 16 if TCP in packet else 6) if self.header else b""
        self.socket.send(header + bytes(packet))

    def receive(self):
        """(packet, flags, gso type, gso size)"""
        data = self.socket.recv(70000)
        if not self.header:
            return Ether(data), 0, 0, 0
        flags, gso, _, size, _, _ = HEADER.unpack_from(data)
        return Ether(data[HEADER.size:]), flags, gso, size

    def expect(self, wanted, timeout=20):
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            got = self.receive()
            if ARP in got[0] and got[0][ARP].op == 1 and got[0][ARP].pdst == HOST:
                self.send(Ether(src=MAC, dst=got[0].src)
                          / ARP(op=2, psrc=HOST, hwsrc=MAC, pdst=GUEST, hwdst=got[0].src))
            if wanted(got[0]):
                return got
        raise TimeoutError

    def ask(self, payload, layer, **keywords):
        to = "ff:ff:ff:ff:ff:ff" if ARP in payload else self.mac
        self.send(Ether(src=MAC, dst=to) / payload, **keywords)
        return self.expect(lambda p: layer in p and (IP not in p or p[IP].src == GUEST))[0][layer]


def correct(packet):
    """Whether the checksums are what scapy computes."""
    copy = packet.copy()
    for layer in (IP, TCP, UDP):
        if layer in copy:
            del copy[layer].chksum
    return bytes(copy) == bytes(packet)


@pytest.mark.parametrize("sanitize", [False, True])
def test_blank_checksums_are_completed(guest, sanitize):
    """A socket without headers: the guest leaves the sum to netback, which has nobody to pass it to."""
    wire = Wire(guest, sanitize=sanitize)
    for size in (1, 2, 3, 500, 1400):
        wire.send(Ether(src=MAC, dst=wire.mac) / IP(src=HOST, dst=GUEST) / UDP(sport=9, dport=7)
                  / Raw((bytes(range(256)) * 6)[:size]))
        packet = wire.expect(lambda p: UDP in p)[0]
        assert correct(packet) and packet[UDP].len == 8 + size


def test_blank_checksums_are_passed_on(guest):
    wire = Wire(guest, "vnet")
    wire.send(Ether(src=MAC, dst=wire.mac) / IP(src=HOST, dst=GUEST) / TCP(sport=9, dport=7, flags="S"))
    packet, flags, _, _ = wire.expect(lambda p: TCP in p)
    assert flags == NEEDS_CSUM and packet[TCP].flags == "SA"
    assert not correct(packet)  # the pseudo header's sum alone


def test_a_wrong_checksum_is_dropped_and_a_blank_one_is_not(guest):
    wire = Wire(guest, "vnet")
    wrong = Ether(src=MAC, dst=wire.mac) / IP(src=HOST, dst=GUEST) \
        / UDP(sport=9, dport=7, chksum=0x1234) / b"wrong"
    wire.send(wrong)
    wire.send(wrong.copy(), flags=DATA_VALID)
    packet = wire.expect(lambda p: UDP in p)[0]
    assert packet[Raw].load == b"wrong"
    with pytest.raises(TimeoutError):
        wire.expect(lambda p: UDP in p, timeout=0.5)


def handshake(wire, mss):
    syn = IP(src=HOST, dst=GUEST) / TCP(sport=1234, dport=7, flags="S", seq=1000,
                                        options=[("MSS", mss)], window=65535)
    answer = wire.ask(syn, TCP)
    assert answer.flags == "SA"
    wire.send(Ether(src=MAC, dst=wire.mac) / IP(src=HOST, dst=GUEST)
              / TCP(sport=1234, dport=7, flags="A", seq=1001, ack=answer.seq + 1, window=65535))
    return answer.seq + 1


def test_a_large_segment_comes_in_one_piece(guest):
    """Several slots and extra info, into the guest."""
    wire = Wire(guest, "vnet", memory=16)
    ack = handshake(wire, 1460)
    data = bytes(i % 251 for i in range(9000))
    wire.send(Ether(src=MAC, dst=wire.mac) / IP(src=HOST, dst=GUEST)
              / TCP(sport=1234, dport=7, flags="PA", seq=1001, ack=ack, window=65535) / data,
              flags=NEEDS_CSUM, gso=(GSO_TCPV4, 54, 1460))
    echoed, largest = b"", 0
    while len(echoed) < len(data):
        packet, _, gso, size = wire.expect(lambda p: TCP in p and len(p[TCP].payload))
        assert packet[TCP].seq == (ack + len(echoed)) & 0xffffffff
        echoed += bytes(packet[TCP].payload)[:packet[IP].len - 20 - packet[TCP].dataofs * 4]
        largest = max(largest, len(packet))
        assert gso == 0 or (gso == GSO_TCPV4 and size == 1460)
        wire.send(Ether(src=MAC, dst=wire.mac) / IP(src=HOST, dst=GUEST)
                  / TCP(sport=1234, dport=7, flags="A", seq=1001 + len(data),
                        ack=(ack + len(echoed)) & 0xffffffff, window=65535))
    assert echoed == data


def test_multicast_control(guest):
    """The guest has asked for its solicited-node address, and gets no other's."""
    wire = Wire(guest)
    wire.guest.wait("link-local")
    own = "fe80::216:3eff:fe00:1"
    mine = Ether(src=MAC, dst="33:33:ff:00:00:01") / IPv6(src="fe80::1", dst="ff02::1:ff00:1") \
        / ICMPv6ND_NS(tgt=own)
    other = mine.copy()
    other[Ether].dst = "33:33:ff:12:34:56"
    wire.send(mine)
    wire.expect(lambda p: IPv6 in p and p[IPv6].src == own)
    before = wire.guest.command("vif 0")
    wire.send(other)
    wire.ask(IP(src=HOST, dst=GUEST) / ICMP() / b"x", ICMP)
    after = wire.guest.command("vif 0")
    filtered = [int(dict(w.split("=") for w in text.split())["filtered"]) for text in (before, after)]
    assert filtered[1] == filtered[0] + 1


def test_backend_that_restarts(guest):
    wire = Wire(guest)
    for count in (1, 2, 3):
        wire.guest.command("backend restart 0")
        wire.guest.wait("link up", count=count + 1)
        wire.ask(IP(src=HOST, dst=GUEST) / ICMP() / b"x", ICMP)
    given, mapped = map(int, wire.guest.command("grants").split())
    assert mapped == 4  # console, xenstore, two rings
    assert "lost" not in wire.guest.console()
    assert given < 300


def test_cable_that_is_pulled(guest):
    """The far side goes: the guest lives on, and so does its shutdown."""
    wire = Wire(guest)
    wire.socket.close()
    wire.guest.xl("shutdown")
    assert wire.guest.wait_end() == 0
