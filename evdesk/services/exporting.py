"""Tables for people and machines: sessions now, the rest where its data is born."""

from datetime import UTC, datetime

from evdesk.domain.consents import ConsentEvent
from evdesk.domain.errors import Damaged, UserError
from evdesk.domain.instants import EPOCH, rfc3339
from evdesk.domain.permissions import Action
from evdesk.domain.retention import Executed
from evdesk.domain.sessions import Session
from evdesk.domain.site import DriverId
from evdesk.ports import Cell, Clock, SessionFilter, Store, Table, TableWriter
from evdesk.services.handing_out import note_export
from evdesk.services.lawful import Shown
from evdesk.services.permitting import permit
from evdesk.services.reading_table import READING_COLUMNS, reading_rows
from evdesk.services.reconciling import MeterMonth, Month

SESSION_COLUMNS = (
    "id", "station", "driver", "plugged_in_at", "unplugged_at", "charging_s",
    "start_wh", "end_wh", "energy_wh", "peak_w", "flags", "state", "invoice",
    "measured_wh", "corrected_at", "corrected_by", "correction_reason",
)  # fmt: skip


MONTH_COLUMNS = (
    "month", "meter", "stations", "register_start_at", "register_start_wh", "register_end_at",
    "register_end_wh", "register_delta_wh", "sessions_wh", "idle_wh", "gap_wh", "explained_wh",
    "unexplained_wh", "damage", "unexplained_above_wh", "unexplained_below_wh",
)  # fmt: skip


CONSENT_COLUMNS = (
    "driver", "purpose", "seq", "event", "state", "method", "at", "recorded_at", "valid_until",
    "notice_version", "notice_language", "entity_id", "entity_role", "witness", "evidence_sha256",
)  # fmt: skip


FOR_EVER = datetime(9999, 12, 31, tzinfo=UTC)
RETENTION_COLUMNS = (
    "rule", "rule_version", "data_class", "cutoff_at", "selected", "deleted", "retained", "reason",
    "verified", "run", "started_at", "finished_at", "actor", "trigger", "legal_basis", "method",
    "checkpoint", "left_over", "ledger", "error",
)  # fmt: skip


class ExportService:
    """Use cases of exports."""

    def __init__(self, store: Store, writer: TableWriter, clock: Clock) -> None:
        self._store, self._writer, self._clock = store, writer, clock

    @permit(Action.EXPORT)
    def sessions(self, suffix: str, wanted: SessionFilter) -> tuple[bytes, int]:
        """Return the file of the sessions and how many there are.

        Drivers by pseudonym, where they may be shown.
        """
        _check(suffix, "Sessions are")
        with self._store.read() as unit:
            site = unit.site.load()
            kept, head = unit.sessions.find(wanted), unit.audit.head()
            found = Shown(unit, self._clock.now()).sessions(kept, wanted)
        rows = tuple(session_row(session) for session in reversed(found))
        table = Table("Sessions", SESSION_COLUMNS, rows, site.tz, str(head))
        return self._made("sessions", table, suffix), len(rows)

    @permit(Action.EXPORT)
    def readings(
        self, suffix: str, meter: str | None, from_at: datetime | None, to_at: datetime | None
    ) -> tuple[bytes, int, tuple[Damaged, ...]]:
        """Return the file of readings of one meter or all, oldest first, and how many there are.

        What is damaged is told beside it, and has a row of its own in the file.
        """
        _check(suffix, "Readings are")
        with self._store.read() as unit:
            tz = unit.site.load().tz
            known = None if meter is None else unit.meters.by_name(meter)
            if meter is not None and known is None:
                raise UserError("There is no meter named {name}.", name=meter)
            wanted = None if known is None else known.id
            rows, damage = reading_rows(unit, wanted, from_at or EPOCH, to_at or FOR_EVER)
            head = unit.audit.head()
        table = Table("Readings", READING_COLUMNS, rows, tz, str(head))
        return self._made("readings", table, suffix), len(rows) - len(damage), damage

    @permit(Action.EXPORT)
    def consents(
        self,
        suffix: str,
        driver: DriverId | None = None,
        from_at: datetime | None = None,
        to_at: datetime | None = None,
    ) -> tuple[bytes, int]:
        """Return the file of the ledger of consents, of one driver or all, and how many events.

        Drivers by pseudonym, in the order in which it was recorded.
        """
        _check(suffix, "Consents are")
        with self._store.read() as unit:
            tz, head = unit.site.load().tz, unit.audit.head()
            found = unit.consents.find(driver)
        begin, end = from_at or EPOCH, to_at or FOR_EVER
        rows = tuple(consent_row(event) for event in found if begin <= event.at < end)
        table = Table("Consents", CONSENT_COLUMNS, rows, tz, str(head))
        return self._made("consents", table, suffix), len(rows)

    @permit(Action.EXPORT)
    def retention(self, suffix: str) -> tuple[bytes, int]:
        """Return the file of what rules of retention took, newest first, and how many lines."""
        _check(suffix, "The log of retention is")
        with self._store.read() as unit:
            tz, head = unit.site.load().tz, unit.audit.head()
            rows = tuple(retention_row(one) for one in unit.retention.executed())
        table = Table("Retention", RETENTION_COLUMNS, rows, tz, str(head))
        return self._made("retention", table, suffix), len(rows)

    @permit(Action.EXPORT)
    def month(self, suffix: str, month: Month) -> tuple[bytes, int]:
        """Return the file of a month's registers and how many there are."""
        _check(suffix, "A month is")
        with self._store.read() as unit:
            tz, head = unit.site.load().tz, unit.audit.head()
        rows = tuple(month_row(month.month, row) for row in month.rows)
        table = Table(month.month, MONTH_COLUMNS, rows, tz, str(head))
        return self._made("reconcile", table, suffix), len(rows)

    def _made(self, what: str, table: Table, suffix: str) -> bytes:
        """Return the file, once the log tells of it."""
        data = self._writer.write(table, suffix)
        note_export(self._store, what, suffix, len(table.rows))
        return data


def _check(suffix: str, what: str) -> None:
    if suffix not in {".xlsx", ".csv", ".json"}:
        raise UserError(
            "{what} exported to .xlsx, .csv or .json, not to {suffix}.",
            what=what,
            suffix=suffix or "a file without a suffix",
        )


def month_row(month: str, row: MeterMonth) -> tuple[Cell, ...]:
    """Return a register's cells in the order of ``MONTH_COLUMNS``; without an account, why."""
    found, left, named = row.account, row.remainder, (month, row.name, ", ".join(row.stations))
    if found is None or left is None:
        nothing = [None] * (MONTH_COLUMNS.index("damage") - len(named))
        return *named, *nothing, str(row.damage), None, None
    return (
        *named,
        None if found.start is None else found.start.at,
        None if found.start is None else found.start.wh,
        None if found.end is None else found.end.at,
        None if found.end is None else found.end.wh,
        found.delta_wh,
        found.sessions_wh,
        found.idle_wh,
        found.gap_wh,
        row.explained_wh,
        left.sum_wh,
        None,
        left.above_wh,
        left.below_wh,
    )


def retention_row(one: Executed) -> tuple[Cell, ...]:
    """Return what a rule took in a run in the order of ``RETENTION_COLUMNS``."""
    planned, rule = one.planned, one.planned.rule
    return (
        rule.id,
        rule.version,
        rule.data_class,
        planned.cutoff_at,
        planned.selected,
        one.deleted,
        planned.retained,
        ", ".join(f"{why} {count}" for why, count in planned.reasons) or None,
        "yes" if one.verified else "no",
        one.run,
        one.started_at,
        one.finished_at,
        one.actor,
        rule.trigger.value,
        rule.legal_basis,
        one.method,
        one.checkpoint or None,
        one.left,
        one.ledger or None,
        one.error or None,
    )


def consent_row(event: ConsentEvent) -> tuple[Cell, ...]:
    """Return the cells of a line of the ledger in the order of ``CONSENT_COLUMNS``."""
    return (
        event.person,
        event.purpose,
        event.seq,
        event.word,
        event.state.value,
        event.method.value,
        event.at,
        event.recorded_at,
        event.valid_until,
        None if event.notice_version is None else str(event.notice_version),
        event.notice_language or None,
        event.entity_id,
        event.entity_role.value,
        event.witness,
        None if event.evidence_sha256 is None else event.evidence_sha256.hex(),
    )


def session_row(session: Session) -> tuple[Cell, ...]:
    """Return a session's cells in the order of ``SESSION_COLUMNS``: what holds, then what was."""
    figures, claim, correction = session.figures, session.claim(), session.correction
    return (
        str(session.id),
        session.station or None,
        session.driver,
        figures.plugged_in_at,
        figures.unplugged_at,
        figures.charging_ms // 1000,
        claim.start_wh,
        claim.end_wh,
        claim.energy_wh,
        None if figures.peak_w is None else round(figures.peak_w),
        " ".join(sorted(figures.flags)),
        session.state,
        session.invoice,
        figures.energy_wh,
        None if correction is None else correction.at,
        None if correction is None else correction.author,
        None if correction is None else correction.reason,
    )


def session_json(session: Session) -> dict[str, object]:
    """Return a session as the command line promises it: ids as text, instants with Z."""
    row: dict[str, object] = dict(zip(SESSION_COLUMNS, session_row(session), strict=True))
    figures = session.figures
    row["plugged_in_at"] = rfc3339(figures.plugged_in_at)
    row["unplugged_at"] = None if figures.unplugged_at is None else rfc3339(figures.unplugged_at)
    row["corrected_at"] = None if session.correction is None else rfc3339(session.correction.at)
    row["flags"] = sorted(figures.flags)
    row["peak_w"] = figures.peak_w
    return row
