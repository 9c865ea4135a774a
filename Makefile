# Edgematrix. `make` lists the targets; each sets up what it needs and costs next to nothing when that is there.

.DEFAULT_GOAL := help
.PHONY: help matrix article publish test bench agree prove check format schemas reference docs lock engine browser clean
.DELETE_ON_ERROR:

VENV := .venv
PYTHON := $(VENV)/bin/python
ARCHITECTURE := x86_64

help: ## List the targets
	@echo "make TARGET, where TARGET is one of:"
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  %-10s %s\n", $$1, $$2}' Makefile

matrix: $(VENV)/.run engine ## Measure matrix.yaml and write reports/latest/index.html
	@$(VENV)/bin/edgematrix run matrix.yaml

article: $(VENV)/.run engine ## Replay the article that the project grew from and write reports/latest/article.html
	@$(VENV)/bin/edgematrix run examples/article.yaml

publish: $(VENV)/.run ## Make reports/site/, a static site of all runs, fit for GitHub Pages
	@$(VENV)/bin/edgematrix publish

test: $(VENV)/.dev engine browser ## Run all tests, on the real engine and in a real browser
	@$(PYTHON) -m pytest -m "not prove"

bench: $(VENV)/.run engine ## Measure what the harness itself costs
	@$(PYTHON) -m tests.bench.overhead

agree: $(VENV)/.run engine ## Compare the figures with the runtimes' own benchmark tools
	@$(PYTHON) -m tests.bench.agree

prove: $(VENV)/.dev engine ## Run the proofs that take longer than `make test` may
	@$(PYTHON) -m pytest -m prove -rP

check: $(VENV)/.dev ## Lint, check the formatting and the types
	@$(PYTHON) -m ruff check
	@$(PYTHON) -m ruff format --check
	@$(PYTHON) -m mypy harness tests

format: $(VENV)/.dev ## Format all Python
	@$(PYTHON) -m ruff format

schemas: $(VENV)/.run ## Write the JSON Schemas anew
	@$(PYTHON) -m harness.schemas

reference: $(VENV)/.run ## Write the reference pages of the guide anew
	@$(PYTHON) -m harness.manual

docs: $(VENV)/.dev ## Build the guide into .cache/docs/; a broken link fails
	@rm -rf .cache/docs
	@$(PYTHON) -m sphinx -q -W --keep-going docs .cache/docs
	@echo "open .cache/docs/index.html"

lock: $(VENV)/.dev ## Resolve all lock files anew (ARCHITECTURE=aarch64 for images of that one)
	@$(PYTHON) -m harness.build.lock $(ARCHITECTURE)

engine: $(VENV)/.run ## Have a Docker engine that answers; start one where that is possible
	@$(PYTHON) -m harness.bootstrap

browser: $(VENV)/.run ## Have a Chromium for the browser tests
	@$(PYTHON) -m harness.bootstrap --browser

clean: ## Remove the environment and all caches; reports, images and volumes stay (`edgematrix clean`)
	@rm -rf $(VENV) .cache .mypy_cache .pytest_cache .ruff_cache .hypothesis
	@find harness images tests -name __pycache__ -prune -exec rm -rf {} +

# The environment. A stamp says that a lock file is installed; .pth and a launcher stand in for an installation of the
# project itself, which would need a build backend and find nothing new after a pull.

$(VENV)/.created:
	@echo "environment: creating $(VENV)"
	@python=$$(sh harness/find-python.sh) && "$$python" -m venv --clear $(VENV)
	@$(PYTHON) -c 'import os, sysconfig; packages = sysconfig.get_path("purelib"); \
	  open(os.path.join(packages, "edgematrix.pth"), "w").write(os.path.relpath(os.getcwd(), packages))'
	@printf '%s\n' '#!/bin/sh' 'exec "$$(dirname -- "$$(readlink -f -- "$$0")")/python" -m harness "$$@"' \
	  > $(VENV)/bin/edgematrix && chmod +x $(VENV)/bin/edgematrix
	@touch $@

$(VENV)/.run: requirements.lock $(VENV)/.created
	$(call install,requirements.lock)

$(VENV)/.dev: requirements-dev.lock $(VENV)/.run
	$(call install,requirements-dev.lock)

define install
	@echo "environment: installing $(1)"
	@$(PYTHON) -m pip install -qq --disable-pip-version-check --no-deps --require-hashes --requirement $(1) || { \
	  echo "$(1) could not be installed." >&2; \
	  echo "fix: make pip work on this machine (see \`$(PYTHON) -m pip config list\`), then run make again." >&2; \
	  exit 1; }
	@touch $@
endef
