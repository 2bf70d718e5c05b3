# SPDX-License-Identifier: ISC
"""The guest's command line, read as kernel/cmdline.c reads it: it keeps the quotes of what it is given."""

import re
import secrets

MAX = 1023  # bytes; Xen cuts off what is longer

# Plain characters, escaped ones, and quoted text whose last quote may be missing.
_WORD = re.compile(r"""(?:[^ \t\n\r'"\\]|\\.?|'[^']*'?|"(?:[^"\\]|\\.?)*"?)+""", re.DOTALL)


def values(line):
    """{key: value} of its key=value words, of which the last of a key counts. After "--" there are none."""
    found = {}
    for word in _WORD.findall(line):
        if word == "--":
            break
        key, equals, value = re.sub(r"""['"\\]""", "", word).partition("=")
        if equals:
            found[key] = value
    return found


def complete(line, address):
    """(what to give to the guest, what of it to show): line with the words of address in front, and
    a seed, which is secret, unless it says ip= or seed= itself. Raises ValueError."""
    there = values(line)
    shown = " ".join(([] if "ip" in there else address) + ([line] if line else []))
    given = shown if "seed" in there else f"seed={secrets.token_hex(16)} {shown}"
    size = len(given.encode())
    if size > MAX:
        raise ValueError(
            f"EXTRA={line[:40]}...: {size} bytes with address and seed; Xen takes {MAX}"
        )
    return given, shown
