# What is specific to x86-64 under Xen.
obj-y += arch/x86_64/start.S
obj-y += arch/x86_64/traps.S
obj-y += arch/x86_64/boot.c
obj-y += arch/x86_64/mm.c
obj-y += arch/x86_64/trap.c
obj-y += arch/x86_64/cpu.c
obj-y += arch/x86_64/string.c
# The compiler calls these.
cflags-arch/x86_64/string.c := -fno-lto
