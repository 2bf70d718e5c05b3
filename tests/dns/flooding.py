# SPDX-License-Identifier: ISC
"""A flood of one question over UDP."""

import math
import socket
import time

import dns.name

from messages import build

FLOOD = 1000  # queries a second
PAUSE = 0.2  # seconds without an answer; every second query gets one


def flood(server, name, seconds, source="0.0.0.0"):
    """How many answers with records, and how many empty ones with TC, a flood of FLOOD queries a second gets;
    how many they were; and for how many seconds, rounded up, no answer came: what a busy host had no time for
    is no flood, and the limit allows more after it."""
    whole = truncated = paused = 0
    query = build(dns.name.from_text(name).to_wire(), 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind((source, 0))
        s.connect(server)
        s.setblocking(False)
        start = last = time.monotonic()
        sent = 0
        while (passed := time.monotonic() - start) < seconds + 0.5:
            while passed < seconds and sent < passed * FLOOD:
                s.send(query)
                sent += 1
            try:
                answer = s.recv(4096)
            except BlockingIOError:
                time.sleep(0.0005)
                continue
            now = time.monotonic()
            paused += math.ceil(now - last) if now - last > PAUSE else 0
            last = now
            assert len(answer) == len(query) or not answer[2] & 2
            whole += not answer[2] & 2
            truncated += bool(answer[2] & 2)
    assert sent >= (seconds - 1) * FLOOD
    return whole, truncated, sent, paused
