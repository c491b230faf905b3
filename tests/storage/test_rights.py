"""Requests, disclosures and breaches on disk: added to, sealed, and committed to."""

from dataclasses import replace
from datetime import date

import pytest

from evdesk.domain.breaches import BreachAccount, BreachFacts
from evdesk.domain.disclosures import Disclosure, DisclosureId, RecipientKind
from evdesk.domain.errors import StorageError
from evdesk.domain.personal_data import DataClass
from evdesk.domain.processing import Detail, DetailKind
from evdesk.domain.requests import IdentityCheck, RequestEvent, RequestKind, RequestState
from evdesk.domain.site import Actor, Role
from evdesk.storage.connection import Connection
from evdesk.storage.site_folder import open_store
from tests.storage.sites import DONE, EVA, START, FixedClock, at, persons_of, raw, writing

TABLES = (
    "request",
    "request_event",
    "disclosure",
    "breach",
    "breach_account",
    "controller_detail",
)
PARENTS = {"request", "breach"}
NOTE = "asked at the counter by Eva, blue coat"
FACTS = BreachFacts("a lost notebook", "names", None, 40, "nobody knows", "locked", "anna")
TOLD = Disclosure(
    DisclosureId(0),
    EVA.id,
    at(5),
    at(9),
    RecipientKind.TAX_ADVISER,
    (DataClass.INVOICE, DataClass.IDENTITY),
    "a-1",
    "Ledger & Sons",
    "books of 2025",
)


def step(state: RequestState, seconds: float = 0, note: str = "", check=None) -> RequestEvent:
    return RequestEvent(at(seconds), state, "a-1", note, check)


def fill(store) -> None:
    """Write a request of two steps, a disclosure, a breach of two accounts and a detail."""
    with writing(store) as unit:
        unit.drivers.add(EVA)
        received = step(RequestState.RECEIVED, 0, NOTE)
        request = unit.requests.add(EVA.id, RequestKind.ACCESS, date(2026, 3, 1), received)
        unit.requests.log(request, step(RequestState.IDENTIFIED, 60, check=IdentityCheck.DOCUMENT))
        unit.disclosures.add(TOLD)
        breach = unit.breaches.add(None, START, BreachAccount(at(1), "a-1", FACTS))
        unit.breaches.tell(breach, BreachAccount(at(2), "a-1", replace(FACTS, subjects=12)))
        unit.details.add(Detail(DetailKind.DPO, "Dr. Privacy, dpo@example.org", START, "a-1"))


@pytest.fixture
def connection(store, folder, data_key):
    fill(store)
    connection = raw(folder, data_key)
    yield connection
    connection.close()


def test_a_request_keeps_its_steps_and_what_was_said(store) -> None:
    fill(store)
    with store.read() as unit:
        (request,) = unit.requests.find(EVA.id)
        assert unit.requests.get(request.id) == request
        assert unit.requests.count_open(EVA.id) == 1
    assert (request.kind, request.received_on) == (RequestKind.ACCESS, date(2026, 3, 1))
    assert [one.state.value for one in request.events] == ["received", "identified"]
    assert request.events[0].note == NOTE
    assert request.events[1].check is IdentityCheck.DOCUMENT


def test_what_was_said_lies_in_the_database_under_the_persons_key_only(
    connection: Connection, store, folder, data_key
) -> None:
    rows = connection.all("SELECT * FROM request_event") + connection.all(
        "SELECT * FROM disclosure"
    )
    assert not any(NOTE in str(row) or "Ledger" in str(row) for row in rows)
    with store.write() as unit:
        persons_of(folder, data_key).destroy(EVA.id, DataClass.REQUEST)
        unit.record_change(DONE)
    with store.read() as unit:
        assert [one.note for one in unit.requests.find(EVA.id)[0].events] == ["", ""]
        (told,) = unit.disclosures.find(EVA.id)
    assert (told.recipient, told.reason, told.kind) == (None, None, RecipientKind.TAX_ADVISER)


def test_an_auditor_reads_the_list_and_not_what_was_said(store, folder, data_key) -> None:
    fill(store)
    auditor = open_store(folder, data_key, Actor("a-2", Role.AUDITOR), FixedClock())
    with auditor.read() as unit:
        (request,) = unit.requests.find()
        (told,) = unit.disclosures.find()
    auditor.close()
    assert (request.person, request.events[0].note) == (EVA.id, "")
    assert (told.recipient, told.kind, told.classes) == (None, TOLD.kind, TOLD.classes)


def test_a_disclosure_comes_back_as_it_was_told(store) -> None:
    fill(store)
    with store.read() as unit:
        (told,) = unit.disclosures.find(EVA.id)
        assert unit.disclosures.find() == [told]
    assert replace(told, id=TOLD.id) == TOLD


def test_a_breach_keeps_every_account_of_it(store) -> None:
    fill(store)
    with store.read() as unit:
        (breach,) = unit.breaches.all()
        assert unit.breaches.get(breach.id) == breach
        accounts = unit.breaches.accounts(breach.id)
    assert breach.facts == replace(FACTS, subjects=12)
    assert [one.facts.subjects for one in accounts] == [None, 12]
    assert (breach.happened_at, breach.aware_at, breach.recorded_at) == (None, START, at(1))


def test_the_newest_detail_of_a_kind_holds_and_an_empty_one_takes_it_away(store) -> None:
    fill(store)
    with writing(store) as unit:
        unit.details.add(Detail(DetailKind.AUTHORITY, "State office", START, "a-1"))
        unit.details.add(Detail(DetailKind.DPO, "", at(1), "a-1"))
    with store.read() as unit:
        assert {kind: one.text for kind, one in unit.details.newest().items()} == {
            DetailKind.AUTHORITY: "State office"
        }


@pytest.mark.parametrize("table", TABLES)
def test_no_row_can_be_changed_deleted_or_replaced(connection: Connection, table: str) -> None:
    before = connection.all(f"SELECT * FROM {table}")
    assert before
    column = connection.all(f"PRAGMA table_info({table})")[-1][1]
    connection.run("PRAGMA recursive_triggers = OFF")
    for sql in (
        f"UPDATE {table} SET {column} = {column}",
        f"DELETE FROM {table}",
        f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}",
    ):
        with pytest.raises(StorageError, match="final"):
            connection.run(sql)
    assert connection.all(f"SELECT * FROM {table}") == before


@pytest.mark.parametrize("table", sorted(set(TABLES) - PARENTS))
def test_a_permit_lets_rows_be_deleted(connection: Connection, table: str) -> None:
    connection.run("INSERT INTO deletion_permit VALUES (?, 'test')", (table,))
    assert connection.run(f"DELETE FROM {table}") > 0


@pytest.mark.parametrize("table", TABLES)
def test_every_row_is_committed_to_by_an_entry(connection: Connection, table: str) -> None:
    rows = connection.number(f"SELECT count(*) FROM {table}")
    sql = "SELECT count(*) FROM row_commit WHERE table_name = ? AND digest IS NOT NULL"
    assert connection.number(sql, (table,)) == rows > 0
