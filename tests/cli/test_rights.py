"""The rights desk on the command line: what scripts are promised, and what people read."""

import csv
import io
import json
import os
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.cli.shell import Shell
from tests.fakes.clock import START
from tests.services.desk import SITE

TODAY = datetime.now(ZoneInfo(SITE.tz)).date()


@pytest.fixture
def kim(shell: Shell) -> str:
    return str(shell.json("driver", "list")[0]["id"])


def test_an_access_package_is_a_folder_for_its_owner_only(shell: Shell, kim: str) -> None:
    out = shell.folder.parent / "kim"
    done = shell.json("rights", "access", kim, "--out", out)
    assert (done["state"], done["check"], done["kind"]) == ("answered", "known", "access")
    assert sorted(done["files"]) == sorted(path.name for path in out.iterdir())
    assert (out / "access.pdf").read_bytes().startswith(b"%PDF")
    told = json.loads((out / "access.json").read_text())
    assert "Kim Lee" in str(told)
    if os.name == "posix":
        assert all(path.stat().st_mode & 0o077 == 0 for path in (out, *out.iterdir()))
    rows = list(csv.DictReader(io.StringIO((out / "sessions.csv").read_text("utf-8-sig"))))
    assert len(rows) == 3
    assert rows[0]["energy_wh"] == "12000"


def test_a_folder_that_is_in_use_is_left_alone(shell: Shell, kim: str) -> None:
    out = shell.folder.parent / "full"
    out.mkdir()
    (out / "letter").write_text("mine")
    shell.refused(2, "is not empty", "rights", "access", kim, "--out", out)
    shell.refused(2, "folder of a site", "rights", "access", kim, "--out", shell.folder)
    shell.refused(2, "cannot be written", "rights", "access", kim, "--out", out / "a" / "b")
    shell.refused(2, "There is no driver", "rights", "access", "D-X", "--out", out / "new")
    assert [path.name for path in out.iterdir()] == ["letter"]


def test_what_is_portable_leaves_invoices_out(shell: Shell, kim: str, tmp_path: Path) -> None:
    out = tmp_path / "kim"
    done = shell.json("rights", "portability", kim, "--out", out)
    assert {"portability.json", "identity.csv", "sessions.csv"} <= set(done["files"])
    assert not {"access.pdf", "invoices.csv", "audit.csv"} & set(done["files"])


def test_requests_are_listed_with_their_clock_and_a_late_one_is_an_exception(
    shell: Shell, kim: str
) -> None:
    soon = TODAY - timedelta(days=20)
    added = shell.json("rights", "request", "add", kim, "--kind", "access", "--received", soon)
    assert (added["id"], added["state"], added["received_on"]) == ("1", "received", str(soon))
    (one,) = shell.json("rights", "requests")
    assert one["days_left"] == (date.fromisoformat(one["due_on"]) - TODAY).days
    assert not one["overdue"]
    late = TODAY - timedelta(days=40)
    shell.text("rights", "request", "add", kim, "--kind", "erasure", "--received", late)
    answer = shell.run("rights", "requests", "--json")
    assert answer.code == 1
    assert [row["overdue"] for row in json.loads(answer.out)] == [True, False]
    assert "Overdue: 2" in shell.run("rights", "requests").out
    shell.text("rights", "request", "refuse", 2, "--reason", "asked for the third time")
    assert shell.json("rights", "requests", "--open") == [one]


def test_a_request_is_taken_step_by_step(shell: Shell, kim: str) -> None:
    shell.text("rights", "request", "add", kim, "--kind", "access")
    shell.refused(2, "known who asks", "rights", "request", "answer", 1, "--note", "by letter")
    shell.text("rights", "request", "identify", 1, "--check", "document")
    extended = shell.json("rights", "request", "extend", 1, "--reason", "many papers")
    assert extended["state"] == "extended"
    done = shell.json("rights", "request", "answer", 1, "--note", "by letter")
    assert [event["state"] for event in done["events"]] == [
        *("received", "identified", "extended", "answered")
    ]
    shell.refused(2, "has ended", "rights", "request", "withdraw", 1)
    shell.refused(2, "is no id", "rights", "request", "withdraw", "one")


def test_correcting_lists_who_has_to_be_told(shell: Shell, kim: str) -> None:
    about = ("--recipient", "Ledger & Sons", "--kind", "tax_adviser", "--reason", "books")
    shell.text("rights", "disclosure", "add", kim, *about, "--data", "identity", "invoice")
    done = shell.json("rights", "rectify", kim, "--city", "Potsdam", "--phone", "0331 1")
    assert done["fields"] == ["city", "phone"]
    assert [one["recipient"] for one in done["tell"]] == ["Ledger & Sons"]
    assert "Tell those who were given" in shell.text("rights", "rectify", kim, "--city", "Ulm")
    shell.refused(2, "Say what to correct", "rights", "rectify", kim)
    (one,) = shell.json("rights", "disclosures", "--driver", kim)
    assert (one["kind"], one["classes"]) == ("tax_adviser", ["identity", "invoice"])


def test_restricting_and_objecting_are_lifted_again(shell: Shell, kim: str) -> None:
    done = shell.json("rights", "restrict", kim, "--reason", "wrong address")
    assert (done["restricted"], done["kind"]) == (True, "restriction")
    shell.text("rights", "restrict", kim, "--lift", "--reason", "it was right")
    shell.refused(2, "not restricted", "rights", "restrict", kim, "--lift", "--reason", "x")
    shell.text("rights", "object", kim, "--purpose", "analytics")
    shell.refused(2, "rests on the law", "rights", "object", kim, "--purpose", "invoices")
    shell.text("rights", "object", kim, "--purpose", "analytics", "--take-back", "asked anew")


def test_erasing_answers_for_each_class(shell: Shell, kim: str) -> None:
    plan = shell.json("rights", "erase", kim, "--dry-run")
    fields = {"class", "action", "legal_ground", "until"}
    assert all(fields <= set(one) for one in plan)
    assert {one["action"] for one in plan} <= {"erased", "retained", "anonymised"}
    by_class = {one["class"]: one for one in plan}
    assert by_class["identity"]["action"] == "retained"
    codes = {why["code"] for why in by_class["identity"]["reasons"]}
    assert codes == {"open_session", "unbilled_session", "review_session"}
    shell.refused(2, "Nobody can be asked here", "rights", "erase", kim)
    shell.refused(2, "There is no driver", "rights", "erase", "D-NONE", "--yes")
    done = shell.json("rights", "erase", kim, "--yes")
    assert [one["class"] for one in done] == [one["class"] for one in plan]
    text = shell.text("rights", "erase", kim, "--yes")
    assert "still plugged in" in text
    assert "bill the sessions" in text


def test_somebody_whose_sessions_are_no_longer_needed_is_gone(shell: Shell) -> None:
    sam = shell.json("driver", "add", "--name", "Sam Ott", "--email", "sam@example.org")["id"]
    done = {one["class"]: one for one in shell.json("rights", "erase", sam, "--yes")}
    assert done["identity"]["action"] == "erased"
    assert done["request"]["action"] == "retained"
    assert done["request"]["until"].endswith("Z")
    everybody = shell.json("driver", "list", "--retired")
    assert "Sam Ott" not in str(everybody)
    assert shell.run("audit", "verify").code == 0


def test_a_breach_has_its_clock(shell: Shell) -> None:
    aware = f"{START:%Y-%m-%dT%H:%M:%SZ}"
    add = ("breach", "add", "--nature", "a notebook was lost", "--subjects", 30, "--aware", aware)
    done = shell.json(*add)
    assert (done["id"], done["subjects"], done["late"]) == ("1", 30, True)
    listed = shell.run("breach", "list", "--json")
    assert listed.code == 1
    assert json.loads(listed.out)[0]["hours_left"] < 0
    shell.text("breach", "update", 1, "--risk", "its disk was encrypted")
    (one,) = shell.json("breach", "list")
    assert (one["hours_left"], one["accounts"]) == (None, 2)
    shell.refused(2, "is no id", "breach", "update", "x", "--risk", "none")


@pytest.mark.parametrize(
    ("what", "suffix"),
    [("requests", ".csv"), ("disclosures", ".json"), ("breaches", ".xlsx"), ("ropa", ".xlsx")],
)
def test_each_register_is_exported(shell: Shell, tmp_path: Path, what: str, suffix: str) -> None:
    out = tmp_path / f"{what}{suffix}"
    done = shell.json("export", what, "--out", out)
    assert done["rows"] == (10 if what == "ropa" else 0)
    assert out.stat().st_size > 0


def test_the_record_of_processing_says_what_an_owner_added(shell: Shell, tmp_path: Path) -> None:
    shell.text("rights", "controller", "--dpo", "Dr. Nein", "--joint-controller", "Fleet AG")
    told = shell.json("rights", "controller")
    assert (told["dpo"], told["joint_controller"], told["transfers"]) == (
        *("Dr. Nein", "Fleet AG", None),
    )
    out = tmp_path / "ropa.csv"
    shell.text("export", "ropa", "--out", out)
    lines = list(csv.reader(io.StringIO(out.read_text("utf-8-sig"))))
    assert {len(line) for line in lines} == {7}
    assert "Dr. Nein" in lines[1][0]
    pdf = tmp_path / "ropa.pdf"
    shell.text("export", "ropa", "--out", pdf)
    assert pdf.read_bytes().startswith(b"%PDF")
    shell.refused(2, "can be written as", "export", "ropa", "--out", tmp_path / "ropa.docx")
