obj-y += apps/libctest/main.c
obj-y += apps/libctest/library.c
obj-y += apps/libctest/memory.c
obj-y += apps/libctest/threads.c
