"""Evidence as one zip file that can be checked without evdesk."""

import hashlib
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import BinaryIO
from zipfile import ZIP_DEFLATED, ZipFile

from evdesk.ports import Evidence

MANIFEST = "MANIFEST"
BESIDE = ("README.txt", "verify.py")  # from us, and the same for everybody
LINES = 2_000  # written at a time
QUICK = 2  # hashes do not compress well, however long one tries


class EvidenceZip:
    """Implements ``ports.EvidenceWriter``; ``resources`` are the files that ship with evdesk."""

    def __init__(self, resources: Path) -> None:
        self._folder = resources / "evidence"

    def write(self, evidence: Evidence, out: BinaryIO, tell: Callable[[float], None]) -> str:
        """Write the file; return the SHA-256, in hex, of its list of contents.

        Raises:
            OSError: it cannot be written.

        """
        done, digests = 0, {}
        with ZipFile(out, "w", ZIP_DEFLATED, compresslevel=QUICK) as archive:
            for name, lines in evidence.files.items():
                digest = hashlib.sha256()
                with archive.open(name, "w", force_zip64=True) as file:
                    for some in _together(lines):
                        digest.update(some)
                        file.write(some)
                        done += some.count(b"\n")
                        tell(min(1.0, done / max(evidence.lines, 1)))
                digests[name] = digest.hexdigest()
            listed = "".join(f"{digests[name]}  {name}\n" for name in sorted(digests)).encode()
            beside = {name: (self._folder / name).read_bytes() for name in BESIDE}
            for name, content in {MANIFEST: listed, **beside}.items():
                with archive.open(name, "w") as file:  # writestr would write the time, too
                    file.write(content)
        return hashlib.sha256(listed).hexdigest()


def _together(lines: Iterator[bytes]) -> Iterator[bytes]:
    while some := b"".join(islice(lines, LINES)):
        yield some
