"""Running evdesk as a script would, in this process; and what a site folder looks like."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from evdesk.cli.main import run
from evdesk.domain.meters import NewMeter, Source
from evdesk.domain.secrets import Secret
from evdesk.domain.sessions import Flag
from evdesk.storage.unlock_attempts import ATTEMPTS
from tests.fakes.clock import START
from tests.services.desk import ISSUER, Desk, open_desk

ROOT = Path(__file__).resolve().parents[2]
DEAD = "tcp://127.0.0.1:9"  # the discard port: nobody listens


@dataclass(frozen=True)
class Answer:
    code: int
    out: str
    err: str


@dataclass
class Shell:
    """A user with a site and a password file."""

    folder: Path
    password_file: Path
    data_key: Secret
    capsys: pytest.CaptureFixture[str]

    def bare(self, *arguments: object) -> Answer:
        """Run without naming a site."""
        self.capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        out, err = self.capsys.readouterr()
        return Answer(code, out, err)

    def run(self, *arguments: object) -> Answer:
        return self.bare(*self.common(), *arguments)

    def common(self) -> tuple[str, ...]:
        return ("--site", str(self.folder), "--password-file", str(self.password_file))

    def text(self, *arguments: object) -> str:
        """Run what succeeds and says nothing beside its answer."""
        answer = self.run(*arguments)
        assert (answer.code, answer.err) == (0, "")
        return answer.out

    def json(self, *arguments: object) -> Any:
        """Run with --json; there must be one document and nothing else."""
        out = self.text(*arguments, "--json")
        assert out.count("\n") == 1
        return json.loads(out)

    def refused(self, code: int, sentence: str, *arguments: object) -> None:
        """Run what fails: one sentence, no answer, nothing changed."""
        before = self.state()
        answer = self.run(*arguments)
        assert answer.code == code, answer
        assert answer.out == ""
        fails(answer, sentence)
        assert self.state() == before

    def state(self) -> object:
        """Return the folder's files and everything in the database."""
        desk = open_desk(self.folder, self.data_key)
        try:
            return files(self.folder.parent), desk.everything()
        finally:
            desk.store.close()

    def start(self, *arguments: object) -> "subprocess.Popen[str]":
        """Start evdesk as a process of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "evdesk", *self.common(), *map(str, arguments)],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


def fails(answer: Answer, sentence: str) -> None:
    """Say that there is one message for people, and that it says this."""
    assert answer.err.startswith("evdesk: ")
    assert answer.err.count("\n") == 1
    assert sentence in answer.err
    assert "Traceback" not in answer.err


def files(folder: Path) -> list[str]:
    """Return the names of all files but those that come and go by themselves."""
    passing = ("-wal", "-shm", ".lock", ATTEMPTS)
    return sorted(str(p) for p in folder.rglob("*") if not p.name.endswith(passing))


def fill(folder: Path, data_key: Secret) -> None:
    """Put a bay, a spare meter, a driver, a tariff and four sessions into a site."""
    desk = open_desk(folder, data_key)
    try:
        with desk.store.journal() as unit:
            bay = unit.meters.add(NewMeter("bay1", "keba-p30", DEAD, 255, serial="17"), START)
            unit.meters.add(NewMeter("spare", "eastron-sdm630", DEAD, 1), START)
            unit.stations.add("bay1", Source(bay), Source(bay), START)
        desk.billing.set_issuer(ISSUER)
        desk.add_tariff()
        kim = desk.add_driver()
        sessions(desk, kim)
    finally:
        desk.store.close()


def sessions(desk: Desk, kim: Any) -> None:
    """Make one closed session of Kim, one of nobody, one in review and one still open."""
    desk.charge(kim, 12_000, START)
    desk.charge(None, 7_300, START.replace(day=3))
    desk.charge(kim, 5_000, START.replace(day=4), Flag.METER_RESET)
    desk.charge(kim, None, START.replace(day=5))
