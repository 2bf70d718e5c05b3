# SPDX-License-Identifier: ISC
# newlib, built once into the cache for each combination of version, options, flags and compiler.
# Sets NEWLIB (the directory with include/ and lib/), NEWLIB_DEFINES and NEWLIB_LDFLAGS.
#
# Its flags are the guest's, but hosted and free to use the vector registers in floating point;
# no vectorised loops, so that memcpy and its like leave them alone when the kernel calls them.

NEWLIB_SOURCE := $(call script,fetch --where newlib)
NEWLIB_CC := $(CROSS_COMPILE)gcc
# Each thread has its own struct _reent: __getreent() is the kernel's (lib/libc). The others are what
# newlib's headers ask a system for: POSIX's type for read() and write(), clocks, room for sockets
# in an fd_set.
NEWLIB_DEFINES := -D__DYNAMIC_REENT__ -D_READ_WRITE_RETURN_TYPE=_ssize_t \
	-D_POSIX_TIMERS=200809L -D_POSIX_MONOTONIC_CLOCK=200809L -DFD_SETSIZE=256
NEWLIB_CFLAGS := -Oz -g0 -ffreestanding -fbuiltin -m64 $(STACK_ALIGNMENT) -mno-red-zone -fno-pic -fno-pie \
	-fcf-protection=none -ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables \
	-fno-omit-frame-pointer -fno-stack-protector -fno-tree-vectorize -fno-tree-slp-vectorize \
	-mstringop-strategy=libcall \
	-U__linux__ -U__linux -Ulinux -U__unix__ -U__unix -Uunix \
	$(NEWLIB_DEFINES) -DGETREENT_PROVIDED
# The locks are the kernel's (retargetable); malloc is newlib's full one, for lwIP runs on it.
NEWLIB_OPTIONS := --enable-newlib-retargetable-locking --enable-lite-exit --disable-newlib-wide-orient \
	--disable-newlib-nano-malloc --enable-newlib-io-long-long --enable-newlib-io-c99-formats \
	$(if $(CONFIG_LIBC_STDIO_FULL),,--enable-newlib-nano-formatted-io)
# lib/libc/malloc.c looks at each pointer before newlib frees it.
NEWLIB_LDFLAGS := --wrap=_free_r $(if $(CONFIG_LIBC_PRINTF_FLOAT),-u _printf_float) \
	$(if $(CONFIG_LIBC_SCANF_FLOAT),-u _scanf_float)

newlib-key := $(shell { echo '$(NEWLIB_SOURCE:$(XENOLITH_CACHE)/%=%) $(NEWLIB_OPTIONS) $(NEWLIB_CFLAGS)'; \
	$(NEWLIB_CC) --version; cat scripts/newlib; } 2>&1 | sha256sum | cut -c 1-12)
NEWLIB := $(XENOLITH_CACHE)/build/newlib-$(newlib-key)

$(NEWLIB):
	@scripts/fetch newlib
	@CROSS_COMPILE='$(CROSS_COMPILE)' NEWLIB_CC='$(NEWLIB_CC)' NEWLIB_CFLAGS='$(NEWLIB_CFLAGS)' \
		NEWLIB_OPTIONS='$(NEWLIB_OPTIONS)' scripts/newlib '$(NEWLIB_SOURCE)' '$@'
