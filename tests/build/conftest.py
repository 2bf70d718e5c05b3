# SPDX-License-Identifier: ISC
"""Helpers of the build system's tests: run make and the scripts on this tree or on a copy of it.

make(*words)            runs make in the tree with an OUT of its own; returns the CompletedProcess
app(name)               builds an app as it comes, once for all tests, with OUT=APPS_OUT, where the
                        boot tests find it; returns that directory
copy_of_tree(name)      a copy of the tree's files (also those not committed), without out/
All use the shared cache, so newlib is not built again.
"""
import functools
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "scripts"))
sys.dont_write_bytecode = True

APPS_OUT = "out/test/apps"
CACHE = os.environ.get("XENOLITH_CACHE") or os.path.join(
    os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "xenolith")


def clean_environment(**changes):
    """The environment without what a surrounding make or an operator put there."""
    drop = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "MAKEOVERRIDES", "APP", "OUT", "XENOLITH_OUT",
            "DISTDIR", "MEMORY", "VCPUS", "DISK", "EXTRA", "IP", "GW", "IP6", "MAC", "BRIDGE")
    kept = {key: value for key, value in os.environ.items() if key not in drop}
    kept.update({key: str(value) for key, value in changes.items()})
    return kept


def call(*words, cwd=TOP, **environment):
    return subprocess.run([str(word) for word in words], cwd=cwd, text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          env=clean_environment(**environment), timeout=600)


@pytest.fixture
def make(tmp_path):
    """Runs make with OUT below tmp_path."""
    def run(*words, cwd=TOP, **environment):
        return call("make", "-j2", *words, f"OUT={tmp_path}/out", cwd=cwd, **environment)
    return run


@pytest.fixture(scope="session")
def app():
    @functools.lru_cache(maxsize=None)
    def build(name, *words, out=APPS_OUT):
        done = call("make", "-j2", f"APP={name}", *words, f"OUT={out}")
        assert done.returncode == 0, "\n".join(done.stdout.splitlines()[-15:])
        return pathlib.Path(TOP, out)
    return build


@pytest.fixture
def copy_of_tree(tmp_path):
    def copy(name):
        target = os.path.join(tmp_path, name)
        listing = subprocess.run(["git", "ls-files", "-z", "--cached", "--others",
                                  "--exclude-standard"], cwd=TOP, check=False,
                                 stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        if listing.returncode:  # not a git tree: an unpacked archive
            shutil.copytree(TOP, target, ignore=shutil.ignore_patterns("out", ".git"))
            return target
        for path in listing.stdout.decode().split("\0"):
            if path and os.path.exists(os.path.join(TOP, path)):
                os.makedirs(os.path.dirname(os.path.join(target, path)), exist_ok=True)
                shutil.copy2(os.path.join(TOP, path), os.path.join(target, path))
        return target
    return copy
