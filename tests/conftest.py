"""Check every annotated shape and dtype of nhlib while the tests run."""

import inspect

import hypothesis
import pytest
from jaxtyping import install_import_hook

install_import_hook("nhlib", "beartype.beartype")

# A busy machine is slow, and that is no failure.
hypothesis.settings.register_profile("patient", hypothesis.settings(), deadline=None)
hypothesis.settings.load_profile("patient")


@pytest.fixture
def unchecked():
    """Take the checks of types off a function: what users call, to see its own errors."""
    return inspect.unwrap
