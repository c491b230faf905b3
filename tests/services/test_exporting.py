"""Tables of sessions: oldest first, drivers by pseudonym."""

import json
from datetime import timedelta
from io import BytesIO
from typing import Any

import openpyxl
import pytest

from evdesk.documents.tables import HEAD_COLUMN
from evdesk.domain.sessions import Flag
from evdesk.ports import SessionFilter
from evdesk.services.exporting import SESSION_COLUMNS, session_json
from tests.fakes.clock import START
from tests.services.desk import Desk


@pytest.fixture
def busy(desk: Desk) -> Desk:
    kim = desk.ready_to_bill()
    desk.charge(kim, 12_000, START)
    desk.charge(None, 5_000, START + timedelta(hours=2), Flag.METER_RESET)
    return desk


def test_a_table_has_every_session_and_nobodys_name(busy: Desk) -> None:
    data, count = busy.exports.sessions(".csv", SessionFilter())
    text = data.decode("utf-8-sig")
    header, first, second = text.strip().split("\r\n")
    assert header == ",".join(f'"{name}"' for name in (*SESSION_COLUMNS, HEAD_COLUMN))
    assert first.startswith('"1","bay1","D-1","2026-03-02T06:00:00Z","2026-03-02T07:00:00Z",1800,')
    assert second.endswith('"meter_reset","review",,5000,,,,')
    assert count == 2
    assert "Kim" not in text


@pytest.mark.parametrize("suffix", [".csv", ".json", ".xlsx"])
def test_a_table_carries_the_head_before_the_entry_about_it(busy: Desk, suffix: str) -> None:
    with busy.store.read() as unit:
        head = str(unit.audit.head())
    data, _ = busy.exports.sessions(suffix, SessionFilter())
    if suffix == ".xlsx":
        book = openpyxl.load_workbook(BytesIO(data))
        assert book["Audit log"]["A1"].value == f"Audit log: {head}"
        footer: Any = book.worksheets[0].oddFooter
        assert footer.left.text == f"Audit log: {head}"
        assert book.worksheets[0].max_row == 3
    else:
        assert data.decode("utf-8-sig").count(head) == 1
    entry = busy.audit()[-1]
    assert (entry.action, entry.object_ref) == ("export.made", "sessions")
    assert json.loads(entry.facts) == {"format": suffix, "rows": 2}
    assert entry.seq == int(head.partition(":")[0])


def test_a_filter_holds_for_the_table_too(busy: Desk) -> None:
    wanted = SessionFilter(from_at=START + timedelta(hours=1))
    data, count = busy.exports.sessions(".json", wanted)
    assert [row["energy_wh"] for row in json.loads(data)] == [5_000]
    assert count == 1


def test_a_spreadsheet_is_a_zip_file(busy: Desk) -> None:
    assert busy.exports.sessions(".xlsx", SessionFilter())[0].startswith(b"PK")


@pytest.mark.parametrize(("suffix", "named"), [(".pdf", ".pdf"), ("", "a file without a suffix")])
def test_another_suffix_is_refused(busy: Desk, suffix: str, named: str) -> None:
    with busy.refused(f"not to {named}"):
        busy.exports.sessions(suffix, SessionFilter())


def test_a_session_as_json_keeps_the_promise_to_scripts(busy: Desk) -> None:
    session = busy.sessions.find(SessionFilter())[0]
    assert session_json(session) == {
        "id": "2",
        "station": "bay1",
        "driver": None,
        "plugged_in_at": "2026-03-02T08:00:00Z",
        "unplugged_at": "2026-03-02T09:00:00Z",
        "charging_s": 1_800,
        "start_wh": 1_000,
        "end_wh": 6_000,
        "energy_wh": 5_000,
        "peak_w": 7_200.5,
        "flags": ["meter_reset"],
        "state": "review",
        "invoice": None,
        "measured_wh": 5_000,
        "corrected_at": None,
        "corrected_by": None,
        "correction_reason": None,
    }
