"""anchor.json: the newest head of the audit log, kept outside the database it is about.

Whoever puts an older database back is found out by it, as long as they leave this file alone; heads
on paper and in other people's hands are for the rest. It follows the commit and only moves forward.
"""

import json
import os
import tempfile
from contextlib import suppress
from pathlib import Path

from evdesk.domain.notes import Head, encoded, parse_head
from evdesk.storage.json_text import canonical

ANCHOR = "anchor.json"


class Anchor:
    """The anchor file of one site folder."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / ANCHOR
        self._moved_to = 0

    def read(self) -> Head | None:
        """Return the anchored head, or None where there is none that can be read."""
        try:
            data = json.loads(self.path.read_bytes())
            return parse_head(f"{data['size']}:{data['root']}")
        except (OSError, ValueError, KeyError, TypeError):
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
        text = canonical({"size": head.size, "root": encoded(head.root)}) + "\n"
        descriptor, name = tempfile.mkstemp(prefix=f".{ANCHOR}-", dir=self.path.parent)  # 0600
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
            Path(name).replace(self.path)
        finally:
            Path(name).unlink(missing_ok=True)
