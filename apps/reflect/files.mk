obj-y += apps/reflect/main.c
