"""Where random keys are kept: only where nobody else reads them."""

import os
import stat
from pathlib import Path

import pytest
from keyring.backends.chainer import ChainerBackend
from keyring.backends.fail import Keyring as FailingKeyring
from keyring.backends.null import Keyring as NullKeyring

from evdesk.domain.errors import StorageError, UserError
from evdesk.domain.secrets import Secret
from evdesk.storage.keyring_slot import OsKeyring
from evdesk.storage.service_key import CREDENTIAL, ServiceKeyFile
from tests.fakes.keyring import MemoryKeyring, os_keyring

SLOT, KEY = "0123456789abcdef", Secret(bytes(range(32)))


class PlaintextKeyring(MemoryKeyring):
    """Stands for those that write secrets into a plain file."""


class Chain(ChainerBackend):
    """A chain of given keyrings."""

    backends = (MemoryKeyring(), PlaintextKeyring())


Chain.__module__ = ChainerBackend.__module__


def test_the_systems_keyring_keeps_a_key_and_forgets_it() -> None:
    place = os_keyring(MemoryKeyring())
    assert place.refusal() is None
    assert place.find(SLOT) is None
    place.keep(SLOT, KEY)
    found = place.find(SLOT)
    assert found is not None
    assert found.reveal() == KEY.reveal()
    place.forget(SLOT)
    place.forget(SLOT)
    assert place.find(SLOT) is None


@pytest.mark.parametrize("backend", [FailingKeyring(), NullKeyring()])
def test_a_computer_without_a_keyring_is_said_to_have_none(backend) -> None:
    place = OsKeyring(backend)
    with pytest.raises(UserError, match="has no keyring that evdesk can use"):
        place.keep(SLOT, KEY)
    assert place.find(SLOT) is None
    place.forget(SLOT)


def test_a_keyring_that_is_not_known_to_encrypt_is_refused_by_name() -> None:
    backend = PlaintextKeyring()
    place = OsKeyring(backend)
    with pytest.raises(UserError, match=r"PlaintextKeyring, which may keep secrets in plain text"):
        place.keep(SLOT, KEY)
    backend.set_password("evdesk", SLOT, KEY.reveal().hex())
    assert place.find(SLOT) is None  # nor is anything read from it
    place.forget(SLOT)
    assert backend.kept


def test_a_chain_is_as_good_as_its_worst_part() -> None:
    trusted = frozenset({MemoryKeyring.__module__})
    refusal = OsKeyring(Chain(), trusted).refusal()
    assert refusal is not None
    assert "PlaintextKeyring" in str(refusal)
    both = trusted | {PlaintextKeyring.__module__}
    assert OsKeyring(Chain(), both).refusal() is None


def test_an_empty_chain_is_no_keyring() -> None:
    class Empty(ChainerBackend):
        backends = ()

    Empty.__module__ = ChainerBackend.__module__
    assert OsKeyring(Empty()).refusal() is not None


def test_a_locked_keyring_is_said_to_be_silent_and_not_to_be_empty() -> None:
    backend = MemoryKeyring()
    place = os_keyring(backend)
    backend.locked = True
    for ask in (lambda: place.keep(SLOT, KEY), lambda: place.find(SLOT)):
        with pytest.raises(StorageError, match=r"does not answer \(KeyringLocked\)"):
            ask()
    place.forget(SLOT)


def test_what_somebody_else_put_there_is_no_key() -> None:
    backend = MemoryKeyring()
    backend.set_password("evdesk", SLOT, "no key")
    assert os_keyring(backend).find(SLOT) is None


def test_a_service_key_is_a_file_for_its_owner_alone(tmp_path: Path) -> None:
    place = ServiceKeyFile(tmp_path / "config" / "service")
    place.keep(SLOT, KEY)
    found = place.find(SLOT)
    assert found is not None
    assert found.reveal() == KEY.reveal()
    if os.name == "posix":
        assert stat.S_IMODE(place.path(SLOT).stat().st_mode) == 0o600
        assert stat.S_IMODE(place.folder.stat().st_mode) == 0o700
    place.forget(SLOT)
    place.forget(SLOT)
    assert place.find(SLOT) is None


@pytest.mark.skipif(os.name != "posix", reason="only POSIX has modes")
def test_a_service_key_that_others_can_read_is_not_used(tmp_path: Path) -> None:
    place = ServiceKeyFile(tmp_path)
    place.keep(SLOT, KEY)
    place.path(SLOT).chmod(0o640)
    with pytest.raises(StorageError, match="can be read by other users"):
        place.find(SLOT)


def test_a_credential_of_the_service_manager_goes_first(tmp_path: Path) -> None:
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    place = ServiceKeyFile(tmp_path / "service", credentials)
    place.keep(SLOT, Secret(bytes(32)))
    (credentials / CREDENTIAL).write_text(KEY.reveal().hex() + "\n")
    found = place.find(SLOT)
    assert found is not None
    assert found.reveal() == KEY.reveal()


def test_a_service_key_that_is_none_is_said_so(tmp_path: Path) -> None:
    place = ServiceKeyFile(tmp_path)
    place.keep(SLOT, KEY)
    place.path(SLOT).write_text("no key")
    with pytest.raises(StorageError, match="it is no key"):
        place.find(SLOT)


def test_a_place_that_cannot_be_written_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="could not be written"):
        ServiceKeyFile(tmp_path / "file" / "service").keep(SLOT, KEY)
