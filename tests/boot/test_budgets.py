# SPDX-License-Identifier: ISC
"""Budgets of tests/budgets.toml: image bytes and instructions, the same on every machine and under
any load."""

import os

import pytest

from conftest import built


def instructions(guest, machine, memory):
    """From unpause to hello's shutdown, Xen's work for it included."""
    g = guest(
        "hello",
        machine=machine,
        paused=True,
        memory=memory,
        on_poweroff="preserve",
        on_crash="preserve",
    )
    g.unpause()
    stat = g.wait_shutdown()
    assert stat.reason == "poweroff", g.console()
    return stat.cpu_time


@pytest.mark.parametrize("memory", [1, 4, 1024])
def test_hello_boot(xen_icount, guest, budget, memory):
    budget("hello.boot_instructions", instructions(guest, xen_icount, memory))


def test_hello_boot_does_not_depend_on_memory(xen_icount, guest, budget):
    few, many = (instructions(guest, xen_icount, memory) for memory in (4, 1024))
    budget("hello.memory_spread_instructions", abs(many - few))


@pytest.mark.parametrize("app", ["hello", "dns"])
def test_image_size(app, budget):
    budget(f"{app}.image_bytes", os.path.getsize(built(app)))
