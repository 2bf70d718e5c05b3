# What an app may link. Each subdirectory lists its own.
obj-$(CONFIG_SYMBOLS) += lib/symbols.c
include $(wildcard lib/*/files.mk)
