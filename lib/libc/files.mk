# What newlib needs of the kernel. The linker drops what an app does not use.
obj-y += lib/libc/malloc.c
obj-y += lib/libc/lock.c
obj-y += lib/libc/reent.c
obj-y += lib/libc/file.c
obj-y += lib/libc/console.c
obj-y += lib/libc/time.c
obj-y += lib/libc/process.c
obj-$(CONFIG_LIBC_STDIO_CONSOLE) += lib/libc/print.c
obj-$(CONFIG_APP_MAIN) += lib/libc/main.c
# Called by newlib.
$(foreach s,$(filter lib/libc/%,$(obj-y)),$(eval cflags-$(s) := -fno-lto))
