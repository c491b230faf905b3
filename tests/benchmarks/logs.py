"""A long audit log, written as evdesk writes it and a thousand times as fast."""

import hmac
import json
import os

from evdesk.domain import merkle
from evdesk.storage.chain import Chain
from evdesk.storage.connection import Connection
from evdesk.storage.json_text import hashed_text

BLOCK = 20_000
KINDS = (
    ("session.closed", "session", "collector", "program", {"energy_wh": 12_400, "flags": []}),
    ("login.ok", "account", "A-7K3MQ2XZ", "owner", {"by": "password"}),
    ("rows.kept", "journal", "collector", "program", {"fault": 1, "fault_event": 2}),
    ("invoice.issued", "invoice", "A-4F2ANB7C", "staff", {"number": "2026-00042", "gross": 1734}),
)


def grow(db: Connection, count: int) -> None:
    """Append so many entries with their payloads, and what of the tree they complete."""
    chain = Chain(db)
    last, size = chain.last(), chain.size()
    assert last is not None
    peaks = [chain.node(level, index) for level, index in merkle.peaks(size)]
    prev, at = last.leaf, last.at
    bodies = [hashed_text({"facts": kind[-1]}) for kind in KINDS]
    db.run("BEGIN IMMEDIATE")
    for first in range(size, size + count, BLOCK):
        entries, payloads, nodes = [], [], []
        for seq in range(first, min(first + BLOCK, size + count)):
            action, kind, actor, role, _ = KINDS[seq % len(KINDS)]
            salt, body = os.urandom(32), bodies[seq % len(KINDS)]
            fields = {
                "action": action, "actor": actor, "at": at, "object_ref": str(seq),
                "object_type": kind, "outcome": "ok",
                "payload": hmac.digest(salt, body, "sha256").hex(), "prev": prev, "role": role,
                "seq": seq, "v": 1,
            }  # fmt: skip
            text = json.dumps(fields, separators=(",", ":"))  # in order, and plain
            leaf = merkle.leaf_hash(text.encode())
            prev = leaf.hex()
            entries.append((seq, text, leaf))
            payloads.append((seq, salt, body.decode()))
            nodes += _completed(seq, leaf, peaks)
        db.many("INSERT INTO audit (seq, entry, leaf) VALUES (?, ?, ?)", entries)
        db.many("INSERT INTO audit_payload VALUES (?, ?, ?)", payloads)
        db.many("INSERT INTO audit_node VALUES (?, ?, ?)", nodes)
    db.run("COMMIT")


def _completed(index: int, leaf: bytes, peaks: list[bytes]) -> list[tuple[int, int, bytes]]:
    level, node, made = 0, leaf, []
    while index & 1:
        node, level, index = merkle.node_hash(peaks.pop(), node), level + 1, index >> 1
        made.append((level, index, node))
    peaks.append(node)
    return made
