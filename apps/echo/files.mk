obj-y += apps/echo/main.c
