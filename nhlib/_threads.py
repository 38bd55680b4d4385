"""How many threads to compute with: more are not always faster."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

import torch
from threadpoolctl import ThreadpoolController

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


def default_threads() -> int:
    """Return how many threads to use where nobody says: as many as PyTorch does."""
    return torch.get_num_threads()


@contextmanager
def one_thread_a_product() -> Iterator[None]:
    """Let NumPy compute every matrix product in one thread; put the number back afterwards.

    Products of blocks are small: a second thread would be waited for longer than it helps. The
    number is one for the whole process. So where several blocks overlap in time, in several
    threads, the last one to end puts it back.
    """
    _one_thread.enter()
    try:
        yield
    finally:
        _one_thread.leave()


class _OneThread:
    """Who computes products in one thread now, and what to put back when nobody does."""

    def __init__(self) -> None:
        self._lock, self._users = Lock(), 0
        self._libraries: ThreadpoolController | None = None

    def enter(self) -> None:
        with self._lock:
            if self._libraries is None:  # looking for them takes a while
                self._libraries = ThreadpoolController()
            if self._users == 0:
                self._before = self._libraries.limit(limits=1, user_api="blas")
            self._users += 1

    def leave(self) -> None:
        with self._lock:
            self._users -= 1
            if self._users == 0:
                self._before.restore_original_limits()


_one_thread = _OneThread()
