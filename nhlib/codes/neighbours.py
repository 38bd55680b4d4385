"""Which codes are nearest? The neighbours of codes by Hamming distance, ties included."""

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32, Int32, Int64, UInt8
from torch import Tensor

from nhlib._arguments import torch_device, whole_number
from nhlib._progress import progress_bar
from nhlib.codes.hamming import hamming_distances
from nhlib.codes.neural_codes import NeuralCodes, check_codes, check_same_layers

# faiss has special code for rows of a multiple of 16 bytes.
_ALIGNED = 16
# Bytes that faiss may take for its lists, k candidates for each query and each distance, and
# queries that it should get at once. Where codes are so long that it gets fewer than
# the least, all distances are counted and sorted instead.
_LISTS = 1 << 26
_QUERIES, _FEWEST_QUERIES = 2048, 64
# Pairs whose distances are sorted at once.
_PAIRS = 1 << 22
# On a device: pairs whose distances are held at once, and unpacked bits, as float32.
_PRODUCTS, _UNPACKED = 1 << 25, 1 << 26
# float32 holds whole numbers up to this one exactly.
_MOST_BITS = 1 << 24


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
        If `codes` or `others` are no NeuralCodes, `k` is no whole number, or `device` no device.
    ValueError
        If the layers differ, `k` is not from 1 to m, or there is no such device.

    References
    ----------
    .. [1] M. Douze et al., "The Faiss library", arXiv:2401.08281, 2024.

    Examples
    --------
    >>> others = NeuralCodes.from_bits([[1, 1], [0, 0], [1, 0], [1, 0]])
    >>> nearest_codes(NeuralCodes.from_bits([[1, 0]]), others, k=3)
    (array([[0, 0, 1]], dtype=int32), array([[2, 3, 0]]))
    """
    check_codes("codes", codes)
    check_codes("others", others, 1)
    check_same_layers("others", codes, others)
    k = whole_number("k", k, 1, len(others))
    device = torch_device("device", device)
    with progress_bar("neighbours", len(codes), "codes", progress) as bar:
        if device.type != "cpu" or find_spec("faiss") is None:
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

    points = _align(points)
    index: Any = faiss.IndexBinaryFlat(8 * points.shape[1])
    # It then lists, for each distance, the first k codes that it meets: they come by index.
    index.use_heap = False
    index.add(points)
    distances = np.empty((len(queries), k), np.int32)
    indices = np.empty((len(queries), k), np.int64)
    for start in range(0, len(queries), step):
        block = slice(start, min(start + step, len(queries)))
        distances[block], indices[block] = index.search(_align(queries[block]), k)
        advance(block.stop - block.start)
    return distances, indices


def _align(packed: UInt8[np.ndarray, "n n_bytes"]) -> UInt8[np.ndarray, "n more_bytes"]:
    n, n_bytes = packed.shape
    aligned = np.zeros((n, max(1, -(-n_bytes // _ALIGNED)) * _ALIGNED), np.uint8)
    aligned[:, :n_bytes] = packed
    return aligned


def hamming_neighbours(
    queries: UInt8[np.ndarray, "n n_bytes"],
    points: UInt8[np.ndarray, "m n_bytes"],
    k: int,
    device: torch.device,
    advance: Callable[[int], object] = lambda n_queries: None,
) -> tuple[Int32[np.ndarray, "n k"], Int64[np.ndarray, "n k"]]:
    """Find the k nearest points of every query by Hamming distance, ties by the smaller index.

    Parameters
    ----------
    queries, points : uint8 array, shapes (n, n_bytes) and (m, n_bytes)
        Packed codes of at most 2**24 bits. Padding has to be the same in all. The device takes
        the points, packed, and blocks of everything else.
    k : int
        From 1 to m.
    device : torch.device
        Where to compute.
    advance : callable, optional
        Called after every block with the number of queries in it.

    Returns
    -------
    distances : int32 array, shape (n, k)
        In bits, ascending.
    indices : int64 array, shape (n, k)
        Which points they belong to.

    Raises
    ------
    TypeError, ValueError
        If `k` is not a whole number from 1 to m, or codes are too long.

    Examples
    --------
    >>> points = np.array([[0b0111], [0b0001], [0b0010]], np.uint8)
    >>> queries = np.array([[0b0000]], np.uint8)
    >>> hamming_neighbours(queries, points, 2, torch.device("cpu"))
    (array([[1, 1]], dtype=int32), array([[1, 2]]))
    """
    n, m, n_bits = len(queries), len(points), 8 * points.shape[1]
    k = whole_number("k", k, 1, m)
    if n_bits > _MOST_BITS:
        raise ValueError(f"points: at most {_MOST_BITS} bits are allowed, not {n_bits}")
    n_rows = min(n, max(1, _PRODUCTS // m))
    n_columns = max(1, _UNPACKED // (8 * (n_rows + m)))
    columns = torch.tensor(points, device=device).split(n_columns, dim=1)
    index = torch.arange(m, device=device)
    distances, indices = np.empty((n, k), np.int32), np.empty((n, k), np.int64)
    for start in range(0, n, max(1, n_rows)):
        rows = slice(start, start + n_rows)
        block = torch.tensor(queries[rows], device=device).split(n_columns, dim=1)
        # Of bits written as ±1, the product sums 1 for each that agrees and -1 for each that
        # does not: whole numbers of at most 2**24 in whatever order they are summed.
        product = torch.zeros(len(queries[rows]), m, device=device)
        for mine, theirs in zip(block, columns, strict=True):
            product.addmm_(_signs(mine), _signs(theirs).T)
        # The key holds distance and index, so no two are equal and there are no ties to break.
        keys = product.neg_().add_(n_bits).div_(2).long().mul_(m).add_(index)
        nearest = keys.topk(k, largest=False).values.cpu().numpy()
        distances[rows], indices[rows] = np.divmod(nearest, m)
        advance(len(nearest))
    return distances, indices


def _signs(packed: UInt8[Tensor, "n n_bytes"]) -> Float32[Tensor, "n 8*n_bytes"]:
    masks = 1 << torch.arange(8, dtype=torch.uint8, device=packed.device)
    bits = packed[:, :, None].bitwise_and(masks).ne(0).flatten(1)
    return bits.float().mul_(2).sub_(1)
