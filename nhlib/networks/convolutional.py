"""Networks of 3×3 convolutions in the manner of VGG."""

from collections import OrderedDict
from collections.abc import Sequence

import torch
from torch import nn

from nhlib._arguments import whole_number
from nhlib.networks.initialization import draw_weights


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
    return draw_weights(network, seed)


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
