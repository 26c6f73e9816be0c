# Targets set up what they need; `make help` lists them.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
export HOKUSAI_HOME ?= $(CURDIR)/.hokusai
export DAGSTER_HOME ?= $(HOKUSAI_HOME)/dagster
EXAMPLE := examples/fine_foods

.PHONY: help setup demo dry-run ui test check format schemas bench coverage simulate clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(STAMP) $(DAGSTER_HOME)/dagster.yaml ## make .venv and install everything, pinned

$(STAMP): pyproject.toml hokusai_assets/constraints.txt
	@echo "Setting up .venv (once; takes about a minute)..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		--constraint hokusai_assets/constraints.txt --editable '.[dev]'
	@touch $(STAMP)

$(DAGSTER_HOME)/dagster.yaml:
	@mkdir -p $(DAGSTER_HOME)
	@cp hokusai_assets/defs/dagster.yaml $@

demo: setup ## evaluate the example: real reviews, from file to attestation
	@$(BIN)/hokusai evaluate --task $(EXAMPLE)/task.toml \
		--contributed-data $(EXAMPLE)/contribution.csv --contributor-id alice \
		--wallet-address 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed --output-dir outputs

dry-run: setup ## the same on mock data, as a Dagster job
	@$(BIN)/dagster job execute -m hokusai_assets.definitions -j dry_run

ui: setup ## the Dagster UI on the example, at http://localhost:3000
	@$(BIN)/dagster dev

test: setup ## all tests
	@$(BIN)/pytest -q -n 2 --dist worksteal

check: setup ## formatting, lint, types, import rules
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/dagster definitions validate --log-level warning

format: setup ## format and fix what can be fixed
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

schemas: setup ## write docs/schemas again from the records
	@$(BIN)/python docs/schemas/write_schemas.py

bench: setup ## measure; prints ratios
	@$(BIN)/python -m benchmarks

coverage: setup ## how often the intervals hold the truth (a quarter of an hour)
	@$(BIN)/python -m benchmarks.coverage

simulate: setup ## the decision rule on drawn models (half an hour)
	@$(BIN)/python -m benchmarks.simulate --repeats 300

clean: ## remove what runs wrote (results in outputs/ stay)
	rm -rf .hokusai
