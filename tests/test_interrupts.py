"""An interrupt from the keyboard, at every step of what sets global state."""

import os
import random
import signal
import sys
import threading
from contextlib import contextmanager

import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import _get_current_dispatch_mode_stack

import nhlib as nh
from nhlib._interrupts import interrupts_held_back
from nhlib._threads import threads_for

NETWORK = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2), nn.PReLU(), nn.Dropout())
INPUTS = torch.ones(3, 3)


def global_state() -> dict[str, object]:
    """Return all that nhlib changes for a while, as it is now."""
    hooks = nn.modules.module
    return {
        "handler": signal.getsignal(signal.SIGINT),
        "dispatch modes": len(_get_current_dispatch_mode_stack()),
        "hooks": len(hooks._global_forward_hooks) + len(hooks._global_forward_pre_hooks),
        "gradients": torch.is_grad_enabled(),
        "inference": torch.is_inference_mode_enabled(),
        "fast path": torch.backends.mha.get_fastpath_enabled(),
        "optimized": torch._C._get_graph_executor_optimize(),
        "threads": torch.get_num_threads(),
        "random": torch.get_rng_state().tolist(),
        "modes": [module.training for module in NETWORK.modules()],
        "buffers": [buffer.tolist() for buffer in NETWORK.buffers()],
    }


@contextmanager
def interrupt_at(step: int):
    """Interrupt before one of the steps of Python that the block executes."""
    left = step

    def trace(frame, event, argument):
        nonlocal left
        frame.f_trace_opcodes = True
        if event == "opcode":
            if left == 0:
                sys.settrace(None)
                signal.raise_signal(signal.SIGINT)
            left -= 1
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield lambda: step - left
    finally:
        sys.settrace(before)


def encode():
    nh.encode(NETWORK, INPUTS, progress=False)


def hidden_activations():
    nh.hidden_activations(NETWORK, INPUTS, progress=False)


def encode_in_inference_mode():
    with torch.inference_mode():
        nh.encode(NETWORK, INPUTS, progress=False)


def few_threads():
    with interrupts_held_back() as interrupts, threads_for(1), interrupts.let_through():
        torch.zeros(1)


def steps_of(work) -> int:
    with interrupt_at(10**9) as count:
        work()
    return count()


# Interrupted anywhere: also while Python throws an object away, which it then says.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    "work", [encode, encode_in_inference_mode, hidden_activations, few_threads]
)
def test_an_interrupt_at_any_step_leaves_everything_as_it_was(work):
    NETWORK.train()
    for _ in range(2):
        work()  # what is imported or cached once
    before, n_steps, n_interrupts = global_state(), steps_of(work), 0
    # Some hundred steps; NHLIB_EVERY_STEP=1 takes all of them, in minutes.
    stride = 1 if os.environ.get("NHLIB_EVERY_STEP") == "1" else max(1, n_steps // 120)
    steps = range(random.Random(0).randrange(stride), n_steps, stride)
    for step in steps:
        try:
            with interrupt_at(step):
                work()
        except KeyboardInterrupt:
            n_interrupts += 1
        assert global_state() == before, f"interrupted at step {step}"
    assert n_interrupts > 0.9 * len(steps)


def test_an_interrupt_that_is_held_back_comes_when_the_block_ends():
    reached = []

    def work():
        with interrupts_held_back():
            signal.raise_signal(signal.SIGINT)
            reached.append("the end of the block")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert reached
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_it_comes_where_interrupts_are_let_through():
    undone = []

    def work():
        with interrupts_held_back() as interrupts:
            try:
                with interrupts.let_through(), interrupts_held_back() as inner:
                    signal.raise_signal(signal.SIGINT)
                    undone.append("inner")
                    with inner.let_through():
                        undone.append("not reached")
            finally:
                signal.raise_signal(signal.SIGINT)  # a second one does not stop what is undone
                undone.append("outer")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert undone == ["inner", "outer"]


def test_a_handler_that_does_not_raise_is_asked_each_time():
    came = []
    before = signal.signal(signal.SIGINT, lambda *_: came.append(len(came)))
    try:
        with interrupts_held_back() as interrupts:
            signal.raise_signal(signal.SIGINT)
            assert came == []
            with interrupts.let_through():
                assert came == [0]
                signal.raise_signal(signal.SIGINT)
                signal.raise_signal(signal.SIGINT)
        assert came == [0, 1, 2]
    finally:
        signal.signal(signal.SIGINT, before)


def test_other_threads_have_no_interrupts_to_hold_back():
    found = []

    def work():
        with interrupts_held_back() as interrupts, interrupts.let_through():
            found.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [signal.default_int_handler]
