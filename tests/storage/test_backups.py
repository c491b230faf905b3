"""A backup is a whole site in a file, proven by restoring it; what was changed in it shows."""

import json
import os
import random
import shutil
import stat
import tempfile
import zipfile
from collections.abc import Iterator
from concurrent.futures import CancelledError
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from evdesk.domain.backups import BackupId
from evdesk.domain.errors import StorageError, UserError, WrongKey
from evdesk.domain.notes import parse_head
from evdesk.domain.secrets import Secret
from evdesk.ports import BackupStage, unattended
from evdesk.storage import backup_file, backups, keys
from evdesk.storage.chain import Chain
from evdesk.storage.connection import Connection
from evdesk.storage.faults import Place
from evdesk.storage.json_text import canonical
from evdesk.storage.migrations import SITE_SCHEMA, newest
from evdesk.storage.site_folder import create_site
from tests.storage.backing import (
    FIRST,
    NAMES,
    backups_of,
    flipped,
    make,
    rewritten,
    where_is,
)
from tests.storage.sites import (
    EVA,
    OWNER,
    PASSWORD,
    SITE,
    START,
    FixedClock,
    add_meter,
    at,
    issue,
    persons_of,
    raw,
    reading,
    writing,
)


@dataclass(frozen=True, slots=True)
class Unsigned:
    """The keys of somebody who has no part in the signing key."""

    data_key: Secret
    signing_key: None = None


@pytest.fixture
def target(tmp_path: Path) -> Path:
    folder = tmp_path / "usb"
    folder.mkdir()
    return folder


@pytest.fixture
def temporary(tmp_path: Path) -> Iterator[Path]:
    """A folder for temporary files of this test alone."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    before, tempfile.tempdir = tempfile.tempdir, str(folder)
    yield folder
    tempfile.tempdir = before


@pytest.fixture
def files(folder, store):
    issue(store)
    return backups_of(folder)


@pytest.fixture
def made(files, target):
    return make(files, target)


def problems(files, file: Path) -> str:
    return " ".join(str(one) for one in files.verify(file).problems)


# -- what is in it -----------------------------------------------------------------------------


def test_a_backup_is_the_site_at_one_moment(files, made, folder, data_key, tmp_path) -> None:
    with closing(raw(folder, data_key)) as connection:
        head = Chain(connection).head()
    assert (made.id, made.site_id, made.created_at) == (FIRST, SITE.id, START)
    assert (made.head, made.signed) == (head, True)
    assert made.size_bytes == made.file.stat().st_size
    verdict = files.verify(made.file)
    assert verdict.intact
    assert verdict.backup == made
    assert (verdict.entries, verdict.readings) == (head.size, 0)
    (month,) = verdict.months.values()
    assert (month.sessions, month.energy_wh, month.invoices) == (1, 12_400, 1)
    assert {name: str(gross) for name, gross in month.gross.items()} == {"EUR": "7.24"}
    with zipfile.ZipFile(made.file) as archive:
        assert tuple(archive.namelist()) == NAMES
        archive.extract("site.db", tmp_path)
    with closing(Connection(Place(tmp_path / "site.db", data_key, 200))) as copy:
        assert copy.one("SELECT name FROM site") == (SITE.name,)


def test_the_manifest_says_what_it_is_and_nothing_that_is_anybodys_business(made) -> None:
    with zipfile.ZipFile(made.file) as archive:
        manifest = json.loads(archive.read("manifest.json"))
        note = archive.read("manifest.note").decode()
    assert set(manifest) == {
        *("magic", "version", "id", "site_id", "created_at", "schema_version", "program"),
        *("head", "parts", "proof"),
    }
    assert parse_head(manifest["head"]) == made.head
    assert manifest["created_at"] == "2026-03-02T06:00:00Z"
    assert note.startswith(f"evdesk backup\n{SITE.id}\nsha256 ")


def test_beside_backups_lie_the_newest_keys_of_persons_and_the_ledger(
    files, made, folder, target, data_key
) -> None:
    assert sorted(file.name for file in target.iterdir()) == sorted(
        [made.file.name, "persons.db", "erasures.jsonl"]
    )
    with zipfile.ZipFile(made.file) as archive:
        assert not {"persons.db", "erasures.jsonl"} & set(archive.namelist())
    kept = persons_in(target, data_key)
    assert list(kept.keyrings()) == [EVA.id]
    assert kept.keyrings()[EVA.id]["identity"].reveal()


def persons_in(folder: Path, data_key: Secret):
    return persons_of(folder, data_key)


def test_what_is_destroyed_in_the_site_is_gone_beside_the_backups_with_the_next_one(
    files, made, folder, target, data_key
) -> None:
    persons_in(folder, data_key).destroy(EVA.id, "identity")
    make(files, target, BackupId("B-2"))
    assert "identity" not in persons_in(target, data_key).keyring(EVA.id)
    assert "contact" in persons_in(target, data_key).keyring(EVA.id)


@pytest.mark.skipif(os.name != "posix", reason="permissions are those of POSIX")
def test_nobody_else_can_read_what_was_made(made, target) -> None:
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in target.iterdir()}
    assert set(modes.values()) == {0o600}, modes


def test_a_backup_without_the_signing_key_says_so_and_is_proven_all_the_same(
    folder, store, target, data_key
) -> None:
    issue(store)
    files = backups.SiteBackups(folder, Unsigned(data_key), FixedClock())
    unsigned = make(files, target)
    assert not unsigned.signed
    assert files.verify(unsigned.file).intact


def test_backups_are_found_newest_first_and_without_a_key(files, made, target) -> None:
    later = make(files, target, BackupId("B-2"), at(86_400))
    (target / "evdesk-site-1-20260304T060000Z-B-3.zip").write_bytes(b"cut short")
    (target / "holiday.zip").write_bytes(b"not ours")
    found = backups.find(target)
    assert [one.backup for one in found] == [None, later, made]
    assert files.find(target) == found


# -- restored and checked ----------------------------------------------------------------------


def test_a_password_of_the_backup_is_all_that_is_needed(made, folder, tmp_path) -> None:
    shutil.rmtree(folder)
    seen: list[Path] = []

    def key_of(unpacked: Path) -> Secret:
        seen.append(unpacked)
        assert os.name != "posix" or stat.S_IMODE(unpacked.stat().st_mode) == 0o700
        return keys.unlock(unpacked, None, PASSWORD).data_key

    assert backups.verify(made.file, key_of, START).intact
    assert not seen[0].exists()


def test_another_password_is_refused_and_nothing_is_left(made, files) -> None:
    seen = []

    def key_of(unpacked: Path) -> Secret:
        seen.append(unpacked)
        return keys.unlock(unpacked, None, Secret(b"another")).data_key

    with pytest.raises(WrongKey):
        backups.verify(made.file, key_of, START)
    assert not seen[0].exists()


@pytest.mark.parametrize("stage", [BackupStage.UNPACKING, BackupStage.PAGES, BackupStage.TOTALS])
def test_whoever_watches_can_end_it_and_nothing_is_left(made, files, stage, temporary) -> None:
    def stop(now: BackupStage, share: float) -> None:
        if now is stage:
            raise CancelledError

    with pytest.raises(CancelledError):
        files.verify(made.file, stop)
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("stage", [BackupStage.COPYING, BackupStage.PACKING])
def test_a_backup_that_was_ended_leaves_nothing(files, made, target, stage) -> None:
    def stop(now: BackupStage, share: float) -> None:
        if now is stage:
            raise KeyboardInterrupt

    before = sorted(target.iterdir())
    with pytest.raises(KeyboardInterrupt):
        make(files, target, BackupId("B-2"), attend=stop)
    assert sorted(target.iterdir()) == before
    assert files.verify(made.file).intact


# -- tampered with -----------------------------------------------------------------------------


@pytest.mark.parametrize("part", NAMES)
@pytest.mark.parametrize("place", [0.0, 0.37, 0.99])
def test_a_byte_that_was_changed_shows(files, made, part, place) -> None:
    """In a file that is a valid zip otherwise, as somebody who knows how would leave it."""

    def change(parts: dict[str, bytes]) -> None:
        parts[part] = flipped(parts[part], place)

    assert not files.verify(rewritten(made.file, change)).intact


@pytest.mark.parametrize("part", NAMES)
def test_a_byte_that_fell_over_shows(files, made, part) -> None:
    content = bytearray(made.file.read_bytes())
    span = where_is(made.file, part)
    content[span[len(span) // 2]] ^= 0x40
    made.file.write_bytes(content)
    assert not files.verify(made.file).intact


def test_wherever_a_byte_is_changed_the_site_that_comes_out_is_the_one_that_went_in(
    files, made, target
) -> None:
    content, chance = made.file.read_bytes(), random.Random(7)
    edge = 3_000  # the ends of the file, where the zip says what is where
    places = [*range(0, 80, 3), *(len(content) - chance.randrange(1, edge) for _ in range(40))]
    file = target / "changed.zip"
    for place in places:
        changed = bytearray(content)
        changed[place] ^= 1 << chance.randrange(8)
        file.write_bytes(changed)
        found = files.verify(file)
        if found.intact:
            assert found.backup is not None
            assert (found.backup.head, found.backup.id) == (made.head, made.id), place


@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.98, 0.9999])
def test_a_file_that_was_cut_short_is_no_backup(files, made, share) -> None:
    content = made.file.read_bytes()
    made.file.write_bytes(content[: int(len(content) * share)])
    assert "no whole backup" in problems(files, made.file)


@pytest.mark.parametrize("name", ["../../evil", "/etc/evil", "C:\\evil", "site.db/../evil", "x"])
def test_parts_that_no_backup_has_are_never_written_anywhere(files, made, name, tmp_path) -> None:
    def add(parts: dict[str, bytes]) -> None:
        parts[name] = b"evil"

    assert "other parts" in problems(files, rewritten(made.file, add))
    assert not list(tmp_path.rglob("*evil*"))


def test_a_part_that_is_there_twice_is_refused(files, made) -> None:
    with zipfile.ZipFile(made.file, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("keys.json", b"{}")
    assert "do not fit" in problems(files, made.file)


@pytest.mark.parametrize("name", ["keys.json", "site.db"])
def test_a_part_that_is_missing_is_named(files, made, name) -> None:
    assert f"no {name}" in problems(files, rewritten(made.file, lambda parts: parts.pop(name)))


def test_a_small_file_that_claims_to_be_a_large_one_is_refused(files, made) -> None:
    def grow(parts: dict[str, bytes]) -> None:
        parts["site.db"] = bytes(50_000_000)

    bomb = rewritten(made.file, grow, packed=zipfile.ZIP_DEFLATED)
    assert bomb.stat().st_size < 200_000
    assert "do not fit" in problems(files, bomb)
    content = bytearray(made.file.read_bytes())
    with zipfile.ZipFile(made.file) as archive:
        begin = archive.start_dir
    for offset in (20, 24):  # sizes in the central directory, far beyond the end of the file
        content[begin + offset : begin + offset + 4] = (0x7FFFFFFF).to_bytes(4, "little")
    made.file.write_bytes(content)
    assert "do not fit" in problems(files, made.file)


def test_a_manifest_that_was_written_anew_by_somebody_without_the_key_shows(files, made) -> None:
    def forge(parts: dict[str, bytes]) -> None:
        parts["manifest.json"] = parts["manifest.json"].replace(b"2026-03-02T06", b"2026-03-02T07")

    assert "not written by somebody who has the key" in problems(files, rewritten(made.file, forge))


def test_a_signature_that_was_taken_away_is_missed(files, made) -> None:
    changed = rewritten(made.file, lambda parts: parts.pop("manifest.note"))
    assert "signature" in problems(files, changed)


def test_a_signature_of_another_backup_does_not_fit(files, made, target) -> None:
    other = make(files, target, BackupId("B-2"), at(60))
    with zipfile.ZipFile(other.file) as archive:
        note = archive.read("manifest.note")

    def take(parts: dict[str, bytes]) -> None:
        parts["manifest.note"] = note

    assert "signature" in problems(files, rewritten(made.file, take))


def test_a_database_of_another_day_does_not_fit(files, made, store, target) -> None:
    """All of it is real and under the right key; only the parts are of two backups."""
    with writing(store) as unit:
        add_meter(unit, "later")
    other = make(files, target, BackupId("B-2"), at(60))
    with zipfile.ZipFile(other.file) as archive:
        database = archive.read("site.db")

    def take(parts: dict[str, bytes]) -> None:
        parts["site.db"] = database

    assert "digest differs" in problems(files, rewritten(made.file, take))


@pytest.mark.parametrize(
    ("sql", "sentence"),
    [
        ("UPDATE session SET energy_wh = energy_wh + 1", "The totals"),
        ("DELETE FROM audit WHERE seq = 2", "audit log"),
        ("UPDATE audit SET leaf = zeroblob(32) WHERE seq = 1", "audit log"),
        ("INSERT INTO invoice_session VALUES (99, 'nobody')", "refer to nothing"),
        ("UPDATE site SET site_id = 'site-2'", "another site's"),
    ],
)
def test_even_somebody_with_all_keys_cannot_change_what_is_in_it(
    files, folder, store, target, data_key, sql, sentence
) -> None:
    """A backup of a database that was changed behind the back of the log, made as it should be."""
    issued = make(files, target)
    with closing(raw(folder, data_key)) as connection:
        for (name,) in connection.all("SELECT name FROM sqlite_master WHERE type = 'trigger'"):
            connection.run(f"DROP TRIGGER {name}")
        connection.run("PRAGMA foreign_keys = OFF")
        connection.run(sql)
    changed = packed_as(files, issued, folder, data_key)
    assert sentence in problems(files, changed)


def packed_as(files, issued, folder: Path, data_key: Secret) -> Path:
    """Pack the present database with the totals and the head of an earlier backup."""
    with backup_file.reading(issued.file) as found:
        manifest = found.manifest
    told = backup_file.proven(data_key, manifest)
    assert told is not None
    work = folder.parent / "work"
    work.mkdir()
    with closing(raw(folder, data_key)) as source:
        backups._copy_pages(source, Place(work / "site.db", data_key, 200), lambda _: None)
    file = folder.parent / "changed.zip"
    with backup_file.Packing(file) as packing:
        parts = {
            "site.db": packing.add_file("site.db", work / "site.db", lambda _: None),
            "keys.json": packing.add_text("keys.json", (folder / "keys.json").read_bytes()),
        }
        manifest = replace(manifest, parts=parts)
        proof = sealed_again(data_key, manifest, told)
        manifest = replace(manifest, proof=proof)
        packing.add_text("manifest.json", manifest.text().encode())
        key = files._keys.signing_key
        assert key is not None
        packing.add_text("manifest.note", backup_file.signature_of(manifest, key).encode())
    return file


def sealed_again(data_key: Secret, manifest, told: dict[str, object]) -> bytes:
    nonce = bytes(12)
    about = canonical(manifest.plain()).encode()
    inside = canonical(told).encode()
    return nonce + backup_file._cipher(data_key).encrypt(nonce, inside, about)


def test_the_keys_of_another_site_do_not_open_it(files, made, tmp_path) -> None:
    other = tmp_path / "other"
    create_site(other, SITE, OWNER, PASSWORD)

    def change(parts: dict[str, bytes]) -> None:
        parts["keys.json"] = (other / "keys.json").read_bytes()

    assert "digest differs" in problems(files, rewritten(made.file, change))


def test_a_backup_of_another_site_is_refused(files, made, tmp_path) -> None:
    create_site(tmp_path / "other", replace(SITE, id="site-2"), OWNER, PASSWORD)
    others = backups_of(tmp_path / "other")
    with pytest.raises(UserError, match="another site"):
        others.verify(made.file)
    with pytest.raises(UserError, match="holds backups of another site"):
        others.check_folder(made.file.parent)


def test_a_newer_schema_and_a_newer_format_are_refused_with_what_to_do(files, made) -> None:
    schema = b'"schema_version":%d' % newest(SITE_SCHEMA)
    for old, new in ((schema, b'"schema_version":99'), (b'n":1}', b'n":2}')):

        def forged(parts: dict[str, bytes], old: bytes = old, new: bytes = new) -> None:
            parts["manifest.json"] = parts["manifest.json"].replace(old, new)

        changed = rewritten(made.file, forged)
        with pytest.raises(StorageError, match="newer than this one"):
            files.verify(changed)


# -- folders and disks -------------------------------------------------------------------------


def test_the_site_folder_and_missing_folders_are_refused(files, folder, tmp_path) -> None:
    with pytest.raises(UserError, match="folder of the site itself"):
        files.check_folder(folder)
    (tmp_path / "link").symlink_to(folder)
    with pytest.raises(UserError, match="folder of the site itself"):
        files.check_folder(tmp_path / "link")
    with pytest.raises(UserError, match="a drive that is not connected"):
        files.check_folder(tmp_path / "nowhere")
    assert files.check_folder(files.own_folder()) == folder / "backups"


def test_a_file_that_is_not_there_is_said_to_be_missing(files, tmp_path) -> None:
    with pytest.raises(UserError, match="no backup file"):
        files.verify(tmp_path / "nothing.zip")


def test_two_backups_at_once_are_one_too_many(files, target) -> None:
    with files.alone(), pytest.raises(StorageError, match="Another backup"):
        make(files, target)


def test_what_a_killed_one_left_goes_with_the_next(files, target) -> None:
    left = target / f".evdesk-{SITE.id}-4711"
    left.mkdir()
    (left / "site.db").write_bytes(b"half")
    other = target / ".evdesk-site-2-4711"
    other.mkdir()
    make(files, target)
    assert not left.exists()
    assert other.exists()


def test_keys_that_were_changed_meanwhile_make_no_backup(files, made, folder, target) -> None:
    def rotate(stage: BackupStage, share: float) -> None:
        if stage is BackupStage.PACKING:
            content = (folder / "keys.json").read_bytes()
            (folder / "keys.json").write_bytes(content + b"\n")

    before = sorted(target.iterdir())
    with pytest.raises(StorageError, match="keys of the site were changed"):
        make(files, target, BackupId("B-2"), attend=rotate)
    assert sorted(target.iterdir()) == before


def test_a_damaged_key_file_is_not_backed_up_but_its_second_copy(files, folder, target) -> None:
    (folder / "keys.json").write_text("{}")
    made = make(files, target)
    assert files.verify(made.file).intact


# -- while the site is used --------------------------------------------------------------------


def test_it_is_of_one_moment_although_others_write(files, store, target) -> None:
    with writing(store) as unit:
        meter = add_meter(unit, "busy")
    written = 0

    def write(stage: BackupStage, share: float) -> None:
        nonlocal written
        with store.journal() as unit:
            unit.readings.add([reading(meter, 20 * written + n) for n in range(20)])
        with writing(store):
            pass
        written += 1

    made = make(files, target, attend=write)
    verdict = files.verify(made.file)
    assert verdict.intact
    assert written >= 2
    assert verdict.readings == 0
    unattended(BackupStage.COPYING, 1.0)
