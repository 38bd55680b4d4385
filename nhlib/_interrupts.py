"""Ctrl-C: never at a moment at which global state is half set or half put back.

An interrupt can strike between any two steps of Python, also between setting something and the
``try`` that would put it back. So whatever sets global state does it in three layers, of which
only the innermost can be interrupted::

    with interrupts_held_back() as interrupts, torch.no_grad(), interrupts.let_through():
        ...
"""

import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

Handler = Callable[[int, FrameType | None], Any]


class Gate:
    """Handles interrupts: lets them through to the handler before, or keeps them."""

    def __init__(self) -> None:
        self.handler: Handler | None = None
        self.open = self.came = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Handle the signal."""
        if not self.open or self.handler is None:
            self.came = True
            return
        # Closed first: what puts state back, as the exception passes, is not interrupted again.
        self.open = False
        self.handler(number, frame)
        self.open = True  # it did not raise

    def let_through(self) -> "_Block":
        """Let interrupts through inside a block, also one that has been kept."""
        return _Block(self, is_open=True)

    def deliver(self) -> None:
        """Interrupt now, if an interrupt has been kept."""
        if self.came:
            self.came = False
            signal.raise_signal(signal.SIGINT)


class _Block:
    """Opens or closes a gate for a block, and delivers what it has kept when it is open."""

    def __init__(self, gate: Gate, is_open: bool) -> None:
        self.gate, self.is_open, self.before = gate, is_open, False

    def __enter__(self) -> Gate:
        self.before = self.gate.open
        self.gate.open = self.is_open
        if self.is_open:
            self.gate.deliver()
        return self.gate

    def __exit__(self, *error: object) -> None:
        self.gate.open = self.before
        if self.before:
            self.gate.deliver()


class _Installed:
    """Makes a gate the handler of interrupts for a block."""

    def __init__(self) -> None:
        self.gate = Gate()

    def __enter__(self) -> Gate:
        global _gate
        handler = signal.getsignal(signal.SIGINT)
        if callable(handler):  # else no interrupt raises anything
            self.gate.handler = handler
            signal.signal(signal.SIGINT, self.gate)
            _gate = self.gate
        return self.gate

    def __exit__(self, *error: object) -> None:
        global _gate
        if self.gate.handler is not None:
            _gate = None
            signal.signal(signal.SIGINT, self.gate.handler)
            self.gate.deliver()


_gate: Gate | None = None


def interrupts_held_back() -> _Block | _Installed:
    """Keep interrupts from the keyboard until the block ends, or lets them through.

    Interrupts reach the main thread alone; elsewhere there is nothing to keep.

    Returns
    -------
    context manager
        Gives a `Gate`, whose `let_through` opens a block for interrupts.

    Examples
    --------
    >>> with interrupts_held_back() as interrupts:
    ...     signal.raise_signal(signal.SIGINT)
    ...     try:
    ...         with interrupts.let_through():
    ...             print("not reached")
    ...     except KeyboardInterrupt:
    ...         print("interrupted")
    interrupted
    """
    if threading.current_thread() is not threading.main_thread():
        return _Block(Gate(), is_open=False)
    return _Installed() if _gate is None else _Block(_gate, is_open=False)
