"""Going back to one cell: the names that it reads still mean what they meant.

A notebook is run from top to bottom, and then a reader goes back to a cell, changes a number and
runs this cell alone. It meets the names as the last cells have left them.
"""

import ast
import builtins
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

BOOK = Path(__file__).parents[2] / "book"
NOTEBOOKS = [
    path
    for path in sorted(BOOK.rglob("*.ipynb"))
    if not {"_build", ".ipynb_checkpoints"} & set(path.parts)
]
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
CHANGES = {"append", "extend", "update", "add", "insert", "remove", "pop", "clear", "setdefault"}


class Cell(ast.NodeVisitor):
    """What a cell reads of other cells, and what it sets; nodes are met as Python meets them.

    Attributes
    ----------
    reads : set of str
        Names read before the cell sets them.
    later : set of str
        Names read by its functions, whenever these are called.
    sets : dict
        Names that it binds, or whose contents it changes. An import gives its words: the same
        one in two cells means the same.
    """

    def __init__(self, source: str) -> None:
        self.reads: set[str] = set()
        self.later: set[str] = set()
        self.sets: dict[str, str] = {}
        self.local: list[set[str]] = []
        magic = re.compile(r"^[%!].*$", re.MULTILINE)
        self.visit(ast.parse(magic.sub("", source)))

    def _read(self, name: str) -> None:
        if name not in self.sets and not any(name in scope for scope in self.local):
            self.reads.add(name)

    def _set(self, name: str, meaning: str = "") -> None:
        if not any(name in scope for scope in self.local):
            self.sets[name] = meaning

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self._read(node.id)
        else:
            self._set(node.id)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str):  # pandas reads what a query names so
            for name in re.findall(r"(?<!\w)@([A-Za-z_]\w*)", node.value):
                self._read(name)

    def _change(self, node: ast.expr) -> None:
        while isinstance(node, (ast.Attribute, ast.Subscript)):
            node = node.value
        if isinstance(node, ast.Name):
            self._read(node.id)
            self._set(node.id)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        self.generic_visit(node)
        if not isinstance(node.ctx, ast.Load):
            self._change(node)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        self.generic_visit(node)
        if not isinstance(node.ctx, ast.Load):
            self._change(node)

    def visit_Call(self, node: ast.Call) -> None:
        self.generic_visit(node)
        if isinstance(node.func, ast.Attribute) and node.func.attr in CHANGES:
            self._change(node.func.value)

    def visit_Assign(self, node: ast.Assign) -> None:
        self.visit(node.value)
        for target in node.targets:
            self.visit(target)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value:
            self.visit(node.value)
            self.visit(node.target)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self.visit(node.value)
        self._change(node.target)

    def visit_For(self, node: ast.For) -> None:
        for part in (node.iter, node.target, *node.body, *node.orelse):
            self.visit(part)

    def visit_Import(self, node: ast.Import | ast.ImportFrom) -> None:
        for alias in node.names:
            self._set(alias.asname or alias.name.partition(".")[0], ast.unparse(node))

    visit_ImportFrom = visit_Import

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.Lambda) -> None:
        arguments = node.args
        for default in (*arguments.defaults, *filter(None, arguments.kw_defaults)):
            self.visit(default)
        if isinstance(node, ast.FunctionDef):
            for decorator in node.decorator_list:
                self.visit(decorator)
            self._set(node.name)
        body = node.body if isinstance(node.body, list) else [node.body]
        scope = {argument.arg for argument in ast.walk(arguments) if isinstance(argument, ast.arg)}
        inner = Cell("")
        inner.local = [*self.local, scope | _bound(body)]
        for part in body:
            inner.visit(part)
        self.later |= inner.reads | inner.later

    visit_Lambda = visit_FunctionDef

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        for part in (*node.bases, *node.decorator_list):
            self.visit(part)
        self.local.append(_bound(node.body))
        for part in node.body:
            self.visit(part)
        self.local.pop()
        self._set(node.name)

    def _comprehension(self, node: ast.expr) -> None:
        generators: list[ast.comprehension] = node.generators  # type: ignore[attr-defined]
        self.visit(generators[0].iter)
        self.local.append({name for g in generators for name in _targets(g.target)})
        for generator in generators:
            for part in (generator.iter, *generator.ifs):
                if part is not generators[0].iter:
                    self.visit(part)
        for field in ("key", "value", "elt"):
            if hasattr(node, field):
                self.visit(getattr(node, field))
        self.local.pop()

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _comprehension


def _targets(node: ast.AST) -> set[str]:
    stores = (n for n in ast.walk(node) if isinstance(n, ast.Name))
    return {n.id for n in stores if isinstance(n.ctx, ast.Store)}


def _bound(body: list[ast.stmt] | list[ast.expr]) -> set[str]:
    """Return the names that are local to a function or class with this body."""
    names: set[str] = set()
    for part in body:
        names |= _targets(part)
        for node in ast.walk(part):
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                names.add(node.name)
    return names


def ambiguous(sources: list[str]) -> Iterator[str]:
    """Yield the names that a cell takes from another, and that more than one cell sets."""
    cells = [Cell(source) for source in sources]
    setters: dict[str, dict[int, str]] = defaultdict(dict)
    for number, cell in enumerate(cells):
        for name, meaning in cell.sets.items():
            setters[name][number] = meaning
    for number, cell in enumerate(cells):
        for name in sorted(cell.reads | cell.later):
            by = setters[name]
            same = len(set(by.values())) == 1 and all(by.values())
            if len(by) > 1 and not same:
                yield f"cell {number} takes {name}, which the cells {[*by]} set"


def code_of(path: Path) -> list[str]:
    cells = json.loads(path.read_text("utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_what_a_cell_takes_from_another_is_set_by_one_cell_only(path: Path) -> None:
    assert list(ambiguous(code_of(path))) == []


@pytest.mark.parametrize(
    "path", sorted(BOOK.glob("claims/pages/[0-9a-z]*.py")), ids=lambda path: path.stem
)
def test_what_is_said_of_a_notebook_names_what_one_cell_has_set(path: Path) -> None:
    if path.stem == "comparison":
        return
    (notebook,) = (notebook for notebook in NOTEBOOKS if notebook.stem == path.stem)
    code, claims = code_of(notebook), path.read_text("utf-8")
    assert list(ambiguous([*code, claims])) == []
    said = Cell(claims)
    known = set().union(*(Cell(source).sets for source in code), dir(builtins))
    assert (said.reads | said.later) - said.sets.keys() <= known


@pytest.mark.parametrize(
    ("cells", "found"),
    [
        (["rows = [1]", "len(rows)", "rows = {}"], "cell 1 takes rows, which the cells [0, 2] set"),
        (["a = {}", "a['x'] = 1"], "cell 1 takes a, which the cells [0, 1] set"),
        (["a = []", "a.append(1)"], "cell 1 takes a, which the cells [0, 1] set"),
        (
            ["a = 1", "def f():\n    return a", "a = 2"],
            "cell 1 takes a, which the cells [0, 2] set",
        ),
        (["a = 1", "t.query('x == @a')", "a = 2"], "cell 1 takes a, which the cells [0, 2] set"),
        (["n = 1", "n += 1"], "cell 1 takes n, which the cells [0, 1] set"),
        (["a = 1", "f = lambda: a", "for a in x: pass"], "cell 1 takes a, which"),
        (["rows = [1]\nlen(rows)", "rows = {}\nrows.clear()"], None),
        (["x = 1", "[x for x in y]", "sum(x for x in y)", "lambda x: x"], None),
        (["a = 1", "def f(a):\n    b = a\n    return b", "b = 2", "a = 3"], None),
        (["import a", "a.b", "import a"], None),
        (["a = 1", "class C:\n    a = 2\n    b = a", "%magic a", "a = 3"], None),
    ],
)
def test_the_lint_itself(cells: list[str], found: str | None) -> None:
    complaints = list(ambiguous(cells))
    assert len(complaints) == (found is not None)
    assert found is None or complaints[0].startswith(found)
