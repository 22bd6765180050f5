# Upbeat: build, run, test. `make help` lists what there is.
#
# Everything made goes below $(BUILD); sources stay clean. Settings may be given on the command line or
# in config.local. Dependencies between files are found by the compiler (-MMD -MP), files by wildcard:
# adding a source file needs no edit here.

# ---- settings ----------------------------------------------------------------------------------------
-include config.local

CC        ?= cc
BUILD     ?= build
PREFIX    ?= /usr/local
PYTHON    ?= /usr/bin/python3
PKG_CONFIG ?= pkg-config
OPT       ?= -O2 -g
# Debian's hardening flags, one variable so that a packager can replace them.
HARDENING ?= -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fcf-protection -ftrapv
HARDENING_LD ?= -Wl,-z,relro,-z,now -Wl,-z,noexecstack
WARNINGS  ?= -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
	-Wcast-qual -Wwrite-strings -Wundef -Wvla -Wformat=2 -Werror=implicit-function-declaration
# STATIC=1 links upbeat.fcgi static-PIE: start-up is what a plain CGI request pays for.
STATIC    ?= 1
ASAN      ?= 0
# WERROR=1: a warning is an error, as in .ci/run.
WERROR    ?= 0
# V=1 shows the commands themselves.
V         ?= 0

ifeq ($(ASAN),1)
  override BUILD := $(BUILD)-asan
  OPT       := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
  HARDENING :=
  STATIC    := 0
endif

# COVERAGE=1 counts which lines ran (make coverage). A process that ends by _exit writes its counts too.
COVERAGE  ?= 0
ifeq ($(COVERAGE),1)
  override BUILD := $(BUILD)-coverage
  OPT       := -O0 -g --coverage -fprofile-update=atomic
  HARDENING :=
  STATIC    := 0
  CPPFLAGS  += -DUPBEAT_COVERAGE
  COVERAGE_OBJ = $(call obj,tests/coverage/dump.c)
  COVERAGE_LD  := -Wl,--wrap=_exit
endif

CPPFLAGS += -D_GNU_SOURCE -Icommon -Icgi-bin
CFLAGS   += -std=c11 $(OPT) $(WARNINGS) $(HARDENING) -fPIE -pthread -ffunction-sections -fdata-sections
LDFLAGS  += -pie -Wl,--gc-sections $(HARDENING_LD) $(filter -fsanitize=% -O% --coverage,$(OPT)) -pthread

ifeq ($(WERROR),1)
  WARNINGS  += -Werror
endif

ifeq ($(V),0)
  Q := @
  say = @printf '  %-5s %s\n' $(1) $(2)
endif

# pkg-config where it knows the library, the plain name where it does not.
libs = $(shell $(PKG_CONFIG) --libs $(1) 2>/dev/null || echo $(2))
WEB_LIBS    := $(call libs,fcgi,-lfcgi) $(call libs,lmdb,-llmdb) $(call libs,libcrypto,-lcrypto)
# Nearly half of the symbols that are bound at the start are libcrypto's, and most others libc's: they are looked for first.
PROBER_LIBS := $(call libs,libcrypto,-lcrypto) -lc $(call libs,libssl,-lssl) $(call libs,libcurl,-lcurl) \
	$(call libs,lmdb,-llmdb) $(call libs,libcares,-lcares) $(call libs,libcjson,-lcjson) -lm
ifeq ($(STATIC),1)
  WEB_LDFLAGS := $(filter-out -pie,$(LDFLAGS)) -static-pie -Wl,--wrap=OPENSSL_cpuid_setup -Wl,-u,OPENSSL_cpuid_setup
else
  WEB_LDFLAGS := $(LDFLAGS)
endif

# ---- what there is -----------------------------------------------------------------------------------
COMMON_SRC := $(wildcard common/base/*.c common/model/*.c common/store/*.c)
WEB_SRC    := $(wildcard cgi-bin/web/*.c)
PROBER_SRC := $(wildcard cgi-bin/prober/*.c cgi-bin/prober/*/*.c)
HTML_SRC   := $(filter-out %.c,$(wildcard cgi-bin/web/html/*))

obj = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
COMMON_LIB := $(BUILD)/libcommon.a
WEB_LIB    := $(BUILD)/libweb.a
PROBER_LIB := $(BUILD)/libprober.a
HTML_OBJ   := $(BUILD)/obj/gen/html.o

.PHONY: all help deps deps-run deps-test deps-extra deps-lint deps-coverage deps-ci run test check test-extra unit unit-again \
	simulate simulate-short e2e bench fuzz corpora nightly lint \
	install uninstall portable clean
all: $(BUILD)/upbeat.fcgi $(BUILD)/upbeat-prober

help:
	@sed -n 's/^##: //p' Makefile

# ---- packages ----------------------------------------------------------------------------------------
# Debian's names. Nothing is done when all are there; see tests/deps.sh.
PACKAGES       := gcc libc6-dev make pkg-config libfcgi-dev liblmdb-dev libssl-dev libcjson-dev \
	libcurl4-openssl-dev libc-ares-dev ca-certificates
PACKAGES_RUN   := lighttpd lighttpd-mod-openssl openssl curl python3 python3-aiosmtpd
PACKAGES_TEST  := $(PACKAGES_RUN) binutils libcmocka-dev python3-pytest python3-pytest-xdist apache2 \
	libapache2-mod-fcgid nginx-light spawn-fcgi cron strace iproute2 tzdata \
	php-cli $(if $(shell command -v node),,nodejs)
PACKAGES_LINT  := clang clang-tidy cppcheck shellcheck mandoc
PACKAGES_COVERAGE := $(PACKAGES_TEST) gcovr
PACKAGES_FUZZ  := clang libclang-rt-14-dev
PACKAGES_EXTRA := $(PACKAGES_TEST) debootstrap chromium prometheus python3-feedparser \
	$(if $(shell command -v npm),,npm)

##: make deps             installs what is missing to build; deps-test, -extra, -lint, -coverage, -ci: to test
deps:
	@tests/deps.sh $(PACKAGES)
deps-run:
	@tests/deps.sh $(PACKAGES) $(PACKAGES_RUN)
deps-test:
	@tests/deps.sh $(PACKAGES) $(PACKAGES_TEST)
deps-extra:
	@tests/deps.sh $(PACKAGES) $(PACKAGES_EXTRA)
deps-coverage:
	@tests/deps.sh $(PACKAGES) $(PACKAGES_COVERAGE)
deps-ci:
	@tests/deps.sh $(sort $(PACKAGES) $(PACKAGES_EXTRA) $(PACKAGES_LINT) $(PACKAGES_COVERAGE) $(PACKAGES_FUZZ))
deps-lint:
	@tests/deps.sh $(PACKAGES) $(PACKAGES_LINT)

# ---- the two programs --------------------------------------------------------------------------------
##: make                  builds build/upbeat.fcgi and build/upbeat-prober (ASAN=1, STATIC=0, CC=clang)
$(BUILD)/upbeat.fcgi: $(call obj,cgi-bin/web/main.c) $(COVERAGE_OBJ) $(WEB_LIB) $(COMMON_LIB)
	$(call say,LD,$@)
	$(Q)$(CC) $(WEB_LDFLAGS) $(COVERAGE_LD) -o $@ $^ $(WEB_LIBS)

$(BUILD)/upbeat-prober: $(call obj,cgi-bin/prober/main.c) $(COVERAGE_OBJ) $(PROBER_LIB) $(COMMON_LIB)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) $(COVERAGE_LD) -o $@ $^ $(PROBER_LIBS)

$(COMMON_LIB): $(call obj,$(COMMON_SRC))
$(WEB_LIB): $(call obj,$(filter-out %/main.c,$(WEB_SRC))) $(HTML_OBJ)
$(PROBER_LIB): $(call obj,$(filter-out %/main.c,$(PROBER_SRC)))
%.a:
	@rm -f $@
	$(call say,AR,$@)
	$(Q)$(AR) rcsP $@ $^

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# The designers' files, as {name, bytes, length} rows.
$(BUILD)/embed: cgi-bin/web/html/embed.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) -std=c11 -O1 -Wall -Wextra -o $@ $<
$(BUILD)/gen/html.c: $(BUILD)/embed $(HTML_SRC)
	@mkdir -p $(@D)
	$(BUILD)/embed $(HTML_SRC) > $@
$(HTML_OBJ): $(BUILD)/gen/html.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

##: make run              a live demo on http://127.0.0.1:8080/ (PORT=), until Ctrl-C; its state is in run/
PORT ?= 8080
run: deps-run
	+@$(MAKE) --no-print-directory all
	@exec $(PYTHON) -B contrib/demo/demo.py --build $(BUILD) --port $(PORT)

# ---- tests -------------------------------------------------------------------------------------------
# tests/unit/<room>/test_*.c is one cmocka program each, linked with that room and what lies below it.
UNIT_SRC  := $(wildcard tests/unit/*/test_*.c)
UNIT_BIN  := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(UNIT_SRC))
CMOCKA    := $(call libs,cmocka,-lcmocka)

# What the web program's tests share: all but test_*.c and main_*.c, which are programs.
WEB_TEST_LIB := $(BUILD)/libwebtest.a
$(WEB_TEST_LIB): $(call obj,$(filter-out tests/unit/web/test_%.c tests/unit/web/main_%.c,$(wildcard tests/unit/web/*.c)))
$(BUILD)/unit/web/%: $(BUILD)/obj/tests/unit/web/%.o $(WEB_TEST_LIB) $(WEB_LIB) $(COMMON_LIB)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(CMOCKA) $(WEB_LIBS)
$(BUILD)/unit/prober/%: $(BUILD)/obj/tests/unit/prober/%.o $(PROBER_LIB) $(COMMON_LIB)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(CMOCKA) $(PROBER_LIBS)
$(BUILD)/unit/%: $(BUILD)/obj/tests/unit/%.o $(COMMON_LIB)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(CMOCKA) $(call libs,lmdb,-llmdb) $(call libs,libcrypto,-lcrypto)

##: make test             all of it, on a fresh Debian too: packages, build, unit, corpora, end to end (T=name: one)
# The packages come first and alone: what they bring is looked for when the inner make starts.
test: deps-test
	+@$(MAKE) --no-print-directory check

check: all unit corpora simulate-short e2e

##: make unit             builds and runs the unit tests (T=name: only those whose path has it)
UNIT_RUN := $(if $(T),$(foreach u,$(UNIT_BIN),$(if $(findstring $(T),$(u:$(BUILD)/unit/%=%)),$(u))),$(UNIT_BIN))
unit: $(UNIT_RUN)
	@tests/unit/run $(BUILD)/unit $(sort $(UNIT_RUN))
unit-again:
	@tests/unit/run $(BUILD)/unit $$(cat $(BUILD)/unit/failed)

# ---- documents ---------------------------------------------------------------------------------------
# The tables of upbeat.json(5) and the schema are made from the rows of the program; a unit test says when
# they are old.
##: make docs             renews what is generated in docs/
.PHONY: docs
docs: $(BUILD)/upbeat-prober
	$(BUILD)/upbeat-prober config --schema > docs/upbeat.schema.json
	$(BUILD)/upbeat-prober config --man > $(BUILD)/keys.mdoc
	sed -i -e '/^\.\\" BEGIN/,/^\.\\" END/{//!d}' -e '/^\.\\" BEGIN/r $(BUILD)/keys.mdoc' docs/upbeat.json.5

# ---- the simulator -----------------------------------------------------------------------------------
# tests/simulator is one program: the real judge in a scripted world.
SIMULATOR := $(BUILD)/simulator
$(SIMULATOR): $(call obj,$(wildcard tests/simulator/*.c)) $(PROBER_LIB) $(COMMON_LIB)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(PROBER_LIBS)

##: make simulate         false alarms, missed outages, latencies: 150 years of a monitor (short=1: 10, as in make test)
simulate: $(SIMULATOR)
	@$(SIMULATOR) $(if $(short),,--long)

simulate-short: $(SIMULATOR)
	@$(SIMULATOR) > $(BUILD)/simulator.out && echo 'simulator: all goals reached' || { cat $(BUILD)/simulator.out; exit 1; }

# ---- fuzzing -----------------------------------------------------------------------------------------
# tests/fuzz/fuzz_NAME.c is one target; its inputs are kept in tests/fuzz/corpus/NAME/. Every target links
# common; fuzz_web_* also the web room, fuzz_prober_* the prober's.
FUZZ_NAMES := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_RUN   := $(if $(T),$(foreach n,$(FUZZ_NAMES),$(if $(findstring $(T),$(n)),$(n))),$(FUZZ_NAMES))
COMMON_LIBS := $(call libs,lmdb,-llmdb) $(call libs,libcrypto,-lcrypto) -lm

# Replaying needs no clang: the objects of the other tests, and a main() that reads the folders.
REPLAY := $(BUILD)/obj/tests/fuzz/replay.o
$(BUILD)/replay/web_%: $(BUILD)/obj/tests/fuzz/fuzz_web_%.o $(REPLAY) $(WEB_LIB) $(COMMON_LIB)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(WEB_LIBS)
$(BUILD)/replay/prober_%: $(BUILD)/obj/tests/fuzz/fuzz_prober_%.o $(REPLAY) $(PROBER_LIB) $(COMMON_LIB)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(PROBER_LIBS)
$(BUILD)/replay/%: $(BUILD)/obj/tests/fuzz/fuzz_%.o $(REPLAY) $(COMMON_LIB)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(COMMON_LIBS)

##: make corpora          replays the inputs kept for each fuzz target, with any compiler (T=name: only those)
corpora: $(FUZZ_RUN:%=$(BUILD)/replay/%)
	@set -e; for n in $(FUZZ_RUN); do \
		printf 'corpus/%s: ' $$n; $(BUILD)/replay/$$n tests/fuzz/corpus/$$n || \
		{ $(BUILD)/replay/$$n -v tests/fuzz/corpus/$$n 2>/dev/null | tail -1; exit 1; }; done

# Fuzzing needs all code compiled for it, by clang.
FUZZ_CC      ?= clang
FUZZ_SECONDS ?= 10
# How many targets run at the same time.
FUZZ_JOBS    ?= $(shell nproc)
FUZZ_FLAGS   := -std=c11 -g -O1 -fno-omit-frame-pointer -pthread $(WARNINGS) \
	-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
FUZZ_LINK     = $(Q)$(FUZZ_CC) -fsanitize=fuzzer,address,undefined -pthread -o $@ $^
fuzz_obj      = $(patsubst %.c,$(BUILD)/fuzz-obj/%.o,$(1))
FUZZ_COMMON  := $(BUILD)/fuzz-obj/libcommon.a
FUZZ_WEB     := $(BUILD)/fuzz-obj/libweb.a
FUZZ_PROBER  := $(BUILD)/fuzz-obj/libprober.a

$(FUZZ_COMMON): $(call fuzz_obj,$(COMMON_SRC))
$(FUZZ_WEB): $(call fuzz_obj,$(filter-out %/main.c,$(WEB_SRC))) $(BUILD)/fuzz-obj/gen/html.o
$(FUZZ_PROBER): $(call fuzz_obj,$(filter-out %/main.c,$(PROBER_SRC)))
$(BUILD)/fuzz-obj/gen/html.o: $(BUILD)/gen/html.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(FUZZ_CC) $(CPPFLAGS) $(FUZZ_FLAGS) -c -o $@ $<
$(BUILD)/fuzz-obj/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(FUZZ_CC) $(CPPFLAGS) $(FUZZ_FLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/fuzz/web_%: $(BUILD)/fuzz-obj/tests/fuzz/fuzz_web_%.o $(FUZZ_WEB) $(FUZZ_COMMON)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(FUZZ_LINK) $(WEB_LIBS)
$(BUILD)/fuzz/prober_%: $(BUILD)/fuzz-obj/tests/fuzz/fuzz_prober_%.o $(FUZZ_PROBER) $(FUZZ_COMMON)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(FUZZ_LINK) $(PROBER_LIBS)
$(BUILD)/fuzz/%: $(BUILD)/fuzz-obj/tests/fuzz/fuzz_%.o $(FUZZ_COMMON)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(FUZZ_LINK) $(COMMON_LIBS)

##: make fuzz             runs each fuzz target for FUZZ_SECONDS=10, one on each core, with clang (T=name: only those)
# New inputs go below $(BUILD); one that fails is left there as NAME.crash-..., to be kept in corpus/NAME/.
fuzz: $(FUZZ_RUN:%=$(BUILD)/fuzz/%)
	@FUZZ_JOBS=$(FUZZ_JOBS) tests/fuzz/run $(BUILD)/fuzz $(FUZZ_SECONDS) $(FUZZ_RUN)

# All that make check runs, built: the tests' own programs too.
.PHONY: built
built: all $(UNIT_BIN) $(FUZZ_NAMES:%=$(BUILD)/replay/%) $(SIMULATOR)

# What the fault tests inject with (tests/faults): libraries to be preloaded, the checker of power cuts, and the
# web program linked dynamically, because nothing can be preloaded into a static one.
FAULT_TOOLS := $(BUILD)/faults/record_writes.so $(BUILD)/faults/fail_alloc.so $(BUILD)/faults/power_cut \
	$(BUILD)/faults/upbeat.fcgi
$(BUILD)/faults/%.so: tests/faults/%.c tests/faults/record.h
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) -std=c11 -O1 -g -Wall -Wextra -D_GNU_SOURCE -fPIC -shared -pthread -o $@ $< -ldl
$(BUILD)/faults/power_cut: $(BUILD)/obj/tests/faults/power_cut.o $(COMMON_LIB)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(call libs,lmdb,-llmdb) $(call libs,libcrypto,-lcrypto)
$(BUILD)/faults/upbeat.fcgi: $(call obj,cgi-bin/web/main.c) $(WEB_LIB) $(COMMON_LIB)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(WEB_LIBS)

##: make e2e              structure and end-to-end tests, with the real servers (T=name: only those)
# In a folder of the run's own, which the servers' user may walk and other runs do not touch. That T= names no
# test here (pytest's 5) is fine: it may name a unit test.
pytest = folder=$$(mktemp -d /tmp/upbeat-test.XXXXXX) && chmod 755 $$folder || exit 1; \
	UPBEAT_BUILD=$(BUILD) $(PYTHON) -B -m pytest -o cache_dir=$(abspath $(BUILD))/failed -q -ra --no-header --tb=short \
		--durations=12 --durations-min=10 --basetemp=$$folder/t $(1); \
	status=$$?; rm -rf $$folder; [ $$status = 5 ] && [ -n '$(T)' ] && status=0; exit $$status
JOBS   ?= 6
e2e: all $(FAULT_TOOLS)
	@$(call pytest,$(if $(T),-k '$(T)',-n $(JOBS)) tests/structure tests/e2e)

##: make again            the end-to-end tests that failed last, one after the other
# Elsewhere than in CI, too: on a busy machine a test may have been late.
again: all $(FAULT_TOOLS)
	@$(call pytest,--last-failed --last-failed-no-failures none tests/structure tests/e2e tests/extra)

##: make test-extra       what needs npm and a browser: packages first, then tests/extra
test-extra: deps-extra
	+@$(MAKE) --no-print-directory all
	@$(call pytest,$(if $(T),-k '$(T)') tests/extra)

##: make nightly          the long forms: thousands of kills, every kill point and power cut, a soak of an hour, fuzzing
# NIGHTLY_PERCENT= and NIGHTLY_SOAK_SECONDS= shorten them; `tests/reliability.py` prints the table of what was counted.
nightly: deps-test
	+@$(MAKE) --no-print-directory all
	+@UPBEAT_NIGHTLY=1 $(MAKE) --no-print-directory e2e
	@$(PYTHON) -B tests/reliability.py $(BUILD)/reliability.jsonl
	+@$(MAKE) --no-print-directory fuzz FUZZ_SECONDS=60

##: make bench            ratios against yardsticks built in the same run, ~5 minutes (T="http ping": single tables; RUNS=15)
bench: deps-test
	+@$(MAKE) --no-print-directory all
	@UPBEAT_BUILD=$(BUILD) $(PYTHON) -B tests/bench/bench.py $(T)

# ---- coverage ----------------------------------------------------------------------------------------
##: make coverage         lines and branches that the tests reach, room by room, against the goal (package gcovr)
# The unit tests, the corpora, and those end-to-end tests that walk paths of the rooms with a goal. One of these
# that fails is named, and counts for what it reached: make test says whether all is well. (Where allocations fail in
# turn, the first of the prober's is gcov's own, which does not survive it.)
COVERAGE_JOBS ?= 10
COVERAGE_E2E ?= not (channels or clients or demo or documents or install or portable or upgrade or the_prober_finds_no_memory)
.PHONY: coverage coverage-run coverage-table
coverage: deps-coverage
	+@$(MAKE) --no-print-directory COVERAGE=1 coverage-run

coverage-run: built $(FAULT_TOOLS)
	@find $(BUILD) -name '*.gcda' -delete
	+@$(MAKE) --no-print-directory unit > $(BUILD)/unit.log 2>&1 || grep '^FAIL' $(BUILD)/unit.log || cat $(BUILD)/unit.log
	+@$(MAKE) --no-print-directory corpora > $(BUILD)/corpora.log 2>&1 || { cat $(BUILD)/corpora.log; exit 1; }
	@$(BUILD)/upbeat-prober --help > /dev/null; REQUEST_METHOD=GET $(BUILD)/upbeat.fcgi < /dev/null > /dev/null
	@chmod -R a+rwX $(BUILD)/obj # the servers' user counts in the same files
	@($(call pytest,-n $(COVERAGE_JOBS) -k '$(COVERAGE_E2E)' tests/e2e)) > $(BUILD)/e2e.log 2>&1 || grep '^FAILED' $(BUILD)/e2e.log || cat $(BUILD)/e2e.log
	+@$(MAKE) --no-print-directory coverage-table

coverage-table:
	@gcovr -j 2 --root . --object-directory $(BUILD)/obj --filter common/ --filter cgi-bin/ \
		--exclude-unreachable-branches --json $(BUILD)/coverage.json $(BUILD)/obj 2> $(BUILD)/gcovr.log || { cat $(BUILD)/gcovr.log; exit 1; }
	@$(PYTHON) -B tests/coverage/table.py $(BUILD)/coverage.json

# ---- lint --------------------------------------------------------------------------------------------
##: make lint             clang-tidy, cppcheck, shellcheck, mandoc: nothing found is the only result (packages first)
# clang-tidy looks again only at what changed: an object file is newer when its source or a header of it is.
CLANG_TIDY ?= clang-tidy
CPPCHECK   ?= cppcheck
TIDY_SRC   := $(COMMON_SRC) $(WEB_SRC) $(PROBER_SRC) cgi-bin/web/html/embed.c
SCRIPTS     = $(shell awk 'FNR == 1 && /^\#!.*sh$$/ { print FILENAME } { nextfile }' $$(find .ci contrib tests -type f))

.PHONY: lint-all lint-tidy lint-cppcheck lint-scripts lint-man
lint: deps-lint
	+@$(MAKE) --no-print-directory -Otarget -j$$(nproc) lint-all

lint-all: lint-man lint-scripts lint-cppcheck lint-tidy
	@echo 'lint: nothing found'

lint-tidy: $(TIDY_SRC:%.c=$(BUILD)/lint/%.ok)
$(BUILD)/lint/%.ok: $(BUILD)/obj/%.o .clang-tidy
	@mkdir -p $(@D)
	$(call say,TIDY,$*.c)
	$(Q)$(CLANG_TIDY) --quiet $*.c -- $(CPPFLAGS) -std=c11 2>$@.log || { cat $@.log; exit 1; }
	@mv $@.log $@

lint-cppcheck:
	$(call say,CHECK,'common cgi-bin (cppcheck)')
	$(Q)$(CPPCHECK) -q --enable=warning,performance,portability,style --std=c11 --language=c -D_GNU_SOURCE \
		-Icommon -Icgi-bin --inline-suppr --library=tests/lint/cppcheck.cfg \
		--suppressions-list=tests/lint/cppcheck.txt --error-exitcode=1 common cgi-bin

lint-scripts:
	$(call say,CHECK,'scripts (shellcheck)')
	$(Q)shellcheck $(SCRIPTS)

# References to pages that are not installed yet are no finding.
lint-man:
	$(call say,CHECK,'manual pages (mandoc)')
	$(Q)! mandoc -Tlint docs/*.[1-9] | grep -v -e 'referenced manual not found' -e 'outdated mandoc.db'

# ---- installing --------------------------------------------------------------------------------------
# After the FHS. cron reads /etc only, so a prefix of the system's has its settings there.
CGIDIR     ?= $(PREFIX)/lib/upbeat/cgi-bin
MANDIR     ?= $(PREFIX)/share/man
DOCDIR     ?= $(PREFIX)/share/doc/upbeat
SYSCONFDIR ?= $(if $(filter /usr /usr/local /opt/%,$(PREFIX)),/etc,$(PREFIX)/etc)
CRON_USER  ?= root
INSTALL    ?= install
MAN_PAGES  := $(wildcard docs/*.[158])
DOCUMENTS  := README.md CHANGES.md LICENSE docs/upbeat.schema.json contrib/shared-hosting/htaccess-example
CRON_FILE   = $(DESTDIR)$(SYSCONFDIR)/cron.d/upbeat
VERSION    := $(shell sed -n 's/.*UPBEAT_VERSION "\(.*\)"/\1/p' common/base/version.h)

# An example or page as it reads where things were put, for everybody to read, whatever the umask.
placed = umask 022 && sed -e 's\#/usr/lib/upbeat/cgi-bin\#$(CGIDIR)\#g' -e 's\#/usr/local/bin/upbeat-prober\#$(PREFIX)/bin/upbeat-prober\#g' \
	-e 's\#/etc/upbeat\#$(SYSCONFDIR)/upbeat\#g'

$(BUILD)/upbeat.cron: FORCE | $(BUILD)/upbeat-prober
	@printf '%s\n' '# Upbeat: one pass each minute. Nothing happens until there is a configuration, which' \
		'#     upbeat-prober -c $(SYSCONFDIR)/upbeat/upbeat.json init' \
		'# makes. The user must be the one who owns it and the store.' \
		'* * * * * $(CRON_USER) [ ! -x $(PREFIX)/bin/upbeat-prober ] || [ ! -e $(SYSCONFDIR)/upbeat/upbeat.json ] || $(PREFIX)/bin/upbeat-prober -c $(SYSCONFDIR)/upbeat/upbeat.json' > $@
.PHONY: FORCE
FORCE:

##: make install          DESTDIR= PREFIX=/usr/local CGIDIR= SYSCONFDIR= CRON_USER=root; uninstall with the same
# Only upbeat.fcgi goes where the web server runs programs. Running programs are replaced, not written into
# (install removes first). A crontab file that is there is its owner's.
install: all $(BUILD)/upbeat.cron
	$(INSTALL) -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(CGIDIR) $(DESTDIR)$(DOCDIR)/clients $(DESTDIR)$(DOCDIR)/hubot \
		$(dir $(CRON_FILE))
	$(INSTALL) -m 755 $(BUILD)/upbeat-prober $(DESTDIR)$(PREFIX)/bin/
	$(INSTALL) -m 755 $(BUILD)/upbeat.fcgi $(DESTDIR)$(CGIDIR)/
	for page in $(MAN_PAGES); do \
		$(INSTALL) -d $(DESTDIR)$(MANDIR)/man$${page##*.} && \
		$(placed) $$page > $(DESTDIR)$(MANDIR)/man$${page##*.}/$${page##*/} || exit 1; done
	$(INSTALL) -m 644 $(DOCUMENTS) $(DESTDIR)$(DOCDIR)/
	$(INSTALL) -m 755 contrib/clients/* $(DESTDIR)$(DOCDIR)/clients/
	$(INSTALL) -m 644 contrib/hubot/* $(DESTDIR)$(DOCDIR)/hubot/
	for server in apache lighttpd nginx; do \
		$(placed) $$server-example.conf > $(DESTDIR)$(DOCDIR)/$$server-example.conf || exit 1; done
	[ -e $(CRON_FILE) ] || $(INSTALL) -m 644 $(BUILD)/upbeat.cron $(CRON_FILE)

##: make uninstall        takes away what make install put there; configuration, store, a changed crontab file stay
uninstall: $(BUILD)/upbeat.cron
	rm -f $(DESTDIR)$(PREFIX)/bin/upbeat-prober $(DESTDIR)$(CGIDIR)/upbeat.fcgi
	for page in $(MAN_PAGES); do rm -f $(DESTDIR)$(MANDIR)/man$${page##*.}/$${page##*/}; done
	rm -rf $(DESTDIR)$(DOCDIR)
	! cmp -s $(BUILD)/upbeat.cron $(CRON_FILE) || rm -f $(CRON_FILE)
	-rmdir $(DESTDIR)$(CGIDIR) $(DESTDIR)$(PREFIX)/lib/upbeat 2>/dev/null

##: make portable         build/upbeat-VERSION-MACHINE.tar.gz: one folder for shared hosting, all but libc inside
PORTABLE := $(BUILD)/upbeat-$(VERSION)-$(shell uname -m).tar.gz
portable: $(PORTABLE)
	@printf '%s (%s bytes)\n' $(PORTABLE) "$$(stat -c %s $(PORTABLE))"
$(PORTABLE): $(BUILD)/portable/upbeat-prober $(BUILD)/upbeat.fcgi $(wildcard contrib/portable/* contrib/clients/*) \
		contrib/shared-hosting/htaccess-example $(MAN_PAGES) CHANGES.md LICENSE docs/upbeat.schema.json
	$(call say,PACK,$@)
	$(Q)contrib/portable/pack.sh $(BUILD) $(VERSION)

# As the other, but its libraries, and theirs, are looked for beside it first.
$(BUILD)/portable/upbeat-prober: $(call obj,cgi-bin/prober/main.c) $(PROBER_LIB) $(COMMON_LIB)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) -Wl,--disable-new-dtags,-rpath,'$$ORIGIN/../lib' -o $@ $^ $(PROBER_LIBS)

clean:
	rm -rf build build-asan build-coverage

.SECONDARY:
-include $(shell find $(BUILD)/obj $(BUILD)/fuzz-obj -name '*.d' 2>/dev/null)
