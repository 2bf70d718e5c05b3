# SPDX-License-Identifier: ISC
"""Build the dom0 image: Xen, a Linux kernel and an initial RAM disk with xl, from Debian packages.

The image is a directory IMAGE/{xen,vmlinuz,initrd,manifest} in the cache, named by a hash of
everything it is made from: the packages' versions and the files of this directory. It is assembled
beside its final name and renamed, under a lock: whoever comes second finds it complete. Package
versions are resolved once and kept until update() is called, or until the mirror has dropped one;
so a later run needs no network.
"""

import contextlib
import fcntl
import glob
import gzip
import hashlib
import json
import lzma
import os
import shutil
import subprocess
import tempfile

from . import cpio
from .debian import DebianError, Packages
from .elf import Elf, is_elf

HERE = os.path.dirname(os.path.abspath(__file__))
XEN_OF_SUITE = {"bullseye": "4.14", "bookworm": "4.17", "trixie": "4.20"}
DEFAULT_SUITE = "bookworm"

# Programs of the xen-utils package (libexec) and of xenstore-utils.
XEN_PROGRAMS = [
    "xl",
    "xen-init-dom0",
    "xenstored",
    "xenconsoled",
    "xenconsole",
    "libxl-save-helper",
    "vchan-socket-proxy",
]
XENSTORE_PROGRAMS = [
    "xenstore-read",
    "xenstore-write",
    "xenstore-ls",
    "xenstore-rm",
    "xenstore-list",
    "xenstore-watch",
    "xenstore-chmod",
    "xenstore-exists",
    "xenstore",
]
MODULES = [
    "xenfs",
    "xen-evtchn",
    "xen-gntdev",
    "xen-gntalloc",
    "xen-privcmd",
    "xen-netback",
    "xen-blkback",
    "loop",
    "bridge",
    "virtio_pci",
    "virtio_console",
    "virtio_net",
    "virtio_blk",
    "virtio_rng",
]
# Without random numbers in time, each xl create waits three seconds for the kernel's generator; the
# kernel of bookworm credits nothing to a device unless told so.
MODULE_OPTIONS = {"rng_core": "default_quality=1000"}
XL_CONF = 'autoballoon="off"\nvif.default.script="vif-bridge"\nvif.default.bridge="xenbr0"\n'
# glibc opens this one by name, in pthread_cancel: the link does not show it.
LOADED_LIBRARIES = ["libgcc_s.so.1"]
LIBRARIES = "/lib/x86_64-linux-gnu"
NEEDED_SPACE = 1 << 30
KEPT_IMAGES = 3  # other checkouts may be using theirs


def cache_directory():
    """Where everything fetched or built once is kept; the same place as the Makefile's."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.environ.get("XENOLITH_CACHE") or os.path.join(base, "xenolith")


class Image:
    """A finished dom0 image."""

    def __init__(self, path):
        self.path = path
        self.xen, self.kernel, self.initrd = (
            os.path.join(path, name) for name in ("xen", "vmlinuz", "initrd")
        )
        with open(os.path.join(path, "manifest")) as f:
            self.manifest = json.load(f)


class Builder:
    """Builds and finds the images of one Debian suite."""

    def __init__(self, suite=DEFAULT_SUITE, progress=lambda text: None):
        if suite not in XEN_OF_SUITE:
            raise DebianError(f"unknown suite {suite}: known are {', '.join(XEN_OF_SUITE)}")
        self.suite, self.progress = suite, progress
        self.root = os.path.join(cache_directory(), "dom0", suite)
        self.versions_file = os.path.join(self.root, "versions.json")
        self.packages = Packages(suite, self.root, progress)

    def image(self):
        """The current image; builds it if there is none. Raises DebianError."""
        try:
            os.makedirs(self.root, exist_ok=True)
            with self._lock():
                return self._image()
        except OSError as e:
            raise DebianError(f"cannot build the dom0 image in {self.root}: {e}") from e

    def update(self):
        """Forget the resolved package versions: the next image() asks the mirror for the newest."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.versions_file)

    @contextlib.contextmanager
    def _lock(self):
        with open(os.path.join(self.root, "lock"), "w") as f:
            try:
                fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self.progress("another run is building the dom0 image: waiting for it")
                fcntl.flock(f, fcntl.LOCK_EX)
            yield

    def _image(self):
        fresh = not os.path.exists(self.versions_file)
        versions = self._resolve() if fresh else self._resolved()
        path = self._path(versions)
        if os.path.exists(path):
            return Image(path)
        if shutil.disk_usage(self.root).free < NEEDED_SPACE:
            raise DebianError(
                f"building the dom0 image needs {NEEDED_SPACE >> 20} MB free in {self.root}"
            )
        try:
            debs = self.packages.fetch(versions)
        except DebianError:
            if fresh:
                raise
            # The mirror keeps only current versions: ask it again, once.
            versions = self._resolve()
            path = self._path(versions)
            debs = self.packages.fetch(versions)
        self._build(path, versions, debs)
        return Image(path)

    def _resolved(self):
        with open(self.versions_file) as f:
            return json.load(f)

    def _resolve(self):
        self.packages.update()
        xen = XEN_OF_SUITE[self.suite]
        record = self.packages.show("linux-image-amd64")
        if record is None:
            raise DebianError(f"Debian {self.suite} has no package linux-image-amd64")
        kernel = record["Depends"].split()[0]
        versions = self.packages.closure(
            [
                f"xen-hypervisor-{xen}-amd64",
                f"xen-utils-{xen}",
                "xenstore-utils",
                "libxen-dev",
                "busybox-static",
                kernel,
            ]
        )
        with open(self.versions_file + ".new", "w") as f:
            json.dump(versions, f, indent=1)
        os.replace(self.versions_file + ".new", self.versions_file)
        return versions

    def _path(self, versions):
        digest = hashlib.sha256(json.dumps(versions, sort_keys=True).encode())
        inputs = [os.path.join(HERE, name) for name in ("image.py", "cpio.py", "elf.py")]
        for name in sorted(inputs + glob.glob(os.path.join(HERE, "dom0", "*"))):
            with open(name, "rb") as f:
                digest.update(os.path.basename(name).encode() + b"\0" + f.read())
        return os.path.join(self.root, "image-" + digest.hexdigest()[:16])

    def _build(self, path, versions, debs):
        self.progress("assembling the dom0 image")
        images = sorted(glob.glob(os.path.join(self.root, "image-*")), key=os.path.getmtime)
        for old in images[:-KEPT_IMAGES] + glob.glob(os.path.join(self.root, "tmp.*")):
            shutil.rmtree(old, ignore_errors=True)
        work = tempfile.mkdtemp(prefix="tmp.", dir=self.root)
        try:
            tree = os.path.join(work, "tree")
            self.packages.unpack(debs, tree)
            out = os.path.join(work, "image")
            os.mkdir(out)
            _assemble(tree, out, work, XEN_OF_SUITE[self.suite])
            with open(os.path.join(out, "manifest"), "w") as f:
                json.dump(
                    {"suite": self.suite, "xen": XEN_OF_SUITE[self.suite], "packages": versions},
                    f,
                    indent=1,
                )
            os.rename(out, path)
        finally:
            shutil.rmtree(work, ignore_errors=True)


def _assemble(tree, out, work, xen):
    with gzip.open(_one(tree, f"boot/xen-{xen}-amd64.gz"), "rb") as f, open(
        os.path.join(out, "xen"), "wb"
    ) as g:
        shutil.copyfileobj(f, g)
    shutil.copy(_one(tree, "boot/vmlinuz-*"), os.path.join(out, "vmlinuz"))
    archive = cpio.Archive()
    for name, major, minor in (("console", 5, 1), ("null", 1, 3)):
        archive.device(f"dev/{name}", major, minor)
    _add_programs(archive, tree, xen)
    _add_modules(archive, tree)
    domstat = os.path.join(work, "domstat")
    compile_domstat(os.path.join(tree, "usr/include"), domstat)
    archive.copy("bin/domstat", domstat, 0o755)
    own = {
        "init": "init",
        "agent": "bin/agent",
        "waitlog": "bin/waitlog",
        "attach": "bin/attach",
        "dhcp-server": "bin/dhcp-server",
        "vif": "etc/xen/scripts/vif-bridge",
        "block": "etc/xen/scripts/block",
    }
    for name, target in own.items():
        archive.copy(target, os.path.join(HERE, "dom0", name), 0o755)
    archive.file("etc/xen/xl.conf", XL_CONF.encode())
    archive.file("etc/passwd", b"root:x:0:0:root:/root:/bin/sh\n")
    archive.file("etc/group", b"root:x:0:\n")
    with open(os.path.join(out, "initrd"), "wb") as f:
        f.write(archive.bytes())


def _one(tree, pattern):
    found = [
        path
        for path in glob.glob(os.path.join(tree, pattern), recursive=True)
        if not os.path.islink(path)
    ]
    if len(found) != 1:
        raise DebianError(f"expected one {pattern} in the packages, found {len(found)}")
    return found[0]


def _add_programs(archive, tree, xen):
    programs = {"bin/busybox": _one(tree, "**/bin/busybox")}
    for name in XEN_PROGRAMS:
        source = _one(tree, f"usr/lib*/xen-{xen}/bin/{name}")
        # libxl looks for its helpers where the package put them.
        home = os.path.relpath(source, tree)
        programs[home] = source
        archive.symlink(f"usr/bin/{name}", "/" + home)
    for name in XENSTORE_PROGRAMS:
        for source in glob.glob(os.path.join(tree, "usr/*bin", name)):
            programs[f"usr/bin/{name}"] = source
    archive.symlink("bin/sh", "busybox")
    for target, source in programs.items():
        archive.copy(target, source, 0o755)
    add_libraries(archive, tree, programs.values())


def add_libraries(archive, tree, programs, present=()):
    """Add the shared libraries the programs need, transitively, all of them found below tree;
    returns their names."""
    index = {}
    for folder, _, names in os.walk(tree):
        for name in names:
            if ".so" in name:
                index.setdefault(name, os.path.join(folder, name))
    done, todo = set(present), list(LOADED_LIBRARIES)
    for program in programs:
        todo += _needed(program)
    while todo:
        name = todo.pop()
        if name in done:
            continue
        done.add(name)
        if name not in index:
            raise DebianError(f"no fetched package has the library {name}")
        archive.copy(f"{LIBRARIES}/{name}", _resolve_link(tree, index[name]), 0o755)
        todo += _needed(_resolve_link(tree, index[name]))
    if done and not present:
        archive.symlink("lib64/ld-linux-x86-64.so.2", f"{LIBRARIES}/ld-linux-x86-64.so.2")
        if "ld-linux-x86-64.so.2" not in done:
            archive.copy(
                f"{LIBRARIES}/ld-linux-x86-64.so.2",
                _resolve_link(tree, index["ld-linux-x86-64.so.2"]),
                0o755,
            )
    return done


def _resolve_link(tree, path):
    """The file behind symbolic links; an absolute target is meant relative to tree."""
    while os.path.islink(path):
        target = os.readlink(path)
        path = (
            tree + target if target.startswith("/") else os.path.join(os.path.dirname(path), target)
        )
    return path


def _needed(path):
    if not is_elf(path):
        return []
    with open(path, "rb") as f:
        return Elf(f.read()).needed()


def _add_modules(archive, tree):
    """Only the modules needed, and their load order, worked out here so that dom0 needs neither
    modprobe nor depmod."""
    index = {}
    for path in glob.glob(os.path.join(tree, "**/lib/modules/**/*.ko*"), recursive=True):
        index[os.path.basename(path).split(".ko")[0].replace("-", "_")] = path
    order = []

    def visit(name):
        name = name.replace("-", "_")
        if name in order or name not in index:
            return  # not among the modules: built into this kernel
        data = _read_module(index[name])
        for dependency in filter(None, Elf(data).modinfo("depends").split(",")):
            visit(dependency)
        order.append(name)
        archive.file(f"lib/modules/{name}.ko", data)

    for module in MODULES:
        visit(module)
    lines = [f"/lib/modules/{name}.ko {MODULE_OPTIONS.get(name, '')}".strip() for name in order]
    archive.file("lib/modules/order", "".join(line + "\n" for line in lines).encode())


def _read_module(path):
    opener = lzma.open if path.endswith(".xz") else open
    with opener(path, "rb") as f:
        return f.read()


def compile_domstat(headers, program):
    """dom0/domstat.c with the Xen headers in that directory, which must be those of the Xen that it will run on."""
    compiler = os.environ.get("CROSS_COMPILE", "x86_64-linux-gnu-") + "gcc"
    command = [
        compiler,
        "-Os",
        "-static",
        "-nostdlib",
        "-ffreestanding",
        "-fno-stack-protector",
        "-fno-pic",
        "-no-pie",
        "-s",
        "-isystem",
        headers,
        "-o",
        program,
        os.path.join(HERE, "dom0", "domstat.c"),
    ]
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except FileNotFoundError as e:
        raise DebianError(
            f"no compiler {compiler} (Debian: gcc, or gcc-x86-64-linux-gnu on other architectures)"
        ) from e
    if done.returncode:
        raise DebianError(f"cannot compile domstat.c:\n{done.stderr}")
