"""What a command gets: its arguments, where to print, and the site once it is asked for."""

import getpass
import os
import sys
import time
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from evdesk import bootstrap
from evdesk.cli.output import Output
from evdesk.domain.errors import StorageError, UserError
from evdesk.domain.instants import parse_instant
from evdesk.domain.secrets import Secret
from evdesk.services.key_changes import RECOVERY_CODE
from evdesk.settings import UNLOCKING

BRIEF_S = 1  # a script waits so long by itself after a wrong password


@dataclass(slots=True)
class Trial:
    """What was given to open the site with, and whether it is excused that it does not."""

    may_be_older: Callable[[Secret], bool] = lambda _password: False
    password: Secret | None = None
    excused: bool = False

    def is_excused(self, password: Secret) -> bool:
        """Return whether a password that does not open the site was not meant to."""
        self.excused = self.may_be_older(password)
        return self.excused


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

    def new_password(self, option: str = "password_file") -> Secret:
        """Return a password to be: from the file named, or asked for twice on a terminal.

        Raises:
            UserError: as ``password``, or the two are not the same.

        """
        file = self.option(option)
        if file is not None:
            return read_password(Path(file).expanduser())
        if not _somebody_is_there():
            raise UserError(
                "There is no terminal to ask for the new password: name a file with {option}.",
                option=f"--{option.replace('_', '-')}",
            )
        first, again = _ask("New password"), _ask("The same again")
        if first.reveal() != again.reveal():
            raise UserError("The two passwords are not the same. Nothing was changed.")
        return first

    @contextmanager
    def site(self) -> Iterator[bootstrap.Services]:
        """Open the site and close it afterwards."""
        with self.opened() as opened:
            yield opened.services

    @contextmanager
    def opened(self, trial: Trial | None = None) -> Iterator[bootstrap.Opened]:
        """Open the site and close it afterwards; for what needs its keys as well."""
        bootstrap.check_site(self.folder())  # before anybody types a password
        opened = self.open(trial)
        self.tell(opened)
        try:
            yield opened
        finally:
            opened.services.store.close()

    def open(self, trial: Trial | None = None) -> bootstrap.Opened:
        """Open the site: with the password file, the keyring of the system, or what is typed."""
        trial = Trial() if trial is None else trial
        if self.option("password_file") is not None:
            self._wait(at_most_s=BRIEF_S)
            return self._open_with(self.option("user"), trial)
        return self._open_with_keyring() or self._open_with_typed(trial)

    def _open_with(self, user: str | None, trial: Trial) -> bootstrap.Opened:
        trial.password = self.password()
        return bootstrap.open_site(self.folder(), trial.password, user, trial.is_excused)

    def _wait(self, at_most_s: int) -> None:
        """Wait until a password may be tried; a longer wait is left to be refused."""
        wait_s = bootstrap.seconds_to_wait(self.folder())
        if 0 < wait_s <= at_most_s:
            if _somebody_is_there():
                self.out.note(f"After a wrong password, the next one can be tried in {wait_s} s …")
            time.sleep(wait_s)

    def _open_with_keyring(self) -> bootstrap.Opened | None:
        try:
            return bootstrap.open_with_keyring(self.folder(), self.option("user"))
        except StorageError as error:
            if not _somebody_is_there():
                raise
            self.out.note(f"evdesk: {error}")
            return None

    def _open_with_typed(self, trial: Trial) -> bootstrap.Opened:
        folder, user = self.folder(), self.option("user")
        if _somebody_is_there():
            self._wait(at_most_s=UNLOCKING.last_wait_s)
            if user is None and bootstrap.has_several_accounts(folder):
                user = _ask_for_account()
        return self._open_with(user, trial)

    def tell(self, opened: bootstrap.Opened) -> None:
        """Say what was odd with the keys: their second copy stood in, or a change was cut off."""
        for one in opened.settled:
            ended = "was finished" if one.finished else "had not happened and was dropped"
            self.out.note(f"evdesk: A change of keys ({one.action}) was cut off: it {ended}.")
            if one.finished and one.action == RECOVERY_CODE:
                self.out.note("evdesk: Make a recovery code anew, unless you have seen that one.")
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


def _ask_for_account() -> str | None:
    print("Account (empty: the recovery code): ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip() or None


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
