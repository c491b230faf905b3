"""The guards in conftest.py, each broken on purpose in a run of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

CONFTEST = Path(__file__).with_name("conftest.py").read_text(encoding="utf-8")
BREACHES = """
import logging, threading, time, pytest

def test_warns():
    logging.getLogger("meter").warning("silent")

def test_declares_what_never_comes(expected_log):
    expected_log("silent")

def test_leaves_a_thread():
    threading.Thread(target=time.sleep, args=(5,), daemon=True).start()

def test_leaves_a_timer(qapp):
    from PySide6.QtCore import QTimer
    qapp.left = QTimer()
    qapp.left.start(100)

def test_leaves_a_qt_thread(qapp):
    from PySide6.QtCore import QThread
    qapp.left.stop()
    qapp.thread_left = QThread()
    qapp.thread_left.start()

def test_keeps_the_rules(expected_log, qapp):
    qapp.thread_left.quit()
    qapp.thread_left.wait()
    expected_log("meter: silent")
    logging.getLogger("meter").warning("silent")
    threading.Thread(target=time.sleep, args=(0.1,)).start()

@pytest.mark.slow
def test_slow():
    pass
"""


@pytest.fixture
def broken(pytester):
    pytester.makeini("[pytest]\nmarkers = slow\nqt_api = pyside6")
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(BREACHES)
    return pytester


def test_each_breach_is_an_error_and_a_slow_test_is_left_out(broken):
    result = broken.runpytest_subprocess()
    result.assert_outcomes(passed=6, errors=5, deselected=1)
    result.stdout.fnmatch_lines(
        [
            "*unexpected log lines: *meter: silent*",
            "*expected and not seen: *silent*",
            "*left behind: thread *",
            "*left behind: <PySide6.QtCore.QTimer*",
            "*left behind: <PySide6.QtCore.QThread*",
        ]
    )


@pytest.mark.slow
def test_all_runs_the_slow_tests_too(broken):
    broken.runpytest_subprocess("--all", "-m", "slow").assert_outcomes(passed=1, deselected=6)
