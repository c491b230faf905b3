"""What follows the question mark of a device URL."""

from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from urllib.parse import unquote

from evdesk.domain.errors import UserError


class Options:
    """The ``name=value`` parts of a URL, each known and given once.

    Raises:
        UserError: an unknown or doubled name, or a part without a value.

    """

    def __init__(self, url: str, query: str, known: Sequence[str]) -> None:
        self._url = url
        self._values: dict[str, str] = {}
        for part in query.split("&") if query else ():
            name, _, value = part.partition("=")
            if name not in known:
                close = get_close_matches(name, known, n=1)
                raise self._error(
                    "'{name}' is not one of {known}{hint}",
                    name=name,
                    known=", ".join(known),
                    hint=f"; did you mean {close[0]}" if close else "",
                )
            if name in self._values:
                raise self._error("'{name}' is given twice", name=name)
            if not value:
                raise self._error("'{name}' has no value", name=name)
            self._values[name] = self.unquoted(value)

    def unquoted(self, text: str) -> str:
        """Return a text with its %20 and the like taken for what they stand for."""
        try:
            return unquote(text, errors="strict")
        except UnicodeDecodeError:
            raise self._error("'{text}' is no text", text=text) from None

    def word(self, name: str, allowed: Sequence[str], default: str) -> str:
        """Return one of a few words, in capitals."""
        value = self._values.get(name, default).upper()
        if value not in allowed:
            raise self._not_one_of(name, value, allowed)
        return value

    def whole(self, name: str, allowed: Sequence[int], default: int) -> int:
        """Return one of a few whole numbers."""
        value = self._values.get(name, str(default))
        if value not in {str(each) for each in allowed}:
            raise self._not_one_of(name, value, allowed)
        return int(value)

    def seconds(self, name: str, least: float, most: float) -> float | None:
        """Return a number of seconds, or None where there is none."""
        value = self._values.get(name)
        if value is None:
            return None
        try:
            seconds = float(value)
        except ValueError:
            seconds = -1.0
        if not least <= seconds <= most:
            raise self._error(
                "{name}={value} is no number of seconds from {least} to {most}",
                name=name,
                value=value,
                least=f"{least:g}",
                most=f"{most:g}",
            )
        return seconds

    def file(self, name: str) -> Path:
        """Return the whole path of a file; whether it can be read is seen when it is."""
        value = self._values.get(name)
        if value is None:
            raise self._error(
                "'{name}' is missing: a secured link takes three files, ca (who is trusted), cert"
                " (who we are) and key (our private key)",
                name=name,
            )
        path = Path(value)
        if not path.is_absolute():
            raise self._error(
                "{name}={value} is no whole path: the collector may run in another folder",
                name=name,
                value=value,
            )
        return path

    def _not_one_of(self, name: str, value: str, allowed: Sequence[object]) -> UserError:
        return self._error(
            "{name}={value} is not one of {allowed}",
            name=name,
            value=value,
            allowed=", ".join(str(each) for each in allowed),
        )

    def _error(self, template: str, **facts: object) -> UserError:
        return UserError(f"'{{url}}': {template}.", url=self._url, **facts)
