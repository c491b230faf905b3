"""Sites as every program opens them: who acts, and what time it is there."""

import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from evdesk.bootstrap.running import save
from evdesk.bootstrap.sites import (
    COLLECTOR,
    Made,
    Opened,
    SiteRequest,
    as_collector,
    create_site,
    open_service,
    open_site,
    open_with_key,
    open_with_keyring,
)
from evdesk.domain.errors import StorageError, TooEarly, UserError, WrongKey
from evdesk.domain.secrets import Secret
from evdesk.domain.site import AccountId, Party, SlotKind
from evdesk.storage.service_key import ServiceKeyFile
from tests.fakes.keyring import MemoryKeyring, os_keyring

PASSWORD = Secret(b"correct horse")
STARTS = datetime(2026, 1, 5, tzinfo=UTC)
REQUEST = SiteRequest("Depot", "Ada", "Europe/Berlin", "EUR", "DE", "en", demo=False)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Made]:
    folder = tmp_path_factory.mktemp("demo") / "site"
    return folder, create_site(folder, PASSWORD, replace(REQUEST, demo=True, starts_at=STARTS))


def last_actor(opened: Opened) -> str:
    """Change something and return in whose name that was."""
    opened.services.billing.set_issuer(Party("Depot Ltd"))
    with opened.services.store.read() as unit:
        return unit.audit.entries(1)[0].actor


def owner(opened: Opened) -> str:
    with opened.services.store.read() as unit:
        return unit.accounts.all()[0].id


def test_a_password_acts_in_the_name_of_its_account(demo: tuple[Path, Made]) -> None:
    opened = open_site(demo[0], PASSWORD, "Ada")
    assert last_actor(opened) == owner(opened)
    opened.services.store.close()


def test_the_recovery_code_opens_and_acts_in_its_own_name(demo: tuple[Path, Made]) -> None:
    opened = open_site(demo[0], Secret(demo[1].recovery_code.encode()))
    assert last_actor(opened) == "recovery"
    opened.services.store.close()


def test_a_collector_acts_as_one_also_after_somebodys_password(demo: tuple[Path, Made]) -> None:
    opened = as_collector(open_site(demo[0], PASSWORD))
    assert last_actor(opened) == "collector"
    opened.services.store.close()


def test_a_password_is_not_somebody_elses(demo: tuple[Path, Made], tmp_path: Path) -> None:
    folder = Path(shutil.copytree(demo[0], tmp_path / "site"))
    with pytest.raises(WrongKey, match="No key of this site belongs to that account"):
        open_site(folder, PASSWORD, "Bob")


def test_the_clock_of_a_demo_is_what_its_collector_committed(demo: tuple[Path, Made]) -> None:
    opened = open_site(demo[0], PASSWORD)
    assert opened.services.clock.now() == STARTS
    later = STARTS + timedelta(days=2)
    with opened.services.store.journal() as unit:
        unit.site.set_stepped(later)
    assert opened.services.drivers.add(Party("Kim")).created_at == later
    opened.services.store.close()


def test_a_file_is_saved_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "a.csv"
    save(target, b"old")
    save(target, b"new")
    assert target.read_bytes() == b"new"
    (tmp_path / "folder").mkdir()
    with pytest.raises(UserError, match="Nothing was saved"):
        save(tmp_path / "folder", b"x")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.csv", "folder"]


# -- other ways in --------------------------------------------------------------------------------


@pytest.fixture
def real(tmp_path: Path) -> Path:
    folder = tmp_path / "real"
    create_site(folder, PASSWORD, REQUEST)
    return folder


def entries(opened: Opened) -> list[tuple[str, str]]:
    with opened.services.store.read() as unit:
        return [(entry.actor, entry.action) for entry in unit.audit.entries(9)]


def test_the_keyring_opens_the_site_in_the_name_of_its_account(real: Path) -> None:
    keyring = MemoryKeyring()
    place = os_keyring(keyring)
    assert open_with_keyring(real, keyring=place) is None
    opened = open_site(real, PASSWORD)
    slot, secret = opened.keys.random_slot(SlotKind.KEYRING, AccountId(owner(opened)), signs=True)
    with opened.keys.held():
        opened.keys.change(slot, [])
    place.keep(slot.info.id, secret)
    opened.services.store.close()
    found = open_with_keyring(real, "Ada", place)
    assert found is not None
    assert found.signing_key is not None
    assert entries(found)[0] == (owner(found), "login.ok")
    found.services.store.close()
    assert open_with_keyring(real, "Bob", place) is None
    keyring.locked = True
    with pytest.raises(StorageError, match="does not answer"):
        open_with_keyring(real, keyring=place)


def test_the_service_key_opens_the_site_for_its_collector(real: Path, tmp_path: Path) -> None:
    place = ServiceKeyFile(tmp_path / "service", tmp_path / "credentials")
    assert open_service(real, place) is None
    opened = open_site(real, PASSWORD)
    slot, secret = opened.keys.random_slot(SlotKind.SERVICE, None, signs=True)
    with opened.keys.held():
        opened.keys.change(slot, [])
    place.keep(slot.info.id, secret)
    opened.services.store.close()
    found = open_service(real, place)
    assert found is not None
    assert (last_actor(found), found.signing_key is None) == ("collector", False)
    assert ("collector", "login.ok") not in entries(found)
    found.services.store.close()
    place.keep(slot.info.id, Secret(bytes(32)))
    with pytest.raises(WrongKey, match="opens it no more"):
        open_service(real, place)


def test_each_unlock_by_a_person_is_in_the_log_and_no_other(real: Path) -> None:
    opened = open_site(real, PASSWORD)
    account = owner(opened)
    opened.services.store.close()
    child = open_with_key(real, opened.data_key, COLLECTOR)
    child.services.store.close()
    opened = open_site(real, PASSWORD, "Ada")
    assert entries(opened)[:2] == [(account, "login.ok")] * 2
    opened.services.store.close()


def test_a_password_too_early_is_not_even_tried(real: Path) -> None:
    with pytest.raises(WrongKey, match="does not open"):
        open_site(real, Secret(b"wrong"))
    with pytest.raises(TooEarly):
        open_site(real, PASSWORD)


def test_who_was_removed_gets_in_no_more_also_where_the_slot_is_still_there(real: Path) -> None:
    opened = open_site(real, PASSWORD)
    with opened.services.store.journal() as unit:
        unit.accounts.remove(AccountId(owner(opened)), STARTS + timedelta(days=999))
    opened.services.store.close()
    with pytest.raises(WrongKey, match="has been removed"):
        open_site(real, PASSWORD)


def test_an_easy_password_makes_no_site(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="at least 8"):
        create_site(tmp_path / "site", Secret(b"hunter2"), REQUEST)
    assert list(tmp_path.iterdir()) == []
