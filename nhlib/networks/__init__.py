"""Networks that are studied, and how any network is run and left as it was found."""

from nhlib.networks.convolutional import vgg, vgg16, vgg19
from nhlib.networks.fully_connected import mlp
from nhlib.networks.imagenet import imagenet_network
from nhlib.networks.inference import (
    as_tensor,
    batch_size_for,
    batches_of,
    device_of,
    dtype_of,
    not_plain,
    undisturbed,
    unwrap,
)
from nhlib.networks.residual import ResNet, resnet18, resnet20, resnet32, resnet56

__all__ = [
    "ResNet",
    "as_tensor",
    "batch_size_for",
    "batches_of",
    "device_of",
    "dtype_of",
    "imagenet_network",
    "mlp",
    "not_plain",
    "resnet18",
    "resnet20",
    "resnet32",
    "resnet56",
    "undisturbed",
    "unwrap",
    "vgg",
    "vgg16",
    "vgg19",
]
