"""How groups and verbs are declared; common options stand before or after them."""

import argparse
import difflib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from evdesk.domain.errors import UserError

if TYPE_CHECKING:
    from evdesk.cli.context import Context

Command = Callable[["Context"], int | None]
REFUSALS = (
    (r"the following arguments are required: VERB", "Say what to do"),
    (r"the following arguments are required: (?P<names>.*)", "Missing: {names}"),
    (r"unrecognized arguments: (?P<words>.*)", "This command does not take: {words}"),
    (r"argument (?P<name>\S+): expected one argument", "{name} needs a value after it"),
    (r"argument (?P<name>\S+): invalid int value: (?P<word>.*)",
     "{name} takes a whole number, not {word}"),
    (r"argument (?P<name>\S+): invalid float value: (?P<word>.*)",
     "{name} takes a number, not {word}"),
)  # fmt: skip
SubParsers = Any  # argparse._SubParsersAction is private and generic


class Parser(argparse.ArgumentParser):
    """A parser whose refusals are errors like any other; options are never abbreviated.

    An abbreviation in a script would change its meaning with the next option we add.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(allow_abbrev=False, **settings)

    def error(self, message: str) -> NoReturn:
        """Say in one sentence what is wrong and where it is explained."""
        said = plain(message)
        end = "" if said.endswith("?") else "."
        raise UserError("{said} See: {prog} --help", said=said + end, prog=self.prog)


def plain(message: str) -> str:
    """Return a refusal of argparse as people say it; one that is not known stays as it is."""
    for pattern, sentence in REFUSALS:
        found = re.fullmatch(pattern, message)
        if found is not None:
            return sentence.format(**found.groupdict())
    found = re.fullmatch(r"argument (?P<what>\S+): invalid choice: '(?P<word>.*)' "
                         r"\(choose from (?P<choices>.*)\)", message)  # fmt: skip
    return message if found is None else _unknown_word(**found.groupdict())


def _unknown_word(what: str, word: str, choices: str) -> str:
    known = re.findall("'([^']*)'", choices) or choices.split(", ")
    near = difflib.get_close_matches(word, known, n=1)
    where = f" for {what}" if what.startswith("-") else ""
    hint = f"Did you mean {near[0]}?" if near else "There are: " + ", ".join(known)
    return f"There is no '{word}'{where}. {hint}"


def common_options() -> argparse.ArgumentParser:
    """Return the options that every command takes, in any place."""
    common = Parser(add_help=False, argument_default=argparse.SUPPRESS)
    group = common.add_argument_group("common options")
    group.add_argument("--site", metavar="DIR", help="site folder (or EVDESK_SITE)")
    group.add_argument(
        "--password-file", metavar="FILE", help="file with the password (or EVDESK_PASSWORD_FILE)"
    )
    group.add_argument("--user", metavar="NAME", help="account (or EVDESK_USER)")
    group.add_argument("--json", action="store_true", help="print one JSON document")
    group.add_argument("--yes", action="store_true", help="do not ask")
    return common


@dataclass(frozen=True, slots=True)
class Groups:
    """Where modules add their commands."""

    subparsers: SubParsers
    common: argparse.ArgumentParser

    def command(
        self, name: str, run: Command, summary: str, example: str
    ) -> argparse.ArgumentParser:
        """Add a command; ``example`` is shown by ``--help``."""
        parser: argparse.ArgumentParser = self.subparsers.add_parser(
            name,
            help=summary,
            description=summary,
            epilog=f"example: {example}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            parents=[self.common],
        )
        parser.set_defaults(command=run)
        return parser

    def group(self, name: str, summary: str, example: str) -> "Groups":
        """Add a group of verbs."""
        parser = self.subparsers.add_parser(
            name,
            help=summary,
            description=summary,
            epilog=f"example: {example}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            parents=[self.common],
        )
        return Groups(parser.add_subparsers(metavar="VERB", required=True), self.common)
