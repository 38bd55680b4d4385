"""What a process gives up before it runs a student's code, on Linux.

Bubblewrap has made the room: what is left is done here, because only the process itself can do it.
It runs before NumPy is there, in a single thread.
"""

import ctypes
import os
import platform
import resource
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from .system_calls import apply_filter, filter_program

FILES = 4096  # in the folder in memory; each costs the kernel about a kilobyte
THREADS = 16
SET_PARENT_DEATH_SIGNAL, SET_DUMPABLE, DROP_BOUNDING, NO_NEW_PRIVILEGES = 1, 4, 24, 38
REMOUNT, NO_SETUID, NO_DEVICES = 32, 2, 4
NEW_USER_NAMESPACE = 0x10000000
CAPABILITIES_3 = 0x20080522


def confine(user: int, scratch: int, mapped: Callable[[], object]) -> None:
    """Give up whatever a function of numbers has no use for, for good.

    Parameters
    ----------
    user : int
        Who the process is from now on, in a user namespace of its own: no key of the kernel, and
        nothing else that belongs to a user, is shared with another process.
    scratch : int
        Bytes of the folder in memory.
    mapped : callable
        Called in the new user namespace of a root; returns when the grader has mapped ``user`` into
        it. The namespace stays root's, so that root's processes can end this one.

    Raises
    ------
    OSError
        When it can't become another user, or keeps a privilege.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    size = f"size={scratch},nr_inodes={FILES}".encode()
    libc.mount(None, b"/tmp", None, REMOUNT | NO_SETUID | NO_DEVICES, size)
    root, before = os.geteuid() == 0, {"uid_map": os.getuid(), "gid_map": os.getgid()}
    if libc.unshare(NEW_USER_NAMESPACE) != 0 and root:
        raise OSError(ctypes.get_errno(), "there are no user namespaces here")
    if root:
        mapped()
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    else:
        libc.prctl(SET_DUMPABLE, 1, 0, 0, 0)  # or its own maps are not its own to write
        with suppress(OSError):
            Path("/proc/self/setgroups").write_text("deny")
            for name, number in before.items():
                Path(f"/proc/self/{name}").write_text(f"{user} {number} 1")
    _drop_capabilities(libc)
    resource.setrlimit(resource.RLIMIT_NPROC, (THREADS, THREADS))
    # To become somebody else has switched this off.
    libc.prctl(SET_PARENT_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
    libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    program = filter_program(platform.machine())
    if program is not None:
        apply_filter(libc, program)


def _drop_capabilities(libc: ctypes.CDLL) -> None:
    """Give up every privilege that the kernel knows."""
    for capability in range(64):
        libc.prctl(DROP_BOUNDING, capability, 0, 0, 0)
    header = (ctypes.c_uint32 * 2)(CAPABILITIES_3, 0)
    if libc.capset(header, (ctypes.c_uint32 * 6)()) != 0:
        raise OSError(ctypes.get_errno(), "this process keeps its privileges")
