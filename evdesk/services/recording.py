"""Writing the ledger of consents: what may follow, when it counts, and what proves it."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePath

from evdesk.domain.audit import Change
from evdesk.domain.consents import (
    IN_FORCE,
    MOVES,
    WORDS,
    ConsentEvent,
    ConsentState,
    EntityRole,
    Method,
    may_follow,
    steps_to,
    valid_until,
)
from evdesk.domain.errors import UserError
from evdesk.domain.notices import Notice, NoticeVersion, current
from evdesk.domain.personal_data import DataClass
from evdesk.domain.purposes import Purpose, PurposeId
from evdesk.domain.site import Driver, DriverId
from evdesk.ports import Unit
from evdesk.services.drivers import existing_driver
from evdesk.services.notices import existing_purpose, notice_for
from evdesk.settings import CONSENTS

RECORDED = "consent.recorded"
ASKING = frozenset({ConsentState.REQUESTED, ConsentState.GIVEN, ConsentState.RENEWED})
WORD_OF = {state: word for word, state in WORDS.items()}
STATE_WORDS = {
    ConsentState.UNKNOWN: "nobody has asked them",
    ConsentState.REQUESTED: "they were asked and have not answered",
    ConsentState.DEFERRED: "they wanted to think about it",
    ConsentState.REFUSED: "they said no",
    ConsentState.GIVEN: "they agreed",
    ConsentState.RENEWED: "they agreed once more",
    ConsentState.EXPIRED: "their consent has expired",
    ConsentState.WITHDRAWN: "they withdrew it",
    ConsentState.REVOKED: "it was ended",
    ConsentState.INVALIDATED: "it was found invalid",
}

MEDIA_TYPES = {
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    ".eml": "message/rfc822",
    ".txt": "text/plain",
    ".json": "application/json",
}


@dataclass(frozen=True, slots=True)
class Scan:
    """What proves an answer: a scanned paper, a drawn signature, a letter."""

    media_type: str
    content: bytes


def media_type_of(file: PurePath) -> str:
    """Return what a file of evidence is, by its name.

    Raises:
        UserError: nothing that evidence can be.

    """
    found = MEDIA_TYPES.get(file.suffix.lower())
    if found is None:
        raise UserError(
            "Evidence is one of {known}, not {name}.", known=", ".join(MEDIA_TYPES), name=file.name
        )
    return found


@dataclass(frozen=True, slots=True)
class ConsentEntry:
    """What is to be recorded; ``at`` only of imports, None is now.

    ``witness`` is the name or id of the account that saw it, None the one that records it.
    ``entity_id`` names who answered, None the person themselves. ``notice`` is the version that
    they were shown, None the newest.
    """

    person: DriverId
    purpose: PurposeId
    state: ConsentState
    method: Method
    evidence: Scan | None = None
    at: datetime | None = None
    witness: str | None = None
    entity_role: EntityRole = EntityRole.SUBJECT
    entity_id: str | None = None
    notice: NoticeVersion | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """What was written; ``adopted`` are ready-made notices that were taken over for it."""

    events: tuple[ConsentEvent, ...]
    adopted: tuple[Notice, ...]


@dataclass(frozen=True, slots=True)
class Moment:
    """When something is recorded, and by whom."""

    now: datetime
    actor: str


def record(unit: Unit, entry: ConsentEntry, moment: Moment, *, asks: bool = False) -> Recorded:
    """Append an event; with ``asks`` also the asking before an answer, where that is missing.

    Raises:
        UserError: unknown person or purpose, a move that is not allowed, no notice, no time or
            evidence that can be.

    """
    driver, purpose = existing_driver(unit, entry.person), existing_purpose(unit, entry.purpose)
    _check(entry, purpose, moment.now)
    events = unit.consents.of(entry.person, entry.purpose)
    written = expire(unit, events, purpose, moment) if entry.at is None else ()
    events += written
    state = events[-1].state if events else ConsentState.UNKNOWN
    steps = steps_to(state, entry.state) if asks else (entry.state,)
    if ASKING & set(steps):
        _check_may_ask(unit, entry, purpose)
        notice, adopted = _shown(unit, entry, driver, purpose, moment)
    else:  # who withdraws or refuses is shown nothing new
        told = [one.notice for one in events if one.notice is not None]
        notice, adopted = (unit.notices.get(told[-1]) if told else None), ()
    found: list[ConsentEvent] = [*written]
    for step in steps:
        proof = entry.evidence if step is steps[-1] else None
        event = _event(unit, entry, step, events, (notice, proof), purpose, moment)
        unit.consents.add(event)
        unit.record_change(_change(event))
        events = sorted([*events, event], key=lambda one: (one.at, one.seq))
        found.append(event)
    return Recorded(tuple(found), adopted)


def expire(
    unit: Unit, events: list[ConsentEvent], purpose: Purpose, moment: Moment
) -> tuple[ConsentEvent, ...]:
    """Write down that a consent is over, where it is; it is over without that, too."""
    last = events[-1] if events else None
    if last is None or last.valid_until is None or not last.lapsed(moment.now):
        return ()
    event = ConsentEvent(
        person=last.person,
        purpose=purpose.id,
        seq=max(one.seq for one in events) + 1,
        at=last.valid_until,
        recorded_at=moment.now,
        state=ConsentState.EXPIRED,
        method=Method.PROGRAM,
        notice=last.notice,
        notice_version=last.notice_version,
        notice_language=last.notice_language,
        valid_until=None,
        entity_id=last.person,
        entity_role=EntityRole.SUBJECT,
        witness=moment.actor,
    )
    unit.consents.add(event)
    unit.record_change(_change(event))
    return (event,)


def _event(
    unit: Unit,
    entry: ConsentEntry,
    state: ConsentState,
    events: list[ConsentEvent],
    shown: tuple[Notice | None, Scan | None],
    purpose: Purpose,
    moment: Moment,
) -> ConsentEvent:
    """Return the event that comes next, with its evidence kept."""
    notice, proof = shown
    newest = max((one.at for one in events), default=moment.now)
    at = max(moment.now, newest) if entry.at is None else entry.at
    if not may_follow(events, state, at):
        raise _cannot_follow(entry, state, events, at)
    evidence, digest = (None, None)
    if proof is not None:
        evidence, digest = unit.consents.add_evidence(
            entry.person, proof.media_type, proof.content, moment.now
        )
    return ConsentEvent(
        person=entry.person,
        purpose=entry.purpose,
        seq=max((one.seq for one in events), default=0) + 1,
        at=at,
        recorded_at=moment.now,
        state=state,
        method=entry.method,
        notice=None if notice is None else notice.id,
        notice_version=None if notice is None else notice.version,
        notice_language="" if notice is None else notice.language,
        valid_until=valid_until(at, purpose.validity_months) if state in IN_FORCE else None,
        entity_id=entry.entity_id or entry.person,
        entity_role=entry.entity_role,
        witness=_witness(unit, entry.witness) or moment.actor,
        evidence=evidence,
        evidence_sha256=digest,
    )


def _shown(
    unit: Unit, entry: ConsentEntry, driver: Driver, purpose: Purpose, moment: Moment
) -> tuple[Notice | None, tuple[Notice, ...]]:
    """Return what the person was shown, and what was adopted for it."""
    known = unit.notices.of(purpose.id)
    if entry.notice is not None:
        fitting = [one for one in known if one.version == entry.notice]
        found = current(fitting, [driver.language, "en"])
        if found is None:
            raise UserError(
                "There is no version {version} of the notice for '{purpose}'. See: evdesk notice "
                "list",
                version=entry.notice,
                purpose=purpose.id,
            )
        return found, ()
    if entry.at is not None:
        before = [one for one in known if one.created_at <= entry.at]
        found = current(before, [driver.language, "en"])
        if found is not None:
            return found, ()
    return notice_for(unit, purpose, driver.language, moment.now, moment.actor)


def _check(entry: ConsentEntry, purpose: Purpose, now: datetime) -> None:
    """Refuse what cannot be recorded, whatever was recorded before."""
    if not purpose.needs_consent:
        raise UserError(
            "Nobody is asked for '{purpose}': it rests on {legal}, so that withdrawing a consent "
            "would change nothing.",
            purpose=purpose.id,
            legal=purpose.legal,
        )
    if entry.state is ConsentState.EXPIRED:
        raise UserError("A consent expires by itself: nobody records that.")
    if (entry.at is None) == (entry.method is Method.IMPORT):
        raise UserError(
            "An import says when it was (--at), and everything else counts from the moment in "
            "which it is recorded. Nothing was recorded."
        )
    if entry.at is not None and entry.at > now:
        raise UserError("What is imported has happened already: --at lies in the future.")
    if entry.evidence is not None:
        _check_scan(entry.evidence)


def _check_may_ask(unit: Unit, entry: ConsentEntry, purpose: Purpose) -> None:
    if not purpose.enabled:
        raise UserError(
            "'{purpose}' is switched off at this site: nobody is asked for it. An owner can switch "
            "it on: evdesk consent purpose --help",
            purpose=purpose.id,
        )
    if entry.entity_role is EntityRole.FLEET_MANAGER:
        raise UserError(
            "A fleet manager cannot agree for a driver: only the person, a guardian or somebody "
            "whom the person has authorised."
        )
    if entry.person in unit.key_erasures.erased(DataClass.IDENTITY):
        raise UserError("Driver {driver} was erased: nothing can be asked of them.",
                        driver=entry.person)  # fmt: skip


def _check_scan(scan: Scan) -> None:
    if not scan.content:
        raise UserError("The evidence is an empty file.")
    if len(scan.content) > CONSENTS.most_evidence_bytes:
        raise UserError(
            "The evidence has {size} MB; {most} MB are the most. Scan it in grey at 150 dpi. "
            "Nothing was recorded.",
            size=f"{len(scan.content) / 1e6:.1f}",
            most=f"{CONSENTS.most_evidence_bytes / 1e6:.0f}",
        )


def _witness(unit: Unit, name: str | None) -> str | None:
    """Return the id of the account that saw it."""
    if name is None:
        return None
    found = [each.id for each in unit.accounts.all() if name in {each.name, each.id}]
    if not found:
        raise UserError("There is no account {account}.", account=name)
    return found[0]


def _cannot_follow(
    entry: ConsentEntry, state: ConsentState, events: list[ConsentEvent], at: datetime
) -> UserError:
    before = [one for one in events if one.at <= at]
    now = before[-1].state if before else ConsentState.UNKNOWN
    words = {WORD_OF[one] for one in MOVES[now] if one is not ConsentState.EXPIRED}
    if state in MOVES[now]:
        return UserError(
            "'{word}' does not fit between what was recorded before and after that moment. Nothing "
            "was recorded. See: evdesk consent list --driver {driver}",
            word=WORD_OF[state],
            driver=entry.person,
        )
    return UserError(
        "'{word}' cannot follow here: {state}. What can: {next}. Nothing was recorded.",
        word=WORD_OF[state],
        state=STATE_WORDS[now],
        next=", ".join(sorted(words)),
    )


def _change(event: ConsentEvent) -> Change:
    facts = {
        "purpose": event.purpose,
        "event": event.word,
        "method": event.method.value,
        "seq": event.seq,
        "at": event.at,
        "notice": None if event.notice_version is None else str(event.notice_version),
        "evidence_sha256": None if event.evidence_sha256 is None else event.evidence_sha256.hex(),
    }
    if event.clock_was_back:
        facts["clock"] = "set back"
    return Change(RECORDED, "driver", event.person, facts)
