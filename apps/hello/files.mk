obj-y += apps/hello/main.c
