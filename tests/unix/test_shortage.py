# SPDX-License-Identifier: ISC
"""An allocation fails: the N-th, for each N of a boot and of the requests that follow it
(tests/peers/shortage.c). The guest serves, at once or after a while; or it ends in order, and says that
it was memory."""

import itertools
import re
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import test_rings as rings
from nettools import tcp_echo, udp_echo

AT_ONCE = 6  # guests; they mostly wait
MEMORY = 2  # MiB: the receive ring has as many pages as an eighth of it

ORDERLY_END = (r"not enough memory for \S+: this guest has \d+ KiB; try memory=\d+|"
               r"echo-sockets: (Not enough space|No buffer space available)$")


def serves(g, seconds):
    """Whether a datagram and a connection come back."""
    end = time.monotonic() + seconds
    while g.find() and time.monotonic() < end:
        if udp_echo(g.address, b"once more", timeout=0.3) == b"once more":
            # The shortage may cost a connection, but no more than one.
            return not tcp_echo(g.address, 20000, timeout=10) or not tcp_echo(g.address, 20000, timeout=10)
    return False


def verdict(g, n, lie):
    """What is wrong when the N-th allocation fails, or None; and whether there was an N-th."""
    g.command(f"lie {lie} {n}")
    g.unpause()
    good = serves(g, seconds=30)
    told = not g.find() or g.command("lies") != "0"
    if g.find():
        g.xl("shutdown")
        good = good and g.wait_end() == 0
    else:
        g.wait_end()
        good = re.search(ORDERLY_END, g.console(), re.M) and "has shut down: crash" in g.messages()
    wrong = None if good else f"allocation {n}:\n{g.diagnosis()}"
    g.close()
    return wrong, told


@pytest.mark.parametrize("app", ["echo", "echo-sockets"])
def test_every_allocation_fails_once(network, program, guest, app):
    program(app, sanitize=True, peers=True)
    wrong = []
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for at in itertools.count(0, 8 * AT_ONCE):
            numbers = range(at, at + 8 * AT_ONCE)
            guests = [guest(app, sanitize=True, peers=True, paused=True, memory=MEMORY) for _ in numbers]
            results = list(pool.map(verdict, guests, numbers, itertools.repeat("shortage")))
            wrong += [text for text, told in results if text]
            if not all(told for _, told in results):
                break
    count = at + [told for _, told in results].index(False)
    assert 100 < count < 1000, f"there were {count} allocations"
    assert not wrong, "\n".join(wrong)


def tries(g, attempt, good, count=3):
    """Whether it comes to a good end: the first one may be without memory, as may be what xenbus tries again a
    second later."""
    for _ in range(count):
        g.quiet(2)
        if attempt() == good:
            return True
        g.command("clock step 2000")
    return False


def verdict_of_rings(g, n, directory):
    """As verdict(), of a disk and of both ends of a vchan."""
    ended = {"serve": 0, "connect": 0}

    def disk(command):
        there = f"vbd/{rings.XVDA}: 2048 sectors" in g.printed()
        return rings.results(g, command, count=1)[0] if there else "not yet"

    def vchan(verb, mode, path, words):
        ended[verb] += 1
        partner = f"vchan {mode} {path} {directory}/in {directory}/out{n}"
        g.command(partner)
        g.send(f"vchan 32 {verb} {words} 3000\n")
        said = g.wait(f"vchan 32: {verb}: ", count=ended[verb]).split(f"{verb}: ")[1]
        g.command("vchan close")
        return said

    g.command(f"lie shortage {n}")
    g.unpause()
    if not g.can("quiet 2"):  # it is ending
        g.wait_end()
    theirs = "/local/domain/0/data/vchan/x"
    good = g.find() and (
        tries(g, lambda: disk("traffic 45 1"), "traffic: 45 ok, 0 differ, 0 failed")
        and tries(g, lambda: disk("write 7 9 2"), "write 7+9: ok")
        and tries(g, lambda: vchan("serve", "client", "data/vchan/32", "13 12"), "3000 bytes, closed")
        and tries(g, lambda: vchan("connect", "server", theirs, theirs), "3000 bytes, closed"))
    told = not g.find() or g.command("lies") != "0"
    if g.find():
        g.xl("shutdown")
        good = good and g.wait_end() == 0
    else:
        g.wait_end()
        good = re.search(ORDERLY_END, g.console(), re.M) and "has shut down: crash" in g.messages()
    wrong = None if good else f"allocation {n}:\n{g.diagnosis()}"
    g.close()
    return wrong, told


def test_every_allocation_for_rings_fails_once(program, guest, tmp_path):
    """A disk connects at the next try; a command to it, or a vchan, says that there is no memory."""
    program("ringtest", sanitize=True, peers=True)
    image = tmp_path / "a.img"
    image.write_bytes(bytes(1 << 20))
    (tmp_path / "in").write_bytes(bytes(range(250)) * 12)
    wrong = []
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for at in itertools.count(0, 4 * AT_ONCE):
            numbers = range(at, at + 4 * AT_ONCE)
            guests = [guest("ringtest", vif=[], address="", paused=True, options=[f"--disk={image}"])
                      for _ in numbers]
            results = list(pool.map(verdict_of_rings, guests, numbers, itertools.repeat(tmp_path)))
            wrong += [text for text, told in results if text]
            if not all(told for _, told in results):
                break
    assert 70 < at + [told for _, told in results].index(False) < 1000
    assert not wrong, "\n".join(wrong)
