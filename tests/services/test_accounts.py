"""Accounts: who gets in, who does not, and what the log says of it."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from evdesk.domain.audit import Outcome
from evdesk.domain.errors import NotPermitted, StorageError, UserError, WrongKey
from evdesk.domain.secrets import Secret
from evdesk.domain.site import Role, SlotKind
from evdesk.storage import keys
from tests.services.desk import OWNER, PASSWORD
from tests.services.keyholders import House, Keyholder, copied, make_house

BENS, OTHER = Secret(b"biber polka lampe"), Secret(b"kaktus mambo 99 zug")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> House:
    return make_house(tmp_path_factory.mktemp("house"))


@pytest.fixture
def house(made: House, tmp_path: Path) -> House:
    return copied(made, tmp_path)


@pytest.fixture
def ada(house: House) -> Iterator[Keyholder]:
    holder = house.enter(PASSWORD, "Ada")
    with closing(holder.store):
        yield holder


def test_a_new_account_opens_the_site_with_its_own_password_and_rights(
    house: House, ada: Keyholder
) -> None:
    ben = ada.accounts.add(" Ben  Bit ", Role.STAFF, BENS)
    assert ben.name == "Ben Bit"
    with closing(house.enter(BENS, "Ben Bit").store) as store:
        assert (store.actor.ref, store.actor.role) == (ben.id, Role.STAFF)
    assert house.opens(PASSWORD, "Ada")
    assert not house.opens(PASSWORD, "Ben Bit")
    entry = ada.audit()[-1]
    assert (entry.actor, entry.action, entry.object_ref) == (OWNER.id, "account.added", ben.id)
    assert "Ben" not in entry.facts


@pytest.mark.parametrize("role", list(Role))
def test_an_auditor_has_no_part_in_the_key_that_signs(
    house: House, ada: Keyholder, role: Role
) -> None:
    ada.accounts.add("Ben", role, BENS)
    assert (keys.unlock(house.folder, None, BENS).signing_key is None) is (role is Role.AUDITOR)
    ada.accounts.set_password("Ben", OTHER)
    assert (keys.unlock(house.folder, None, OTHER).signing_key is None) is (role is Role.AUDITOR)
    with closing(house.enter(OTHER).store):
        house.enter(OTHER).accounts.change_password(BENS)
    assert (keys.unlock(house.folder, None, BENS).signing_key is None) is (role is Role.AUDITOR)


def test_a_name_is_taken_until_its_account_is_removed(house: House, ada: Keyholder) -> None:
    first = ada.accounts.add("Ben", Role.STAFF, BENS)
    with pytest.raises(UserError, match="an account Ben already"):
        ada.accounts.add("Ben", Role.OWNER, OTHER)
    removed = ada.accounts.remove("Ben")
    assert (removed.id, removed.removed_at is None) == (first.id, False)
    second = ada.accounts.add("Ben", Role.AUDITOR, OTHER)
    assert second.id != first.id
    names = [(row.account.id, row.slots) for row in ada.accounts.rows(removed=True)]
    password = (SlotKind.PASSWORD,)
    assert names == [(OWNER.id, password), (first.id, ()), (second.id, password)]
    assert [row.account.id for row in ada.accounts.rows()] == [OWNER.id, second.id]
    assert not house.opens(BENS)


def test_the_only_owner_stays(house: House, ada: Keyholder) -> None:
    ada.accounts.add("Ben", Role.STAFF, BENS)
    with pytest.raises(UserError, match="the only owner"):
        ada.accounts.remove("Ada")
    ada.accounts.add("Cleo", Role.OWNER, OTHER)
    ada.accounts.remove("Ada")
    with pytest.raises(UserError, match="the only owner"):
        house.enter(OTHER).accounts.remove("Cleo")
    assert not house.opens(PASSWORD)


def test_everybody_sets_their_own_password_and_owners_that_of_others(
    house: House, ada: Keyholder
) -> None:
    ada.accounts.add("Ben", Role.AUDITOR, BENS)
    ben = house.enter(BENS, "Ben")
    with closing(ben.store):
        ben.accounts.change_password(OTHER)
        with pytest.raises(NotPermitted):
            ben.accounts.set_password("Ada", BENS)
    assert not house.opens(BENS, "Ben")
    ada.accounts.set_password("Ben", BENS)
    assert house.opens(BENS, "Ben")
    assert not house.opens(OTHER)
    assert ada.said("account.password") == [Outcome.OK, Outcome.OK]


def test_the_recovery_code_sets_passwords_but_has_none(house: House) -> None:
    holder = house.enter(Secret(house.recovery_code.encode()))
    with closing(holder.store):
        with pytest.raises(UserError, match="nobody's account"):
            holder.accounts.change_password(OTHER)
        holder.accounts.set_password("Ada", OTHER)
    assert house.opens(OTHER, "Ada")
    assert not house.opens(PASSWORD)


def test_an_auditor_sees_no_names_of_others(house: House, ada: Keyholder) -> None:
    ben = ada.accounts.add("Ben", Role.AUDITOR, BENS)
    holder = house.enter(BENS)
    with closing(holder.store):
        rows = holder.accounts.rows()
        assert [(row.account.name, row.is_mine) for row in rows] == [
            (OWNER.id, False),
            ("Ben", True),
        ]
    assert [row.account.id for row in rows] == [OWNER.id, ben.id]


def test_an_account_that_is_not_there_is_said_so(ada: Keyholder) -> None:
    for change in (ada.accounts.remove, lambda name: ada.accounts.set_password(name, BENS)):
        with pytest.raises(UserError, match="There is no account Nix"):
            change("Nix")
    with pytest.raises(UserError, match="needs a name"):
        ada.accounts.add("  ", Role.STAFF, BENS)


@pytest.mark.parametrize("password", [b"", b"short", b"hunter2hunter2", b"benbit12", b"depot2026"])
def test_a_password_that_is_easy_to_guess_is_refused(ada: Keyholder, password: bytes) -> None:
    before = len(ada.audit())
    with pytest.raises(UserError, match="Nothing was changed"):
        ada.accounts.add("Ben Bit", Role.STAFF, Secret(password))
    with pytest.raises(UserError, match="Nothing was changed"):
        ada.accounts.set_password("Ada", Secret(password))
    assert len(ada.audit()) == before


def test_a_key_file_that_cannot_be_written_leaves_the_old_password_and_says_so(
    house: House, ada: Keyholder
) -> None:
    (house.folder / "keys.json.bak").unlink()
    (house.folder / "keys.json.bak").mkdir()
    with pytest.raises(StorageError, match="the old one still holds"):
        ada.accounts.change_password(OTHER)
    with pytest.raises(StorageError, match="the old one still holds"):
        ada.accounts.add("Ben", Role.STAFF, BENS)
    assert house.opens(PASSWORD, "Ada")
    assert [row.account.name for row in ada.accounts.rows()] == ["Ada"]
    assert ada.said("account.password") == [Outcome.OK, Outcome.FAILED]
    assert ada.said("account.added") == [Outcome.OK, Outcome.FAILED]
    with ada.store.read() as unit:
        assert unit.intents.open("keys") == {}


def test_who_is_removed_while_at_work_does_not_come_back(house: House, ada: Keyholder) -> None:
    ada.accounts.add("Ben", Role.STAFF, BENS)
    ada.accounts.remove("Ben")
    with pytest.raises(WrongKey):
        house.enter(BENS)
