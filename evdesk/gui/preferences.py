"""What the window remembers on this PC: looks and habits, nothing of the site."""

from pathlib import Path

from PySide6.QtCore import QByteArray, QSettings, QStandardPaths

LOCK_AFTER_MIN = 10


class Preferences:
    """Typed access to the few things that are remembered."""

    def __init__(self, settings: QSettings) -> None:
        self._settings = settings

    def theme(self) -> str:
        """Return ``light``, ``dark`` or ``system``."""
        return str(self._settings.value("window/theme", "system"))

    def set_theme(self, name: str) -> None:
        """Remember the chosen theme."""
        self._settings.setValue("window/theme", name)

    def bytes_of(self, key: str) -> QByteArray:
        """Return a geometry or splitter state; empty where there is none."""
        value = self._settings.value(f"window/{key}")
        return value if isinstance(value, QByteArray) else QByteArray()

    def set_bytes(self, key: str, value: QByteArray) -> None:
        """Remember a geometry or splitter state."""
        self._settings.setValue(f"window/{key}", value)

    def folder(self) -> str:
        """Return where files were saved last, else the documents, else the home folder."""
        documents = QStandardPaths.StandardLocation.DocumentsLocation
        usual = (self._settings.value("files/folder"), QStandardPaths.writableLocation(documents))
        there = (str(path) for path in usual if path and Path(str(path)).is_dir())
        return next(there, str(Path.home()))

    def set_folder(self, folder: str) -> None:
        """Remember where a file was saved."""
        self._settings.setValue("files/folder", folder)

    def shows_notices(self) -> bool:
        """Return whether faults are told beside the clock of the desktop."""
        return str(self._settings.value("window/shows_notices", "true")) == "true"

    def set_shows_notices(self, shows: bool) -> None:
        """Remember whether faults are told there."""
        self._settings.setValue("window/shows_notices", "true" if shows else "false")

    def lock_after_min(self) -> int:
        """Return after how many unused minutes the site is locked; 0 is never."""
        value = str(self._settings.value("window/lock_after_min", LOCK_AFTER_MIN))
        return int(value) if value.isdecimal() else LOCK_AFTER_MIN

    def set_lock_after_min(self, minutes: int) -> None:
        """Remember after how many minutes."""
        self._settings.setValue("window/lock_after_min", minutes)

    def says_collector_goes_on(self) -> bool:
        """Return whether closing the window still explains that reading goes on."""
        return str(self._settings.value("window/say_collector_goes_on", "true")) == "true"

    def set_says_collector_goes_on(self, says: bool) -> None:
        """Remember "don't show this again"."""
        self._settings.setValue("window/say_collector_goes_on", "true" if says else "false")
