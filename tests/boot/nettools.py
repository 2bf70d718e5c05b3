# SPDX-License-Identifier: ISC
"""Clients and frames for the network's tests."""

import contextlib
import random
import socket
import struct
import threading
import time

INTERFACE = "xentap0"


def family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def wait_ready(guest, *addresses, port=7, timeout=30):
    """Until each address answers on UDP (nettest: port=99): IPv6 needs a moment for duplicate
    address detection."""
    end = time.time() + timeout
    for address in addresses:
        while udp_echo(address, b"ready?", port, timeout=0.3) is None:
            assert time.time() < end, f"{address} does not answer\n{guest.console()}"
            time.sleep(0.02)


def udp_echo(address, data, port=7, timeout=10):
    """What comes back for one datagram, or None."""
    with socket.socket(family(address), socket.SOCK_DGRAM) as s:
        s.settimeout(timeout)
        s.connect((address, port))
        try:
            s.send(data)
            return s.recv(70000)
        except OSError:
            return None


def udp_echo_sizes(address, sizes, port=7):
    """The sizes that did not come back as sent; one lost datagram is forgiven."""
    bad = []
    for size in sizes:
        data = random.randbytes(size)
        if udp_echo(address, data, port) != data and udp_echo(address, data, port) != data:
            bad.append(size)
    return bad


def tcp_echo(address, size, port=7, timeout=60, connections=1):
    """Sends size random bytes on each connection and compares: a list of what went wrong."""
    errors = []

    def exchange():
        data, got = random.randbytes(size), bytearray()

        def send(s):
            try:
                s.sendall(data)
                s.shutdown(socket.SHUT_WR)
            except OSError as e:
                errors.append(f"send: {e!r}")

        try:
            with socket.create_connection((address, port), timeout=timeout) as s:
                sender = threading.Thread(target=send, args=(s,))
                sender.start()
                while block := s.recv(65536):
                    got += block
                sender.join()
        except OSError as e:
            errors.append(f"{len(got)} of {size} bytes, then {e!r}")
            return
        if got != data:
            same = next((i for i, (a, b) in enumerate(zip(got, data)) if a != b), min(len(got), size))
            errors.append(f"{len(got)} of {size} bytes came back, the first {same} right")

    threads = [threading.Thread(target=exchange) for _ in range(connections)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return errors


def retransmissions(s):
    """How many segments of a connection the host has sent again (struct tcp_info of linux/tcp.h)."""
    return struct.unpack_from("I", s.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104), 100)[0]


def figures(address):
    """nettest's figures as a dictionary."""
    for _ in range(10):
        answer = udp_echo(address, b"?", port=99, timeout=2)
        if answer:
            return {name: int(value) for name, value in map(str.split, answer.decode().splitlines())}
    raise AssertionError(f"no figures from {address}")


def figures_at_rest(address):
    """Those of several with the most pages in use: a question that is answered among other packets finds fewer,
    as what these took from the ring is posted anew when all are done."""
    return max((figures(address) for _ in range(5)), key=in_use)


@contextlib.contextmanager
def busy(machine):
    """Meanwhile dom0 is busy. Under icount the clock leaps from timer to timer where all are idle: a minute
    of the guest's is over before a client on the host has asked twice."""
    pid = machine.run("(while :; do :; done) >/dev/null 2>&1 & echo $!").out.strip()
    try:
        yield
    finally:
        machine.run(f"kill {pid}")


def in_use(now):
    """Network pages that hold a packet, or a ring; not those that wait for one, which are more after a burst."""
    return now["pages"] - now["pages_free"] - now["posted"]


def wait_until(guest, before, holds, timeout):
    """Until holds(figures): those figures. What is on its way out, or was just closed, needs a
    moment."""
    end = time.time() + timeout
    while True:
        now = figures(guest.address)
        if holds(now) and not now["pages_lost"]:
            return now
        assert time.time() < end, f"before: {before}\nnow: {now}\n{guest.console()}"
        time.sleep(0.1)


def wait_baseline(guest, before, timeout=30):
    """Until the guest holds no more than before."""

    def holds(now):
        return in_use(now) <= in_use(before) and now["tcp_active"] <= before["tcp_active"]

    return wait_until(guest, before, holds, timeout)


# Pages that incomplete datagrams may hold, for each IP version (lib/net/include/lwipopts.h).
REASSEMBLY = 96


def wait_bounded(guest, before, timeout=30):
    """Until the guest holds no more than before and what reassembly may."""
    return wait_until(
        guest, before, lambda now: in_use(now) - in_use(before) <= 2 * REASSEMBLY + 10, timeout
    )


def grants(guest):
    """What the guest's kernel says about its grant references: "N in use, N in quarantine"."""
    before = guest.console().count("sysrq: grants")
    guest.xl("sysrq e")
    return guest.wait("sysrq: grants", count=before + 1).split("grants: ")[1]


def mac_of(guest):
    """The MAC address of the guest's first interface."""
    path = f"/local/domain/{guest.domid}/device/vif/0/mac"
    return guest.machine.run(f"xenstore-read {path}").out.strip()


def backend_of(guest, index=0):
    """The backend's directory of one of the guest's interfaces."""
    path = f"/local/domain/{guest.domid}/device/vif/{index}/backend"
    return guest.machine.run(f"xenstore-read {path}").out.strip()


class Wire:
    """Raw frames on the host's end of the network: no address resolution, no correction."""

    def __init__(self, interface=INTERFACE):
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self.socket.bind((interface, 0))

    def send(self, *frames):
        for frame in frames:
            while True:
                try:
                    self.socket.send(bytes(frame))
                    break
                except BlockingIOError:
                    time.sleep(0.001)
                except OSError as e:
                    if e.errno != 105:  # no buffer space: the queue is full
                        raise
                    time.sleep(0.001)

    def close(self):
        self.socket.close()


class Capture:
    """Collects the frames that pass the host's end of the network while it is open."""

    def __init__(self, interface=INTERFACE):
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        self.socket.bind((interface, 0))
        self.frames = []

    def __enter__(self):
        self.thread = threading.Thread(target=self._collect)
        self.open = True
        self.thread.start()
        return self

    def _collect(self):
        self.socket.settimeout(0.1)
        while self.open:
            try:
                self.frames.append(self.socket.recv(70000))
            except TimeoutError:
                pass

    def __exit__(self, *_):
        self.open = False
        self.thread.join()
        self.socket.close()
