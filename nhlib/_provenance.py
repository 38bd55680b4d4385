"""What ran a program: versions and processor, for tables and files that outlive it."""

import os
import platform
import re
from functools import cache
from pathlib import Path

import torch

__version__ = "0.1.0"

VERSIONS = {"nhlib": __version__, "PyTorch": torch.__version__, "Python": platform.python_version()}


def versions(*names: str) -> str:
    """Name programs with their versions.

    Parameters
    ----------
    *names : {"nhlib", "PyTorch", "Python"}
        Which, in this order.

    Examples
    --------
    >>> versions("nhlib", "PyTorch")  # doctest: +ELLIPSIS
    'nhlib ..., PyTorch ...'
    """
    return ", ".join(f"{name} {VERSIONS[name]}" for name in names)


@cache
def processor() -> str:
    """Return the name of the processor, as exactly as the system tells it."""
    try:
        described = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    names = re.findall(r"^model name\s*: (.+)$", described, re.MULTILINE)
    return names[0] if names else platform.machine()


def machine() -> str:
    """Return the name of the processor, and how many cores the machine has."""
    return f"{processor()}, {os.cpu_count()} cores"


def device_name(device: str | torch.device | None) -> str:
    """Say what computes: the name of the GPU, or of the processor and on how many threads.

    Parameters
    ----------
    device : str or torch.device, optional
        As PyTorch names it; the processor by default.
    """
    kind = torch.device(device or "cpu")
    if kind.type == "cuda":
        return torch.cuda.get_device_name(kind)
    if kind.type != "cpu":
        return kind.type
    n = torch.get_num_threads()
    return f"{processor()}, {n} thread{'s' * (n > 1)}"
