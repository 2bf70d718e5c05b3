# SPDX-License-Identifier: ISC
"""Read the few things the dom0 builder needs from 64-bit little-endian ELF files.

Parsed here, not by readelf, because the answer must not depend on the host's architecture or tools.
Document: the ELF-64 object file format.
"""

import struct

SHT_DYNAMIC = 6
DT_NEEDED = 1


class Elf:
    """The section table of an ELF image given as bytes. Raises ValueError on anything else."""

    def __init__(self, data):
        if data[:6] != b"\x7fELF\x02\x01":
            raise ValueError("not a 64-bit little-endian ELF file")
        self.data = data
        (shoff,) = struct.unpack_from("<Q", data, 0x28)
        size, count, strndx = struct.unpack_from("<HHH", data, 0x3A)
        self.sections = [
            struct.unpack_from("<IIQQQQIIQQ", data, shoff + i * size) for i in range(count)
        ]
        names = self.sections[strndx] if count else None
        self.names = [self._string(names[4] + s[0]) for s in self.sections] if names else []

    def _string(self, offset):
        return self.data[offset : self.data.index(b"\0", offset)].decode()

    def needed(self):
        """The shared libraries this file asks for by name (DT_NEEDED)."""
        for section in self.sections:
            if section[1] != SHT_DYNAMIC:
                continue
            strings = self.sections[section[6]][4]
            entries = struct.iter_unpack("<QQ", self.data[section[4] : section[4] + section[5]])
            return [self._string(strings + value) for tag, value in entries if tag == DT_NEEDED]
        return []

    def modinfo(self, key):
        """The value of a kernel module's key=value string, or ""."""
        section = self.sections[self.names.index(".modinfo")]
        for field in self.data[section[4] : section[4] + section[5]].split(b"\0"):
            name, _, value = field.partition(b"=")
            if name == key.encode():
                return value.decode()
        return ""


def is_elf(path):
    with open(path, "rb") as f:
        return f.read(4) == b"\x7fELF"
