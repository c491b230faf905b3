"""Killed between any two lines of its work, retention goes on, and nothing is half or twice."""

import os
import random
import shutil
import signal
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from evdesk.domain.secrets import Secret
from evdesk.domain.verdicts import Result
from evdesk.storage.connection import Row
from evdesk.storage.erasures import LEDGER, LedgerFile
from tests.fakes.clock import START
from tests.services.retained import Retained

WATCHED = (
    "services/retaining.py", "services/erasing.py", "services/rule_book.py",
    "storage/retention_erasing.py", "storage/retention_deletes.py", "storage/persons.py",
    "storage/retention_rows.py", "storage/erasures.py", "storage/intents.py",
)  # fmt: skip
WHEN = "2027-03-10"
TABLES = ("session", "session_event", "session_aggregate", "person_field", "card", "invoice",
          "invoice_session")  # fmt: skip
LOG = "SELECT rule, selected, deleted, retained, left_over FROM retention_log ORDER BY rule"
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
State = dict[str, list[Row]]


@pytest.fixture(scope="module")
def prepared(new_site: tuple[Path, Secret], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site with much that is due: sessions, links, cards and two drivers."""
    folder = Path(shutil.copytree(new_site[0], tmp_path_factory.mktemp("due") / "site"))
    site = Retained(folder, new_site[1])
    kim, lee = site.ready_to_bill(), site.add_driver()
    for number in range(12):
        site.charge(kim, at=START + timedelta(hours=2 * number))
    site.bill(kim, "2026-03")
    for number in range(7):
        site.charge(None, at=START + timedelta(days=2, hours=2 * number))
    site.cards.add(lee, "04A2F31B")
    for driver in (kim, lee):
        site.drivers.retire(driver)
    site.store.close()
    return folder


def work(folder: Path, data_key: Secret, kill_at: int) -> int:
    """Run retention in a fork that is killed before a line; return how many lines it went."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            site = Retained(folder, data_key)
            site.to(WHEN)
            seen = counting(kill_at)
            site.work.run(site.clock.at)
            sys.settrace(None)
            os.write(writing, str(seen()).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        told = pipe.read()
    os.waitpid(child, 0)
    return int(told or b"-1")


def counting(kill_at: int) -> Callable[[], int]:
    seen = 0

    def line(_frame: FrameType, event: str, _about: Any) -> Any:
        nonlocal seen
        if event == "line":
            seen += 1
            if seen == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)
        return line

    def call(frame: FrameType, _event: str, _about: Any) -> Any:
        return line if frame.f_code.co_filename.endswith(WATCHED) else None

    sys.settrace(call)
    return lambda: seen


def finished(folder: Path, data_key: Secret) -> tuple[State, set[tuple[str, str]]]:
    """Run once more; return what is there, and what the ledger names."""
    site = Retained(folder, data_key)
    site.to(WHEN)
    site.run()
    verdict = site.verdict()
    assert verdict.result is Result.INTACT, verdict.findings
    assert site.retention.overdue() == []
    assert site.rows("SELECT 1 FROM intent WHERE done_at_ms IS NULL AND kind = 'erase_class'") == []
    state = {table: site.rows(f"SELECT * FROM {table}") for table in TABLES}
    state["log"] = site.rows(LOG)
    assert site.rows("SELECT * FROM deletion_permit") == []
    keyrings = site.persons().keyrings().values()
    assert not any({"identity", "contact"} & set(keyring) for keyring in keyrings)
    lines = LedgerFile(folder / LEDGER).all()
    site.store.close()
    return state, {(one.subject, one.data_class) for one in lines}


def killed_at(numbers: list[int], prepared: Path, data_key: Secret, tmp_path: Path) -> None:
    whole = Path(shutil.copytree(prepared, tmp_path / "whole"))
    expected, told = finished(whole, data_key)
    assert len(expected["session"]) == 12
    for number in numbers:
        folder = Path(shutil.copytree(prepared, tmp_path / f"killed{number}"))
        assert work(folder, data_key, number) == -1
        state, lines = finished(folder, data_key)
        assert state == expected, number
        assert lines == told, number
        shutil.rmtree(folder)


def lines_of_work(prepared: Path, data_key: Secret, tmp_path: Path) -> int:
    count = work(Path(shutil.copytree(prepared, tmp_path / "counted")), data_key, 0)
    assert count > 500
    return count


def test_a_run_that_is_killed_goes_on_where_it_was(
    prepared: Path, new_site: tuple[Path, Secret], tmp_path: Path
) -> None:
    count = lines_of_work(prepared, new_site[1], tmp_path)
    numbers = [count * part // 9 for part in range(1, 9)]
    killed_at(numbers, prepared, new_site[1], tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_it_may_be_killed_anywhere(
    prepared: Path, new_site: tuple[Path, Secret], tmp_path: Path
) -> None:
    count = lines_of_work(prepared, new_site[1], tmp_path)
    early = range(1, count * 4 // 5)  # how many lines it goes depends on how fast the PC is
    numbers = sorted(random.Random(5).sample(early, 40))
    killed_at(numbers, prepared, new_site[1], tmp_path)
