# SPDX-License-Identifier: GPL-2.0

KDIR ?= /lib/modules/$(shell uname -r)/build

selftests := tools/testing/selftests/vhost_balloon
vmtest := $(selftests)/vmtest.sh

help:
	@echo 'To build:'
	@echo '  all              - modules and tools'
	@echo '  modules          - the modules, for the kernel built or installed in KDIR'
	@echo '                     ($(KDIR))'
	@echo '  tools            - vballoonctl'
	@echo '  selftests        - the tests, with SELFTESTS_DIR= the directory'
	@echo '                     tools/testing/selftests of a kernel source'
	@echo '  modules_install  - install the modules'
	@echo '  install          - install the modules, vballoonctl, its man page and udev rules'
	@echo '  clean            - remove what was built'
	@echo
	@echo 'As root, on Debian 12 or 13, with all that it takes set up on the way:'
	@echo '  demo             - a guest gives memory back, in a virtual machine'
	@echo '  check            - all tests, in virtual machines'
	@echo '                     SUITE=bookworm|trixie only on that kernel,'
	@echo '                     DEBUG=1 only on a debug kernel'
	@echo '                     COVERAGE=1 on one that counts which lines are run'
	@echo '  bench            - what a page costs, ours against QEMU, with tables and plots;'
	@echo '                     BENCH_OUT=DIR for results, BENCH_UPDATE=1 to show them'
	@echo '                     in Documentation'
	@echo
	@echo 'Without booting anything, parts of check:'
	@echo '  unit             - unit tests of the code that also builds in userspace'
	@echo '  fuzz             - fuzzers of that code, FUZZ_TIME=N seconds each (60); as root'
	@echo '  lint             - sparse, checkpatch, shellcheck, man pages'
	@echo
	@echo 'W=1, C=1, V=1 and the like mean what they mean to the kernel.'

all: modules tools

modules modules_install:
	$(MAKE) -C $(KDIR) M=$(CURDIR) $@

tools:
	$(MAKE) -C tools/vhost-balloon

selftests:
	$(MAKE) -C $(selftests)

unit:
	$(MAKE) -C tools/testing/vhost_balloon check
	$(MAKE) -C tools/vhost-balloon check

install: modules_install tools
	$(MAKE) -C tools/vhost-balloon install

clean:
	$(if $(wildcard $(KDIR)),$(MAKE) -C $(KDIR) M=$(CURDIR) clean)
	$(MAKE) -C tools/vhost-balloon clean
	$(MAKE) -C tools/testing/vhost_balloon clean
	$(MAKE) -C $(selftests) clean

check:
	@$(vmtest) --check

fuzz:
	@CHECK=fuzz $(vmtest) --check

lint:
	@$(vmtest) --lint

bench:
	@$(vmtest) --bench

demo:
	@$(vmtest) --run $(selftests)/demo.sh

.PHONY: help all modules modules_install tools selftests unit install clean check fuzz lint demo bench
