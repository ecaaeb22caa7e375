# The verbs of the project. Each makes .venv and installs what it needs by itself; PYTHON names another interpreter.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
SERVE_STAMP := $(VENV)/.installed-serve

.PHONY: serve test check fuzz bench docs install clean

serve: $(SERVE_STAMP)
	@exec $(BIN)/mockserver serve $(ARGS)

# Modules are compiled once for all the processes that tests start, whatever the shell says.
test: $(STAMP)
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest $(ARGS)

check: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m mockserver check --fail-on warning

fuzz: $(STAMP)
	$(BIN)/python -m mockserver fuzz --max-seconds 600 --cases-per-operation 100 --fail-on warning $(ARGS)

bench: $(STAMP)
	$(BIN)/python -m bench $(ARGS)

docs: $(STAMP)
	$(BIN)/python docs/generate_coverage.py
	$(BIN)/python docs/generate_findings.py
	$(BIN)/python docs/generate_screenshots.py

install: $(STAMP)

clean:
	rm -rf $(VENV) build dist mockserver/bundled

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit("mockserver needs Python 3.11 or newer, $(PYTHON) is " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)

# Serving needs the package alone; everything else needs the tools as well.
$(SERVE_STAMP): $(BIN)/python pyproject.toml constraints.txt build_bundles.py
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

$(STAMP): $(BIN)/python pyproject.toml constraints.txt build_bundles.py
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@ $(SERVE_STAMP)
