"""What a command gets: its arguments, where to print, and the site once it is asked for."""

import getpass
import os
import sys
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from evdesk import bootstrap
from evdesk.cli.output import Output
from evdesk.domain.errors import UserError
from evdesk.domain.instants import parse_instant
from evdesk.domain.secrets import Secret


@dataclass(frozen=True, slots=True)
class Context:
    """One run of one command."""

    args: Namespace
    out: Output

    def option(self, name: str) -> str | None:
        """Return a common option: given before or after the command, or EVDESK_… ."""
        given = getattr(self.args, name, None)
        return given if given is not None else os.environ.get(f"EVDESK_{name.upper()}") or None

    def folder(self) -> Path:
        """Return the site folder."""
        given = self.option("site")
        return Path(given).expanduser() if given else bootstrap.default_folder()

    def password(self) -> Secret:
        """Return the password: from the file named, or asked for on a terminal.

        Raises:
            UserError: no file and no terminal, or the file cannot be read or is empty.

        """
        file = self.option("password_file")
        return _ask("Password") if file is None else read_password(Path(file).expanduser())

    def new_password(self) -> Secret:
        """Return a password to be: from the file named, or asked for twice on a terminal.

        Raises:
            UserError: as ``password``, or the two are not the same.

        """
        if self.option("password_file") is not None:
            return self.password()
        first, again = _ask("New password"), _ask("The same again")
        if first.reveal() != again.reveal():
            raise UserError("The two passwords are not the same. Nothing was created.")
        return first

    @contextmanager
    def site(self) -> Iterator[bootstrap.Services]:
        """Open the site with the password and close it afterwards."""
        bootstrap.check_site(self.folder())  # before anybody types a password
        opened = bootstrap.open_site(self.folder(), self.password(), self.option("user"))
        self.tell_second_copy(opened)
        try:
            yield opened.services
        finally:
            opened.services.store.close()

    def tell_second_copy(self, opened: bootstrap.Opened) -> None:
        """Say so where the second copy of the keys had to stand in."""
        if opened.used_second_copy:
            self.out.note(
                "evdesk: keys.json is missing or damaged; its second copy keys.json.bak was used. "
                "Mend it soon: copy keys.json.bak over keys.json."
            )

    def confirm(self, question: str) -> None:
        """Ask before something that cannot be taken back.

        Raises:
            UserError: the answer is no, or there is nobody to ask and ``--yes`` was not given.

        """
        if getattr(self.args, "yes", False):
            return
        if not _somebody_is_there():
            raise UserError(
                "{question} Nobody can be asked here, so nothing was done: add --yes.",
                question=question,
            )
        print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
        if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
            raise UserError("Nothing was done.")

    def instant(self, name: str, tz: str) -> datetime | None:
        """Return an option that is a date or an instant; a date means midnight at the site."""
        text = getattr(self.args, name, None)
        if text is None:
            return None
        try:
            return parse_instant(text, tz)
        except (ValueError, OverflowError) as error:
            option = "--" + name.removesuffix("_at").replace("_", "-")
            raise UserError(
                "{option} {text} is no date: write 2026-03-29 or 2026-03-29T14:00:00Z.",
                option=option,
                text=text,
            ) from error


def _somebody_is_there() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()


def _ask(what: str) -> Secret:
    if not _somebody_is_there():
        raise UserError(
            "There is no terminal to ask for the password: name a file with --password-file "
            "or EVDESK_PASSWORD_FILE."
        )
    try:
        typed = getpass.getpass(f"{what}: ")
    except EOFError:
        typed = ""
    if not typed:
        raise UserError("No password was typed.")
    return Secret(typed.encode())


def read_password(path: Path) -> Secret:
    """Return the password in a file; one trailing newline is no part of it."""
    text = read_text(path, "The password file")
    password = text.removesuffix("\n").removesuffix("\r")
    if not password:
        raise UserError("The password file {path} is empty.", path=path)
    return Secret(password.encode())


def read_text(path: Path, what: str) -> str:
    """Return a file's text as it is, but for a byte order mark.

    Raises:
        UserError: it cannot be read, or is no UTF-8.

    """
    try:
        return path.read_bytes().decode("utf-8-sig")  # read_text would change line ends
    except OSError as error:
        raise UserError(
            "{what} {path} cannot be read: {why}.", what=what, path=path, why=error.strerror
        ) from error
    except UnicodeDecodeError as error:
        raise UserError("{what} {path} is not UTF-8 text.", what=what, path=path) from error
