"""Recipes and `fit`: against hand-written steps, explicit losses and brute-force rules."""

import copy
import dataclasses
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from nhlib import _progress
from nhlib.data.dataset import Dataset, Split
from nhlib.data.loading import load
from nhlib.networks.fully_connected import mlp
from nhlib.networks.residual import resnet20
from nhlib.training import loop, preconditions
from nhlib.training.augmentation import Augmentation
from nhlib.training.endings import Stopped
from nhlib.training.history import History
from nhlib.training.loop import fit
from nhlib.training.randomness import epoch_order
from nhlib.training.recipe import Recipe


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load("digits", train_size=200)


def small_data(n: int = 10, n_test: int = 6, n_classes: int = 3) -> Dataset:
    generator = torch.Generator().manual_seed(0)

    def split(size: int) -> Split:
        labels = torch.randint(n_classes, (size,), generator=generator)
        return Split(torch.rand(size, 4, generator=generator), labels)

    return Dataset("small", split(n), split(n_test), n_classes)


def state(network: nn.Module) -> dict[str, torch.Tensor]:
    return copy.deepcopy(network.state_dict())


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(one[name], other[name]) for name in one)


# -- recipes -------------------------------------------------------------------------------


def test_protocols_have_the_settings_of_the_paper():
    a, b = Recipe(), Recipe.code()
    assert (a.learning_rate, a.batch_size, a.epsilon) == (1e-3, 64, 1e-7)
    assert (a.l2, a.patience, a.decay_every) == (0, None, None)
    assert (b.epochs, b.batch_size, b.learning_rate, b.epsilon) == (200, 64, 1e-2, 1e-7)
    assert (b.l2, b.patience) == (1e-6, 10)
    cnn, modern = Recipe.code_cnn(), Recipe.modern()
    assert (cnn.epochs, cnn.learning_rate, cnn.l2, cnn.patience) == (200, 1e-2, 5e-6, None)
    assert (cnn.optimizer, cnn.schedule) == ("adam", "steps")
    assert cnn.augmentation == Augmentation(shift=3, flip=True, rotation=15.0)
    assert (modern.epochs, modern.batch_size, modern.l2) == (20, 128, 2.5e-4)
    assert (modern.optimizer, modern.schedule, modern.bfloat16) == ("sgd", "one cycle", True)
    assert modern.augmentation == Augmentation(shift=4, flip=True, rotation=0.0)
    assert not any((recipe.augmentation or recipe.bfloat16) for recipe in (a, b))
    for protocol in (Recipe.code, Recipe.code_cnn, Recipe.modern):
        assert protocol(epochs=7, l2=0.5) == dataclasses.replace(protocol(), epochs=7, l2=0.5)


def test_learning_rate_falls_every_20_epochs():
    rates = [Recipe.code().learning_rate_in(epoch) for epoch in range(1, 201)]
    expected, rate = [], 1e-2
    for epoch in range(200):
        if epoch and epoch % 20 == 0:
            rate *= 0.1
        expected.append(rate)
    assert rates == pytest.approx(expected)
    assert {Recipe().learning_rate_in(epoch) for epoch in range(1, 201)} == {1e-3}
    rates = [Recipe.code_cnn().learning_rate_in(epoch, 0.5) for epoch in range(1, 201)]
    assert rates == pytest.approx(np.repeat([1e-2, 1e-3, 1e-4, 1e-5], 50))


@given(st.integers(1, 40), st.floats(1e-4, 10), st.integers(1, 50))
def test_one_cycle_goes_straight_up_and_straight_down(epochs, highest, steps):
    recipe = Recipe(epochs=epochs, learning_rate=highest, schedule="one cycle")
    done = [step / steps for step in range(steps)]
    rates = [recipe.learning_rate_in(epoch, d) for epoch in range(1, epochs + 1) for d in done]
    n = epochs * steps
    expected = np.interp(np.arange(n), [0, 0.3 * n, n], [highest / 25, highest, 0])
    assert rates == pytest.approx(expected, abs=1e-9 * highest)
    assert max(rates) <= highest
    assert recipe.learning_rate_in(epochs, 1.0) == pytest.approx(0, abs=1e-9 * highest)


def test_one_cycle_is_pytorchs():
    # Its highest rate is in the last step of the rise, and its lowest in the very last step.
    n, recipe = 100, Recipe(epochs=100, learning_rate=0.1, schedule="one cycle")
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)])
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        *(optimizer, 0.1),
        total_steps=n + 1,
        pct_start=31 / (n + 1),
        anneal_strategy="linear",
        cycle_momentum=False,
        final_div_factor=math.inf,
    )
    for epoch in range(1, n + 1):
        assert recipe.learning_rate_in(epoch) == pytest.approx(schedule.get_last_lr()[0])
        optimizer.step()
        schedule.step()


@pytest.mark.parametrize(
    ("changes", "error", "text"),
    [
        ({"epochs": -1}, ValueError, "epochs: a whole number of at least 0 is needed, not -1"),
        ({"epochs": 2.0}, TypeError, "epochs: a whole number"),
        ({"batch_size": 0}, ValueError, "batch_size: a whole number of at least 1"),
        ({"learning_rate": 0.0}, ValueError, "learning_rate: a finite number above 0"),
        ({"learning_rate": math.inf}, ValueError, "learning_rate: a finite number above 0"),
        ({"learning_rate": "fast"}, TypeError, "learning_rate: a finite number .* not 'fast'"),
        ({"l2": -1e-6}, ValueError, "l2: a finite number of at least 0"),
        ({"epsilon": math.nan}, ValueError, "epsilon: a finite number above 0"),
        ({"patience": 0}, ValueError, "patience: a whole number of at least 1"),
        ({"decay": 0.1}, ValueError, "decay=0.1 and decay_every=None: give both or none"),
        ({"decay_every": 20}, ValueError, "decay=1.0 and decay_every=20: give both or none"),
        (
            {"optimizer": "SGD"},
            ValueError,
            "optimizer: there are 'adam' and 'sgd', not 'SGD'",
        ),
        (
            {"schedule": "one-cycle"},
            ValueError,
            "schedule: there are 'steps' and 'one cycle', not 'one-cycle'",
        ),
        (
            {"schedule": "one cycle", "decay": 0.1, "decay_every": 20},
            ValueError,
            "one cycle has its own learning rates; leave decay=0.1 and decay_every=20 out",
        ),
        ({"augmentation": True}, TypeError, "an nhlib.Augmentation is needed, or None; not True"),
        ({"bfloat16": 1}, TypeError, "bfloat16: True or False is needed, not 1"),
    ],
)
def test_impossible_recipes_are_explained(unchecked, changes, error, text):
    with pytest.raises(error, match=text):
        unchecked(Recipe.__init__)(object.__new__(Recipe), **changes)


@pytest.mark.parametrize("number", [np.float32(0.5), np.int64(1), torch.tensor(0.5), np.array(0.5)])
def test_settings_may_be_numbers_of_numpy_and_tensors(unchecked, number):
    recipe = object.__new__(Recipe)
    unchecked(Recipe.__init__)(recipe, learning_rate=number, l2=number, epsilon=number)
    as_float = Recipe(learning_rate=float(number), l2=float(number), epsilon=float(number))
    assert repr(recipe) == repr(as_float)


# -- order of examples ---------------------------------------------------------------------


@given(st.integers(1, 500), st.integers(0, 2**40), st.integers(1, 300))
@settings(max_examples=30)
def test_epoch_order_is_a_permutation_of_its_own(n, seed, epoch):
    order = epoch_order(n, seed, epoch)
    assert sorted(order.tolist()) == list(range(n))
    assert torch.equal(order, epoch_order(n, seed, epoch))


def test_epochs_and_seeds_have_different_orders():
    orders = {
        tuple(epoch_order(50, seed, epoch).tolist()) for seed in range(9) for epoch in range(9)
    }
    assert len(orders) == 81


# -- steps ---------------------------------------------------------------------------------


A = Recipe(epochs=3, batch_size=4)
B = Recipe.code(epochs=45, l2=0.01, batch_size=4, patience=None)


@pytest.mark.parametrize(("recipe", "batch_norm"), [(A, False), (B, False), (B, True)])
def test_fit_is_adam_on_the_loss_with_its_penalty(recipe, batch_norm):
    data = small_data()
    network = mlp(4, [5, 5], 3, batch_norm=batch_norm).double()
    reference = copy.deepcopy(network)
    fit(network, data, recipe, seed=7)

    # Adam by hand, and the penalty as part of the loss that is differentiated.
    weights = list(reference.parameters())
    mean = [torch.zeros_like(w) for w in weights]
    square = [torch.zeros_like(w) for w in weights]
    x, y = data.train.inputs.double(), data.train.labels
    step = 0
    for epoch in range(recipe.epochs):
        rate = recipe.learning_rate * (0.1 ** (epoch // 20) if recipe.l2 else 1)
        order = np.random.default_rng((7, epoch + 1)).permutation(10)
        for batch in (order[:4], order[4:8], order[8:]):
            step += 1
            hidden = (reference.linear1.weight, reference.linear2.weight)
            loss = F.cross_entropy(reference(x[batch]), y[batch])
            loss = loss + recipe.l2 * sum((w**2).sum() for w in hidden)
            gradients = torch.autograd.grad(loss, weights)
            with torch.no_grad():
                for w, g, m, v in zip(weights, gradients, mean, square, strict=True):
                    m.mul_(0.9).add_(0.1 * g)
                    v.mul_(0.999).add_(0.001 * g**2)
                    m_hat, v_hat = m / (1 - 0.9**step), v / (1 - 0.999**step)
                    w -= rate * m_hat / (v_hat.sqrt() + 1e-7)
    for name, trained in network.state_dict().items():
        # Batch normalization subtracts these again: only rounding moves them.
        if not (batch_norm and name.startswith(("linear1.b", "linear2.b", "norm1.r", "norm2.r"))):
            expected = reference.state_dict()[name]
            torch.testing.assert_close(trained, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("schedule", ["steps", "one cycle"])
def test_fit_is_momentum_on_the_loss_with_its_penalty(schedule):
    data = small_data()
    network = mlp(4, [5, 5], 3).double()
    reference = copy.deepcopy(network)
    settings = {"epochs": 6, "batch_size": 4, "learning_rate": 0.2, "l2": 0.01}
    recipe = Recipe(optimizer="sgd", schedule=schedule, **settings)
    history = fit(network, data, recipe, seed=7)

    # Nesterov's momentum by hand, and the penalty as part of the loss that is differentiated.
    weights = list(reference.parameters())
    velocity = [torch.zeros_like(w) for w in weights]
    x, y = data.train.inputs.double(), data.train.labels
    rates = np.interp(np.arange(18), [0, 0.3 * 18, 18], [0.2 / 25, 0.2, 0])
    step = 0
    for epoch in range(1, 7):
        losses = []
        for batch in epoch_order(10, 7, epoch).split(4):
            loss = F.cross_entropy(reference(x[batch]), y[batch])
            hidden = (reference.linear1.weight, reference.linear2.weight)
            loss = loss + 0.01 * sum((w**2).sum() for w in hidden)
            losses += [loss.item()] * len(batch)
            gradients = torch.autograd.grad(loss, weights)
            rate = rates[step] if schedule == "one cycle" else 0.2
            step += 1
            with torch.no_grad():
                for w, g, v in zip(weights, gradients, velocity, strict=True):
                    v.mul_(0.9).add_(g)
                    w -= rate * (g + 0.9 * v)
        assert history.train_loss[epoch - 1] == pytest.approx(np.mean(losses))
    for name, trained in network.state_dict().items():
        torch.testing.assert_close(trained, reference.state_dict()[name], rtol=1e-9, atol=1e-9)


def test_bfloat16_is_for_cuda_alone(digits):
    half, single = mlp(64, [10], 10), mlp(64, [10], 10)
    fit(half, digits, Recipe(epochs=2, bfloat16=True))
    fit(single, digits, Recipe(epochs=2))
    assert same(half.state_dict(), single.state_dict())


def test_history_measures_every_epoch():
    data = small_data(n=10)
    recipe = Recipe(epochs=2, batch_size=4, learning_rate=0.05, l2=0.1)
    network = mlp(4, [8], 3)
    history = fit(network, data, recipe, snapshots=(0, 1, 2), seed=1)
    # Follow the first epoch with one network for every step.
    follower, losses, hits = history.network(0), [], 0
    optimizer = torch.optim.Adam(follower.parameters(), lr=0.05, eps=1e-7)
    for batch in epoch_order(10, 1, 1).split(4):
        output, labels = follower(data.train.inputs[batch]), data.train.labels[batch]
        loss = F.cross_entropy(output, labels) + 0.1 * follower.linear1.weight.square().sum()
        losses += [loss.item()] * len(batch)
        hits += (output.argmax(1) == labels).sum().item()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert history.train_loss[0] == pytest.approx(np.mean(losses), rel=1e-5)
    assert history.train_accuracy[0] == hits / 10
    for epoch in (1, 2):
        output = history.network(epoch)(data.test.inputs)
        expected = (output.argmax(1) == data.test.labels).double().mean()
        assert history.test_accuracy[epoch - 1] == pytest.approx(expected.item())


def test_penalty_spares_biases_norms_and_the_last_layer():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(1, 2, 3)
            self.norm = nn.BatchNorm2d(2)
            self.hidden = nn.Linear(72, 4)
            self.out = nn.Linear(4, 10)

        def forward(self, x):
            x = self.norm(self.conv(x)).relu().flatten(1)
            return self.out(self.hidden(x).relu())

    optimizer = loop._optimizer(network := Net(), Recipe(l2=0.5))
    decay = {id(p): g["weight_decay"] for g in optimizer.param_groups for p in g["params"]}
    assert {name: decay[id(p)] for name, p in network.named_parameters()} == {
        **dict.fromkeys(("conv.bias", "norm.weight", "norm.bias", "hidden.bias"), 0.0),
        **dict.fromkeys(("out.weight", "out.bias"), 0.0),
        **dict.fromkeys(("conv.weight", "hidden.weight"), 1.0),
    }


def test_last_smaller_minibatch_is_trained_on():
    data = small_data(n=5)
    sizes = []
    network = mlp(4, [3], 3)
    network.register_forward_pre_hook(lambda m, x: sizes.append(len(x[0])) if m.training else None)
    fit(network, data, Recipe(epochs=2, batch_size=2))
    assert sizes == [1, 2, 2, 1, 2, 2, 1]  # first the smallest is tried


# -- early stopping ------------------------------------------------------------------------


def keras_stops_after(losses: list[float], patience: int) -> int | None:
    best, wait = math.inf, 0
    for epoch, loss in enumerate(losses, start=1):
        if loss < best:
            best, wait = loss, 0
        else:
            wait += 1
            if wait >= patience:
                return epoch
    return None


@given(st.lists(st.integers(0, 6).map(float), max_size=30), st.integers(1, 5))
def test_early_stopping_is_keras_rule(losses, patience):
    history = History(Recipe.code(patience=patience))
    stopped = None
    for epoch, loss in enumerate(losses, start=1):
        history.record(loss, 0.5, 0.5)
        if history.stopped_early:
            stopped = epoch
            break
    assert stopped == keras_stops_after(losses, patience)


def test_training_stops_early_where_the_rule_says(digits):
    # So large a learning rate makes the loss jump.
    recipe = Recipe(epochs=60, learning_rate=0.3, patience=3)
    network = mlp(64, [10], 10)
    history = fit(network, digits, recipe, snapshots=(0, 1, 60))
    assert history.stopped_early
    assert history.epochs == keras_stops_after(history.train_loss, 3) < 60
    with pytest.raises(
        ValueError,
        match=f"no snapshot of epoch 60; there are epochs 0, 1, and training stopped early "
        f"after {history.epochs}",
    ):
        history.network(60)


def test_no_early_stop_is_claimed_at_the_last_epoch(digits):
    jumpy = Recipe(epochs=60, learning_rate=0.3, patience=3)
    epochs = fit(mlp(64, [10], 10), digits, jumpy).epochs
    history = fit(mlp(64, [10], 10), digits, Recipe(epochs=epochs, learning_rate=0.3, patience=3))
    assert history.epochs == epochs
    assert not history.stopped_early


# -- snapshots and tables ------------------------------------------------------------------


def test_snapshots_are_the_network_at_those_epochs(digits):
    network = mlp(64, [10], 10, batch_norm=True)
    untrained = state(network)
    history = fit(network, digits, Recipe(epochs=4), snapshots=[4, 0, 2])
    assert same(history.network(0).state_dict(), untrained)
    assert same(history.network(4).state_dict(), network.state_dict())
    shorter = mlp(64, [10], 10, batch_norm=True)
    fit(shorter, digits, Recipe(epochs=2))
    assert same(history.network(2).state_dict(), shorter.state_dict())


@pytest.mark.parametrize("batch_norm", [False, True])
def test_snapshots_within_an_epoch(digits, batch_norm):
    recipe = Recipe(epochs=3, batch_size=30)
    network = mlp(64, [8], 10, batch_norm=batch_norm, seed=1)
    by_hand = copy.deepcopy(network)
    history = fit(network, digits, recipe, snapshots=[(0, 3), 1, (1, 2)], seed=5)
    assert list(history.snapshots) == [(0, 3), 1, (1, 2)]
    optimizer = torch.optim.Adam(by_hand.parameters(), eps=1e-7)
    for epoch, n_steps in ((1, 7), (2, 2)):
        by_hand.train()
        order = epoch_order(len(digits.train), 5, epoch).split(30)
        for step, batch in enumerate(order[:n_steps], start=1):
            optimizer.zero_grad()
            output = by_hand(digits.train.inputs[batch])
            F.cross_entropy(output, digits.train.labels[batch]).backward()
            optimizer.step()
            if (epoch, step) in {(1, 3), (2, 2)}:
                taken = history.network(epoch - 1, step)
                assert not taken.training
                for name, expected in by_hand.state_dict().items():
                    torch.testing.assert_close(taken.state_dict()[name], expected)
    with pytest.raises(ValueError, match=r"epoch 0 \+ 4 steps; there are epochs 0 \+ 3 steps, 1"):
        history.network(0, 4)
    assert "snapshots of epochs 0 + 3 steps, 1, 1 + 2 steps" in repr(history)


def test_snapshots_within_an_epoch_that_was_not_completed(digits):
    network, calls = mlp(64, [8], 10), iter(range(100))
    recipe = Recipe(epochs=2, batch_size=30)
    with pytest.raises(Stopped) as raised:
        fit(network, digits, recipe, snapshots=[(0, 3)], stop=lambda: next(calls) == 5)
    assert raised.value.history.snapshots == {}


def test_snapshots_are_independent_plain_networks(digits):
    network = mlp(64, [10], 10)
    history = fit(network, digits, Recipe(epochs=1), snapshots=[1])
    one = history.network(1)
    assert type(one) is nn.Sequential
    assert not any(module.training for module in one.modules())
    assert all(p.grad is None and p.requires_grad for p in one.parameters())
    with torch.no_grad():
        one.linear1.weight.zero_()
    assert same(history.network(1).state_dict(), network.state_dict())


def test_missing_snapshot_is_explained(digits):
    history = fit(mlp(64, [10], 10), digits, Recipe(epochs=1))
    with pytest.raises(ValueError, match=r"no snapshot of epoch 1; pass snapshots=\(0, 1, …\)"):
        history.network(1)


def test_table_is_tidy(digits):
    history = fit(mlp(64, [10], 10), digits, Recipe(epochs=3, decay=0.5, decay_every=1))
    table = history.table()
    assert table["epoch"].tolist() == [1, 2, 3]
    assert table["learning_rate"].tolist() == [1e-3, 5e-4, 2.5e-4]
    assert table["train_loss"].tolist() == history.train_loss
    assert table["train_accuracy"].tolist() == history.train_accuracy
    assert table["test_accuracy"].tolist() == history.test_accuracy


def test_zero_epochs_leave_the_network_untrained(digits):
    network = mlp(64, [10], 10)
    before = state(network)
    history = fit(network, digits, Recipe(epochs=0), snapshots=[0])
    assert repr(history) == "History(0 epochs, snapshots of epochs 0)"
    assert same(network.state_dict(), before)
    assert history.table().empty


# -- determinism and traces ----------------------------------------------------------------


def with_dropout() -> nn.Sequential:
    return nn.Sequential(*mlp(64, [10], 10)[:3], nn.Dropout(0.5), mlp(10, [10], 10).output)


def test_seeds_decide_everything(digits):
    one, two, three = with_dropout(), with_dropout(), with_dropout()
    fit(one, digits, Recipe(epochs=2), seed=5)
    torch.rand(3)
    before = torch.get_rng_state()
    fit(two, digits, Recipe(epochs=2), seed=5)
    assert torch.equal(torch.get_rng_state(), before)
    fit(three, digits, Recipe(epochs=2), seed=6)
    assert same(one.state_dict(), two.state_dict())
    assert not same(one.state_dict(), three.state_dict())


def test_snapshots_do_not_change_the_training(digits):
    one, two = with_dropout(), with_dropout()
    fit(one, digits, Recipe(epochs=3))
    fit(two, digits, Recipe(epochs=3), snapshots=range(4))
    assert same(one.state_dict(), two.state_dict())


def test_network_is_left_in_eval_mode_without_gradients(digits):
    network = with_dropout()
    fit(network, digits, Recipe(epochs=1))
    assert not any(module.training for module in network.modules())
    assert all(p.grad is None for p in network.parameters())


def test_data_are_not_changed(digits):
    inputs, labels = digits.train.inputs.clone(), digits.train.labels.clone()
    fit(mlp(64, [10], 10), digits, Recipe(epochs=1))
    assert torch.equal(digits.train.inputs, inputs)
    assert torch.equal(digits.train.labels, labels)


def test_frozen_weights_stay(digits):
    network = mlp(64, [10], 10)
    network.linear1.requires_grad_(False)
    before = state(network)
    fit(network, digits, Recipe.code(epochs=1))
    assert torch.equal(network.linear1.weight, before["linear1.weight"])
    assert not torch.equal(network.output.weight, before["output.weight"])


def test_other_floating_point_types_are_kept(digits):
    network = mlp(64, [10], 10).double()
    fit(network, digits, Recipe(epochs=1))
    assert {p.dtype for p in network.parameters()} == {torch.float64}


def test_convolutional_networks_train(digits):
    network = nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 36, 10))
    history = fit(network, digits, Recipe(epochs=15, learning_rate=1e-2))
    assert history.train_accuracy[-1] > 0.95
    assert history.test_accuracy[-1] > 0.8


def test_short_trainings_print_nothing(digits, capsys):
    fit(mlp(64, [10], 10), digits, Recipe(epochs=1))
    assert capsys.readouterr() == ("", "")


def test_long_trainings_show_their_progress(digits, capsys, monkeypatch):
    monkeypatch.setattr(_progress, "_PATIENCE", 0)
    monkeypatch.delenv("TQDM_DISABLE", raising=False)
    fit(mlp(64, [10], 10), digits, Recipe(epochs=2))
    assert "fit: " in capsys.readouterr().err
    fit(mlp(64, [10], 10), digits, Recipe(epochs=2), progress=False)
    assert capsys.readouterr() == ("", "")


# -- what goes wrong -----------------------------------------------------------------------


def test_divergence_says_when_and_what_to_try(digits):
    network = mlp(64, [10], 10)
    before = state(network)
    with pytest.raises(
        FloatingPointError,
        match=r"not finite in epoch 1, step 2 of 4, at a learning rate of 1e\+30. "
        "Try a smaller learning_rate",
    ) as caught:
        fit(network, digits, Recipe(learning_rate=1e30))
    assert same(network.state_dict(), before)
    assert caught.value.history.epochs == 0
    assert caught.value.__notes__ == ["The network is as it was after epoch 0."]


def test_divergence_in_the_very_last_step_is_seen(digits):
    with pytest.raises(FloatingPointError, match="epoch 1, step 1 of 1"):
        fit(mlp(64, [10], 10), digits, Recipe(learning_rate=1e39, batch_size=200, epochs=1))


def test_divergence_keeps_the_last_complete_epoch(digits):
    recipe = Recipe(epochs=5, decay=1e33, decay_every=2)
    network, reference = mlp(64, [10], 10, batch_norm=True), mlp(64, [10], 10, batch_norm=True)
    with pytest.raises(FloatingPointError, match="not finite in epoch 3, step 2 of 4") as caught:
        fit(network, digits, recipe, snapshots=(0, 1))
    history = fit(reference, digits, Recipe(epochs=2))
    assert same(network.state_dict(), reference.state_dict())
    assert caught.value.history.train_loss == history.train_loss
    assert not network.training


def test_infinite_inputs_are_named_as_the_cause():
    data = small_data()
    data.train.inputs[3, 0] = math.inf
    with pytest.raises(FloatingPointError, match="training inputs that are not finite"):
        fit(mlp(4, [3], 3), data)


def test_interruption_keeps_the_last_complete_epoch(digits):
    network, reference = mlp(64, [10], 10), mlp(64, [10], 10)
    steps = []

    def interrupt(module, inputs):
        steps.append(module.training and len(inputs[0]) > 2)  # two examples are tried first
        if sum(steps) == 10:  # of 4 a epoch
            raise KeyboardInterrupt

    network.register_forward_pre_hook(interrupt)
    with pytest.raises(KeyboardInterrupt) as caught:
        fit(network, digits, Recipe(epochs=5))
    fit(reference, digits, Recipe(epochs=2))
    assert same(network.state_dict(), reference.state_dict())
    assert caught.value.history.epochs == 2
    assert caught.value.__notes__ == ["The network is as it was after epoch 2."]


def refuse(unchecked, error, text, network, data, *args, **options):
    before = state(network) if isinstance(network, nn.Module) else {}
    modes = [m.training for m in network.modules()] if before else []
    with pytest.raises(error, match=text):
        unchecked(fit)(network, data, *args, **options)
    if before:
        assert same(network.state_dict(), before)
        assert [m.training for m in network.modules()] == modes


def test_wrong_arguments_are_explained(unchecked, digits):
    network = mlp(64, [10], 10)
    refuse(unchecked, TypeError, "network: a Module is needed; not 'net'", "net", digits)
    refuse(
        unchecked,
        TypeError,
        "data: a Dataset is needed, with its training and its test split; not Split",
        network,
        digits.train,
    )
    refuse(unchecked, TypeError, "recipe: a Recipe is needed; not 20", network, digits, 20)
    refuse(unchecked, ValueError, "seed: .* at least 0", network, digits, seed=-1)
    refuse(
        unchecked,
        ValueError,
        "snapshots: the recipe ends after epoch 5, not 10",
        network,
        digits,
        Recipe(epochs=5),
        snapshots=(0, 10),
    )
    refuse(unchecked, ValueError, "snapshots: .* not -1", network, digits, snapshots=[-1])
    refuse(unchecked, TypeError, "snapshots: .* not 0.5", network, digits, snapshots=[0.5])
    text = "snapshots: an epoch has 7 minibatches, so that none is within it after 7 of them"
    refuse(unchecked, ValueError, text, network, digits, Recipe(batch_size=30), snapshots=[(0, 7)])
    text = r"snapshots: an epoch, or an epoch and minibatches .* needed, not \(1, 2, 3\)"
    refuse(unchecked, ValueError, text, network, digits, snapshots=[(1, 2, 3)])
    refuse(unchecked, ValueError, "snapshots: .* not -1", network, digits, snapshots=[(0, -1)])
    for wrong in (1, None):
        text = f"snapshots: epochs are needed, such as .*, not {wrong}"
        refuse(unchecked, TypeError, text, network, digits, snapshots=wrong)


def test_unsuitable_networks_are_explained(unchecked, digits):
    refuse(
        unchecked,
        ValueError,
        r"does not take inputs of shape \(1, 8, 8\), as data has them. "
        "PyTorch says: .*784",
        mlp(784, [10], 10),
        digits,
    )
    refuse(
        unchecked,
        ValueError,
        r"one score for each of the 10 classes is needed, that is an output of shape "
        r"\(n, 10\), not \(2, 5\)",
        mlp(64, [10], 5),
        digits,
    )
    refuse(
        unchecked,
        ValueError,
        r"not \(2, 10, 1\)",
        nn.Sequential(*mlp(64, [10], 10), nn.Unflatten(1, (10, 1))),
        digits,
    )
    refuse(
        unchecked,
        ValueError,
        "leave out the softmax",
        nn.Sequential(*mlp(64, [10], 10), nn.Softmax(1)),
        digits,
    )
    refuse(unchecked, ValueError, "no weights to train", nn.Flatten(), digits)
    refuse(
        unchecked,
        ValueError,
        "no weights to train",
        mlp(64, [10], 10).requires_grad_(False),
        digits,
    )


class InTrainMode(nn.Module):
    """Linear, and something else in train mode."""

    def __init__(self, change):
        super().__init__()
        self.linear, self.change = nn.Linear(4, 3), change

    def forward(self, x):
        return self.change(self.linear(x)) if self.training else self.linear(x)


def in_place(scores):
    squared = scores * scores
    scores += 1
    return squared


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda x: (x, x), r"an output of shape \(n, 3\), not tuple in train mode"),
        (lambda x: x[:, :2], r"an output of shape \(n, 3\), not \(2, 2\) in train mode"),
        (lambda x: x[:, :, None], r"not \(2, 3, 1\) in train mode"),
        (lambda x: x @ x, "it cannot be trained. PyTorch says: mat1 and mat2 shapes"),
        (lambda x: x.long(), "it cannot be trained. PyTorch says: .* not implemented"),
        (lambda x: x.detach(), "it cannot be trained. PyTorch says: .* does not require grad"),
        (lambda x: x.argmax(1), r"not \(2,\) in train mode"),
        (in_place, "it cannot be trained. PyTorch says: .* modified by an inplace operation"),
    ],
)
def test_what_fails_only_in_train_mode_is_explained(unchecked, change, text):
    refuse(unchecked, ValueError, text, InTrainMode(change), small_data())


def test_a_network_is_tried_without_a_trace(digits):
    network = nn.Sequential(
        *mlp(64, [10], 10, batch_norm=True)[:4], nn.Dropout(), nn.Linear(10, 10)
    )
    network[1].requires_grad_(False)
    network.linear2 = network[-1]
    network[2].weight.grad = torch.ones(10)
    before, random = state(network), torch.get_rng_state()
    modes = [module.training for module in network.modules()]
    preconditions.check_training(network, digits, Recipe(), set())
    assert same(network.state_dict(), before)
    assert torch.equal(torch.get_rng_state(), random)
    assert [module.training for module in network.modules()] == modes
    assert torch.equal(network[2].weight.grad, torch.ones(10))
    assert network[-1].weight.grad is None


def images(n: int, *shape: int) -> Dataset:
    data = small_data(n)
    train, test = (Split(torch.rand(len(s), *shape), s.labels) for s in (data.train, data.test))
    return Dataset("images", train, test, 3)


def convolution(norm: type[nn.Module], kernel: int, size: int) -> nn.Sequential:
    return nn.Sequential(
        *(nn.Conv1d(1, 4, kernel), norm(4), nn.ReLU(), nn.Flatten()),
        nn.Linear(4 * (size - kernel + 1), 3),
    )


LONE = {
    "MLP": lambda: (mlp(4, [3], 3, batch_norm=True), small_data(), Recipe(batch_size=3)),
    "minibatches of one": lambda: (
        *(mlp(4, [3], 3, batch_norm=True), small_data(), Recipe(batch_size=1)),
    ),
    "one pixel left": lambda: (
        *(resnet20(3, in_channels=1), images(10, 1, 4, 4), Recipe(batch_size=3)),
    ),
    "after a convolution": lambda: (
        *(convolution(nn.BatchNorm1d, 8, 8), images(10, 1, 8), Recipe(batch_size=9)),
    ),
}


@pytest.mark.parametrize("case", LONE)
def test_lone_last_example_with_batch_norm_is_explained(unchecked, case):
    network, data, recipe = LONE[case]()
    refuse(
        unchecked,
        ValueError,
        f"batch_size={recipe.batch_size} leaves one of the 10 training examples to a minibatch "
        "of its own, .*; change batch_size, or train_size",
        network,
        data,
        recipe,
    )


def test_a_lone_example_of_several_numbers_a_channel_can_be_normalized():
    history = fit(
        convolution(nn.BatchNorm1d, 3, 8), images(10, 1, 8), Recipe(epochs=1, batch_size=9)
    )
    assert history.epochs == 1


def test_a_norm_that_no_minibatch_can_have_is_explained(unchecked):
    text = "does not take inputs of shape .* PyTorch says: Expected more than 1 spatial element"
    network = convolution(nn.InstanceNorm1d, 8, 8)
    refuse(unchecked, ValueError, text, network, images(10, 1, 8))


@pytest.mark.parametrize("label", [3, -100])
@pytest.mark.parametrize("name", ["train", "test"])
def test_labels_changed_since_are_explained(unchecked, name, label):
    data = small_data()
    getattr(data, name).labels[4] = label
    refuse(unchecked, ValueError, "labels run from 0 to 2, but there", mlp(4, [3], 3), data)


def test_devices_that_are_none_are_explained(unchecked, digits):
    network = mlp(64, [10], 10)
    absent = "cuda:99" if torch.cuda.is_available() else "cuda"
    for device, error, text in (
        ("gpu", ValueError, "a device such as 'cpu' or 'cuda' is needed, not 'gpu'"),
        (0.5, TypeError, "a device such as 'cpu' or 'cuda' is needed, not 0.5"),
        ("meta", ValueError, "on the device meta there are no numbers to compute with"),
        (absent, ValueError, f"there is no device '{absent}' here"),
    ):
        refuse(unchecked, error, f"device: {text}", network, digits, device=device)
    with pytest.raises(ValueError, match="network: it is on the device meta, where weights have"):
        fit(mlp(64, [10], 10).to("meta"), digits)


def test_flags_are_true_or_false(unchecked, digits):
    text = "progress: True or False is needed, not 'no'"
    refuse(unchecked, TypeError, text, mlp(64, [10], 10), digits, progress="no")


def test_seeds_have_64_bits(unchecked, digits):
    text = "seed: a whole number below 2\\*\\*64 is needed, not"
    refuse(unchecked, ValueError, text, mlp(64, [10], 10), digits, seed=2**64)
    fit(mlp(64, [10], 10), digits, Recipe(epochs=1), seed=2**64 - 1)


@pytest.mark.parametrize("layer", [nn.LazyLinear(5), nn.LazyBatchNorm1d()])
def test_lazy_layers_are_explained(unchecked, layer):
    network = nn.Sequential(nn.Linear(4, 5), layer, nn.ReLU(), nn.Linear(5, 3))
    with pytest.raises(ValueError, match="network: 1.* has no shape yet; run the network once fir"):
        unchecked(fit)(network, small_data())
    network(small_data().train.inputs)
    fit(network, small_data(), Recipe(epochs=1))


@pytest.mark.filterwarnings("ignore:.*torch.jit")
def test_scripted_networks_train_as_what_they_were_made_of():
    # A bias in front of batch normalization has no gradient but rounding, which Adam makes large.
    network = mlp(4, [3], 3, batch_norm=True)
    network[1] = nn.Linear(4, 3, bias=False)
    scripted = torch.jit.script(copy.deepcopy(network))
    fit(network, small_data(), Recipe(epochs=2))
    fit(scripted, small_data(), Recipe(epochs=2))
    for name, weight in network.state_dict().items():
        torch.testing.assert_close(scripted.state_dict()[name], weight)


def test_empty_splits_are_explained(unchecked):
    data = small_data()
    refuse(
        unchecked,
        ValueError,
        "data: both splits need examples, but this is .* 0 test",
        mlp(4, [3], 3),
        Dataset("small", data.train, data.test[:0], 3),
    )


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_cuda_trains_like_the_cpu(digits):
    here, there = mlp(64, [10], 10).double(), mlp(64, [10], 10).double()
    before = torch.cuda.get_rng_state()
    one = fit(here, digits, Recipe.code(epochs=3), snapshots=[0])
    two = fit(there, digits, Recipe.code(epochs=3), snapshots=[0], device="cuda")
    assert torch.equal(torch.cuda.get_rng_state(), before)
    assert next(there.parameters()).is_cuda
    assert next(two.network(0).parameters()).is_cuda
    assert two.train_loss == pytest.approx(one.train_loss)
    for name, weight in here.state_dict().items():
        torch.testing.assert_close(there.state_dict()[name].cpu(), weight)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_bfloat16_on_cuda_multiplies_with_16_bits_and_keeps_32_for_the_rest(digits):
    seen, losses = set(), []
    network = mlp(64, [100], 10, batch_norm=True)
    network.linear1.register_forward_hook(
        lambda module, inputs, output: (
            seen.add((module.training, output.dtype)) if len(output) > 2 else None
        )
    )
    for bfloat16 in (False, True):
        trained = copy.deepcopy(network)
        recipe = Recipe(epochs=5, bfloat16=bfloat16)
        losses.append(fit(trained, digits, recipe, device="cuda").train_loss)
        assert {w.dtype for w in trained.parameters()} == {torch.float32}
        expected = torch.bfloat16 if bfloat16 else torch.float32
        assert seen == {(True, expected), (False, torch.float32)}
        seen.clear()
    assert losses[1] == pytest.approx(losses[0], rel=0.02)
    assert losses[1] != losses[0]
