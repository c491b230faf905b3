"""``fault``, ``mail`` and what is written on a meter, as scripts use them."""

import json
from pathlib import Path

import pytest

from evdesk.domain.faults import FaultChange, FaultCode, FaultKey
from evdesk.domain.instants import rfc3339
from evdesk.domain.mail import Security
from tests.cli.shell import DEAD, Shell
from tests.cli.test_answers import keeps_the_promise
from tests.fakes.clock import START
from tests.fakes.mail_server import mail_server
from tests.services.desk import open_desk

FIELDS = ("id", "code", "station", "severity", "since_at", "until_at", "acknowledged_by")


def happen(shell: Shell, code: FaultCode, meter: str | None = None, **facts: object) -> None:
    desk = open_desk(shell.folder, shell.data_key)
    try:
        with desk.store.journal() as unit:
            known = None if meter is None else unit.meters.by_name(meter)
            key = FaultKey(code, None if known is None else known.id)
            unit.faults.apply([FaultChange(key, START, facts, opened=True)], "collector")
    finally:
        desk.store.close()


def test_a_fault_is_listed_with_the_fields_that_scripts_rely_on(shell: Shell) -> None:
    happen(shell, FaultCode.DEVICE_SILENT, "bay1", why="no answer")
    (fault,) = shell.json("fault", "list", "--open")
    assert {name: fault[name] for name in FIELDS} == {
        "id": "1",
        "code": "device_silent",
        "station": "bay1",
        "severity": "critical",
        "since_at": rfc3339(START),
        "until_at": None,
        "acknowledged_by": None,
    }
    assert fault["detail"] == "no answer"
    keeps_the_promise(fault)


def test_a_fault_is_read_by_people_too(shell: Shell) -> None:
    assert shell.text("fault", "list", "--open") == "Nothing is wrong.\n"
    happen(shell, FaultCode.CLOCK_JUMP, by_s=3_600.0)
    shown = shell.text("fault", "list")
    assert "Clock was set" in shown
    assert "Let the computer set its clock" in shown


def test_faults_are_narrowed_down(shell: Shell) -> None:
    happen(shell, FaultCode.DEVICE_SILENT, "bay1")
    happen(shell, FaultCode.CLOCK_JUMP)
    found = {
        option: [each["code"] for each in shell.json("fault", "list", *option.split())]
        for option in ("--meter bay1", "--severity warning", "--to 2026-01-01")
    }
    assert found == {
        "--meter bay1": ["device_silent"],
        "--severity warning": ["clock_jump"],
        "--to 2026-01-01": [],
    }
    shell.refused(2, "There is no meter named nobody", "fault", "list", "--meter", "nobody")


def test_a_fault_is_acknowledged_once_with_a_note(shell: Shell) -> None:
    happen(shell, FaultCode.CLOCK_JUMP)
    seen = shell.json("fault", "ack", "1", "--note", "new battery")
    assert (seen["acknowledged_by"], seen["note"]) == ("Ada", "new battery")
    assert shell.json("fault", "list")[0]["acknowledged_by"] == "Ada"
    shell.refused(2, "was acknowledged by Ada already", "fault", "ack", "1")


@pytest.mark.parametrize("wrong", ["7", "x", "9" * 30])
def test_an_unknown_fault_is_refused(shell: Shell, wrong: str) -> None:
    shell.refused(2, f"There is no fault {wrong}", "fault", "ack", wrong)


def test_times_to_repair_of_a_quiet_month_are_none(shell: Shell) -> None:
    assert shell.json("fault", "repairs", "--month", "2026-03") == []
    assert shell.text("fault", "repairs", "--month", "2026-03") == "No fault ended in 2026-03.\n"
    shell.refused(2, "March is no month", "fault", "repairs", "--month", "March")


# -- what is written on a meter -------------------------------------------------------------------


def test_what_is_written_on_a_meter_is_kept_from_the_start(shell: Shell) -> None:
    shell.json(
        "meter", "add", "--name", "new", "--profile", "eastron-sdm630", "--url", DEAD,
        "--serial", "4711", "--mid-class", "B", "--seal", "DE-M26-0102",
        "--calibrated-until", "2034-12-31",
    )  # fmt: skip
    found = {row["name"]: row for row in shell.json("meter", "list")}["new"]
    assert found["serial"] == "4711"
    assert found["mid_class"] == "B"
    assert found["seal"] == "DE-M26-0102"
    assert found["calibration_valid_until"] == "2034-12-31"


def test_what_is_written_on_a_meter_can_be_changed_and_taken_away(shell: Shell) -> None:
    said = shell.json("meter", "set", "bay1", "--mid-class", "C", "--seal", "S-1")
    assert (said["serial"], said["mid_class"], said["seal"]) == ("17", "C", "S-1")
    said = shell.json("meter", "set", "bay1", "--seal", "none", "--calibrated-until", "2030-06-30")
    assert (said["mid_class"], said["seal"]) == ("C", None)
    assert said["calibration_valid_until"] == "2030-06-30"
    row = {row["name"]: row for row in shell.json("meter", "list")}["bay1"]
    assert row["calibration_valid_until"] == "2030-06-30"


def test_a_date_that_is_none_is_refused(shell: Shell) -> None:
    shell.refused(2, "soon is no date", "meter", "set", "bay1", "--calibrated-until", "soon")
    shell.refused(2, "no meter named gone", "meter", "set", "gone", "--seal", "1")


# -- mail ------------------------------------------------------------------------------------------


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "mail-password"
    path.write_text("hunter2\n", encoding="utf-8")
    return path


def set_mail(shell: Shell, secret: Path, *more: str) -> str:
    return shell.text(
        "mail", "set", "--host", "mail.example.org", "--username", "desk",
        "--mail-password-file", str(secret), "--from", "desk@example.org",
        "--to", "owner@example.org", *more,
    )  # fmt: skip


def test_mail_is_set_with_the_usual_port_and_its_password_never_shown(
    shell: Shell, secret: Path
) -> None:
    said = set_mail(shell, secret) + set_mail(shell, secret, "--json")
    shown = shell.text("mail", "show") + shell.text("mail", "show", "--json")
    assert "hunter2" not in said + shown
    server = shell.json("mail", "show")["server"]
    assert server == {
        "host": "mail.example.org",
        "port": 465,
        "security": "tls",
        "username": "desk",
        "with_password": True,
        "with_ca": False,
        "from": "desk@example.org",
        "to": "owner@example.org",
    }


def test_what_is_not_given_stays_as_it_is(shell: Shell, secret: Path) -> None:
    set_mail(shell, secret)
    shell.json("mail", "set", "--security", "starttls", "--to", "boss@example.org")
    server = shell.json("mail", "show")["server"]
    assert (server["port"], server["security"]) == (587, "starttls")
    assert (server["to"], server["from"]) == ("boss@example.org", "desk@example.org")
    assert server["with_password"]


def test_mail_without_a_server_says_how_to_set_one(shell: Shell) -> None:
    assert "evdesk mail set --help" in shell.text("mail", "show")
    shell.refused(2, "No mail server is set", "mail", "test")
    shell.refused(2, "--host, --from and --to are needed", "mail", "set", "--host", "a.example")


def test_a_plain_link_to_another_computer_is_refused(shell: Shell, secret: Path) -> None:
    set_mail(shell, secret)
    shell.refused(2, "could be read on the way", "mail", "set", "--security", "plain")


def test_a_test_mail_goes_out_or_says_why_not(shell: Shell) -> None:
    with mail_server(Security.PLAIN) as box:
        shell.json(
            "mail", "set", "--host", "127.0.0.1", "--port", str(box.port), "--security", "plain",
            "--from", "desk@example.org", "--to", "owner@example.org",
        )  # fmt: skip
        assert shell.json("mail", "test") == {"told": "OK: queued as 42"}
        assert box.messages[0]["To"] == "owner@example.org"
        box.answer = "554 no"
        shell.refused(5, "did not take the test mail: 554 no", "mail", "test")
    shell.refused(5, "did not take the test mail", "mail", "test")
    shell.refused(2, "add --yes", "mail", "clear")
    shell.json("mail", "clear", "--yes")
    assert json.loads(shell.text("mail", "show", "--json"))["server"] is None
