"""What people read: help with an example, tables in the site's zone, sentences."""

import re

import pytest

from evdesk.cli.output import counted, facts, table
from tests.cli.shell import Shell

GROUPS = (
    "demo", "init", "info", "issuer", "meter", "station", "simulate", "collect", "session",
    "driver", "tariff", "invoice", "export", "reconcile", "account", "consent", "notice",
    "vehicle",
)  # fmt: skip


def test_the_first_help_names_every_group_and_the_exit_codes(shell: Shell) -> None:
    answer = shell.bare("--help")
    assert answer.code == 0
    assert all(re.search(rf"^    {group}\b", answer.out, re.MULTILINE) for group in GROUPS)
    assert "exit codes: 0 done" in answer.out


@pytest.mark.parametrize("group", GROUPS)
def test_each_group_and_verb_is_explained_with_an_example_of_its_own(
    shell: Shell, group: str
) -> None:
    text = shell.bare(group, "--help").out
    verbs = re.findall(r"^    (\S+) {2,}\S", text.partition("VERB\n")[2], re.MULTILINE)
    for path in ((group,), *((group, verb) for verb in verbs)):
        answer = shell.bare(*path, "--help")
        assert (answer.code, answer.err) == (0, "")
        assert f"example: evdesk {group}" in answer.out.replace(
            " --site depot --password-file pw", ""
        )


def test_help_about_one_export_shows_what_that_one_takes(shell: Shell) -> None:
    evidence = shell.bare("export", "evidence", "--help").out
    assert "--out FILE" in evidence
    assert "example: evdesk export evidence --out evidence.zip" in evidence
    for option in ("--meter", "--month", "--from", "--station", "--driver", "--state"):
        assert option not in evidence
    readings = shell.bare("export", "readings", "--help").out
    assert "--meter NAME" in readings
    assert "--state" not in readings
    assert "--month" in shell.bare("export", "--help").out


def test_tables_show_the_sites_own_time(shell: Shell) -> None:
    text = shell.text("session", "list", "--state", "closed")
    assert "2026-03-02 07:00:00 CET" in text
    assert "Z" not in text
    shown = shell.text("session", "show", "1")
    assert re.search(r"plugged in at +2026-03-02 07:00:00 CET", shown)


def test_a_draft_says_what_it_left_out_and_what_to_do_next(shell: Shell) -> None:
    text = shell.text("invoice", "draft", "--driver", "D-1", "--month", "2026-03")
    assert "1 session, 7.02 EUR. Left out: 1 in review, 1 still plugged in." in text
    draft = text.split()[1].rstrip(":")
    assert f"evdesk invoice issue {draft}" in text
    assert "net 5.90 EUR, VAT 1.12 EUR, gross 7.02 EUR" in shell.text("invoice", "show", draft)
    assert "Invoice 20" in shell.text("invoice", "issue", draft)


@pytest.mark.parametrize(
    "command", ["info", "meter list", "station list", "driver list", "tariff list", "issuer show"]
)
def test_a_list_for_people_is_no_json(shell: Shell, command: str) -> None:
    text = shell.text(*command.split())
    assert text.strip()
    assert not text.startswith(("{", "["))


def test_a_table_is_aligned_and_a_missing_value_is_a_dash() -> None:
    text = table(("name", "W"), [("a", 5), ("bb", None), ("c", 1_000)], "nothing")
    assert text.splitlines() == [
        "name     W",
        "----  ----",
        "a        5",
        "bb       -",
        "c     1000",
    ]
    assert table(("name",), [], "nothing") == "nothing"


def test_facts_and_counts_read_like_a_sentence() -> None:
    assert facts([("db_bytes", 5), ("demo", False), ("flags", [])]) == (
        "db bytes  5\ndemo      no\nflags     -"
    )
    assert (counted(1, "session"), counted(0, "session")) == ("1 session", "0 sessions")
