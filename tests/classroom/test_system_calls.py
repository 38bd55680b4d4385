"""The filter of system calls, run here on every number, against the kernel's own tables."""

import errno
import re
import struct
from pathlib import Path

import pytest

from nhlib.classroom.inside.system_calls import AUDIT_ARCH, NO_MORE, REFUSED, filter_program

HEADERS = {
    "x86_64": Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    "aarch64": Path("/usr/include/asm-generic/unistd.h"),
}
ALLOWED = 0x7FFF0000
THREAD = 0x3D0F00  # the flags of glibc's pthread_create: CLONE_THREAD among them
FORK = 0x1200011


def verdict(program, call, architecture, argument=0):
    """What the kernel's machine returns for a call: an interpreter after its documentation."""
    data = struct.pack("=iIQQ", call, architecture, 0, argument)
    steps = [struct.unpack_from("=HBBI", program, at) for at in range(0, len(program), 8)]
    place, value = 0, 0
    while True:
        what, yes, no, operand = steps[place]
        place += 1
        match what:
            case 0x20:
                (value,) = struct.unpack_from("=I", data, operand)
            case 0x15:
                place += yes if value == operand else no
            case 0x25:
                place += yes if value > operand else no
            case 0x45:
                place += yes if value & operand else no
            case 0x06:
                return operand
            case _:
                raise AssertionError(f"no such instruction: {what:#x}")


@pytest.fixture(params=AUDIT_ARCH)
def machine(request):
    return request.param


def numbers(machine):
    """System calls by name, as the kernel's headers have them."""
    text = HEADERS[machine].read_text()
    return {name: int(number) for name, number in
            re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", text)}  # fmt: skip


def test_each_refused_call_has_the_number_of_its_name(machine):
    if not HEADERS[machine].exists():
        pytest.skip("the kernel's headers are not installed")
    there = numbers(machine)
    column = list(AUDIT_ARCH).index(machine)
    for name, each in (REFUSED | NO_MORE).items():
        assert there.get(name) == each[column] or each[column] is None, name


def test_every_number_gets_what_it_should(machine):
    program, architecture = filter_program(machine), AUDIT_ARCH[machine]
    column = list(AUDIT_ARCH).index(machine)
    refused = {each[column] for each in REFUSED.values()}
    no_more = {each[column] for each in NO_MORE.values()}
    last = {"x86_64": 334, "aarch64": 293}[machine]
    newer = {436, 437, 439, 441, 452}
    clone = {"x86_64": 56, "aarch64": 220}[machine]
    for call in range(600):
        found = verdict(program, call, architecture, FORK)
        if call in refused or call == {"x86_64": 157, "aarch64": 167}[machine]:
            assert found == 0x50000 | errno.EPERM
        elif call in no_more or call == clone:
            assert found == 0x50000 | errno.EAGAIN
        elif call > last and call not in newer:
            assert found == 0x50000 | errno.ENOSYS, call  # clone3 among them
        else:
            assert found == ALLOWED, call
    assert verdict(program, clone, architecture, THREAD) == ALLOWED


def test_a_process_may_name_its_threads_and_control_nothing_else(machine):
    program, call = filter_program(machine), {"x86_64": 157, "aarch64": 167}[machine]
    for option in range(100):
        found = verdict(program, call, AUDIT_ARCH[machine], option)
        assert found == (ALLOWED if option in (15, 16) else 0x50000 | errno.EPERM)


def test_calls_in_the_manner_of_another_processor_end_the_process(machine):
    program = filter_program(machine)
    for other in (0x40000003, 0x4000003E, *AUDIT_ARCH.values()):  # i386, x32, and each other
        if other != AUDIT_ARCH[machine]:
            assert verdict(program, 0, other) == 0x80000000
    if machine == "x86_64":  # x32 has the architecture of x86_64, and a bit in the number
        assert verdict(program, 0x40000000 + 1, AUDIT_ARCH[machine]) == 0x50000 | errno.ENOSYS


def test_leaps_stay_inside_the_program(machine):
    program = filter_program(machine)
    assert len(program) // 8 < 4096  # the most that the kernel takes
    steps = [struct.unpack_from("=HBBI", program, at) for at in range(0, len(program), 8)]
    for place, (what, yes, no, _) in enumerate(steps):
        if what & 7 == 5:
            assert place + 1 + max(yes, no) < len(steps)
    assert steps[-1][0] == 0x06
