# The architecture's contract as a Linux process. These files are the guest's side, compiled and
# linked as everything else in the guest; sim/ is the hypervisor's and sees the host's C library
# (config/unix.mk). The entries from Xen and the report of a fault are those of the real guest.
obj-y += arch/unix/entry.S
obj-y += arch/unix/boot.c
obj-y += arch/unix/mm.c
obj-y += arch/unix/cpu.c
obj-y += arch/x86_64/traps.S
obj-y += arch/x86_64/trap.c
obj-$(if $(SANITIZE),y) += arch/unix/sanitize.c
obj-$(if $(PEERS),y) += tests/peers/shortage.c

# The hypervisor's side; with PEERS=1 the peers are those of tests/peers, which lie.
sim-y := $(addprefix arch/unix/sim/,gate.S memory.c domain.c hypercall.c trap.c event.c event_op.c \
	grant.c grant_map.c grant_copy.c vtime.c sched.c console.c store.c store_db.c store_op.c store_watch.c store_request.c \
	store_conn.c toolstack.c control.c nic.c disk.c blkback.c blkback_io.c vchan.c $(if $(PEERS),,peer.c) netback.c netback_tx.c netback_rx.c options.c report.c sanitize.c main.c)
sim-$(if $(PEERS),y) += $(addprefix tests/peers/,faults.c lies.c net_lies.c blk_lies.c vchan_lies.c store_lies.c)
