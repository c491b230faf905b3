"""Finding devices: which units, what there is to say of them, and what a display has to agree."""

import asyncio
from decimal import Decimal

import pytest

from evdesk.domain.errors import DeviceError, NothingFound, UserError
from evdesk.ports import Candidate, Certainty, FoundDevice, Scan, ScanStep
from evdesk.services.finding import (
    DisplayVerdict,
    FindingService,
    check_found,
    compare_with_display,
    parse_units,
    spell_units,
)
from tests.services.desk import URL, Desk

FOUND = FoundDevice(1, Certainty.LIKELY, (Candidate("meter", 9, False, ()),))
STRANGER = FoundDevice(1, Certainty.UNKNOWN)


class Watcher:
    def __init__(self) -> None:
        self.steps: list[ScanStep] = []

    def tell(self, step: ScanStep) -> None:
        self.steps.append(step)

    def stopped(self) -> bool:
        return False


@pytest.fixture
def finding(desk: Desk) -> FindingService:
    return FindingService(desk.store, desk.devices, desk.clock)


@pytest.mark.parametrize(
    ("text", "units"),
    [
        ("1-4", (1, 2, 3, 4)),
        ("7", (7,)),
        (" 1, 5 ,7-9", (1, 5, 7, 8, 9)),
        ("3-5,4-6", (3, 4, 5, 6)),
        ("255,0", (255, 0)),
    ],
)
def test_units_are_named_by_runs_and_one_by_one(text: str, units: tuple[int, ...]) -> None:
    assert parse_units(text) == units


@pytest.mark.parametrize("text", ["", "a", "1-", "-1", "4-1", "1-256", "1;2", "\u0661", "1--2"])
def test_units_that_cannot_be_are_refused(text: str) -> None:
    with pytest.raises(UserError, match="names no units"):
        parse_units(text)


@pytest.mark.parametrize("text", ["1-4", "1, 3, 5", "1, 3-5, 255"])
def test_units_are_spelt_as_they_are_read(text: str) -> None:
    assert spell_units(parse_units(text)) == text


def test_a_scan_tells_how_far_it_is_and_closes_what_it_opened(
    desk: Desk, finding: FindingService
) -> None:
    watch, before = Watcher(), desk.everything()
    scan = asyncio.run(finding.scan(URL, "1-3", watch))
    assert scan.asked == (1, 2, 3)
    assert [step.done for step in watch.steps] == [0, 1, 2]
    assert not desk.devices.is_open
    assert desk.everything() == before


def test_a_scan_of_a_dead_address_closes_what_it_opened(
    desk: Desk, finding: FindingService
) -> None:
    desk.devices.silent.add(URL)
    with desk.refused("Nothing answers", DeviceError):
        asyncio.run(finding.scan(URL, None, Watcher()))
    assert not desk.devices.is_open


def test_a_probe_reads_and_keeps_nothing(desk: Desk, finding: FindingService) -> None:
    before = desk.everything()
    assert asyncio.run(finding.probe(URL, 1)).values[0].value == "1234"
    assert desk.everything() == before
    assert not desk.devices.is_open


@pytest.mark.parametrize(("profile", "unit"), [(None, 1), ("charger", 7)])
def test_a_probe_without_a_unit_takes_the_profiles_own(
    finding: FindingService, profile: str | None, unit: int
) -> None:
    assert asyncio.run(finding.probe(URL, None, profile)).unit == unit


def test_a_probe_of_a_silent_address_closes_what_it_opened(
    desk: Desk, finding: FindingService
) -> None:
    desk.devices.silent.add(URL)
    with desk.refused("Nothing answers", DeviceError):
        asyncio.run(finding.probe(URL, 1))
    assert not desk.devices.is_open


@pytest.mark.parametrize(
    ("scan", "sentence"),
    [
        (Scan((), (1, 2, 3)), "is its unit among 1-3?"),
        (Scan((STRANGER,), (1,)), "What answered fits no profile"),
        (Scan((), (), (1, 2)), "Nothing has answered so far"),
    ],
)
def test_finding_nothing_says_what_to_look_at(scan: Scan, sentence: str) -> None:
    with pytest.raises(NothingFound) as caught:
        check_found(scan)
    assert sentence in str(caught.value)


def test_one_device_that_fits_is_enough() -> None:
    check_found(Scan((STRANGER, FOUND), (1, 2)))


@pytest.mark.parametrize(
    ("shown", "register_wh", "verdict", "factor"),
    [
        ("12345.6", 12_345_678, DisplayVerdict.SAME, 1),
        ("12345.6", 12_346_500, DisplayVerdict.SAME, 1),  # it counted on meanwhile
        ("12345", 12_345_999, DisplayVerdict.SAME, 1),
        ("0", 300, DisplayVerdict.SAME, 1),
        ("12345.6", 123_456_780, DisplayVerdict.TOO_LARGE, 10),
        ("12345.6", 12_345_678_000, DisplayVerdict.TOO_LARGE, 1_000),
        ("12345.6", 123_457, DisplayVerdict.TOO_SMALL, 100),
        ("12345.6", 12_360_000, DisplayVerdict.DIFFERENT, 1),
        ("0", 5_000, DisplayVerdict.DIFFERENT, 1),
    ],
)
def test_a_display_agrees_or_says_by_how_much_it_differs(
    shown: str, register_wh: int, verdict: DisplayVerdict, factor: int
) -> None:
    found = compare_with_display(Decimal(shown), register_wh)
    assert (found.verdict, found.factor) == (verdict, factor)
