"""What SQLCipher refuses, as sentences for people: the one place where its errors end."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from evdesk.domain.errors import EvdeskError, StorageError, UserError, WrongKey
from evdesk.domain.secrets import Secret
from evdesk.storage.pages import Verdict, diagnose

if TYPE_CHECKING:
    import sqlite3 as sqlcipher
else:
    from sqlcipher3 import dbapi2 as sqlcipher

PRIMARY_CODE = 0xFF  # an extended result code has the primary one in its low byte

BUSY = (
    "Another program has kept the database busy for {seconds:g} s; nothing was written. "
    "Try again; if it lasts, close other evdesk windows or stop a running import."
)
FULL = (
    "The disk is full: {path} could not grow, and nothing of this step was written. "
    "What was kept before is intact. Free some space, then try again."
)
READ_ONLY = (
    "{path} or its folder cannot be written; nothing was changed. "
    "Check the permissions of the site folder, then try again."
)
MISSING = (
    "{path} cannot be opened: it does not exist or may not be read. Nothing was changed. "
    "Check the site folder, or restore the newest backup."
)
DAMAGED = (
    "{path} is damaged ({detail}); evdesk changed nothing. "
    "Keep a copy of the folder as it is, then restore the newest backup."
)
TRUNCATED = (
    "{path} is truncated: its end is missing; evdesk changed nothing. "
    "Keep a copy of the folder as it is, then restore the newest backup."
)
PLAIN = (
    "{path} is not encrypted, so it is no evdesk database; evdesk changed nothing. "
    "Restore the newest backup."
)
WRONG_KEY = (
    "The key does not open {path}; nothing was changed. "
    "Either keys.json belongs to another site, or the beginning of the file is damaged: "
    "put the two back together, or restore the newest backup."
)
NEWER = (
    "{path} has schema {found}, and this evdesk knows schemas up to {known}: a newer evdesk has "
    "opened this site. Nothing was changed. Install that version or a later one."
)
OLDER = (
    "{path} has schema {found}, and this evdesk needs {known}; nothing was changed. "
    "Close this window and open the site again to bring it up to date."
)
REPLACED = (
    "The keys of this site are being renewed by another program; nothing was changed. "
    "Try again when it is done."
)
APPEND_ONLY = (
    "An entry of {table} is final and was not changed: records that prove a bill are only ever "
    "added to. Nothing of this step was written."
)
BILLED = (
    "A session in this step is on an issued invoice and stays as it was billed; nothing was "
    "changed. Cancel the invoice to bill it anew."
)
NOT_UNIQUE = (
    "Nothing was written: {where} must be new, and there is one like it already. Choose another."
)
REFERENCED = (
    "Nothing was written: this step names something that the site does not know, "
    "or removes something that is still used."
)
CONSTRAINT = "Nothing was written: the database refused a value ({detail})."
DISK = (
    "The disk reported an error at {path} ({detail}); nothing of this step was written. "
    "What was kept before is as safe as the disk is: make a backup, then check the disk."
)
OTHER = "{path} could not be used ({detail}); nothing of this step was written. Try again."


@dataclass(frozen=True, slots=True)
class Place:
    """The file an error is about, and what is needed to tell its cause."""

    path: Path
    key: Secret
    busy_timeout_ms: int


def storage_fault(error: "sqlcipher.Error", place: Place) -> EvdeskError:
    """Return the sentence that stands for an error of SQLCipher."""
    code = getattr(error, "sqlite_errorcode", 0) & PRIMARY_CODE
    facts = {
        "path": place.path,
        "detail": str(error),
        "seconds": place.busy_timeout_ms / 1000,
    }
    if code == sqlcipher.SQLITE_CONSTRAINT:
        return _constraint(str(error))
    if code == sqlcipher.SQLITE_NOTADB:
        return unreadable(place)
    templates = {
        sqlcipher.SQLITE_BUSY: BUSY,
        sqlcipher.SQLITE_LOCKED: BUSY,
        sqlcipher.SQLITE_FULL: FULL,
        sqlcipher.SQLITE_READONLY: READ_ONLY,
        sqlcipher.SQLITE_PERM: READ_ONLY,
        sqlcipher.SQLITE_CANTOPEN: MISSING,
        sqlcipher.SQLITE_CORRUPT: DAMAGED,
        sqlcipher.SQLITE_IOERR: DISK,
    }
    return StorageError(templates.get(code, OTHER), **facts)


def is_unreadable(error: EvdeskError) -> bool:
    """Return whether an error says that something in a file is not what a database would hold."""
    return error.template in {DAMAGED, TRUNCATED, OTHER}


def unreadable(place: Place) -> EvdeskError:
    """Return what is wrong with a file whose first page does not open."""
    try:
        verdict = diagnose(place.path, place.key)
    except OSError:
        return StorageError(MISSING, path=place.path)
    if verdict is Verdict.WRONG_KEY:
        return WrongKey(WRONG_KEY, path=place.path)
    templates = {
        Verdict.DAMAGED: DAMAGED,
        Verdict.TRUNCATED: TRUNCATED,
        Verdict.PLAIN: PLAIN,
    }
    return StorageError(templates[verdict], path=place.path, detail="its first page")


def _constraint(text: str) -> EvdeskError:
    if text.startswith("append-only: "):
        return StorageError(APPEND_ONLY, table=text.removeprefix("append-only: "))
    if text.startswith("billed: "):
        return StorageError(BILLED)
    if unique := re.match(r"UNIQUE constraint failed: (\S+)", text):
        return UserError(NOT_UNIQUE, where=unique[1].rstrip(",").replace(".", " "))
    if text.startswith("FOREIGN KEY"):
        return StorageError(REFERENCED)
    return StorageError(CONSTRAINT, detail=text)
