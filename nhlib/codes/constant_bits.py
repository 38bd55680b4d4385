"""Bits that never change, and codes without them."""

import math

import numpy as np
from jaxtyping import Bool

from nhlib.codes.code_format import Layout
from nhlib.codes.neural_codes import NeuralCodes, check_codes, check_same_layers

# Bytes of unpacked bits held at once.
_UNPACKED = 1 << 26


def drop_constant_bits(*codes: NeuralCodes) -> tuple[NeuralCodes, ...]:
    """Drop the bits that never change over all the codes given together.

    Such bits belong to units that are on for every example, or for none. Dropping them
    changes no redundancy ratio and no Hamming distance.

    Parameters
    ----------
    *codes : NeuralCodes
        One or more sets of codes with the same layers, such as those of training and test inputs.

    Returns
    -------
    tuple of NeuralCodes
        The same sets, in the same order; a layer keeps its name and loses its inner shape.
        Of no codes at all, all bits are kept.

    Raises
    ------
    ValueError
        If nothing is given or the layers differ.

    Examples
    --------
    >>> train = NeuralCodes.from_bits([[1, 0, 1], [1, 0, 0]])
    >>> test = NeuralCodes.from_bits([[1, 1, 1]])
    >>> [part.bits().tolist() for part in drop_constant_bits(train, test)]
    [[[0, 1], [0, 0]], [[1, 1]]]
    """
    if not codes:
        raise ValueError("codes: at least one set of codes is needed, none was given")
    if isinstance(codes[0], (list, tuple)) and isinstance(next(iter(codes[0]), None), NeuralCodes):
        raise TypeError("codes: pass the sets one after the other, drop_constant_bits(*codes)")
    for other in codes:
        check_codes("codes", other)
        check_same_layers("codes", codes[0], other)
    full = [part.packed for part in codes if len(part)]
    if not full:  # nobody knows which bits would change
        flat = {name: (math.prod(shape),) for name, shape in codes[0].layers.items()}
        return tuple(NeuralCodes(part.packed, flat) for part in codes)
    ever_on = np.bitwise_or.reduce([np.bitwise_or.reduce(part, axis=0) for part in full])
    always_on = np.bitwise_and.reduce([np.bitwise_and.reduce(part, axis=0) for part in full])
    changing = NeuralCodes((ever_on & ~always_on)[None], codes[0].layers)
    kept = {name: changing[name].bits()[0].astype(bool) for name in changing.layers}
    layout = {name: (int(mask.sum()),) for name, mask in kept.items()}
    mask = np.concatenate([np.empty(0, bool), *kept.values()])
    return tuple(_keep_bits(part, mask, layout) for part in codes)


def _keep_bits(
    codes: NeuralCodes, mask: Bool[np.ndarray, " n_bits"], layout: Layout
) -> NeuralCodes:
    step = max(1, _UNPACKED // max(1, codes.n_bits))
    blocks = [
        NeuralCodes.from_bits(codes[start : start + step].bits()[:, mask], layout).packed
        for start in range(0, max(1, len(codes)), step)
    ]
    return NeuralCodes(np.concatenate(blocks), layout)
