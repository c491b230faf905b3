"""What is past its date goes, nothing else does, and all of it can be proven afterwards."""

import json
from datetime import date, timedelta
from pathlib import Path

import pytest

from evdesk.domain.audit import Change
from evdesk.domain.errors import NotPermitted
from evdesk.domain.instants import to_ms
from evdesk.domain.mail import Letter
from evdesk.domain.retention import HoldKind, RuleState
from evdesk.domain.secrets import Secret
from evdesk.domain.site import Account, AccountId, Actor, DriverId, Party, Role
from evdesk.domain.verdicts import Result
from evdesk.services.certificates import certificate_data, certificate_text
from evdesk.services.retaining import RetentionWork
from evdesk.services.rule_book import RuleBook
from evdesk.settings import shipped
from evdesk.storage.retention_file import shipped_rules
from tests.fakes.clock import START
from tests.services.desk import KIM, OWNER
from tests.services.retained import RULES, Retained, no_rest

MONTH = "2026-03"
RECOVERY = Actor("recovery", Role.OWNER)
BEA = Account(AccountId("A-2"), "Bea", Role.OWNER, START)
DAY = timedelta(days=1)


@pytest.fixture
def site(folder: Path, new_site: tuple[Path, Secret]):
    site = Retained(folder, new_site[1])
    yield site
    site.store.close()


@pytest.fixture
def billed(site: Retained) -> DriverId:
    """A driver with an invoice over two sessions, and a session that nobody was billed for."""
    kim = site.ready_to_bill()
    site.charge(kim)
    site.charge(kim, at=START + timedelta(hours=2))
    site.bill(kim, MONTH)
    site.charge(kim, wh=3_000, at=START + timedelta(hours=5))
    return kim


def add_owner(site: Retained) -> Actor:
    with site.store.write() as unit:
        unit.accounts.add(BEA)
        unit.record_change(Change("account.added", "account", BEA.id, {}))
    return Actor(BEA.id, Role.OWNER)


def reasons(site: Retained) -> dict[str, dict[str, int]]:
    return {one.rule.id: dict(one.reasons) for one in site.retention.plan() if one.selected}


# -- what goes ------------------------------------------------------------------------------------


def test_nothing_goes_before_its_time(site: Retained, billed: DriverId) -> None:
    site.to("2026-05-31")
    before = site.image_of_rows()
    assert site.run() == {}
    assert site.image_of_rows() == before


def test_a_billed_session_forgets_its_driver_after_ninety_days(
    site: Retained, billed: DriverId
) -> None:
    session = site.rows("SELECT id, energy_wh, start_raw FROM session ORDER BY id")
    site.to("2026-06-01")
    assert site.run() == {"session-links": 2}
    assert site.rows("SELECT id, energy_wh, start_raw FROM session ORDER BY id") == session
    assert site.rows("SELECT driver_id FROM session ORDER BY id") == [(None,), (None,), (billed,)]
    (invoice,) = site.billing.all()
    assert invoice.buyer == KIM
    assert site.billing.document(invoice.id)


def test_an_unbilled_session_becomes_a_figure_of_its_month(
    site: Retained, billed: DriverId
) -> None:
    site.charge(None, wh=1_500, at=START + timedelta(days=1))
    site.to("2027-03-05")
    assert site.run()["unbilled-sessions"] == 2
    assert site.rows("SELECT station_id, month, sessions, energy_wh FROM session_aggregate") == [
        (1, MONTH, 2, 4_500)
    ]
    assert site.count("session") == 2  # the billed ones
    sessions = [row[0] for row in site.rows("SELECT DISTINCT session_id FROM session_event")]
    assert len(sessions) == 2
    site.charge(None, wh=7, at=START + timedelta(days=2))
    assert site.run() == {"unbilled-sessions": 1}
    assert site.rows("SELECT sessions, energy_wh FROM session_aggregate") == [(3, 4_507)]


def test_a_session_in_a_draft_is_not_added_up(site: Retained) -> None:
    kim = site.ready_to_bill()
    site.charge(kim)
    site.to("2027-03-05")
    site.billing.draft(kim, MONTH)
    assert reasons(site)["unbilled-sessions"] == {"draft": 1}
    assert site.run() == {}
    site.to("2027-09-02")
    assert site.run() == {"drafts": 1, "unbilled-sessions": 1}


def test_an_invoice_goes_on_new_years_day_and_not_before(site: Retained, billed: DriverId) -> None:
    site.clock.at = START.replace(year=2034, month=12, day=31, hour=22, minute=59)
    assert "invoices-de" not in site.run()
    assert site.count("invoice") == 1
    number = site.billing.all()[0].number
    site.clock.at += timedelta(minutes=1)
    assert site.run()["invoices-de"] == 1
    for table in ("invoice", "invoice_document", "invoice_event", "invoice_session", "session",
                  "session_event"):  # fmt: skip
        assert site.count(table) == 0, table
    with site.store.read() as unit:  # its number is never given away again
        series, _, serial = str(number).rpartition("-")
        assert unit.invoices.next_number(series) == int(serial) + 1


def test_an_invoice_stays_with_its_younger_correction(site: Retained, billed: DriverId) -> None:
    site.to("2027-02-01")
    with site.store.write() as unit:
        (invoice,) = (one.id for one in unit.invoices.all())
        unit._connection.run(  # type: ignore[attr-defined]
            "INSERT INTO invoice_event (invoice_id, at_ms, kind, detail) VALUES (?, ?, ?, '{}')",
            (invoice, to_ms(site.clock.at), "cancelled"),
        )
        unit.record_change(Change("invoice.cancelled", "invoice", invoice, {}))
    site.to("2035-12-31")
    assert "invoices-de" not in site.run()
    site.to("2036-01-01")
    assert site.run()["invoices-de"] == 1


def test_a_driver_who_left_is_forgotten_once_all_is_billed(
    site: Retained, billed: DriverId
) -> None:
    site.to("2026-04-01")
    site.drivers.retire(billed)
    site.to("2026-06-30")
    assert reasons(site)["identity"] == {"unbilled_session": 1}
    site.run()
    assert site.party(billed) == KIM
    site.to("2026-07-01")
    site.bill(billed, MONTH)
    site.to("2026-07-31")
    assert "identity" not in site.run()  # thirty days from the last invoice on
    site.to("2026-08-01")
    assert {"identity": 1, "contact": 1}.items() <= site.run().items()
    assert site.party(billed) == Party(name=billed)
    keyring = site.persons().keyring(billed)
    assert not {"identity", "contact"} & set(keyring)
    assert {one.buyer.name for one in site.billing.all()} == {KIM.name}


def test_cards_go_thirty_days_after_their_end(site: Retained) -> None:
    kim = site.add_driver()
    site.cards.add(kim, "04A2F31B")
    site.cards.add(kim, "04A2F31C")
    site.cards.lost("04A2F31B")
    site.to("2026-04-01")
    assert site.run() == {}
    site.to("2026-04-02")
    assert site.run() == {"cards": 1}
    assert (site.count("card"), site.count("card_end")) == (1, 0)


def test_mail_that_is_done_goes_and_mail_that_waits_stays(site: Retained) -> None:
    with site.store.write() as unit:
        for number in (1, 2):
            letter = Letter("fault", f"<{number}@x>", "o@example.org", "Fault", "text", ())
            unit.outbox.add(letter, site.clock.at)
        unit._connection.run("UPDATE outbox SET state = 'sent' WHERE id = 1")  # type: ignore[attr-defined]
        unit.record_change(Change("mail.queued", "mail", "1", {}))
    site.to("2026-06-01")
    assert site.run() == {"mail": 1}
    assert site.rows("SELECT state FROM outbox") == [("waiting",)]


def test_what_the_log_says_in_detail_goes_after_ten_years_and_the_log_holds(
    site: Retained, billed: DriverId
) -> None:
    site.to("2036-03-03")
    took = site.run()
    assert took["audit"] > 0
    verdict = site.verdict()
    assert verdict.result is Result.INTACT, verdict.findings
    assert verdict.erased == took["audit"]
    assert dict(verdict.erased_under)["invoices-de@1"] > 4


# -- holds ----------------------------------------------------------------------------------------


def test_a_hold_overrides_every_due_date_until_it_is_released(
    site: Retained, billed: DriverId
) -> None:
    site.cards.add(billed, "04A2F31B")
    hold = site.retention.hold(HoldKind.PERSON, billed, "court case", date(2027, 1, 1))
    site.drivers.retire(billed)
    site.to("2035-01-02")
    held = reasons(site)
    assert set(held) >= {"invoices-de", "session-links", "unbilled-sessions", "cards", "identity"}
    assert all(set(why) == {"legal_hold"} for name, why in held.items() if name != "audit")
    assert site.run() == {}
    site.retention.release(hold.id, "settled")
    assert site.run().keys() >= {"invoices-de", "unbilled-sessions", "cards", "identity"}


def test_an_invoice_on_hold_keeps_its_sessions_and_a_class_on_hold_all_of_it(
    site: Retained, billed: DriverId
) -> None:
    number = site.billing.all()[0].number
    site.retention.hold(HoldKind.INVOICE, str(number), "audit", date(2027, 1, 1))
    site.retention.hold(HoldKind.CLASS, "session", "statistics", date(2027, 1, 1))
    site.to("2035-01-02")
    assert site.run() == {}
    assert site.count("session") == 3


@pytest.mark.parametrize(
    ("kind", "ref"),
    [(HoldKind.PERSON, "D-9"), (HoldKind.INVOICE, "2026-9"), (HoldKind.CLASS, "shoes")],
)
def test_what_is_not_there_cannot_be_held(site: Retained, kind: HoldKind, ref: str) -> None:
    with site.refused("There is no"):
        site.retention.hold(kind, ref, "why", date(2027, 1, 1))


# -- rules ----------------------------------------------------------------------------------------


def state_of(site: Retained, rule: str) -> dict[int, RuleState]:
    kept = site.retention.rules()
    return {one.rule.version: one.state for one in kept if one.rule.id == rule}


def test_each_kind_has_one_rule_in_force_and_each_one_says_why(site: Retained) -> None:
    in_force = [one for one in site.retention.rules() if one.state is RuleState.IN_FORCE]
    classes = [one.rule.data_class for one in in_force]
    assert len(classes) == len(set(classes))
    assert "invoice" in classes
    assert all(one.rule.legal_basis and one.rule.justification for one in in_force)


def test_a_longer_period_holds_at_once(site: Retained, billed: DriverId) -> None:
    kept = site.retention.change("session-links", "120d", "disputes take long")
    assert (kept.state, kept.rule.version, kept.approver) == (RuleState.IN_FORCE, 2, OWNER.id)
    assert state_of(site, "session-links") == {1: RuleState.REPLACED, 2: RuleState.IN_FORCE}
    site.to("2026-06-01")
    assert site.run() == {}
    site.to("2026-07-01")
    assert site.run() == {"session-links": 2}
    (done,) = site.retention.log()
    assert (done.planned.rule.version, done.planned.rule.period.count) == (2, 120)


def test_a_shorter_period_waits_for_another_owner(site: Retained, billed: DriverId) -> None:
    bea = add_owner(site)
    kept = site.retention.change("session-links", "30d", "less is enough")
    assert kept.state is RuleState.PROPOSED
    site.to("2026-04-15")
    assert site.run() == {}
    with pytest.raises(NotPermitted, match="does not approve it"):
        site.retention.approve("session-links")
    with pytest.raises(NotPermitted, match="several owners"):
        site.as_(RECOVERY).approve("session-links")
    assert site.as_(bea).approve("session-links").state is RuleState.IN_FORCE
    assert site.run() == {"session-links": 2}
    with site.refused("No shorter period is proposed"):
        site.as_(bea).approve("session-links")


def test_with_one_owner_it_takes_the_recovery_code_and_seven_days(
    site: Retained, billed: DriverId
) -> None:
    site.retention.change("session-links", "30d", "less is enough")
    recovery = site.as_(RECOVERY)
    site.clock.at += 7 * DAY - timedelta(seconds=1)
    with site.refused("waits 7 days"):
        recovery.approve("session-links")
    site.clock.at += timedelta(seconds=1)
    with pytest.raises(NotPermitted):
        site.retention.approve("session-links")
    assert recovery.approve("session-links").approver == "recovery"


def test_what_the_law_asks_for_is_never_shortened(site: Retained) -> None:
    with site.refused("what the law asks for"):
        site.retention.change("invoices-de", "7y", "less is enough")
    assert site.retention.change("invoices-de", "10y", "we wish so").state is RuleState.IN_FORCE
    assert site.retention.change("invoices-de", "8y", "no more").state is RuleState.PROPOSED


def test_a_rule_of_another_country_does_not_hold(site: Retained, billed: DriverId) -> None:
    with site.refused("Confirm it first"):
        site.retention.change("invoices-fr", "12y", "why not")
    with site.refused("No rule is offered"):
        site.retention.confirm("invoices-fr")


def test_elsewhere_nothing_goes_until_an_owner_confirms(site: Retained) -> None:
    site.billing.set_issuer(Party("Dépôt SA", "Rue 1", "75001", "Paris", "FR"))
    kim = site.add_driver()
    site.cards.add(kim, "04A2F31B")
    site.cards.lost("04A2F31B")
    site.to("2030-01-01")
    assert site.run() == {}
    assert {one.state for one in site.retention.rules()} == {RuleState.OFFERED}
    site.retention.confirm("cards")
    assert site.run() == {"cards": 1}
    confirmed = {one.rule.id for one in site.retention.confirm()}
    assert "invoices-fr" in confirmed
    assert not {"invoices-de", "invoices", "cards"} & confirmed


def test_what_lies_in_the_future_is_planned_and_never_erased(
    site: Retained, billed: DriverId
) -> None:
    later = START + timedelta(days=4_000)
    assert {one.rule.id for one in site.retention.plan(later) if one.deletable} >= {"invoices-de"}
    with site.refused("lies in the future"):
        site.retention.run(later)


# -- proof ----------------------------------------------------------------------------------------


def test_after_an_erasure_nobody_finds_the_person_in_any_page(site: Retained) -> None:
    kim = site.add_driver()
    site.cards.add(kim, "04A2F31B")
    keys = [key.reveal() for key in site.persons().keyring(kim).values()]
    rows = site.rows("SELECT sealed FROM person_field") + site.rows("SELECT digest FROM card")
    planted = [*(value for (value,) in rows), *keys[:2]]
    assert all(value in site.image() for value in planted)  # the search can find
    site.drivers.retire(kim)
    site.to("2026-04-03")
    site.run()
    image = site.image()
    gone = set(site.persons().keyring(kim))
    assert gone == {"payment"} or "identity" not in gone
    assert [value for value in planted[: len(rows)] if value in image] == []
    erased = [key for key in keys if key in image]
    assert len(erased) == len(gone)


def test_the_log_is_intact_and_says_under_which_rule_rows_were_erased(
    site: Retained, billed: DriverId
) -> None:
    site.to("2027-06-01")
    site.run()
    verdict = site.verdict()
    assert verdict.result is Result.INTACT, verdict.findings
    assert set(dict(verdict.erased_under)) == {"unbilled-sessions@1"}
    salts = site.rows(
        "SELECT count(*) FROM row_salt JOIN row_commit USING (table_name, row_key)"
        " WHERE row_commit.digest IS NULL"
    )
    assert salts == [(0,)]


def test_a_row_that_is_taken_away_without_a_rule_is_still_missed(
    site: Retained, billed: DriverId
) -> None:
    site.to("2027-06-01")
    site.run()
    with site.store.write() as unit:
        db = unit._connection  # type: ignore[attr-defined]
        db.run("DROP TRIGGER session_event_no_delete")
        db.run("DROP TRIGGER session_event_deleted")
        db.run("DELETE FROM session_event")
        unit.record_change(Change("test.do", "test", "1", {}))
    assert "row_missing" in [one.what.value for one in site.verdict().findings]


def test_the_log_of_retention_tells_all_that_an_auditor_asks_for(
    site: Retained, billed: DriverId
) -> None:
    site.to("2027-06-01")
    site.run()
    done = {one.planned.rule.id: one for one in site.retention.log()}
    one = done["unbilled-sessions"]
    assert (one.planned.selected, one.deleted, one.planned.retained, one.left) == (1, 1, 0, 0)
    assert one.checkpoint == "0,0,0"
    assert one.actor == OWNER.id
    assert one.verified
    assert len(one.ledger) == 64
    assert site.retention.overdue() == []
    certificate = site.retention.certificate()
    data = certificate_data(certificate)
    assert json.loads(json.dumps(data)) == data
    assert data["verified"] is True
    assert "What was not done" in certificate_text(certificate)
    assert KIM.name not in certificate_text(certificate)


def test_an_open_reader_is_waited_for_and_never_reported_as_done(
    site: Retained, billed: DriverId
) -> None:
    site.to("2026-06-01")
    with site.store.read() as unit:
        unit.sessions.count()
        work = RetentionWork(site.store, RuleBook(RULES), site.clock, no_rest, empty_tries=1)
        done = work.run(site.clock.at)
    assert [one.deleted for one in done] == [2]
    assert not done[0].verified
    assert done[0].checkpoint != "0,0,0"


def test_two_that_run_at_once_take_everything_once(site: Retained, billed: DriverId) -> None:
    """The owner and the collector: whoever is first writes the log."""
    site.to("2026-06-01")
    site.clock.at += timedelta(microseconds=1_234)  # finer than it is kept
    other = RetentionWork(site.store, RuleBook(RULES), site.clock, no_rest)
    ran: list[int] = []

    def meanwhile(_seconds: float) -> None:
        if not ran:
            ran.append(0)
            ran.append(len(other.run(site.clock.at)))

    done = RetentionWork(site.store, RuleBook(RULES), site.clock, meanwhile).run(site.clock.at)
    assert [one.deleted for one in done] == [2]
    assert len(site.retention.log()) == 1
    assert site.verdict().findings == ()


def test_what_ships_fits_together() -> None:
    offered = shipped_rules(shipped("resources") / "privacy")
    names = [(one.id, one.version) for one in offered.rules]
    assert len(names) == len(set(names))
    assert offered.default_in == {"DE", "AT"}
    assert {one.jurisdiction for one in offered.rules if one.data_class == "invoice"} >= {
        "DE", "AT", "FR", "NL", "IT", "GB", "CH", "US", "CA", "*",
    }  # fmt: skip


def test_an_auditor_reads_and_a_clerk_changes_nothing(site: Retained, billed: DriverId) -> None:
    auditor, clerk = site.as_(Actor("A-8", Role.AUDITOR)), site.as_(Actor("A-9", Role.STAFF))
    assert auditor.rules()
    assert auditor.overdue() == []
    for refused in (auditor, clerk):
        with pytest.raises(NotPermitted):
            refused.run()
        with pytest.raises(NotPermitted):
            refused.change("cards", "60d", "why")


def test_a_session_that_is_open_or_in_review_is_not_added_up(site: Retained) -> None:
    kim = site.ready_to_bill()
    site.charge(kim, wh=None)
    site.to("2035-03-05")
    assert site.run() == {}
    assert site.count("session") == 1
