obj-y += apps/growth/main.c apps/growth/timers.c apps/growth/threads.c
