# SPDX-License-Identifier: ISC
"""Xen on QEMU: a real Xen, a small Linux dom0 with xl and PV guests, inside an unprivileged
process. See docs/xen-on-qemu.md."""
