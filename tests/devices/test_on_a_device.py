"""What computes on a GPU, without one: see on_a_device.py."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch


@pytest.mark.skipif(
    not torch.cuda.is_available()
    and not hasattr(torch.utils.backend_registration, "_setup_privateuseone_for_python_backend"),
    reason="this PyTorch cannot register a device from Python",
)
def test_in_a_process_of_its_own():
    # A new device changes PyTorch for good, and has to be there before the first backward pass.
    tests = Path(__file__).with_name("on_a_device.py")
    command = [sys.executable, "-m", "pytest", tests, "--quiet", "-p", "no:cacheprovider"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
