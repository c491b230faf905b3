"""Whatever is changed behind the log's back is found and named, by both verifiers alike.

The site is real and encrypted; whoever changes it has the key and has dropped every guard.
"""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from evdesk.storage import key_file
from evdesk.storage.anchor import ANCHOR
from evdesk.storage.connection import Connection
from evdesk.storage.row_commits import row_digest, row_text
from tests.cli.shell import Shell
from tests.end_to_end.tampering import (
    Tampered,
    append,
    entry,
    leaf_of,
    make_site,
    other_checkpoint,
    other_key,
    public_half,
    rebuild,
    rebuild_tree,
)
from tests.storage.sites import PASSWORD

MIDDLE = 3  # an entry in the middle, before both checkpoints' sizes
Report = dict[str, Any]


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Tampered:
    """A site that nobody writes to."""
    return make_site(tmp_path_factory.mktemp("tampered") / "site")


@pytest.fixture
def site(whole: Tampered, tmp_path: Path) -> Tampered:
    return replace(whole, folder=Path(shutil.copytree(whole.folder, tmp_path / "site")))


@pytest.fixture
def shell(site: Tampered, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    password = tmp_path / "password"
    password.write_bytes(PASSWORD.reveal())
    return Shell(site.folder, password, site.data_key, capsys)


def verified(shell: Shell, *options: str) -> tuple[int, Report]:
    """What evdesk audit verify says, and its exit code."""
    answer = shell.run("audit", "verify", "--json", *options)
    assert answer.out, answer.err
    return answer.code, json.loads(answer.out)


def handed_over(shell: Shell, to: Path) -> Path:
    """An unpacked bundle."""
    answer = shell.run("export", "evidence", "--out", to / "evidence.zip")
    assert answer.code == 0, answer.err
    folder = to / "evidence"
    with zipfile.ZipFile(to / "evidence.zip") as archive:
        archive.extractall(folder)
    return folder


def checked(folder: Path, *options: str) -> tuple[int, Report]:
    """What verify.py says of a bundle, and its exit code; it sees nothing of this checkout."""
    command = [sys.executable, "-I", str(folder / "verify.py"), "--json", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


# -- the mutations ---------------------------------------------------------------------------------


def edit_a_byte(_site: Tampered, db: Connection) -> int:
    db.run("UPDATE audit SET entry = replace(entry, 'owner', 'owneR') WHERE seq = ?", (MIDDLE,))
    return MIDDLE


def edit_a_byte_and_its_hash(site: Tampered, db: Connection) -> int:
    edit_a_byte(site, db)
    text = db.all("SELECT entry FROM audit WHERE seq = ?", (MIDDLE,))[0][0]
    db.run("UPDATE audit SET leaf = ? WHERE seq = ?", (leaf_of(text), MIDDLE))
    return MIDDLE


def edit_a_byte_and_all_that_follows(site: Tampered, db: Connection) -> int:
    edit_a_byte(site, db)
    rebuild(db, MIDDLE)
    return 0  # no head that is known vouches for any entry any more


def swap_two(_site: Tampered, db: Connection) -> int:
    one, two = (db.all("SELECT entry, leaf FROM audit WHERE seq = ?", (seq,))[0] for seq in (2, 9))
    sql = "UPDATE audit SET entry = ?, leaf = ? WHERE seq = ?"
    db.run(sql, (*two, 2))
    db.run(sql, (*one, 9))
    return 2


def delete_a_middle_one(_site: Tampered, db: Connection) -> int:
    db.run("PRAGMA foreign_keys = OFF")
    for table in ("audit", "audit_payload"):
        db.run(f"DELETE FROM {table} WHERE seq = ?", (MIDDLE,))
    return MIDDLE


def delete_the_tail(site: Tampered, db: Connection) -> int:
    """Delete what the newest checkpoint signs, and the anchor with it."""
    db.run("PRAGMA foreign_keys = OFF")
    for table in ("audit", "audit_payload", "row_commit", "row_salt"):
        db.run(f"DELETE FROM {table} WHERE seq >= 11")
    db.run("DELETE FROM meter WHERE id > 3")
    db.run("DELETE FROM segment WHERE socket = 2")
    db.run("DELETE FROM segment_data WHERE id NOT IN (SELECT data_id FROM segment)")
    rebuild_tree(db)
    (site.folder / ANCHOR).unlink()
    return 11


def replace_a_payload(_site: Tampered, db: Connection) -> int:
    db.run(
        "UPDATE audit_payload SET salt = ?, body = ? WHERE seq = ?",
        (os.urandom(32), '{"facts":{"wh":2}}', MIDDLE),
    )
    return MIDDLE


def take_a_payload_away(_site: Tampered, db: Connection) -> int:
    db.run("DELETE FROM audit_payload WHERE seq = ?", (MIDDLE,))
    return MIDDLE


def repeat_a_number(_site: Tampered, db: Connection) -> int:
    size = db.number("SELECT max(seq) + 1 FROM audit")
    last = db.all("SELECT entry, leaf FROM audit WHERE seq = ?", (size - 1,))[0]
    db.run("INSERT INTO audit (seq, entry, leaf) VALUES (?, ?, ?)", (size, *last))
    db.run("INSERT INTO audit_payload SELECT ?, salt, body FROM audit_payload WHERE seq = ?",
           (size, size - 1))  # fmt: skip
    rebuild_tree(db)
    return size


def forge_a_checkpoint(site: Tampered, db: Connection) -> int:
    other_checkpoint(site, db, 5, other_key())
    return 4


def change_the_key(site: Tampered, _db: Connection) -> int:
    file, _ = key_file.read_keys(site.folder)
    assert file.signing is not None
    other = public_half("", other_key()).public
    key_file.write_keys(site.folder, replace(file, signing=replace(file.signing, public=other)))
    return 0


def fork(site: Tampered, db: Connection) -> int:
    size = db.all("SELECT max(size) FROM audit_checkpoint")[0][0]
    other_checkpoint(site, db, size)
    return int(size) - 1


def change_the_order_of_fields(_site: Tampered, db: Connection) -> int:
    fields = entry(db, MIDDLE)
    text = json.dumps(dict(reversed(fields.items())), separators=(",", ":"))
    leaf = (text, leaf_of(text), MIDDLE)
    db.run("UPDATE audit SET entry = ?, leaf = ? WHERE seq = ?", leaf)
    return MIDDLE


def set_the_clock_back(site: Tampered, db: Connection) -> int:
    (site.folder / ANCHOR).unlink()
    return append(db, at="2026-03-02T05:00:00.000Z")


def change_a_row(_site: Tampered, db: Connection) -> int:
    db.run("UPDATE session SET energy_wh = energy_wh - 1000 WHERE id = 1")
    return 2


def change_a_row_and_what_is_said_of_it(_site: Tampered, db: Connection) -> int:
    db.run("UPDATE session SET energy_wh = energy_wh - 1000 WHERE id = 1")
    text, salt = row_text(db, "session", "[1]"), os.urandom(32)
    assert text is not None
    row = "WHERE table_name = 'session' AND row_key = '[1]'"
    db.run(f"UPDATE row_commit SET digest = ? {row}", (row_digest(salt, text),))
    db.run(f"UPDATE row_salt SET salt = ? {row}", (salt,))
    return 2


def take_a_row_away(_site: Tampered, db: Connection) -> int:
    db.run("DELETE FROM invoice_document")
    return 2


def add_a_row(_site: Tampered, db: Connection) -> None:
    db.run("PRAGMA foreign_keys = OFF")
    db.run("INSERT INTO tariff_assignment (tariff_id, from_at_ms) VALUES ('t', 0)")


def leave_a_row_touched(_site: Tampered, db: Connection) -> int:
    db.run("INSERT INTO touched VALUES ('session', '[1]')")
    return 2


def change_sealed_readings(_site: Tampered, db: Connection) -> int:
    db.run("UPDATE segment_data SET register = (SELECT register FROM segment_data WHERE id ="
           " (SELECT max(data_id) FROM segment WHERE bucket_ms = 60000))"
           " WHERE id = (SELECT min(data_id) FROM segment WHERE bucket_ms = 60000)")  # fmt: skip
    return 7


def take_sealed_readings_away(_site: Tampered, db: Connection) -> int:
    first = "(SELECT min(data_id) FROM segment WHERE bucket_ms = 900000)"
    data = db.number(f"SELECT {first}")
    db.run("DELETE FROM segment WHERE data_id = ?", (data,))
    db.run("DELETE FROM segment_data WHERE id = ?", (data,))
    return 10


def take_a_late_reading_away(_site: Tampered, db: Connection) -> int:
    data = db.number("SELECT data_id FROM segment WHERE socket = 2")
    db.run("DELETE FROM segment WHERE data_id = ?", (data,))
    db.run("DELETE FROM segment_data WHERE id = ?", (data,))
    return 11


def unseal(_site: Tampered, db: Connection) -> int:
    db.run("UPDATE archive SET sealed_to_ms = sealed_to_ms - 3600000")
    return 9


def change_a_node(_site: Tampered, db: Connection) -> int:
    db.run("UPDATE audit_node SET hash = zeroblob(32) WHERE level = 1 AND idx = 1")
    return MIDDLE


def lose_a_node(_site: Tampered, db: Connection) -> int:
    db.run("DELETE FROM audit_node WHERE level = 2 AND idx = 1")
    return 7


def set_a_trap(_site: Tampered, db: Connection) -> None:
    """Whatever an owner writes, something else stands there: the entry commits to the forgery."""
    db.run(
        "CREATE TRIGGER trap AFTER INSERT ON issuer WHEN NEW.iban IS NOT 'DE02'"
        " BEGIN UPDATE issuer SET iban = 'DE02' WHERE id = NEW.id; END"
    )


@dataclass(frozen=True)
class Mutation:
    """A change with its code; not every one shows in a bundle."""

    change: Callable[[Tampered, Connection], int | None]
    what: str
    in_bundle: bool = True

    def __str__(self) -> str:
        return self.change.__name__


MUTATIONS = (
    Mutation(edit_a_byte, "entry_changed"),
    Mutation(edit_a_byte_and_its_hash, "entry_changed"),
    Mutation(edit_a_byte_and_all_that_follows, "rolled_back"),
    Mutation(swap_two, "order"),
    Mutation(delete_a_middle_one, "entry_missing"),
    Mutation(delete_the_tail, "rolled_back"),
    Mutation(replace_a_payload, "payload_changed"),
    Mutation(take_a_payload_away, "payload_changed"),
    Mutation(repeat_a_number, "order"),
    Mutation(forge_a_checkpoint, "checkpoint_forged"),
    Mutation(change_the_key, "key_changed"),
    Mutation(fork, "checkpoint_fork"),
    Mutation(change_the_order_of_fields, "entry_changed"),
    Mutation(set_the_clock_back, "clock"),
    Mutation(change_a_row, "row_changed"),
    Mutation(change_a_row_and_what_is_said_of_it, "row_changed"),
    Mutation(take_a_row_away, "row_missing"),
    Mutation(add_a_row, "row_unknown"),
    Mutation(leave_a_row_touched, "row_changed"),
    Mutation(change_sealed_readings, "segment_changed"),
    Mutation(take_sealed_readings_away, "segment_changed"),
    Mutation(take_a_late_reading_away, "segment_changed"),
    Mutation(unseal, "segment_changed"),
    Mutation(change_a_node, "node_changed", in_bundle=False),
    Mutation(lose_a_node, "node_changed", in_bundle=False),
    Mutation(set_a_trap, "file_changed"),
)


def test_a_site_that_nobody_changed_is_intact_to_both(shell: Shell, tmp_path: Path) -> None:
    code, report = verified(shell)
    assert (code, report["result"], report["findings"]) == (0, "intact", [])
    assert report["erased"] == report["clock_set_back"] == 1
    assert report["verified"] == report["entries"] - 1
    assert report["unproven_segments"] == 0
    code, other = checked(handed_over(shell, tmp_path))
    assert (code, other["result"], other["findings"]) == (0, "intact", [])
    same = {"rows", "segments", "erased", "clock_set_back", "unproven_segments"}
    assert {name: report[name] for name in same} == {name: other[name] for name in same}


@pytest.mark.parametrize("mutation", MUTATIONS, ids=str)
def test_a_change_is_found_and_named(
    mutation: Mutation, site: Tampered, shell: Shell, tmp_path: Path
) -> None:
    with site.unguarded() as db:
        first = mutation.change(site, db)
    code, report = verified(shell)
    assert (code, report["result"]) == (1, "tampered")
    assert mutation.what in {one["what"] for one in report["findings"]}
    assert (report["what"], report["first_bad_seq"]) == (mutation.what, first)
    assert not report["recorded"]
    if mutation.in_bundle:
        code, other = checked(handed_over(shell, tmp_path))
        assert (code, other["what"], other["first_bad_seq"]) == (1, mutation.what, first)


@pytest.mark.parametrize("change", [edit_a_byte, delete_the_tail, change_a_row, lose_a_node])
def test_verifying_changes_no_verdict(
    change: Callable[[Tampered, Connection], int], site: Tampered, shell: Shell
) -> None:
    with site.unguarded() as db:
        change(site, db)
    said = [verified(shell) for _ in range(3)]
    assert len({(code, one["what"], one["first_bad_seq"]) for code, one in said}) == 1
