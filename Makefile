# The words of this project; `make` alone lists them.
.DEFAULT_GOAL := help
.PHONY: help setup demo test chaos bench check format requirements stop clean

PY := .venv/bin/python
SETUP := .venv/.set-up
# Interpreters to try, in this order.
PYTHONS := $(PYTHON) python3.11 python3.12 python3.13 python3.14 python3 python
# Test processes; ARGS go to pytest: make test ARGS="tests/orders -k stock"
PROCESSES ?= 3
PYTEST := $(PY) -m pytest

export PIP_DISABLE_PIP_VERSION_CHECK := 1

help: ## This list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' Makefile

setup: $(SETUP) .env ## Create .venv with everything in it, and .env for development

demo: setup ## Place real orders on real servers and watch them; ONCE=1 checks the end states and stops
	@$(PY) -m bharatmart.demo

test: setup ## Run the tests on servers of their own; ARGS="tests/orders -k stock" runs some
	@$(PYTEST) -n $(PROCESSES) --dist worksteal $(or $(ARGS),-m "not thorough")

chaos: setup ## Kill, stop, empty and silence everything under a stream of orders; SEED=1 ORDERS=500 FAULTS=30 LIMIT=600
	@$(PY) -m tests.chaos

bench: setup ## Measure against rq, Celery, Dramatiq, Procrastinate and BullMQ; ROWS="drain*,growth" RUNS=3 FULL=1
	@$(PY) -m benchmarks

check: setup ## Run everything that CI runs: formatting, types, layers, migrations, deployment, tests
	@.ci/check

format: setup ## Put all files into the house's format
	@$(PY) -m ruff check --fix .
	@$(PY) -m ruff format .

requirements: setup ## Pin anew what pyproject.toml asks for, with hashes (fetches uv)
	@$(PY) -m pip install --quiet uv
	@.venv/bin/uv pip compile $(UV_FLAGS) pyproject.toml --output-file requirements/base.txt
	@.venv/bin/uv pip compile $(UV_FLAGS) pyproject.toml --extra dev --constraint requirements/base.txt --output-file requirements/dev.txt

UV_FLAGS := --quiet --no-config --upgrade --universal --python-version 3.11 --generate-hashes --no-annotate \
	--no-header --no-emit-index-url --no-emit-find-links

stop: ## Stop the development servers now (they stop by themselves when unused)
	@test ! -x $(PY) || $(PY) -m bharatmart.devservers stop

clean: ## Delete .venv, caches, generated files and the development servers' data; .env stays
	@test ! -e $(SETUP) || $(PY) -m bharatmart.devservers reset
	rm -rf .venv var .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Made once, and again when the pinned requirements change.
$(SETUP): requirements/dev.txt | .venv/bin/python
	@echo "Installing $$(grep -c == requirements/dev.txt) packages into .venv (once; whole output: .venv/install.log)"
	@{ $(PY) -m pip install --progress-bar off --require-hashes -r requirements/dev.txt 2>&1 && echo "All installed."; } \
	| tee .venv/install.log | { n=0; while IFS= read -r line; do case "$$line" in \
		Collecting*) n=$$((n + 1)); test $$((n % 20)) != 0 || echo "  $$n fetched";; \
		"Installing collected"*) echo "  unpacking";; \
	esac; done; }
	@tail -n 1 .venv/install.log | grep -q "^All installed" || { tail -n 20 .venv/install.log >&2; exit 1; }
	@touch $@

.venv/bin/python:
	@for python in $(PYTHONS); do \
		if "$$python" -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then \
			echo "Creating .venv with $$("$$python" --version) ($$python)"; \
			exec "$$python" -m venv --clear .venv; \
		fi; \
	done; \
	echo "BharatMart needs Python 3.11 or newer with the modules venv and ensurepip (Debian: apt install python3-venv)." >&2; \
	echo "Tried: $(PYTHONS). Name another: make setup PYTHON=/path/to/python" >&2; exit 1

.env: | .env.example $(SETUP)
	@umask 077; key=$$($(PY) -c 'import secrets; print(secrets.token_urlsafe(50))'); \
	sed "s|^\(# \)\{0,1\}SECRET_KEY=.*|SECRET_KEY=$$key|" .env.example > .env.half && mv .env.half .env
	@echo "Wrote .env for development."
