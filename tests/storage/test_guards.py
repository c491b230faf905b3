"""Append-only means append-only, also for somebody who has the key and writes SQL."""

from dataclasses import replace
from decimal import Decimal

import pytest

from evdesk.domain.corrections import Claim, Decision, DecisionKind
from evdesk.domain.errors import StorageError
from evdesk.domain.faults import FaultChange, FaultCode, FaultKey
from evdesk.domain.invoices import InvoiceId
from evdesk.domain.sessions import Opened
from evdesk.domain.tariffs import Assignment, Dimension, PriceComponent, Tariff, TariffId
from evdesk.ports import Explanation
from tests.storage.archives import LATER, seal_all
from tests.storage.sites import EVA, START, close_a_session, issue, raw, reading, writing

FINAL = (
    "audit",
    "audit_payload",
    "fault",
    "fault_event",
    "invoice",
    "invoice_document",
    "invoice_event",
    "invoice_session",
    "explanation",
    "reading",
    "segment",
    "segment_data",
    "session_decision",
    "session_event",
    "station_driver",
    "tariff",
    "tariff_assignment",
    "tariff_component",
)
PARENTS = {
    "audit",
    "fault",
    "invoice",
    "segment_data",
    "tariff",
}  # rows that others point to cannot go first


@pytest.fixture
def connection(store, folder, data_key):
    session = issue(store)
    with writing(store) as unit:
        station = unit.stations.all()[0]
        price = PriceComponent(Dimension.ENERGY, Decimal("0.45"), Decimal(19))
        unit.tariffs.add(Tariff(TariffId("t-1"), "EUR", (price,), "{}", START))
        unit.tariffs.assign(Assignment(TariffId("t-1"), START))
        unit.stations.set_default_driver(station.id, EVA.id, START)
        unit.sessions.log(session, Opened(START, None))
        meter = station.energy.meter_id
        unit.readings.add([reading(meter), reading(meter, LATER.total_seconds())])
        decide(unit, close_a_session(unit, "S9"))
        source = station.energy
        key = FaultKey(FaultCode.PHASE_LOST, meter, 1)
        for opened in (True, False):
            unit.faults.apply([FaultChange(key, START, {}, opened=opened)], "collector")
        unit.explanations.add(Explanation(source, "2026-03", 1, START, "a-1", "a loop of wire"))
    seal_all(store)
    connection = raw(folder, data_key)
    yield connection
    connection.close()


def decide(unit, session) -> None:
    claim = Claim(0, 9, 9)
    decision = Decision(DecisionKind.CORRECTED, START, "a-1", "typed", claim, claim)
    unit.decisions.add(session, decision)


def rows(connection, table: str):
    found = connection.all(f"SELECT * FROM {table}")
    assert found
    return found


def test_every_table_of_the_rule_has_its_guards(connection) -> None:
    triggers = [name for (name,) in connection.all("SELECT name FROM sqlite_master")]
    for table in FINAL:
        for guard in ("no_update", "no_delete", "no_replace"):
            assert f"{table}_{guard}" in triggers


@pytest.mark.parametrize("table", FINAL)
def test_no_row_can_be_changed(connection, table) -> None:
    before = rows(connection, table)
    column = connection.all(f"PRAGMA table_info({table})")[-1][1]
    with pytest.raises(StorageError, match="final"):
        connection.run(f"UPDATE {table} SET {column} = {column}")
    assert rows(connection, table) == before


@pytest.mark.parametrize("table", FINAL)
def test_no_row_can_be_deleted(connection, table) -> None:
    before = rows(connection, table)
    with pytest.raises(StorageError, match="final"):
        connection.run(f"DELETE FROM {table}")
    assert rows(connection, table) == before


@pytest.mark.parametrize("recursive", ["ON", "OFF"])
@pytest.mark.parametrize("table", FINAL)
def test_no_row_can_be_replaced(connection, table, recursive) -> None:
    connection.run(f"PRAGMA recursive_triggers = {recursive}")
    before = rows(connection, table)
    names = ", ".join(row[1] for row in connection.all(f"PRAGMA table_info({table})"))
    with pytest.raises(StorageError, match=r"final|billed"):
        connection.run(f"INSERT OR REPLACE INTO {table} ({names}) SELECT {names} FROM {table}")
    assert rows(connection, table) == before


@pytest.mark.parametrize("unique", ["seq", "id", "number", "serial"])
def test_an_invoice_cannot_be_replaced_by_one_that_shares_a_key(connection, unique) -> None:
    connection.run("PRAGMA recursive_triggers = OFF")
    names = [row[1] for row in connection.all("PRAGMA table_info(invoice)")]
    fresh = {"seq": "99", "id": "'x'", "number": "'x'", "serial": "99"}
    del fresh[unique]
    values = ", ".join(fresh.get(name, name) for name in names)
    with pytest.raises(StorageError, match="final"):
        connection.run(f"INSERT OR REPLACE INTO invoice SELECT {values} FROM invoice")


@pytest.mark.parametrize("table", sorted(set(FINAL) - PARENTS))
def test_a_permit_opens_the_door_for_deleting_and_for_nothing_else(connection, table) -> None:
    connection.run("INSERT INTO deletion_permit VALUES (?, 'test')", (table,))
    column = connection.all(f"PRAGMA table_info({table})")[-1][1]
    with pytest.raises(StorageError, match="final"):
        connection.run(f"UPDATE {table} SET {column} = {column}")
    assert connection.run(f"DELETE FROM {table}") > 0


def test_a_billed_session_stays_as_it_was_billed(store, folder, data_key) -> None:
    session = issue(store)
    with pytest.raises(StorageError, match="on an issued invoice"), writing(store) as unit:
        unit.sessions.assign(session, EVA.id)
    with pytest.raises(StorageError, match="on an issued invoice"), writing(store) as unit:
        decide(unit, session)
    connection = raw(folder, data_key)
    with pytest.raises(StorageError, match="on an issued invoice"):
        connection.run("UPDATE session SET energy_wh = 1")
    with pytest.raises(StorageError, match="final"):
        connection.run("DELETE FROM session")
    connection.close()


def test_a_session_is_billed_once(store) -> None:
    issue(store)
    with store.write() as unit:
        again = replace(unit.invoices.all()[0], id=InvoiceId("i-2"), number="2026-2")
    with pytest.raises(StorageError, match="on an issued invoice"), writing(store) as unit:
        unit.invoices.issue(again, "2026", 2, b"%PDF")


def test_text_is_not_taken_for_a_number(connection) -> None:
    with pytest.raises(StorageError, match="refused a value"):
        connection.run("UPDATE meter SET unit = 'one'")
