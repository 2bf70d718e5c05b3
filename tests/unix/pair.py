# SPDX-License-Identifier: ISC
"""A guest with two interfaces, of which the first one's backend is up to something; the test is the far
side of both."""

import time

from lied import Lied, Port


class Pair(Lied):
    """echo with two interfaces, both up; what it takes to look at it."""

    def __init__(self, guest, **options):
        self.ports = [Port(0), Port(1)]
        fds = [port.theirs.fileno() for port in self.ports]
        super().__init__(guest(
            "echo", "ip=10.0.1.2/24 ip6=none ip1=10.1.1.2/24 ip61=none", sanitize=True, peers=True,
            memory=8, pass_fds=fds, options=[f"--net=fd:{fd}" for fd in fds], **options))
        self.bad, self.good = self.ports

    def wait_up(self):
        self.guest.wait("vif/1: link up")
        assert self.good.answers()

    def traffic(self, seconds=20):
        """Both ways over the first interface, until the lie has been told."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not self.told():
            for number in range(8):
                self.bad.echo(number)
            self.bad.drain(0.02, 8)
        assert self.told(), "the lie has not been told"
        for number in range(40):  # and what comes after it
            self.bad.echo(number)
        self.bad.drain(0.1)

    def detach(self):
        before = self.guest.printed().count("vif/0: removed")
        self.guest.xl("network-detach 0", check=False)
        self.guest.wait("vif/0: removed", count=before + 1)
