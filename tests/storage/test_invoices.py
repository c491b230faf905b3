"""Drafts change, issued invoices do not; both come back exactly as they were."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evdesk.domain.errors import StorageError
from evdesk.domain.invoices import (
    BilledSession,
    Invoice,
    InvoiceId,
    InvoiceState,
    Line,
    Totals,
    VatPart,
)
from evdesk.domain.money import Money
from evdesk.domain.sessions import SessionId
from evdesk.domain.site import Party
from evdesk.ports import SessionFilter
from evdesk.storage.invoice_json import dump_invoice, load_invoice
from tests.storage.sites import at, close_a_session, invoice, issue, raw, writing

instants = st.integers(0, 4 * 10**12).map(
    lambda ms: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)
)
decimals = st.decimals(allow_nan=False, allow_infinity=False)
money = st.builds(Money, decimals, st.sampled_from(["EUR", "JPY"]))
session_ids = st.integers(1).map(SessionId)
parties = st.builds(Party, *[st.text()] * 11)
billed_as_measured = st.builds(BilledSession, plugged_in_at=instants, unplugged_at=instants)
billed_as_corrected = st.builds(
    replace,
    billed_as_measured,
    corrected_at=instants,
    measured_wh=st.none() | st.integers(0, 2**62),
    counts_vah=st.booleans(),
)
invoices = st.builds(
    Invoice,
    state=st.sampled_from(InvoiceState),
    seller=parties,
    buyer=parties,
    period_from=instants,
    period_to=instants,
    created_at=instants,
    issued_at=st.none() | instants,
    sessions=st.lists(billed_as_measured | billed_as_corrected, max_size=3).map(tuple),
    lines=st.lists(
        st.builds(
            Line,
            session=session_ids,
            quantity=decimals,
            unit_price=decimals,
            vat_percent=decimals,
            net=money,
        ),
        max_size=3,
    ).map(tuple),
    audit_head=st.none() | st.just("7:XcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg="),
    totals=st.builds(
        Totals,
        money,
        money,
        money,
        st.lists(st.builds(VatPart, decimals, money, money), max_size=3).map(tuple),
    ),
)


@given(one=invoices)
def test_a_record_reads_back_to_the_last_digit(one) -> None:
    text = dump_invoice(one)
    assert load_invoice(text) == one
    assert dump_invoice(load_invoice(text)) == text


def test_the_record_of_an_invoice_before_heads_is_what_it_always_was() -> None:
    """Its commitment in the audit log is over the text."""
    assert "audit_head" not in dump_invoice(invoice(SessionId(1), "2026-1"))


def test_the_record_of_a_session_as_measured_is_what_it_always_was() -> None:
    record = json.loads(dump_invoice(invoice(SessionId(1), "2026-1")))
    assert {"corrected_at", "measured_wh", "counts_vah"}.isdisjoint(record["sessions"][0])


def test_a_draft_is_replaced_and_dropped(store) -> None:
    draft = invoice(SessionId(1))
    with writing(store) as unit:
        unit.invoices.save_draft(draft)
        unit.invoices.save_draft(replace(draft, language="en"))
        assert unit.invoices.all() == [replace(draft, language="en")]
        unit.invoices.drop_draft(draft.id)
        assert unit.invoices.get(draft.id) is None


def test_issuing_freezes_the_invoice_and_bills_its_sessions(store) -> None:
    session = issue(store)
    with store.read() as unit:
        frozen = unit.invoices.get(InvoiceId("i-1"))
        assert frozen == unit.invoices.get(InvoiceId("2026-1")) == invoice(session, "2026-1")
        assert unit.sessions.find(SessionFilter(unbilled=True)) == []
        assert [one.invoice for one in unit.sessions.find(SessionFilter())] == ["i-1"]


def test_the_document_is_kept_byte_for_byte(store) -> None:
    issue(store)
    with store.read() as unit:
        assert unit.invoices.pdf(InvoiceId("i-1")) == b"%PDF " + bytes(99)
        assert unit.invoices.pdf(InvoiceId("2026-1")) == b"%PDF " + bytes(99)
        assert unit.invoices.pdf(InvoiceId("i-2")) is None


def test_a_document_that_was_exchanged_is_noticed(store, folder, data_key) -> None:
    issue(store)
    connection = raw(folder, data_key)
    connection.run("DROP TRIGGER invoice_document_no_update")
    connection.run("UPDATE invoice_document SET document = x'00'")
    connection.close()
    with store.read() as unit, pytest.raises(StorageError, match="digest differs"):
        unit.invoices.pdf(InvoiceId("i-1"))


def test_numbers_of_a_series_have_no_holes(store) -> None:
    with store.read() as unit:
        assert unit.invoices.next_number("2026") == 1
    issue(store)
    with pytest.raises(RuntimeError):
        issue_without_a_record(store)
    issue(store, "2026-2", 2, "i-2")
    with store.read() as unit:
        assert unit.invoices.next_number("2026") == 3
        assert unit.invoices.next_number("2027") == 1


def issue_without_a_record(store) -> None:
    with store.write() as unit:
        session = close_a_session(unit, "S9")
        unit.invoices.issue(invoice(session, "2026-2", "i-9"), "2026", 2, b"%PDF")


def test_a_number_is_given_once(store) -> None:
    issue(store)
    with pytest.raises(StorageError, match="invoice is final"):
        issue(store, "2026-1", 7, "i-2")
    with pytest.raises(StorageError, match="invoice is final"):
        issue(store, "2026-7", 1, "i-2", "S8")


def test_the_draft_goes_when_its_invoice_is_issued(store) -> None:
    with writing(store) as unit:
        unit.invoices.save_draft(invoice(SessionId(1)))
        unit.invoices.save_draft(replace(invoice(SessionId(2), name="i-9"), created_at=at(500)))
    issue(store)
    with store.read() as unit:
        assert [one.id for one in unit.invoices.all()] == ["i-9", "i-1"]


def test_a_draft_is_not_issued_and_an_issued_one_no_draft(store) -> None:
    with store.write() as unit:
        with pytest.raises(ValueError, match="only an issued invoice"):
            unit.invoices.issue(invoice(SessionId(1)), "2026", 1, b"")
        with pytest.raises(ValueError, match="only a draft"):
            unit.invoices.save_draft(invoice(SessionId(1), "2026-1"))


def test_amounts_on_disk_are_whole_cents(store, folder, data_key) -> None:
    issue(store)
    connection = raw(folder, data_key)
    row = connection.one("SELECT net_minor, vat_minor, gross_minor, currency FROM invoice")
    connection.close()
    assert row == (608, 116, 724, "EUR")
    assert Decimal("12.4") * Decimal("0.45") + Decimal("0.50") == Decimal("6.08")
