obj-y += apps/ringtest/main.c
obj-y += apps/ringtest/disk.c
obj-y += apps/ringtest/disk_ring.c
obj-y += apps/ringtest/disk_test.c
obj-y += apps/ringtest/vchan.c
obj-y += apps/ringtest/vchan_ends.c
obj-y += apps/ringtest/vchan_test.c
