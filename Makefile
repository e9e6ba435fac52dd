# The targets of the README. Everything lives in .venv; nothing else is installed or left running.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test check fuzz bench train lock clean

demo: $(VENV)/.runtime ## guarded streams in the terminal, against a simulated model server
	@$(BIN)/guardrail demo

test: $(VENV)/.clients ## the whole test suite
	$(BIN)/python -m pytest -n auto

check: $(VENV)/.dev ## lint, types, formatting, the shipped config
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/guardrail check config/
	$(BIN)/guardrail test config/

fuzz: $(VENV)/.dev ## the property tests, long: at least 100,000 examples each
	HYPOTHESIS_PROFILE=fuzz $(BIN)/python -m pytest -n auto tests/property

bench: $(VENV)/.dev ## speed, hold-back and memory, beside a bare relay
	$(BIN)/python -m benchmarks

train: $(VENV)/.train ## the shipped classifier, from a folder of labelled sets: make train DATA=FOLDER
	@test -n "$(DATA)" || { echo "say where the labelled sets are: make train DATA=FOLDER"; exit 2; }
	$(BIN)/python -m models.training --data $(DATA)

lock: ## refresh the locks in .ci from pyproject.toml
	$(PYTHON) -m venv .venv-lock && .venv-lock/bin/pip install -q uv
	.venv-lock/bin/uv pip compile --universal --generate-hashes --no-emit-index-url --no-header \
	  --python-version 3.11 --extra dev pyproject.toml -o .ci/requirements.lock
	.venv-lock/bin/uv pip compile --universal --generate-hashes --no-emit-index-url --no-header \
	  --python-version 3.11 --extra clients --constraint .ci/requirements.lock pyproject.toml -o .ci/clients.lock
	rm -rf .venv-lock

clean:
	rm -rf $(VENV) tests/conformance/js/node_modules .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: pyproject.toml | $(VENV)/bin/python
	@echo "installing guardrail into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

$(VENV)/.train: $(VENV)/.dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[train]'
	@touch $@

$(VENV)/.dev: pyproject.toml .ci/requirements.lock | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r .ci/requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@ $(VENV)/.runtime

# npm writes its lock without the address of a registry; tests/conformance/js/.npmrc says so.
$(VENV)/.clients: .ci/clients.lock tests/conformance/js/package-lock.json $(VENV)/.dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r .ci/clients.lock
	npm ci --prefix tests/conformance/js --silent --no-audit --no-fund --ignore-scripts
	@touch $@
