# make demo, make test, make lint, make soak, make bench, make experiment: each sets up what it needs, on a machine with Python and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PY := $(BIN)/python
OUT ?= demo
DATA ?=
SIZE ?= small
MINUTES ?=
SCHEDULER ?=
EXPERIMENT ?= experiment-$(SIZE)
# pip compiles on one core what takes a minute there.
PIP := $(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-compile -c constraints.txt
COMPILE := $(VENV)/bin/python -m compileall -qq -j 0 $(VENV)/lib LongitudinalAL
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test soak lint bench experiment clean

$(VENV)/.ready-test: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) -e ".[test]"
	@$(COMPILE) || true  # some files of packages are for other Pythons
	@touch $@

# Slicer's MRML and Qt without the application, for Testing/slicer. Where they cannot be had (no wheel for this Python,
# no EGL), those tests skip and say so, and `make bench` says which benches could not run.
$(VENV)/.ready-slicer: $(VENV)/.ready-test
	-$(PIP) -e ".[test,slicer-test]"
	@$(COMPILE) || true  # some files of packages are for other Pythons
	@touch $@

$(VENV)/.ready-bench: $(VENV)/.ready-test
	$(PIP) -e ".[test,bench]"
	@$(COMPILE) || true  # some files of packages are for other Pythons
	@touch $@

demo: $(VENV)/.ready-test
	$(BIN)/longitudinal-al demo $(if $(DATA),--data "$(DATA)") --out "$(OUT)"

lint: $(VENV)/.ready-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	cd LongitudinalAL && ../$(BIN)/lint-imports --config ../pyproject.toml

# One thread a process: three processes share the cores, and threads that wait for each other on busy cores spin.
test: lint $(VENV)/.ready-slicer
	OMP_NUM_THREADS=1 QT_QPA_PLATFORM=offscreen $(PY) -m pytest -n 3 --dist loadfile

# The fault tests and state machines of `make test` with their full counts: an hour or more on two cores.
soak: $(VENV)/.ready-test
	LONGITUDINALAL_SOAK=1 $(PY) -m pytest -s Testing/engine/faults Testing/engine/project/test_copies.py \
		Testing/engine/frontend/test_queue_machine.py Testing/engine/frontend/test_session_machine.py

bench: $(VENV)/.ready-bench $(VENV)/.ready-slicer
	QT_QPA_PLATFORM=offscreen $(PY) Testing/benchmarks/run_all.py

# All strategies compared. SIZE=small: twenty minutes on two cores. SIZE=full: days on two cores, hours on a GPU; MINUTES=9
# does a piece, and the same command goes on; SCHEDULER=tcp://... shares a Dask cluster; DATA=folder adds real pairs.
experiment: $(VENV)/.ready-test
	$(BIN)/longitudinal-al experiment --size $(SIZE) --out "$(EXPERIMENT)" $(if $(MINUTES),--minutes $(MINUTES)) \
		$(if $(SCHEDULER),--scheduler $(SCHEDULER)) $(if $(DATA),--real "$(DATA)/pairs.csv")

clean:
	rm -rf $(VENV) build demo bench experiment-* .mypy_cache .ruff_cache .pytest_cache
