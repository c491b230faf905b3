"""Check the evidence of an evdesk site, with nothing but Python 3.11 or later.

Run it in the unpacked folder:

    python3 verify.py [--anchor SIZE:ROOT] [--key NAME+ID+KEY] [--manifest SHA256] [--json]

SIZE:ROOT is a head of the audit log from an invoice, an export or an e-mail; several may be given.
NAME+ID+KEY is the public key of the site, if you were given it otherwise. SHA256 is what evdesk
printed when the bundle was made. Exit codes: 0 all is as it was written, 1 something is not,
2 it cannot be told, or this is no such bundle. README.txt describes every file.
"""

import argparse
import base64
import hashlib
import hmac
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

INTACT, TAMPERED, UNVERIFIABLE = 0, 1, 2
RESULTS = ("intact", "tampered", "unverifiable")
FILES = (
    "checkpoints.txt", "entries.jsonl", "key.txt", "payloads.jsonl", "rows.jsonl",
    "segments.jsonl", "state.json",
)  # fmt: skip
CODES = (
    "entry_changed", "entry_missing", "order", "payload_changed", "row_changed", "row_missing",
    "row_unknown", "segment_changed", "checkpoint_forged", "checkpoint_fork", "key_changed",
    "rolled_back", "clock", "node_changed", "file_changed",
)  # fmt: skip
NOT_OF_IT = (
    "The log itself is intact; this head is not of it. Look again at what you typed, or whose it "
    "is."
)
SENTENCES = {
    "entry_changed": "An entry is not the one that was written.",
    "entry_missing": "An entry is missing.",
    "order": "An entry stands where another one belongs.",
    "payload_changed": "What an entry says in detail was changed, or is gone without a trace.",
    "row_changed": "A row that the log commits to is not what it was.",
    "row_missing": "A row that the log commits to is gone.",
    "row_unknown": "There is a row that the log does not know of.",
    "segment_changed": "Sealed readings are not what was sealed.",
    "checkpoint_forged": "A checkpoint is not signed with the key of this log.",
    "checkpoint_fork": "Two signed checkpoints of one size contradict each other.",
    "key_changed": "The key is not the one that the log began with.",
    "rolled_back": "The log is shorter than a head that is known, or another log.",
    "clock": "An entry is older than the one before it, and does not say that the clock was set.",
    "node_changed": "The tree that evdesk keeps of the log is not that of its entries.",
    "file_changed": "A file of this bundle is not what evdesk wrote.",
    "key_missing": "No key is known, so that no signature could be checked.",
    "anchor_missing": "No head is known from outside: nobody can tell whether this is all.",
    "restored": "A head is of entries that were lost with a restore, which the log tells of.",
}
NO_ENTRY = "0" * 64
HASH_BYTES = 32
MOST_GAP = 100_000
MOST_EXACT = 2**53 - 1  # of integers in JSON that every program reads alike
INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z")
HOUR_MS, DAY_MS = 3_600_000, 86_400_000


class Unusable(Exception):  # noqa: N818 - it says what the folder is
    """What was given cannot be checked at all."""


class Head(NamedTuple):
    """How many entries there are, and the root over them."""

    size: int
    root: bytes


class Findings:
    """What is wrong: how often each kind, and the first entry that tells of it."""

    def __init__(self) -> None:
        self.kinds: dict[str, tuple[int | None, int, str]] = {}
        self.bad: set[int] = set()
        self.structural: list[int] = []

    def add(self, what: str, seq: int | None = None, detail: str = "") -> None:
        """Take in a finding."""
        first, count, said = self.kinds.get(what, (seq, 0, detail))
        if seq is not None and (first is None or seq < first):
            first, said = seq, detail
        self.kinds[what] = (first, count + 1, said)
        if seq is not None:
            self.bad.add(seq)
            if what in CODES[:3]:
                self.structural.append(seq)

    def broken_before(self, size: int) -> bool:
        """Return whether one of the first entries is known not to be what it was."""
        return any(seq < size for seq in self.structural)

    def listed(self) -> list[dict[str, object]]:
        """Return one finding a kind, that of the earliest entry first."""
        found: list[dict[str, object]] = [
            {"what": what, "seq": seq, "count": count, "detail": detail}
            for what, (seq, count, detail) in self.kinds.items()
        ]
        return sorted(found, key=_order)


def _order(one: dict[str, Any]) -> tuple[bool, int, int]:
    return one["seq"] is None, one["seq"] or 0, CODES.index(one["what"])


# -- canonical JSON (RFC 8785), hashes (RFC 6962) ------------------------------------------------


def canonical(value: object) -> str:
    """Return the one text of a value without fractions: sorted by UTF-16, no spaces."""
    if isinstance(value, dict):
        items = sorted(value.items(), key=lambda item: item[0].encode("utf-16-be"))
        return "{" + ",".join(f"{canonical(k)}:{canonical(v)}" for k, v in items) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    if isinstance(value, int) and abs(value) > MOST_EXACT:
        raise ValueError("a number that JSON does not hold exactly")
    return json.dumps(value, ensure_ascii=False)


def sha256(*parts: bytes) -> bytes:
    """Return the hash of all parts in a row."""
    return hashlib.sha256(b"".join(parts)).digest()


class Tree:
    """A Merkle tree that is only ever added to."""

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[bytes] = []

    def add(self, leaf: bytes) -> None:
        """Add a leaf hash."""
        index, node = self.size, leaf
        while index & 1:
            node = sha256(b"\x01", self._peaks.pop(), node)
            index >>= 1
        self._peaks.append(node)
        self.size += 1

    def root(self) -> bytes:
        """Return the root of what was added until now."""
        if not self._peaks:
            return sha256()
        node = self._peaks[-1]
        for left in reversed(self._peaks[:-1]):
            node = sha256(b"\x01", left, node)
        return node


# -- Ed25519 (RFC 8032, section 5.1) -------------------------------------------------------------

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
BASE_Y = 4 * pow(5, P - 2, P) % P
Point = tuple[int, int, int, int]  # X, Y, Z, T with x = X/Z, y = Y/Z, x*y = T/Z
NEUTRAL: Point = (0, 1, 1, 0)


def _add(one: Point, two: Point) -> Point:
    a = (one[1] - one[0]) * (two[1] - two[0]) % P
    b = (one[1] + one[0]) * (two[1] + two[0]) % P
    c = 2 * one[3] * two[3] * D % P
    d = 2 * one[2] * two[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def _recover_x(y: int, sign: int) -> int | None:
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * pow(2, (P - 1) // 4, P) % P
    if x * x % P != square or (x == 0 and sign):
        return None
    return P - x if x & 1 != sign else x


def _point(y: int, sign: int) -> Point | None:
    x = _recover_x(y, sign)
    return None if x is None else (x, y, 1, x * y % P)


def _encoded(point: Point) -> bytes:
    inverse = pow(point[2], P - 2, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(HASH_BYTES, "little")


def _sum_of_two(one: Point, times: int, two: Point, times_two: int) -> Point:
    """Return times * one + times_two * two."""
    choices = (NEUTRAL, one, two, _add(one, two))
    found = NEUTRAL
    for bit in reversed(range(max(times.bit_length(), times_two.bit_length()))):
        found = _add(found, found)
        chosen = (times >> bit & 1) | (times_two >> bit & 1) << 1
        if chosen:
            found = _add(found, choices[chosen])
    return found


def is_signed(public: bytes, message: bytes, signature: bytes) -> bool:
    """Return whether an Ed25519 signature is that of the key over the message."""
    if len(public) != HASH_BYTES or len(signature) != 2 * HASH_BYTES:
        return False
    number = int.from_bytes(public, "little")
    key = _point(number & ((1 << 255) - 1), number >> 255)
    s = int.from_bytes(signature[HASH_BYTES:], "little")
    base = _point(BASE_Y, 0)
    if key is None or base is None or s >= L:
        return False
    digest = hashlib.sha512(signature[:HASH_BYTES] + public + message).digest()
    challenge = int.from_bytes(digest, "little") % L
    minus_key = (P - key[0], key[1], key[2], P - key[3])
    return _encoded(_sum_of_two(base, s, minus_key, challenge)) == signature[:HASH_BYTES]


# -- heads, keys and checkpoints (C2SP signed-note, tlog-checkpoint) ------------------------------


def parse_head(text: str) -> Head:
    """Return the head of ``size:root``.

    Raises:
        ValueError: it is none.

    """
    size, _, root = text.strip().partition(":")
    if not re.fullmatch("0|[1-9][0-9]{0,15}", size):
        raise ValueError(f"not a head of the form SIZE:ROOT: {text}")
    return Head(int(size), _exact(root, HASH_BYTES))


def _exact(text: str, length: int) -> bytes:
    raw = base64.b64decode(text, validate=True)
    if len(raw) != length or base64.b64encode(raw).decode() != text:
        raise ValueError(f"cut short or too long: {text}")
    return raw


class Key(NamedTuple):
    """A public key with the name of the log it signs."""

    name: str
    public: bytes

    def key_id(self) -> bytes:
        """Return the four bytes by which signatures name it."""
        return sha256(self.name.encode(), b"\n\x01", self.public)[:4]


def parse_key(text: str) -> Key:
    """Return the key of ``name+id+base64``.

    Raises:
        ValueError: it is none.

    """
    name, key_id, rest = [*text.strip().split("+", 2), "", ""][:3]
    raw = _exact(rest, 1 + HASH_BYTES)
    key = Key(name, raw[1:])
    if raw[:1] != b"\x01" or key.key_id().hex() != key_id:
        raise ValueError(f"not a key of the form NAME+ID+KEY: {text}")
    return key


def parse_checkpoints(text: str) -> Iterator[tuple[bytes, str]]:
    """Yield the text and the signature line of each note."""
    chunks = text.split("\n\n") if text else []
    for number in range(0, len(chunks), 2):
        signature = chunks[number + 1] if number + 1 < len(chunks) else ""
        yield chunks[number].encode() + b"\n", signature.removesuffix("\n")


def signed_head(body: bytes, line: str, key: Key) -> Head | None:
    """Return the head that a checkpoint signs with that key, or None."""
    try:
        origin, size, root = body.decode().removesuffix("\n").split("\n")
        dash, name, code = line.split(" ")
        raw = _exact(code, 4 + 2 * HASH_BYTES)
        head = parse_head(f"{size}:{root}")
    except ValueError:
        return None
    if dash != "\u2014" or {name, origin} != {key.name} or raw[:4] != key.key_id():
        return None
    return head if is_signed(key.public, body, raw[4:]) else None


# -- the files -----------------------------------------------------------------------------------


def check_files(folder: Path, findings: Findings) -> str:
    """Hold every file against MANIFEST; return the SHA-256 of MANIFEST.

    Raises:
        Unusable: there is no MANIFEST here.

    """
    try:
        manifest = (folder / "MANIFEST").read_bytes()
    except OSError as error:
        raise Unusable(f"There is no evidence in {folder}: MANIFEST cannot be read.") from error
    expected = "".join(f"{_digest(folder / name)}  {name}\n" for name in FILES).encode()
    if manifest != expected:
        listed = dict(line.split("  ")[::-1] for line in _plain_lines(manifest))
        wrong = [name for name in FILES if listed.get(name) != _digest(folder / name)]
        findings.add("file_changed", None, ", ".join(wrong) or "MANIFEST")
    return hashlib.sha256(manifest).hexdigest()


def _plain_lines(manifest: bytes) -> list[str]:
    lines = manifest.decode(errors="replace").split("\n")
    return [line for line in lines if line.count("  ") == 1]


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return "missing"


def text_of(path: Path) -> str:
    """Return what a small file says; nothing where it is missing."""
    try:
        return path.read_bytes().decode(errors="replace")
    except OSError:
        return ""


def records(path: Path, findings: Findings) -> Iterator[dict[str, Any]]:
    """Yield the objects of a file, one a line."""
    for raw in _lines(path):
        try:
            value = json.loads(raw)
        except (ValueError, RecursionError):
            value = None
        if isinstance(value, dict):
            yield value
        else:
            findings.add("file_changed", None, path.name)


def _lines(path: Path) -> Iterator[bytes]:
    if path.is_file():
        with path.open("rb") as file:
            for line in file:
                yield line.removesuffix(b"\n")


# -- entries -------------------------------------------------------------------------------------


class Entry(NamedTuple):
    """What checking needs of an entry."""

    seq: int
    action: str
    kind: str
    ref: str
    at: str
    clock: bool
    payload: str
    prev: str
    rows: str | None


class Log:
    """The entries by number, and a leaf for each number.

    An entry that is not what it was is left out; its leaf is what the entry behind it says.
    """

    def __init__(self) -> None:
        self.entries: dict[int, Entry] = {}
        self.leaves: list[bytes] = []
        self.count = 0
        self.at_last = b""

    @property
    def size(self) -> int:
        """Return how many numbers there are."""
        return len(self.leaves)


def parse_entry(line: bytes) -> Entry | None:
    """Return an entry, or None where the line is not its canonical text."""
    try:
        data = json.loads(line.decode())
        if canonical(data) != line.decode() or data["v"] != 1:
            return None
        texts = [data[name] for name in ("action", "object_ref", "at", "payload", "prev")]
        if type(data["seq"]) is not int or not all(isinstance(one, str) for one in texts):
            return None
        if INSTANT.fullmatch(data["at"]) is None:
            return None
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    action, ref, at, payload, prev = texts
    rows = data.get("rows")
    clock = data.get("clock") is not None
    kind = str(data.get("object_type"))
    return Entry(data["seq"], action, kind, ref, at, clock, payload, prev, rows)


def read_log(path: Path, findings: Findings) -> Log:
    """Read all entries: in order, without a gap, each naming the hash of the one before it."""
    log = Log()
    lines = list(_lines(path))
    parsed = [parse_entry(line) for line in lines]
    numbers = {one.seq for one in parsed if one is not None}
    for line, entry in zip(lines, parsed, strict=True):
        log.count += 1
        log.at_last = sha256(b"\x00", line)
        if entry is not None and entry.seq >= len(lines) + MOST_GAP:
            findings.add("order", entry.seq)  # far behind a hole it stands nowhere
            continue
        if entry is not None:
            _skip_missing(log, entry.seq, numbers, findings)
        seq = log.size
        log.leaves.append(log.at_last)
        if entry is None or entry.seq != seq:
            findings.add("order" if entry is not None else "entry_changed", seq)
        else:
            log.entries[seq] = entry
    if not log.size:
        findings.add("entry_missing", 0)
    _check_links(log, findings)
    return log


def _skip_missing(log: Log, seq: int, numbers: set[int], findings: Findings) -> None:
    """Leave room for the numbers before ``seq`` that no entry has."""
    if seq > log.size and not any(one in numbers for one in range(log.size, seq)):
        for missing in range(log.size, seq):
            findings.add("entry_missing", missing)
            log.leaves.append(bytes(HASH_BYTES))


def _check_links(log: Log, findings: Findings) -> None:
    first = log.entries.get(0)
    if first is not None and (first.prev != NO_ENTRY or first.action != "log.begun"):
        findings.add("entry_changed" if first.prev != NO_ENTRY else "entry_missing", 0)
    for seq in range(log.size - 1):
        behind = log.entries.get(seq + 1)
        if behind is None or behind.prev == log.leaves[seq].hex():
            continue
        with suppress(ValueError):
            log.leaves[seq] = bytes.fromhex(behind.prev)
        if log.entries.pop(seq, None) is not None:
            findings.add("entry_changed", seq)


def check_clock(log: Log, findings: Findings) -> int:
    """Return how often the clock was set back; an entry has to say so."""
    before = ""
    for entry in log.entries.values():
        if entry.at < before and not entry.clock:
            findings.add("clock", entry.seq, entry.at)
        before = entry.at
    return sum(entry.clock for entry in log.entries.values())


# -- payloads ------------------------------------------------------------------------------------


class Payloads(NamedTuple):
    """How many payloads were erased, and the facts of the entries that tell of others."""

    erased: int
    facts: dict[int, dict[str, Any]]


TELLING = {"log.begun", "site.restored", "readings.sealed", "readings.thinned"}


def check_payloads(path: Path, log: Log, findings: Findings) -> Payloads:
    """Hold each payload against its entry; one that is gone must be named by a later entry."""
    there: set[int] = set()
    facts: dict[int, dict[str, Any]] = {}
    for record in records(path, findings):
        seq, entry = record.get("seq"), log.entries.get(record.get("seq", -1))
        there.add(seq if isinstance(seq, int) else -1)
        if not isinstance(seq, int) or not 0 <= seq < log.size:
            findings.add("payload_changed", max(log.size - 1, 0))
        elif entry is not None and _commitment(record) != entry.payload:
            findings.add("payload_changed", seq)
        elif entry is not None and entry.action in TELLING:
            facts[seq] = _facts(record["body"])
    named = [
        (entry.seq, span)
        for entry in log.entries.values()
        if entry.action == "payload.erased"
        for span in _numbers(entry.ref)
    ]
    gone = [seq for seq in log.entries if seq not in there]
    explained = [seq for seq in gone if any(by > seq and seq in span for by, span in named)]
    for seq in set(gone) - set(explained):
        findings.add("payload_changed", seq, "gone")
    return Payloads(len(explained), facts)


def _commitment(record: dict[str, Any]) -> str | None:
    try:
        salt = bytes.fromhex(record["salt"])
        return hmac.digest(salt, record["body"].encode(), "sha256").hex()
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _facts(body: str) -> dict[str, Any]:
    try:
        facts = json.loads(body)["facts"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}
    return facts if isinstance(facts, dict) else {}


def _numbers(text: str) -> list[range]:
    """Return the numbers that a text such as ``3,7-9`` names."""
    found = [re.fullmatch("([0-9]{1,15})(?:-([0-9]{1,15}))?", part) for part in text.split(",")]
    spans = [range(int(one[1]), int(one[2] or one[1]) + 1) for one in found if one is not None]
    return spans if len(spans) == len(found) else []


# -- rows ----------------------------------------------------------------------------------------


Listed = tuple[str, str, str | None]  # table, key, digest


def check_rows(path: Path, log: Log, touched: list[Any], findings: Findings) -> int:
    """Hold what entries say of rows against the entries, and rows against that; return how many."""
    said: dict[int, list[Listed]] = {}
    newest: dict[tuple[str, str], int] = {}
    rows = 0
    for record in records(path, findings):
        table, key, seq = str(record.get("table")), str(record.get("key")), record.get("seq")
        if isinstance(seq, int):
            said.setdefault(seq, []).append((table, key, record.get("digest")))
            newest[table, key] = max(seq, newest.get((table, key), -1))
        if "now" in record:
            rows += record.get("digest") is not None
            _check_row(record, findings)
    _check_listed(said, log, findings)
    for one in touched:
        findings.add("row_changed", newest.get(tuple(one)), str(one))
    return rows


def erased_under(path: Path, log: Log) -> dict[str, int]:
    """Return how many rows were erased under which rule, as entries say."""
    counts: dict[str, int] = {}
    for record in records(path, Findings()):
        entry = log.entries.get(record.get("seq", -1))
        if record.get("digest") is None and entry is not None and entry.action == "data.erased":
            counts[entry.ref] = counts.get(entry.ref, 0) + 1
    return dict(sorted(counts.items()))


def _check_listed(said: dict[int, list[Listed]], log: Log, findings: Findings) -> None:
    if any(not 0 <= seq < log.size for seq in said):
        findings.add("row_changed", log.size)
    for entry in log.entries.values():
        if entry.rows != _over_rows(said.get(entry.seq)):
            findings.add("row_changed", entry.seq)


def _check_row(record: dict[str, Any], findings: Findings) -> None:
    digest, now, where = record.get("digest"), record["now"], record.get("table")
    what = None
    if digest is None:
        what = "row_unknown" if now is not None else None
    elif now is None:
        what = "row_missing"
    elif now != digest:
        what = "row_changed"
    if what is not None:
        findings.add(what, record.get("seq"), f"{where} {record.get('key')}")


def _over_rows(rows: list[Listed] | None) -> str | None:
    if rows is None:
        return None
    text = canonical([list(row) for row in sorted(rows, key=lambda row: row[:2])])
    return hashlib.sha256(text.encode()).hexdigest()


# -- sealed readings -----------------------------------------------------------------------------


class Said(NamedTuple):
    """What an entry says of the segments of an hour or a day."""

    seq: int
    hour_ms: int
    late: bool
    thinned: bool
    segments: int | None
    digest: str


def check_segments(
    path: Path, log: Log, payloads: Payloads, cut_ms: int, findings: Findings
) -> tuple[int, int]:
    """Hold segments against the entries of their hours; return how many, and how many unproven."""
    said = [one for one in map(_said_by(payloads), log.entries.values()) if one is not None]
    _check_instants(log, findings)
    erased = erased_days(log)
    present = list(records(path, findings))
    for number, segment in enumerate(present):
        if not _is_whole(segment):
            present[number]["whole"] = False
    days = {one.hour_ms // DAY_MS for one in said} | {_from_ms(one) // DAY_MS for one in present}
    by_day: dict[int, tuple[list[dict[str, Any]], list[Said]]] = {day: ([], []) for day in days}
    for segment in present:
        by_day[_from_ms(segment) // DAY_MS][0].append(segment)
    for one in said:
        if one.seq > erased.get(one.hour_ms // DAY_MS, -1):
            by_day[one.hour_ms // DAY_MS][1].append(one)
    unproven = sum(_check_day(*by_day[day], cut_ms, findings) for day in sorted(by_day))
    hours = [
        one
        for one in said
        if not one.thinned
        and not one.late
        and one.segments
        and one.seq > erased.get(one.hour_ms // DAY_MS, -1)
    ]
    last = max(hours, key=lambda one: one.hour_ms, default=None)
    if last is not None and last.hour_ms + HOUR_MS > cut_ms:
        findings.add("segment_changed", last.seq)
    return len(present), unproven


def erased_days(log: Log) -> dict[int, int]:
    """Return the UTC days whose readings were erased, with the newest entry that says so."""
    found = [one for one in log.entries.values() if one.action == "readings.erased"]
    return {(_ms_of(one.ref) or 0) // DAY_MS: one.seq for one in found}


def _said_by(payloads: Payloads) -> Callable[[Entry], Said | None]:
    def said(entry: Entry) -> Said | None:
        if not _tells_of_segments(entry) or _ms_of(entry.ref) is None:
            return None
        thinned, facts = entry.action == "readings.thinned", payloads.facts.get(entry.seq, {})
        names = ("day_segments", "day_digest") if thinned else ("segments", "digest")
        count, digest = (facts.get(name) for name in names)
        return Said(
            entry.seq,
            _ms_of(entry.ref) or 0,
            facts.get("late") is True,
            thinned,
            count if isinstance(count, int) else None,
            str(digest),
        )

    return said


def _tells_of_segments(entry: Entry) -> bool:
    telling = {"readings.sealed", "readings.thinned"}
    return entry.kind in {"hour", "day"} and entry.action in telling


def _check_instants(log: Log, findings: Findings) -> None:
    for entry in log.entries.values():
        if _tells_of_segments(entry) and _ms_of(entry.ref) is None:
            findings.add("segment_changed", entry.seq)


def _ms_of(text: str) -> int | None:
    """Return the instant that an entry is about, or None where that is none since 1970."""
    try:
        at = datetime.fromisoformat(text)
        ms = round(at.replace(tzinfo=at.tzinfo or UTC).timestamp() * 1000)
    except (ValueError, OverflowError):
        return None
    return ms if ms >= 0 else None


def _from_ms(segment: dict[str, Any]) -> int:
    value = segment.get("from_ms")
    return value if isinstance(value, int) else 0


def _is_whole(segment: dict[str, Any]) -> bool:
    """Return whether its columns held what it says, and its digest is over what it says."""
    names = ("meter", "socket", "from_ms", "until_ms", "part", "bucket_ms", "readings")
    try:
        values = [segment[name] for name in (*names, "first_ms", "last_ms")]
        text = "evdesk segment 1\nmeter {}\nsocket {}\nfrom {}\nuntil {}\npart {}\nbucket {}\n"
        head = (text + "readings {}\nfirst {}\nlast {}\n").format(*values)
        parts = [bytes.fromhex(segment[name]) for name in ("curve", "register", "rest", "buckets")]
        return segment["whole"] is True and sha256(head.encode(), *parts).hex() == segment["digest"]
    except (KeyError, TypeError, ValueError):
        return False


def _check_day(
    present: list[dict[str, Any]], said: list[Said], cut_ms: int, findings: Findings
) -> int:
    """Give each segment of a day to the entry that covers it; return how many prove nothing."""
    thinned = [one for one in said if one.thinned]
    about = _whole_day if thinned else _hour
    bases = {about(one.hour_ms): one for one in thinned[-1:] or said if not one.late}
    single = {one.digest: one for one in said if _is_later(one, bases.get(about(one.hour_ms)))}
    vague = {about(one.hour_ms) for one in single.values() if one.segments is None}
    rest: dict[int, list[dict[str, Any]]] = {key: [] for key in bases}
    for segment in present:
        own = single.pop(_over([segment]), None)
        key = about(_from_ms(segment))
        base = own or bases.get(key)
        if own is None:
            rest.setdefault(key, []).append(segment)
        if not segment["whole"]:
            findings.add("segment_changed", None if base is None else base.seq)
    for one in single.values():
        if one.segments is not None:
            findings.add("segment_changed", one.seq)
    return sum(
        _compare(key, segments, bases.get(key), cut_ms, findings, vague=key in vague)
        for key, segments in rest.items()
    )


def _whole_day(_at_ms: int) -> int:
    return -1


def _hour(at_ms: int) -> int:
    return at_ms // HOUR_MS * HOUR_MS


def _is_later(one: Said, base: Said | None) -> bool:
    return one.late and (base is None or one.seq > base.seq)


def _compare(
    hour_ms: int,
    segments: list[dict[str, Any]],
    base: Said | None,
    cut_ms: int,
    findings: Findings,
    *,
    vague: bool,
) -> int:
    if vague or (base is not None and base.segments is None):
        return len(segments)
    if base is None:
        if hour_ms < 0 or hour_ms + HOUR_MS <= cut_ms:
            findings.add("segment_changed", None)
    elif (base.segments, base.digest) != (len(segments), _over(segments)):
        findings.add("segment_changed", base.seq)
    return 0


def _over(segments: list[dict[str, Any]]) -> str:
    try:
        digests = [bytes.fromhex(one["digest"]) for one in segments]
    except (KeyError, TypeError, ValueError):
        return "damaged"
    return sha256(*digests).hex()


# -- signed heads, and heads from outside ---------------------------------------------------------


class Heads:
    """The log at every size of which somebody knows a head."""

    def __init__(self, log: Log, sizes: Iterable[int], found: int | None) -> None:
        wanted, tree = set(sizes), Tree()
        self.roots = {0: tree.root()} if 0 in wanted else {}
        for leaf in log.leaves:
            tree.add(leaf)
            if tree.size in wanted:
                self.roots[tree.size] = tree.root()
        self.head = Head(tree.size, tree.root())
        self._log, self._found = log, found
        self._good: list[int] = []

    def check(self, head: Head, findings: Findings, signed_at: str | None = None) -> bool:
        """Return whether a head is one of this log."""
        if self.roots.get(head.size) == head.root:
            self._good.append(head.size)
            return True
        if not findings.broken_before(head.size):
            findings.add("rolled_back", self._first_bad(head, signed_at))
        return False

    def _first_bad(self, head: Head, signed_at: str | None) -> int:
        """Return the first entry that is not what it was when a head was taken, as far as known.

        What is proven by other heads is not it; what is younger than the signature is.
        """
        proven = max((size for size in self._good if size < head.size), default=0)
        if signed_at is not None:
            for seq, entry in self._log.entries.items():
                if proven <= seq < head.size and entry.at > signed_at:
                    return seq
        if head.size <= self.head.size:
            return proven
        return self.head.size if self._found is None else min(self.head.size, self._found)


class Signed(NamedTuple):
    """How many good checkpoints there are, and the size of the newest."""

    notes: int
    size: int


def check_checkpoints(
    notes: list[tuple[bytes, str]],
    key: Key,
    heads: Heads,
    times: dict[int, str],
    findings: Findings,
) -> Signed:
    """Check every signed head."""
    signed = [(body, signed_head(body, line, key)) for body, line in notes]
    for body, head in signed:
        if head is None:
            size = _size_of(body)
            findings.add("checkpoint_forged", max(min(size, heads.head.size) - 1, 0))
    good = Signed(0, 0)
    known = sorted(head for _, head in signed if head is not None)
    for size, group in groupby(known, lambda head: head.size):
        same = list(group)
        if len(set(same)) > 1:
            findings.add("checkpoint_fork", max(min(size, heads.head.size) - 1, 0))
        elif heads.check(same[0], findings, times.get(size)):
            good = Signed(good.notes + len(same), size)
    return good


def _size_of(body: bytes) -> int:
    lines = body.decode(errors="replace").split("\n")
    return int(lines[1]) if len(lines) > 1 and re.fullmatch("[0-9]{1,15}", lines[1]) else 0


def lost_with_restore(
    head: Head, restores: list[tuple[int, Head, Head]], heads: Heads, signed_size: int | None
) -> bool:
    """Return whether a head is of entries that a restore took back, as a signed entry says."""
    if heads.roots.get(head.size) == head.root:
        return False
    for seq, anchored, found in restores:
        signed = signed_size is None or seq < signed_size
        if signed and found.size < head.size <= anchored.size and found.size <= seq:
            return heads.roots.get(found.size) == found.root
    return False


def restores_of(log: Log, payloads: Payloads) -> list[tuple[int, Head, Head]]:
    """Return number, last lost head and head gone on from, of each restore."""
    found = []
    for entry in log.entries.values():
        facts = payloads.facts.get(entry.seq, {})
        if entry.action != "site.restored" or entry.seq not in payloads.facts:
            continue
        try:
            pair = parse_head(str(facts["anchored"])), parse_head(str(facts["found"]))
        except (KeyError, ValueError):
            continue
        found.append((entry.seq, *pair))
    return found


# -- all of it -----------------------------------------------------------------------------------


class Given(NamedTuple):
    """What is known beside the bundle."""

    anchors: list[Head]
    key: Key | None
    manifest: str | None


def verify(folder: Path, given: Given) -> dict[str, Any]:
    """Check the bundle in a folder, and return what is to be said of it.

    Raises:
        Unusable: there is no bundle.

    """
    findings = Findings()
    manifest = check_files(folder, findings)
    if given.manifest is not None and given.manifest != manifest:
        findings.add("file_changed", None, "MANIFEST")
    state = _state(folder, findings)
    log = read_log(folder / "entries.jsonl", findings)
    clock_set_back = check_clock(log, findings)
    payloads = check_payloads(folder / "payloads.jsonl", log, findings)
    rows = check_rows(folder / "rows.jsonl", log, state["touched"], findings)
    cut_ms = state["sealed_to_ms"]
    segments = check_segments(folder / "segments.jsonl", log, payloads, cut_ms, findings)
    notes = list(parse_checkpoints(text_of(folder / "checkpoints.txt")))
    anchors = [*given.anchors, *state["anchors"]]
    restores = restores_of(log, payloads)
    sizes = {_size_of(body) for body, _ in notes} | {head.size for head in anchors}
    heads = Heads(log, sizes | {found.size for _, _, found in restores}, state["found"])
    _check_kept_head(state, log, heads, findings)
    key, doubts = _key(folder, given, payloads, findings)
    times = dict(state["checkpoint_times"])
    signed = Signed(0, 0)
    if key is not None:
        signed = check_checkpoints(notes, key, heads, times, findings)
    if not anchors:
        doubts.append("anchor_missing")
    for difference in state["schema"]:
        findings.add("file_changed", None, str(difference))
    for head in anchors:
        if lost_with_restore(head, restores, heads, None if key is None else signed.size):
            doubts.append("restored")
        else:
            heads.check(head, findings)
    return _report(
        findings,
        doubts,
        head=f"{heads.head.size}:{base64.b64encode(heads.head.root).decode()}",
        entries=log.count,
        verified=max(log.count - payloads.erased - sum(s < log.size for s in findings.bad), 0),
        erased=payloads.erased,
        clock_set_back=clock_set_back,
        rows=rows,
        segments=segments[0],
        unproven_segments=segments[1],
        erased_under=erased_under(folder / "rows.jsonl", log),
        erased_days=len(erased_days(log)),
        checkpoints=signed.notes,
        unsigned_tail=log.size - signed.size,
        newest_checkpoint_at=times.get(signed.size),
        manifest=manifest,
    )


def _state(folder: Path, findings: Findings) -> dict[str, Any]:
    """Return state.json with nothing missing."""
    found = next(records(folder / "state.json", findings), {})
    whole: dict[str, Any] = {"sealed_to_ms": 0, "head": "", "last_leaf": ""}
    for name, default in whole.items():
        if isinstance(found.get(name), type(default)):
            whole[name] = found[name]
    whole |= {name: [] for name in ("anchors", "touched", "schema", "checkpoint_times")}
    whole["found"] = found.get("found") if isinstance(found.get("found"), int) else None
    try:
        whole["anchors"] = [parse_head(str(text)) for text in found["anchors"]]
        whole["touched"] = [list(one) for one in found["touched"]]
        whole["schema"] = [str(one) for one in found["schema"]]
        whole["checkpoint_times"] = [(size, str(at)) for size, at in found["checkpoint_times"]]
    except (KeyError, TypeError, ValueError):
        findings.add("file_changed", None, "state.json")
    return whole


def _check_kept_head(state: dict[str, Any], log: Log, heads: Heads, findings: Findings) -> None:
    """Compare the head that evdesk keeps with that of the entries, and the last leaf with its own.

    Every entry but the last is vouched for by the one behind it.
    """
    if log.size and state["last_leaf"] != log.at_last.hex():
        findings.add("entry_changed", log.size - 1)
    elif not findings.structural:
        try:
            same = parse_head(state["head"]) == heads.head
        except ValueError:
            same = False
        if not same:
            findings.add("node_changed", max(log.size - 1, 0))


def _key(
    folder: Path, given: Given, payloads: Payloads, findings: Findings
) -> tuple[Key | None, list[str]]:
    """Return the key of the log, and what is doubtful about it."""
    try:
        known = given.key or parse_key(text_of(folder / "key.txt"))
    except ValueError:
        known = None
    try:
        begun = parse_key(str(payloads.facts.get(0, {}).get("key")))
    except ValueError:
        begun = None
    if known is not None and begun is not None and known != begun:
        findings.add("key_changed", 0)
    return begun or known, [] if known is not None else ["key_missing"]


def _report(findings: Findings, doubts: list[str], **counts: object) -> dict[str, Any]:
    listed = findings.listed()
    first = listed[0] if listed else {"what": None, "seq": None}
    code = TAMPERED if listed else UNVERIFIABLE if doubts else INTACT
    doubts = list(dict.fromkeys(doubts))
    return {
        "result": RESULTS[code],
        "what": first["what"],
        "first_bad_seq": first["seq"],
        "findings": listed,
        "doubts": doubts,
        **counts,
    }


def told(report: dict[str, Any], more: str) -> str:
    """Return a report as people read it, with one more line under the verdict."""
    sentence = {
        "intact": "All of it is as it was written.",
        "tampered": "NOT all of it is as it was written.",
        "unverifiable": "It cannot be told whether all of it is as it was written.",
    }[report["result"]]
    lines = [sentence, more] if more else [sentence]
    for one in report["findings"]:
        where = "" if one["seq"] is None else f" First: entry {one['seq']}."
        detail = f" ({one['detail']})" if one["detail"] else ""
        lines.append(f"  {one['what']}: {SENTENCES[one['what']]}{where}{detail}")
    lines += [f"  {one}: {SENTENCES[one]}" for one in report["doubts"]]
    hidden = {"result", "what", "first_bad_seq", "findings", "doubts"}
    lines += [f"{name:21} {value}" for name, value in report.items() if name not in hidden]
    return "\n".join(lines)


def main(arguments: list[str]) -> int:
    """Check the bundle beside this file."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--anchor", action="append", default=[], metavar="SIZE:ROOT")
    parser.add_argument("--key", metavar="NAME+ID+KEY")
    parser.add_argument("--manifest", metavar="SHA256")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("folder", nargs="?", type=Path, default=Path(__file__).resolve().parent)
    args = parser.parse_args(arguments)
    try:
        anchors = [parse_head(text) for text in args.anchor]
        key = None if args.key is None else parse_key(args.key)
        report = verify(args.folder, Given(anchors, key, args.manifest))
        more = "" if anchors else "Compared with no head from outside: add --anchor"
        if anchors and [one["what"] for one in report["findings"]] == ["rolled_back"]:
            alone = verify(args.folder, Given([], key, args.manifest))
            more = "" if alone["findings"] else NOT_OF_IT
    except (ValueError, Unusable) as error:
        print(f"verify.py: {error}", file=sys.stderr)
        return UNVERIFIABLE
    print(json.dumps(report) if args.json else told(report, more))
    return RESULTS.index(report["result"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
