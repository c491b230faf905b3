"""After wrong passwords the program makes wait, and nothing is forgotten until it is in the log."""

import os
import stat
from datetime import timedelta
from pathlib import Path

import pytest

from evdesk.domain.errors import TooEarly
from evdesk.storage.unlock_attempts import ATTEMPTS, UnlockAttempts
from tests.storage.sites import START, at


def test_each_wrong_password_doubles_the_wait_up_to_a_minute(tmp_path: Path) -> None:
    attempts = UnlockAttempts(tmp_path)
    assert attempts.seconds_to_wait(START) == 0
    waits, now = [], START
    for _ in range(9):
        attempts.count(now)
        waits.append(attempts.seconds_to_wait(now))
        now += timedelta(seconds=waits[-1])
        assert attempts.seconds_to_wait(now - timedelta(milliseconds=1)) == 1
        assert attempts.seconds_to_wait(now) == 0
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_it_is_refused_in_between_and_another_program_knows(tmp_path: Path) -> None:
    UnlockAttempts(tmp_path).count(START)
    with pytest.raises(TooEarly, match=r"After a wrong password .* in 1 s"):
        UnlockAttempts(tmp_path).check(at(0.2))
    UnlockAttempts(tmp_path).check(at(1))
    UnlockAttempts(tmp_path).count(at(1))
    with pytest.raises(TooEarly, match="After 2 wrong passwords") as refusal:
        UnlockAttempts(tmp_path).check(at(1))
    assert refusal.value.facts["seconds"] == 2


def test_a_clock_that_was_set_back_locks_nobody_out(tmp_path: Path) -> None:
    attempts = UnlockAttempts(tmp_path)
    attempts.count(START)
    assert attempts.seconds_to_wait(at(-3600)) == 0


def test_what_failed_is_kept_until_it_was_taken_without_an_error(tmp_path: Path) -> None:
    attempts = UnlockAttempts(tmp_path)
    for second in (0, 5, 9):
        attempts.count(at(second))
    with pytest.raises(InterruptedError), attempts.taken():
        raise InterruptedError
    with attempts.taken() as failed:
        assert failed is not None
        assert (failed.count, failed.first_at, failed.last_at) == (3, START, at(9))
    with attempts.taken() as failed:
        assert failed is None
    assert not (tmp_path / ATTEMPTS).exists()


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"count": "x"}', b"\xff", b'{"count":1}'])
def test_a_file_that_makes_no_sense_counts_as_none(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / ATTEMPTS).write_bytes(damage)
    attempts = UnlockAttempts(tmp_path)
    assert attempts.seconds_to_wait(START) == 0
    attempts.count(START)
    assert attempts.seconds_to_wait(START) == 1


@pytest.mark.skipif(os.name != "posix", reason="only POSIX has modes")
def test_it_is_for_its_owner_alone_and_holds_nobody(tmp_path: Path) -> None:
    UnlockAttempts(tmp_path).count(START)
    assert stat.S_IMODE((tmp_path / ATTEMPTS).stat().st_mode) == 0o600
    assert (tmp_path / ATTEMPTS).read_text() == (
        '{"count":1,"first_at":"2026-03-02T06:00:00Z","last_at":"2026-03-02T06:00:00Z"}\n'
    )
