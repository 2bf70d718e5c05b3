# SPDX-License-Identifier: ISC
"""The network of a guest on real Xen: what a neighbour expects of a host, with a stock netback."""

import os
import re
import socket
import subprocess
import threading
import time

import pytest

import nettools
from conftest import TOP

# Around every limit: empty, Ethernet's minimum, one byte either side of a full frame (1472 over IPv4,
# 1452 over IPv6), of a page, and the largest there is.
SIZES = (0, 1, 2, 3, 17, 18, 19, 63, 64, 65, 511, 512, 1024, 1431, 1432, 1451, 1452, 1453, 1471, 1472, 1473,
         2944, 2960, 4015, 4016, 4054, 4055, 4096, 8192, 20000, 40000)  # fmt: skip
ECHO_APPS = ["echo", "echo-sockets"]


@pytest.fixture(params=ECHO_APPS)
def echo(request, xen, network, guest):
    g = guest(request.param)
    nettools.wait_ready(g, g.address, g.address6)
    return g


@pytest.fixture
def fast_echo(xen, network, guest):
    g = guest("echo")
    nettools.wait_ready(g, g.address, g.address6)
    return g


def test_ping(fast_echo, host):
    for version, address in (("-4", fast_echo.address), ("-6", fast_echo.address6)):
        for size in (0, 56, 1400, 3000, 20000):
            host("ping", version, "-c3", "-i0.05", "-W2", "-s", str(size), address)


def test_udp_echo(echo):
    assert nettools.udp_echo_sizes(echo.address, SIZES + (65507,)) == []
    assert nettools.udp_echo_sizes(echo.address6, SIZES + (65487,)) == []


@pytest.mark.parametrize("size", [0, 1, 1459, 1460, 1461, 65536, 3000000])
def test_tcp_echo(echo, size):
    assert nettools.tcp_echo(echo.address, size) == []
    assert nettools.tcp_echo(echo.address6, size) == []


def test_many_connections_in_little_memory(xen, network, guest):
    g = guest("echo", memory=4)
    nettools.wait_ready(g, g.address)
    assert nettools.tcp_echo(g.address, 50000, connections=60) == []
    assert nettools.udp_echo(g.address, b"still there") == b"still there"


def test_a_client_that_does_not_read_harms_nobody(echo):
    with socket.create_connection((echo.address, 7), timeout=5) as silent:
        silent.settimeout(0.5)
        with pytest.raises(OSError):
            while True:  # until both ends' buffers are full
                silent.send(bytes(65536))
        assert nettools.tcp_echo(echo.address, 100000) == []
        assert nettools.udp_echo(echo.address, b"and UDP") == b"and UDP"


def test_addresses_are_logged_and_published(fast_echo):
    console = fast_echo.console()
    assert f"vif/0: address {fast_echo.address}/16 (fixed), gateway 10.0.0.1" in console
    link_local = re.search(r"vif/0: address (fe80::\S+)/64 \(link-local\)", console)[1]
    path = f"/local/domain/{fast_echo.domid}/attr/vif/0"
    published = fast_echo.machine.run(
        f"for k in ipv4/0 ipv6/0 ipv6/1; do xenstore-read {path}/$k; done"
    ).out.split()
    assert published[:2] == [fast_echo.address, link_local]
    assert socket.inet_pton(socket.AF_INET6, published[2]) == socket.inet_pton(
        socket.AF_INET6, fast_echo.address6
    )


def test_dhcp(xen, network, guest, dhcp):
    dhcp(first="10.0.2.10", last="10.0.2.19")
    g = guest("echo", extra="ip=dhcp ip6=none")
    line = g.wait(r"address 10\.0\.2\.")
    address = re.search(r"address (10\.0\.2\.1\d)/16 \(DHCP\), gateway 10\.0\.0\.1", line)[1]
    nettools.wait_ready(g, address)
    assert "echo" in xen.run("cat /var/lib/misc/udhcpd.leases | tr -c 'a-z' ' '").out


def test_dhcp_lease_is_renewed(xen_icount, network, guest):
    """Virtual time passes at once when all are idle."""
    xen_icount.run("dhcp-server 10.0.2.10,10.0.2.19,10.0.0.1,10.0.0.1,120")
    try:
        g = guest("echo", machine=xen_icount, extra="ip=dhcp ip6=none")
        line = g.wait(r"address 10\.0\.2\.")
        xen_icount.run("sleep 400", timeout=300)  # three leases
        assert "is gone" not in g.console()
        nettools.wait_ready(g, re.search(r"address (\S+)/", line)[1])
    finally:
        xen_icount.run("dhcp-server stop", check=False)


def advertise(prefix, valid, preferred, source="fe80::aaaa:1", router_life=1800):
    from scapy.layers.inet6 import (
        ICMPv6ND_RA,
        ICMPv6NDOptPrefixInfo,
        ICMPv6NDOptSrcLLAddr,
        IPv6,
    )
    from scapy.layers.l2 import Ether

    wire = nettools.Wire()
    wire.send(
        Ether(src="02:00:0a:00:00:01", dst="33:33:00:00:00:01")
        / IPv6(src=source, dst="ff02::1", hlim=255)
        / ICMPv6ND_RA(routerlifetime=router_life)
        / ICMPv6NDOptSrcLLAddr(lladdr="02:00:0a:00:00:01")
        / ICMPv6NDOptPrefixInfo(
            prefix=prefix, prefixlen=64, validlifetime=valid, preferredlifetime=preferred
        )
    )
    wire.close()


def test_slaac(xen, network, guest, host):
    g = guest("echo", extra="ip=none ip6=auto")
    g.wait("link-local")
    advertise("fd00:77::", 600, 300)
    line = g.wait("advertised")
    address = re.search(r"address (fd00:77::\S+)/64", line)[1]
    host("ip", "-6", "addr", "replace", "fd00:77::1/64", "dev", nettools.INTERFACE)
    try:
        nettools.wait_ready(g, address)
    finally:
        host("ip", "-6", "addr", "del", "fd00:77::1/64", "dev", nettools.INTERFACE)


def test_address_expires(xen_icount, network, guest):
    g = guest("echo", machine=xen_icount, extra="ip=none ip6=auto")
    g.wait("link-local")
    advertise("fd00:78::", 30, 20)
    g.wait("advertised")
    g.wait(r"fd00:78::.* is gone", timeout=60)


@pytest.mark.parametrize(
    "words, wrong",
    [
        ("ip=10.0.1.1", "ip=10.0.1.1"),
        ("ip=10.0.1.256/24", "ip=10.0.1.256/24"),
        ("ip=10.0.1.1/33", "ip=10.0.1.1/33"),
        ("ip=10.0.1/24", "ip=10.0.1/24"),
        ("ip=224.0.0.1/24", "ip=224.0.0.1/24"),
        ("ip=10.0.1.1/24 gw=10.0.2.1", "gw=10.0.2.1"),
        ("gw=10.0.2.1", "gw=10.0.2.1"),
        ("ip=here", "ip=here"),
        ("ip6=2001:db8::1/48", "ip6=2001:db8::1/48"),
        ("ip6=2001:db8::g/64", "ip6=2001:db8::g/64"),
        ("ip6=1:2:3:4:5:6:7:8:9/64", "ip6=1:2:3:4:5:6:7:8:9/64"),
        ("ip6=auto gw6=ff02::1", "gw6=ff02::1"),
    ],
)
def test_bad_addresses_stop_the_boot(xen, guest, words, wrong):
    g = guest("echo", extra=words + " ip1=none", on_crash="preserve")
    assert g.wait_shutdown().reason == "crash"
    assert f"net: ERROR {wrong}: want " in g.console(), g.console()


def test_the_toolstack_can_give_the_address(xen, network, guest):
    g = guest("echo", extra="ip1=none", vif=["ip=10.0.1.77/16"])
    nettools.wait_ready(g, "10.0.1.77")
    assert "address 10.0.1.77/16 (fixed)" in g.console()


def test_a_bad_address_of_the_toolstack_is_reported(xen, network, guest, dhcp):
    dhcp(first="10.0.2.10", last="10.0.2.19")
    g = guest("echo", extra="ip1=none", vif=["ip=10.0.1.777"])
    g.wait(r"ip=10.0.1.777 from the toolstack: want addresses")
    g.wait(r"address 10\.0\.2\.1")


def test_no_interface_is_explained(xen, guest):
    g = guest("echo", vif=[], extra="ip1=none")
    g.wait("no network: the guest has no vif")


def test_no_dhcp_server_is_explained(xen, guest):
    g = guest("echo", extra="ip=dhcp ip6=none")
    g.wait("vif/0: no address yet: no DHCP server has answered, still asking")


def test_two_interfaces(xen, network, guest):
    g = guest(
        "echo", vif=["", ""], extra="ip=10.0.1.81/16 ip6=none ip1=10.9.1.82/16 ip61=none"
    )
    g.wait("vif/1: address 10.9.1.82/16")
    nettools.wait_ready(g, "10.0.1.81")


def test_jumbo_frames(xen, network, guest, host):
    """A packet of several slots, both ways."""
    restore = []
    try:
        host("ip", "link", "set", nettools.INTERFACE, "mtu", "9000")
        xen.run("ip link set eth0 mtu 9000; ip link set xenbr0 mtu 9000")
        g = guest("echo", vif=["mtu=9000"])
        nettools.wait_ready(g, g.address)
        assert "MTU 9000" in g.console()
        assert nettools.udp_echo_sizes(g.address, (1472, 4000, 4100, 8000, 8972, 8973, 30000)) == []
        assert nettools.tcp_echo(g.address, 1000000) == []
    finally:
        host("ip", "link", "set", nettools.INTERFACE, "mtu", "1500")
        xen.run("ip link set eth0 mtu 1500", check=False)
    del restore


# What the backend offers is changed while the guest is paused: the guest must work with all of it.
OFFERS = {
    "no checksums": {"feature-no-csum-offload": 1, "feature-ipv6-csum-offload": 0},
    "no IPv6 checksums": {"feature-ipv6-csum-offload": 0},
    "no scatter-gather": {"feature-sg": 0, "feature-gso-tcpv4": 0, "feature-gso-tcpv6": 0},
    "no GSO": {"feature-gso-tcpv4": 0, "feature-gso-tcpv6": 0},
    "one event channel": {"feature-split-event-channels": 0},
    "no multicast control": {"feature-multicast-control": 0},
    "nonsense": {"feature-sg": "yes", "feature-split-event-channels": 99999, "feature-gso-tcpv4": -1},
}


@pytest.mark.parametrize("offers", OFFERS.values(), ids=OFFERS.keys())
def test_whatever_the_backend_offers(xen, network, guest, offers):
    g = guest("echo", paused=True)
    backend = nettools.backend_of(g)
    for key, value in offers.items():
        xen.run(f"xenstore-write {backend}/{key} '{value}'")
    g.unpause()
    nettools.wait_ready(g, g.address, g.address6)
    sizes = (0, 1, 64, 1400, 1452, 1472, 4000, 20000)
    assert nettools.udp_echo_sizes(g.address, sizes) == []
    assert nettools.udp_echo_sizes(g.address6, sizes) == []
    assert nettools.tcp_echo(g.address, 1000000) == []
    assert nettools.tcp_echo(g.address6, 1000000) == []


def test_untrusted_backend(xen, network, guest):
    """trusted=0: every packet is copied between private pages and shared ones."""
    g = guest("echo", paused=True)
    path = f"/local/domain/{g.domid}/device/vif/0/trusted"
    xen.run(f"xenstore-write {path} 0")
    g.unpause()
    nettools.wait_ready(g, g.address, g.address6)
    assert nettools.udp_echo_sizes(g.address, SIZES) == []
    assert nettools.tcp_echo(g.address6, 1000000) == []


def test_hotplug(xen, network, guest):
    g = guest("echo", vif=[], extra="ip=10.0.1.90/16 ip6=none")
    for _ in range(3):
        g.xl("network-attach bridge=xenbr0")
        nettools.wait_ready(g, "10.0.1.90")
        g.xl("network-detach 0")
        g.wait("vif/0: removed", count=_ + 1)
        listing = xen.run(f"xenstore-ls /local/domain/{g.domid}/attr", check=False).out
        assert "10.0.1.90" not in listing
    assert "lost" not in g.console(), g.console()


def test_detach_under_load(xen, network, guest):
    g = guest("echo", vif=[], extra="ip=10.0.1.91/16 ip6=none")
    stop = threading.Event()

    def load():
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        while not stop.is_set():
            try:
                s.sendto(bytes(1000), ("10.0.1.91", 7))
            except OSError:
                pass
            time.sleep(0.0005)

    thread = threading.Thread(target=load)
    thread.start()
    try:
        for n in range(3):
            g.xl("network-attach bridge=xenbr0")
            nettools.wait_ready(g, "10.0.1.91")
            g.xl("network-detach 0")
            g.wait("vif/0: removed", count=n + 1)
    finally:
        stop.set()
        thread.join()
    time.sleep(1)
    assert "PANIC" not in g.console() and "page is lost" not in g.console(), g.console()


def build_for_dom0(name, directory):
    """A helper of tests/boot/dom0, compiled for dom0; the path on the host."""
    path = os.path.join(directory, name)
    source = os.path.join(TOP, "tests", "boot", "dom0", f"{name}.c")
    subprocess.run(["gcc", "-O2", "-static", "-Wall", "-o", path, source], check=True)
    return path


@pytest.fixture(scope="session")
def echoload(tmp_path_factory):
    with open(build_for_dom0("echoload", str(tmp_path_factory.mktemp("dom0"))), "rb") as f:
        return f.read()


@pytest.mark.parametrize("window", [1, 32, 256])
def test_udp_echo_budget(xen_icount, network, guest, echoload, budget, window):
    """Guest instructions for each datagram of 64 bytes echoed, Xen's work for the guest included."""
    xen_icount.push("/bin/echoload", echoload, 0o755)
    g = guest("echo", machine=xen_icount)
    nettools.wait_ready(g, g.address)
    count = 5000
    xen_icount.run(f"echoload {g.address} 7 {window} 500 64")
    before = g.stat().cpu_time
    said = xen_icount.run(f"echoload {g.address} 7 {window} {count} 64", timeout=120).out
    answered = int(said.split()[1])
    assert said.split()[3] == "0", said
    budget(f"echo.udp_instructions_per_packet_{window}", (g.stat().cpu_time - before) // answered)


def test_idle_guest_uses_no_cpu(xen_icount, network, guest, budget):
    g = guest("echo", machine=xen_icount)
    nettools.wait_ready(g, g.address, g.address6)
    xen_icount.run("sleep 60", timeout=120)  # what a packet woke has gone back to sleep
    before = g.stat().cpu_time
    xen_icount.run("sleep 100", timeout=120)
    budget("echo.idle_instructions_per_second", (g.stat().cpu_time - before) // 100)
