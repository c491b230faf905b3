"""Consents, notices and vehicles as scripts use them."""

import json
from pathlib import Path

import pytest

from tests.cli.shell import Shell, fails

VIN = "1M8GDM9AXKP042788"


def agree(shell: Shell, purpose: str = "vin", *more: object) -> None:
    for event in ("requested", "given"):
        answer = shell.run(
            "consent", "record", "D-1", "--purpose", purpose, "--event", event, "--method", "paper",
            *(more if event == "given" else ()),
        )  # fmt: skip
        assert answer.code == 0, answer


def withdraw(shell: Shell, purpose: str = "vin") -> None:
    answer = shell.run("consent", "record", "D-1", "--purpose", purpose, "--event", "withdrawn",
                       "--method", "phone")  # fmt: skip
    assert answer.code == 0, answer


def check(shell: Shell, *arguments: object) -> tuple[int, dict[str, object]]:
    answer = shell.run("consent", "check", "D-1", *arguments, "--json")
    assert answer.err == ""
    return answer.code, json.loads(answer.out)


def test_purposes_say_what_they_rest_on(shell: Shell) -> None:
    found = {one["id"]: (one["basis"], one["needs_consent"]) for one in shell.json(
        "consent", "purposes"
    )}  # fmt: skip
    assert found["billing"] == ("contract", False)
    assert found["invoices"] == ("law", False)
    assert {found[one] for one in ("vin", "history", "location")} == {("consent", True)}
    assert "Ihr Fahrzeug erkennen" in shell.text("consent", "purposes")


def test_a_vin_is_kept_with_consent_only_and_shown_in_part(shell: Shell) -> None:
    put = ("vehicle", "set", "D-1", "--vin", VIN)
    answer = shell.run(*put)
    assert (answer.code, answer.out) == (3, "")
    fails(answer, "may not be used for 'vin': no consent. Nothing was changed. Ask them")
    agree(shell)
    assert shell.json(*put)["vin"] == "1M8**********2788"
    assert shell.json("vehicle", "show", "D-1")["vin"] == "1M8**********2788"
    assert VIN not in shell.text("vehicle", "show", "D-1")
    withdraw(shell)
    shell.refused(3, "no consent", "vehicle", "show", "D-1")
    assert shell.run(*put).code == 3
    shell.refused(2, "add --yes", "vehicle", "remove", "D-1")
    shell.text("vehicle", "remove", "D-1", "--yes")


def test_a_doubtful_vin_is_taken_with_a_warning_and_a_wrong_one_refused(shell: Shell) -> None:
    agree(shell)
    answer = shell.run("vehicle", "set", "D-1", "--vin", "WVWZZZ1JZXW000001")
    assert answer.code == 0
    assert "check digit does not fit" in answer.err
    shell.refused(2, "check digit", "vehicle", "set", "D-1", "--vin", "5YJ3E1EA7KF317000")


def test_check_exits_0_only_if_it_is_allowed(shell: Shell) -> None:
    code, told = check(shell, "vin")
    assert (code, told["state"], told["since_at"]) == (1, "ConsentUnknown", None)
    assert check(shell, "billing")[0] == 0
    agree(shell)
    code, told = check(shell, "vin")
    assert (code, told["state"], told["notice_version"]) == (0, "ConsentGiven", "1.0")
    assert str(told["since_at"]).endswith("Z")
    assert check(shell, "vin", "--at", "2020-01-01")[0] == 1
    withdraw(shell)
    code, told = check(shell, "vin")
    assert (code, told["state"]) == (1, "ConsentWithdrawn")
    assert check(shell, "vin", "--at", str(told["since_at"]))[0] == 1
    shell.refused(2, "no purpose 'fun'", "consent", "check", "D-1", "fun")


def test_the_first_consent_says_that_a_ready_made_notice_was_taken_over(shell: Shell) -> None:
    record = ("consent", "record", "D-1", "--purpose", "vin", "--event")
    answer = shell.run(*record, "requested", "--method", "signature")
    assert "the ready-made one (en, de) was taken over as version 1.0" in answer.err
    assert shell.run(*record, "given", "--method", "on_screen_signature").err == ""
    found = shell.json("consent", "list", "--driver", "D-1")
    assert [
        (one["purpose"], one["event"], one["method"], one["notice_version"]) for one in found
    ] == [("vin", "requested", "signature", "1.0"), ("vin", "given", "signature", "1.0")]
    assert all(str(one["at"]).endswith("Z") for one in found)


def test_what_cannot_follow_is_refused(shell: Shell) -> None:
    record = ("consent", "record", "D-1", "--method", "paper", "--purpose")
    shell.refused(2, "What can: requested", *record, "vin", "--event", "given")
    shell.refused(2, "Nobody is asked for 'billing'", *record, "billing", "--event", "requested")
    shell.refused(2, "There is no 'expired'", *record, "vin", "--event", "expired")
    answer = shell.run(*record, "vin", "--event", "refused", "--ask", "--json")
    assert json.loads(answer.out)["events"] == ["requested", "refused"]


def test_evidence_is_a_file_of_a_known_kind(shell: Shell, tmp_path: Path) -> None:
    scan = tmp_path / "scan.png"
    scan.write_bytes(b"pixels")
    agree(shell, "history", "--evidence", scan)
    found = shell.json("consent", "list")
    assert [one["evidence"] for one in found] == [None, "1"]
    shell.refused(
        2, "Evidence is one of .pdf", "consent", "record", "D-1", "--purpose", "vin", "--event",
        "requested", "--method", "paper", "--evidence", tmp_path / "scan.exe",
    )  # fmt: skip


def test_an_older_paper_is_imported_with_its_date(shell: Shell) -> None:
    record = ("consent", "record", "D-1", "--purpose", "history", "--method", "import")
    for event, day in (("requested", "2025-03-01"), ("given", "2025-03-02")):
        assert shell.run(*record, "--event", event, "--at", day).code == 0
    assert check(shell, "history", "--at", "2025-03-03")[0] == 0
    assert check(shell, "history", "--at", "2025-02-01")[0] == 1
    shell.refused(2, "An import says when", *record, "--event", "withdrawn")


def test_a_material_notice_stops_consents_until_they_are_renewed(
    shell: Shell, tmp_path: Path
) -> None:
    agree(shell)
    file = tmp_path / "vin.md"
    file.write_bytes(b"A new text.\r\n")
    added = shell.json("notice", "add", file, "--purpose", "vin", "--version", "2.0",
                       "--language", "de")  # fmt: skip
    assert added["version"] == "2.0"
    assert check(shell, "vin")[0] == 1
    assert [one["why"] for one in shell.json("consent", "due")] == [
        "the notice has changed since: the consent has to be renewed"
    ]
    listed = shell.json("notice", "list")
    assert [(one["purpose"], one["version"], one["language"]) for one in listed] == [
        ("vin", "1.0", "en"), ("vin", "1.0", "de"), ("vin", "2.0", "de"),
    ]  # fmt: skip
    shown = shell.json("notice", "show", "vin")
    assert (shown["text"], shown["sha256"]) == ("A new text.\r\n", added["sha256"])
    assert "Einwilligung" in shell.text("notice", "show", "history", "--draft")
    shell.refused(2, "no version", "notice", "add", file, "--purpose", "vin", "--version", "x",
                  "--language", "de")  # fmt: skip


@pytest.mark.parametrize("suffix", [".json", ".csv", ".xlsx"])
def test_the_ledger_is_exported(shell: Shell, tmp_path: Path, suffix: str) -> None:
    agree(shell)
    out = tmp_path / f"consents{suffix}"
    assert shell.json("export", "consents", "--out", out)["rows"] == 2
    assert shell.json("export", "consents", "--out", out, "--to", "2020-01-01")["rows"] == 0
    assert shell.json("export", "consents", "--out", out, "--driver", "D-1")["rows"] == 2
    if suffix == ".json":
        told = json.loads(out.read_bytes())
        assert [(one["driver"], one["event"]) for one in told] == [
            ("D-1", "requested"), ("D-1", "given"),
        ]  # fmt: skip


@pytest.mark.parametrize("form", ["json", "pdf"])
def test_a_receipt_is_written_in_either_form(shell: Shell, tmp_path: Path, form: str) -> None:
    agree(shell)
    out = tmp_path / f"receipt.{form}"
    shell.text("consent", "receipt", "D-1", "--format", form, "--out", out)
    if form == "pdf":
        assert out.read_bytes().startswith(b"%PDF")
        return
    told = json.loads(out.read_bytes())
    (record,) = told["consent_records"]
    assert told["pii_principal_id"] == "D-1"
    assert [one["event_state"] for one in record["events"]] == [
        "dpv:ConsentRequested", "dpv:ConsentGiven",
    ]  # fmt: skip


def test_a_receipt_for_machines_is_printed_without_a_file(shell: Shell) -> None:
    agree(shell)
    assert shell.json("consent", "receipt", "D-1")["pii_principal_id"] == "D-1"
    assert json.loads(shell.text("consent", "receipt", "D-1", "--format", "json"))["receipt_id"]


def test_a_receipt_of_nothing_is_refused_and_leaves_no_file(shell: Shell, tmp_path: Path) -> None:
    out = tmp_path / "receipt.pdf"
    shell.refused(2, "asked for nothing yet", "consent", "receipt", "D-1", "--out", out)
    assert not out.exists()


def test_a_purpose_is_switched_off_and_on(shell: Shell) -> None:
    agree(shell)
    assert shell.json("consent", "purpose", "vin", "--off")["enabled"] is False
    assert check(shell, "vin")[0] == 1
    shell.text("consent", "purpose", "vin", "--on", "--deletion-days", "3")
    assert check(shell, "vin")[0] == 0
    shell.refused(2, "Say what to change", "consent", "purpose", "vin")


def test_a_drivers_page_is_one_table(shell: Shell) -> None:
    agree(shell)
    found = {one["purpose"]: one["allowed"] for one in shell.json("consent", "show", "D-1")}
    assert found["vin"] is True
    assert list(found.values()).count(True) == 1
    assert "no consent (ConsentUnknown)" in shell.text("consent", "show", "D-1")


def test_billed_sessions_show_their_driver_with_consent_only(shell: Shell) -> None:
    draft = shell.json("invoice", "draft", "--driver", "D-1", "--month", "2026-03")["id"]
    shell.text("invoice", "issue", draft)

    def listed(*more: str) -> list[object]:
        return [one["driver"] for one in shell.json("session", "list", *more)]

    before, own = listed(), listed("--driver", "D-1")
    assert before.count("D-1") == 2  # in review, and still open
    assert own == ["D-1", "D-1"]
    assert shell.json("session", "show", "1")["driver"] is None
    agree(shell, "history")
    assert listed().count("D-1") == 3
    history = shell.json("session", "list", "--driver", "D-1")
    assert [one["station"] for one in history] == ["bay1", "bay1", None]
    withdraw(shell, "history")
    assert listed() == before
