"""Training from within an explorer: in a thread of the kernel, row by row, until cancelled."""

import threading
import time
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Any

import traitlets

from nhlib.data import can_load
from nhlib.explorers.common.explorer import Explorer
from nhlib.explorers.engine.settings import facts
from nhlib.sweeps import FACTORS, Grid, Results, measure, run

if TYPE_CHECKING:
    import pandas as pd

# Of nhlib.sweep: what may be asked for. The data set is that of the table.
_SETTINGS = {*FACTORS, "measures"} - {"data"}
# Examples to show to the networks of a batch. Few, so that rows come soon: ten networks on the
# digits, or one on MNIST.
_MOST = 3e5
# Seconds between two pictures of a table that grows.
_PAUSE = 0.5


class Running(Explorer):
    """An explorer whose reader can ask for networks that nobody has measured yet.

    On the digits the page trains them itself, by what the trait ``_facts`` tells it of nhlib. For
    Python the script sends ``{"kind": "run", "table": name, "settings": {...}}`` with arguments of
    `nhlib.sweep`, or ``{"kind": "cancel"}`` (``running.js`` does it). What the table has is not
    measured again. How far it is stands in the trait ``_run``: ``state`` is ``"idle"``,
    ``"running"``, ``"done"``, ``"cancelled"`` or ``"failed"``, ``text`` says it in words, ``done``
    and ``total`` count rows.

    Attributes
    ----------
    tables : dict of str to DataFrame
        What has been measured until now, as `nhlib.sweep` gives it. A subclass fills it, and
        `_take` renews a table whenever rows have come.
    """

    # Also of an explorer that was refused before it was complete, and is closed.
    _thread: threading.Thread | None = None
    _run: "traitlets.Dict[str, Any]" = traitlets.Dict(
        {"state": "idle", "text": "", "done": 0, "total": 0}
    ).tag(sync=True)

    _facts = traitlets.Dict().tag(sync=True)

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._facts = facts()
        self.tables: dict[str, pd.DataFrame] = {}
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self.on_msg(self._hear)

    def _take(self, name: str, table: "pd.DataFrame") -> None:
        """Show a table with new rows; called in the thread that measures them."""
        raise NotImplementedError

    def close(self) -> None:
        """Close the explorer, and cancel what it trains."""
        if self._thread is not None:
            self._cancel()
        super().close()

    def _hear(self, _: Any, message: Any, __: Any) -> None:
        kind = message.get("kind") if isinstance(message, dict) else None
        if kind == "run":
            self._start(message.get("table"), message.get("settings"))
        elif kind == "cancel":
            self._cancel()

    def _start(self, name: Any, settings: Any) -> None:
        with self._lock:
            if self._thread is not None:
                return  # the button is disabled; another view was quicker
            wrong = self._wrong(name, settings)
            if wrong:
                self._tell("failed", wrong)
                return
            data = str(self.tables[name]["data"].iloc[0])
            self._tell("running", f"Loading {data}.")
            # A daemon: a kernel that is shut down does not wait for it.
            self._thread = threading.Thread(
                target=self._work, args=(name, data, settings), daemon=True
            )
            self._thread.start()

    def _wrong(self, name: Any, settings: Any) -> str | None:
        """Say what is wrong with a request, apart from what the grid will say."""
        if name not in self.tables:
            return f"table: there are {', '.join(self.tables)}, not {name!r}"
        data = str(self.tables[name]["data"].iloc[0])
        if not can_load(data):
            return f"table: {name} is of the data set {data!r}, which nh.load does not have"
        if not isinstance(settings, dict) or not settings.keys() <= _SETTINGS:
            return f"settings: some of {', '.join(sorted(_SETTINGS))} are needed, not {settings!r}"
        return None

    def _cancel(self) -> None:
        with self._lock:
            if self._thread is None or self._stop.is_set():
                return
            self._stop.set()
            self._tell("running", "Cancelling.", self._run["done"], self._run["total"])

    def _work(self, name: str, data: str, settings: dict[str, Any]) -> None:
        try:
            outcome = self._train(name, data, settings)
        except Exception as error:
            outcome = "failed", str(error) or type(error).__name__
        with self._lock:
            self._thread = None  # from here on there is nothing to cancel
            self._stop.clear()
            self._tell(*outcome, self._run["done"], self._run["total"])

    def _train(self, name: str, data: str, settings: dict[str, Any]) -> tuple[str, str]:
        """Measure what the table lacks, and return how it ended."""
        grid = Grid(data=data, **settings)
        failed = None
        # In memory, and of this thread: SQLite does not share what it has opened.
        with Results(":memory:") as results:
            results.add_table(self.tables[name])
            missing = grid.missing(results)
            done, total = 0, sum(len(late) for late in missing.values())
            if not total:
                return "done", "All of this is in the table already."
            text = f"Training {len(missing)} network{'s' * (len(missing) > 1)} on {data}."

            def show() -> None:
                with self._lock:
                    if done:
                        self._take(name, results.table())
                    now = "Cancelling." if self._stop.is_set() else text
                    self._tell("running", now, done, total)

            show()
            shown = time.monotonic()
            way = partial(measure, stop=self._stop.is_set, most=_MOST, least=1)
            try:
                with closing(run(grid, results, way)) as rows:
                    for row in rows:
                        done += 1
                        failed = row.get("failed", failed)
                        if time.monotonic() - shown > _PAUSE:
                            show()
                            shown = time.monotonic()
            finally:
                show()
        if done < total:
            return "cancelled", f"Cancelled. {done} of {total} rows are measured and kept."
        ended = f"Done: {total} new row{'s' * (total > 1)}."
        return "done", ended + (f" Some training failed: {failed}." if failed else "")

    def _tell(self, state: str, text: str, done: int = 0, total: int = 0) -> None:
        self._run = {"state": state, "text": text, "done": done, "total": total}
