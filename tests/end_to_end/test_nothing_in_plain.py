"""Nobody who has the folder, but not the key, finds a person, a card, a password or a key in it."""

import asyncio
import base64
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

from evdesk.bootstrap.sites import Opened, SiteRequest, create_site, open_site
from evdesk.devices.simulator.loads import delivering
from evdesk.devices.simulator.scenario import Device, Scenario
from evdesk.domain.consents import ConsentState, Method
from evdesk.domain.disclosures import RecipientKind
from evdesk.domain.mail import MailServer, Security
from evdesk.domain.meters import NewMeter
from evdesk.domain.personal_data import DataClass
from evdesk.domain.purposes import VIN
from evdesk.domain.requests import IdentityCheck, RequestKind
from evdesk.domain.secrets import Secret
from evdesk.domain.sessions import SessionId
from evdesk.domain.site import Party
from evdesk.domain.tariffs import TariffId
from evdesk.services.recording import ConsentEntry, Scan
from evdesk.services.requests import Asked
from evdesk.storage.connection import Connection
from evdesk.storage.faults import Place
from tests.end_to_end.places import depot, sessions
from tests.end_to_end.rig import STARTS_AT

REQUEST = SiteRequest("Depot", "Ada", "UTC", "EUR", "DE", "en", demo=True, starts_at=STARTS_AT)
ISSUER = Party("Depot GmbH", "Hafenstr. 3", "89073", "Ulm", "DE", vat_id="DE123456789")
PEOPLE = 9
PASSWORDS = ("Meerschwein-Tango-4711", "Brieftaube-Walzer-0815", "Postfach-Polka-2306")
CAR, SCAN = "WVWZZZ1JZXW004711", b"a signature of Wilhelmine, in ink"
CHARGER = "heidelberg-energy-control"
ASKED = ("kam im blauen Mantel", "Streit am Gartentor", "Kanzlei Morgenstern", "Gartenbuch 2025")
# Where, in a decrypted image, a frozen copy of who was billed has to be.
COLUMNS = {("invoice", "record"), ("mail_server", "password"), ("mail_server", "recipient")}


@dataclass
class Planted:
    """What must be nowhere."""

    texts: list[str] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)

    def forms(self) -> list[bytes]:
        """Every form in which it might lie about."""
        found = [text.encode(code) for text in self.texts for code in ("utf-8", "utf-16-le")]
        for value in self.raw:
            found += [value, value.hex().encode(), base64.b64encode(value)]
        return found


def people() -> list[tuple[Party, str]]:
    """People with a card each."""
    return [
        (
            Party(
                name=f"Wilhelmine{n} Zitronenfalter{n}",
                street=f"Schmetterlingsgasse {n}",
                postcode="89073",
                city=f"Blumenau{n}",
                country="DE",
                email=f"zitronenfalter{n}@example.org",
            ),
            f"04A1B2C3D4E5{n:02}",
        )
        for n in range(PEOPLE)
    ]


class Office:
    """A site with people in it, and a temp folder that nobody else uses."""

    def __init__(self, folder: Path, opened: Opened, code: str) -> None:
        self.folder, self.opened = opened.folder, opened
        self.temp = folder / "temp"
        self.temp.mkdir()
        self.planted = Planted([*PASSWORDS, code], [opened.data_key.reveal()])
        if opened.signing_key is not None:
            self.planted.raw.append(opened.signing_key.reveal())

    @contextmanager
    def collecting(self) -> Iterator["subprocess.Popen[bytes]"]:
        password_file = self.folder.parent / "password"
        password_file.write_text(PASSWORDS[0])
        common = ("--site", str(self.folder), "--password-file", str(password_file))
        command = [sys.executable, "-m", "evdesk", *common, "collect", "--speed", "120"]
        environment = os.environ | {"TMPDIR": str(self.temp)}
        child = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
        )
        try:
            yield child
        finally:
            child.kill()
            child.communicate()

    def found(self) -> list[tuple[str, bytes]]:
        """Return which planted words lie in which files."""
        places = [self.folder, self.temp]
        files = [path for place in places for path in place.rglob("*") if path.is_file()]
        contents = {path.name: path.read_bytes() for path in files}
        return [
            (name, form)
            for form in self.planted.forms()
            for name, content in contents.items()
            if form in content
        ]


def fill(office: Office, url: str) -> None:
    """Use the desk for a day."""
    services, planted = office.opened.services, office.planted
    services.billing.set_issuer(ISSUER)
    asyncio.run(services.meters.add(NewMeter("bay", CHARGER, url, 1, interval_ms=1000)))
    services.tariffs.add(json.dumps(TARIFF))
    services.tariffs.assign(TariffId("plain"), STARTS_AT - timedelta(days=1))
    for party, tag in people():
        planted.texts += [party.name, party.street, party.city, party.email, tag]
        driver = services.drivers.add(party).id
        services.cards.add(driver, tag)
    agree(office)
    ask(office)
    server = MailServer("127.0.0.1", 1, Security.TLS, "desk@example.org", people()[0][0].email)
    services.mail.set_server(
        replace(server, username="desk", password=Secret(PASSWORDS[1].encode()))
    )


def agree(office: Office) -> None:
    """Let the first of them agree, with a scan, to be recognised by a VIN."""
    services, planted = office.opened.services, office.planted
    driver = services.drivers.all()[0].id
    scan = Scan("image/png", SCAN)
    services.consents.answer(
        ConsentEntry(driver, VIN, ConsentState.GIVEN, Method.SIGNATURE, evidence=scan)
    )
    services.vehicles.set(driver, CAR)
    planted.texts.append(CAR)
    planted.raw.append(SCAN)


def ask(office: Office) -> None:
    """Let the first of them ask for something, and somebody outside be told of them."""
    services, planted = office.opened.services, office.planted
    driver, check = services.drivers.all()[0].id, IdentityCheck.KNOWN
    services.requests.add(driver, RequestKind.ACCESS, None, check, ASKED[0])
    services.rights.restrict(driver, ASKED[1], Asked(check))
    services.rights.lift(driver, "answered")
    kind, classes = RecipientKind.TAX_ADVISER, [DataClass.INVOICE]
    services.disclosures.add(driver, ASKED[2], kind, classes, ASKED[3])
    planted.texts += ASKED


TARIFF = {
    "id": "plain",
    "currency": "EUR",
    "elements": [
        {"price_components": [{"type": "ENERGY", "price": 0.4, "vat": 19, "step_size": 1}]}
    ],
}


def cells(folder: Path, data_key: Secret) -> Iterator[tuple[str, str, bytes]]:
    """Yield every value of a decrypted database with its table and column."""
    with closing(Connection(Place(folder / "site.db", data_key, 1000))) as connection:
        tables = connection.all("SELECT name FROM sqlite_master WHERE type = 'table'")
        for (table,) in tables:
            columns = [row[1] for row in connection.all(f"PRAGMA table_info({table})")]
            for row in connection.each(f"SELECT * FROM {table}"):
                for column, value in zip(columns, row, strict=False):
                    yield table, column, value if isinstance(value, bytes) else str(value).encode()


def test_nothing_of_people_and_keys_lies_in_plain_sight(tmp_path: Path) -> None:
    car = delivering(60_000, 600_000, 900_000, 2_000, tag=people()[0][1])
    device = Device("bay", CHARGER, initial_wh=1_000_000, sessions=(car,))
    folder = tmp_path / "site"
    made = create_site(folder, Secret(PASSWORDS[0].encode()), REQUEST)
    opened = open_site(folder, Secret(PASSWORDS[0].encode()))
    with (
        closing(opened.services.store),
        depot(Scenario((device,), start_at=STARTS_AT), tmp_path) as served,
    ):
        office = Office(tmp_path, opened, made.recovery_code)
        fill(office, str(served.devices[0]["url"]))
        assert len(office.planted.texts) + len(office.planted.raw) >= 50
        with office.collecting() as child:
            until = time.monotonic() + 60
            while not sessions(opened) or sessions(opened)[0]["state"] == "open":
                assert child.poll() is None
                assert time.monotonic() < until
                time.sleep(0.1)
            bill(opened)
            assert office.found() == []
            child.kill()
            child.wait()
            assert office.found() == []
    assert strays(office) == COLUMNS


def bill(opened: Opened) -> None:
    """Issue an invoice to the first of them."""
    services = opened.services
    driver = services.drivers.all()[0].id
    services.sessions.assign([SessionId(int(str(sessions(opened)[0]["id"])))], driver)
    month = f"{STARTS_AT:%Y-%m}"
    services.billing.issue(services.billing.draft(driver, month).invoice.id)


def strays(office: Office) -> set[tuple[str, str]]:
    """Return where in a decrypted image planted words lie."""
    forms = office.planted.forms()
    return {
        (table, column)
        for table, column, value in cells(office.folder, office.opened.data_key)
        for form in forms
        if form in value
    }
