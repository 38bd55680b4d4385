"""What tables say of the machine that made them."""

import platform
import re
from pathlib import Path

import pytest
import torch

import nhlib
from nhlib._provenance import device_name, machine, processor, versions


def test_versions_are_those_of_what_runs():
    assert versions("nhlib", "PyTorch") == f"nhlib {nhlib.__version__}, PyTorch {torch.__version__}"
    assert versions("Python") == f"Python {platform.python_version()}"
    with pytest.raises(KeyError):
        versions("NumPy")


def test_the_processor_is_named_as_the_system_names_it():
    assert processor()
    described = Path("/proc/cpuinfo")
    if described.exists() and "model name" in described.read_text():
        assert f": {processor()}\n" in described.read_text()
    assert re.fullmatch(re.escape(processor()) + r", \d+ cores", machine())


@pytest.mark.parametrize(("n", "text"), [(1, "1 thread"), (2, "2 threads")])
@pytest.mark.parametrize("device", [None, "cpu", torch.device("cpu")])
def test_a_processor_is_told_with_its_threads(n, text, device):
    before = torch.get_num_threads()
    torch.set_num_threads(n)
    try:
        assert device_name(device) == f"{processor()}, {text}"
    finally:
        torch.set_num_threads(before)


def test_other_devices_are_told_by_their_names():
    assert device_name("mps") == "mps"
    if torch.cuda.is_available():
        assert device_name("cuda") == torch.cuda.get_device_name("cuda")
