# Drivers: they fill the interfaces of kernel/ and lib/.
obj-y += drivers/console.c
