"""What whoever helps needs to know of a site: versions, counts, settings and logs; no people."""

from collections import Counter
from collections.abc import Mapping
from io import BytesIO
from typing import Protocol
from zipfile import ZIP_DEFLATED, ZipFile

from evdesk.domain.audit import Change
from evdesk.domain.meters import Meter, MeterStatus
from evdesk.domain.permissions import Action
from evdesk.ports import Clock, FaultFilter, Store, Unit
from evdesk.services.permitting import permit
from evdesk.services.sites import is_running

README = """\
What is in this file: versions, counts and settings of one site of evdesk, how its devices answer,
and its log files, which name devices and their addresses in the network.
What is not: people, e-mail addresses, cards, readings, prices, keys and passwords.
Look through it before you send it to anybody.
"""


class Papers(Protocol):
    """What lies outside the database."""

    def logs(self) -> Mapping[str, str]:
        """Return the log files by name."""

    def versions(self) -> Mapping[str, object]:
        """Return the versions of what evdesk stands on."""

    def text(self, value: object) -> str:
        """Return a value as JSON for people to read."""


class SupportService:
    """Use cases of asking for help."""

    def __init__(self, store: Store, wall: Clock, papers: Papers) -> None:
        self._store, self._wall, self._papers = store, wall, papers

    @permit(Action.SUPPORT)
    def bundle(self) -> bytes:
        """Return a zip file without personal data and secrets; the log says that it was made."""
        with self._store.read() as unit:
            facts = self._facts(unit)
        out = BytesIO()
        with ZipFile(out, "w", ZIP_DEFLATED) as file:
            file.writestr("README.txt", README)
            file.writestr("site.json", self._papers.text(facts))
            for name, text in self._papers.logs().items():
                file.writestr(name, text)
        with self._store.write() as unit:
            change = Change("support.bundled", "site", unit.site.load().id, {})
            unit.record_change(change)
        return out.getvalue()

    def _facts(self, unit: Unit) -> dict[str, object]:
        site, collector = unit.site.load(), unit.collector.state()
        statuses = unit.meters.statuses()
        faults = unit.faults.find(FaultFilter())
        return {
            "versions": self._papers.versions(),
            "schema_version": self._store.schema_version(),
            "tz": site.tz,
            "country": site.country,
            "language": site.language,
            "demo": site.demo,
            "now_at": self._wall.now(),
            "db_bytes": self._store.size_bytes(),
            "collector_running": is_running(collector, self._wall.now()),
            "collector_lateness_ms": collector.lateness_ms,
            "counts": {
                "sessions": unit.sessions.count(),
                "readings": unit.readings.count(),
                "drivers": len(unit.drivers.all(retired=True)),
                "invoices": len(unit.invoices.all()),
                "audit_entries": unit.audit.count(),
            },
            "archive": {
                "bytes": unit.archive.state().size_bytes,
                "sealed_until_at": unit.archive.state().sealed_until,
                "thin_after_days": unit.archive.state().thin_after_days,
            },
            "devices": [
                _device(meter, statuses.get(meter.id, MeterStatus(meter.id)))
                for meter in unit.meters.all()
            ],
            "faults": Counter(fault.code.value for fault in faults),
        }


def _device(meter: Meter, status: MeterStatus) -> dict[str, object]:
    return {
        "id": meter.id,
        "profile": meter.profile,
        "link": meter.url.partition(":")[0],
        "unit": meter.unit,
        "role": meter.role.value,
        "choices": dict(meter.choices),
        "asked_interval_ms": meter.interval_ms,
        "interval_ms": status.interval_ms,
        "state": status.state.value,
        "last_read_at": status.last_read_at,
        "requests": status.requests,
        "errors": status.errors,
    }
