"""How groups and verbs are declared; common options stand before or after them."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from evdesk.domain.errors import UserError

if TYPE_CHECKING:
    from evdesk.cli.context import Context

Command = Callable[["Context"], int | None]
SubParsers = Any  # argparse._SubParsersAction is private and generic


class Parser(argparse.ArgumentParser):
    """A parser whose refusals are errors like any other; options are never abbreviated.

    An abbreviation in a script would change its meaning with the next option we add.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(allow_abbrev=False, **settings)

    def error(self, message: str) -> NoReturn:
        """Say in one sentence what is wrong and where it is explained."""
        raise UserError("{message}. See: {prog} --help", message=message, prog=self.prog)


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
