# Atoll's verbs. `make` lists them.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules --no-print-directory

PYTHON ?= $(shell command -v python3.11 || command -v python3)
# The build of torch that pip finds is the CPU one where its links or index offer it; see docs/decisions.
TORCH ?= torch==2.13.0
PIP := .venv/bin/pip --disable-pip-version-check --quiet
BIN := .venv/bin

.PHONY: help setup demo up down status test soak check env locks bench

help: ## List the verbs
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# Each stamp is newer than what it was made from; nothing is installed twice.
.state/venv:
	@mkdir -p .state
	$(PYTHON) -m venv .venv
	@touch $@

.state/run: .state/venv requirements-core.lock requirements-embeddings.lock requirements-dev.lock pyproject.toml
	@echo "installing; the first time takes a few minutes"
	$(PIP) install --no-deps '$(TORCH)'
	$(PIP) install --no-deps --require-hashes -r requirements-core.lock
	$(PIP) install --no-deps --require-hashes -r requirements-embeddings.lock
	$(PIP) install --no-deps --require-hashes -r requirements-dev.lock
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

setup: .state/run ## Install everything into .venv

demo: .state/run ## Set up, start, read samples/ and answer a question from them
	@$(BIN)/python scripts/demo.py

up: .state/run ## Start the local stack in the background
	@$(BIN)/atoll up --local

down: .state/run ## Stop the local stack
	@$(BIN)/atoll down

status: .state/run ## Show the processes of the local stack
	@$(BIN)/atoll status

T ?= tests
test: .state/run ## Run all tests that need no container engine (T=path narrows)
	@$(BIN)/pytest -m 'not soak' $(T)

soak: .state/run ## Run the long kill, property and fuzz tests
	@ATOLL_TEST_EXAMPLES=1000 $(BIN)/pytest -m soak tests
	@ATOLL_TEST_EXAMPLES=1000 $(BIN)/pytest tests/integration/test_interleavings.py

check: .state/run ## Lint, types, import rules, and drift of everything generated
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python scripts/render_env.py --check
	@$(BIN)/python -m gateway.openapi --check
	@$(BIN)/python scripts/build_samples.py --check

env: .state/run ## Write .env.example and the OpenAPI schema from the code
	@$(BIN)/python scripts/render_env.py
	@$(BIN)/python -m gateway.openapi --write

locks: .state/run ## Compile the hash-pinned locks (needs an index)
	@scripts/lock.sh

bench: .state/run ## Run the benchmarks into benchmarks/results/ (about half an hour)
	@for script in benchmarks/[a-z]*.py; do name=$$(basename $$script .py); echo "$$name"; \
	  $(BIN)/python $$script > benchmarks/results/$$name.json.part && \
	  mv benchmarks/results/$$name.json.part benchmarks/results/$$name.json; done
