# SPDX-License-Identifier: ISC
"""scripts/setup, with an invented dpkg and apt: what it asks for, installs, and says."""
import os
import signal
import subprocess
import time

import pytest
from conftest import TOP, call, clean_environment

SETUP = os.path.join(TOP, "scripts/setup")


@pytest.fixture
def machine(tmp_path):
    """A machine whose dpkg-query knows the packages in a file, and whose apt-get adds to it."""
    tools = tmp_path / "bin"
    tools.mkdir()
    have = tmp_path / "have"
    have.write_text("")

    def tool(name, text):
        path = tools / name
        path.write_text("#!/bin/sh\n" + text)
        path.chmod(0o755)

    tool("dpkg-query", f"sed 's/^/ii  /' {have}\n")
    tool("apt-get", f'echo "$@" >> {tmp_path}/apt.log\n'
         f'[ -e {tmp_path}/offline ] && exit 100\n'
         'install=; for word in "$@"; do case $word in\n'
         f'install) install=1 ;; -*|*=*) ;; *) [ -z "$install" ] || echo "$word" >> {have} ;;\n'
         'esac; done\n')
    tool("id", f"cat {tmp_path}/uid\n")
    (tmp_path / "uid").write_text("0\n")

    def run(*words):
        return call(SETUP, *words, PATH=f"{tools}:/usr/bin:/bin")
    run.have, run.log, run.root = have, tmp_path / "apt.log", tmp_path
    return run


def test_root_installs_and_the_second_run_is_quiet(machine):
    done = machine("build")
    assert done.returncode == 0, done.stdout
    assert "installing" in done.stdout and "python3-kconfiglib" in machine.have.read_text()
    done = machine("build")
    assert (done.returncode, done.stdout) == (0, "")


def test_others_get_the_one_line(machine):
    (machine.root / "uid").write_text("1000\n")
    done = machine("build", "test")
    assert done.returncode == 1 and not machine.log.exists()
    line = [text for text in done.stdout.splitlines() if "apt-get" in text]
    assert len(line) == 1 and "libxen-dev" in line[0] and " check " in line[0]


def test_check_never_installs(machine):
    done = machine("--check", "run")
    assert done.returncode == 1 and "qemu-system-x86" in done.stdout
    assert not machine.log.exists()


def test_only_what_is_missing(machine):
    machine("build")
    text = machine.have.read_text().replace("patch\n", "")
    machine.have.write_text(text)
    (machine.root / "uid").write_text("1000\n")
    done = machine("build")
    assert done.stdout.rstrip().endswith("-y patch")


def test_no_network(machine):
    (machine.root / "offline").write_text("")
    done = machine("build")
    assert done.returncode == 1 and "is there a network" in done.stdout


def test_interrupted(machine):
    """Ctrl-C while apt works: no log stays behind, and nothing is said of a network."""
    (machine.root / "tmp").mkdir()
    (machine.root / "bin/apt-get").write_text(f"#!/bin/sh\n>{machine.root}/works\nexec sleep 60\n")
    child = subprocess.Popen([SETUP, "build"], stderr=subprocess.PIPE, text=True,
                             start_new_session=True, env=clean_environment(
                                 PATH=f"{machine.root}/bin:/usr/bin:/bin",
                                 TMPDIR=machine.root / "tmp"))
    assert "installing" in child.stderr.readline()
    while not (machine.root / "works").exists():  # until then a signal may be lost in the shell's fork
        assert child.poll() is None
        time.sleep(0.01)
    os.killpg(child.pid, signal.SIGINT)
    assert child.wait(30) in (130, -signal.SIGINT)
    assert "network" not in child.stderr.read()
    assert os.listdir(machine.root / "tmp") == []


def test_unknown_group(machine):
    done = machine("everything")
    assert done.returncode == 2 and "build, run" in done.stdout


def test_skip():
    assert call(SETUP, "build", SETUP="skip", PATH="/usr/bin:/bin").returncode == 0


def test_no_daemon_is_installed():
    with open(SETUP, encoding="utf-8") as stream:
        words = stream.read().split()
    for daemon in ("nsd", "bind9", "knot", "xen-utils", "xen-hypervisor-amd64", "nginx"):
        assert daemon not in words


def test_this_machine_is_ready():
    done = call(SETUP, "--check", "build", "run", "test")
    assert done.returncode == 0, done.stdout
