# make demo: everything on the shipped samples; make test: all tests but the slow ones.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/installed
PYTEST := $(BIN)/pytest --numprocesses 2 --dist worksteal --durations=10
export PATH := $(CURDIR)/$(BIN):$(PATH)
# Compiled modules are kept: hundreds of processes of the tests need not compile them again.
unexport PYTHONDONTWRITEBYTECODE

# Libraries are compiled by two processes after the install, except what seldom runs.
SELDOM := /tests?/|/(celery|cfnlint|fontTools|graphql|marimo|moto|mypyc?|pip|setuptools|sympy)/|$\
	/(lightning_fabric|pymdownx|pytorch_lightning|torchgen)/|/numba/cuda/|/pygments/lexers/|$\
	/ray/(autoscaler|dashboard|data|llm|rllib|serve|train|tune)/|$\
	/torch/(_inductor|_vendor|testing)/|/transformers/models/[^_a]

CASES := 10000
PROPERTIES := 5000
EACH := 14
SEED := 1

.PHONY: demo test test-slow properties fuzz late kills flips readers check format bench docs \
	generated clean

demo: $(INSTALLED)
	scripts/demo

test: $(INSTALLED)
	$(PYTEST) -m "not slow" --cov --cov-report=

test-slow: $(INSTALLED)
	$(PYTEST) -m slow

properties: $(INSTALLED)
	CASES=$(PROPERTIES) $(PYTEST) tests/sources/test_table_properties.py

fuzz: $(INSTALLED)
	$(BIN)/python tests/fuzz --cases $(CASES)

late: $(INSTALLED)
	LATE=$(SEED) $(PYTEST) tests/web/browser -m "not slow"

kills flips readers: $(INSTALLED)
	$(BIN)/python tests/resilience $@ --each $(EACH)

check: $(INSTALLED)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy --num-workers 2
	$(BIN)/lint-imports
	$(BIN)/python -m likewise schemas --check
	$(BIN)/python -m likewise.cli.reference --check

format: $(INSTALLED)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(INSTALLED)
	$(BIN)/python -m sphinx -q -W --keep-going -d build/doctrees docs build/docs
	@echo "open build/docs/index.html"

generated: $(INSTALLED)
	$(BIN)/python -m likewise schemas
	$(BIN)/python -m likewise.cli.reference

bench: $(INSTALLED)
	$(BIN)/pip install --quiet --constraint constraints.txt --editable ".[bench,demo]"
	$(BIN)/python benchmarks/run.py

$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11, 4) and "Python 3.11.4 or newer is needed; say: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --no-compile --constraint constraints.txt --editable ".[demo,dev]"
	-$(BIN)/python -m compileall -qq -j 2 -x '$(SELDOM)' $(VENV)/lib
	touch $@

clean:
	rm -rf $(VENV) .likewise .mypy_cache .ruff_cache .pytest_cache .hypothesis \
		.import_linter_cache .coverage*
