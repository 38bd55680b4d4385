"""The ledger: sentences about networks, each with an experiment that could refute it.

A claim is a function of this folder's other files. It yields trials: a name each, and a margin, by
how much the sentence held; a margin of 0 or less refutes it. The sentence itself stands in the book
alone, before the link ``[°](../appendix/claims.md#name-of-the-function)``.
"""

import hashlib
import inspect
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
BOOK = HERE.parent
RESULTS = BOOK / "results"

Trial = tuple[str, float]

LINK = re.compile(r"\[°\]\((?:\.\./|\./)?(?:appendix/)?claims\.md#([a-z0-9-]+)\)")
# Where a sentence begins: after the end of another one, or of a paragraph, an item, a cell.
_BEGIN = re.compile(
    r"(?:[.!?]\**|\n)\s+(?=\S)|^\s*(?:[*-]|\d+\.)\s+|\|\s*|^\s+",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Claim:
    """What a claim is, and how it is tried.

    Attributes
    ----------
    name, topic : str
        What links call it, and the file that it is in.
    about : str
        What a trial is and what its margin says: the function's docstring.
    scope : str
        What the trials are taken from: data, recipe, sizes, seeds.
    trials : callable
        Tries it.
    broken_by : str
        Where it is known to fail, if it is.
    believed : str
        Of a sentence that was refuted, and that the book no longer says: the sentence.
    reads : tuple of str
        The tables of book/results that it reads.
    cheap : bool
        Whether `make test` tries it again.
    """

    name: str
    topic: str
    about: str
    scope: str
    trials: Callable[[], Iterable[Trial]]
    broken_by: str = ""
    believed: str = ""
    reads: tuple[str, ...] = ()
    cheap: bool = False

    def fingerprint(self, said_as: "list[Sentence]") -> str:
        """Return what changes when the sentence, the trials or the tables that they read do."""
        texts = [sentence.text for sentence in said_as]
        said = [
            texts,
            self.scope,
            self.broken_by,
            self.believed,
            *_sources(self.trials),
        ]
        digest = hashlib.sha256(json.dumps(said).encode())
        for table in self.reads:
            digest.update((RESULTS / f"{table}.csv").read_bytes())
        return digest.hexdigest()[:16]


CLAIMS: dict[str, Claim] = {}


def claim(scope: str, **more: Any) -> Callable[[Callable[[], Iterable[Trial]]], Claim]:
    """Enter a function into the ledger; see `Claim` for what is told of it."""

    def enter(function: Callable[[], Iterable[Trial]]) -> Claim:
        name = function.__name__.replace("_", "-")
        if name in CLAIMS and CLAIMS[name].topic != function.__module__:
            raise ValueError(f"{name}: there are two claims of this name")
        about = inspect.getdoc(function)
        if not about:
            raise ValueError(f"{name}: say in a docstring what a trial is, and what its margin")
        entry = Claim(name, function.__module__, about, scope, function, **more)
        CLAIMS[name] = entry
        return entry

    return enter


def topics() -> list[str]:
    """Load all files of claims, and return their names."""
    names = sorted(path.stem for path in HERE.glob("[a-z]*.py"))
    names = [name for name in names if name not in {"ledger", "runs", "appendix"}]
    for name in names:
        import_module(name)
    return names


def _sources(function: Callable[..., Any]) -> list[str]:
    """Return the source of a function, and of the functions of this folder that it calls."""
    found: dict[str, str] = {}
    waiting = [function]
    while waiting:
        one = inspect.unwrap(waiting.pop())
        if one.__qualname__ in found:
            continue
        found[one.__qualname__] = inspect.getsource(one)
        for name in one.__code__.co_names:
            other = inspect.unwrap(one.__globals__.get(name, one))
            if inspect.isfunction(other) and Path(inspect.getfile(other)).parent == HERE:
                waiting.append(other)
    return [found[name] for name in sorted(found)]


# -- sentences ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sentence:
    """A sentence of the book that has a claim, and the page that it stands on."""

    text: str
    page: str


def sentences() -> dict[str, list[Sentence]]:
    """Return the sentences before links to the ledger, by the name of the claim."""
    found: dict[str, list[Sentence]] = {}
    for page, source in _pages():
        for link in LINK.finditer(source):
            before = LINK.sub("", source[: link.start()]).rstrip()
            begins = [match.end() for match in _BEGIN.finditer(before[:-1])]
            text = " ".join(before[max(begins, default=0) :].split())
            found.setdefault(link[1], []).append(Sentence(text, page))
    return found


def _pages() -> Iterator[tuple[str, str]]:
    for path in sorted(BOOK.glob("**/*.ipynb")) + sorted(BOOK.glob("**/*.md")):
        name = path.relative_to(BOOK).with_suffix("").as_posix()
        if name.startswith(("_", ".")) or "/." in name or name == "appendix/claims":
            continue
        if path.suffix == ".md":
            yield name, path.read_text("utf-8")
            continue
        for cell in json.loads(path.read_text("utf-8"))["cells"]:
            if cell["cell_type"] == "markdown":
                yield name, "".join(cell["source"])


# -- what was found ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Found:
    """How the trials of a claim ended."""

    held: int
    tried: int
    least: float

    @property
    def verdict(self) -> str:
        """In words: what a sentence may say."""
        if self.held == self.tried:
            return "held"
        return "usually" if 4 * self.held >= 3 * self.tried else "refuted"

    @property
    def count(self) -> str:
        """How many of how many."""
        return f"{self.held} of {self.tried}"


def found() -> dict[str, Found]:
    """Read how the trials ended, by the name of the claim."""
    import csv

    margins: dict[str, list[float]] = {}
    with (RESULTS / "claims.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            margins.setdefault(row["claim"], []).append(float(row["margin"]))
    return {
        name: Found(sum(margin > 0 for margin in of_one), len(of_one), min(of_one))
        for name, of_one in margins.items()
    }
