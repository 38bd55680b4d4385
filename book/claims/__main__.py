"""Try the claims of the ledger again, and write what was found.

    python book/claims [--topic TOPIC ...]

Trials go to book/results/claims.csv, and from there into the appendix book/appendix/claims.md. What
was tried, and has not changed since, is not tried again. A run may be stopped: the rows of every
claim are in the file once it was tried.
"""

import argparse
import csv
import datetime
import json
import os
import sys
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before the libraries that read it are loaded

from nhlib._files import replacing
from nhlib._progress import progress_bar
from nhlib._provenance import machine, versions

import ledger
from appendix import page
from ledger import BOOK, CLAIMS, RESULTS

TABLE, ABOUT = RESULTS / "claims.csv", RESULTS / "claims.json"
COLUMNS = ("topic", "claim", "trial", "held", "margin")


def main() -> int:
    known = ledger.topics()
    parser = argparse.ArgumentParser(prog="python book/claims", description=__doc__.splitlines()[0])
    parser.add_argument("--topic", nargs="+", choices=known, default=known)
    asked = parser.parse_args().topic
    said = ledger.sentences()
    unknown = sorted(said.keys() - CLAIMS.keys())
    if unknown:
        print(
            f"claims: no function tries {', '.join(unknown)}",
            file=sys.stderr,
        )
        return 2
    rows, about = _read()
    rows = [row for row in rows if row["claim"] in CLAIMS]
    about = {name: then for name, then in about.items() if name in CLAIMS}
    now = {name: one.fingerprint(said.get(name, [])) for name, one in CLAIMS.items()}
    todo = [
        name
        for name, one in CLAIMS.items()
        if one.topic in asked and about.get(name, {}).get("fingerprint") != now[name]
    ]
    with progress_bar("claims", len(todo), "claims") as bar:
        for name in todo:
            tried = [
                {
                    "topic": CLAIMS[name].topic,
                    "claim": name,
                    "trial": trial,
                    "held": margin > 0,
                    "margin": f"{margin:.6g}",
                }
                for trial, margin in CLAIMS[name].trials()
            ]
            rows = [row for row in rows if row["claim"] != name] + tried
            about[name] = {
                "fingerprint": now[name],
                "date": datetime.date.today().isoformat(),
                "machine": machine(),
                "versions": versions("nhlib", "PyTorch", "Python"),
            }
            _write(rows, about)
            bar.update()
    _write(rows, about)
    with replacing(BOOK / "appendix" / "claims.md") as partial:
        partial.write_text(page(), "utf-8")
    for name, ended in sorted(ledger.found().items(), key=lambda item: item[1].least):
        if ended.verdict != "held" and not CLAIMS[name].believed:
            print(f"{name}: {ended.verdict}, {ended.count}, worst margin {ended.least:.3g}")
    print(f"{len(todo)} claims were tried, {len(CLAIMS) - len(todo)} as they were")
    return 0


def _read() -> tuple[list[dict[str, Any]], dict[str, Any]]:
    if not TABLE.exists():
        return [], {}
    with TABLE.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file)), json.loads(ABOUT.read_text("utf-8"))


def _write(rows: list[dict[str, Any]], about: dict[str, Any]) -> None:
    rows = sorted(rows, key=lambda row: (row["topic"], row["claim"]))
    with (
        replacing(TABLE) as partial,
        partial.open("w", encoding="utf-8", newline="") as file,
    ):
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    with replacing(ABOUT) as partial:
        partial.write_text(
            json.dumps(dict(sorted(about.items())), indent=2) + "\n",
            "utf-8",
        )


if __name__ == "__main__":
    sys.exit(main())
