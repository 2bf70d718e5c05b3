#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Fuzz target: what a user gives the xl config generator and Kconfig (scripts/xlcfg, kconfig.py).

usage: tests/fuzz/config.py [--seconds=N] [--seed=N] [--crashes=DIR] [INPUT...]

Either a file comes out, which xl's own parser (libxlutil) reads as what was asked for, or the message
names what is wrong; never a traceback. Inputs are JSON: ["xlcfg", WORD...] is a command line, ["kconfig",
TEXT, WORD...] one of "kconfig.py generate" with TEXT as the configuration edited by the user. Those named
are run first. Then they, and what has reached new lines since, are mutated for N seconds. An input that
fails is kept in DIR, and the exit status is 1.
"""
import ctypes
import importlib.machinery
import importlib.util
import json
import os
import random
import re
import shutil
import sys
import tempfile
import time
import traceback
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
sys.dont_write_bytecode = True
APPS = ("hello", "echo", "dns")

WORDS = ["xlcfg", "kconfig", "y", "n", "m", "0", "1", "-1", "0x10", "8", "99999999999999999999", "٣", "1e3",
         "dhcp", "10.0.0.2/24", "10.0.0.1", "2001:db8::2/64", "fe80::1%eth0", "::", "255.255.255.255/0",
         "00:16:3e:00:00:01", "FF:ff:ff:ff:ff:ff", "xenbr0", "restart", "preserve", "r:/dev/null", "/dev/null",
         "/etc/passwd", "a'b", 'a"b', "a'b\"c", "\\", "\n", "\0", "\x7f", "\udcff", "é", "\u2028", "\ud800",
         ",", "=", " ", "#", "$", "[", "]", "x" * 300, "ip=", " gw=10.0.0.9", "-h", "--", "\t", '"', "'",
         '"a\\"b"', "# CONFIG_IPV6 is not set", "CONFIG_", "hello", "dns", "../x", "."]

# What each might be given, so that values meet which do not go together.
PLAUSIBLE = {"IP": ["dhcp", "10.0.0.2/24", "10.0.0.0/24", "10.0.0.1/31", "192.0.2.9"],
             "GW": ["10.0.0.1", "10.0.0.2", "192.0.2.1"], "IP6": ["2001:db8::2/64", "2001:db8::2"],
             "GW6": ["fe80::1", "2001:db8::1"], "NICS": ["0", "1", "2"], "MEMORY": ["4", "64"],
             "MAC": ["00:16:3e:00:00:01", "00:16:3e:00:00:01,00:16:3e:00:00:02", "01:16:3e:00:00:01",
                     "00:16:3e:00:00:01,00:16:3e:00:00:01"],
             "DISK": ["/dev/null", "r:/dev/null", "/dev/null,/etc/passwd", "/a b", "/dev/null,/dev/null"],
             "EXTRA": ["ip=dhcp", "gw=10.0.0.1 x", "x" * 1100, "seed=1", "'a b' c"]}


class Wrong(Exception):
    """The program did what it must not."""


def load(name):
    """A script as a module."""
    loader = importlib.machinery.SourceFileLoader(name.split(".")[0], str(TOP / "scripts" / name))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


# --- what is fuzzed ------------------------------------------------------------------------------

class Target:
    """The scripts, with a directory of their own to write in."""

    def __init__(self, out):
        os.environ["XENOLITH_OUT"] = str(out)
        self.out = out
        self.kconfig, self.xlcfg = load("kconfig.py"), load("xlcfg")
        for app in APPS:
            self.kconfig.main(["generate", app])
        self.configs = {app: (out / f"{app}.config").read_text() for app in APPS}
        self.options = sorted(set(re.findall(r"CONFIG_\w+", "".join(self.configs.values()))))
        self.xl = Xl()

    def run(self, case):
        """One input. Raises Wrong, or whatever the scripts should not have raised."""
        if not case or case[0] not in ("xlcfg", "kconfig"):
            return
        script, work = ((self.xlcfg, self.run_xlcfg) if case[0] == "xlcfg" else
                        (self.kconfig, self.run_kconfig))
        # No argument of a program has a zero octet, or a surrogate that stands for none.
        words = [word.replace("\0", "").encode(errors="replace").decode() if not is_argument(word)
                 else word for word in case[1:]]
        try:
            work(words)
        except (script.Refused, OSError) as problem:
            self.check_message(case, str(problem))

    def run_xlcfg(self, words):
        target = self.out / "fuzzed.cfg"
        target.unlink(missing_ok=True)
        words = [word for word in words if not word.startswith(("CFG=", "-h", "--help"))]
        self.xlcfg.main([*words, f"CFG={target}"])
        self.xl.check(target.read_bytes(), self.xlcfg.parse_words(words, {})[1])

    def run_kconfig(self, words):
        text, app = (words + ["", ""])[:2]
        path = self.out / f"{app}.config"
        if app in APPS:
            path.write_bytes(text.encode(errors="surrogateescape"))
        try:
            self.kconfig.main(["generate", app, *words[2:]])
        finally:
            if app in APPS:
                path.write_text(self.configs[app])
        self.check_generated(app)

    def check_generated(self, app):
        """Every line of the two files is one that make and the compiler understand."""
        folder = self.out / "obj" / app
        for line in lines_of(folder / "config.h"):
            if not re.fullmatch(r'/\*.*\*/|#define CONFIG_\w+ ("([^"\\]|\\.)*"|-?[0-9]+|0x[0-9a-fA-F]+)', line):
                raise Wrong(f"config.h has the line {line!r}")
        for line in lines_of(folder / "config.mk"):
            if not re.fullmatch(r"#.*|override CONFIG_\w+ :=.*", line):
                raise Wrong(f"config.mk has the line {line!r}")

    def check_message(self, case, text):
        names = self.xlcfg.NAMES if case[0] == "xlcfg" else ()
        if not re.search(r"\b(CONFIG_|APP\b|app\b|[./\w-]+\.config\b)", text) and not any(
                name in text for name in names):
            raise Wrong(f"the message names nothing: {text!r}")
        text.encode(errors="surrogateescape")


def lines_of(path):
    """A file's lines as the compiler and make know them: Python's are those of Unicode."""
    return path.read_bytes().decode(errors="surrogateescape").removesuffix("\n").split("\n")


def is_argument(word):
    try:
        return b"\0" not in os.fsencode(word)
    except UnicodeEncodeError:
        return False


class Xl:
    """xl's parser, of Debian's libxlutil."""

    def __init__(self):
        path = next(Path("/usr/lib").glob("*/libxlutil.so.4*"))
        self.lib = ctypes.CDLL(str(path))
        self.lib.xlu_cfg_init.restype = ctypes.c_void_p
        libc = ctypes.CDLL(None)
        libc.fopen.restype = ctypes.c_void_p
        self.reports = ctypes.c_void_p(libc.fopen(b"/dev/null", b"w"))

    def check(self, data, options):
        cfg = ctypes.c_void_p(self.lib.xlu_cfg_init(self.reports, b"fuzzed"))
        try:
            if self.lib.xlu_cfg_readdata(cfg, data, len(data)):
                raise Wrong(f"xl does not take {data!r}")
            self.check_values(cfg, options)
        finally:
            self.lib.xlu_cfg_destroy(cfg)

    def string(self, cfg, name):
        value = ctypes.c_char_p()
        if self.lib.xlu_cfg_get_string(cfg, name.encode(), ctypes.byref(value), 0):
            return None
        return os.fsdecode(value.value)

    def items(self, cfg, name):
        items, count = ctypes.c_void_p(), ctypes.c_int()
        self.lib.xlu_cfg_get_listitem.restype = ctypes.c_char_p
        if self.lib.xlu_cfg_get_list(cfg, name.encode(), ctypes.byref(items), ctypes.byref(count), 0):
            return []
        return [self.lib.xlu_cfg_get_listitem(items, i) for i in range(count.value)]

    def check_values(self, cfg, options):
        for option, key in (("NAME", "name"), ("ON_CRASH", "on_crash"), ("ON_REBOOT", "on_reboot")):
            if option in options and self.string(cfg, key) != options[option]:
                raise Wrong(f"{key} is {self.string(cfg, key)!r}, not {options[option]!r}")
        if "EXTRA" in options and not (self.string(cfg, "extra") or "").endswith(options["EXTRA"]):
            raise Wrong(f"extra is {self.string(cfg, 'extra')!r}, without {options['EXTRA']!r}")
        number = ctypes.c_long()
        if self.lib.xlu_cfg_get_long(cfg, b"memory", ctypes.byref(number), 0) or number.value < 1:
            raise Wrong("memory is no number")
        if "NICS" in options and len(self.items(cfg, "vif")) != int(options["NICS"]):
            raise Wrong("the number of vifs")
        for item in self.items(cfg, "disk"):
            disk = ctypes.create_string_buffer(4096)  # a libxl_device_disk is a tenth of that
            if self.lib.xlu_disk_parse(cfg, 1, (ctypes.c_char_p * 1)(item), disk):
                raise Wrong(f"xl does not take the disk {item!r}")


# --- coverage ------------------------------------------------------------------------------------

class Lines:
    """The lines of the scripts that have run."""

    def __init__(self, *modules):
        self.files = {module.__file__ for module in modules}
        self.seen = set()
        self.all = {(code.co_filename, line) for module in modules
                    for code in codes(compile(Path(module.__file__).read_text(), module.__file__, "exec"))
                    for _, _, line in code.co_lines()
                    if line not in (None, code.co_firstlineno) and code.co_name != "<module>"}

    def trace(self, frame, event, _):
        if frame.f_code.co_filename not in self.files:
            return None
        if event == "line":
            self.seen.add((frame.f_code.co_filename, frame.f_lineno))
        return self.trace

    def count(self):
        return len(self.seen & self.all)


def codes(code):
    yield code
    for constant in code.co_consts:
        if hasattr(constant, "co_code"):
            yield from codes(constant)


# --- mutation ------------------------------------------------------------------------------------

class Mutator:
    """Makes inputs of inputs."""

    def __init__(self, target, seed):
        self.random = random.Random(seed)
        self.names = list(target.xlcfg.NAMES)
        self.options = target.options
        self.configs = target.configs

    def value(self):
        return "".join(self.random.choice(WORDS) for _ in range(self.random.choice((1, 1, 1, 2, 3))))

    def fresh(self):
        pick = self.random.choice
        if pick((True, True, False)):
            words = [f"{name}={pick((pick(PLAUSIBLE.get(name, ['y'])), self.value()))}"
                     for name in (pick(self.names) for _ in range(pick((0, 1, 2, 4))))]
            return ["xlcfg", pick(APPS), *words]
        app = pick(APPS)
        words = [f"{pick(self.options)}={pick(('n', 'y', self.value()))}" for _ in range(pick((0, 1, 2)))]
        return ["kconfig", pick((self.configs[app], self.edited(self.configs[app]))), app, *words]

    def edited(self, text):
        """A line or two of a configuration, otherwise."""
        lines = text.splitlines()
        for _ in range(self.random.choice((1, 2, 5))):
            at = self.random.randrange(len(lines) + 1)
            lines[at:at + self.random.randrange(2)] = self.random.choice(
                ([], [f"{self.random.choice(self.options)}={self.value()}"], [self.value()]))
        return "\n".join(lines) + "\n"

    def mutate(self, case):
        case = list(case)
        at = self.random.randrange(1, len(case) + 1)
        how = self.random.randrange(5)
        if how == 0:
            case.insert(at, self.fresh()[-1])
        elif at == len(case):
            case.append(self.value())
        elif how == 1:
            del case[at]
        elif how == 2 and "\n" in case[at]:
            case[at] = self.edited(case[at])
        else:
            word = case[at]
            cut = self.random.randrange(len(word) + 1)
            case[at] = word[:cut] + self.value() + word[cut + self.random.randrange(3):]
        return case


# --- the loop ------------------------------------------------------------------------------------

def keep(case, folder):
    path = Path(folder) / f"config-crash-{abs(hash(json.dumps(case))):x}"
    path.write_text(json.dumps(case) + "\n")
    return path


def fuzz(options, inputs, out):
    target = Target(out)
    lines = Lines(target.kconfig, target.xlcfg)
    mutator = Mutator(target, int(options.get("seed", 1)))
    corpus = [json.loads(Path(path).read_text()) for path in inputs]
    begin, runs, todo = time.monotonic(), 0, list(corpus)
    while todo or time.monotonic() - begin < float(options.get("seconds", 0)):
        if todo:
            case = todo.pop()
        elif corpus and mutator.random.random() < 0.7:
            case = mutator.mutate(mutator.random.choice(corpus))
        else:
            case = mutator.fresh()
        before = lines.count()
        sys.settrace(lines.trace)
        try:
            target.run(case)
        except Exception:  # pylint: disable=broad-except
            sys.settrace(None)
            traceback.print_exc()
            print(f"{json.dumps(case)}\nis kept as {keep(case, options.get('crashes', '.'))}")
            return 1
        finally:
            sys.settrace(None)
        runs += 1
        if lines.count() > before:
            corpus.append(case)
    seconds = time.monotonic() - begin
    print(f"{runs} runs in {seconds:.0f} s, {runs / max(seconds, 0.001):.0f} a second; "
          f"{lines.count()} of {len(lines.all)} lines; {len(corpus)} inputs")
    return 0


def main(words):
    options = dict(word[2:].split("=", 1) for word in words if word.startswith("--") and "=" in word)
    inputs = [word for word in words if not word.startswith("--")]
    if set(options) - {"seconds", "seed", "crashes"} or any(
            word.startswith("--") and "=" not in word for word in words):
        sys.exit(__doc__)
    inputs, crashes = [os.path.abspath(path) for path in inputs], os.path.abspath(
        options.get("crashes", "."))
    out = Path(tempfile.mkdtemp(prefix="fuzz-config-"))
    try:
        return fuzz({**options, "crashes": crashes}, inputs, out)
    finally:
        shutil.rmtree(out)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
