"""What a stranger finds at the top of the repository agrees with the code, and with itself."""

import re
import tomllib
from datetime import date
from pathlib import Path

import pytest
import yaml

from nhlib.classroom import kernel, room
from nhlib.classroom.inside import confinement

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
PAGES = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"]
GITHUB = ROOT / ".github"
WORKFLOWS = {path.stem: path for path in sorted((GITHUB / "workflows").glob("*.yml"))}
FORMS = sorted((GITHUB / "ISSUE_TEMPLATE").glob("*.yml"))


def text(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


CITATION = yaml.safe_load(text("CITATION.cff"))


# -- citation and changelog ------------------------------------------------------------------


def test_citation_has_what_its_format_requires():
    assert CITATION["cff-version"] == "1.2.0"
    assert {"message", "title", "authors"} <= CITATION.keys()
    assert CITATION["type"] == "software"
    for work in (CITATION, *CITATION["references"]):
        assert work["authors"]
        for author in work["authors"]:
            assert author.keys() <= {"name"} or author.keys() == {"family-names", "given-names"}
    assert CITATION["license"] == PROJECT["license"]
    assert CITATION["version"] == PROJECT["version"]
    assert CITATION["authors"] == PROJECT["authors"]
    assert CITATION["keywords"] == PROJECT["keywords"]


def test_readme_shows_the_citation():
    year = CITATION["date-released"].year
    (author,) = CITATION["authors"]
    shown = f"{author['name']}. *{CITATION['title']}.* Version {CITATION['version']}, {year}."
    (paper,) = CITATION["references"]
    names = ", ".join(f"{a['given-names'][0]}. {a['family-names']}" for a in paper["authors"])
    _, number = paper["doi"].split("/arXiv.")
    theirs = f"{names}. *{paper['title']}.* arXiv:{number}, {paper['year']}."
    assert f"> {shown}\n" in text("README.md")
    assert f"> {theirs}\n" in text("README.md")
    assert paper["doi"] in text("book/references.bib")


def test_changelog_leads_to_the_version_of_the_package():
    lines = text("CHANGELOG.md").splitlines()
    headings = [line.removeprefix("## ") for line in lines if line.startswith("## ")]
    assert headings[0] == "[Unreleased]"
    releases = [re.fullmatch(r"\[(\d+\.\d+\.\d+)\] - (\S+)", heading) for heading in headings[1:]]
    assert all(releases)
    dates = [date.fromisoformat(release[2]) for release in releases]
    assert dates == sorted(dates, reverse=True)
    assert (releases[0][1], dates[0]) == (PROJECT["version"], CITATION["date-released"])
    kinds = {line.removeprefix("### ") for line in lines if line.startswith("### ")}
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


# -- what is said of the repository ----------------------------------------------------------


@pytest.mark.parametrize("page", PAGES)
def test_links_and_paths_lead_somewhere(page):
    said = text(page)
    links = re.findall(r"\]\((?!https?:|#)([^)#\s]+)(?:#([^)]+))?\)", said)
    for target, place in links:
        assert (ROOT / target).exists(), target
        if place:
            headings = re.findall(r"^#+ (.*)$", text(target), flags=re.MULTILINE)
            assert place in {re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in headings}
    for path in re.findall(r"`((?:\.ci|\.github|book|nhlib|tests)/[^`\s]*)`", said):
        if not re.search(r"\b[A-Z]+\b|_build", path):  # NAME is the reader's to choose
            assert (ROOT / path).exists(), path


def test_contributing_names_every_room():
    section = text("CONTRIBUTING.md").partition("| room of `nhlib` |")[2].partition("\n\n")[0]
    named = re.findall(r"^\| `(\w+)` \|", section, flags=re.MULTILINE)
    rooms = [path.parent.name for path in (ROOT / "nhlib").glob("[a-z]*/__init__.py")]
    assert sorted(named) == sorted(rooms)


def test_security_promises_what_the_sandbox_does():
    said = text("SECURITY.md")
    limits = room.LIMITS
    memory, files = limits["AS"] >> 20, limits["FSIZE"] >> 20
    assert f"{memory} MiB of memory, {confinement.THREADS} threads, files of {files} MiB" in said
    assert f"{limits['NOFILE']} open files" in said
    assert (
        f"can write {room.SCRATCH >> 20} MiB in {confinement.FILES:,} files into a folder" in said
    )
    assert (
        f"Work of {kernel.STATEMENT:g} seconds for a statement, {kernel.CALL:g} for a call, "
        f"{kernel.STATEMENTS:g} for all statements and {kernel.CALLS:g} for all calls"
    ) in said


# -- workflows and forms ---------------------------------------------------------------------


@pytest.mark.parametrize("name", WORKFLOWS)
def test_workflow_may_do_no_more_than_it_needs(name):
    workflow = yaml.safe_load(WORKFLOWS[name].read_text("utf-8"))
    assert workflow["permissions"] == {"contents": "read"}
    assert workflow["concurrency"]["group"].startswith(name)
    for job, settings in workflow["jobs"].items():
        allowed = settings.get("permissions", {})
        assert not allowed or (job == "publish" and allowed.keys() <= {"id-token", "pages"})
        for step in settings.get("steps", [settings]):
            used = step.get("uses", "./")
            assert used.startswith("./") or re.fullmatch(r"[\w-]+/[\w-]+@(release/)?v\d+", used)
            if used.startswith("actions/checkout@"):
                assert step["with"] == {"persist-credentials": False}
            assert "secrets." not in str(step)


def test_workflows_call_the_documented_commands():
    documented = text("README.md") + text("CONTRIBUTING.md")
    commands = {
        step["run"]
        for path in WORKFLOWS.values()
        for job in yaml.safe_load(path.read_text("utf-8"))["jobs"].values()
        for step in job.get("steps", [])
        if "run" in step and "name" not in step  # those with a name say what they do
    }
    for command in commands:
        assert command in documented, command
    assert {".ci/run", "make book", "make lowest"} < commands


def test_workflows_test_the_oldest_python():
    tests = yaml.safe_load(WORKFLOWS["tests"].read_text("utf-8"))["jobs"]
    for job in ("all", "package"):
        pythons = tests[job]["strategy"]["matrix"]["python"]
        assert f">={pythons[0]}" == PROJECT["requires-python"]


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_forms_can_be_shown(path):
    form = yaml.safe_load(path.read_text("utf-8"))
    assert form.keys() == {"name", "description", "labels", "body"}
    ids = [field["id"] for field in form["body"]]
    assert len(ids) == len(set(ids))
    for field in form["body"]:
        assert field["type"] in {"input", "textarea"}
        assert field["attributes"]["label"]
        assert field["attributes"].keys() <= {"label", "description", "placeholder", "render"}
        assert field.get("validations", {"required": True}) == {"required": True}
    assert any("validations" in field for field in form["body"])
