"""Bits packed eight to a byte, as ``np.packbits`` does, on the CPU and elsewhere."""

import numpy as np
import torch
from jaxtyping import Shaped, UInt8
from torch import Tensor, nn

from nhlib.codes.operations import Kinks


def pack_on_cpu(x: Shaped[Tensor, "n *inner"], kinks: Kinks) -> UInt8[Tensor, "n n_bytes"]:
    """Pack the bits ``x > kink``, kink after kink, a row an example, as ``np.packbits`` does."""
    # NumPy compares and packs faster than PyTorch here, and packs rows of whole bytes fastest.
    x = x.detach()
    values = (x.float() if x.dtype == torch.bfloat16 else x).numpy()
    n, units = len(x), values[0].size
    room = np.zeros((n, -(-len(kinks) * units // 8) * 8), bool)
    for i, kink in enumerate(kinks):
        on = room[:, i * units : (i + 1) * units].reshape(values.shape)  # a view
        if isinstance(kink, Tensor):
            on[...] = (x > kink.detach()).numpy()
        else:  # rounded as PyTorch rounds it
            np.greater(values, torch.tensor(kink, dtype=x.dtype).item() if kink else 0, out=on)
    return torch.from_numpy(np.packbits(room).reshape(n, room.shape[1] // 8))


def pack_on_device(x: Shaped[Tensor, "n *inner"], kinks: Kinks) -> UInt8[Tensor, "n n_bytes"]:
    """Do what `pack_on_cpu` does, with operations that every device has."""
    on = torch.cat([(x > kink).reshape(len(x), -1) for kink in kinks], dim=1)
    padded = nn.functional.pad(on, (0, -on.shape[1] % 8)).contiguous()
    # Eight bytes of 0 or 1 in one integer: multiplied so, bit i of them lands on place 63 - i,
    # and no two partial products share a place.
    gather = sum(1 << (63 - 9 * i) for i in range(8)) - (1 << 64)
    return (padded.view(torch.int64) * gather >> 56).to(torch.uint8)
