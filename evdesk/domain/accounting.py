"""Where every Wh of a meter went: sessions, idle, gaps, and what is left to explain.

The sums rest on the register alone. A silence inside a session is the session's; a session that
lasts beyond a boundary counts by the register there. What a session claims and the register did
not count, or the other way round, is a rest, and so is what no rule accounts for.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from evdesk.domain.instants import MILLISECOND
from evdesk.domain.readings import Register
from evdesk.domain.reconciling import (
    NO_SWAPS,
    Account,
    Gap,
    GapKind,
    Point,
    Rest,
    RestKind,
    Swaps,
)
from evdesk.domain.registers import Bounds, RegisterTrack, Step, Verdict
from evdesk.domain.sessions import Flag, Replacement, Session, SessionState

STEPPED = frozenset({Flag.METER_RESET, Flag.METER_CHANGED, Flag.METER_REWOUND})


@dataclass(slots=True)
class _Stay:
    """A session from its first register to its last; without registers, while a car was there.

    ``counted_wh`` is what the register gave it, ``shared_wh`` what of it others were given first.
    """

    session: Session
    from_at: datetime
    to_at: datetime | None
    has_register: bool
    counted_wh: int = 0
    shared_wh: int = 0

    def covers(self, from_at: datetime, to_at: datetime) -> bool:
        """Return whether what was counted between two neighbouring reads is this session's."""
        ended_by_then = self.to_at is not None and self.to_at < to_at
        return self.has_register and self.from_at <= from_at and not ended_by_then

    def is_unread(self, from_at: datetime, to_at: datetime) -> bool:
        """Return whether its car was there in that time, and no register of it is known."""
        ended_by_then = self.to_at is not None and self.to_at <= from_at
        return not self.has_register and self.from_at < to_at and not ended_by_then

    def was_forced_to_end(self, at: datetime) -> bool:
        """Return whether somebody ended it by hand at this register."""
        return self.to_at == at and Flag.FORCED_END in self.session.figures.flags


def account(
    points: Iterable[Point],
    sessions: Sequence[Session],
    span: tuple[datetime, datetime],
    bounds: Bounds,
    swaps: Swaps = NO_SWAPS,
) -> Account:
    """Return where what was counted in a span went.

    ``points`` are the register's, in order; those before the span tell where it stood. ``sessions``
    are all that drew from it in the span. A point at the very end belongs to the span.
    """
    fold = _Fold(sessions, span, bounds, swaps)
    for point in _with_evidence(points, sessions):
        if point.at > span[1]:
            break
        fold.on(point)
    return fold.account()


def _with_evidence(points: Iterable[Point], sessions: Sequence[Session]) -> Iterator[Point]:
    """Yield the points, and between them the registers that sessions keep as their evidence."""
    kept = {
        register.at: register.wh
        for session in sessions
        for register in (session.figures.start, session.figures.end)
        if register is not None
    }
    evidence = deque(sorted(kept.items()))
    for point in points:
        while evidence and evidence[0][0] <= point.at:
            at, wh = evidence.popleft()
            if at < point.at:
                yield Point(at, wh, point.unbroken)
        yield point
    for at, wh in evidence:
        yield Point(at, wh, unbroken=False)


class _Fold:
    """Follows the register through the span and books each rise."""

    def __init__(
        self,
        sessions: Sequence[Session],
        span: tuple[datetime, datetime],
        bounds: Bounds,
        swaps: Swaps,
    ) -> None:
        self._bounds, self._span = bounds, span
        self._told = sorted(swaps.told, key=lambda told: told.at)
        self._swapped_at, self._counted = swaps.seen, swaps.counted
        self._track = RegisterTrack()
        self._stays = [_stay(session) for session in sessions]
        self._silent = False
        self._start: Register | None = None
        self._delta_wh = self._idle_wh = 0
        self._gaps: list[Gap] = []
        self._rests: list[Rest] = []

    def on(self, point: Point) -> None:
        """Take in a point."""
        while self._told and self._told[0].at < point.at:  # at the very instant it was the old one
            self._replace_meter(self._told.pop(0), point.at)
        self._silent |= not point.unbroken
        before, register = self._stand(), Register(point.wh, point.at)
        moved_at = self._track.moved_at
        if point.at in self._swapped_at:
            step = self._track.replace(register)
        else:
            verdict = self._track.accept(register, self._bounds, _elapsed)
            if verdict is Verdict.HELD:
                return
            step = None if verdict is Verdict.STEADY else self._track.step(verdict, self._bounds)
        after = self._stand()
        if before is None or after is None or point.at <= self._span[0]:
            self._start = after
        elif step is None:
            self._book(before.at, after.at, after.wh - before.wh)
        else:
            self._book_step(step, before.wh, after, moved_at or before.at)
        self._silent = False

    def account(self) -> Account:
        """Return what was booked."""
        for told in self._told:
            if told.at <= self._span[1]:
                self._replace_meter(told, self._span[1])
        self._book_doubted()
        sessions_wh = sum(self._settle(stay) for stay in self._stays)
        return Account(
            start=self._start,
            end=self._stand(),
            delta_wh=self._delta_wh,
            sessions_wh=sessions_wh,
            idle_wh=self._idle_wh,
            gap_wh=sum(gap.wh for gap in self._gaps),
            sessions=len(self._stays),
            gaps=tuple(self._gaps),
            rests=tuple(sorted(self._rests, key=lambda rest: rest.from_at)),
        )

    def _stand(self) -> Register | None:
        """Return how far the register has counted, and when it was last believed."""
        last = self._track.last
        return None if last is None else Register(self._track.counts_from(last).wh, last.at)

    # -- rises of the register ------------------------------------------------------------------

    def _book(self, from_at: datetime, to_at: datetime, wh: int) -> None:
        """Give a rise to its session, to idle time or to a gap."""
        if wh == 0:
            return
        self._delta_wh += wh
        owners = [stay for stay in self._stays if stay.covers(from_at, to_at)]
        for number, owner in enumerate(owners):
            owner.counted_wh += wh
            owner.shared_wh += wh if number else 0
        if owners or self._is_unread(from_at, to_at, wh):
            return
        forced = [stay for stay in self._stays if stay.was_forced_to_end(from_at)]
        if self._silent and forced:
            rest = Rest(RestKind.FORCED_END, wh, forced[0].session.id, from_at, to_at)
            self._rests.append(rest)
        elif self._silent:
            self._gaps.append(Gap(GapKind.SILENCE, from_at, to_at, wh))
        else:
            self._idle_wh += wh

    def _is_unread(self, from_at: datetime, to_at: datetime, wh: int) -> bool:
        """Give a rise to the session that may have taken it, though nobody read its register."""
        unread = [stay for stay in self._stays if stay.is_unread(from_at, to_at)]
        if unread:
            unread[0].counted_wh += wh
        return bool(unread)

    def _book_step(self, step: Step, stood_wh: int, newest: Register, moved_at: datetime) -> None:
        """Book what is known of a counter that went on elsewhere.

        It stood at ``stood_wh``, since ``moved_at``.
        """
        before, first = step.before, step.first
        if step.kind is Verdict.REWIND:
            self._gaps.append(Gap(GapKind.REWIND, before.at, first.at, 0, complete=False))
            self._book(before.at, newest.at, newest.wh - stood_wh)
            return
        if step.kind is Verdict.ROLLOVER:
            self._book(before.at, first.at, step.between_wh)
        elif told := self._announcement(step):
            known_wh = told.final_wh - before.wh + first.wh - told.first_wh
            self._book_swap(told, before.at, first.at, known_wh)
        elif self._is_believed(step):
            self._book(before.at, first.at, first.wh - before.wh)
        else:
            gap = self._caught_up(step, moved_at) or self._lost(step)
            self._delta_wh += gap.wh
            self._gaps.append(gap)
        self._silent = False  # what stands was read again and again
        self._book(first.at, newest.at, newest.wh - first.wh)

    def _book_doubted(self) -> None:
        """Say of a level that was not believed by the end that nobody knows what it counted."""
        last, doubted = self._track.last, self._track.candidate
        if last is not None and doubted is not None and doubted.at > self._span[0]:
            gap = Gap(GapKind.RESET, last.at, doubted.at, 0, complete=False)
            self._gaps.append(gap)

    def _is_believed(self, step: Step) -> bool:
        """Return whether a jump is in a session that knew from its power that it may be one."""
        rose = step.kind is Verdict.RESET and step.first.wh >= step.before.wh
        owners = [one for one in self._stays if one.covers(step.before.at, step.first.at)]
        return rose and any(not one.session.figures.flags & STEPPED for one in owners)

    def _caught_up(self, step: Step, moved_at: datetime) -> Gap | None:
        """Return the gap of a counter that stood still and caught up, where it may have counted so.

        Nobody knows when it counted; that it counted is on its face.
        """
        rise_wh, passed = step.first.wh - step.before.wh, _elapsed(moved_at, step.first.at)
        rose = step.kind is Verdict.RESET and rise_wh > 0
        if not rose or not self._bounds.plausible(rise_wh, passed):
            return None
        return Gap(GapKind.CAUGHT_UP, step.before.at, step.first.at, rise_wh)

    def _lost(self, step: Step) -> Gap:
        """Return the gap of a counter that began anew: what it counted just before is lost."""
        kind = GapKind.REPLACED if step.kind is Verdict.REPLACED else GapKind.RESET
        wh = self._since_reset(step)
        return Gap(kind, step.before.at, step.first.at, wh, complete=False)

    def _since_reset(self, step: Step) -> int:
        """Return what a counter surely counted that began anew at 0, and 0 where it did not."""
        fell = step.kind is Verdict.RESET and step.first.wh < step.before.wh
        elapsed = _elapsed(step.before.at, step.first.at)
        return step.first.wh if fell and self._bounds.plausible(step.first.wh, elapsed) else 0

    # -- meters put in others' places -----------------------------------------------------------

    def _announcement(self, step: Step) -> Replacement | None:
        """Return what was told of a step, were it later, and use it up."""
        elapsed = _elapsed(step.before.at, step.first.at)
        for told in self._told:
            ended_wh, begun_wh = told.final_wh - step.before.wh, step.first.wh - told.first_wh
            fits = self._bounds.plausible(ended_wh + begun_wh, elapsed)
            if fits and min(ended_wh, begun_wh) >= 0 and told.at >= step.before.at:
                self._told.remove(told)
                return told
        return None

    def _replace_meter(self, told: Replacement, read_at: datetime) -> None:
        """Go on with a meter that is first read then; what was told too late changes nothing.

        Of one that took over at the very read, as when a register is read under another option,
        nobody knows what was counted since the last read before.
        """
        last = self._track.last
        if last is None:
            return
        known_wh = told.final_wh - last.wh
        if not self._bounds.plausible(known_wh, _elapsed(last.at, told.at)):
            return
        self._track.replace(Register(told.first_wh, told.at))
        if told.at <= self._span[0]:
            self._start = self._stand()
        else:
            unread = told.at - last.at > self._bounds.gap
            is_whole = not unread or read_at - told.at > MILLISECOND
            self._book_swap(told, last.at, told.at, known_wh, is_whole=is_whole)

    def _book_swap(
        self,
        told: Replacement,
        from_at: datetime,
        to_at: datetime,
        wh: int,
        *,
        is_whole: bool = True,
    ) -> None:
        """Book what two meters surely counted unread; a session has it that took it in."""
        self._delta_wh += wh
        for stay in self._stays:
            took_it = (stay.session.id, told.at) in self._counted
            if took_it and stay.covers(from_at, to_at):
                stay.counted_wh += wh
                return
        self._gaps.append(Gap(GapKind.REPLACED, from_at, to_at, wh, complete=is_whole))

    # -- sessions -------------------------------------------------------------------------------

    def _settle(self, stay: _Stay) -> int:
        """Return what a session has of the span; what it says beside the register is a rest."""
        session, registered_wh = stay.session, stay.counted_wh
        if stay.shared_wh:
            self._rest(stay, RestKind.OVERLAP, -stay.shared_wh)
        measured_wh = session.figures.energy_wh
        if measured_wh is not None and self._is_within(stay):
            if registered_wh != measured_wh:
                self._rest(stay, RestKind.MISMATCH, registered_wh - measured_wh)
            registered_wh = measured_wh
        corrected_wh = self._corrected_by(session)
        if not stay.has_register and session.state is not SessionState.OPEN:
            kind = RestKind.NO_REGISTER if session.correction is None else RestKind.CORRECTION
            self._rest(stay, kind, registered_wh - corrected_wh)
            return corrected_wh
        self._rest(stay, RestKind.CORRECTION, -corrected_wh)
        return registered_wh + corrected_wh

    def _is_within(self, stay: _Stay) -> bool:
        """Return whether the whole of a session's registers lies in the span."""
        end = self._stand()
        if self._start is None or end is None or stay.to_at is None or not stay.has_register:
            return False
        return self._start.at <= stay.from_at and stay.to_at <= end.at

    def _corrected_by(self, session: Session) -> int:
        """Return by how much a session was corrected; that counts where the car was plugged in."""
        claim_wh, measured_wh = session.energy_wh, session.figures.energy_wh
        from_at, to_at = self._span
        if claim_wh is None or not from_at <= session.figures.plugged_in_at < to_at:
            return 0
        return claim_wh - (measured_wh or 0) if session.correction is not None else 0

    def _rest(self, stay: _Stay, kind: RestKind, wh: int) -> None:
        figures = stay.session.figures
        if wh:
            rest = Rest(kind, wh, stay.session.id, figures.plugged_in_at, figures.unplugged_at)
            self._rests.append(rest)


def _elapsed(earlier: datetime, later: datetime) -> timedelta:
    return later - earlier


def _stay(session: Session) -> _Stay:
    figures = session.figures
    is_open = session.state is SessionState.OPEN
    if figures.start is None:
        to_at = figures.unplugged_at
        return _Stay(session, figures.plugged_in_at, to_at, has_register=False)
    last = figures.end or figures.start
    to_at = None if is_open else max(figures.start.at, last.at)
    return _Stay(session, figures.start.at, to_at, has_register=True)
