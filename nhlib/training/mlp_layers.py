"""MLPs taken apart: what a population needs to know of its members."""

from typing import Any, NamedTuple

from torch import Tensor, nn

from nhlib.data import Dataset


class Layer(NamedTuple):
    """An affine layer of an MLP, and the batch norm after it, with the batches it has seen."""

    linear: nn.Linear
    norm: nn.BatchNorm1d | None
    seen: int


class Member(NamedTuple):
    """An MLP, what it learns, and its place among the others."""

    number: int
    network: nn.Module
    layers: list[Layer]
    data: Dataset
    seed: int


def layers_of(network: nn.Module, i: int) -> list[Layer]:
    """Take an MLP apart, or say why it is none."""
    modules = list(network) if isinstance(network, nn.Sequential) else [network]
    found: list[Layer] = []
    rest = modules[1:] if modules and isinstance(modules[0], nn.Flatten) else modules
    kinds = [type(module) for module in rest]
    while kinds[:1] == [nn.Linear]:
        norm: Any = rest[1] if kinds[1:2] == [nn.BatchNorm1d] else None
        seen = int(norm.num_batches_tracked or 0) if norm else 0
        found.append(Layer(rest[0], norm, seen))  # type: ignore[arg-type]
        n = 3 if norm else 2
        if kinds[n - 1 : n] != [nn.ReLU]:
            break
        rest, kinds = rest[n:], kinds[n:]
    norms = {layer.norm is not None for layer in found[:-1]}
    plain = len(found) > 1 and kinds == [nn.Linear] and len(norms) == 1
    # As many weights as there are layers: none of them is there twice.
    plain &= len(list(network.parameters())) == sum(4 if layer.norm else 2 for layer in found)
    for layer in found if plain else ():
        plain &= layer.linear.bias is not None
        if layer.norm is not None:
            plain &= layer.norm.affine and layer.norm.track_running_stats
            plain &= layer.norm.momentum is not None
    if not plain or any(not p.requires_grad for p in network.parameters()):
        raise ValueError(
            f"networks[{i}]: an MLP as nhlib.mlp builds it is needed: Flatten, then Linear, "
            "BatchNorm1d in all hidden layers or in none, ReLU, …, and Linear at the end, "
            f"with biases, all of it trained; not {network}"
        )
    return found


def parameters_of(member: Member) -> list[Tensor]:
    """Return weights and biases, layer by layer, on the memory of the network."""
    return [
        parameter
        for layer in member.layers
        for module in (layer.linear, layer.norm)
        if module is not None
        for parameter in (module.weight.detach(), module.bias.detach())
    ]


def buffers_of(member: Member) -> list[Tensor]:
    """Return the running averages of batch norms, layer by layer."""
    norms = [layer.norm for layer in member.layers if layer.norm is not None]
    return [b for norm in norms for b in (norm.running_mean, norm.running_var) if b is not None]
