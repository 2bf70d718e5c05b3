# SPDX-License-Identifier: ISC
"""The benchmark: our guests beside Linux guests on one Xen, counted in instructions. See
docs/bench.md."""
