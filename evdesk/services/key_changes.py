"""A change of keys.json is an intent in site.db, an entry in the log, the change, the intent done.

What was ended half-way is settled by whoever opens the site next: a slot that is not in the key
file was never made, and an entry says so; what was to be taken away, and is said to be, is.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from evdesk.domain.audit import Change, Outcome
from evdesk.domain.errors import EvdeskError
from evdesk.domain.site import AccountId, SlotKind
from evdesk.ports import Clock, NewSlot, SecretPlace, SiteKeys, Store, Unit

LOG = logging.getLogger(__name__)
KEYS = "keys"
LOOKED_AT = 100  # entries at once
ADDED, ROTATED = "account.added", "account.rotated"
RECOVERY_CODE = "account.recovery_code"

Places = Mapping[SlotKind, SecretPlace]


@dataclass(frozen=True, slots=True)
class Settled:
    """What came of a change that was ended half-way: it was finished, or never happened."""

    action: str
    object_ref: str
    finished: bool


@dataclass(frozen=True, slots=True)
class Intent:
    """A change of the keys as it is written down before it is begun; ``size`` is of the log."""

    number: int
    action: str
    object_type: str
    object_ref: str
    size: int
    put: str | None
    kind: SlotKind | None
    drop: tuple[str, ...]

    @property
    def is_rotation(self) -> bool:
        """Return whether it is a new data key: its entry is in the new database, or nowhere."""
        return self.action == ROTATED


class KeyChanges:
    """Carries out changes of the key file in step with the log; the program's own work."""

    def __init__(self, store: Store, keys: SiteKeys, clock: Clock, places: Places) -> None:
        self._store, self._keys, self._clock, self._places = store, keys, clock, places

    def carry_out(
        self,
        person: Store,
        change: Change,
        *,
        put: NewSlot | None = None,
        drop: Sequence[str] = (),
        also: Callable[[Unit], None] = lambda _unit: None,
    ) -> None:
        """Enter a change in the log in somebody's name, with rows that go with it, and do it.

        Call it while the keys are held.

        Raises:
            StorageError: the key file cannot be written; nothing was changed, and the log says so.

        """
        kind = None if put is None else put.info.kind.value
        slots = {"put": None if put is None else put.info.id, "kind": kind, "drop": list(drop)}
        with self._intent(change, slots):
            with person.write() as unit:
                also(unit)
                unit.record_change(change)
            LOG.debug("it is in the log")
            self._keys.change(put, drop)

    def rotate(self, person: Store, change: Change, attend: Callable[[float], None]) -> None:
        """Put the site under a new data key. Call it while the keys are held.

        Raises:
            StorageError: the site is in use elsewhere, or no room; nothing was changed.

        """
        with self._intent(change, {}) as intent:
            self._keys.rotate(person.actor, change, intent, attend)

    def settle(self) -> list[Settled]:
        """Finish what was ended half-way, and return what came of it.

        Raises:
            StorageError: another program is changing the keys at the moment.

        """
        if self._store.rollback is not None or not self._open():
            return []
        with self._keys.held():
            return self._settle()

    @contextmanager
    def _intent(self, change: Change, slots: Mapping[str, object]) -> Iterator[int]:
        """Write an intent; what fails while it is open is settled at once, as far as it can be."""
        self._settle()
        said = {
            "action": change.action,
            "object_type": change.object_type,
            "object_ref": change.object_ref,
        }
        with self._store.journal() as unit:
            data = {**said, **slots, "size": unit.audit.count()}
            intent = unit.intents.begin(KEYS, data, self._clock.now())
        LOG.debug("it is intended")
        whole = False
        try:
            yield intent
            whole = True
        finally:
            if not whole:
                with suppress(EvdeskError):  # or the next opening does
                    self._settle()
        self._done(intent)

    def _open(self) -> list[Intent]:
        with self._store.read() as unit:
            return [_intent(number, data) for number, data in unit.intents.open(KEYS).items()]

    def _settle(self) -> list[Settled]:
        opened = self._open()
        if not opened:
            return []
        there = {slot.id for slot in self._keys.slots()}
        return [settled for one in opened for settled in self._settle_one(one, there)]

    def _settle_one(self, intent: Intent, there: set[str]) -> Iterator[Settled]:
        with self._store.read() as unit:
            said = _is_said(unit, intent)
        finished = intent.put in there
        if intent.put is None and not intent.is_rotation:
            finished = said
            if said:
                self._keys.change(None, there & set(intent.drop))
        if finished or not (said or intent.is_rotation):
            self._done(intent.number)
        else:
            self._say_failed(intent)
        place = None if intent.kind is None else self._places.get(intent.kind)
        if place is not None and intent.put is not None and not finished:
            place.forget(intent.put)
        if finished or said or intent.is_rotation:
            yield Settled(intent.action, intent.object_ref, finished)

    def _say_failed(self, intent: Intent) -> None:
        failed = Change(
            intent.action,
            intent.object_type,
            intent.object_ref,
            {"interrupted": True},
            outcome=Outcome.FAILED,
        )
        with self._store.journal() as unit:
            now = self._clock.now()
            if intent.action == ADDED:
                unit.accounts.remove(AccountId(intent.object_ref), now)
            unit.record_change(failed)
            unit.intents.done([intent.number], now)

    def _done(self, intent: int) -> None:
        with self._store.journal() as unit:
            unit.intents.done([intent], self._clock.now())
        LOG.debug("it is done")


def _is_said(unit: Unit, intent: Intent) -> bool:
    """Return whether the log says, since the intent was written, that it was carried out."""
    before: int | None = None
    while entries := unit.audit.entries(LOOKED_AT, before):
        for entry in entries:
            if entry.seq < intent.size:
                return False
            said = (entry.action, entry.object_ref, entry.outcome)
            if said == (intent.action, intent.object_ref, Outcome.OK):
                return True
        before = entries[-1].seq
    return False


def _intent(number: int, data: Mapping[str, object]) -> Intent:
    put, kind, drop = data.get("put"), data.get("kind"), data.get("drop", [])
    return Intent(
        number=number,
        action=str(data["action"]),
        object_type=str(data["object_type"]),
        object_ref=str(data["object_ref"]),
        size=int(str(data["size"])),
        put=None if put is None else str(put),
        kind=None if kind is None else SlotKind(str(kind)),
        drop=tuple(map(str, drop)) if isinstance(drop, list) else (),
    )
