"""Erasing a class of a person's data: one function for retention, withdrawal and requests.

What spans three files is begun in the log, then the key of the class is destroyed, the erasure
ledger told, and the rows deleted. What was cut off in between is finished by ``finish_begun``.
"""

from dataclasses import dataclass
from datetime import datetime

from evdesk.domain.audit import DATA_ERASED, Change
from evdesk.domain.instants import parse_instant, rfc3339
from evdesk.domain.personal_data import DataClass
from evdesk.domain.retention import ClassEnd, Ended, Rule, held
from evdesk.domain.site import DriverId
from evdesk.ports import Store, Unit

ERASE = "erase_class"  # the kind of the intent
BEGUN = "erasure.begun"
KEYED = frozenset({DataClass.IDENTITY, DataClass.CONTACT, DataClass.PAYMENT, DataClass.VIN})
BILLING = KEYED - {DataClass.VIN} | {DataClass.SESSION_LINK}
PROOF = frozenset({DataClass.CONSENT, DataClass.CONSENT_EVIDENCE, DataClass.REQUEST})
CONTRACT = "Art. 6(1)(b) GDPR: sessions of this person are still to be billed"
LAW = "Art. 17(3)(b) GDPR: invoices are kept for as long as the law asks"
CLAIMS = "Art. 17(3)(e) GDPR: what was agreed to and answered has to be provable"
HELD = "legal hold"
ERASED = "Art. 17(1) GDPR"
ACCOUNTABLE = "Art. 5(2), 17(3)(b) GDPR: the audit log tells who did what"


@dataclass(frozen=True, slots=True)
class Under:
    """What something is erased under, and when: a rule with its version, or a request.

    ``rules`` are those in force: they tell until when something is retained. ``run`` is the run of
    retention that it is part of.
    """

    rule: str
    at: datetime
    tz: str
    rules: tuple[Rule, ...] = ()
    reason: str | None = None
    run: int | None = None


def erase_class(
    store: Store, person: DriverId, data_class: DataClass, under: Under, *, dry: bool = False
) -> ClassEnd:
    """Erase a class of a person's data as far as law and holds allow, and say what came of it.

    A ``dry`` run changes nothing and answers the same.

    Raises:
        StorageError: the database is busy or a disk fails; what was begun is finished later.

    """
    finish_begun(store)
    with store.read() as unit:
        kept = _retained(unit, person, data_class, under)
        count = 0 if kept is not None else _present(unit, person, data_class)
    if kept is not None:
        return kept
    if not dry:
        count = _erase(store, person, data_class, under, count)
    done = Ended.ANONYMISED if data_class is DataClass.SESSION_LINK else Ended.ERASED
    return ClassEnd(data_class, done, ERASED, None, count)


def erase_keyed(store: Store, person: DriverId, data_class: DataClass, under: Under) -> int:
    """Destroy the key of a class, tell the ledger, delete the rows; return how many they were.

    Whoever calls has looked whether it may be done.
    """
    with store.write() as unit:
        data = {
            "person": person,
            "class": data_class.value,
            "rule": under.rule,
            "at": rfc3339(under.at),
            "run": under.run,
        }
        intent = unit.intents.begin(ERASE, data, under.at)
        facts = {"class": data_class.value, "rule": under.rule}
        unit.record_change(Change(BEGUN, "driver", person, facts, under.reason))
    with store.write() as unit:
        return _carry_out(unit, person, data_class, under, intent)


def finish_begun(store: Store) -> int:
    """Finish what a process that died had begun; return how much that was."""
    with store.read() as unit:
        begun = unit.intents.open(ERASE)
        tz = unit.site.load().tz
    for intent, data in begun.items():
        at, run = parse_instant(str(data["at"]), "UTC"), data.get("run")
        under = Under(str(data["rule"]), at, tz, run=run if isinstance(run, int) else None)
        person, data_class = DriverId(str(data["person"])), DataClass(str(data["class"]))
        with store.write() as unit:
            _carry_out(unit, person, data_class, under, intent)
    return len(begun)


def _carry_out(
    unit: Unit, person: DriverId, data_class: DataClass, under: Under, intent: int
) -> int:
    unit.erasing.destroy(person, data_class, under.rule, under.at)
    count = unit.erasing.erase_person(person, data_class)
    if under.run is not None:
        unit.retention.step(under.run, under.rule.partition("@")[0], 1)
    unit.intents.done([intent], under.at)
    facts = {"class": data_class.value, "driver": person, "rows": count}
    unit.record_change(Change(DATA_ERASED, "rule", under.rule, facts))
    return count


def _erase(store: Store, person: DriverId, data_class: DataClass, under: Under, count: int) -> int:
    if data_class in KEYED:
        return erase_keyed(store, person, data_class, under)
    if not count:
        return 0
    with store.write() as unit:
        about = person
        if data_class is DataClass.MAIL:  # letters know an address only, and so has the ledger to
            about = DriverId(_address(unit, person))
            count = unit.erasing.drop_mail_to(about)
        else:
            count = unit.erasing.erase_person(person, data_class)
        unit.erasing.tell(about, data_class, under.rule, under.at)
        facts = {"class": data_class.value, "driver": person, "rows": count}
        unit.record_change(Change(DATA_ERASED, "rule", under.rule, facts, under.reason))
    return count


def _present(unit: Unit, person: DriverId, data_class: DataClass) -> int:
    if data_class is DataClass.MAIL:
        return int(bool(_address(unit, person)))
    if data_class in {DataClass.INVOICE, DataClass.REQUEST, DataClass.ACCOUNT}:
        return 0
    return unit.erasing.of_person(person, data_class)


def _address(unit: Unit, person: DriverId) -> str:
    driver = unit.drivers.reveal(person)
    return "" if driver is None else driver.party.email


def _retained(unit: Unit, person: DriverId, data_class: DataClass, under: Under) -> ClassEnd | None:
    """Return why a class of a person stays, or None where it may go."""
    holds = held(unit.retention.holds())
    if person in holds.persons or data_class in holds.classes:
        return ClassEnd(data_class, Ended.RETAINED, HELD, None)
    if data_class in BILLING and unit.erasing.unbilled(person):
        return ClassEnd(data_class, Ended.RETAINED, CONTRACT, None)
    if data_class is DataClass.INVOICE:
        newest = unit.erasing.retained_until(person)
        if newest is not None:
            until = _until(under, data_class, newest)
            return ClassEnd(data_class, Ended.RETAINED, LAW, until)
    if data_class in PROOF and _is_there(unit, person, data_class):
        return ClassEnd(data_class, Ended.RETAINED, CLAIMS, _until(under, data_class, under.at))
    if data_class is DataClass.ACCOUNT:
        return ClassEnd(data_class, Ended.RETAINED, ACCOUNTABLE, None)
    return None


def _is_there(unit: Unit, person: DriverId, data_class: DataClass) -> bool:
    return data_class is DataClass.REQUEST or unit.erasing.of_person(person, data_class) > 0


def _until(under: Under, data_class: DataClass, at: datetime) -> datetime | None:
    rule = next((one for one in under.rules if one.data_class == data_class), None)
    return None if rule is None else rule.due_at(at, under.tz)
