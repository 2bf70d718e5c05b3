# SPDX-License-Identifier: ISC
"""xl itself takes every generated configuration."""

import glob
import os

import pytest

from conftest import TOP, app_config
from xenqemu.guest import Guest

APPS = sorted(path.split(os.sep)[-2] for path in glob.glob(os.path.join(TOP, "apps", "*", "Kconfig")))


@pytest.mark.parametrize("app", APPS)
def test_xl_accepts(xen, app):
    """A dry run of xl create: it parses every key, and warns of those that it does not know."""
    config = app_config(app)
    g = Guest(xen, config.pop("name"), config)
    done = xen.run(f"xl create -n {g.write_config()}")
    assert "warn" not in done.err.lower() and "unknown" not in done.err.lower(), done.err
