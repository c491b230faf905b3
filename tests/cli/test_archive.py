"""For how long every reading is kept, told and set on the command line."""

import pytest

from tests.cli.shell import Shell


def test_the_archive_is_told_with_what_scripts_rely_on(shell: Shell) -> None:
    assert shell.json("site", "archive") == {
        "id": shell.json("info")["id"],
        "thin_after_days": 90,
        "readings": shell.json("info")["readings"],
        "sealed_readings": 0,
        "archive_bytes": 0,
        "sealed_until_at": None,
        "thinned_until_at": None,
    }


@pytest.mark.parametrize(("text", "days"), [("30", 30), ("never", None)])
def test_when_readings_are_thinned_out_is_set(shell: Shell, text: str, days: int | None) -> None:
    assert shell.json("site", "archive", "--thin-after", text)["thin_after_days"] == days
    assert shell.json("site", "archive")["thin_after_days"] == days


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("soon", "--thin-after soon: give a number of days, or never"),
        ("-1", "--thin-after -1: give a number of days"),
        ("0", "after 1 to 36500 days, or never; 0 is neither. Nothing was changed"),
        ("40000", "40000 is neither"),
    ],
)
def test_what_is_no_number_of_days_is_refused(shell: Shell, text: str, sentence: str) -> None:
    shell.refused(2, sentence, "site", "archive", "--thin-after", text)
    assert shell.json("site", "archive")["thin_after_days"] == 90


def test_readings_are_exported_by_meter_and_time(shell: Shell) -> None:
    out = shell.folder.parent / "readings.csv"
    wanted = ("--meter", "bay1", "--from", "2026-03-01", "--to", "2026-04-01")
    answer = shell.json("export", "readings", "--out", out, *wanted)
    assert answer == {"file": str(out), "rows": 0, "damage": []}
    assert out.read_text(encoding="utf-8-sig").startswith('"meter","socket","at","import_wh"')
    shell.refused(2, "no meter named nix", "export", "readings", "--out", out, "--meter", "nix")
