"""A device without hardware: its tensors lie in the CPU's memory, but do not mix with the CPU's.

With it, tests find a tensor on the wrong device where there is no GPU. An operation on the device
runs on the CPU, with the same result to the last bit, and refuses the mixtures that CUDA refuses.
"""

from typing import Any

import torch
from torch.utils._pytree import tree_iter, tree_map_only

NAME = "standin"
# What brings tensors from one device to another.
_MOVES = {"aten::_to_copy", "aten::copy_", "aten::_copy_from"}
# What also takes positions on the CPU, as its second argument.
_INDEXES = {"aten::index", "aten::index_put", "aten::index_put_", "aten::_index_put_impl_"}


def register() -> None:
    """Add the device to PyTorch, for the rest of the process, before its first backward pass.

    Raises
    ------
    ImportError
        If PyTorch is too old for it.
    """
    from torch.utils.backend_registration import _setup_privateuseone_for_python_backend

    _setup_privateuseone_for_python_backend(NAME, _Module())
    _LIBRARIES[0].fallback(_run, "PrivateUse1")
    # torch.tensor(..., device=) gets here with the class StandIn switched off.
    _LIBRARIES[1].impl("_copy_from", _copy_from, "PrivateUse1")


# They take back what they registered when they are deleted.
_LIBRARIES = [torch.library.Library(name, "IMPL") for name in ("_", "aten")]


class _Module:
    """What PyTorch asks a device, as ``torch.standin``."""

    def is_available(self) -> bool:
        return True

    def is_initialized(self) -> bool:
        return True

    def device_count(self) -> int:
        return 1

    def current_device(self) -> int:
        return 0

    def _is_in_bad_fork(self) -> bool:
        return False

    def manual_seed_all(self, seed: int) -> None:
        """Do nothing: random numbers are drawn by the CPU's generator."""

    def get_amp_supported_dtype(self) -> list[torch.dtype]:
        return [torch.bfloat16]


class StandIn(torch.Tensor):
    """A tensor that says it is on the device, and keeps its numbers in a tensor of the CPU."""

    numbers: torch.Tensor
    __torch_function__ = torch._C._disabled_torch_function_impl

    @staticmethod
    def __new__(cls, numbers: torch.Tensor) -> "StandIn":
        return torch.Tensor._make_wrapper_subclass(
            cls,
            numbers.size(),
            strides=numbers.stride(),
            storage_offset=numbers.storage_offset(),
            dtype=numbers.dtype,
            device=torch.device(NAME, 0),
        )

    def __init__(self, numbers: torch.Tensor) -> None:
        self.numbers = numbers

    @classmethod
    def __torch_dispatch__(
        cls, operation: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        return _run(operation, *args, **(kwargs or {}))

    @property
    def data(self) -> "StandIn":
        return self.detach()

    @data.setter
    def data(self, other: "StandIn") -> None:
        torch.Tensor.data.__set__(self, other)
        self.numbers = other.numbers

    def tolist(self) -> Any:
        # PyTorch's own refuses every class but Tensor.
        return self.numbers.tolist()

    def __reduce_ex__(self, protocol: Any) -> Any:
        return self.numbers.__reduce_ex__(protocol)  # as if loaded with map_location="cpu"

    def __repr__(self) -> str:
        return f"{self.numbers} on {NAME}"


def _run(operation: Any, *args: Any, **kwargs: Any) -> Any:
    """Run an operation of the device on the CPU."""
    _refuse_mixture(operation, args, kwargs)
    there, named = tree_map_only(StandIn, lambda tensor: tensor.numbers, (args, kwargs))
    stays = torch.device(named.get("device") or NAME).type == NAME
    if "device" in named:
        named["device"] = "cpu"
    result = operation(*there, **named)
    returned, taken = operation._schema.returns, operation._schema.arguments
    if any(value.alias_info is not None and value.alias_info.is_write for value in returned):
        by_name = dict(zip((argument.name for argument in taken), args, strict=False)) | kwargs
        written = [
            by_name[argument.name]
            for argument in taken
            if argument.alias_info is not None and argument.alias_info.is_write
        ]
        return written[0] if len(written) == 1 else tuple(written)
    return tree_map_only(torch.Tensor, StandIn, result) if stays else result


def _refuse_mixture(operation: Any, args: Any, kwargs: Any) -> None:
    name = operation._schema.name
    if name in _MOVES:
        return
    if name in _INDEXES and isinstance(args[0], StandIn):
        args = (args[0], *args[2:])
    tensors = [value for value in tree_iter((args, kwargs)) if isinstance(value, torch.Tensor)]
    foreign = [tensor for tensor in tensors if not isinstance(tensor, StandIn)]
    if torch.Tag.pointwise in operation.tags or name in _INDEXES:
        foreign = [tensor for tensor in foreign if tensor.ndim]  # a single number may be the CPU's
    if foreign and len(foreign) < len(tensors):
        raise RuntimeError(
            f"Expected all tensors to be on the same device, but {name} got one of shape "
            f"{tuple(foreign[0].shape)} on {foreign[0].device} beside others on {NAME}"
        )


def _copy_from(source: torch.Tensor, to: StandIn, non_blocking: bool = False) -> StandIn:
    to.numbers.copy_(source)
    return to
