"""Who can unlock a site: slots of the key file, and what is kept outside of it."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from evdesk.domain.audit import Change
from evdesk.domain.errors import UserError
from evdesk.domain.secrets import Secret
from evdesk.domain.site import AccountId, Actor, SlotKind


@dataclass(frozen=True, slots=True)
class SlotInfo:
    """A slot as anybody can see it; ``account`` None: it is nobody's own."""

    id: str
    kind: SlotKind
    account: AccountId | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class NewSlot:
    """A slot that is made and not yet in the key file; ``content`` is what goes into it."""

    info: SlotInfo
    content: Mapping[str, object]


class SiteKeys(Protocol):
    """The key file of an open site, and the keys it was opened with."""

    @property
    def data_key(self) -> Secret:
        """Return the key of the database; another one after ``rotate``."""

    @property
    def signing_key(self) -> Secret | None:
        """Return the key that signs heads of the audit log; None: whoever opened has no part."""

    def held(self) -> AbstractContextManager[None]:
        """Let nobody else change the keys while the block lasts.

        Raises:
            StorageError: somebody else is changing them.

        """

    def slots(self) -> list[SlotInfo]:
        """Return what opens the site."""

    def password_slot(
        self, account: AccountId, name: str, password: Secret, *, signs: bool
    ) -> NewSlot:
        """Return a slot for an account; takes the time of trying a password."""

    def recovery_slot(self) -> tuple[NewSlot, str]:
        """Return a slot with the code that opens it, as it is printed."""

    def random_slot(
        self, kind: SlotKind, account: AccountId | None, *, signs: bool
    ) -> tuple[NewSlot, Secret]:
        """Return a slot with the random key that opens it."""

    def change(self, put: NewSlot | None, drop: Iterable[str]) -> None:
        """Write a slot in place of that of the same kind and account, and take others away.

        Call it while the keys are held.

        Raises:
            StorageError: the key file cannot be written; the old one still holds.

        """

    def rotate(
        self, actor: Actor, change: Change, intent: int, attend: Callable[[float], None]
    ) -> None:
        """Put everything under a new data key; every slot opens it. Call it while keys are held.

        The change is recorded in the actor's name and the intent done, in the same step;
        ``attend`` is told the share.

        Raises:
            StorageError: the site is in use elsewhere, the disk is full; nothing was changed.

        """


class SecretPlace(Protocol):
    """Where the random key of a slot is kept: the system's keyring, or a file on this PC."""

    def refusal(self) -> UserError | None:
        """Return why nothing can be kept here, or None."""

    def keep(self, slot: str, secret: Secret) -> None:
        """Keep a key.

        Raises:
            UserError: nothing can be kept here.
            StorageError: it could not be kept.

        """

    def find(self, slot: str) -> Secret | None:
        """Return the key of a slot, or None where it is not here.

        Raises:
            StorageError: the place does not answer.

        """

    def forget(self, slot: str) -> None:
        """Remove a key; one that is not there, or a place that does not answer, is no error."""


@dataclass(frozen=True, slots=True)
class FailedLogins:
    """Unlocks that failed since the last one that did not."""

    count: int
    first_at: datetime
    last_at: datetime


class LoginAttempts(Protocol):
    """Counts what failed while nobody could write to the site's log."""

    def taken(self) -> AbstractContextManager[FailedLogins | None]:
        """Return what failed; when the block ends without an error, it is forgotten."""
