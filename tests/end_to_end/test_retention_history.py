"""Years of drivers, sessions, invoices, consents and holds, and a checker that shares no code.

The checker keeps its own list of all that was ever written, with its own calendar. After each run
it looks into the tables: what is past its date is not there, what is not is.
"""

import random
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from evdesk.domain.audit import Change
from evdesk.domain.retention import HoldKind, Period
from evdesk.domain.secrets import Secret
from evdesk.domain.site import Driver, DriverId, Party
from evdesk.domain.verdicts import Result
from evdesk.services.retention import RetentionService
from evdesk.storage import keys
from evdesk.storage.site_folder import create_site
from tests.services.desk import ISSUER, OWNER, PASSWORD, SITE
from tests.services.retained import RULES, Retained

BERLIN = ZoneInfo("Europe/Berlin")
BEGIN = datetime(2026, 3, 2, 6, tzinfo=UTC)
NEVER = datetime(9000, 1, 1, tzinfo=UTC)
SESSION = (
    "INSERT INTO session (id, station_id, driver_id, state, plugged_in_at_ms, unplugged_at_ms,"
    " energy_wh, charging_ms, flags, tag_digest, tag_shown)"
    " VALUES (?, 1, ?, 'closed', ?, ?, ?, 0, '[]', ?, '04..')"
)
INVOICE = (
    "INSERT INTO invoice (id, number, series, serial, driver_id, issued_at_ms, currency, net_minor,"
    " vat_minor, gross_minor, record) VALUES (?, ?, 'R', ?, ?, ?, 'EUR', 1, 0, 1, '{}')"
)
CONSENT = (
    "INSERT INTO consent_event (person_id, purpose, seq, at_ms, recorded_at_ms, state, method,"
    " valid_until_ms, entity_id, entity_role, witness, evidence_id, evidence_sha256, notice_id)"
    " VALUES (?, ?, ?, ?, ?, ?, 'paper', ?, ?, 'subject', 'A-1', ?, ?, 1)"
)
NOTICE = (
    "INSERT INTO notice (id, purpose, major, minor, language, content, sha256, created_at_ms,"
    " author, ready_made) VALUES (1, 'history', 1, 0, 'de', x'00', ?, ?, 'A-1', 1)"
)


# -- the checker's own calendar -------------------------------------------------------------------


def local_day(at: datetime) -> date:
    return at.astimezone(BERLIN).date()


def begin_of(day: date) -> datetime:
    return datetime.combine(day, datetime.min.time(), BERLIN).astimezone(UTC)


def days_after(at: datetime, days: int) -> datetime:
    return begin_of(local_day(at) + timedelta(days=days + 1))


def a_year_after(at: datetime) -> datetime:
    day = local_day(at)
    last = date(day.year + 1, day.month, 28 if (day.month, day.day) == (2, 29) else day.day)
    return begin_of(last + timedelta(days=1))


def new_year_after(at: datetime, years: int) -> datetime:
    return begin_of(date(local_day(at).year + years + 1, 1, 1))


# -- what was ever written ------------------------------------------------------------------------


@dataclass
class Sess:
    id: int
    person: str
    begun: datetime
    ended: datetime
    wh: int
    invoice: "Inv | None" = None
    gone: str = ""
    linked: bool = True


@dataclass
class Inv:
    id: str
    person: str
    issued: datetime
    changed: datetime
    sessions: list[Sess] = field(default_factory=list)
    gone: bool = False


@dataclass
class Said:
    """A consent: given, and over at some instant."""

    person: str
    purpose: str
    given: datetime
    until: datetime
    withdrawn: datetime | None = None
    evidence: int | None = None
    gone: bool = False
    evidence_gone: bool = False

    def over(self, now: datetime) -> datetime:
        ended = self.withdrawn if self.withdrawn and self.withdrawn <= now else self.until
        return min(ended, self.until) if self.withdrawn and self.withdrawn <= now else self.until


@dataclass
class Person:
    id: str
    retired: datetime = NEVER
    card_over: datetime = NEVER
    held: bool = False
    hold: int = 0
    known: bool = True
    card: bool = True
    vehicle: bool = False


class World:
    """Writes what happens, and knows what should be there."""

    def __init__(self, site: Retained, drivers: int, seed: int) -> None:
        self.site, self.random = site, random.Random(seed)
        self.people: dict[str, Person] = {}
        self.sessions: list[Sess] = []
        self.invoices: list[Inv] = []
        self.consents: list[Said] = []
        self.aggregated: list[Sess] = []
        self._begin(drivers)

    def _begin(self, drivers: int) -> None:
        self.site.add_meter()
        self.site.billing.set_issuer(ISSUER)
        with self.site.store.write() as unit:
            for number in range(drivers):
                name = DriverId(f"D-{number:04}")
                party = Party(f"N{number}", email=f"n{number}@example.org", iban=f"DE{number}")
                unit.drivers.add(Driver(name, party, "de", BEGIN))
                self.people[name] = Person(name)
            db = unit._connection  # type: ignore[attr-defined]
            db.run(NOTICE, (bytes(32), ms(BEGIN)))
            db.many(
                "INSERT INTO card (digest, shown, driver_id, from_at_ms) VALUES (?, '04..', ?, ?)",
                [(bytes(32), name, ms(BEGIN)) for name in self.people],
            )
            unit.record_change(Change("test.begun", "test", "1", {}))

    # -- what happens -----------------------------------------------------------------------------

    def live(self, begin: datetime, end: datetime) -> None:
        """Let a quarter of a year happen."""
        with self.site.store.write() as unit:
            db = unit._connection  # type: ignore[attr-defined]
            for person in self.people.values():
                if person.retired == NEVER:
                    self._live(db, person, begin, end)
            unit.record_change(Change("test.lived", "test", "1", {}))
        self._hold()

    def _live(self, db: Any, person: Person, begin: datetime, end: datetime) -> None:
        draw = self.random
        visits = sorted(self._within(begin, end) for _ in range(draw.randrange(4)))
        new = [self._visit(db, person, at) for at in visits]
        billed = [one for one in new if draw.random() < 0.7]
        if billed and draw.random() < 0.9:
            self._bill(db, person, billed, max(one.ended for one in billed) + self._days(20), end)
        if draw.random() < 0.1:
            self._cancel(db, person, begin, end)
        if draw.random() < 0.25:
            self._consent(db, person, draw.choice(["history", "vin"]), self._within(begin, end))
        if draw.random() < 0.1:
            self._withdraw(db, person, end)
        if draw.random() < 0.15 and person.card_over == NEVER:
            person.card_over = self._within(begin, end)
            db.run(
                "INSERT INTO card_end SELECT id, ?, 'lost' FROM card WHERE driver_id = ?",
                (ms(person.card_over), person.id),
            )
        if draw.random() < 0.12:
            person.retired = end - timedelta(hours=1)
            person.card_over = min(person.card_over, person.retired)
            db.run(
                "UPDATE driver SET retired_at_ms = ? WHERE id = ?",
                (ms(person.retired), person.id),
            )

    def _visit(self, db: Any, person: Person, at: datetime) -> Sess:
        session = Sess(len(self.sessions) + 1, person.id, at, at + timedelta(hours=2), 1_000)
        self.sessions.append(session)
        db.run(
            SESSION,
            (session.id, person.id, ms(at), ms(session.ended), session.wh, bytes(32)),
        )
        db.run(
            "INSERT INTO session_event (session_id, at_ms, kind, raw, detail)"
            " VALUES (?, ?, 'opened', x'00', '{}')",
            (session.id, ms(at)),
        )
        return session

    def _bill(
        self, db: Any, person: Person, billed: list[Sess], at: datetime, end: datetime
    ) -> None:
        number = len(self.invoices) + 1
        at = min(at, end - timedelta(hours=2))
        invoice = Inv(f"I-{number}", person.id, at, at, billed)
        self.invoices.append(invoice)
        db.run(INVOICE, (invoice.id, f"R-{number}", number, person.id, ms(at)))
        for session in billed:
            session.invoice = invoice
            db.run("INSERT INTO invoice_session VALUES (?, ?)", (session.id, invoice.id))

    def _cancel(self, db: Any, person: Person, begin: datetime, end: datetime) -> None:
        own = [one for one in self.invoices if one.person == person.id and not one.gone]
        at = self._within(begin, end)
        if own and own[0].issued < at:
            own[0].changed = max(own[0].changed, at)
            db.run(
                "INSERT INTO invoice_event (invoice_id, at_ms, kind, detail)"
                " VALUES (?, ?, 'cancelled', '{}')",
                (own[0].id, ms(at)),
            )

    def _consent(self, db: Any, person: Person, purpose: str, at: datetime) -> None:
        if any((one.person, one.purpose) == (person.id, purpose) for one in self.consents):
            return
        said = Said(person.id, purpose, at, at + self._days(900))
        if purpose == "vin":
            said.evidence, person.vehicle = len(self.consents) + 1, True
            db.run(
                "INSERT INTO consent_evidence VALUES (?, ?, 'image/png', ?)",
                (said.evidence, person.id, bytes(40)),
            )
            db.run(
                "INSERT INTO vehicle (person_id, digest, sealed, set_at_ms) VALUES (?, ?, ?, ?)",
                (person.id, bytes(32), bytes(40), ms(at)),
            )
        digest = None if said.evidence is None else bytes(32)
        self.consents.append(said)
        db.run(
            CONSENT,
            (person.id, purpose, 1, ms(at), ms(at), "ConsentGiven", ms(said.until), person.id,
             said.evidence, digest),
        )  # fmt: skip

    def _withdraw(self, db: Any, person: Person, end: datetime) -> None:
        for said in self.consents:
            at = end - timedelta(hours=3)
            if said.person == person.id and said.withdrawn is None and said.until > at > said.given:
                said.withdrawn = at
                db.run(
                    CONSENT,
                    (person.id, said.purpose, 2, ms(at), ms(at), "ConsentWithdrawn", None,
                     person.id, None, None),
                )  # fmt: skip

    def _hold(self) -> None:
        for person in self.people.values():
            if not person.held and self.random.random() < 0.02:
                review = (self.site.clock.at + timedelta(days=99)).date()
                hold = self.site.retention.hold(HoldKind.PERSON, person.id, "court case", review)
                person.held, person.hold = True, hold.id

    def release(self, share: float) -> None:
        for person in self.people.values():
            if person.held and self.random.random() < share:
                self.site.retention.release(person.hold, "over")
                person.held = False

    def _within(self, begin: datetime, end: datetime) -> datetime:
        seconds = int((end - begin).total_seconds()) - 4 * 3_600
        return begin + timedelta(seconds=self.random.randrange(seconds))

    def _days(self, most: int) -> timedelta:
        return timedelta(days=self.random.randrange(1, most), seconds=self.random.randrange(86_400))

    # -- what should be there ---------------------------------------------------------------------

    def expect(self, now: datetime) -> None:
        """Mark what is gone by now."""
        for session in self.sessions:
            self._expect_session(session, now)
        invoices = [one for one in self.invoices if not self._held(one.person)]
        for invoice in invoices:
            self._expect_invoice(invoice, now)
        for person in self.people.values():
            if not person.held:
                self._expect_person(person, now)
        for invoice in invoices:
            self._expect_links(invoice, now)
        self._expect_consents(now)

    def _expect_consents(self, now: datetime) -> None:
        for said in self.consents:
            if not self._held(said.person) and new_year_after(said.over(now), 3) <= now:
                said.gone = said.evidence_gone = True

    def _expect_session(self, session: Sess, now: datetime) -> None:
        free = session.invoice is None and not self._held(session.person)
        if free and not session.gone and a_year_after(session.ended) <= now:
            session.gone = "aggregated"
            self.aggregated.append(session)

    def _expect_invoice(self, invoice: Inv, now: datetime) -> None:
        if new_year_after(max(invoice.issued, invoice.changed), 8) <= now:
            invoice.gone = True
            for session in invoice.sessions:
                session.gone = "with its invoice"

    def _expect_links(self, invoice: Inv, now: datetime) -> None:
        if days_after(invoice.issued, 90) <= now and not self._agrees(invoice.person, now):
            for session in invoice.sessions:
                session.linked = False

    def _expect_person(self, person: Person, now: datetime) -> None:
        kept = [one for one in self.invoices if one.person == person.id and not one.gone]
        over = max([person.retired, *(one.issued for one in kept)])
        unbilled = any(
            one.person == person.id and one.linked and one.invoice is None and not one.gone
            for one in self.sessions
        )
        if days_after(min(over, NEVER), 30) <= now and not unbilled:
            person.known = False
        if days_after(person.card_over, 30) <= now:
            person.card = False
        vin = [one for one in self.consents if (one.person, one.purpose) == (person.id, "vin")]
        if vin and days_after(min(vin[0].over(now), person.retired), 30) <= now:
            person.vehicle = False

    def _held(self, person: str) -> bool:
        return self.people[person].held

    def _agrees(self, person: str, now: datetime) -> bool:
        return self.people[person].known and any(
            (one.person, one.purpose) == (person, "history") and one.over(now) > now
            for one in self.consents
            if one.given <= now
        )

    def check(self) -> None:
        """Hold the tables against what should be there: nothing too late, nothing too early."""
        same = self._same
        kept = [one for one in self.sessions if not one.gone]
        same("SELECT id FROM session", {one.id for one in kept})
        same("SELECT session_id FROM session_event", {one.id for one in kept})
        linked = {one.id for one in kept if one.linked}
        same("SELECT id FROM session WHERE driver_id IS NOT NULL", linked)
        same("SELECT id FROM session WHERE tag_digest IS NOT NULL", linked)
        same("SELECT id FROM invoice", {one.id for one in self.invoices if not one.gone})
        people = self.people.values()
        for name in ("identity", "contact", "payment"):
            fields = f"SELECT person_id FROM person_field WHERE data_class = '{name}'"
            same(fields, {one.id for one in people if one.known})
        same("SELECT driver_id FROM card", {one.id for one in people if one.card})
        same("SELECT person_id FROM vehicle", {one.id for one in people if one.vehicle})
        said = {f"{one.person} {one.purpose}" for one in self.consents if not one.gone}
        same("SELECT person_id || ' ' || purpose FROM consent_event", said)
        proof = {one.evidence for one in self.consents if one.evidence and not one.evidence_gone}
        same("SELECT id FROM consent_evidence", proof)
        ((sessions, energy_wh),) = self.site.rows(
            "SELECT coalesce(sum(sessions), 0), coalesce(sum(energy_wh), 0) FROM session_aggregate"
        )
        assert sessions == len(self.aggregated)
        assert energy_wh == sum(one.wh for one in self.aggregated)

    def _same(self, sql: str, expected: set[Any]) -> None:
        found = {value for (value,) in self.site.rows(sql)}
        late, early = sorted(found - expected), sorted(expected - found)
        assert (late, early) == ([], []), f"{self.site.clock.at}: {sql}: late, early"


def ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def history(site: Retained, drivers: int, years: int, seed: int, since: int = 0) -> None:
    world = World(site, drivers, seed)
    quarter = timedelta(days=91, hours=6)
    begin = BEGIN
    for _ in range(4 * years):
        site.clock.at = begin + quarter
        world.live(begin, site.clock.at)
        looked_at(world)
        world.release(0.2)
        begin = site.clock.at
    for at in later(begin, since):
        site.clock.at = at
        looked_at(world)
        world.release(0.5)
    verdict = site.verdict()
    assert verdict.result is Result.INTACT, verdict.findings
    assert site.count("invoice") == sum(not one.gone for one in world.invoices)
    assert site.retention.overdue() == []


def looked_at(world: World) -> None:
    site = world.site
    site.run()
    world.expect(site.clock.at)
    world.check()


def later(begin: datetime, since: int) -> Iterator[datetime]:
    """A second before and at each new year, and some days between, ``since`` years later on."""
    for year in range(begin.year + since, begin.year + 10):
        yield datetime(year, 12, 31, 22, 59, 59, tzinfo=UTC)
        yield datetime(year, 12, 31, 23, 0, tzinfo=UTC)
        yield datetime(year + 1, 7, 3, 12, tzinfo=UTC)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Retained]:
    folder = tmp_path / "site"
    create_site(folder, SITE, OWNER, PASSWORD)
    key: Secret = keys.unlock(folder, None, PASSWORD).data_key
    site = Retained(folder, key)
    yield site
    site.store.close()
    shutil.rmtree(folder)


def test_forty_drivers_in_two_years(site: Retained) -> None:
    history(site, 40, 2, seed=1, since=6)


@pytest.mark.parametrize("period", ["89d", "91d"])
def test_the_checker_notices_a_rule_that_is_a_day_off(site: Retained, period: str) -> None:
    rules = tuple(
        replace(one, period=Period.parse(period)) if one.id == "session-links" else one
        for one in RULES.rules
    )
    offered = replace(RULES, rules=rules)
    site.retention = RetentionService(site.store, site.clock, site.clock, offered)
    world = World(site, 1, seed=1)
    (person,) = world.people.values()
    with site.store.write() as unit:
        db = unit._connection  # type: ignore[attr-defined]
        world._bill(db, person, [world._visit(db, person, BEGIN)], BEGIN, NEVER)
        unit.record_change(Change("test.lived", "test", "1", {}))
    site.clock.at = days_after(BEGIN, 90) - timedelta(seconds=period == "89d")
    with pytest.raises(AssertionError, match="late, early"):
        looked_at(world)


@pytest.mark.slow
@pytest.mark.timeout(1_800)
def test_five_hundred_drivers_in_five_years(site: Retained) -> None:
    history(site, 500, 5, seed=2)
