# SPDX-License-Identifier: ISC
"""xl itself reads the generated configurations: Xen 4.14, 4.17 and 4.20, from Debian's packages
unpacked into the cache, as a dry run that needs no hypervisor (xlshim.c)."""
import json
import os
import subprocess

import pytest
from conftest import TOP, clean_environment
from test_xlcfg import NEEDS, load, xlcfg

unpacked = load("unpacked")

XEN = {"bullseye": "4.14", "bookworm": "4.17", "trixie": "4.20"}


@pytest.fixture(scope="session")
def shim(tmp_path_factory):
    path = tmp_path_factory.mktemp("xl") / "xlshim.so"
    subprocess.run(["gcc", "-Wall", "-Werror", "-shared", "-fPIC", "-o", path,
                    os.path.join(TOP, "tests/build/xlshim.c")], check=True)
    return str(path)


@pytest.fixture(params=sorted(XEN), ids=lambda suite: f"xen{XEN[suite]}")
def xl(request, shim, tmp_path):
    """Runs xl create -n on a configuration's text; returns what xl understood, as a dictionary."""
    suite = request.param
    program = unpacked.command(suite, f"xen-utils-{XEN[suite]}", "usr/lib/xen-*/bin/xl",
                               "--preload", shim)

    def parse(text):
        path = tmp_path / "guest.cfg"
        path.write_text(text, encoding="utf-8")
        done = subprocess.run([*program, "-N", "create", "-n", str(path)], text=True, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env=clean_environment(LC_ALL="C"))
        assert done.returncode == 0, done.stderr
        for word in ("unknown", "Unknown", "deprecat", "parse error", "syntax", "warning"):
            assert word not in done.stderr, done.stderr
        return json.loads(done.stdout[done.stdout.index("\n{") if "\n{" in done.stdout else 0:])
    return parse


def test_defaults(xl):
    seen = xl(xlcfg.render("demo", NEEDS, {}))
    assert seen["c_info"]["type"] == "pv" and seen["c_info"]["name"] == "demo"
    info = seen["b_info"]
    assert info["kernel"] == os.path.join(TOP, "out", "demo.gz")
    assert info["max_memkb"] == info["target_memkb"] == 8 * 1024
    assert info["max_vcpus"] == 1
    assert info["tsc_mode"] == "native"
    assert len(seen["nics"]) == 1
    assert seen["on_reboot"] == "restart"
    # xl leaves out what is its default: destroy.
    assert seen.get("on_poweroff", "destroy") == seen.get("on_crash", "destroy") == "destroy"


def test_everything(xl, tmp_path):
    image = tmp_path / "a.img"
    image.write_bytes(bytes(512))
    options = {"NAME": "web-1", "MEMORY": "16", "VCPUS": "2", "BRIDGE": "br0", "NICS": "2",
               "MAC": "00:16:3e:00:00:01", "IP": "10.0.0.2/24", "GW": "10.0.0.1",
               "IP6": "2001:db8::2/64", "DISK": f"{image},r:{image}", "EXTRA": "it's a=$b [x] \\n",
               "ON_CRASH": "coredump-restart", "ON_POWEROFF": "preserve",
               "ON_REBOOT": "rename-restart"}  # the library calls it restart_rename
    seen = xl(xlcfg.render("demo", NEEDS, options))
    assert seen["c_info"]["name"] == "web-1"
    assert seen["b_info"]["max_memkb"] == 16 * 1024 and seen["b_info"]["max_vcpus"] == 2
    # Where the words of extra= end up has moved between versions.
    line = seen["b_info"].get("cmdline") or seen["b_info"]["type.pv"]["cmdline"]
    assert line == "ip=10.0.0.2/24 gw=10.0.0.1 ip6=2001:db8::2/64 it's a=$b [x] \\n"
    assert [(nic.get("mac"), nic["bridge"]) for nic in seen["nics"]] == [
        ("00:16:3e:00:00:01", "br0"), (None, "br0")]
    assert [(disk["pdev_path"], disk["vdev"], disk["format"], disk.get("readwrite", 0))
            for disk in seen["disks"]] == [(str(image), "xvda", "raw", 1),
                                           (str(image), "xvdb", "raw", 0)]
    assert seen["on_crash"] == "coredump_restart"
    assert seen["on_poweroff"] == "preserve" and seen["on_reboot"] == "restart_rename"
