"""Students' functions run, and harm nothing."""

import os
import sys
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nhlib.classroom import sandbox, wire
from nhlib.classroom.sandbox import CallError, Sandbox, SandboxError
from nhlib.classroom.worker import needed

ROOT = Path(__file__).parents[2]


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(sandbox, "SECONDS", 2.0)


def outcome(source, *arguments):
    with Sandbox([source], "f") as room:
        return room.call(*arguments)


# --- What comes back


def test_a_function_gets_arrays_and_returns_them():
    doubled = outcome("def f(x):\n    return [x * 2, x.dtype.str]", np.arange(6.0).reshape(2, 3))
    assert np.array_equal(doubled[0], np.arange(6.0).reshape(2, 3) * 2)
    assert doubled[1] == "<f8"


def test_state_stays_between_calls_and_inputs_are_copies():
    with Sandbox(
        ["seen = []\ndef f(x):\n    seen.append(x[0])\n    x[0] = 9\n    return seen"], "f"
    ) as room:
        given = np.array([1, 2])
        assert room.call(given) == [1]
        assert room.call(given) == [1, 1]
        assert given[0] == 1


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(plain)
def test_plain_values_survive_the_wire(value):
    assert wire.decode(wire.encode(value)[4:]) == value


@given(
    st.sampled_from(["u1", "i4", "i8", "f4", "f8", "?", ">f8"]),
    st.lists(st.integers(0, 4), max_size=3),
)
def test_arrays_survive_the_wire(dtype, shape):
    array = np.random.default_rng(0).integers(0, 2, shape).astype(dtype)
    back = wire.decode(wire.encode([array])[4:])[0]
    assert back.shape == array.shape
    assert back.dtype == array.dtype.newbyteorder("<")
    assert np.array_equal(back, array)


@given(st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
def test_bytes_of_anyone_do_no_harm(data):
    with suppress(ValueError):
        wire.decode(data)


@settings(max_examples=200)
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "array": st.sampled_from(["f8", "O", "V8", "U3", "M8[s]", "f8,i4", 7])
            | st.text(max_size=4),
            "shape": st.lists(st.integers(-5, 2**62), max_size=40) | st.integers(),
            "bytes": st.sampled_from(["", "AAAAAAAA8D8=", "?"]),
            "dict": st.none() | st.dictionaries(st.text(max_size=2), st.integers()),
        },
    )
)
def test_crafted_arrays_do_no_harm(message):
    import json

    try:
        value = wire.decode(json.dumps(message).encode())
    except ValueError:
        return
    assert isinstance(value, dict) or value.dtype.kind in "biuf"


@pytest.mark.parametrize(
    "source",
    [
        "class Equal:\n    def __eq__(self, other): return True\ndef f(): return Equal()",
        "class A(float):\n    def __eq__(self, other): return True\ndef f(): return A(1)",
        "import numpy as np\nclass A(np.ndarray): pass\ndef f(): return np.ones(3).view(A)",
        "import numpy as np\ndef f(): return np.array([object()])",
        "def f():\n    a = []\n    a.append(a)\n    return a",
        "def f(): return print",
        "def f(): return {1: 2}",
    ],
)
def test_only_plain_values_leave(source):
    with pytest.raises(CallError, match="not made of numbers, lists and arrays"):
        outcome(source)


# --- What runs of a notebook


def names(cells, name="f"):
    return [s.name if hasattr(s, "name") else type(s).__name__ for _, s in needed(cells, name)]


def test_only_what_the_function_needs_is_run():
    cells = [
        "import numpy as np\nimport nowhere",
        "%matplotlib inline\nk = 2\nlong = [i for i in range(10**12)]",
        "def g(x):\n    return np.sum(x) * k",
        "while True: pass",
        "def f(x):\n    return g(x)",
        "f(1)\nraise SystemExit",
        "a syntax error",
        "%%bash\nrm -r /",
    ]
    assert names(cells) == ["Import", "Assign", "g", "f"]
    with Sandbox(cells, "f") as room:
        assert room.call([1, 2]) == 6


def test_the_last_definition_counts_as_in_the_notebook():
    with Sandbox(["def f(): return 1", "def f(): return 2"], "f") as room:
        assert room.call() == 2


def test_definitions_inside_other_statements_are_found():
    cell = "try:\n    from nowhere import f\nexcept ImportError:\n    def f(): return 3"
    with Sandbox([cell], "f") as room:
        assert room.call() == 3


@pytest.mark.parametrize(
    "cell", ["", "def g(): pass", "f = 3", "(" * 5000, "x = (" + "-" * 10**5 + "1)"]
)
def test_without_the_function_every_call_says_so(cell):
    with Sandbox([cell], "f") as room:
        for _ in range(2):
            with pytest.raises(CallError, match="there is no function `f`"):
                room.call()


# --- What it may not


def test_errors_are_named_without_what_the_code_puts_into_them():
    source = "def f(x):\n    raise ValueError(f'the input was {x}')"
    with pytest.raises(CallError) as caught:
        outcome(source, 12345)
    assert str(caught.value) == "it ended in ValueError at `raise ValueError(f'the input was {x}')`"
    source = "def f(x):\n    raise type(f'Input{x}', (Exception,), {})"
    with pytest.raises(CallError, match="^it ended in an error of its own kind at"):
        outcome(source, 12345)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("while True: pass", "too long"),
        ("import time; time.sleep(60)", "too long"),
        ("import os; os._exit(0)", "ended Python"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "ended Python"),
        ("import sys; sys.exit()", "SystemExit"),
        (
            "import sys; sys.setrecursionlimit(10**9); f = lambda n: f(n + 1); f(0)",
            "ended Python|Recursion|too long",
        ),
        ("a = []\n    while True: a.append(bytearray(10**8))", "MemoryError"),
        ("return bytearray(10**7).decode('latin') * 2", "not made of|too much"),
        ("import os\n    while True: os.fork()", "BlockingIOError"),
        ("import threading; threading.Thread(target=print).start()", "RuntimeError"),
        ("import subprocess; subprocess.run(['ls'])", "BlockingIOError"),
        ("open('/tmp/big', 'wb').write(bytes(10**8))", "OSError"),
        (
            "import urllib.request; urllib.request.urlopen('http://127.0.0.1:1')",
            "error of its own kind|OSError|Conn",
        ),
        ("import os; os.setuid(0)", "PermissionError"),
        ("import os; os.kill(1, 9); os.kill(os.getppid(), 9)", "PermissionError"),
        ("open('/usr/harm', 'w')", "OSError|PermissionError"),
        ("open('/grader/worker.py', 'w')", "OSError|PermissionError"),
        ("import nhlib", "ModuleNotFoundError"),
        ("import sys; sys.meta_path[:1] = []; from nhlib import encode", "ModuleNotFoundError"),
        ("import sys; sys.meta_path[:1] = []; from torch import nn", "ImportError"),
    ],
)
def test_hostile_functions_end_alone(impatient, body, message):
    start = time.monotonic()
    with pytest.raises(CallError, match=message):
        outcome(f"def f():\n    {body}")
    assert time.monotonic() - start < 20


def test_after_the_time_is_over_no_further_call_waits(impatient):
    with Sandbox(["def f():\n    while True: pass"], "f") as room:
        start = time.monotonic()
        for _ in range(5):
            with pytest.raises(CallError, match="too long"):
                room.call()
        assert time.monotonic() - start < 4


def test_printing_without_end_fills_nothing(impatient):
    with pytest.raises(CallError, match="too long"):
        outcome(
            "import os\ndef f():\n    while True:\n"
            "        print('x' * 10**6)\n        os.write(1, b'x' * 10**6)"
        )


def test_writing_to_the_grader_gains_nothing():
    forged = 'b\'\\x00\\x00\\x00\\x19{"dict": {"value": 12345}}\''
    source = (
        "import os\ndef f(x):\n    for n in range(3, 40):\n        try: os.write(n, "
        + forged
        + ")\n"
        "        except OSError: pass\n    return 0"
    )
    with Sandbox([source], "f") as room:
        try:
            first = room.call(1)
        except CallError:
            return
        assert first in (0, 12345)  # whatever it claims: a value to compare, and no more


def test_the_sandbox_shows_no_files_but_pythons():
    source = "import os\ndef f(path):\n    return sorted(os.listdir(path))"
    with Sandbox([source], "f") as room:
        shown = room.call("/")
        pythons = {Path(sys.prefix).parts[1], Path(sys.base_prefix).parts[1]}
        assert set(shown) <= {*"bin dev etc grader lib lib64 proc tmp usr".split(), *pythons}
        below_tmp = [
            Path(p).parts[2] for p in (sys.prefix, sys.base_prefix) if p.startswith("/tmp/")
        ]
        assert room.call("/tmp") == sorted(set(below_tmp))
        assert room.call("/grader") == ["wire.py", "worker.py"]
        processes = [p for p in room.call("/proc") if p.isdecimal()]
        assert len(processes) <= 3
        for hidden in (ROOT / "book", ROOT / "nhlib", ROOT / "tests", Path.home() / ".ssh"):
            with pytest.raises(CallError, match="FileNotFoundError|PermissionError"):
                room.call(str(hidden))


FILL = """
import os
def f():
    written = {}
    for top, below, _ in os.walk("/"):
        if top.count("/") > 1 or top in ("/proc", "/usr"):
            below.clear()
        try:
            for n in range(100):
                with open(f"{top}/fill{n}", "wb") as file:
                    file.write(bytes(2**23))
                written[top] = written.get(top, 0) + 8
        except OSError:
            pass
    return written
"""


def test_little_can_be_written_and_only_in_one_place():
    written = outcome(FILL)
    assert set(written) == {"/tmp"}
    assert written["/tmp"] <= 64  # MiB


def test_no_process_stays_behind(impatient):
    with Sandbox(["import time\ndef f():\n    time.sleep(60)"], "f") as room:
        with pytest.raises(CallError, match="too long"):
            room.call()
        inside = descendants(room._process.pid)
        assert len(inside) >= 2  # bubblewrap's own and Python
    deadline = time.monotonic() + 5
    while any(Path(f"/proc/{pid}").exists() for pid in inside):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def descendants(pid):
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    found = {pid}
    while more := {p for p, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def test_no_file_stays_behind():
    with Sandbox(["def f():\n    open('/tmp/left-by-f', 'w').write('x')"], "f") as room:
        room.call()
    assert not Path("/tmp/left-by-f").exists()


def test_without_bubblewrap_nothing_is_run(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    with (
        pytest.raises(SandboxError, match="apt install bubblewrap"),
        Sandbox(["def f(): return 1"], "f"),
    ):
        pass


def test_elsewhere_it_warns_loudly_and_still_works(monkeypatch):
    monkeypatch.setattr(sandbox.sys, "platform", "darwin")
    with (
        pytest.warns(UserWarning, match="NO SANDBOX"),
        Sandbox(["def f(): return 1"], "f") as room,
    ):
        assert room.call() == 1


def test_a_broken_sandbox_is_not_the_students_fault(monkeypatch):
    real = sandbox.command()
    monkeypatch.setattr(sandbox, "command", lambda: [*real[:-1], "/grader/nothing.py"])
    with pytest.raises(SandboxError, match="could not be set up: .*nothing.py"):
        Sandbox(["def f(): return 1"], "f").__enter__()


def test_as_root_it_runs_as_somebody_else():
    found = outcome("import os\ndef f(): return os.getuid()")
    assert found == sandbox.USER if os.getuid() == 0 else found
