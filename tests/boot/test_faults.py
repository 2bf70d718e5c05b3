# SPDX-License-Identifier: ISC
"""Every kind of failure ends in a report with a symbolised back-trace on the console, then in a
crash that xl sees."""

import re

import pytest

FAULTS = {
    # deed: what the report must say, the function its back-trace must name
    "panic": ("asked to, value 42", "do_panic"),
    "null-read": ("page fault", "null_read"),
    "null-write": ("page fault", "null_write"),
    "write-text": ("page fault", "write_text"),
    "write-rodata": ("page fault", "write_rodata"),
    # Code without a frame of its own: the trace begins with its caller's caller.
    "run-data": ("page fault: execute", "app_init"),
    "run-heap": ("page fault: execute", "app_init"),
    "smash": ("stack", "smash"),
    "divide": ("divide", "divide"),
}


@pytest.mark.parametrize("deed", FAULTS)
def test_fault_is_reported(xen, guest, deed):
    message, function = FAULTS[deed]
    g = guest("selftest", extra=deed, on_crash="preserve", on_poweroff="preserve")
    assert g.wait_shutdown().reason == "crash"
    console = g.console()
    assert message in console.lower()
    assert re.search(rf"\b{function}\b", console), "no such function in the back-trace"


@pytest.mark.parametrize("deed", ["stack-overflow", "thread-overflow", "bigframe"])
def test_stack_overflow_hits_a_guard_page(xen, guest, deed):
    """There is no stack left to report it on, so Xen stops the domain, at the first push beyond the
    end; Xen's own message then has the registers."""
    xen.run("xl dmesg -c")
    g = guest("selftest", extra=deed, on_crash="preserve")
    assert g.wait_shutdown().reason == "crash"
    assert "survived" not in g.console()
    assert f"Domain {g.domid} (vcpu#0) crashed" in xen.run("xl dmesg").out


def test_on_crash_destroy(xen, guest):
    g = guest("selftest", extra="panic", on_crash="destroy")
    g.wait_gone()
    assert "asked to, value 42" in g.console()
    assert "reason code 3" in xen.run(f"cat /var/log/xen/xl-{g.name}.log").out


def test_unknown_image_argument_fails_with_a_reason(xen, guest):
    g = guest("selftest", extra="no-such-deed", on_crash="preserve")
    assert g.wait_shutdown().reason == "crash"
    assert "no-such-deed" in g.console()
