"""Backups beside what a process does, and for sites that are not open: made, proven, restored."""

import logging
import threading
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from pathlib import Path

from evdesk.bootstrap.services import RandomPseudonyms, WallClock
from evdesk.bootstrap.sites import Opened
from evdesk.domain.errors import EvdeskError
from evdesk.domain.secrets import Secret
from evdesk.ports import Attend, BackupStage, BackupVerdict, FoundBackup, Restoration, unattended
from evdesk.services.backup_keeping import BackupKeeper
from evdesk.services.restoring import RestoreService, RestoreWish
from evdesk.settings import BACKUPS
from evdesk.storage import backup_file, backup_keys, backups, keys, swapping
from evdesk.storage.backups import SiteBackups
from evdesk.storage.restoring import Wish, restoration

LOG = logging.getLogger(__name__)
LONGEST_PAUSE_S = 0.25
JOIN_S = 10.0


@contextmanager
def keeping_backups(opened: Opened, every_s: float = BACKUPS.look_every_s) -> Iterator[None]:
    """Make the backups of a real site while this lasts, in a thread that takes half its time off.

    One that is being made when it ends is given up; nothing of it is left.
    """
    if opened.services.info.demo:
        yield
        return
    stop = threading.Event()
    wall, files = WallClock(), SiteBackups(opened.folder, opened.keys, WallClock())
    keeper = BackupKeeper(opened.services.store, files, RandomPseudonyms(), wall)

    def work() -> None:
        swapping.sweep(opened.folder)
        while not stop.is_set():
            try:
                keeper.step(_Pace(stop))
            except CancelledError:
                return
            except EvdeskError as error:  # a busy database: next time
                LOG.info("Backups wait: %s", error)
            stop.wait(every_s)

    thread = threading.Thread(target=work, name="backups", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(JOIN_S)


class _Pace:
    """Lets a thread work for half of the time, so that readings never wait; ends it when asked."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop, self._rested_s = stop, time.monotonic()

    def __call__(self, _stage: BackupStage, _share: float) -> None:
        worked_s = time.monotonic() - self._rested_s
        if self._stop.wait(min(worked_s, LONGEST_PAUSE_S)):
            raise CancelledError
        self._rested_s = time.monotonic()


def verify_backup(file: Path, password: Secret, attend: Attend = unattended) -> BackupVerdict:
    """Restore a backup into a scratch file and check it; a password of the backup is enough.

    Raises:
        UserError: there is no such file.
        WrongKey: the password is not one of this backup.
        StorageError: no room for the scratch file, or a newer program made it.

    """

    def key_of(folder: Path) -> Secret:
        return keys.unlock(folder, None, password).data_key

    return backups.verify(file.expanduser().absolute(), key_of, WallClock().now(), attend)


def opens_backup(file: Path, password: Secret) -> bool:
    """Return whether a password is one of a backup."""
    return backup_keys.opens(file.expanduser().absolute(), password)


def find_backups(folder: Path) -> list[FoundBackup]:
    """Return the backups in a folder, of whatever site, newest first; no password is needed."""
    return backups.find(folder.expanduser().absolute())


def is_backup_of(file: Path, folder: Path) -> bool:
    """Return whether a file says that it is a backup of the site in a folder."""
    with suppress(EvdeskError), backup_file.reading(file.expanduser().absolute()) as found:
        return found.manifest.site_id == keys.site_id(folder)
    return False


def restore_service() -> RestoreService:
    """Return the use cases of restoring."""
    wall = WallClock()

    @contextmanager
    def begin(wish: RestoreWish, attend: Attend) -> Iterator[Restoration]:
        asked = Wish(wish.file, wish.folder, wish.password, wall.now(), wish.backup_password)
        with restoration(asked, attend) as built:
            yield built

    return RestoreService(begin, wall)
