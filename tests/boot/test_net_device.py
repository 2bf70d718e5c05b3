# SPDX-License-Identifier: ISC
"""The network interface on real Xen: whatever a stock netback offers or not, each offload at work,
frames of several pages, interfaces that come and go."""

import contextlib
import re
import socket
import threading

import pytest

import nettools

# What the backend offers is changed while the guest is paused: the guest must work with all of it.
OFFERS = {
    "no checksums, one event channel": {
        "feature-no-csum-offload": 1,
        "feature-ipv6-csum-offload": 0,
        "feature-split-event-channels": 0,
    },
    "no IPv6 offloads": {"feature-ipv6-csum-offload": 0, "feature-gso-tcpv6": 0},
    "one page a packet": {"feature-sg": 0, "feature-gso-tcpv4": 0, "feature-gso-tcpv6": 0},
    "no segments, no filter": {
        "feature-gso-tcpv4": 0,
        "feature-gso-tcpv6": 0,
        "feature-multicast-control": 0,
    },
    "nonsense": {"feature-sg": "yes", "feature-split-event-channels": 99999, "feature-gso-tcpv4": -1},
}


def test_whatever_the_backend_offers(xen, network, guest):
    guests = {}
    for name, offers in OFFERS.items():
        g = guests[name] = guest("echo", paused=True)
        backend = nettools.backend_of(g)
        for key, value in offers.items():
            xen.run(f"xenstore-write -- {backend}/{key} '{value}'")
        g.unpause()
    sizes = (0, 64, 1452, 1472, 4000, 20000)
    wrong = {}
    for name, g in guests.items():
        nettools.wait_ready(g, g.address, g.address6)
        errors = []
        for address in (g.address, g.address6):
            errors += nettools.udp_echo_sizes(address, sizes)
            errors += nettools.tcp_echo(address, 300000)
        if errors:
            wrong[name] = errors
    assert not wrong


def test_untrusted_backend(xen, network, guest):
    """trusted=0: every packet is copied between private pages and shared ones."""
    g = guest("echo", paused=True)
    xen.run(f"xenstore-write /local/domain/{g.domid}/device/vif/0/trusted 0")
    g.unpause()
    nettools.wait_ready(g, g.address, g.address6)
    assert nettools.udp_echo_sizes(g.address, (0, 1, 64, 1472, 1473, 4055, 4096, 40000)) == []
    assert nettools.tcp_echo(g.address6, 1000000) == []


# --- offloads --------------------------------------------------------------------------------


@pytest.fixture
def nettest(network, shared):
    g = shared("nettest")
    nettools.wait_ready(g, g.address, g.address6, port=99)
    return g


def difference(before, after):
    return {name: after[name] - before[name] for name in after}


CSUM4, CSUM6, GSO4, GSO6, MULTICAST = 1, 2, 4, 8, 16


def test_everything_is_offered_and_taken(nettest):
    features = nettools.figures(nettest.address)["features"]
    assert features == CSUM4 | CSUM6 | GSO4 | GSO6 | MULTICAST
    path = f"/local/domain/{nettest.domid}/device/vif/0"
    keys = "event-channel-tx event-channel-rx feature-sg feature-gso-tcpv4 feature-gso-tcpv6"
    keys += " feature-ipv6-csum-offload request-rx-copy request-multicast-control"
    run = nettest.machine.run(f"for k in {keys}; do xenstore-read {path}/$k || exit 1; done")
    assert all(int(value) > 0 for value in run.out.split()), run.out


@pytest.mark.parametrize("version", [4, 6])
def test_receive_offloads(nettest, version):
    """The host's segments arrive uncut and without a checksum."""
    address = nettest.address if version == 4 else nettest.address6
    before = nettools.figures(nettest.address)
    with socket.create_connection((address, 9), timeout=20) as s:
        s.sendall(bytes(4 << 20))
        s.shutdown(socket.SHUT_WR)
        assert s.recv(1) == b""
    got = difference(before, nettools.figures(nettest.address))
    assert got["rx_bytes"] >= 4 << 20
    assert got["rx_large"] > 0, got
    assert got["rx_bytes"] / got["rx_packets"] > 2 * 1514, got
    assert got["rx_checked"] >= got["rx_large"], got


@pytest.mark.parametrize("version", [4, 6])
def test_transmit_offloads(nettest, version):
    """The guest's segments leave uncut and without a checksum; the host gets them right."""
    address = nettest.address if version == 4 else nettest.address6
    before = nettools.figures(nettest.address)
    got = bytearray()
    with socket.create_connection((address, 19), timeout=20) as s:
        while len(got) < 4 << 20:
            got += s.recv(1 << 20)
    line = bytes(range(32, 127))
    page = (line * 44)[:4096]
    assert got == (page * (len(got) // 4096 + 1))[: len(got)]
    sent = difference(before, nettools.figures(nettest.address))
    assert sent["tx_bytes"] >= 4 << 20
    assert sent["tx_large"] > 0, sent
    assert sent["tx_bytes"] / sent["tx_packets"] > 2 * 1514, sent
    assert sent["tx_blank"] >= sent["tx_large"], sent


def test_backend_filters_multicast(nettest):
    """Frames to a group that the guest has not joined do not reach it."""
    from scapy.layers.l2 import Ether

    def frames(mac):
        return [bytes(Ether(src="02:00:0a:00:00:09", dst=mac, type=0x88B5)) + bytes(60)] * 200

    wire = nettools.Wire()
    before = nettools.figures(nettest.address)["rx_packets"]
    wire.send(*frames("01:00:5e:7f:12:34"), *frames("33:33:00:12:34:56"))
    filtered = nettools.figures(nettest.address)["rx_packets"]
    wire.send(*frames("33:33:00:00:00:01"))
    passed = nettools.figures(nettest.address)["rx_packets"]
    wire.close()
    assert filtered - before < 50
    assert passed - filtered >= 200


@contextlib.contextmanager
def link_mtu(xen, host, mtu):
    try:
        host("ip", "link", "set", nettools.INTERFACE, "mtu", str(mtu))
        xen.run(f"ip link set eth0 mtu {mtu}; ip link set xenbr0 mtu {mtu}")
        yield
    finally:
        host("ip", "link", "set", nettools.INTERFACE, "mtu", "1500")
        xen.run("ip link set xenbr0 mtu 1500; ip link set eth0 mtu 1500", check=False)


def test_jumbo_frames(xen, network, guest, host):
    """A packet of several slots, both ways."""
    with link_mtu(xen, host, 9000):
        g = guest("echo", vif=["mtu=9000"])
        nettools.wait_ready(g, g.address)
        assert "MTU 9000" in g.console()
        with nettools.Capture() as capture:
            sizes = (1472, 4000, 4100, 8000, 8972, 8973, 30000)
            assert nettools.udp_echo_sizes(g.address, sizes) == []
        source = socket.inet_aton(g.address)
        longest = max(len(f) for f in capture.frames if f[26:30] == source)
        assert longest == 9014  # whole, not in fragments
        assert nettools.tcp_echo(g.address, 1000000) == []


def test_frames_longer_than_the_mtu(xen, network, host, nettest):
    """The bridge lets them through to a guest that was told 1500: harmless, and a datagram that
    fits the guest's memory is a datagram."""
    from scapy.layers.inet import IP, UDP
    from scapy.layers.l2 import Ether

    mac = nettools.mac_of(nettest)
    vif = f"vif{nettest.domid}.0"
    with link_mtu(xen, host, 9000):
        nettest.machine.run(f"ip link set {vif} mtu 9000")
        wire = nettools.Wire()
        before = nettools.figures_at_rest(nettest.address)
        header = Ether(dst=mac, src="02:00:0a:00:00:01") / IP(src="10.0.0.1", dst=nettest.address)
        sent = 0
        for size in (1473, 3000, 4054, 4055, 4096, 8192, 8972):
            frame = bytes(header / UDP(sport=9, dport=9) / bytes(size))
            for _ in range(4):  # no more at a time than dom0's queues hold
                wire.send(*[frame] * 5)
                sent += 5
                nettools.wait_until(
                    nettest, before, lambda now: now["rx_large"] - before["rx_large"] == sent, 30
                )
        nettools.wait_baseline(nettest, before)
        wire.close()
        nettest.machine.run(f"ip link set {vif} mtu 1500")


def test_sysrq_shows_the_figures(nettest):
    """xl sysrq DOMAIN n, for whoever wonders where packets went."""
    before = nettools.figures(nettest.address)
    nettest.xl("sysrq n")
    nettest.wait("network pages: ")
    console = nettest.console()
    assert "sysrq: vif/0: up" in console
    packets = int(re.search(r"vif/0: received (\d+) packets", console)[1])
    assert before["rx_packets"] <= packets <= nettools.figures(nettest.address)["rx_packets"]


# --- coming and going ------------------------------------------------------------------------


def test_hotplug(xen, network, guest):
    g = guest("echo", vif=[], extra="ip=10.0.1.90/16 ip6=none")
    for n in range(3):
        g.xl("network-attach bridge=xenbr0")
        nettools.wait_ready(g, "10.0.1.90")  # each time another MAC address
        g.xl("network-detach 0")
        g.wait("vif/0: removed", count=n + 1)
        listing = xen.run(f"xenstore-ls /local/domain/{g.domid}/attr", check=False).out
        assert "10.0.1.90" not in listing
    assert "lost" not in g.console(), g.console()


def test_detach_under_load(xen, network, guest, host):
    """What the second interface held is free again, whatever was on its way; the first one tells."""
    g = guest("nettest", vif=["", ""], extra="ip=10.0.1.92/16 ip6=none ip1=10.9.1.91/16 ip61=none")
    g.address, stop = "10.0.1.92", threading.Event()
    nettools.wait_ready(g, g.address, port=99)
    g.wait("vif/1: address")
    g.xl("network-detach 1")
    g.wait("vif/1: removed")
    before = nettools.figures(g.address)
    host("ip", "addr", "add", "10.9.0.1/16", "dev", nettools.INTERFACE)

    def load():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            while not stop.wait(0.0005):
                with contextlib.suppress(OSError):
                    s.sendto(bytes(1000), ("10.9.1.91", 99))

    thread = threading.Thread(target=load)
    thread.start()
    try:
        for n in range(3):
            g.xl("network-attach bridge=xenbr0")
            g.wait("vif/1: address", count=n + 2)
            nettools.wait_ready(g, "10.9.1.91", port=99)
            g.xl("network-detach 1")
            g.wait("vif/1: removed", count=n + 2)
    finally:
        stop.set()
        thread.join()
        host("ip", "addr", "del", "10.9.0.1/16", "dev", nettools.INTERFACE)
    nettools.wait_baseline(g, before)
    assert "is lost" not in g.console(), g.console()
