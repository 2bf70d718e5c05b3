# SPDX-License-Identifier: ISC
"""Asks DNS servers many questions in little time: in batches, several servers at once, over UDP and TCP.

A server that takes queries in their order needs no time limit to be found silent: behind each batch goes a
question that every server answers, and once more if answers are missing then (NSD takes what has come at once
in another order when some of it gets no answer). Only if that is lost too is the time looked at.
"""

import random
import socket
import struct

BATCH = 64
END, REALLY_END = -1, -2  # places of the questions behind a batch
PATIENCE = 20  # seconds


class Asker:
    """Asks one server. `last`: a well-formed query, the question behind each batch; None if the server
    answers in any order: then each batch takes as long as the slowest answer."""

    def __init__(self, server, last=None):
        self.server, self.last, self.next = server, last, 0
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.udp.connect(server)
        self.tcp = None

    def close(self):
        self.udp.close()
        self.hang_up()

    def hang_up(self):
        if self.tcp:
            self.tcp.close()
        self.tcp = None

    def send(self, queries, cuts=None):
        """Sends a batch, all over UDP or all over TCP; collect() has the answers. `cuts` says, of the octets to
        be sent over TCP, how many go at a time."""
        self.place, self.answers = {}, [None] * len(queries)
        stream = b""
        for i, query in enumerate(queries):
            message = self._identify(i)[: len(query.wire)] + query.wire[2:]
            if query.tcp:
                stream += struct.pack("!H", len(message)) + message
            else:
                self.udp.send(message)
        self.over_tcp = bool(stream)
        if stream:
            self._send_stream(stream, cuts or [len(stream)])
        elif self.last:
            self._ask_last(END)

    def _ask_last(self, place):
        self.udp.send(self._identify(place) + self.last[2:])

    def _identify(self, place):
        """The identifier of the next query, whose answer goes to this place."""
        self.next = (self.next + 1) & 0xFFFF
        self.place[self.next] = place
        return struct.pack("!H", self.next)

    def _send_stream(self, stream, cuts):
        try:
            if not self.tcp:
                self.tcp = socket.create_connection(self.server, timeout=PATIENCE)
                self.tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            at, i = 0, 0
            while at < len(stream):
                self.tcp.sendall(stream[at : at + cuts[i % len(cuts)]])
                at, i = at + cuts[i % len(cuts)], i + 1
        except OSError:
            self.hang_up()

    def collect(self):
        """The answers to the batch sent, each at its query's place; None where there was none."""
        try:
            while self.place and (self.tcp or not self.over_tcp):
                answer = self._message() if self.over_tcp else self._datagram()
                place = self.place.pop(struct.unpack_from("!H", answer)[0], None)
                if place == END and self.place:
                    self._ask_last(REALLY_END)
                elif place == REALLY_END:
                    break
                elif place is not None and place != END:
                    self.answers[place] = answer
        except (OSError, EOFError):
            self.hang_up()
        return self.answers

    def _datagram(self):
        self.udp.settimeout(PATIENCE)
        return self.udp.recv(65535)

    def _message(self):
        return self._octets(struct.unpack("!H", self._octets(2))[0])

    def _octets(self, n):
        data = b""
        while len(data) < n:
            more = self.tcp.recv(n - len(data))
            if not more:
                raise EOFError
            data += more
        return data


def batches(queries):
    """The queries in lists to be sent together: those over UDP, those over TCP."""
    waiting = ([], [])
    for query in queries:
        some = waiting[query.tcp]
        some.append(query)
        if len(some) == BATCH:
            yield list(some)
            some.clear()
    yield from (some for some in waiting if some)


def cuts_for(rng):
    """How a stream is cut: not at all, between any octets, or into single ones."""
    return rng.choice([None, [rng.randrange(1, 80) for _ in range(7)], [1], [2, rng.randrange(1, 300)]])


def ask(askers, queries, rng=None):
    """Asks all servers everything; yields (query, list of answers). Where some are silent and others not, they
    are asked again, over TCP on a connection that nothing else has upset."""
    rng = rng or random.Random(2)
    for batch in batches(queries):
        cuts = cuts_for(rng)
        answers = _ask_once(askers, batch, cuts)
        for again in range(2):
            missing = [i for i, some in enumerate(answers) if None in some and any(some)]
            for i in missing if batch[0].tcp else ():  # a connection for each: one may close it
                for asker in askers:
                    asker.hang_up()
                answers[i] = _ask_once(askers, [batch[i]], None)[0]
            if missing and not batch[0].tcp:
                for i, some in zip(missing, _ask_once(askers, [batch[i] for i in missing], None)):
                    answers[i] = [old or new for old, new in zip(answers[i], some)]
        yield from zip(batch, answers)


def _ask_once(askers, batch, cuts):
    for asker in askers:
        asker.send(batch, cuts)
    return list(map(list, zip(*(asker.collect() for asker in askers))))
