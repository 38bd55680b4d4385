"""The reference names what can be imported, and the bibliography what is cited."""

import inspect
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import nhlib as nh

ROOT = Path(__file__).parents[2]
REFERENCE = (ROOT / "book" / "appendix" / "reference.rst").read_text("utf-8")
ENTRIES = {
    entry.partition(",")[0]: entry
    for entry in re.split(
        r"^@\w+\{", (ROOT / "book" / "references.bib").read_text("utf-8"), flags=re.MULTILINE
    )
    if entry.strip()
}


def documented() -> Iterator[tuple[str, str]]:
    """Yield the module and the name of each entry of the reference."""
    blocks = re.finditer(r"\.\. automodule:: (\S+)\n((?:   :.*\n?)+)", REFERENCE)
    for path, options in (block.groups() for block in blocks):
        module = import_module(path)
        (named,) = re.findall(r":members:(.*)", options)
        yield from ((path, name) for name in re.findall(r"\w+", named))
        if not named.strip():
            imported = getattr(module, "__all__", []) if "imported-members" in options else []
            for name, value in vars(module).items():
                public = (inspect.isclass(value) or inspect.isfunction(value)) and name[0] != "_"
                if name in imported or (public and value.__module__ == path):
                    yield path, name


def test_reference_says_from_where_a_name_comes() -> None:
    names = set(documented())
    assert {name for _, name in names} >= set(nh.__all__)
    introduction, _, _ = REFERENCE.partition("eleven rooms")
    for path, name in names:
        _, room, *_ = path.split(".")
        assert hasattr(import_module(path), name), f"{path} has no {name}"
        if name not in nh.__all__ and room == "classroom":
            assert f".. rubric:: {path}\n" in REFERENCE
        elif name not in nh.__all__:
            assert f"``nhlib.{room}.{name}``" in introduction
            assert name in import_module(f"nhlib.{room}").__all__
    for path in re.findall(r"``nhlib\.(\w+\.\w+)``", introduction):
        assert path.partition(".")[2] not in nh.__all__


def test_every_work_of_the_bibliography_has_a_link() -> None:
    for key, entry in ENTRIES.items():
        assert re.search(r"^ +(doi|eprint|url) += \{", entry, re.MULTILINE), key
        assert ("eprint" in entry) == ("archiveprefix" in entry), key


def title(text: str) -> str:
    return re.sub(r"[^a-z]", "", text.lower().replace("--", ""))


def test_what_docstrings_cite_is_in_the_bibliography() -> None:
    titles = [
        title(re.findall(r"^ +title += \{(.*)\},$", e, re.MULTILINE)[0]) for e in ENTRIES.values()
    ]
    cited = {
        " ".join(match.split())
        for path in (ROOT / "nhlib").rglob("*.py")
        for match in re.findall(r'\.\. \[\d+\][^"]*?"([^"]+)"', path.read_text("utf-8"))
    }
    assert len(cited) > 20
    for work in cited:
        assert any(known.startswith(title(work)) for known in titles), work
