"""What holds for every test: no unexpected warning in the log, nothing left running behind it.

Nothing here imports Qt: a test that does not ask for it must not depend on it.
"""

from __future__ import annotations

import gc
import logging
import os
import re
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest

ROOT = Path(__file__).resolve().parents[1]

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

# On a developer's machine every run tries new examples; in CI a red run must be red again.
hypothesis.settings.register_profile("developer", deadline=None)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True, database=None)
PROFILE = "ci" if os.environ.get("CI") else "developer"
FEW = 40  # examples of each property; a hundred, as hypothesis has it, with --all


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--all", action="store_true", help="run the tests marked slow, too")


def pytest_configure(config: pytest.Config) -> None:
    """Take fewer examples, and Ctrl-C: what a shell starts in the background ignores it."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.default_int_handler)
    few = {} if config.getoption("--all") else {"max_examples": FEW}
    hypothesis.settings.register_profile("here", hypothesis.settings.get_profile(PROFILE), **few)
    hypothesis.settings.load_profile("here")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave slow tests out without counting them as skipped: a skip is a test that cannot run."""
    if config.getoption("--all"):
        return
    slow = [item for item in items if item.get_closest_marker("slow")]
    items[:] = [item for item in items if item not in slow]
    config.hook.pytest_deselected(items=slow)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Public data sets and standards' test vectors; too big for the repository."""
    folder = Path(os.environ.get("EVDESK_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("needs the public test data (EVDESK_TEST_DATA names its folder)")
    return folder


@pytest.fixture(autouse=True)
def expected_log(caplog: pytest.LogCaptureFixture) -> Iterator[Callable[[str], None]]:
    """Called with a pattern, allows log lines at WARNING and above; any other fails the test.

    A pattern that no line matches fails it, too: then the warning is gone or worded anew.
    """
    patterns: list[str] = []
    yield patterns.append
    records = caplog.get_records("setup") + caplog.get_records("call")
    records += caplog.get_records("teardown")
    lines = [
        f"{record.levelname} {record.name}: {record.getMessage()}"
        for record in records
        if record.levelno >= logging.WARNING
    ]
    unexpected = [line for line in lines if not any(re.search(p, line) for p in patterns)]
    unmatched = [p for p in patterns if not any(re.search(p, line) for line in lines)]
    if unexpected or unmatched:
        pytest.fail(f"unexpected log lines: {unexpected}; expected and not seen: {unmatched}")


@pytest.fixture(autouse=True)
def nothing_left_behind(request: pytest.FixtureRequest) -> Iterator[None]:
    """A thread or a Qt timer that outlives its test disturbs the next one.

    Qt's are looked for behind tests that use Qt: looking through all objects takes its time.
    """
    before = set(threading.enumerate())
    yield
    threads = [thread for thread in set(threading.enumerate()) - before if outlives(thread)]
    left = [f"thread {thread.name}" for thread in threads]
    if "qapp" in request.fixturenames:
        left += running_qt_objects()
    if left:
        pytest.fail(f"left behind: {', '.join(left)}")


def outlives(thread: threading.Thread) -> bool:
    """Whether it still runs a second later; what Python makes up for foreign threads never ends."""
    if isinstance(thread, threading._DummyThread):
        return False
    thread.join(timeout=1)
    return thread.is_alive()


def subclasses(kind: type) -> Iterator[type]:
    """A class with all that are made from it: asking each object instead takes far longer."""
    yield kind
    derived: list[type] = kind.__subclasses__()
    for each in derived:
        yield from subclasses(each)


def running_qt_objects() -> list[str]:
    """Active timers and running threads of Qt, once what was to be deleted is deleted."""
    core = sys.modules.get("PySide6.QtCore")
    program = core and core.QCoreApplication.instance()
    if core is None or program is None:
        return []
    core.QCoreApplication.sendPostedEvents(None, core.QEvent.Type.DeferredDelete.value)
    is_valid = sys.modules["shiboken6"].isValid
    kinds = {*subclasses(core.QTimer), *subclasses(core.QThread)}
    qt = [each for each in gc.get_objects() if type(each) in kinds]
    alive = [each for each in qt if is_valid(each) and each is not program.thread()]
    runs = {core.QTimer: "isActive", core.QThread: "isRunning"}
    return [
        repr(each)
        for kind, question in runs.items()
        for each in alive
        if isinstance(each, kind) and getattr(each, question)()
    ]
