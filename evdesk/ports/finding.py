"""What a scan and a probe tell of devices, as use cases and people see it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Remark:
    """A sentence for people: ``code`` never changes, the window translates the template."""

    code: str
    template: str
    facts: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        """Return the sentence in English."""
        return self.template.format(**self.facts)


class Mark(StrEnum):
    """What can be said of one value: where it lies, or that there is none."""

    FITS = "fits"
    OPEN = "open"  # nothing speaks for it and nothing against it
    WRONG = "wrong"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class ProbedValue:
    """One value of a probe: the text of the value or why there is none."""

    name: str
    address: int
    value: str | None
    unit: str
    raw: str
    remark: Remark | None = None
    mark: Mark = Mark.OPEN


@dataclass(frozen=True, slots=True)
class SerialPort:
    """A serial port of this computer: how it is named in a URL, and what is plugged in there."""

    path: str
    label: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """A profile that may be the device's, with what speaks for it and against it."""

    profile: str
    score: int
    identified: bool
    reasons: tuple[Remark, ...]


@dataclass(frozen=True, slots=True)
class Decided:
    """A choice of a profile as it is for one device; ``by_device``: the device itself told."""

    key: str
    option: str
    by_device: bool


@dataclass(frozen=True, slots=True)
class Probe:
    """What a device says through the eyes of one profile.

    ``candidates`` is empty where the profile was named; ``hints`` say what to choose, nothing is
    ever chosen unasked.
    """

    profile: str
    unit: int
    values: tuple[ProbedValue, ...]
    hints: tuple[Remark, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    decided: tuple[Decided, ...] = ()


class Certainty(StrEnum):
    """How sure a scan is of a device."""

    IDENTIFIED = "identified"  # the device says so itself
    LIKELY = "likely"  # one profile fits, and clearly better than any other
    AMBIGUOUS = "ambiguous"  # several fit about as well: a person has to choose
    UNKNOWN = "unknown"  # it answers, but no profile fits


@dataclass(frozen=True, slots=True)
class FoundDevice:
    """A unit that answered; ``maker``, ``model`` and ``serial`` are what it says of itself."""

    unit: int
    certainty: Certainty
    candidates: tuple[Candidate, ...] = ()
    maker: str | None = None
    model: str | None = None
    serial: str | None = None
    same_as: int | None = None
    notes: tuple[Remark, ...] = ()

    @property
    def profile(self) -> str | None:
        """Return the profile, where there is no doubt which one of those known it is."""
        sure = self.certainty in {Certainty.IDENTIFIED, Certainty.LIKELY}
        return self.candidates[0].profile if sure and self.candidates else None


@dataclass(frozen=True, slots=True)
class ScanStep:
    """How far a scan is: ``unit`` is being asked; ``found`` has just been looked at."""

    unit: int
    done: int
    total: int
    found: FoundDevice | None = None


class ScanWatch(Protocol):
    """Follows a scan from the thread it runs in."""

    def tell(self, step: ScanStep) -> None:
        """Take notice of a step."""

    def stopped(self) -> bool:
        """Return whether to end now; what was found so far is kept."""


@dataclass(frozen=True, slots=True)
class Scan:
    """What a scan found; ``left`` are the units that were not asked any more."""

    devices: tuple[FoundDevice, ...]
    asked: tuple[int, ...]
    left: tuple[int, ...] = ()
    notes: tuple[Remark, ...] = ()
