"""anchor.json: the newest head of the audit log, kept outside the database it is about.

Whoever puts an older database back is found out by it, as long as they leave this file alone; heads
on paper and in other people's hands are for the rest. It follows the commit and only moves forward.
"""

import hashlib
import json
import os
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from evdesk.domain.notes import Head, encoded, parse_head
from evdesk.storage.json_text import canonical

ANCHOR = "anchor.json"
WIDTH = 160  # always the same: it is written in place, in one piece and one sector of the disk
LOOKS = 5  # somebody may be writing at the moment
LOOK_S = 0.002


class Anchor:
    """The anchor file of one site folder.

    Renaming a new file over it, as files are replaced elsewhere, can take a millisecond with each
    commit: some file systems flush such a file at once. So it is written in place; who reads it
    while it is being written sees that from its check, and looks again.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / ANCHOR
        self._moved_to = 0

    def read(self) -> Head | None:
        """Return the anchored head, or None where there is none that can be read."""
        for _ in range(LOOKS):
            try:
                content = _content(self.path)
            except OSError:
                return None
            head = _head_of(content)
            if head is not None:
                return head
            time.sleep(LOOK_S)
        return None

    def advance(self, head: Head) -> None:
        """Move on to a head, unless the anchor is further already.

        It is not synced to disk: after a power cut an older anchor stands, which holds as well. A
        file that cannot be written is tried again with the next commit.
        """
        if head.size <= self._moved_to:
            return
        found = self.read()
        if found is None or found.size < head.size:
            with suppress(OSError):
                self.put(head)
        self._moved_to = head.size

    def put(self, head: Head) -> None:
        """Write a head, whatever stood there.

        Raises:
            OSError: it could not be written; the old one stands.

        """
        said = {"check": _check(head), "root": encoded(head.root), "size": head.size}
        text = canonical(said).encode().ljust(WIDTH - 1) + b"\n"
        try:
            descriptor = os.open(self.path, os.O_WRONLY | getattr(os, "O_BINARY", 0))
        except FileNotFoundError:
            self._create(text)
            return
        try:
            os.write(descriptor, text)
            if os.fstat(descriptor).st_size > WIDTH:
                os.ftruncate(descriptor, WIDTH)
        finally:
            os.close(descriptor)

    def _create(self, text: bytes) -> None:
        descriptor, name = tempfile.mkstemp(prefix=f".{ANCHOR}-", dir=self.path.parent)  # 0600
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(text)
            Path(name).replace(self.path)
        finally:
            Path(name).unlink(missing_ok=True)


def _content(path: Path) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    try:
        return os.read(descriptor, 4 * WIDTH)
    finally:
        os.close(descriptor)


def _head_of(content: bytes) -> Head | None:
    """Return the head of a file that is whole; one without a check is of an older evdesk."""
    try:
        data = json.loads(content)
        head = parse_head(f"{data['size']}:{data['root']}")
        check = data.get("check")
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return head if check is None or check == _check(head) else None


def _check(head: Head) -> str:
    return hashlib.sha256(str(head).encode()).hexdigest()[:16]
