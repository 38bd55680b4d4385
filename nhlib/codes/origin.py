"""What codes in a file were made from: a hash of the network, the inputs and the options."""

import hashlib
import inspect
import re
from collections.abc import Iterator
from types import CodeType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from nhlib.networks import as_tensor

# Numbers that are hashed at once.
_HASHED = 1 << 22
# Whose code changes with their version alone.
_LIBRARIES = ("torch", "torchvision", "nhlib")


def origin_of(network: nn.Module, inputs: Tensor | np.ndarray, *options: Any) -> str:
    """Return a hash of all that codes are made from, as far as it can be seen.

    Weights, buffers, the code of a user's ``forward``, the inputs and the options. What a network
    keeps elsewhere, in attributes or lists of its own, is not seen.

    Examples
    --------
    >>> network, inputs = nn.Linear(2, 1), torch.zeros(3, 2)
    >>> origin_of(network, inputs) == origin_of(network, inputs + 1)
    False
    """
    found = hashlib.blake2b(
        repr((_without_addresses(network), inputs.dtype, inputs.shape, options)).encode()
    )
    state = network.state_dict()
    buffers = {k: v for k, v in network.named_buffers() if k not in state}  # the others
    for name, value in (state | buffers).items():
        found.update(name.encode())
        for leaf in tree_leaves(value):
            is_tensor = isinstance(leaf, Tensor) and not leaf.is_nested
            found.update(_bytes(leaf) if is_tensor else _without_addresses(leaf).encode())
    for code in _own_code(network):
        found.update(code)
    step = max(1, _HASHED // max(1, int(np.prod(inputs.shape[1:]))))
    for start in range(0, len(inputs), step):
        found.update(_bytes(inputs[start : start + step]))
    return found.hexdigest()[:32]


def _without_addresses(value: Any) -> str:
    # They differ from process to process.
    return re.sub(r" at 0x[0-9a-fA-F]+", "", str(value))


def _bytes(array: Tensor | np.ndarray) -> memoryview:
    tensor = as_tensor(array).detach().cpu()
    if tensor.is_quantized:
        tensor = tensor.dequantize()
    return tensor.to_dense().contiguous().flatten().view(torch.uint8).numpy().data


def _own_code(network: nn.Module) -> Iterator[bytes]:
    """Yield what the ``forward`` of modules from elsewhere consists of."""
    for module in network.modules():
        forward = inspect.unwrap(getattr(module.forward, "__func__", module.forward))
        code = getattr(forward, "__code__", None)
        if code is not None and forward.__module__.split(".")[0] not in _LIBRARIES:
            yield from _parts(code)


def _parts(code: CodeType) -> Iterator[bytes]:
    yield code.co_code
    yield repr(code.co_names).encode()
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _parts(constant)
        else:
            words = sorted(map(repr, constant)) if isinstance(constant, frozenset) else constant
            yield repr(words).encode()
