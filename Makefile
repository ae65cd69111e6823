# The commands of Switchhook. `make` alone lists them.
#
# On Debian and Ubuntu missing system packages are installed by apt-get, as root or with sudo;
# where nothing is missing, nothing is asked and no network is needed.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

CARGO ?= cargo
CONFIG ?= examples/switchhook.toml
SEED ?= 0
TARGET_DIR := $(or $(CARGO_TARGET_DIR),target)

# package:command that shows it is there. What a build needs:
BUILD_NEEDS := build-essential:c++ build-essential:make cmake:cmake pkg-config:pkg-config
# and what the tests with real SIP peers and applications need on top:
TEST_NEEDS := sip-tester:sipp baresip-core:baresip nodejs:node npm:npm python3:python3
# Debian's Python makes virtual environments only with this; no command shows that it is there.
VENV_NEEDS = $(shell python3 -c 'import venv, ensurepip' 2>/dev/null || echo python3-venv:none)
# Packages of other kinds that tests run, kept beside what is built:
PEERS := $(abspath $(TARGET_DIR))/peers

FUZZ_SECONDS ?= 30
FUZZ_CARGO = $(CARGO) +nightly fuzz
# No sanitizer: the code under test has no unsafe block, and runs twice as fast without.
FUZZ_OPTIONS = --sanitizer none --features configuration

# The steps of one command run in their order, with -j as well.
.NOTPARALLEL:
.PHONY: help run demo test proof proof-replay fmt lint doc fuzz differential bench deny advisories \
	clean build-needs test-needs

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: build-needs ## build and start the switch with its demo application (CONFIG=file for yours)
	$(CARGO) build --release --locked --package switchhook
	@exec $(TARGET_DIR)/release/switchhook serve --config $(CONFIG)

demo: build-needs ## one call between phones of its own, drawn as a ladder; no phone needed
	$(CARGO) build --release --locked --package switchhook
	@exec $(TARGET_DIR)/release/switchhook demo

# Tests against real peers are crates of the workspace like any other, so `cargo test` runs them.
test: test-needs fmt lint ## everything that must hold before a change goes in
	@tests/run $(CARGO)
	@$(MAKE) --no-print-directory doc

# PROOF_DEPTH, PROOF_DIALS and PROOF_SEED say how much of it; see docs/proof.md.
proof: build-needs ## every order of events of a small dial, and a million random ones
	$(CARGO) build --release --locked --package testkit --bin proof
	@exec $(TARGET_DIR)/release/proof

proof-replay: build-needs ## one random dial (SEED=number), drawn as a ladder
	$(CARGO) build --release --locked --package testkit --bin proof
	@exec $(TARGET_DIR)/release/proof replay $(SEED)

fmt: ## check the layout of the source
	$(CARGO) fmt --all --check

lint: ## clippy, every warning an error
	$(CARGO) clippy --workspace --all-targets -- -D warnings

doc: ## the API documentation, every warning an error
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps

# Not part of `make test`, which replays the corpora with the stable compiler instead.
fuzz: ## each fuzz target for FUZZ_SECONDS=30 (nightly, cargo-fuzz); FUZZ=name for one alone
	@rustup toolchain list 2>/dev/null | grep -q nightly || \
		{ echo "fuzzing needs nightly Rust: rustup toolchain install nightly" >&2; exit 1; }
	@command -v cargo-fuzz >/dev/null || $(CARGO) install --locked cargo-fuzz
	$(FUZZ_CARGO) build $(FUZZ_OPTIONS)
	@for target in $(or $(FUZZ),$(basename $(notdir $(wildcard fuzz/fuzz_targets/*.rs)))); do \
		echo "fuzzing $$target for $(FUZZ_SECONDS) s"; \
		mkdir -p $(TARGET_DIR)/fuzz-corpus/$$target; \
		$(FUZZ_CARGO) run $(FUZZ_OPTIONS) $$target $(TARGET_DIR)/fuzz-corpus/$$target \
			fuzz/corpus/$$target -- -max_total_time=$(FUZZ_SECONDS) -max_len=4096 -timeout=10 \
			-verbosity=0 -print_final_stats=1; \
	done

# A workspace of its own: the other parsers bring libraries that the switch is never built with.
differential: ## our SIP parser against two others
	cd differential && $(CARGO) test --locked

bench: ## micro-benchmarks, minutes; ends with our SIP parser beside two others
	$(CARGO) bench --workspace --bench '*'
	cd differential && $(CARGO) bench --locked --bench '*'

deny: ## licences, bans and sources of every dependency (builds cargo-deny once, minutes)
	@command -v cargo-deny >/dev/null || $(CARGO) install --locked cargo-deny
	$(CARGO) deny check licenses bans sources

advisories: ## known vulnerabilities of dependencies; needs a network
	@command -v cargo-deny >/dev/null || $(CARGO) install --locked cargo-deny
	$(CARGO) deny check advisories

clean: ## remove what was built
	$(CARGO) clean

build-needs:
	@$(call install_missing,$(BUILD_NEEDS))

test-needs:
	@$(call install_missing,$(BUILD_NEEDS) $(TEST_NEEDS) $(VENV_NEEDS))
	@tests/interop/pjsua2/install.sh $(PEERS)/pjsua2
	@tests/interop/node/install.sh $(PEERS)/node

# One line of what it installs; silent when everything is there. sudo may ask for a password on a
# terminal and fails at once where there is none.
define install_missing
command -v $(firstword $(CARGO)) >/dev/null || \
	{ echo "cargo is missing: install Rust with rustup first" >&2; exit 1; }; \
missing=(); \
for need in $(1); do \
	command -v "$${need#*:}" >/dev/null || missing+=("$${need%%:*}"); \
done; \
if [ "$${#missing[@]}" -gt 0 ]; then \
	echo "installing with apt-get: $${missing[*]}"; \
	command -v apt-get >/dev/null || \
		{ echo "no apt-get here: install these by hand, then try again" >&2; exit 1; }; \
	as_root=(); \
	if [ "$$(id -u)" -ne 0 ]; then as_root=(sudo); [ -t 0 ] || as_root+=(-n); fi; \
	"$${as_root[@]}" apt-get -qq update; \
	"$${as_root[@]}" env DEBIAN_FRONTEND=noninteractive DEBCONF_NOWARNINGS=yes apt-get -qq install --yes \
		--no-install-recommends "$${missing[@]}" </dev/null >/dev/null; \
fi
endef
