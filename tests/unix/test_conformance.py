# SPDX-License-Identifier: ISC
"""The tests of tests/boot, which are written for real Xen, word for word on the simulation: what a guest
sees of Xen is the same on both, so a test that passes there and fails here has found a divergence.

Taken are all that need no more than a guest, its console, xl's verbs, xenstore and the host's network;
a shell command of dom0's that the simulation lacks (tests/unix/dom0tool) skips its test.
"""

import importlib.util
import inspect
import os
import sys

BOOT = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "boot")
MODULES = ("console", "dns", "faults", "hello", "iperf", "libc", "life", "net", "net_addresses", "net_device",
           "rings", "verdicts", "xenbus")
KNOWN = {"disk", "guest", "host", "network", "shared", "tmp_path", "xen"}  # fixtures that exist here
# Fixtures that build images of their own for Xen: their tests are not taken.
IMAGES = {"complete"}
# Tests of what is different on purpose, or of xl itself.
DIFFERENT = {
    "test_endless_flood_stalls_nothing": "the console's other end reads at once: nothing is lost",
    "test_input_flood": "a pipe does not keep what is typed apart; test_program.py has this test",
    "test_lines_end_as_on_a_terminal": "the end of a line is translated for the terminal",
    "test_dead_console_daemon_does_not_hold_up_the_end": "no daemons",
    "test_dead_console_daemon_does_not_hold_up_a_program": "no daemons",
    "test_console_daemon_that_pauses": "no daemons",
    "test_xl_console_shows_what_was_printed_before": "no daemons",
    "test_on_crash_destroy": "xl's log",
    "test_pause_and_unpause": "xl list",
    "test_jumbo_frames": "dom0's interfaces",
    "test_frames_longer_than_the_mtu": "dom0's interfaces",
    "test_vchan_between_guests_of_which_one_is_destroyed": "there is one guest; test_failing_rings.py",
    "test_disk_driver_restarts": "sysfs; test_blkback.py has this test",
    "test_backend_driver_restarts": "sysfs; test_netback.py has this test",
    "test_shutdown_wait": "xl shutdown -w",
    "test_is_gone_after_its_end": "xl's own cleaning up",
    "test_smallest_memory": "the image is not the guest's memory here",
    "test_too_little_memory": "an image with other options",
    "test_little_memory": "the image is not the guest's memory here",
    "test_a_sleeping_program_uses_no_processor": "a host's clock; test_program.py has this test",
}


def load(name, path):
    spec = importlib.util.spec_from_file_location(name, path)
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def fixture_of(item):
    """The function behind a fixture, or None."""
    return getattr(item, "__pytest_wrapped__", None) and item.__pytest_wrapped__.obj


def needs(function, module, parameters=()):
    """The fixtures that a test or fixture asks for in the end."""
    wanted = set(inspect.signature(function).parameters) - set(parameters) - {"request"}
    for name in list(wanted):
        own = fixture_of(getattr(module, name, None))
        if own and name not in IMAGES:
            wanted.discard(name)
            wanted |= needs(own, module)
    return wanted


def parameters_of(test):
    marks = [mark for mark in getattr(test, "pytestmark", []) if mark.name == "parametrize"]
    return [word.strip() for mark in marks for word in
            (mark.args[0].split(",") if isinstance(mark.args[0], str) else mark.args[0])]


def take(name):
    module = load(f"test_{name}", os.path.join(BOOT, f"test_{name}.py"))
    for key, item in vars(module).items():
        if fixture_of(item) and needs(fixture_of(item), module) <= KNOWN:
            globals()[key] = item
        elif key.startswith("test_") and callable(item) and key not in DIFFERENT \
                and needs(item, module, parameters_of(item)) <= KNOWN:
            globals()[f"test_{name}_{key[5:]}"] = item


load("conftest", os.path.join(BOOT, "conftest.py"))  # what these modules call conftest is theirs
for _name in MODULES:
    take(_name)
