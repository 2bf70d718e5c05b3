# SPDX-License-Identifier: ISC
"""Which QEMU accelerator can run Xen here.

KVM is used only where it really works: the CPU has hardware virtualisation, /dev/kvm opens, and Xen
itself has been seen to start. Some virtual machines offer a /dev/kvm that fails in Xen's first
instructions. TCG always works.
"""

import os
import subprocess
import tempfile
import time

TCG = "tcg"
PROBE_SECONDS = 8
# Xen prints this once its CPUs run, long after the instructions that such a KVM cannot emulate.
PROOF = "Brought up"


def choose(image, progress=lambda text: None):
    """QEMU's -accel argument. XENOLITH_ACCEL overrides it."""
    forced = os.environ.get("XENOLITH_ACCEL")
    if forced:
        return forced
    if not (_cpu_can() and os.access("/dev/kvm", os.R_OK | os.W_OK)):
        return TCG
    with open("/proc/sys/kernel/random/boot_id") as f:
        answer = os.path.join(os.path.dirname(image.path), f"kvm-{f.read().strip()}")
    if not os.path.exists(answer):
        progress("probing whether KVM can run Xen")
        kind = "kvm" if _probe(image) else TCG
        # The file appears whole and only now: an interrupted probe leaves no answer behind.
        with open(f"{answer}.{os.getpid()}", "w") as f:
            f.write(kind)
        os.replace(f.name, answer)
    with open(answer) as f:
        return f.read()


def _cpu_can():
    with open("/proc/cpuinfo") as f:
        flags = next((line for line in f if line.startswith("flags")), "").split()
    return "vmx" in flags or "svm" in flags


def _probe(image):
    """Start Xen without a dom0: it gets far enough to print PROOF, then stops for want of one."""
    with tempfile.TemporaryDirectory(prefix="xenolith.") as folder:
        log = os.path.join(folder, "console")
        command = [
            "qemu-system-x86_64",
            "-accel",
            "kvm",
            "-cpu",
            "host",
            "-m",
            "256",
            "-display",
            "none",
            "-nodefaults",
            "-no-reboot",
            "-serial",
            f"file:{log}",
            "-kernel",
            image.xen,
            "-append",
            "console=com1 com1=115200,8n1",
        ]
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            deadline = time.monotonic() + PROBE_SECONDS
            while time.monotonic() < deadline:
                done = process.poll() is not None
                if os.path.exists(log) and PROOF in open(log, errors="replace").read():
                    return True
                if done:
                    return False
                time.sleep(0.1)
            return False
        finally:
            process.kill()
            process.wait()
