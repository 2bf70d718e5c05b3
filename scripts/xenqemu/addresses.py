# SPDX-License-Identifier: ISC
"""The addresses on a guest's command line, judged as lib/net/address.c judges them and in its words:
what would stop the guest's boot is refused before the image is built."""

import ipaddress
import re

from .cmdline import values

INTERFACES = 4


def check(line, config):
    """Raises ValueError for the first word of line that a guest refuses. config: a dictionary of its options, without
    CONFIG_. A gateway without an address of the guest's passes: the address may be put in front of it later."""
    if not config.get("NET") or config.get("NET_BARE"):
        return
    words = values(line)
    for index in range(INTERFACES):
        # As in ip1= and ip61= of the second interface.
        number = str(index) if index else ""
        for keys, judge in ((("ip", "gw"), _want4), (("ip6", "gw6"), _want6)):
            ip, gw = (words.get(key + number) for key in keys)
            for key, value, want in zip(keys, (ip, gw), judge(ip, gw, config)):
                if want:
                    raise ValueError(f"{key}{number}={value}: want {want}")


def _want4(ip, gw, config):
    """What ip= and gw= are to look like instead, or None."""
    if not config.get("IPV4"):
        return (ip not in (None, "none") and "none: this image has no IPv4",
                gw is not None and "no such key: this image has no IPv4")
    if ip == "dhcp" and not config.get("DHCP"):
        return "an address: this image has no DHCP client", None
    static = _static4(ip) if ip not in (None, "none", "dhcp") else None
    if ip not in (None, "none", "dhcp") and not static:
        return "a host's IPv4 address and prefix length such as 192.0.2.2/24, dhcp, or none", None
    if gw is None:
        return None, None
    gateway = _host4(gw)
    if not gateway:
        return None, "an IPv4 address such as 192.0.2.1"
    if not static:
        return None, ip and "no gateway without a fixed address (ip=ADDRESS/BITS)"
    other = gateway in static.network and gateway != static.ip and _is_host(gateway, static.network)
    return None, None if other else "another address of the network that ip= names"


def _want6(ip, gw, config):
    if not config.get("IPV6"):
        return (ip not in (None, "none") and "none: this image has no IPv6",
                gw is not None and "no such key: this image has no IPv6")
    if ip not in (None, "auto", "none") and not _static6(ip):
        return ("an IPv6 address such as 2001:db8::2/64 (64 is the only prefix length), auto, or none", None)
    return None, None if gw is None or _host6(gw) else "an IPv6 address such as 2001:db8::1 or fe80::1"


def _host4(text):
    """The address, or None. Leading zeroes are decimal to the guest, and an error to Python."""
    if not re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,3}){3}", text) or max(map(int, text.split("."))) > 255:
        return None
    ip = ipaddress.IPv4Address(".".join(str(int(part)) for part in text.split(".")))
    return None if ip.is_unspecified or ip.is_multicast or ip.is_loopback or int(ip) == 0xFFFFFFFF else ip


def _is_host(ip, network):
    """Neither the network's own address nor its broadcast address; a network of two has neither."""
    return network.prefixlen > 30 or ip not in (network.network_address, network.broadcast_address)


def _static4(text):
    address, _, bits = text.partition("/")
    ip = _host4(address)
    if not ip or not re.fullmatch("[0-9]{1,3}", bits) or not 1 <= int(bits) <= 32:
        return None
    interface = ipaddress.IPv4Interface((ip, int(bits)))
    return interface if _is_host(ip, interface.network) else None


def _host6(text):
    if not re.fullmatch("[0-9A-Fa-f:]+", text):  # no form that ends in an IPv4 address, no zone
        return None
    try:
        ip = ipaddress.IPv6Address(text)
    except ValueError:
        return None
    return None if ip.is_unspecified or ip.is_multicast or ip.is_loopback or ip.ipv4_mapped else ip


def _static6(text):
    address, slash, bits = text.partition("/")
    return (not slash or (re.fullmatch("[0-9]{1,3}", bits) and int(bits) == 64)) and _host6(address)
