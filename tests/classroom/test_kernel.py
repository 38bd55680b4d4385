"""What runs of a notebook, in which order, for how long; and what is said about the rest."""

import sys

import numpy as np
import pytest

from nhlib.classroom import kernel as kernel_module
from nhlib.classroom import sandbox, stopwatch
from nhlib.classroom.kernel import Kernel, Program
from nhlib.classroom.sandbox import CallError, EndedError, TooLongError
from nhlib.classroom.stopwatch import Stopwatch

NEW_SYNTAX = sys.version_info >= (3, 12)


def outcome(cells, *arguments, name="f"):
    cells = (cells,) if isinstance(cells, str) else tuple(cells)
    with Kernel(Program(cells), [name]) as kernel:
        kernel.run(len(cells))
        kernel.begin()
        return kernel.call(name, *arguments)


def refusal(cells, *arguments):
    with pytest.raises(CallError) as caught:
        outcome(cells, *arguments)
    return str(caught.value)


@pytest.fixture
def hurried(monkeypatch):
    """Limits that are soon reached, on the clock of the process's own work."""
    monkeypatch.setattr(kernel_module, "STATEMENT", 0.5)
    monkeypatch.setattr(kernel_module, "CALL", 0.5)
    monkeypatch.setattr(sandbox, "GRACE_SECONDS", 0.2)


# --- What a function needs, whoever filled it and however


NEEDED = {
    "a table that a loop fills": "T = []\nfor i in range(9):\n    T.append(i)\n"
    "def f(x): return T[x]",
    "a loop in another cell": ["T = []", "for i in range(9): T.append(i)", "def f(x): return T[x]"],
    "a dictionary's update": "T = {}\nT.update({1: 1})\ndef f(x): return T[x]",
    "a loop's variable": "for k in (2, 0): pass\ndef f(x): return x + k",
    "a walrus": "if (k := 0) == 0: pass\ndef f(x): return x + k",
    "a with": "from contextlib import nullcontext\nwith nullcontext(0) as k: pass\n"
    "def f(x): return x + k",
    "a match": "match [0]:\n    case [k]: pass\ndef f(x): return x + k",
    "a try": "try:\n    import nowhere as k\nexcept ImportError:\n    k = 0\n"
    "def f(x): return x + k",
    "a set-up function": "def setup():\n    global k\n    k = 0\nsetup()\ndef f(x): return x + k",
    "recursion": "import sys\nsys.setrecursionlimit(5000)\ndef r(n): return n and r(n - 1)\n"
    "def f(x): return x + r(2000)",
    "a later cell that mends": ["def f(x): return k", "k = 1"],
    "annotations of the future": [
        "from __future__ import annotations",
        "def f(x: NDArray): return x",
    ],
    "a registry": "R = {}\ndef register(g):\n    R[g.__name__] = g\n    return g\n"
    "@register\ndef one(x): return x\ndef f(x): return R['one'](x)",
    "singledispatch": "from functools import singledispatch\n@singledispatch\ndef f(x): return 0\n"
    "@f.register\ndef _(x: int): return x",
    "subclasses that enlist": "class Base:\n    all = []\n"
    "    def __init_subclass__(cls): Base.all.append(cls)\n"
    "class One(Base):\n    def of(self, x): return x\ndef f(x): return Base.all[0]().of(x)",
    "dataclasses": "from __future__ import annotations\nfrom dataclasses import dataclass\n"
    "@dataclass\n"
    "class P:\n    x: int\ndef f(x): return P(x).x",
    "an import after one that fails": "import nhlib as nh\nimport math\n"
    "def f(x): return math.floor(x)",
    "a deleted helper": "def g(x): return x\ndef f(x, g=g): return g(x)\ndel g",
    "await at the top": "import asyncio\nasync def g(): return 0\nk = await g()\n"
    "def f(x): return x + k",
    "the last value": ["0", "k = _", "def f(x): return x + k"],
    "an underscore of one's own": "for _ in range(1): pass\n5\ndef f(x): return x + _",
    "source of its own": "import inspect\ndef f(x): return inspect.getsource(f)[:3].count('def')",
}  # fmt: skip


@pytest.mark.parametrize("cells", NEEDED.values(), ids=NEEDED)
def test_all_that_stands_before_has_run(cells):
    assert outcome(cells, 1) == 1


F, IMPORT = "def f(x):\n    return m.floor(x) + 1", "import math as m\n"
MAGIC = {
    "%%time on the answer": [IMPORT, "%%time\n" + F],
    "%%capture on the answer": [IMPORT, "%%capture out\n" + F],
    "%%time on imports": ["%%time\n" + IMPORT, F],
    "%%time on %%capture": [IMPORT, "%%time\n%%capture\n" + F],
    "a magic of somebody's": [IMPORT, "%%mymagic -n 3\n" + F],
    "f? below the answer": [IMPORT, F + "\nf?"],
    "?? below imports": [IMPORT + "m.floor??", F],
    "!ls": [IMPORT + "!ls -l {m}", F],
    "files = !ls": [IMPORT + "files = !ls\nn = len(files)", F],
    "d = %pwd": [IMPORT + "d = %pwd", F],
    "%time with a name": ["%time import math as m", F],
    "r = %timeit -o": [IMPORT, F + "\nr = %timeit -o f(1)"],
    "%timeit": [IMPORT, F + "\n%timeit f(1)"],
    "an indented magic": [IMPORT, F + "\nif True:\n    %time f(1)"],
    "a magic in a function": [IMPORT, "def f(x):\n    %time y = m.floor(x)\n"
    "    return m.floor(x) + 1"],
    "a prompt": [IMPORT, ">>> def f(x):\n...     return m.floor(x) + 1"],
    "indented all through": [IMPORT, "    def f(x):\n        return m.floor(x) + 1"],
    "display in the function": [IMPORT, "def f(x):\n    display(x)\n    return m.floor(x) + 1"],
    "get_ipython": [IMPORT + "get_ipython().run_line_magic('matplotlib', 'inline')\n"
                    "get_ipython().events.register('x', print)", F],
    "a file for an import": ["%%writefile own.py\nimport math as m", "from own import m", F],
    "bash, which is not run": ["%%bash\nm = 3", IMPORT, F],
    "a cell of something else": ["this is not Python", IMPORT, F],
}  # fmt: skip


@pytest.mark.parametrize("cells", MAGIC.values(), ids=MAGIC)
def test_what_ipython_runs_is_run(cells):
    assert outcome(cells, 1) == 2


def test_cells_run_in_their_order_up_to_the_place():
    cells = ("k = 1", "def f(): return k", "k = 2", "def f(): return -k")
    with Kernel(Program(cells, {"f": 2}), ["f"]) as kernel:
        for place, value in ((2, 1), (3, 2), (4, -2)):
            kernel.run(place)
            kernel.begin()
            assert kernel.call("f") == value


def test_what_is_drawn_is_drawn_the_same_every_time():
    cell = "import random\nimport numpy as np\ndef f():\n" \
           "    return [random.random(), np.random.rand(), list({'a', 'b', 'c'})]"  # fmt: skip
    assert outcome(cell) == outcome(cell)


# --- What takes too long


UNSTOPPABLE = "sum(range(10**12))"  # a single step of the interpreter
STUBBORN = (
    "while True:\n    try:\n        while True: x = 1\n    except BaseException:\n        pass"
)


@pytest.mark.parametrize("experiment", ["while True: pass", UNSTOPPABLE, STUBBORN])
def test_an_experiment_is_stopped_and_the_rest_goes_on(hurried, experiment):
    cells = (f"k = 1\n{experiment}\nk += 1", "def f(): return k")
    with Kernel(Program(cells), ["f"]) as kernel:
        kernel.run(2)
        kernel.begin()
        assert kernel.call("f") == 2
        assert kernel.slow


def test_when_time_is_up_only_what_costs_none_is_run(hurried, monkeypatch):
    monkeypatch.setattr(kernel_module, "STATEMENTS", 0.3)
    monkeypatch.setattr(kernel_module, "LITTLES", 0.0)
    cells = ("k = 0", "while True: pass", "k = [i for i in range(3)]", "import math\nj = 1",
             "def f(): return [k, j, math.floor(2.5)]")  # fmt: skip
    assert outcome(cells) == [0, 1, 2]


def test_when_time_is_up_what_costs_little_is_run(hurried, monkeypatch):
    monkeypatch.setattr(kernel_module, "STATEMENTS", 0.3)
    cells = ("while True: pass", "k = [i for i in range(3)]", "while True: pass", "k.append(3)",
             "def f(): return k")  # fmt: skip
    assert outcome(cells) == [0, 1, 2, 3]


@pytest.mark.parametrize("body", ["while True: pass", UNSTOPPABLE, "import time; time.sleep(9999)"])
def test_one_endless_input_is_not_the_end(hurried, body):
    cell = f"def f(x):\n    if x == 1:\n        {body}\n    return x"
    with Kernel(Program((cell,)), ["f"]) as kernel:
        kernel.run(1)
        for x in (0, 1, 2):
            kernel.begin()
            if x == 1:
                with pytest.raises(CallError, match="^it took too long$"):
                    kernel.call("f", x)
            else:
                assert kernel.call("f", x) == x
        assert kernel.slow


def test_calls_share_what_time_there_is_and_each_kind_has_a_little(monkeypatch):
    asked = []

    class Room:
        used = 2.5

        def ask(self, message, seconds, largest=0):
            asked.append(seconds)
            return {"value": 1}

        def close(self):
            pass

    with Kernel(Program(()), ["f"]) as kernel:
        kernel._end()
        kernel._room = Room()
        for _ in range(4):
            kernel.begin()
            for _ in range(2):
                if kernel._grant > 0:
                    kernel.call("f")
                else:
                    with pytest.raises(TooLongError):
                        kernel.call("f")
    assert asked == [2, 1.5, 0.1, 0.1, 0.1]


def test_reading_may_take_too_long(monkeypatch):
    monkeypatch.setattr(kernel_module, "READING", 0.01)
    with Kernel(Program(("x = [" + "1 + 1, " * 20_000 + "]",)), ["f"]) as kernel:
        kernel.run(1)
        with pytest.raises(CallError, match="the notebook's code cannot be read"):
            kernel.call("f")
        assert kernel.slow
        assert kernel.seconds > 0


def test_the_impatient_stop_at_the_first(hurried):
    cell = "def f(x):\n    while x: pass\n    return x"
    with Kernel(Program((cell,)), ["f"], patient=False) as kernel:
        kernel.run(1)
        kernel.begin()
        assert kernel.call("f", 0) == 0
        for x in (1, 0):
            with pytest.raises(TooLongError):
                kernel.call("f", x)


def test_what_a_process_waits_for_others_does_not_count(tmp_path, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(stopwatch.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(stopwatch.time, "clock_gettime", lambda clock: 0.0)
    watch = Stopwatch(1)
    watch._stat = tmp_path / "stat"
    for state, counted in (("R", 0), ("D", 0), ("S", 2 * stopwatch.STEP)):
        watch._stat.write_text(f"1 (a ) name) {state} 0 0")
        watch.start()
        now[0] += 20  # a terminal that was stopped, or a machine that was very busy
        assert watch.look() == counted


def test_work_is_counted(monkeypatch):
    with Kernel(Program(("def f(n): return sum(range(n))",)), ["f"]) as kernel:
        kernel.run(1)
        kernel.begin()
        kernel.call("f", 10)
        little = kernel._used
        kernel.call("f", 10**7)
        assert kernel._used > 10 * little > 0


# --- What goes wrong


def test_a_process_that_ends_is_followed_by_another():
    cells = ("k = []", "k.append(1)", "import os\ndef f(x):\n    if x: os._exit(0)\n    return k")
    with Kernel(Program(cells), ["f"]) as kernel:
        kernel.run(3)
        for _ in range(3):
            kernel.begin()
            assert kernel.call("f", 0) == [1]
            with pytest.raises(EndedError, match="^it ended Python, or ran out of memory$"):
                kernel.call("f", 1)


def test_a_cell_that_ends_python_is_left_out():
    assert outcome(["k = 1", "import os\nos._exit(0)\nk = 2", "def f(): return k"]) == 2


def test_what_always_ends_python_comes_to_an_end(monkeypatch):
    monkeypatch.setattr(kernel_module, "AGAIN", 1.0)
    cells = ["import os", *["os._exit(0)"] * 1000, "def f(x):\n    if x: os._exit(0)\n    return 1"]
    with Kernel(Program(tuple(cells)), ["f"]) as kernel:
        kernel.run(1002)
        kernel.begin()
        assert kernel.call("f", 0) == 1
        said = set()
        for _ in range(30):
            with pytest.raises(CallError) as caught:
                kernel.call("f", 1)
            said.add(str(caught.value))
        assert said == {"it ended Python, or ran out of memory", "it has ended Python too often"}


def test_experiments_that_cannot_be_stopped_are_not_the_end(hurried, monkeypatch):
    monkeypatch.setattr(kernel_module, "AGAIN", 2.0)
    monkeypatch.setattr(kernel_module, "STATEMENTS", 0.3)
    cells = ["k = 1", *[UNSTOPPABLE] * 20, "def f(): return k"]
    assert outcome(cells) == 1


def test_too_many_lines_are_said(monkeypatch):
    monkeypatch.setattr(kernel_module, "MOST_STATEMENTS", 3)
    assert outcome(["k = 1", "def f(): return k\nk = 2\nk = 3"]) == 2
    said = refusal(["k = 1", "k = 2\nk = 3\ndef f(): return k"])
    assert said == "there is no function `f`; in its cell, the notebook has over 3 lines"


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ("", "there is no function `f`"),
        ("def g(): pass", "there is no function `f`"),
        ("f = 3", "there is no function `f`"),
        (["", "def f():\n    return 1 +\n"], r"line 2, `return 1 \+`: invalid syntax"),
        ("def f():\n    x = 1\n\treturn x", "line 3, `return x`: inconsistent use of tabs"),
        ("def f():\nreturn x", "line 2, `return x`: expected an indented block"),
        ("%time 1\n\ndef f(:\n    pass", r"line 3, `def f\(:`: invalid syntax"),
        ("def f(): return 1\n" + "(" * 5000, "too many nested parentheses"),
        ("def f(): return (" + "-" * 10**5 + "1)", "nested too deep|recursion|complex"),
        ("import nowhere\n"
        "f = nowhere.f", "in its cell, it ended in ModuleNotFoundError at `import n"),
        ("class E(Exception): pass\nf = 1 / 0", "ended in ZeroDivisionError at `f = 1 / 0`"),
        ("def f(a, b): return 1", r"^it takes \(a, b\), and was given 1 values$"),
        ("def f(): return 1", r"^it takes \(\), and was given 1 values$"),
        ("def f(x): return None + x", "^it ended in TypeError$"),
        ("def f(*a, k): return 1", "^it ended in TypeError$"),
    ],
)  # fmt: skip
def test_why_there_is_no_answer_is_said(cells, words):
    with pytest.raises(CallError, match=words):
        outcome(cells, 1)


@pytest.mark.skipif(NEW_SYNTAX, reason="this Python reads it")
@pytest.mark.parametrize(
    "source", ["def f[T](x: T) -> T:\n    return x", "type X = int\ndef f(x): return x"]
)
def test_newer_syntax_is_named_with_the_version_that_grades(source):
    assert f"cannot be read by Python 3.{sys.version_info[1]}, which grades: line 1" in refusal(
        source, 1
    )


@pytest.mark.parametrize(
    "source",
    [
        "def f(x): raise ValueError(f'the input was {x}')",
        "def f(x):\n    raise type('ValueError' if x == 12345 else 'KeyError', (Exception,), {})",
    ],
)
def test_errors_are_named_and_nothing_else_is_told(source):
    assert refusal(source, 12345) == "it ended in ValueError"


@pytest.mark.parametrize(
    "name", ["Input12345", "x" * 10**5, "Exception\n<b>", "__build_class__", "print"]
)
def test_a_name_that_python_does_not_know_is_not_told(name):
    source = f"def f(x): raise type({name!r}, (Exception,), {{}})"
    assert refusal(source, 1) == "it ended in an error of its own kind"


def test_the_place_of_an_error_is_not_told_once_a_function_has_seen_an_input():
    """It could be chosen by what was seen: each line a letter."""
    cells = ("seen = []\ndef g(x): seen.append(x)", "a = 1\nb = 1\nf = [0][seen[0]]")
    with Kernel(Program(cells), ["f", "g"]) as kernel:
        kernel.run(1)
        kernel.begin()
        kernel.call("g", 5)
        kernel.run(2)
        with pytest.raises(CallError, match="^there is no function `f`$"):
            kernel.call("f")


def test_a_kernel_of_ones_own_needs_no_sandbox():
    with Kernel(Program(("import os\ndef f(): return os.getuid()",)), ["f"], alone=False) as kernel:
        kernel.run(1)
        kernel.begin()
        import os

        assert kernel.call("f") == os.getuid()


def test_tuples_stay_tuples():
    assert outcome("def f(x): return sum(x, ())", [(1, 2), (3,)]) == (1, 2, 3)
    found = outcome("def f(layers): return [(w * 2, b) for w, b in layers]", [(np.eye(2), 1.5)])
    assert isinstance(found[0], tuple)
    assert np.array_equal(found[0][0], 2 * np.eye(2))
