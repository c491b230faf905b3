"""Vehicle identification numbers: syntax of ISO 3779, check digit of 49 CFR 565.15."""

import re
from dataclasses import dataclass

from evdesk.domain.errors import UserError

LENGTH, CHECK_POSITION = 17, 8
SYNTAX = re.compile("[A-HJ-NPR-Z0-9]{17}")
VALUES = dict(
    zip("0123456789ABCDEFGHJKLMNPRSTUVWXYZ",
        [*range(10), *range(1, 9), *range(1, 6), 7, 9, *range(2, 10)], strict=True)
)  # fmt: skip
WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
TEN = 10
CHECKED_REGIONS = frozenset("12345L")  # North America, China: the check digit is compulsory
SHOWN_FIRST, SHOWN_LAST = 3, 4


@dataclass(frozen=True, slots=True)
class Vin:
    """A VIN in capitals; its ``repr`` is masked, so that none lands in a log or a crash file.

    ``doubtful``: the check digit does not fit, and no law of its region says that it has to.
    """

    number: str
    doubtful: bool = False

    def __repr__(self) -> str:
        """Return what may be shown."""
        return f"Vin({masked(self.number)})"


def masked(number: str) -> str:
    """Return the first 3 and the last 4 characters, with stars between them."""
    hidden = len(number) - SHOWN_FIRST - SHOWN_LAST
    return number[:SHOWN_FIRST] + "*" * hidden + number[-SHOWN_LAST:]


def check_digit(number: str) -> str:
    """Return what stands at the ninth place of a VIN whose check digit is right."""
    total = sum(VALUES[char] * weight for char, weight in zip(number, WEIGHTS, strict=True))
    rest = total % 11
    return "X" if rest == TEN else str(rest)


def parse_vin(text: str) -> Vin:
    """Return the VIN that a text spells; spaces, hyphens and small letters do not matter.

    Raises:
        UserError: not 17 characters, one that no VIN has, or a check digit that must fit and does
            not. The message does not repeat the number.

    """
    number = re.sub(r"[\s-]", "", text).upper()
    if len(number) != LENGTH:
        raise UserError(
            "A VIN has 17 characters, and this has {count}. It stands in the registration "
            "document (field E) and behind the windscreen.",
            count=len(number),
        )
    if not SYNTAX.fullmatch(number):
        odd = sorted(set(re.sub("[A-HJ-NPR-Z0-9]", "", number)))
        raise UserError(
            "A VIN has digits and capital letters but never I, O or Q: here is {odd}. I may be a "
            "1, O and Q may be a 0.",
            odd=", ".join(odd),
        )
    fits = check_digit(number) == number[CHECK_POSITION]
    if not fits and number[0] in CHECKED_REGIONS:
        raise UserError(
            "The check digit of this VIN (its ninth character) does not fit, and cars from North "
            "America and China have to have it right. One character may be mistyped: read it once "
            "more."
        )
    return Vin(number, doubtful=not fits)
