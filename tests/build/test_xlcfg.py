# SPDX-License-Identifier: ISC
"""scripts/xlcfg: what it writes, and above all what it refuses."""
import gzip
import importlib.machinery
import importlib.util
import os
import re
import struct
import subprocess

import pytest
from conftest import TOP, call, clean_environment
from xenqemu import config as xlconfig


def load(name):
    """A script without .py as a module."""
    loader = importlib.machinery.SourceFileLoader(name, os.path.join(TOP, "scripts", name))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
    loader.exec_module(module)
    return module


xlcfg = load("xlcfg")
NEEDS = {"APP_TITLE": "a test", "APP_MEMORY_MIB": "8", "APP_VCPUS": "1", "APP_NICS": "1",
         "APP_DISKS": "0", "APP_CMDLINE": ""}


def config(needs=None, app="demo", **options):
    """The configuration as a dictionary."""
    return xlconfig.parse(xlcfg.render(app, {**NEEDS, **(needs or {})}, options))


def test_defaults():
    made = config()
    assert made == {"type": "pv", "name": "demo", "kernel": os.path.join(TOP, "out", "demo.gz"),
                    "memory": 8, "vcpus": 1, "tsc_mode": "native", "vif": [""],
                    "on_poweroff": "destroy", "on_reboot": "restart", "on_crash": "destroy"}


def elf_image(path, size):
    """An image whose segments lie where those of a guest lie, of so many bytes in memory."""
    head = struct.pack("<4s28xQ14xHH", b"\x7fELF", 64, 56, 2).ljust(64, b"\0")
    for begin, length in ((0x3F00000, 4096), (0x3F01000, size - 4096)):
        head += struct.pack("<I20xQ8xQ8x", 1, begin, length)
    path.write_bytes(head)


# What the toolstack of Xen 4.17 asks for: with 809,000 bytes 1,279 pages, with 58 MB not more than 59 MiB.
@pytest.mark.parametrize("size, memory", [(250000, 4), (450000, 4), (809000, 5), (5600000, 9), (57700000, 59)])
def test_memory_that_a_large_image_needs(tmp_path, size, memory):
    elf_image(tmp_path / "image", size)
    assert config({"APP_MEMORY_MIB": "4"}, KERNEL=str(tmp_path / "image"))["memory"] == memory
    assert config({"APP_MEMORY_MIB": "4"}, KERNEL=str(tmp_path / "image"), MEMORY="3")["memory"] == 3
    packed = gzip.compress((tmp_path / "image").read_bytes())
    (tmp_path / "image.gz").write_bytes(packed)
    assert config({"APP_MEMORY_MIB": "4"}, KERNEL=str(tmp_path / "image.gz"))["memory"] == memory
    for broken in (b"\x7fELF", packed[:-9], packed[:12] + b"\xff" * 9, packed[:2], gzip.compress(b"no ELF")):
        (tmp_path / "image").write_bytes(broken)
        assert config({"APP_MEMORY_MIB": "4"}, KERNEL=str(tmp_path / "image"))["memory"] == 4


def test_no_devices_no_lists():
    made = config({"APP_NICS": "0"})
    assert "vif" not in made and "disk" not in made and "extra" not in made


def test_overrides(tmp_path):
    image = tmp_path / "a.img"
    image.write_bytes(b"x")
    made = config(NAME="web-1", KERNEL="some/where", MEMORY="16", VCPUS="2", BRIDGE="br0",
                  MAC="00:16:3E:00:00:01", IP="10.0.0.2/24", GW="10.0.0.1", IP6="2001:db8::2/64",
                  DISK=f"{image},r:{image}", EXTRA="a b=c", ON_CRASH="preserve",
                  ON_POWEROFF="restart", ON_REBOOT="destroy")
    assert made["name"] == "web-1"
    assert made["kernel"] == os.path.abspath("some/where")
    assert (made["memory"], made["vcpus"]) == (16, 2)
    assert made["vif"] == ["mac=00:16:3e:00:00:01,bridge=br0"]
    assert made["disk"] == [f"format=raw,vdev=xvda,access=w,target={image}",
                            f"format=raw,vdev=xvdb,access=r,target={image}"]
    assert made["extra"] == "ip=10.0.0.2/24 gw=10.0.0.1 ip6=2001:db8::2/64 a b=c"
    assert (made["on_crash"], made["on_poweroff"], made["on_reboot"]) == (
        "preserve", "restart", "destroy")


def test_several_interfaces():
    made = config(NICS="3", MAC="00:16:3e:00:00:01,00:16:3e:00:00:02")
    assert made["vif"] == ["mac=00:16:3e:00:00:01", "mac=00:16:3e:00:00:02", ""]


def test_apps_own_command_line_and_its_replacement():
    needs = {"APP_CMDLINE": "verbose"}
    assert config(needs)["extra"] == "verbose"
    assert config(needs, EXTRA="quiet")["extra"] == "quiet"
    assert config(needs, IP="dhcp")["extra"] == "ip=dhcp verbose"


@pytest.mark.parametrize("text", ["it's", 'say "x"', "a=$HOME `id` ; # x", "tab-less  spaces",
                                  "späße", "[ 'a', ]", "100%s", "a\\nb \\q \\042", "ends in \\",
                                  'a \\"b\\"'])
def test_command_lines_survive_quoting(text):
    assert config(EXTRA=text)["extra"] == text


REFUSED = [
    ("NAME", ["", "a b", "-a", "a/b", "7", "x" * 64, 'a"', "a'", "a\nb", "ä", "a;b"]),
    ("MEMORY", ["0", "-1", "8M", "1e3", "0x10", " 8", "8 ", "99999999999", "8;", "½", "٣"]),
    ("VCPUS", ["0", "129", "two", "1.5"]),
    ("NICS", ["9", "-1", "x"]),
    ("BRIDGE", ["a b", "x" * 16, "br0,mac=1", "br0'", 'br"', "br/0", "br\n0"]),
    ("MAC", ["00:16:3e", "00:16:3e:00:00:0g", "01:16:3e:00:00:01", "00:00:00:00:00:00",
             "00-16-3e-00-00-01", "00:16:3e:00:00:01,", "00:16:3e:00:00:01 ",
             "00:16:3e:00:00:01,00:16:3e:00:00:02"]),
    ("IP", ["10.0.0.2", "10.0.0.256/24", "10.0.0.2/33", "10.0.0.2/255.255.255.0", "0.0.0.0/0",
            "224.0.0.1/4", "127.0.0.1/8", "2001:db8::1/64", "10.0.0.2/24 evil=1", "DHCP", "/24",
            "192.0.2.0/24", "192.0.2.255/24", "192.0.2.3/30"]),
    ("GW", ["10.0.0.1"]),
    ("IP6", ["2001:db8::1", "2001:db8::1/129", "::/64", "ff02::1/64", "fe80::1%eth0/64",
             "10.0.0.1/24"]),
    ("DISK", ["/nonexistent/x", ",", "/", "r:", "a b"]),
    ("EXTRA", ["both ' and \"", "not UTF-8 \udcff", "new\nline", "nul\0", "\x1b[31m", "x" * 1024,
               "ü" * 600]),
    ("ON_CRASH", ["", "explode", "Destroy", "destroy "]),
    ("ON_POWEROFF", ["reboot"]),
    ("ON_REBOOT", ["x'"]),
    ("KERNEL", ["both ' and \"", "new\nline"]),
]


@pytest.mark.parametrize("name,value", [(n, v) for n, values in REFUSED for v in values if v])
def test_refused_with_name_and_reason(name, value):
    with pytest.raises(xlcfg.Refused) as refusal:
        config(**{name: value})
    assert str(refusal.value).startswith(f"{name}="), refusal.value
    assert re.search(r": .{10,}", str(refusal.value)), "no reason"


def test_gateway_must_be_a_neighbour():
    for gateway in ("10.1.0.1", "10.0.0.2", "10.0.0.0", "10.0.0.255", "fe80::1", "x", "10.0.0.1/24"):
        with pytest.raises(xlcfg.Refused, match="^GW="):
            config(IP="10.0.0.2/24", GW=gateway)


def test_a_network_of_two_has_no_broadcast_address():
    assert config(IP="10.0.0.2/31", GW="10.0.0.3")["extra"] == "ip=10.0.0.2/31 gw=10.0.0.3"


def test_address_given_twice():
    with pytest.raises(xlcfg.Refused, match="^EXTRA=.*ip= is given by IP= already"):
        config(IP="10.0.0.2/24", EXTRA="x ip=10.0.0.3/24")


def test_network_options_need_an_interface():
    for options in ({"IP": "10.0.0.2/24"}, {"BRIDGE": "br0"}, {"MAC": "00:16:3e:00:00:01"},
                    {"IP6": "2001:db8::2/64"}):
        with pytest.raises(xlcfg.Refused):
            config({"APP_NICS": "0"}, **options)


def test_missing_disks_are_named(capsys):
    assert "disk" not in config({"APP_DISKS": "2"})
    assert "needs 2 disks" in capsys.readouterr().err


def test_environment_and_arguments():
    environment = {"MEMORY": "16", "VCPUS": "", "NAME": "host", "KERNEL": "/boot/x", "CFG": "/x"}
    app, options = xlcfg.parse_words(["demo", "MEMORY=32", "BRIDGE="], environment)
    assert (app, options) == ("demo", {"MEMORY": "32"})
    for words in ([], ["a", "b"], ["demo", "MEMROY=1"], ["demo", "--force"], ["../x"]):
        with pytest.raises(xlcfg.Refused):
            xlcfg.parse_words(words, {})


def test_from_any_directory(app, tmp_path):
    out = app("hello")
    elsewhere = tmp_path / "else where"
    elsewhere.mkdir()
    done = call(os.path.join(TOP, "scripts", "xlcfg"), "hello", "MEMORY=3", "CFG=mine.cfg",
                cwd=elsewhere, XENOLITH_OUT=out)
    assert done.returncode == 0, done.stdout
    made = xlconfig.parse((elsewhere / "mine.cfg").read_text())
    assert made["memory"] == 3
    assert made["kernel"] == str(out / "hello.gz") and os.path.exists(made["kernel"])


def test_many_at_once(app, tmp_path):
    """They write one file, each of them whole."""
    out = app("hello")
    words = [os.path.join(TOP, "scripts", "xlcfg"), "hello", f"CFG={tmp_path}/a.cfg"]
    several = [subprocess.Popen(words, env=clean_environment(XENOLITH_OUT=out)) for _ in range(8)]
    assert [child.wait() for child in several] == [0] * 8
    assert os.listdir(tmp_path) == ["a.cfg"]


def test_what_is_no_regular_file_is_written_not_replaced(app, tmp_path):
    """CFG=/dev/stdout, by root."""
    out = app("hello")
    (tmp_path / "stdout").symlink_to("/dev/stdout")
    (tmp_path / "link").symlink_to("b.cfg")
    os.mkfifo(tmp_path / "fifo")
    fifo = os.open(tmp_path / "fifo", os.O_RDWR | os.O_NONBLOCK)
    for name in ("fifo", "stdout", "link"):
        done = call(os.path.join(TOP, "scripts", "xlcfg"), "hello", f"CFG={tmp_path}/{name}", XENOLITH_OUT=out)
        assert done.returncode == 0 and ("kernel = " in done.stdout) == (name == "stdout"), done.stdout
    assert b"kernel = " in os.read(fifo, 4096)
    os.close(fifo)
    assert "kernel = " in (tmp_path / "b.cfg").read_text()
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_symlink()) == ["link", "stdout"]


def test_not_built_yet(tmp_path):
    done = call("scripts/xlcfg", "hello", XENOLITH_OUT=f"{tmp_path}/none")
    assert done.returncode == 1 and "make APP=hello" in done.stdout


def test_make_passes_the_options_on(make, tmp_path):
    done = make("APP=hello", "MEMORY=5", "NAME=other", "EXTRA=it's a \"b\"")
    assert done.returncode != 0 and "EXTRA=" in done.stdout
    done = make("APP=hello", "MEMORY=5", "NAME=other", "EXTRA=it's $$5")
    assert done.returncode == 0, done.stdout
    made = xlconfig.parse((tmp_path / "out" / "hello.cfg").read_text())
    assert (made["memory"], made["name"], made["extra"]) == (5, "other", "it's $5")
