"""What this computer says of itself, asked without special rights."""

import ctypes
import platform
import re
import shutil
import subprocess
from pathlib import Path

from evdesk.domain.surroundings import Surroundings

TIMEX_BYTES = 512  # struct timex is smaller on every architecture
TIME_ERROR = 5  # adjtimex(2): the clock is not synchronised
NOT_SYNCHRONISED = "3"  # leap indicator (RFC 5905)
PATIENCE_S = 10


class ThisComputer:
    """Implements ``ports.Computer``; ``folder`` is on the disk that matters."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def surroundings(self) -> Surroundings:
        """Return what it says of its clock and of the disk of the site; may take a second."""
        return Surroundings(clock_synchronised(), self._free_bytes())

    def _free_bytes(self) -> int | None:
        try:
            return shutil.disk_usage(self._folder).free
        except OSError:
            return None


def clock_synchronised() -> bool | None:
    """Return whether the system says that a time source keeps its clock; None: it does not tell."""
    match platform.system():
        case "Linux":
            return _by_kernel()
        case "Windows":
            return _by_windows_time()
    return None


def _by_kernel() -> bool | None:
    """Ask the kernel: reading its clock state needs no rights."""
    try:
        state: int = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(TIMEX_BYTES))
    except (OSError, AttributeError):
        return None
    return None if state < 0 else state != TIME_ERROR


def _by_windows_time() -> bool | None:
    """Ask the Windows time service; another time service than that is not known to us."""
    command = ["w32tm", "/query", "/status"]
    try:
        asked = subprocess.run(command, capture_output=True, timeout=PATIENCE_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    if asked.returncode != 0:
        return None
    return synchronised_says(asked.stdout.decode("ascii", "replace"))


def synchronised_says(status: str) -> bool | None:
    """Return what the status of the Windows time service says, in whatever language.

    Its first line is the leap indicator, its second the stratum; 3 and 0 mean no source.
    """
    numbers = re.findall(r"^[^:\n]+:\s*(\d+)\s*\(", status, re.MULTILINE)
    if len(numbers) < 2:  # noqa: PLR2004 - leap indicator and stratum
        return None
    leap, stratum = numbers[:2]
    return bool(leap != NOT_SYNCHRONISED and stratum != "0")
