"""Random inputs and noise: as much as was asked for, where it was asked for, and seeded."""

from collections import Counter

import pytest
import torch

from nhlib import load, random_inputs, with_instance_noise, with_label_noise


def test_random_inputs_fill_the_box():
    before = torch.get_rng_state()
    images = random_inputs(load("digits"), 500, seed=1)
    assert images.shape == (500, 1, 8, 8)
    assert torch.equal(images, random_inputs(load("digits"), 500, seed=1))
    assert not torch.equal(images, random_inputs(load("digits"), 500, seed=2))
    assert torch.equal(torch.get_rng_state(), before)
    for x, (low, high) in ((images, (0, 1)), (random_inputs(load("moons"), 20_000), (-1, 1))):
        assert low <= x.min() < low + 0.001
        assert high - 0.001 < x.max() <= high
        shares = torch.histc(x, 10, low, high) / x.numel()
        assert (shares - 0.1).abs().max() < 5 * (0.09 / x.numel()) ** 0.5


def test_defaults_of_pytorch_do_not_matter():
    data = load("digits")

    def noise():
        return [
            random_inputs(data, 5),
            with_instance_noise(data, 0.1).train.inputs,
            with_label_noise(data, 0.1).train.labels,
        ]

    expected = noise()
    torch.set_default_dtype(torch.float64)
    torch.set_default_device("meta")
    try:
        found = noise()
    finally:
        torch.set_default_dtype(torch.float32)
        torch.set_default_device(None)
    for one, other in zip(found, expected, strict=True):
        assert (one.dtype, one.device.type) == (other.dtype, "cpu")
        assert torch.equal(one, other)


def test_label_noise_shuffles_some_labels_among_themselves():
    data = load("digits")
    before = data.train.labels.clone()
    noisy = with_label_noise(data, 0.3, seed=4)
    assert torch.equal(data.train.labels, before)
    assert torch.equal(noisy.train.inputs, data.train.inputs)
    assert torch.equal(noisy.test.labels, data.test.labels)
    assert Counter(noisy.train.labels.tolist()) == Counter(before.tolist())
    # Of 431 labels shuffled about one in ten stays by chance.
    assert (noisy.train.labels != before).sum().item() == pytest.approx(0.9 * 431, abs=40)
    assert torch.equal(noisy.train.labels, with_label_noise(data, 0.3, seed=4).train.labels)
    assert not torch.equal(noisy.train.labels, with_label_noise(data, 0.3, seed=5).train.labels)
    assert noisy.name == "digits, label noise 0.3"


def test_instance_noise_replaces_some_inputs():
    data = load("digits")
    before = data.train.inputs.clone()
    noisy = with_instance_noise(data, 0.3, seed=4)
    assert torch.equal(data.train.inputs, before)
    changed = (noisy.train.inputs != before).flatten(1).any(1)
    assert changed.sum() == 431
    assert (noisy.train.inputs[changed] * 16 % 1 > 0).float().mean() > 0.99
    assert torch.equal(noisy.train.labels, data.train.labels)
    assert torch.equal(noisy.test.inputs, data.test.inputs)


@pytest.mark.parametrize("noise", [with_label_noise, with_instance_noise])
def test_noise_grows_with_its_fraction(noise):
    data = load("digits")

    def changed(fraction: float) -> torch.Tensor:
        train = noise(data, fraction).train
        differs = (train.inputs != data.train.inputs).flatten(1).any(1)
        return differs | (train.labels != data.train.labels)

    assert not changed(0.0).any()
    assert changed(1.0).float().mean() > 0.85
    # With a larger fraction, the rest that stays is a part of the rest before.
    if noise is with_instance_noise:
        assert not (changed(0.2) & ~changed(0.6)).any()
    with pytest.raises(ValueError, match="fraction: a number from 0 to 1 is needed, not 20"):
        noise(data, 20.0)
