"""`Diverged`, `Stopped` and Ctrl-C: networks and records agree, however a training ends."""

import copy
import pickle
import signal
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
import torch
from torch import nn

import nhlib as nh

DATA = nh.load("digits", train_size=200)
STEPS = 4  # an epoch of 200 examples in minibatches of 64
RECIPE = nh.Recipe(epochs=5)


class Asked:
    """A `stop` that returns True when it is asked for the n-th time."""

    def __init__(self, n: int) -> None:
        self.n, self.times = n, 0

    def __call__(self) -> bool:
        self.times += 1
        return self.times == self.n


def net(seed: int = 0, width: int = 10) -> nn.Sequential:
    return nh.mlp(64, [width], 10, batch_norm=True, seed=seed)


def same(one: nn.Module, other: nn.Module) -> bool:
    ours, theirs = one.state_dict(), other.state_dict()
    return all(torch.equal(ours[name], theirs[name]) for name in theirs)


def as_after(epochs: int, network: nn.Module, history: nh.History, seed: int = 0) -> None:
    """Compare with a training of so many epochs."""
    other = net(seed, network.linear1.out_features)
    expected = nh.fit(other, DATA, replace(history.recipe, epochs=epochs))
    assert same(network, other)
    assert history.train_loss == expected.train_loss
    assert history.train_accuracy == expected.train_accuracy
    assert history.test_accuracy == expected.test_accuracy
    assert not any(module.training for module in network.modules())
    assert all(weight.grad is None for weight in network.parameters())


# -- one network ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "epochs"),
    [(1, 0), (STEPS, 0), (STEPS + 1, 1), (2 * STEPS + 2, 2), (5 * STEPS, 4)],
)
def test_stop_keeps_the_last_complete_epoch(asked, epochs):
    network, stop = net(), Asked(asked)
    with pytest.raises(nh.Stopped, match=f"training was stopped in epoch {epochs + 1}") as caught:
        nh.fit(network, DATA, RECIPE, snapshots=(0, 1, 5), stop=stop)
    assert stop.times == asked  # and no more
    as_after(epochs, network, caught.value.history)
    assert list(caught.value.history.snapshots) == [e for e in (0, 1, 5) if e <= epochs]
    assert caught.value.__notes__ == [f"The network is as it was after epoch {epochs}."]


def test_a_stop_that_returns_false_changes_nothing():
    network, stop = net(), Asked(-1)
    as_after(5, network, nh.fit(network, DATA, RECIPE, stop=stop))
    assert stop.times == 5 * STEPS


def test_an_event_of_another_thread_stops():
    event, network = threading.Event(), net()
    network.register_forward_pre_hook(lambda *_: timer.start() if not timer.ident else None)
    timer = threading.Thread(target=event.set)
    endless = replace(RECIPE, epochs=10**6)
    with pytest.raises(nh.Stopped) as caught:
        nh.fit(network, DATA, endless, stop=event.is_set)
    network._forward_pre_hooks.clear()
    as_after(caught.value.history.epochs, network, caught.value.history)


@pytest.mark.parametrize("asked", [[1], [STEPS + 2], [2 * STEPS, 1, STEPS + 1]])
def test_a_stopped_training_goes_on_from_its_checkpoint(tmp_path, asked):
    path = tmp_path / "run.pt"
    for n in asked:
        with pytest.raises(nh.Stopped):
            nh.fit(net(), DATA, RECIPE, checkpoint=path, stop=Asked(n))
    network = net(9 if path.exists() else 0)
    as_after(5, network, nh.fit(network, DATA, RECIPE, checkpoint=path, stop=Asked(-1)))
    # Where nothing is left to do, nobody is asked.
    over = Asked(1)
    nh.fit(net(), DATA, RECIPE, checkpoint=path, stop=over)
    assert over.times == 0


def test_any_error_keeps_the_last_complete_epoch():
    network, stop = net(), Asked(2 * STEPS + 3)

    def broken() -> bool:
        if stop():
            raise ZeroDivisionError
        return False

    with pytest.raises(ZeroDivisionError) as caught:
        nh.fit(network, DATA, RECIPE, stop=broken)
    assert caught.value.__notes__ == ["The network is as it was after epoch 2."]
    other = net()
    nh.fit(other, DATA, replace(RECIPE, epochs=2))
    assert same(network, other)


def test_diverged_is_a_floating_point_error_with_a_history():
    jump = nh.Recipe(epochs=5, decay=1e33, decay_every=2)
    network = net()
    with pytest.raises(FloatingPointError) as caught:
        nh.fit(network, DATA, jump)
    assert type(caught.value) is nh.Diverged
    as_after(2, network, caught.value.history)


def test_they_travel_between_processes():
    history = nh.fit(net(), DATA, replace(RECIPE, epochs=1), snapshots=[1])
    for kind in (nh.Diverged, nh.Stopped):
        error = kind("what happened", history)
        error.add_note("a note")
        for other in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
            assert type(other) is kind
            assert str(other) == "what happened"
            assert other.__notes__ == ["a note"]
            assert other.history.train_loss == history.train_loss
            assert same(other.history.network(1), history.network(1))


# -- a population --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "epochs"), [(1, 0), (STEPS, 0), (STEPS + 1, 1), (4 * STEPS + 2, 4)]
)
def test_stop_keeps_the_last_complete_epoch_of_all(asked, epochs):
    networks = [net(width=width).double() for width in (5, 8)]
    population = nh.Population(networks, DATA, RECIPE, snapshots=(0, 1))
    stop = Asked(asked)
    with pytest.raises(nh.Stopped, match="training of a population was stopped") as caught:
        population.fit(stop=stop)
    assert stop.times == asked
    assert caught.value.history == population.histories
    for width, network, history in zip((5, 8), networks, population.histories, strict=True):
        other = net(width=width).double()
        expected = nh.fit(other, DATA, replace(RECIPE, epochs=epochs))
        assert history.epochs == epochs
        assert history.train_loss == pytest.approx(expected.train_loss)
        assert list(history.snapshots) == [e for e in (0, 1) if e <= epochs]
        for ours, theirs in zip(network.parameters(), other.parameters(), strict=True):
            torch.testing.assert_close(ours, theirs)


def test_stop_leaves_members_that_ended_before_as_they_are():
    """One diverges in epoch 3, some stop early, one group is done, one has not begun."""
    diverging = nh.Recipe(epochs=30, decay=1e200, decay_every=2)
    jumpy = nh.Recipe(epochs=30, learning_rate=0.3, patience=2)
    recipes = [nh.Recipe(epochs=2), diverging, jumpy, jumpy, jumpy, RECIPE]

    def population():
        networks = [nh.mlp(64, [5 + i], 10, seed=i).double() for i in range(6)]
        return nh.Population(networks, DATA, recipes), networks

    whole, expected = population()
    whole.fit()
    epochs = [history.epochs for history in whole.histories]
    ended = sorted(set(epochs[2:5]))
    assert len(ended) >= 2
    stopped, networks = population()
    # In the epoch after the one in which the first of three stopped early.
    with pytest.raises(nh.Stopped):
        stopped.fit(stop=Asked(STEPS * (2 + 3 + ended[0]) + 2))
    assert stopped.failed == whole.failed
    reached = [min(n, ended[0]) if 2 <= i < 5 else n for i, n in enumerate(epochs)]
    assert [history.epochs for history in stopped.histories] == [*reached[:5], 0]
    for i, (network, other) in enumerate(zip(networks, expected, strict=True)):
        history = stopped.histories[i]
        assert history.train_loss == whole.histories[i].train_loss[: history.epochs]
        if history.epochs == epochs[i]:
            assert same(network, other)
            assert history.stopped_early == whole.histories[i].stopped_early
        elif not history.epochs:
            assert same(network, nh.mlp(64, [5 + i], 10, seed=i).double())


# -- what is no stop -----------------------------------------------------------------------


@pytest.mark.parametrize("wrong", [True, 3, "never"])
def test_a_stop_that_cannot_be_asked_is_explained(unchecked, wrong):
    network = net()
    text = f"stop: a function without arguments is needed .*, not {wrong!r}"
    with pytest.raises(TypeError, match=text):
        unchecked(nh.fit)(network, DATA, stop=wrong)
    with pytest.raises(TypeError, match=text):
        unchecked(nh.Population.fit)(nh.Population([network], DATA), stop=wrong)
    assert same(network, net())


# -- Ctrl-C between any two operations -----------------------------------------------------


class Interrupt:
    """Ctrl-C before the n-th operation of nhlib.training's functions with one of some names.

    Operations count from the first call of the function `begin` on.
    """

    def __init__(self, n: int, names: set[str], begin: str) -> None:
        self.n, self.names, self.begin = n, names, begin
        self.count, self.begun = 0, False

    def __enter__(self) -> "Interrupt":
        # A process started in the background ignores it.
        self.handler = signal.signal(signal.SIGINT, signal.default_int_handler)
        self.before = sys.gettrace()
        sys.settrace(self._call)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(self.before)
        signal.signal(signal.SIGINT, self.handler)

    def _call(self, frame: FrameType, event: str, _: object) -> Any:
        if not frame.f_code.co_filename.startswith(ROOM):
            return None
        self.begun |= frame.f_code.co_name == self.begin
        if frame.f_code.co_name not in self.names:
            return None
        frame.f_trace_lines, frame.f_trace_opcodes = False, True
        return self._step

    def _step(self, frame: FrameType, event: str, _: object) -> Any:
        self.count += self.begun and event == "opcode"
        if self.count == self.n:
            sys.settrace(None)
            signal.raise_signal(signal.SIGINT)
        return self._step


def interrupt_everywhere(train: Any, names: set[str], begin: str) -> Iterator[tuple[Any, Any]]:
    """Interrupt a training here and there; yield each interrupt, and what was trained.

    `train` makes what it trains and puts it into the list that it is given.
    """
    with Interrupt(-1, names, begin) as counter:
        train([])
    assert counter.count > PLACES
    threads = torch.get_num_threads()
    for n in range(1, counter.count + 1, counter.count // PLACES):
        made: list[Any] = []
        try:
            with Interrupt(n, names, begin):
                train(made)
        except KeyboardInterrupt as error:
            # Here it is about weights: within its contexts PyTorch may leave more behind.
            torch.set_grad_enabled(True)
            torch.set_num_threads(threads)
            yield error, made[0]
        else:
            # Python makes one operation of two that it has done often.
            assert n > 0.9 * counter.count


ROOM = str(Path(nh.__file__).parent / "training")
PLACES = 80  # at which a training is interrupted, evenly spread
TINY = replace(DATA, train=DATA.train[:8], test=DATA.test[:8])
TWO = nh.Recipe(epochs=2, batch_size=8)
RECORDING = {"fit", "_train", "write_back", "write", "of", "record", "take_snapshot"}


@pytest.mark.parametrize("resumed", [False, True])
def test_no_interrupt_comes_between_weights_and_history(tmp_path, resumed):
    after = [net(width=2) for _ in range(3)]
    expected = [
        nh.fit(network, TINY, replace(TWO, epochs=epochs)) for epochs, network in enumerate(after)
    ]
    saved = b""
    if resumed:
        with pytest.raises(nh.Stopped):
            nh.fit(net(width=2), TINY, TWO, checkpoint=tmp_path / "run", stop=Asked(2))
        saved = (tmp_path / "run").read_bytes()

    def train(made: list[nn.Module]) -> None:
        made.append(net(width=2))
        options: dict[str, Any] = {}
        if resumed:
            (tmp_path / "run").write_bytes(saved)
            options["checkpoint"] = tmp_path / "run"
        nh.fit(made[0], TINY, TWO, snapshots=() if resumed else (0, 1, 2), **options)

    names = RECORDING | {"restore", "resume", "weights"}
    seen = set()
    for error, network in interrupt_everywhere(train, names, "weights" if resumed else "record"):
        # None only where the training is over, and on its way back to who asked for it.
        history = getattr(error, "history", expected[2])
        seen.add(history.epochs)
        assert same(network, after[history.epochs])
        assert history.train_loss == expected[history.epochs].train_loss
        for epoch, taken in history.snapshots.items():
            assert epoch <= history.epochs
            assert same(taken, after[epoch])
    assert seen == {0, 1, 2}


def test_no_interrupt_comes_between_weights_and_histories_of_a_population():
    """Of three members one diverges in epoch 1, and one stops early in epoch 2."""
    recipe = replace(TWO, epochs=3, learning_rate=1.0, patience=1)

    def train(made: list[nh.Population]) -> None:
        networks = [net(seed, 2).double() for seed in range(3)]
        with torch.no_grad():
            networks[2].output.bias.fill_(1e308).neg_()[0].neg_()  # the loss is not finite
        population = nh.Population(networks, TINY, recipe, [0, 1, 2], snapshots=range(4))
        made.append((population, networks))
        population.fit()

    whole: list[Any] = []
    train(whole)
    expected = whole[0][0].histories
    assert [history.epochs for history in expected] == [2, 3, 0]
    assert expected[0].stopped_early
    seen = set()
    for _, (population, networks) in interrupt_everywhere(train, RECORDING, "test_accuracies"):
        seen.add(tuple(history.epochs for history in population.histories))
        for network, ours, theirs in zip(networks, population.histories, expected, strict=True):
            assert same(network, theirs.network(ours.epochs))
            assert ours.train_loss == theirs.train_loss[: ours.epochs]
            assert set(ours.snapshots) == set(range(ours.epochs + 1))
            for epoch, taken in ours.snapshots.items():
                assert same(taken, theirs.network(epoch))
            assert not any(module.training for module in network.modules())
    assert seen >= {(0, 0, 0), (1, 0, 0), (1, 1, 0), (2, 2, 0), (2, 3, 0)}
