"""Words for what a scan and a probe find."""

from decimal import Decimal, InvalidOperation

from PySide6.QtCore import QCoreApplication, QLocale

from evdesk.gui import texts
from evdesk.gui.theme import Tone
from evdesk.ports import Candidate, Certainty, FoundDevice, Mark, ProfileInfo, Scan
from evdesk.services.cautions import Caution, CautionCode
from evdesk.services.finding import Comparison, DisplayVerdict

Look = tuple[str, Tone, str]


def translate(text: str) -> str:
    """Return a text of this module in the language of the program."""
    return QCoreApplication.translate("finding_texts", text)


def certainty_look(of: Certainty) -> Look:
    """Return word, tone and icon of how sure a scan is."""
    return {
        Certainty.IDENTIFIED: (translate("identified"), Tone.POSITIVE, "ok"),
        Certainty.LIKELY: (translate("likely"), Tone.INFO, "info"),
        Certainty.AMBIGUOUS: (translate("several fit"), Tone.WARNING, "warning"),
        Certainty.UNKNOWN: (translate("not known"), Tone.NEUTRAL, "help"),
    }[of]


def mark_look(of: Mark) -> Look:
    """Return word, tone and icon of what can be said of a value."""
    return {
        Mark.FITS: (translate("fits"), Tone.POSITIVE, "ok"),
        Mark.OPEN: (translate("open"), Tone.NEUTRAL, "help"),
        Mark.WRONG: (translate("implausible"), Tone.DANGER, "error"),
        Mark.MISSING: (translate("missing"), Tone.NEUTRAL, "close"),
    }[of]


def reasons(of: Candidate) -> str:
    """Return why a profile may be the one."""
    return "; ".join(texts.remark(reason) for reason in of.reasons)


def device_name(of: FoundDevice, known: dict[str, ProfileInfo]) -> str:
    """Return what a device calls itself, or else what its profile is called."""
    said = " ".join(filter(None, (of.maker, of.model)))
    if said:
        return said
    return model_name(known.get(of.profile or ""))


def model_name(profile: ProfileInfo | None) -> str:
    """Return maker and model; empty without a profile."""
    return "" if profile is None else f"{profile.manufacturer} {profile.model}"


def found_hint(of: FoundDevice) -> str:
    """Return what to do about a device that was found."""
    if of.same_as is not None:
        return translate(
            "This is the same device as unit {unit}: it answers to both. Take either."
        ).format(unit=of.same_as)
    match of.certainty:
        case Certainty.IDENTIFIED:
            return translate("It says so itself.")
        case Certainty.LIKELY:
            return translate("Its values fit one model clearly best. Compare with the name plate.")
        case Certainty.AMBIGUOUS:
            return translate(
                "Several models fit about as well: look at the name plate, then choose."
            )
        case _:
            return translate(
                "It answers, but no model that is known here fits. Choose the nearest by hand and "
                "look at its values."
            )


def scan_summary(of: Scan) -> str:
    """Return what came of a scan, with what to look at where nothing answered."""
    if len(of.devices) == 1:
        found = translate("1 device found.")
    elif of.devices:
        found = translate("{count} devices found.").format(count=len(of.devices))
    else:
        found = translate(
            "Nothing answered. Is the device powered? Are A and B the right way round, do speed "
            "and parity match, is it the right address? You can also choose the model."
        )
    left = translate("{count} units were not asked.").format(count=len(of.left))
    notes = [texts.remark(note) for note in of.notes]
    return " ".join([found, *([left] if of.left else []), *notes])


def display_number(text: str) -> Decimal | None:
    """Return the number a person typed, with the decimal sign of their language or a point."""
    plain = text.strip().replace(" ", "").replace("\N{NO-BREAK SPACE}", "")
    locale = QLocale()
    if locale.decimalPoint() != ".":
        if locale.decimalPoint() in plain:
            plain = plain.replace(locale.groupSeparator(), "")
        plain = plain.replace(locale.decimalPoint(), ".")
    else:
        plain = plain.replace(",", "")
    try:
        number = Decimal(plain)
    except InvalidOperation:
        return None
    return number if number.is_finite() and number >= 0 else None


def comparison(of: Comparison) -> tuple[str, Tone]:
    """Return what comparing with the display says, and its tone."""
    match of.verdict:
        case DisplayVerdict.SAME:
            return translate("The register agrees with the display."), Tone.POSITIVE
        case DisplayVerdict.TOO_LARGE:
            text = translate(
                "The register reads {factor} times more than the display: choose another option or "
                "model before anything is billed from it."
            )
        case DisplayVerdict.TOO_SMALL:
            text = translate(
                "The register reads {factor} times less than the display: choose another option or "
                "model before anything is billed from it."
            )
        case _:
            text = translate(
                "The register does not agree with the display. Is it the right line of the display "
                "(total import), the right unit, the right model?"
            )
    return text.format(factor=of.factor), Tone.DANGER


def caution(of: Caution) -> str:
    """Return what a person should know of a device that was added."""
    facts = of.facts
    match of.code:
        case CautionCode.BY_DEFAULT:
            text = translate("{about} It is taken as “{default}” until somebody compares.")
        case CautionCode.NO_ENERGY:
            text = translate("It answered, but its lifetime register says nothing: read it once.")
        case CautionCode.VAH:
            text = translate(
                "By its maker’s table it counts apparent energy (VAh), not Wh: as much as was "
                "drawn, or more. Invoices say so; bill from a meter beside it to bill Wh."
            )
        case _:
            text = translate("It has {sockets} sockets: each further one needs a station.")
    return text.format(**facts)
