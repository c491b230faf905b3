"""``rights requests`` and ``rights disclosures``: what was asked for, and who was given what."""

from datetime import date

from evdesk.cli.context import Context
from evdesk.cli.options import Groups
from evdesk.cli.output import table
from evdesk.domain.disclosures import Disclosure, RecipientKind
from evdesk.domain.errors import UserError
from evdesk.domain.personal_data import DataClass
from evdesk.domain.requests import IdentityCheck, RequestId, RequestKind
from evdesk.domain.site import DriverId
from evdesk.services.disclosures import FROM_LOG
from evdesk.services.requests import DueRequest

NO = 1
SOON_DAYS = 7
CHECKS = [one.value for one in IdentityCheck]
CLASSES = [one.value for one in DataClass]


def add_to(rights: Groups) -> None:
    """Declare the registers."""
    listed = rights.command(
        "requests",
        list_requests,
        "list requests with the days left; exit 1 where one is overdue",
        "evdesk rights requests --open",
    )
    listed.add_argument("--open", action="store_true", help="only those that wait for an answer")
    listed.add_argument("--driver", metavar="DRIVER", help="of one person")
    request = rights.group(
        "request", "one request", "evdesk rights request add D-7KQ2M9XF --kind access"
    )
    _add_request(request)
    disclosures = rights.command(
        "disclosures", list_disclosures, "list who was given what of whom, and why",
        "evdesk rights disclosures --driver D-7KQ2M9XF",
    )  # fmt: skip
    disclosures.add_argument("--driver", metavar="DRIVER", help="of one person")
    disclosure = rights.group(
        "disclosure",
        "somebody outside was given data",
        "evdesk rights disclosure add D-7KQ2M9XF --recipient R --kind authority --data invoice "
        '--reason "audit of 2025"',
    )
    _add_disclosure(disclosure)


def _add_request(request: Groups) -> None:
    add = request.command(
        "add",
        add_request,
        "enter a request; its month runs from its receipt",
        "evdesk rights request add D-7KQ2M9XF --kind access --received 2026-03-02",
    )
    add.add_argument("driver", metavar="DRIVER", help="id, see: evdesk driver list")
    add.add_argument("--kind", required=True, choices=[one.value for one in RequestKind])
    add.add_argument("--received", metavar="DATE", help="when it was received (today)")
    add.add_argument("--check", choices=CHECKS, help="how it is known who asks")
    add.add_argument("--note", default="", metavar="TEXT", help="kept under the person's key")
    for verb, run, summary, option in (
        ("identify", identify, "say how it is known who asks", "--note"),
        ("extend", extend, "take two months more; tell the person why (Art. 12(3))", "--reason"),
        ("refuse", refuse, "refuse it; tell the person why and where to complain", "--reason"),
        ("withdraw", withdraw, "say that the person no longer asks for it", "--note"),
        ("answer", answer, "say that it was answered in another way", "--note"),
    ):
        example = f"evdesk rights request {verb} 3"
        command = request.command(verb, run, summary, example)
        command.add_argument("request", metavar="ID", help="see: evdesk rights requests")
        needed = option == "--reason" or verb == "answer"
        command.add_argument(option, required=needed, default="", metavar="TEXT", help="kept")
        if verb == "identify":
            command.add_argument("--check", choices=CHECKS, required=True, help="how")


def _add_disclosure(disclosure: Groups) -> None:
    add = disclosure.command(
        "add",
        add_disclosure,
        "enter that somebody outside was given data of a person",
        "evdesk rights disclosure add D-7KQ2M9XF --recipient R --kind authority --data invoice "
        '--reason "audit of 2025"',
    )
    add.add_argument("driver", metavar="DRIVER", help="id, see: evdesk driver list")
    add.add_argument("--recipient", required=True, metavar="NAME", help="who was given it")
    add.add_argument("--kind", required=True, choices=[one.value for one in RecipientKind])
    add.add_argument(
        "--data", required=True, nargs="+", choices=CLASSES, metavar="CLASS", help="what was given"
    )
    add.add_argument("--reason", required=True, metavar="TEXT", help="why")
    add.add_argument("--at", dest="given_at", metavar="T", help="when (now)")


# -- requests --------------------------------------------------------------------------------------


def list_requests(context: Context) -> int:
    """List requests; 1 where one is overdue."""
    args = context.args
    person = None if args.driver is None else DriverId(args.driver)
    with context.site() as services:
        found = services.requests.all(person, open_only=args.open)
    headings = ("id", "driver", "kind", "received", "due", "days left", "state", "identity")
    rows = [
        (
            *(one.request.id, one.request.person, one.request.kind.value),
            *(one.request.received_on, one.request.due_on, one.days_left),
            _state(one),
            None if one.check is None else one.check.value,
        )
        for one in found
    ]
    late = [one for one in found if one.overdue]
    said = table(headings, rows, "Nobody has asked for anything.")
    if late:
        numbers = ", ".join(str(one.request.id) for one in late)
        said += f"\n\nOverdue: {numbers}. Answer now, and say why it is late."
    context.out.answer([request_json(one) for one in found], said)
    return NO if late else 0


def add_request(context: Context) -> None:
    """Enter a request."""
    args = context.args
    with context.site() as services:
        done = services.requests.add(
            DriverId(args.driver),
            RequestKind(args.kind),
            day(args.received),
            None if args.check is None else IdentityCheck(args.check),
            args.note,
        )
    _answer(context, done)


def identify(context: Context) -> None:
    """Say how it is known who asks."""
    check = IdentityCheck(context.args.check)
    with context.site() as services:
        done = services.requests.identify(_id(context), check, context.args.note)
    _answer(context, done)


def extend(context: Context) -> None:
    """Take two months more."""
    with context.site() as services:
        done = services.requests.extend(_id(context), context.args.reason)
    _answer(context, done)


def refuse(context: Context) -> None:
    """Refuse a request."""
    with context.site() as services:
        done = services.requests.refuse(_id(context), context.args.reason)
    _answer(context, done)


def withdraw(context: Context) -> None:
    """Say that the person no longer asks for it."""
    with context.site() as services:
        done = services.requests.withdraw(_id(context), context.args.note)
    _answer(context, done)


def answer(context: Context) -> None:
    """Say that it was answered in another way."""
    with context.site() as services:
        done = services.requests.answer(_id(context), context.args.note)
    _answer(context, done)


def request_json(one: DueRequest) -> dict[str, object]:
    """Return a request as scripts are promised it."""
    request = one.request
    return {
        "id": str(request.id),
        "driver": request.person,
        "kind": request.kind.value,
        "state": request.state.value,
        "received_on": request.received_on.isoformat(),
        "due_on": request.due_on.isoformat(),
        "days_left": one.days_left,
        "overdue": one.overdue,
        "check": None if one.check is None else one.check.value,
        "events": [
            {
                "at": event.at,
                "state": event.state.value,
                "author": event.author,
                "check": None if event.check is None else event.check.value,
                "note": event.note,
            }
            for event in request.events
        ],
    }


def request_text(one: DueRequest) -> str:
    """Return where a request stands, in a sentence."""
    request = one.request
    if one.days_left is None:
        check = f" (identity: {one.check.value})" if one.check is not None else ""
        return f"Request {request.id} is {request.state.value}{check}."
    return f"Request {request.id} is {request.state.value}, and due on {request.due_on}."


def _state(one: DueRequest) -> str:
    if one.overdue:
        return f"{one.request.state.value}, OVERDUE"
    if one.days_left is not None and one.days_left <= SOON_DAYS:
        return f"{one.request.state.value}, due soon"
    return one.request.state.value


def _answer(context: Context, done: DueRequest) -> None:
    context.out.answer(request_json(done), request_text(done))


def _id(context: Context) -> RequestId:
    return RequestId(number(context.args.request, "request"))


def day(text: str | None) -> date | None:
    """Return a day that was typed."""
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise UserError("'{text}' is no date: write it as 2026-03-29.", text=text) from error


def number(text: str, what: str) -> int:
    """Return an id that was typed."""
    if not text.isdecimal():
        raise UserError("'{text}' is no id of a {what}.", text=text, what=what)
    return int(text)


# -- disclosures -----------------------------------------------------------------------------------


def list_disclosures(context: Context) -> None:
    """List who was given what of whom."""
    args = context.args
    person = None if args.driver is None else DriverId(args.driver)
    with context.site() as services:
        found, tz = services.disclosures.all(person), services.info.tz
    headings = ("at", "driver", "recipient", "kind", "data", "reason")
    rows = [
        (one.at, one.person, one.recipient, one.kind.value, ", ".join(one.classes), one.reason)
        for one in found
    ]
    said = table(headings, rows, "Nobody outside was given anything.", tz)
    context.out.answer([disclosure_json(one) for one in found], said)


def add_disclosure(context: Context) -> None:
    """Enter that somebody outside was given data of a person."""
    args = context.args
    with context.site() as services:
        one = services.disclosures.add(
            DriverId(args.driver),
            args.recipient,
            RecipientKind(args.kind),
            [DataClass(name) for name in args.data],
            args.reason,
            context.instant("given_at", services.info.tz),
        )
    context.out.answer(disclosure_json(one), f"{one.recipient} is in the list of {one.person}.")


def disclosure_json(one: Disclosure) -> dict[str, object]:
    """Return a disclosure as scripts are promised it; the log tells of those without an id."""
    return {
        "id": None if one.id == FROM_LOG else str(one.id),
        "driver": one.person,
        "at": one.at,
        "kind": one.kind.value,
        "recipient": one.recipient,
        "classes": [each.value for each in one.classes],
        "reason": one.reason,
        "author": one.author,
    }
