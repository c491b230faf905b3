"""Backups of the small real site, and what is done to them by people who should not."""

import zipfile
from collections.abc import Callable
from datetime import datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from evdesk.domain.backups import Backup, BackupId
from evdesk.ports import Attend, BackupOrder, unattended
from evdesk.storage import keys
from evdesk.storage.backups import SiteBackups
from tests.storage.sites import PASSWORD, FixedClock, at

FIRST = BackupId("B-00000001")
NAMES = ("site.db", "keys.json", "manifest.json", "manifest.note")


@cache
def unlocked_by(content: bytes) -> keys.Unlocked:
    """Open a key file once a run: it costs half a second."""
    with TemporaryDirectory() as folder:
        (Path(folder) / "keys.json").write_bytes(content)
        return keys.unlock(Path(folder), None, PASSWORD)


def backups_of(folder: Path, clock: FixedClock | None = None) -> SiteBackups:
    unlocked = unlocked_by((folder / "keys.json").read_bytes())
    return SiteBackups(folder, unlocked, clock or FixedClock())


def make(
    files: SiteBackups,
    folder: Path,
    backup: BackupId = FIRST,
    made_at: datetime | None = None,
    attend: Attend = unattended,
) -> Backup:
    order = BackupOrder(backup, files.check_folder(folder), made_at or at(0))
    with files.alone():
        return files.make(order, attend)


def rewritten(file: Path, change: Callable[[dict[str, bytes]], object], **how: int) -> Path:
    """Write a backup anew, as a valid zip, with parts that were changed."""
    with zipfile.ZipFile(file) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    change(parts)
    other = file.with_name("changed.zip")
    with zipfile.ZipFile(other, "w", how.get("packed", zipfile.ZIP_STORED)) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return other


def flipped(content: bytes, place: float = 0.5) -> bytes:
    """Change one byte."""
    index = min(round(len(content) * place), len(content) - 1)
    return content[:index] + bytes([content[index] ^ 1]) + content[index + 1 :]


def where_is(file: Path, part: str) -> range:
    """Return which bytes of a backup are the content of a part."""
    with zipfile.ZipFile(file) as archive, file.open("rb") as raw:
        about = archive.getinfo(part)
        raw.seek(about.header_offset + 26)
        name, extra = (int.from_bytes(raw.read(2), "little") for _ in range(2))
        begin = about.header_offset + 30 + name + extra
    return range(begin, begin + about.file_size)
