"""Run a student's function where it can do no harm and see no tests.

On Linux, `bubblewrap <https://github.com/containers/bubblewrap>`_ gives each function a file system
of its own (Python and its packages, to read; an empty folder in memory, to write), no network, and
no sight of other processes. Limits on memory, processes and file sizes are set before the first
line of the student runs, and the grader measures time and output from outside.
"""

import os
import select
import shutil
import subprocess
import sys
import sysconfig
import time
import warnings
from collections.abc import Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from nhlib.classroom import wire

SECONDS = 5.0  # for one call; what the assignments ask for takes milliseconds
ALL_SECONDS = 15.0  # for all calls of one function
START_SECONDS = 10.0  # for Python and NumPy, and then for what the function needs
LIMITS = {
    "AS": 2**30,  # bytes of memory
    "FSIZE": 2**24,  # bytes of a file
    "NOFILE": 64,
    "NPROC": 0,  # no further process, and no thread
    "CORE": 0,
    "CPU": 60,  # seconds, should the grader itself be stopped
}
SCRATCH = 2**26  # bytes of the folder in memory
HIDDEN = ("nhlib", "torch", "torchvision")  # would answer, or take too long to start
USER = 64_001  # who runs the functions where the grader is root
HERE = Path(__file__).parent
QUIET = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


class SandboxError(RuntimeError):
    """The sandbox itself can't be set up; it says nothing about the student's code."""


class CallError(Exception):
    """A call that brought no answer, in words that the student may read."""


class Sandbox:
    r"""One function of one submission, in a process of its own.

    Parameters
    ----------
    cells : sequence of str
        The sources of the notebook's code cells. What ``name`` needs of them is run; plots,
        experiments and whatever else the function does without is not.
    name : str
        The function.

    Raises
    ------
    SandboxError
        On entering, when the process can't be started.

    Warns
    -----
    UserWarning
        Outside Linux, where the student's code runs with nothing but time limits around it.

    Examples
    --------
    >>> with Sandbox(["def double(x):\n    return 2 * x"], "double") as room:
    ...     room.call(21)
    42
    """

    def __init__(self, cells: Sequence[str], name: str) -> None:
        self._task = {"cells": list(cells), "name": name, "blocked": HIDDEN, "limits": LIMITS}
        self._name = name
        self._seconds = ALL_SECONDS  # that are left
        self._dead: CallError | None = None  # why no call is answered any more

    def __enter__(self) -> "Sandbox":
        self._process = subprocess.Popen(
            command(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=QUIET | {"PATH": os.defpath},
            start_new_session=True,
        )
        os.set_blocking(self._process.stdin.fileno(), False)  # type: ignore[union-attr]
        try:
            self._wait_until_ready()
            found = self._ask(self._task, START_SECONDS)
            if found.get("callable") is not True:
                reason = f"there is no function `{self._name}`"
                troubles = found.get("troubles")
                if isinstance(troubles, list) and troubles and isinstance(troubles[-1], dict):
                    reason += f"; its cell ended in {self._words(troubles[-1])}"
                self._dead = CallError(reason)
        except CallError as e:
            self._dead = e
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process, and everything that it has started."""
        self._process.kill()  # with it goes its whole process namespace
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream is not None:
                with suppress(BrokenPipeError):
                    stream.close()
        self._process.wait()

    def call(self, *arguments: object) -> Any:
        """Call the function.

        Parameters
        ----------
        *arguments
            Plain values (see `nhlib.classroom.wire.encode`); the function gets copies.

        Returns
        -------
        object
            A plain value.

        Raises
        ------
        CallError
            When it raises, returns something else, ends its process, or takes too long. After the
            last two every further call fails at once.
        """
        if self._dead is not None:
            raise self._dead
        start = time.monotonic()
        try:
            answer = self._ask(list(arguments), min(SECONDS, self._seconds))
        except CallError as e:
            self._dead = e
            raise
        self._seconds -= time.monotonic() - start
        if "value" in answer:
            return answer["value"]
        if "unplain" in answer:
            raise CallError("it returned something that is not made of numbers, lists and arrays")
        raise CallError(f"it ended in {self._words(answer)}")

    def _words(self, trouble: dict[str, Any]) -> str:
        """An error in words that can't carry what the function has seen of the inputs."""
        name, where = trouble.get("error"), trouble.get("where")
        name = name if isinstance(name, str) and name.isidentifier() else "an error of its own kind"
        cells = self._task["cells"]
        try:
            cell, line = where  # type: ignore[misc]
            text = cells[cell].splitlines()[line - 1].strip()[:80]  # type: ignore[index]
        except (TypeError, ValueError, IndexError):
            return name
        return f"{name} at `{text}`"

    def _ask(self, message: object, seconds: float) -> dict[str, Any]:
        """Send a message and wait for the answer, both within the time."""
        until = time.monotonic() + seconds
        self._send(wire.encode(message), until)
        return self._listen(until)

    def _listen(self, until: float) -> dict[str, Any]:
        (length,) = wire.LENGTH.unpack(self._receive(wire.LENGTH.size, until))
        if length > wire.LARGEST:
            raise CallError("it returned too much")
        try:
            answer = wire.decode(self._receive(length, until))
            if isinstance(answer, dict):
                return answer
        except ValueError:
            pass
        raise CallError("it disturbed the conversation with the grader")

    def _send(self, data: bytes, until: float) -> None:
        pipe = self._process.stdin.fileno()  # type: ignore[union-attr]
        while data:
            _, ready, _ = select.select([], [pipe], [], max(0.0, until - time.monotonic()))
            if not ready:
                raise CallError("it took too long")
            try:
                data = data[os.write(pipe, data[: 2**16]) :]
            except BlockingIOError:
                continue
            except BrokenPipeError:
                raise CallError("it ended Python, or ran out of memory") from None

    def _receive(self, size: int, until: float) -> bytes:
        pipe = self._process.stdout.fileno()  # type: ignore[union-attr]
        parts: list[bytes] = []
        while size:
            ready, _, _ = select.select([pipe], [], [], max(0.0, until - time.monotonic()))
            if not ready:
                raise CallError("it took too long")
            part = os.read(pipe, min(size, 2**20))
            if not part:
                raise CallError("it ended Python, or ran out of memory")
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def _wait_until_ready(self) -> None:
        """Nothing of the student's has run so far: what fails here is the sandbox itself."""
        try:
            self._listen(time.monotonic() + START_SECONDS)
        except CallError:
            self._process.kill()
            said = self._process.stderr.read(2**12).decode(errors="replace")  # type: ignore[union-attr]
            raise SandboxError(
                f"the sandbox could not be set up: {said.strip() or 'it says nothing'}. Without "
                f"root it needs user namespaces, which some systems and most containers switch off"
            ) from None


def command() -> list[str]:
    """The program that starts `worker.py`, in a sandbox where there is one.

    Raises
    ------
    SandboxError
        On Linux, without bubblewrap.
    """
    python = [sys.executable, "-I", "-B"]
    if not sys.platform.startswith("linux"):
        warnings.warn(
            f"NO SANDBOX: on {sys.platform} students' code runs with your rights, and can read and "
            f"change all that you can. Grade on Linux, or only what you have read",
            stacklevel=3,
        )
        return [*python, str(HERE / "worker.py")]
    bwrap = shutil.which("bwrap")
    if bwrap is None:
        raise SandboxError(
            "grading needs bubblewrap, which keeps students' code away from everything else: "
            "install your system's package bubblewrap (apt install bubblewrap)"
        )
    run = [bwrap, "--die-with-parent", "--new-session"]
    run += ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts"]
    if os.geteuid() == 0:
        # Root builds the room and then becomes another user, whom the limits hold.
        run += ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
        python = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", *python]
    else:
        run += ["--unshare-user", "--uid", str(USER), "--gid", str(USER)]
    # The empty folder first: Python itself may live below /tmp.
    run += ["--proc", "/proc", "--dev", "/dev"]
    run += ["--perms", "1777", "--size", str(SCRATCH), "--tmpfs", "/tmp"]
    for path in ("/usr", "/lib", "/lib64", "/bin", "/etc/ld.so.cache"):
        run += ["--ro-bind-try", path, path]
    for folder in _python_folders():
        for parent in reversed(folder.parents[:-1]):
            run += ["--dir", str(parent)]  # which all may enter, as those on disk perhaps may not
        run += ["--ro-bind", str(folder), str(folder)]
    for path in map(str, _hidden_folders()):
        run += ["--size", "4096", "--tmpfs", path, "--remount-ro", path]
    run += ["--dir", "/grader"]
    for file in ("worker.py", "wire.py"):
        run += ["--ro-bind", str(HERE / file), f"/grader/{file}"]
    # Only /tmp is to be written to: the rest is in memory as well, and without a limit.
    run += ["--remount-ro", "/dev", "--remount-ro", "/"]
    return [*run, "--chdir", "/tmp", *python, "/grader/worker.py"]


def _python_folders() -> list[Path]:
    """Where this Python and its packages live, outermost first and each once."""
    paths = sysconfig.get_paths()
    folders = {Path(sys.prefix), Path(sys.base_prefix), Path(paths["purelib"]),
               Path(paths["platlib"]), Path(sys.executable).parent,
               Path(sys.executable).resolve().parent}  # fmt: skip
    kept: list[Path] = []
    for folder in sorted(folders, key=lambda f: len(f.parts)):
        if not any(folder.is_relative_to(k) for k in [*kept, Path("/usr")]):
            kept.append(folder)
    return kept


def _hidden_folders() -> list[Path]:
    """Packages that the sandbox must not show, where its folders would show them."""
    folders = []
    for name in HIDDEN:
        spec = find_spec(name)
        for found in (spec.submodule_search_locations or ()) if spec else ():
            folder = Path(found)
            if any(folder.is_relative_to(f) for f in [*_python_folders(), Path("/usr")]):
                folders.append(folder)
    return folders
