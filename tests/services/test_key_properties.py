"""Whatever is done to accounts and keys: who should get in does, and nobody else."""

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from evdesk.domain.errors import UserError, WrongKey
from evdesk.domain.secrets import Secret
from evdesk.domain.site import Role, SlotKind
from evdesk.storage import keys
from tests.services.desk import PASSWORD
from tests.services.keyholders import House, Keyholder, make_house

NAMES = ("Ben", "Cleo", "Dora")
WORDS = ("biber polka lampe", "kaktus mambo 99 zug", "laterne igel 7 tanz", "wolke gabel 31 fuchs")
PICKED = st.sampled_from


class Doors(RuleBasedStateMachine):
    """A site whose doors are opened and closed by its owner, Ada, who never leaves."""

    def __init__(self) -> None:
        super().__init__()
        self.place = Path(tempfile.mkdtemp(prefix="evdesk-doors-"))
        self.house: House = make_house(self.place)
        self.ada: Keyholder = self.house.enter(PASSWORD)
        self.people = {"Ada": (PASSWORD, Role.OWNER)}
        self.code = self.ada.keys.renew_recovery_code()  # costs less to try than the first
        self.stale: list[tuple[str | None, Secret]] = []
        self.stale_keys: list[Secret] = []
        self.stale_slots: list[tuple[str, Secret]] = []
        self.random: dict[SlotKind, tuple[str, Secret]] = {}

    def teardown(self) -> None:
        self.ada.store.close()
        shutil.rmtree(self.place)

    @initialize(role=PICKED(list(Role)))
    def somebody_is_there(self, role: Role) -> None:
        self.add("Ben", role, WORDS[0])

    @rule(name=PICKED(NAMES), role=PICKED(list(Role)), words=PICKED(WORDS))
    def add(self, name: str, role: Role, words: str) -> None:
        password = Secret(f"{words} {name}".encode())
        try:
            self.ada.accounts.add(name, role, password)
        except UserError:
            assert name in self.people
        else:
            self.people[name] = (password, role)
            self.stale = [one for one in self.stale if one[1].reveal() != password.reveal()]

    @rule(name=PICKED(("Ada", *NAMES)), words=PICKED(WORDS), own=st.booleans())
    def passwd(self, name: str, words: str, own: bool) -> None:
        if name not in self.people:
            return
        before, role = self.people[name]
        password = Secret(f"{words} {name} 2".encode())
        holder = self.house.enter(before, name) if own else self.ada
        if own:
            holder.accounts.change_password(password)
            holder.store.close()
        else:
            holder.accounts.set_password(name, password)
        self.people[name] = (password, role)
        self.stale = [one for one in self.stale if one[1].reveal() != password.reveal()]
        if before.reveal() != password.reveal():
            self.stale.append((name, before))

    @rule(name=PICKED(NAMES))
    def remove(self, name: str) -> None:
        try:
            self.ada.accounts.remove(name)
        except UserError:
            assert name not in self.people
        else:
            self.stale.append((name, self.people.pop(name)[0]))

    @rule()
    def renew_the_code(self) -> None:
        self.stale.append((None, Secret(self.code.encode())))
        self.code = self.ada.keys.renew_recovery_code()

    @rule(kind=PICKED([SlotKind.KEYRING, SlotKind.SERVICE]), on=st.booleans())
    def random_key(self, kind: SlotKind, on: bool) -> None:
        if kind in self.random:
            self.stale_slots.append(self.random.pop(kind))
        doors = self.ada.keys
        if on:
            (doors.keyring_on if kind is SlotKind.KEYRING else doors.service_on)()
            slots = keys.slots(self.house.folder)
            slot = next(slot.id for slot in slots if slot.kind is kind)
            secret = self.house.places()[kind].find(slot)
            assert secret is not None
            self.random[kind] = (slot, secret)
        else:
            (doors.keyring_off if kind is SlotKind.KEYRING else doors.service_off)()

    @precondition(lambda self: len(self.stale_keys) < 2)
    @rule()
    def rotate(self) -> None:
        self.stale_keys.append(self.ada.site_keys.data_key)
        self.ada.keys.rotate()

    @invariant()
    def who_should_gets_in(self) -> None:
        folder, data_key = self.house.folder, self.ada.site_keys.data_key.reveal()
        for name, (password, role) in self.people.items():
            opened = keys.unlock(folder, None, password, user=name)
            assert opened.data_key.reveal() == data_key
            assert (opened.signing_key is None) is (role is Role.AUDITOR)
        assert keys.unlock(folder, None, Secret(self.code.encode())).data_key.reveal() == data_key
        for slot, secret in self.random.values():
            assert keys.unlock_slot(folder, slot, secret).data_key.reveal() == data_key
        assert not any(old.reveal() == data_key for old in self.stale_keys)

    @invariant()
    def who_should_not_does_not(self) -> None:
        for name, password in self.stale[-3:]:
            with pytest.raises(WrongKey):
                keys.unlock(self.house.folder, None, password, user=name)
        for slot, secret in self.stale_slots[-2:]:
            with pytest.raises(WrongKey):
                keys.unlock_slot(self.house.folder, slot, secret)
        for name, (password, _) in self.people.items():
            other = "Ada" if name != "Ada" else "Ben"
            with pytest.raises(WrongKey):
                keys.unlock(self.house.folder, None, password, user=other)

    @invariant()
    def what_is_done_is_done(self) -> None:
        with self.ada.store.read() as unit:
            assert unit.intents.open("keys") == {}
            accounts = {one.name for one in unit.accounts.all()}
        assert accounts == set(self.people)
        slots = keys.slots(self.house.folder)
        assert sum(slot.kind is SlotKind.PASSWORD for slot in slots) == len(self.people)


QUIET = [HealthCheck.too_slow, HealthCheck.filter_too_much]


def test_doors_are_open_to_whom_they_should() -> None:
    run(examples=3, steps=10)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_doors_are_open_to_whom_they_should_after_much_more() -> None:
    run(examples=20, steps=30)


def run(examples: int, steps: int) -> None:
    run_state_machine_as_test(
        Doors,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=QUIET,
        ),
    )
