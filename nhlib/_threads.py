"""How many threads to compute with: more are not always faster."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

# Products of two numbers in a training step below which one thread is taken. Threads meet after
# every operation. Where one has to wait, because another program has its core, all wait: a network
# of 50 units on small images then trained 200 times slower on two threads than on one.
_FEW = 50_000_000


@contextmanager
def threads_for(n_products: int) -> Iterator[None]:
    """Compute with one thread as long as a step has few products; put the number back afterwards.

    Parameters
    ----------
    n_products : int
        Products of two numbers in the forward pass of one step.

    Examples
    --------
    >>> with threads_for(64 * 3710):
    ...     torch.get_num_threads()
    1
    """
    before = torch.get_num_threads()
    if n_products < _FEW:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
