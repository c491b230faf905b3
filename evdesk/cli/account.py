"""``account``: who opens the site, and how else it opens."""

from argparse import ArgumentParser

from evdesk import bootstrap
from evdesk.cli.context import Context
from evdesk.cli.options import Groups
from evdesk.cli.output import facts, table
from evdesk.domain.site import Account, Role
from evdesk.services.accounts import AccountRow
from evdesk.services.keys import WaysIn

ON, OFF = "on", "off"
OLD_KEY = (
    "Whoever copied the data key while they could still reads old copies of the site with it. A\n"
    "new key for the site shuts that out from now on: evdesk account rotate"
)
OLD_BACKUPS = (
    "Backups that were made before still open with the old key and the passwords of then: make\n"
    "a new one, and destroy those that are not needed."
)


def add_to(groups: Groups) -> None:
    """Declare the group."""
    account = groups.group(
        "account", "who opens the site, and how else it opens", "evdesk account list"
    )
    add = account.command(
        "add",
        add_account,
        "let somebody open the site with a password of their own",
        "evdesk account add Ben --role staff --new-password-file ben.txt",
    )
    add.add_argument("name", metavar="NAME", help="how the account is called")
    add.add_argument(
        "--role",
        required=True,
        choices=[role.value for role in Role],
        help="owner: everything; staff: daily work and bills; auditor: reads, under pseudonyms",
    )
    _takes_new_password(add)
    found = account.command(
        "list",
        list_accounts,
        "list accounts with their role and what opens them",
        "evdesk account list --json",
    )
    found.add_argument("--removed", action="store_true", help="also those taken away")
    passwd = account.command(
        "passwd",
        change_password,
        "set another password: your own, or as an owner somebody else's",
        "evdesk account passwd --new-password-file new.txt",
    )
    passwd.add_argument("name", nargs="?", metavar="NAME", help="whose (default: your own)")
    _takes_new_password(passwd)
    remove = account.command(
        "remove",
        remove_account,
        "take an account away; what it did stays in the log",
        "evdesk account remove Ben --rotate",
    )
    remove.add_argument("name", metavar="NAME")
    remove.add_argument(
        "--rotate", action="store_true", help="put the site under a new data key at once"
    )
    _add_other_ways(account)


def _takes_new_password(parser: ArgumentParser) -> None:
    parser.add_argument("--new-password-file", metavar="FILE", help="file with the new password")


def _add_other_ways(account: Groups) -> None:
    account.command(
        "recovery-code",
        renew_recovery_code,
        "make a new recovery code; the old one opens nothing from then on",
        "evdesk account recovery-code",
    )
    for verb, run, summary in (
        ("keyring", set_keyring, "let the keyring of this computer open the site for you, or not"),
        ("service", set_service, "let a collector that starts with this PC open it, or not"),
    ):
        command = account.command(verb, run, summary, f"evdesk account {verb} on")
        command.add_argument("state", choices=[ON, OFF])
    account.command(
        "rotate",
        rotate,
        "put the site under a new data key: stops the collector and starts it again",
        "evdesk account rotate",
    )


def add_account(context: Context) -> None:
    """Add an account."""
    args = context.args
    with context.site() as services:
        account = services.accounts.add(
            args.name, Role(args.role), context.new_password("new_password_file")
        )
    context.out.answer(
        _data(account), f"{account.name} opens the site from now on, as {account.role.value}."
    )


def list_accounts(context: Context) -> None:
    """List accounts."""
    with context.site() as services:
        rows = services.accounts.rows(removed=context.args.removed)
        ways, tz = services.keys.ways_in(), services.info.tz
    shown = [
        (
            row.account.id,
            row.account.name + (" (you)" if row.is_mine else ""),
            row.account.role.value,
            _slots(row),
            row.last_login_at,
            row.account.created_at,
            row.account.removed_at,
        )
        for row in rows
    ]
    headings = ("id", "name", "role", "opens with", "last opened", "added", "removed")
    context.out.answer(
        [_row(row) for row in rows],
        f"{table(headings, shown, 'There are no accounts.', tz)}\n\n{_other_ways(ways, tz)}",
    )


def change_password(context: Context) -> None:
    """Set a password."""
    name = context.args.name
    with context.site() as services:
        mine = next((row.account for row in services.accounts.rows() if row.is_mine), None)
        password = context.new_password("new_password_file")
        if name is None or (mine is not None and mine.name == name):
            account = services.accounts.change_password(password)
        else:
            account = services.accounts.set_password(name, password)
    context.out.answer(
        _data(account), f"The new password of {account.name} holds; the old one opens nothing."
    )


def remove_account(context: Context) -> None:
    """Take an account away."""
    name = context.args.name
    context.confirm(f"Remove the account {name}? Its password opens nothing any more.")
    with context.opened() as opened:
        account = opened.services.accounts.remove(name)
        said = f"{account.name} opens the site no more."
        if context.args.rotate:
            _rotate(context, opened)
            said = f"{said} The site is under a new data key.\n{OLD_BACKUPS}"
            context.out.answer(_data(account), said)
        else:
            context.out.answer(_data(account), f"{said}\n\n{OLD_KEY}")


def renew_recovery_code(context: Context) -> None:
    """Make a new recovery code."""
    with context.site() as services:
        code = services.keys.renew_recovery_code()
    context.out.answer(
        {"recovery_code": code},
        f"    Recovery code:  {code}\n\n"
        "Write it down and keep it away from this computer: it is shown only now. The old one\n"
        "opens nothing any more: destroy it.",
    )


def set_keyring(context: Context) -> None:
    """Let the keyring open the site, or not."""
    on = context.args.state == ON
    with context.site() as services:
        if on:
            services.keys.keyring_on()
        else:
            services.keys.keyring_off()
    context.out.answer(
        {"keyring": context.args.state},
        "The keyring of this computer opens the site for you from now on. Whoever sits here while\n"
        "you are logged in can do so, too, and so can any program that you run."
        if on
        else "The site asks for your password again.",
    )


def set_service(context: Context) -> None:
    """Let a collector at boot open the site, or not."""
    on = context.args.state == ON
    with context.site() as services:
        if on:
            services.keys.service_on()
        else:
            services.keys.service_off()
    context.out.answer(
        {"service": context.args.state, "folder": str(bootstrap.service_folder()) if on else None},
        "A collector that is started without a password opens the site from now on, with the key\n"
        f"in {bootstrap.service_folder()}.\n"
        "Whoever takes this PC, or a copy of its disk, can then open the site: encrypt the disk."
        if on
        else "Nothing opens the site by itself any more.",
    )


def rotate(context: Context) -> None:
    """Put the site under a new data key."""
    with context.opened() as opened:
        collector = _rotate(context, opened)
        data = {"id": opened.services.info.id, "collector": collector}
    again = {
        "restarted": " The collector was stopped for it and runs again.",
        "stopped": "",
    }[collector]
    context.out.answer(
        data,
        f"The site is under a new data key; passwords and recovery code are as before.{again}\n"
        f"{OLD_BACKUPS}",
    )


def _rotate(context: Context, opened: bootstrap.Opened) -> str:
    """Renew the data key and start the collector again where one ran; return how it is now."""
    if not opened.services.keys.rotate(lambda share: context.out.progress(share, "copying")):
        return "stopped"
    bootstrap.CollectorChild(opened).start()
    return "restarted"


def _other_ways(ways: WaysIn, tz: str) -> str:
    since = {"recovery code of": ways.recovery_since, "service key of": ways.service_since}
    return facts(since.items(), tz)


def _slots(row: AccountRow) -> list[str]:
    return [kind.value for kind in row.slots]


def _data(account: Account) -> dict[str, object]:
    return {
        "id": account.id,
        "name": account.name,
        "role": account.role.value,
        "created_at": account.created_at,
        "removed_at": account.removed_at,
    }


def _row(row: AccountRow) -> dict[str, object]:
    return {
        **_data(row.account),
        "slots": _slots(row),
        "last_login_at": row.last_login_at,
        "you": row.is_mine,
    }
