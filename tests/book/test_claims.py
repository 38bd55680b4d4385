"""The ledger: every sentence with a mark has trials, they are those of today, and pages say so."""

import csv
import json
import re
import sys
from pathlib import Path

import pytest

BOOK = Path(__file__).parents[2] / "book"
sys.path.append(str(BOOK / "claims"))

import ledger  # noqa: E402
from appendix import page  # noqa: E402
from ledger import CLAIMS, Found  # noqa: E402

TOPICS = ledger.topics()
SAID = ledger.sentences()
FOUND = ledger.found()
ABOUT = json.loads((BOOK / "results" / "claims.json").read_text("utf-8"))
AGAIN = "run `make claims` and commit what it writes"


def test_every_mark_has_a_claim_and_every_claim_a_sentence() -> None:
    assert SAID.keys() - CLAIMS.keys() == set()
    for name, claim in CLAIMS.items():
        assert (name in SAID) != bool(claim.believed), name


@pytest.mark.parametrize("name", CLAIMS)
def test_what_was_tried_is_what_is_said_today(name: str) -> None:
    assert ABOUT[name]["fingerprint"] == CLAIMS[name].fingerprint(SAID.get(name, [])), AGAIN
    assert CLAIMS[name].topic in TOPICS


@pytest.mark.parametrize("name", CLAIMS)
def test_words_follow_counts(name: str) -> None:
    ended, claim = FOUND[name], CLAIMS[name]
    assert ended.tried >= 8 or "interval" in claim.scope
    if claim.believed:
        assert ended.verdict == "refuted"
        return
    assert ended.verdict in {"held", "usually"}
    for sentence in SAID[name]:
        assert ("usually" in sentence.text.lower()) == (ended.verdict == "usually"), sentence


def test_rows_and_claims_are_the_same() -> None:
    with (BOOK / "results" / "claims.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["claim"] for row in rows} == CLAIMS.keys() == ABOUT.keys()
    for row in rows:
        assert row["held"] == str(float(row["margin"]) > 0)
        assert row["topic"] == CLAIMS[row["claim"]].topic
    pairs = [(row["claim"], row["trial"]) for row in rows]
    assert len(set(pairs)) == len(pairs)


@pytest.mark.parametrize("name", [name for name, claim in CLAIMS.items() if claim.cheap])
def test_cheap_ones_hold_again(name: str) -> None:
    margins = [margin for _, margin in CLAIMS[name].trials()]
    again = Found(sum(margin > 0 for margin in margins), len(margins), min(margins))
    assert again.count == FOUND[name].count
    assert again.least == pytest.approx(FOUND[name].least, rel=1e-4)


def test_the_appendix_is_that_of_today() -> None:
    assert (BOOK / "appendix" / "claims.md").read_text("utf-8") == page(), AGAIN


# -- the ledger itself -------------------------------------------------------------------------

MARK = "[°](../appendix/claims.md#a-claim)"


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        (f"One thing. Another one holds.{MARK} And more.", "Another one holds."),
        (f"* an item\n* the ratio falls{MARK}\n* more", "the ratio falls"),
        (f"Text.\n\nA sentence\nof two lines.{MARK}", "A sentence of two lines."),
        (f"First.[°](claims.md#other) Second.{MARK}", "Second."),
        (f"**Bold end.** Is $0.5$ enough?{MARK}", "Is $0.5$ enough?"),
        (f"1. in a list: it holds.{MARK}", "in a list: it holds."),
        (f"| a | falls always{MARK} | b |", "falls always"),
        (f"It falls by 0.3 from there.{MARK}", "It falls by 0.3 from there."),
    ],
)
def test_the_sentence_before_a_mark(
    source: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "_pages", lambda: [("chapters/x", source)])
    (found,) = ledger.sentences()["a-claim"]
    assert found.text == sentence


def test_fingerprints_change_with_what_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    claim = CLAIMS["neighbours-vote-worse-while-codes-merge"]
    said = SAID[claim.name]
    before = claim.fingerprint(said)
    assert before == claim.fingerprint(list(said))
    assert before != claim.fingerprint([])
    assert before != claim.fingerprint([*said, *said])
    sources = ledger._sources(claim.trials)
    assert any(re.search(r"def courses\(", source) for source in sources)
    assert any(re.search(r"def stored\(", source) for source in sources)
    monkeypatch.setattr(ledger, "_sources", lambda function: sources[:-1])
    assert before != claim.fingerprint(said)


def test_verdicts() -> None:
    assert Found(8, 8, 0.1).verdict == "held"
    assert Found(6, 8, -0.1).verdict == "usually"
    assert Found(5, 8, -0.1).verdict == "refuted"
    assert Found(5, 8, -0.1).count == "5 of 8"
