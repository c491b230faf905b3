"""Cars that were changed while nobody could watch: what gives them away."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from evdesk.domain.progress import OpenSession
from evdesk.domain.readings import Register
from evdesk.domain.sessions import CarSigns

SLACK = timedelta(seconds=60)  # by which a charger's count of the time plugged in may lag
SLACK_SHARE = 0.05
SECOND = timedelta(seconds=1)
SPLIT = timedelta(seconds=10)  # between two reads: more may be either car's

Touches = Callable[[datetime | None, datetime], bool]


@dataclass(frozen=True, slots=True)
class Replug:
    """A change of cars between two samples that both showed one.

    ``last`` is the last register before it and ``first`` the first after; ``seen`` says that they
    are neighbours, ``doubtful`` that energy between them may be either's. Where it does not
    ``ends`` the session, nobody can say when the change was, or whether there was one.
    """

    left_at: datetime
    came_at: datetime
    last: Register | None
    first: Register | None
    seen: bool
    doubtful: bool
    ends: bool = True


def replug_in(
    session: OpenSession,
    at: datetime,
    signs: CarSigns,
    recent: Sequence[Register],
    touches: Touches,
) -> Replug | None:
    """Return the change of cars that a charger's signs give away, or None.

    ``recent`` are the registers read lately, up to now; after a silence the car may be another one.
    """
    came_at = _came_at(session, at, signs)
    if came_at is not None:
        return _at_registers(session, max(came_at, session.plugged_in_at), recent, touches)
    other_card = signs.tag is not None and session.tag not in {None, signs.tag}
    silence = _silence(recent, touches)
    if other_card and session.silence and silence is not None:
        last, first = silence
        return _replug(session, first.at, last, first, seen=False)
    if other_card or (session.silence and _fell(session.session_wh, signs.session_wh)):
        return Replug(at, at, None, None, seen=False, doubtful=True, ends=False)
    return None


def remember(session: OpenSession, at: datetime, signs: CarSigns) -> None:
    """Keep what the charger says of the car."""
    if signs.connected_s is not None or signs.session_wh is not None or signs.tag is not None:
        session.silence = False
    if signs.connected_s is not None:
        session.connected_s, session.connected_at = signs.connected_s, at
    if signs.session_wh is not None:
        session.session_wh = signs.session_wh


def _came_at(session: OpenSession, at: datetime, signs: CarSigns) -> datetime | None:
    """Return when the car came that is there now, if it is another one than before."""
    before_s, now_s, before_at = session.connected_s, signs.connected_s, session.connected_at
    if before_s is None or now_s is None or before_at is None:
        return None
    expected = before_s * SECOND + (at - before_at)
    lagging = expected - now_s * SECOND > SLACK + SLACK_SHARE * expected
    return at - now_s * SECOND if now_s < before_s or (lagging and session.silence) else None


def _fell(before_wh: int | None, now_wh: int | None) -> bool:
    return before_wh is not None and now_wh is not None and now_wh < before_wh


def _silence(recent: Sequence[Register], touches: Touches) -> tuple[Register, Register] | None:
    """Return the registers before and after the newest silence."""
    for before, after in reversed(list(pairwise(recent))):
        if not touches(before.at, after.at):
            return before, after
    return None


def _at_registers(
    session: OpenSession, came_at: datetime, recent: Sequence[Register], touches: Touches
) -> Replug:
    """Return a change whose instant is known."""
    before = [register for register in recent if register.at < came_at]
    after = [register for register in recent if register.at >= came_at]
    last = before[-1] if before else None
    first = after[0] if after else None
    if last is None or first is None or not touches(last.at, first.at):
        return _replug(session, came_at, last, first, seen=False)
    shared = first.at - last.at > SPLIT and first.wh > last.wh
    return _replug(session, came_at, last, last, seen=True, shared=shared)


def _replug(
    session: OpenSession,
    came_at: datetime,
    last: Register | None,
    first: Register | None,
    *,
    seen: bool,
    shared: bool = False,
) -> Replug:
    left_at = session.plugged_in_at if last is None else max(last.at, session.plugged_in_at)
    exact = last is not None and first is not None and last.wh == first.wh
    return Replug(left_at, came_at, last, first, seen=seen, doubtful=shared or not exact)
