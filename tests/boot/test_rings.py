# SPDX-License-Identifier: ISC
"""Bare rings (apps/ringtest) against the real peers: a disk against dom0's blkback, over a loop device, and
a vchan against Xen's own library, as vchan-socket-proxy has it.
The same tests run on the simulation (tests/unix/test_conformance.py)."""

import hashlib
import re
import struct
import time

import pytest

XVDA, XVDB = 51712, 51728
# A network holds grants as long as its backend likes: without one they can be counted.
ALONE = {"vif": [], "address": ""}


def results(g, *commands, disk=XVDA, count=None):
    """What the commands to a disk come to, as the guest prints it: "write 0+1: ok"."""
    before = len(printed(g, disk))
    g.send("".join(f"disk {disk} {command}\n" for command in commands))
    count = before + (count or len(commands))
    g.wait(f"ringtest: disk {disk}: .*: ", count=count)
    return printed(g, disk)[before:count]


def printed(g, disk):
    # A simulated guest's text is there as soon as its last line is.
    text = getattr(g, "printed", g.console)()
    return re.findall(rf"ringtest: disk {disk}: (.*: .*?)\r?\n", text)


def wait_disk(g, number, text, count=1):
    g.wait(f"vbd/{number}: {text}", count=count)


def pattern(sector, count, seed):
    """What ringtest writes there."""
    return b"".join(struct.pack("<Q", seed << 48 | word) for word in range(sector * 64, (sector + count) * 64))


def content(xen, entry, sector, count):
    """The MD5 of these sectors of an image."""
    path = entry.split("target=")[1]
    return xen.run(f"dd if={path} bs=512 skip={sector} count={count} | md5sum").out.split()[0]


def grants(g):
    before = g.console().count("sysrq: grants")
    g.xl("sysrq e")
    return g.wait("sysrq: grants", count=before + 1).split("grants:")[1]


def settled_grants(g):
    """Once nothing comes back any more: what the peer still has is tried again every 50 ms."""
    last, now = None, grants(g)
    while now != last:
        time.sleep(0.3)
        last, now = now, grants(g)
    return now


# Requests that no frontend should make, and what comes back; the disk serves on.
ODD = [f"odd: {what}" for what in (
    "over the end: error", "beyond the end: error", "a sector that wraps: error", "no segments: error",
    "twelve segments: error", "a segment backwards: error", "a segment beyond its page: error",
    "a reference of none: error", "into a page to be read: error",
    "an operation of none: unsupported", "nothing odd: ok", "done")]


def test_disk_keeps_what_is_written(xen, guest, disk):
    """Through rings of several pages into the image and back, beside a disk that cannot be written; then the
    disk goes, comes and goes again, and leaves nothing behind."""
    image, readonly = disk(2), disk(1, "r", "xvdb")
    g = guest("ringtest", extra="large", disk=[image, readonly], **ALONE)
    wait_disk(g, XVDA, "4096 sectors, ring of 128")
    wait_disk(g, XVDB, "2048 sectors, read-only, ring of 128")
    assert results(g, "info", "write 0 1 3", "read 0 1 3", "read 0 1 4", "write 4064 32 9", "write 99 9 7",
                   "read 98 1 0", "read 99 9 7", "flush", "traffic 100 5") == [
        "info: 4096 sectors, writable, flushes", "write 0+1: ok", "read 0+1: ok", "read 0+1: differs",
        "write 4064+32: ok", "write 99+9: ok", "read 98+1: differs", "read 99+9: ok", "flush: ok",
        "traffic: 100 ok, 0 differ, 0 failed"]
    assert content(xen, image, 4064, 32) == hashlib.md5(pattern(4064, 32, 9)).hexdigest()
    assert results(g, "write 0 1 3", "read 0 1 0", disk=XVDB) == ["write 0+1: error", "read 0+1: differs"]
    assert content(xen, readonly, 0, 2048) == hashlib.md5(bytes(1 << 20)).hexdigest()
    assert results(g, "odd", count=12) == ODD
    left = []
    for count in (1, 2):
        wait_disk(g, XVDA, "4096 sectors", count=count)
        assert results(g, "read 0 1 5") == ["read 0+1: ok"]
        g.xl("block-detach xvda")
        g.wait(f"vbd/{XVDA}: removed", count=count)
        left.append(settled_grants(g))
        if count < 2:
            g.xl(f"block-attach {image}")
    assert len(set(left)) == 1 and " 0 in quarantine" in left[0], left


def test_disk_driver_restarts(xen, guest, disk):
    """blkback lets go of the disk and takes it again: new rings, and nothing is lost."""
    driver = "/sys/bus/xen-backend/drivers/vbd"
    g = guest("ringtest", disk=[disk()])
    wait_disk(g, XVDA, "2048 sectors")
    assert results(g, "write 0 8 1") == ["write 0+8: ok"]
    xen.run(f"echo vbd-{g.domid}-{XVDA} >{driver}/unbind")
    xen.run(f"echo vbd-{g.domid}-{XVDA} >{driver}/bind")
    wait_disk(g, XVDA, "2048 sectors", count=2)
    assert results(g, "read 0 8 1", "traffic 50 2") == [
        "read 0+8: ok", "traffic: 50 ok, 0 differ, 0 failed"]


# A pipe that stays open, for the proxy leaves when its input ends; $out is what came back.
PROXY = """cd $(mktemp -d) && dd if=/dev/urandom of=in bs=1000 count={kb} 2>/dev/null && mkfifo pipe || exit 1
vchan-socket-proxy --mode={mode} {domid} {path} - <pipe >out & exec 3>pipe
cat in >&3; wait $!; cmp in out; status=$?; rm -r $PWD; exit $status"""


def test_vchan_both_ends(xen, guest):
    """All that is sent comes back: a server with rings in the shared page, one with pages of their own, and a
    client, over pages that dom0 lends and a port that it keeps for us."""
    g = guest("ringtest", **ALONE)
    g.wait("ringtest: ready")
    before = grants(g)
    ours, theirs = f"/local/domain/{g.domid}/data/vchan/7", f"/local/domain/0/data/vchan/{g.domid}"
    for count, rings in ((1, "10 11"), (2, "13 12")):
        g.send(f"vchan 7 serve {rings} 50000\n")
        xen.run(PROXY.format(mode="client", domid=g.domid, path=ours, kb=50))
        g.wait("vchan 7: serve: 50000 bytes, closed", count=count)
    g.send(f"vchan 7 connect {theirs} 50000\n")
    xen.run(PROXY.format(mode="server", domid=g.domid, path=theirs, kb=50))
    g.wait("vchan 7: connect: 50000 bytes, closed")
    assert settled_grants(g) == before


@pytest.mark.parametrize("destroyed", ["client", "server"])
def test_vchan_between_guests_of_which_one_is_destroyed(guest, destroyed):
    """Who is left hears nothing of it, but finds nobody at the other end of its port: within a second it ends,
    and has all of its pages again."""
    server, client = guest("ringtest", **ALONE), guest("ringtest", **ALONE)
    for g in (server, client):
        g.wait("ringtest: ready")
    left = server if destroyed == "client" else client
    before = grants(left)
    server.send(f"vchan 7 serve 10 12 0 {client.domid}\n")
    server.wait("vchan 7: waits for its client")
    client.send(f"vchan 8 connect /local/domain/{server.domid}/data/vchan/7 0 {server.domid}\n")
    client.wait("vchan 8: has connected")
    time.sleep(1)  # the server has seen its client
    (client if left is server else server).xl("destroy")
    left.wait("has gone without a word")
    left.wait("0 bytes, the peer has closed")
    assert settled_grants(left) == before
