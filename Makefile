# SPDX-License-Identifier: ISC
# Xenolith. `make help` lists what can be asked for.
#
# This file dispatches; the rules that build an app are in config/build.mk, those of the host-side
# tests in tests/unit/files.mk. Sources are listed by the files.mk of each directory.

.DEFAULT_GOAL := $(if $(APP),app,help)
.DELETE_ON_ERROR:
.SUFFIXES:
# As many jobs as there are processors; a -j of the caller's wins. Not for two goals, which may be
# "clean" and what is to follow it; a make below this one takes its share of this one's jobs.
jobs := $(if $(filter-out 0,$(MAKELEVEL))$(word 2,$(MAKECMDGOALS)),,-j$(shell nproc))
MAKEFLAGS += --no-builtin-rules --no-print-directory $(jobs)

# The variables there are: each NAME= in the help, and the options. Another one on the command line is
# a mistake, which would have no effect. A make above this one may have variables of its own.
help-words := $(subst =,= ,$(file <config/help.txt))
known := CONFIG_% SHELL MAKE $(patsubst %=,%,$(filter %=,$(help-words)))
given := $(strip $(foreach v,$(.VARIABLES),$(if $(filter command,$(origin $(v))),$(v))))
unknown := $(if $(filter 0,$(MAKELEVEL)),$(filter-out $(known),$(given)))
# The one of $(2) that is meant by $(1), with $(3) behind it; or nothing.
meant = $(patsubst %,did you mean %$(3)? ,$(shell /usr/bin/python3 -c 'import difflib, sys; \
	words = {word.upper(): word for word in sys.argv[2:]}; \
	print(*(words[word] for word in difflib.get_close_matches(sys.argv[1].upper(), words, 1)))' \
	'$(subst ','\'',$(1))' $(2) 2>/dev/null))
ifneq ($(unknown),)
unknown := $(firstword $(unknown))
$(error $(unknown)=: no such variable; $(call meant,$(unknown),$(known),=)make help names them)
endif

# An app's name as a goal, as in "make run dns". A goal of that name is the goal.
apps := $(sort $(notdir $(patsubst %/Kconfig,%,$(wildcard apps/*/Kconfig))))
phony := help apps app menuconfig defconfig olddefconfig savedefconfig run bench profile setup fetch test unit fuzz \
	coverage lint format clean distclean
stray := $(filter-out $(phony),$(filter $(apps),$(MAKECMDGOALS)))
ifneq ($(stray),)
$(error name the app with APP=, as in: make $(strip $(filter-out $(stray),$(MAKECMDGOALS)) \
	APP=$(firstword $(stray))))
endif

# Where things go. The cache holds what is fetched and built once: sources, newlib, test images.
# OUT= counts on the command line alone: other build systems leave theirs in the environment.
ifneq ($(origin OUT),command line)
override OUT := out
endif
ARCH := x86_64
CACHE := $(or $(XENOLITH_CACHE),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/xenolith)
export XENOLITH_CACHE := $(abspath $(CACHE))
export XENOLITH_OUT := $(OUT)

# make splits words at blanks, and paths become part of shell commands and compiler options.
awkward := ' " ` $$ \ * ? ; & | < > ( ) [ ] : % = ~ , \#
trouble = $(strip $(filter-out 1,$(words $(1))) $(foreach c,$(awkward),$(findstring $(c),$(1))))
ifneq ($(call trouble,$(OUT))$(filter /,$(abspath $(OUT))),)
$(error OUT=$(OUT): name a directory, without blanks and any of $(awkward))
endif
ifneq ($(call trouble,$(CURDIR))$(call trouble,$(XENOLITH_CACHE)),)
$(error make cannot work with blanks or any of $(awkward) in a path: move the tree \
	($(CURDIR)), or set XENOLITH_CACHE (now $(CACHE)))
endif

# Scripts that make calls while it reads its files; it does not give those what it exports.
script = $(shell XENOLITH_OUT='$(OUT)' XENOLITH_CACHE='$(XENOLITH_CACHE)' DISTDIR='$(DISTDIR)' \
	SETUP='$(SETUP)' scripts/$(1))

# V=1 shows commands.
Q := $(if $(V),,@)
say = @printf '  %-8s %s\n' '$(1)' '$(2)'

# Goals that need an app's configuration and rules; all others run without them.
app-goals := app size checked
config-goals := menuconfig defconfig olddefconfig savedefconfig
fuzz-goals := $(OUT)/fuzz/% $(OUT)/fuzz-afl/% $(OUT)/fuzz-coverage/%
goals := $(or $(MAKECMDGOALS),$(.DEFAULT_GOAL))

# Names that do not exist are refused here: before anything is installed or built, or another build waited for.
# A makefile that includes this one may have goals of its own.
known-goals := $(phony) size compile_commands.json
unknown := $(firstword $(filter-out $(known-goals) checked fuzz-build host-dns $(OUT)/%,$(goals)))
ifneq ($(if $(filter Makefile,$(firstword $(MAKEFILE_LIST))),$(unknown)),)
$(error $(unknown): no such goal; $(call meant,$(unknown),$(known-goals))make help names them)
endif
ifneq ($(filter $(app-goals) $(config-goals) run profile $(OUT)/%,$(filter-out $(fuzz-goals),$(goals))),)
unknown := $(if $(APP),$(filter-out 1,$(words $(APP)))$(filter-out $(apps),$(APP)))
# A folder of that name which is no app yet: what it lacks.
folder := $(if $(filter 1,$(words $(APP))),$(filter $(patsubst apps/%/.,%,$(wildcard apps/*/.)),$(APP)))
lacking := $(if $(folder),$(filter-out $(wildcard apps/$(APP)/*),apps/$(APP)/Kconfig apps/$(APP)/files.mk))
ifneq ($(lacking),)
$(error APP=$(APP): there is no $(subst $() , and no ,$(lacking)); docs/apps.md says what makes an app)
endif
ifneq ($(unknown),)
$(error APP=$(APP): no such app; $(call meant,$(APP),$(apps))there are: $(apps))
endif
endif

# What one goal takes under a name, another takes under a name like it.
astray = $(if $(and $(filter 0,$(MAKELEVEL)),$(filter $(1),$(goals)),$(filter $(2),$(given))), \
	$(if $(filter $(3),$(given))$(filter $(4),$(goals)),,$(error $(2)=: make $(1) takes $(3)=; see make help)))
$(call astray,bench,ROW,ROWS,profile)$(call astray,profile,ROWS,ROW,bench)$(call astray,test,TEST,TESTS,unit)
ifneq ($(and $(filter run bench profile test,$(goals)),$(XENOLITH_ACCEL),$(if $(filter-out tcg kvm,$(XENOLITH_ACCEL)),1)),)
$(error XENOLITH_ACCEL=$(XENOLITH_ACCEL): tcg or kvm; without it, what works here is found out)
endif

# A directory of the build's holds this file; make builds in no other, and clean removes no other.
# out/ is the build's whatever it holds. Its .gitignore keeps all of it from git.
mark := $(OUT)/.xenolith
ifneq ($(filter-out help apps setup fetch lint format clean distclean,$(goals)),)
ifneq ($(shell [ -e $(mark) ] || { [ '$(OUT)' != out ] && ls -A $(OUT) 2>/dev/null | grep .; } || \
	{ mkdir -p $(OUT) && echo '*' >$(OUT)/.gitignore && touch $(mark); } || echo no),)
$(error OUT=$(OUT): it holds other things than what make builds; name an empty or a new directory)
endif
endif

ifneq ($(filter $(app-goals) $(OUT)/%,$(filter-out $(fuzz-goals),$(goals))),)
include config/build.mk
endif
ifneq ($(filter unit $(OUT)/unit/%,$(goals)),)
include config/unit.mk
endif
ifneq ($(filter host-dns,$(goals)),)
include lib/dns/host.mk
endif
ifneq ($(filter fuzz-build $(fuzz-goals),$(goals)),)
include config/fuzz.mk
endif

.PHONY: $(phony) compile_commands.json FORCE

help:
	@cat config/help.txt

apps:
	@scripts/setup --check build && scripts/kconfig.py apps

one-build = $(patsubst %,%=,$(filter CONFIG_%,$(given)))
$(config-goals):
	@$(if $(APP),,echo 'make $@: name the app, as in: make $@ APP=hello' >&2; exit 1)
	@$(if $(one-build),echo 'make $@: $(one-build): options hold for a build; edit the file' >&2; exit 1)
	@scripts/setup build && scripts/kconfig.py $@ $(APP)

setup:
	@scripts/setup build run test

fetch:
	@scripts/fetch

runner := $(if $(filter unix,$(TARGET)),run-unix,run)

# Each step is a make of its own: what the first installs, the second needs to start. What can be
# refused at once (a value, a port in use) is refused before anything is built or fetched. Of two at
# once, one builds after the other.
run:
	@$(if $(APP),,echo 'make run: name the app, as in: make run APP=hello' >&2; exit 1)
	@scripts/setup build $(if $(filter unix,$(TARGET)),,run)
	@flock -n $(mark) true || echo 'make run: waiting for another build in $(OUT)/' >&2
	@flock $(mark) $(MAKE) checked APP=$(APP)
	@flock $(mark) $(MAKE) app APP=$(APP)
	@scripts/$(runner) $(APP)

# On a Xen host by the clock, its own Xen runs the guests: nothing that emulates is wanted.
bench:
	@if [ '$(REALTIME)' = 1 ] && grep -qs control_d /proc/xen/capabilities; then scripts/setup build; \
		else scripts/setup build run bench; fi
	@scripts/bench

profile:
	@$(if $(APP),,echo 'make profile: name the app, as in: make profile APP=dns' >&2; exit 1)
	@scripts/setup build run
	@scripts/profile $(APP)

test:
	@scripts/setup build run test
	@scripts/test $(TESTS)

fuzz:
	@scripts/setup build test $(filter afl,$(ENGINE)) $(if $(filter coverage,$(ENGINE)),llvm)
	@TIME='$(TIME)' ENGINE='$(ENGINE)' scripts/fuzz $(TARGET)

# COVERAGE= takes arguments for pytest, as in COVERAGE="-k xenbus".
coverage:
	@scripts/setup build test
	@scripts/coverage $(COVERAGE)

lint:
	@scripts/setup --check test && scripts/lint

format:
	@git ls-files -z --cached --others --exclude-standard '*.c' '*.h' | xargs -0 clang-format -i

compile_commands.json:
	@scripts/compdb $@

# Configurations are work of the user's: clean keeps them, distclean does not.
is-ours = [ -e $(mark) ] || [ '$(OUT)' = out ] || \
	{ echo 'make $@: $(OUT) is not a directory that make built in; nothing is removed' >&2; exit 1; }

clean:
	@[ ! -d '$(OUT)' ] || { { $(is-ours); } && find '$(OUT)/' -mindepth 1 -maxdepth 1 \
		! -name '*.config' ! -name .xenolith ! -name .gitignore -exec rm -rf {} +; }

distclean:
	@[ ! -d '$(OUT)' ] || { { $(is-ours); } && rm -rf '$(OUT)'; }
	@rm -f compile_commands.json
