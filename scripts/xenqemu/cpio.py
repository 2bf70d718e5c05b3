# SPDX-License-Identifier: ISC
"""Write "newc" cpio archives, the format of Linux's initial RAM file system.

Written here rather than by cpio(1) so that an unprivileged user can store device nodes and
root-owned files, and so that the same input always gives the same bytes. The kernel unpacks several
archives one after the other, hence the padding: a cached archive and one made for a single run are
simply concatenated.

Format: Linux Documentation/driver-api/early-userspace/buffer-format.rst.
"""

import os
import stat

ALIGN = 512


class Archive:
    """An archive in memory. Parent directories are created as needed."""

    def __init__(self):
        self._parts = []
        self._seen = set()
        self._inode = 0

    def directory(self, path, mode=0o755):
        path = path.strip("/")
        if path and path not in self._seen:
            self._entry(path, stat.S_IFDIR | mode, b"")

    def file(self, path, data, mode=0o644):
        self._entry(path.strip("/"), stat.S_IFREG | mode, data)

    def copy(self, path, source, mode=None):
        """Store the host's file source as path; the mode is the file's own unless given."""
        with open(source, "rb") as f:
            data = f.read()
        if mode is None:
            mode = 0o755 if os.access(source, os.X_OK) else 0o644
        self.file(path, data, mode)

    def symlink(self, path, target):
        self._entry(path.strip("/"), stat.S_IFLNK | 0o777, target.encode())

    def device(self, path, major, minor):
        self._entry(path.strip("/"), stat.S_IFCHR | 0o600, b"", major, minor)

    def _entry(self, path, mode, data, major=0, minor=0):
        parent = os.path.dirname(path)
        if parent and parent not in self._seen:
            self.directory(parent)
        self._seen.add(path)
        self._inode += 1
        self._parts.append(_record(path, mode, data, self._inode, major, minor))

    def bytes(self):
        body = b"".join(self._parts) + _record("TRAILER!!!", 0, b"", 0, 0, 0)
        return body + b"\0" * (-len(body) % ALIGN)


def _record(path, mode, data, inode, major, minor):
    name = path.encode() + b"\0"
    fields = (inode, mode, 0, 0, 1, 0, len(data), 0, 0, major, minor, len(name), 0)
    head = b"070701" + b"".join(b"%08x" % field for field in fields) + name
    return head + b"\0" * (-len(head) % 4) + data + b"\0" * (-len(data) % 4)
