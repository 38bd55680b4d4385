"""What a reader installs, and what the repository may hold."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

import nhlib

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
DIRECT = [
    Requirement(line)
    for group in (PROJECT["dependencies"], *PROJECT["optional-dependencies"].values())
    for line in group
]
CONSTRAINTS = [
    Requirement(line)
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
]

# What torch brings along for CUDA: it pins these itself, and differently in each of its builds.
BROUGHT_BY_TORCH = re.compile(r"nvidia|cuda|triton")


def pin(name: str) -> Version:
    """Return the version that constraints.txt gives a package."""
    (specifier,) = next(c for c in CONSTRAINTS if same(c.name, name)).specifier
    assert specifier.operator == "=="
    return Version(specifier.version)


def same(one: str, other: str) -> bool:
    return canonicalize_name(one) == canonicalize_name(other)


def repository_files() -> list[Path]:
    """Return every file of the repository that git tracks or would track."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listing = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [ROOT / name for name in listing.split("\0") if name and (ROOT / name).is_file()]


@pytest.mark.parametrize("requirement", DIRECT, ids=lambda requirement: requirement.name)
def test_direct_dependency_is_pinned_within_its_range(requirement: Requirement) -> None:
    assert pin(requirement.name) in requirement.specifier


def test_each_constraint_is_one_exact_version() -> None:
    names = [canonicalize_name(constraint.name) for constraint in CONSTRAINTS]
    assert len(names) == len(set(names))
    for constraint in CONSTRAINTS:
        assert re.fullmatch(r"==[^*,]+", str(constraint.specifier)), constraint
        assert not BROUGHT_BY_TORCH.match(constraint.name), constraint


def test_no_setting_changes_what_uv_installs() -> None:
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    # All of it holds for every `uv pip install` in the clone: all-extras stops each of them.
    assert "uv" not in tools
    assert not (ROOT / "uv.toml").exists()


def test_nothing_that_is_installed_is_left_unpinned() -> None:
    pinned = {canonicalize_name(constraint.name) for constraint in CONSTRAINTS}
    seen: set[tuple[str, str]] = set()
    waiting = [
        (requirement.name, extra) for requirement in DIRECT for extra in ("", *requirement.extras)
    ]
    while waiting:
        package, extra = waiting.pop()
        name = canonicalize_name(package)
        if (name, extra) in seen or BROUGHT_BY_TORCH.match(name):
            continue
        seen.add((name, extra))
        assert name in pinned, (
            f"{name} is missing in constraints.txt: its head says how to refresh it"
        )
        try:
            lines = requires(name) or []
        except PackageNotFoundError:
            continue
        for needed in map(Requirement, lines):
            if needed.marker is None or needed.marker.evaluate({"extra": extra}):
                waiting += [(needed.name, e) for e in ("", *needed.extras)]


def test_conda_environment_installs_the_package_with_the_same_pins() -> None:
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    python, pip, from_pip = environment["dependencies"]
    name, version = python.split("=")
    assert (name, pip) == ("python", "pip")
    assert version in Requirement(f"python{PROJECT['requires-python']}").specifier
    # Relative to environment.yml; every direct dependency and its version come through these.
    assert from_pip["pip"][1:] == [
        "--constraint constraints.txt",
        "--editable .[book,classroom,regions]",
    ]
    # Binder has no GPU and little disk: the first line adds PyTorch's builds without CUDA.
    assert from_pip["pip"][0] == "--extra-index-url https://download.pytorch.org/whl/cpu"
    assert Version(f"{pin('torch')}+cpu") > pin("torch")
    assert f"{pin('torch')}+cpu" in Requirement(f"torch=={pin('torch')}").specifier


def test_make_has_the_documented_targets() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (phony,) = re.findall(r"^\.PHONY: (.*)$", makefile, flags=re.MULTILINE)
    pages = [(ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "CONTRIBUTING.md")]
    called = re.compile(r"(?:^|`|\S=\S+ )make ([\w-]+)", flags=re.MULTILINE)
    targets = {*"book test lab bench claims classroom lint coverage lowest".split()}
    targets.add("check-notebooks")
    assert {*phony.split()} == targets
    assert {target for page in pages for target in called.findall(page)} == targets
    assert {*called.findall(pages[1])} == targets  # with what each takes


@pytest.mark.skipif(os.name == "nt", reason="neither make nor executable bits on Windows")
def test_continuous_integration_runs_the_two_commands_of_the_readme() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    lines = script.read_text(encoding="utf-8").splitlines()
    commands = [line.split()[1] for line in lines if line.startswith("make ")]
    assert commands == ["lint", "book", "test"]


def test_version_is_that_of_the_project() -> None:
    assert nhlib.__version__ == PROJECT["version"]


def test_import_stays_light() -> None:
    script = """
import sys, time
import torch
start = time.process_time()
import nhlib
print(time.process_time() - start, *sys.modules)
"""
    heavy = {"matplotlib", "seaborn", "pandas", "sklearn", "scipy", "torchvision", "PIL", "faiss"}
    heavy |= {"anywidget", "ipywidgets", "IPython", "tqdm.notebook", "beartype"}
    seconds = []
    for _ in range(3):  # a busy machine slows single runs
        out = subprocess.run(
            [sys.executable, "-c", script], check=True, capture_output=True, text=True
        ).stdout.split()
        assert not heavy & set(out)
        seconds.append(float(out[0]))
        if seconds[-1] < 0.5:
            break
    assert min(seconds) < 0.5


def test_wheel_holds_every_file_of_the_package(tmp_path: Path) -> None:
    tracked = [path.relative_to(ROOT) for path in repository_files()]
    package = {path.as_posix() for path in tracked if path.parts[0] == "nhlib"}
    for name in (*package, "pyproject.toml", "README.md", "LICENSE"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    build = "import sys, setuptools.build_meta as backend; print(backend.build_wheel(sys.argv[1]))"
    subprocess.run(
        [sys.executable, "-c", build, "dist"], cwd=tmp_path, check=True, capture_output=True
    )
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        shipped = {name for name in archive.namelist() if name.startswith("nhlib/")}
    assert shipped == package


def test_notebooks_are_stored_without_outputs() -> None:
    for path in repository_files():
        if path.suffix != ".ipynb":
            continue
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] == "code":
                assert cell["outputs"] == [], f"{path.name} is stored with outputs"
                assert cell["execution_count"] is None, f"{path.name} is stored with counts"


def test_no_file_names_a_folder_of_one_machine() -> None:
    home = re.compile(rb"(?<![\w.~/-])(?:/(?:root|home|Users|work)/\w|[A-Z]:\\\\?Users\\)")
    for path in repository_files():
        found = home.search(path.read_bytes())
        assert not found or b"\0" in path.read_bytes(), f"{path}: {found}"
