"""The audit log of a site: reading it, signing its heads, checking it, and handing it over."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, Protocol

from evdesk.domain.audit import AuditEntry
from evdesk.domain.notes import Head, Verifier
from evdesk.domain.verdicts import Known, Verdict

TellShare = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which entries; ``about`` is a kind of object, an object, or both as ``kind/object``.

    ``action`` is one action, or the noun of several: ``session`` is all of ``session.…``.
    """

    from_at: datetime | None = None
    to_at: datetime | None = None
    actor: str | None = None
    action: str | None = None
    about: str | None = None


@dataclass(frozen=True, slots=True)
class KeptCheckpoint:
    """A signed head with the instant at which it was signed, as the program says."""

    head: Head
    at: datetime
    note: str


@dataclass(frozen=True, slots=True)
class KeptEntry:
    """An entry as it is hashed, what it keeps beside itself, and where it stands in the tree.

    ``body`` is None where the payload was erased. ``rows`` are table, key and digest of the rows it
    commits to; ``path`` leads from its leaf to the root of ``head``, ``checkpoint`` is the first
    one that covers it.
    """

    entry: AuditEntry
    text: str
    leaf: bytes
    body: str | None
    rows: tuple[tuple[str, str, bytes | None], ...]
    head: Head
    path: tuple[bytes, ...]
    checkpoint: KeptCheckpoint | None
    signed_path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that proves a log, file by file: each an iterator over the lines of the file.

    ``head`` is that of the entries in it, ``lines`` about how many there are in all. They are read
    as they are asked for, within the transaction they come from.
    """

    head: Head
    lines: int
    files: Mapping[str, Iterator[bytes]]


class Audit(Protocol):
    """The audit log, to read; what is written to it comes with the end of a transaction."""

    def entries(self, limit: int, before_seq: int | None = None) -> list[AuditEntry]:
        """Return entries, newest first."""

    def find(
        self, wanted: AuditFilter, limit: int | None = None, before_seq: int | None = None
    ) -> list[AuditEntry]:
        """Return the entries that fit, newest first."""

    def count(self, wanted: AuditFilter | None = None) -> int:
        """Return how many there are, or how many fit."""

    def head(self) -> Head:
        """Return the head of all entries that are committed."""

    def kept(self, seq: int) -> KeptEntry | None:
        """Return all there is about an entry."""

    def checkpoints(self, limit: int | None = None) -> list[KeptCheckpoint]:
        """Return signed heads, newest first."""

    def verify(self, known: Known, tell: TellShare) -> Verdict:
        """Check everything that is in the log or committed to by it."""

    def evidence(self, known: Known) -> Evidence:
        """Return what proves this log to others."""


class LogKeys(Protocol):
    """What of the audit log is kept outside the database: its key and its anchor."""

    @property
    def can_sign(self) -> bool:
        """Return whether there is a key to sign with."""

    def verifier(self) -> Verifier | None:
        """Return the public key, or None where keys.json cannot be read."""

    def anchored(self) -> Head | None:
        """Return the head of anchor.json, or None where there is none that can be read."""

    def sign(self, head: Head) -> str:
        """Return a signed checkpoint.

        Raises:
            NotPermitted: the slot that opened the site has no part in the key.

        """


class EvidenceWriter(Protocol):
    """Writes evidence into one file that can be checked without evdesk."""

    def write(self, evidence: Evidence, out: BinaryIO, tell: TellShare) -> str:
        """Write the file; return the SHA-256, in hex, of its list of contents."""
