# SPDX-License-Identifier: ISC
# Builds the fuzz targets (tests/fuzz/files.mk) under ASan and UBSan: out/fuzz/NAME with libFuzzer, or
# with ENGINE=afl out/fuzz-afl/NAME for AFL++, or with ENGINE=coverage out/fuzz-coverage/NAME, which counts
# lines. scripts/fuzz runs them.

ENGINE ?= libfuzzer
F := $(OUT)/fuzz$(addprefix -,$(filter-out libfuzzer,$(ENGINE)))
FUZZ_CC := $(if $(filter afl,$(ENGINE)),afl-clang-fast,clang)
XEN_HEADERS ?= /usr/include/xen
$(shell mkdir -p $(F)/include && ln -sfn $(XEN_HEADERS) $(F)/include/xen)

fuzz-lwip = $(eval fuzz-lwip := $(call script,fetch lwip)$(call script,fetch --where lwip))$(fuzz-lwip)
fuzz-lwip-cflags = -Ilib/net/include -isystem $(fuzz-lwip)/src/include

include config/lwip-own.mk
include tests/fuzz/files.mk

fuzz-names := $(sort $(patsubst fuzz-%-srcs,%,$(filter fuzz-%-srcs,$(.VARIABLES))))

fuzz-sanitize := -fsanitize=address,undefined -fno-sanitize-recover=all
fuzz-cflags := -std=gnu11 -g -O1 -fno-omit-frame-pointer -fno-pie $(fuzz-sanitize) -Wall -Wextra -Werror \
	-Wno-unused-parameter -iquote . -Itests/fuzz/include -isystem $(F)/include \
	-D__XEN_INTERFACE_VERSION__=0x00040e00 -DUNIT_TEST

$(F)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(shell $(FUZZ_CC) --version | head -n 1) $(subst ','\'',$(fuzz-cflags) $(fuzz-foreign) $(lwip-own-cflags) $(fuzz-plain) $(foreach n,$(fuzz-names),$(fuzz-$(n)-cflags)))' > $@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@

# The guest's code in target $(1), source $(2): all of a target that has fuzz.c, but that file and the
# reader of inputs. Its variables go into sections of their own.
fuzz-guest = $(if $(filter tests/fuzz/fuzz.c,$(fuzz-$(1)-srcs)),$(filter-out $(fuzz-host),$(2)))
fuzz-sections := --rename-section .data=fuzz_data \
	--rename-section .bss=fuzz_bss,alloc,load,data,contents
# The hash is not what is tested, and under the sanitizers it would take four fifths of the time.
fuzz-plain := -fno-sanitize=all -O2
fuzz-measure = $(if $(filter $(host-mbedtls)/%,$(1)),$(fuzz-plain),$(if \
	$(filter-out tests/%,$(1))$(filter $(fuzz-measured),$(1)),-fsanitize=fuzzer-no-link $(fuzz-profile)))
fuzz-profile := $(if $(filter coverage,$(ENGINE)),-fprofile-instr-generate -fcoverage-mapping)
# lwIP takes the address of a member of NULL, to find NULL there; ASan sees whether it is used.
fuzz-foreign = -w -fno-sanitize=null $(lwip-own)
define fuzz-compile
	@mkdir -p $$(@D)
	$$(Q)$$(FUZZ_CC) $$(fuzz-cflags) $$(fuzz-$(1)-cflags) $$(call fuzz-measure,$$<) \
		$$(if $$(call fuzz-guest,$(1),$$<),-include tests/fuzz/heap.h) $(2) \
		-MD -MP -MF $$(@:.o=.d) -c -o $$@ $$<
	$$(if $$(call fuzz-guest,$(1),$$<),$$(Q)objcopy $$(fuzz-sections) $$@)
endef

define fuzz-rules
fuzz-$(1)-objects := $$(addprefix $(F)/$(1).o/,$$(addsuffix .o,$$(subst $$(XENOLITH_CACHE)/,cache/,$$(fuzz-$(1)-srcs))))
$(F)/$(1).o/cache/%.o: $$(XENOLITH_CACHE)/% $(F)/flags
$(call fuzz-compile,$(1),$$(fuzz-foreign))
$(F)/$(1).o/%.o: % $(F)/flags
$(call fuzz-compile,$(1),)
$(F)/$(1): $$(fuzz-$(1)-objects)
	$$(call say,FUZZ,$$@)
	$$(Q)$(FUZZ_CC) $(fuzz-sanitize) $(fuzz-profile) -fsanitize=fuzzer -no-pie -o $$@ $$^ $$(fuzz-$(1)-libs)
-include $$(fuzz-$(1)-objects:.o=.d)
endef
$(foreach n,$(fuzz-names),$(eval $(call fuzz-rules,$(n))))

.PHONY: fuzz-build
fuzz-build: $(addprefix $(F)/,$(fuzz-names))
