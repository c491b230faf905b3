"""Sites as every program opens them: who acts, and what time it is there."""

import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from evdesk.bootstrap.running import save
from evdesk.bootstrap.sites import (
    Made,
    Opened,
    SiteRequest,
    as_collector,
    create_site,
    open_site,
)
from evdesk.domain.errors import UserError, WrongKey
from evdesk.domain.secrets import Secret
from evdesk.domain.site import Party

PASSWORD = Secret(b"correct horse")
STARTS = datetime(2026, 1, 5, tzinfo=UTC)
REQUEST = SiteRequest("Depot", "Ada", "Europe/Berlin", "EUR", "DE", "en", demo=False)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Made]:
    folder = tmp_path_factory.mktemp("demo") / "site"
    return folder, create_site(folder, PASSWORD, replace(REQUEST, demo=True, starts_at=STARTS))


def last_actor(opened: Opened) -> str:
    """Change something and return in whose name that was."""
    opened.services.billing.set_issuer(Party("Depot Ltd"))
    with opened.services.store.read() as unit:
        return unit.audit.entries(1)[0].actor


def owner(opened: Opened) -> str:
    with opened.services.store.read() as unit:
        return unit.accounts.all()[0].id


def test_a_password_acts_in_the_name_of_its_account(demo: tuple[Path, Made]) -> None:
    opened = open_site(demo[0], PASSWORD, "Ada")
    assert last_actor(opened) == owner(opened)
    opened.services.store.close()


def test_the_recovery_code_opens_and_acts_in_its_own_name(demo: tuple[Path, Made]) -> None:
    opened = open_site(demo[0], Secret(demo[1].recovery_code.encode()))
    assert last_actor(opened) == "recovery"
    opened.services.store.close()


def test_a_collector_acts_as_one_also_after_somebodys_password(demo: tuple[Path, Made]) -> None:
    opened = as_collector(open_site(demo[0], PASSWORD))
    assert last_actor(opened) == "collector"
    opened.services.store.close()


def test_a_password_is_not_somebody_elses(demo: tuple[Path, Made], tmp_path: Path) -> None:
    folder = Path(shutil.copytree(demo[0], tmp_path / "site"))
    with pytest.raises(WrongKey, match="No key of this site belongs to that account"):
        open_site(folder, PASSWORD, "Bob")


def test_the_clock_of_a_demo_is_what_its_collector_committed(demo: tuple[Path, Made]) -> None:
    opened = open_site(demo[0], PASSWORD)
    assert opened.services.clock.now() == STARTS
    later = STARTS + timedelta(days=2)
    with opened.services.store.journal() as unit:
        unit.site.set_stepped(later)
    assert opened.services.drivers.add(Party("Kim")).created_at == later
    opened.services.store.close()


def test_a_file_is_saved_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "a.csv"
    save(target, b"old")
    save(target, b"new")
    assert target.read_bytes() == b"new"
    (tmp_path / "folder").mkdir()
    with pytest.raises(UserError, match="Nothing was saved"):
        save(tmp_path / "folder", b"x")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.csv", "folder"]
