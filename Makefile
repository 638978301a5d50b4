# Everything starts here, with Python 3.11+ and make. `make` alone prints the commands.

PYTHON ?= python3
VENV := .venv
ifeq ($(OS),Windows_NT)
BIN := $(VENV)/Scripts
else
BIN := $(VENV)/bin
endif
PIP := $(BIN)/python -m pip --disable-pip-version-check
# Present once the environment is complete; younger than what it was made from.
READY := $(VENV)/.ready
PARITY_READY := $(VENV)/.parity-ready
LAB_READY := $(VENV)/.lab-ready

.DELETE_ON_ERROR:
.PHONY: help book html test lint notebooks lab constraints clean

help: ## print these commands
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /make \1 - /'

book: html ## build the book and serve it on this computer until stopped (Ctrl-C)
	$(BIN)/convlab warmup
	$(BIN)/convlab book --no-build

# All pages each time: a page that was not rebuilt would hide its warnings.
html: $(READY) ## build the book into _build/html, without a single warning
	$(BIN)/jupyter-book build . --all -W -n --keep-going -q

test: lint $(PARITY_READY) ## run every check: style, types, tests, doctests and all notebooks
	$(BIN)/convlab warmup
	$(BIN)/convlab bench --quick
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile

lint: $(READY) ## check style and types only
	$(BIN)/ruff check .
	$(BIN)/mypy

notebooks: $(READY) ## run chapters and write them back; CHAPTERS="padding strides" for some
	$(BIN)/python book/_tools/notebooks.py $(CHAPTERS)

lab: $(LAB_READY) ## open the chapters in JupyterLab, to run them and to solve the exercises
	$(BIN)/jupyter lab --notebook-dir book

constraints: ## write constraints.txt anew, with the newest versions that fit together
	rm -rf _build/fresh
	$(PYTHON) -m venv _build/fresh
	_build/fresh/bin/python -m pip install --quiet \
		--editable ".[author,bench,book,data,lab,parity,test]"
	sed -n '/^#/p' constraints.txt > _build/constraints.txt
	_build/fresh/bin/python -m pip list --format=freeze \
		| grep -vE '^(convlab|pip|setuptools|wheel)==' >> _build/constraints.txt
	mv _build/constraints.txt constraints.txt

clean: ## remove what was built, and the environment
	rm -rf _build $(VENV)

$(VENV)/pyvenv.cfg:
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11))" \
		|| { echo "Python 3.11 or newer is needed. Try: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(READY): $(VENV)/pyvenv.cfg pyproject.toml constraints.txt
	$(PIP) install --quiet --constraint constraints.txt --editable ".[book,data,test]"
	touch $@

# Keras itself, to compare with: the book needs none of it.
$(PARITY_READY): $(READY)
	$(PIP) install --quiet --constraint constraints.txt --editable ".[parity]"
	touch $@

$(LAB_READY): $(READY)
	$(PIP) install --quiet --constraint constraints.txt --editable ".[lab]"
	touch $@
