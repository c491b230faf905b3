"""A backup file: a zip of stored parts, with a manifest that is proven and, mostly, signed.

Parts: ``site.db``, ``keys.json``, ``manifest.json`` and, where the site's key signed it,
``manifest.note``. The manifest tells the digests of the others. Its ``proof`` is AES-256-GCM under
a key derived from the data key: over all of the manifest, and inside of it the totals, which are
nobody's business, and whether there is a signature. Nothing in the file is compressed, and nothing
that a file says of names or sizes is believed.
"""

import base64
import hashlib
import json
import os
import re
import stat
import struct
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from evdesk.domain.backups import Backup, BackupId, Totals
from evdesk.domain.errors import StorageError, UserError
from evdesk.domain.instants import parse_instant, rfc3339
from evdesk.domain.notes import Head, Verifier, parse_head, parse_note
from evdesk.domain.secrets import Secret
from evdesk.storage.disks import disk_of
from evdesk.storage.json_text import canonical
from evdesk.storage.signing import is_text_signed, sign_text
from evdesk.storage.totals import dump_totals

MAGIC, VERSION = "evdesk-backup", 1
SITE, KEYS, MANIFEST, NOTE = "site.db", "keys.json", "manifest.json", "manifest.note"
PARTS = {SITE, KEYS}
MOST_TEXT_BYTES = 1_000_000  # of any part but the database
CHUNK_BYTES = 1 << 20
SYNC_BYTES = 1 << 22  # what waits to be written must never be so much that others wait for it
NONCE_BYTES = 12
LABEL = b"evdesk backup"
NAME = re.compile(r"evdesk-(?P<site>.+)-\d{8}T\d{6}Z-(?P<id>B-[0-9A-Z]+)\.zip")

NO_FILE = "There is no backup file {file}. Nothing was changed."
NOT_READ = (
    "{file} cannot be read ({detail}); nothing was changed. Check the drive that it is on, then "
    "try again, or use another backup."
)
NO_BACKUP = (
    "{file} is no whole backup: it was not copied to its end, it was changed, or it is something "
    "else ({detail}). Use another one."
)
OTHER_PARTS = (
    "{file} has other parts than a backup has: {names}. Somebody changed it; use another one."
)
ALTERED = (
    "{part} in {file} is not what was backed up: its digest differs. The file was changed or "
    "damaged; use another one."
)
NOT_PROVEN = (
    "What {file} says of itself was not written by somebody who has the key of the site: it was "
    "changed. Use another one."
)
NOT_SIGNED = (
    "The signature of {file} does not fit, or was taken away. Somebody changed it; use another one."
)
NEWER = (
    "{file} was made by evdesk {program}, which is newer than this one; nothing was changed. "
    "Install that version or a later one."
)
NOT_A_ZIP = (
    zipfile.BadZipFile, zipfile.LargeZipFile, EOFError, ValueError, KeyError, TypeError,
    NotImplementedError, RuntimeError, OverflowError, struct.error,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a backup: its size and its SHA-256 in hex."""

    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says of itself; ``proof`` is nonce and ciphertext."""

    id: BackupId
    site_id: str
    created_at: datetime
    schema_version: int
    program: str
    head: Head
    parts: Mapping[str, Part]
    proof: bytes = b""

    def plain(self) -> dict[str, object]:
        """Return all but the proof, as JSON values."""
        parts = {
            name: {"bytes": part.size_bytes, "sha256": part.sha256}
            for name, part in self.parts.items()
        }
        return {
            "magic": MAGIC,
            "version": VERSION,
            "id": self.id,
            "site_id": self.site_id,
            "created_at": rfc3339(self.created_at),
            "schema_version": self.schema_version,
            "program": self.program,
            "head": str(self.head),
            "parts": parts,
        }

    def text(self) -> str:
        """Return the manifest as it stands in the file."""
        proof = base64.b64encode(self.proof).decode()
        return canonical({**self.plain(), "proof": proof}) + "\n"

    def told(self, file: Path, size_bytes: int, *, signed: bool) -> Backup:
        """Return what people are told of the backup."""
        return Backup(
            id=self.id,
            file=file,
            site_id=self.site_id,
            created_at=self.created_at,
            size_bytes=size_bytes,
            schema_version=self.schema_version,
            program=self.program,
            head=self.head,
            signed=signed,
        )


def file_name(site_id: str, at: datetime, backup: BackupId) -> str:
    """Return how a backup is named."""
    return f"evdesk-{site_id}-{at:%Y%m%dT%H%M%SZ}-{backup}.zip"


def site_of(file: Path) -> str | None:
    """Return whose backup a file is by its name, or None where it is named otherwise."""
    named = NAME.fullmatch(file.name)
    return None if named is None else named["site"]


# -- proof and signature ---------------------------------------------------------------------------


def prove(
    data_key: Secret,
    manifest: Manifest,
    totals: Totals,
    random_bytes: Callable[[int], bytes],
    *,
    signed: bool,
) -> bytes:
    """Return the proof of a manifest, with the totals inside."""
    nonce = random_bytes(NONCE_BYTES)
    inside = canonical({**dump_totals(totals), "signed": signed}).encode()
    about = canonical(manifest.plain()).encode()
    return nonce + _cipher(data_key).encrypt(nonce, inside, about)


def proven(data_key: Secret, manifest: Manifest) -> dict[str, object] | None:
    """Return what is inside the proof, or None where the manifest is not the one it was made of."""
    nonce, sealed = manifest.proof[:NONCE_BYTES], manifest.proof[NONCE_BYTES:]
    about = canonical(manifest.plain()).encode()
    try:
        found: dict[str, object] = json.loads(_cipher(data_key).decrypt(nonce, sealed, about))
    except (InvalidTag, ValueError):
        return None
    return found


def signature_of(manifest: Manifest, key: Secret) -> str:
    """Return the signed note that goes with a manifest."""
    return sign_text(_signed_text(manifest), f"evdesk/{manifest.site_id}", key)


def is_signature_of(note: str, manifest: Manifest, verifier: Verifier) -> bool:
    """Return whether a note is the site's signature of a manifest."""
    try:
        return is_text_signed(parse_note(note), _signed_text(manifest), verifier)
    except ValueError:
        return False


def _signed_text(manifest: Manifest) -> str:
    digest = hashlib.sha256(manifest.text().encode()).hexdigest()
    return f"evdesk backup\n{manifest.site_id}\nsha256 {digest}\n"


def _cipher(data_key: Secret) -> AESGCM:
    derivation = HKDF(algorithm=SHA256(), length=32, salt=None, info=LABEL)
    return AESGCM(derivation.derive(data_key.reveal()))


# -- writing ---------------------------------------------------------------------------------------


class Packing:
    """A backup file that is being written; durable when the block ends.

    Raises:
        OSError: the disk is full, gone or may not be written to.

    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("xb")
        self._zip = zipfile.ZipFile(self._file, "w", zipfile.ZIP_STORED)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_about: object) -> None:
        with self._file:
            if kind is None:
                self._zip.close()
                sync(self._file)
            self._zip.fp = None  # or it would try to write its end when it is collected

    def add_file(self, name: str, path: Path, done: Callable[[float], None]) -> Part:
        """Add a part from a file; ``done`` is told the share."""
        size_bytes, digest, written = path.stat().st_size, hashlib.sha256(), 0
        with path.open("rb") as source, self._begin(name) as out:
            while chunk := source.read(CHUNK_BYTES):
                digest.update(chunk)
                out.write(chunk)
                written += len(chunk)
                if written % SYNC_BYTES == 0:
                    sync(self._file)
                done(written / size_bytes)
        return Part(written, digest.hexdigest())

    def add_text(self, name: str, content: bytes) -> Part:
        """Add a small part."""
        with self._begin(name) as out:
            out.write(content)
        return Part(len(content), hashlib.sha256(content).hexdigest())

    def _begin(self, name: str) -> IO[bytes]:
        about = zipfile.ZipInfo(name)
        about.external_attr = (stat.S_IFREG | 0o600) << 16
        return self._zip.open(about, "w", force_zip64=True)


def sync(file: IO[bytes]) -> None:
    """Have what was written so far go to the disk."""
    file.flush()
    os.fsync(file.fileno())


# -- reading ---------------------------------------------------------------------------------------


class Reading:
    """A backup file that is read; see ``reading``."""

    def __init__(self, path: Path, archive: zipfile.ZipFile, size_bytes: int) -> None:
        self.path, self._zip, self.size_bytes = path, archive, size_bytes
        self._check_parts()
        self.manifest = parse_manifest(self._text(MANIFEST), path)
        has_note = NOTE in self._zip.namelist()
        self.note = self._text(NOTE).decode() if has_note else None

    def told(self) -> Backup:
        """Return what it says of itself."""
        return self.manifest.told(self.path, self.size_bytes, signed=self.note is not None)

    def unpack(self, name: str, into: Path, done: Callable[[float], None]) -> bool:
        """Write a part to a file; return whether it is what the manifest says."""
        part, digest, written = self.manifest.parts[name], hashlib.sha256(), 0
        with disk_of(into.parent), into.open("xb") as out:
            into.chmod(0o600)
            for chunk in self._chunks(name):
                digest.update(chunk)
                out.write(chunk)
                written += len(chunk)
                if written % SYNC_BYTES == 0:
                    sync(out)
                done(min(written / max(part.size_bytes, 1), 1.0))
            sync(out)
        return (written, digest.hexdigest()) == (part.size_bytes, part.sha256)

    def _chunks(self, name: str) -> Iterator[bytes]:
        with _readable(self.path), self._zip.open(name) as source:
            while chunk := source.read(CHUNK_BYTES):
                yield chunk

    def _text(self, name: str) -> bytes:
        if self._zip.getinfo(name).file_size > MOST_TEXT_BYTES:
            raise ValueError("a part that is too large")
        return self._zip.read(name)

    def _check_parts(self) -> None:
        """Refuse parts that no backup has, twice the same, packed ones, and claims of size."""
        members = self._zip.infolist()
        names = [each.filename for each in members]
        if not PARTS | {MANIFEST} <= set(names) <= PARTS | {MANIFEST, NOTE}:
            raise StorageError(OTHER_PARTS, file=self.path, names=_shown(names))
        stored = all(
            each.compress_type == zipfile.ZIP_STORED and each.compress_size == each.file_size
            for each in members
        )
        whole = sum(each.file_size for each in members)
        if len(names) != len(set(names)) or not stored or whole > self.size_bytes:
            raise ValueError("parts that do not fit into the file")


@contextmanager
def reading(path: Path) -> Iterator[Reading]:
    """Open a backup file.

    Raises:
        UserError: there is no such file.
        StorageError: it cannot be read, is no whole backup, or a newer program made it.

    """
    with ExitStack() as stack:
        with _readable(path):
            file = stack.enter_context(path.open("rb"))
            archive = stack.enter_context(zipfile.ZipFile(file))
            found = Reading(path, archive, os.fstat(file.fileno()).st_size)
        yield found


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise UserError(NO_FILE, file=path) from error
    except OSError as error:
        raise StorageError(NOT_READ, file=path, detail=error.strerror) from error
    except NOT_A_ZIP as error:
        raise StorageError(NO_BACKUP, file=path, detail=error) from error


def parse_manifest(content: bytes, path: Path) -> Manifest:
    """Return the manifest of a text.

    Raises:
        StorageError: a newer program wrote it.
        ValueError, KeyError, TypeError: it is none.

    """
    data = json.loads(content)
    if data["magic"] != MAGIC:
        raise ValueError("another kind of file")
    if data["version"] != VERSION:
        raise StorageError(NEWER, file=path, program=str(data["program"])[:40])
    parts = {
        name: Part(int(part["bytes"]), str(part["sha256"])) for name, part in data["parts"].items()
    }
    found = Manifest(
        id=BackupId(data["id"]),
        site_id=str(data["site_id"]),
        created_at=parse_instant(data["created_at"], "UTC"),
        schema_version=int(data["schema_version"]),
        program=str(data["program"]),
        head=parse_head(data["head"]),
        parts=parts,
        proof=base64.b64decode(data["proof"], validate=True),
    )
    if set(parts) != PARTS or found.text().encode() != content:
        raise ValueError("a manifest in another form")
    return found


def _shown(names: list[str]) -> str:
    strange = sorted(set(names) - PARTS - {MANIFEST, NOTE})
    missing = sorted((PARTS | {MANIFEST}) - set(names))
    return ", ".join([*(repr(name[:60]) for name in strange[:5]), *(f"no {m}" for m in missing)])
