# SPDX-License-Identifier: ISC
# Builds one app: $(OUT)/$(APP).elf (for the debugger), $(OUT)/$(APP) (the image), $(OUT)/$(APP).gz (the
# same compressed, which xl boots) and $(OUT)/$(APP).cfg (its domain configuration); with TARGET=unix
# $(OUT)/$(APP).unix, a program.

ifeq ($(APP),)
$(error name the app, as in: make APP=hello. The apps: $(apps))
endif
ifneq ($(call script,setup build >&2 && echo ready),ready)
$(error packages are missing, see above)
endif

SANITIZE ?=
sanitize := -fsanitize=address,undefined -fno-sanitize-recover=all

# C holds the configuration, the same for every target; O what is built.
C := $(OUT)/obj/$(APP)
O := $(C)

.PHONY: app size checked
ifeq ($(TARGET),unix)
ARCH := unix
ifneq ($(filter size,$(goals)),)
$(error TARGET=unix: make size counts the bytes of an image for Xen)
endif
flavour := .unix$(if $(SANITIZE),.san)$(if $(PEERS),.peers)$(if $(COVERAGE),.cov)
O := $(C)$(flavour)
app: $(OUT)/$(APP)$(flavour)
else ifneq ($(TARGET),)
$(error TARGET=$(TARGET): it is unix, or empty for a Xen guest)
else
app: $(OUT)/$(APP) $(OUT)/$(APP).gz $(OUT)/$(APP).elf $(OUT)/$(APP).cfg
endif

# --- Configuration ---------------------------------------------------------------------------
# config.mk sets CONFIG_x (y or empty); config.h does the same for C. Options given on the command
# line (CONFIG_X=n) hold for this build alone. make restarts itself when config.mk changes.

overrides := $(foreach v,$(sort $(filter CONFIG_%,$(given))),'$(v)=$(subst ','\'',$(value $(v)))')
$(shell mkdir -p $(C) $(O))
ifneq ($(call script,kconfig.py generate $(APP) $(overrides) >&2 && echo done),done)
$(error the configuration of $(APP) was refused, see above)
endif
include $(C)/config.mk

# --- Tools -----------------------------------------------------------------------------------
# GNU tools with the prefix CROSS_COMPILE; CC=clang takes clang, LLVM=1 its linker and tools too.

CROSS_COMPILE ?= x86_64-linux-gnu-
ifdef LLVM
CC := clang
LD := ld.lld
else
ifeq ($(origin CC),default)
CC := $(CROSS_COMPILE)gcc
endif
LD := $(CROSS_COMPILE)ld
endif
OBJCOPY := $(CROSS_COMPILE)objcopy
NM := $(CROSS_COMPILE)nm
is-clang := $(findstring clang,$(CC))
ifeq ($(shell command -v $(firstword $(CC))),)
$(error no compiler '$(firstword $(CC))': run scripts/setup, or set CROSS_COMPILE= or CC=)
endif
cc-version := $(shell $(CC) --version | head -n 1)

# A guest's stack is aligned to 8 bytes, not to the ABI's 16 which only vector registers want: a function
# that saves some aligns its frame itself. All of the guest must agree, newlib too; a process is the host's.
STACK_ALIGNMENT := $(if $(TARGET),,-mpreferred-stack-boundary=3)

include config/newlib.mk
include config/lwip.mk
include config/lwip-own.mk
include config/mbedtls.mk

# --- Flags -----------------------------------------------------------------------------------

# Headers: ours from the top of the tree, the compiler's, newlib's, and Xen's public ones by way of
# a directory that holds nothing but a link to them. Nothing of the host's C library.
XEN_HEADERS ?= /usr/include/xen
$(shell mkdir -p $(O)/include && ln -sfn $(XEN_HEADERS) $(O)/include/xen)
includes := -iquote . -nostdinc -isystem $(shell $(CC) -print-file-name=include) \
	-isystem $(NEWLIB)/include -isystem $(O)/include
defines := -include $(C)/config.h -D__XEN_INTERFACE_VERSION__=0x00040e00 $(NEWLIB_DEFINES)

warnings := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wold-style-definition -Wundef -Wvla -Wpointer-arith -Wwrite-strings -Wno-unused-parameter

# The image runs at a low, fixed address, in ring 3 under Xen, on stacks that an upcall shares: no
# red zone. A PV guest has no thread segment for the canary, hence a global one. The prefix maps and
# -g without record of switches keep the place of the tree out of the image.
cflags := -std=gnu11 -g -gno-record-gcc-switches -m64 -mno-red-zone -fno-pic -fno-pie \
	-fcf-protection=none -ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables \
	-fno-unwind-tables -fno-strict-aliasing -U__linux__ -U__linux -Ulinux -U__unix__ -U__unix \
	-Uunix -ffile-prefix-map=$(XENOLITH_CACHE)=cache -ffile-prefix-map=$(abspath $(OUT))=out \
	-ffile-prefix-map=$(CURDIR)=.
cflags += $(if $(CONFIG_OPTIMIZE_SIZE),-Oz)$(if $(CONFIG_OPTIMIZE_SPEED),-O2)$(if $(CONFIG_OPTIMIZE_DEBUG),-Og)
# At -Oz gcc copies and clears with a byte-wise `rep` in line, even a page: one instruction a byte.
# A call of arch/x86_64/string.c does eight.
cflags += $(if $(is-clang),,-mstringop-strategy=libcall)
# Two habits that cost bytes and save nothing here: arrays at multiples of 32 bytes, tables of addresses for `switch`.
cflags += $(if $(is-clang),,$(if $(CONFIG_OPTIMIZE_SIZE),-malign-data=abi -fno-jump-tables))
# More that saves a few bytes each, and makes some paths longer: a switch between threads takes 189 instructions, not 179.
cflags += $(if $(is-clang),,$(if $(CONFIG_SMALL),-fno-partial-inlining -fno-tree-loop-im -fno-shrink-wrap -fno-if-conversion))
# A frame of more than a page must not step over the guard page: it touches every page on its way.
cflags += -fstack-clash-protection
cflags += $(if $(CONFIG_FRAME_POINTER),-fno-omit-frame-pointer,-fomit-frame-pointer)
cflags += $(if $(CONFIG_STACK_PROTECTOR),-fstack-protector$(if $(CONFIG_STACK_PROTECTOR_STRONG),-strong) -mstack-protector-guard=global,-fno-stack-protector)
ifeq ($(TARGET),unix)
defines += -DCONFIG_ARCH_UNIX=1
ifneq ($(SANITIZE),)
defines += -DCONFIG_SANITIZE=1
cflags += $(sanitize)
endif
cflags += $(if $(COVERAGE),--coverage)
endif
cflags += $(if $(is-clang),$(if $(TARGET),,-mstack-alignment=8),$(STACK_ALIGNMENT))
# gcc compiles all of a guest as one (LTO): what is called once goes where it is called, an argument that
# is always the same goes away. Files that say -fno-lto (cflags-PATH) have what only newlib or the
# compiler calls, which is not known by then. (Version 5 of DWARF: addr2line misses the first file's name.)
lto := $(if $(TARGET)$(is-clang),,$(if $(CONFIG_LTO),-flto -flto-partition=one -gdwarf-4))
cflags += $(lto)
cflags += $(if $(is-clang),--target=$(patsubst %-,%,$(notdir $(CROSS_COMPILE))))

# The kernel side keeps out of the vector registers: Xen switches them lazily, and the upcall saves
# none. Freestanding, yet with the compiler's knowledge of memcpy and its like (gcc only).
kernel-cflags := -ffreestanding $(if $(is-clang),,-fbuiltin) -mgeneral-regs-only \
	$(if $(SANITIZE),,-Wframe-larger-than=2048)

compile = $(CC) $(cflags) $(warnings) $(defines) $(includes)
compile-kernel = $(compile) $(kernel-cflags)
# lib and apps see lwIP's headers as well, when there is a network.
compile-lib = $(compile-kernel) $(LWIP_INCLUDES)
compile-app = $(compile) $(LWIP_INCLUDES)
compile-lwip = $(compile-kernel) $(LWIP_INCLUDES) -include lib/net/include/lwipaddr.h $(LWIP_WARNINGS) $(lwip-own)
compile-mbedtls = $(compile-kernel) $(MBEDTLS_INCLUDES) -w

# --- Sources ---------------------------------------------------------------------------------
# obj-y: paths from the top, .c or .S. gen/x.c is a source some rule makes as $(O)/gen/x.c.
# lwip-y, mbedtls-y: paths below lwIP's src/ and mbedTLS's library/. cflags-PATH: additional flags for one source.
# first: what is made before the guest's sources are fetched or compiled, as it finds the user's mistakes.

obj-y :=
lwip-y :=
mbedtls-y :=
first := $(if $(TARGET),,$(OUT)/$(APP).cfg)
include arch/$(ARCH)/files.mk
include $(wildcard xen/files.mk kernel/files.mk drivers/files.mk lib/files.mk)
include apps/$(APP)/files.mk

sources := $(sort $(obj-y)) $(addprefix lwip/,$(sort $(lwip-y))) $(addprefix mbedtls/,$(sort $(mbedtls-y)))
objects := $(patsubst %,$(O)/%.o,$(sources))

$(objects) $(NEWLIB) $(LWIP) $(MBEDTLS): | $(first)

# --- Compiling -------------------------------------------------------------------------------
# Each object depends on the headers it read last time (its .d file), which config.h is among, and
# on the flags, which this file holds as text and rewrites when they change. Another XEN_HEADERS=
# moves a link; the headers behind it may well be older than the objects.

flags-text := $(cc-version) $(XEN_HEADERS) $(compile-kernel) $(compile-lib) $(compile-app) $(compile-lwip) $(lwip-own-cflags) $(compile-mbedtls) $(strip $(foreach s,$(obj-y),$(cflags-$(s))))
$(O)/flags: FORCE
	@echo '$(subst ','\'',$(flags-text))' | cmp -s - $@ || echo '$(subst ','\'',$(flags-text))' > $@

depend = -MD -MP -MF $(@:.o=.d)
define compile-rule
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(1) $(cflags-$(2)) $(depend) -c -o $@ $<
endef

$(O)/%.c.o: %.c $(O)/flags $(NEWLIB)
	$(call compile-rule,$(compile-kernel),$<)
$(O)/%.S.o: %.S $(O)/flags $(NEWLIB)
	$(call compile-rule,$(compile-kernel) -D__ASSEMBLY__,$<)
$(O)/lib/%.c.o: lib/%.c $(O)/flags $(NEWLIB) $(LWIP) $(MBEDTLS)
	$(call compile-rule,$(compile-lib),$<)
$(O)/apps/%.c.o: apps/%.c $(O)/flags $(NEWLIB) $(LWIP)
	$(call compile-rule,$(compile-app),$<)
$(O)/gen/%.c.o: $(O)/gen/%.c $(O)/flags $(NEWLIB) $(LWIP)
	$(call compile-rule,$(compile-app),gen/$*.c)
$(O)/lwip/%.c.o: $(O)/flags $(NEWLIB) $(LWIP)
	@mkdir -p $(@D)
	$(call say,CC,lwip/$*.c)
	$(Q)$(compile-lwip) $(depend) -c -o $@ $(LWIP)/src/$*.c
$(O)/mbedtls/%.c.o: $(O)/flags $(NEWLIB) $(MBEDTLS)
	@mkdir -p $(@D)
	$(call say,CC,mbedtls/$*.c)
	$(Q)$(compile-mbedtls) $(depend) -c -o $@ $(MBEDTLS)/library/$*.c

-include $(objects:.o=.d)

# --- Linking ---------------------------------------------------------------------------------

ifeq ($(TARGET),unix)
include config/unix.mk
else
ldflags := -m elf_x86_64 -nostdlib -static -z noexecstack -z max-page-size=4096 --nmagic --build-id=none \
	--gc-sections --fatal-warnings $(NEWLIB_LDFLAGS)
libraries := --start-group $(NEWLIB)/lib/libc.a $(NEWLIB)/lib/libm.a \
	$(wildcard $(shell $(CC) -print-libgcc-file-name)) --end-group
link = $(LD) $(ldflags) -T $(O)/link.lds -Map $(@:.elf=.map) -o $@ $(linked)
link-inputs := $(objects) $(O)/link.lds $(O)/objects

# With LTO the code of most objects is in one, which gcc makes for a first link; -save-temps leaves it, and
# beside each object the debugging information of its source. The links proper take these.
linked := $(objects)
ifneq ($(lto),)
comma := ,
space := $(subst x,,x x)
whole := $(foreach s,$(filter %.c,$(sources)),$(if $(filter -fno-lto,$(cflags-$(s))),,$(O)/$(s).o))
linked := $(O)/whole.o $(filter-out $(whole),$(objects)) $(whole:=.debug.temp.o)
$(O)/whole.o: $(link-inputs) $(if $(CONFIG_SYMBOLS),$(O)/symtab-0.o)
	$(call say,LTO,$@)
	$(Q)$(CC) $(cflags) -save-temps -nostdlib -static -no-pie -Wl,$(subst $(space),$(comma),$(strip $(ldflags))) \
		-T $(O)/link.lds -o $(O)/whole.elf $(filter %.o,$^) $(patsubst --%,-Wl$(comma)--%,$(libraries))
	$(Q)mv $(O)/whole.elf.ltrans0.ltrans.o $@
	$(Q)rm $(O)/whole.elf*
link-inputs += $(O)/whole.o
endif
endif

$(O)/link.lds: arch/$(ARCH)/link.lds.S $(O)/flags $(C)/config.h
	$(Q)$(compile-kernel) -D__ASSEMBLY__ -E -P -x assembler-with-cpp -MD -MP -MT $@ -MF $(O)/link.d -o $@ $<
-include $(O)/link.d

# A list of the objects, so that dropping one from files.mk links again.
$(O)/objects: FORCE
	@echo '$(LD) $(ldflags) $(objects)' | cmp -s - $@ || echo '$(LD) $(ldflags) $(objects)' > $@

# A source that an app names and does not have is said here, and not by what would have compiled it.
missing := $(filter-out gen/%,$(filter %.c %.S,$(sort $(obj-y))))
missing := $(filter-out $(wildcard $(missing)),$(missing))
ifneq ($(missing),)
$(error $(missing): there is no such source. A files.mk names it; names begin at the top: apps/$(APP)/main.c)
endif

# The function by which the kernel enters the app, looked for before a linker does, which would name
# kernel/main.c, and not what is to be done in the app.
entry := $(if $(CONFIG_APP_MAIN),main,app_init)
no-app_init := define it, or main() with "select APP_MAIN" in apps/$(APP)/Kconfig
no-main := apps/$(APP)/Kconfig selects APP_MAIN; without that, define app_init()
$(O)/entry: $(objects) $(O)/objects
	@$(NM) $(objects) >$@.nm 2>$@.said || { cat $@.said >&2; exit 1; }
	@grep -q ' T $(entry)$$' $@.nm || { \
		echo 'APP=$(APP): there is no $(entry)(): $(no-$(entry)) (docs/apps.md)' >&2; exit 1; }
	@touch $@
$(O)/whole.o $(O)/pass1.elf $(O)/pass2.elf $(O)/image.elf $(O)/guest.o: | $(O)/entry

ifeq ($(CONFIG_SYMBOLS),y)
# The table of symbols is made from a link without it. Its own size moves what lies behind rodata, so
# it is made once more from a second link; the image is refused should the third one still move.
symtab = $(NM) -n $(1) | scripts/symbols.py
$(O)/symtab-0.c: scripts/symbols.py
	$(Q)scripts/symbols.py --empty > $@
$(O)/symtab-1.c $(O)/symtab-2.c: $(O)/symtab-%.c: $(O)/pass%.elf
	$(Q)$(call symtab,$<) > $@
$(O)/symtab-%.o: $(O)/symtab-%.c $(O)/flags $(NEWLIB)
	$(Q)$(compile-kernel) -fno-lto $(depend) -c -o $@ $<
-include $(O)/symtab-0.d $(O)/symtab-1.d $(O)/symtab-2.d
$(O)/pass1.elf: $(O)/symtab-0.o
$(O)/pass2.elf: $(O)/symtab-1.o
$(O)/image.elf: $(O)/symtab-2.o
$(O)/pass1.elf $(O)/pass2.elf $(O)/image.elf: $(link-inputs)
	@$(if $(filter %/image.elf,$@),printf '  %-8s %s\n' LD $@,:)
	$(Q)$(link) $(filter $(O)/symtab-%.o,$^) $(libraries)
	@$(if $(filter %/image.elf,$@),$(call symtab,$@) | cmp -s - $(O)/symtab-2.c || { \
		echo 'the symbol table does not settle: see $@.bad' >&2; mv $@ $@.bad; exit 1; },:)
else
$(O)/image.elf: $(link-inputs)
	$(call say,LD,$@)
	$(Q)$(link) $(libraries)
endif

$(OUT)/$(APP).elf: $(O)/image.elf
	$(Q)cp $< $@

# The configuration is made first, for what is wrong in it, and again here: memory= depends on the
# image. What xlcfg has to say it has said then. gzip stores neither the file's name nor its time, and
# listens to no GZIP= of the environment: the same image gives the same bytes. Both are there whole or not at all,
# should make be killed.
xlcfg = scripts/xlcfg $(APP) $(foreach v,$(filter NAME KERNEL,$(given)),'$(v)=$(subst ','\'',$(value $(v)))')
$(OUT)/$(APP) $(OUT)/$(APP).gz &: $(O)/image.elf
	$(Q)$(OBJCOPY) --strip-all $< $(OUT)/$(APP).new
	$(Q)GZIP= gzip -9n <$(OUT)/$(APP).new >$(OUT)/$(APP).gz.new
	$(Q)mv $(OUT)/$(APP).new $(OUT)/$(APP) && mv $(OUT)/$(APP).gz.new $(OUT)/$(APP).gz
	$(Q)$(xlcfg) 2>$(O)/xlcfg.said || { cat $(O)/xlcfg.said >&2; exit 1; }
	@printf '  %-8s %s, %s bytes; %s, %s\n' IMAGE $$(stat -c '%n %s' $(OUT)/$(APP) $(OUT)/$(APP).gz)

$(OUT)/$(APP).cfg: FORCE
	$(Q)$(xlcfg)

size: app
	@READELF=$(CROSS_COMPILE)readelf scripts/size $(O)/image.map $(OUT)/$(APP).elf $(OUT)/$(APP)

# For "make run": the configuration is there by now, and nothing else.
checked:
	@scripts/$(runner) --check $(APP)
