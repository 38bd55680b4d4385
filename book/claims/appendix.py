"""The appendix of the ledger, as Markdown that JupyterLab shows too."""

import ledger
from ledger import CLAIMS, Claim, Found, Sentence

HEAD = """# What we claim, and how surely

Sentences of this book that speak of networks in general, each with the experiment that could have
refuted it. A small ° behind a sentence leads here. The trials are networks, draws or tables that
the page itself does not show, wherever there could be others.

How to read the counts: *8 of 8* is no proof. If a sentence failed in 31 % of all networks, eight
networks would still agree with it once in twenty times, by luck. A trial comes with a *margin*, by
how much the sentence held; the least is given, since 8 of 8 by a hair is not 8 of 8 by far. Words
follow counts: what held in all trials is said plainly, what held in at least three of four with
*usually*, and the rest was rewritten. What was believed first and then refuted is at the end, and
is the part to learn most from.

To try a claim again: `python book/claims --topic TOPIC`, from a copy of the repository.
"""
SECTIONS = {
    "held": "Held in all trials",
    "usually": "Held in most trials",
    "refuted": "Believed first, and refuted",
}


def page() -> str:
    """Return the page: all claims, by how well they held."""
    ended, said = ledger.found(), ledger.sentences()
    parts = [HEAD]
    for verdict, title in SECTIONS.items():
        names = [name for name in CLAIMS if name in ended and _section(name, ended) == verdict]
        if names:
            parts.append(f"## {title}\n")
        for name in sorted(names, key=lambda name: (CLAIMS[name].topic, name)):
            parts.append(_entry(CLAIMS[name], ended[name], said.get(name, [])))
    return "\n".join(parts)


def _section(name: str, ended: dict[str, Found]) -> str:
    return "refuted" if CLAIMS[name].believed else ended[name].verdict


def _entry(claim: Claim, ended: Found, said: list[Sentence]) -> str:
    title = claim.name.replace("-", " ").capitalize()
    lines = [f"### {title}\n"]
    for sentence in said:
        lines.append(f"> {sentence.text} ([where it stands](../{sentence.page}))\n")
    if claim.believed:
        lines.append(f"> {claim.believed}\n")
    count = "Held" if not claim.believed else "It held"
    lines.append(
        f"**{count} in {ended.count}**; least margin {ended.least:.3g}. *Tried on*: {claim.scope}. "
        f"*A trial*: {' '.join(claim.about.split())}"
        + (f" *Broken by*: {claim.broken_by}." if claim.broken_by else "")
        + "\n"
    )
    return "\n".join(lines)
