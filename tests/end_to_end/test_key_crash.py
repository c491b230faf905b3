"""Killed between any two steps of a change of keys, a site opens, and nothing of it is lost."""

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest

from evdesk.bootstrap.sites import Opened, SiteRequest, create_site, open_site
from evdesk.domain.audit import Outcome
from evdesk.domain.errors import WrongKey
from evdesk.domain.secrets import Secret
from evdesk.domain.site import DriverId, Party, Role
from evdesk.domain.verdicts import Known, Result
from evdesk.storage import keys
from evdesk.storage.anchor import Anchor
from evdesk.storage.verification import verify_log
from tests.fakes.keys import make_cheap
from tests.storage.sites import add_meter, raw, reading

pytestmark = pytest.mark.skipif(os.name != "posix", reason="forks and kills with SIGKILL")

ROOT = Path(__file__).resolve().parents[2]
OLD, NEW = Secret(b"tango walrus 4711"), Secret(b"biber polka lampe")
REQUEST = SiteRequest("Depot", "Ada", "Europe/Berlin", "EUR", "DE", "en", demo=False)
KIM = Party("Kim Lee", "Ringstr. 7", "10115", "Berlin", "DE", email="kim@example.org")
READINGS = 300
# Each line of input is a site, a change and a step: a child carries the change out and kills itself
# at that line of its log, which has one between any two steps; a negative step counts the lines of
# the program that it goes through instead.
KILLED_AT_EACH = """
import logging, os, signal, sys, traceback
from pathlib import Path
from evdesk.bootstrap.sites import open_site
from evdesk.domain.secrets import Secret
from evdesk.domain.site import Role

OLD, NEW = Secret(b"tango walrus 4711"), Secret(b"biber polka lampe")
CHANGES = {
    "passwd": lambda services: services.accounts.change_password(NEW),
    "add": lambda services: services.accounts.add("Ben", Role.STAFF, NEW),
    "remove": lambda services: services.accounts.remove("Cleo"),
    "recovery": lambda services: services.keys.renew_recovery_code(),
    "rotate": lambda services: services.keys.rotate(),
    "open": lambda services: None,
}

WATCHED = (
    "storage/rotation.py", "storage/key_file.py", "storage/site_keys.py", "storage/intents.py",
    "storage/database.py", "storage/persons.py", "services/key_changes.py", "services/keys.py",
    "services/accounts.py",
)

class KillAt(logging.Handler):
    def __init__(self, step):
        super().__init__()
        self.step = step

    def emit(self, record):
        self.step -= 1
        if self.step == 0:
            os.kill(os.getpid(), signal.SIGKILL)

def kill_at_line(step):
    left = step

    def trace(frame, event, _):
        nonlocal left
        if not frame.f_code.co_filename.endswith(WATCHED):
            return None
        if event == "line":
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
        return trace

    sys.settrace(trace)

def kill_at(step):
    if step < 0:
        kill_at_line(-step)
        return
    log = logging.getLogger("evdesk")
    log.setLevel(logging.DEBUG)
    log.addHandler(KillAt(step))

def work(folder, change, step):
    if change == "open":
        kill_at(int(step))
    opened = open_site(Path(folder), OLD, "Ada")
    if change != "open":
        kill_at(int(step))
    CHANGES[change](opened.services)
    sys.settrace(None)
    opened.services.store.close()

for line in sys.stdin:
    child = os.fork()
    if not child:
        try:
            work(*line.rstrip("\\n").split("\\t"))
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


class Killer:
    """A process whose children carry out changes until they kill themselves."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def kill_at(self, folder: Path, change: str, step: int) -> bool:
        """Return whether it was killed; False: it ended before that step."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{folder}\t{change}\t{step}\n")
        self._process.stdin.flush()
        status = int(self._process.stdout.readline())
        assert status in {0, -9}, "see what the child wrote to standard error"
        return status == -9


@contextmanager
def killing() -> Iterator[Killer]:
    command = [sys.executable, "-c", KILLED_AT_EACH]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield Killer(process)
        process.communicate()


@pytest.fixture(scope="module")
def killer() -> Iterator[Killer]:
    with killing() as found:
        yield found


@dataclass(frozen=True)
class Before:
    """A site nobody writes to, and how it was."""

    folder: Path
    data_key: Secret
    code: str
    entries: int

    def copy(self, into: Path) -> Path:
        return Path(shutil.copytree(self.folder, into))


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Before:
    folder = tmp_path_factory.mktemp("made") / "site"
    code = create_site(folder, OLD, REQUEST).recovery_code
    data_key = make_cheap(folder, OLD)
    with closing(open_site(folder, OLD).services.store) as store, store.journal() as unit:
        meter = add_meter(unit)
        unit.readings.add([reading(meter, n) for n in range(READINGS)])
    opened = open_site(folder, OLD)
    with closing(opened.services.store):
        opened.services.drivers.add(KIM)
        opened.services.accounts.add("Cleo", Role.OWNER, Secret(b"kaktus mambo 99 zug"))
        entries = opened.services.audit.count()
    return Before(folder, data_key, code, entries)


def opens(folder: Path, password: Secret, user: str | None) -> bool:
    """Whether somebody gets in; opened like this, nothing is settled."""
    try:
        keys.unlock(folder, None, password, user=user)
    except WrongKey:
        return False
    return True


def check(folder: Path, opened: Opened, before: Before) -> None:
    """Nothing is lost, nothing is open, nothing lies about."""
    with opened.services.store.read() as unit:
        assert unit.readings.count() == READINGS
        assert [one.party for one in unit.drivers.all()] == [KIM]
        assert unit.intents.open("keys") == {}
        assert unit.audit.count() > before.entries
    opened.services.drivers.get(DriverId(opened.services.drivers.all()[0].id))
    verdict = verdict_of(folder, opened.data_key)
    assert (verdict.result, verdict.findings) == (Result.INTACT, ())
    names = {path.name for path in folder.iterdir()}
    assert not {name for name in names if ".new" in name or name.startswith(".")}
    assert (folder / "keys.json").read_bytes() == (folder / "keys.json.bak").read_bytes()
    assert b"former" not in (folder / "keys.json").read_bytes()


def verdict_of(folder: Path, data_key: Secret):
    anchored = Anchor(folder).read()
    assert anchored is not None
    with closing(raw(folder, data_key)) as connection:
        connection.run("BEGIN")
        return verify_log(connection, Known(keys.verifier(folder), [anchored]))


def outcomes(opened: Opened, action: str) -> list[Outcome]:
    with opened.services.store.read() as unit:
        return [one.outcome for one in unit.audit.entries(99) if one.action == action][::-1]


def at_each_step(
    killer: Killer, before: Before, tmp_path: Path, change: str, steps: Iterable[int] | None = None
) -> Iterator[Path]:
    """Yield the site after a kill at each step, and at last after none."""
    for step in count(1) if steps is None else steps:
        folder = before.copy(tmp_path / f"{change}-{step}")
        killed = killer.kill_at(folder, change, step)
        yield folder
        shutil.rmtree(folder)
        if not killed:
            return


def test_a_password_that_is_changed_is_the_old_or_the_new_one(
    killer: Killer, before: Before, tmp_path: Path
) -> None:
    seen = set()
    for folder in at_each_step(killer, before, tmp_path, "passwd"):
        new = not opens(folder, OLD, "Ada")
        if not new:
            assert not opens(folder, NEW, "Ada")
        opened = open_site(folder, NEW if new else OLD, "Ada")
        with closing(opened.services.store):
            check(folder, opened, before)
            said = outcomes(opened, "account.password")
        assert opens(folder, OLD, "Ada") is not new
        seen.add((new, *said))
    assert seen == {(False,), (False, Outcome.OK, Outcome.FAILED), (True, Outcome.OK)}


def test_an_account_that_is_added_is_there_or_not(
    killer: Killer, before: Before, tmp_path: Path
) -> None:
    seen = set()
    for folder in at_each_step(killer, before, tmp_path, "add"):
        opened = open_site(folder, OLD, "Ada")
        with closing(opened.services.store):
            check(folder, opened, before)
            names = [row.account.name for row in opened.services.accounts.rows()]
            said = outcomes(opened, "account.added")[1:]
        assert opens(folder, NEW, "Ben") is ("Ben" in names)
        seen.add(("Ben" in names, *said))
    assert seen == {(False,), (False, Outcome.OK, Outcome.FAILED), (True, Outcome.OK)}


def test_an_account_that_is_removed_is_there_or_gone(
    killer: Killer, before: Before, tmp_path: Path
) -> None:
    seen = set()
    for folder in at_each_step(killer, before, tmp_path, "remove"):
        opened = open_site(folder, OLD, "Ada")
        with closing(opened.services.store):
            check(folder, opened, before)
            rows = {row.account.name: row.slots for row in opened.services.accounts.rows()}
            said = outcomes(opened, "account.removed")
        assert rows.get("Cleo", ("gone",)) != ()
        assert opens(folder, Secret(b"kaktus mambo 99 zug"), "Cleo") is ("Cleo" in rows)
        seen.add(("Cleo" in rows, *said))
    assert seen == {(True,), (False, Outcome.OK)}


def test_a_recovery_code_holds_until_another_one_does(
    killer: Killer, before: Before, tmp_path: Path
) -> None:
    seen = set()
    for folder in at_each_step(killer, before, tmp_path, "recovery"):
        opened = open_site(folder, OLD, "Ada")
        with closing(opened.services.store):
            check(folder, opened, before)
            said = outcomes(opened, "account.recovery_code")
        old = opens(folder, Secret(before.code.encode()), None)
        assert old is (said[-1:] != [Outcome.OK])
        seen.add((old, *said))
    assert seen == {(True,), (True, Outcome.OK, Outcome.FAILED), (False, Outcome.OK)}


@pytest.mark.timeout(120)
def test_a_new_data_key_holds_for_all_files_or_for_none(
    killer: Killer, before: Before, tmp_path: Path
) -> None:
    seen, steps = set(), 0
    for folder in at_each_step(killer, before, tmp_path, "rotate"):
        steps += 1
        opened = open_site(folder, OLD, "Ada")
        with closing(opened.services.store):
            check(folder, opened, before)
            said = outcomes(opened, "account.rotated")
            new = opened.data_key.reveal() != before.data_key.reveal()
            opened.services.drivers.add(Party("Lou"))  # it can be written to, all of it
        if new:
            with pytest.raises(WrongKey):
                raw(folder, before.data_key)
        if (new, *said) not in seen:
            assert opens(folder, Secret(before.code.encode()), None)
        seen.add((new, *said))
    assert steps > 12
    assert seen == {(False, Outcome.FAILED), (True, Outcome.OK)}


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("change", ["rotate", "remove", "add", "passwd"])
def test_killed_at_any_line_of_the_program_nothing_is_lost(
    killer: Killer, before: Before, tmp_path: Path, change: str
) -> None:
    stride = 3
    lines = count(-random.Random(tmp_path.name).randint(1, stride), -stride)
    sites = 0
    for folder in at_each_step(killer, before, tmp_path, change, lines):
        new = not opens(folder, OLD, "Ada")
        opened = open_site(folder, NEW if new else OLD, "Ada")
        with closing(opened.services.store):
            check(folder, opened, before)
        sites += 1
    assert sites > 20


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_killed_while_it_recovers_it_recovers_again(
    killer: Killer, before: Before, tmp_path: Path
) -> None:
    for change in ("rotate", "add", "remove"):
        for folder in at_each_step(killer, before, tmp_path, change):
            for step in count(1):
                again = Path(shutil.copytree(folder, tmp_path / "again"))
                killed = killer.kill_at(again, "open", step)
                opened = open_site(again, OLD, "Ada")
                with closing(opened.services.store):
                    check(again, opened, before)
                shutil.rmtree(again)
                if not killed:
                    break
