# Everything a contributor does. `make` alone shows the targets.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
JOBS ?= $(shell nproc)
space := $(subst ,, )
PRESET ?= release
PROGRAM := build/release/chandler

.DEFAULT_GOAL := help
.PHONY: help setup build demo test bench python torture faults soak soak-live kafka package package-test lint sanitize fuzz fuzz-replay clean

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

setup: ## install what building needs and is not there yet (Debian 12)
	@scripts/setup

build: setup ## build the program and the tests
	@cmake --preset $(PRESET) --log-level=WARNING
	@cmake --build --preset $(PRESET) -j $(JOBS)

demo: setup ## build the program, fetch real candles from an embedded exchange, show what came out
	@cmake --preset release --log-level=WARNING
	@cmake --build --preset release -j $(JOBS) --target chandler
	@$(PROGRAM) demo

test: ## build everything and run every test
	@scripts/setup test
	@$(MAKE) --no-print-directory build
	@ctest --preset $(PRESET) -j $(JOBS)

bench: build ## measure, as ratios within one run
	@bench/run

python: ## build the wheel of the Python package into build/wheel, and install it in .deps/python
	@scripts/setup python
	@scripts/wheel

torture: ## 200 backfills under faults and 200 under SIGKILL (RUNS=n for another number)
	@scripts/setup test
	@$(MAKE) --no-print-directory build
	@.deps/venv/bin/python tests/torture/torture.py $(PROGRAM) data/demo --runs $(or $(RUNS),200)

faults: ## 2000 seeded runs of every job over a disk that fails and loses power (RUNS=n, SEED=n)
	@cmake --preset $(PRESET) --log-level=WARNING
	@cmake --build --preset $(PRESET) -j $(JOBS) --target batch_test
	@CHANDLER_FAULT_RUNS=$(or $(RUNS),2000) CHANDLER_FAULT_SEED=$(or $(SEED),1) build/$(PRESET)/src/batch/batch_test --gtest_filter='PowerCut.*'

soak: ## the speed layer under 100 kills of producer, consumer and broker (ROUNDS=n for another number)
	@scripts/setup test kafka
	@$(MAKE) --no-print-directory build
	@cd tests && ROUNDS=$(or $(ROUNDS),100) SEED=$(or $(SEED),7) CHANDLER_PROGRAM=$(CURDIR)/$(PROGRAM) ../.deps/venv/bin/python -m pytest -q -p no:cacheprovider speed

soak-live: ## an hour of `chandler live` on 3,000 symbols at 60x under faults (SECONDS=n, SYMBOLS=n, SEED=n)
	@scripts/setup test
	@$(MAKE) --no-print-directory build
	@.deps/venv/bin/python tests/soak/soak.py $(PROGRAM) --seconds $(or $(SECONDS),3600) --symbols $(or $(SYMBOLS),3000) --seed $(or $(SEED),1)

kafka: ## start a real Kafka broker on 127.0.0.1:9092 (ACTION=stop, kill or clean for the contrary)
	@scripts/setup kafka
	@scripts/kafka $(or $(ACTION),start)

package: ## build/packages: a .deb and a tar.gz that runs from any folder
	@scripts/setup package
	@cmake --preset release --log-level=WARNING
	@cmake --build --preset release -j $(JOBS) --target chandler
	@scripts/package

package-test: package ## install the .deb into a bare Debian, use it there, and remove it without a trace (needs root)
	@tests/packages/package_test build/packages

lint: ## what a reviewer should not have to say
	@scripts/lint

sanitize: setup ## unit tests under AddressSanitizer + UBSan, then ThreadSanitizer (MODULES="lake net" for some)
	@for preset in asan tsan; do \
	  cmake --preset $$preset --log-level=WARNING; \
	  cmake --build --preset $$preset -j $(JOBS) --target $(if $(MODULES),$(addsuffix _test,$(MODULES)),unit_tests); \
	  ctest --preset $$preset -j $(JOBS) $(if $(MODULES),-R '^($(subst $(space),|,$(strip $(MODULES))))$$'); \
	done

fuzz: ## run every fuzz target (SECONDS=n each, TARGET=decimal for one)
	@scripts/fuzz $(or $(SECONDS),60) $(TARGET)

fuzz-replay: ## the same inputs every time to every fuzz target, as CI does (TARGET=decimal for one)
	@scripts/fuzz --replay $(TARGET)

clean: ## remove what was built; .deps and lakes stay
	@rm -rf build
