"""Restoring a backup: checked, agreed to, and put in the place of what is there."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from evdesk.domain.errors import NotPermitted, UserError
from evdesk.domain.permissions import Action, allows
from evdesk.domain.secrets import Secret
from evdesk.ports import (
    Attend,
    Clock,
    PersonsSource,
    Restorable,
    Restoration,
    Restored,
    unattended,
)
from evdesk.settings import BACKUPS

NO_PERSONS = (
    "There are no keys of persons that open beside {file} (persons.db), nor in the site that is "
    "replaced. Without them, nobody can read who the drivers are, for ever. Nothing was done. Look "
    "for a newer backup folder, or say that you want it so: --without-persons"
)
NO_LEDGER = (
    "There is no list of what was erased beside {file} (erasures.jsonl), nor in the site that is "
    "replaced: what was erased since the backup would come back. Nothing was done. Look for a "
    "newer backup folder, or say that you want it so: --without-ledger"
)
NO_NUMBERS = (
    "The site in {folder} cannot be read, so nobody can tell which invoices were issued since the "
    "backup: their numbers would be given away again. Nothing was done. Say the number of the last "
    "invoice that was sent (--last-invoice), or that none was issued since (--no-later-invoices)"
)
NOT_AN_OWNER = (
    "Only an owner can restore a site: the password is that of a {role} account. Nothing was done."
)


@dataclass(frozen=True, slots=True)
class RestoreWish:
    """Which backup is to be restored, and where; ``last_invoices`` are numbers that are taken.

    ``without_…`` says that somebody knows what is missing beside the backup, ``none_issued`` that
    there were no invoices since. ``password`` is one of the site that is there; where the data key
    was renewed since, ``backup_password`` is one of when the backup was made.
    """

    file: Path
    folder: Path
    password: Secret
    last_invoices: Mapping[str, int] = field(default_factory=dict)
    without_persons: bool = False
    without_ledger: bool = False
    none_issued: bool = False
    backup_password: Secret | None = None


Begin = Callable[[RestoreWish, Attend], AbstractContextManager[Restoration]]


class RestoreService:
    """Use cases of restoring; no site need be open, and none may be."""

    def __init__(self, begin: Begin, wall: Clock) -> None:
        self._begin, self._wall = begin, wall

    def look(self, wish: RestoreWish, attend: Attend = unattended) -> Restorable:
        """Restore a backup beside its place and check it; say what there is, and change nothing.

        Raises:
            UserError: no such file, another site's backup, or something is missing beside it.
            NotPermitted: the password is not an owner's.
            WrongKey: the password does not open the backup.
            StorageError: the backup does not hold, a newer program made it, or a disk refuses.

        """
        with self._begin(wish, attend) as begun:
            self._demand(begun.about, wish)
            return begun.about

    def restore(
        self,
        wish: RestoreWish,
        agree: Callable[[Restorable], None],
        attend: Attend = unattended,
    ) -> Restored:
        """Restore a backup; what is there now is kept aside.

        ``agree`` is shown what would be done, and raises where that is not wanted.

        Raises:
            UserError, NotPermitted, WrongKey, StorageError: as ``look``; nothing was changed.

        """
        with self._begin(wish, attend) as begun:
            self._demand(begun.about, wish)
            agree(begun.about)
            return begun.carry_out(wish.last_invoices, attend)

    def are_old(self, at: datetime | None) -> bool:
        """Return whether persons who were erased since the copy of their keys may come back."""
        return at is not None and self._wall.now() - at > timedelta(days=BACKUPS.persons_days)

    @staticmethod
    def _demand(about: Restorable, wish: RestoreWish) -> None:
        role = about.actor.role
        if not allows(role, Action.RESTORE):
            raise NotPermitted(NOT_AN_OWNER, role=role)
        unknown = about.replaces and about.later_invoices is None
        if unknown and not wish.last_invoices and not wish.none_issued:
            raise UserError(NO_NUMBERS, folder=about.folder)
        if about.persons is PersonsSource.NONE and not wish.without_persons:
            raise UserError(NO_PERSONS, file=about.verdict.file)
        if not about.has_ledger and not wish.without_ledger:
            raise UserError(NO_LEDGER, file=about.verdict.file)
