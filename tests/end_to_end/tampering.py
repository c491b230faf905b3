"""A site with a bit of everything in its audit log, and what could be done to it with its key."""

import contextlib
import hashlib
import hmac
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from evdesk.domain import merkle
from evdesk.domain.audit import PAYLOAD_ERASED, Change, numbers_text
from evdesk.domain.notes import Head, Verifier
from evdesk.domain.readings import MeterId
from evdesk.domain.secrets import Secret
from evdesk.domain.site import Actor
from evdesk.ports import Store
from evdesk.services.sealing import Archivist
from evdesk.storage import keys
from evdesk.storage.chain import Chain
from evdesk.storage.connection import Connection
from evdesk.storage.json_text import hashed_text
from evdesk.storage.log_keys import SiteLogKeys
from evdesk.storage.signing import sign
from evdesk.storage.site_folder import create_site, open_store
from tests.fakes.clock import SetClock
from tests.fakes.keys import make_cheap
from tests.storage.archives import steady
from tests.storage.sites import (
    DONE,
    OWNER,
    PASSWORD,
    SITE,
    START,
    add_meter,
    close_a_session,
    issue,
    raw,
)

LATER = timedelta(days=100)  # by then, old readings thin out


@dataclass(frozen=True)
class Tampered:
    """A site in a folder, its keys, and its database without any guard."""

    folder: Path
    data_key: Secret
    signing_key: Secret

    @contextlib.contextmanager
    def unguarded(self) -> Iterator[Connection]:
        db = raw(self.folder, self.data_key)
        for (name,) in db.all("SELECT name FROM sqlite_master WHERE type = 'trigger'"):
            db.run(f"DROP TRIGGER {name}")
        try:
            yield db
        finally:
            db.close()

    @contextlib.contextmanager
    def opened(self, at: datetime = START + LATER) -> Iterator[Store]:
        store = open_store(self.folder, self.data_key, Actor(OWNER.id, OWNER.role), SetClock(at))
        try:
            yield store
        finally:
            store.close()

    def keys(self) -> SiteLogKeys:
        return SiteLogKeys(self.folder, lambda: self.signing_key)


def make_site(folder: Path) -> Tampered:
    """Make a site with bills, sealed and thinned readings, checkpoints, an erasure, a set clock."""
    create_site(folder, SITE, OWNER, PASSWORD)
    data_key = make_cheap(folder, PASSWORD)
    signing_key = keys.unlock(folder, None, PASSWORD).signing_key
    assert signing_key is not None
    site = Tampered(folder, data_key, signing_key)
    with site.opened(START) as store:
        issue(store)
        with store.write() as unit:
            add_meter(unit)
            unit.record_change(DONE)
        _read(store, START)
        _seal(store, START + timedelta(hours=4))
        store.sign_head(site.keys().sign)
    with site.opened() as store:
        _read(store, START + LATER - timedelta(days=2))
        _seal(store, START + LATER)
        _late(store)
        with store.write() as unit:
            close_a_session(unit, "S9")
            unit.record_change(Change("x.y", "x", "1", {"wh": 1}, reason="because"))
        _erase(site, store)
        store.sign_head(site.keys().sign)
    with site.opened(START + LATER - timedelta(hours=1)) as store, store.write() as unit:
        add_meter(unit, "after the clock was set back")
        unit.record_change(DONE)
    return site


def _read(store: Store, at: datetime) -> None:
    with store.journal() as unit:
        for meter in (MeterId(1), MeterId(2)):
            readings = steady(meter, 2.5, 300)
            unit.readings.add([replace(one, at=one.at - START + at) for one in readings])


def read_and_seal(store: Store, at: datetime) -> None:
    """Journal the readings of some hours, and seal them."""
    _read(store, at)
    _seal(store, at + timedelta(hours=4))


def _late(store: Store) -> None:
    """Let a reading come for an hour that was sealed long ago."""
    one = steady(MeterId(1), 0.1, 300, socket=2)[0]
    at = START + LATER - timedelta(days=2) + timedelta(minutes=7)
    with store.journal() as unit:
        unit.readings.add([replace(one, at=at)])
    _seal(store, START + LATER + timedelta(hours=8))


def _seal(store: Store, now: datetime) -> None:
    archivist = Archivist(store)
    for hours in (0, 2):  # the second run thins out, too
        while archivist.step(now + timedelta(hours=hours)):
            pass


def _erase(site: Tampered, store: Store) -> None:
    """Erase a payload through the door that is left for retention."""
    with store.read() as unit:
        last = unit.audit.entries(1)[0].seq
    with store.write() as unit:
        change = Change(PAYLOAD_ERASED, "payload", numbers_text([last]), {"rule": "r-1"})
        unit.record_change(change)
        db = unit._connection  # type: ignore[attr-defined]
        db.run("INSERT INTO deletion_permit VALUES ('audit_payload', 'retention')")
        db.run("DELETE FROM audit_payload WHERE seq = ?", (last,))
        db.run("DELETE FROM deletion_permit")


# -- what somebody with the key could do -----------------------------------------------------------


def entry(db: Connection, seq: int) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        db.all("SELECT entry FROM audit WHERE seq = ?", (seq,))[0][0]
    )
    return found


def leaf_of(text: str) -> bytes:
    return hashlib.sha256(b"\x00" + text.encode()).digest()


def rebuild(db: Connection, first: int) -> None:
    """Make everything behind an entry fit again: leaves, what names them, and the tree."""
    size = db.number("SELECT max(seq) + 1 FROM audit")
    for seq in range(first, size):
        text = db.all("SELECT entry FROM audit WHERE seq = ?", (seq,))[0][0]
        if seq > first:
            before = db.all("SELECT leaf FROM audit WHERE seq = ?", (seq - 1,))[0][0]
            text = hashed_text({**json.loads(text), "prev": before.hex()}).decode()
        leaf = (text, leaf_of(text), seq)
        db.run("UPDATE audit SET entry = ?, leaf = ? WHERE seq = ?", leaf)
    rebuild_tree(db)


def rebuild_tree(db: Connection) -> None:
    db.run("DELETE FROM audit_node")
    chain = Chain(db)
    for seq, leaf in db.all("SELECT seq, leaf FROM audit ORDER BY seq"):
        for level, index, node in merkle.grown(seq, leaf, chain.node)[1:]:
            db.run("INSERT INTO audit_node VALUES (?, ?, ?)", (level, index, node))


def append(db: Connection, **changes: object) -> int:
    """Append an entry that fits, in whatever order and with whatever time."""
    chain = Chain(db)
    last = chain.last()
    assert last is not None
    fields = {**entry(db, last.seq), "prev": last.leaf, "seq": last.seq + 1, **changes}
    for name in ("clock", "rows"):
        if name not in changes:
            fields.pop(name, None)
    salt, body = os.urandom(32), b'{"facts":{}}'
    fields["payload"] = hmac.digest(salt, body, "sha256").hex()
    text = hashed_text(fields).decode()
    db.run(
        "INSERT INTO audit (seq, entry, leaf) VALUES (?, ?, ?)", (last.seq + 1, text, leaf_of(text))
    )
    db.run("INSERT INTO audit_payload VALUES (?, ?, ?)", (last.seq + 1, salt, body.decode()))
    rebuild_tree(db)
    return last.seq + 1


def other_checkpoint(site: Tampered, db: Connection, size: int, key: Secret | None = None) -> None:
    """Keep a checkpoint of another log of that size, signed with the site's key or another one."""
    name = keys.verifier(site.folder).name
    note = sign(name, Head(size, os.urandom(32)), key or site.signing_key)
    db.run("INSERT INTO audit_checkpoint (size, at_ms, note) VALUES (?, 0, ?)", (size, note))


def other_key() -> Secret:
    return Secret(Ed25519PrivateKey.generate().private_bytes_raw())


def public_half(name: str, key: Secret) -> Verifier:
    private = Ed25519PrivateKey.from_private_bytes(key.reveal())
    return Verifier(name, private.public_key().public_bytes_raw())
