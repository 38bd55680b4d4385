"""Measure the explorers in Chromium by the page's own clock, and print Markdown.

    python benchmarks/explorers.py

How fast the RegionExplorer trains while it draws, how long the PhaseExplorer takes for a chart of
digits that it trains itself, how soon controls answer, and of every explorer how much a page embeds
and how soon after its load event it is drawn.
"""

import gzip
import os
import shutil
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import pandas as pd
from conftest import surroundings
from playwright.sync_api import sync_playwright

import nhlib as nh

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / "tests" / "reference"))
from explorer_page import state_of, write_page  # noqa: E402

# Before anything else runs in the page: count pictures, each of which comes with other words, time
# what draws a frame, and note when the first explorer has something to say.
WATCH = """
  window.seen = { pictures: 0, frames: [], first: 0 };
  new MutationObserver((changes) => {
    for (const { target } of changes) {
      if (target instanceof Element && target.matches(".nh-words")) seen.pictures++;
    }
  }).observe(document, { childList: true, subtree: true });
  const frame = window.requestAnimationFrame;
  window.requestAnimationFrame = (draw) =>
    frame((now) => {
      const start = performance.now();
      draw(now);
      seen.frames.push(performance.now() - start);
      if (!seen.first && document.querySelector(".nh-words")?.textContent) {
        seen.first = performance.now();
      }
    });
"""
FIRST = "seen.first - performance.getEntriesByType('navigation')[0].loadEventEnd"
EPOCH = """Number(/After ([\\d,]+)/.exec(
  document.querySelector(".nh-words").textContent)[1].replaceAll(",", ""))"""
REGIONS = "/: ([\\d,]+) regions?/.exec(document.querySelector('.nh-words').textContent)[1]"
# Moves a slider, and waits until the picture and its words are others.
ANSWER = """async (setting) => {
  const slider = document.querySelector(`.nh-explorer input[type=range][id$="-${setting}"]`);
  const words = document.querySelector(".nh-words");
  const before = words.textContent;
  const start = performance.now();
  slider.value = Number(slider.value) === Number(slider.max)
    ? Number(slider.value) - 1 : Number(slider.value) + 1;
  slider.dispatchEvent(new Event("input", { bubbles: true }));
  while (words.textContent === before) {
    if (performance.now() > start + 5000) throw new Error(`${setting} is not answered`);
    await new Promise((go) => setTimeout(go));
  }
  return performance.now() - start;
}"""
# One step of training, after which the network rests: it is cut up and drawn in one frame.
STEP = """async () => {
  const words = document.querySelector(".nh-words");
  const before = words.textContent;
  const from = seen.frames.length;
  [...document.querySelectorAll("button")].find((one) => one.textContent === "Step").click();
  while (words.textContent === before) await new Promise((go) => setTimeout(go));
  return Math.max(...seen.frames.slice(from));
}"""


def explorers():
    """Make one of each, as the book has them, and name a control of it."""
    stored = ROOT / "book" / "results"
    sweeps = pd.concat(
        pd.read_csv(stored / f"mnist_{name}.csv", dtype={"widths": str})
        for name in ("layer_width", "training_time", "sample_size", "regularization")
    )
    return [
        (nh.RegionExplorer(), "seed"),
        (nh.CodeExplorer(), "epoch"),
        (nh.SweepExplorer({"MNIST": sweeps}), "width"),
        (nh.PhaseExplorer({"MNIST": stored / "mnist_phase_chart.csv"}, revealed=True), "tau"),
        (nh.MarginExplorer(), "length"),
    ]


@contextmanager
def page_with(explorer):
    """Open a page that has nothing but one explorer, once it is drawn."""
    chromium = (
        os.environ.get("NHLIB_CHROMIUM")
        or shutil.which("chromium-headless-shell")
        or shutil.which("chromium")
    )
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.add_init_script(WATCH)
        page.goto(write_page(Path(folder) / "explorer.html", explorer))
        page.wait_for_function("seen.first")
        yield page
        browser.close()


def train_and_draw(seconds=5):
    """Train a 2-16-16-2 network on 500 points as fast as it can while its regions are drawn."""
    explorer = nh.RegionExplorer(
        width=16, sample_size=500, epochs=0, pace="fastest", data="spirals", learning_rate=0.003
    )
    with page_with(explorer) as page:
        page.get_by_role("button", name="Play", exact=True).click()
        page.wait_for_timeout(1000)
        steps, pictures, start = page.evaluate(f"[{EPOCH}, seen.pictures, performance.now()]")
        page.wait_for_timeout(1000 * seconds)
        more, drawn, end = page.evaluate(f"[{EPOCH}, seen.pictures, performance.now()]")
        passed = (end - start) / 1000
        yield "steps of Adam a second", (more - steps) / passed, ">= 1,000"
        regions = page.evaluate(REGIONS)
        yield (
            f"exact pictures meanwhile ({regions} regions), a second",
            (drawn - pictures) / passed,
            ">= 15",
        )
        answers = []
        for _ in range(5):
            answers.append(page.evaluate(ANSWER, "seed"))
            page.wait_for_timeout(300)
        yield "a control answers meanwhile, ms", median(answers), "<= 100"
    with page_with(nh.RegionExplorer(width=16, sample_size=500, epochs=100)) as page:
        page.wait_for_timeout(1500)
        moves = [page.evaluate(STEP) for _ in range(9)]
        regions = page.evaluate(REGIONS)
        yield f"exact picture at rest ({regions} regions), ms", median(moves), "<= 50"


# Waits for rows, measured by the page, of the chart that is being trained.
ROWS = """document.querySelector(".nh-standing").textContent.includes("Done")
  || Number(/([\\d,]+) of/.exec(document.querySelector(".nh-standing").textContent)?.[1]) > 0"""
FORM = {
    "Widths": "10, 20, 25, 30, 40, 50, 60, 70, 80, 100, 140, 200",
    "Measure at epochs": "0, 1, 3, 6, 10, 30, 60, 100",
    "Training examples": "1437",
    "Seeds": "0, 1, 2",
}


def megabytes_of(browser):
    """Return what the process of the page and its workers has in memory."""
    session = browser.new_browser_cdp_session()
    processes = session.send("SystemInfo.getProcessInfo")["processInfo"]
    (pid,) = [process["id"] for process in processes if process["type"] == "renderer"]
    status = Path(f"/proc/{pid}/status").read_text()
    (line,) = [line for line in status.splitlines() if line.startswith("VmRSS")]
    return int(line.split()[1]) / 1000


def chart_in_page():
    """Train the chart of 12 widths, 3 seeds and 100 epochs, measured at 8 of them, in the page."""
    stored = nh.sweep("digits", [10, 20], [0, 1], measures=["redundancy", "knn"], progress=False)
    with page_with(nh.PhaseExplorer({"digits": stored}, revealed=True)) as page:
        before = megabytes_of(page.context.browser)
        page.locator(".nh-laboratory summary").click()
        form = page.locator(".nh-laboratory")
        for label, text in FORM.items():
            form.get_by_label(label, exact=True).fill(text)
        form.get_by_role("button", name="Run").click()
        start = page.evaluate("performance.now()")
        page.wait_for_function(ROWS, polling=50, timeout=600_000)
        first = page.evaluate("performance.now()") - start
        answers = []
        for _ in range(5):
            answers.append(page.evaluate(ANSWER, "tau"))
            page.wait_for_timeout(500)
        page.get_by_text("Done:").wait_for(timeout=600_000)
        passed = page.evaluate("performance.now()") - start
        yield "288 rows of 36 networks, s", passed / 1000, "<= 30"
        yield "the first row after, s", first / 1000, "<= 3"
        yield "a control answers meanwhile, ms", median(answers), "<= 100"
        yield "more memory than before, MB", megabytes_of(page.context.browser) - before, "<= 200"


def main():
    print(surroundings(), end="\n\n")
    print(
        "| RegionExplorer, 2-16-16-2, 500 points | measured | goal |", "|---|---:|---:|", sep="\n"
    )
    for what, value, goal in train_and_draw():
        print(f"| {what} | {value:,.0f} | {goal} |")
    print(
        "\n| PhaseExplorer, digits trained in the page | measured | goal |",
        "|---|---:|---:|",
        sep="\n",
    )
    for what, value, goal in chart_in_page():
        print(f"| {what} | {value:,.1f} | {goal} |")
    print("\n| | embedded | compressed | first drawn after | answers after |")
    print("|---|---:|---:|---:|---:|")
    for explorer, setting in explorers():
        state = state_of(explorer).encode()
        sizes = [f"{len(one) / 1000:,.0f} kB" for one in (state, gzip.compress(state))]
        with page_with(explorer) as page:
            first = page.evaluate(FIRST)
            page.wait_for_timeout(1500)
            answers = []
            for _ in range(5):
                answers.append(page.evaluate(ANSWER, setting))
                page.wait_for_timeout(500)
        cells = [*sizes, f"{first:,.0f} ms", f"{median(answers):,.0f} ms"]
        print(f"| `{type(explorer).__name__}` | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
