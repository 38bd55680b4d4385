"""Weights drawn from a seed, the same on every machine up to the last digits."""

from typing import TypeVar

import torch
from torch import nn

from nhlib._arguments import seed_number

_Network = TypeVar("_Network", bound=nn.Module)


def draw_weights(network: _Network, seed: int) -> _Network:
    """Give a network without values (on the meta device) its initial weights."""
    # So no constructor draws from the global random state, whatever its defaults: of a device,
    # or of a floating point type, which has to be float32.
    generator = torch.Generator().manual_seed(seed_number(seed))
    network.float().to_empty(device="cpu")
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu", generator=generator)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.BatchNorm2d):
            module.reset_parameters()
    return network
