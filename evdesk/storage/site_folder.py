"""The site folder: made whole or not at all, opened by a data key, collected by one process."""

import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import filelock

from evdesk import __version__
from evdesk.domain.audit import Change
from evdesk.domain.errors import StorageError
from evdesk.domain.secrets import Secret
from evdesk.domain.site import Account, Actor, Site
from evdesk.ports import Clock
from evdesk.settings import JOURNAL
from evdesk.storage import genesis, keys, migrations, rotation
from evdesk.storage.anchor import Anchor
from evdesk.storage.database import Access, Database
from evdesk.storage.faults import READ_ONLY, Place
from evdesk.storage.persons import Persons, persons_place
from evdesk.storage.places import refuse_bad_place
from evdesk.storage.site_store import SiteStore, StoppedClock

SITE_DB = "site.db"
PERSONS_DB = "persons.db"
COLLECTOR_LOCK = "collector.lock"
NOT_EMPTY = (
    "{folder} is not empty; nothing was created. "
    "Choose a new folder for the site, or open the site that is there."
)
NOT_CREATED = (
    "The site folder {folder} could not be created ({detail}); nothing was left behind. "
    "Check the permissions and the free space there, or choose another folder."
)
NO_SITE = (
    "{folder} holds no site: {name} is missing or may not be read. "
    "Choose another folder, create a site, or restore the newest backup."
)
COLLECTING = (
    "A collector is running for this site already; this one did nothing. "
    "Stop the other one first, or let it work: one is enough."
)


def create_site(
    folder: Path,
    site: Site,
    owner: Account,
    password: Secret,
    random_bytes: Callable[[int], bytes] = secrets.token_bytes,
) -> str:
    """Make a site folder with its keys and its first account; return the recovery code.

    The folder is built beside its place and renamed, so that a failure leaves nothing half-made.
    The audit entry bears ``site.created_at``.

    Raises:
        StorageError: the folder is not empty, on a share, synchronised, or cannot be written.

    """
    folder = folder.absolute()
    refuse_bad_place(folder)
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise StorageError(NOT_EMPTY, folder=folder)
        folder.parent.mkdir(parents=True, exist_ok=True)
        building = Path(tempfile.mkdtemp(prefix=".evdesk-new-", dir=folder.parent))
    except OSError as error:
        raise StorageError(NOT_CREATED, folder=folder, detail=error.strerror) from error
    try:
        code = _build(building, site, owner, password, random_bytes)
        if folder.exists():
            folder.rmdir()
        building.rename(folder)
    except OSError as error:
        raise StorageError(NOT_CREATED, folder=folder, detail=error.strerror) from error
    finally:
        shutil.rmtree(building, ignore_errors=True)  # renamed by now, unless something failed
    return code


def open_store(
    folder: Path,
    data_key: Secret,
    actor: Actor,
    clock: Clock,
    *,
    busy_timeout_ms: int = JOURNAL.busy_timeout_ms,
    random_bytes: Callable[[int], bytes] = secrets.token_bytes,
) -> SiteStore:
    """Open a site: bring its schema up to date, finish what a crash left open.

    Raises:
        WrongKey: the key is another site's.
        StorageError: missing, truncated, damaged, of a newer evdesk, or in an unsafe place.

    """
    refuse_bad_place(folder)
    rotation.finish(folder, data_key)
    site, persons = _places(folder, data_key, busy_timeout_ms)
    for place in (site, persons):
        if not os.path.exists(place.path):  # noqa: PTH110 - False, too, where nothing may be read
            raise StorageError(NO_SITE, folder=folder, name=place.path.name)
    now = clock.now()
    migrations.migrate(site, migrations.SITE_SCHEMA, now)
    migrations.migrate(persons, migrations.PERSONS_SCHEMA, now)
    database = Database(site, migrations.SITE_SCHEMA)
    database.check_whole()
    _begin_log(database, folder, clock.now(), random_bytes)
    anchor = Anchor(folder)
    store = SiteStore(database, Persons(persons, random_bytes), actor, clock, random_bytes, anchor)
    store.data_version()  # the idle connection keeps the write-ahead log alive
    try:
        store.finish_intents()
    except StorageError:
        store.close()
        raise
    return store


@contextmanager
def collector_lock(folder: Path) -> Iterator[None]:
    """Hold the lock of the one collector of a site; the operating system frees it with the process.

    Raises:
        StorageError: another process holds it, or the folder cannot be written.

    """
    lock = filelock.FileLock(folder / COLLECTOR_LOCK, timeout=0, mode=0o600)
    try:
        lock.acquire()
    except filelock.Timeout as error:
        raise StorageError(COLLECTING) from error
    except OSError as error:
        raise StorageError(READ_ONLY, path=folder / COLLECTOR_LOCK) from error
    try:
        yield
    finally:
        lock.release()


def _places(folder: Path, data_key: Secret, busy_timeout_ms: int) -> tuple[Place, Place]:
    return (
        Place(folder / SITE_DB, data_key, busy_timeout_ms),
        persons_place(folder / PERSONS_DB, data_key, busy_timeout_ms),
    )


def _begin_log(
    database: Database, folder: Path, now: datetime, random_bytes: Callable[[int], bytes]
) -> None:
    """Begin the audit log of a site that has none yet, or one that is no tree."""
    with database.transaction(Access.READ) as connection:
        if genesis.has_begun(connection):
            return
    verifier = keys.verifier(folder)
    with database.transaction(Access.PEOPLE) as connection:
        if not genesis.has_begun(connection):  # another process may have been faster
            genesis.begin(connection, verifier, __version__, now, random_bytes)


def _build(
    folder: Path,
    site: Site,
    owner: Account,
    password: Secret,
    random_bytes: Callable[[int], bytes],
) -> str:
    data_key, code = keys.create_keys(
        folder,
        site.id,
        owner.id,
        password,
        created_at=site.created_at,
        name=owner.name,
        random_bytes=random_bytes,
    )
    site_place, persons = _places(folder, data_key, JOURNAL.busy_timeout_ms)
    migrations.create(site_place, migrations.SITE_SCHEMA, wal=True)
    migrations.create(persons, migrations.PERSONS_SCHEMA, wal=False)
    database = Database(site_place, migrations.SITE_SCHEMA)
    _begin_log(database, folder, site.created_at, random_bytes)
    store = SiteStore(
        database,
        Persons(persons, random_bytes),
        Actor(owner.id, owner.role),
        StoppedClock(site.created_at),
        random_bytes,
        Anchor(folder),
    )
    with store.write() as unit:
        unit.site.create(site)
        unit.accounts.add(owner)
        facts = {"tz": site.tz, "currency": site.currency, "demo": site.demo}
        unit.record_change(Change("site.create", "site", site.id, facts))
    store.close()
    if os.name == "posix":
        folder.chmod(0o700)
    return code
