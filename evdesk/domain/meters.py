"""Devices as the site knows them, and the charging points made of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import NewType

from evdesk.domain.readings import MeterId

StationId = NewType("StationId", int)


class MeterRole(StrEnum):
    """What a meter measures."""

    STATION = "station"
    GRID = "grid"


class MidClass(StrEnum):
    """Accuracy class of an active-energy meter (Directive 2014/32/EU, Annex V)."""

    A = "A"
    B = "B"
    C = "C"


class Link(StrEnum):
    """Whether others on the network can read along what a device says, and answer in its place."""

    PLAIN = "plain"
    TLS = "tls"


class MeterState(StrEnum):
    """How a device answers: never yet, well, not at all, or with faults."""

    NEW = "new"
    OK = "ok"
    SILENT = "silent"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class NewMeter:
    """A device to add; ``interval_ms`` None leaves the interval to the program.

    ``calibrated_until`` is the last day on which its calibration is valid. ``choices`` are what a
    person decided of what its profile leaves open.
    """

    name: str
    profile: str
    url: str
    unit: int
    phases: str = "123"
    serial: str | None = None
    interval_ms: int | None = None
    role: MeterRole = MeterRole.STATION
    mid_class: MidClass | None = None
    seal: str | None = None
    calibrated_until: date | None = None
    choices: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Meter:
    """A device the site reads; ``choices`` as in ``NewMeter``."""

    id: MeterId
    name: str
    profile: str
    url: str
    unit: int
    phases: str
    serial: str | None
    interval_ms: int | None
    role: MeterRole
    created_at: datetime
    removed_at: datetime | None = None
    mid_class: MidClass | None = None
    seal: str | None = None
    calibrated_until: date | None = None
    choices: Mapping[str, str] = field(default_factory=dict)

    @property
    def link(self) -> Link:
        """Return whether its link is encrypted; a serial line is not."""
        return Link.TLS if self.url.lower().startswith("tls:") else Link.PLAIN

    @property
    def place(self) -> str:
        """Return where it is, without the options of its URL."""
        return self.url.partition("?")[0]


@dataclass(frozen=True, slots=True)
class MeterStatus:
    """What the collector last knew of a device; ``interval_ms`` is the interval reached.

    ``seen_serial`` is the first serial number that was read of it.
    """

    meter_id: MeterId
    state: MeterState = MeterState.NEW
    last_read_at: datetime | None = None
    interval_ms: int | None = None
    requests: int = 0
    errors: int = 0
    last_error: str | None = None
    seen_serial: str | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """One socket of one device."""

    meter_id: MeterId
    socket: int = 1


@dataclass(frozen=True, slots=True)
class Station:
    """One charging point: its energy from one device, its state from the same, another or none."""

    id: StationId
    name: str
    energy: Source
    state: Source | None
    created_at: datetime
    retired_at: datetime | None = None

    def sources(self) -> frozenset[Source]:
        """Return every source it takes something from."""
        return frozenset({self.energy} if self.state is None else {self.energy, self.state})
