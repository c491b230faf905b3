"""What ships with evdesk about processing: ``resources/rights``."""

import tomllib
from functools import cached_property
from pathlib import Path
from typing import Any

from evdesk.ports.rights import Processing

FALLBACK = "en"


class ShippedProcessing:
    """Implements ``ports.ProcessingBook``; ``resources`` is the folder of what ships."""

    def __init__(self, resources: Path) -> None:
        self._folder = resources / "rights"

    def of(self, purpose: str, language: str) -> Processing:
        """Return what is said of a purpose."""
        told = self._processing["purpose"][purpose]
        found = told.get(_base(language), told[FALLBACK])
        return Processing(purpose, found["subjects"], found["source"], tuple(found["recipients"]))

    def measures(self, language: str) -> tuple[str, ...]:
        """Return the technical and organisational measures that the program takes (Art. 32)."""
        told = self._processing["measures"]
        return tuple(told.get(_base(language), told[FALLBACK]))

    def word(self, name: str, language: str) -> str:
        """Return a word of the record or package, such as the name of a class of data."""
        word: str = self._labels.get(_base(language), self._labels[FALLBACK])[name]
        return word

    @cached_property
    def _processing(self) -> dict[str, Any]:
        return tomllib.loads((self._folder / "processing.toml").read_text(encoding="utf-8"))

    @cached_property
    def _labels(self) -> dict[str, Any]:
        return tomllib.loads((self._folder / "labels.toml").read_text(encoding="utf-8"))


def _base(language: str) -> str:
    return language.replace("_", "-").partition("-")[0].lower()
