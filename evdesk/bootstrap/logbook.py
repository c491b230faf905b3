"""Log files in the site folder: no personal data, nothing of the database."""

import logging
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from logging.handlers import RotatingFileHandler
from pathlib import Path

from evdesk.bootstrap.hardening import told_of

FILES = ("collector.log", "desk.log")
COLLECTOR_LOG, DESK_LOG = FILES
MOST_BYTES, KEPT = 1_000_000, 3
LOG = logging.getLogger("evdesk")


@contextmanager
def logbook(folder: Path, file: str = COLLECTOR_LOG) -> Iterator[None]:
    """Keep what evdesk logs in the site folder while this lasts; also what ends it."""
    name = file.removesuffix(".log")
    handler = RotatingFileHandler(
        folder / file, maxBytes=MOST_BYTES, backupCount=KEPT, encoding="utf-8", delay=True
    )
    formatter = logging.Formatter("%(asctime)sZ %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    level, mask = LOG.level, os.umask(0o077)  # for the owner only, like the rest of the folder
    LOG.addHandler(handler)
    LOG.setLevel(logging.INFO)
    try:
        LOG.info("The %s starts.", name)
        yield
    finally:
        error = sys.exc_info()[1]
        LOG.info("The %s has ended%s", name, "." if error is None else f": {told_of(error)}")
        os.umask(mask)
        LOG.setLevel(level)
        LOG.removeHandler(handler)
        handler.close()
