"""Which codes are nearest? The neighbours of codes by Hamming distance, ties included."""

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch
from jaxtyping import Int32, Int64, UInt8

from nhlib.arguments import whole_number
from nhlib.codes import NeuralCodes, check_same_layers
from nhlib.distances import hamming_distances
from nhlib.progress import progress_bar

# faiss has special code for rows of a multiple of 16 bytes.
_ALIGNED = 16
# Bytes that faiss may take for its lists, k candidates for each query and each distance, and
# queries that it should get at once. Where codes are so long that it gets fewer than
# the least, all distances are counted and sorted instead.
_LISTS = 1 << 26
_QUERIES, _FEWEST_QUERIES = 2048, 64
# Pairs whose distances are sorted at once.
_PAIRS = 1 << 22


def nearest_codes(
    codes: NeuralCodes,
    others: NeuralCodes,
    k: int,
    device: str | torch.device = "cpu",
    progress: bool = True,
) -> tuple[Int32[np.ndarray, "n k"], Int64[np.ndarray, "n k"]]:
    """Find the k nearest among other codes, for every code, by Hamming distance.

    Hamming distances are whole numbers, so ties are common. The order is by distance, and
    among equal distances by index; it is exact, also for who is left out at rank k, and the
    same on every device.

    Parameters
    ----------
    codes : NeuralCodes
        n codes.
    others : NeuralCodes
        m codes with the same layers, of which neighbours are chosen.
    k : int
        How many neighbours, from 1 to m.
    device : str or torch.device, default "cpu"
        Where to compute. On the CPU, faiss [1]_ counts bits; elsewhere, and where there is no
        faiss, PyTorch multiplies matrices.
    progress : bool, default True
        Show a progress bar when it takes longer than two seconds.

    Returns
    -------
    distances : int32 array, shape (n, k)
        Bits in which a code and its neighbours differ, ascending.
    indices : int64 array, shape (n, k)
        Which of `others` they are.

    Raises
    ------
    TypeError
        If `k` is not a whole number.
    ValueError
        If the layers differ, or `k` is not from 1 to m.

    References
    ----------
    .. [1] M. Douze et al., "The Faiss library", arXiv:2401.08281, 2024.

    Examples
    --------
    >>> others = NeuralCodes.from_bits([[1, 1], [0, 0], [1, 0], [1, 0]])
    >>> nearest_codes(NeuralCodes.from_bits([[1, 0]]), others, k=3)
    (array([[0, 0, 1]], dtype=int32), array([[2, 3, 0]]))
    """
    check_same_layers("others", codes, others)
    if len(others) == 0:
        raise ValueError("others: at least one code is needed, and there is none")
    k = whole_number("k", k, 1, len(others))
    device = torch.device(device)
    with progress_bar("neighbours", len(codes), "codes", progress) as bar:
        if device.type != "cpu" or find_spec("faiss") is None:
            from nhlib.learners import hamming_neighbours

            return hamming_neighbours(codes.packed, others.packed, k, device, bar.update)
        step = min(_QUERIES, _LISTS // (8 * k * (8 * others.n_bytes + 1)))
        if step < min(_FEWEST_QUERIES, len(codes)):
            return _by_sorting(codes.packed, others.packed, k, bar.update)
        return _by_faiss(codes.packed, others.packed, k, max(1, step), bar.update)


def _by_sorting(
    queries: UInt8[np.ndarray, "n n_bytes"],
    points: UInt8[np.ndarray, "m n_bytes"],
    k: int,
    advance: Callable[[int], object],
) -> tuple[Int32[np.ndarray, "n k"], Int64[np.ndarray, "n k"]]:
    m = len(points)
    distances = np.empty((len(queries), k), np.int32)
    indices = np.empty((len(queries), k), np.int64)
    step = max(1, _PAIRS // m)
    for start in range(0, len(queries), step):
        block = slice(start, start + step)
        # The key holds distance and index, so no two are equal and there are no ties to break.
        keys = hamming_distances(queries[block], points).astype(np.int64) * m + np.arange(m)
        keys.partition(k - 1, axis=1)
        distances[block], indices[block] = np.divmod(np.sort(keys[:, :k], axis=1), m)
        advance(len(keys))
    return distances, indices


def _by_faiss(
    queries: UInt8[np.ndarray, "n n_bytes"],
    points: UInt8[np.ndarray, "m n_bytes"],
    k: int,
    step: int,
    advance: Callable[[int], object],
) -> tuple[Int32[np.ndarray, "n k"], Int64[np.ndarray, "n k"]]:
    import faiss

    points = _aligned(points)
    index: Any = faiss.IndexBinaryFlat(8 * points.shape[1])
    # It then lists, for each distance, the first k codes that it meets: they come by index.
    index.use_heap = False
    index.add(points)
    distances = np.empty((len(queries), k), np.int32)
    indices = np.empty((len(queries), k), np.int64)
    for start in range(0, len(queries), step):
        block = slice(start, min(start + step, len(queries)))
        distances[block], indices[block] = index.search(_aligned(queries[block]), k)
        advance(block.stop - block.start)
    return distances, indices


def _aligned(packed: UInt8[np.ndarray, "n n_bytes"]) -> UInt8[np.ndarray, "n more_bytes"]:
    n, n_bytes = packed.shape
    aligned = np.zeros((n, max(1, -(-n_bytes // _ALIGNED)) * _ALIGNED), np.uint8)
    aligned[:, :n_bytes] = packed
    return aligned
