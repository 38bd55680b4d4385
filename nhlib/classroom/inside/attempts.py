"""What a student's code could try, tried: which promises of the sandbox hold on this machine.

The grader runs this as it runs a student's function. Nothing here does harm where it succeeds.
"""

import ctypes
import os
import platform
import resource
import socket
from collections.abc import Callable
from pathlib import Path

from .system_calls import AUDIT_ARCH, REFUSED

NO_ARGUMENT = ctypes.c_long(-1)  # with which a call does nothing


def attempts(user: int, memory: int) -> dict[str, bool]:
    """Which promises hold, by the words that say them.

    Parameters
    ----------
    user : int
        Who the code should run as.
    memory : int
        Bytes that it should be held to.
    """
    return {
        "no network": _fails(socket.socket),
        "no further process": _fails(os.fork) and _others() == 0,
        "no other program": _fails(lambda: os.execv("/nowhere", ["x"]), PermissionError),
        "no file but Python's to read": not any(map(os.path.exists, ("/etc/passwd", "/home"))),
        "64 MiB and 4,096 files to write, for as long as it runs": _little_to_write(),
        "no other process's memory": _refused("ptrace", "process_vm_readv"),
        "no memory without a limit": _refused("shmget", "memfd_create") and _limited(memory),
        "no key of the kernel": _refused("add_key", "keyctl"),
        "no room of its own making": _refused("unshare", "mount"),
        "no privilege": _status("CapEff") == "0" * 16
        and _status("NoNewPrivs") == "1"
        and os.getuid() == user,
        "a filter of system calls": _status("Seccomp") == "2",
    }


def _fails(attempt: Callable[[], object], how: type[OSError] = OSError) -> bool:
    try:
        found = attempt()
    except OSError as e:
        return isinstance(e, how)
    if found == 0:  # the child of a fork
        os._exit(0)
    return False


def _refused(*names: str) -> bool:
    """Whether the kernel refuses system calls, whatever their arguments."""
    machine = platform.machine()
    if machine not in AUDIT_ARCH:
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    for name in names:
        number = REFUSED[name][list(AUDIT_ARCH).index(machine)]
        if libc.syscall(number, *[NO_ARGUMENT] * 5) != -1 or ctypes.get_errno() != 1:
            return False
    return True


def _others() -> int:
    return sum(path.name.isdecimal() for path in Path("/proc").iterdir()) - 1


def _little_to_write() -> bool:
    room = os.statvfs("/tmp")
    for folder in ("/", "/dev", "/usr", "/grader"):
        if os.access(folder, os.W_OK):
            return False
    return room.f_files <= 4096 and room.f_blocks * room.f_frsize <= 2**26


def _limited(memory: int) -> bool:
    return resource.getrlimit(resource.RLIMIT_AS) == (memory, memory)


def _status(name: str) -> str:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next((line.split()[1] for line in lines if line.startswith(f"{name}:")), "")
