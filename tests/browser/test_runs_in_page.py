"""Networks that a reader trains in the page: runs, what interrupts them, and what is kept."""

import io
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from explorer_page import words
from playwright.sync_api import Browser, Page, expect
from visits import violations

import nhlib as nh
from nhlib.explorers.phases.phase_explorer import PhaseExplorer
from nhlib.explorers.sweeps.sweep_explorer import SweepExplorer

KEYS = ["widths", "seed", "epoch"]
MEASURES = ["redundancy_train", "redundancy_test", "redundancy_random_n", "knn", "test_accuracy"]
PATIENCE = 120_000  # milliseconds
Visit = Callable[..., Page]


@pytest.fixture(scope="module")
def stored() -> pd.DataFrame:
    """Return a small sweep of the digits."""
    return nh.sweep(
        "digits",
        widths=[6, 12],
        epochs=[0, 2],
        train_sizes=[400, 800],
        measures=["redundancy", "knn"],
        progress=False,
    )


class Quiet(SimpleHTTPRequestHandler):
    """A server that does not write a line for each request."""

    def log_message(self, format: str, *args: object) -> None:
        """Write nothing."""


@pytest.fixture
def site_of(tmp_path: Path, page_of: Callable[..., str]) -> Iterator[Callable[..., str]]:
    """Return what puts a page with explorers on a web server, and gives its address.

    With `policy`, the page has a content-security policy; with `frame`, it stands in a sandbox.
    """
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path))) as server:
        threading.Thread(target=server.serve_forever).start()

        def address(explorer: Any, policy: str = "", frame: bool = False) -> str:
            page_of(explorer)
            name = "explorers.html"
            path = tmp_path / name
            head = f"<meta http-equiv='Content-Security-Policy' content=\"{policy}\">"
            if policy:
                text = path.read_text("utf-8").replace("<style>", head + "<style>", 1)
                path.write_text(text, "utf-8")
            if frame:
                name = "frame.html"
                (tmp_path / name).write_text(
                    "<iframe sandbox='allow-scripts' src='explorers.html' width=900 height=1500>",
                    "utf-8",
                )
            return f"http://127.0.0.1:{server.server_port}/{name}"

        yield address
        server.shutdown()


@pytest.fixture
def visit(browser: Browser, site_of: Callable[..., str]) -> Iterator[Visit]:
    """Return what opens an explorer, where a page may complain."""
    contexts = []

    def open_page(explorer: Any, screen: int = 1280, clock: bool = False, **how: Any) -> Page:
        context = browser.new_context(viewport={"width": screen, "height": 900})
        contexts.append(context)
        page = context.new_page()
        if clock:
            page.clock.install()
        page.goto(site_of(explorer, **how))
        return page

    yield open_page
    for context in contexts:
        context.close()


def laboratory(page: Any, **given: str) -> Any:
    """Open the form, write into it, and return it."""
    place = page.locator(".nh-laboratory")
    if place.get_attribute("open") is None:
        place.locator("summary").click()
    for label, text in given.items():
        place.get_by_label(label.replace("_", " "), exact=True).fill(text)
    return place


def ask(page: Any, **given: str) -> None:
    laboratory(page, **given).get_by_role("button", name="Run").click()


def status(page: Any) -> Any:
    return page.locator(".nh-standing [role=status]")


def done(page: Any, text: str = "Done") -> None:
    expect(status(page)).to_contain_text(text, timeout=PATIENCE)


def mine(page: Page) -> pd.DataFrame:
    """Return the rows that the page saves."""
    with page.expect_download() as download:
        page.get_by_role("button", name="Save mine as CSV").click()
    table = pd.read_csv(download.value.path(), dtype={"widths": str})
    return table.sort_values(KEYS, ignore_index=True)


SMALL = {"Widths": "6, 10", "Measure_at_epochs": "0, 3", "Seeds": "0, 1"}
LONG = {"Widths": "200", "Measure_at_epochs": "0, 60", "Seeds": "4"}


def test_a_run_gives_the_rows_of_sweep(
    opened: Callable[..., Page], stored: pd.DataFrame, tmp_path: Path
) -> None:
    page = opened(SweepExplorer(stored))
    ask(page, **SMALL)
    done(page, "Done: 8 new rows.")
    page.wait_for_function("document.querySelector('.nh-words').textContent.includes('yours')")
    assert "Seeds 0, 1 are yours." in words(page)
    assert page.locator(".nh-legend").inner_text() == "with seeds of yours"
    ours = mine(page)
    theirs = nh.sweep(
        "digits",
        widths=[6, 10],
        epochs=[0, 3],
        seeds=[0, 1],
        measures=["redundancy", "knn"],
        progress=False,
    ).sort_values(KEYS, ignore_index=True)
    assert ours[KEYS].equals(theirs[KEYS])
    for name in MEASURES:
        assert (ours[name] - theirs[name]).abs().max() <= 1 / 360 + 1e-9, name
    code = page.locator(".nh-call code").text_content()
    assert code
    assert "widths=[6, 10]" in code
    assert "seeds=range(2)" in code
    # The file is one for Python, and the explorer there shows it.
    ours.to_csv(tmp_path / "mine.csv", index=False)
    with nh.Results(":memory:") as results:
        results.add_table(pd.read_csv(tmp_path / "mine.csv", dtype={"widths": str}))
        assert len(SweepExplorer(results.table()).tables["digits"]) == 8


def test_a_reload_goes_on(visit: Visit, stored: pd.DataFrame) -> None:
    page = visit(SweepExplorer(stored))
    ask(page, **{**LONG, "Measure_at_epochs": "0, 1, 400"})
    page.wait_for_function("document.querySelector('.nh-standing').textContent.includes('2 of 3')")
    page.reload()
    expect(status(page)).to_contain_text("Your last run here was not finished")
    expect(page.locator(".nh-words")).to_contain_text("units")
    page.locator(".nh-standing").get_by_role("button", name="Go on").click()
    page.wait_for_function("document.querySelector('.nh-standing').textContent.includes('0 of 1')")
    page.get_by_role("button", name="Pause").click()
    expect(status(page)).to_have_text("Paused.")
    page.get_by_role("button", name="Cancel").click()
    expect(status(page)).to_have_text("Cancelled. 0 of 1 row are measured and kept.")
    laboratory(page)
    assert len(mine(page)) == 2
    page.get_by_role("button", name="Forget mine").click()
    page.wait_for_function("!document.querySelector('.nh-words').textContent.includes('yours')")
    page.reload()
    page.wait_for_selector(".nh-words:not(:empty)")
    expect(status(page)).to_have_text("")


def test_a_worker_that_dies_is_replaced(visit: Visit, stored: pd.DataFrame) -> None:
    page = visit(SweepExplorer(stored))
    started: list[Any] = []
    page.on("worker", lambda worker: started.append(worker))
    kill = "setTimeout(() => { throw new Error('out of memory'); })"

    def killed(n: int) -> None:
        """Kill the n-th worker once it trains."""
        while len(started) < n:
            page.wait_for_timeout(20)
        page.wait_for_timeout(100)
        started[n - 1].evaluate(kill)

    ask(page, **LONG)
    killed(1)
    done(page, "Done: ")
    assert set(mine(page)["epoch"]) == {0, 60}
    ask(page, **{**LONG, "Seeds": "5"})
    killed(2)
    killed(3)
    done(page, "The network of 200 units, seed 5, was given up: its worker ended twice")
    assert "out of memory" in status(page).inner_text()
    # The next run has a worker again.
    ask(page, **SMALL)
    done(page, "Done: 8 new rows.")


def test_a_worker_that_ends_without_a_word_is_replaced(visit: Visit, stored: pd.DataFrame) -> None:
    page = visit(SweepExplorer(stored), clock=True)
    started: list[Any] = []
    page.on("worker", lambda worker: started.append(worker))
    ask(page, **LONG)
    while not started:
        page.wait_for_timeout(20)
    started[0].evaluate("close()")
    while len(started) < 2:
        page.clock.run_for(5000)
    expect(status(page)).to_contain_text("Done", timeout=PATIENCE)


def test_a_tab_that_sleeps_goes_on(visit: Visit, stored: pd.DataFrame) -> None:
    page = visit(SweepExplorer(stored))
    session = page.context.new_cdp_session(page)
    ask(page, **{**LONG, "Widths": "60"})
    session.send("Page.setWebLifecycleState", {"state": "frozen"})
    page.wait_for_timeout(500)
    session.send("Page.setWebLifecycleState", {"state": "active"})
    done(page, "Done: 2 new rows.")


def test_where_storage_is_forbidden(visit: Visit, stored: pd.DataFrame) -> None:
    page = visit(SweepExplorer(stored), frame=True)
    inside = page.frame_locator("iframe")
    expect(status(inside)).to_have_text("")
    ask(inside, **SMALL)
    done(inside, "This browser keeps nothing for the next visit (SecurityError)")
    done(inside, "Done: 8 new rows.")


def test_where_storage_is_full(visit: Visit, stored: pd.DataFrame) -> None:
    page = visit(SweepExplorer(stored))
    session = page.context.new_cdp_session(page)
    origin = page.evaluate("location.origin")
    session.send("Storage.overrideQuotaForOrigin", {"origin": origin, "quotaSize": 1})
    ask(page, **SMALL)
    done(page, "This browser keeps nothing for the next visit (QuotaExceededError)")
    done(page, "Done: 8 new rows.")


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        ("worker-src 'none'", "This browser starts no worker here"),
        ("script-src 'unsafe-inline' blob:", "no WebAssembly with SIMD"),
        ("script-src 'unsafe-inline' 'wasm-unsafe-eval' blob:", "Done: 8 new rows."),
    ],
)
def test_what_a_policy_forbids_is_said(
    visit: Visit, stored: pd.DataFrame, policy: str, said: str
) -> None:
    page = visit(SweepExplorer(stored), policy=policy)
    ask(page, **SMALL)
    done(page, said)
    assert ("WebAssembly" in said) == ("WebAssembly" in status(page).inner_text())
    if "worker" not in said:
        done(page, "Done: 8 new rows.")


def test_files_of_python_are_opened_and_damaged_ones_are_not(
    opened: Callable[..., Page], stored: pd.DataFrame, tmp_path: Path
) -> None:
    page = opened(SweepExplorer(stored))
    place = laboratory(page)
    path = tmp_path / "measured.csv"
    table = nh.sweep(
        "digits", [8], [0, 2], [400], seeds=[7, 8], measures=["redundancy", "knn"], progress=False
    )
    table.to_csv(path, index=False)
    place.locator("input[type=file]").set_input_files(path)
    expect(place).to_contain_text("4 rows of measured.csv are shown as yours.")
    buffer = io.StringIO(path.read_text("utf-8").replace(",A,", ",C,"))
    for text, said in (
        ("nonsense", "this is no table of nh.sweep"),
        (buffer.getvalue(), "protocols are A and B, not C"),
        (path.read_text("utf-8").replace("digits", "mnist"), "rows of the data set digits"),
        (path.read_text("utf-8")[:-30], "line 5"),
    ):
        path.write_text(text, "utf-8")
        place.locator("input[type=file]").set_input_files(path)
        expect(place).to_contain_text(f"measured.csv is not opened: {said}")
    assert len(mine(page)) == 4


def test_what_is_wrong_with_a_form_is_said(
    opened: Callable[..., Page], stored: pd.DataFrame
) -> None:
    page = opened(SweepExplorer(stored))
    for given, said in (
        ({"Widths": "10, many"}, "Widths: numbers with commas between them are needed, not many."),
        ({"Widths": "10, 0"}, "widths: whole numbers from 1 to 1,024 are needed, not 0."),
        ({"Widths": ""}, "Widths: write at least one."),
        ({"Widths": "10", "Training_examples": "2000"}, "train_sizes: whole numbers from 1 to"),
    ):
        place = laboratory(page, **given)
        expect(place.locator(".nh-wrong")).to_contain_text(said)
        place.get_by_role("button", name="Run").click()
        expect(status(page)).to_contain_text(said)


def test_a_preset_waits_for_a_prediction(opened: Callable[..., Page], stored: pd.DataFrame) -> None:
    page = opened(SweepExplorer(stored))
    place = laboratory(page)
    place.get_by_role("button", name="Do wrong labels destroy codes?").press("Enter")
    expect(place).to_contain_text("Predict the answer, then press Run.")
    assert place.get_by_label("Share of shuffled labels").input_value() == "0, 0.5, 1"
    expect(status(page)).to_have_text("")
    # Enter in a field runs it, smaller than it was.
    laboratory(page, Widths="4", Measure_at_epochs="0, 1", Seeds="0")
    place.get_by_label("Seeds").press("Enter")
    done(page, "Done: 6 new rows.")


def test_the_chart_grows_under_a_border_that_was_drawn(
    opened: Callable[..., Page], stored: pd.DataFrame
) -> None:
    page = opened(PhaseExplorer({"digits": stored}))
    chart = page.locator("svg[role=application]")
    chart.focus()
    chart.press("ArrowUp")
    before = words(page)
    assert "all widths are under-expressive" in before
    ask(page, Widths="4, 8, 16", Measure_at_epochs="0, 1, 2", Seeds="0", Training_examples="800")
    done(page, "Done: 9 new rows.")
    page.wait_for_function(
        "document.querySelector('.nh-legend').textContent.includes('measured by you')"
    )
    assert page.locator("svg[role=application] .nh-border-line").count() == 1
    page.get_by_role("button", name="Reveal the regimes").click()
    assert "Your border is right in" in page.locator(".nh-task").inner_text()
    assert "measured by you" in words(page)
    # Beside the stored ones there are both.
    page.get_by_label("Networks that are shown").select_option("both")
    for width in (4, 6, 8, 12, 16):
        expect(chart.get_by_text(str(width), exact=True).first).to_be_visible()
    assert "Your border is right in" in page.locator(".nh-task").inner_text()


@pytest.mark.parametrize(("screen", "theme"), [(1280, "light"), (375, "dark")])
def test_the_form_is_accessible_and_fits(
    opened: Callable[..., Page], stored: pd.DataFrame, screen: int, theme: str
) -> None:
    for explorer in (SweepExplorer(stored), PhaseExplorer({"digits": stored}, revealed=True)):
        page = opened(explorer, screen=screen, theme=theme)
        ask(page, **SMALL)
        done(page)
        assert not violations(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= screen
