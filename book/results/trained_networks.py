"""Train the networks that come with nhlib, and write them to nhlib/weights.

    python book/results/trained_networks.py resnet20-cifar10 [--cifar10 folder:PATH]

After every epoch all that is needed to go on is kept under build/results/trained_networks/:
the run may be stopped at any time, and goes on where it was when it is started again.
"""

import argparse
import datetime
import os
from pathlib import Path

import nhlib as nh
from nhlib._provenance import device_name, versions
from nhlib.training import save_trained

from provenance import cifar10_source

ROOT = Path(__file__).parents[2]
KEPT = ROOT / "build" / "results" / "trained_networks"
NETWORKS = {
    "resnet20-cifar10": ("cifar10", 40_000, "resnet20", {}, nh.Recipe.modern(epochs=20)),
    "vgg-cifar10": (
        "cifar10",
        40_000,
        "vgg",
        {"blocks": [[32, 32], [64, 64], [128, 128]], "hidden": [128]},
        nh.Recipe.modern(epochs=16),
    ),
    "cnn-mnist": (
        "mnist",
        48_000,
        "vgg",
        {
            "blocks": [[8, 8], [16, 16]],
            "hidden": [64],
            "in_channels": 1,
            "image_size": 28,
        },
        nh.Recipe.modern(epochs=8, augmentation=nh.Augmentation(shift=2, flip=False)),
    ),
}
SEED = 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=NETWORKS)
    asked, cifar10 = cifar10_source(parser)
    data_name, train_size, builder, arguments, recipe = NETWORKS[asked.name]
    source = asked.cifar10 if data_name == "cifar10" else data_name
    title = {"mnist": "MNIST", "cifar10": cifar10}[data_name]
    data = nh.load(source, train_size=train_size)
    network = getattr(nh, builder)(**arguments, seed=SEED)
    KEPT.mkdir(parents=True, exist_ok=True)
    history = nh.fit(network, data, recipe, seed=SEED, checkpoint=KEPT / f"{asked.name}.training")
    about = {
        "data": f"{title}, {train_size:,} for training",
        "seed": SEED,
        "date": datetime.date.today().isoformat(),
        "machine": f"{device_name('cpu')}, {os.cpu_count()} cores",
        "versions": versions("nhlib", "PyTorch", "Python"),
    }
    save_trained(
        ROOT / "nhlib" / "weights" / f"{asked.name}.safetensors",
        network,
        builder,
        {**arguments, "seed": SEED},
        history,
        about,
    )
    print(history.table().to_string(index=False))


if __name__ == "__main__":
    main()
