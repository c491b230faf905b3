"""Mail: the outbox in the database, and who carries it away."""

from datetime import datetime
from typing import Protocol

from evdesk.domain.mail import Letter, MailId, MailServer, MailState, Posted, Receipt


class Mailer(Protocol):
    """Carries mail to a server."""

    def send(self, server: MailServer, letter: Letter) -> Receipt:
        """Try to hand over a letter once; whatever goes wrong is in the receipt."""

    def check(self, server: MailServer) -> str | None:
        """Connect and log in; return what went wrong, or None."""


class Outbox(Protocol):
    """Who sends, and what is to be sent; one letter may be tried many times."""

    def server(self) -> MailServer | None:
        """Return which server sends, or None while no mail is sent."""

    def set_server(self, server: MailServer) -> None:
        """Replace which server sends."""

    def clear_server(self) -> None:
        """Forget the server and its password; what waits stays."""

    def add(self, letter: Letter, at: datetime) -> MailId:
        """Put a letter in, to be sent at once."""

    def is_due(self, now: datetime, stuck_before: datetime) -> bool:
        """Return whether a letter is due, or has been in sending since before an instant."""

    def claim(self, now: datetime) -> Posted | None:
        """Take the next letter that is due and mark it as being sent; None where none is."""

    def settle(
        self, mail: MailId, state: MailState, told: str, next_at: datetime | None = None
    ) -> None:
        """Write what came of a letter that was claimed."""

    def give_up_stuck(self, before: datetime) -> None:
        """Mark letters as unclear that have been in sending since before an instant."""

    def retry(self, mail: MailId, now: datetime) -> None:
        """Let a letter wait to be sent again."""

    def newest(self, limit: int) -> list[Posted]:
        """Return letters, newest first, without the contents of attachments."""

    def told_up_to(self) -> tuple[int, int]:
        """Return up to which fault and fault event people were told by mail."""

    def set_told(self, fault_id: int, event_id: int) -> None:
        """Say up to where people were told."""
