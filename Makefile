# Everything that a person or CI runs. `make help` lists it.

SHELL := /bin/sh
.DEFAULT_GOAL := help
CARGO ?= cargo
ARCH ?= $(shell uname -m)
STATIC := target/static/nodepods-$(ARCH)
VENV := target/venv
PYTHON := $(VENV)/bin/python
# The quick build links Debian's gRPC instead of compiling it. The static build must not see this.
QUICK := GRPCIO_SYS_USE_PKG_CONFIG=1

##@ Start here

.PHONY: help
help: ## This list
	@awk 'BEGIN { FS = ":.*## " } /^##@/ { printf "\n%s\n", substr($$0, 5) } /^[a-z0-9-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

.PHONY: run
run: ## Install what is missing, build, serve example pods and this node's own, show them (RUN_ONCE=1: and stop)
	@packaging/build/setup quick
	@$(MAKE) --no-print-directory build
	@RUN_ONCE=$(RUN_ONCE) packaging/build/run target/debug/nodepods

.PHONY: test
test: ## Install what is missing, then everything that must hold: lints, unit tests, end to end on the static binary
	@packaging/build/setup test
	@packaging/build/check

##@ Build

.PHONY: setup
setup: ## Install what building and testing need (Debian, as root; else says what)
	packaging/build/setup test

.PHONY: build
build: ## The quick build: target/debug/nodepods, linked with Debian's gRPC
	$(QUICK) $(CARGO) build --locked

.PHONY: static
static: ## The binary that is shipped: musl, static, target/static/nodepods-ARCH (ARCH=aarch64 and armv7 work too)
	packaging/build/setup static
	packaging/build/static $(ARCH)

.PHONY: packages
packages: ## The static binary as deb, rpm and tarball in target/dist (ARCH=, SIGN_KEY=); builds it if it is not there
	packaging/build/setup packages
	@[ -x $(STATIC) ] || $(MAKE) --no-print-directory static ARCH=$(ARCH)
	packaging/build/packages $(ARCH)

.PHONY: vendor
vendor: ## Every crate into target/vendor, for builds without a network
	packaging/build/dist vendor

.PHONY: dist
dist: ## The sources with every crate in one file: target/dist/nodepods-VERSION-source.tar.xz
	packaging/build/dist

.PHONY: reproduce
reproduce: ## Compile the commit twice, in two places, and compare (half an hour or more)
	packaging/build/reproduce $(ARCH)

.PHONY: protoset
protoset: ## Every served contract as a descriptor set: target/nodepods.protoset
	@mkdir -p target
	$(QUICK) $(CARGO) run --quiet --locked --example protoset >target/nodepods.protoset

.PHONY: clean
clean: ## Remove what was built, but not the compiled C++ of the static build
	rm -rf target/debug target/release target/venv target/check target/dist target/doc

##@ Check

.PHONY: lint
lint: ## Format and clippy
	$(CARGO) fmt --all --check
	$(QUICK) $(CARGO) clippy --locked --all-targets -- -D warnings

.PHONY: fmt
fmt: ## Format the code
	$(CARGO) fmt --all

.PHONY: deny
deny: $(VENV)/.done ## Licences, duplicate versions, origins and advisories of the dependencies
	@packaging/build/deny $(VENV)/bin

.PHONY: unit
unit: ## Unit and property tests: of the pure core (no gRPC), then of everything
	$(CARGO) test --locked --no-default-features --lib
	$(QUICK) $(CARGO) test --locked

.PHONY: e2e
e2e: $(VENV)/.done ## End to end with a real containerd, as root. NODEPODS_BIN= names another binary, T= picks tests
	NODEPODS_BIN=$${NODEPODS_BIN:-$(STATIC)} $(PYTHON) -m pytest -q --tb=short -p no:cacheprovider tests/e2e $(if $(T),-k '$(T)')

.PHONY: test-qemu
test-qemu: $(VENV)/.done ## The binary of ARCH=aarch64 or armv7 under qemu-user, end to end, as root (half an hour when its C++ is cold)
	packaging/build/setup test
	packaging/build/setup qemu
	packaging/build/static $(ARCH)
	packaging/build/hardening target/static/nodepods-$(ARCH)
	NODEPODS_BIN=$(CURDIR)/tests/node/under-qemu-$(ARCH) $(PYTHON) -m pytest -q --tb=short -p no:cacheprovider \
	  $(foreach t,contracts manifests lifecycle cli pods_over_cri situations,tests/e2e/test_$(t).py)

.PHONY: test-packages
test-packages: packages $(VENV)/.done ## The packages on fresh systems, under a real systemd too, as root. T= picks tests
	$(PYTHON) -m pytest -q --tb=short -p no:cacheprovider tests/packages $(if $(T),-k '$(T)')

.PHONY: demo-offline
demo-offline: $(VENV)/.done ## A node loses its API server and is restarted: what is still answered (docs/offline.md), as root
	@NODEPODS_BIN=$${NODEPODS_BIN:-$(STATIC)} $(PYTHON) tests/demo/offline.py

.PHONY: replay
replay: $(VENV)/.done ## Recorded nodes again: every field of every pod against what a real kubelet said
	NODEPODS_BIN=$${NODEPODS_BIN:-$(STATIC)} $(PYTHON) tests/replay/replay.py tests/recordings/*/

.PHONY: bench
bench: ## List, Get, masks and watches under load: a table and target/bench.json. T="watch --seconds 10" picks
	$(QUICK) $(CARGO) run --quiet --release --locked --example bench -- $(T)

.PHONY: bench-static
bench-static: ## The same on the static build
	packaging/build/setup static
	packaging/build/static $(ARCH) bench
	target/static/bench-$(ARCH) $(T)

.PHONY: fuzz
fuzz: ## Fuzz masks, pods, selectors, queries, manifests, requests and logs for FUZZ_SECONDS (30) each. T=mask picks
	packaging/build/fuzz $(T)

.PHONY: figures
figures: $(VENV)/.done ## Measure the numbers of docs/promises.md (needs a quiet machine)
	NODEPODS_BIN=$${NODEPODS_BIN:-$(STATIC)} $(PYTHON) tests/figures/figures.py

.PHONY: order
order: $(VENV)/.done ## Write packaging/order.list anew, the order of the static binary's functions (needs valgrind, root)
	packaging/build/static
	$(PYTHON) tests/figures/order.py target/static/nodepods-$$(uname -m).symbols packaging/order.list
	packaging/build/static

$(VENV)/.done: tests/requirements.txt
	@python3 -m venv $(VENV)
	@$(VENV)/bin/pip install -q --disable-pip-version-check -r tests/requirements.txt
	@touch $@
