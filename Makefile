# Everything from a bare machine: Python >= 3.11 (with venv), make, and the package index. Each target does its own set-up.
PYTHON ?= python3
ARGS ?=
UPGRADE ?=
# Tests of one file share what is dear to make, and so a process.
TESTS = -n 2 --dist loadfile

BIN := .venv/bin
READY := .venv/.ready

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help forecast test check bench notebooks docs constraints audit clean

help:
	@echo "make forecast     forecast the reference workspace: Mali, Burkina Faso, Niger, places near Bamako"
	@echo "make test         the default test suite, as in CI          (ARGS=\"-k panel\" goes to pytest)"
	@echo "make check        ruff, mypy, and the tests with branch coverage"
	@echo "make bench        measure speed and memory, beside other libraries  (ARGS=hawkes: one subject; BENCH_ACCEPT=1: keep it)"
	@echo "make notebooks    every notebook of reports/notebooks/, as pages in out/notebooks/  (ARGS=01: one)"
	@echo "make docs         the documentation site, into site/, with all its examples run and all its links checked"
	@echo "make constraints  pin the dependencies anew                 (UPGRADE=--upgrade for newer releases)"
	@echo "make audit        look the pinned packages up among known vulnerabilities; needs the network, and says so"
	@echo "make clean        remove the environment, caches, builds and everything in out/"
	@echo "PYTHON=python3.12 with any of them chooses the interpreter of a new environment."

forecast: $(READY)
	$(BIN)/forecast run $(ARGS)

test: $(READY)
	$(BIN)/pytest $(TESTS) $(ARGS)

check: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/pytest $(TESTS) --cov=forecast --hypothesis-profile=explore $(ARGS)

bench: $(READY)
	$(BIN)/python -m benchmarks $(ARGS)

notebooks: $(READY)
	$(BIN)/python reports/notebooks/_execute.py $(ARGS)

docs: $(READY)
	$(BIN)/pytest $(TESTS) forecast tests/docs $(ARGS)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict
	@echo "The site is in site/: open site/index.html"

# The stamps lie inside .venv, so that removing it is enough to start afresh.
.venv/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Python 3.11 or newer is needed; '$(PYTHON)' is not. Try: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	$(PYTHON) -m venv .venv
	@touch $@

.venv/.packages: constraints.txt .venv/.made
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r constraints.txt
	$(BIN)/python -m pip check --disable-pip-version-check
	@touch $@

# The build backend is one of the pinned packages, so that this step needs no index.
$(READY): pyproject.toml .venv/.packages
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

# uv resolves for all platforms and Python versions at once; it has an environment of its own, to stay out of the pins.
build/uv/bin/uv:
	$(PYTHON) -m venv build/uv
	build/uv/bin/python -m pip install --quiet --disable-pip-version-check uv

constraints: build/uv/bin/uv
	build/uv/bin/uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --fork-strategy fewest \
	  --generate-hashes --no-header --no-annotate --no-emit-index-url --quiet $(UPGRADE) --output-file constraints.txt

audit:
	$(PYTHON) .ci/audit.py constraints.txt $(ARGS)

clean:
	rm -rf .venv build dist site out htmlcov .coverage .coverage.* .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
