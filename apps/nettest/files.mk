obj-y += apps/nettest/main.c
