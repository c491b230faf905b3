"""Backups on disks that are full, read-only, gone, or too small for such a file."""

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from evdesk.domain.backups import BackupId
from evdesk.domain.errors import StorageError
from evdesk.ports import BackupStage
from evdesk.storage import backups
from tests.storage.backing import backups_of, make
from tests.storage.sites import add_meter, issue, reading, writing

ROOT = Path(__file__).resolve().parents[2]
SECOND = BackupId("B-00000002")
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="limits are those of POSIX")


@pytest.fixture
def target(tmp_path: Path) -> Path:
    folder = tmp_path / "usb"
    folder.mkdir()
    return folder


@pytest.fixture
def files(folder, store):
    issue(store)
    return backups_of(folder)


@contextmanager
def no_file_larger_than(size_bytes: int) -> Iterator[None]:
    """Let the system refuse to write beyond a size, as a full disk or a quota does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextmanager
def small_disk(folder: Path, size_bytes: int) -> Iterator[None]:
    """Mount a real, small file system, where that is allowed."""
    options = f"size={size_bytes}"
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("may not mount a file system here")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("limit", [4_096, 100_000, 400_000, 469_000])
def test_a_file_that_may_not_grow_leaves_nothing_and_says_why(files, target, limit) -> None:
    """While the database is copied, and while the file is written."""
    made = make(files, target)
    before = sorted(target.iterdir())
    with no_file_larger_than(limit), pytest.raises(StorageError, match=r"larger than .* allows"):
        make(files, target, SECOND)
    assert sorted(target.iterdir()) == before
    assert files.verify(made.file).intact


def test_too_little_room_is_said_before_anything_is_begun(files, target) -> None:
    with small_disk(target, 1_000_000):
        with pytest.raises(StorageError, match=r"\d+ MB are needed in .* and \d+ MB are free"):
            make(files, target)
        assert list(target.iterdir()) == []


@pytest.mark.parametrize("stage", [BackupStage.COPYING, BackupStage.PACKING])
def test_a_disk_that_runs_full_in_the_middle_keeps_what_was_there(
    files, store, folder, target, stage
) -> None:
    with writing(store) as unit:
        meter = add_meter(unit)
        unit.readings.add([reading(meter, n) for n in range(60_000)])

    def fill(now: BackupStage, share: float) -> None:
        if now is stage and not (target / "holiday").exists():
            with (target / "holiday").open("wb", buffering=0) as other, suppress_full():
                while other.write(bytes(65_536)):
                    pass

    with small_disk(target, 40_000_000):
        made = make(files, target)
        before = sorted(target.iterdir())
        with pytest.raises(StorageError, match="is full") as caught:
            make(files, target, SECOND, attend=fill)
        assert "as it was" in str(caught.value)
        (target / "holiday").unlink()
        assert sorted(target.iterdir()) == before
        assert files.verify(made.file).intact
        assert make(files, target, SECOND).file.exists()


@contextmanager
def suppress_full() -> Iterator[None]:
    try:
        yield
    except OSError:
        return


def test_a_full_disk_for_the_scratch_file_is_no_verdict(files, target, tmp_path, data_key) -> None:
    made = make(files, target)
    with (
        no_file_larger_than(100_000),
        pytest.raises(StorageError, match=r"larger than|is full"),
    ):
        files.verify(made.file)
    assert files.verify(made.file).intact


def test_a_scratch_file_goes_where_there_is_room(files, folder, target, tmp_path) -> None:
    """The system's folder for temporary files is too small: it is restored beside the backup."""
    made = make(files, target)
    small = tmp_path / "small"
    small.mkdir()
    with small_disk(small, 200_000):
        code = (
            "import sys, tempfile\n"
            "from pathlib import Path\n"
            "from evdesk.storage import backups, keys\n"
            "from tests.storage.sites import PASSWORD, START\n"
            "seen = []\n"
            "def key_of(folder):\n"
            "    seen.append(folder)\n"
            "    return keys.unlock(folder, None, PASSWORD).data_key\n"
            "assert backups.verify(Path(sys.argv[1]), key_of, START).intact\n"
            "sys.stdout.write(str(seen[0].parent))\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", code, str(made.file)],
            cwd=ROOT,
            env={**os.environ, "TMPDIR": str(small), "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
    assert (done.stdout, done.stderr) == (str(target), "")


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_to_is_said_so(files, target) -> None:
    target.chmod(0o500)
    try:
        with pytest.raises(StorageError, match="may not be written to"):
            make(files, target)
    finally:
        target.chmod(0o700)


def test_a_read_only_drive_is_said_to_be_one(files, target) -> None:
    with small_disk(target, 10_000_000):
        subprocess.run(["mount", "-o", "remount,ro", str(target)], check=True)
        with pytest.raises(StorageError, match="may not be written to"):
            make(files, target)


def test_a_drive_that_goes_in_the_middle_is_said_to_be_gone(files, target) -> None:
    def pull(stage: BackupStage, share: float) -> None:
        if stage is BackupStage.PACKING:
            for file in target.glob(".evdesk-*"):
                file.rename(target.parent / "gone")

    with pytest.raises(StorageError, match="is not there, or its drive does not answer"):
        make(files, target, attend=pull)


def test_a_backup_that_is_read_only_is_verified_and_found(files, target) -> None:
    made = make(files, target)
    made.file.chmod(0o400)
    assert files.verify(made.file).intact
    assert [one.backup for one in backups.find(target)] == [made]
