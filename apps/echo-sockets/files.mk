obj-y += apps/echo-sockets/main.c
