"""Backups on the command line: what scripts rely on, real processes, and what is refused."""

import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest

from evdesk.storage.site_folder import create_site
from evdesk.storage.unlock_attempts import ATTEMPTS
from tests.cli.shell import ROOT, Shell, fails
from tests.cli.test_processes import ended, wait_for_collector
from tests.services.desk import OWNER, PASSWORD, SITE

BACKUP_FIELDS = {
    *("id", "file", "site_id", "created_at", "bytes", "schema_version", "program", "head"),
    "signed",
}


@pytest.fixture
def usb(tmp_path: Path) -> Path:
    folder = tmp_path / "usb"
    folder.mkdir()
    return folder


@pytest.fixture
def backup(shell: Shell, usb: Path) -> dict[str, Any]:
    answer: dict[str, Any] = shell.json("backup", "create", "--to", usb)
    return answer


def bare(shell: Shell, *arguments: object) -> Any:
    """Run without a site, as on a new computer."""
    common = ("--password-file", shell.password_file, "--json")
    answer = shell.bare(*common, *arguments)
    assert (answer.code, answer.err) == (0, ""), answer
    return json.loads(answer.out)


# -- answers -----------------------------------------------------------------------------------


def test_what_create_answers(shell: Shell, usb: Path, backup: dict[str, Any]) -> None:
    assert set(backup) == BACKUP_FIELDS | {"verified", "problems", "removed", "same_disk"}
    assert Path(backup["file"]).parent == usb
    assert backup["bytes"] == Path(backup["file"]).stat().st_size
    assert (backup["verified"], backup["problems"], backup["removed"]) == (True, [], [])
    assert (backup["site_id"], backup["signed"]) == (SITE.id, True)
    assert backup["created_at"].endswith("Z")
    size, _, root = backup["head"].partition(":")
    assert int(size) > 1
    assert root


def test_a_backup_on_the_disk_of_the_site_says_that_it_is_lost_with_it(shell: Shell) -> None:
    assert "on the same disk as the site" in shell.text("backup", "create")
    assert shell.json("backup", "create")["same_disk"]
    assert "choose another disk with --to" in shell.text("backup", "schedule")


def test_what_verify_answers(shell: Shell, backup: dict[str, Any]) -> None:
    answer = bare(shell, "backup", "verify", backup["file"])
    assert set(answer) == BACKUP_FIELDS | {
        *("intact", "problems", "entries", "readings", "months", "own_password"),
    }
    assert (answer["intact"], answer["problems"]) == (True, [])
    assert answer["entries"] == int(backup["head"].split(":")[0])
    (month,) = answer["months"]
    assert month == {
        "month": "2026-03",
        "sessions": 4,
        "energy_wh": 12_000 + 7_300 + 5_000,
        "invoices": 0,
        "gross": {},
    }
    text = shell.bare("--password-file", shell.password_file, "backup", "verify", backup["file"])
    assert "holds: every page" in text.out
    assert "2026-03" in text.out


def test_what_list_answers(shell: Shell, usb: Path, backup: dict[str, Any]) -> None:
    assert shell.json("backup", "list") == []
    (found,) = bare(shell, "backup", "list", "--in", usb)
    assert {name: found[name] for name in BACKUP_FIELDS} == {n: backup[n] for n in BACKUP_FIELDS}
    assert found["readable"]
    shell.json("backup", "create")
    (own,) = shell.json("backup", "list")
    assert own["verified"]
    (usb / "evdesk-S-1-20260101T000000Z-B-00000000.zip").write_bytes(b"half")
    assert [one["readable"] for one in bare(shell, "backup", "list", "--in", usb)] == [True, False]


def test_what_schedule_answers(shell: Shell, usb: Path) -> None:
    assert shell.json("backup", "schedule")["state"] == "undecided"
    wanted = ("--to", usb, "--at", "02:30", "--keep-days", "7")
    answer = shell.json("backup", "schedule", *wanted)
    assert answer == {
        "id": SITE.id,
        "state": "on",
        "folder": str(usb),
        "at": "02:30",
        "keep_days": 7,
        "last_made_at": None,
    }
    assert shell.json("backup", "schedule") == answer
    assert shell.json("backup", "schedule", "--off")["state"] == "off"


def test_what_restore_answers(shell: Shell, tmp_path: Path, backup: dict[str, Any]) -> None:
    new = tmp_path / "new"
    answer = bare(shell, "backup", "restore", backup["file"], "--to", new)
    assert set(answer) == {
        *("id", "site_id", "folder", "created_at", "kept_aside", "kept_keys", "persons"),
        *("persons_at", "erased_again", "head", "signed", "last_invoices"),
    }
    assert (answer["folder"], answer["kept_aside"]) == (str(new), None)
    assert answer["persons"] == "backup_folder"
    assert len(bare(shell, "--site", new, "driver", "list")) == 1
    assert bare(shell, "--site", new, "info")["sessions"] == 4
    verdict = bare(shell, "--site", new, "audit", "verify", "--anchor", backup["head"])
    assert verdict["entries"] >= 6
    text = shell.bare(
        *("--password-file", shell.password_file, "backup", "restore", backup["file"]),
        *("--to", tmp_path / "another"),
    )
    assert "whoever was removed since can get in again" in text.out
    assert "their numbers would be given away again" in text.out


# -- refused -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        ("backup create --to /nowhere/at/all", "There is no folder"),
        ("backup verify nothing.zip", "There is no backup file"),
        ("backup restore nothing.zip --to new", "There is no backup file"),
        ("backup schedule --at 25:00", "A time of day is from 00:00 to 23:59"),
        ("backup schedule --at 9", "write a time of day like 02:30"),
        ("backup schedule --keep-days 0", "0 is neither"),
        ("backup restore x.zip --to y --last-invoice 17", "write it as on the invoice"),
    ],
)
def test_a_request_that_cannot_be_is_refused(shell: Shell, command: str, sentence: str) -> None:
    shell.refused(2, sentence, *command.split())


def test_the_site_folder_is_no_place_for_backups(shell: Shell) -> None:
    shell.refused(2, "the folder of the site itself", "backup", "create", "--to", shell.folder)


def test_a_backup_that_was_changed_says_so_with_exit_code_1(
    shell: Shell, backup: dict[str, Any], tmp_path: Path
) -> None:
    file = Path(backup["file"])
    content = bytearray(file.read_bytes())
    content[len(content) // 3] ^= 1
    file.write_bytes(content)
    answer = shell.bare("--password-file", shell.password_file, "--json", "backup", "verify", file)
    assert answer.code == 1
    data = json.loads(answer.out)
    assert not data["intact"]
    assert "site.db" in data["problems"][0]
    new = tmp_path / "new"
    refused = shell.bare(
        "--password-file", shell.password_file, "backup", "restore", file, "--to", new
    )
    assert refused.code == 2
    fails(refused, "nothing was restored")
    assert not new.exists()


def test_a_wrong_password_opens_no_backup(
    shell: Shell, backup: dict[str, Any], tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("wrong")
    for verb in (("verify", backup["file"]), ("restore", backup["file"], "--to", tmp_path / "new")):
        answer = shell.bare("--password-file", wrong, "backup", *verb)
        assert answer.code == 4
        fails(answer, "does not open this site")
    assert not (tmp_path / "new").exists()


def test_without_keys_of_persons_or_a_ledger_somebody_has_to_say_so(
    shell: Shell, backup: dict[str, Any], usb: Path, tmp_path: Path
) -> None:
    restore = ("backup", "restore", backup["file"], "--to", tmp_path / "new")
    common = ("--password-file", shell.password_file)
    (usb / "persons.db").rename(usb / "away")
    answer = shell.bare(*common, *restore)
    assert answer.code == 2
    fails(answer, "--without-persons")
    (usb / "erasures.jsonl").unlink()
    answer = shell.bare(*common, *restore, "--without-persons")
    assert answer.code == 2
    fails(answer, "--without-ledger")
    text = shell.bare(*common, *restore, "--without-persons", "--without-ledger")
    assert text.code == 0
    assert "cannot be read any more" in text.out
    names = [one["name"] for one in bare(shell, "--site", tmp_path / "new", "driver", "list")]
    assert names == [one["id"] for one in shell.json("driver", "list")]


def test_old_keys_of_persons_are_said_to_be_old(
    shell: Shell, backup: dict[str, Any], usb: Path, tmp_path: Path
) -> None:
    week = time.time() - 8 * 86_400
    os.utime(usb / "persons.db", (week, week))
    text = shell.bare(
        *("--password-file", shell.password_file, "backup", "restore", backup["file"]),
        *("--to", tmp_path / "new"),
    )
    assert "who was erased since has come back" in text.out


def test_a_site_is_replaced_only_when_somebody_says_so(
    shell: Shell, backup: dict[str, Any]
) -> None:
    shell.json("driver", "add", "--name", "Late")
    restore = ("backup", "restore", backup["file"], "--to", shell.folder)
    shell.refused(2, "are not in it. The present site is kept aside. Nobody can be asked", *restore)
    answer = shell.json(*restore, "--yes")
    assert Path(answer["kept_aside"]).is_dir()
    assert answer["kept_keys"]
    assert len(shell.json("driver", "list")) == 1
    actions = [entry["action"] for entry in shell.json("audit", "list")]
    assert actions.count("site.restored") == 1


def test_a_demo_site_is_backed_up_by_hand_only(shell: Shell, tmp_path: Path) -> None:
    from dataclasses import replace

    folder = tmp_path / "demo"
    create_site(folder, replace(SITE, demo=True), OWNER, PASSWORD)
    common = ("--site", folder, "--password-file", shell.password_file)
    answer = shell.bare(*common, "backup", "schedule", "--at", "01:00")
    assert answer.code == 2
    fails(answer, "This is a demo site")
    backup = bare(shell, "--site", folder, "backup", "create")
    new = tmp_path / "new"
    bare(shell, "backup", "restore", backup["file"], "--to", new)
    assert bare(shell, "--site", new, "info")["demo"]


# -- real processes ----------------------------------------------------------------------------


def test_a_collector_makes_the_backup_that_is_due_and_restoring_it_ends_the_collector(
    shell: Shell, usb: Path
) -> None:
    shell.json("backup", "schedule", "--to", usb, "--at", "00:00")
    with ended(shell.start("collect", "--json")) as collector:
        wait_for_collector(shell)
        until_s = time.monotonic() + 30
        while shell.json("backup", "schedule")["last_made_at"] is None:
            assert time.monotonic() < until_s
            time.sleep(0.2)
        (found,) = shell.json("backup", "list")
        assert found["verified"]
        shell.json("backup", "restore", found["file"], "--to", shell.folder, "--yes")
        out, err = collector.communicate(timeout=20)
    assert (collector.returncode, err) == (0, "")
    assert json.loads(out)["commits"] > 0
    assert shell.json("info")["collector"] == "stopped"
    assert shell.json("fault", "list", "--open") == []


def test_a_backup_is_of_one_moment_while_a_collector_writes(shell: Shell, usb: Path) -> None:
    with ended(shell.start("collect")) as collector:
        wait_for_collector(shell)
        for _ in range(3):
            assert shell.json("backup", "create", "--to", usb)["verified"]
        collector.send_signal(signal.SIGTERM)
        collector.communicate(timeout=20)
    assert [one["readable"] for one in bare(shell, "backup", "list", "--in", usb)] == [True] * 3


@pytest.mark.skipif(os.name != "posix", reason="signals are those of POSIX")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_verification_that_is_told_to_end_leaves_nothing(
    shell: Shell, usb: Path, tmp_path: Path, number: signal.Signals
) -> None:
    """Told of its progress, it stands still, so that it is met in the middle of its work."""
    file = Path(shell.json("backup", "create", "--to", usb)["file"])
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    command = [sys.executable, "-c", SLOWLY, str(shell.password_file), str(file)]
    with ended(
        subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(temporary)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "begun\n", child.communicate()
        (scratch,) = temporary.iterdir()
        assert scratch.stat().st_mode & 0o777 == 0o700
        child.send_signal(number)
        _, err = child.communicate(timeout=20)
    assert (child.returncode, err) == (130, "")
    assert list(temporary.iterdir()) == []


SLOWLY = """
import signal, sys, time
from evdesk.cli.main import run
from evdesk.cli.output import Output
signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell in the background ignores
def slow(self, share, text=""):
    sys.stdout.write("begun\\n")
    sys.stdout.flush()
    time.sleep(20)
Output.progress = slow
sys.exit(run(["--password-file", sys.argv[1], "backup", "verify", sys.argv[2]]))
"""


def test_nothing_of_people_is_readable_in_a_backup_or_left_anywhere(
    shell: Shell, usb: Path, tmp_path: Path
) -> None:
    """A byte search of the backup folder, the site, and all that was in the temporary folder."""
    names = [f"Xanthippe{n:02d} Planted" for n in range(20)]
    for name in names:
        shell.json("driver", "add", "--name", name, "--email", f"{name[:11].lower()}@planted.test")
    watched = tmp_path / "temporary"
    watched.mkdir()
    code = (
        "import sys, shutil, tempfile\n"
        "from pathlib import Path\n"
        "from evdesk.cli.main import run\n"
        "from evdesk.cli.output import Output\n"
        "kept, seen = Path(sys.argv[1]), []\n"
        "def copy(self, share, text=''):\n"
        "    for file in [*Path(sys.argv[2]).rglob('*'), *Path(sys.argv[3]).rglob('*')]:\n"
        "        if file.is_file() and file.name != '.lock':\n"
        "            shutil.copy(file, kept / f'{len(seen)}-{file.name}')\n"
        "            seen.append(file)\n"
        "Output.progress = copy\n"
        "sys.exit(run(sys.argv[4:]))\n"
    )
    kept = tmp_path / "kept"
    kept.mkdir()
    arguments = [*shell.common(), "backup", "create", "--to", str(usb), "--json"]
    done = subprocess.run(
        [sys.executable, "-c", code, str(kept), str(watched), str(usb), *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(watched)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    copies = list(kept.iterdir())
    assert {"site.db", "keys.json", "persons.db"} <= {one.name.split("-")[-1] for one in copies}
    needles = [*names, "xanthippe", "planted.test", PASSWORD.reveal().decode(), "Kim Lee"]
    needles += [shell.data_key.reveal().hex()]
    folders = (kept, usb, shell.folder, watched)
    for file in (file for folder in folders for file in folder.rglob("*") if file.is_file()):
        content = file.read_bytes()
        assert shell.data_key.reveal() not in content, file
        for needle in needles:
            assert needle.encode() not in content, (file, needle)
    with zipfile.ZipFile(next(usb.glob("*.zip"))) as archive:
        manifest = archive.read("manifest.json")
    assert b"24300" not in manifest  # what was charged in a month is nobody's business either


# -- after the key was changed --------------------------------------------------------------------


@pytest.fixture
def new_words(tmp_path: Path) -> Path:
    """A password that is set after the backup was made."""
    file = tmp_path / "new-words.txt"
    file.write_text("violet kettle seven orchard")
    return file


def last_verified(shell: Shell) -> list[str]:
    entries = shell.json("audit", "list")
    return [entry["outcome"] for entry in entries if entry["action"] == "backup.verified"]


def test_a_backup_from_before_a_new_key_is_checked_with_the_password_that_is_given(
    shell: Shell, backup: dict[str, Any]
) -> None:
    shell.json("account", "rotate")
    answer = shell.run("backup", "verify", backup["file"])
    assert (answer.code, answer.err) == (0, "Checked with its own password.\n")
    assert "holds: every page" in answer.out
    assert last_verified(shell) == ["ok", "ok"]


def test_a_backup_from_before_a_new_key_and_password_asks_for_that_of_then(
    shell: Shell, backup: dict[str, Any], new_words: Path, tmp_path: Path
) -> None:
    then = tmp_path / "then.txt"
    then.write_bytes(shell.password_file.read_bytes())
    shell.json("account", "rotate")
    shell.json("account", "passwd", "--new-password-file", new_words)
    shell.password_file.write_bytes(new_words.read_bytes())
    said = "was made before the key was changed on 20"
    answer = shell.run("backup", "verify", backup["file"])
    assert answer.code == 4
    fails(answer, said)
    assert last_verified(shell) == ["ok"]
    verify = ("backup", "verify", backup["file"], "--backup-password-file")
    answer = shell.run(*verify, new_words)
    assert answer.code == 4
    fails(answer, said)
    answer = shell.run(*verify, then)
    assert (answer.code, answer.err) == (0, "Checked with its own password.\n")
    assert last_verified(shell) == ["ok", "ok"]


def test_an_old_password_checks_an_old_backup_and_is_no_failed_unlock(
    shell: Shell, backup: dict[str, Any], new_words: Path
) -> None:
    shell.json("account", "passwd", "--new-password-file", new_words)
    answer = shell.run("backup", "verify", backup["file"])
    told = "Checked with its own password: the log of the site does not tell of it.\n"
    assert (answer.code, answer.err) == (0, told)
    assert not (shell.folder / ATTEMPTS).exists()
    shell.password_file.write_text("neither of then nor of today")
    wrong = shell.run("backup", "verify", backup["file"])
    assert wrong.code == 4
    fails(wrong, "does not open this site")
    assert (shell.folder / ATTEMPTS).exists()


def test_a_changed_backup_from_before_a_new_key_is_still_a_changed_one(
    shell: Shell, backup: dict[str, Any]
) -> None:
    shell.json("account", "rotate")
    file = Path(backup["file"])
    content = bytearray(file.read_bytes())
    content[len(content) // 3] ^= 1
    file.write_bytes(content)
    answer = shell.run("backup", "verify", file)
    assert answer.code == 1
    assert "does NOT hold" in answer.out
    assert last_verified(shell) == ["failed", "ok"]
