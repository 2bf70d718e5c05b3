# SPDX-License-Identifier: ISC
# lwIP: its sources stay in the cache and are compiled as part of each app that has a network, with
# the options in lib/net/include/lwipopts.h. lib/net/files.mk lists the files (lwip-y).
# Sets LWIP (the source directory), LWIP_INCLUDES and LWIP_WARNINGS; all empty without CONFIG_NET.

ifeq ($(CONFIG_NET),y)
LWIP := $(call script,fetch --where lwip)
LWIP_INCLUDES := -Ilib/net/include -isystem $(LWIP)/src/include
# Not our code: what it does that our rules forbid is not ours to change.
LWIP_WARNINGS := -Wno-parentheses-equality -Wno-shadow -Wno-undef -Wno-strict-prototypes -Wno-missing-prototypes \
	-Wno-old-style-definition -Wno-sign-compare -Wno-address -Wno-unused-but-set-variable \
	-Wno-implicit-fallthrough -Wno-tautological-constant-out-of-range-compare -Wno-vla -Wno-pointer-arith -Wno-write-strings

$(LWIP):
	@scripts/fetch lwip
endif
