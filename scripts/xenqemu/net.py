# SPDX-License-Identifier: ISC
"""The machine's network: QEMU's user-mode network with forwarded ports, or a TAP in a network
namespace.

User mode needs no privilege and reaches a guest's services through ports of 127.0.0.1. A TAP joins
the host's side to dom0's bridge, so that every tool of the host (ping, dig, scapy, curl) meets
guests as neighbours on one Ethernet. To need no root and to leave the host's own network alone, the
TAP lives in a network namespace, entered by the whole process: enter() must come first in a
single-threaded program, before anything that wants the Internet is still to be done.
"""

import ctypes
import fcntl
import os
import socket
import struct

CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
TUNSETIFF = 0x400454CA
IFF_TAP, IFF_NO_PI, IFF_VNET_HDR, IFF_UP, IFF_RUNNING = 0x2, 0x1000, 0x4000, 0x1, 0x40
SIOCGIFFLAGS, SIOCSIFFLAGS, SIOCSIFADDR, SIOCSIFNETMASK, SIOCSIFHWADDR, SIOCGIFINDEX = (
    0x8913,
    0x8914,
    0x8916,
    0x891C,
    0x8924,
    0x8933,
)
ARPHRD_ETHER = 1
HOST_MAC = "02:00:0a:00:00:01"


class NetworkError(Exception):
    """The network asked for cannot be had; the text says why."""


class IsolatedNetwork:
    """dom0 and its guests alone: not a frame comes in or leaves. The networks are those set aside for benchmarks (RFC 6890
    section 2.2), so that they can be made beside the real ones of a Xen host (host.py)."""

    address, address6, gateway = "198.18.0.4/24", "2001:2::4/64", ""

    def check(self):
        """There is nothing that could be missing."""

    def qemu_arguments(self):
        return [], []


class UserNetwork:
    """QEMU's user-mode network, 10.0.2.0/24. forwards: tuples (protocol, host port, guest address,
    guest port)."""

    address, address6, gateway = "10.0.2.4/24", "", "10.0.2.2"

    def __init__(self, forwards=()):
        self.forwards = list(forwards)

    def check(self):
        """Refuse ports that another program holds, before QEMU does it in its own words."""
        for protocol, port, _, _ in self.forwards:
            kind = socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM
            with socket.socket(socket.AF_INET, kind) as s:
                if protocol == "tcp":
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    s.bind(("127.0.0.1", port))
                except OSError as e:
                    raise NetworkError(
                        f"{protocol} port 127.0.0.1:{port}: {e.strerror}; "
                        "choose another one with PORT="
                    ) from e

    def qemu_arguments(self):
        rules = "".join(
            f",hostfwd={protocol}:127.0.0.1:{port}-{address}:{guest_port}"
            for protocol, port, address, guest_port in self.forwards
        )
        return ["-netdev", f"user,id=n0{rules}", "-device", "virtio-net-pci,netdev=n0,romfile="], []


class TapNetwork:
    """A TAP in the current network namespace: host 10.0.0.1/16 and fd00:10::1/64, dom0 10.0.0.2 and
    fd00:10::2."""

    host, host6 = "10.0.0.1", "fd00:10::1"
    address, address6, gateway = "10.0.0.2/16", "fd00:10::2/64", "10.0.0.1"

    def __init__(self, name="xentap0"):
        self.name = name
        self.fd = None

    def check(self):
        try:
            self.fd = os.open("/dev/net/tun", os.O_RDWR)
            flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR
            fcntl.ioctl(self.fd, TUNSETIFF, struct.pack("16sH22x", self.name.encode(), flags))
            _configure(self.name, self.host, 16, self.host6, 64)
        except OSError as e:
            self.close()
            raise NetworkError(f"cannot set up a TAP interface: {e}") from e

    def qemu_arguments(self):
        return [
            "-netdev",
            f"tap,id=n0,fd={self.fd}",
            "-device",
            "virtio-net-pci,netdev=n0,romfile=",
        ], [self.fd]

    def close(self):
        """The interface disappears with its last descriptor."""
        if self.fd is not None:
            os.close(self.fd)
            self.fd = None


def enter():
    """Move this process into a network namespace of its own (and a user namespace unless it is
    root). Raises NetworkError."""
    uid, gid = os.getuid(), os.getgid()
    flags = CLONE_NEWNET if uid == 0 else CLONE_NEWNET | CLONE_NEWUSER
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(flags):
        raise NetworkError(
            f"no network namespace: {os.strerror(ctypes.get_errno())} "
            "(unprivileged user namespaces may be switched off: kernel.unprivileged_userns_clone)"
        )
    if uid:
        for name, text in (
            ("setgroups", "deny"),
            ("uid_map", f"0 {uid} 1"),
            ("gid_map", f"0 {gid} 1"),
        ):
            with open(f"/proc/self/{name}", "w") as f:
                f.write(text)
    _configure("lo", None, 8, None, 128)


def _configure(name, address, prefix, address6, prefix6):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s, socket.socket(
        socket.AF_INET6, socket.SOCK_DGRAM
    ) as s6:
        if address:
            # A fixed address on the link: runs repeat to the instruction, and packet traces
            # compare.
            mac = bytes.fromhex(HOST_MAC.replace(":", ""))
            fcntl.ioctl(
                s, SIOCSIFHWADDR, struct.pack("16sH6s16x", name.encode(), ARPHRD_ETHER, mac)
            )
            _knob(f"ipv6/conf/{name}/accept_dad", "0")
        (flags,) = struct.unpack_from(
            "H", fcntl.ioctl(s, SIOCGIFFLAGS, struct.pack("16s24x", name.encode())), 16
        )
        fcntl.ioctl(
            s, SIOCSIFFLAGS, struct.pack("16sH22x", name.encode(), flags | IFF_UP | IFF_RUNNING)
        )
        if address:
            fcntl.ioctl(s, SIOCSIFADDR, _ifreq_address(name, address))
            mask = socket.inet_ntoa(struct.pack(">I", (0xFFFFFFFF << (32 - prefix)) & 0xFFFFFFFF))
            fcntl.ioctl(s, SIOCSIFNETMASK, _ifreq_address(name, mask))
        if address6 and os.path.exists("/proc/net/if_inet6"):
            (index,) = struct.unpack_from(
                "i", fcntl.ioctl(s, SIOCGIFINDEX, struct.pack("16s24x", name.encode())), 16
            )
            request = socket.inet_pton(socket.AF_INET6, address6) + struct.pack(
                "Ii", prefix6, index
            )
            fcntl.ioctl(s6, SIOCSIFADDR, request)


def _knob(path, value):
    try:
        with open(f"/proc/sys/net/{path}", "w") as f:
            f.write(value)
    except OSError:
        pass  # /proc/sys is read-only in some containers: then address detection costs a second


def _ifreq_address(name, address):
    return struct.pack("16sHH4s16x", name.encode(), socket.AF_INET, 0, socket.inet_aton(address))
