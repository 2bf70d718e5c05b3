# SPDX-License-Identifier: ISC
"""What several of the DNS tests need."""

import os
import subprocess
from pathlib import Path

import pytest

import servers
import signing

HERE = Path(__file__).resolve().parent


@pytest.fixture(scope="session")
def compile_zones(tmp_path_factory):
    """A function: the image of these zones, a dict of name to file."""
    if "XENOLITH_HOST_BIN" not in os.environ:
        subprocess.run(["make", "-s", "host-dns"], cwd=servers.TOP, check=True)

    def compiled(zones):
        out = tmp_path_factory.mktemp("images") / "zones.img"
        words = [f"{name}={file}" for name, file in zones.items()]
        subprocess.run([servers.BIN / "zonec", "-o", out, *words], check=True)
        return out

    return compiled


@pytest.fixture(scope="session")
def plain(compile_zones):
    """The zones made by hand, a dict of name to file, and their image."""
    zones = {p.name.removesuffix(".zone"): p for p in sorted((HERE / "zones").glob("*.zone"))}
    return zones, compile_zones(zones)


@pytest.fixture(scope="session")
def signed(plain, compile_zones, tmp_path_factory):
    """The same and those signed just now."""
    if not signing.tool("ldns-signzone"):
        pytest.skip("ldnsutils are not installed")
    zones = plain[0] | signing.sign(tmp_path_factory.mktemp("signed"))
    return zones, compile_zones(zones)


@pytest.fixture(scope="session")
def tree(compile_zones, tmp_path_factory):
    """Generated zones from the root down, and their image."""
    if not signing.tool("ldns-signzone"):
        pytest.skip("ldnsutils are not installed")
    zones = signing.sign_tree(tmp_path_factory.mktemp("tree"))
    return zones, compile_zones(zones)


@pytest.fixture(scope="module")
def zones(plain, tmp_path_factory):
    """All zones but the tree's, those signed too if that is possible."""
    made = dict(plain[0])
    if signing.tool("ldns-signzone"):
        made |= signing.sign(tmp_path_factory.mktemp("signed"))
    return made
