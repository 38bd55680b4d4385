"""Where the parameters of many MLPs are in one vector, and in the tensors that are its parts."""

from collections.abc import Iterator, Sequence
from itertools import islice
from math import prod
from typing import NamedTuple

import torch
from jaxtyping import Int64
from torch import Tensor

# Of a member in a layer: its stream, or its number, and its units there.
Place = tuple[int, slice]
Shape = tuple[int, ...]


class Blocks(NamedTuple):
    """Views of a vector of parameters, layer by layer; the last two only with batch norm."""

    weights: list[Tensor]  # (streams, units, inputs), then (members, units, units before)
    biases: list[Tensor]  # (streams, units), then (members, units)
    scales: list[Tensor]
    shifts: list[Tensor]


class Averages(NamedTuple):
    """Views of a vector of running averages, a hidden layer each."""

    means: list[Tensor]
    variances: list[Tensor]


class Layout:
    """Places of MLPs of one depth.

    The first layer holds the units of a *stream*, the members that see the same minibatches, side
    by side. Later layers hold members padded to one size.

    Parameters
    ----------
    n_inputs : int
        Numbers in an input.
    widths : sequence of sequence of int
        Units of each layer of every member, from the first hidden one to the output.
    stream_of : sequence of int
        The stream of every member, numbered from 0.
    batch_norm : bool
        Whether hidden layers are normalized.

    Attributes
    ----------
    n_parameters, n_averages : int
        Lengths of the vectors.
    n_hidden : int
        How many parameters are weights of hidden layers: they come first.
    parameters, averages : list of int64 tensors
        Places of every member's numbers, in the order of `parameters_of` and `buffers_of`.
    to_members, to_streams : int64 tensors
        Which unit of the streams' first layer stands for each unit of the padded members, and the
        other way round.
    """

    def __init__(
        self,
        n_inputs: int,
        widths: Sequence[Sequence[int]],
        stream_of: Sequence[int],
        batch_norm: bool,
    ) -> None:
        first_unit, used = [], [0] * (1 + max(stream_of))
        for sizes, stream in zip(widths, stream_of, strict=True):
            first_unit.append(used[stream])
            used[stream] += sizes[0]
        widest = [max(sizes) for sizes in zip(*widths, strict=True)]
        # A stream has one unit more than its members: its weights are 0, and stay so, and it lends
        # its 0 to all units that pad them. (Where its inputs are infinite it is no number, which
        # must not reach the members of another stream.)
        self._units: list[tuple[int, ...]] = [
            (len(used), max(used) + 1),
            *((len(widths), size) for size in widest[1:]),
        ]
        before = [n_inputs, *widest[:-1]]
        self._weights = [(*units, n) for units, n in zip(self._units, before, strict=True)]
        self._normalized = self._units[:-1] if batch_norm else []
        self.n_parameters = sum(map(prod, [*self._weights, *self._units, *self._normalized * 2]))
        self.n_averages = sum(map(prod, self._normalized * 2))
        self.n_hidden = sum(map(prod, self._weights[:-1]))
        # For every member and layer, the member's place in the units of all.
        places = [
            [(stream, slice(begin, begin + sizes[0])), *((k, slice(size)) for size in sizes[1:])]
            for k, (sizes, stream, begin) in enumerate(
                zip(widths, stream_of, first_unit, strict=True)
            )
        ]
        self.parameters = self._places_of_parameters(widths, places)
        self.averages = self._places_of_averages(places)
        self.to_members, self.to_streams = self._first_layer([layers[0] for layers in places])

    def blocks(self, vector: Tensor) -> Blocks:
        """Return the parts of a vector of parameters, on its memory."""
        views = _views(vector, [*self._weights, *self._units, *self._normalized * 2])
        n, n_normalized = len(self._units), len(self._normalized)
        return Blocks(*(list(islice(views, k)) for k in (n, n, n_normalized, n_normalized)))

    def running(self, vector: Tensor) -> Averages:
        """Return the parts of a vector of running averages, on its memory."""
        views = _views(vector, self._normalized * 2)
        n = len(self._normalized)
        return Averages(list(islice(views, n)), list(islice(views, n)))

    def _places_of_parameters(
        self, widths: Sequence[Sequence[int]], places: list[list[Place]]
    ) -> list[Int64[Tensor, " n"]]:
        numbers = self.blocks(torch.arange(self.n_parameters))
        each = []
        for sizes, layers in zip(widths, places, strict=True):
            before = [slice(None), *(slice(size) for size in sizes[:-1])]
            own = []
            for i, place in enumerate(layers):
                own += [numbers.weights[i][place][:, before[i]], numbers.biases[i][place]]
                if i < len(self._normalized):
                    own += [numbers.scales[i][place], numbers.shifts[i][place]]
            each.append(torch.cat([part.flatten() for part in own]))
        return each

    def _places_of_averages(self, places: list[list[Place]]) -> list[Int64[Tensor, " n"]]:
        numbers = self.running(torch.arange(self.n_averages))
        each = []
        for layers in places:
            own = [torch.empty(0, dtype=torch.int64)]
            for means, variances, place in zip(*numbers, layers, strict=False):
                own += [means[place], variances[place]]
            each.append(torch.cat(own))
        return each

    def _first_layer(
        self, places: list[Place]
    ) -> tuple[Int64[Tensor, " members_x_width"], Int64[Tensor, " streams_x_units"]]:
        """Return the ways from the units of streams to those of members, padded, and back."""
        units = torch.arange(prod(self._units[0])).view(self._units[0])
        width = max(len(units[place]) for place in places)
        padded = torch.stack([units[stream, -1].expand(width) for stream, _ in places])
        for row, place in zip(padded, places, strict=True):
            own = units[place]
            row[: len(own)] = own
        padded = padded.flatten()
        # Where a unit has no member its slope does not matter: it is off.
        back = torch.zeros_like(units.flatten())
        back[padded] = torch.arange(len(padded))
        return padded, back


def _views(vector: Tensor, shapes: list[Shape]) -> Iterator[Tensor]:
    parts = vector.split([prod(shape) for shape in shapes])
    return (part.view(shape) for part, shape in zip(parts, shapes, strict=True))
