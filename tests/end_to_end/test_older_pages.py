"""Single pages of an older copy put into the file: nothing of evidence goes back unnoticed.

Such a page has the right key, number and checksum: the database takes it for one of its own.
"""

import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from evdesk.domain.errors import EvdeskError
from evdesk.domain.verdicts import Known, Result
from evdesk.storage import keys
from evdesk.storage.anchor import Anchor
from evdesk.storage.connection import Connection
from evdesk.storage.pages import PAGE_BYTES
from evdesk.storage.row_commits import KEYS
from evdesk.storage.verification import verify_log
from tests.cli.shell import Shell
from tests.end_to_end.tampering import LATER, Tampered, make_site, read_and_seal
from tests.storage.sites import (
    DONE,
    EVA,
    PASSWORD,
    START,
    add_meter,
    close_a_session,
    issue,
    raw,
)

pytestmark = pytest.mark.slow

EVIDENCE = {
    *KEYS, "audit", "audit_payload", "audit_node", "row_commit", "row_salt", "segment",
    "segment_data",
}  # fmt: skip
# Pages of these may go back unnoticed; each has its reason.
NO_EVIDENCE = {
    "reading": "hours that are not sealed are in no entry yet",
    "newest_reading": "follows from reading",
    "archive": "the cut: checked against the newest sealed hour, and a setting",
    "audit_checkpoint": "a promise that is taken back; whoever was given it still has it",
    "touched": "empty between transactions",
    "deletion_permit": "empty between transactions",
    **dict.fromkeys(
        ("clock", "collector", "intent", "tracker", "meter_status", "meter_memory", "told"),
        "what the program knows for the moment",
    ),
    **dict.fromkeys(("outbox", "outbox_attachment", "invoice_draft"), "not sent, not issued yet"),
    **dict.fromkeys(("mail_server", "backup_schedule", "backup_place"), "settings"),
    **dict.fromkeys(("site_key", "erasure_key"), "never changes"),
    "invoice_floor": "written once, by a restore",
    "sqlite_sequence": "numbers that were given away; the rows are evidence",
}


@pytest.fixture(scope="module")
def two_ages(tmp_path_factory: pytest.TempPathFactory) -> tuple[Tampered, Path]:
    """A site, and its database as it was before much of what is in it."""
    folder = tmp_path_factory.mktemp("ages")
    site = make_site(folder / "site")
    shutil.copy(site.folder / "site.db", folder / "older.db")
    with site.opened(START + LATER + timedelta(days=1)) as store:
        for number in range(12):
            with store.write() as unit:
                close_a_session(unit, f"later {number}")
                unit.record_change(DONE)
        issue(store, "2026-2", 2, "i-2")
        with store.write() as unit:
            add_meter(unit, "later still")
            unit.drivers.change(replace(EVA, party=replace(EVA.party, city="Ulm")))
            unit.stations.rename(unit.stations.all()[0].id, "renamed")
            unit.record_change(DONE)
        read_and_seal(store, START + LATER)
        store.sign_head(site.keys().sign)
    return site, folder / "older.db"


def tables(db: Connection) -> set[str]:
    return {name for (name,) in db.all("SELECT name FROM sqlite_master WHERE type = 'table'")}


def evidence(db: Connection) -> dict[str, list[object]]:
    """All rows of evidence, by table and by each index: both are ways to find them."""
    found: dict[str, list[Any]] = {}
    for table in sorted(EVIDENCE):
        found[table] = sorted(map(repr, db.all(f"SELECT * FROM {table} NOT INDEXED")))
        indexes = db.all(
            "SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = ?"
            " AND sql IS NOT NULL AND sql NOT LIKE '% WHERE %'",
            (table,),
        )
        for (name,) in indexes:
            found[name] = db.all(f"SELECT * FROM {table} INDEXED BY {name}")
    return found


def test_every_table_is_evidence_or_has_a_reason(two_ages) -> None:
    db = raw(two_ages[0].folder, two_ages[0].data_key)
    assert tables(db) == EVIDENCE | (set(NO_EVIDENCE) & tables(db))
    db.close()


def older_pages(site: Tampered, older: Path) -> Iterator[tuple[int, bytes]]:
    """Number and content of each page that has changed since, as it was."""
    before, after = older.read_bytes(), (site.folder / "site.db").read_bytes()
    for start in range(0, len(before), PAGE_BYTES):
        page = before[start : start + PAGE_BYTES]
        if page != after[start : start + PAGE_BYTES]:
            yield start, page


def judged(site: Tampered, known: Known, whole: dict[str, list[object]]) -> str:
    """What becomes of a file: refused, found, harmless, or gone back unnoticed."""
    try:
        db = raw(site.folder, site.data_key)
    except EvdeskError:
        return "refused"
    try:
        db.run("BEGIN")
        if verify_log(db, known).result is Result.TAMPERED:
            return "found"
        return "harmless" if evidence(db) == whole else "UNNOTICED"
    finally:
        db.close()


@pytest.mark.timeout(300)
def test_no_page_of_an_older_copy_goes_unnoticed(two_ages) -> None:
    site, older = two_ages
    file = site.folder / "site.db"
    anchored = Anchor(site.folder).read()
    assert anchored is not None
    known = Known(keys.verifier(site.folder), [anchored])
    db = raw(site.folder, site.data_key)
    whole = evidence(db)
    db.close()
    after = file.read_bytes()
    verdicts: Counter[str] = Counter()
    unnoticed = []
    for start, page in older_pages(site, older):
        file.write_bytes(after[:start] + page + after[start + PAGE_BYTES :])
        verdict = judged(site, known, whole)
        verdicts[verdict] += 1
        if verdict == "UNNOTICED":
            unnoticed.append(start // PAGE_BYTES + 1)
    file.write_bytes(after)
    assert judged(site, known, whole) == "harmless"
    assert unnoticed == []
    assert verdicts["found"] + verdicts["refused"] > 20
    sys.stdout.write(f"{dict(verdicts)}\n")


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_command_line_finds_the_same(two_ages, tmp_path, capsys) -> None:
    """Or it refuses to open the file: it never says that all is well."""
    site, older = two_ages
    (tmp_path / "password").write_bytes(PASSWORD.reveal())
    codes: Counter[int] = Counter()
    for start, page in older_pages(site, older):
        folder = Path(shutil.copytree(site.folder, tmp_path / str(start)))
        with (folder / "site.db").open("r+b") as file:
            file.seek(start)
            file.write(page)
        shell = Shell(folder, tmp_path / "password", site.data_key, capsys)
        codes[shell.run("audit", "verify").code] += 1
    assert set(codes) <= {0, 1, 2}
    assert codes[1] + codes[2] > 20
    assert codes[0] < 10
