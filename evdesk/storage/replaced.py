"""The site that a restored one takes the place of, as far as it can still be read."""

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from evdesk.domain.errors import EvdeskError, StorageError
from evdesk.domain.notes import Head
from evdesk.domain.secrets import Secret
from evdesk.domain.site import Account
from evdesk.settings import JOURNAL
from evdesk.storage.accounts import StoredAccounts
from evdesk.storage.anchor import Anchor
from evdesk.storage.connection import Connection
from evdesk.storage.faults import Place
from evdesk.storage.persons import persons_place
from evdesk.storage.site_folder import COLLECTOR_LOCK, PERSONS_DB, SITE_DB, collector_lock

STOP_S, LOOK_S = 30.0, 0.1

PersonKey = tuple[str, str, bytes, int]  # person, data class, key, confirmed


@dataclass(frozen=True, slots=True)
class Figures:
    """How much is in a site; ``last_invoices`` are the highest serial numbers by series."""

    sessions: int = 0
    invoices: int = 0
    last_invoices: dict[str, int] = field(default_factory=dict)


class ReplacedSite:
    """A site folder, and keys that may open what is in it."""

    def __init__(self, folder: Path, data_keys: Sequence[Secret]) -> None:
        self.folder, self._data_keys = folder, data_keys

    def figures(self) -> Figures | None:
        """Return how much is in it, or None where it cannot be read."""
        connection = self._open()
        if connection is None:
            return None
        with closing(connection), suppress(EvdeskError):
            return figures_of(connection)
        return None

    def accounts(self) -> list[Account] | None:
        """Return who has or had an account there, or None where that cannot be read."""
        connection = self._open()
        if connection is None:
            return None
        with closing(connection), suppress(EvdeskError):
            return StoredAccounts(connection).all(removed=True)
        return None

    def anchored(self) -> Head | None:
        """Return the newest head of its log that it told of."""
        return Anchor(self.folder).read()

    def person_keys(self) -> list[PersonKey] | None:
        """Return the keys of persons, or None where they cannot be read."""
        return person_keys(self.folder / PERSONS_DB, self._data_keys)

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Ask its collector to end, wait for that, and let no other begin.

        Raises:
            StorageError: the collector does not end.

        """
        with ExitStack() as stack:
            until_s = time.monotonic() + STOP_S
            while not self._is_free(stack, last=time.monotonic() > until_s):
                self._request_stop()
                time.sleep(LOOK_S)
            yield

    def _is_free(self, stack: ExitStack, *, last: bool) -> bool:
        """Return whether the lock of the collector is ours; ``last`` says why it is not."""
        try:
            if (self.folder / COLLECTOR_LOCK).exists():
                stack.enter_context(collector_lock(self.folder))
        except StorageError:
            if last:
                raise
            return False
        return True

    def _request_stop(self) -> None:
        connection = self._open()
        if connection is not None:
            with closing(connection), suppress(EvdeskError):
                connection.run("UPDATE collector SET stop_requested = 1")

    def _open(self) -> Connection | None:
        path = self.folder / SITE_DB
        if not path.exists():
            return None
        timeout_ms = JOURNAL.busy_timeout_ms
        return first_that_opens([Place(path, key, timeout_ms) for key in self._data_keys])


def figures_of(connection: Connection) -> Figures:
    """Return how much is in a site."""
    return Figures(
        sessions=connection.number("SELECT count(*) FROM session"),
        invoices=connection.number("SELECT count(*) FROM invoice"),
        last_invoices=dict(
            connection.all(
                "SELECT series, max(serial) FROM (SELECT series, serial FROM invoice"
                " UNION ALL SELECT series, serial FROM invoice_floor) GROUP BY series"
            )
        ),
    )


def person_keys(path: Path, data_keys: Sequence[Secret]) -> list[PersonKey] | None:
    """Return the keys of persons in a file, or None where there are none that can be read."""
    if not path.is_file():
        return None
    timeout_ms = JOURNAL.busy_timeout_ms
    connection = first_that_opens([persons_place(path, key, timeout_ms) for key in data_keys])
    if connection is None:
        return None
    with closing(connection), suppress(EvdeskError):
        return connection.all("SELECT person_id, data_class, key, confirmed FROM person_key")
    return None


def first_that_opens(places: Sequence[Place]) -> Connection | None:
    """Return a connection to the first place whose key fits."""
    for place in places:
        with suppress(EvdeskError):
            return Connection(place)
    return None
