"""What a support bundle tells beside the database: log files and versions."""

import json
import platform
from collections.abc import Mapping
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

from evdesk.bootstrap.logbook import FILES
from evdesk.domain.instants import rfc3339
from evdesk.storage import migrations
from evdesk.storage import versions as cipher


def versions() -> dict[str, object]:
    """Return the versions of what evdesk stands on."""
    return {
        **cipher.versions(),
        "qt": version("PySide6-Essentials"),
        "pymodbus": version("pymodbus"),
        "schema": migrations.newest(migrations.SITE_SCHEMA),
    }


class SitePapers:
    """Implements ``services.supporting.Papers`` for one site folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def logs(self) -> Mapping[str, str]:
        """Return the log files by name, the newest of each and those before."""
        found = sorted(path for file in FILES for path in self._folder.glob(f"{file}*"))
        return {path.name: path.read_text(encoding="utf-8", errors="replace") for path in found}

    def versions(self) -> Mapping[str, object]:
        """Return the versions of what evdesk stands on, and of the system."""
        return {
            **versions(),
            "python": platform.python_version(),
            "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        }

    def text(self, value: object) -> str:
        """Return a value as JSON for people to read."""
        return json.dumps(value, indent=2, ensure_ascii=False, default=_plain) + "\n"


def _plain(value: object) -> str:
    return rfc3339(value) if isinstance(value, datetime) else str(value)
