"""Mail goes out in a thread of its own, and a busy database is no end of it."""

import logging
import time

import pytest

from evdesk.bootstrap import posting
from evdesk.domain.errors import StorageError


class Mail:
    """Delivers nothing; the first time the database is busy."""

    def __init__(self) -> None:
        self.delivered = 0

    def deliver(self) -> int:
        self.delivered += 1
        if self.delivered == 1:
            raise StorageError("The database is busy.")
        return 0


def test_mail_is_delivered_until_the_work_is_done(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    mail = Mail()
    with posting.posting(mail, every_s=0.01):  # type: ignore[arg-type]
        ends = time.monotonic() + 10
        while mail.delivered < 3:
            assert time.monotonic() < ends
            time.sleep(0.01)
    delivered = mail.delivered
    time.sleep(0.05)
    assert mail.delivered == delivered
    assert "Mail waits: StorageError." in caplog.text
