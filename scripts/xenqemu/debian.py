# SPDX-License-Identifier: ISC
"""Fetch Debian packages of a chosen suite without installing anything.

apt gets a private root in the cache (lists, archives, an empty dpkg status) and a configuration
derived from the machine's own: its proxies and options, its Debian mirrors with the suite's name
replaced. So this works without root, leaves the host untouched, and can mix suites. apt verifies
the archive's signature and every package's hash.
"""

import os
import re
import subprocess
import tempfile

ARCH = "amd64"


class DebianError(Exception):
    """Packages could not be found, fetched or unpacked; the text says why."""


class Packages:
    """Debian packages of one suite, kept below the directory root."""

    def __init__(self, suite, root, progress=lambda text: None):
        self.suite, self.root, self.progress = suite, root, progress
        self.debs = os.path.join(root, "debs")
        self.env = dict(os.environ, APT_CONFIG=os.path.join(root, "apt.conf"), LC_ALL="C.UTF-8")

    def update(self):
        """Fetch the package lists."""
        for name in ("state/lists/partial", "cache/archives/partial", "debs"):
            os.makedirs(os.path.join(self.root, name), exist_ok=True)
        open(os.path.join(self.root, "status"), "w").close()
        _write(os.path.join(self.root, "sources.list"), "\n".join(_sources(self.suite)) + "\n")
        _write(os.path.join(self.root, "apt.conf"), self._configuration())
        self.progress(f"fetching Debian's package lists ({self.suite})")
        self._apt("apt-get", "-q", "--error-on=any", "update")

    def _configuration(self):
        dump = subprocess.run(
            ["apt-config", "dump"], capture_output=True, text=True, check=True
        ).stdout
        # apt's directories are replaced; hooks belong to the host; the rest (proxies, mirrors'
        # options) is kept.
        drop = re.compile(
            r"^(Dir|DPkg|APT::(Update|Archit|Sandbox|Periodic|NeverAuto|Default-Release)|"
            r"Acquire::(IndexTargets|Languages))\b",
            re.I,
        )
        kept = [line for line in dump.splitlines() if not drop.match(line)]
        ours = {
            "Dir::State": f"{self.root}/state",
            "Dir::State::status": f"{self.root}/status",
            "Dir::Cache": f"{self.root}/cache",
            "Dir::Etc::sourcelist": f"{self.root}/sources.list",
            "Dir::Etc::sourceparts": "/dev/null",
            "Dir::Etc::main": "/dev/null",
            "Dir::Etc::parts": "/dev/null",
            "Dir::Etc::preferences": "/dev/null",
            "Dir::Etc::preferencesparts": "/dev/null",
            "APT::Architecture": ARCH,
            "APT::Sandbox::User": "root",
            "Acquire::Languages": "none",
        }
        lines = [f'{key} "{value}";' for key, value in ours.items()]
        return "\n".join(
            kept + lines + [f'#clear APT::Architectures;\nAPT::Architectures {{ "{ARCH}"; }};\n']
        )

    def _apt(self, *command, cwd=None):
        done = subprocess.run(command, env=self.env, cwd=cwd, capture_output=True, text=True)
        if done.returncode:
            raise DebianError(
                f"{' '.join(command[:3])} failed (is the network up?):\n{done.stderr.strip()}"
            )
        return done.stdout

    def show(self, name):
        """The package's newest record as a dictionary, or None if the suite has no such package."""
        done = subprocess.run(
            ["apt-cache", "show", "--no-all-versions", name],
            env=self.env,
            capture_output=True,
            text=True,
        )
        record = dict(re.findall(r"^([A-Za-z0-9-]+): (.*)$", done.stdout, re.M))
        return record if record.get("Package") == name else None

    def closure(self, names):
        """{package: version} for the named packages and the libraries they depend on,
        transitively."""
        found, todo = {}, list(names)
        while todo:
            name = todo.pop()
            if name in found:
                continue
            record = self.show(name)
            if record is None:
                if name in names:
                    raise DebianError(f"Debian {self.suite} has no package {name}")
                continue
            found[name] = record["Version"]
            wanted = record.get("Depends", "") + ", " + record.get("Pre-Depends", "")
            # A virtual or alternative dependency is no library; an unmet library shows when the
            # image is assembled.
            libraries = re.findall(r"(?:^|, *)((?:lib|zlib1g)[a-z0-9.+-]*)", wanted)
            todo += [lib for lib in libraries if not lib.startswith(("libpython", "libperl"))]
        return dict(sorted(found.items()))

    def fetch(self, versions):
        """Download what is missing of {package: version}; returns the paths of the .deb files."""
        paths = {}
        for name, version in versions.items():
            paths[name] = os.path.join(
                self.debs, f"{name}_{version.replace(':', '%3a')}_{ARCH}.deb"
            )
        missing = [name for name in versions if not self._present(name, versions[name])]
        for number, name in enumerate(missing, 1):
            self.progress(f"downloading {name} {versions[name]} ({number} of {len(missing)})")
            # Into a directory of its own first: an interrupted download must not look like a
            # package.
            with tempfile.TemporaryDirectory(prefix="partial.", dir=self.debs) as partial:
                self._apt("apt-get", "-q", "download", f"{name}={versions[name]}", cwd=partial)
                for deb in os.listdir(partial):
                    os.replace(os.path.join(partial, deb), os.path.join(self.debs, deb))
        return [self._present(name, version) for name, version in versions.items()]

    def _present(self, name, version):
        for arch in (ARCH, "all"):
            path = os.path.join(self.debs, f"{name}_{version.replace(':', '%3a')}_{arch}.deb")
            if os.path.exists(path):
                return path
        return None

    @staticmethod
    def unpack(debs, tree):
        for deb in debs:
            done = subprocess.run(["dpkg-deb", "-x", deb, tree], capture_output=True, text=True)
            if done.returncode:
                raise DebianError(f"cannot unpack {os.path.basename(deb)}: {done.stderr.strip()}")


def _write(path, text):
    with open(path, "w") as f:
        f.write(text)


def _sources(suite):
    """The machine's Debian sources as one-line entries, its own release's name replaced by
    suite."""
    host = _host_codename()
    lines, seen = [], set()
    for options, uri, name, components in _host_sources():
        if not re.fullmatch(rf"{host}(-updates|-security)?", name) or "main" not in components:
            continue
        line = f"deb {options}{uri} {name.replace(host, suite, 1)} main"
        if line not in seen:
            seen.add(line)
            lines.append(line)
    if not lines:
        raise DebianError(
            f"apt on this machine has no Debian source for {host or 'its release'}: "
            "see /etc/apt/sources.list"
        )
    return lines


def _host_codename():
    with open("/etc/os-release") as f:
        match = re.search(r"^VERSION_CODENAME=\"?(\w+)", f.read(), re.M)
    return match.group(1) if match else ""


def _host_sources():
    """Yield (options, uri, suite, components) from /etc/apt, in both of its syntaxes."""
    folder = "/etc/apt/sources.list.d"
    files = ["/etc/apt/sources.list"]
    files += (
        [os.path.join(folder, name) for name in sorted(os.listdir(folder))]
        if os.path.isdir(folder)
        else []
    )
    for path in files:
        if not os.path.exists(path):
            continue
        with open(path) as f:
            text = f.read()
        if path.endswith(".sources"):
            for stanza in re.split(r"\n\s*\n", text):
                yield from _deb822(stanza)
        elif path.endswith(".list"):
            for match in re.finditer(r"^deb\s+(\[[^]]*\]\s+)?(\S+)\s+(\S+)\s+(.*)$", text, re.M):
                yield match.group(1) or "", match.group(2), match.group(3), match.group(4).split()


def _deb822(stanza):
    text = "\n".join(line for line in stanza.splitlines() if not line.startswith("#"))
    field = {
        key.lower(): value.split()
        for key, value in re.findall(r"^(\S+):[ \t]*(.*(?:\n[ \t].*)*)", text, re.M)
    }
    if "deb" not in field.get("types", []) or field.get("enabled", ["yes"])[0].lower() in (
        "no",
        "false",
    ):
        return
    keys = field.get("signed-by", [])
    options = f"[signed-by={keys[0]}] " if keys and keys[0].startswith("/") else ""
    for uri in field.get("uris", []):
        for suite in field.get("suites", []):
            yield options, uri, suite, field.get("components", [])
