"""Students' functions run, and harm nothing."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from nhlib.classroom import kernel as kernel_module
from nhlib.classroom import room, sandbox
from nhlib.classroom.inside import attempts
from nhlib.classroom.kernel import Kernel, Program
from nhlib.classroom.memory_group import MemoryGroup
from nhlib.classroom.promises import promises
from nhlib.classroom.room import SandboxError
from nhlib.classroom.sandbox import CallError, Sandbox

ROOT = Path(__file__).parents[2]


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(kernel_module, "CALL", 1.0)
    monkeypatch.setattr(kernel_module, "STATEMENT", 1.0)


def outcome(source, *arguments):
    with Kernel(Program((source,)), ["f"]) as kernel:
        kernel.run(1)
        kernel.begin()
        return kernel.call("f", *arguments)


# --- What it may not


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("while True: pass", "too long"),
        ("import time; time.sleep(60)", "too long"),
        ("import os; os._exit(0)", "ended Python"),
        ("import os; os.kill(os.getpid(), 9)", "^$"),  # the first of its room: the kernel forbids
        ("import ctypes; ctypes.string_at(0)", "ended Python"),
        ("import sys; sys.exit()", "SystemExit"),
        (
            "import sys; sys.setrecursionlimit(10**9); f = lambda n: f(n + 1); f(0)",
            "ended Python|Recursion|Memory|too long",
        ),
        ("a = []\n    while True: a.append(bytearray(3 * 10**8))", "MemoryError"),
        ("import mmap\n    a = [mmap.mmap(-1, 10**8) for _ in range(99)]", "OSError|MemoryError"),
        ("return bytearray(10**7).decode('latin') * 2", "not made of"),
        ("import os\n    while True: os.fork()", "BlockingIOError"),
        ("import subprocess; subprocess.run(['ls'])", "BlockingIOError"),
        ("import os; os.execv('/bin/ls', ['ls'])", "PermissionError"),
        ("import os; os.posix_spawn('/bin/ls', ['ls'], {})", "BlockingIOError"),
        ("open('/tmp/big', 'wb').write(bytes(10**8))", "OSError"),
        ("for n in range(10**5): open(f'/tmp/{n}', 'w').close()", "OSError"),
        ("import os\n    for n in range(10**5): os.symlink('x', f'/tmp/{n}')", "OSError"),
        ("import signal; signal.pthread_sigmask(0, [2])\n    while True: pass", "too long"),
        ("import ctypes; ctypes.CDLL(None).prctl(1, 0)\n    while True: pass", "too long"),
        (
            "import ctypes, threading, time; threading.Thread(target=time.sleep, args=[99]).start()"
            "; ctypes.CDLL(None).pthread_exit(0)",
            "too long|ended Python",
        ),
        ("import socket; socket.socket()", "PermissionError"),
        ("import socket; socket.socket(socket.AF_VSOCK)", "PermissionError"),
        ("import os; os.memfd_create('m')", "PermissionError"),
        ("import os; os.setuid(0)", "PermissionError|OSError"),
        ("import os; os.nice(19)", "PermissionError"),
        ("import os; os.sched_setaffinity(0, {0})", "PermissionError"),
        ("import os; os.sched_setscheduler(0, 5, os.sched_param(0))", "PermissionError"),
        ("import os; os.unshare(0x10000000)", "PermissionError|AttributeError"),
        ("import os; os.chroot('/tmp')", "PermissionError"),
        ("open('/proc/1/mem', 'r+b', 0).write(b'x')", "OSError|PermissionError"),
        ("open('/proc/sys/kernel/hostname', 'w').write('harm')", "OSError|PermissionError"),
        ("open('/usr/harm', 'w')", "OSError|PermissionError"),
        ("open('/grader/inside/worker.py', 'w')", "OSError|PermissionError"),
        ("import nhlib", "ModuleNotFoundError"),
        ("import sys; sys.meta_path[:1] = []; from nhlib import encode", "ModuleNotFoundError"),
        ("import sys; sys.meta_path[:1] = []; from torch import nn", "ImportError"),
        ("import resource as r; r.setrlimit(r.RLIMIT_AS, (-1, -1))", "ValueError|OSError"),
        ("import os; os.write(2, bytes(10**6)); os.closerange(0, 99)", "ended Python"),
    ],
)  # fmt: skip
def test_hostile_functions_end_alone(impatient, body, message):
    if message == "^$":
        assert outcome(f"def f():\n    {body}") is None
        return
    with pytest.raises(CallError, match=message):
        outcome(f"def f():\n    {body}")


SYSTEM_CALL = """
import ctypes, errno
libc = ctypes.CDLL(None, use_errno=True)
def f(number):
    found = libc.syscall(ctypes.c_long(number), *[ctypes.c_long(-1)] * 6)
    return found, errno.errorcode.get(ctypes.get_errno())
"""


def test_the_kernel_refuses_what_the_filter_names():
    refused = [n for name, (n, _) in attempts.REFUSED.items() if name != "vhangup"]
    with Kernel(Program((SYSTEM_CALL,)), ["f"]) as kernel:
        kernel.run(1)
        kernel.begin()
        for number in refused if os.uname().machine == "x86_64" else []:
            assert kernel.call("f", number) == (-1, "EPERM"), number


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
        + ")\n        except OSError: pass\n    return 0"
    )
    try:
        found = outcome(source, 1)
    except CallError:
        return
    assert found in (0, 12345)  # whatever it claims: a value to compare, and no more


def test_a_notebook_that_takes_the_worker_over_answers_for_itself_only():
    """It speaks with the grader in the worker's place: what it says is checked like any answer."""
    source = """
import sys
frame = sys._getframe()
while type(frame.f_locals.get("self")).__name__ != "Worker":
    frame = frame.f_back
frame.f_locals["self"]._obeyed = lambda message: {"value": "<script>", "error": "x" * 10**5, "missing": [1]}
def f(x): return 1
"""  # noqa: E501
    assert outcome(source, 1) == "<script>"
    source = source.replace('"value": "<script>", ', "")
    with pytest.raises(CallError, match="^there is no function `f`$"):
        outcome(source, 1)
    source = source.replace(', "missing": [1]', "")
    with pytest.raises(CallError, match="^it ended in an error of its own kind$"):
        outcome(source, 1)


def test_the_sandbox_shows_no_files_but_pythons():
    source = "import os\ndef f(path):\n    return sorted(os.listdir(path))"
    with Kernel(Program((source,)), ["f"]) as kernel:
        kernel.run(1)
        kernel.begin()
        shown = kernel.call("f", "/")
        pythons = {Path(sys.prefix).parts[1], Path(sys.base_prefix).parts[1]}
        assert set(shown) <= {*"bin dev etc grader lib lib64 proc tmp usr".split(), *pythons}
        assert kernel.call("f", "/grader/inside") == sorted(
            p.name for p in (ROOT / "nhlib/classroom/inside").iterdir()
        )
        processes = [p for p in kernel.call("f", "/proc") if p.isdecimal()]
        assert processes == ["1"]
        hidden = ["book", "nhlib", "tests", "Makefile", ".git"]
        for path in [*(ROOT / name for name in hidden), Path.home() / ".ssh"]:
            with pytest.raises(CallError, match="FileNotFoundError|PermissionError"):
                kernel.call("f", str(path))


def test_a_course_beside_the_python_is_not_shown(tmp_path, monkeypatch):
    """A virtual environment made in the clone itself has the clone for its prefix."""
    for name in ("lib", "classroom", "book"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").touch()
    monkeypatch.setattr(room.sys, "prefix", str(tmp_path))
    shown = room._python_paths()
    assert tmp_path / "lib" in shown
    assert not any(
        (tmp_path / name).is_relative_to(p) for p in shown for name in ("classroom", "book")
    )


def test_copies_of_nhlib_are_hidden_wherever_they_lie(tmp_path, monkeypatch):
    libraries = tmp_path / "lib" / "python3.11"
    copies = [
        libraries / place
        for place in (
            "dist-packages/nhlib",
            "site-packages/nhlib",
            "site-packages/nhlib-1.egg/nhlib",
            "site-packages/torch",
        )
    ]
    for copy in copies:
        copy.mkdir(parents=True)
    monkeypatch.setattr(room, "_python_paths", lambda: [tmp_path / "lib"])
    assert room._hidden_paths() == sorted(copies)


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


def test_no_file_stays_behind():
    outcome("def f():\n    open('/tmp/left-by-f', 'w').write('x')")
    assert not Path("/tmp/left-by-f").exists()


def test_it_has_a_user_namespace_of_its_own():
    """Keys of the kernel belong to a user in a namespace, and outlive the process."""
    with Sandbox() as one, Sandbox() as other:
        spaces = [Path(f"/proc/{room._handle._pid}/ns/user").readlink() for room in (one, other)]
        assert len({Path("/proc/self/ns/user").readlink(), *spaces}) == 3


# --- Threads, as many as a solution may want


def test_a_few_threads_may_run():
    source = (
        "from concurrent.futures import ThreadPoolExecutor\ndef f(x):\n"
        "    with ThreadPoolExecutor(4) as pool: return sum(pool.map(lambda v: v + 1, x))"
    )
    assert outcome(source, [1, 2, 3]) == 9


def test_many_threads_may_not():
    source = (
        "import threading\ndef f():\n    stop = threading.Event()\n    n = 0\n    try:\n"
        "        while n < 1000:\n            threading.Thread(target=stop.wait).start(); n += 1\n"
        "    except RuntimeError: pass\n    stop.set()\n    return n"
    )
    assert outcome(source) < 20


# --- What ends with what


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


def gone(pids):
    """Whether processes are gone, but for the notice of their death."""

    def runs(pid):
        try:
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
        except OSError:
            return False

    deadline = time.monotonic() + 60
    while any(map(runs, pids)):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


ENDLESS = "def f():\n    x = 0\n    while True:\n        try:\n            x += 1\n        except BaseException: x = 0"  # noqa: E501


def test_no_process_stays_behind(impatient):
    with Kernel(Program((ENDLESS,)), ["f"]) as kernel:
        kernel.run(1)
        kernel.begin()
        inside = descendants(kernel._room._process.pid)
        assert len(inside) == 2  # bubblewrap's own and Python
        with pytest.raises(CallError, match="too long"):
            kernel.call("f")
    assert gone(inside)


def test_none_stays_when_the_grader_is_killed():
    source = (
        "from nhlib.classroom.sandbox import Sandbox\n"
        f"room = Sandbox().__enter__()\nroom.ask({{'cells': [{ENDLESS!r}], 'names': []}}, 5)\n"
        "room.ask({'run': [0, 0], 'plain': False}, 5)\nprint('ready', flush=True)\n"
        "room.ask({'call': 'f', 'arguments': []}, 600)"
    )
    grader = subprocess.Popen([sys.executable, "-c", source], stdout=subprocess.PIPE)
    grader.stdout.readline()
    inside = descendants(grader.pid)
    assert len(inside) == 3
    os.kill(grader.pid, signal.SIGKILL)
    grader.wait()
    grader.stdout.close()
    assert gone(inside)


# --- What the machine gives


def test_without_bubblewrap_nothing_is_run(monkeypatch):
    room._room.cache_clear()
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(SandboxError, match="apt install bubblewrap"), Sandbox():
        pass


def test_elsewhere_it_warns_loudly_and_still_works(monkeypatch):
    monkeypatch.setattr(room.sys, "platform", "darwin")
    with pytest.warns(UserWarning, match="NO SANDBOX"):
        assert outcome("def f(): return 1") == 1


def test_a_broken_sandbox_is_not_the_students_fault(monkeypatch):
    real = room.command

    def broken(**given):
        return [*real(**given)[:-2], "/nowhere", real(**given)[-1]]

    monkeypatch.setattr(sandbox, "command", broken)
    with pytest.raises(SandboxError, match="(?s)could not be set up: .*No module named 'inside'"):
        Sandbox().__enter__()


def test_it_runs_as_nobody_in_particular():
    source = "import os\ndef f(): return os.getuid(), os.getgid(), len(os.getgroups())"
    uid, gid, groups = outcome(source)
    assert (uid, gid) == (room.USER, room.USER)
    assert groups == 0 or os.getuid() != 0


def test_every_promise_holds_here():
    found = promises()
    kernel_counts = found.popitem()
    assert kernel_counts[0] == "a limit of memory that the kernel counts for all of it"
    assert len(found) == 11
    assert all(found.values()), [words for words, held in found.items() if not held]


def test_an_attempt_that_succeeds_is_told(monkeypatch):
    """Outside of the sandbox the same attempts find hardly a promise held."""
    code = (
        "from nhlib.classroom.inside.attempts import attempts; print(sum(attempts(1, 1).values()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) <= 3


# --- A limit that the kernel counts


def tree(folder, own, allowed):
    """Control groups as files; the kernel's own can't be made in every place where tests run."""
    (folder / own).mkdir(parents=True)
    ((folder / own).parent / "cgroup.subtree_control").write_text(allowed)
    return f"12:cpu:/else\n0::/{own}\n"


def test_a_control_group_is_made_beside_our_own(tmp_path, monkeypatch):
    monkeypatch.setattr("nhlib.classroom.memory_group.ROOT", tmp_path / "groups")
    monkeypatch.setattr("nhlib.classroom.memory_group.OWN", tmp_path / "own")
    (tmp_path / "own").write_text(tree(tmp_path / "groups", "user/session", "cpu memory pids"))
    group = MemoryGroup(1234, {"memory.max": 5})
    assert group.path.parent == tmp_path / "groups" / "user"
    assert (group.path / "memory.max").read_text() == "5"
    assert (group.path / "cgroup.procs").read_text() == "1234"


@pytest.mark.parametrize(("own", "allowed"), [("user/session", "cpu pids"), ("", "memory")])
def test_there_need_not_be_one(tmp_path, monkeypatch, own, allowed):
    monkeypatch.setattr("nhlib.classroom.memory_group.ROOT", tmp_path / "groups")
    monkeypatch.setattr("nhlib.classroom.memory_group.OWN", tmp_path / "own")
    (tmp_path / "own").write_text(tree(tmp_path / "groups", own, allowed))
    assert MemoryGroup(1234, {"memory.max": 5}).path is None


def test_arrays_go_in_as_copies_and_state_stays_between_calls():
    source = "seen = []\ndef f(x):\n    seen.append(x[0])\n    x[0] = 9\n    return seen"
    with Kernel(Program((source,)), ["f"]) as kernel:
        kernel.run(1)
        kernel.begin()
        given = np.array([1, 2])
        assert kernel.call("f", given) == [1]
        assert kernel.call("f", given) == [1, 1]
        assert given[0] == 1
