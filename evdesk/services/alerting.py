"""What a mail about faults says."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from evdesk.domain.faults import CATALOGUE, Fault, Severity
from evdesk.domain.site import Site
from evdesk.ports import FaultNews

STAMP = "%Y-%m-%d %H:%M"


def worth_telling(news: FaultNews) -> tuple[list[Fault], list[Fault]]:
    """Return the faults to write of: those that began, and those that only ended.

    What is for information is in the window; what somebody acknowledged needs no mail.
    """
    began = [fault for fault in news.began if _matters(fault)]
    told = {fault.id for fault in began}
    ended = [fault for fault in news.ended if _matters(fault) and fault.id not in told]
    return began, ended


def subject_of(site: Site, began: list[Fault], ended: list[Fault]) -> str:
    """Return the subject: the fault, or how many there are."""
    name = _line(site.name)
    if len(began) + len(ended) > 1:
        counts = [(len(began), "new"), (len(ended), "over")]
        return f"{name}: faults: " + ", ".join(f"{n} {word}" for n, word in counts if n)
    fault, word = (began[0], "") if began else (ended[0], "over: ")
    return f"{name}: {word}{_headline(fault)}"


def body_of(site: Site, began: list[Fault], ended: list[Fault]) -> str:
    """Return the text: what, since when, and what to do."""
    zone = ZoneInfo(site.tz)
    parts = [*(_began(fault, zone) for fault in began), *(_ended(fault, zone) for fault in ended)]
    foot = f"Sent by evdesk at {_line(site.name)}. Acknowledge faults in the window, or with: "
    return "\n\n".join([*parts, f"-- \n{foot}evdesk fault ack ID"]) + "\n"


def _began(fault: Fault, zone: ZoneInfo) -> str:
    entry = CATALOGUE[fault.code]
    template, facts = fault.detail()
    detail = _line(template.format(**facts))
    since = f"{fault.since_at.astimezone(zone):{STAMP} %Z}"
    lasted = "" if fault.until_at is None else f", over after {_span(fault)}"
    lines = (
        f"{fault.severity.upper()}: {_headline(fault)}",
        f"Since {since}{lasted}. Fault {fault.id}, {fault.code}.",
        f"{entry.meaning} {detail}".strip(),
        f"What to do: {entry.action}",
    )
    return "\n".join(lines)


def _ended(fault: Fault, zone: ZoneInfo) -> str:
    until = _stamp(fault.until_at, zone)
    unseen = " Nobody watched when it ended." if fault.unseen_end else ""
    return (
        f"OVER: {_headline(fault)}\n"
        f"Since {until}, after {_span(fault)}.{unseen} Fault {fault.id}, {fault.code}."
    )


def _stamp(at: datetime | None, zone: ZoneInfo) -> str:
    return "" if at is None else f"{at.astimezone(zone):{STAMP} %Z}"


def _span(fault: Fault) -> str:
    return str(timedelta(seconds=fault.repair_s() or 0))


def _headline(fault: Fault) -> str:
    where = fault.station or fault.meter
    title = CATALOGUE[fault.code].title
    return title if where is None else f"{_line(where)}: {title}"


def _matters(fault: Fault) -> bool:
    return fault.severity is not Severity.INFO and fault.acknowledged_at is None


def _line(text: str) -> str:
    return " ".join(text.split())
