"""What `make check-notebooks` runs; here without running it."""

import check_notebooks as checks
import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output


def notebook(*code: str) -> NotebookNode:
    return new_notebook(cells=[new_markdown_cell("seed=0, epochs=30"), *map(new_code_cell, code)])


@pytest.mark.parametrize(
    ("change", "code", "other"),
    [
        ("another seed", "f(x, seed=0)", "f(x, seed=7)"),
        ("another width", "mlp(64, [50], 10)", "mlp(64, [30], 10)"),
        ("fewer epochs", "Recipe(epochs=30)", "Recipe(epochs=20)"),
        ("fewer epochs", "EPOCHS = (0, 1, 3, 10, 30)", "EPOCHS = (0, 1, 3, 10, 20)"),
        ("fewer epochs", "MOMENTS = (0, 30)", "MOMENTS = (0, 15)"),
        ("fewer epochs", "snapshots=(0, 3)", None),
        ("another seed", "for seed in range(3): pass", None),
    ],
)
def test_changes_are_of_the_code_alone(change: str, code: str, other: str | None) -> None:
    before = notebook("import a", code)
    after = checks.changed(before, change)
    if other is None:
        assert after is None
    else:
        assert after is not None
        assert [cell["source"] for cell in after["cells"]] == [
            "seed=0, epochs=30",
            "import a",
            other,
        ]
    assert before["cells"][2]["source"] == code


@pytest.mark.parametrize("change", checks.CHANGES)
def test_chapters_have_numbers_to_change(change: str) -> None:
    chapters = [name for name in checks.NAMES if name.startswith("chapters/")]
    assert len(chapters) == 8
    with_it = {
        name
        for name in chapters
        if checks.changed(nbformat.read(checks.BOOK / f"{name}.ipynb", as_version=4), change)
    }
    assert len(with_it) >= (6 if change == "another width" else 8)


def test_cells_run_again_from_bottom_to_top_and_say_the_same() -> None:
    again = checks.run_again(notebook("1", "2", "3"))
    cells = checks.code_cells(again)
    assert [cell["source"] for cell in cells] == [*"123321"]
    assert len({cell["id"] for cell in again["cells"]}) == len(again["cells"])
    for cell, said in zip(cells, [*"abcxba"], strict=True):
        cell["outputs"] = [
            new_output("stream", name="stdout", text=said),
            new_output("stream", name="stderr", text="progress"),
            new_output("display_data", data={"text/plain": "<Figure at 0x7f12>"}),
        ]
    (complaint,) = checks.other_words(again)
    assert complaint.startswith("cell 3 of code gives another output when it is run again:\nx")
