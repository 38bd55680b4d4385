"""Which system calls a student's process may make, as a filter that the kernel applies.

The filter is a program of the `classic Berkeley packet filter
<https://docs.kernel.org/userspace-api/seccomp_filter.html>`_, made here of bytes. It refuses what a
function of numbers has no use for and what could reach past the sandbox: other processes, memory
that no limit counts, keys of the kernel, namespaces, network, programs. A call that is newer than
this list is refused as well, as a kernel refuses what it does not know.

There is a list for x86_64 and one for aarch64. On any other processor there is none:
`filter_program` returns None, and the sandbox says so (`nhlib.classroom.promises`).
"""

import ctypes
import errno
import struct

AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
LAST = {"x86_64": 334, "aarch64": 293}  # rseq; beyond it, only what is named below
NEWER = (436, 437, 439, 441, 452)  # close_range, openat2, faccessat2, epoll_pwait2, fchmodat2
THREAD = 0x10000  # CLONE_THREAD
CLONE = {"x86_64": 56, "aarch64": 220}  # allowed for threads alone

# Each with its number on x86_64 and on aarch64, None where it has none.
REFUSED = {
    # other processes
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "kcmp": (312, 272), "move_pages": (279, 239), "migrate_pages": (256, 238),
    # memory that outlives a process, or that no limit counts
    "shmget": (29, 194), "shmat": (30, 196), "shmctl": (31, 195), "shmdt": (67, 197),
    "semget": (64, 190), "semop": (65, 193), "semctl": (66, 191), "semtimedop": (220, 192),
    "msgget": (68, 186), "msgsnd": (69, 189), "msgrcv": (70, 188), "msgctl": (71, 187),
    "mq_open": (240, 180), "mq_unlink": (241, 181), "memfd_create": (319, 279),
    "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219),
    # other rooms
    "unshare": (272, 97), "setns": (308, 268), "mount": (165, 40), "umount2": (166, 39),
    "pivot_root": (155, 41), "chroot": (161, 51), "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265), "fanotify_init": (300, 262), "socket": (41, 198),
    # other programs
    "execve": (59, 221), "execveat": (322, 281), "uselib": (134, None),
    # a processor of its choice, or the last turn on one: neither counts as its own time
    "setpriority": (141, 140), "ioprio_set": (251, 30), "sched_setparam": (142, 118),
    "sched_setscheduler": (144, 119), "sched_setattr": (314, 274), "sched_setaffinity": (203, 122),
    "mbind": (237, 235), "set_mempolicy": (238, 237),
    # the kernel itself
    "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282),
    "personality": (135, 92), "seccomp": (317, 277), "init_module": (175, 105),
    "finit_module": (313, 273), "delete_module": (176, 106), "kexec_load": (246, 104),
    "kexec_file_load": (320, 294), "reboot": (169, 142), "swapon": (167, 224),
    "swapoff": (168, 225), "acct": (163, 89), "syslog": (103, 116), "quotactl": (179, 60),
    "nfsservctl": (180, 42), "lookup_dcookie": (212, 18), "vhangup": (153, 58),
    "settimeofday": (164, 170), "clock_settime": (227, 112), "clock_adjtime": (305, 266),
    "adjtimex": (159, 171), "sethostname": (170, 161), "setdomainname": (171, 162),
    "iopl": (172, None), "ioperm": (173, None), "modify_ldt": (154, None),
}  # fmt: skip
CONTROL = {"x86_64": 157, "aarch64": 167}  # prctl: allowed for names alone
NAMES = (15, 16, 0x53564D41)  # PR_SET_NAME, PR_GET_NAME, PR_SET_VMA
NO_MORE = {"fork": (57, None), "vfork": (58, None)}  # as if there were too many already

LOAD, EQUAL, ABOVE, ANY_BIT, RETURN = 0x20, 0x15, 0x25, 0x45, 0x06  # of the machine's instructions
NUMBER, ARCHITECTURE, FIRST_ARGUMENT = 0, 4, 16  # where a call's data has them
ALLOW, REFUSE, KILL = 0x7FFF0000, 0x00050000, 0x80000000  # REFUSE: with an error number added


def filter_program(machine: str) -> bytes | None:
    """The filter for a processor, as the kernel reads it.

    Parameters
    ----------
    machine : str
        As `platform.machine` names it.

    Returns
    -------
    bytes or None
        Eight bytes an instruction; None where there is no list for the processor.

    Examples
    --------
    >>> len(filter_program("x86_64")) % 8
    0
    >>> filter_program("riscv64") is None
    True
    """
    if machine not in AUDIT_ARCH:
        return None
    column = list(AUDIT_ARCH).index(machine)
    program = [
        _step(LOAD, ARCHITECTURE),
        _step(EQUAL, AUDIT_ARCH[machine], yes=1),
        _step(RETURN, KILL),
        _step(LOAD, NUMBER),
    ]
    for numbers, error in ((REFUSED, errno.EPERM), (NO_MORE, errno.EAGAIN)):
        for each in numbers.values():
            if (number := each[column]) is not None:
                program += [_step(EQUAL, number, no=1), _step(RETURN, REFUSE | error)]
    for number in NEWER:
        program += [_step(EQUAL, number, no=1), _step(RETURN, ALLOW)]
    program += [
        _step(ABOVE, LAST[machine], no=1),
        _step(RETURN, REFUSE | errno.ENOSYS),
        _step(EQUAL, CLONE[machine], no=4),
        _step(LOAD, FIRST_ARGUMENT),
        _step(ANY_BIT, THREAD, no=1),
        _step(RETURN, ALLOW),
        _step(RETURN, REFUSE | errno.EAGAIN),
        _step(EQUAL, CONTROL[machine], yes=1),
        _step(RETURN, ALLOW),
        _step(LOAD, FIRST_ARGUMENT),
    ]
    for number in NAMES:
        program += [_step(EQUAL, number, no=1), _step(RETURN, ALLOW)]
    program.append(_step(RETURN, REFUSE | errno.EPERM))
    return b"".join(program)


def apply_filter(libc: ctypes.CDLL, program: bytes) -> bool:
    """Whether the kernel holds this process to the filter from now on, and all that it starts."""

    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("steps", ctypes.c_char_p))

    made = Program(len(program) // 8, program)
    set_seccomp, with_filter = 22, 2
    return bool(libc.prctl(set_seccomp, with_filter, ctypes.byref(made), 0, 0) == 0)


def _step(what: int, value: int, *, yes: int = 0, no: int = 0) -> bytes:
    """One instruction; ``yes`` and ``no`` are how many it leaps over when it holds, or doesn't."""
    return struct.pack("=HBBI", what, yes, no, value)
