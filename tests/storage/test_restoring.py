"""A restored site is whole, says where it comes from, and has nothing back that was erased."""

import json
import os
import shutil
import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from evdesk.domain.backups import BackupId
from evdesk.domain.erasures import Erasure
from evdesk.domain.errors import StorageError, UserError, WrongKey
from evdesk.domain.invoices import InvoiceId
from evdesk.domain.mail import Letter, MailState
from evdesk.domain.notes import parse_head
from evdesk.domain.secrets import Secret
from evdesk.domain.verdicts import Known, Result
from evdesk.ports import BackupStage, PersonsSource, Restored
from evdesk.storage import keys, swapping
from evdesk.storage.anchor import Anchor
from evdesk.storage.chain import Chain
from evdesk.storage.erasures import LEDGER, LedgerFile, subject_of
from evdesk.storage.key_file import read_keys, write_keys
from evdesk.storage.migrations import SITE_SCHEMA, newest
from evdesk.storage.restoring import Wish, restoration
from evdesk.storage.site_folder import collector_lock, create_site
from evdesk.storage.verification import verify_log
from tests.storage.backing import backups_of, flipped, make, rewritten
from tests.storage.sites import (
    EVA,
    OWNER,
    PASSWORD,
    SITE,
    START,
    add_meter,
    at,
    issue,
    opened,
    persons_of,
    raw,
    writing,
)

LATER = at(3_600)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    folder = tmp_path / "usb"
    folder.mkdir()
    return folder


@pytest.fixture
def made(folder, data_key, target):
    """A backup of a site with one invoice; the site is closed."""
    store = opened(folder, data_key)
    issue(store)
    store.close()
    return make(backups_of(folder), target)


def restored(
    file: Path, to: Path, password: Secret = PASSWORD, taken: dict[str, int] | None = None
) -> Restored:
    with restoration(Wish(file, to, password, LATER)) as begun:
        return begun.carry_out(taken or {})


def entries(folder: Path, data_key: Secret):
    store = opened(folder, data_key)
    with store.read() as unit:
        found = unit.audit.entries(99)
    store.close()
    return found


def snapshot(folder: Path) -> dict[str, bytes]:
    passing = ("-shm", "-wal", ".lock")
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file() and not file.name.endswith(passing)
    }


# -- on a new computer -------------------------------------------------------------------------


def test_the_backup_folder_and_a_password_are_enough(made, folder, data_key, tmp_path) -> None:
    shutil.rmtree(folder)
    new = tmp_path / "elsewhere" / "depot"
    done = restored(made.file, new)
    assert (done.folder, done.kept_aside, done.kept_keys) == (new, None, False)
    assert done.persons is PersonsSource.BACKUP_FOLDER
    store = opened(new, data_key)
    assert store.rollback is None
    with store.read() as unit:
        assert unit.drivers.all() == [EVA]
        assert unit.invoices.pdf(InvoiceId("i-1")) == b"%PDF " + bytes(99)
    store.close()
    assert sorted(new.parent.iterdir()) == [new]


def test_the_recovery_code_is_enough_too(made, folder, data_key, recovery_code, tmp_path) -> None:
    shutil.rmtree(folder)
    restored(made.file, tmp_path / "new", Secret(recovery_code.lower().encode()))
    entry = entries(tmp_path / "new", data_key)[0]
    assert (entry.action, entry.actor) == ("site.restored", "recovery")
    assert keys.unlock(tmp_path / "new", None, PASSWORD).data_key.reveal() == data_key.reveal()


def test_where_it_comes_from_is_in_its_log_signed_and_anchored(made, data_key, tmp_path) -> None:
    new = tmp_path / "new"
    done = restored(made.file, new)
    entry = entries(new, data_key)[0]
    facts = json.loads(entry.facts)
    assert (entry.action, entry.object_ref, entry.actor) == ("site.restored", SITE.id, OWNER.id)
    assert facts["backup"] == made.id
    assert facts["found"] == str(made.head)
    assert facts["anchored"] is None
    assert done.head.size == made.head.size + 1
    assert done.signed
    assert Anchor(new).read() == done.head
    with closing(raw(new, data_key)) as connection:
        assert Chain(connection).head() == done.head
        connection.run("BEGIN")
        verdict = verify_log(connection, Known(keys.verifier(new), [done.head, made.head]))
    assert verdict.result is Result.INTACT
    assert verdict.unsigned_tail == 0


@pytest.mark.skipif(os.name != "posix", reason="permissions are those of POSIX")
def test_nobody_else_can_read_a_restored_site(made, tmp_path) -> None:
    new = tmp_path / "new"
    restored(made.file, new)
    assert new.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in new.iterdir()} == {0o600}


def test_without_keys_of_persons_everything_else_is_there(made, data_key, tmp_path) -> None:
    (made.file.parent / "persons.db").unlink()
    with restoration(Wish(made.file, tmp_path / "new", PASSWORD, LATER)) as begun:
        assert begun.about.persons is PersonsSource.NONE
        begun.carry_out({})
    store = opened(tmp_path / "new", data_key)
    with store.read() as unit:
        (eva,) = unit.drivers.all()
        assert eva.party.name == EVA.id
        assert unit.invoices.all()[0].buyer.name == EVA.party.name  # kept by law, in the invoice
    store.close()


def test_keys_of_persons_of_another_site_are_none(made, tmp_path) -> None:
    create_site(tmp_path / "other", SITE, OWNER, PASSWORD)
    shutil.copy(tmp_path / "other" / "persons.db", made.file.parent / "persons.db")
    with restoration(Wish(made.file, tmp_path / "new", PASSWORD, LATER)) as begun:
        assert begun.about.persons is PersonsSource.NONE


# -- what was erased ---------------------------------------------------------------------------


def erase(folder: Path, data_key: Secret, ledger: Path, data_class: str = "contact") -> None:
    """Write that something of Eva was erased, as the work on rights does."""
    with closing(raw(folder, data_key)) as connection:
        subject = subject_of(connection, EVA.id)
    LedgerFile(ledger).append(Erasure(at(60), subject, data_class, "right to erasure"))


def test_what_was_erased_since_is_erased_again(made, folder, data_key, tmp_path) -> None:
    """The keys in the backup folder are older than the erasure; its ledger is not."""
    erase(folder, data_key, made.file.parent / LEDGER)
    new = tmp_path / "new"
    done = restored(made.file, new)
    assert done.erased_again == 1
    assert set(persons_of(new, data_key).keyring(EVA.id)) == {"identity", "payment"}
    store = opened(new, data_key)
    with store.read() as unit:
        (eva,) = unit.drivers.all()
        assert (eva.party.email, eva.party.name) == ("", EVA.party.name)
    store.close()
    assert json.loads(entries(new, data_key)[0].facts)["erased_again"] == 1
    assert len(LedgerFile(new / LEDGER).all()) == 1


def test_the_newer_ledger_holds(made, folder, data_key) -> None:
    erase(folder, data_key, folder / LEDGER)
    erase(folder, data_key, folder / LEDGER, "payment")
    done = restored(made.file, folder)
    assert done.erased_again == 2
    assert set(persons_of(folder, data_key).keyring(EVA.id)) == {"identity"}


def test_a_ledger_that_was_changed_is_not_believed(made, folder, data_key, tmp_path) -> None:
    ledger = made.file.parent / LEDGER
    erase(folder, data_key, ledger)
    erase(folder, data_key, ledger, "payment")
    text = ledger.read_text()
    ledger.write_text(text.replace("contact", "comfort"))
    with restoration(Wish(made.file, tmp_path / "new", PASSWORD, LATER)) as begun:
        assert not begun.about.has_ledger
    with pytest.raises(StorageError, match="damaged at line 2"):
        LedgerFile(ledger).all()


def test_a_line_of_the_ledger_that_a_power_cut_left_is_written_again(tmp_path) -> None:
    ledger = LedgerFile(tmp_path / LEDGER)
    assert ledger.all() == []
    first = Erasure(at(0), "a" * 64, "contact", "rule")
    ledger.append(first)
    with ledger.path.open("ab") as file:
        file.write(b'{"at":"2026-')
    assert ledger.all() == [first]
    second = Erasure(at(60), "b" * 64, "identity", "rule")
    ledger.append(second)
    assert ledger.all() == [first, second]
    assert ledger.since(at(30)) == [second]


# -- in the place of the site ------------------------------------------------------------------


@pytest.fixture
def lived_on(made, folder, data_key):
    """The site a while later: two more invoices, and a driver who was given another name."""
    store = opened(folder, data_key)
    issue(store, "2026-2", 2, "i-2")
    issue(store, "2026-3", 3, "i-3")
    store.close()
    return folder


def test_what_is_there_is_kept_aside_as_it_was(made, lived_on, data_key) -> None:
    before = snapshot(lived_on)
    done = restored(made.file, lived_on)
    assert done.kept_aside is not None
    assert done.kept_aside.parent == lived_on.parent
    assert snapshot(done.kept_aside) == before
    store = opened(lived_on, data_key)
    with store.read() as unit:
        assert [one.number for one in unit.invoices.all()] == ["2026-1"]
    store.close()
    assert set(lived_on.parent.iterdir()) == {lived_on, done.kept_aside, made.file.parent}


def test_what_it_replaces_is_told_before_and_explained_in_the_log(made, lived_on, data_key) -> None:
    anchored = Anchor(lived_on).read()
    assert anchored is not None
    with restoration(Wish(made.file, lived_on, PASSWORD, LATER)) as begun:
        about = begun.about
        assert (about.replaces, about.later_sessions, about.later_invoices) == (True, 2, 2)
        assert about.persons is PersonsSource.REPLACED_SITE
        begun.carry_out({})
    facts = json.loads(entries(lived_on, data_key)[0].facts)
    assert parse_head(facts["anchored"]) == anchored
    with closing(raw(lived_on, data_key)) as connection:
        connection.run("BEGIN")
        verdict = verify_log(connection, Known(keys.verifier(lived_on), [anchored]))
    assert verdict.result is Result.UNVERIFIABLE  # it was lost, and the log says how
    assert not verdict.findings


def test_numbers_that_were_given_are_not_given_again(made, lived_on, data_key) -> None:
    done = restored(made.file, lived_on, taken={"2025": 7})
    assert done.last_invoices == {"2025": 7, "2026": 3}
    store = opened(lived_on, data_key)
    with store.read() as unit:
        assert unit.invoices.next_number("2026") == 4
        assert unit.invoices.next_number("2025") == 8
        assert unit.invoices.next_number("2027") == 1
    store.close()


def test_numbers_that_somebody_knows_of_are_not_given_again(made, data_key, tmp_path) -> None:
    restored(made.file, tmp_path / "new", taken={"2026": 17})
    store = opened(tmp_path / "new", data_key)
    with store.read() as unit:
        assert unit.invoices.next_number("2026") == 18
    store.close()


def test_backups_in_the_site_folder_move_with_it(folder, data_key) -> None:
    store = opened(folder, data_key)
    issue(store)
    store.close()
    made = make(backups_of(folder), folder / "backups")
    done = restored(made.file, folder)
    assert done.kept_aside is not None
    assert made.file.exists()
    assert not (done.kept_aside / "backups").exists()


def test_the_key_file_of_today_is_kept_in_both_copies(made, folder, data_key) -> None:
    file, _ = read_keys(folder)
    write_keys(folder, replace(file, slots=file.slots[:1]))  # the recovery code of then is gone
    done = restored(made.file, folder)
    assert done.kept_keys
    assert read_keys(folder)[0].slots == file.slots[:1]
    assert (folder / "keys.json").read_bytes() == (folder / "keys.json.bak").read_bytes()


def test_a_site_whose_keys_are_lost_gets_those_of_the_backup(made, folder, data_key) -> None:
    for name in ("keys.json", "keys.json.bak"):
        (folder / name).write_text("{}")
    done = restored(made.file, folder)
    assert not done.kept_keys
    assert keys.unlock(folder, None, PASSWORD).data_key.reveal() == data_key.reveal()
    assert done.persons is PersonsSource.REPLACED_SITE


def test_a_site_whose_database_is_damaged_is_replaced_all_the_same(
    made, lived_on, data_key
) -> None:
    content = bytearray((lived_on / "site.db").read_bytes())
    content[:100] = os.urandom(100)
    (lived_on / "site.db").write_bytes(content)
    with restoration(Wish(made.file, lived_on, PASSWORD, LATER)) as begun:
        assert (begun.about.later_sessions, begun.about.later_invoices) == (None, None)
        begun.carry_out({})
    assert entries(lived_on, data_key)[0].action == "site.restored"


def test_what_was_begun_when_the_backup_was_made_is_ended(folder, data_key, target) -> None:
    store = opened(folder, data_key)
    with writing(store) as unit:
        add_meter(unit)
        unit.collector.take(4711, "depot-pc", START)
        unit.outbox.add(Letter("fault", "<1@x>", "o@example.org", "Fault", "text", ()), START)
        unit.intents.begin("make_backup", {"id": "B-1"}, START)
    store.close()
    made = make(backups_of(folder), target)
    restored(made.file, folder)
    store = opened(folder, data_key)
    with store.read() as unit:
        assert unit.collector.state().pid is None
        assert unit.intents.open("make_backup") == {}
        assert [one.state for one in unit.outbox.newest(9)] == [MailState.UNCLEAR]
        assert unit.backups.schedule().watched_at == LATER
    store.close()


# -- refused -----------------------------------------------------------------------------------


def refused(file: Path, to: Path, error: type[Exception], match: str) -> None:
    parent = to.parent
    before = sorted(parent.iterdir()), snapshot(to)
    with pytest.raises(error, match=match), restoration(Wish(file, to, PASSWORD, LATER)):
        pytest.fail("it was begun")
    assert (sorted(parent.iterdir()), snapshot(to)) == before


def test_a_changed_backup_is_refused(made, folder) -> None:
    for part in ("site.db", "keys.json", "manifest.json", "manifest.note"):

        def flip(parts: dict[str, bytes], name: str = part) -> None:
            parts[name] = flipped(parts[name])

        changed = rewritten(made.file, flip)
        refused(changed, folder, StorageError, r"does not hold|newer")
    made.file.write_bytes(made.file.read_bytes()[:-1000])
    refused(made.file, folder, StorageError, "no whole backup")


def test_a_backup_of_another_site_is_refused_here(made, folder, tmp_path) -> None:
    other = tmp_path / "other"
    create_site(other, replace(SITE, id="site-2"), OWNER, PASSWORD)
    refused(made.file, other, UserError, "backup of another site")


def test_a_newer_schema_is_refused(made, folder) -> None:
    def age(parts: dict[str, bytes]) -> None:
        ours = f'"schema_version":{newest(SITE_SCHEMA)}'.encode()
        text = parts["manifest.json"].replace(ours, b'"schema_version":99')
        parts["manifest.json"] = text

    refused(rewritten(made.file, age), folder, StorageError, "newer than this one")


def test_a_folder_with_something_else_in_it_is_refused(made, tmp_path) -> None:
    holiday = tmp_path / "holiday"
    holiday.mkdir()
    (holiday / "beach.jpg").write_bytes(b"sand")
    refused(made.file, holiday, UserError, "is not empty")


def test_a_wrong_password_restores_nothing(made, tmp_path) -> None:
    with (
        pytest.raises(WrongKey),
        restoration(Wish(made.file, tmp_path / "new", Secret(b"wrong"), LATER)),
    ):
        pytest.fail("it was begun")
    assert sorted(tmp_path.glob("new*")) == []
    assert sorted(tmp_path.glob(".evdesk*")) == []


@pytest.mark.skipif(os.name != "posix", reason="elsewhere the folder cannot be renamed")
def test_a_site_that_is_open_in_another_window_is_left_alone(made, folder, data_key) -> None:
    from tests.storage.test_crash import child

    code = "print('open', flush=True)\nsys.stdin.read()\n"
    with child(code, folder, data_key) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        with pytest.raises(StorageError, match="open in another"):
            restored(made.file, folder)
    assert entries(folder, data_key)[0].action != "site.restored"
    restored(made.file, folder)


def test_the_collector_is_asked_to_end_and_waited_for(made, folder, data_key) -> None:
    asked, ready = threading.Event(), threading.Event()

    def collect() -> None:
        store = opened(folder, data_key)
        with collector_lock(folder):
            ready.set()
            while not asked.wait(0.02):
                with store.read() as unit:
                    if unit.collector.state().stop_requested:
                        asked.set()
            store.close()

    thread = threading.Thread(target=collect)
    thread.start()
    ready.wait(5)
    done = restored(made.file, folder)
    thread.join()
    assert asked.is_set()
    assert done.kept_aside is not None


def test_a_failure_at_the_end_leaves_everything_where_it_was(made, folder, data_key) -> None:
    before = snapshot(folder)

    def fail(stage: BackupStage, share: float) -> None:
        if stage is BackupStage.BUILDING and share > 0.5:
            raise KeyboardInterrupt

    with (
        pytest.raises(KeyboardInterrupt),
        restoration(Wish(made.file, folder, PASSWORD, LATER)) as begun,
    ):
        begun.carry_out({}, fail)
    assert snapshot(folder) == before
    assert not list(folder.parent.glob(".evdesk*"))
    assert not list(folder.parent.glob("*replaced*"))


def test_the_newest_of_several_is_enough_to_open_keys_of_persons_under_a_newer_data_key(
    made, folder, data_key, target, tmp_path
) -> None:
    """After the data key was renewed, the copy beside older backups lies under the new one."""
    from evdesk.domain.audit import Change
    from evdesk.storage.site_keys import StoredSiteKeys
    from evdesk.storage.site_store import SiteStore
    from tests.storage.sites import FixedClock

    store = opened(folder, data_key)
    assert isinstance(store, SiteStore)
    held = StoredSiteKeys(folder, store, FixedClock(), data_key, None)
    with store.write() as unit:
        intent = unit.intents.begin("rotate", {}, START)
        unit.record_change(Change("account.rotated", "site", SITE.id, {}))
    with held.held():
        held.rotate(
            store.actor, Change("account.rotated", "site", SITE.id, {}), intent, lambda _: None
        )
    store.close()
    newer = make(backups_of(folder), target, BackupId("B-00000002"), at(60))
    assert newer.file.exists()
    shutil.rmtree(folder)
    done = restored(made.file, tmp_path / "new")
    assert done.persons is PersonsSource.BACKUP_FOLDER
    store = opened(tmp_path / "new", data_key)
    with store.read() as unit:
        assert unit.drivers.all() == [EVA]
    store.close()


# -- putting it in place -----------------------------------------------------------------------


def test_a_refused_rename_takes_everything_back(tmp_path) -> None:
    folder, built = tmp_path / "site", tmp_path / "built"
    for each in (folder, built):
        each.mkdir()
        (each / "site.db").write_text(each.name)
    (folder / "backups").mkdir()
    aside = tmp_path / "missing" / "aside"  # cannot be renamed to
    with pytest.raises(StorageError, match="could not be moved aside"):
        swapping.swap(swapping.Swap(folder, built, aside))
    assert (folder / "site.db").read_text() == "site"
    assert (folder / "backups").is_dir()
    assert not list(tmp_path.glob(".evdesk*"))


def test_nothing_is_finished_where_nothing_was_begun(tmp_path) -> None:
    swapping.finish(tmp_path / "site")
    swapping.sweep(tmp_path / "site")
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_restore_had_built_is_swept_away(tmp_path) -> None:
    left = tmp_path / ".evdesk-restore-site-abc"
    left.mkdir()
    with swapping.restoring(tmp_path / "site"):
        swapping.sweep(tmp_path / "site")
        assert left.exists()  # somebody is at it
    swapping.sweep(tmp_path / "site")
    assert not left.exists()


def test_only_one_restores_into_a_folder(made, tmp_path) -> None:
    new = tmp_path / "new"
    with swapping.restoring(new), pytest.raises(StorageError, match="is being restored"):
        swapping.restoring(new, 0).__enter__()
