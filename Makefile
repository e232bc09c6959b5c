# The verbs of this project; `make` lists them. What was done leaves a stamp in .state and is not done again.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
#: A wheel of torch, found as pip finds everything else; `+cpu` builds suffice. Any options of pip may come with it.
TORCH ?= torch==2.13.0
#: Narrows `make test` (a path, or options of pytest) and `make bench` (names of benchmarks).
T ?=
#: Processes that run tests when nothing is narrowed: most tests wait for processes that they started. What shares a
#: server runs in one of them (tests/support/lanes.py); a Qdrant that is given is one for all, and tests empty it.
AT_ONCE ?= $(if $(QDRANT_TEST_URL),1,2)
#: Where `make bundle` puts the bundle, the Compose profile whose images it carries, and the private key that signs it.
BUNDLE ?= dist/atoll.bundle
PROFILE ?= cpu
KEY ?=

BIN := .venv/bin
PIP := $(BIN)/python -m pip install -qq --disable-pip-version-check
LOCKS := requirements-nlp.lock requirements-embeddings.lock requirements-dev.lock
SUITES := $(foreach suite,unit contract integration e2e airgap,$(wildcard tests/$(suite)))

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
MAKEFLAGS += --no-print-directory
.PHONY: help setup demo up down status logs test test-fast test-screen test-clients test-open-webui test-compose soak check env web wheels bundle locks bench eval eval-hotpot eval-generate

help: ## List the verbs
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: .state/install ## Install everything into .venv

demo: setup ## Start Atoll here, read samples/, ask a question, show the cited answer
	@$(BIN)/python scripts/screen.py build --optional
	@$(BIN)/python scripts/demo.py

up: setup ## Start the local stack in the background; COMPOSE=1: the containers, of these four verbs
	@$(if $(COMPOSE),,$(BIN)/python scripts/screen.py build --optional)
	@$(if $(COMPOSE),$(BIN)/atoll init --compose && docker compose up --wait,$(BIN)/atoll up --local)

down: setup ## Stop it
	@$(if $(COMPOSE),docker compose down,$(BIN)/atoll down)

status: setup ## Show its processes
	@$(if $(COMPOSE),docker compose ps,$(BIN)/atoll status)

logs: setup ## Show the end of what they say
	@$(if $(COMPOSE),docker compose logs --tail 50,$(BIN)/atoll logs)

test: setup ## Run every test that needs no container engine; T=path or T="-k name" narrows
	@set -- $$($(BIN)/python scripts/environments.py $(T)); [ $$# -eq 0 ] || $(MAKE) "$$@"
	@$(BIN)/python -m pytest --durations=25 -m "not soak" $(or $(T),-n $(AT_ONCE) $(SUITES))

test-fast: setup ## Run what takes less than two minutes: unit tests, and contract tests on SQLite
	@$(BIN)/python -m pytest -q -m "not soak" -k "not neo4j" -n $(AT_ONCE) tests/unit tests/contract

test-screen: setup ## Check the browser screen: lint, types, unit tests, and journeys in a real Chromium; T narrows
	@$(BIN)/python scripts/screen.py check
	@$(BIN)/python -m pytest --durations=10 $(or $(T),tests/screen)

test-clients: setup .state/llama ## Run the clients of OpenAI's API and of MCP as they are against the local stack; T narrows
	@$(BIN)/python -m scripts.clients install
	@$(BIN)/python -m pytest --durations=5 $(or $(T),tests/clients)

test-open-webui: setup ## Run Open WebUI as it is in a real Chromium against the local stack; installs 2 GB
	@$(BIN)/python -m scripts.clients open-webui
	@$(BIN)/python -m pytest $(or $(T),tests/open_webui)

test-compose: setup .state/llama ## Build the images and test the container stack; starts an engine where it can; T narrows
	@scripts/test_compose.sh $(T)

soak: setup ## Run the long kill, property and fuzz tests
	@ATOLL_TEST_EXAMPLES=1000 $(BIN)/python -m pytest --timeout=7200 -m soak
	@ATOLL_TEST_EXAMPLES=1000 $(BIN)/python -m pytest --timeout=7200 tests/integration/test_interleavings.py

check: setup ## Lint, types, import rules, and whether generated files are up to date
	@$(BIN)/python scripts/check.py

bench: setup ## Run the benchmarks one after another; results go to benchmarks/results
	@$(BIN)/python scripts/bench.py $(T)

eval: setup ## Measure how good the answers over samples/ are; the result goes to benchmarks/results
	@$(BIN)/python scripts/bench.py evaluate && cat benchmarks/results/evaluate.json

eval-generate: setup ## The same with the chat model EVAL_CHAT_MODEL_FILE=x.gguf beside it; takes up to an hour
	@$(BIN)/python scripts/bench.py generate && cat benchmarks/results/generate.json

eval-hotpot: setup ## Measure recall on HotpotQA-100 through the HTTP API; the result goes to benchmarks/results
	@$(BIN)/python scripts/bench.py hotpot && cat benchmarks/results/hotpot.json

env: setup ## Write .env.example and gateway/openapi.json from the code
	@$(BIN)/python scripts/render_env.py
	@$(BIN)/python -m gateway.openapi --write

web: setup ## Build the browser screen into web/dist, with Node of PATH (22.12 or newer) or a pinned one
	@$(BIN)/python scripts/screen.py build

wheels: setup ## Bring to vendor/wheels what a machine without a package index installs, and the screen (connected machines)
	@$(BIN)/python scripts/screen.py pack --optional
	@TORCH="$(TORCH)" scripts/wheels.sh

bundle: wheels ## Build the images and one folder that carries everything across a gap; KEY=release.key signs it
	@docker compose --profile $(PROFILE) build
	@$(BIN)/atoll bundle create -o $(BUNDLE) --profile $(PROFILE) $(addprefix --key ,$(KEY))

locks: setup ## Compile requirements-*.lock anew (needs a package index)
	@scripts/lock.sh

# --- what `setup` consists of -----------------------------------------------------------------------------------------

.state/venv:
	@mkdir -p .state
	@$(PYTHON) -c 'import ensurepip, sys; assert (3, 11) <= sys.version_info < (3, 14)' 2>/dev/null || { \
	    echo "make: $(PYTHON) is missing, not 3.11 to 3.13, or without venv: install python3-venv (Debian), or name" \
	         "another one: make setup PYTHON=python3.12" >&2; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear .venv
	@touch $@

.state/locks: $(LOCKS) Makefile | .state/venv
	@echo "installing the locked packages into .venv"
	@set --; test ! -e $@.begun || set -- --force-reinstall; touch $@.begun; \
	    $(PIP) "$$@" --no-deps --require-hashes $(addprefix -r ,$(LOCKS))
	@rm -f $@.begun
	@touch $@

# What was begun and not ended is installed over whatever half of it is there: pip takes a package for whole by its name.
# torch is pinned by version and not by hash, because the right build differs between machines. A CUDA build links to
# libraries that are packages of their own: where it does not load without them, they are installed too.
.state/torch: .state/locks
	@echo "installing $(TORCH)"
	@set --; test ! -e $@.begun || set -- --force-reinstall; touch $@.begun; $(PIP) "$$@" --no-deps $(TORCH)
	@$(BIN)/python -c 'import torch' 2>/dev/null || $(PIP) $(TORCH)
	@rm -f $@.begun
	@touch $@

# Only tests of the chat protocol use it; a machine that has no such package skips them.
.state/llama: tests/requirements-llama.txt .state/locks
	@$(PIP) --no-deps --require-hashes -r $< || echo "llama.cpp does not install here; its tests are skipped"
	@touch $@

.state/clients: tests/requirements-clients.lock .state/locks
	@$(PIP) --no-deps --require-hashes -r $<
	@touch $@

# colpali-engine and the embedding server want different versions of transformers, so that the tests of the page-image
# server run its vision backend with an interpreter of its own. The tests that need it say so where it is absent.
COLPALI := .venv-colpali
COLPALI_PIP := $(COLPALI)/bin/python -m pip install -qq --disable-pip-version-check

.state/colpali: requirements-colpali.lock | .state/venv
	@echo "installing the locked packages of the page-image server into $(COLPALI)"
	@$(COLPALI)/bin/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(COLPALI)
	@$(COLPALI_PIP) --no-deps --require-hashes -r requirements-colpali.lock
	@$(COLPALI_PIP) --no-deps $(TORCH)
	@$(COLPALI)/bin/python -c 'import torch' 2>/dev/null || $(COLPALI_PIP) $(TORCH)
	@printf '%s\n' $(CURDIR)/src $(CURDIR)/services/colpali > \
	    "$$($(COLPALI)/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/atoll.pth"
	@touch $@

.state/install: pyproject.toml .state/torch
	@$(PIP) --no-deps --no-build-isolation -e .
	@touch $@
