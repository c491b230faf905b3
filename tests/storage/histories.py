"""What may happen to a site in honest use, one thing after another, and what a power cut leaves."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from evdesk.domain.audit import PAYLOAD_ERASED, Change, Outcome, numbers_text
from evdesk.domain.readings import MeterId
from evdesk.domain.secrets import Secret
from evdesk.domain.site import Actor, DriverId
from evdesk.ports import Store, Unit
from evdesk.services.sealing import Archivist
from evdesk.storage import migrations
from evdesk.storage.anchor import Anchor
from evdesk.storage.database import Database
from evdesk.storage.faults import Place
from evdesk.storage.log_keys import SiteLogKeys
from evdesk.storage.site_folder import open_store
from tests.fakes.clock import SetClock
from tests.storage.sites import DONE, EVA, OWNER, START, add_station, figures, invoice, reading

FILES = ("site.db", "site.db-wal")
DATABASES = ("site.db", "persons.db")


class WatchedDatabase(Database):
    """Tells when the write-ahead log was flushed."""

    def __init__(self, place: Place, flushed: Callable[[], None]) -> None:
        super().__init__(place, migrations.SITE_SCHEMA)
        self._flushed = flushed

    def sync_log(self) -> None:
        super().sync_log()
        self._flushed()


class History:
    """One site; ``n`` tells each thing which of its objects it is about.

    ``durable`` are the files as they were when they were flushed last: what people write is flushed
    with its commit, what the collector writes is not, unless it is an entry.
    """

    def __init__(self, folder: Path, data_key: Secret, signing_key: Secret) -> None:
        self.folder, self.data_key = folder, data_key
        self.keys = SiteLogKeys(folder, lambda: signing_key)
        self.clock = SetClock(START)
        self.durable: dict[str, bytes] = {}
        self.aside: Path | None = None
        self._named = 0
        self.store = self._open()
        self.flushed()

    def _open(self) -> Store:
        store = open_store(self.folder, self.data_key, Actor(OWNER.id, OWNER.role), self.clock)
        store._site.close()
        store._site = WatchedDatabase(
            Place(self.folder / "site.db", self.data_key, 200), self.flushed
        )
        store.data_version()
        return store

    def flushed(self) -> None:
        found = (self.folder / name for name in FILES)
        self.durable = {file.name: file.read_bytes() for file in found if file.exists()}

    def name(self) -> str:
        self._named += 1
        return f"N{self._named}"

    def close(self) -> None:
        self.store.close()

    # -- people ---------------------------------------------------------------------------------

    def people(self, write: Callable[[Unit], object], change: Change = DONE) -> None:
        with self.store.write() as unit:
            write(unit)
            unit.record_change(change)
        self.flushed()

    def add_a_station(self, n: int) -> None:
        self.people(lambda unit: add_station(unit, self.name()))

    def rename_a_station(self, n: int) -> None:
        def rename(unit: Unit) -> None:
            stations = unit.stations.all()
            if stations:
                unit.stations.rename(stations[n % len(stations)].id, self.name())

        self.people(rename)

    def change_a_driver(self, n: int) -> None:
        def change(unit: Unit) -> None:
            known = unit.drivers.get(EVA.id)
            if known is None:
                unit.drivers.add(EVA)
            else:
                unit.drivers.change(replace(EVA, party=replace(EVA.party, city=f"Town {n}")))

        self.people(change)

    def bill(self, n: int) -> None:
        def issue(unit: Unit) -> None:
            if unit.drivers.get(EVA.id) is None:
                unit.drivers.add(EVA)
            name = self.name()
            session = unit.sessions.open(add_station(unit, name), figures(), DriverId(EVA.id))
            unit.sessions.update(session, figures(end=13_400))
            serial = unit.invoices.next_number("2026")
            bill = invoice(session, f"2026-{serial}", f"i-{name}")
            unit.invoices.issue(bill, "2026", serial, b"%PDF " + bytes(9))

        self.people(issue)

    def deny(self, n: int) -> None:
        change = Change("x.y", "x", str(n), {"n": n}, reason="it's so", outcome=Outcome.DENIED)
        self.people(lambda unit: None, change)

    def erase_payloads(self, n: int) -> None:
        with self.store.read() as unit:
            count = unit.audit.count()
        gone = {seq for seq in (n % count, (n + 1) % count, n * 7 % count) if seq}
        with self.store.read() as unit:  # those that later checks rest on are kept by retention
            kept = {one.seq for one in unit.audit.entries(9_999) if one.action in NEEDED}

        def erase(unit: Unit) -> None:
            db = unit._connection  # type: ignore[attr-defined]
            db.run("INSERT INTO deletion_permit VALUES ('audit_payload', 'retention')")
            for seq in gone - kept:
                db.run("DELETE FROM audit_payload WHERE seq = ?", (seq,))
            db.run("DELETE FROM deletion_permit")

        if gone - kept:
            text = numbers_text(gone - kept)
            self.people(erase, Change(PAYLOAD_ERASED, "payload", text, {"rule": "r"}))

    def sign(self, n: int) -> None:
        self.store.sign_head(self.keys.sign)
        self.flushed()

    # -- the collector --------------------------------------------------------------------------

    def read(self, n: int) -> None:
        """Journal readings, which nothing flushes."""
        with self.store.journal() as unit:
            known = unit.meters.all()
            shift = timedelta(seconds=(n * 977) % 7_200)
            for number in range(len(known) and 1 + n % 3):
                meter = known[(n + number) % len(known)].id
                at = self.clock.now() - shift + timedelta(milliseconds=self._named)
                self._named += 1
                unit.readings.add([replace(reading(MeterId(meter)), at=at)])

    def open_a_session(self, n: int) -> None:
        with self.store.journal() as unit:
            unit.sessions.open(add_station(unit, self.name()), figures(), None)

    def run_a_session(self, n: int) -> None:
        with self.store.journal() as unit:
            found = list(unit.sessions.open_ids().values())
            if found:
                end = None if n % 2 else 2_000 + n
                unit.sessions.update(found[n % len(found)], figures(end=end))

    def seal(self, n: int) -> None:
        """Seal and thin for some steps; who knows when it is killed."""
        archivist = Archivist(self.store)
        for hours in (0, 2):
            for _ in range(n):
                if not archivist.step(self.clock.now() + timedelta(hours=hours)):
                    break

    # -- time and power -------------------------------------------------------------------------

    def wait(self, n: int) -> None:
        self.clock.at += timedelta(minutes=47 * n)

    def wait_long(self, n: int) -> None:
        self.clock.at += timedelta(days=45 + n)

    def set_the_clock_back(self, n: int) -> None:
        self.clock.at -= timedelta(minutes=1 + n)

    def cut_the_power(self, n: int) -> None:
        """Keep what was flushed; the anchor, which nobody flushes, is the newest there was."""
        self.store.close()
        for file in self.folder.glob("site.db*"):
            file.unlink()
        for name, content in self.durable.items():
            (self.folder / name).write_bytes(content)
        self.store = self._open()

    def open_again(self, n: int) -> None:
        self.store.close()
        self.store = self._open()
        self.flushed()

    def copy_aside(self, n: int) -> None:
        self.store.close()
        self.aside = self.folder.parent / "aside"
        self.aside.mkdir(exist_ok=True)
        for name in DATABASES:
            shutil.copy(self.folder / name, self.aside / name)
        self.store = self._open()
        self.flushed()

    def restore(self, n: int) -> None:
        """Put the copy back, and say why."""
        if self.aside is None:
            return
        self.store.close()
        for file in self.folder.glob("site.db*"):
            file.unlink()
        for name in DATABASES:
            shutil.copy(self.aside / name, self.folder / name)
        self.store = self._open()
        if self.store.rollback is not None:
            self.store.explain_rollback("the disk had failed")
        self.flushed()
        assert Anchor(self.folder).read() is not None


NEEDED = {"log.begun", "site.restored", "readings.sealed", "readings.thinned"}
PEOPLE = (
    History.add_a_station, History.rename_a_station, History.change_a_driver, History.bill,
    History.deny, History.erase_payloads, History.sign,
)  # fmt: skip
COLLECTOR = (
    History.read, History.read, History.open_a_session, History.run_a_session, History.seal,
    History.seal,
)  # fmt: skip
WORLD = (
    History.wait, History.wait_long, History.set_the_clock_back, History.cut_the_power,
    History.cut_the_power, History.open_again, History.copy_aside, History.restore,
)  # fmt: skip
THINGS = (*PEOPLE, *COLLECTOR, *WORLD)
