"""How good a password is, by what it would take to guess it."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from evdesk.domain.errors import UserError
from evdesk.domain.secrets import Secret
from evdesk.settings import UNLOCKING

SHORT = (
    "A password needs at least {fewest} characters; three or four words that do not belong "
    "together are good. Nothing was changed."
)
WEAK = (
    "That password is too easy to guess. {advice} Three or four words that do not belong together "
    "are good. Nothing was changed."
)
EMPTY = "A password needs at least one character. Nothing was changed."


@dataclass(frozen=True, slots=True)
class Rating:
    """How hard a password is to guess: 0 to 4, with what is wrong with it in English."""

    score: int
    advice: str

    @property
    def good(self) -> bool:
        """Return whether it may be used."""
        return self.score >= UNLOCKING.least_score


def rate(password: str, words: Iterable[str] = ()) -> Rating:
    """Return how hard a password is to guess for somebody who knows these words (zxcvbn)."""
    from zxcvbn import zxcvbn  # reads its word lists, a tenth of a second

    plain = unicodedata.normalize("NFKC", password)
    if len(plain) < UNLOCKING.fewest_characters:
        return Rating(0, SHORT.format(fewest=UNLOCKING.fewest_characters))
    found = zxcvbn(plain[: UNLOCKING.rated_characters], user_inputs=_known(words))
    said = found["feedback"]
    return Rating(
        int(found["score"]), " ".join(filter(None, [said["warning"], *said["suggestions"]]))
    )


def demand_good(password: Secret, words: Iterable[str], *, demo: bool) -> None:
    """Refuse a password that is easy to guess; on a demo site any will do.

    Raises:
        UserError: it is too short or too weak, with advice.

    """
    text = password.reveal().decode(errors="replace")
    if not text:
        raise UserError(EMPTY)
    if demo:
        return
    if len(unicodedata.normalize("NFKC", text)) < UNLOCKING.fewest_characters:
        raise UserError(SHORT, fewest=UNLOCKING.fewest_characters)
    rating = rate(text, words)
    if not rating.good:
        raise UserError(WEAK, advice=rating.advice)


def _known(words: Iterable[str]) -> list[str]:
    """Return names and their parts: who is called Ada Lovelace chooses no adalovelace1."""
    return [part for word in words for part in (word, "".join(word.split()), *word.split()) if part]
