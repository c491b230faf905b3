"""What ``consent`` prints."""

from collections.abc import Sequence

from evdesk.cli.output import Output, facts, table
from evdesk.domain.consents import ConsentEvent, Decision, Why
from evdesk.domain.purposes import Purpose
from evdesk.services.consents import DueConsent, Standing
from evdesk.services.recording import Recorded

ADOPTED = (
    "evdesk: There was no notice for '{purpose}': the ready-made one ({languages}) was taken over "
    "as version {version}. It is a template: check it, and replace it with evdesk notice add where "
    "it does not fit. See: evdesk notice show {purpose}"
)
CLOCK = (
    "evdesk: This PC's clock had been set back: the event counts from {at} on, after what was "
    "recorded before."
)


def show_purposes(out: Output, purposes: Sequence[Purpose], language: str) -> None:
    """Print the purposes."""
    rows = [
        (p.id, p.basis.value, p.needs_consent, "on" if p.enabled else "off",
         p.validity_months or None, p.text(language).name)
        for p in purposes
    ]  # fmt: skip
    headings = ("id", "basis", "needs consent", "state", "months", "name")
    out.answer([_purpose(one) for one in purposes], table(headings, rows, ""))


def show_purpose(out: Output, purpose: Purpose) -> None:
    """Print what a purpose is set to."""
    state = "on" if purpose.enabled else "off: nobody is asked, and nothing is used for it"
    out.answer(
        _purpose(purpose),
        f"'{purpose.id}' is {state}; consents hold for {purpose.validity_months} months, data goes "
        f"within {purpose.deletion_days} days after a withdrawal.",
    )


def show_recorded(out: Output, recorded: Recorded) -> None:
    """Print what was recorded, and what was taken over or odd."""
    last = recorded.events[-1]
    words = ", ".join(event.word for event in recorded.events)
    out.answer(
        _event(last) | {"events": [event.word for event in recorded.events]},
        f"Recorded for {last.person}, '{last.purpose}': {words}.",
    )
    if recorded.adopted:
        languages = ", ".join(one.language for one in recorded.adopted)
        version = recorded.adopted[0].version
        out.note(ADOPTED.format(purpose=last.purpose, languages=languages, version=version))
    if last.clock_was_back:
        out.note(CLOCK.format(at=last.at))


def show_log(out: Output, events: Sequence[ConsentEvent], tz: str) -> None:
    """Print what was recorded."""
    rows = [
        (e.at, e.person, e.purpose, e.word, e.method.value, _version(e), e.valid_until, e.evidence)
        for e in events
    ]
    headings = ("at", "driver", "purpose", "event", "how", "notice", "until", "evidence")
    empty = "Nothing was recorded yet. Begin with: evdesk consent record --help"
    out.answer([_event(event) for event in events], table(headings, rows, empty, tz))


def show_standing(out: Output, found: Sequence[Standing], tz: str) -> None:
    """Print how a driver stands to each purpose."""
    rows = [
        (one.purpose.id, "yes" if one.decision.allowed else "no", _why(one.decision),
         one.decision.since_at, one.valid_until if one.decision.allowed else None)
        for one in found
    ]  # fmt: skip
    data = [
        {"purpose": one.purpose.id, "valid_until": one.valid_until} | _decision(one.decision)
        for one in found
    ]
    out.answer(data, table(("purpose", "may be used", "why", "since", "until"), rows, "", tz))


def show_decision(out: Output, decision: Decision, tz: str) -> None:
    """Print whether data may be used."""
    told = _decision(decision)
    pairs = [("may be used", decision.allowed), ("why", decision.why.value)]
    rest = [(name, told[name]) for name in ("state", "since_at", "notice_version")]
    out.answer(told, facts([*pairs, *rest], tz))


def show_due(out: Output, found: Sequence[DueConsent], tz: str) -> None:
    """Print the consents that are to be renewed."""
    rows = [
        (one.event.person, one.event.purpose, one.valid_until,
         "ends soon" if one.why is Why.IN_FORCE else one.why.value)
        for one in found
    ]  # fmt: skip
    data = [
        {
            "driver": one.event.person,
            "purpose": one.event.purpose,
            "valid_until": one.valid_until,
            "why": "ends soon" if one.why is Why.IN_FORCE else one.why.value,
        }
        for one in found
    ]
    empty = "No consent is to be renewed."
    out.answer(data, table(("driver", "purpose", "ends", "why"), rows, empty, tz))


def _purpose(purpose: Purpose) -> dict[str, object]:
    return {
        "id": purpose.id,
        "basis": purpose.basis.value,
        "legal": purpose.legal,
        "needs_consent": purpose.needs_consent,
        "enabled": purpose.enabled,
        "validity_months": purpose.validity_months or None,
        "reminder_days": purpose.reminder_days or None,
        "deletion_days": purpose.deletion_days if purpose.needs_consent else None,
        "data_classes": [one.value for one in purpose.data_classes],
        "names": {language: text.name for language, text in purpose.texts.items()},
    }


def _event(event: ConsentEvent) -> dict[str, object]:
    return {
        "id": f"{event.person}/{event.purpose}/{event.seq}",
        "driver": event.person,
        "purpose": event.purpose,
        "event": event.word,
        "state": event.state.value,
        "method": event.method.value,
        "at": event.at,
        "recorded_at": event.recorded_at,
        "notice_version": _version(event),
        "notice_language": event.notice_language or None,
        "valid_until": event.valid_until,
        "entity_role": event.entity_role.value,
        "witness": event.witness,
        "evidence": None if event.evidence is None else str(event.evidence),
        "evidence_sha256": None if event.evidence_sha256 is None else event.evidence_sha256.hex(),
    }


def _decision(decision: Decision) -> dict[str, object]:
    version = decision.notice_version
    return {
        "allowed": decision.allowed,
        "state": None if decision.state is None else decision.state.value,
        "since_at": decision.since_at,
        "notice_version": None if version is None else str(version),
        "why": decision.why.value,
    }


def _version(event: ConsentEvent) -> str | None:
    return None if event.notice_version is None else str(event.notice_version)


def _why(decision: Decision) -> str:
    state = decision.state
    return decision.why.value if state is None else f"{decision.why.value} ({state.value})"
