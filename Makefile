# On a fresh machine with Python 3.11 or newer, each target first creates .venv with the exact
# versions of constraints.txt; afterwards it starts at once, until those files change.
PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/installed

.PHONY: book test lab bench lint classroom

book: $(INSTALLED)  ## build the HTML book, its chapters executed
	$(BIN)/jupyter-book build book --config _config.yml --path-output . -W --keep-going

test: $(INSTALLED)  ## run the test suite, in two processes of one thread each
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses 2 --dist loadfile

lab: $(INSTALLED)  ## open the chapters in JupyterLab
	$(BIN)/jupyter lab book/chapters

bench: $(INSTALLED)  ## time nhlib beside its peers
	$(BIN)/python -m pytest benchmarks --benchmark-only
	$(BIN)/python benchmarks/explorers.py
	$(BIN)/python benchmarks/classroom.py

classroom: $(INSTALLED)  ## make the assignments for students, with solutions, in classroom/
	$(BIN)/python -m nhlib.classroom release

lint: $(INSTALLED)  ## check style, types, and that notebooks are stored without outputs
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	find book -name '*.ipynb' -not -path '*/_build/*' -not -path '*/.ipynb_checkpoints/*' \
		-exec $(BIN)/nbstripout --verify --keep-id {} +

$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("nhlib needs Python 3.11 or newer, and $(PYTHON) is " + sys.version.split()[0] + ": try make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --constraint constraints.txt --editable '.[book,classroom,dask,test]'
	touch $@
