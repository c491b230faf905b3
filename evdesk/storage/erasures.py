"""The erasure ledger: a file beside the database, and erasing once more what it tells of.

A line is canonical JSON and names the SHA-256 of the line before it. It knows persons by a keyed
hash only. It lies outside of the database, because a backup must not be able to take it back.
"""

import hashlib
import hmac
import json
import os
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from evdesk.domain.erasures import Erasure
from evdesk.domain.errors import StorageError
from evdesk.domain.instants import parse_instant, rfc3339
from evdesk.storage.connection import Connection
from evdesk.storage.json_text import canonical
from evdesk.storage.persons import Persons

LEDGER = "erasures.jsonl"
NO_LINE = "0" * 64
DAMAGED = (
    "The erasure ledger {path} is damaged at line {line}: what was erased could come back. Nothing "
    "was changed. Use the newest copy from a backup folder."
)


def subject_of(connection: Connection, person: str) -> str:
    """Return what the ledger calls a person."""
    row = connection.one("SELECT key FROM erasure_key")
    if row is None:
        msg = "a site without the key of its erasure ledger"
        raise RuntimeError(msg)
    return hmac.digest(row[0], person.encode(), "sha256").hex()


class LedgerFile:
    """Implements ``ports.ErasureLedger``; a file that is not there is an empty ledger.

    Raises:
        StorageError: a line was changed or is missing.

    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, erasure: Erasure) -> None:
        """Write that something is gone, durable when this returns.

        What a power cut left of an unfinished line is overwritten.
        """
        lines = self._lines()
        fields = {
            "seq": len(lines),
            "prev": _digest(lines[-1]) if lines else NO_LINE,
            "at": rfc3339(erasure.at),
            "subject": erasure.subject,
            "class": erasure.data_class,
            "rule": erasure.rule,
        }
        whole = sum(len(line) + 1 for line in lines)
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "r+b") as file:
            file.truncate(whole)
            file.seek(whole)
            file.write(canonical(fields).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def since(self, at: datetime) -> list[Erasure]:
        """Return what was erased at an instant or later."""
        return [one for one in self.all() if one.at >= at]

    def newest_hash(self) -> str:
        """Return the SHA-256, in hex, of the newest line; empty where there is none."""
        lines = self._lines()
        return _digest(lines[-1]) if lines else ""

    def is_whole(self) -> bool:
        """Return whether no line was changed or is missing."""
        try:
            self.all()
        except StorageError:
            return False
        return True

    def all(self) -> list[Erasure]:
        """Return every line, oldest first."""
        found, prev = [], NO_LINE
        for number, line in enumerate(self._lines()):
            try:
                data = json.loads(line)
                whole = (data["seq"], data["prev"]) == (number, prev)
                at = parse_instant(data["at"], "UTC")
                one = Erasure(at, str(data["subject"]), str(data["class"]), str(data["rule"]))
            except (ValueError, KeyError, TypeError) as error:
                raise StorageError(DAMAGED, path=self.path, line=number + 1) from error
            if not whole:
                raise StorageError(DAMAGED, path=self.path, line=number + 1)
            prev = _digest(line)
            found.append(one)
        return found

    def _lines(self) -> list[bytes]:
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return []
        return content.split(b"\n")[:-1]


class PersonKeysReplay:
    """Implements ``ports.ErasureReplay``: destroys the keys that were destroyed before."""

    def __init__(self, connection: Connection, persons: Persons) -> None:
        self._db, self._persons = connection, persons

    def replay(self, erasures: Iterable[Erasure]) -> int:
        """Erase what of these is there again; return how many were."""
        gone = {(one.subject, one.data_class) for one in erasures}
        count = 0
        for person, keyring in self._persons.keyrings().items():
            subject = subject_of(self._db, person)
            for data_class in keyring:
                if (subject, data_class) in gone:
                    self._persons.destroy(person, data_class)
                    count += 1
        return count


def _digest(line: bytes) -> str:
    return hashlib.sha256(line).hexdigest()
