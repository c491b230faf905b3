"""Notices, byte for byte as they are shown."""

from evdesk.domain.consents import MajorNotice
from evdesk.domain.instants import from_ms, to_ms
from evdesk.domain.notices import Notice, NoticeId, NoticeVersion
from evdesk.domain.purposes import PurposeId
from evdesk.storage.connection import Connection, Row
from evdesk.storage.purpose_file import privacy_folder, read_notices

SELECT = """
    SELECT id, purpose, major, minor, language, content, sha256, created_at_ms, author, ready_made
    FROM notice
"""


class StoredNotices:
    """Implements ``ports.Notices``."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def add(self, notice: Notice) -> NoticeId:
        """Append a notice; purpose, language and version together are new."""
        return NoticeId(
            self._db.insert(
                "INSERT INTO notice (purpose, major, minor, language, content, sha256,"
                " created_at_ms, author, ready_made) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    notice.purpose,
                    notice.version.major,
                    notice.version.minor,
                    notice.language,
                    notice.content,
                    notice.sha256,
                    to_ms(notice.created_at),
                    notice.author,
                    int(notice.ready_made),
                ),
            )
        )

    def get(self, notice: NoticeId) -> Notice | None:
        """Return a notice."""
        row = self._db.one(SELECT + "WHERE id = ?", (notice,))
        return None if row is None else _notice(row)

    def of(self, purpose: PurposeId) -> list[Notice]:
        """Return the notices of a purpose, oldest first."""
        return [
            _notice(r) for r in self._db.all(SELECT + "WHERE purpose = ? ORDER BY id", (purpose,))
        ]

    def all(self) -> list[Notice]:
        """Return every notice, oldest first."""
        return [_notice(row) for row in self._db.all(SELECT + "ORDER BY id")]

    def majors(self, purpose: PurposeId) -> list[MajorNotice]:
        """Return when each material version of a purpose was added first, oldest first."""
        rows = self._db.all(
            "SELECT min(created_at_ms), major FROM notice WHERE purpose = ?"
            " GROUP BY major ORDER BY min(id)",
            (purpose,),
        )
        return [MajorNotice(from_ms(at_ms), major) for at_ms, major in rows]

    def ready_made(self, purpose: PurposeId) -> dict[str, str]:
        """Return the text that ships with evdesk by language; none where nobody is asked."""
        return read_notices(privacy_folder(), purpose)


def _notice(row: Row) -> Notice:
    notice, purpose, major, minor, language, content, sha256, at_ms, author, ready_made = row
    return Notice(
        id=NoticeId(notice),
        purpose=PurposeId(purpose),
        version=NoticeVersion(major, minor),
        language=language,
        content=bytes(content),
        sha256=bytes(sha256),
        created_at=from_ms(at_ms),
        author=author,
        ready_made=bool(ready_made),
    )
