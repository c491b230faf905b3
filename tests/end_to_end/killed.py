"""A process that makes or restores a backup and is killed after so many lines of it.

Run as a script it reads numbers, one a line. For each it forks; the child works and is killed with
SIGKILL before that line of the modules below; 0 lets it live. The answer is how many lines it went
through, or -1 where it was killed.
"""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from evdesk import bootstrap
from evdesk.bootstrap.sites import open_with_key
from evdesk.domain.secrets import Secret
from evdesk.domain.site import Actor, Role
from evdesk.ports import Restorable
from evdesk.services.restoring import RestoreWish

WATCHED = (
    "services/backing_up.py", "storage/backups.py", "storage/backup_file.py", "storage/intents.py",
    "storage/restoring.py", "storage/settling.py", "storage/swapping.py", "storage/erasures.py",
    "storage/key_file.py", "storage/anchor.py", "storage/database.py", "storage/scratch.py",
    "storage/replaced.py", "storage/persons.py", "storage/migrations.py",
)  # fmt: skip
OWNER = Actor("A-1", Role.OWNER)


def create(folder: Path, key: Secret, target: Path) -> None:
    opened = open_with_key(folder, key, OWNER)
    made = opened.services.backups.create(target)
    opened.services.store.close()
    assert made.verdict.intact


def restore(folder: Path, password: Secret, file: Path) -> None:
    def agree(about: Restorable) -> None:
        assert about.replaces

    bootstrap.restore_service().restore(RestoreWish(file, folder, password), agree)


def counting(kill_at: int) -> Callable[[], int]:
    """Count lines from here on, and end this process before one of them."""
    seen = 0

    def line(frame: FrameType, event: str, _about: Any) -> Any:
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


def work(what: str, folder: Path, secret: Secret, other: Path, kill_at: int) -> int:
    """Work in a fork of this process; return how many lines it went through, or -1."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        seen = counting(kill_at)
        {"create": create, "restore": restore}[what](folder, secret, other)
        sys.settrace(None)
        os.write(writing, str(seen()).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        lines = answer.read()
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return -1
    assert status == 0, "see above"
    return int(lines)


def main() -> None:
    what, folder, other = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    secret = Secret(bytes.fromhex(sys.stdin.readline()))
    for number in sys.stdin:
        sys.stdout.write(f"{work(what, folder, secret, other, int(number))}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
