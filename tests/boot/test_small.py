# SPDX-License-Identifier: ISC
"""CONFIG_SMALL: without what only helps to find mistakes dns does what it does otherwise. And what dns goes without in any
case: fragments."""

import time

import pytest

from conftest import app_config

ADDRESS, ADDRESS6 = "10.0.1.253", "fd00:10::1:fd"


@pytest.fixture
def small(xen, network, guest, dhcp):
    """With an address from DHCP; nothing tells when it has one."""
    dhcp(ADDRESS, ADDRESS)
    config = dict(app_config("dns", "CONFIG_SMALL=y"), name="small")
    return guest(config, address="", extra=f"ip6={ADDRESS6}/64")


def ask(host, address, *words):
    """What dig prints, once it is answered."""
    for _ in range(20):
        done = host("dig", f"@{address}", "+time=1", "+tries=1", "+short", *words, check=False)
        if done.returncode == 0 and done.stdout.strip():
            return done.stdout
        time.sleep(0.5)
    pytest.fail(done.stdout)


@pytest.mark.parametrize("address", [ADDRESS, ADDRESS6])
def test_it_answers(small, host, address):
    for transport in ("+notcp", "+tcp"):
        assert ask(host, address, transport, "example.org", "AAAA") == "2001:db8::1\n"


def test_it_says_nothing_and_ends(small, host):
    ask(host, ADDRESS, "example.org", "SOA")
    small.xl("shutdown")
    assert small.wait_shutdown().reason == "poweroff"
    assert small.console().strip() == ""


def test_fragments_end_at_once(xen, network, guest, host):
    """dns has no use for them: a question is shorter than a packet."""
    g = guest("dns")
    g.wait(r"address 10\.0\.1\.[0-9]*/16")
    assert ask(host, g.address6, "example.org", "A") == "192.0.2.1\n"
    for address in (g.address, g.address6):
        assert host("ping", "-c1", "-W1", "-s1400", address, check=False).returncode == 0
        assert host("ping", "-c1", "-W1", "-s3000", address, check=False).returncode != 0
        assert ask(host, address, "example.org", "A") == "192.0.2.1\n"
