"""Accounts and keys as a script uses them."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from evdesk.cli.context import read_password
from evdesk.domain.secrets import Secret
from evdesk.storage import keys
from evdesk.storage.unlock_attempts import ATTEMPTS
from tests.cli.shell import ROOT, Answer, Shell, fails

CODE = re.compile(r"[0-9A-Z]{5}(-[0-9A-Z]{5}){6}")


@pytest.fixture
def bens(tmp_path: Path) -> Path:
    file = tmp_path / "ben"
    file.write_text("biber polka lampe\n")
    return file


def as_ben(shell: Shell, bens: Path, *arguments: object) -> Answer:
    return shell.bare("--site", shell.folder, "--password-file", bens, "--user", "Ben", *arguments)


def add_ben(shell: Shell, bens: Path, role: str = "staff") -> dict[str, object]:
    ben: dict[str, object] = shell.json(
        "account", "add", "Ben", "--role", role, "--new-password-file", bens
    )
    return ben


def test_an_account_is_added_listed_and_taken_away(shell: Shell, bens: Path) -> None:
    ben = add_ben(shell, bens)
    assert (ben["name"], ben["role"], ben["removed_at"]) == ("Ben", "staff", None)
    assert as_ben(shell, bens, "info").code == 0
    rows = {row["name"]: row for row in shell.json("account", "list")}
    assert set(rows) == {"Ada", "Ben"}
    assert rows["Ben"]["slots"] == ["password"]
    assert rows["Ben"]["last_login_at"] is not None
    assert (rows["Ada"]["you"], rows["Ben"]["you"]) == (True, False)
    shell.refused(2, "Nobody can be asked here", "account", "remove", "Ben")
    removed = shell.json("account", "remove", "Ben", "--yes")
    assert (removed["id"], removed["removed_at"] is None) == (ben["id"], False)
    answer = as_ben(shell, bens, "info")
    assert answer.code == 4
    fails(answer, "No key of this site belongs to that account")
    time.sleep(1)
    listed = shell.json("account", "list", "--removed")
    assert [row["slots"] for row in listed] == [["password"], []]
    assert [row["name"] for row in shell.json("account", "list")] == ["Ada"]


def test_staff_may_not_touch_accounts_but_their_own_password(
    shell: Shell, bens: Path, tmp_path: Path
) -> None:
    add_ben(shell, bens)
    for command in (
        ("add", "Cleo", "--role", "owner", "--new-password-file", bens),
        ("passwd", "Ada", "--new-password-file", bens),
        ("rotate",),
    ):
        answer = as_ben(shell, bens, "account", *command)
        assert answer.code == 3
        fails(answer, "This is not for staff accounts")
    other = tmp_path / "other"
    other.write_text("kaktus mambo 99 zug")
    assert as_ben(shell, bens, "account", "passwd", "--new-password-file", other).code == 0
    assert as_ben(shell, other, "info").code == 0
    assert as_ben(shell, bens, "info").code == 4


def test_a_password_is_set_for_oneself_and_by_an_owner_for_others(
    shell: Shell, bens: Path, tmp_path: Path
) -> None:
    add_ben(shell, bens)
    other, adas = tmp_path / "other", tmp_path / "ada"
    other.write_text("kaktus mambo 99 zug\n")
    adas.write_text("laterne igel 7 tanz\n")
    assert shell.json("account", "passwd", "Ben", "--new-password-file", other)["name"] == "Ben"
    assert as_ben(shell, other, "info").code == 0
    assert shell.json("account", "passwd", "--new-password-file", adas)["name"] == "Ada"
    shell.refused(4, "does not open", "--user", "Ada", "info")
    shell.password_file = adas
    shell.refused(2, "no account Nix", "account", "passwd", "Nix", "--new-password-file", bens)


def test_a_new_password_comes_from_a_file_of_its_own_and_is_no_easy_one(
    shell: Shell, tmp_path: Path
) -> None:
    add = ("account", "add", "Ben", "--role", "staff")
    shell.refused(2, "name a file with --new-password-file", *add)
    weak = tmp_path / "weak"
    weak.write_text("hunter2")
    shell.refused(2, "at least 8 characters", *add, "--new-password-file", weak)
    weak.write_text("hunter2hunter2")
    shell.refused(2, "too easy to guess. Repeats like", *add, "--new-password-file", weak)
    shell.refused(2, "There is no 'boss' for --role", "account", "add", "Ben", "--role", "boss")


@pytest.mark.parametrize(("demo", "code"), [((), 2), (("--demo",), 0)])
def test_only_a_demo_site_takes_any_password(
    shell: Shell, tmp_path: Path, demo: tuple[str, ...], code: int
) -> None:
    weak = tmp_path / "weak"
    weak.write_text("x")
    common = ("--site", tmp_path / "new", "--password-file", weak)
    answer = shell.bare(*common, "init", "--owner", "Ada", "--tz", "UTC", *demo)
    assert answer.code == code
    assert (tmp_path / "new").exists() is (code == 0)


def test_a_recovery_code_is_printed_once_and_the_old_one_opens_nothing(
    shell: Shell, tmp_path: Path
) -> None:
    first = shell.json("account", "recovery-code")["recovery_code"]
    assert CODE.fullmatch(first)
    text = shell.text("account", "recovery-code")
    second = CODE.search(text)
    assert second
    assert "destroy it" in text
    shell.password_file.write_text(second[0].lower())
    assert shell.run("info").code == 0
    shell.password_file.write_text(first)
    shell.refused(4, "recovery code does not open this site", "info")


def test_a_recovery_code_with_a_slip_in_it_is_no_failed_unlock(shell: Shell) -> None:
    code = shell.json("account", "recovery-code")["recovery_code"]
    for slip in ("0" if code[0] != "0" else "1", "U"):
        shell.password_file.write_text(slip + code[1:])
        answer = shell.run("info")
        assert answer.code == 4
        fails(answer, "This is a recovery code with a letter mistyped")
        assert not (shell.folder / ATTEMPTS).exists()
    shell.password_file.write_text(code)
    assert shell.run("info").code == 0


def test_an_auditor_reveals_a_driver_and_a_document_with_a_reason(
    shell: Shell, bens: Path, tmp_path: Path
) -> None:
    add_ben(shell, bens, "auditor")
    (driver,) = shell.json("driver", "list")
    reason = ("--reason", "compare with the contract")
    assert driver["name"] not in as_ben(shell, bens, "driver", "list").out
    shown = as_ben(shell, bens, "--json", "driver", "reveal", driver["id"], *reason)
    assert (shown.code, shown.err) == (0, "")
    assert json.loads(shown.out)["name"] == driver["name"]
    refused = as_ben(shell, bens, "driver", "reveal", driver["id"], "--reason", " ")
    assert refused.code == 2
    missing = as_ben(shell, bens, "invoice", "reveal", "I-1", "--out", tmp_path / "a.pdf", *reason)
    assert missing.code == 2
    fails(missing, "I-1")
    (entry,) = shell.json("audit", "list", "--action", "person.revealed")
    assert (entry["actor_name"], entry["reason"]) == ("Ben", "compare with the contract")


def test_a_new_data_key_leaves_passwords_and_the_log_as_they_are(shell: Shell, bens: Path) -> None:
    add_ben(shell, bens)
    before = shell.json("session", "list")
    rotated = shell.json("account", "rotate")
    assert rotated["collector"] == "stopped"
    assert as_ben(shell, bens, "info").code == 0
    assert shell.json("session", "list") == before
    assert shell.json("audit", "verify")["result"] == "intact"
    assert "rotate" in shell.text("account", "remove", "Ben", "--yes")


def test_removing_somebody_offers_a_new_key_or_makes_it_at_once(shell: Shell, bens: Path) -> None:
    add_ben(shell, bens)
    data_key = keys.unlock(shell.folder, None, shell_password(shell)).data_key.reveal()
    told = shell.text("account", "remove", "Ben", "--yes", "--rotate")
    assert "destroy those that are not needed" in told
    assert keys.unlock(shell.folder, None, shell_password(shell)).data_key.reveal() != data_key
    entries = shell.json("audit", "list")
    assert [entry["action"] for entry in entries if entry["action"].startswith("account.")] == [
        "account.rotated",
        "account.removed",
        "account.added",
    ]


def shell_password(shell: Shell) -> Secret:
    return read_password(shell.password_file)


def test_without_a_keyring_of_the_system_none_is_used(shell: Shell) -> None:
    shell.refused(2, "keyring", "account", "keyring", "on")
    assert shell.json("account", "keyring", "off") == {"keyring": "off"}


def test_a_collector_without_a_password_uses_the_service_key(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if sys.platform != "linux":
        pytest.skip("the folder of settings is set by the environment on Linux alone")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    answer = shell.bare("--site", shell.folder, "collect", "--seconds", "0.1")
    assert answer.code == 2
    text = shell.text("account", "service", "on")
    assert "Whoever takes this PC" in text
    assert str(tmp_path / "config" / "evdesk" / "service") in text
    assert shell.bare("--site", shell.folder, "collect", "--seconds", "0.1").code == 0
    assert shell.bare("--site", shell.folder, "info").code == 2  # it is the collector's alone
    assert shell.json("account", "service", "off") == {"service": "off", "folder": None}
    assert shell.bare("--site", shell.folder, "collect", "--seconds", "0.1").code == 2


def test_failed_unlocks_are_in_the_log_with_the_next_that_does_not_fail(shell: Shell) -> None:
    right = shell.password_file.read_text()
    shell.password_file.write_text("wrong")
    shell.refused(4, "password does not open", "info")
    shell.refused(4, "password does not open", "info")
    counted = json.loads((shell.folder / ATTEMPTS).read_text())
    assert counted["count"] == 2
    time.sleep(2)
    shell.password_file.write_text(right)
    entries = shell.json("audit", "list")
    failed, opened = entries[1], entries[0]
    assert (failed["action"], failed["actor"], failed["outcome"]) == (
        "login.failed",
        "evdesk",
        "failed",
    )
    assert (opened["action"], opened["outcome"]) == ("login.ok", "ok")
    assert not (shell.folder / ATTEMPTS).exists()


def test_a_rotation_starts_the_collector_again(shell: Shell) -> None:
    with shell.start("collect") as collector:
        assert collector.stdout is not None
        until = time.monotonic() + 30
        while shell.json("info")["collector"] != "running":
            assert time.monotonic() < until
        first = shell.json("info")["pid"]
        with shell.start("account", "rotate", "--json") as rotation:
            answer, _ = rotation.communicate(timeout=60)
        assert json.loads(answer)["collector"] == "restarted"
        collector.communicate(timeout=30)
    until = time.monotonic() + 30
    while shell.json("info")["collector"] != "running":
        assert time.monotonic() < until
    second = shell.json("info")["pid"]
    assert second != first
    shell.json("collect", "--stop")
    while alive(second):
        assert time.monotonic() < until
        time.sleep(0.1)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False, cwd=ROOT
    )
    return not status.stdout.strip().startswith("Z")
