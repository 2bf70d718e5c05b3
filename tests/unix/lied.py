# SPDX-License-Identifier: ISC
"""What the tests of peers that lie have in common: the far side of a guest's network, and a guest whose
peer can be made to lie, with its counters and its grants."""

import re
import select
import socket
import time

from scapy.all import ARP, IP, UDP, Ether  # pylint: disable=no-name-in-module

MACS = ("00:16:3e:00:00:01", "00:16:3e:00:00:02")


class Port:
    """The far side of one of the guest's interfaces: 10.INDEX.1.1 before 10.INDEX.1.2."""

    def __init__(self, index):
        self.index, self.mac = index, f"02:00:00:00:00:0{index + 1}"
        self.host, self.address = f"10.{index}.1.1", f"10.{index}.1.2"
        self.socket, self.theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.setblocking(False)

    def send(self, payload):
        self.socket.send(bytes(Ether(src=self.mac, dst=MACS[self.index]) / payload))

    def receive(self, deadline):
        """The next frame until then, or None. ARP requests are answered."""
        if not select.select([self.socket], [], [], max(0, deadline - time.monotonic()))[0]:
            return None
        frame = self.socket.recv(70000)
        if frame[12:14] == b"\x08\x06":
            packet = Ether(frame)
            if packet[ARP].op == 1 and packet[ARP].pdst == self.host:
                self.send(ARP(op=2, psrc=self.host, hwsrc=self.mac, pdst=self.address, hwdst=packet.src))
        return frame

    def drain(self, seconds=0.1, frames=1 << 30):
        """Until so many frames have come, or the time has passed."""
        deadline = time.monotonic() + seconds
        while frames and self.receive(deadline):
            frames -= 1

    def echo(self, number=0):
        """A datagram to the echo service."""
        self.send(IP(src=self.host, dst=self.address) / UDP(sport=9, dport=7) / f"number {number}")

    def answers(self, timeout=20):
        """Whether a datagram comes back, of a few tries."""
        deadline, number = time.monotonic() + timeout, int(time.monotonic() * 1e6)
        while time.monotonic() < deadline:
            self.echo(number)
            until = time.monotonic() + 0.3
            while frame := self.receive(until):
                if frame[42:] == f"number {number}".encode():  # behind the headers
                    return True
        return False


class Lied:
    """A guest that was built with PEERS=1."""

    def __init__(self, guest):
        self.guest = guest

    def lie(self, name, after=0):
        self.guest.command(f"lie {name} {after}")

    def told(self):
        return int(self.guest.command("lies"))

    def counter(self, name):
        """One of the guest's own counters ("spurious", "disabled:"), or the one before "in quarantine"."""
        before = self.guest.printed().count("sysrq: grants")
        self.guest.xl("sysrq e")
        self.guest.wait("sysrq: grants", count=before + 1)
        text = self.guest.printed()
        return int(re.findall(rf"{name} (\d+)|(\d+) {name}", text)[-1][0]
                   or re.findall(rf"(\d+) {name}", text)[-1])

    def grants(self):
        """(live entries of the grant table, in quarantine)"""
        return self.live_grants(), self.counter("in quarantine")

    def live_grants(self):
        given, _mapped = self.guest.command("grants").split()
        return int(given)

    def settled_grants(self):
        """The live entries once what was being sent has been taken back: what is still in use is tried
        again every 50 ms."""
        self.guest.quiet(75)
        return self.live_grants()

    def disabled(self):
        """How many devices have been disabled."""
        return self.counter("devices disabled:")

    def wait_grants(self, used, timeout=20):
        deadline = time.monotonic() + timeout
        while self.live_grants() != used:
            assert time.monotonic() < deadline, f"{self.grants()}, not {used}"
            time.sleep(0.01)

    def end(self):
        self.guest.xl("shutdown")
        assert self.guest.wait_end() == 0, self.guest.diagnosis()
        assert "PANIC" not in self.guest.console()
