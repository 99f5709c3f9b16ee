# camgate. `make help` lists the targets; the README says what they are for.

BUILD ?= build
V ?= 0
Q := $(if $(filter 1,$(V)),,@)
say = $(if $(filter 1,$(V)),,@printf '  %-6s %s\n' $(1) $(2))

# SANITIZE=address,undefined or thread builds into a directory of its own.
comma := ,
ifneq ($(SANITIZE),)
OUT := $(BUILD)/$(subst $(comma),-,$(SANITIZE))
SANITIZE_FLAGS := -fsanitize=$(SANITIZE) -fno-omit-frame-pointer -g -DCAMGATE_SANITIZED
HARDEN := -O1
else ifneq ($(COVERAGE),)
# A role in its sandbox could not write down what it ran.
OUT := $(BUILD)/coverage
SANITIZE_FLAGS := --coverage -g -DCAMGATE_SANITIZED
HARDEN := -O0
else
OUT := $(BUILD)
SANITIZE_FLAGS :=
HARDEN := -O2 -g -fstack-protector-strong -D_FORTIFY_SOURCE=3 -fstack-clash-protection \
	-ftrivial-auto-var-init=zero -fPIE
LDHARDEN := -pie -Wl,-z,relro,-z,now,-z,noexecstack
# What is built for, which is another machine when $(CC) says so.
MACHINE := $(shell $(CC) -dumpmachine 2>/dev/null)
ifneq ($(filter x86_64-%,$(MACHINE)),)
HARDEN += -fcf-protection
else ifneq ($(filter aarch64-%,$(MACHINE)),)
HARDEN += -mbranch-protection=standard
endif
endif

WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes \
	-Wmissing-prototypes -Wvla
WERROR ?= $(if $(CI),-Werror)
VERSION := 0.1.0

LIBRARIES := libwebsockets openssl libv4l2 libv4lconvert libturbojpeg libudev sqlite3 libseccomp jansson inih
PKG_CONFIG ?= pkg-config
ifneq ($(shell command -v $(PKG_CONFIG)),)
LIB_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(LIBRARIES) 2>/dev/null | sed 's/-I/-isystem /g')
LIB_LIBS := $(shell $(PKG_CONFIG) --libs $(LIBRARIES) 2>/dev/null) -lqrcodegen
endif

# The test build of `make incidents`: accidents of other products can happen in it (gateway/fault.h).
INCIDENT_FLAGS := $(if $(INCIDENTS),-DCAMGATE_INCIDENTS)

CFLAGS_ALL = -std=c11 -D_GNU_SOURCE -DCAMGATE_VERSION='"$(VERSION)"' $(WARNINGS) $(WERROR) $(HARDEN) \
	$(SANITIZE_FLAGS) -I. -Igateway $(INCIDENT_FLAGS) $(LIB_CFLAGS) $(CPPFLAGS) $(CFLAGS) -MMD -MP
LDFLAGS_ALL = $(LDHARDEN) $(SANITIZE_FLAGS) $(LDFLAGS)

# Every room is an archive, so that a test links what it needs and nothing else.
ROOMS := gateway v4l2 web udev
room_objects = $(patsubst %.c,$(OUT)/%.o,$(filter-out gateway/main.c,$(wildcard $(1)/*.c)))
ACCIDENTS := $(addprefix $(OUT)/tests/incidents/,fault.o accident.o)
ARCHIVES := $(foreach r,$(ROOMS),$(OUT)/$(r).a)
CLIENT := $(OUT)/client.a
ASSETS := $(OUT)/web/assets.o
UI_FILES := $(sort $(wildcard web/ui/*))

all: $(OUT)/camgate

help:
	@sed -n 's/^## //p' Makefile

## make              builds build/camgate
## make run          installs what is missing, builds, starts the gateway in the foreground;
##                   ARGS="--camera /dev/video0" and the like are handed on
## make test         installs what is missing, runs all tests
## make test-hub     the tests in a virtual hub: SUITE=bookworm or trixie, ARCH=amd64 or arm64
## make check        the developer's loop: unit and integration tests, in a minute or two
## make incidents    accidents of other products, put into a build of its own: the table of who sees and
##                   who stops them; build/incidents.json
## make lint         warnings as errors, who may include what, scripts, JavaScript
## make fuzz         the fuzz harnesses, SECONDS=60 each, two at a time
## make fuzz-record  goes on with them until RUNS=1e8 executions are on record in build/fuzz/record
## make fuzz-corpus  makes tests/fuzz/corpus anew from all that was found
## make faults       lets calls of modules and of the real processes fail until FAULTS=1e5 are on record in
##                   build/faults/record
## make simulate     simulates DELIVERIES=1e8 in PARTS=2 side by side; goes on where it was stopped
## make evidence     everything that shows what is promised, from real runs, in one table; half an hour, or
##                   QUICK=1; ONLY="revoke-loopback incidents" for some of it; build/evidence.json
## make mutants      breaks each promise by hand, to see the test fail that is named for it
## make coverage     lines and branches of keeper, login, grants, seal and session that no test runs, and
##                   that have no reason in tests/evidence/uncovered and untaken
## make bench        measures; QUICK=1 for a short run
## make load         VIEWERS=1000 displays at one hub, and all of them again at once after restarts;
##                   build/load.json
## make soak         the scenarios in their long forms, in a loop, for MINUTES=10
## make install      into DESTDIR and PREFIX (/usr/local)
## make deb          the package, in a clean chroot: SUITE=bookworm or trixie, HOST=arm64 for another
##                   machine; leaves build/deb/camgate_*.deb
## make clean        removes build/
## SANITIZE=address,undefined (or thread) builds and checks with these; V=1 shows the commands

$(OUT)/camgate: $(OUT)/gateway/main.o $(ARCHIVES) $(ASSETS)
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $< -Wl,--start-group $(ARCHIVES) -Wl,--end-group $(ASSETS) $(LIB_LIBS)

$(OUT)/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CFLAGS_ALL) -c -o $@ $<

define room_rule
$(OUT)/$(1).a: $(call room_objects,$(1)) $(if $(INCIDENTS),$(if $(filter gateway,$(1)),$(ACCIDENTS)))
	$$(call say,AR,$$@)
	$$(Q)rm -f $$@ && $(AR) rcs $$@ $$^
endef
$(foreach r,$(ROOMS),$(eval $(call room_rule,$(r))))

$(CLIENT): $(patsubst %.c,$(OUT)/%.o,$(wildcard web/client/*.c))
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

# The page travels inside the binary: the web role opens no file.
$(OUT)/web/assets.S: web/assets.sh $(UI_FILES)
	@mkdir -p $(@D)
	$(Q)sh web/assets.sh $(UI_FILES) > $@
$(OUT)/web/assets.o: $(OUT)/web/assets.S
	$(Q)$(CC) $(SANITIZE_FLAGS) -c -o $@ $<

# ---- tests ----

# The longest first: the others run beside them, and none alone at the end.
LONGEST := $(addprefix %/test_,revoke keeper_faults memory faults seal_faults suspend socket front)
longest_first = $(foreach name,$(LONGEST),$(filter $(name),$(1))) $(filter-out $(LONGEST),$(1))

UNIT := $(call longest_first,$(patsubst tests/unit/%.c,$(OUT)/tests/unit/%,$(wildcard tests/unit/test_*.c)))

# Reads back what a test camera drew.
OPIX := $(OUT)/tests/opix/opix.a
$(OPIX): $(OUT)/tests/opix/opix.o
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(OUT)/tests/unit/%: $(OUT)/tests/unit/%.o $(ARCHIVES) $(CLIENT) $(ASSETS) $(OPIX)
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $< -Wl,--start-group $(OPIX) $(CLIENT) $(ARCHIVES) $(ASSETS) \
		-Wl,--end-group -lcmocka $(LIB_LIBS)

# What these fake is called from within the archives.
$(OUT)/tests/unit/test_keeper_memory: private LDFLAGS_ALL += -Wl,--wrap=calloc
$(OUT)/tests/unit/test_session_faults: private LDFLAGS_ALL += \
	-Wl,--wrap=calloc,--wrap=malloc,--wrap=ring_peek,--wrap=ring_copy
$(OUT)/tests/unit/test_store_steps: private LDFLAGS_ALL += \
	-Wl,--wrap=sqlite3_step,--wrap=sqlite3_exec,--wrap=sqlite3_prepare_v2
$(OUT)/tests/unit/test_seal_steps: private LDFLAGS_ALL += $(addprefix -Wl$(comma)--wrap=EVP_,\
	EncryptInit_ex2 EncryptUpdate EncryptFinal_ex DecryptInit_ex2 DecryptUpdate DecryptFinal_ex \
	CIPHER_CTX_ctrl DigestUpdate DigestFinal_ex MAC_update MAC_final DigestSignInit DigestSignUpdate \
	DigestSignFinal DigestVerifyInit DigestVerifyUpdate DigestVerifyFinal PKEY_fromdata_init \
	PKEY_derive_init PKEY_derive)

unit: $(UNIT)
	$(Q)tests/run.sh --title "unit tests$(if $(SANITIZE), ($(SANITIZE)))" $(UNIT)

# ---- integration and bench ----

# Tests on the real processes; `display` is a display for shell scripts.
INTEGRATION := $(call longest_first,$(patsubst tests/integration/%.c,$(OUT)/tests/integration/%,\
	$(wildcard tests/integration/test_*.c)))
ORACLES := $(patsubst %.c,$(OUT)/%.o,$(wildcard tests/oracles/*.c))
NETWORK := $(patsubst %.c,$(OUT)/%.o,$(wildcard tests/network/*.c))
HARNESS := $(patsubst %,$(OUT)/tests/integration/%.o,hub hub_admin viewer raw) $(ORACLES) $(NETWORK)
DISPLAY_LIBS = -Wl,--start-group $(OPIX) $(CLIENT) $(OUT)/gateway.a -Wl,--end-group $(LIB_LIBS)

$(OUT)/tests/integration/test_%: $(OUT)/tests/integration/test_%.o $(HARNESS) $(CLIENT) \
		$(OUT)/gateway.a $(OPIX)
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $< $(HARNESS) $(DISPLAY_LIBS) -lcmocka

$(OUT)/tests/integration/display: $(OUT)/tests/integration/display_tool.o $(ORACLES) $(CLIENT) \
		$(OUT)/gateway.a $(OPIX)
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $< $(ORACLES) $(DISPLAY_LIBS)

# Each test program starts hubs of its own, so several can run side by side.
integration: $(OUT)/camgate $(INTEGRATION) $(OUT)/tests/integration/display fakecam
	$(Q)JOBS=$(if $(SANITIZE),1,3) tests/run.sh --title "integration tests$(if $(SANITIZE), ($(SANITIZE)))" $(INTEGRATION)

$(OUT)/tests/bench/bench: $(patsubst %,$(OUT)/tests/bench/%.o,bench floor reader) $(HARNESS) $(CLIENT) \
		$(OUT)/gateway.a $(OPIX)
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $(filter %.o,$^) $(DISPLAY_LIBS) -lcmocka

bench: $(OUT)/camgate $(OUT)/tests/bench/bench fakecam
	$(Q)$(OUT)/tests/bench/bench $(if $(QUICK),--quick) --json $(OUT)/bench.json

# The integration test with more displays, and its figures.
load: $(OUT)/camgate $(OUT)/tests/integration/test_load
	$(Q)VIEWERS=$(or $(VIEWERS),1000) LOAD_JSON=$(OUT)/load.json $(OUT)/tests/integration/test_load

# Those that take longer than a developer's loop should.
SCENARIOS := $(addprefix $(OUT)/tests/integration/test_,bad_link cut load frames)
scenarios: $(OUT)/camgate $(SCENARIOS)
	$(Q)JOBS=2 tests/run.sh --title "many viewers, bad networks, broken connections" $(SCENARIOS)

# Their long forms and others', in a loop.
SOAK := $(SCENARIOS) $(addprefix $(OUT)/tests/integration/test_,descriptors viewing revoke rotation memory \
	faults disk new_camera socket)
soak: $(OUT)/camgate $(SOAK) fakecam
	$(Q)SOAK_DIR=$(OUT)/soak tests/soak.sh $(or $(MINUTES),10) $(SOAK)

.PHONY: integration bench load scenarios soak

# ---- incidents ----

# Accidents of other products, in a build of its own: they can happen in it and in no other.
$(OUT)/tests/incidents/incidents: $(patsubst %,$(OUT)/tests/incidents/%.o,incidents replays stage) \
		$(HARNESS) $(CLIENT) $(OUT)/gateway.a $(OPIX)
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $(filter %.o,$^) $(DISPLAY_LIBS) -lcmocka

incidents:
	$(again) INCIDENTS=1 BUILD=$(BUILD)/incidents incidents-build
	$(Q)INCIDENTS_JSON=$(BUILD)/incidents.json $(BUILD)/incidents/tests/incidents/incidents $(ONLY)

# The same among the tests, and that no other build holds any of it.
incidents-suite: $(OUT)/camgate
	$(again) INCIDENTS=1 BUILD=$(BUILD)/incidents incidents-build
	$(Q)INCIDENTS_JSON=$(BUILD)/incidents.json CAMGATE=$(abspath $(OUT)/camgate) JOBS=1 tests/run.sh \
		--title "incidents of other products, replayed" $(BUILD)/incidents/tests/incidents/incidents \
		tests/incidents/release.test.sh

incidents-build: $(OUT)/camgate $(OUT)/tests/incidents/incidents fakecam

.PHONY: incidents incidents-suite incidents-build

# ---- faults ----

FAULTS ?= 1e5
# A library to preload, built like the one for fake cameras, and for the same reasons.
LIBFAULTS := $(OUT)/tests/faults/libfaults.so
FAULTS_PARTS := command story story_check
$(LIBFAULTS): $(wildcard tests/faults/preload*.c tests/faults/*.h)
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(FAKECAM_FLAGS) -fPIC -fvisibility=hidden -shared -o $@ $(filter %.c,$^)

$(OUT)/tests/faults/faults: $(patsubst %,$(OUT)/tests/faults/%.o,faults $(FAULTS_PARTS)) $(HARNESS) $(CLIENT) \
		$(OUT)/gateway.a $(OPIX)
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $(filter %.o,$^) $(DISPLAY_LIBS) -lcmocka

# On single modules: each allocation and each write in turn, and a store on a disk that fails by chance.
FAULTS_IN_TURN := $(addprefix $(OUT)/tests/unit/,test_keeper_faults test_seal_faults)
FAULTS_BY_CHANCE := $(OUT)/tests/faults/faults $(OUT)/tests/unit/test_store_faults
faults-build: $(OUT)/camgate $(FAULTS_BY_CHANCE) $(FAULTS_IN_TURN) $(LIBFAULTS)

# Goes on where it was stopped; the record is build/faults/record.
faults: faults-build
	$(Q)FAULTS=all FAULTS_DIR=$(OUT)/faults tests/faults/run.sh once $(FAULTS_IN_TURN)
	$(Q)FAULTS_CHANGES=5000 FAULTS_DIR=$(OUT)/faults tests/faults/run.sh record $(FAULTS) $(FAULTS_BY_CHANCE)

# The part of it that is done in two minutes, and how many of each kind it were.
FAULTS_SUITE := $(abspath $(OUT))/faults/suite
faults-suite: faults-build
	$(Q)mkdir -p $(FAULTS_SUITE) && rm -f $(FAULTS_SUITE)/record
	$(Q)status=0; FAULTS_BRIEF=1 FAULTS_CHANGES=20000 FAULTS_COUNTS=$(FAULTS_SUITE)/record JOBS=2 TIMEOUT=600 \
		tests/run.sh --title "calls that fail, in modules and in the real processes" \
		$(FAULTS_BY_CHANCE) $(FAULTS_IN_TURN) || status=1; \
		FAULTS_DIR=$(FAULTS_SUITE) tests/faults/run.sh totals; exit $$status

.PHONY: faults-build faults faults-suite

# ---- simulation ----

# The product's own objects, all but what costs too much or needs a device, a network or a wall clock.
SIMULATION := $(patsubst %.c,$(OUT)/%.o,$(wildcard tests/simulation/*.c))
SIMULATED := $(patsubst %,$(OUT)/%.o,$(addprefix v4l2/,orders publish demand) \
	$(addprefix web/,buffer connection feed hosts link orders session socket source stream))
SIMULATE_WRAP := malloc calloc free ring_publish random_bytes key_pair_generate key_sign key_verify \
	message_sign message_open hpke_seal_auth hpke_open_auth ipc_send ipc_receive session_tell_key \
	session_take session_drop_source store_grant_add store_grant_remove store_display_remove \
	store_suspend store_resume sqlite3_step sqlite3_exec
SIMULATE := $(OUT)/tests/simulation/simulate
SIMULATE_LIBS = $(SIMULATE_WRAP:%=-Wl,--wrap=%) -Wl,--start-group $(CLIENT) $(OUT)/gateway.a $(OUT)/udev.a \
	-Wl,--end-group $(LIB_LIBS)

$(SIMULATE): $(SIMULATION) $(SIMULATED) $(CLIENT) $(OUT)/gateway.a $(OUT)/udev.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $(SIMULATION) $(SIMULATED) $(SIMULATE_LIBS)

# With one fault each, planted in a copy of one file (tests/simulation/faults.list).
PLANTED := $(OUT)/tests/simulation/faults
FAULT_PROGRAMS := $(addprefix $(PLANTED)/,$(shell tests/simulation/fault.sh --names))

# Seeds that are always the same, and a new one; a recorded run goes on where it was, in PARTS side by side.
DELIVERIES ?= 1e6
PARTS ?= 1
simulate: $(SIMULATE)
	@mkdir -p $(OUT)/simulation
	$(Q)pids=; for part in $$(seq $(PARTS)); do nice -n 15 $(SIMULATE) \
		--total $$(awk 'BEGIN { printf "%d", $(DELIVERIES) / $(PARTS) }') \
		--seed $${part}000000000 --state $(OUT)/simulation/part-$$part >/dev/null & pids="$$pids $$!"; done; \
		status=0; for pid in $$pids; do wait $$pid || status=1; done; \
		[ $$status -eq 0 ] && $(SIMULATE) --sum $(OUT)/simulation/part-*

simulation-quick: $(SIMULATE)
	$(Q)SIMULATE=$(SIMULATE) DELIVERIES=1e5 tests/run.sh --title "simulation$(if $(SANITIZE), ($(SANITIZE)))" \
		tests/simulation/simulate.test.sh

simulation: $(SIMULATE) $(FAULT_PROGRAMS)
	$(Q)SIMULATE=$(SIMULATE) FAULTS=$(PLANTED) DELIVERIES=1e6 tests/run.sh --title "simulation" \
		tests/simulation/simulate.test.sh tests/simulation/faults.test.sh

.PHONY: simulate simulation-quick simulation

$(PLANTED)/%: tests/simulation/faults.list tests/simulation/fault.sh $(SIMULATE)
	@mkdir -p $(@D)
	$(call say,FAULT,$*)
	$(Q)file=$$(tests/simulation/fault.sh --file $*) && tests/simulation/fault.sh --plant $* $@.c && \
		$(CC) $(filter-out -MMD -MP,$(CFLAGS_ALL)) -iquote $$(dirname $$file) -c -o $@.o $@.c && \
		$(CC) $(LDFLAGS_ALL) -o $@ $@.o $(SIMULATION) \
		$$(echo $(SIMULATED) | sed "s|$(OUT)/$${file%.c}.o||") $(SIMULATE_LIBS)

# ---- evidence ----

$(OUT)/tests/evidence/%: $(OUT)/tests/evidence/%.o $(HARNESS) $(CLIENT) $(OUT)/gateway.a $(OPIX)
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $< $(HARNESS) $(DISPLAY_LIBS) -lcmocka

# Everything that shows what is promised, from real runs, in one table.
evidence:
	$(Q)$(PACKAGES) build check browser fuzz
	$(again) evidence-build
	-$(again) tests/browser/node_modules
	$(Q)OUT=$(OUT) QUICK=$(QUICK) ONLY="$(ONLY)" node tests/evidence/evidence.mjs

evidence-build: $(OUT)/camgate $(OUT)/tests/evidence/revoke_times $(OUT)/tests/unit/test_keeper_faults \
		$(OUT)/tests/unit/test_seal_faults $(SIMULATE) $(INTEGRATION) fakecam

# Each promise broken by hand, in a copy of the tree: the test that is named for it must fail.
mutants:
	$(Q)$(PACKAGES) build check
	$(again) mutants-build
	$(Q)OUT=$(OUT) tests/evidence/mutants.sh $(ONLY)

mutants-suite: mutants-build
	$(Q)OUT=$(OUT) TIMEOUT=1800 tests/run.sh --title "promises broken by hand" tests/evidence/mutants.sh

mutants-build: $(OUT)/camgate fakecam $(patsubst %,$(OUT)/tests/%,$(shell awk -F ' [|] ' \
		'$$4 ~ /^test_/ { print "unit/" $$4 } $$4 ~ /^integration/ { print $$4 }' \
		tests/evidence/mutants.list | sort -u))

# Which lines and branches of what decides are run by the tests; those that are not are in
# tests/evidence/uncovered and untaken. Of a test that failed nobody knows what it would have run.
coverage:
	$(Q)$(PACKAGES) build check scripts
	$(again) COVERAGE=1 coverage-build
	$(Q)find $(BUILD)/coverage -name '*.gcda' -delete
	+$(Q)status=0; $(MAKE) --no-print-directory -s COVERAGE=1 RESULTS=$(BUILD)/coverage/results coverage-run || status=1; \
		OUT=$(BUILD)/coverage node tests/evidence/coverage.mjs --json $(BUILD)/coverage.json || exit 1; \
		[ $$status -eq 0 ] || echo "# tests failed, see above: what they run may be missing here"; \
		exit $$status

coverage-build: $(OUT)/camgate $(UNIT) $(INTEGRATION) $(SIMULATE) $(OUT)/tests/integration/display fakecam

# Two of the scripts: what they change on a host is changed by no other test of the real processes.
coverage-run:
	$(Q)status=0; TIMEOUT=900 $(MAKE) --no-print-directory unit || status=1; \
		$(SIMULATE) --total 5e4 || status=1; $(SIMULATE) --total 1e4 --allocations 20 || status=1; \
		TIMEOUT=900 $(MAKE) --no-print-directory integration || status=1; \
		CAMGATE=$(abspath $(OUT)/camgate) TIMEOUT=900 tests/run.sh --title "script tests" \
			$(addprefix tests/integration/,address_change.test.sh hostname_change.test.sh) || \
			status=1; exit $$status

.PHONY: coverage coverage-build coverage-run
.PHONY: evidence evidence-build mutants mutants-suite mutants-build

# ---- fake cameras ----

# A library to preload and the driver process that it starts. Without sanitizers and fortified calls,
# as it is loaded into programs of every kind and puts itself in front of libc.
FAKECAM_DIR := $(OUT)/tests/fakecam
# POSIX has dlsym return functions, ISO C does not know of it.
FAKECAM_FLAGS := -std=c11 -D_GNU_SOURCE $(WARNINGS) -Wno-pedantic $(WERROR) -O2 -g -I.
FAKECAM_SHARED := tests/fakecam/registry.c tests/fakecam/config.c
FAKECAM_PRELOAD := $(addprefix tests/fakecam/,preload.c device.c ioctl.c stream.c libudev_device.c \
	libudev_list.c) $(FAKECAM_SHARED)
FAKECAM_DRIVER := $(addprefix tests/fakecam/,driver.c frames.c jpeg.c) v4l2/pattern.c $(FAKECAM_SHARED)

fakecam: $(FAKECAM_DIR)/libfakecam.so $(FAKECAM_DIR)/driver

$(FAKECAM_DIR)/libfakecam.so: $(FAKECAM_PRELOAD) $(wildcard tests/fakecam/*.h)
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(FAKECAM_FLAGS) -fPIC -fvisibility=hidden -shared -o $@ $(FAKECAM_PRELOAD)

$(FAKECAM_DIR)/driver: $(FAKECAM_DRIVER) $(wildcard tests/fakecam/*.h) v4l2/pattern.h
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(FAKECAM_FLAGS) -o $@ $(FAKECAM_DRIVER) -lturbojpeg

.PHONY: fakecam

# ---- fuzzing ----

# With clang, into a directory of its own; what is found lies in build/fuzz.
FUZZ := $(patsubst tests/fuzz/%.c,$(OUT)/tests/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
SECONDS ?= 60
RUNS ?= 1e8

$(OUT)/tests/fuzz/fuzz_%: $(OUT)/tests/fuzz/fuzz_%.o $(CLIENT) $(ARCHIVES) $(ASSETS)
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) -fsanitize=fuzzer -o $@ $< -Wl,--start-group $(CLIENT) $(ARCHIVES) $(ASSETS) \
		-Wl,--end-group -lcmocka $(LIB_LIBS)

# clang's own, and what a sanitizer finds is the end of it.
in_fuzz = $(MAKE) --no-print-directory $(if $(filter 1,$(V)),,-s) $(parallel) CC=clang BUILD=$(BUILD)/fuzz \
	SANITIZE=address,undefined CFLAGS="-fsanitize=fuzzer-no-link -fno-sanitize-recover=undefined" \
	FUZZ_DIR=$(BUILD)/fuzz RESULTS=$(RESULTS)

fuzz:
	$(Q)$(PACKAGES) build check fuzz
	+$(Q)$(in_fuzz) fuzz-run

fuzz-record:
	$(Q)$(PACKAGES) build check fuzz
	+$(Q)$(in_fuzz) fuzz-record-run

fuzz-corpus:
	$(Q)$(PACKAGES) build check fuzz
	+$(Q)$(in_fuzz) fuzz-merge-run

fuzz-replay:
	+$(Q)$(in_fuzz) fuzz-replay-run

fuzz-run: $(FUZZ)
	$(Q)FUZZ_DIR=$(FUZZ_DIR) tests/fuzz/run.sh fuzz $(OUT)/tests/fuzz $(SECONDS)

fuzz-record-run: $(FUZZ)
	$(Q)FUZZ_DIR=$(FUZZ_DIR) tests/fuzz/run.sh record $(OUT)/tests/fuzz $(RUNS)

fuzz-merge-run: $(FUZZ)
	$(Q)FUZZ_DIR=$(FUZZ_DIR) tests/fuzz/run.sh merge $(OUT)/tests/fuzz

fuzz-replay-run: $(FUZZ)
	$(Q)FUZZ_PROGRAMS=$(OUT)/tests/fuzz tests/run.sh --title "corpora of the fuzz harnesses" \
		tests/fuzz/corpus.test.sh

.PHONY: fuzz fuzz-record fuzz-corpus fuzz-replay fuzz-run fuzz-record-run fuzz-merge-run fuzz-replay-run

# ---- all of it ----

# JavaScript without a browser.
NODE_TESTS := $(wildcard tests/browser/unit/*.test.mjs tests/opix/*.test.mjs)
# In a real browser, and in a virtual machine with a real kernel.
BROWSER_TESTS := $(wildcard tests/browser/*.test.mjs tests/browser/*.test.sh)
HUB_TESTS := $(wildcard tests/hub/*.test.sh)
# The two commands of a newcomer, as a script.
SCRIPT_TESTS := $(wildcard tests/install/*.test.sh tests/udev/*.test.sh tests/fakecam/*.test.sh tests/integration/*.test.sh \
	tests/systemd/*.test.sh)

# tests/run.sh collects there.
export RESULTS := $(BUILD)/test-results

PACKAGES := tests/install/packages.sh
again = +$(Q)$(MAKE) --no-print-directory $(if $(filter 1,$(V)),,-s) $(parallel)
# On all cores, unless the user said how many.
parallel = $(if $(findstring -j,$(MAKEFLAGS)),,-j$(shell nproc))

# make reads the libraries' flags when it starts, so what follows an installation is another make.
run:
	$(Q)$(PACKAGES) build
	$(again) $(OUT)/camgate
	$(Q)exec $(OUT)/camgate run $(ARGS)

check:
	$(Q)$(PACKAGES) build check
	$(Q)tests/run.sh --reset
	$(again) check-suites; tests/run.sh --total $$?

check-suites:
	$(again) all $(UNIT) $(INTEGRATION) $(OUT)/tests/integration/display $(SIMULATE) fakecam
	$(Q)status=0; for suite in unit simulation-quick processes; do \
		$(MAKE) --no-print-directory $$suite || status=1; done; exit $$status

# These wait more than they compute, so they do it together.
processes: $(OUT)/camgate $(INTEGRATION) fakecam
	$(Q)JOBS=4 tests/run.sh --title "JavaScript and integration tests" $(NODE_TESTS) \
		$(filter-out $(SCENARIOS),$(INTEGRATION))

node:
	$(Q)tests/run.sh --title "JavaScript tests" $(NODE_TESTS)

test:
	$(Q)$(PACKAGES) build check scripts browser hub fuzz
	$(Q)tests/run.sh --reset
	$(again) test-suites; tests/run.sh --total $$?

test-suites:
	$(Q)status=0; $(MAKE) --no-print-directory check-suites || status=1; \
	$(MAKE) --no-print-directory SANITIZE=address,undefined check-sanitized || status=1; \
	for suite in scenarios simulation incidents-suite faults-suite fuzz-replay scripts browser hub; do \
		$(MAKE) --no-print-directory $$suite || status=1; done; exit $$status

# Several times slower than the real thing, so a program has longer.
check-sanitized:
	$(again) all $(UNIT) $(INTEGRATION) fakecam
	$(Q)status=0; for suite in unit integration; do \
		TIMEOUT=900 $(MAKE) --no-print-directory $$suite || status=1; done; exit $$status

tests/browser/node_modules: tests/browser/package-lock.json
	$(Q)cd tests/browser && npm ci --no-audit --no-fund --loglevel=error >/dev/null && touch node_modules

browser: $(OUT)/camgate $(OUT)/tests/integration/display fakecam tests/browser/node_modules
	$(Q)CAMGATE=$(abspath $(OUT)/camgate) JOBS=1 TIMEOUT=900 tests/run.sh --title "browser tests" \
		$(BROWSER_TESTS)

# What runs in the virtual machine beside camgate and a display.
HUB_TOOLS := $(addprefix $(OUT)/tests/hub/,loopfeed picture memory)
$(OUT)/tests/hub/memory: $(patsubst %,$(OUT)/tests/oracles/%.o,memory canary)
$(OUT)/tests/hub/%: $(OUT)/tests/hub/%.o $(OUT)/v4l2.a $(OPIX)
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ -lturbojpeg

# What runs inside is built in a clean chroot of the hub's suite. A hub has longer where its processor is
# emulated at a tenth of the speed, as the first has that makes its disk.
hub: $(OUT)/tests/integration/display # for a display outside
	$(Q)CAMGATE=$(abspath $(OUT)/camgate) JOBS=1 TIMEOUT=$(HUB_TEST_TIMEOUT) tests/run.sh \
		--title "virtual hub with a real kernel$(HUB_TITLE)" $(HUB_TESTS)
HUB_TEST_TIMEOUT := 2400

test-hub: export HUB_SUITE := $(if $(filter command environment,$(origin SUITE)),$(SUITE),bookworm)
test-hub: export HUB_ARCH := $(if $(filter command,$(origin ARCH)),$(ARCH),amd64)
test-hub:
	$(Q)$(PACKAGES) build hub deb $(if $(filter arm64,$(HUB_ARCH)),hub-arm64)
	$(Q)$(MAKE) --no-print-directory HUB_TEST_TIMEOUT=2400 HUB_TITLE=": $(HUB_SUITE) $(HUB_ARCH)" hub

scripts: $(OUT)/camgate $(OUT)/tests/integration/display fakecam $(HUB_TOOLS)
	$(Q)CAMGATE=$(abspath $(OUT)/camgate) JOBS=1 tests/run.sh --title "script tests" $(SCRIPT_TESTS)

# Its own directory: with warnings as errors everything is built anew.
lint:
	$(Q)$(PACKAGES) build check lint
	$(Q)CI=1 $(MAKE) --no-print-directory BUILD=$(BUILD)/lint lint-build
	$(Q)tests/lint/rooms.sh
	$(Q)tests/lint/scripts.sh
	@echo "lint: nothing found"

lint-build: all $(UNIT) $(INTEGRATION)

# ---- installation ----

PREFIX ?= /usr/local
UNITS := $(notdir $(wildcard udev/*.service udev/*.socket udev/*.target))
# 0 where there is none.
SYSTEMD_VERSION ?= $(or $(shell systemctl --version 2>/dev/null | sed -n 's/^systemd \([0-9]*\).*/\1/p'),0)

install: $(OUT)/camgate
	install -D -m 755 $(OUT)/camgate $(DESTDIR)$(PREFIX)/bin/camgate
	install -d $(addprefix $(DESTDIR)/usr/lib/,systemd/system sysusers.d tmpfiles.d)
	for unit in $(UNITS); do \
		install -m 644 udev/$$unit $(DESTDIR)/usr/lib/systemd/system/$$unit && \
		sed -i 's|/usr/bin/camgate|$(PREFIX)/bin/camgate|' \
			$(DESTDIR)/usr/lib/systemd/system/$$unit || exit 1; done
	install -m 644 udev/camgate.sysusers $(DESTDIR)/usr/lib/sysusers.d/camgate.conf
	install -m 644 udev/camgate.tmpfiles $(DESTDIR)/usr/lib/tmpfiles.d/camgate.conf
	[ "$(SYSTEMD_VERSION)" -lt 254 ] || install -D -m 644 udev/camgate-backoff.conf \
		$(DESTDIR)/usr/lib/systemd/system/camgate-camera@.service.d/backoff.conf
	install -D -m 755 udev/camgate-generator \
		$(DESTDIR)/usr/lib/systemd/system-generators/camgate-generator
	sed -i 's|/usr/bin/camgate|$(PREFIX)/bin/camgate|' \
		$(DESTDIR)/usr/lib/systemd/system-generators/camgate-generator
	install -D -m 644 udev/70-camgate.rules $(DESTDIR)/usr/lib/udev/rules.d/70-camgate.rules
	sed -i 's|/usr/bin/camgate|$(PREFIX)/bin/camgate|' $(DESTDIR)/usr/lib/udev/rules.d/70-camgate.rules

# ---- package ----

SUITE ?= $(shell . /etc/os-release && echo $$VERSION_CODENAME)
DEB_HOST = $(if $(filter command,$(origin HOST)),$(HOST),$(shell dpkg --print-architecture))

deb:
	$(Q)$(PACKAGES) deb
	$(Q)udev/debian/build.sh $(SUITE) $(DEB_HOST) $(BUILD)/deb

.PHONY: deb

# A configuration that is there already is somebody's.
install: install-manual
install-manual:
	install -D -m 644 udev/camgate.8 $(DESTDIR)$(PREFIX)/share/man/man8/camgate.8
	install -D -m 644 udev/camgate.conf.5 $(DESTDIR)$(PREFIX)/share/man/man5/camgate.conf.5
	[ -e $(DESTDIR)/etc/camgate/camgate.conf ] || \
		install -D -m 644 udev/camgate.conf $(DESTDIR)/etc/camgate/camgate.conf

.PHONY: install-manual

clean:
	rm -rf $(BUILD)

.PHONY: all help unit clean run check check-suites processes check-sanitized node test test-suites browser hub test-hub \
	scripts lint lint-build install
.SECONDARY:

-include $(shell find $(OUT) -path $(OUT)/deb -prune -o -type f -name '*.d' -print 2>/dev/null)
