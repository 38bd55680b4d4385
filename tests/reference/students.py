"""Submissions as students might hand them in: solved, mistaken, and hostile."""

import ast
import inspect
import random
from pathlib import Path

from nbformat.v4 import new_code_cell

from nhlib.classroom.assignments import graded_cells

# What takes the place of each function {f}; none of it may earn anything, or harm anything.
HOSTILE = {
    "always-equal": "class E:\n    def __eq__(s, o): return True\n    def __len__(s): return 3\n"
    "def {f}(*a): return E()",
    "endless": "def {f}(*a):\n    while True: pass",
    "endless-on-import": "while True: pass\n",
    "memory": "def {f}(*a):\n    x = []\n    while True: x.append(bytearray(10**8))",
    "prints": "def {f}(*a):\n    while True: print('x' * 10**6)",
    "prints-on-import": "for i in range(10**9): print('x' * 10**6)\n",
    "forks": "import os\ndef {f}(*a):\n    while True: os.fork()",
    "exit": "import os\ndef {f}(*a): os._exit(0)",
    "sys-exit": "import sys\ndef {f}(*a): sys.exit(0)\nsys.exit(0)",
    "patched-numpy": "import numpy as np\nnp.allclose = lambda *a, **k: True\n"
    "np.array_equal = lambda *a: True\nnp.asarray = lambda *a: 1\ndef {f}(*a): return 0",
    "patched-nhlib": "import nhlib.classroom.tasks as t\nt.difference = lambda *a: ''\n"
    "def {f}(*a): return 0",
    "reads-checks": "def {f}(*a):\n    import glob\n"
    "    return open(glob.glob('/**/checks.py', recursive=True)[0]).read()",
    "writes": "import os\ndef {f}(*a):\n    for d in ('/tmp', os.path.expanduser('~'), '/'):\n"
    "        try: open(d + '/harm', 'w').write('harm')\n        except OSError: pass\n    return 0",
    "pipe": "import os\ndef {f}(*a):\n    for n in range(3, 30):\n"
    "        try: os.write(n, b'0' * 10**5)\n        except OSError: pass\n    return 0",
    "hard-coded": "import numpy as np\ndef {f}(*a): return np.array([0, 0.5])",
    "huge": "import numpy as np\ndef {f}(*a): return np.zeros(10**8)",
    "deep": "def {f}(*a):\n    x = []\n    for i in range(10**5): x = [x]\n    return x",
    "raises-everything": "def {f}(*a): raise BaseException",
    "calls-itself": "def {f}(*a): return {f}(*a)",
    "source-bomb": "(" * 10**5,
}

WORDS = [
    "One layer folds once for each unit, so 13 pieces; twelve layers can double: 4,096.",
    "13 and 4096, because every fold doubles.",
    "I think the deep one has more.",
    "YOUR ANSWER HERE",
]


def helpers(task):
    """What the mistakes of a task may call: imports, constants, and undecorated functions."""
    body = ast.parse(Path(inspect.getsourcefile(task.truth)).read_text()).body
    decorated = {s.name for s in body if isinstance(s, ast.FunctionDef) and s.decorator_list}
    return "\n".join(
        ast.unparse(s)
        for s in body
        if (isinstance(s, ast.FunctionDef) and s.name not in decorated)
        or (isinstance(s, ast.Import | ast.ImportFrom) and "nhlib" not in ast.unparse(s))
        or (isinstance(s, ast.Assign) and "Task(" not in ast.unparse(s))
    )


def source(function):
    """The code of a mistake, by the name that students have to use."""
    (definition,) = ast.parse(inspect.getsource(function)).body
    definition.decorator_list = []
    return ast.unparse(definition)


def attempt(assignment, released, seed):
    """Somebody's notebook: some functions right, some mistaken, some not written."""
    draw, solved = random.Random(seed), dict(graded_cells(assignment.notebook))
    tasks = {task.name: task for task in assignment.tasks}
    for name, cell in list(graded_cells(released)):
        luck = draw.random()
        if name in tasks and luck < 0.6:
            cell.source = solved[name].source
        elif name in tasks and luck < 0.9:
            cell.source = source(draw.choice(tasks[name].mistakes).function)
            released.cells.append(new_code_cell(helpers(tasks[name])))
        elif cell.cell_type == "markdown" and cell.metadata.nbgrader.solution:
            cell.source = draw.choice(WORDS)
    return released


# What takes as long as the limits allow: code that takes long to read, statements and imports that
# compute, and functions that compute for a little less than a call may, and end their process.
SLOW_START = (
    ["x = [" + "1 + 1, " * 28_000 + "]"] * 5
    + ["for i in range(10**9): pass"] * 12
    + ["%%writefile slow.py\nfor i in range(10**9): pass", *["import slow"] * 9]
)
SLOW = """import os, time
def {f}(*a):
    start = time.process_time()
    while time.process_time() < start + 1.8: pass
    os._exit(0)"""


def slowest(assignment, released):
    """The released notebook, in which everything takes as long as it may."""
    with_code(assignment, released, SLOW)
    released.cells[1:1] = [new_code_cell(code) for code in SLOW_START]
    return released


def with_code(assignment, released, code):
    """The released notebook, in which every function is written by ``code``."""
    tasks = {task.name for task in assignment.tasks}
    for name, cell in graded_cells(released):
        if name in tasks:
            cell.source = code.replace("{f}", name)
    return released
