"""Run a student's code where it can do no harm and see no tests.

What the sandbox promises, and against whom
-------------------------------------------
Against a student who writes into her notebook whatever she likes and calls the file what she likes;
who has read all of this code, and hands in again after she has seen her feedback. Her submission

* **sees** Python and its packages, what it writes itself, and the inputs that it is asked: no tests
  and no answers, no other submission, nothing of the course or of the teacher's, no other process,
  no network;
* **earns** points by right answers only: what it says is read as plain values by a parser that
  executes nothing, and compared with answers that its process never had;
* **harms** nobody: it has 800 MiB of memory, 64 MiB and 4,096 files in a folder that goes with it,
  16 threads, no further process, no other program and no privilege, and the time that
  `nhlib.classroom.kernel` gives it;
* **leaves** nothing behind: files, shared memory, keys and processes end with it, and it ends when
  the grader ends, however that does;
* **tells** nothing: feedback names kinds of input, and errors by names that Python knows. Which
  kinds fail, and by which of these errors, can be chosen by who has seen the inputs; that is
  little, and nobody with another secret gets these inputs;
* **stops** no other's marks: whatever goes wrong with it is told in its own line.

How: limits on resources are set before bubblewrap starts, so that they hold for it too.
`Bubblewrap <https://github.com/containers/bubblewrap>`_ makes the room, which holds no process but
the student's; that one enters a user namespace of its own, as root's as well as a user's, gives up
every capability, and is held to a filter of system calls (`nhlib.classroom.inside.system_calls`).
A memory cgroup is put around it where there is one to be had.

What of this holds on a machine is tried out before every batch (`nhlib.classroom.promises`), and
what doesn't is printed. On processors other than x86_64 and aarch64 there is no filter; for users
that are not root, bubblewrap's ``--disable-userns`` then stands for a part of it. Control groups of
version 1 are not used. Outside Linux there is no sandbox, and a loud warning.

It does not promise anything against faults of the kernel or the processor, against others with an
account on the machine, or for a notebook that a teacher opens and runs herself. It can't tell who
wrote a function.
"""

import json
import os
import struct
import subprocess
import sys
import tempfile
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

from nhlib.classroom.inside import wire
from nhlib.classroom.memory_group import MemoryGroup
from nhlib.classroom.room import LIMITS, SCRATCH, USER, SandboxError, command, environment, has_room
from nhlib.classroom.stopwatch import STEP, Handle, Stopwatch

START_SECONDS = 20.0  # for Python and NumPy
GRACE_SECONDS = 0.3  # to stop when asked to
GROUP = {"memory.max": LIMITS["AS"] + SCRATCH, "memory.swap.max": 0, "pids.max": 32}


class CallError(Exception):
    """A call that brought no answer, in words that the student may read."""


class TooLongError(CallError):
    """A call that took too long."""

    def __init__(self) -> None:
        super().__init__("it took too long")


class EndedError(CallError):
    """A process that is gone."""


class Sandbox:
    r"""A process that runs a student's code, in a room of its own.

    Parameters
    ----------
    alone : bool
        In a room of its own. Otherwise it is a plain process, for one's own code.

    Raises
    ------
    SandboxError
        On entering, when the process can't be started.

    Warns
    -----
    UserWarning
        Outside Linux, where a student's code runs with nothing but time limits around it.

    Examples
    --------
    >>> with Sandbox() as room:
    ...     read = room.ask({"cells": ["def double(x):\n    return 2 * x"], "names": []}, 5.0)
    ...     ran = room.ask({"run": [0, 0], "plain": False}, 5.0)
    ...     room.ask({"call": "double", "arguments": [21]}, 5.0)
    {'value': 42}
    """

    def __init__(self, *, alone: bool = True) -> None:
        self._alone = alone and has_room()
        if alone and not self._alone:
            warnings.warn(
                f"NO SANDBOX: on {sys.platform} students' code runs with your rights, and can "
                f"read and change all that you can. Grade on Linux, or only what you have read",
                stacklevel=2,
            )
        self.used = 0.0  # seconds of work that the last message took

    def __enter__(self) -> "Sandbox":
        self._folder = tempfile.TemporaryDirectory()  # where a process without a room writes
        try:
            pid = self._start()
        except BaseException:
            self._folder.cleanup()
            raise
        self._handle, self._watch = Handle(pid), Stopwatch(pid)
        self._memory = MemoryGroup(pid, GROUP) if self._alone else None
        self._talk = ThreadPoolExecutor(1)
        try:
            self._wait(None, START_SECONDS)
        except CallError:
            self._handle.send("SIGKILL")
            self._process.kill()
            said = self._process.stderr.read(2**12).decode(errors="replace")  # type: ignore[union-attr]
            self.close()
            raise SandboxError(
                f"the sandbox could not be set up: {said.strip() or 'it says nothing'}. Without "
                f"root it needs user namespaces, which some systems and most containers switch off"
            ) from None
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process, and everything that it has started."""
        self._handle.send("SIGKILL")  # with it goes its whole process namespace
        self._process.kill()
        self._process.wait()
        self._talk.shutdown()
        self._handle.close()
        self._folder.cleanup()
        if self._memory is not None:
            self._memory.close()
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream is not None:
                with suppress(BrokenPipeError):
                    stream.close()

    @property
    def group(self) -> Path | None:
        """The control group that limits the memory, where there is one."""
        return self._memory.path if self._memory is not None else None

    def ask(
        self, message: dict[str, Any], seconds: float, largest: int = wire.LARGEST
    ) -> dict[str, Any]:
        """Send a message and wait for the answer.

        Parameters
        ----------
        message : dict
            As `nhlib.classroom.inside.worker.Worker` takes it.
        seconds : float
            How long the process may be at work for it.
        largest : int
            Bytes that the message may have.

        Returns
        -------
        dict

        Raises
        ------
        TooLongError
            When it took too long, and could be stopped.
        EndedError
            When the process is gone: it was killed, because it could not be stopped, or it ended.
        """
        return self._wait(wire.encode(message, largest), seconds)

    def _start(self) -> int:
        """Start the process; its number."""
        told, tells = os.pipe() if self._alone else (None, None)
        try:
            self._process = subprocess.Popen(
                command(alone=self._alone, told=tells),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=environment(alone=self._alone),
                cwd=None if self._alone else self._folder.name,
                start_new_session=True,
                pass_fds=() if tells is None else (tells,),
            )
        finally:
            if tells is not None:
                os.close(tells)
        if told is None:
            return self._process.pid
        with os.fdopen(told, "rb") as file:
            said = file.read()  # up to the end: nobody but bubblewrap has the other one
        if not said:  # it has failed, and says so on its standard error
            return self._process.pid
        pid = int(json.loads(said)["child-pid"])
        if os.geteuid() == 0 and self._process.stdout.read(1):  # type: ignore[union-attr]
            for name in ("uid_map", "gid_map"):
                Path(f"/proc/{pid}/{name}").write_text(f"{USER} {USER} 1")
            self._process.stdin.write(b"!")  # type: ignore[union-attr]
            self._process.stdin.flush()  # type: ignore[union-attr]
        return pid

    def _wait(self, data: bytes | None, seconds: float) -> dict[str, Any]:
        self._watch.start()
        answer = self._talk.submit(self._converse, data)
        asked = False
        try:
            while True:
                try:
                    found = answer.result(timeout=STEP)
                    break
                except TimeoutError:
                    used = self._watch.look()
                if used > seconds and not asked:
                    asked = True
                    if not self._handle.send("SIGINT"):
                        used += GRACE_SECONDS
                if used > seconds + GRACE_SECONDS:
                    self._handle.send("SIGKILL")
                    raise EndedError(str(TooLongError()))
        finally:
            self.used = self._watch.seconds()
        if asked:
            raise TooLongError
        return found

    def _converse(self, data: bytes | None) -> dict[str, Any]:
        send, receive = self._process.stdin, self._process.stdout
        assert send is not None
        assert receive is not None
        try:
            if data is not None:
                send.write(data)
                send.flush()
            head = receive.read(wire.LENGTH.size)
            (length,) = wire.LENGTH.unpack(head)
            if length > wire.LARGEST:
                raise EndedError("it returned too much")
            body = receive.read(length)
            if len(body) < length:
                raise EOFError
        except (OSError, EOFError, struct.error):
            raise EndedError("it ended Python, or ran out of memory") from None
        try:
            answer = wire.decode(body)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise EndedError("it disturbed the conversation with the grader")
        return answer
