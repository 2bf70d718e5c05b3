obj-y += apps/selftest/main.c
