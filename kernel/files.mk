# The kernel proper: boot list, event loop, timers, pages, threads, log, the app's contract.
obj-y += kernel/main.c
obj-y += kernel/loop.c
obj-y += kernel/timer.c
obj-y += kernel/thread.c
obj-y += kernel/page.c
obj-y += kernel/log.c
obj-y += kernel/panic.c
obj-y += kernel/fmt.c
obj-y += kernel/cmdline.c
obj-y += kernel/errno.c
obj-y += kernel/random.c
obj-y += kernel/chacha.c
obj-y += kernel/heap.c
obj-$(CONFIG_STACK_PROTECTOR) += kernel/stackprotect.c
# The compiler calls it.
cflags-kernel/stackprotect.c := -fno-lto
obj-$(CONFIG_RANDOM_XENSTORE) += kernel/seed.c
obj-y += kernel/shutdown.c
obj-$(CONFIG_XENSTORE) += kernel/control.c
obj-$(CONFIG_XENSTORE) += kernel/publish.c
obj-$(CONFIG_SYSRQ) += kernel/sysrq.c
