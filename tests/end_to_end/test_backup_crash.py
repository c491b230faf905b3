"""Killed between any two steps of a backup or a restore, nothing is lost and nothing is half."""

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from evdesk import bootstrap
from evdesk.bootstrap.sites import Opened, open_with_key
from evdesk.domain.audit import AuditEntry, Outcome
from evdesk.domain.secrets import Secret
from evdesk.domain.site import Actor, Role
from evdesk.domain.verdicts import Known, Result, Verdict
from evdesk.services.backing_up import BEGUN, MADE
from evdesk.services.restoring import RestoreWish
from evdesk.storage import keys
from evdesk.storage.anchor import Anchor
from evdesk.storage.site_folder import create_site
from evdesk.storage.verification import verify_log
from tests.fakes.keys import make_cheap
from tests.storage.sites import EVA, OWNER, PASSWORD, SITE, issue, opened, raw

ROOT = Path(__file__).resolve().parents[2]
ACTOR = Actor(OWNER.id, Role.OWNER)
BACKED_UP, ALL = {"2026-1"}, {"2026-1", "2026-2", "2026-3"}
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


@dataclass(frozen=True)
class Place:
    """A site with a backup beside it, made anew for each kill."""

    root: Path
    data_key: Secret
    template: Path

    @property
    def site(self) -> Path:
        return self.root / "site"

    @property
    def usb(self) -> Path:
        return self.root / "usb"

    def renew(self) -> None:
        shutil.rmtree(self.root, ignore_errors=True)
        shutil.copytree(self.template, self.root)

    def open(self) -> Opened:
        bootstrap.check_site(self.site)
        return open_with_key(self.site, self.data_key, ACTOR)

    def leftovers(self) -> list[Path]:
        return list(self.root.rglob(".evdesk-*"))


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Secret]:
    """A site with one invoice in a backup, and two more since."""
    root = tmp_path_factory.mktemp("template")
    create_site(root / "site", SITE, OWNER, PASSWORD)
    data_key = make_cheap(root / "site", PASSWORD)
    (root / "usb").mkdir()
    store = opened(root / "site", data_key)
    issue(store)
    store.close()
    services = open_with_key(root / "site", data_key, ACTOR).services
    services.backups.create(root / "usb")
    services.store.close()
    store = opened(root / "site", data_key)
    issue(store, "2026-2", 2, "i-2")
    issue(store, "2026-3", 3, "i-3")
    store.close()
    return root, data_key


@pytest.fixture
def place(template: tuple[Path, Secret], tmp_path: Path) -> Place:
    place = Place(tmp_path / "place", template[1], template[0])
    place.renew()
    return place


class Killer:
    """The process that forks, works and is killed."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def run(self, kill_at: int = 0) -> int:
        """Return how many lines were gone through; -1: killed."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{kill_at}\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())


@contextmanager
def killer(what: str, place: Place, secret: Secret, other: Path) -> Iterator[Killer]:
    command = [sys.executable, "-m", "tests.end_to_end.killed", what, str(place.site), str(other)]
    temporary = place.root.parent / "temporary"
    temporary.mkdir(exist_ok=True)
    env = {**os.environ, "TMPDIR": str(temporary)}
    with subprocess.Popen(
        command, cwd=ROOT, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        process.stdin.write(secret.reveal().hex() + "\n")
        yield Killer(process)
        process.stdin.close()
        assert process.wait(10) == 0


def moments(lines: int, times: int, chance: random.Random) -> list[int]:
    """Choose lines to be killed before, spread over all of it."""
    if times >= lines:
        return list(range(1, lines + 1))
    step = lines / times
    return [min(int(n * step + chance.random() * step) + 1, lines) for n in range(times)]


# -- backup ------------------------------------------------------------------------------------


def test_a_backup_that_is_killed_is_none_or_whole(place: Place) -> None:
    kill_backups(place, times=6)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_backup_that_is_killed_anywhere_is_none_or_whole(place: Place) -> None:
    kill_backups(place, times=300)


def kill_backups(place: Place, times: int) -> None:
    with killer("create", place, place.data_key, place.usb) as process:
        lines = process.run()
        assert lines > 300
        for moment in moments(lines, times, random.Random(place.root.parent.name)):
            place.renew()
            assert process.run(moment) == -1 or moment > 0.95 * lines
            check_backups(place, moment)


def check_backups(place: Place, moment: int) -> None:
    with closing_site(place) as services:
        found = services.backups.find(place.usb)
        for one in found:
            assert one.found.backup is not None, moment
            assert services.backups.verify(one.found.file).intact, moment
        made = services.backups.create(place.usb)
        assert made.verdict.intact, moment
        entries = entries_of(services)
        begun = {one.object_ref for one in entries if one.action == BEGUN}
        ended = [one for one in entries if one.action == MADE]
        assert {one.object_ref for one in ended} == begun, moment
        assert len(ended) == len(begun), moment
        whole = {one.object_ref for one in ended if one.outcome is Outcome.OK}
        there = {
            one.found.backup.id for one in services.backups.find(place.usb) if one.found.backup
        }
        assert there == whole, moment
        assert numbers_of(services) == ALL, moment
    assert log_of(place).result is Result.INTACT, moment
    assert place.leftovers() == [], moment


# -- restore -----------------------------------------------------------------------------------


def test_a_restore_that_is_killed_has_happened_or_not(place: Place) -> None:
    kill_restores(place, times=7)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_restore_that_is_killed_anywhere_has_happened_or_not(place: Place) -> None:
    outcomes = kill_restores(place, times=300)
    assert outcomes == {True, False}


def kill_restores(place: Place, times: int) -> set[bool]:
    """Return what came of it: that it had happened, or not."""
    (file,) = place.usb.glob("*.zip")
    outcomes = set()
    with killer("restore", place, PASSWORD, file) as process:
        lines = process.run()
        assert lines > 300
        last = [lines - n for n in range(40) if times > 100 or n % 8 == 0]  # putting it in place
        for moment in moments(lines, times, random.Random(place.root.parent.name)) + last:
            place.renew()
            assert process.run(moment) == -1 or moment > 0.95 * lines
            outcomes.add(check_restore(place, moment))
    place.renew()
    return outcomes


def check_restore(place: Place, moment: int) -> bool:
    with closing_site(place) as services:
        happened = entries_of(services)[0].action == "site.restored"
        assert numbers_of(services) == (BACKED_UP if happened else ALL), moment
        assert services.drivers.all() == [EVA], moment
        assert services.store.rollback is None, moment
    assert log_of(place).result is Result.INTACT, moment
    aside = list(place.root.glob("site.replaced-*"))
    assert len(aside) == happened, moment
    for folder in aside:
        kept = open_with_key(folder, place.data_key, ACTOR)
        with closing(kept.services.store):
            assert numbers_of(kept.services) == ALL, moment
    again(place)
    assert place.leftovers() == [], moment
    return happened


def again(place: Place) -> None:
    """Whatever was left, the next restore works."""
    (file,) = place.usb.glob("*.zip")
    bootstrap.restore_service().restore(RestoreWish(file, place.site, PASSWORD), lambda about: None)
    with closing_site(place) as services:
        assert numbers_of(services) == BACKED_UP


@contextmanager
def closing_site(place: Place) -> Iterator[bootstrap.Services]:
    opened_site = place.open()
    try:
        yield opened_site.services
    finally:
        opened_site.services.store.close()


def numbers_of(services: bootstrap.Services) -> set[str | None]:
    with services.store.read() as unit:
        return {one.number for one in unit.invoices.all()}


def entries_of(services: bootstrap.Services) -> list[AuditEntry]:
    with services.store.read() as unit:
        return unit.audit.entries(1_000)


def log_of(place: Place) -> Verdict:
    """Check the log of the closed site against all that is known of it."""
    anchored = Anchor(place.site).read()
    with closing(raw(place.site, place.data_key)) as connection:
        connection.run("BEGIN")
        heads = [] if anchored is None else [anchored]
        return verify_log(connection, Known(keys.verifier(place.site), heads))
