"""What is said when there is no such device here."""

from typing import Any

import torch


def torch_device(name: str, given: Any) -> torch.device:
    """Return a device on which something can be computed here, or say why it cannot.

    Raises
    ------
    TypeError
        If it names no device.
    ValueError
        If there is no such device here.

    Examples
    --------
    >>> torch_device("device", "cpu")
    device(type='cpu')
    """
    try:
        if given is None:
            raise TypeError
        device = torch.device(given)
    except (RuntimeError, TypeError):
        kind = ValueError if isinstance(given, str) else TypeError
        raise kind(f"{name}: a device such as 'cpu' or 'cuda' is needed, not {given!r}") from None
    if device.type == "meta":
        raise ValueError(f"{name}: on the device meta there are no numbers to compute with")
    try:
        if device.type != "cpu":
            torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).partition("\n")[0]
        raise ValueError(f"{name}: there is no device {given!r} here ({reason})") from None
    return device
