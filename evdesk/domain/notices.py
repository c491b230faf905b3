"""Notices: what people are told before they agree, by purpose, version and language."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NewType

from evdesk.domain.purposes import PurposeId

NoticeId = NewType("NoticeId", int)
SPELLED = re.compile(r"([1-9][0-9]{0,5})(?:\.([0-9]{1,6}))?")


@dataclass(frozen=True, slots=True, order=True)
class NoticeVersion:
    """A higher major is a material change: what was agreed to before no longer counts."""

    major: int
    minor: int

    def __str__(self) -> str:
        """Return ``2.1``."""
        return f"{self.major}.{self.minor}"


def parse_version(text: str) -> NoticeVersion:
    """Return the version of a text such as ``2.1`` or ``2``.

    Raises:
        ValueError: not a version.

    """
    found = SPELLED.fullmatch(text.strip())
    if found is None:
        msg = f"not a version: {text!r}"
        raise ValueError(msg)
    return NoticeVersion(int(found[1]), int(found[2] or 0))


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice as it was shown: ``content`` byte for byte, ``sha256`` over exactly these bytes.

    ``ready_made`` is one that ships with evdesk and was adopted.
    """

    id: NoticeId
    purpose: PurposeId
    version: NoticeVersion
    language: str
    content: bytes
    sha256: bytes
    created_at: datetime
    author: str
    ready_made: bool = False

    @property
    def text(self) -> str:
        """Return what people read."""
        return self.content.decode()


def current(notices: Iterable[Notice], languages: Iterable[str]) -> Notice | None:
    """Return the notice that is shown now: of the newest major, in the first language there is.

    Within a major and a language the newest minor holds.
    """
    known = list(notices)
    if not known:
        return None
    major = max(one.version.major for one in known)
    newest = sorted((one for one in known if one.version.major == major), key=lambda n: n.version)
    for language in languages:
        base = language.partition("-")[0]
        fitting = [one for one in newest if one.language.partition("-")[0] == base]
        if fitting:
            return fitting[-1]
    return newest[-1]
