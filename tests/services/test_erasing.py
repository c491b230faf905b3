"""Erasing a class of a person: what goes, what stays with its ground, and nothing comes back."""

import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from evdesk.domain.audit import Change
from evdesk.domain.backups import BackupId
from evdesk.domain.consents import Switch
from evdesk.domain.instants import to_ms
from evdesk.domain.mail import Letter
from evdesk.domain.personal_data import DataClass
from evdesk.domain.retention import Ended, HoldKind
from evdesk.domain.secrets import Secret
from evdesk.domain.site import DriverId, Party
from evdesk.domain.verdicts import Result
from evdesk.ports import BackupOrder
from evdesk.services.erasing import Under, erase_class, finish_begun
from evdesk.storage.backups import SiteBackups
from evdesk.storage.erasures import LEDGER, LedgerFile
from evdesk.storage.keys import unlock
from evdesk.storage.restoring import Wish, restoration
from tests.fakes.clock import START
from tests.services.desk import KIM, PASSWORD
from tests.services.retained import Retained

PERSON = (DataClass.MAIL, DataClass.CARD, DataClass.SESSION_LINK, DataClass.IDENTITY,
          DataClass.CONTACT, DataClass.PAYMENT, DataClass.INVOICE, DataClass.CONSENT,
          DataClass.CONSENT_EVIDENCE, DataClass.VIN)  # fmt: skip


@pytest.fixture
def site(folder: Path, new_site: tuple[Path, Secret]):
    site = Retained(folder, new_site[1])
    yield site
    site.store.close()


@pytest.fixture
def kim(site: Retained) -> DriverId:
    """A driver with a card, an invoice, and a letter that has gone out."""
    kim = site.ready_to_bill()
    site.charge(kim)
    site.bill(kim, "2026-03")
    site.cards.add(kim, "04A2F31B")
    with site.store.write() as unit:
        unit.outbox.add(Letter("invoice", "<1@x>", KIM.email, "Bill", "text", ()), START)
        unit._connection.run("UPDATE outbox SET state = 'sent'")  # type: ignore[attr-defined]
        unit.record_change(Change("mail.queued", "mail", "1", {}))
    return kim


def under(site: Retained) -> Under:
    kept = site.retention.rules()
    rules = tuple(one.rule for one in kept if one.state.value == "in force")
    return Under("request 1", site.clock.at, "Europe/Berlin", rules)


def erase(site: Retained, person: DriverId, *classes: DataClass) -> dict[str, Ended]:
    how = under(site)
    return {
        name.value: erase_class(site.store, person, name, how).action for name in classes or PERSON
    }


def test_each_class_answers_with_what_became_of_it(site: Retained, kim: DriverId) -> None:
    assert erase(site, kim) == {
        "mail": Ended.ERASED,
        "card": Ended.ERASED,
        "session_link": Ended.ANONYMISED,
        "identity": Ended.ERASED,
        "contact": Ended.ERASED,
        "payment": Ended.ERASED,
        "invoice": Ended.RETAINED,
        "consent": Ended.ERASED,
        "consent_evidence": Ended.ERASED,
        "vin": Ended.ERASED,
    }
    assert site.party(kim) == Party(name=kim)
    assert site.rows("SELECT driver_id FROM session") == [(None,)]
    assert (site.count("card"), site.count("outbox"), site.count("person_field")) == (0, 0, 0)
    assert site.persons().keyring(kim) == {}
    assert site.billing.all()[0].buyer == KIM
    verdict = site.verdict()
    assert verdict.result is Result.INTACT, verdict.findings
    assert "request 1" in dict(verdict.erased_under)


def test_an_invoice_says_until_when_the_law_keeps_it(site: Retained, kim: DriverId) -> None:
    end = erase_class(site.store, kim, DataClass.INVOICE, under(site))
    assert (end.action, end.until and end.until.year) == (Ended.RETAINED, 2034)  # 23:00 in UTC
    assert "17(3)(b)" in end.legal_ground


def test_who_is_still_to_be_billed_is_kept_for_that(site: Retained, kim: DriverId) -> None:
    site.charge(kim, at=START + timedelta(days=1))
    ends = erase(site, kim)
    assert ends["identity"] is ends["session_link"] is Ended.RETAINED
    assert ends["card"] is Ended.ERASED
    assert site.party(kim).name == KIM.name


def test_a_hold_is_a_ground_to_keep(site: Retained, kim: DriverId) -> None:
    review = (site.clock.at + timedelta(days=30)).date()
    site.retention.hold(HoldKind.PERSON, kim, "court", review)
    assert set(erase(site, kim).values()) == {Ended.RETAINED}
    assert site.party(kim) == KIM


def test_a_dry_run_answers_the_same_and_changes_nothing(site: Retained, kim: DriverId) -> None:
    how, before = under(site), site.image_of_rows()
    dry = [erase_class(site.store, kim, one, how, dry=True) for one in PERSON]
    assert site.image_of_rows() == before
    assert not (site.folder / LEDGER).exists()
    assert [(one.data_class, one.action) for one in dry] == [
        (one.data_class, one.action)
        for one in (erase_class(site.store, kim, name, how) for name in PERSON)
    ]


def test_erasing_twice_is_erasing_once(site: Retained, kim: DriverId) -> None:
    erase(site, kim, DataClass.IDENTITY)
    lines = LedgerFile(site.folder / LEDGER).all()
    erase(site, kim, DataClass.IDENTITY)
    assert LedgerFile(site.folder / LEDGER).all() == lines


def test_what_was_begun_is_finished(site: Retained, kim: DriverId) -> None:
    with site.store.write() as unit:
        data = {"person": kim, "class": "identity", "rule": "r@1", "at": "2026-03-02T06:00:00Z"}
        unit.intents.begin("erase_class", data, START)
        unit.record_change(Change("erasure.begun", "driver", kim, {}))
    assert finish_begun(site.store) == 1
    assert site.party(kim).name == kim
    assert finish_begun(site.store) == 0


def test_a_restored_backup_brings_nothing_back(
    site: Retained, kim: DriverId, tmp_path: Path
) -> None:
    """Rows, keys and cards of people who were erased; sessions that had become figures."""
    site.charge(None, at=START + timedelta(days=1))
    lee = site.add_driver(Party("Lee Kim", email="lee@example.org"))
    usb = tmp_path / "usb"
    usb.mkdir()
    unlocked = unlock(site.folder, None, PASSWORD)
    files = SiteBackups(site.folder, unlocked, site.clock)
    with files.alone():
        made = files.make(BackupOrder(BackupId("B-1"), files.check_folder(usb), START))
    shutil.copyfile(site.folder / "persons.db", tmp_path / "persons.db")
    erase(site, kim)
    site.to("2027-03-10")
    assert site.run()["unbilled-sessions"] == 1
    site.store.close()
    restored = site.folder.with_name("restored")
    shutil.copyfile(site.folder / LEDGER, usb / LEDGER)
    shutil.copyfile(tmp_path / "persons.db", usb / "persons.db")  # an old one, with all keys
    with restoration(Wish(made.file, restored, PASSWORD, site.clock.at)) as begun:
        assert begun.carry_out({}).erased_again >= 2
    back = Retained(restored, site.data_key)
    assert back.persons().keyring(kim) == {}
    assert back.party(kim) == Party(name=kim)
    assert back.party(lee).name == "Lee Kim"
    assert (back.count("card"), back.count("session_aggregate")) == (0, 1)
    assert back.rows("SELECT driver_id FROM session") == [(None,)]
    assert back.rows("SELECT person_id FROM person_field WHERE person_id = ?", kim) == []
    verdict = back.verdict()
    assert verdict.result is Result.INTACT, verdict.findings
    back.store.close()


def test_a_car_that_is_new_after_a_withdrawal_survives_a_restore(
    site: Retained, tmp_path: Path
) -> None:
    kim = site.add_driver()
    erase_class(site.store, kim, DataClass.VIN, under(site))
    site.to("2026-04-01")
    with site.store.write() as unit:
        unit._connection.run(  # type: ignore[attr-defined]
            "INSERT INTO vehicle VALUES (1, ?, ?, ?, ?)",
            (kim, bytes(32), bytes(40), to_ms(site.clock.at)),
        )
        unit.record_change(Change("vehicle.set", "driver", kim, {}))
    usb = tmp_path / "usb"
    usb.mkdir()
    files = SiteBackups(site.folder, unlock(site.folder, None, PASSWORD), site.clock)
    with files.alone():
        order = BackupOrder(BackupId("B-1"), files.check_folder(usb), site.clock.at)
        made = files.make(order)
    site.store.close()
    restored = site.folder.with_name("restored")
    with restoration(Wish(made.file, restored, PASSWORD, site.clock.at)) as begun:
        begun.carry_out({})
    back = Retained(restored, site.data_key)
    assert (back.count("vehicle"), back.party(kim)) == (1, KIM)
    back.store.close()


def test_consents_and_vehicles_go_when_their_time_is_up(site: Retained) -> None:
    """Rows as the ledger of consents writes them."""
    kim = site.add_driver()
    at, until = to_ms(START), to_ms(START + timedelta(days=365))

    def said(seq: int, purpose: str, state: str, at_ms: int, evidence: int | None = None) -> None:
        with site.store.write() as unit:
            unit._connection.run(  # type: ignore[attr-defined]
                "INSERT INTO consent_event (person_id, purpose, seq, at_ms, recorded_at_ms, state,"
                " method, valid_until_ms, entity_id, entity_role, witness, evidence_id,"
                " evidence_sha256)"
                " VALUES (?, ?, ?, ?, ?, ?, 'paper', ?, ?, 'subject', 'A-1', ?, ?)",
                (kim, purpose, seq, at_ms, at_ms, state, until, kim, evidence,
                 None if evidence is None else bytes(32)),
            )  # fmt: skip
            unit.record_change(Change("consent.recorded", "driver", kim, {}))

    with site.store.write() as unit:
        db = unit._connection  # type: ignore[attr-defined]
        db.run("INSERT INTO consent_evidence VALUES (1, ?, 'image/png', ?)", (kim, bytes(40)))
        db.run("INSERT INTO vehicle VALUES (1, ?, ?, ?, ?)", (kim, bytes(32), bytes(40), at))
        unit.record_change(Change("vehicle.set", "driver", kim, {}))
    said(1, "vin", "ConsentGiven", at, 1)
    said(1, "history", "ConsentGiven", at)
    site.to("2026-06-01")
    assert site.run() == {}
    said(2, "vin", "ConsentWithdrawn", to_ms(site.clock.at))
    site.to("2026-06-15")
    said(3, "vin", "ConsentRequested", to_ms(site.clock.at))  # asking anew wins no time
    site.to("2026-07-01")
    assert site.run() == {}
    site.to("2026-07-02")
    assert site.run() == {"vehicles": 1}
    assert site.count("vehicle") == 0
    site.to("2029-12-31")
    assert site.run() == {}
    site.to("2030-01-01")
    assert site.run() == {"consent-evidence": 1, "consents": 1}  # of the withdrawn one
    assert site.rows("SELECT DISTINCT purpose FROM consent_event") == [("history",)]
    site.to("2031-01-01")
    assert site.run() == {"consents": 1}  # ran out in 2027


def test_what_is_restricted_is_stored_and_not_erased(site: Retained, kim: DriverId) -> None:
    with site.store.write() as unit:
        unit.restraints.restrict(kim, Switch(site.clock.at, on=True, author="A-1", reason="wrong"))
        unit.record_change(Change("person.restricted", "driver", kim, {}))
    site.drivers.retire(kim)
    site.to("2035-06-01")
    assert set(site.run()) <= {"mail"}
    whys = {one.rule.id: dict(one.reasons) for one in site.retention.plan() if one.selected}
    assert whys["invoices-de"] == whys["identity"] == {"restriction": 1}


def test_whoever_agrees_to_history_stays_linked_until_they_withdraw(
    site: Retained, kim: DriverId
) -> None:
    at = to_ms(START)
    with site.store.write() as unit:
        unit._connection.run(  # type: ignore[attr-defined]
            "INSERT INTO notice VALUES (1, 'history', 1, 0, 'de', x'00', ?, ?, 'A-1', 1)",
            (bytes(32), at),
        )
        unit._connection.run(  # type: ignore[attr-defined]
            "INSERT INTO consent_event (person_id, purpose, seq, at_ms, recorded_at_ms, state,"
            " method, valid_until_ms, entity_id, entity_role, witness, notice_id)"
            " VALUES (?, 'history', 1, ?, ?, 'ConsentGiven', 'paper', ?, ?, 'subject', 'A-1', 1)",
            (kim, at, at, to_ms(START + timedelta(days=300)), kim),
        )
        unit.record_change(Change("consent.recorded", "driver", kim, {}))
    site.to("2026-08-01")
    assert "session-links" not in site.run()
    assert [dict(one.reasons) for one in site.retention.plan() if one.selected] == [{"consent": 1}]
    site.to("2026-12-28")
    assert site.run()["session-links"] == 1
