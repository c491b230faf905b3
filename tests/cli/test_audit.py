"""``audit`` and ``export evidence`` as scripts and people see them."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

from evdesk.cli.main import run
from evdesk.domain import notes
from evdesk.storage.anchor import ANCHOR
from tests.cli.shell import Shell


def test_entries_are_listed_newest_first(shell: Shell) -> None:
    found = shell.json("audit", "list")
    assert [one["seq"] for one in found] == list(range(len(found)))[::-1]
    fields = {"seq", "at", "actor", "actor_name", "action", "object", "outcome", "reason", "facts"}
    assert fields == set(found[0])
    begun = found[-1]
    assert (begun["action"], begun["outcome"]) == ("log.begun", "ok")
    assert begun["at"].endswith("Z")
    drivers = shell.json("audit", "list", "--action", "driver", "--limit", "1")
    assert [one["object"].split("/")[0] for one in drivers] == ["driver"]
    assert shell.json("audit", "list", "--actor", "Ada", "--object", drivers[0]["object"])
    assert "No entry fits." in shell.text("audit", "list", "--object", "nix")
    assert "log.begun" in shell.text("audit", "list")


def test_an_entry_is_shown_and_proven(shell: Shell, tmp_path: Path) -> None:
    signed = shell.json("audit", "checkpoint")
    assert notes.parse(signed["note"]).head.size == signed["size"]
    assert shell.text("audit", "checkpoint").startswith("evdesk/")
    proof = tmp_path / "2.tlog-proof"
    shown = shell.json("audit", "show", "2", "--proof", proof)
    assert (shown["seq"], shown["included"], shown["payload"]) == (2, True, "kept")
    assert json.loads(shown["entry"])["seq"] == 2
    assert proof.read_text().startswith("c2sp.org/tlog-proof@v1\nindex 2\n")
    shell.refused(2, "There is no entry 999", "audit", "show", "999")


def test_a_log_that_is_intact_says_so(shell: Shell) -> None:
    found = shell.json("audit", "verify")
    assert (found["result"], found["what"], found["first_bad_seq"]) == ("intact", None, None)
    assert found["entries"] == found["verified"] > 5
    assert found["erased"] == 0
    assert found["newest_checkpoint_at"] is None
    assert found["unsigned_tail"] == found["entries"]
    assert found["signed_size"] == found["entries"] + 1
    told = shell.text("audit", "verify")
    assert told.startswith("All of it is as it was written.")
    again = shell.json("audit", "verify")
    assert again["unsigned_tail"] == 1  # that it was opened just now
    assert again["newest_checkpoint_at"].endswith("Z")


def test_an_anchor_is_typed_from_paper_or_read_from_a_file(shell: Shell, tmp_path: Path) -> None:
    signed = shell.json("audit", "checkpoint")
    typed = f"{signed['size']}:{signed['root']}"
    note, letter = tmp_path / "note", tmp_path / "letter"
    note.write_text(signed["note"])
    letter.write_text(f"Dear auditor,\nAudit log: {typed}\n")
    anchor = tmp_path / "anchor"
    anchor.write_bytes((shell.folder / ANCHOR).read_bytes())
    for given in (typed, note, letter, anchor):
        assert shell.run("audit", "verify", "--anchor", given).code == 0
    wrong = f"{signed['size']}:{notes.encoded(bytes(32))}"
    answer = shell.run("audit", "verify", "--anchor", typed, "--anchor", wrong)
    assert answer.code == 1
    assert "rolled_back" in answer.out
    for text, sentence in (
        (typed[:-2], "neither a head"),
        ("nowhere.json", "neither a head"),
        (str(shell.password_file), "There is no head in"),
    ):
        refused = shell.run("audit", "verify", "--anchor", text)
        assert (refused.code, refused.out) == (2, "")
        assert sentence in refused.err


def test_a_site_without_its_anchor_cannot_be_told_intact(shell: Shell) -> None:
    """Opening it writes an entry, and with it the anchor: so this is seen at the very moment."""
    (shell.folder / ANCHOR).unlink()
    (shell.folder / ANCHOR).mkdir()  # nothing can take its place
    answer = shell.run("audit", "verify", "--json")
    found = json.loads(answer.out)
    assert (answer.code, found["result"], found["doubts"]) == (
        2,
        "unverifiable",
        ["anchor_missing"],
    )
    assert not found["recorded"]


def test_there_is_nothing_to_explain_in_a_log_that_is_whole(shell: Shell) -> None:
    shell.refused(2, "nothing to explain", "audit", "explain", "--reason", "why not")


def test_evidence_is_a_zip_with_its_verifier(shell: Shell, tmp_path: Path) -> None:
    out = tmp_path / "evidence.zip"
    made = shell.json("export", "evidence", "--out", out)
    assert (made["recorded"], made["signed"]) == (True, True)
    assert notes.parse_head(made["head"]).size == made["entries"]
    with zipfile.ZipFile(out) as archive:
        assert {"MANIFEST", "README.txt", "verify.py", "entries.jsonl"} <= set(archive.namelist())
    told = shell.text("export", "evidence", "--out", out)
    assert "python3 verify.py" in told
    assert "Write down the head" in told
    shell.refused(2, "Evidence is a .zip", "export", "evidence", "--out", tmp_path / "evidence.csv")


def test_people_read_whose_account_it_was(shell: Shell) -> None:
    (ada,) = shell.json("account", "list")
    assert f"Ada ({ada['id']})" in shell.text("audit", "list", "--actor", "Ada")
    (login,) = shell.json("audit", "list", "--action", "login.ok", "--limit", "1")
    assert (login["actor"], login["actor_name"]) == (ada["id"], "Ada")
    assert f"Ada ({ada['id']})" in shell.text("audit", "show", login["seq"])
    assert ada["id"] in shell.text("account", "list")


def test_a_head_that_is_mistyped_leaves_the_log_intact(shell: Shell) -> None:
    wrong = f"2:{notes.encoded(bytes(32))}"
    answer = shell.run("audit", "verify", "--anchor", wrong)
    assert answer.code == 1
    assert "The log itself is intact; this head is not of it." in answer.out


def test_the_verifier_says_what_a_head_is_missing_for(shell: Shell, tmp_path: Path) -> None:
    out, folder = tmp_path / "evidence.zip", tmp_path / "unpacked"
    head = shell.json("export", "evidence", "--out", out)["head"]
    with zipfile.ZipFile(out) as archive:
        archive.extractall(folder)

    def verify(*arguments: object) -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, folder / "verify.py", *map(str, arguments)],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout

    without = "Compared with no head from outside: add --anchor"
    code, told = verify()
    assert code == 0
    assert told.splitlines()[1] == without
    code, told = verify("--anchor", head, folder)
    assert (code, without in told, "intact;" in told) == (0, False, False)
    code, told = verify("--anchor", f"2:{notes.encoded(bytes(32))}")
    assert code == 1
    assert "The log itself is intact; this head is not of it." in told.splitlines()[1]
    entries = folder / "entries.jsonl"
    entries.write_bytes(entries.read_bytes().replace(b"ok", b"no", 1))
    code, told = verify("--anchor", f"2:{notes.encoded(bytes(32))}")
    assert (code, "intact;" in told) == (1, False)


def test_a_site_that_was_rolled_back_refuses_changes_with_exit_code_2(shell: Shell) -> None:
    anchor = shell.folder / ANCHOR
    anchor.write_text(json.dumps({"size": 900, "root": notes.encoded(bytes(32))}))
    answer = shell.run("driver", "add", "--name", "Kim")
    assert (answer.code, answer.out) == (2, "")
    assert "audit" in answer.err
    assert shell.run("info").code == 0
    assert shell.run("audit", "verify").code == 1
    assert shell.run("audit", "explain", "--reason", "a test").code == 0
    assert shell.run("driver", "add", "--name", "Kim").code == 0


def test_a_group_says_what_it_is_for(capsys) -> None:
    assert run(["audit", "--help"]) == 0
    out = capsys.readouterr().out
    for verb in ("list", "show", "checkpoint", "verify", "explain"):
        assert verb in out
