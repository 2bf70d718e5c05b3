# SPDX-License-Identifier: ISC
"""The network of a guest on real Xen, with a stock netback: echo, little memory, budgets."""

import random
import socket
import threading

import pytest

import nettools

# Around every limit: empty, Ethernet's minimum, one byte either side of a full frame (1472 over IPv4,
# 1452 over IPv6), of a page, and the largest there is.
SIZES = (0, 1, 2, 3, 17, 18, 19, 63, 64, 65, 511, 512, 1024, 1431, 1432, 1451, 1452, 1453, 1471, 1472, 1473,
         2944, 2960, 4015, 4016, 4054, 4055, 4096, 8192, 20000, 40000)  # fmt: skip


@pytest.fixture(params=["echo", "echo-sockets"])
def echo(request, network, shared):
    g = shared(request.param)
    nettools.wait_ready(g, g.address, g.address6)
    return g


@pytest.fixture
def fast_echo(network, shared):
    g = shared("echo")
    nettools.wait_ready(g, g.address, g.address6)
    return g


def test_ping(fast_echo, host):
    for version, address in (("-4", fast_echo.address), ("-6", fast_echo.address6)):
        for size in (0, 56, 1400, 3000, 20000):
            host("ping", version, "-c3", "-i0.05", "-W5", "-s", str(size), address)


def test_udp_echo(echo):
    assert nettools.udp_echo_sizes(echo.address, SIZES + (65507,)) == []
    assert nettools.udp_echo_sizes(echo.address6, SIZES + (65487,)) == []


@pytest.mark.parametrize("size", [0, 1, 1459, 1460, 1461, 65536, 3000000])
def test_tcp_echo(echo, size):
    assert nettools.tcp_echo(echo.address, size) == []
    assert nettools.tcp_echo(echo.address6, size) == []


def test_a_client_that_does_not_read_harms_nobody(echo):
    with socket.create_connection((echo.address, 7), timeout=20) as silent:
        silent.settimeout(0.5)
        with pytest.raises(OSError):
            while True:  # until both ends' buffers are full
                silent.send(bytes(65536))
        assert nettools.tcp_echo(echo.address, 100000) == []
        assert nettools.udp_echo(echo.address, b"and UDP") == b"and UDP"


def test_what_waits_for_a_slow_client_costs_no_segment(echo):
    """More than 64 KiB are in the guest when the client begins to read, and more come meanwhile."""
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
        s.settimeout(30)
        s.connect((echo.address, 7))
        data = random.randbytes(2000000)
        sender = threading.Thread(target=s.sendall, args=(data,))
        sender.start()
        sender.join(0.5)
        assert sender.is_alive()  # the guest's window is closed
        got = bytearray()
        while len(got) < len(data):
            got += s.recv(65536)
        sender.join()
        assert got == data
        assert nettools.retransmissions(s) < 10


def test_many_connections_in_little_memory(network, guest):
    g = guest("echo", memory=4)
    nettools.wait_ready(g, g.address)
    assert nettools.tcp_echo(g.address, 50000, connections=60) == []
    assert nettools.udp_echo(g.address, b"still there") == b"still there"


@pytest.mark.parametrize("window, count", [(1, 5000), (32, 5000), (256, 20000)])
def test_udp_echo_budget(xen_icount, network, guest, load, budget, window, count):
    """Guest instructions for each datagram of 64 bytes echoed, Xen's work for the guest included."""
    g = guest("echo", machine=xen_icount)
    nettools.wait_ready(g, g.address)
    figure = load(g, 7, window, count)
    budget(f"echo.udp_instructions_per_packet_{window}", round(figure))


def test_the_floor_without_a_stack(network, guest, host, xen):
    """What servers are compared with does the same as they: it echoes, whole and unharmed."""
    g = guest("reflect")
    g.wait("link up")
    mac = xen.run(f"xenstore-read /local/domain/{g.domid}/device/vif/0/mac").out.strip()
    host("ip", "neigh", "replace", g.address, "lladdr", mac, "dev", nettools.INTERFACE)
    try:
        nettools.wait_ready(g, g.address)
        assert nettools.udp_echo_sizes(g.address, (1, 64, 1400, 1472)) == []
    finally:
        host("ip", "neigh", "del", g.address, "dev", nettools.INTERFACE)


def test_idle_guest_uses_no_cpu(xen_icount, network, guest, budget):
    g = guest("echo", machine=xen_icount)
    nettools.wait_ready(g, g.address, g.address6)
    xen_icount.run("sleep 60", timeout=120)  # what a packet woke has gone back to sleep
    before = g.stat().cpu_time
    xen_icount.run("sleep 100", timeout=120)
    budget("echo.idle_instructions_per_second", (g.stat().cpu_time - before) // 100)
