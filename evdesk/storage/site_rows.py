"""The site, its issuer, its stepped clock and the collector's row."""

from datetime import datetime

from evdesk.domain.instants import from_ms, to_ms
from evdesk.domain.site import Party, Site
from evdesk.ports import CollectorState
from evdesk.storage.connection import Connection

PARTY_COLUMNS = (
    "name, street, postcode, city, country, vat_id, tax_number, contact, email, phone, iban"
)


class StoredSite:
    """Implements ``ports.SiteRows``."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def load(self) -> Site:
        """Return the site."""
        row = self._db.one(
            "SELECT site_id, name, tz, currency, country, language, demo, created_at_ms FROM site"
        )
        if row is None:
            msg = "a site without its row"
            raise RuntimeError(msg)
        site, name, tz, currency, country, language, demo, created_at_ms = row
        return Site(
            id=site,
            name=name,
            tz=tz,
            currency=currency,
            country=country,
            language=language,
            demo=bool(demo),
            created_at=from_ms(created_at_ms),
        )

    def create(self, site: Site) -> None:
        """Write the one row."""
        self._db.run(
            "INSERT INTO site (id, site_id, name, tz, currency, country, language, demo,"
            " created_at_ms) VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                site.id,
                site.name,
                site.tz,
                site.currency,
                site.country,
                site.language,
                int(site.demo),
                to_ms(site.created_at),
            ),
        )

    def issuer(self) -> Party | None:
        """Return who bills, or None while nobody is set."""
        row = self._db.one(f"SELECT {PARTY_COLUMNS} FROM issuer")  # noqa: S608 - a constant
        return Party(*row) if row else None

    def set_issuer(self, issuer: Party) -> None:
        """Replace who bills."""
        self._db.run(
            f"INSERT OR REPLACE INTO issuer (id, {PARTY_COLUMNS})"  # noqa: S608 - a constant
            " VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                issuer.name,
                issuer.street,
                issuer.postcode,
                issuer.city,
                issuer.country,
                issuer.vat_id,
                issuer.tax_number,
                issuer.contact,
                issuer.email,
                issuer.phone,
                issuer.iban,
            ),
        )

    def stepped_at(self) -> datetime | None:
        """Return the stepped clock of a demo site; None until it was first set."""
        row = self._db.one("SELECT stepped_at_ms FROM clock")
        return from_ms(row[0]) if row else None

    def set_stepped(self, at: datetime) -> None:
        """Move the stepped clock."""
        self._db.run(
            "INSERT INTO clock (id, stepped_at_ms) VALUES (1, ?)"
            " ON CONFLICT (id) DO UPDATE SET stepped_at_ms = excluded.stepped_at_ms",
            (to_ms(at),),
        )


class StoredCollector:
    """Implements ``ports.CollectorRows``."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def state(self) -> CollectorState:
        """Return the row."""
        row = self._db.one(
            "SELECT pid, host, since_at_ms, heartbeat_at_ms, stop_requested, lateness_ms, revision"
            " FROM collector"
        )
        if row is None:
            msg = "a site without its collector row"
            raise RuntimeError(msg)
        pid, host, since_at_ms, heartbeat_at_ms, stop_requested, lateness_ms, revision = row
        return CollectorState(
            pid=pid,
            host=host,
            since_at=None if since_at_ms is None else from_ms(since_at_ms),
            heartbeat_at=None if heartbeat_at_ms is None else from_ms(heartbeat_at_ms),
            stop_requested=bool(stop_requested),
            lateness_ms=lateness_ms,
            revision=revision,
        )

    def take(self, pid: int, host: str, at: datetime) -> None:
        """Take the lease; a wish to stop that was left over is dropped."""
        at_ms = to_ms(at)
        self._db.run(
            "UPDATE collector SET pid = ?, host = ?, since_at_ms = ?, heartbeat_at_ms = ?,"
            " stop_requested = 0, lateness_ms = 0",
            (pid, host, at_ms, at_ms),
        )

    def beat(self, at: datetime, lateness_ms: int) -> None:
        """Say that it lives; wall clock, also on demo sites."""
        self._db.run(
            "UPDATE collector SET heartbeat_at_ms = ?, lateness_ms = ?", (to_ms(at), lateness_ms)
        )

    def release(self) -> None:
        """Give the lease back."""
        self._db.run(
            "UPDATE collector SET pid = NULL, host = '', since_at_ms = NULL,"
            " heartbeat_at_ms = NULL, stop_requested = 0, lateness_ms = 0"
        )

    def request_stop(self) -> None:
        """Ask the collector to end."""
        self._db.run("UPDATE collector SET stop_requested = 1")

    def bump_revision(self) -> None:
        """Say that meters or stations changed, so that the collector reads them again."""
        self._db.run("UPDATE collector SET revision = revision + 1")
