"""``consent``: what drivers agreed to, and what follows from it."""

import json
from pathlib import Path

from evdesk import bootstrap
from evdesk.cli.consent_answers import (
    show_decision,
    show_due,
    show_log,
    show_purpose,
    show_purposes,
    show_recorded,
    show_standing,
)
from evdesk.cli.context import Context
from evdesk.cli.notice import version_of
from evdesk.cli.options import Groups
from evdesk.domain.consents import WORDS, ConsentState, EntityRole, Method
from evdesk.domain.errors import UserError
from evdesk.domain.purposes import PurposeId
from evdesk.domain.site import DriverId
from evdesk.services.consents import RECEIPT_FORMATS
from evdesk.services.recording import ConsentEntry, Scan, media_type_of

NO = 1
EVENTS = [word for word, state in WORDS.items() if state is not ConsentState.EXPIRED]
METHODS = {method.value: method for method in Method if method is not Method.PROGRAM}
METHODS |= {"on_screen_signature": Method.SIGNATURE}


def add_to(groups: Groups) -> None:
    """Declare the group."""
    consent = groups.group(
        "consent", "what drivers agreed to", "evdesk consent check D-7KQ2M9XF vin"
    )
    consent.command(
        "purposes", list_purposes, "list what data is used for", "evdesk consent purposes --json"
    )
    _declare_purpose(consent)
    _declare_record(consent)
    found = consent.command(
        "list", list_events, "list what was recorded", "evdesk consent list --driver D-7KQ2M9XF"
    )
    found.add_argument("--driver", metavar="D", help="of this driver only")
    standing = consent.command(
        "show", show_driver, "show how a driver stands to each purpose now",
        "evdesk consent show D-7KQ2M9XF",
    )  # fmt: skip
    standing.add_argument("driver", metavar="DRIVER", help="id, see: evdesk driver list")
    check = consent.command(
        "check",
        check_consent,
        "say whether data may be used; exit code 0 only if it may",
        "evdesk consent check D-7KQ2M9XF vin",
    )
    check.add_argument("driver", metavar="DRIVER", help="id, see: evdesk driver list")
    check.add_argument("purpose", metavar="PURPOSE", help="see: evdesk consent purposes")
    check.add_argument("--at", metavar="T", help="at an instant of the past (default: now)")
    consent.command(
        "due", list_due, "list the consents that are to be renewed", "evdesk consent due"
    )
    _declare_receipt(consent)


def _declare_purpose(consent: Groups) -> None:
    purpose = consent.command(
        "purpose",
        set_purpose,
        "switch a purpose on or off, or change its periods",
        "evdesk consent purpose analytics --off",
    )
    purpose.add_argument("purpose", metavar="PURPOSE", help="see: evdesk consent purposes")
    switch = purpose.add_mutually_exclusive_group()
    switch.add_argument("--on", dest="enabled", action="store_const", const=True, default=None)
    switch.add_argument("--off", dest="enabled", action="store_const", const=False)
    purpose.add_argument("--validity-months", type=int, metavar="N",
                         help="how long a consent holds that is given from now on")  # fmt: skip
    purpose.add_argument("--deletion-days", type=int, metavar="N",
                         help="within how many days data goes after a withdrawal")  # fmt: skip


def _declare_record(consent: Groups) -> None:
    record = consent.command(
        "record",
        record_event,
        "record that somebody was asked, agreed, refused or withdrew",
        "evdesk consent record D-7KQ2M9XF --purpose vin --event withdrawn --method phone",
    )
    record.add_argument("driver", metavar="DRIVER", help="id, see: evdesk driver list")
    record.add_argument(
        "--purpose", required=True, metavar="P", help="see: evdesk consent purposes"
    )
    record.add_argument("--event", required=True, choices=EVENTS)
    record.add_argument("--method", required=True, choices=list(METHODS))
    record.add_argument("--evidence", metavar="FILE", help="scan, signature or letter")
    record.add_argument("--at", metavar="T", help="when it was; of imports only")
    record.add_argument("--witness", metavar="NAME", help="account that saw it (default: yours)")
    record.add_argument("--notice-version", metavar="V", help="what they saw (default: the newest)")
    record.add_argument("--by", choices=[role.value for role in EntityRole],
                        default=EntityRole.SUBJECT.value, help="who answered")  # fmt: skip
    record.add_argument("--by-id", metavar="REF", help="which guardian or agent, by a reference")
    record.add_argument("--ask", action="store_true", help="record the asking before it, too")


def _declare_receipt(consent: Groups) -> None:
    receipt = consent.command(
        "receipt",
        write_receipt,
        "write what a driver is given about their consents",
        "evdesk consent receipt D-7KQ2M9XF --out receipt.pdf",
    )
    receipt.add_argument("driver", metavar="DRIVER", help="id, see: evdesk driver list")
    receipt.add_argument("--format", choices=RECEIPT_FORMATS, help="default: by the suffix")
    receipt.add_argument("--out", metavar="FILE", help="default: DRIVER.pdf; JSON is printed")


def list_purposes(context: Context) -> None:
    """List purposes."""
    with context.site() as services:
        show_purposes(context.out, services.consents.purposes(), services.info.language)


def set_purpose(context: Context) -> None:
    """Change a purpose."""
    args = context.args
    if args.enabled is None and args.validity_months is None and args.deletion_days is None:
        raise UserError("Say what to change: --on, --off, --validity-months or --deletion-days.")
    with context.site() as services:
        purpose = services.consents.set_purpose(
            PurposeId(args.purpose),
            enabled=args.enabled,
            validity_months=args.validity_months,
            deletion_days=args.deletion_days,
        )
    show_purpose(context.out, purpose)


def record_event(context: Context) -> None:
    """Record an event."""
    args = context.args
    scan = None if args.evidence is None else _scan(Path(args.evidence))
    with context.site() as services:
        entry = ConsentEntry(
            person=DriverId(args.driver),
            purpose=PurposeId(args.purpose),
            state=WORDS[args.event],
            method=METHODS[args.method],
            evidence=scan,
            at=context.instant("at", services.info.tz),
            witness=args.witness,
            entity_role=EntityRole(args.by),
            entity_id=args.by_id,
            notice=None if args.notice_version is None else version_of(args.notice_version),
        )
        record = services.consents.answer if args.ask else services.consents.record
        recorded = record(entry)
    show_recorded(context.out, recorded)


def list_events(context: Context) -> None:
    """List what was recorded."""
    driver = None if context.args.driver is None else DriverId(context.args.driver)
    with context.site() as services:
        show_log(context.out, services.consents.log(driver), services.info.tz)


def show_driver(context: Context) -> None:
    """Show how a driver stands to each purpose."""
    with context.site() as services:
        found = services.consents.standing(DriverId(context.args.driver))
        show_standing(context.out, found, services.info.tz)


def check_consent(context: Context) -> int:
    """Say whether data may be used."""
    args = context.args
    with context.site() as services:
        tz = services.info.tz
        at = context.instant("at", tz)
        decision = services.consents.check(DriverId(args.driver), PurposeId(args.purpose), at)
    show_decision(context.out, decision, tz)
    return 0 if decision.allowed else NO


def list_due(context: Context) -> None:
    """List the consents that are to be renewed."""
    with context.site() as services:
        show_due(context.out, services.consents.due(), services.info.tz)


def write_receipt(context: Context) -> None:
    """Write a receipt to a file; as JSON without a file, print it."""
    args, driver = context.args, DriverId(context.args.driver)
    suffix = "" if args.out is None else Path(args.out).suffix.lower().removeprefix(".")
    usual = suffix if suffix in RECEIPT_FORMATS else "json" if context.out.as_json else "pdf"
    form = args.format or usual
    if args.out is None and form == "json":
        with context.site() as services:
            receipt = services.consents.receipt(driver, form).decode()
        context.out.answer(json.loads(receipt), receipt.rstrip())
        return
    out = Path(args.out or f"{driver}.{form}")
    with bootstrap.saving(out) as file, context.site() as services:
        file.write(services.consents.receipt(driver, form))
    context.out.answer({"file": str(out), "format": form}, f"Saved the receipt to {out}.")


def _scan(path: Path) -> Scan:
    media_type = media_type_of(path)
    try:
        return Scan(media_type, path.read_bytes())
    except OSError as error:
        raise UserError(
            "The file {path} cannot be read: {why}.", path=path, why=error.strerror
        ) from error
