# SPDX-License-Identifier: ISC
# Builds and runs the unit tests (tests/unit/files.mk) for the host, under ASan and UBSan.
# make unit: all of them, one line each. make unit TEST=x: tests/unit/test_x.c, with its output.

ifneq ($(call script,setup build unit >&2 && echo ready),ready)
$(error packages are missing, see above)
endif

U := $(OUT)/unit
HOST_CC ?= gcc
XEN_HEADERS ?= /usr/include/xen
$(shell mkdir -p $(U)/include && ln -sfn $(XEN_HEADERS) $(U)/include/xen)

# Sources of the tests may need lwIP's (unit-x-cflags := $(unit-lwip-cflags)).
unit-lwip = $(eval unit-lwip := $(call script,fetch lwip)$(call script,fetch --where lwip))$(unit-lwip)
unit-lwip-cflags = -Ilib/net/include -isystem $(unit-lwip)/src/include

include config/lwip-own.mk
include tests/unit/files.mk

unit-names := $(sort $(patsubst unit-%-srcs,%,$(filter unit-%-srcs,$(.VARIABLES))))
ifdef TEST
ifeq ($(filter $(TEST),$(unit-names)),)
$(error TEST=$(TEST): no such unit test; there are: $(unit-names))
endif
endif

unit-cflags := -std=gnu11 -g -O1 -fno-omit-frame-pointer -fsanitize=address,undefined \
	-fno-sanitize-recover=all -Wall -Wextra -Werror -Wno-unused-parameter -iquote . \
	-isystem $(U)/include -D__XEN_INTERFACE_VERSION__=0x00040e00 -DUNIT_TEST \
	$(shell pkg-config --cflags check)
unit-libs := $(shell pkg-config --libs check) -lm

$(U)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(shell $(HOST_CC) --version | head -n 1) $(subst ','\'',$(unit-cflags) $(lwip-own-cflags) $(foreach n,$(unit-names),$(unit-$(n)-cflags)))' > $@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@

# Objects are per test: each may be compiled with flags of its own.
define unit-rules
unit-$(1)-objects := $$(addprefix $(U)/$(1)/,$$(addsuffix .o,$$(subst $$(XENOLITH_CACHE)/,cache/,$$(unit-$(1)-srcs))))
$$(filter $(U)/$(1)/%,$$(unit-$(1)-objects)): unit-own := $$(unit-$(1)-cflags)
$(U)/$(1)/cache/%.o: $$(XENOLITH_CACHE)/% $(U)/flags
	@mkdir -p $$(@D)
	$$(Q)$(HOST_CC) $$(unit-cflags) $$(unit-own) $$(lwip-own) -w -MD -MP -MF $$(@:.o=.d) -c -o $$@ $$<
$(U)/$(1)/%.o: % $(U)/flags
	@mkdir -p $$(@D)
	$$(Q)$(HOST_CC) $$(unit-cflags) $$(unit-own) -MD -MP -MF $$(@:.o=.d) -c -o $$@ $$<
$(U)/test_$(1): $$(unit-$(1)-objects)
	$$(call say,TEST,$$@)
	$$(Q)$(HOST_CC) $$(unit-cflags) -o $$@ $$^ $$(unit-$(1)-libs) $$(unit-libs)
-include $$(unit-$(1)-objects:.o=.d)
endef
$(foreach n,$(unit-names),$(eval $(call unit-rules,$(n))))

unit-chosen := $(if $(TEST),$(TEST),$(unit-names))

# Each test has out/unit/ for itself to write in; CK_FORK lets a crash cost one case, not the rest.
unit: $(addprefix $(U)/test_,$(unit-chosen))
	@scripts/unit-run $(if $(TEST),--verbose) $^
