# What Xen gives a guest, with types.
obj-y += xen/clock.c
obj-y += xen/evtchn.c
obj-$(CONFIG_XENBUS) += xen/gntmap.c
obj-$(CONFIG_XENBUS) += xen/gnttab.c
obj-$(CONFIG_XENBUS) += xen/lending.c
obj-$(CONFIG_XENSTORE) += xen/xenstore.c
obj-$(CONFIG_XENSTORE) += xen/xenstore_reply.c
obj-$(CONFIG_XENSTORE) += xen/xenstore_ops.c
obj-$(CONFIG_XENSTORE) += xen/xenstore_silence.c
obj-$(CONFIG_XENSTORE) += xen/xenstore_watch.c
obj-$(CONFIG_XENBUS) += xen/xenbus.c
obj-$(CONFIG_XENBUS) += xen/xenbus_state.c
