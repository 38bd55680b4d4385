"""Rows of a table, measured job by job and kept at once: a run may be stopped, and goes on."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pandas as pd
from nhlib._files import replacing
from nhlib._progress import progress_bar

BUILD = Path(__file__).parents[2] / "build" / "results"


def table_of(
    name: str, jobs: Iterable[tuple], measure: Callable[..., list[dict[str, Any]]]
) -> pd.DataFrame:
    """Return the rows of all jobs; what a job has measured is under build/results/NAME/."""
    folder = BUILD / name
    folder.mkdir(parents=True, exist_ok=True)
    jobs, rows = list(jobs), []
    with progress_bar(name, len(jobs), "jobs") as bar:
        for job in jobs:
            file = folder / ("-".join(map(str, job)) + ".json")
            if not file.exists():
                with replacing(file) as partial:
                    partial.write_text(json.dumps(measure(*job)))
            rows += json.loads(file.read_text())
            bar.update()
    return pd.DataFrame(rows)
