"""Convolutional networks of the paper, the same from the same seed on every machine."""

import difflib
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar
from urllib.error import URLError

import torch
from torch import Tensor, nn

from nhlib.arguments import whole_number


def vgg(
    blocks: Sequence[Sequence[int]],
    hidden: Sequence[int],
    n_classes: int = 10,
    *,
    in_channels: int = 3,
    image_size: int = 32,
    seed: int = 0,
) -> nn.Sequential:
    """Build an untrained network of 3×3 convolutions in blocks, in the manner of VGG [1]_.

    Every convolution is followed by batch normalization and a ReLU, every block by max-pooling
    over 2×2 pixels; then come fully connected layers of ReLUs. Layers are called ``conv1_1``,
    ``norm1_1``, ``relu1_1``, …, ``pool1``, ``conv2_1``, …, ``flatten``, ``linear1``, ``relu1``,
    …, ``output``.

    Parameters
    ----------
    blocks : sequence of sequences of int
        Channels of every convolution, block by block: ``[[32, 32], [64, 64]]``.
    hidden : sequence of int
        Units in each fully connected layer before the output; may be empty.
    n_classes : int, default 10
        Number of classes, at least 2.
    in_channels : int, default 3
        Channels of an image: 3 for colour, 1 for grey.
    image_size : int, default 32
        Height and width of an image in pixels. Every block halves it, rounding down.
    seed : int, default 0
        Seed of the weights, drawn as He et al. [2]_ do (a normal distribution of variance
        2 / number of inputs), on the CPU by a generator of their own; biases start at 0.

    Returns
    -------
    torch.nn.Sequential
        On the CPU, in float32, in training mode.

    Raises
    ------
    TypeError, ValueError
        If a size is not a whole number or too small, or nothing is left of the image after
        the last block.

    References
    ----------
    .. [1] K. Simonyan, A. Zisserman, "Very deep convolutional networks for large-scale image
       recognition", ICLR 2015.
    .. [2] K. He, X. Zhang, S. Ren, J. Sun, "Delving deep into rectifiers", ICCV 2015.

    Examples
    --------
    >>> network = vgg([[8], [16]], [32], in_channels=1, image_size=8)
    >>> [name for name, _ in network.named_children()][:5]
    ['conv1_1', 'norm1_1', 'relu1_1', 'pool1', 'conv2_1']
    >>> network(torch.zeros(5, 1, 8, 8)).shape
    torch.Size([5, 10])
    """
    for name, sizes in (("blocks", blocks), ("hidden", hidden)):
        if isinstance(sizes, str) or not isinstance(sizes, Sequence):
            raise TypeError(f"{name}: a list is needed, not {sizes!r}")
    if not blocks or not all(isinstance(block, Sequence) and block for block in blocks):
        raise ValueError(
            "blocks: a list of lists is needed, the channels of each convolution block by "
            f"block, such as [[32, 32], [64, 64]]; not {blocks!r}"
        )
    channels = whole_number("in_channels", in_channels, 1)
    size = whole_number("image_size", image_size, 1) >> len(blocks)
    if not size:
        raise ValueError(
            f"image_size: {len(blocks)} blocks halve an image {len(blocks)} times, so at least "
            f"{1 << len(blocks)} pixels are needed, not {image_size}"
        )
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    with torch.device("meta"):
        for b, block in enumerate(blocks, start=1):
            for c, given in enumerate(block, start=1):
                after = whole_number(f"blocks[{b - 1}][{c - 1}]", given, 1)
                layers[f"conv{b}_{c}"] = nn.Conv2d(channels, after, 3, padding=1)
                layers[f"norm{b}_{c}"] = nn.BatchNorm2d(after)
                layers[f"relu{b}_{c}"] = nn.ReLU()
                channels = after
            layers[f"pool{b}"] = nn.MaxPool2d(2)
        layers["flatten"] = nn.Flatten()
        units = channels * size * size
        for i, given in enumerate(hidden, start=1):
            after = whole_number(f"hidden[{i - 1}]", given, 1)
            layers[f"linear{i}"] = nn.Linear(units, after)
            layers[f"relu{i}"] = nn.ReLU()
            units = after
        layers["output"] = nn.Linear(units, whole_number("n_classes", n_classes, 2))
        network = nn.Sequential(layers)
    return _drawn(network, seed)


def vgg16(n_classes: int = 10, *, in_channels: int = 3, seed: int = 0) -> nn.Sequential:
    """Build VGG-16 for images of 32×32: 13 convolutions and two layers of 512 units.

    Its codes have 276,480 bits from convolutions and 1,024 from the fully connected layers.
    The paper's networks have these sizes; see `vgg` for parameters and layers.

    Examples
    --------
    >>> sum(weight.numel() for weight in vgg16().parameters())
    15253578
    """
    blocks = [[64] * 2, [128] * 2, [256] * 3, [512] * 3, [512] * 3]
    return vgg(blocks, [512, 512], n_classes, in_channels=in_channels, seed=seed)


def vgg19(n_classes: int = 10, *, in_channels: int = 3, seed: int = 0) -> nn.Sequential:
    """Build VGG-19 for images of 32×32: 16 convolutions and two layers of 512 units.

    See `vgg` for parameters and layers.

    Examples
    --------
    >>> sum(weight.numel() for weight in vgg19().parameters())
    20565834
    """
    blocks = [[64] * 2, [128] * 2, [256] * 4, [512] * 4, [512] * 4]
    return vgg(blocks, [512, 512], n_classes, in_channels=in_channels, seed=seed)


class _Block(nn.Module):
    """Two convolutions, and around them a connection that skips both."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(before, after, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(after)
        self.conv2 = nn.Conv2d(after, after, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(after)
        self.relu = nn.ReLU()
        self.downsample: nn.Module | None = None
        if before != after or stride > 1:
            self.downsample = nn.Sequential(
                nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after)
            )

    def forward(self, x: Tensor) -> Tensor:
        skipped = x if self.downsample is None else self.downsample(x)
        inner = self.relu(self.bn1(self.conv1(x)))
        result: Tensor = self.relu(self.bn2(self.conv2(inner)) + skipped)
        return result


class ResNet(nn.Module):
    """A residual network for small images; `resnet20` and its kin make it.

    Modules are called as in torchvision: ``conv1``, ``bn1``, ``relu``, ``layer1``, …, ``fc``.

    Parameters
    ----------
    channels : sequence of int
        Channels in each stage; from the second on, a stage halves height and width.
    n_blocks : int
        Blocks of two convolutions in each stage.
    n_classes, in_channels : int
        Numbers of classes and of channels of an image.

    References
    ----------
    .. [1] K. He, X. Zhang, S. Ren, J. Sun, "Deep residual learning for image recognition",
       CVPR 2016.
    """

    def __init__(
        self, channels: Sequence[int], n_blocks: int, n_classes: int, in_channels: int
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, channels[0], 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels[0])
        self.relu = nn.ReLU()
        self.stages: list[str] = []
        before = channels[0]
        for i, after in enumerate(channels, start=1):
            blocks = [_Block(before, after, stride=1 if i == 1 else 2)]
            blocks += [_Block(after, after, stride=1) for _ in range(n_blocks - 1)]
            self.stages.append(f"layer{i}")
            self.add_module(self.stages[-1], nn.Sequential(*blocks))
            before = after
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(before, n_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Return one score (logit) for each image and class."""
        x = self.relu(self.bn1(self.conv1(x)))
        for stage in self.stages:
            x = self.get_submodule(stage)(x)
        scores: Tensor = self.fc(self.avgpool(x).flatten(1))
        return scores


def _resnet(
    channels: Sequence[int], n_blocks: int, n_classes: Any, in_channels: Any, seed: int
) -> ResNet:
    n_classes = whole_number("n_classes", n_classes, 2)
    in_channels = whole_number("in_channels", in_channels, 1)
    with torch.device("meta"):
        network = ResNet(channels, n_blocks, n_classes, in_channels)
    return _drawn(network, seed)


def resnet20(n_classes: int = 10, *, in_channels: int = 3, seed: int = 0) -> ResNet:
    """Build ResNet-20 [1]_: three stages of three blocks, with 16, 32 and 64 channels.

    Images may have any size; a code of one of 32×32 has 188,416 bits. Where a stage begins,
    a 1×1 convolution with batch normalization widens what skips a block.

    Every block uses one ReLU module twice: within, as ``layer1.0.relu``, and after the sum, as
    ``layer1.0.relu_1``.

    Parameters
    ----------
    n_classes : int, default 10
        Number of classes, at least 2.
    in_channels : int, default 3
        Channels of an image: 3 for colour, 1 for grey.
    seed : int, default 0
        Seed of the weights, drawn as `vgg` draws them.

    Returns
    -------
    torch.nn.Module
        On the CPU, in float32, in training mode; modules are called as in torchvision.

    Raises
    ------
    TypeError, ValueError
        If a size is not a whole number or too small.

    References
    ----------
    .. [1] K. He, X. Zhang, S. Ren, J. Sun, "Deep residual learning for image recognition",
       CVPR 2016.

    Examples
    --------
    >>> import nhlib as nh
    >>> nh.encode(resnet20(in_channels=1), torch.rand(2, 1, 8, 8))
    NeuralCodes(2 examples × 11776 bits, relu: 1024, layer1.0.relu: 1024,
        layer1.0.relu_1: 1024, … 14 more …, layer3.2.relu: 256, layer3.2.relu_1: 256)
    """
    return _resnet((16, 32, 64), 3, n_classes, in_channels, seed)


def resnet32(n_classes: int = 10, *, in_channels: int = 3, seed: int = 0) -> ResNet:
    """Build ResNet-32: as `resnet20`, with five blocks in each stage.

    Examples
    --------
    >>> sum(weight.numel() for weight in resnet32().parameters())
    466906
    """
    return _resnet((16, 32, 64), 5, n_classes, in_channels, seed)


def resnet56(n_classes: int = 10, *, in_channels: int = 3, seed: int = 0) -> ResNet:
    """Build ResNet-56: as `resnet20`, with nine blocks in each stage.

    Examples
    --------
    >>> sum(weight.numel() for weight in resnet56().parameters())
    855770
    """
    return _resnet((16, 32, 64), 9, n_classes, in_channels, seed)


def resnet18(n_classes: int = 10, *, in_channels: int = 3, seed: int = 0) -> ResNet:
    """Build ResNet-18 for small images: four stages of two blocks, 64 to 512 channels.

    Torchvision's network of this name begins with a 7×7 convolution and pooling, which leave
    little of a small image; here it is one 3×3 convolution. A code of an image of 32×32 has
    557,056 bits. See `resnet20` for parameters and layers.

    Examples
    --------
    >>> sum(weight.numel() for weight in resnet18().parameters())
    11173962
    """
    return _resnet((64, 128, 256, 512), 2, n_classes, in_channels, seed)


_Network = TypeVar("_Network", bound=nn.Module)


def _drawn(network: _Network, seed: int) -> _Network:
    """Give a network without values (on the meta device) its initial weights."""
    # So no constructor draws from the global random state, whatever its defaults: of a device,
    # or of a floating point type, which has to be float32.
    generator = torch.Generator().manual_seed(whole_number("seed", seed, 0))
    network.float().to_empty(device="cpu")
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu", generator=generator)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.BatchNorm2d):
            module.reset_parameters()
    return network


def imagenet_network(name: str, weights: Any = None, **options: Any) -> nn.Module:
    """Build a network for ImageNet with torchvision, trained if its weights can be had.

    Parameters
    ----------
    name : str
        One that ``torchvision.models.list_models()`` lists; the paper took ``"resnet50"``,
        ``"resnext50_32x4d"``, ``"wide_resnet50_2"`` and ``"vgg19"``.
    weights : str or torchvision weights, optional
        ``"DEFAULT"``, ``"IMAGENET1K_V1"``, …; by default none, so that the weights are random
        numbers from the global random state. Torchvision downloads them once.
    **options
        What the builder of this network takes besides.

    Returns
    -------
    torch.nn.Module
        In training mode; `encode` runs it in eval mode.

    Raises
    ------
    ValueError
        If there is no such network, or no such weights for it.
    FileNotFoundError
        If the weights are not there and cannot be downloaded. The message says what to fetch
        and where to put it.

    Examples
    --------
    >>> network = imagenet_network("resnet18")
    >>> network(torch.zeros(1, 3, 64, 64)).shape
    torch.Size([1, 1000])
    """
    from torchvision import models

    try:
        builder: Callable[..., nn.Module] = models.get_model_builder(name)
    except ValueError:
        near = difflib.get_close_matches(name, models.list_models(), n=1)
        hint = f", did you mean {near[0]!r}?" if near else "."
        raise ValueError(
            f"name: torchvision has no network {name!r}{hint} "
            "torchvision.models.list_models() lists them"
        ) from None
    try:
        return builder(weights=weights, **options)
    except KeyError:
        known = ", ".join(models.get_model_weights(name).__members__)
        raise ValueError(
            f"weights: for {name} there are {known} and None; not {weights!r}"
        ) from None
    except (URLError, OSError) as error:
        url = models.get_model_weights(name).verify(weights).url
        folder = Path(torch.hub.get_dir()) / "checkpoints"
        raise FileNotFoundError(
            f"weights: those of {name} are not on this machine and cannot be downloaded "
            f"({error}). Fetch {url} elsewhere and put it into {folder}, or pass weights=None"
        ) from error
