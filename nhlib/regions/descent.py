"""The way of a rectangle through all layers of a network, block by block."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Lock

import numpy as np
from jaxtyping import Float64, UInt8
from tqdm import tqdm

from nhlib._progress import progress_bar
from nhlib.regions.affine import Layer
from nhlib.regions.blocks import Block, Borders, Parts
from nhlib.regions.layer_cut import Cut, cut_by_layer
from nhlib.regions.rounding import Rounding
from nhlib.regions.row_products import RowProducts
from nhlib.regions.stitching import Leaf
from nhlib.regions.subdivision import Subdivision, TooManyRegions


class Descent:
    """A rectangle on its way: a block goes down all layers before the next one starts.

    Parameters
    ----------
    layers : sequence of Layer
        The hidden layers.
    rounding : Rounding
        What counts as zero.
    limit : int
        The most regions allowed.
    threads : int
        How many blocks go down at the same time.
    progress : bool
        Whether a bar shows how far they are.
    """

    def __init__(
        self,
        layers: Sequence[Layer],
        rounding: Rounding,
        limit: int,
        threads: int,
        progress: bool,
    ) -> None:
        self._layers, self._rounding, self._limit = layers, rounding, limit
        self._threads, self._progress = threads, progress
        self._products = [RowProducts(layer) for layer in layers]
        self._first_units = np.cumsum([0] + [len(layer.biases) for layer in layers]).tolist()
        self._borders, self._lock = Borders(), Lock()
        self._n_regions, self._stopped = 1, False
        self._done = 1e-9  # percent; a little more, so that rounding does not leave out the last

    def leaves(
        self, rectangle: Subdivision, inputs: Float64[np.ndarray, "4 n_inputs"]
    ) -> list[Leaf]:
        """Return what the layers cut the rectangle into, block by block.

        Raises
        ------
        TooManyRegions
            If the limit is passed; with the number of regions so far.
        Contradiction
            If rounding is larger than what counts as zero.
        """
        block = Block(rectangle, inputs, np.empty((1, 0), np.uint8))
        z = self._layers[0].preactivations(inputs)
        for i in range(len(self._layers)):
            parts = self._cut(i, block, z)
            if isinstance(parts, Leaf):
                return [parts]
            if len(parts) > 1:
                return self._of_parts(i + 1, parts)
            block = parts[0]
            z = self._products[i + 1].preactivations(block.h)
        raise AssertionError("a network has hidden layers")

    def _cut(
        self, i: int, block: Block, z: Float64[np.ndarray, "n_points units"]
    ) -> "Parts | Leaf":
        """Cut a block by layer i."""
        before, layer = block.subdivision, self._layers[i]
        with self._lock:
            room = self._limit - self._n_regions
        try:
            cut = cut_by_layer(before, z, self._rounding, i, self._first_units[i], room)
        except TooManyRegions as error:
            raise TooManyRegions(self._limit - room + error.args[0]) from None
        more = cut.subdivision.n_faces - before.n_faces
        with self._lock:
            self._n_regions += more
            if self._n_regions > self._limit:
                raise TooManyRegions(self._n_regions)
        codes = _append_bits(block.codes, cut, len(layer.biases))
        if i + 1 == len(self._layers):
            return Leaf.of(cut.subdivision, codes)
        return Parts(cut, codes, layer, self._layers[i + 1], self._borders)

    def _of_parts(self, i: int, parts: Parts) -> list[Leaf]:
        """Let layer i and all behind it cut blocks, several at the same time."""
        with progress_bar("partition", 100, "%", self._progress) as bar:
            share = 100 / len(parts)
            if self._threads == 1:
                return [
                    leaf for k in range(len(parts)) for leaf in self._down(i, parts, k, share, bar)
                ]
            with ThreadPoolExecutor(self._threads) as pool:
                blocks = [
                    pool.submit(self._down, i, parts, k, share, bar) for k in range(len(parts))
                ]
                try:
                    return [leaf for block in blocks for leaf in block.result()]
                except BaseException:  # an interrupt, too: nothing goes on behind it
                    self._stopped = True
                    for block in blocks:
                        block.cancel()
                    raise

    def _down(self, i: int, parts: Parts, k: int, share: float, bar: tqdm) -> list[Leaf]:
        if self._stopped:
            return []
        block = parts[k]
        below = self._cut(i, block, self._products[i].preactivations(block.h))
        if isinstance(below, Leaf):
            with self._lock:
                before, self._done = int(self._done), self._done + share
                bar.update(int(self._done) - before)
            return [below]
        del block
        part_share = share / len(below)
        return [
            leaf
            for part in range(len(below))
            for leaf in self._down(i + 1, below, part, part_share, bar)
        ]


def _append_bits(
    codes: UInt8[np.ndarray, "n_faces n_bytes"], cut: Cut, n_units: int
) -> UInt8[np.ndarray, "n_parts n_more_bytes"]:
    """Return the codes of faces, and the bits of the layer that has cut them."""
    bits = cut.bits.view(np.uint8)[:, : -(-n_units // 8)]
    return np.concatenate([codes[cut.parents], bits], axis=1)
