# SPDX-License-Identifier: ISC
"""The peers: Debian's Linux as a PV guest, with one server in its initial RAM disk and nothing else.

The packages are unpacked into the cache, never installed. A peer's RAM disk is in two parts, which
the kernel unpacks one after the other: the system with the server, and the zone.
"""

import contextlib
import fcntl
import glob
import hashlib
import json
import lzma
import os
import shutil
import struct
import subprocess

from xenqemu import cpio, image
from xenqemu.debian import DebianError, Packages

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FILES = os.path.join(TOP, "tests", "bench", "linux")
SUITE = "bookworm"
# The module of the network interface is Debian's too.
BASE_PACKAGES = ["busybox-static"]
MODULE = "xen-netfront.ko"


class Peer:
    """A server in a Linux guest. program: its path in the package; config: a file of
    tests/bench/linux, or None; command: what the guest runs; memory: MiB beside the zone, a sixth more than it
    boots and serves with at all, for with less than that TCP gets slow; per_name: bytes of memory
    for each name of the zone."""

    def __init__(self, packages, program, config, command, memory, per_name=0):
        self.packages, self.program, self.config = packages, program, config
        self.command, self.memory, self.per_name = command, memory, per_name


PEERS = {
    "linux": Peer([], None, None, "responder", 104),
    "nsd": Peer(["nsd"], "usr/sbin/nsd", "nsd.conf", "nsd -d -c /etc/nsd.conf", 152, 2048),
    "knot": Peer(["knot"], "usr/sbin/knotd", "knot.conf", "knotd -c /etc/knot.conf", 136, 2048),
    "bind": Peer(
        ["bind9", "bind9-libs"], "usr/sbin/named", "named.conf",
        "named -f -n 1 -c /etc/named.conf", 272, 2048,
    ),
    "iperf3": Peer(["iperf3"], "usr/bin/iperf3", None, "iperf3 -s --forceflush", 256),
}  # fmt: skip


class Distribution:
    """Debian's packages that the peers need, unpacked into one directory of the cache."""

    def __init__(self, progress):
        self.progress = progress
        self.root = os.path.join(image.cache_directory(), "bench", SUITE)
        self.versions_file = os.path.join(self.root, "versions.json")
        self.packages = Packages(SUITE, self.root, progress)
        os.makedirs(self.root, exist_ok=True)
        with self._lock():
            self.tree = self._tree()

    @contextlib.contextmanager
    def _lock(self):
        with open(os.path.join(self.root, "lock"), "w") as f:
            fcntl.flock(f, fcntl.LOCK_EX)
            yield

    def _versions(self):
        wanted = [name for peer in PEERS.values() for name in peer.packages]
        if os.path.exists(self.versions_file):
            with open(self.versions_file) as f:
                versions = json.load(f)
            if set(wanted) <= set(versions):
                return versions
        self.packages.update()
        kernel = self.packages.show("linux-image-amd64")["Depends"].split()[0]
        versions = self.packages.closure(BASE_PACKAGES + wanted + [kernel])
        with open(self.versions_file + ".new", "w") as f:
            json.dump(versions, f, indent=1)
        os.replace(self.versions_file + ".new", self.versions_file)
        return versions

    def _tree(self):
        versions = self._versions()
        digest = hashlib.sha256(json.dumps(versions, sort_keys=True).encode()).hexdigest()[:16]
        tree = os.path.join(self.root, "tree-" + digest)
        if os.path.isdir(tree):
            return tree
        try:
            debs = self.packages.fetch(versions)
        except DebianError:
            # The mirror keeps current versions only: the next run asks it anew.
            os.unlink(self.versions_file)
            raise
        self.progress("unpacking the peers' packages")
        shutil.rmtree(tree + ".part", ignore_errors=True)
        self.packages.unpack(debs, tree + ".part")
        # Two thousand modules, of which one is needed.
        (module,) = glob.glob(os.path.join(tree + ".part", "**", MODULE), recursive=True)
        os.replace(module, os.path.join(tree + ".part", MODULE))
        shutil.rmtree(os.path.join(tree + ".part", "lib", "modules"))
        os.rename(tree + ".part", tree)
        return tree

    def facts(self):
        """{package: version} of what the report names."""
        versions = self._versions()
        names = [peer.packages[0] for peer in PEERS.values() if peer.packages]
        names += [name for name in versions if name.startswith("linux-image")]
        return {name: versions[name] for name in names}

    def kernel(self):
        (path,) = glob.glob(os.path.join(self.tree, "boot", "vmlinuz-*"))
        return path

    def base(self, peer, work):
        """The RAM disk's part with the system and the server, as bytes."""
        archive = cpio.Archive()
        for node, major, minor in (("console", 5, 1), ("null", 1, 3)):
            archive.device(f"dev/{node}", major, minor)
        archive.copy("bin/busybox", glob.glob(os.path.join(self.tree, "*", "busybox"))[0], 0o755)
        archive.symlink("bin/sh", "busybox")
        archive.copy("init", os.path.join(FILES, "init"), 0o755)
        archive.copy("lib/" + MODULE, os.path.join(self.tree, MODULE))
        archive.file("etc/passwd", b"root:x:0:0:root:/root:/bin/sh\n")
        archive.file("etc/group", b"root:x:0:\n")
        archive.file("command", peer.command.encode() + b"\n")
        if peer.program:
            program = os.path.join(self.tree, peer.program)
            archive.copy("bin/" + os.path.basename(program), program, 0o755)
            image.add_libraries(archive, self.tree, [program])
            if peer.config:
                archive.copy("etc/" + peer.config, os.path.join(FILES, peer.config))
        else:
            program = compile_static(work, "responder", FILES, ["responder.c"])
            archive.copy("bin/responder", program, 0o755)
        return archive.bytes()


def uncompressed_kernel(path):
    """The ELF image inside a bzImage, as bytes. The toolstack would decompress it for each guest,
    which takes longer than the rest of the guest's life.

    Document: Linux Documentation/arch/x86/boot.rst, payload_offset and payload_length."""
    with open(path, "rb") as f:
        data = f.read()
    if data[0x202:0x206] != b"HdrS":
        raise DebianError(f"{path} is no Linux kernel")
    start = (data[0x1F1] or 4) * 512 + 512
    offset, length = struct.unpack_from("<II", data, 0x248)
    # The last four bytes are the uncompressed length.
    payload = data[start + offset : start + offset + length - 4]
    try:
        return lzma.decompress(payload)
    except lzma.LZMAError as e:
        raise DebianError(f"{path}: its payload is not compressed with xz ({e})") from e


def zone_part(text):
    """The RAM disk's part with the zone, as bytes."""
    archive = cpio.Archive()
    archive.file("zone/example.org.zone", text.encode())
    return archive.bytes()


def compile_static(work, name, folder, sources):
    """A program for a Linux without a C library of its own; its path."""
    compiler = os.environ.get("CROSS_COMPILE", "x86_64-linux-gnu-") + "gcc"
    program = os.path.join(work, name)
    command = [compiler, "-O2", "-static", "-o", program]
    done = subprocess.run(
        command + [os.path.join(folder, source) for source in sources],
        capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode:
        raise DebianError(f"cannot compile {name}:\n{done.stderr}")
    return program
