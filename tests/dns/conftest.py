# SPDX-License-Identifier: ISC
"""What several of the DNS tests need."""

import os
import subprocess
from pathlib import Path

import pytest

import servers
import signing

HERE = Path(__file__).resolve().parent


@pytest.fixture(scope="module")
def zones(tmp_path_factory):
    """All zones, the signed ones too: a dict of name to file. The host programs are there then."""
    if "XENOLITH_HOST_BIN" not in os.environ:
        subprocess.run(["make", "-s", "host-dns"], cwd=servers.TOP, check=True)
    made = {p.name.removesuffix(".zone"): p for p in sorted((HERE / "zones").glob("*.zone"))}
    if servers.find("ldns-signzone", "ldnsutils"):
        made |= signing.sign(tmp_path_factory.mktemp("signed"))
    return made
