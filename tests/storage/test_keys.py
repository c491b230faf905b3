"""Key slots: who gets in, who does not, and what is said about damage."""

import json
import os
import re
import stat
import unicodedata
from pathlib import Path
from typing import cast

import pytest

from evdesk.domain.errors import StorageError, WrongKey
from evdesk.domain.secrets import Secret
from evdesk.domain.site import AccountId
from evdesk.storage import key_file, keys
from evdesk.storage.recovery import write_code
from evdesk.storage.site_keys import StoredSiteKeys
from evdesk.storage.site_store import SiteStore
from tests.storage.sites import OWNER, PASSWORD, FixedClock, opened

BEN = AccountId("a-2")


def site_keys(folder: Path, data_key: Secret) -> StoredSiteKeys:
    """The keys as a site opened by its owner has them; nothing here needs its database."""
    signing_key = keys.unlock(folder, OWNER.id, PASSWORD).signing_key
    unused = cast("SiteStore", None)
    return StoredSiteKeys(folder, unused, FixedClock(), data_key, signing_key)


def set_password(folder: Path, data_key: Secret, password: bytes, *, signs: bool = True) -> None:
    file_keys = site_keys(folder, data_key)
    file_keys.change(file_keys.password_slot(BEN, "ben", Secret(password), signs=signs), [])


def edit(folder, change) -> None:
    """Change keys.json as an attacker would, with the digest made right again; both copies."""
    data = json.loads((folder / "keys.json").read_text())
    del data["sha256"]
    change(data)
    data["sha256"] = key_file.digest(data)
    for name in ("keys.json", "keys.json.bak"):
        (folder / name).write_text(json.dumps(data))


def test_the_password_unlocks_the_data_key_of_its_account(folder, data_key) -> None:
    unlocked = keys.unlock(folder, OWNER.id, PASSWORD)
    assert unlocked.data_key.reveal() == data_key.reveal()
    assert (unlocked.account_id, unlocked.used_second_copy) == (OWNER.id, False)


@pytest.mark.parametrize("typed", ["{0}", " {1}\n", "{2}"])
def test_the_recovery_code_does_too_however_it_is_typed(
    folder, data_key, recovery_code, typed
) -> None:
    lower = recovery_code.lower().replace("0", "o").replace("1", "l")
    spaced = recovery_code.replace("-", " ").replace("1", "I")
    code = typed.format(recovery_code, lower, spaced)
    unlocked = keys.unlock(folder, None, Secret(code.encode()))
    assert unlocked.data_key.reveal() == data_key.reveal()
    assert unlocked.account_id is None


def test_a_wrong_password_is_said_so(folder) -> None:
    with pytest.raises(WrongKey, match="password does not open"):
        keys.unlock(folder, OWNER.id, Secret(b"wrong"))


def test_a_password_opens_no_slot_of_somebody_else(folder) -> None:
    with pytest.raises(WrongKey, match="No key of this site belongs to that account"):
        keys.unlock(folder, BEN, PASSWORD)


def test_a_code_of_another_site_is_said_so(folder) -> None:
    code = write_code(bytes(20))
    with pytest.raises(WrongKey, match="recovery code does not open"):
        keys.unlock(folder, None, Secret(code.encode()))


def test_a_password_is_the_same_however_its_accents_are_composed(folder, data_key) -> None:
    composed = unicodedata.normalize("NFC", "Schlüssel ﬁ")
    taken_apart = unicodedata.normalize("NFD", "Schlüssel fi")
    set_password(folder, data_key, composed.encode())
    assert keys.unlock(folder, BEN, Secret(taken_apart.encode())).account_id == BEN


def test_a_new_password_replaces_the_old_one_and_no_other(folder, data_key) -> None:
    set_password(folder, data_key, b"first")
    set_password(folder, data_key, b"second")
    assert keys.unlock(folder, BEN, Secret(b"second")).data_key.reveal() == data_key.reveal()
    assert keys.unlock(folder, OWNER.id, PASSWORD).account_id == OWNER.id
    with pytest.raises(WrongKey):
        keys.unlock(folder, BEN, Secret(b"first"))


def test_a_removed_account_gets_in_no_more(folder, data_key) -> None:
    set_password(folder, data_key, b"first")
    file_keys = site_keys(folder, data_key)
    file_keys.change(None, [slot.id for slot in file_keys.slots() if slot.account == BEN])
    with pytest.raises(WrongKey):
        keys.unlock(folder, None, Secret(b"first"))


def test_a_new_recovery_code_replaces_the_old_one(folder, data_key, recovery_code) -> None:
    file_keys = site_keys(folder, data_key)
    slot, code = file_keys.recovery_slot()
    file_keys.change(slot, [])
    assert keys.unlock(folder, None, Secret(code.encode())).account_id is None
    with pytest.raises(WrongKey):
        keys.unlock(folder, None, Secret(recovery_code.encode()))


@pytest.mark.parametrize("damage", [b"", b"{", b'{"magic": 1}', b"[]", b"\xff\xfe"])
def test_the_second_copy_stands_in_for_a_damaged_first(folder, damage) -> None:
    (folder / "keys.json").write_bytes(damage)
    assert keys.unlock(folder, None, PASSWORD).used_second_copy
    (folder / "keys.json").unlink()
    assert keys.unlock(folder, None, PASSWORD).used_second_copy


def test_one_wrong_byte_is_damage_and_not_a_wrong_password(folder) -> None:
    text = (folder / "keys.json").read_text()
    wrapped = re.search(r'"wrapped": "(.)', text)
    assert wrapped
    other = "B" if wrapped[1] == "A" else "A"
    (folder / "keys.json").write_text(text[: wrapped.end() - 1] + other + text[wrapped.end() :])
    assert keys.unlock(folder, None, PASSWORD).used_second_copy


def test_two_damaged_copies_and_no_copy_are_told_apart(folder) -> None:
    for name in ("keys.json", "keys.json.bak"):
        (folder / name).write_bytes(b"?")
    with pytest.raises(StorageError, match="Both copies of the key file"):
        keys.unlock(folder, None, PASSWORD)
    for name in ("keys.json", "keys.json.bak"):
        (folder / name).unlink()
    with pytest.raises(StorageError, match="has no key file"):
        keys.unlock(folder, None, PASSWORD)


@pytest.mark.parametrize(("cost", "value"), [("m_kib", 2**31), ("t", 0), ("p", 64), ("m_kib", 8)])
def test_an_unreasonable_cost_is_refused_before_it_is_paid(folder, cost, value) -> None:
    def change(data) -> None:
        for slot in data["slots"]:
            slot["kdf"][cost] = value

    edit(folder, change)
    with pytest.raises(StorageError, match="outside what evdesk accepts"):
        keys.unlock(folder, None, PASSWORD)


@pytest.mark.parametrize("field", ["salt", "nonce", "public", "wrapped"])
def test_a_slot_cut_short_is_damage_and_not_a_bug(folder, field) -> None:
    def change(data) -> None:
        for slot in data["slots"]:
            (slot["kdf"] if field == "salt" else slot)[field] = "AAAA"

    edit(folder, change)
    with pytest.raises(StorageError, match="Both copies of the key file"):
        keys.unlock(folder, None, PASSWORD)


def test_a_key_file_nested_without_end_is_damage(folder) -> None:
    (folder / "keys.json").write_text("[" * 100_000)
    assert keys.unlock(folder, None, PASSWORD).used_second_copy


def test_a_slot_moved_to_another_account_opens_nothing(folder) -> None:
    edit(folder, lambda data: data["slots"][0].update(label=BEN))
    with pytest.raises(WrongKey):
        keys.unlock(folder, BEN, PASSWORD)


def test_a_newer_key_file_is_refused_with_what_to_do(folder) -> None:
    edit(folder, lambda data: data.update(version=2))
    with pytest.raises(StorageError, match=r"version 2.*knows version 1"):
        keys.unlock(folder, None, PASSWORD)


def test_the_key_of_another_site_does_not_open_the_database(folder) -> None:
    with pytest.raises(WrongKey, match=r"does not open .*site\.db"):
        opened(folder, Secret(bytes(32)))


def test_key_files_are_for_their_owner_alone_and_leave_nothing_beside_them(folder) -> None:
    mode = stat.S_IMODE((folder / "keys.json").stat().st_mode)
    assert mode == 0o600 or os.name != "posix"
    assert sorted(file.name for file in folder.glob("*keys*")) == ["keys.json", "keys.json.bak"]
    assert keys.site_id(folder) == "site-1"
