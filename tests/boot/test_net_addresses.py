# SPDX-License-Identifier: ISC
"""Where a guest's addresses come from, what it says about them, and when it says why there are
none."""

import re
import socket

import pytest

import nettools


def test_addresses_are_logged_and_published(network, shared):
    g = shared("echo")
    nettools.wait_ready(g, g.address, g.address6)
    console = g.console()
    assert f"vif/0: address {g.address}/16 (fixed), gateway 10.0.0.1" in console
    link_local = re.search(r"vif/0: address (fe80::\S+)/64 \(link-local\)", console)[1]
    path = f"/local/domain/{g.domid}/attr/vif/0"
    published = g.machine.run(
        f"for k in ipv4/0 ipv6/0 ipv6/1; do xenstore-read {path}/$k; done"
    ).out.split()
    assert published[:2] == [g.address, link_local]
    assert published[2].lower() == published[2]
    assert socket.inet_pton(socket.AF_INET6, published[2]) == socket.inet_pton(
        socket.AF_INET6, g.address6
    )


def test_dhcp(xen, network, guest, dhcp):
    dhcp(first="10.0.2.10", last="10.0.2.19")
    g = guest("echo", extra="ip=dhcp ip6=none")
    line = g.wait(r"address 10\.0\.2\.")
    address = re.search(r"address (10\.0\.2\.1\d)/16 \(DHCP\), gateway 10\.0\.0\.1", line)[1]
    nettools.wait_ready(g, address)
    # The server writes its leases when told to: the guest gave its name.
    xen.run(
        "kill -USR1 $(cat /run/udhcpd.pid); n=100; "
        "until grep -q echo /var/lib/misc/udhcpd.leases; do "
        "[ $n -gt 0 ] || exit 1; n=$((n-1)); usleep 50000; done"
    )


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


def advertise(prefix, valid, preferred):
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
        / IPv6(src="fe80::aaaa:1", dst="ff02::1", hlim=255)
        / ICMPv6ND_RA(routerlifetime=1800)
        / ICMPv6NDOptSrcLLAddr(lladdr="02:00:0a:00:00:01")
        / ICMPv6NDOptPrefixInfo(
            prefix=prefix, prefixlen=64, validlifetime=valid, preferredlifetime=preferred
        )
    )
    wire.close()


def test_slaac(xen, network, guest, host):
    """On a network where nobody else says a word."""
    g = guest("echo", extra="ip=none ip6=auto")
    g.wait("link-local")
    advertise("fd00:77::", 600, 300)
    line = g.wait("[(]advertised[)]")
    address = re.search(r"address (fd00:77::\S+)/64", line)[1]
    host("ip", "-6", "addr", "replace", "fd00:77::1/64", "dev", nettools.INTERFACE, "nodad")
    try:
        nettools.wait_ready(g, address)
    finally:
        host("ip", "-6", "addr", "del", "fd00:77::1/64", "dev", nettools.INTERFACE)


def test_address_expires(xen_icount, network, guest):
    g = guest("echo", machine=xen_icount, extra="ip=none ip6=auto")
    g.wait("link-local")
    advertise("fd00:78::", 30, 20)
    g.wait("[(]advertised[)]")
    xen_icount.run("sleep 40", timeout=120)
    assert re.search(r"fd00:78::\S+ is gone", g.console())


# One word a key, so several mistakes in one boot; each is reported.
MISTAKES = [
    ["ip=10.0.1.1", "ip1=10.0.1.256/24", "ip2=10.0.1.1/33", "ip3=10.0.1/24"],
    ["ip=224.0.0.1/24", "gw1=10.0.2.1", "ip2=here", "ip3=127.0.0.1/8"],
    ["ip=10.0.1.1/24 gw=10.0.2.1", "gw1=10.0.2.1", "ip2=10.0.1.1/24 gw2=10.0.1.", "ip3="],
    ["ip6=2001:db8::1/48", "ip61=2001:db8::g/64", "ip62=1:2:3:4:5:6:7:8:9/64", "gw63=ff02::1"],
]


@pytest.mark.parametrize("words", MISTAKES, ids=" ".join)
def test_bad_addresses_stop_the_boot(xen, guest, words):
    g = guest("echo", extra=" ".join(words), address="", on_crash="preserve")
    assert g.wait_shutdown().reason == "crash"
    console = g.console()
    for word in " ".join(words).split():
        if word not in ("ip=10.0.1.1/24", "ip2=10.0.1.1/24"):
            assert f"net: ERROR {word}: want " in console, console


def test_the_toolstack_can_give_the_address(xen, network, guest):
    g = guest("echo", address="", vif=["ip=10.0.1.77/16"])
    nettools.wait_ready(g, "10.0.1.77")
    assert "address 10.0.1.77/16 (fixed)" in g.console()


def test_a_bad_address_of_the_toolstack_is_reported(xen, network, guest, dhcp):
    dhcp(first="10.0.2.10", last="10.0.2.19")
    g = guest("echo", address="", vif=["ip=10.0.1.777"])
    g.wait(r"ip=10.0.1.777 from the toolstack: want addresses")
    g.wait(r"address 10\.0\.2\.1")


def test_two_interfaces(xen, network, guest):
    g = guest("echo", vif=["", ""], extra="ip=10.0.1.81/16 ip6=none ip1=10.9.1.82/16 ip61=none")
    g.wait("vif/1: address 10.9.1.82/16")
    nettools.wait_ready(g, "10.0.1.81")


def test_no_network_is_explained(xen, guest):
    alone = guest("echo", vif=[], address="")
    nobody = guest("echo", extra="ip=dhcp ip6=none")
    alone.wait("no network: the guest has no vif")
    nobody.wait("vif/0: no address yet: no DHCP server has answered, still asking")
