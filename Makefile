# Everything a person needs to run here; `make help` prints it. GNU make, bash and Python 3.11.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
# Tests wait for other programs now and then: two more run than there are cores.
TESTERS := -n $(shell echo $$(( $$(nproc) + 2 ))) --dist worksteal
# Programs are started by the hundred: none may have to compile everything anew, whatever a machine's habit.
export PYTHONDONTWRITEBYTECODE :=
# A line that breaks now and then is no reason to begin anew.
export PIP_RETRIES ?= 10
# Arguments for pytest, for instance: make test PYTEST="-m 'not slow'"
PYTEST ?=

.PHONY: help demo run test tests strangers check lint format quick whole fuzz bench flood shop year mutants wheels sbom lock clean

help: ## print these commands
	@sed -nE 's/^([a-z]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18
	@printf '  make demo ONCE=1  the same, stops by itself; exit status 0 only if everything held\n'

demo: $(VENV)/.installed-package ## a fresh instance under var/demo: issue, anchor, verify, report; pages stay up
	@$(BIN)/fapiao demo $(if $(ONCE),--once)

run: $(VENV)/.installed-package ## a real instance from config.toml, made when missing; Ctrl-C stops it
	@$(BIN)/fapiao init --if-missing
	@$(BIN)/fapiao serve

# Installing and looking at types keep one core busy: the other does something else meanwhile.
test: ## install what tests need, then run everything (what CI runs)
	@$(MAKE) --no-print-directory --jobs=2 strangers $(VENV)/.installed-dev
	@$(MAKE) --no-print-directory --jobs=2 check

check: lint tests ## format, lint, types, imports, and all tests

tests: $(VENV)/.installed-dev ## all tests, and nothing beside them
	$(BIN)/python -m pytest $(TESTERS) $(PYTEST)

strangers: ## install programs of others that read our log, for tests (no root)
	@PYTHON=$(PYTHON) tests/strangers/install

lint: $(VENV)/.installed-dev ## format, lint, types and import direction only
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

quick: lint ## the same as check without the slow tests
	$(BIN)/python -m pytest $(TESTERS) -m "not slow" $(PYTEST)

whole: $(VENV)/.installed-dev ## the large shows in full, of which the other commands run a share (30 minutes)
	FAPIAO_TESTS=whole $(BIN)/python -m pytest $(TESTERS) -m scaled $(PYTEST)

fuzz: $(VENV)/.installed-fuzz ## look for inputs that break a parser, led by coverage, for FUZZ_SECONDS (60)
	@$(BIN)/python -m tests.fuzz.atheris_parsers --seconds $(or $(FUZZ_SECONDS),60) --corpus build/fuzz/corpus

format: $(VENV)/.installed-dev ## let ruff write the code's layout
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.installed-dev ## measure this machine: ratios and rates (docs/performance.md); BENCH=--year: the pilot's first year; --till: a till's page; --city: the bureau's overview; --reports: totals by every mix; --scan: the scan page on a slow phone; --lighthouse: customers' pages
	@$(BIN)/python -m bench $(BENCH)

flood: $(VENV)/.installed-dev ## half bodies, endless heads, silent, slow and hasty clients, batches and lists at once, beside one till and one phone
	@$(BIN)/python -m bench.flood

shop: $(VENV)/.installed-package ## issue 20,000 orders of a shop with all that shops sell, against sums made elsewhere; SHOP="--orders 500"
	@$(BIN)/python -m scripts.shop $(SHOP)

year: $(VENV)/.installed-package ## issue a restaurant's year, an export a day with numbers anew each morning, each sent twice; YEAR="--days 30"
	@$(BIN)/python -m scripts.year $(YEAR)

mutants: $(VENV)/.installed-mutants ## change chain/ in thousands of ways: tests must notice each (docs/mutants.md)
	@PATH=$(abspath $(BIN)):$$PATH $(BIN)/python -m scripts.mutants $(MUTANTS)

wheels: $(VENV)/.installed-package ## build dist/: the service, and fapiao-verifier, which only checks proofs
	@FAPIAO_RELEASE=1 $(PIP) wheel --no-deps --no-build-isolation --no-index --wheel-dir dist ./chain .
	@ls dist

sbom: ## write build/sbom.cdx.json: the parts of others that the service runs (CycloneDX)
	@mkdir -p build
	@$(PYTHON) -m scripts.sbom > build/sbom.cdx.json
	@echo build/sbom.cdx.json

lock: ## write requirements/*.txt anew from pyproject.toml (UPGRADE=1 takes newer versions)
	@PYTHON=$(PYTHON) scripts/lock $(if $(UPGRADE),--upgrade)

clean: ## remove the environment and caches; never touches var/
	rm -rf $(VENV) build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# A stamp says which step is done, so that a second `make` installs nothing.
$(VENV)/.made:
	@PYTHON=$(PYTHON) scripts/make-venv $(VENV)
	@touch $@

$(VENV)/.installed-package: $(VENV)/.made requirements/build.txt requirements/run.txt pyproject.toml chain/pyproject.toml setup.py
	@echo "installing what the service needs into $(VENV) (locked versions, checked by hash)"
	@$(PIP) install --require-hashes -r requirements/build.txt -r requirements/run.txt
	@PYTHONWARNINGS=ignore $(PIP) install --no-deps --no-build-isolation --no-index --editable ./chain --editable .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed-package requirements/dev.txt
	@echo "installing what tests need into $(VENV) (locked versions, checked by hash)"
	@$(PIP) install --require-hashes -r requirements/dev.txt
	@touch $@

$(VENV)/.installed-fuzz: $(VENV)/.installed-dev requirements/fuzz.txt
	@echo "installing the fuzzer into $(VENV) (locked version, checked by hash)"
	@$(PIP) install --require-hashes -r requirements/fuzz.txt
	@touch $@

$(VENV)/.installed-mutants: $(VENV)/.installed-dev requirements/mutants.txt
	@echo "installing what mutation testing needs into $(VENV) (locked versions, checked by hash)"
	@$(PIP) install --require-hashes -r requirements/mutants.txt
	@touch $@
