"""``mail``: which server sends, a test, and what became of letters."""

from argparse import Namespace
from dataclasses import replace
from pathlib import Path

from evdesk import bootstrap
from evdesk.cli.context import Context, read_password, read_text
from evdesk.cli.options import Groups
from evdesk.cli.output import facts, table
from evdesk.domain.errors import UserError
from evdesk.domain.mail import MailId, MailServer, Posted, Security

PORTS = {Security.TLS: 465, Security.STARTTLS: 587, Security.PLAIN: 25}
SHOWN = 20
MOST_DIGITS = 18


def add_to(groups: Groups) -> None:
    """Declare the group."""
    mail = groups.group("mail", "e-mail to the owner about faults", "evdesk mail show")
    change = mail.command(
        "set",
        set_server,
        "say which server sends; what is not given stays as it is",
        "evdesk mail set --host smtp.example.org --username depot --mail-password-file mailpw "
        "--from depot@example.org --to owner@example.org",
    )
    change.add_argument("--host", metavar="NAME", help="of the mail server")
    change.add_argument(
        "--security",
        choices=[security.value for security in Security],
        help="tls (default), starttls, or plain for a server on this computer",
    )
    change.add_argument("--port", metavar="P", help="default: 465 for tls, 587 for starttls")
    change.add_argument("--username", metavar="NAME", help='"" for none')
    change.add_argument(
        "--mail-password-file", metavar="FILE", help="file with the password of the mail account"
    )
    change.add_argument("--ca-file", metavar="FILE", help="certificate to trust, PEM; - for none")
    change.add_argument("--from", dest="sender", metavar="ADDRESS", help="who sends")
    change.add_argument("--to", dest="recipient", metavar="ADDRESS", help="who is told of faults")
    mail.command("show", show, "show the server and the newest letters", "evdesk mail show --json")
    mail.command("test", test, "send a test to the owner now", "evdesk mail test")
    mail.command("clear", clear, "send no mail any longer", "evdesk mail clear")
    retry = mail.command(
        "retry", retry_mail, "send a letter again that failed or is unclear", "evdesk mail retry 3"
    )
    retry.add_argument("id", metavar="ID", help="see: evdesk mail show")


def set_server(context: Context) -> None:
    """Say which server sends."""
    with context.site() as services:
        server = _changed(services.mail.server(), context)
        services.mail.set_server(server)
    context.out.answer(
        {"id": "server", **_server(server)},
        f"{server.host} sends from now on; {server.recipient} is told of faults. "
        "Try it: evdesk mail test",
    )


def _changed(before: MailServer | None, context: Context) -> MailServer:
    args = context.args
    if before is None:
        missing = [n for n in ("host", "sender", "recipient") if getattr(args, n) is None]
        if missing:
            raise UserError("The first time, --host, --from and --to are needed.")
        before = MailServer(args.host, 0, Security.TLS, args.sender, args.recipient)
    given = {n: getattr(args, n) for n in ("host", "sender", "recipient")}
    server = replace(before, **{n: text for n, text in given.items() if text is not None})
    if args.security is not None:
        server = replace(server, security=Security(args.security), port=0)
    if args.port is not None:
        server = replace(server, port=_port(args.port))
    server = replace(server, port=server.port or PORTS[server.security])
    return _with_login(server, args)


def _with_login(server: MailServer, args: Namespace) -> MailServer:
    if args.username is not None and args.username != server.username:
        server = replace(server, username=args.username or None, password=None)
    if args.mail_password_file is not None:
        password = read_password(Path(args.mail_password_file).expanduser())
        server = replace(server, password=password)
    if args.ca_file is not None:
        path = Path(args.ca_file).expanduser()
        pem = None if args.ca_file == "-" else read_text(path, "The certificate file")
        server = replace(server, ca_pem=pem)
    return server


def _port(text: str) -> int:
    if not text.isdecimal() or len(text) > MOST_DIGITS:
        raise UserError("--port {text}: give a number, usually 465 or 587.", text=text)
    return int(text)


def show(context: Context) -> None:
    """Show the server and the newest letters."""
    with context.site() as services:
        server, letters = services.mail.server(), services.mail.newest(SHOWN)
        tz = services.info.tz
    data = None if server is None else _server(server)
    rows = [
        (
            str(m.id),
            m.letter.kind,
            m.letter.subject,
            m.created_at,
            m.state.value,
            m.attempts,
            m.told,
        )
        for m in letters
    ]
    headings = ("id", "kind", "subject", "written", "state", "tries", "what the server said")
    about = "No mail is sent. Set a server: evdesk mail set --help"
    text = about if data is None else facts(data.items(), tz)
    listed = table(headings, rows, "No letter was written yet.", tz)
    context.out.answer(
        {"server": data, "letters": [_letter(posted) for posted in letters]}, f"{text}\n\n{listed}"
    )


def test(context: Context) -> None:
    """Send a test to the owner now."""
    with context.site() as services:
        told = services.mail.test()
    context.out.answer({"told": told}, f"The server took the test mail: {told}")


def clear(context: Context) -> None:
    """Send no mail any longer."""
    with context.site() as services:
        context.confirm("Send no mail any longer and forget the mail password?")
        services.mail.clear_server()
    context.out.answer({"id": "server"}, "No mail is sent any longer; the password is forgotten.")


def retry_mail(context: Context) -> None:
    """Send a letter again."""
    text = context.args.id
    if not text.isdecimal() or len(text) > MOST_DIGITS:
        raise UserError("There is no mail {mail}. See: evdesk mail show", mail=text)
    with context.site() as services:
        _retry(services, MailId(int(text)))
    context.out.answer({"id": text}, f"Mail {text} is sent again, by the collector or the window.")


def _retry(services: bootstrap.Services, mail: MailId) -> None:
    services.mail.retry(mail)


def _server(server: MailServer) -> dict[str, object]:
    return {
        "host": server.host,
        "port": server.port,
        "security": server.security.value,
        "username": server.username,
        "with_password": server.password is not None,
        "with_ca": server.ca_pem is not None,
        "from": server.sender,
        "to": server.recipient,
    }


def _letter(posted: Posted) -> dict[str, object]:
    return {
        "id": str(posted.id),
        "kind": posted.letter.kind,
        "to": posted.letter.recipient,
        "subject": posted.letter.subject,
        "created_at": posted.created_at,
        "state": posted.state.value,
        "attempts": posted.attempts,
        "next_at": posted.next_at,
        "told": posted.told,
        "message_id": posted.letter.message_id,
    }
