import csv
import io
import json
import tempfile
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from openpyxl.worksheet._writer import create_temporary_file

from evdesk.documents.formulas import escaped, unescaped
from evdesk.documents.tables import Tables
from evdesk.domain.errors import UserError
from evdesk.ports import Table

PLUGGED_IN_AT = datetime(2026, 3, 29, 1, 0, tzinfo=UTC)  # 03:00 in Berlin: summer time has begun

TABLE = Table(
    title="Sessions",
    columns=("station", "plugged_in_at", "energy_wh", "note"),
    rows=(
        ("Hof 1", PLUGGED_IN_AT, 22_212, 'Grüße, "Jürgen"\nzweite Zeile'),
        ("Hof 2", datetime(2026, 3, 28, 23, 30, 1, 250_000, tzinfo=UTC), -3_500, None),
        ("Hof 3", None, None, "00123"),
    ),
    tz="Europe/Berlin",
)

ATTACKS = (
    "=1+1",
    '=HYPERLINK("http://x.example","click")',
    "+49 30 1234",
    "-2+3+cmd|' /C calc'!A0",
    "@SUM(A1)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "\uff1d1+1",
    "\uff0b1",
    "\uff0d1",
    "\uff20x",
    " =1+1",
    "'=1+1",
    '"=1+1"',
    "#N/A",
    "{=1+1}",
)


def local(text):
    return datetime.fromisoformat(text)  # Excel knows no zones


def sheet_of(data):
    return openpyxl.load_workbook(io.BytesIO(data)).worksheets[0]


def notes(*texts):
    return Table("Notes", ("note",), tuple((text,) for text in texts), "UTC")


def csv_rows(data):
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def test_a_workbook_gives_back_every_value(tmp_path: Path):
    file = tmp_path / "sessions.xlsx"
    file.write_bytes(Tables().write(TABLE, ".xlsx"))

    rows = list(openpyxl.load_workbook(file).worksheets[0].iter_rows(values_only=True))

    assert rows[0] == ("station", "plugged_in_at (Europe/Berlin)", "energy_wh", "note")
    assert rows[1] == ("Hof 1", local("2026-03-29 03:00"), 22_212, TABLE.rows[0][3])
    assert rows[2] == ("Hof 2", local("2026-03-29 00:30:01.250"), -3_500, None)
    assert rows[3] == ("Hof 3", None, None, "00123")


def test_pandas_reads_numbers_as_numbers_and_dates_as_dates(tmp_path: Path):
    file = tmp_path / "sessions.xlsx"
    file.write_bytes(Tables().write(TABLE, ".xlsx"))

    frame = pd.read_excel(file)

    assert frame["energy_wh"].sum() == 18_712
    assert pd.api.types.is_datetime64_any_dtype(frame["plugged_in_at (Europe/Berlin)"])
    assert pd.isna(frame["energy_wh"][2])


def test_the_header_is_styled_frozen_and_filterable_and_columns_are_wide_enough():
    sheet = sheet_of(Tables().write(TABLE, ".xlsx"))

    assert sheet.title == "Sessions"
    assert sheet["A1"].font.bold
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == "A1:D4"
    assert sheet.column_dimensions["B"].width >= len("plugged_in_at (Europe/Berlin)")
    assert sheet["B2"].is_date
    assert sheet["C2"].data_type == "n"


@pytest.mark.parametrize("text", ATTACKS)
def test_text_never_becomes_a_formula_in_a_workbook(text):
    data = Tables().write(notes(text), ".xlsx")

    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        xml = archive.read("xl/worksheets/sheet1.xml")
    assert b"<f>" not in xml
    assert b"<f " not in xml
    cell = sheet_of(data)["A2"]
    assert cell.value == text
    assert cell.data_type in {"s", "inlineStr"}


def test_text_that_looks_like_a_formula_stays_text_when_the_cell_is_edited():
    sheet = sheet_of(Tables().write(notes("=1+1", "harmless"), ".xlsx"))

    assert sheet["A2"].quotePrefix
    assert not sheet["A3"].quotePrefix


@pytest.mark.parametrize("text", ATTACKS[:14])
def test_text_never_becomes_a_formula_in_csv_and_comes_back_unchanged(text):
    (_, (field,)) = csv_rows(Tables().write(notes(text), ".csv"))

    assert field == "'" + text
    assert unescaped(field) == text


@pytest.mark.parametrize("text", ["", "'s-Hertogenbosch", "''", "a=1", "Jürgen", "5-3", "'"])
def test_harmless_text_is_not_touched(text):
    assert escaped(text) == text
    assert unescaped(text) == text


def test_numbers_in_csv_stay_numbers_and_text_is_quoted():
    data = Tables().write(TABLE, ".csv")

    assert data.startswith(b"\xef\xbb\xbf")
    lines = data.decode("utf-8-sig").split("\r\n")
    assert lines[0] == '"station","plugged_in_at","energy_wh","note"'
    assert lines[1].startswith('"Hof 1","2026-03-29T01:00:00Z",22212,"Grüße, ""Jürgen""\n')
    assert lines[2] == '"Hof 2","2026-03-28T23:30:01.250Z",-3500,'
    assert lines[3] == '"Hof 3",,,"00123"'


def test_json_is_an_array_of_objects_with_instants_in_utc():
    rows = json.loads(Tables().write(TABLE, ".json"))

    assert rows[0] == {
        "station": "Hof 1",
        "plugged_in_at": "2026-03-29T01:00:00Z",
        "energy_wh": 22_212,
        "note": TABLE.rows[0][3],
    }
    assert rows[2]["energy_wh"] is None


def test_json_leaves_text_as_it_is():
    assert json.loads(Tables().write(notes("=1+1"), ".json")) == [{"note": "=1+1"}]


@pytest.mark.parametrize("suffix", [".xlsx", ".csv", ".json"])
def test_no_format_touches_a_temporary_file(suffix, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    opened = []
    monkeypatch.setattr(tempfile, "_mkstemp_inner", lambda *a, **k: opened.append(a))

    Tables().write(TABLE, suffix)

    assert opened == []
    assert list(tmp_path.iterdir()) == []


def test_the_watch_on_temporary_files_would_notice_one(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    book = openpyxl.Workbook()
    writer_file = create_temporary_file()

    assert [str(path) for path in tmp_path.iterdir()] == [writer_file]
    book.close()
    Path(writer_file).unlink()


@pytest.mark.parametrize("suffix", [".pdf", "", ".xls"])
def test_another_suffix_is_refused_with_what_would_do(suffix):
    with pytest.raises(UserError, match=r"\.xlsx, \.csv or \.json"):
        Tables().write(TABLE, suffix)


def test_a_suffix_in_capitals_is_understood():
    assert Tables().write(TABLE, ".CSV") == Tables().write(TABLE, ".csv")


def test_control_characters_do_not_break_a_workbook():
    assert sheet_of(Tables().write(notes("a\x00b"), ".xlsx"))["A2"].value == "a\ufffdb"


def test_a_text_too_long_for_a_cell_is_refused_not_cut():
    with pytest.raises(UserError, match="32768"):
        Tables().write(notes("x" * 32_768), ".xlsx")


def test_an_integer_with_more_digits_than_excel_keeps_is_written_as_text():
    table = Table("Tags", ("tag",), ((1234567890123456789,),), "UTC")

    assert sheet_of(Tables().write(table, ".xlsx"))["A2"].value == "1234567890123456789"


@pytest.mark.parametrize(
    ("title", "sheet_name"),
    [("a/b: [c]?*", "a b   c"), ("x" * 40, "x" * 31), ("", "evdesk"), ("'", "evdesk")],
)
def test_a_title_becomes_a_name_excel_allows(title, sheet_name):
    table = Table(title, ("a",), (), "UTC")

    assert sheet_of(Tables().write(table, ".xlsx")).title == sheet_name


def test_a_table_without_rows_is_a_header():
    table = Table("Empty", ("a", "b"), (), "UTC")

    assert Tables().write(table, ".json") == b"[]\n"
    assert csv_rows(Tables().write(table, ".csv")) == [["a", "b"]]
    assert sheet_of(Tables().write(table, ".xlsx")).max_row == 1
