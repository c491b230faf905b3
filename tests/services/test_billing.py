"""Invoices: drafted from what is settled, numbered without a gap, frozen once issued."""

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from evdesk.domain.errors import NothingFound, StorageError, UserError
from evdesk.domain.invoices import Invoice, InvoiceId, InvoiceState
from evdesk.domain.sessions import Flag
from evdesk.domain.site import DriverId
from evdesk.ports import SessionFilter
from evdesk.services.cautions import CautionCode
from tests.fakes.clock import START
from tests.services.desk import ISSUER, KIM, Desk, tariff_text

MARCH = "2026-03"


def draft(desk: Desk, driver: DriverId, month: str = MARCH) -> Invoice:
    return desk.billing.draft(driver, month).invoice


def charge_and_draft(desk: Desk, driver: DriverId, wh: int = 12_000, hours: int = 0) -> Invoice:
    desk.charge(driver, wh, START + timedelta(hours=hours))
    return draft(desk, driver)


def test_an_invoice_names_the_head_of_the_log_before_its_own_entry(desk: Desk) -> None:
    kim = desk.ready_to_bill()
    desk.charge(kim)
    draft = desk.billing.draft(kim, "2026-03").invoice
    with desk.store.read() as unit:
        head = str(unit.audit.head())
    issued = desk.billing.issue(draft.id)
    assert (draft.audit_head, issued.audit_head) == (None, head)
    assert desk.billing.get(issued.id) == issued
    assert desk.audit()[-1].seq == int(head.partition(":")[0])


def test_a_draft_copies_everything_its_lines_rest_on(desk: Desk) -> None:
    kim = desk.ready_to_bill()
    made = charge_and_draft(desk, kim)
    assert (made.seller, made.buyer, made.number, made.state.value) == (ISSUER, KIM, None, "draft")
    billed = made.sessions[0]
    assert (billed.start_wh, billed.end_wh, billed.energy_wh) == (1_000, 13_000, 12_000)
    assert (billed.start_raw, billed.end_raw) == ("000a", "000b")
    assert (billed.meter_model, billed.tariff_ocpi) == ("Acme Charger", tariff_text())
    assert [line.net.amount for line in made.lines] == [Decimal("5.40"), Decimal("0.50")]
    assert made.totals.gross.amount == Decimal("7.02")


def test_a_corrected_session_is_billed_with_what_was_measured_beside_it(desk: Desk) -> None:
    kim = desk.ready_to_bill()
    one, two = desk.charge(kim), desk.charge(kim, 7_000, START + timedelta(hours=2))
    desk.clock.at = START + timedelta(days=2)
    desk.reviews.correct(one, 1_000, 9_000, "the display was misread")
    made = draft(desk, kim)
    corrected, measured = made.sessions
    assert (corrected.id, corrected.energy_wh, corrected.measured_wh) == (one, 8_000, 12_000)
    assert corrected.corrected_at == START + timedelta(days=2)
    assert (measured.id, measured.corrected_at, measured.measured_wh) == (two, None, None)
    issued = desk.billing.issue(made.id)
    assert desk.billing.get(issued.id).sessions == made.sessions


def test_a_register_that_counts_apparent_energy_is_never_billed_in_silence(desk: Desk) -> None:
    added = desk.add_meter("bay1", "apparent")
    assert [one.code for one in added.warnings] == [CautionCode.VAH]
    assert added.station == "bay1"
    desk.billing.set_issuer(ISSUER)
    desk.add_tariff()
    kim = desk.add_driver()
    made = charge_and_draft(desk, kim)
    assert made.sessions[0].counts_vah
    issued = desk.billing.issue(made.id)
    assert desk.billing.get(issued.id).sessions[0].counts_vah


def test_a_draft_that_names_another_correction_is_not_issued(desk: Desk) -> None:
    kim = desk.ready_to_bill()
    one = desk.charge(kim)
    desk.reviews.correct(one, 1_000, 9_000, "the display was misread")
    made = draft(desk, kim)
    desk.clock.at += timedelta(days=1)
    for end_wh in (8_000, 9_000):
        desk.reviews.correct(one, 1_000, end_wh, "and read once more")
    with desk.refused("Nothing was issued: drop the draft"):
        desk.billing.issue(made.id)


def test_a_draft_leaves_out_what_is_open_or_in_doubt_and_says_so(desk: Desk) -> None:
    kim = desk.ready_to_bill()
    clean = desk.charge(kim)
    desk.charge(kim, 5_000, START + timedelta(hours=2), Flag.METER_RESET)
    desk.charge(kim, None, START + timedelta(hours=4))
    made = desk.billing.draft(kim, MARCH)
    assert [billed.id for billed in made.invoice.sessions] == [clean]
    assert (made.in_review, made.still_open) == (1, 1)


def test_a_flag_that_is_no_doubt_does_not_stop_a_bill(desk: Desk) -> None:
    kim = desk.ready_to_bill()
    desk.charge(kim, 5_000, START, Flag.COMM_GAP, Flag.ESTIMATED_END)
    assert len(draft(desk, kim).sessions) == 1


def test_nothing_to_bill_says_what_there_is_instead(desk: Desk) -> None:
    kim = desk.ready_to_bill()
    desk.charge(kim, None)
    with desk.refused("0 in review, 1 still plugged in", NothingFound):
        draft(desk, kim)


def test_sessions_that_cost_nothing_make_no_invoice(desk: Desk) -> None:
    kim = desk.ready_to_bill()
    desk.clock.at = START
    desk.add_tariff(tariff_text("free", "0", "0"), "bay1")
    desk.charge(kim)
    with desk.refused("cost nothing", NothingFound):
        draft(desk, kim)


def test_a_session_belongs_to_the_local_month_of_its_plug_in(desk: Desk) -> None:
    kim = desk.ready_to_bill()
    last_of_february = datetime(2026, 2, 28, 22, 59, 59, tzinfo=UTC)
    desk.charge(kim, 1_000, last_of_february)
    desk.charge(kim, 2_000, last_of_february + timedelta(seconds=1))
    assert [s.energy_wh for s in draft(desk, kim, "2026-02").sessions] == [1_000]
    assert [s.energy_wh for s in draft(desk, kim).sessions] == [2_000]


def test_without_a_tariff_an_issuer_or_a_month_there_is_no_draft(desk: Desk) -> None:
    desk.add_meter()
    kim = desk.add_driver()
    session = desk.charge(kim)
    with desk.refused("Nobody is set as the issuer"):
        draft(desk, kim)
    desk.billing.set_issuer(ISSUER)
    with desk.refused(f"No tariff held at station bay1 when session {session} began"):
        draft(desk, kim)
    for month in ("2026-13", "2026", "March", "0001-01", "9999-12"):
        with desk.refused("is not a month"):
            draft(desk, kim, month)
    with desk.refused("no driver D-9"):
        draft(desk, DriverId("D-9"))


def test_the_issuer_needs_a_name(desk: Desk) -> None:
    with desk.refused("needs a name"):
        desk.billing.set_issuer(replace(ISSUER, name=" "))


def test_a_dropped_draft_frees_its_sessions_and_burns_no_number(desk: Desk) -> None:
    kim = desk.ready_to_bill()
    first = charge_and_draft(desk, kim)
    desk.billing.drop(first.id)
    with desk.refused(f"no invoice {first.id}"):
        desk.billing.get(first.id)
    assert desk.billing.issue(draft(desk, kim).id).number == "2026-00001"


def test_numbers_have_no_gap_and_each_year_is_a_series(desk: Desk) -> None:
    kim = desk.ready_to_bill()
    for hours in range(3):
        desk.charge(kim, 1_000, START + timedelta(hours=2 * hours))
        desk.billing.issue(draft(desk, kim).id)
    desk.charge(kim, 1_000, START + timedelta(hours=9))
    desk.clock.at = datetime(2026, 12, 31, 23, 0, tzinfo=UTC)  # midnight in Berlin
    desk.billing.issue(draft(desk, kim).id)
    numbers = [invoice.number for invoice in reversed(desk.billing.all())]
    assert numbers == ["2026-00001", "2026-00002", "2026-00003", "2027-00001"]


def test_two_who_issue_at_once_get_different_numbers_without_a_gap(
    desk: Desk, second_desk: Desk
) -> None:
    kim = desk.ready_to_bill()
    drafts = []
    for day in range(8):
        driver = kim if day == 0 else desk.add_driver()
        desk.charge(driver, 1_000, START + timedelta(days=day))
        drafts.append(draft(desk, driver).id)

    def issue(using: Desk, wanted: list[InvoiceId]) -> None:
        for one in wanted:
            using.billing.issue(one)

    other = threading.Thread(target=issue, args=(second_desk, drafts[::2]))
    other.start()
    issue(desk, drafts[1::2])
    other.join()
    numbers = sorted(str(invoice.number) for invoice in desk.billing.all())
    assert numbers == [f"2026-{n:05d}" for n in range(1, 9)]


def test_one_draft_issued_by_two_at_once_is_issued_once(desk: Desk, second_desk: Desk) -> None:
    kim = desk.ready_to_bill()
    made = charge_and_draft(desk, kim)
    refusals: list[UserError] = []

    def issue(using: Desk) -> None:
        try:
            using.billing.issue(made.id)
        except UserError as error:
            refusals.append(error)

    other = threading.Thread(target=issue, args=(second_desk,))
    other.start()
    issue(desk)
    other.join()
    assert [str(refusal) for refusal in refusals] == ["Invoice 2026-00001 is issued already."]


def test_what_is_issued_stays_to_the_byte_whatever_changes_later(desk: Desk) -> None:
    kim = desk.ready_to_bill()
    issued = desk.billing.issue(charge_and_draft(desk, kim).id)
    document = desk.billing.document(issued.id)
    desk.clock.at = START + timedelta(days=400)
    desk.billing.set_issuer(replace(ISSUER, name="Heirs of the depot"))
    desk.drivers.retire(kim)
    desk.add_tariff(tariff_text("dear", "9.99"), "bay1")
    desk.stations.rename("bay1", "gate")
    assert desk.billing.get(issued.id) == issued
    assert desk.billing.get(InvoiceId("2026-00001")) == issued
    assert [desk.billing.document(issued.id) for _ in range(2)] == [document] * 2


def test_an_issued_invoice_is_neither_dropped_nor_issued_again(desk: Desk) -> None:
    kim = desk.ready_to_bill()
    issued = desk.billing.issue(charge_and_draft(desk, kim).id)
    with desk.refused("2026-00001 is issued and stays"):
        desk.billing.drop(issued.id)
    with desk.refused("2026-00001 is issued already"):
        desk.billing.issue(issued.id)
    with desk.refused("no invoice nix"):
        desk.billing.issue(InvoiceId("nix"))


def test_a_session_is_billed_once_however_many_drafts_it_is_on(desk: Desk) -> None:
    kim = desk.ready_to_bill()
    first, second = charge_and_draft(desk, kim), draft(desk, kim)
    desk.billing.issue(first.id)
    with desk.refused("changed or was billed since"):
        desk.billing.issue(second.id)
    assert desk.sessions.find(SessionFilter(unbilled=True)) == []


def change_issuer(desk: Desk) -> None:
    desk.billing.set_issuer(replace(ISSUER, vat_id="DE000000000"))


def change_tariff(desk: Desk) -> None:
    desk.add_tariff(tariff_text("dear", "9.99"), "bay1")


def change_driver(desk: Desk) -> None:
    session = desk.sessions.find(SessionFilter())[0]
    desk.sessions.assign([session.id], desk.add_driver())


def rename_station(desk: Desk) -> None:
    desk.stations.rename("bay1", "gate")


@pytest.mark.parametrize("change", [change_issuer, change_tariff, change_driver, rename_station])
def test_a_draft_that_would_be_another_one_today_is_not_issued(desk: Desk, change: object) -> None:
    kim = desk.ready_to_bill()
    made = charge_and_draft(desk, kim)
    assert callable(change)
    change(desk)
    with desk.refused("since draft I-1 was made. Nothing was issued"):
        desk.billing.issue(made.id)


def test_a_document_that_cannot_be_made_issues_nothing_and_burns_no_number(desk: Desk) -> None:
    kim = desk.ready_to_bill()
    made = charge_and_draft(desk, kim)
    desk.renderer.fails_with = StorageError("The template is gone.")
    with desk.refused("template is gone", StorageError):
        desk.billing.issue(made.id)
    desk.renderer.fails_with = None
    assert desk.billing.issue(made.id).number == "2026-00001"


def test_a_draft_is_shown_as_one_and_kept_nowhere(desk: Desk) -> None:
    kim = desk.ready_to_bill()
    made = charge_and_draft(desk, kim)
    before = desk.everything()
    assert InvoiceState.DRAFT.name.encode() in desk.billing.document(made.id)
    assert desk.everything() == before
