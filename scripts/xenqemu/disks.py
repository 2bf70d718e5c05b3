# SPDX-License-Identifier: ISC
"""DISK=: the disks of a guest, as scripts/xlcfg and scripts/run-unix take them."""

import os

DISKS_MAX = 16  # xvda to xvdp


def parse(value):
    """[(absolute path, read-only)] of "a.img,r:b.img". A ValueError says what is wrong."""
    disks = []
    for item in value.split(",") if value else []:
        read_only = item.startswith("r:")
        path = item[2:] if read_only else item
        if not path:
            raise ValueError("an entry is empty; paths are separated by ','")
        path = os.path.abspath(path)
        if not os.path.exists(path):
            raise ValueError(f"{path} does not exist")
        if os.path.isdir(path):
            raise ValueError(f"{path} is a directory")
        disks.append((path, read_only))
    if len(disks) > DISKS_MAX:
        raise ValueError(f"at most {DISKS_MAX} disks")
    return disks
