"""The command that starts a process in a room of its own, where there is one to be had.

On Linux, `bubblewrap <https://github.com/containers/bubblewrap>`_ makes the room: Python and its
packages to read, a small folder in memory to write, no network, no sight of other processes.
"""

import json
import os
import platform
import shutil
import sys
import sysconfig
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from nhlib.classroom.inside.system_calls import filter_program

LIMITS = {
    "AS": 800 * 2**20,  # bytes of memory
    "FSIZE": 2**24,  # bytes of a file
    "NOFILE": 64,
    "CORE": 1,  # byte, which keeps it from the system's own collectors too
    "CPU": 240,  # seconds, should the grader itself be stopped
}
SCRATCH = 2**26  # bytes of the folder in memory
HIDDEN = ("nhlib", "torch", "torchvision")  # would answer, or take too long to start
USER = 64_001  # who runs the functions
HERE = Path(__file__).parent
START = (
    "import json, sys; sys.path.append(sys.argv[1]); from inside.worker import main; "
    "sys.path.pop(); main(json.loads(sys.argv[2]))"
)
QUIET = {
    "MPLBACKEND": "Agg",
    "PYTHONHASHSEED": "0",  # sets in one order, every time
    **dict.fromkeys(
        ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "LOKY_MAX_CPU_COUNT"), "1"
    ),
}
ALONE = QUIET | {
    "PATH": os.defpath,
    "HOME": "/tmp",
    "LANG": "C.UTF-8",
    "MPLCONFIGDIR": "/tmp",
    "MALLOC_ARENA_MAX": "1",  # or a few threads are all of the memory
}


class SandboxError(RuntimeError):
    """The sandbox itself can't be set up; it says nothing about the student's code."""


def has_room() -> bool:
    """Whether this system has sandboxes at all."""
    return sys.platform.startswith("linux")


def environment(*, alone: bool) -> dict[str, str]:
    """The variables of the process's environment: in a room, nothing of the grader's own."""
    return ALONE if alone else os.environ | QUIET


def command(*, alone: bool, told: int | None = None) -> list[str]:
    """The program that starts `inside.worker`.

    Parameters
    ----------
    alone : bool
        In a room of its own.
    told : int, optional
        The file descriptor on which bubblewrap says which process it has started.

    Raises
    ------
    SandboxError
        Without bubblewrap.
    """
    settings: dict[str, object] = {"limits": LIMITS, "blocked": HIDDEN}
    if not alone:
        return [sys.executable, "-P", "-B", "-c", START, str(HERE), json.dumps(settings)]
    python = [sys.executable, "-P", "-s", "-B", "-c", START]
    settings |= {"user": USER, "scratch": SCRATCH}
    run = [*_limits(), *_room()]
    if told is not None:
        run += ["--info-fd", str(told)]
    return [*run, "--chdir", "/tmp", *python, "/grader", json.dumps(settings)]


def _limits() -> list[str]:
    """Limits that hold for bubblewrap too."""
    prlimit = shutil.which("prlimit")
    if prlimit is None:  # the process itself sets them, a little later
        return []
    return [prlimit, *(f"--{name.lower()}={value}" for name, value in LIMITS.items()), "--"]


@cache
def _room() -> list[str]:
    """Bubblewrap, and what it is to show."""
    bwrap = shutil.which("bwrap")
    if bwrap is None:
        raise SandboxError(
            "grading needs bubblewrap, which keeps students' code away from everything else: "
            "install your system's package bubblewrap (apt install bubblewrap)"
        )
    run = [bwrap, "--die-with-parent", "--new-session", "--as-pid-1"]
    run += ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts"]
    run += ["--unshare-cgroup-try"]
    if os.geteuid() == 0:  # who can bind what others may not enter
        run += ["--cap-drop", "ALL"]
    else:
        run += ["--unshare-user"]
    if filter_program(platform.machine()) is not None:
        run += ["--cap-add", "CAP_SYS_ADMIN"]  # to make the folder in memory smaller still
    elif os.geteuid() != 0:
        run += ["--disable-userns"]  # what the filter would see to
    # The empty folder first: Python itself may live below /tmp.
    run += ["--proc", "/proc", "--tmpfs", "/dev"]
    run += ["--perms", "1777", "--size", str(SCRATCH), "--tmpfs", "/tmp"]
    for device in ("null", "zero", "full", "random", "urandom"):
        run += ["--dev-bind", f"/dev/{device}", f"/dev/{device}"]
    run += ["--symlink", "/proc/self/fd", "/dev/fd"]
    for system in ("/lib", "/lib64", "/bin", "/etc/ld.so.cache"):
        run += ["--ro-bind-try", system, system]
    for path in _python_paths():
        for parent in reversed(path.parents[:-1]):
            run += ["--dir", str(parent)]  # which all may enter, as those on disk perhaps may not
        run += ["--ro-bind", str(path), str(path)]
    for path in _hidden_paths():
        run += ["--size", "4096", "--tmpfs", str(path), "--remount-ro", str(path)]
    run += ["--dir", "/grader", "--ro-bind", str(HERE / "inside"), "/grader/inside"]
    # Only /tmp is to be written to: the rest is in memory as well, and without a limit.
    return [*run, "--remount-ro", "/dev", "--remount-ro", "/"]


def _python_paths() -> list[Path]:
    """What this Python and its packages live in, outermost first and each once.

    Programs and libraries of a prefix, not all of it: a course may be kept beside them.
    """
    paths = sysconfig.get_paths()
    found = {Path(paths[name]) for name in ("purelib", "platlib", "stdlib", "platstdlib")}
    found |= {Path(sys.executable).parent, Path(sys.executable).resolve().parent}
    for prefix in {Path(sys.prefix), Path(sys.base_prefix), Path("/usr"), Path("/usr/local")}:
        found |= {prefix / name for name in ("bin", "lib", "lib64", "pyvenv.cfg")}
    kept: list[Path] = []
    for path in sorted(filter(Path.exists, found), key=lambda p: (len(p.parts), p)):
        if not any(path.is_relative_to(k) for k in kept):
            kept.append(path)
    return kept


def _hidden_paths() -> list[Path]:
    """Packages that the sandbox must not show, wherever it would show them."""
    shown = _python_paths()
    homes = {Path(entry) for entry in sys.path if entry}
    for path in shown:
        homes |= {home for kind in ("site", "dist")
                  for home in path.glob(f"python*/{kind}-packages")}  # fmt: skip
    found = {home / name for home in homes for name in HIDDEN}
    found |= {egg / name for home in homes for egg in home.glob("*.egg") for name in HIDDEN}
    for name in HIDDEN:
        spec = find_spec(name)
        found |= {Path(p) for p in (spec.submodule_search_locations or ())} if spec else set()
    return sorted(p for p in found if p.is_dir() and any(p.is_relative_to(s) for s in shown))
