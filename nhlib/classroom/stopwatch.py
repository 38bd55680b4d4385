"""How long a process has been at work, whatever else the machine does."""

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

STEP = 0.05  # seconds between two looks


class Stopwatch:
    """Measures a process by the time that it computes or sleeps.

    Time in which it waits for a processor, because others compute, does not count; nor does time in
    which the one who looks is stopped. Where the system does not tell (outside Linux), the time
    between two looks counts.

    Parameters
    ----------
    pid : int
    """

    def __init__(self, pid: int) -> None:
        self._stat = Path(f"/proc/{pid}/stat")
        self._clock = (~pid << 3) | 2  # the kernel's number of the clock of a process
        self._last = 0.0
        self.start()

    def start(self) -> None:
        """Begin to count."""
        self._begun = self._computed()
        self._slept = 0.0
        self._before = time.monotonic()

    def look(self) -> float:
        """Seconds of work since the start, when called every `STEP` seconds or so."""
        now = time.monotonic()
        if self._sleeps():
            self._slept += min(now - self._before, 2 * STEP)
        self._before = now
        return self.seconds()

    def seconds(self) -> float:
        """Seconds of work since the start, without sleep since the last look."""
        return self._computed() - self._begun + self._slept

    def _computed(self) -> float:
        with suppress(OSError, AttributeError):  # it has ended, or there is no such clock
            self._last = time.clock_gettime(self._clock)
        return self._last

    def _sleeps(self) -> bool:
        try:
            return self._stat.read_text(errors="replace").rpartition(")")[2].split()[0] not in "RD"
        except OSError:
            return not Path("/proc/self/stat").exists()


class Handle:
    """A process by a handle that stays its own, where the system has such.

    Parameters
    ----------
    pid : int
    """

    def __init__(self, pid: int) -> None:
        self._pid: int | None = pid
        self._file: int | None = None
        try:
            self._file = os.pidfd_open(pid)
        except ProcessLookupError:  # it has ended already, and the number may be another's
            self._pid = None
        except (AttributeError, OSError):  # there are no such handles
            pass

    def send(self, name: str) -> bool:
        """Send it a signal by its name; whether that was possible."""
        number = getattr(signal, name, None)
        if number is None:  # Windows has few
            return False
        with suppress(ProcessLookupError):
            if self._file is not None:
                signal.pidfd_send_signal(self._file, number)
            elif self._pid is not None and os.name == "posix":
                os.kill(self._pid, number)
            else:
                return False
        return True

    def close(self) -> None:
        """Let go of it."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
