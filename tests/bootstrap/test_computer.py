"""What a computer says of itself: known, or honestly not known."""

import sys
from pathlib import Path

import pytest

from evdesk.bootstrap.computer import ThisComputer, clock_synchronised, synchronised_says

ENGLISH = """\
Leap Indicator: 0(no warning)
Stratum: 4 (secondary reference - syncd by (S)NTP)
Precision: -23 (119.209ns per tick)
Source: time.windows.com
"""
GERMAN = """\
Sprungindikator: 3(nicht synchronisiert)
Stratum: 0 (nicht angegeben)
Präzision: -23 (119.209ns pro Tick)
"""


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (ENGLISH, True),
        (ENGLISH.replace("Stratum: 4", "Stratum: 0"), False),
        (GERMAN, False),
        ("The following error occurred: The service has not been started. (0x80070426)\n", None),
        ("", None),
    ],
)
def test_the_windows_time_service_is_understood_in_any_language(status, says) -> None:
    assert synchronised_says(status) is says


@pytest.mark.skipif(sys.platform != "linux", reason="asks the kernel of Linux")
def test_the_kernel_tells_whether_the_clock_is_synchronised() -> None:
    assert clock_synchronised() in {True, False, None}


def test_the_disk_of_the_site_has_room(tmp_path: Path) -> None:
    free_bytes = ThisComputer(tmp_path).surroundings().free_bytes
    assert free_bytes is not None
    assert free_bytes > 0


def test_a_disk_that_is_gone_has_no_free_space_to_tell_of(tmp_path: Path) -> None:
    assert ThisComputer(tmp_path / "gone").surroundings().free_bytes is None
