# balalar. `make` alone lists the commands.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/ready
UV     := uv==0.13.9

.PHONY: help setup site lab test bench bench-audit bench-index check fix lock clean

help:   ## list the commands
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## /  make \1\t/' | expand -t 16

setup: $(READY)   ## create .venv with the pinned, hashed packages

$(READY): requirements.lock pyproject.toml
	@echo "setting up $(VENV) (about a minute, once) ..."
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "balalar needs Python 3.11 or newer, this is " + sys.version.split()[0] + "; try make PYTHON=python3.12")'
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check "$(UV)"
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes --compile-bytecode requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m compileall -q lib  # also where Python is told to write no bytecode
	@$(BIN)/python -m ipykernel install --sys-prefix --name python3 --display-name "balalar" >/dev/null 2>&1
	@touch $(READY)
	@echo "ready; next: make site, make lab or make test"

site: $(READY)   ## build all briefs of the newest year into build/site
	@$(BIN)/balalar build

lab: $(READY)   ## open JupyterLab with the library importable
	@$(BIN)/jupyter lab --notebook-dir notebooks

test: $(READY)   ## run all tests
	@# The sites first, as they take longest; one worker builds them while the others test what needs none.
	@$(BIN)/python -m pytest tests/notebooks tests/browser tests/contract tests/unit \
	  -n auto --dist loadfile --no-loadscope-reorder

bench: $(VENV)-bench/ready   ## time the making of briefs against the usual ways (some 15 to 25 minutes)
	@$(BIN)/python -m compileall -q lib
	@$(VENV)-bench/bin/python -m tests.bench.batch

bench-audit: $(VENV)-bench/ready   ## plant errors and count what the audit and other tools find (some 8 minutes)
	@$(VENV)-bench/bin/python -m tests.bench.audit

bench-index: $(READY)   ## time the Monte Carlo of an index, its growth and its memory (some 5 minutes)
	@$(BIN)/python -m tests.bench.index

$(VENV)-bench/ready: requirements-bench.lock $(READY)
	@echo "setting up $(VENV)-bench ..."
	@$(PYTHON) -m venv --clear $(VENV)-bench
	@$(BIN)/uv pip sync --quiet --python $(VENV)-bench/bin/python --require-hashes --compile-bytecode requirements-bench.lock
	@$(BIN)/uv pip install --quiet --python $(VENV)-bench/bin/python --no-deps --no-build-isolation --editable .
	@touch $@

check: $(READY)   ## all static checks; changes nothing
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/nbstripout --keep-id --verify notebooks/*.ipynb
	@$(BIN)/balalar check

fix: $(READY)   ## mend what a tool can mend
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .
	@$(BIN)/nbstripout --keep-id notebooks/*.ipynb

lock:   ## pin every package anew, with hashes
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet "$(UV)"
	@$(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --extra dev --no-emit-index-url pyproject.toml -o requirements.lock
	@$(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --extra dev --extra bench --no-emit-index-url pyproject.toml -o requirements-bench.lock

clean:   ## remove what was built (not the environment)
	@rm -rf build
