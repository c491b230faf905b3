"""Months that add up: what every register counted, and where each Wh of it went."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from evdesk.domain.accounting import account
from evdesk.domain.audit import Change
from evdesk.domain.errors import Damaged, UserError
from evdesk.domain.instants import MILLISECOND, month_bounds, parse_instant, rfc3339
from evdesk.domain.meters import Meter, MeterRole, Source, Station
from evdesk.domain.permissions import Action
from evdesk.domain.reconciling import Account, Remainder, Swaps
from evdesk.domain.registers import Bounds, Verdict
from evdesk.domain.sessions import Flag, Session
from evdesk.ports import Clock, Devices, Explanation, ProfileInfo, SessionFilter, Store, Unit, Watch
from evdesk.services.permitting import given, permit
from evdesk.services.stations import existing_station, spelled
from evdesk.settings import CHARGING, POLLING, RECONCILING

LATE = timedelta(hours=1)  # by which a session's last register may follow its unplugging
LEAST_SILENCE, INTERVALS = timedelta(seconds=60), 3  # as the session engine has it

Progress = Callable[[float], object]


@dataclass(frozen=True, slots=True)
class MeterMonth:
    """One register in one month; ``stations`` are the points that draw from it.

    Where readings are damaged there is no account, and ``damage`` says which.
    """

    meter: Meter
    source: Source
    stations: tuple[str, ...]
    account: Account | None
    explained: tuple[Explanation, ...]
    damage: Damaged | None = None

    @property
    def name(self) -> str:
        """Return what people call the register: ``METER`` or ``METER:SOCKET``."""
        return spelled(self.source, self.meter.name)

    @property
    def counted(self) -> Account:
        """Return the account.

        Raises:
            Damaged: there is none.

        """
        if self.account is None:
            raise self.damage or ValueError("no account, and no reason why")
        return self.account

    @property
    def explained_wh(self) -> int:
        """Return what people have accounted for."""
        return sum(one.wh for one in self.explained)

    @property
    def remainder(self) -> Remainder | None:
        """Return what is left; None where nobody can say: without an account."""
        if self.account is None:
            return None
        return self.account.remainder.without(one.wh for one in self.explained)

    @property
    def unexplained_wh(self) -> int | None:
        """Return what is left as one figure: 0 may be as much above as below."""
        return None if self.remainder is None else self.remainder.sum_wh

    @property
    def is_clear(self) -> bool:
        """Return whether it was counted, and nothing is left above or below."""
        return self.remainder == Remainder()


@dataclass(frozen=True, slots=True)
class Month:
    """A local month; ``so_far`` while it is not over. ``names`` are those of accounts, by id."""

    month: str
    from_at: datetime
    to_at: datetime
    so_far: bool
    rows: tuple[MeterMonth, ...]
    names: Mapping[str, str]

    @property
    def is_clear(self) -> bool:
        """Return whether nothing is left to explain, and every register was counted."""
        return all(row.is_clear for row in self.rows)


@dataclass(frozen=True, slots=True)
class _Span:
    """A month as it is followed: until its end, or until now."""

    month: str
    from_at: datetime
    to_at: datetime
    so_far: bool


class ReconcileService:
    """Use cases of months; everything is counted anew from what is stored."""

    def __init__(self, store: Store, devices: Devices, clock: Clock) -> None:
        self._store, self._devices, self._clock = store, devices, clock

    @permit(Action.LOOK)
    def month(
        self, month: str, station: str | None = None, progress: Progress | None = None
    ) -> Month:
        """Return where every Wh of a ``YYYY-MM`` month went, register by register.

        ``progress`` is told the share that is done.

        Raises:
            UserError: not a month, one that has not begun, or an unknown station.

        """
        with self._store.read() as unit:
            span = self._span(month, unit.site.load().tz)
            stations = unit.stations.all(retired=True)
            meters = {meter.id: meter for meter in unit.meters.all(removed=True)}
            names = {str(account.id): account.name for account in unit.accounts.all()}
            wanted = None if station is None else existing_station(unit, station).energy
        sources = [
            source
            for source in _sources(meters.values(), stations)
            if wanted in {None, source} and not _was_gone(meters[source.meter_id], span)
        ]
        profiles = {profile.id: profile for profile in self._devices.profiles()}
        rows = []
        for number, source in enumerate(sources):
            meter = meters[source.meter_id]
            drawing = [each for each in stations if each.energy == source]
            row = self._row(meter, source, drawing, profiles.get(meter.profile), span)
            if _belongs(row, drawing, span):
                rows.append(row)
            if progress is not None:
                progress((number + 1) / len(sources))
        return Month(span.month, span.from_at, span.to_at, span.so_far, tuple(rows), names)

    @permit(Action.DECIDE_SESSIONS)
    def explain(self, meter: str, month: str, wh: int, reason: str) -> MeterMonth:
        """Account for Wh of a register and a month that nothing else accounts for.

        Raises:
            UserError: no reason, an unknown register, or not what is left to explain.
            Damaged: the register cannot be counted.

        """
        reason = given(reason)
        row = self._find(meter, month)
        _check_left(row, month, wh)
        made = Explanation(row.source, month, wh, self._clock.now(), self._store.actor.ref, reason)
        with self._store.write() as unit:
            if _explained(unit, row.source, month) != row.explained:
                raise UserError("Somebody else has just explained some of it: look again.")
            unit.explanations.add(made)
            facts = {"socket": row.source.socket, "month": month, "wh": wh}
            ref = str(row.source.meter_id)
            unit.record_change(Change("month.explained", "meter", ref, facts, reason))
            explained = _explained(unit, row.source, month)
        return MeterMonth(row.meter, row.source, row.stations, row.account, explained)

    def _find(self, meter: str, month: str) -> MeterMonth:
        """Return the row of that name; of two meters of one name the one with something left."""
        found = [row for row in self.month(month).rows if row.name == meter]
        if not found:
            raise UserError(
                "No register of {month} is called {meter}. List them with: evdesk reconcile "
                "--month {month}",
                meter=meter,
                month=month,
            )
        return max(found, key=lambda row: 0 if row.remainder is None else row.remainder.amount_wh)

    def _span(self, month: str, tz: str) -> _Span:
        try:
            from_at, to_at = month_bounds(month, tz)
        except (ValueError, OverflowError) as error:
            raise UserError("'{month}' is not a month: write YYYY-MM.", month=month) from error
        now = self._clock.now()
        if from_at > now:
            raise UserError("{month} has not begun.", month=month)
        return _Span(month, from_at, min(to_at, now), so_far=now < to_at)

    def _row(
        self,
        meter: Meter,
        source: Source,
        stations: Sequence[Station],
        profile: ProfileInfo | None,
        span: _Span,
    ) -> MeterMonth:
        followed = span.from_at - RECONCILING.look_back, span.to_at + MILLISECOND
        with self._store.read() as unit:
            silence = _silence(unit, meter)
            bounds = _bounds(profile, silence, is_grid=not stations)
            sessions = _sessions(unit, stations, span)
            swaps = _swaps(unit, source, sessions)
            watch = Watch(silence, bounds, (span.from_at, *swaps.instants()))
            names = tuple(each.name for each in stations)
            explained = _explained(unit, source, span.month)
            points = unit.registers.follow(source, *followed, watch)
            try:
                found = account(points, sessions, (span.from_at, span.to_at), bounds, swaps)
            except Damaged as damage:
                return MeterMonth(meter, source, names, None, explained, damage)
        return MeterMonth(meter, source, names, found, explained)


def _check_left(row: MeterMonth, month: str, wh: int) -> None:
    """Refuse to explain what is not left of that sign."""
    left = row.counted.remainder.without(one.wh for one in row.explained)
    if left.takes(wh):
        return
    facts = {"meter": row.name, "month": month, "wh": wh}
    if left.above_wh and left.below_wh:
        raise UserError(
            "{meter} has +{above} Wh and {below} Wh to explain in {month}, not {wh}: name one of "
            "them, or a part of one with its sign. Nothing was changed.",
            above=left.above_wh,
            below=left.below_wh,
            **facts,
        )
    raise UserError(
        "{meter} has {left} Wh to explain in {month}, not {wh}: name that many, or a part "
        "of it with the same sign. Nothing was changed.",
        left=left.sum_wh,
        **facts,
    )


def _sources(meters: Iterable[Meter], stations: Sequence[Station]) -> list[Source]:
    """Return every register that is billed from, and those of the grid, by name of the meter."""
    known = {meter.id: meter for meter in meters}
    billed = {station.energy for station in stations}
    grid = {Source(meter.id) for meter in known.values() if meter.role is MeterRole.GRID}
    names = {meter.id: meter.name for meter in known.values()}
    return sorted(billed | grid, key=lambda one: (names[one.meter_id], one.meter_id, one.socket))


def _belongs(row: MeterMonth, stations: Sequence[Station], span: _Span) -> bool:
    """Return whether a register has anything to do with a month."""
    found = row.account
    if found is None or found.sessions:
        return True
    return found.start is not None and _is_used(stations, span)


def _is_used(stations: Sequence[Station], span: _Span) -> bool:
    """Return whether a register still is a station's at the end; that of the grid is nobody's."""
    ends = [station.retired_at for station in stations]
    return not ends or any(end is None or end >= span.to_at for end in ends)


def _was_gone(meter: Meter, span: _Span) -> bool:
    return meter.removed_at is not None and meter.removed_at <= span.from_at


def _sessions(unit: Unit, stations: Sequence[Station], span: _Span) -> list[Session]:
    return [
        session
        for station in stations
        for session in unit.sessions.find(
            SessionFilter(to_at=span.to_at, left_from=span.from_at - LATE, station=station.id)
        )
    ]


def _swaps(unit: Unit, source: Source, sessions: Sequence[Session]) -> Swaps:
    """Return what people told of other meters, and what sessions saw and took in of them."""
    changed = [each for each in sessions if Flag.METER_CHANGED in each.figures.flags]
    events = [(each.id, event) for each in changed for event in unit.sessions.events(each.id)]
    seen = frozenset(
        parse_instant(str(event.detail.get("register_at", rfc3339(event.at))), "UTC")
        for _, event in events
        if event.detail.get("step") == Verdict.REPLACED
    )
    counted = frozenset(
        (session, event.at)
        for session, event in events
        if event.detail.get("step") == Verdict.ANNOUNCED
    )
    return Swaps(tuple(unit.replacements.of(source)), seen, counted)


def _silence(unit: Unit, meter: Meter) -> timedelta:
    """Return from when on a register that is not read is silent."""
    status = unit.meters.statuses().get(meter.id)
    reached_ms = 0 if status is None else status.interval_ms or 0
    asked_ms = meter.interval_ms or POLLING.default_interval_ms
    return max(LEAST_SILENCE, INTERVALS * timedelta(milliseconds=max(reached_ms, asked_ms)))


def _bounds(profile: ProfileInfo | None, silence: timedelta, *, is_grid: bool) -> Bounds:
    max_power_w = RECONCILING.grid_max_power_w if is_grid else CHARGING.max_power_w
    if profile is None:
        return Bounds(max_power_w, gap=silence)
    return Bounds(max_power_w, profile.resolution_wh, profile.range_wh, silence)


def _explained(unit: Unit, source: Source, month: str) -> tuple[Explanation, ...]:
    return tuple(one for one in unit.explanations.of(month) if one.source == source)
