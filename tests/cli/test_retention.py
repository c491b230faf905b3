"""``evdesk retention``, as a script uses it."""

import json
from pathlib import Path

from tests.cli.shell import Shell

PLAN = {"rule", "rule_version", "data_class", "cutoff_at", "selected", "deleted", "retained",
        "reason", "verified"}  # fmt: skip
LOG = PLAN | {"run", "started_at", "finished_at", "actor", "trigger", "legal_basis", "method",
              "checkpoint", "left_over", "ledger", "error"}  # fmt: skip


def test_rules_say_what_holds_and_with_all_what_is_offered(shell: Shell) -> None:
    rules = shell.json("retention", "rules")
    assert {one["state"] for one in rules} == {"in force"}
    invoices = next(one for one in rules if one["data_class"] == "invoice")
    assert (invoices["rule"], invoices["period"], invoices["trigger"]) == (
        "invoices-de", "8y", "year_end",
    )  # fmt: skip
    offered = shell.json("retention", "rules", "--all")
    assert {"invoices-fr", "invoices-at"} <= {one["rule"] for one in offered}
    assert "more rules offered" in shell.text("retention", "rules")


def with_something_due(shell: Shell) -> None:
    """A card that ran out long ago."""
    driver = shell.json("driver", "list")[0]["id"]
    dates = ("--from", "2026-03-01", "--to", "2026-03-20")
    shell.json("driver", "card", "add", driver, "04A2F31B", *dates)


def cards(rows: list[dict[str, object]]) -> dict[str, object]:
    return next(one for one in rows if one["rule"] == "cards")


def test_a_plan_has_the_promised_fields_and_changes_nothing(shell: Shell) -> None:
    with_something_due(shell)
    plan = cards(shell.json("retention", "plan"))
    assert set(plan) >= PLAN
    assert (plan["selected"], plan["deleted"], plan["retained"], plan["verified"]) == (
        1,
        1,
        0,
        None,
    )
    assert len(shell.json("driver", "card", "list")) == 1
    later = shell.json("retention", "plan", "--as-of", "2040-01-01")
    assert {"cards", "unbilled-sessions"} <= {one["rule"] for one in later}


def overdue(shell: Shell) -> bool:
    """Whether something is overdue, as the exit code says."""
    return shell.run("retention", "overdue").code == 1


def test_a_run_erases_what_is_due_and_its_log_and_certificate_tell(
    shell: Shell, tmp_path: Path
) -> None:
    with_something_due(shell)
    assert overdue(shell)
    done = shell.json("retention", "run", "--yes")
    assert cards(done)["deleted"] == 1
    assert shell.json("driver", "card", "list") == []
    log = shell.json("retention", "log")
    assert cards(log) == cards(done)
    assert set(log[0]) >= LOG
    assert all(one["verified"] for one in log)
    assert not overdue(shell)
    for name in ("proof.json", "proof.txt"):
        shell.text("retention", "certificate", "--out", tmp_path / name)
    assert json.loads((tmp_path / "proof.json").read_text("utf-8"))["verified"] is True
    assert "What was not done" in (tmp_path / "proof.txt").read_text("utf-8")
    out = tmp_path / "log.json"
    assert shell.json("export", "retention", "--out", out)["rows"] == len(log)
    assert json.loads(out.read_text("utf-8"))[0]["rule"] == "cards"
    verdict = shell.json("audit", "verify")
    assert (verdict["result"], verdict["erased_under"]) == ("intact", {"cards@1": 1})


def test_a_run_needs_somebody_to_say_yes(shell: Shell) -> None:
    with_something_due(shell)
    shell.refused(2, "Nobody can be asked here", "retention", "run")


def test_without_a_run_there_is_nothing_to_certify(shell: Shell, tmp_path: Path) -> None:
    out = tmp_path / "proof.txt"
    shell.refused(2, "nothing to certify", "retention", "certificate", "--out", out)


def test_nothing_is_erased_that_is_not_due_yet(shell: Shell) -> None:
    shell.refused(2, "lies in the future", "retention", "run", "--yes", "--as-of", "2090-01-01")


def test_a_longer_period_holds_and_a_shorter_one_waits(shell: Shell) -> None:
    longer = ("retention", "change", "cards", "--period", "60d", "--reason", "they come late")
    assert shell.json(*longer)["state"] == "in force"
    shorter = ("retention", "change", "cards", "--period", "10d", "--reason", "no need")
    assert shell.json(*shorter)["state"] == "proposed"
    shell.refused(3, "does not approve it", "retention", "approve", "cards", "--yes")
    history = [one for one in shell.json("retention", "rules") if one["rule"] == "cards"]
    assert [(one["version"], one["period"], one["state"]) for one in history] == [
        (1, "30d", "replaced"), (2, "60d", "in force"), (3, "10d", "proposed"),
    ]  # fmt: skip


def test_a_hold_is_added_listed_and_released(shell: Shell) -> None:
    driver = shell.json("driver", "list")[0]["id"]
    hold = shell.json(
        "retention", "hold", "add", "--person", driver, "--reason", "court", "--review",
        "2090-01-31",
    )  # fmt: skip
    assert (hold["kind"], hold["object"], hold["review_on"]) == ("person", driver, "2090-01-31")
    assert shell.json("retention", "hold", "list") == [hold]
    released = shell.json("retention", "hold", "release", hold["id"], "--reason", "over")
    assert released["released_at"] is not None
    shell.refused(2, "no hold", "retention", "hold", "release", hold["id"], "--reason", "over")


def test_what_cannot_be_is_refused_in_a_sentence(shell: Shell) -> None:
    for sentence, command in (
        ("no rule nix", "retention change nix --period 1y --reason x"),
        ("is no period", "retention change cards --period long --reason x"),
        ("what the law asks for", "retention change invoices-de --period 1y --reason x"),
        ("No shorter period", "retention approve cards --yes"),
        ("no person D-9", "retention hold add --person D-9 --reason x --review 2090-01-01"),
        ("is no date", "retention hold add --class mail --reason x --review soon"),
        ("a day to come", "retention hold add --class mail --reason x --review 2020-01-01"),
        ("no run x", "retention log --run x"),
        ("as .json or .txt", "retention certificate --out proof.pdf"),
    ):
        shell.refused(2, sentence, *command.split())
