"""Residual networks for small images."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from nhlib._arguments import whole_number
from nhlib.networks.initialization import draw_weights


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
    return draw_weights(network, seed)


def resnet20(n_classes: int = 10, *, in_channels: int = 3, seed: int = 0) -> ResNet:
    """Build ResNet-20 [1]_: three stages of three blocks, with 16, 32 and 64 channels.

    Images may have any size; a code of one of 32×32 has 188,416 bits. Where the
    second and the third stage begin, a 1×1 convolution with batch normalization widens what skips
    a block.

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
