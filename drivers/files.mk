# Drivers: they fill the interfaces of kernel/ and lib/.
obj-y += drivers/console.c

obj-$(CONFIG_NETFRONT) += drivers/netfront.c
obj-$(CONFIG_NETFRONT) += drivers/netfront_bare.c
obj-$(CONFIG_NETFRONT) += drivers/netfront_page.c
obj-$(CONFIG_NETFRONT) += drivers/netfront_piece.c
obj-$(CONFIG_NETFRONT) += drivers/netfront_push.c
obj-$(CONFIG_NETFRONT) += drivers/netfront_rx.c
obj-$(CONFIG_NETFRONT) += drivers/netfront_store.c
obj-$(CONFIG_NETFRONT) += drivers/netfront_tx.c
ifdef CONFIG_SYSRQ
obj-$(CONFIG_NETFRONT) += drivers/netfront_sysrq.c
endif
# They hand lwIP's packet buffers to lib/net.
$(foreach part,netfront netfront_bare netfront_page netfront_piece netfront_push netfront_rx netfront_store \
	netfront_sysrq netfront_tx,\
	$(eval cflags-drivers/$(part).c := $$(LWIP_INCLUDES)))
