"""What scripts are promised: one JSON document, ids as text, Wh as integers, instants with Z."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.shell import DEAD, Shell
from tests.services.desk import tariff_text

INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z")
MONEY = {"net", "vat", "gross", "price", "unit_price"}


def fields(data: Any) -> Iterator[tuple[str, Any, set[str]]]:
    """Every name with its value and the names beside it."""
    for each in data if isinstance(data, list) else [data]:
        if isinstance(each, dict):
            for name, value in each.items():
                yield name, value, set(each)
                yield from fields(value)


def keeps_the_promise(data: Any) -> None:
    for name, value, beside in fields(data):
        if value is None:
            continue
        if name == "id" or name.endswith("_id"):
            assert isinstance(value, str), name
        if name.endswith("_wh"):
            assert type(value) is int, name
        if name == "at" or name.endswith("_at"):
            assert INSTANT.fullmatch(value), (name, value)
        if name in MONEY:
            assert re.fullmatch(r"-?\d+(\.\d+)?", value), (name, value)
            assert "currency" in beside, name


@pytest.mark.parametrize(
    "command",
    [
        "info",
        "site archive",
        "issuer show",
        "meter profiles",
        "meter list",
        "station list",
        "session list",
        "session show 1",
        "driver list",
        "tariff list",
        "invoice list",
        "collect --stop",
    ],
)
def test_what_is_asked_is_answered_in_one_document(shell: Shell, command: str) -> None:
    shell.json("invoice", "draft", "--driver", "D-1", "--month", "2026-03")
    data = shell.json(*command.split())
    assert data
    keeps_the_promise(data)


def test_info_has_the_fields_that_checks_rely_on(shell: Shell) -> None:
    info = shell.json("info")
    assert info | {"db_bytes": 0} == {
        "id": "S-1",
        "site": "Depot",
        "tz": "Europe/Berlin",
        "currency": "EUR",
        "country": "DE",
        "language": "de",
        "demo": False,
        "schema_version": info["schema_version"],
        "meters": 2,
        "sessions": 4,
        "readings": 0,
        "sealed_readings": 0,
        "archive_bytes": 0,
        "db_bytes": 0,
        "collector": "stopped",
        "pid": None,
        "since_at": None,
    }


def test_a_meter_that_was_never_read_says_so_in_the_promised_fields(shell: Shell) -> None:
    meter = shell.json("meter", "list")[0]
    assert (
        meter.items()
        >= {
            "name": "bay1",
            "profile": "keba-p30",
            "url": DEAD,
            "unit": 255,
            "state": "new",
            "last_read_at": None,
            "import_wh": None,
            "power_w": None,
            "requests": 0,
            "errors": 0,
        }.items()
    )
    assert "interval_s" in meter


def test_sessions_are_filtered_by_every_option(shell: Shell) -> None:
    def ids(*options: str) -> list[str]:
        return [session["id"] for session in shell.json("session", "list", *options)]

    assert ids() == ["4", "3", "2", "1"]
    assert ids("--from", "2026-03-03", "--to", "2026-03-04") == ["2"]
    assert ids("--from", "2026-03-04T06:00:00Z", "--state", "review") == ["3"]
    assert ids("--driver", "D-1", "--state", "closed") == ["1"]
    assert ids("--station", "bay1", "--state", "open") == ["4"]


def test_a_session_is_shown_with_its_evidence(shell: Shell) -> None:
    session = shell.json("session", "show", "1")
    assert (session["start_raw"], session["end_raw"]) == ("000a", "000b")
    assert (session["meter"], session["meter_serial"]) == ("bay1", "17")
    assert [event["kind"] for event in session["events"]] == ["opened", "closed"]


def test_a_bill_goes_from_draft_to_a_document_that_stays(shell: Shell, tmp_path: Path) -> None:
    draft = shell.json("invoice", "draft", "--driver", "D-1", "--month", "2026-03")
    assert (draft["state"], draft["number"]) == ("draft", None)
    assert (draft["in_review"], draft["still_open"]) == (1, 1)
    issued = shell.json("invoice", "issue", draft["id"])
    number = issued["number"]
    assert (issued["state"], issued["driver"], issued["gross"]) == ("issued", "D-1", "7.02")
    assert [line["net"] for line in issued["lines"]] == ["5.40", "0.50"]
    keeps_the_promise(issued)
    assert shell.json("invoice", "show", number) == issued
    assert shell.json("invoice", "list") == [issued]
    copies = [tmp_path / name for name in ("a.pdf", "b.PDF")]
    for copy in copies:
        answer = shell.json("invoice", "export", number, "--out", copy)
        assert answer == {"id": draft["id"], "number": number, "file": str(copy)}
    assert copies[0].read_bytes() == copies[1].read_bytes()
    assert copies[0].read_bytes().startswith(b"%PDF")
    assert shell.json("session", "show", "1")["invoice"] == draft["id"]


def test_a_draft_can_be_dropped(shell: Shell) -> None:
    draft = shell.json("invoice", "draft", "--driver", "D-1", "--month", "2026-03")
    assert shell.json("invoice", "drop", draft["id"]) == {"id": draft["id"]}
    assert shell.json("invoice", "list") == []


def test_a_driver_is_corrected_field_by_field(shell: Shell) -> None:
    before = next(d for d in shell.json("driver", "list") if d["id"] == "D-1")
    after = shell.json("driver", "edit", "D-1", "--email", "new@example.org")
    assert after == before | {"email": "new@example.org"}
    assert shell.json("driver", "edit", "D-1", "--email", "")["email"] == ""
    assert "D-1 is corrected" in shell.text("driver", "edit", "D-1", "--address", "Weg 1, Ulm, DE")


def test_a_driver_is_added_billed_for_a_station_and_retired(shell: Shell) -> None:
    added = shell.json(
        "driver", "add", "--name", "Bo Ek", "--email", "bo@example.org", "--language", "en",
        "--address", "Weg 1, 89073 Ulm, DE", "--vat-id", "DE1",
    )  # fmt: skip
    assert re.fullmatch("D-[0-9A-Z]{8}", added["id"])
    assert (added["name"], added["email"], added["state"]) == ("Bo Ek", "bo@example.org", "active")
    default = shell.json("station", "default-driver", "bay1", added["id"], "--from", "2026-03-01")
    assert default["from_at"] == "2026-02-28T23:00:00Z"
    assert shell.json("station", "list")[0]["default_driver"] == added["id"]
    assert shell.json("session", "assign", "2", "3", "--driver", added["id"])["ids"] == ["2", "3"]
    shell.json("driver", "retire", added["id"], "--yes")
    assert [d["state"] for d in shell.json("driver", "list", "--retired")] == ["active", "retired"]


def test_a_tariff_is_added_to_the_byte_and_assigned(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "tariff.json"
    file.write_bytes(tariff_text("night").replace("\n", "\r\n").encode())
    assert shell.json("tariff", "add", file)["id"] == "night"
    assert shell.json("tariff", "assign", "night", "--station", "bay1", "--from", "2026-01-01")
    shell.json("tariff", "assign", "night", "--driver", "D-1")
    night = shell.json("tariff", "list")[1]
    assert [a["station"] for a in night["assignments"]] == ["bay1", None]
    assert night["components"][0]["price"] == "0.45"


def test_an_issuer_keeps_what_is_not_named(shell: Shell) -> None:
    shell.json("issuer", "set", "--iban", "DE02")
    issuer = shell.json("issuer", "show")
    assert (issuer["name"], issuer["iban"], issuer["city"]) == ("Depot GmbH", "DE02", "Ulm")


def test_stations_are_added_renamed_and_retired(shell: Shell) -> None:
    assert shell.json("station", "add", "bay2", "--energy-from", "spare")["name"] == "bay2"
    assert shell.json("station", "rename", "bay2", "gate") == {"name": "gate"}
    assert shell.json("station", "retire", "gate", "--yes") == {"name": "gate"}
    assert shell.json("meter", "remove", "spare", "--yes") == {"name": "spare"}
    assert [meter["name"] for meter in shell.json("meter", "list")] == ["bay1"]


def test_a_silent_device_is_added_with_state_new_and_says_so(shell: Shell) -> None:
    new = shell.json("meter", "add", "--name", "bay9", "--profile", "keba-p30", "--url", DEAD)
    assert (new["state"], new["answered"], new["station"]) == ("new", False, "bay9")
    assert isinstance(new["id"], str)
    said = shell.text("meter", "add", "--name", "b", "--profile", "keba-p30", "--url", DEAD)
    assert "It did not answer: 127.0.0.1 port 9 refused the connection." in said


def test_the_profiles_say_what_people_choose_by(shell: Shell) -> None:
    found = {profile["id"]: profile for profile in shell.json("meter", "profiles")}
    assert len(found) == 63
    keba = found["keba-p30"]
    assert (keba["kind"], keba["transports"], keba["confidence"]) == ("charger", ["tcp"], "high")
    assert (keba["needs_meter"], keba["has_serial"], keba["has_tag"]) == (False, True, True)
    assert [choice["key"] for choice in keba["choices"]] == ["energy_unit", "meter"]
    bare = found["obo-ion"]
    assert (bare["has_energy"], bare["has_session_energy"], bare["needs_meter"]) == (
        False,
        False,
        True,
    )
    lines = shell.text("meter", "profiles").splitlines()
    assert [line.endswith("a meter beside it") for line in lines if "Ion" in line] == [True]


def test_a_charger_without_a_register_says_what_to_do_next(shell: Shell) -> None:
    add = ("meter", "add", "--url", DEAD, "--name")
    new = shell.json(*add, "box", "--profile", "obo-ion")
    assert (new["station"], new["needs_meter"], new["warnings"]) == (None, True, [])
    said = shell.text(*add, "box2", "--profile", "obo-ion")
    assert "evdesk station add NAME --energy-from METER --state-from box2." in said
    shell.json(*add, "beside", "--profile", "eastron-sdm630")
    sources = ("--energy-from", "beside", "--state-from", "box")
    shell.json("station", "add", "bay7", *sources)
    (row,) = [row for row in shell.json("station", "list") if row["name"] == "bay7"]
    assert (row["energy_from"], row["state_from"]) == ("beside", "box")


def test_a_charger_that_counts_vah_says_so_before_anything_is_billed(shell: Shell) -> None:
    found = {row["id"]: row for row in shell.json("meter", "profiles")}
    assert found["amperfied-connect"]["counts_vah"]
    assert not found["keba-p30"]["counts_vah"]
    assert "to bill Wh: it counts VAh" in shell.text("meter", "profiles")
    add = ("meter", "add", "--url", DEAD, "--profile", "amperfied-connect", "--name")
    (warning,) = shell.json(*add, "wall1")["warnings"]
    assert warning["code"] == "vah"
    assert "counts apparent energy (VAh), not Wh" in warning["text"]
    counting = {row["name"]: row["counts_vah"] for row in shell.json("meter", "list")}
    assert (counting["wall1"], counting["bay1"]) == (True, False)


def test_what_a_profile_leaves_open_is_chosen_or_warned_of(shell: Shell) -> None:
    add = ("meter", "add", "--url", DEAD, "--profile", "phoenix-ev-eth", "--name")
    (warning,) = shell.json(*add, "one")["warnings"]
    assert (warning["code"], warning["choice"]) == ("by_default", "firmware")
    assert (warning["default"], warning["options"]) == ("stock", ["stock", "wallbe"])
    assert "evdesk meter choose one firmware=OPTION --reason TEXT" in warning["text"]
    chosen = shell.json(*add, "two", "--choice", "firmware=wallbe", "--choice", "meter=none")
    assert (chosen["warnings"], chosen["station"], chosen["needs_meter"]) == ([], None, True)
    answer = shell.run(*add, "three", "--choice", "firmware=new")
    assert answer.code == 2
    assert "phoenix-ev-eth has no choice firmware=new. It has: firmware=stock" in answer.err
    assert "is not written KEY=OPTION" in shell.run(*add, "four", "--choice", "firmware").err


def test_an_interval_is_seconds_or_auto(shell: Shell) -> None:
    assert shell.json("meter", "interval", "bay1", "2.5") == {"name": "bay1", "interval_s": 2.5}
    assert "every 5 s from now on" in shell.text("meter", "interval", "bay1", "5")
    assert "as often as its bus bears" in shell.text("meter", "interval", "bay1", "auto")


@pytest.mark.parametrize("suffix", ["csv", "xlsx", "json", "CSV"])
def test_sessions_are_exported_in_the_format_of_the_suffix(
    shell: Shell, tmp_path: Path, suffix: str
) -> None:
    out = tmp_path / f"sessions.{suffix}"
    answer = shell.json("export", "sessions", "--out", out, "--state", "closed")
    assert answer == {"file": str(out), "rows": 2, "damage": []}
    assert out.stat().st_size > 100


def test_common_options_stand_before_or_after_the_verb(shell: Shell) -> None:
    site, file = shell.common()[1], shell.common()[3]
    before = shell.bare("--json", "--site", site, "--password-file", file, "driver", "list")
    after = shell.bare("driver", "list", "--password-file", file, "--site", site, "--json")
    between = shell.bare("--site", site, "driver", "--json", "list", "--password-file", file)
    assert json.loads(before.out)[0]["id"] == "D-1"
    assert before == after == between


def test_common_options_may_come_from_the_environment(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVDESK_SITE", str(shell.folder))
    monkeypatch.setenv("EVDESK_PASSWORD_FILE", str(shell.password_file))
    assert shell.bare("driver", "list").code == 0
    monkeypatch.setenv("EVDESK_USER", "Bob")
    assert shell.bare("driver", "list").code == 4
    assert shell.bare("--user", "Ada", "driver", "list").code == 0


def test_the_version_is_one_line_and_with_json_all_that_matters(shell: Shell) -> None:
    assert re.fullmatch(r"evdesk \d+\.\d+\.\d+\n", shell.bare("--version").out)
    versions = json.loads(shell.bare("--version", "--json").out)
    assert {"evdesk", "sqlcipher", "qt", "pymodbus", "schema"} <= set(versions)


def test_init_makes_a_site_that_its_code_opens_too(shell: Shell, tmp_path: Path) -> None:
    shell.folder = tmp_path / "new"
    made = shell.json(
        "init", "--owner", "Bo", "--name", "North", "--tz", "Europe/Rome", "--demo",
        "--currency", "CHF", "--country", "CH", "--language", "de",
    )  # fmt: skip
    assert isinstance(made["id"], str)
    shell.password_file = tmp_path / "code"
    shell.password_file.write_text(made["recovery_code"])
    info = shell.json("info")
    assert (info["site"], info["currency"], info["demo"]) == ("North", "CHF", True)
