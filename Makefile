# Needs Python 3.11 or newer and make, nothing else. PYTHON=python3.13 chooses another one.
PYTHON ?= python3
# The PyTorch that make bench compares with.
TORCH ?= torch==2.13.0
BIN := .venv/bin

.PHONY: demo test test-processes test-browser test-all docs mutations soak lint format bench regression reference reference-long reference-papers clean

demo: .venv/installed
	$(BIN)/rnnlab run configs/forget_bias.yaml

PYTEST = $(BIN)/python -m pytest -n 2 --dist worksteal

# All that needs neither processes nor clocks.
test: .venv/installed
	$(PYTEST) -m 'not processes and not browser and not soak'

# Real commands, workers, clusters; kills, full disks, Ctrl-C, thousands of runs.
test-processes: .venv/installed
	$(PYTEST) -m 'processes and not soak'

# The pages in a real browser.
test-browser: .venv/installed
	$(PYTEST) -m 'browser and not soak'

test-all: docs test test-processes test-browser

# The documentation, as pages in site/; open site/index.html. Notebooks run once and are kept in build/.
docs: .venv/installed
	rm -rf site
	$(BIN)/python -m sphinx --fail-on-warning --keep-going --quiet -j 2 -d build/doctrees docs site

# Whether the tests still bite: mistakes in the core that they should catch.
mutations: .venv/installed
	$(BIN)/python tests/mutations.py

# At length: everything as compiled for users, then 20 kills of each kind, 5,000 hostile configs,
# 10,000 runs.
soak: .venv/installed
	$(PYTEST) --default-flags
	RNNLAB_KILLS=20 RNNLAB_FUZZ_EXAMPLES=5000 $(BIN)/python -m pytest -s -m 'soak or not soak' \
	  tests/engine/test_kills.py tests/engine/test_many.py tests/engine/test_many_runs.py \
	  tests/config/test_hostile_configs.py

lint: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: .venv/installed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Against other libraries, which are installed beside rnnlab in an environment of their own. An hour
# and a half, on a machine that does nothing else; writes benchmarks/RESULTS.md.
bench: .venv-bench/installed
	.venv-bench/bin/python benchmarks/gradient_step.py
	.venv-bench/bin/python benchmarks/whole_experiment.py
	.venv-bench/bin/python benchmarks/growth.py
	.venv-bench/bin/python benchmarks/measurement.py
	.venv-bench/bin/python benchmarks/start_up.py
	.venv-bench/bin/python benchmarks/report.py

# Fails where recording or the fused recurrence has become slow.
regression: .venv/installed
	.venv/bin/python benchmarks/regression.py

.venv-bench/installed: pyproject.toml
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python -m pip install --quiet --editable . $(TORCH) flax equinox dm-haiku
	touch $@

.venv/installed: pyproject.toml
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11))" || \
	  (echo "rnnlab needs Python 3.11 or newer: make PYTHON=python3.12" && exit 1)
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@

clean:
	rm -rf .venv .venv-bench build dist site

# Every claim, at the size whose answers are committed; an hour and a half, resumable.
reference: configs = names
# The claims that are also tested at long lags: an hour.
reference-long: configs = long
# What papers report, in versions that are reduced for two cores.
reference-papers: configs = papers
reference reference-long reference-papers: .venv/installed
	for name in $$($(BIN)/python docs/findings.py $(configs)); do $(BIN)/rnnlab run $$name || exit 1; done
	$(BIN)/python docs/findings.py collect
