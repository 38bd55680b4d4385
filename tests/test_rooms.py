"""The house: imports go down only, and a room is entered by its door."""

import ast
import re
from importlib import import_module
from pathlib import Path

import pytest

import nhlib

ROOT = Path(nhlib.__file__).parent
# A room imports those below it, and support, whose names begin with an underscore.
FLOORS = [
    {"data", "phases", "classroom"},
    {"networks"},
    {"training", "codes"},
    {"regions", "measures"},
    {"sweeps"},
    {"plots"},
    {"explorers"},
]
ROOMS = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
# The grader stands apart: of nhlib it knows support alone, and nothing of nhlib knows it.
APART = {"classroom", "phases"}
SUPPORT = sorted(ROOT.glob("_[a-z]*.py")) + sorted(ROOT.glob("_[a-z]*/*.py"))
MODULES = sorted({path for path in ROOT.rglob("*.py") if path.parent != ROOT} - {*SUPPORT})


def imports(path: Path) -> list[tuple[str, tuple[str, ...]]]:
    """Return the modules of nhlib that a file imports, and the names that it takes of each."""
    found: list[tuple[str, tuple[str, ...]]] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [(alias.name, ()) for alias in node.names if alias.name.startswith("nhlib")]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("nhlib"):
            found.append((str(node.module), tuple(alias.name for alias in node.names)))
    return found


def faults(path: Path, room: str) -> list[str]:
    """Say what a module of a room takes that it should not."""
    said = []
    for module, names in imports(path):
        _, _, inside = module.partition("nhlib.")
        other = inside.split(".")[0]
        if other == room or other.startswith("_"):
            continue
        if not inside:
            said += [f"{name} from nhlib itself" for name in names if not name.startswith("_")]
        elif ROOMS[other] >= ROOMS[room] or {room, other} & APART - {"phases"}:
            said.append(f"{other}, which is not below {room}")
        elif room in APART:
            said.append(f"{other}: {room} imports support alone")
        elif "." in inside:
            said.append(f"{module}: a room is entered by nhlib.{other}")
        else:
            door = import_module(f"nhlib.{other}").__all__
            said += [
                f"{name}, which nhlib.{other} does not list" for name in names if name not in door
            ]
    return said


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_imports_go_down_and_through_doors(path: Path) -> None:
    assert faults(path, path.relative_to(ROOT).parts[0]) == []


def test_the_rule_sees_what_breaks_it(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.py"
    wrong.write_text(
        "from nhlib._arguments import whole_number\n"
        "from nhlib.data import load, downloads\n"
        "from nhlib.codes.encoding import encode\n"
        "from nhlib.plots import plot_codes\n"
        "import nhlib.classroom\n"
        "from nhlib import fit\n"
    )
    assert [said.split(",")[0].split(":")[0] for said in faults(wrong, "measures")] == [
        "downloads",
        "nhlib.codes.encoding",
        "plots",
        "classroom",
        "fit from nhlib itself",
    ]


def test_support_imports_no_room() -> None:
    for path in SUPPORT:
        inside = [module.removeprefix("nhlib.") for module, _ in imports(path)]
        assert all(module.startswith("_") for module in inside), path.name


def test_there_are_eleven_rooms_and_few_names() -> None:
    folders = {path.parent.name for path in ROOT.glob("[a-z]*/__init__.py")}
    assert folders == ROOMS.keys()
    assert len(folders) == 11
    assert len(nhlib.__all__) <= 80
    assert list(nhlib.__all__) == sorted(nhlib.__all__)


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_what_a_room_lists_is_there_and_hides_no_file(room: str) -> None:
    module = import_module(f"nhlib.{room}")
    files = {path.stem for path in (ROOT / room).iterdir()}
    for name in module.__all__:
        assert hasattr(module, name)
        assert name not in files, f"{room}/{name} is a file and a name"


def test_tests_have_the_shape_of_the_package() -> None:
    tests = Path(__file__).parent
    folders = {path.name for path in tests.iterdir() if path.is_dir()}
    assert folders - {"__pycache__"} == ROOMS.keys() | {
        *("book", "browser", "devices", "fixtures", "javascript", "reference")
    }


def test_the_reference_says_what_uses_what() -> None:
    text = (ROOT.parent / "book" / "appendix" / "reference.rst").read_text(encoding="utf-8")
    told = {
        room: set(re.findall(r"``(\w+)``", line))
        for room, line in re.findall(r"^   \* - ``(\w+)``\n     - (.*)$", text, flags=re.MULTILINE)
    }
    used: dict[str, set[str]] = {room: set() for room in ROOMS}
    for path in MODULES:
        room = path.relative_to(ROOT).parts[0]
        others = {module.split(".")[1] for module, _ in imports(path) if "." in module}
        used[room] |= {other for other in others if not other.startswith("_")} - {room}
    assert told.pop("explorers") == {"classroom"}
    assert used.pop("explorers") == ROOMS.keys() - {"classroom", "explorers"}
    assert told == used
