"""The consent ledger: states, the one table of moves, and the one function that decides.

States are those of the Data Privacy Vocabulary 2.3 (ConsentStatus); the moves are ours.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from evdesk.domain.notices import NoticeId, NoticeVersion
from evdesk.domain.purposes import Basis, Purpose, PurposeId, PurposeSetting
from evdesk.domain.site import DriverId

MONTHS = 12
LAST_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
FEBRUARY = 2


class ConsentState(StrEnum):
    """What is known of a person's consent to one purpose."""

    UNKNOWN = "ConsentUnknown"
    REQUESTED = "ConsentRequested"
    DEFERRED = "ConsentRequestDeferred"
    REFUSED = "ConsentRefused"
    GIVEN = "ConsentGiven"
    RENEWED = "RenewedConsentGiven"
    EXPIRED = "ConsentExpired"
    WITHDRAWN = "ConsentWithdrawn"
    REVOKED = "ConsentRevoked"
    INVALIDATED = "ConsentInvalidated"


IN_FORCE = frozenset({ConsentState.GIVEN, ConsentState.RENEWED})
ENDED = frozenset({ConsentState.WITHDRAWN, ConsentState.REVOKED, ConsentState.EXPIRED,
                   ConsentState.INVALIDATED})  # fmt: skip
_ASKED_ANEW = frozenset({ConsentState.REQUESTED})
_ENDS = ENDED | {ConsentState.RENEWED}
MOVES: dict[ConsentState, frozenset[ConsentState]] = {
    ConsentState.UNKNOWN: _ASKED_ANEW,
    ConsentState.REQUESTED: frozenset(
        {ConsentState.GIVEN, ConsentState.REFUSED, ConsentState.DEFERRED}
    ),
    ConsentState.GIVEN: _ENDS,
    ConsentState.RENEWED: _ENDS,
    ConsentState.EXPIRED: frozenset({ConsentState.REQUESTED, ConsentState.RENEWED}),
    ConsentState.WITHDRAWN: _ASKED_ANEW,
    ConsentState.REFUSED: _ASKED_ANEW,
    ConsentState.DEFERRED: _ASKED_ANEW,
    ConsentState.REVOKED: _ASKED_ANEW,
    ConsentState.INVALIDATED: _ASKED_ANEW,
}
WORDS: dict[str, ConsentState] = {
    "requested": ConsentState.REQUESTED,
    "given": ConsentState.GIVEN,
    "refused": ConsentState.REFUSED,
    "deferred": ConsentState.DEFERRED,
    "withdrawn": ConsentState.WITHDRAWN,
    "renewed": ConsentState.RENEWED,
    "revoked": ConsentState.REVOKED,
    "invalidated": ConsentState.INVALIDATED,
    "expired": ConsentState.EXPIRED,
}


class Method(StrEnum):
    """How it was expressed."""

    PAPER = "paper"
    SIGNATURE = "signature"  # drawn on the screen
    PORTAL = "portal"
    EMAIL = "email"
    PHONE = "phone"
    IMPORT = "import"
    PROGRAM = "program"  # an expiry: nobody expressed it


class EntityRole(StrEnum):
    """Who expressed it."""

    SUBJECT = "subject"
    GUARDIAN = "guardian"
    AGENT = "authorised_agent"
    FLEET_MANAGER = "fleet_manager"  # may pass on a refusal, and cannot consent for others


@dataclass(frozen=True, slots=True)
class ConsentEvent:
    """One line of the ledger; ``recorded_at`` is what the PC's clock said.

    ``evidence`` names a scan or signature, ``evidence_sha256`` is over its bytes.
    """

    person: DriverId
    purpose: PurposeId
    seq: int
    at: datetime
    recorded_at: datetime
    state: ConsentState
    method: Method
    notice: NoticeId | None
    notice_version: NoticeVersion | None
    notice_language: str
    valid_until: datetime | None
    entity_id: str
    entity_role: EntityRole
    witness: str
    evidence: int | None = None
    evidence_sha256: bytes | None = None

    @property
    def word(self) -> str:
        """Return what the command line calls it."""
        return next(word for word, state in WORDS.items() if state is self.state)

    @property
    def clock_was_back(self) -> bool:
        """Return whether the PC's clock had been set back when it was recorded."""
        return self.recorded_at < self.at

    def lapsed(self, at: datetime) -> bool:
        """Return whether this consent is over by then, without anybody saying so."""
        over = self.valid_until is not None and at >= self.valid_until
        return self.state in IN_FORCE and over


@dataclass(frozen=True, slots=True)
class Switch:
    """Something that holds from an instant on, until the next one says otherwise."""

    at: datetime
    on: bool
    author: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class MajorNotice:
    """When a material version of a notice was added."""

    at: datetime
    major: int


@dataclass(frozen=True, slots=True)
class Case:
    """All that a decision rests on; each list in the order in which it was written.

    ``events`` are ordered by (at, seq). ``erased_at``: since when the person's identity is erased.
    """

    purpose: Purpose | None
    is_known: bool
    events: Sequence[ConsentEvent] = ()
    restrictions: Sequence[Switch] = ()
    objections: Sequence[Switch] = ()
    settings: Sequence[PurposeSetting] = ()
    majors: Sequence[MajorNotice] = ()
    erased_at: datetime | None = None


class Why(StrEnum):
    """What decided."""

    IN_FORCE = "in force"
    NO_CONSENT = "no consent"
    EXPIRED = "the consent has expired"
    NOTICE_CHANGED = "the notice has changed since: the consent has to be renewed"
    SWITCHED_OFF = "the purpose is switched off"
    RESTRICTED = "the person's data is restricted"
    OBJECTED = "the person objects"
    ERASED = "the person's data is erased"
    UNKNOWN_PERSON = "nobody by that id"
    UNKNOWN_PURPOSE = "no such purpose"


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether data may be processed; ``state`` is None where no consent is asked for."""

    allowed: bool
    why: Why
    state: ConsentState | None = None
    since_at: datetime | None = None
    notice_version: NoticeVersion | None = None


def decide(case: Case, at: datetime, *, live: bool = True) -> Decision:
    """Return whether a purpose may be pursued at an instant; what is not known may not.

    ``live`` asks for now: the newest of everything counts, whatever the PC's clock says, so that a
    clock that is set back brings no consent back. Otherwise what was known to hold at ``at``.
    """
    purpose = case.purpose
    if purpose is None:
        return Decision(allowed=False, why=Why.UNKNOWN_PURPOSE)
    event = latest(case.events, at, live=live)
    why = _stopped(case, purpose, at, live=live) or Why.IN_FORCE
    if purpose.needs_consent and why is Why.IN_FORCE:
        why = _consent(case, event, at, live=live)
    allowed = why is Why.IN_FORCE
    if not purpose.needs_consent:
        return Decision(allowed, why)
    if event is None:
        return Decision(allowed, why, ConsentState.UNKNOWN)
    lapsed = event.lapsed(at if not live else max(at, event.at))
    return Decision(
        allowed,
        why,
        ConsentState.EXPIRED if lapsed else event.state,
        event.valid_until if lapsed else event.at,
        event.notice_version,
    )


def latest(
    events: Sequence[ConsentEvent], at: datetime, *, live: bool = False
) -> ConsentEvent | None:
    """Return the event that decides: the last by (at, seq) that is not after ``at``."""
    counting = events if live else [event for event in events if event.at <= at]
    return counting[-1] if counting else None


def _stopped(case: Case, purpose: Purpose, at: datetime, *, live: bool) -> Why | None:
    """Return what stands against a purpose, whatever it rests on."""
    if not case.is_known:
        return Why.UNKNOWN_PERSON
    erased = case.erased_at is not None and (live or case.erased_at <= at)
    if erased and purpose.basis is not Basis.LAW:  # Art. 17(3)(b): what the law keeps outlasts it
        return Why.ERASED
    if _is_on(case.restrictions, at, live=live):
        return Why.RESTRICTED
    if purpose.basis in {Basis.CONSENT, Basis.LEGITIMATE_INTEREST} and _is_on(
        case.objections, at, live=live
    ):
        return Why.OBJECTED
    return None


def _consent(case: Case, event: ConsentEvent | None, at: datetime, *, live: bool) -> Why:
    """Return what a consent amounts to."""
    settings = [one for one in case.settings if live or one.at <= at]
    enabled = settings[-1].enabled if settings else True  # as every purpose ships
    if event is None or event.state not in IN_FORCE:
        return Why.NO_CONSENT
    if event.lapsed(max(at, event.at) if live else at):
        return Why.EXPIRED
    if not enabled:
        return Why.SWITCHED_OFF
    majors = [one.major for one in case.majors if live or one.at <= at]
    agreed = event.notice_version
    if agreed is None or agreed.major < max(majors, default=1):
        return Why.NOTICE_CHANGED
    return Why.IN_FORCE


def _is_on(switches: Sequence[Switch], at: datetime, *, live: bool) -> bool:
    counting = [one for one in switches if live or one.at <= at]
    return bool(counting) and counting[-1].on


def may_follow(events: Sequence[ConsentEvent], state: ConsentState, at: datetime) -> bool:
    """Return whether an event of that instant fits between those there are."""
    before = latest(events, at)
    after = [event for event in events if event.at > at]
    fits = state in MOVES[ConsentState.UNKNOWN if before is None else before.state]
    return fits and (not after or after[0].state in MOVES[state])


def steps_to(now: ConsentState, wanted: ConsentState) -> tuple[ConsentState, ...]:
    """Return the events that lead to an answer: one, or the asking and the answer.

    Who agrees while a consent stands, or after it has expired, renews it. What needs more than that
    is returned as it is, and the table of moves refuses it.
    """
    if wanted is ConsentState.GIVEN and ConsentState.RENEWED in MOVES[now]:
        return (ConsentState.RENEWED,)
    if wanted in MOVES[now]:
        return (wanted,)
    answers = MOVES[ConsentState.REQUESTED]
    if wanted in answers and ConsentState.REQUESTED in MOVES[now]:
        return (ConsentState.REQUESTED, wanted)
    return (wanted,)


def valid_until(at: datetime, months: int) -> datetime:
    """Return the instant so many calendar months later; a day that is not there is the last."""
    year, month = divmod(at.year * MONTHS + at.month - 1 + months, MONTHS)
    month += 1
    leap = month == FEBRUARY and year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return at.replace(year=year, month=month, day=min(at.day, LAST_DAYS[month - 1] + leap))
