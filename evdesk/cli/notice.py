"""``notice``: what people are told before they agree."""

from pathlib import Path

from evdesk.cli.context import Context
from evdesk.cli.options import Groups
from evdesk.cli.output import table
from evdesk.domain.errors import UserError
from evdesk.domain.notices import Notice, NoticeVersion, parse_version
from evdesk.domain.purposes import PurposeId

SHOWN_HASH = 16


def add_to(groups: Groups) -> None:
    """Declare the group."""
    notice = groups.group("notice", "what people are told before they agree", "evdesk notice list")
    add = notice.command(
        "add",
        add_notice,
        "add a notice; with a higher first number, consents have to be renewed",
        "evdesk notice add vin.de.md --purpose vin --version 2.0 --language de",
    )
    add.add_argument("file", metavar="FILE", help="UTF-8 text; kept byte for byte")
    add.add_argument("--purpose", required=True, metavar="P", help="see: evdesk consent purposes")
    add.add_argument("--version", dest="notice_version", required=True, metavar="V",
                     help="such as 1.2; a material change raises the first number")  # fmt: skip
    add.add_argument("--language", required=True, metavar="L", help="such as de or en")
    notice.command("list", list_notices, "list the notices", "evdesk notice list --json")
    show = notice.command(
        "show",
        show_notice,
        "show one as people see it, or the one that holds for a purpose",
        "evdesk notice show vin --language de",
    )
    show.add_argument("notice", metavar="ID|PURPOSE", help="see: evdesk notice list")
    show.add_argument("--language", metavar="L", help="of the one that holds")
    show.add_argument("--draft", action="store_true", help="the text to begin a new one with")


def add_notice(context: Context) -> None:
    """Add a notice."""
    args = context.args
    version, content = version_of(args.notice_version), _read(Path(args.file))
    with context.site() as services:
        notice = services.notices.add(PurposeId(args.purpose), version, args.language, content)
    context.out.answer(
        _row(notice),
        f"Notice {notice.version} ({notice.language}) for '{notice.purpose}' holds from now on.\n"
        f"SHA-256 {notice.sha256.hex()}",
    )


def list_notices(context: Context) -> None:
    """List the notices."""
    with context.site() as services:
        found, tz = services.notices.all(), services.info.tz
    rows = [
        (str(n.id), n.purpose, str(n.version), n.language, n.created_at,
         "ready-made" if n.ready_made else "own", f"{n.sha256.hex()[:SHOWN_HASH]}…")
        for n in found
    ]  # fmt: skip
    headings = ("id", "purpose", "version", "language", "since", "text", "SHA-256")
    empty = (
        "There is no notice yet. The ready-made ones are taken over when the first consent is "
        "recorded; see one: evdesk notice show vin --draft"
    )
    context.out.answer([_row(one) for one in found], table(headings, rows, empty, tz))


def show_notice(context: Context) -> None:
    """Show a notice, or the text to begin with."""
    args = context.args
    with context.site() as services:
        if args.draft:
            language = args.language or services.info.language
            text = services.notices.draft(PurposeId(args.notice), language)
            context.out.answer({"purpose": args.notice, "language": language, "text": text}, text)
            return
        if args.notice.isdecimal():
            known = {str(one.id): one for one in services.notices.all()}
            notice = known.get(args.notice)
        else:
            notice = services.notices.current(PurposeId(args.notice), args.language)
    if notice is None:
        raise UserError(
            "There is no such notice. List them with: evdesk notice list. The ready-made text: "
            "evdesk notice show PURPOSE --draft"
        )
    context.out.answer(_row(notice) | {"text": notice.text}, notice.text)


def version_of(text: str) -> NoticeVersion:
    """Return the version that a text spells."""
    try:
        return parse_version(text)
    except ValueError as error:
        raise UserError("'{text}' is no version: write it as 1.0.", text=text) from error


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(
            "The file {path} cannot be read: {why}.", path=path, why=error.strerror
        ) from error


def _row(notice: Notice) -> dict[str, object]:
    return {
        "id": str(notice.id),
        "purpose": notice.purpose,
        "version": str(notice.version),
        "language": notice.language,
        "sha256": notice.sha256.hex(),
        "created_at": notice.created_at,
        "ready_made": notice.ready_made,
    }
