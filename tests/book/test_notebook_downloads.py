"""A notebook is downloaded with the tables that it reads."""

import io
import zipfile
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from notebook_downloads import pack, tables

TABLES = ("codes", "mnist_codes", "mnist_width", "mnist_time", "paper_mnist_width")


@pytest.fixture
def book(tmp_path: Path) -> Path:
    for name in TABLES:
        path = tmp_path / "results" / f"{name}.csv"
        path.parent.mkdir(exist_ok=True)
        path.write_text("a,b\n", "utf-8")
    (tmp_path / "results" / "codes.json").write_text("{}", "utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ('pd.read_csv("../results/codes.csv")', ["codes"]),
        ('pd.read_csv("results/codes.csv")', ["codes"]),
        ("{'MNIST': '../results/mnist_time.csv'}", ["mnist_time"]),
        ('f"../results/mnist_{name}.csv"\n"width"', ["mnist_width"]),
        ('%config x\nf"../results/{name}.csv"\n["mnist_time", "other"]', ["mnist_time"]),
        (
            'f"results/mnist_{x}.csv"\n"codes"; "results/mnist_time.csv"',
            ["mnist_codes", "mnist_time"],
        ),
        ('# "results/codes.csv"\n"results"', []),
    ],
)
def test_tables_are_those_that_the_code_names(book: Path, code: str, names: list[str]) -> None:
    cells = [new_markdown_cell("`../results/paper_mnist_width.csv`"), new_code_cell(code)]
    found = tables(new_notebook(cells=cells), book)
    assert [table.stem for table in found] == names


def test_zip_unpacks_to_a_folder_in_which_the_names_lead_to_the_tables(
    book: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    code = 'open("../results/codes.csv").read()'
    source = book / "chapters" / "one.ipynb"
    source.parent.mkdir()
    nbformat.write(new_notebook(cells=[new_code_cell(code)]), source)
    packed = pack(source, book)
    assert packed == pack(source, book)
    folder = tmp_path_factory.mktemp("downloads")
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        archive.extractall(folder)
    (notebook,) = folder.rglob("*.ipynb")
    assert notebook.read_bytes() == source.read_bytes()
    assert (notebook.parent / "../results/codes.csv").read_text("utf-8") == "a,b\n"
    assert len([path for path in folder.rglob("*") if path.is_file()]) == 2
