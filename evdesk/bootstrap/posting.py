"""Mail goes out beside what a process does: a slow mail server holds up nothing."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from evdesk.domain.errors import EvdeskError
from evdesk.services.mailing import MailService
from evdesk.settings import ALERTS

LOG = logging.getLogger(__name__)


@contextmanager
def posting(mail: MailService, every_s: float = ALERTS.post_every_s) -> Iterator[None]:
    """Deliver mail while this lasts; a letter on its way when it ends is waited for."""
    stop = threading.Event()

    def work() -> None:
        while not stop.wait(every_s):
            try:
                mail.deliver()
            except EvdeskError as error:  # a busy database: next time
                LOG.info("Mail waits: %s.", type(error).__name__)  # what it says may name somebody

    thread = threading.Thread(target=work, name="post", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(ALERTS.timeout_s)
