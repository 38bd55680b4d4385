"""Convolutional networks: their codes, what they compute, how they train, what they refuse."""

import copy
import math
import urllib.request

import numpy as np
import pytest
import torch
import torchvision
from torch import nn
from torch.nn import functional as F

import nhlib as nh
from nhlib.networks.convolutional import vgg, vgg16, vgg19
from nhlib.networks.imagenet import imagenet_network
from nhlib.networks.residual import resnet18, resnet20, resnet32, resnet56

# The networks of the paper's table.
BUILDERS = [vgg16, vgg19, resnet18, resnet20, resnet32, resnet56]


def same(one: nn.Module, other: nn.Module) -> bool:
    weights, others = one.state_dict(), other.state_dict()
    return list(weights) == list(others) and all(
        torch.equal(weights[name], others[name]) for name in weights
    )


def vgg_layers(blocks: list[list[int]], hidden: list[int], size: int = 32) -> dict:
    layers = {}
    for b, block in enumerate(blocks, start=1):
        for c, channels in enumerate(block, start=1):
            layers[f"relu{b}_{c}"] = (channels, size, size)
        size //= 2
    return {**layers, **{f"relu{i}": (units,) for i, units in enumerate(hidden, start=1)}}


def resnet_layers(channels: list[int], n_blocks: int, size: int = 32) -> dict:
    layers = {"relu": (channels[0], size, size)}
    for stage, width in enumerate(channels, start=1):
        for block in range(n_blocks):
            for call in ("relu", "relu_1"):
                layers[f"layer{stage}.{block}.{call}"] = (width, size, size)
        size = -(-size // 2)
    return layers


# -- codes ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("build", "layers", "n_layers", "n_bits"),
    [
        (
            vgg16,
            vgg_layers([[64] * 2, [128] * 2, [256] * 3, [512] * 3, [512] * 3], [512] * 2),
            *(15, 276_480 + 1_024),
        ),
        (
            vgg19,
            vgg_layers([[64] * 2, [128] * 2, [256] * 4, [512] * 4, [512] * 4], [512] * 2),
            *(18, 303_104 + 1_024),
        ),
        (resnet18, resnet_layers([64, 128, 256, 512], 2), 17, 557_056),
        (resnet20, resnet_layers([16, 32, 64], 3), 19, 188_416),
        (resnet32, resnet_layers([16, 32, 64], 5), 31, 303_104),
        (resnet56, resnet_layers([16, 32, 64], 9), 55, 532_480),
    ],
)
def test_codes_have_the_layers_of_the_paper(build, layers, n_layers, n_bits):
    codes = nh.encode(build(), torch.rand(2, 3, 32, 32))
    assert list(codes.layers.items()) == list(layers.items())
    assert (len(codes.layers), codes.n_bits) == (n_layers, n_bits)


@pytest.mark.parametrize("size", [8, 9, 14, 28])
def test_codes_of_other_images(size):
    images = torch.rand(2, 1, size, size)
    network = vgg([[4, 5], [6]], [7, 8], 3, in_channels=1, image_size=size)
    expected = vgg_layers([[4, 5], [6]], [7, 8], size)
    assert dict(nh.encode(network, images).layers) == expected
    assert network(images).shape == (2, 3)
    network = resnet20(3, in_channels=1)
    assert dict(nh.encode(network, images).layers) == resnet_layers([16, 32, 64], 3, size)
    assert network(images).shape == (2, 3)


def test_weights_come_in_layers_as_they_are_counted():
    # Depth counts convolutions and linear layers, but not the 1×1 convolutions that widen.
    for build, depth in zip(BUILDERS, (16, 19, 18, 20, 32, 56), strict=True):
        deep = [m for m in build().modules() if isinstance(m, (nn.Conv2d, nn.Linear))]
        counted = [m for m in deep if isinstance(m, nn.Linear) or m.kernel_size == (3, 3)]
        assert len(counted) == depth


def test_layers_of_vgg_are_named_and_ordered():
    assert list(dict(vgg([[4, 5], [6]], [7]).named_children())) == [
        *("conv1_1", "norm1_1", "relu1_1", "conv1_2", "norm1_2", "relu1_2", "pool1"),
        *("conv2_1", "norm2_1", "relu2_1", "pool2"),
        *("flatten", "linear1", "relu1", "output"),
    ]
    assert list(dict(vgg([[4]], []).named_children())) == [
        *("conv1_1", "norm1_1", "relu1_1", "pool1", "flatten", "output")
    ]


# -- what is computed ----------------------------------------------------------------------


def with_random_norms(network: nn.Module) -> nn.Module:
    """Batch normalization that does something: at first it nearly is the identity."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            for values in (module.weight, module.bias, module.running_mean, module.running_var):
                nn.init.uniform_(values, 0.5, 1.5)
    return network


def test_resnet18_is_torchvisions_without_the_pooling_at_its_start():
    network = with_random_norms(resnet18(7))
    reference = torchvision.models.resnet18(num_classes=7)
    reference.conv1 = nn.Conv2d(3, 64, 3, padding=1, bias=False)
    reference.maxpool = nn.Identity()
    reference.load_state_dict(network.state_dict())
    images = torch.rand(2, 3, 16, 16)
    for mode in (True, False):
        assert torch.equal(network.train(mode)(images), reference.train(mode)(images))
    assert same(network, reference)  # what batch normalization has seen


@pytest.mark.parametrize(("build", "n_blocks"), [(resnet20, 3), (resnet32, 5), (resnet56, 9)])
def test_resnets_compute_what_a_hand_written_forward_pass_does(build, n_blocks):
    network = with_random_norms(build()).double().eval()
    p = network.state_dict()

    def norm(x, name):
        mean, var, weight, bias = (
            p[f"{name}.{part}"][:, None, None]
            for part in ("running_mean", "running_var", "weight", "bias")
        )
        return (x - mean) / (var + 1e-5).sqrt() * weight + bias

    images = torch.rand(2, 3, 12, 12, dtype=torch.float64)
    x = norm(F.conv2d(images, p["conv1.weight"], padding=1), "bn1").clamp(min=0)
    for stage in (1, 2, 3):
        for block in range(n_blocks):
            at, stride = f"layer{stage}.{block}", 2 if stage > 1 and not block else 1
            skipped = x
            if stride == 2:
                skipped = F.conv2d(x[:, :, ::2, ::2], p[f"{at}.downsample.0.weight"])
                skipped = norm(skipped, f"{at}.downsample.1")
            x = F.conv2d(x, p[f"{at}.conv1.weight"], stride=stride, padding=1)
            x = F.conv2d(norm(x, f"{at}.bn1").clamp(min=0), p[f"{at}.conv2.weight"], padding=1)
            x = (norm(x, f"{at}.bn2") + skipped).clamp(min=0)
    expected = x.mean((2, 3)) @ p["fc.weight"].T + p["fc.bias"]
    torch.testing.assert_close(network(images), expected)


def test_vgg_computes_what_a_hand_written_forward_pass_does():
    network = with_random_norms(vgg([[4, 5], [6]], [7], 3, image_size=9)).double().eval()
    p = network.state_dict()
    images = torch.rand(2, 3, 9, 9, dtype=torch.float64)
    x = images
    for block, convolutions in ((1, 2), (2, 1)):
        for c in range(1, convolutions + 1):
            at = f"{block}_{c}"
            x = F.conv2d(x, p[f"conv{at}.weight"], p[f"conv{at}.bias"], padding=1)
            mean, var, weight, bias = (
                p[f"norm{at}.{part}"][:, None, None]
                for part in ("running_mean", "running_var", "weight", "bias")
            )
            x = ((x - mean) / (var + 1e-5).sqrt() * weight + bias).clamp(min=0)
        # Largest of 2×2 pixels; an odd last row or column is left out.
        even = x.shape[-1] // 2 * 2
        x = x[:, :, :even, :even].unfold(2, 2, 2).unfold(3, 2, 2).amax((4, 5))
    x = (x.flatten(1) @ p["linear1.weight"].T + p["linear1.bias"]).clamp(min=0)
    torch.testing.assert_close(network(images), x @ p["output.weight"].T + p["output.bias"])


# -- weights -------------------------------------------------------------------------------


@pytest.mark.parametrize("build", [resnet20, lambda **options: vgg([[8], [8]], [9], **options)])
def test_seed_alone_decides_the_weights(build):
    before = torch.get_rng_state()
    one = build(seed=3)
    assert torch.equal(torch.get_rng_state(), before)
    torch.rand(10)
    assert same(one, build(seed=3))
    other = dict(build(seed=4).named_parameters())
    for name, weight in one.named_parameters():
        drawn = weight.ndim > 1
        assert torch.equal(weight, other[name]) != drawn


@pytest.mark.parametrize("build", BUILDERS)
def test_weights_are_drawn_as_he_et_al_do(build):
    network = build(seed=5)
    assert network.training
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            n_inputs = module.weight[0].numel()
            weights = module.weight.detach() * math.sqrt(n_inputs / 2)
            assert weights.mean().abs() < 6 / math.sqrt(weights.numel())
            assert weights.var().item() == pytest.approx(1, abs=6 * math.sqrt(2 / weights.numel()))
            assert module.bias is None or not module.bias.any()
        elif isinstance(module, nn.BatchNorm2d):
            for values, start in ((module.weight, 1), (module.bias, 0)):
                assert (values == start).all()
            assert (module.running_mean == 0).all()
            assert (module.running_var == 1).all()
            assert module.num_batches_tracked == 0


@pytest.mark.parametrize("build", [resnet20, lambda: vgg([[8], [8]], [9])])
def test_default_dtype_and_device_do_not_change_it(build):
    expected = build()
    torch.set_default_dtype(torch.float64)
    try:
        in_double = build()
        with torch.device("meta"):
            on_meta = build()
    finally:
        torch.set_default_dtype(torch.float32)
    assert {w.dtype for w in in_double.parameters()} == {torch.float32}
    assert same(in_double, expected)
    assert same(on_meta, expected)


# -- training ------------------------------------------------------------------------------


def few_images(n: int = 16) -> nh.Dataset:
    generator = torch.Generator().manual_seed(0)

    def split(size: int) -> nh.Split:
        labels = torch.randint(10, (size,), generator=generator)
        return nh.Split(torch.rand(size, 3, 32, 32, generator=generator), labels)

    return nh.Dataset("few images", split(n), split(4), 10)


@pytest.mark.parametrize("recipe", [nh.Recipe.code_cnn, nh.Recipe.modern])
@pytest.mark.parametrize("build", BUILDERS)
def test_networks_of_the_paper_train_for_two_steps(build, recipe):
    network = build()
    before = copy.deepcopy(network.state_dict())
    history = nh.fit(network, few_images(), recipe(epochs=1, batch_size=8))
    assert np.isfinite(history.train_loss).all()
    after = network.state_dict()
    # Convolutions before a batch normalization have a bias that it subtracts again.
    still = [name for name in after if torch.equal(after[name], before[name])]
    assert all(name.endswith("bias") for name in still)
    assert all(weight.isfinite().all() for weight in after.values())
    counts = [after[name] for name in after if name.endswith("num_batches_tracked")]
    assert {count.item() for count in counts} == {2}


def test_convolutional_networks_learn_a_few_images_by_heart():
    network = vgg([[8], [8]], [32], seed=1)
    data = few_images()
    history = nh.fit(network, data, nh.Recipe(epochs=25, batch_size=8, learning_rate=1e-2))
    assert history.train_accuracy[-1] == 1
    assert history.train_loss[-1] < 0.1 * history.train_loss[0]


# -- what goes wrong -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "options", "error", "text"),
    [
        (("32", []), {}, TypeError, "blocks: a list is needed, not '32'"),
        ((32, []), {}, TypeError, "blocks: a list is needed, not 32"),
        (([[8]], 5), {}, TypeError, "hidden: a list is needed, not 5"),
        (([[8]], "5"), {}, TypeError, "hidden: a list is needed, not '5'"),
        (([], []), {}, ValueError, r"blocks: a list of lists .* \[\[32, 32\], \[64.* not \[\]"),
        (([8, 8], []), {}, ValueError, r"blocks: a list of lists is needed, .* not \[8, 8\]"),
        (([[8], []], []), {}, ValueError, r"blocks: a list of lists .* not \[\[8\], \[\]\]"),
        (([[8], [8, 0]], []), {}, ValueError, r"blocks\[1\]\[1\]: a whole number of at least 1"),
        (([[2.5]], []), {}, TypeError, r"blocks\[0\]\[0\]: a whole number .* not 2.5"),
        (([[8]], [9, -1]), {}, ValueError, r"hidden\[1\]: a whole number of at least 1 .* not -1"),
        (([[8]], [], 1), {}, ValueError, "n_classes: a whole number of at least 2 .* not 1"),
        (([[8]], []), {"in_channels": 0}, ValueError, "in_channels: .* at least 1 is needed"),
        (([[8]], []), {"image_size": "32"}, TypeError, "image_size: a whole number"),
        (([[8]], []), {"seed": -1}, ValueError, "seed: a whole number of at least 0 .* not -1"),
        (
            ([[8]] * 3, []),
            {"image_size": 7},
            ValueError,
            "image_size: 3 blocks halve an image 3 times, so at least 8 pixels are needed, not 7",
        ),
    ],
)
def test_wrong_arguments_of_vgg_are_explained(unchecked, arguments, options, error, text):
    with pytest.raises(error, match=text):
        unchecked(vgg)(*arguments, **options)


@pytest.mark.parametrize("build", BUILDERS)
@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"n_classes": 1}, "n_classes: a whole number of at least 2 is needed, not 1"),
        ({"in_channels": 0}, "in_channels: a whole number of at least 1 is needed, not 0"),
        ({"seed": -1}, "seed: a whole number of at least 0 is needed, not -1"),
    ],
)
def test_sizes_that_are_too_small_are_explained(build, options, text):
    with pytest.raises(ValueError, match=text):
        build(**options)


@pytest.mark.parametrize("build", [resnet18, resnet20, resnet32, resnet56])
def test_sizes_that_are_no_whole_numbers_are_explained(unchecked, build):
    with pytest.raises(TypeError, match="n_classes: a whole number .* needed, not '10'"):
        unchecked(build)("10")
    with pytest.raises(TypeError, match="in_channels: a whole number .* needed, not True"):
        unchecked(build)(in_channels=True)


def test_population_takes_no_convolutional_network():
    network = vgg([[8]], [9])
    with pytest.raises(ValueError, match=r"networks\[0\]"):
        nh.Population([network], few_images())


# -- networks for ImageNet -----------------------------------------------------------------


@pytest.fixture
def no_network(tmp_path, monkeypatch):
    """An empty folder for weights, and a proxy where nobody listens."""
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
        monkeypatch.setenv(name.upper(), "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "")
    monkeypatch.setenv("NO_PROXY", "")
    # Where Python keeps the proxies that it met first.
    monkeypatch.setattr(urllib.request, "_opener", None)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(torch.hub, "_hub_dir", None)  # set_dir may have been called
    return tmp_path


def test_imagenet_networks_are_torchvisions():
    torch.manual_seed(3)
    network = imagenet_network("squeezenet1_1", num_classes=7)
    torch.manual_seed(3)
    assert same(network, torchvision.models.squeezenet1_1(num_classes=7))
    assert network.training


def test_weights_of_a_backbone_are_random_too(no_network):
    network = imagenet_network("lraspp_mobilenet_v3_large")
    assert network.training
    assert not (no_network / "hub").exists()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("resnet19", r"name: torchvision has no network 'resnet19', did you mean 'resnet\d+'\? "),
        ("resnext50_32", "no network 'resnext50_32', did you mean 'resnext50_32x4d'"),
        ("???", r"no network '\?\?\?'\. torchvision.models.list_models\(\) lists them"),
    ],
)
def test_unknown_imagenet_networks_are_explained(name, text):
    with pytest.raises(ValueError, match=text):
        imagenet_network(name)


def test_unknown_imagenet_weights_are_explained():
    text = "weights: for resnet50 there are IMAGENET1K_V1, IMAGENET1K_V2, DEFAULT and None; not 'V'"
    with pytest.raises(ValueError, match=text):
        imagenet_network("resnet50", "V")


@pytest.mark.parametrize(
    "weights",
    ["DEFAULT", "SqueezeNet1_1_Weights.DEFAULT", torchvision.models.SqueezeNet1_1_Weights.DEFAULT],
)
def test_weights_that_cannot_be_downloaded_are_named(no_network, weights):
    url = torchvision.models.SqueezeNet1_1_Weights.DEFAULT.url
    with pytest.raises(FileNotFoundError) as caught:
        imagenet_network("squeezenet1_1", weights)
    text = str(caught.value)
    assert "weights: those of squeezenet1_1 are not on this machine" in text
    folder = no_network / "hub" / "checkpoints"
    assert f"Fetch {url} elsewhere and put it into {folder}" in text
    assert text.endswith("or pass weights=None")
    assert list(folder.iterdir()) == []


def test_weights_that_were_put_there_are_taken(no_network):
    source = torchvision.models.squeezenet1_1()
    url = torchvision.models.SqueezeNet1_1_Weights.DEFAULT.url
    folder = no_network / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    torch.save(source.state_dict(), folder / url.rsplit("/", 1)[1])
    assert same(imagenet_network("squeezenet1_1", "DEFAULT"), source)
