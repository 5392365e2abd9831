# Two commands are enough: `make run` and `make test`. Both set up what they need first.
#   make PYTHON=/path/to/python3.12 …   with another Python
#   make run ARGS="--plain"             with options for edgevoice

SHELL := /bin/sh
# Else each parallel worker and each process of the tests would compile everything anew.
export PYTHONDONTWRITEBYTECODE :=
BIN := .venv/bin
# .venv's own Python can tell at once that nothing changed; only another one can make .venv anew.
SETUP = @$(if $(PYTHON),,$(BIN)/python -ES scripts/setup.py --check $(1) 2>/dev/null ||) \
	{ python=$$(sh scripts/find-python $(if $(PYTHON),"$(PYTHON)")) && "$$python" scripts/setup.py $(1); }
PYTEST = $(BIN)/python -m pytest
# Tests with sound devices run in real time, so they have the machine to themselves.
DEVICES = $(PYTEST) -m "devices and not long"
OTHERS = $(PYTEST) -n auto --dist worksteal -m "not devices and not long"
TEST_MODELS = silero-vad whisper-base whisper-tiny.en qwen2.5-coder-0.5b smollm2-135m en_US-joe-medium smart-turn-v3.2 kokoro-82m-ja

.DEFAULT_GOAL := help
.PHONY: help run demo test test-fast test-slow check lint format docs setup models lock release null-sinks cold-start clean

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | while IFS='	' read -r name what; do \
		printf '  make %-12s %s\n' "$$name" "$$what"; done

run: ## Set up what is missing, then talk
	$(call SETUP,run)
	@exec $(BIN)/edgevoice run --demo-without-microphone $(ARGS)

demo: ## Set up what is missing, then watch a conversation with a synthesized user
	$(call SETUP,run)
	@exec $(BIN)/edgevoice demo $(ARGS)

test: setup models ## Set up what is missing, then run the tests; ARGS="tests/x.py" runs some
	@$(if $(ARGS),$(PYTEST) $(ARGS),code=0; $(OTHERS) || code=1; $(DEVICES) || code=1; exit $$code)

test-fast: setup ## The tests that need no models and no devices, on all cores
	@$(PYTEST) -n auto --dist worksteal \
		-m "not models and not devices and not network and not slow and not long" $(ARGS)

test-slow: setup models ## What a release is tested with on top: statistics, endurance, fuzzing
	@$(PYTEST) --thorough -m "long or statistics or hypothesis" $(ARGS)

check: lint models ## Style, types, import contracts and the tests, with coverage
	@code=0; $(OTHERS) --cov --cov-report= || code=1; \
		$(DEVICES) --cov --cov-append --cov-report=term-missing:skip-covered || code=1; exit $$code

lint: setup ## Style of code and prose, types, import contracts and unused code
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python scripts/style.py
	@$(BIN)/python scripts/unused.py

format: setup ## Rewrite the code in the project's style
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

docs: setup ## Write docs/reference/ from the code
	@$(BIN)/python scripts/reference.py

setup: ## Only set up, for running and for tests
	$(call SETUP,dev)

models: setup
	@$(BIN)/edgevoice models pull $(TEST_MODELS) >/dev/null

lock: setup ## Resolve the lock files anew (UPGRADE=1: to the newest versions)
	@$(BIN)/python scripts/lock.py $(if $(UPGRADE),--upgrade)

release: setup ## Make a folder in dist/ that installs without a compiler
	@$(BIN)/python scripts/release.py $(ARGS)

null-sinks: ## Start a virtual microphone and speaker, for a machine without sound devices
	@sh -c 'python=$$(sh scripts/find-python $(if $(PYTHON),"$(PYTHON)")) && exec "$$python" scripts/null_sinks.py start'

cold-start: setup ## Time `edgevoice --help`
	@$(BIN)/python scripts/cold_start.py

clean: ## Remove .venv and what tools left behind; models stay
	rm -rf .venv dist build htmlcov .coverage .mypy_cache .ruff_cache .pytest_cache .hypothesis \
		.import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
