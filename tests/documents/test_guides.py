"""The guides: what they link to is there, and the commands that they show are understood."""

import re
from pathlib import Path

import pytest

from evdesk.cli.main import run

ROOT = Path(__file__).resolve().parents[2]
GUIDES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
VERBS = ("create", "list", "restore", "schedule", "verify")


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.name)
def test_what_a_guide_links_to_is_there(guide: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", guide.read_text("utf-8"))
    assert [link for link in links if not (guide.parent / link).exists()] == []


def test_the_guide_of_backups_shows_options_that_there_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    known = ""
    for verb in VERBS:
        assert run(["backup", verb, "--help"]) == 0
        known += capsys.readouterr().out
    shown = set(re.findall(r"`?(--[a-z][a-z-]+)", (ROOT / "docs/backups.md").read_text()))
    assert {option for option in shown if option not in known} <= {"--site"}


def test_the_readme_does_not_call_missing_what_is_there() -> None:
    missing = (ROOT / "README.md").read_text("utf-8").partition("## What it is not yet")[2]
    missing = missing.partition("What is there:")[0]
    assert not {"backup", "consent", "erasure", "audit"} & set(re.findall(r"\w+", missing))
