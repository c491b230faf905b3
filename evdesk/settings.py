"""Defaults with their ranges, and where the files that ship with evdesk are."""

from dataclasses import dataclass
from pathlib import Path

PACKAGE = Path(__file__).parent


def shipped(folder: str) -> Path:
    """Return ``resources`` or ``sample_data``: inside the package, or beside it in a checkout."""
    inside = PACKAGE / folder
    return inside if inside.is_dir() else PACKAGE.parent / folder


@dataclass(frozen=True, slots=True)
class Polling:
    """How devices are read."""

    default_interval_ms: int = 1_000  # raised where the bus allows less
    min_interval_ms: int = 200
    max_interval_ms: int = 3_600_000
    timeout_s: float = 3.0  # one request, wall clock
    line_timeout_s: float = 1.0  # one request on a serial line, where every other unit waits for it
    stepped_timeout_s: float = 0.5  # one request, demo sites in stepped time
    backoff_first_s: float = 1.0  # after the first failure, doubled up to the last
    backoff_last_s: float = 30.0
    reconnect_s: float = 1.0  # between two connections to one port
    fragile_reconnect_s: float = 10.0  # the same where a profile says one_client


@dataclass(frozen=True, slots=True)
class Journal:
    """How readings reach the database."""

    commit_every_s: float = 0.5  # a reading is committed at most 1 s after it was read
    buffer_s: float = 60.0  # a database busy for longer pauses the polling
    busy_timeout_ms: int = 5_000
    status_every_s: float = 5.0  # counts and instants of devices; a change of state at once
    lease_s: float = 15.0  # a collector that has not been heard of for so long is gone


@dataclass(frozen=True, slots=True)
class Charging:
    """How sessions are found on meters that do not know whether a car is plugged in."""

    threshold_a: float = 1.0
    threshold_w: float = 100.0
    idle_minutes: int = 15
    max_power_w: float = 50_000.0


@dataclass(frozen=True, slots=True)
class Kdf:
    """Argon2id (RFC 9106, second recommended option) and the bounds checked before it is run."""

    time_cost: int = 3
    memory_kib: int = 65_536
    parallelism: int = 4
    min_memory_kib: int = 19_456
    max_memory_kib: int = 2_097_152
    max_time_cost: int = 10
    max_parallelism: int = 8


POLLING = Polling()
JOURNAL = Journal()
CHARGING = Charging()
KDF = Kdf()
