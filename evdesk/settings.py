"""Defaults with their ranges, and where the files that ship with evdesk are."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from evdesk.domain.faults import Limits

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
    stepped_timeout_s: float = 1.0  # one request, demo sites in stepped time
    backoff_first_s: float = 1.0  # after the first failure, doubled up to the last
    backoff_last_s: float = 30.0
    reconnect_s: float = 1.0  # between two connections to one port
    fragile_reconnect_s: float = 10.0  # the same where a profile says one_client


@dataclass(frozen=True, slots=True)
class Finding:
    """How an unknown device is asked; a bus is a serial line, also behind a converter."""

    network_silence_s: float = 0.6  # a unit that takes longer for its first answer is not there
    bus_silence_s: float = 0.45
    patience_s: float = 1.5  # for a unit that has answered before
    network_gap_s: float = 0.01  # quiet between two requests, unless a profile wants more
    bus_gap_s: float = 0.1
    network_budget_s: float = 10.0  # after that, what was tried by then must do
    bus_budget_s: float = 20.0


@dataclass(frozen=True, slots=True)
class Journal:
    """How readings reach the database."""

    commit_every_s: float = 0.5  # a reading is committed at most 1 s after it was read
    buffer_s: float = 60.0  # a database busy for longer pauses the polling
    busy_timeout_ms: int = 5_000
    status_every_s: float = 5.0  # counts and instants of devices; a change of state at once
    lease_s: float = 15.0  # a collector that has not been heard of for so long is gone


@dataclass(frozen=True, slots=True)
class Archive:
    """How readings are sealed and thinned out; the age at which they thin is the site's to set."""

    settle_s: float = 120.0  # after its end, an hour waits so long for readings still to come
    step_s: float = 0.05  # aim of one step; the longest write transaction is 0.25 s
    retry_s: float = 60.0  # after a failure
    thin_sources: int = 20  # that are thinned in one transaction, for one audit entry
    fewest_days: int = 1
    most_days: int = 36_500


@dataclass(frozen=True, slots=True)
class Reconciling:
    """How the registers of a month are followed."""

    look_back: timedelta = timedelta(days=2)  # before it: for counters that a device set back
    grid_max_power_w: float = 2_000_000.0  # of a meter that no charging point is billed from


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


@dataclass(frozen=True, slots=True)
class Unlocking:
    """How passwords are chosen and tried."""

    first_wait_s: int = 1  # after the first wrong one, doubled up to the last
    last_wait_s: int = 60
    fewest_characters: int = 8
    least_score: int = 3  # of zxcvbn, 0 to 4: more than 10**8 guesses
    rated_characters: int = 72  # the rest of a longer one is not looked at
    stop_patience_s: float = 60.0  # a collector that has to end for new keys is waited for


@dataclass(frozen=True, slots=True)
class Alerts:
    """How people are told of faults, and how e-mail is sent."""

    look_every_s: float = 60.0  # at the disk, the clock's synchronisation and the calendar
    batch_s: float = 30.0  # changes that follow each other so closely go into one mail
    post_every_s: float = 5.0  # how often is looked for mail to send
    timeout_s: float = 30.0  # one word of the mail server
    retry_first_s: float = 60.0  # after the first failure, doubled up to the last
    retry_last_s: float = 3_600.0
    give_up_s: float = 3 * 86_400.0  # after that, a mail that could not be sent is given up
    stuck_s: float = 600.0  # a mail being sent for longer was left by a program that died


@dataclass(frozen=True, slots=True)
class Backups:
    """How backups are kept; when, where and for how many days is the site's to set."""

    fewest_days: int = 1
    most_days: int = 366
    persons_days: int = 7  # for so long at most a copy of the keys of persons lies in a folder
    overdue_days: int = 3
    retry_s: float = 3_600.0  # after a failure
    patience_s: float = 3_600.0  # for readings that wait to be sealed first
    look_every_s: float = 30.0


@dataclass(frozen=True, slots=True)
class Retaining:
    """How what is past its date is erased while others work."""

    step_s: float = 0.05  # aim of one write transaction; the longest is 0.25 s
    page: int = 5_000  # keys that are looked for at once, in a view that keeps nobody waiting
    most: int = 4_000  # keys in one transaction
    rest: float = 0.5  # of the time worked, so that others come to write
    first_after_s: float = 900.0  # the collector has other things to do when it begins
    look_every_s: float = 60.0
    every_h: int = 24
    retry_s: float = 3_600.0  # after a failure
    empty_tries: int = 50  # of emptying the write-ahead log, while somebody reads
    empty_pause_s: float = 0.2
    window_days: int = 2  # what is due for longer than that is overdue


@dataclass(frozen=True, slots=True)
class Consents:
    """How consents are kept; periods are data, in resources/privacy/purposes.toml."""

    most_evidence_bytes: int = 4_000_000  # one scan; it is written in one short transaction


POLLING = Polling()
FINDING = Finding()
JOURNAL = Journal()
ARCHIVE = Archive()
CHARGING = Charging()
RECONCILING = Reconciling()
KDF = Kdf()
UNLOCKING = Unlocking()
ALERTS = Alerts()
BACKUPS = Backups()
CONSENTS = Consents()
RETAINING = Retaining()
FAULTS = Limits(
    look_every_s=10.0,
    silent_for_s=20.0,
    silent_clear_s=10.0,
    slow_factor=3.0,
    slow_extra_s=2.0,
    slow_for_s=60.0,
    max_voltage_v=300.0,
    max_grid_power_w=1_000_000.0,
    implausible_clear_s=60.0,
    phase_share=0.6,
    phase_alive_v=80.0,
    phase_for_s=60.0,
    unbalance_a=20.0,  # 4.6 kVA at 230 V, the limit of VDE-AR-N 4100
    unbalance_for_s=600.0,
    charger_for_s=10.0,
    max_temperature_c=85.0,
    cool_temperature_c=75.0,
    drawing_w=CHARGING.threshold_w,
    low_w=1_000.0,  # the least a car may draw on one phase is 6 A
    no_consumption_for_s=1_800.0,
    low_consumption_for_s=3_600.0,
    long_idle_for_s=4 * 3_600.0,
    clock_jump_s=2.0,
    clock_jump_clear_s=900.0,
    clock_sync_for_s=600.0,
    calibration_days=30,
    disk_low_bytes=1_000_000_000,
    disk_clear_bytes=1_500_000_000,
    stopped_for_s=900.0,
)
