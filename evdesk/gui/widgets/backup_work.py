"""A backup that is being made or checked, and what came of it."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QProgressBar, QWidget

from evdesk.domain.errors import WrongKey
from evdesk.domain.secrets import Secret
from evdesk.gui import backup_texts
from evdesk.gui.context import Context
from evdesk.gui.theme import Tone
from evdesk.gui.widgets.notice_bar import Banner
from evdesk.gui.widgets.parts import button, column, label, row
from evdesk.gui.work import Stopped, Tell, Work
from evdesk.ports import Attend, BackupStage, BackupVerdict
from evdesk.ports.backups import MADE_BEFORE_ROTATION, MADE_UNDER_ANOTHER
from evdesk.services.backups import BackupService, MadeBackup

STEPS = 1_000
NEED_PASSWORD = {MADE_BEFORE_ROTATION, MADE_UNDER_ANOTHER}
WORDS_PX = 220


def attending(tell: Tell) -> Attend:
    """Return what a backup tells of itself, as words and share."""

    def attend(stage: BackupStage, share: float) -> None:
        tell(backup_texts.stage(stage), share)

    return attend


class BackupWork(QWidget):
    """One thing at a time; ``runs`` tells whether something does, ``ended`` that it is over.

    ``needs_password`` carries a backup that was made under an older key, and what is said of it.
    """

    runs = Signal(bool)
    ended = Signal()
    failed = Signal(object)
    needs_password = Signal(object, object)

    def __init__(
        self, context: Context, backups: BackupService, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._backups, self._zone = backups, context.zone
        self._file = Path()
        self._work = Work(context.tasks, self)
        self.words = label("")
        self.words.setMinimumWidth(WORDS_PX)
        self.bar = QProgressBar()
        self.bar.setRange(0, STEPS)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(self.tr("How much is done"))
        self.stop = button(self.tr("Stop"), self._work.stop)
        self._running = QWidget()
        self._running.setLayout(row(self.words, self.bar, self.stop))
        self.banner = Banner(context.theme)
        self.close_card = button(self.tr("Close"), self.hide, "quiet")
        self.banner.box.addWidget(self.close_card)
        self.setLayout(column(self._running, self.banner))
        self._work.progressed.connect(self._on_progress)
        self._work.changed.connect(self.runs)
        self.hide()

    def make(self, folder: Path | None) -> None:
        """Make a backup, and check it."""
        backups = self._backups
        self._begin(lambda tell: backups.create(folder, attending(tell)), self._on_made)

    def verify(self, file: Path, then: Secret | None = None) -> None:
        """Check a backup by restoring it into a scratch file; ``then``: a password of its own."""
        backups, self._file = self._backups, file
        self._begin(lambda tell: backups.verify(file, attending(tell), then), self._on_verified)

    def _begin(self, job: Callable[[Tell], object], done: Callable[..., object]) -> None:
        self.words.setText(self.tr("Beginning …"))
        self.bar.setValue(0)
        self._running.show()
        self.banner.hide()
        self.show()
        self._work.run(job, done, self._on_failed)

    def _on_progress(self, words: str, share: float) -> None:
        self.words.setText(words)
        self.bar.setValue(round(share * STEPS))

    def _on_made(self, made: MadeBackup) -> None:
        words, tone = backup_texts.verdict(made.verdict, self._zone)
        if made.removed:
            told = self.tr("{count} older ones were kept for long enough and are gone.")
            words = f"{words} {told.format(count=len(made.removed))}"
        self._tell(words, tone)

    def _on_verified(self, verdict: BackupVerdict) -> None:
        self._tell(*backup_texts.verdict(verdict, self._zone))

    def _tell(self, words: str, tone: Tone) -> None:
        self._running.hide()
        self.banner.tell(words, tone)
        self.ended.emit()

    def _on_failed(self, error: Exception) -> None:
        self._running.hide()
        self.hide()
        self.ended.emit()
        if isinstance(error, WrongKey) and error.template in NEED_PASSWORD:
            self.needs_password.emit(self._file, error)
        elif not isinstance(error, Stopped):
            self.failed.emit(error)
