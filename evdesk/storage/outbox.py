"""The mail server of the site, and the letters it is to send."""

from datetime import datetime

from evdesk.domain.instants import from_ms, to_ms
from evdesk.domain.mail import (
    Attachment,
    Letter,
    MailId,
    MailServer,
    MailState,
    Posted,
    Security,
)
from evdesk.domain.secrets import Secret
from evdesk.storage.connection import Connection, Row

SELECT = (
    "SELECT id, kind, message_id, recipient, subject, body, created_at_ms, state, attempts,"
    " next_at_ms, told FROM outbox "
)
STUCK = "The program ended while it was being sent: whether it arrived is not known."


class StoredOutbox:
    """Implements ``ports.Outbox``."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def server(self) -> MailServer | None:
        """Return which server sends, or None while no mail is sent."""
        row = self._db.one(
            "SELECT host, port, security, sender, recipient, username, password, ca_pem"
            " FROM mail_server"
        )
        if row is None:
            return None
        host, port, security, sender, recipient, username, password, ca_pem = row
        return MailServer(
            host=host,
            port=port,
            security=Security(security),
            sender=sender,
            recipient=recipient,
            username=username,
            password=None if password is None else Secret(password),
            ca_pem=ca_pem,
        )

    def set_server(self, server: MailServer) -> None:
        """Replace which server sends."""
        self._db.run(
            "INSERT INTO mail_server (id, host, port, security, sender, recipient, username,"
            " password, ca_pem) VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET host = excluded.host, port = excluded.port,"
            " security = excluded.security, sender = excluded.sender,"
            " recipient = excluded.recipient, username = excluded.username,"
            " password = excluded.password, ca_pem = excluded.ca_pem",
            (
                server.host,
                server.port,
                server.security.value,
                server.sender,
                server.recipient,
                server.username,
                None if server.password is None else server.password.reveal(),
                server.ca_pem,
            ),
        )

    def clear_server(self) -> None:
        """Forget the server and its password; what waits stays."""
        self._db.run("DELETE FROM mail_server")

    def add(self, letter: Letter, at: datetime) -> MailId:
        """Put a letter in, to be sent at once."""
        mail = self._db.insert(
            "INSERT INTO outbox (kind, message_id, recipient, subject, body, created_at_ms, state,"
            " attempts, next_at_ms) VALUES (?, ?, ?, ?, ?, ?, 'waiting', 0, ?)",
            (
                letter.kind,
                letter.message_id,
                letter.recipient,
                letter.subject,
                letter.body,
                to_ms(at),
                to_ms(at),
            ),
        )
        self._db.many(
            "INSERT INTO outbox_attachment (outbox_id, position, name, media_type, content)"
            " VALUES (?, ?, ?, ?, ?)",
            [
                (mail, position, file.name, file.media_type, file.content)
                for position, file in enumerate(letter.attachments)
            ],
        )
        return MailId(mail)

    def is_due(self, now: datetime, stuck_before: datetime) -> bool:
        """Return whether a letter is due, or has been in sending since before an instant."""
        return bool(
            self._db.number(
                "SELECT EXISTS (SELECT 1 FROM outbox WHERE state = 'waiting' AND next_at_ms <= ?"
                " OR state = 'sending' AND next_at_ms < ?)",
                (to_ms(now), to_ms(stuck_before)),
            )
        )

    def claim(self, now: datetime) -> Posted | None:
        """Take the next letter that is due and mark it as being sent; None where none is."""
        row = self._db.one(
            SELECT + "WHERE state = 'waiting' AND next_at_ms <= ? ORDER BY next_at_ms, id LIMIT 1",
            (to_ms(now),),
        )
        if row is None:
            return None
        self._db.run(
            "UPDATE outbox SET state = 'sending', attempts = attempts + 1, next_at_ms = ?"
            " WHERE id = ?",
            (to_ms(now), row[0]),
        )
        taken = self._db.one(SELECT + "WHERE id = ?", (row[0],)) or row
        return _posted(taken, self._attachments(row[0]))

    def settle(
        self, mail: MailId, state: MailState, told: str, next_at: datetime | None = None
    ) -> None:
        """Write what came of a letter that was claimed."""
        self._db.run(
            "UPDATE outbox SET state = ?, told = ?, next_at_ms = coalesce(?, next_at_ms)"
            " WHERE id = ? AND state = 'sending'",
            (state.value, told, None if next_at is None else to_ms(next_at), mail),
        )

    def give_up_stuck(self, before: datetime) -> None:
        """Mark letters as unclear that have been in sending since before an instant."""
        self._db.run(
            "UPDATE outbox SET state = 'unclear', told = ?"
            " WHERE state = 'sending' AND next_at_ms < ?",
            (STUCK, to_ms(before)),
        )

    def retry(self, mail: MailId, now: datetime) -> None:
        """Let a letter wait to be sent again."""
        self._db.run(
            "UPDATE outbox SET state = 'waiting', next_at_ms = ?"
            " WHERE id = ? AND state IN ('waiting', 'unclear', 'failed')",
            (to_ms(now), mail),
        )

    def newest(self, limit: int) -> list[Posted]:
        """Return letters, newest first, without the contents of attachments."""
        rows = self._db.all(SELECT + "ORDER BY id DESC LIMIT ?", (limit,))
        return [_posted(row, ()) for row in rows]

    def told_up_to(self) -> tuple[int, int]:
        """Return up to which fault and fault event people were told by mail."""
        row = self._db.one("SELECT fault_id, event_id FROM told")
        return (row[0], row[1]) if row else (0, 0)

    def set_told(self, fault_id: int, event_id: int) -> None:
        """Say up to where people were told."""
        self._db.run(
            "INSERT INTO told (id, fault_id, event_id) VALUES (1, ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET fault_id = excluded.fault_id,"
            " event_id = excluded.event_id",
            (fault_id, event_id),
        )

    def _attachments(self, mail: int) -> tuple[Attachment, ...]:
        rows = self._db.all(
            "SELECT name, media_type, content FROM outbox_attachment WHERE outbox_id = ?"
            " ORDER BY position",
            (mail,),
        )
        return tuple(Attachment(*row) for row in rows)


def _posted(row: Row, attachments: tuple[Attachment, ...]) -> Posted:
    mail, kind, message_id, recipient, subject, body, created_ms, state, attempts, next_ms, told = (
        row
    )
    return Posted(
        id=MailId(mail),
        letter=Letter(kind, message_id, recipient, subject, body, attachments),
        created_at=from_ms(created_ms),
        state=MailState(state),
        attempts=attempts,
        next_at=from_ms(next_ms),
        told=told,
    )
