# SPDX-License-Identifier: ISC
"""hello: a plain main() that prints and returns."""

from conftest import app_config


def test_prints_and_powers_off(xen, guest):
    g = guest("hello", on_poweroff="preserve", on_crash="preserve")
    assert g.wait_shutdown().reason == "poweroff"
    assert "Hello from hello." in g.console()


def test_is_gone_after_its_end(xen, guest):
    g = guest("hello")
    g.wait_gone()
    assert g.find() is None


def test_arguments_come_from_extra(xen, guest):
    g = guest("hello", extra="one two=three -- four=4")
    g.wait_gone()
    assert "argument 1: one" in g.console()
    assert "four=4" in g.console()


def test_a_line_longer_than_printf_keeps_at_hand(xen, guest):
    g = guest("hello", extra=900 * "x")
    g.wait_gone()
    assert f"argument 1: {900 * 'x'}" in g.console()


def test_smallest_memory(xen, guest):
    """Relinked low images need 4 MiB (the toolstack rounds the initial mapping up); ours runs in
    one."""
    g = guest("hello", memory=1)
    g.wait("Hello from hello")


def test_too_little_memory(xen, guest):
    """What cannot start says what it lacks and ends as a crash; what it advises is enough."""
    config = dict(app_config("hello", "CONFIG_MAIN_STACK_KIB=512"), on_crash="preserve")
    g = guest(config, memory=1)
    assert g.wait_shutdown().reason == "crash"
    lines = g.console().strip().splitlines()
    assert lines[-1].endswith(
        "ERROR not enough memory for hello: this guest has 1024 KiB; try memory=2 (MiB)"
    ), g.console()
    assert "Hello from" not in g.console()
    guest(config, memory=2).wait("Hello from hello")
