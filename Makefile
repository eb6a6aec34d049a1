# Two commands do all the set-up: make demo, make test. Both, and make demo-lake, need python3 (3.11 or newer) and PyPI.
PYTHON ?= python3
VENV ?= .venv
OUT ?= out
BIN := $(VENV)/bin
# those of them that are there, and run
PYTHONS ?= $(foreach minor,11 12 13 14,$(shell python3.$(minor) -c "print('python3.$(minor)')" 2>/dev/null))
# Windows has another folder; README.md gives the pip commands
PIP := $(BIN)/python -m pip --disable-pip-version-check

.PHONY: data demo test fast cover mutants lowest browser lint format contract wheel torture bench bench-full figures pictures names clean

demo: $(VENV)/.installed
	$(BIN)/crmlab demo --out $(OUT)

# Refreshes a lake twice, around a day of changes: what changed, and a report of the lake, in OUT
.PHONY: demo-lake
demo-lake: $(VENV)/.installed-lake
	$(BIN)/crmlab demo --lake --out $(OUT)

# in two processes: more take as long on two cores
test: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -q -n 2

# Before each commit: all but the tests that look at much, on two cores; conftest.py says which those are
fast: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -q -m "not slow" -n 2

# Which statements the tests reach: the list of those they do not, and a failure below 97 %
cover: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -q -n 2 --cov=crmlab --cov-report=term-missing:skip-covered --cov-fail-under=97

# Whether the tests of the pure modules see a small fault; MUTANTS="paging limiter" tries only these
mutants: $(VENV)/.installed-dev
	$(BIN)/python -m tests.mutants $(MUTANTS)

# The tests, and the wheel's, on the lowest versions that pyproject.toml allows, in .venv-lowest; TESTS=fast runs the
# quick ones
TESTS ?= test
lowest: $(VENV)/.installed
	mkdir -p $(OUT)
	$(BIN)/python tests/lowest.py > $(OUT)/lowest.txt
	PIP_CONSTRAINT=$(abspath $(OUT)/lowest.txt) $(MAKE) VENV=.venv-lowest PYTHONS= $(TESTS) wheel

BROWSER_TESTS = CRMLAB_KERNELS="$(KERNELS:%=$(VENV)/kernels/%)" $(BIN)/python -m pytest -q tests/browser
# JupyterLab and Notebook 7 in Chromium; pictures go to tests/browser/shots. What failed has a second try, which is
# printed: on a busy computer a kernel of ipykernel 7.3 now and then answers nothing (docs/frontends.md). KERNELS="6.31.0 7.1.0"
# runs every test on those versions of ipykernel instead of the one installed.
browser: $(VENV)/.installed-browser $(KERNELS:%=$(VENV)/kernels/%)
	sh tests/browser/install_chromium.sh
	$(BROWSER_TESTS) || $(BROWSER_TESTS) --last-failed --last-failed-no-failures none

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.installed-dev
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

# The site, in OUT/docs: open OUT/docs/index.html, no server and no network needed
.PHONY: docs clean-docs
docs: $(VENV)/.installed-docs
	$(BIN)/python -m sphinx --quiet --fail-on-warning --keep-going --jobs 2 --doctree-dir $(OUT)/.doctrees docs $(OUT)/docs
	$(BIN)/python docs/check.py $(OUT)/docs

clean: clean-docs
clean-docs:
	rm -rf docs/fields docs/notebooks docs/providers docs/questions docs/reference docs/tables

# Needs npm (for Prism, an independent mock server), schemathesis, and the vendors' OpenAPI documents, which are not
# in a checkout: CRMLAB_SPECS names the folder that has them.
contract: $(VENV)/.installed-contract
	sh tests/contract/install_prism.sh $(VENV)/prism
	CRMLAB_CONTRACT=1 CRMLAB_PRISM=$(VENV)/prism/node_modules/.bin/prism $(BIN)/python -m pytest -q tests/contract

# Installs a built wheel, with and without extras, into clean environments of each of PYTHONS
wheel: $(VENV)/.installed-dev
	CRMLAB_PYTHONS="$(or $(PYTHONS),$(abspath $(BIN)/python))" $(BIN)/python -m pytest -q tests/wheel

# Faults of the network, kills and cancels, in one table: make torture RUNS=100 SEED=7 (500 and chance without)
RUNS ?= 500
torture: $(VENV)/.installed-dev
	$(BIN)/python -m tests.torture $(RUNS) $(SEED)

bench: $(VENV)/.installed-dev
	$(BIN)/python -m benchmarks

bench-full: $(VENV)/.installed-dev
	$(BIN)/python -m benchmarks --full

# Draws with the Chromium or Chrome that is installed, or that BROWSER_PATH names; look at OUT/light.png, OUT/dark.png
figures: $(VENV)/.installed-dev
	$(BIN)/python docs/figures.py $(OUT)

# The form, a running fetch and the explorer in a real notebook, into docs/pictures
pictures: $(VENV)/.installed-browser
	sh tests/browser/install_chromium.sh
	PYTHONPATH=. $(BIN)/python docs/pictures.py

# What editors and type checkers know of tables and providers, and what the README says of all services
names: $(VENV)/.installed
	$(BIN)/python -m docs.exports
	$(BIN)/python -m docs.names
	$(BIN)/python -m docs.calls
	$(BIN)/python -m docs.generated

# What OnePageCRM and Commanders Act can be asked, from their OpenAPI documents in SPECS: make operations SPECS=folder
.PHONY: operations
operations: $(VENV)/.installed-dev
	$(BIN)/python -m docs.operations $(SPECS)

# What CI installs for one of its jobs, with the hash of each file: renewed here, and proposed by Dependabot each week
.PHONY: lock
lock: $(VENV)/bin/python
	$(PIP) install --quiet uv
	$(BIN)/python -m uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --upgrade \
	  --generate-hashes --no-header --no-annotate --quiet --output-file requirements-dev.txt

# The sample in data/ and its dictionary, the same on every machine
data: $(VENV)/.installed-dev
	$(BIN)/python -m data.make

clean:
	rm -rf $(VENV) .venv-lowest $(OUT) tests/browser/shots .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "crmlab needs Python 3.11 or newer: make PYTHON=/path/to/python3.11 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --quiet --upgrade pip

$(VENV)/.installed: $(VENV)/bin/python pyproject.toml
	$(PIP) install --quiet --editable .
	@touch $@

$(VENV)/.installed-lake: $(VENV)/.installed
	$(PIP) install --quiet --editable '.[lake]'
	@touch $@

$(VENV)/.installed-docs: $(VENV)/.installed
	$(PIP) install --quiet --editable . --group docs
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(PIP) install --quiet --editable . --group dev
	@touch $@

$(VENV)/.installed-contract: $(VENV)/.installed-dev
	$(PIP) install --quiet --group contract
	@touch $@

$(VENV)/.installed-browser: $(VENV)/.installed-dev
	$(PIP) install --quiet --group browser
	@touch $@

# beside the installed one: its dependencies are the same
$(VENV)/kernels/%: | $(VENV)/.installed-browser
	$(PIP) install --quiet --no-deps --target $@ ipykernel==$*
