"""After a person was erased, they are found in retained invoices and nowhere else.

Searched are the decrypted image of the database and its write-ahead log, log files, the temp folder
and a new backup. The audit log verifies, invoices print, and an older backup brings nothing back.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from evdesk import bootstrap
from evdesk.bootstrap.sites import Opened, SiteRequest, create_site, open_site
from evdesk.domain.consents import ConsentState, Method
from evdesk.domain.disclosures import RecipientKind
from evdesk.domain.mail import Letter, MailState
from evdesk.domain.meters import NewMeter, Source
from evdesk.domain.personal_data import DataClass
from evdesk.domain.purposes import HISTORY, VIN
from evdesk.domain.requests import IdentityCheck, RequestKind
from evdesk.domain.secrets import Secret
from evdesk.domain.site import DriverId, Party
from evdesk.domain.tariffs import TariffId
from evdesk.domain.verdicts import Result
from evdesk.ports import Restorable
from evdesk.services.erasure import Erasure
from evdesk.services.recording import ConsentEntry, Scan
from evdesk.services.requests import Asked
from evdesk.services.restoring import RestoreWish
from tests.end_to_end.test_nothing_in_plain import TARIFF, cells
from tests.services.desk import figures
from tests.services.retained import decrypted

PASSWORD = Secret(b"Meerschwein-Tango-4711")
REQUEST = SiteRequest("Depot", "Ada", "Europe/Berlin", "EUR", "DE", "de", demo=False)
ISSUER = Party("Depot GmbH", "Hafenstr. 3", "89073", "Ulm", "DE", vat_id="DE123456789")
KIM = Party(
    name="Wilhelmine Zitronenfalter",
    street="Schmetterlingsgasse 17",
    postcode="89999",
    city="Blumenau",
    country="DE",
    vat_id="DE987654321",
    tax_number="17/334/55667",
    contact="Tante Ottilie",
    email="zitronenfalter@example.org",
    phone="+49 7331 998877",
    iban="DE75512108001245126199",
)
CARD, CAR = "04A1B2C3D4E5F6", "1M8GDM9AXKP042788"
SCAN = b"\x89PNG of a signature that nobody else has" * 9
NOTE, WHY = "kam im blauen Mantel", "widerspricht der Anschrift am Gartentor"
RECIPIENT, REASON = "Kanzlei Morgenstern & Kauz", "Buchhaltung des Gartenvereins"
SUBJECT = "Ihre Rechnung, Wilhelmine"
# What the law keeps: the frozen copy of who was billed, on its invoice.
RETAINED = {("invoice", "record")}
GONE = ("contact", "payment", "cards", "sessions", "vehicle", "mail")


@dataclass
class Depot:
    """A site with a person in it, of whom there is a little of everything."""

    folder: Path
    opened: Opened
    kim: DriverId = DriverId("")
    planted: list[bytes] = field(default_factory=list)

    @property
    def temp(self) -> Path:
        return self.folder.parent / "temp"

    def image(self, folder: Path | None = None) -> bytes:
        """The database as it is when it is decrypted, page by page, with its write-ahead log."""
        with copied(folder or self.folder) as copy:
            return decrypted(copy / "site.db", self.opened.data_key)

    def strays(self, folder: Path | None = None) -> set[tuple[str, str]]:
        """Return where in the rows of the database the person is."""
        return {
            (table, column)
            for table, column, value in cells(folder or self.folder, self.opened.data_key)
            for form in self.planted
            if form in value
        }

    def in_files(self) -> list[tuple[str, bytes]]:
        """Return which planted words lie in plain in any file, log files and temp included."""
        with copied(self.folder) as site, copied(self.temp) as temp:
            files = [path for place in (site, temp) for path in place.rglob("*") if path.is_file()]
            contents = {path.name: path.read_bytes() for path in files}
        return [
            (name, form) for form in self.planted for name, text in contents.items() if form in text
        ]


@contextmanager
def copied(folder: Path) -> Iterator[Path]:
    """Give a copy that another process made: closing a file here would let go of SQLite's locks."""
    with TemporaryDirectory() as place:
        copy = Path(place) / "copy"
        script = "import shutil, sys; shutil.copytree(sys.argv[1], sys.argv[2])"
        subprocess.run([sys.executable, "-c", script, str(folder), str(copy)], check=True)
        yield copy


@contextmanager
def collecting(depot: Depot) -> Iterator[None]:
    """Let a collector run, so that there are log files."""
    password_file = depot.folder.parent / "password"
    password_file.write_bytes(PASSWORD.reveal())
    common = ("--site", str(depot.folder), "--password-file", str(password_file))
    command = [sys.executable, "-m", "evdesk", *common, "collect"]
    environment = os.environ | {"TMPDIR": str(depot.temp)}
    child = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
    )
    try:
        until = time.monotonic() + 60
        while not list(depot.folder.glob("*.log")):
            assert child.poll() is None
            assert time.monotonic() < until
            time.sleep(0.05)
        yield
    finally:
        child.terminate()
        child.communicate()


@pytest.fixture
def depot(tmp_path: Path) -> Iterator[Depot]:
    folder = tmp_path / "site"
    (tmp_path / "temp").mkdir()
    create_site(folder, PASSWORD, REQUEST)
    opened = open_site(folder, PASSWORD)
    with closing(opened.services.store):
        depot = Depot(folder, opened)
        fill(depot)
        yield depot


def fill(depot: Depot) -> None:
    """Let the person charge, agree, ask, and be written to; each word of theirs is planted."""
    services, now = depot.opened.services, datetime.now(UTC)
    services.billing.set_issuer(ISSUER)
    services.tariffs.add(json.dumps(TARIFF))
    services.tariffs.assign(TariffId("plain"), now - timedelta(days=400))
    depot.kim = kim = services.drivers.add(KIM, "de").id
    services.cards.add(kim, CARD)
    scan = Scan("image/png", SCAN)
    given = ConsentState.GIVEN
    services.consents.answer(ConsentEntry(kim, VIN, given, Method.SIGNATURE, evidence=scan))
    services.consents.answer(ConsentEntry(kim, HISTORY, given, Method.PAPER))
    services.vehicles.set(kim, CAR)
    charge(depot, now - timedelta(hours=3))
    month = f"{now - timedelta(hours=3):%Y-%m}"
    services.billing.issue(services.billing.draft(kim, month).invoice.id)
    check = IdentityCheck.DOCUMENT
    services.requests.add(kim, RequestKind.ACCESS, None, check, NOTE)
    services.rights.restrict(kim, WHY, Asked(check))
    services.rights.lift(kim, "answered")
    classes = [DataClass.INVOICE]
    services.disclosures.add(kim, RECIPIENT, RecipientKind.TAX_ADVISER, classes, REASON)
    send(depot)
    words = [getattr(KIM, name) for name in ("name", "street", "city", "vat_id", "tax_number",
             "contact", "email", "phone", "iban")]  # fmt: skip
    words += [CARD, CAR, NOTE, WHY, RECIPIENT, REASON, SUBJECT]
    depot.planted = [word.encode(code) for word in words for code in ("utf-8", "utf-16-le")]
    depot.planted.append(SCAN)


def charge(depot: Depot, at: datetime) -> None:
    with depot.opened.services.store.journal() as unit:
        meter = unit.meters.add(NewMeter("bay", "keba-p30", "tcp://127.0.0.1:9", 255), at)
        unit.meters.remove(meter, at)
        source = Source(meter)
        station = unit.stations.add("bay", source, source, at)
        session = unit.sessions.open(station, figures(at, None), depot.kim)
        unit.sessions.update(session, figures(at, 12_000))


def send(depot: Depot) -> None:
    """Put a letter to the person into the outbox, and let it be sent."""
    letter = Letter("invoice", "1@example.org", KIM.email, SUBJECT, f"Guten Tag {KIM.name}")
    with depot.opened.services.store.journal() as unit:
        now = datetime.now(UTC)
        mail = unit.outbox.add(letter, now)
        unit.outbox.claim(now)
        unit.outbox.settle(mail, MailState.SENT, "250", now)


def erase(depot: Depot) -> Erasure:
    done = depot.opened.services.erasures.erase(depot.kim, Asked(IdentityCheck.DOCUMENT))
    assert done.emptied
    return done


def intact(depot: Depot) -> bool:
    return depot.opened.services.audit.verify().verdict.result is Result.INTACT


def test_a_person_who_was_erased_is_on_invoices_and_nowhere_else(depot: Depot) -> None:
    services = depot.opened.services
    (invoice,) = services.billing.all()
    document = services.billing.document(invoice.id)
    with collecting(depot):
        assert depot.strays() > RETAINED  # the search can find
        done = erase(depot)
        assert not done.waits
        assert depot.strays() == RETAINED
        assert depot.in_files() == []
    on_invoice = {KIM.name, KIM.street, KIM.city, KIM.vat_id, KIM.tax_number, KIM.contact}
    on_invoice |= {KIM.email, KIM.phone, KIM.iban}
    kept = {word.encode() for word in on_invoice}
    image = depot.image()
    assert KIM.name.encode() in image  # on the invoice, so that the search can find
    assert [form for form in depot.planted if form in image and form not in kept] == []
    backup = services.backups.create(depot.folder.parent / "temp")
    assert backup.verdict.intact
    assert depot.in_files() == []
    assert intact(depot)
    assert services.billing.document(invoice.id) == document
    assert services.billing.get(invoice.id).buyer == KIM
    assert services.drivers.get(depot.kim).party == Party(name=depot.kim)


def agree(_about: Restorable) -> None:
    """Go on, whatever would be replaced."""


@contextmanager
def restored(depot: Depot, file: Path, folder: Path) -> Iterator[Depot]:
    """Give the site that a backup makes in a folder."""
    wish = RestoreWish(file, folder, PASSWORD, none_issued=True)
    bootstrap.restore_service().restore(wish, agree)
    opened = open_site(folder, PASSWORD)
    with closing(opened.services.store):
        yield Depot(folder, opened, depot.kim, depot.planted)


@pytest.mark.parametrize("made", ["before", "after"])
def test_no_backup_brings_anything_back(depot: Depot, tmp_path: Path, made: str) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    backups = depot.opened.services.backups
    before = backups.create(kept).backup.file
    erase(depot)
    file, folder = (before, depot.folder) if made == "before" else (
        backups.create(kept).backup.file, tmp_path / "new"
    )  # fmt: skip
    depot.opened.services.store.close()
    with restored(depot, file, folder) as found:
        assert found.strays() == RETAINED
        person = found.opened.services.drivers.get(depot.kim)
        assert person.party == Party(name=depot.kim)
        assert intact(found)
        about = found.opened.services.rights.preview(depot.kim)
        assert {one.id: one.rows for one in about.holdings if one.id in GONE} == dict.fromkeys(
            GONE, ()
        )
