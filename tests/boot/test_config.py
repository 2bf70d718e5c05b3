# SPDX-License-Identifier: ISC
"""xl itself takes every generated configuration, and what it names: images compressed and as they are."""

import glob
import os

import pytest

from conftest import SUITE, TOP, app_config, built
from xenqemu.guest import Guest
from xenqemu.image import XEN_OF_SUITE

APPS = sorted(path.split(os.sep)[-2] for path in glob.glob(os.path.join(TOP, "apps", "*", "Kconfig")))
OTHER_SUITES = [suite for suite in XEN_OF_SUITE if suite != SUITE]


def accepts(xen, app):
    """A dry run of xl create: it parses every key, and warns of those that it does not know."""
    config = app_config(app)
    g = Guest(xen, config.pop("name"), config)
    done = xen.run(f"xl create -n {g.write_config()}")
    assert "warn" not in done.err.lower() and "unknown" not in done.err.lower(), done.err


@pytest.mark.parametrize("app", APPS)
def test_xl_accepts(xen, app):
    accepts(xen, app)


def runs(guest, kernel):
    hello = guest(dict(app_config("hello"), kernel=kernel), on_poweroff="preserve")
    assert hello.wait_shutdown().reason == "poweroff"
    assert "Hello from hello." in hello.console()


def test_both_images_run(xen, guest):
    image = built("hello")
    assert app_config("hello")["kernel"] == f"{image}.gz"
    runs(guest, f"{image}.gz")
    runs(guest, image)


@pytest.mark.parametrize("suite", OTHER_SUITES)
def test_other_versions_accept_and_run(xen_of, suite, network, guest, host):
    """The same images and configurations on the other Xens, with their own xl and dom0."""
    assert XEN_OF_SUITE[suite] in xen_of.run("xl info xen_version").out
    for app in APPS:
        accepts(xen_of, app)
    for kernel in (app_config("hello")["kernel"], built("hello")):
        runs(guest, kernel)
    dns = guest("dns")
    dns.wait(r"address 10\.0\.1\.[0-9]*/16")
    for transport in ("+notcp", "+tcp"):
        answer = host("dig", f"@{dns.address}", "www.example.org", transport).stdout
        assert "status: NOERROR" in answer and "flags: qr aa" in answer
    dns.xl("reboot")
    dns.wait_gone()
    dns.domid = dns.wait_restarted()
    dns.wait(r"address 10\.0\.1\.[0-9]*/16", count=2)
    dns.xl("shutdown")
    dns.wait_gone()
