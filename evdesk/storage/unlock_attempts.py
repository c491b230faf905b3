"""unlock-attempts.json: what failed while nobody could write to the site's log; it makes wait.

Whoever holds the files needs no program to try passwords: waiting is for the one at this keyboard.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path

from evdesk.domain.errors import TooEarly
from evdesk.domain.instants import parse_instant, rfc3339
from evdesk.ports import FailedLogins
from evdesk.settings import UNLOCKING
from evdesk.storage.json_text import canonical
from evdesk.storage.key_file import held, write_atomically

ATTEMPTS = "unlock-attempts.json"
MOST = 1_000_000  # that are told apart: the file is anybody's who can write here
TOO_EARLY = (
    "After {count} wrong passwords the next one can be tried in {seconds} s. Nothing was tried."
)
TOO_EARLY_ONCE = (
    "After a wrong password the next one can be tried in {seconds} s. Nothing was tried."
)


class UnlockAttempts:
    """Implements ``ports.LoginAttempts`` for one site folder."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._path = folder, folder / ATTEMPTS

    def failed(self) -> FailedLogins | None:
        """Return what failed since somebody got in; a file that makes no sense says nothing."""
        try:
            data = json.loads(self._path.read_bytes())
            return FailedLogins(
                count=min(max(int(data["count"]), 1), MOST),
                first_at=parse_instant(data["first_at"], "UTC"),
                last_at=parse_instant(data["last_at"], "UTC"),
            )
        except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
            return None

    def seconds_to_wait(self, now: datetime) -> int:
        """Return how long nobody may try: 1, 2, 4 … 60 s after the last wrong password."""
        failed = self.failed()
        if failed is None:
            return 0
        doublings = min(failed.count - 1, 30)
        wait_s = min(UNLOCKING.first_wait_s << doublings, UNLOCKING.last_wait_s)
        passed = now - failed.last_at
        if passed < timedelta(0):  # the clock was set back: no reason to lock anybody out
            return 0
        left = timedelta(seconds=wait_s) - passed
        return max(0, -(-left // timedelta(seconds=1)))

    def check(self, now: datetime) -> None:
        """Refuse to try a password too soon after a wrong one.

        Raises:
            TooEarly: with the seconds to wait.

        """
        seconds, failed = self.seconds_to_wait(now), self.failed()
        if seconds and failed is not None:
            template = TOO_EARLY_ONCE if failed.count == 1 else TOO_EARLY
            raise TooEarly(template, count=failed.count, seconds=seconds)

    def count(self, now: datetime) -> None:
        """Count a failure; in a folder that cannot be written nothing opens either."""
        with suppress(OSError), held(self._folder):
            before = self.failed()
            text = canonical(
                {
                    "count": 1 if before is None else before.count + 1,
                    "first_at": rfc3339(now if before is None else before.first_at),
                    "last_at": rfc3339(now),
                }
            )
            write_atomically(self._path, f"{text}\n".encode())

    @contextmanager
    def taken(self) -> Iterator[FailedLogins | None]:
        """Return what failed; when the block ends without an error, it is forgotten."""
        if self.failed() is None:
            yield None
            return
        with held(self._folder):
            yield self.failed()
            self._path.unlink(missing_ok=True)
