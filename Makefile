# Every habit is one word. `make demo` and `make test` do all the set-up themselves; PYTHON=... chooses the Python.
SHELL = /bin/sh
BIN = .venv/bin
READY = .venv/.ready
SEED =
STORE = memory
BENCH = gateway

.PHONY: help setup demo test check sim long long-mutations long-rating bench golden lock

help: ## list these habits
	@grep -E '^[a-z-]+:.*## ' Makefile | sed -e 's/:.*## /	/' | awk -F '	' '{ printf "make %-8s %s\n", $$1, $$2 }'

setup: $(READY) ## the virtual environment with everything in it

$(READY): requirements.lock pyproject.toml
	@$(BIN)/python tools/new_enough.py 2>/dev/null || { python=$$(sh tools/find_python.sh "$(PYTHON)") && "$$python" -m venv --clear .venv; }
	$(BIN)/python -m pip install --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(READY)

demo: $(READY) ## database, platform, virtual stations and console, from nothing
	$(BIN)/laddbok demo

test: $(READY) ## all tests, and the examples in the docstrings
	$(BIN)/python -m pytest -n 2 --dist loadfile

check: $(READY) ## format, lint, types, import layers, tidiness, docs
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q tests/test_tidy.py $(wildcard tests/test_docs.py)

sim: $(READY) ## the whole platform in one thread with faults: 200 seeds, or one with SEED=n; STORE=postgres SEED=n
	$(BIN)/python -m tests.sim $(if $(SEED),--seed $(SEED) --store $(STORE),--seeds 1..200 --jobs 2)

long: $(READY) long-mutations long-rating ## 5,000 seeds of the simulation, a million spoilt frames, 10,000 prices computed twice
	$(BIN)/python -m tests.sim --seeds 1..5000 --jobs 2

long-mutations: $(READY) ## a million spoilt frames
	$(BIN)/python -m tests.mutations --count 1000000

long-rating: $(READY) ## 10,000 sessions and tariffs priced by rating and by a second, simple reading of the rules
	$(BIN)/python -m tests.rules.rating.reference --count 10000 --jobs 2

bench: $(READY) ## measure; BENCH=gateway|rating|dispatch|invoices|payments|api
	$(BIN)/laddbok bench $(BENCH)

golden: $(READY) ## rewrite the expected files in tests/golden; then review the diff
	@test -d tests/golden || { echo "make golden: there are no golden files in tests/golden" >&2; exit 1; }
	LADDBOK_REWRITE_GOLDEN=1 $(BIN)/python -m pytest -q tests/golden

lock: ## write requirements.lock anew from pyproject.toml (needs uv)
	uv export --no-header --no-emit-project --all-extras --output-file requirements.lock
	rm -f uv.lock
