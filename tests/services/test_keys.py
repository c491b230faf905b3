"""Recovery code, keyring, service key, and a new data key: who gets in afterwards."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from evdesk.domain.audit import Outcome
from evdesk.domain.errors import NotPermitted, Occupied, StorageError, UserError, WrongKey
from evdesk.domain.secrets import Secret
from evdesk.domain.site import Party, Role, SlotKind
from evdesk.services.keys import KeyService
from evdesk.storage import keys
from tests.fakes.clock import START, SetClock
from tests.services.desk import OWNER, PASSWORD
from tests.services.keyholders import House, Keyholder, copied, make_house
from tests.storage.sites import DONE, EVA, persons_of, raw

BENS = Secret(b"biber polka lampe")


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


def slot_of(house: House, kind: SlotKind) -> str:
    return next(slot.id for slot in keys.slots(house.folder) if slot.kind is kind)


def test_a_new_recovery_code_opens_the_site_and_the_old_one_does_not(
    house: House, ada: Keyholder
) -> None:
    code = ada.keys.renew_recovery_code()
    unlocked = keys.unlock(house.folder, None, Secret(code.encode()))
    assert unlocked.kind is SlotKind.RECOVERY
    assert unlocked.signing_key is not None
    with pytest.raises(WrongKey, match="recovery code does not open"):
        keys.unlock(house.folder, None, Secret(house.recovery_code.encode()))
    assert ada.said("account.recovery_code") == [Outcome.OK]


@pytest.mark.parametrize("role", [Role.STAFF, Role.AUDITOR])
def test_the_keyring_opens_the_site_for_the_account_that_wants_it(
    house: House, ada: Keyholder, role: Role
) -> None:
    ben = ada.accounts.add("Ben", role, BENS)
    holder = house.enter(BENS)
    with closing(holder.store):
        holder.keys.keyring_on()
        slot = slot_of(house, SlotKind.KEYRING)
        secret = house.places()[SlotKind.KEYRING].find(slot)
        assert secret is not None
        unlocked = keys.unlock_slot(house.folder, slot, secret)
        assert unlocked.account_id == ben.id
        assert (unlocked.signing_key is None) is (role is Role.AUDITOR)
        assert holder.keys.keyring_off()
        assert not holder.keys.keyring_off()
    assert house.keyring.kept == {}
    with pytest.raises(WrongKey, match="opens it no more"):
        keys.unlock_slot(house.folder, slot, secret)
    assert ada.said("account.keyring") == [Outcome.OK, Outcome.OK]


def test_a_password_that_an_owner_sets_ends_the_keyring_and_ones_own_does_not(
    house: House, ada: Keyholder
) -> None:
    ada.accounts.add("Ben", Role.STAFF, BENS)
    ben = house.enter(BENS)
    with closing(ben.store):
        ben.keys.keyring_on()
        ben.accounts.change_password(Secret(b"kaktus mambo 99 zug"))
        slot = slot_of(house, SlotKind.KEYRING)
        ada.accounts.set_password("Ben", BENS)
    assert slot not in {each.id for each in keys.slots(house.folder)}


def test_turning_the_keyring_on_again_leaves_one_key(house: House, ada: Keyholder) -> None:
    ada.keys.keyring_on()
    first = slot_of(house, SlotKind.KEYRING)
    ada.keys.keyring_on()
    assert slot_of(house, SlotKind.KEYRING) != first
    assert len(house.keyring.kept) == 1


def test_a_keyring_that_is_locked_changes_nothing(house: House, ada: Keyholder) -> None:
    house.keyring.locked = True
    with pytest.raises(StorageError, match="does not answer"):
        ada.keys.keyring_on()
    assert ada.said("account.keyring") == []
    assert {slot.kind for slot in keys.slots(house.folder)} == {
        SlotKind.PASSWORD,
        SlotKind.RECOVERY,
    }


def test_a_removed_accounts_keyring_opens_nothing(house: House, ada: Keyholder) -> None:
    ada.accounts.add("Ben", Role.OWNER, BENS)
    ben = house.enter(BENS)
    with closing(ben.store):
        ben.keys.keyring_on()
    ada.accounts.remove("Ben")
    assert all(slot.account != "Ben" for slot in keys.slots(house.folder))
    assert SlotKind.KEYRING not in {slot.kind for slot in keys.slots(house.folder)}


def test_a_service_key_opens_the_site_in_nobodys_name(house: House, ada: Keyholder) -> None:
    assert ada.keys.ways_in().service_since is None
    ada.keys.service_on()
    assert ada.keys.ways_in().service_since == START
    slot = slot_of(house, SlotKind.SERVICE)
    secret = house.service.find(slot)
    assert secret is not None
    unlocked = keys.unlock_slot(house.folder, slot, secret)
    assert (unlocked.account_id, unlocked.kind) == (None, SlotKind.SERVICE)
    assert unlocked.signing_key is not None
    assert ada.keys.service_off()
    assert list(house.service.folder.iterdir()) == []
    assert not ada.keys.service_off()
    assert ada.said("account.service") == [Outcome.OK, Outcome.OK]


def test_staff_change_no_keys_but_their_own(house: House, ada: Keyholder) -> None:
    ada.accounts.add("Ben", Role.STAFF, BENS)
    ben = house.enter(BENS).keys
    for change in (ben.renew_recovery_code, ben.service_on, ben.service_off, ben.rotate):
        with pytest.raises(NotPermitted):
            change()
    ben.keyring_on()


def test_the_recovery_code_has_no_keyring(house: House) -> None:
    holder = house.enter(Secret(house.recovery_code.encode()))
    with closing(holder.store), pytest.raises(UserError, match="nobody's account"):
        holder.keys.keyring_on()


def test_a_new_data_key_is_everybodys_and_the_old_one_opens_nothing(
    house: House, ada: Keyholder
) -> None:
    ada.accounts.add("Ben", Role.AUDITOR, BENS)
    ada.keys.keyring_on()
    with ada.store.journal() as unit:
        unit.drivers.add(EVA)
    old = ada.site_keys.data_key
    shares: list[float] = []
    assert ada.keys.rotate(shares.append) is False
    assert shares[-1] == 1.0
    new = ada.site_keys.data_key
    assert new.reveal() != old.reveal()
    with ada.store.read() as unit:  # the same store goes on
        assert [one.party for one in unit.drivers.all()] == [EVA.party]
    ada.store.data_version()
    for opened in (
        keys.unlock(house.folder, None, PASSWORD),
        keys.unlock(house.folder, None, BENS),
        keys.unlock(house.folder, None, Secret(house.recovery_code.encode())),
    ):
        assert opened.data_key.reveal() == new.reveal()
    with pytest.raises(WrongKey):
        raw(house.folder, old)
    with pytest.raises(WrongKey):
        persons_of(house.folder, old).keyrings()
    assert persons_of(house.folder, new).keyrings().keys() == {EVA.id}
    assert ada.said("account.rotated") == [Outcome.OK]


def test_a_key_cannot_be_renewed_while_somebody_else_has_the_site_open(
    house: House, ada: Keyholder
) -> None:
    other = house.enter(PASSWORD)
    old = ada.site_keys.data_key
    with closing(other.store):
        with pytest.raises(StorageError, match="open in another window"):
            ada.keys.rotate()
        other.store.data_version()
        with other.store.write() as unit:
            unit.site.set_issuer(Party("Depot Ltd"))
            unit.record_change(DONE)
    assert ada.site_keys.data_key is old
    assert not list(house.folder.glob("*.new*"))
    assert ada.said("account.rotated") == [Outcome.FAILED]
    ada.keys.rotate()
    assert ada.said("account.rotated") == [Outcome.FAILED, Outcome.OK]


def test_the_collector_is_stopped_for_a_new_key_and_waited_for(
    house: House, ada: Keyholder
) -> None:
    with ada.store.journal() as unit:
        unit.collector.take(4711, "here", START)
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        with ada.store.journal() as unit:
            assert unit.collector.state().stop_requested
            if len(slept) == 3:
                unit.collector.release()

    clock = SetClock(START + timedelta(seconds=1))
    service = KeyService(ada.store, clock, ada.site_keys, ada.changes, house.places(), sleep)
    assert service.rotate() is True
    assert len(slept) == 3


def test_a_collector_that_does_not_end_keeps_the_key(house: House, ada: Keyholder) -> None:
    with ada.store.journal() as unit:
        unit.collector.take(4711, "here", START)
    service = KeyService(
        ada.store, SetClock(START), ada.site_keys, ada.changes, house.places(), lambda _s: None
    )
    old = ada.site_keys.data_key
    with pytest.raises(Occupied, match="has not ended"):
        service.rotate()
    assert ada.site_keys.data_key is old
    assert ada.store.actor.ref == OWNER.id
