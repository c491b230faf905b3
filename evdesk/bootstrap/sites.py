"""Sites: created, and opened by whoever has a key; the services are built on them."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel.localtime import get_localzone
from platformdirs import user_data_path

from evdesk.bootstrap.services import (
    DemoClock,
    Foundation,
    RandomPseudonyms,
    Services,
    WallClock,
    build_services,
)
from evdesk.domain.errors import EvdeskError, UserError, WrongKey
from evdesk.domain.secrets import Secret
from evdesk.domain.site import PROGRAM, Account, AccountId, Actor, Role, Site, SlotKind
from evdesk.ports import Clock, SecretPlace, SiteKeys, Store
from evdesk.services.drivers import LANGUAGES
from evdesk.services.key_changes import KeyChanges, Places, Settled
from evdesk.services.logins import note_login
from evdesk.services.passwords import demand_good
from evdesk.storage import keys, site_folder, swapping
from evdesk.storage.keyring_slot import OsKeyring
from evdesk.storage.service_key import ServiceKeyFile
from evdesk.storage.site_keys import StoredSiteKeys
from evdesk.storage.site_store import SiteStore
from evdesk.storage.unlock_attempts import UnlockAttempts

COLLECTOR, RECOVERY = Actor("collector"), Actor("recovery", Role.OWNER)
REMOVED = "The account of this password has been removed; nothing was opened."
NOT_THEIRS = "The password is not {user}'s."
WRONG_PASSWORDS = {keys.WRONG, keys.WRONG_CODE, keys.NO_ACCOUNT, NOT_THEIRS, REMOVED}


@dataclass(frozen=True, slots=True)
class Opened:
    """An unlocked site; ``settled`` is what came of key changes that were ended half-way."""

    folder: Path
    keys: SiteKeys
    services: Services
    used_second_copy: bool = False
    settled: tuple[Settled, ...] = ()

    @property
    def data_key(self) -> Secret:
        """Return the key of the database, which starts its collector."""
        return self.keys.data_key

    @property
    def signing_key(self) -> Secret | None:
        """Return the key that signs heads of the audit log, or None without a part in it."""
        return self.keys.signing_key


@dataclass(frozen=True, slots=True)
class SiteRequest:
    """What a new site is made from; ``starts_at`` sets a demo site's clock."""

    name: str
    owner: str
    tz: str
    currency: str
    country: str
    language: str
    demo: bool
    starts_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """A new site with the code that opens it when the password is lost."""

    site: Site
    recovery_code: str


# -- sites ------------------------------------------------------------------------------------


def default_folder() -> Path:
    """Return the site folder used where none is named."""
    return user_data_path("evdesk", appauthor=False) / "site"


def local_zone() -> str:
    """Return the IANA name of this computer's time zone.

    Raises:
        UserError: the computer does not tell its name.

    """
    name = getattr(get_localzone(), "key", None)
    if not isinstance(name, str):
        raise UserError(
            "This computer does not tell its time zone: name it with --tz, like Europe/Berlin."
        )
    return name


def create_site(folder: Path, password: Secret, request: SiteRequest) -> Made:
    """Create a site folder with its first account, all or nothing."""
    _check(request)
    swapping.finish(folder)  # then it is not empty
    demand_good(password, (request.name, request.owner), demo=request.demo)
    at = request.starts_at or datetime.now(UTC)
    pseudonyms = RandomPseudonyms()
    site = Site(
        id=pseudonyms.make("S"),
        name=request.name,
        tz=request.tz,
        currency=request.currency,
        country=request.country,
        language=request.language,
        demo=request.demo,
        created_at=at,
    )
    owner = Account(AccountId(pseudonyms.make("A")), request.owner, Role.OWNER, at)
    return Made(site, site_folder.create_site(folder, site, owner, password))


def _check(request: SiteRequest) -> None:
    try:
        ZoneInfo(request.tz)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:  # OSError: Europe is a folder
        raise UserError(
            "'{tz}' is no time zone: write it like Europe/Berlin.", tz=request.tz
        ) from error
    if not re.fullmatch("[A-Z]{3}", request.currency):
        raise UserError(
            "'{currency}' is no currency: write it like EUR.", currency=request.currency
        )
    if not re.fullmatch("[A-Z]{2}", request.country):
        raise UserError("'{country}' is no country: write it like DE.", country=request.country)
    if request.language not in LANGUAGES:
        raise UserError(
            "Invoices cannot be written in '{language}' yet: choose {known}.",
            language=request.language,
            known=" or ".join(LANGUAGES),
        )
    if not request.owner.strip() or not request.name.strip():
        raise UserError("A site and its owner need a name.")


def check_site(folder: Path) -> None:
    """Refuse a folder that has nothing of a site; a restore that was cut off is finished first.

    Raises:
        UserError: neither keys nor a database are there.

    """
    swapping.finish(folder)
    names = (site_folder.SITE_DB, keys.KEYS, keys.SECOND)
    if not any((folder / name).exists() for name in names):
        raise UserError(
            "There is no site in {folder}. Name its folder with --site (or EVDESK_SITE), or create "
            "one: evdesk init --help",
            folder=folder,
        )


def open_site(
    folder: Path,
    password: Secret,
    user: str | None = None,
    is_excused: Callable[[Secret], bool] = lambda _password: False,
) -> Opened:
    """Open a site with a password or the recovery code; the name of the user makes it faster.

    A wrong password is counted unless ``is_excused`` says that it was meant for something else.

    Raises:
        TooEarly: too soon after a wrong password; nothing was tried.
        WrongKey: it opens nothing, or is not the password of that user.

    """
    attempts = UnlockAttempts(folder)
    attempts.check(WallClock().now())
    try:
        unlocked = keys.unlock(folder, None, password, user=user)
        return _opened_by(folder, unlocked, user)
    except WrongKey as error:
        if error.template in WRONG_PASSWORDS and not is_excused(password):
            attempts.count(WallClock().now())
        raise


def open_with_keyring(
    folder: Path, user: str | None = None, keyring: SecretPlace | None = None
) -> Opened | None:
    """Open a site with the keyring of this computer's system; None where it has no key of it.

    Raises:
        StorageError: the keyring is locked or fails.

    """
    place = OsKeyring() if keyring is None else keyring
    for slot in keys.slots(folder):
        secret = place.find(slot.id) if slot.kind is SlotKind.KEYRING else None
        if secret is None:
            continue
        try:
            return _opened_by(folder, keys.unlock_slot(folder, slot.id, secret), user)
        except WrongKey as error:
            if error.template != NOT_THEIRS:
                raise
    return None


def seconds_to_wait(folder: Path) -> int:
    """Return how long it takes until a password may be tried again."""
    return UnlockAttempts(folder).seconds_to_wait(WallClock().now())


def has_several_accounts(folder: Path) -> bool:
    """Return whether somebody has to say whose password it is, so that only that one is tried."""
    return sum(slot.kind is SlotKind.PASSWORD for slot in keys.slots(folder)) > 1


def _opened_by(folder: Path, unlocked: keys.Unlocked, user: str | None) -> Opened:
    """Open a site in the name of whose slot was opened, and enter that in its log."""
    begun = _begin(folder, unlocked.data_key, unlocked.signing_key)
    try:
        actor = _actor(begun.store, unlocked.account_id, user)
        settled = begun.changes.settle()
        person = begun.store.acting_as(actor)
        note_login(begun.store, person, unlocked.kind, UnlockAttempts(folder))
    except EvdeskError:
        begun.store.close()
        raise
    return Opened(
        folder,
        begun.keys,
        build_services(begun, person),
        used_second_copy=unlocked.used_second_copy,
        settled=tuple(settled),
    )


def _actor(store: Store, account_id: AccountId | None, user: str | None) -> Actor:
    """Return whose slot was opened; who has the recovery code acts as an owner."""
    if account_id is None:
        return RECOVERY
    with store.read() as unit:
        account = unit.accounts.by_id(account_id)
    if account is None or account.removed_at is not None:
        raise WrongKey(REMOVED)
    if user is not None and account.name != user:
        raise WrongKey(NOT_THEIRS, user=user)
    return Actor(account.id, account.role)


def as_collector(opened: Opened) -> Opened:
    """Let an open site be its collector's, whoever opened it."""
    opened.services.store.close()
    begun = _begin(opened.folder, opened.data_key, opened.signing_key)
    services = build_services(begun, begun.store.acting_as(COLLECTOR))
    return replace(opened, keys=begun.keys, services=services)


def service_folder() -> Path:
    """Return where the key of a collector that starts with this PC is kept."""
    return ServiceKeyFile().folder


def open_service(folder: Path, place: SecretPlace | None = None) -> Opened | None:
    """Open a site for its collector with the key that is kept on this PC; None: there is none.

    Raises:
        WrongKey: the key that is kept opens the site no more.
        StorageError: it cannot be read, or others can read it, too.

    """
    place = ServiceKeyFile() if place is None else place
    for slot in keys.slots(folder):
        secret = place.find(slot.id) if slot.kind is SlotKind.SERVICE else None
        if secret is not None:
            unlocked = keys.unlock_slot(folder, slot.id, secret)
            begun = _begin(folder, unlocked.data_key, unlocked.signing_key)
            settled = begun.changes.settle()
            services = build_services(begun, begun.store.acting_as(COLLECTOR))
            return Opened(
                folder,
                begun.keys,
                services,
                used_second_copy=unlocked.used_second_copy,
                settled=tuple(settled),
            )
    return None


def open_with_key(
    folder: Path, data_key: Secret, actor: Actor, signing_key: Secret | None = None
) -> Opened:
    """Open a site with its data key, and with the key that signs its audit log if it is known."""
    begun = _begin(folder, data_key, signing_key)
    return Opened(folder, begun.keys, build_services(begun, begun.store.acting_as(actor)))


def _begin(folder: Path, data_key: Secret, signing_key: Secret | None) -> Foundation:
    store, info, clock = _open_store(folder, data_key)
    site_keys = StoredSiteKeys(folder, store, clock, data_key, signing_key)
    places: Places = {SlotKind.KEYRING: OsKeyring(), SlotKind.SERVICE: ServiceKeyFile()}
    changes = KeyChanges(store, site_keys, clock, places)
    return Foundation(folder, info, clock, store, site_keys, changes, places)


def _open_store(folder: Path, data_key: Secret) -> tuple[SiteStore, Site, Clock]:
    """Return the database, and what is known of the site in it: its row and its clock."""
    wall = WallClock()
    store = site_folder.open_store(folder, data_key, PROGRAM, wall)
    with store.read() as unit:
        site = unit.site.load()
    if not site.demo:
        return store, site, wall
    store.close()
    demo = DemoClock()
    store = site_folder.open_store(folder, data_key, PROGRAM, demo)
    demo.follow(store)
    return store, site, demo
