"""What a name or an address may hold: text that a terminal, a page and paper show as it is."""

import unicodedata

from evdesk.domain.errors import UserError

LONGEST = 200
# Control characters move a terminal's cursor; what sets the direction of text makes one name look
# like another. Unassigned and private characters look different everywhere.
HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
JOINERS = frozenset("\u200c\u200d")  # which some languages need between letters


def demand_plain(text: str, field: str) -> str:
    """Return a text that can be shown as it is.

    Raises:
        UserError: it is longer than 200 characters, or has characters that cannot be seen.

    """
    if len(text) > LONGEST:
        raise UserError(
            "The {field} has {length} characters; {longest} at most. Nothing was changed.",
            field=field,
            length=len(text),
            longest=LONGEST,
        )
    for character in text:
        if unicodedata.category(character) in HIDDEN and character not in JOINERS:
            raise UserError(
                "The {field} has a character that cannot be seen (U+{code}). Type it again, "
                "without copying it from elsewhere. Nothing was changed.",
                field=field,
                code=f"{ord(character):04X}",
            )
    return text
