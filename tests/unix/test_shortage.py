# SPDX-License-Identifier: ISC
"""An allocation fails: the N-th, for each N of a boot and of the requests that follow it
(tests/peers/shortage.c). The guest serves, at once or after a while; or it ends in order, and says that
it was memory."""

import re
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from nettools import tcp_echo, udp_echo

AT_ONCE = 6  # guests; they mostly wait
LAST = 5000  # more allocations than any boot makes
# Most are the pages of the receive ring, one like another: every ninth of those.
NUMBERS = [n for n in range(LAST) if n % 9 == 0 or not 64 <= n < 550]

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
        good = re.search(ORDERLY_END, g.console(), re.M) and "has shut down: crash" in g.messages()
    wrong = None if good else f"allocation {n}:\n{g.diagnosis()}"
    g.close()
    return wrong, told


@pytest.mark.parametrize("app", ["echo", "echo-sockets"])
def test_every_allocation_fails_once(network, program, guest, app):
    program(app, sanitize=True, peers=True)
    wrong, at = [], 0
    with ThreadPoolExecutor(AT_ONCE) as pool:
        while numbers := NUMBERS[at:at + 8 * AT_ONCE]:
            guests = [guest(app, sanitize=True, peers=True, paused=True) for _ in numbers]
            results = list(pool.map(verdict, guests, numbers, ["shortage"] * len(numbers)))
            wrong += [text for text, told in results if text]
            if not all(told for _, told in results):
                break
            at += len(numbers)
    assert 550 < NUMBERS[at] < LAST // 2, f"there were {NUMBERS[at]} allocations"
    assert not wrong, "\n".join(wrong)
