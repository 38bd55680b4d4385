"""How many threads NumPy computes with, and that it is as before afterwards."""

from contextlib import ExitStack

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from nhlib._threads import one_thread_a_product


def blas_threads():
    """Return the number of NumPy's library; faiss and SciPy may have loaded their own meanwhile."""
    numbers = {
        library["filepath"]: library["num_threads"]
        for library in threadpool_info()
        if library["user_api"] == "blas"
    }
    # Wheels bring a library of their own; elsewhere, all share one.
    own = [number for path, number in numbers.items() if "numpy.libs" in path]
    return own or [*numbers.values()]


def test_the_last_of_overlapping_blocks_puts_the_number_back():
    with threadpool_limits(2, user_api="blas"):
        before = blas_threads()
        one, other = ExitStack(), ExitStack()
        one.enter_context(one_thread_a_product())
        other.enter_context(one_thread_a_product())
        one.close()  # not the one that came last
        assert set(blas_threads()) == {1}
        other.close()
        assert blas_threads() == before


def test_an_error_puts_the_number_back():
    before = blas_threads()
    with pytest.raises(ZeroDivisionError), one_thread_a_product():
        1 / 0  # noqa: B018
    assert blas_threads() == before
