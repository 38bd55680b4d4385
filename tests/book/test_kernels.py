"""Notebooks are executed side by side, and put out what they would one after another."""

import os
from pathlib import Path

import kernels
import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook

FIGURE = """
import matplotlib.pyplot as plt
import numpy as np
random = np.random.default_rng(0)
plt.plot(random.normal(size=1000).cumsum())
plt.show()
"""
PRODUCT = "(random.normal(size=(300, 300)) @ random.normal(size=(300, 300))).sum().item()"


def of(*cells: str, tags: tuple[str, ...] = ()) -> NotebookNode:
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    code = [new_code_cell(cell, metadata={"tags": [*tags]}) for cell in cells]
    return new_notebook(cells=code, metadata={"kernelspec": kernel})


def execute(
    folder: Path, notebooks: dict[str, NotebookNode], timeout: int = 100
) -> dict[str, kernels.Execution | kernels.NotebookError]:
    for name, notebook in notebooks.items():
        nbformat.write(notebook, folder / name)
    waiting = {folder / name: notebook for name, notebook in notebooks.items()}
    return {path.name: done for path, done in kernels.execute(waiting, timeout, False)}


def test_outputs_are_those_of_one_after_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def outputs() -> dict[str, list[object]]:
        notebooks = {
            f"{i}.ipynb": of(f"print({i})", FIGURE, PRODUCT, f"{i} * 'x'") for i in range(3)
        }
        done = execute(tmp_path, notebooks)
        assert len(done) == 3
        found = {}
        for name, outcome in done.items():
            assert isinstance(outcome, kernels.Execution)
            assert outcome.notebook is notebooks[name]
            found[name] = [(c["execution_count"], c["outputs"]) for c in outcome.notebook["cells"]]
        return found

    monkeypatch.setattr(kernels, "cores", lambda: 1)
    one_after_another = outputs()
    monkeypatch.setattr(kernels, "cores", lambda: 3)
    assert outputs() == one_after_another
    for i in range(3):
        counts, cells = zip(*one_after_another[f"{i}.ipynb"], strict=True)
        assert counts == (1, 2, 3, 4)
        assert cells[0][0]["text"] == f"{i}\n"
        assert "image/png" in cells[1][0]["data"]
        assert "text/plain" in cells[2][0]["data"]
        assert cells[3][0]["data"]["text/plain"] == repr(i * "x")


def test_kernels_compute_with_one_thread(tmp_path: Path) -> None:
    (outcome,) = execute(
        tmp_path, {"a.ipynb": of("import torch; torch.get_num_threads()")}
    ).values()
    assert isinstance(outcome, kernels.Execution)
    assert outcome.notebook["cells"][0]["outputs"][0]["data"]["text/plain"] == "1"


def test_as_many_at_a_time_as_there_are_cores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Each waits until the other has begun, or counts who has begun before it has ended.
    meet = """
from pathlib import Path
import time
Path("{mine}").touch()
while not Path("{other}").exists():
    time.sleep(0.05)
"""
    pair = {
        "a.ipynb": of(meet.format(mine="a", other="b")),
        "b.ipynb": of(meet.format(mine="b", other="a")),
    }
    monkeypatch.setattr(kernels, "cores", lambda: 2)
    for outcome in execute(tmp_path, pair).values():
        assert isinstance(outcome, kernels.Execution)

    alone = """
from pathlib import Path
import time
running = Path("running")
running.touch(exist_ok=False)
time.sleep(0.5)
running.unlink()
"""
    monkeypatch.setattr(kernels, "cores", lambda: 1)
    for outcome in execute(tmp_path, {"c.ipynb": of(alone), "d.ipynb": of(alone)}).values():
        assert isinstance(outcome, kernels.Execution)


def test_cores_are_those_that_the_process_may_use() -> None:
    if not hasattr(os, "sched_setaffinity"):
        pytest.skip("this system binds no process to cores")
    before = os.sched_getaffinity(0)
    assert kernels.cores() == len(before)
    os.sched_setaffinity(0, {min(before)})
    try:
        assert kernels.cores() == 1
    finally:
        os.sched_setaffinity(0, before)


def test_each_runs_in_its_folder_and_tells_its_modules(tmp_path: Path) -> None:
    (tmp_path / "beside.py").write_text("")
    (tmp_path / "not_loaded.py").write_text("")
    (outcome,) = execute(tmp_path, {"a.ipynb": of("import beside, os; os.getcwd()")}).values()
    assert isinstance(outcome, kernels.Execution)
    (cell,) = outcome.notebook["cells"]
    assert cell["outputs"][0]["data"]["text/plain"] == repr(str(tmp_path))
    assert tmp_path / "beside.py" in outcome.modules
    assert tmp_path / "not_loaded.py" not in outcome.modules
    assert outcome.seconds > 0


def test_what_stops_one_is_told_and_stops_no_other(tmp_path: Path) -> None:
    done = execute(
        tmp_path,
        {
            "error.ipynb": of("1 + 1", "def f(x):\n    return 1 / x", "f(0)", "3"),
            "time.ipynb": of("import time; time.sleep(1000)"),
            "death.ipynb": of("import os; os._exit(1)"),
            "purpose.ipynb": of("1 / 0", tags=("raises-exception",)),
            "good.ipynb": of("1 + 1"),
        },
        timeout=5,
    )
    error = str(done["error.ipynb"])
    assert error.startswith("code cell [3]: ")
    assert "return 1 / x" in error
    assert "ZeroDivisionError: division by zero" in error
    assert "\x1b" not in error
    assert "code cell [1]: A cell timed out" in str(done["time.ipynb"])
    assert "code cell [1]: Kernel died" in str(done["death.ipynb"])
    for name in ("purpose.ipynb", "good.ipynb"):
        assert isinstance(done[name], kernels.Execution)
