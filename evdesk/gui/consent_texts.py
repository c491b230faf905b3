"""Words for consents: how a person stands to a purpose, and how an answer came."""

from zoneinfo import ZoneInfo

from PySide6.QtCore import QCoreApplication

from evdesk.domain.consents import ConsentEvent, ConsentState, Method, Why
from evdesk.gui import texts
from evdesk.gui.theme import Tone
from evdesk.services.consents import Standing

translate = QCoreApplication.translate


def look(of: Standing) -> texts.Look:
    """Return in a word how a person stands to a purpose."""
    decision = of.decision
    if decision.allowed:
        return translate("consents", "Agreed"), Tone.POSITIVE, "ok"
    words = {
        Why.EXPIRED: (translate("consents", "Expired"), Tone.WARNING, "warning"),
        Why.NOTICE_CHANGED: (translate("consents", "To be renewed"), Tone.WARNING, "warning"),
        Why.RESTRICTED: (translate("consents", "Restricted"), Tone.WARNING, "lock"),
        Why.OBJECTED: (translate("consents", "Objects"), Tone.WARNING, "stop"),
        Why.ERASED: (translate("consents", "Erased"), Tone.NEUTRAL, "remove"),
    }
    if decision.why in words:
        return words[decision.why]
    if not of.purpose.enabled:
        return translate("consents", "Switched off"), Tone.NEUTRAL, "pause"
    return _unagreed(decision.state or ConsentState.UNKNOWN)


def _unagreed(state: ConsentState) -> texts.Look:
    """Return the word for a state in which there is no consent."""
    return {
        ConsentState.REQUESTED: (translate("consents", "No answer yet"), Tone.INFO, "help"),
        ConsentState.DEFERRED: (translate("consents", "Thinks about it"), Tone.INFO, "help"),
        ConsentState.REFUSED: (translate("consents", "Refused"), Tone.NEUTRAL, "stop"),
        ConsentState.WITHDRAWN: (translate("consents", "Withdrawn"), Tone.NEUTRAL, "stop"),
        ConsentState.REVOKED: (translate("consents", "Ended"), Tone.NEUTRAL, "stop"),
        ConsentState.INVALIDATED: (translate("consents", "Found invalid"), Tone.NEUTRAL, "stop"),
        ConsentState.EXPIRED: (translate("consents", "Expired"), Tone.WARNING, "warning"),
    }.get(state, (translate("consents", "Not asked"), Tone.NEUTRAL, ""))


def meaning(of: Standing) -> str:
    """Return in a sentence what has to be known beyond the word; "" where the word is enough."""
    return {
        Why.NOTICE_CHANGED: translate(
            "consents", "The notice has changed since: it is not used until they agree anew."
        ),
        Why.RESTRICTED: translate(
            "consents", "Their data is restricted: it is kept, and not used."
        ),
        Why.OBJECTED: translate(
            "consents", "They object: it is not used while the objection stands."
        ),
        Why.SWITCHED_OFF: translate(
            "consents", "They agreed, and this site has switched the purpose off."
        ),
    }.get(of.decision.why, "")


def dates(of: Standing, zone: ZoneInfo) -> str:
    """Return since when it is so, until when it holds, which notice was shown and how they said."""
    event, decision = of.event, of.decision
    if event is None:
        return ""
    when = [translate("consents", "since {day}").format(day=texts.day(decision.since_at, zone))]
    if event.valid_until is not None and decision.state is event.state:
        until = texts.day(event.valid_until, zone)
        when.append(translate("consents", "until {day}").format(day=until))
    how = []
    if event.notice_version is not None:
        version = event.notice_version
        how.append(translate("consents", "notice {version}").format(version=version))
    if event.method is not Method.PROGRAM:
        how.append(method(event.method))
    if len(when) == 1:
        return " · ".join(when + how)
    return "\n".join(" · ".join(part) for part in (when, how) if part)


def method(of: Method) -> str:
    """Return how an answer came."""
    return {
        Method.PAPER: translate("consents", "on paper"),
        Method.SIGNATURE: translate("consents", "signed on the screen"),
        Method.PORTAL: translate("consents", "in the portal"),
        Method.EMAIL: translate("consents", "by e-mail"),
        Method.PHONE: translate("consents", "by phone"),
        Method.IMPORT: translate("consents", "taken over from before"),
        Method.PROGRAM: translate("consents", "by itself"),
    }[of]


def recorded(event: ConsentEvent, purpose: str) -> str:
    """Return what was recorded, as a sentence."""
    said = {
        ConsentState.GIVEN: translate("consents", "Recorded: agreed to “{purpose}”."),
        ConsentState.RENEWED: translate("consents", "Recorded: agreed anew to “{purpose}”."),
        ConsentState.REFUSED: translate("consents", "Recorded: refused “{purpose}”."),
        ConsentState.DEFERRED: translate("consents", "Recorded: thinks about “{purpose}”."),
        ConsentState.WITHDRAWN: translate(
            "consents", "Recorded: withdrew “{purpose}”. It is no longer used from now on."
        ),
    }
    sentence = said.get(event.state, translate("consents", "Recorded for “{purpose}”."))
    return sentence.format(purpose=purpose)
