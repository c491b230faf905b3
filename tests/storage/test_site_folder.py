"""Site folders are made whole or not at all; damage is told from a wrong key."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from evdesk.domain.errors import StorageError, WrongKey
from evdesk.domain.secrets import Secret
from evdesk.storage import keys
from evdesk.storage.site_folder import collector_lock, create_site
from tests.storage.sites import OWNER, PASSWORD, SITE, add_meter, opened, reading, writing

PAGE = 4096
HOLD_THE_LOCK = """
import sys
from pathlib import Path
from evdesk.storage import keys
from evdesk.storage.site_folder import collector_lock
with collector_lock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_new_site_knows_itself_and_its_owner(store) -> None:
    with store.read() as unit:
        assert unit.site.load() == SITE
        assert unit.accounts.all() == [OWNER]
        assert unit.audit.entries(9)[0].action == "site.create"


@pytest.mark.skipif(os.name != "posix", reason="only POSIX has modes")
def test_only_its_owner_may_look_into_a_new_folder(folder) -> None:
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for file in folder.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.skipif(os.name != "posix", reason="only POSIX has modes")
def test_the_write_ahead_log_is_for_the_owner_alone_too(store, folder) -> None:
    modes = {stat.S_IMODE(file.stat().st_mode) for file in folder.glob("site.db*")}
    assert modes == {0o600}


def test_an_empty_folder_is_taken_and_a_full_one_refused(tmp_path) -> None:
    (tmp_path / "empty").mkdir()
    create_site(tmp_path / "empty", SITE, OWNER, PASSWORD)
    with pytest.raises(StorageError, match="is not empty"):
        create_site(tmp_path / "empty", SITE, OWNER, PASSWORD)
    assert [path.name for path in tmp_path.iterdir()] == ["empty"]


@pytest.mark.parametrize("name", ["Depot #1 100%", "Höfe & Söhne?", "it's"])
def test_a_folder_may_have_any_name(tmp_path, name) -> None:
    if os.name != "posix":
        name = name.replace("?", "")
    create_site(tmp_path / name, SITE, OWNER, PASSWORD)
    data_key = keys.unlock(tmp_path / name, None, PASSWORD).data_key
    opened(tmp_path / name, data_key).close()
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_failure_leaves_nothing_behind(tmp_path) -> None:
    calls = iter([bytes(32), bytes(20)])
    with pytest.raises(StopIteration):
        create_site(tmp_path / "site", SITE, OWNER, PASSWORD, lambda _: next(calls))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_without_a_site_is_said_so(folder, data_key) -> None:
    (folder / "site.db").unlink()
    with pytest.raises(StorageError, match=r"holds no site: site\.db is missing"):
        opened(folder, data_key)


@pytest.mark.parametrize("size", [0, 100, PAGE, 10 * PAGE, 10 * PAGE + 1])
def test_a_truncated_database_is_said_so(folder, data_key, size) -> None:
    os.truncate(folder / "site.db", size)
    with pytest.raises(StorageError, match="truncated"):
        opened(folder, data_key)


def spoil(file: Path, offset: int) -> None:
    with file.open("r+b") as spoiled:
        spoiled.seek(offset)
        byte = spoiled.read(1)[0]
        spoiled.seek(offset)
        spoiled.write(bytes([byte ^ 1]))


def test_a_damaged_first_page_is_told_from_a_wrong_key(folder, data_key) -> None:
    spoil(folder / "site.db", 1_000)
    with pytest.raises(StorageError, match="is damaged"):
        opened(folder, data_key)
    with pytest.raises(WrongKey):
        opened(folder, Secret(bytes(32)))


def test_a_damaged_page_is_said_when_it_is_read(folder, data_key) -> None:
    store = opened(folder, data_key)
    with writing(store) as unit:
        meter = add_meter(unit)
        unit.readings.add([reading(meter, second) for second in range(5_000)])
    store.close()
    last = (folder / "site.db").stat().st_size // PAGE
    for page in range(last - 20, last - 10):  # the readings came last
        spoil(folder / "site.db", page * PAGE + 500)
    store = opened(folder, data_key)
    with store.read() as unit, pytest.raises(StorageError, match="is damaged"):
        unit.readings.count()
    store.close()


def test_a_plain_database_is_not_taken_for_a_site(folder, data_key) -> None:
    content = bytearray((folder / "site.db").read_bytes())
    content[:16] = b"SQLite format 3\0"
    (folder / "site.db").write_bytes(content)
    with pytest.raises(StorageError, match="not encrypted"):
        opened(folder, data_key)


def test_a_synchronised_folder_is_refused_at_opening_too(folder, data_key) -> None:
    moved = folder.parent / "Dropbox"
    folder.rename(moved)
    with pytest.raises(StorageError, match="synchronises"):
        opened(moved, data_key)


def test_one_collector_a_site(folder) -> None:
    command = [sys.executable, "-c", HOLD_THE_LOCK, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(StorageError, match="A collector is running"), collector_lock(folder):
            pass
        other.communicate()
    with collector_lock(folder):
        pass


def test_a_collector_that_was_killed_frees_its_lock(folder) -> None:
    command = [sys.executable, "-c", HOLD_THE_LOCK, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        other.kill()
    with collector_lock(folder):
        pass


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_said_so(store, folder) -> None:
    folder.chmod(0o500)
    with pytest.raises(StorageError, match="cannot be written"), writing(store) as unit:
        add_meter(unit)
    folder.chmod(0o700)
