"""What the scripts of this folder share: where CIFAR-10 comes from, and what ran them."""

import argparse
import datetime
import json
from importlib.metadata import version
from pathlib import Path

import torch
from nhlib._files import replacing
from nhlib._provenance import VERSIONS, machine

HERE = Path(__file__).parent


def cifar10_source(parser: argparse.ArgumentParser) -> tuple[argparse.Namespace, str]:
    """Read the command line; also return what to call the data set that it names."""
    parser.add_argument(
        "--cifar10",
        default="cifar10",
        help="what nhlib.load takes for CIFAR-10; folder:PATH for its images as JPEG",
    )
    asked = parser.parse_args()
    return asked, "CIFAR-10 (JPEG)" if asked.cifar10.startswith("folder:") else "CIFAR-10"


def surroundings() -> dict[str, str]:
    """Return versions, machine and date of this run."""
    return {
        "device": f"CPU, {torch.get_num_threads()} threads",
        "machine": machine(),
        "python": VERSIONS["Python"],
        "torch": VERSIONS["PyTorch"],
        "scikit-learn": version("scikit-learn"),
        "nhlib": VERSIONS["nhlib"],
        "date": datetime.date.today().isoformat(),
    }


def write_provenance(script: str, source: str, about: dict) -> None:
    """Write SCRIPT.json: how to repeat the tables, what they hold, and what ran them."""
    folder = " --cifar10 folder:PATH" if source.startswith("folder:") else ""
    told = {"command": f"python book/results/{script}.py{folder}"} | about | surroundings()
    with replacing(HERE / f"{script}.json") as partial:
        partial.write_text(json.dumps(told, indent=2) + "\n")
