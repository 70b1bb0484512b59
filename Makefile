# Everything that is done to this project by hand or by CI. `make help` lists it.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready

.PHONY: help up down status demo check lint types arrows unit processes engine image test test-long test-docker test-boot machine-lint bench requirements schema audit workflows clean
.DEFAULT_GOAL := help

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

$(READY): requirements.txt pyproject.toml components/pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Teal needs Python 3.11 or later: make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "this Python cannot make virtual environments: install the package python3-venv" >&2; exit 1; }
	@echo "Python packages into .venv (usually 15 to 60 s)"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check "uv==$$(sed -n 's/^uv==\([0-9.]*\).*/\1/p' requirements.txt)"
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e . -e components
	@# The way back has no time to compile what it imports, and where this variable is set nobody would keep what was compiled.
	@env -u PYTHONDONTWRITEBYTECODE $(BIN)/teal release rollback --help > /dev/null
	@touch $(READY)

up: $(READY)  ## the dev environment on this machine; prints its URL
	@$(BIN)/teal local up dev

down: $(READY)  ## stop the embedded cloud
	@$(BIN)/teal local down

status: $(READY)  ## what runs
	@$(BIN)/teal local status

demo: $(READY)  ## a release under load that one can watch, and its rollback; two minutes
	@$(BIN)/python -m bench.demo

lint: $(READY)
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .

types: $(READY)
	@$(BIN)/mypy --no-error-summary

arrows: $(READY)
	@$(BIN)/lint-imports --no-cache > .venv/arrows.log || { cat .venv/arrows.log; exit 1; }

unit: $(READY)
	$(BIN)/pytest -q -n 2 -m "not engine and not process and not docker and not boot"

check: lint types arrows unit  ## format, lint, types, arrows between rooms and the fast tests

engine: $(READY)  ## the Pulumi engine, built if there is none (five to nine minutes, once per machine)
	@$(BIN)/teal toolchain show

processes: $(READY)
	$(BIN)/pytest -q -n 2 -m "process and not engine"

test: check processes engine  ## the whole suite, but for the longest tests
	$(BIN)/pytest -q -m "engine and not long"

test-long: check processes engine  ## the whole suite
	TEAL_FUZZ=1500 $(BIN)/pytest -q -n 2 --timeout 600 tests/config/test_settings_fuzz.py tests/policy/test_exemptions_fuzz.py
	TEAL_FUZZ=1500 $(BIN)/pytest -q -m engine

image: $(READY)  ## the image, by Docker: same source, same digest
	@$(BIN)/python scripts/build_image.py $(if $(BASE_IMAGE),--base $(BASE_IMAGE))

test-docker: $(READY)  ## what needs a Docker engine; BASE_IMAGE=... where Docker Hub is out of reach
	TEAL_BASE_IMAGE=$(BASE_IMAGE) $(BIN)/pytest -q -m docker

.venv/machine/ready: machine/requirements.txt $(READY)
	@echo "Ansible into .venv/machine (usually 15 to 60 s)"
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python .venv/machine
	@$(BIN)/uv pip install --quiet --python .venv/machine/bin/python --require-hashes -r machine/requirements.txt
	@touch .venv/machine/ready

machine-lint: .venv/machine/ready  ## ansible-lint on the playbook that bakes machine images
	@cd machine && PATH="$(CURDIR)/.venv/machine/bin:$$PATH" ansible-lint -q

test-boot: $(READY) .venv/machine/ready  ## boots machines with the very user data; needs root and mmdebstrap
	$(BIN)/pytest -q -m boot

workflows: $(READY)  ## what actionlint and zizmor say of the workflows
	$(BIN)/pytest -q tests/workflows

bench: $(READY)  ## benchmarks; each prints its figures
	$(BIN)/python bench/engine.py
	$(BIN)/python -m bench.take_back
	$(BIN)/python -m bench.release_under_load

audit: $(READY)  ## known vulnerabilities of what is pinned; fails where no database could be asked, too
	@$(BIN)/python -m cli.ci.audit

requirements: $(READY)  ## compile requirements.txt anew
	$(BIN)/uv pip compile --quiet --no-emit-index-url --generate-hashes --python-version 3.11 requirements.in -o requirements.txt
	$(BIN)/uv pip compile --quiet --no-emit-index-url --generate-hashes --python-version 3.11 machine/requirements.in -o machine/requirements.txt
	$(BIN)/uv pip compile --quiet --no-emit-index-url --generate-hashes --python-version 3.11 -c requirements.txt components/pyproject.toml -o components/requirements.txt

schema: $(READY)  ## write what follows from the components: their schema, the tables of docs/components.md, the packed boot scripts
	@$(BIN)/python -m scripts.component_schema

clean:  ## remove what was made here (not the toolchain in the user's cache)
	rm -rf .venv .teal examples/*/.teal .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
