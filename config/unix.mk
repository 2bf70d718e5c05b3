# SPDX-License-Identifier: ISC
# TARGET=unix: links the app as a program, $(OUT)/$(APP).unix (docs/simulator.md). Included by build.mk
# in place of the guest's link.
#
# The guest, its libc included, becomes one relocatable object whose only global symbol is
# guest_image: so it cannot clash with the host's libc, and what it lacks is seen here. What it can do
# without (weak symbols) is renamed, lest the host's be taken for it. The simulated hypervisor is
# compiled for the host and linked with it.

ifneq ($(SANITIZE),)
# newlib's heap gives way to AddressSanitizer's (arch/unix/sanitize.c).
objects := $(filter-out %/lib/libc/malloc.c.o,$(objects))
cflags-arch/unix/sanitize.c := -fno-sanitize=all
endif

# --- The guest -------------------------------------------------------------------------------

guest-ldflags := -m elf_x86_64 -r --gc-sections -u guest_image -z noexecstack \
	$(if $(SANITIZE),$(filter-out --wrap=%,$(NEWLIB_LDFLAGS)),$(NEWLIB_LDFLAGS)) \
	$(if $(PEERS),--wrap=page_alloc --wrap=page_alloc_zeroed --wrap=net_mem_alloc --wrap=net_mem_calloc)
guest-libraries := --start-group $(NEWLIB)/lib/libc.a $(NEWLIB)/lib/libm.a \
	$(shell $(CC) -print-libgcc-file-name) --end-group
# What the guest may ask of the rest.
guest-asks := gate|symbol_[a-z_]+
guest-asks := $(guest-asks)$(if $(SANITIZE),|host_[a-z_]+|__(asan|ubsan|sanitizer|odr_asan)_.*)
guest-asks := $(guest-asks)$(if $(PEERS),|peer_no_memory)
guest-asks := $(guest-asks)$(if $(COVERAGE),|__gcov_.*)

$(O)/guest.o: $(objects) $(O)/link.lds $(O)/objects
	$(call say,LD,$@)
	$(Q)$(LD) $(guest-ldflags) -T $(O)/link.lds -o $@.all $(objects) $(guest-libraries)
	$(Q)if $(NM) -u $@.all | grep -Ev '^ +(U ($(guest-asks))|[wv] .*)$$'; then \
		echo 'the guest lacks these' >&2; exit 1; fi
	$(Q)$(NM) -u $@.all | awk '$$1 != "U" { print $$2, "guest_lacks_" $$2 }' > $@.weak
	$(Q)$(OBJCOPY) --keep-global-symbol=guest_image --redefine-syms=$@.weak $@.all $@
	@rm $@.all

# --- The simulation --------------------------------------------------------------------------

sim-objects := $(patsubst %,$(O)/%.o,$(sim-y))
sim-cflags := -std=gnu11 -g -O2 -fno-omit-frame-pointer -fno-pie $(warnings) -iquote . \
	-isystem $(O)/include -D__XEN_INTERFACE_VERSION__=0x00040e00 \
	$(if $(SANITIZE),$(sanitize) -DCONFIG_SANITIZE=1) $(if $(COVERAGE),-DCONFIG_COVERAGE=1)

flags-text += $(sim-cflags)
$(sim-objects): $(O)/%.o: % $(O)/flags
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(sim-cflags) $(if $(filter %.S,$<),-D__ASSEMBLY__) $(depend) -c -o $@ $<

-include $(sim-objects:.o=.d)

# --- The program -----------------------------------------------------------------------------

libraries :=
ldflags := -no-pie $(if $(SANITIZE),$(sanitize)) $(if $(COVERAGE),--coverage)
link = $(CC) $(ldflags) -o $@ $(O)/guest.o $(sim-objects)
link-inputs := $(O)/guest.o $(sim-objects) $(O)/objects

$(OUT)/$(APP)$(flavour): $(O)/image.elf
	$(Q)cp --remove-destination $< $@ # the old one may be running
	@printf '  %-8s %s\n' PROGRAM $@

# --- Tools -----------------------------------------------------------------------------------

# The network of who may not have a TAP device (scripts/run-unix).
$(OUT)/host/slirp: arch/unix/host/slirp.c
	@scripts/setup --check slirp
	@mkdir -p $(@D)
	$(call say,HOSTCC,$@)
	$(Q)gcc -std=gnu11 -O2 -g -Wall -Wextra -Werror -o $@ $< -lslirp
