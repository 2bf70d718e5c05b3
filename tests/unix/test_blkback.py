# SPDX-License-Identifier: ISC
"""blkback of the simulation: its options, its image, and what the tests on real Xen cannot have it do."""

import os
import subprocess

import pytest
import test_rings as rings


def counts(g):
    return dict(word.split("=") for word in g.command(f"vbd {rings.XVDA}").split())


def test_requests_are_counted(guest, disk):
    g = guest("ringtest", disk=[disk()])
    rings.wait_disk(g, rings.XVDA, "2048 sectors")
    rings.results(g, "write 0 1 1", "read 0 1 1", "read 8 1 1", "flush", "read 2048 1 1")
    assert counts(g) == {"reads": "2", "writes": "1", "flushes": "1", "refused": "1"}


def test_backend_that_restarts(guest, disk):
    g = guest("ringtest", disk=[disk()])
    for count in (1, 2, 3):
        rings.wait_disk(g, rings.XVDA, "2048 sectors", count=count)
        assert rings.results(g, "traffic 40 2") == ["traffic: 40 ok, 0 differ, 0 failed"]
        g.command(f"backend restart vbd {rings.XVDA}")
    rings.wait_disk(g, rings.XVDA, "2048 sectors", count=4)
    g.quiet()
    _given, mapped = map(int, g.command("grants").split())
    assert mapped == 5  # console, xenstore, two rings of the network, the disk's
    assert " 0 in quarantine" in rings.grants(g)


def test_what_was_not_answered_is_asked_again(guest, disk):
    """18: a backend that stalls and restarts: what was on its ring is put on the next one."""
    g = guest("ringtest", disk=[disk()])
    rings.wait_disk(g, rings.XVDA, "2048 sectors")
    g.command("lie 18-blk-stall 1")
    g.send(f"disk {rings.XVDA} traffic 60 4\n")
    g.quiet()
    assert g.command("lies") == "1" and "traffic" not in g.printed()
    g.command(f"backend restart vbd {rings.XVDA}")
    assert "traffic: 60 ok, 0 differ, 0 failed" in g.wait(f"disk {rings.XVDA}: traffic")


@pytest.mark.parametrize("option, why", [
    ("--disk=/no/such/file", "No such file"), ("--disk=/", "Is a directory"),
    ("--disk=/dev/null", "neither a file nor a block device"), ("--disk={empty},x", "later"),
    ("--disk={empty}", "smaller than a sector"), ("--disk=r:", "No such file"),
])
def test_options_are_checked(program, tmp_path, option, why):
    empty = tmp_path / "empty"
    empty.write_bytes(b"x" * (513 if option.endswith("x") else 511))
    done = subprocess.run([program("hello"), option.format(empty=empty)], capture_output=True,
                          text=True, timeout=20, stdin=subprocess.DEVNULL, check=False)
    assert done.returncode == 2 and why in done.stderr and done.stdout == ""


def test_an_image_that_cannot_be_written_can_be_read(guest, disk, tmp_path):
    """A file without write permission, as a disk without it."""
    entry = disk(1, "r")
    os.chmod(tmp_path / "xvda.img", 0o400)
    g = guest("ringtest", disk=[entry])
    rings.wait_disk(g, rings.XVDA, "2048 sectors, read-only")
    assert rings.results(g, "write 0 1 1", "flush", "info") == [
        "write 0+1: error", "flush: error", "info: 2048 sectors, read-only, does not flush"]
