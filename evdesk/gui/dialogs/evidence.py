"""Handing the audit log over to an auditor: one file, and a head to write down."""

import os
from pathlib import Path

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog, QProgressBar, QWidget

from evdesk.domain.errors import StorageError
from evdesk.gui.context import Context
from evdesk.gui.dialogs.base import FormDialog
from evdesk.gui.widgets.parts import button, label, paragraph, row, selectable, surface
from evdesk.gui.widgets.parts import column as column_of
from evdesk.gui.work import Stopped, Tell, Work
from evdesk.services.auditing import AuditService, HandedOver

STEPS = 1_000


class EvidenceDialog(FormDialog):
    """Asks for a file, writes it, and shows what belongs on paper beside it."""

    def __init__(
        self, context: Context, audit: AuditService, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._context, self._audit = context, audit
        self._work = Work(context.tasks, self)
        self._path = Path()
        self.describe(
            self.tr("Export for the auditor"),
            self.tr("One zip with every entry, the digests of all rows, the signed heads, the "
                    "public key and verify.py: any Python 3.11 checks it, without evdesk. Persons "
                    "are pseudonyms in it."),
            self.tr("Choose a file …"),
        )  # fmt: skip
        self.progress = QProgressBar()
        self.progress.setRange(0, STEPS)
        self.progress.setTextVisible(False)
        self.progress.setAccessibleName(self.tr("How much is written"))
        self.head, self.manifest = selectable("", "strong"), selectable()
        for part in (self.head, self.manifest):
            part.setWordWrap(True)
        self.copy = button(self.tr("Copy both"), self._on_copy)
        self.told = label("", "small")
        self.paper = surface()
        self.paper.setLayout(
            column_of(
                label(self.tr("Write this down, apart from the file"), "heading"),
                label(self.tr("Head of the log"), "muted"), self.head,
                label(self.tr("Fingerprint of the bundle (SHA-256 of its list)"), "muted"),
                self.manifest,
                paragraph(
                    self.tr("Whoever has these two lines knows that neither the file nor the log "
                            "before it was changed since.")
                ),
                row(self.copy, self.told, 0), margin=16,
            )
        )  # fmt: skip
        self.form.addWidget(self.progress)
        self.form.addWidget(self.paper)
        self.form.addStretch(1)
        self.progress.hide()
        self.paper.hide()
        self._work.progressed.connect(self._on_progress)
        self.setMinimumWidth(600)
        self.picker: QFileDialog | None = None

    def submit(self) -> None:
        if not self.paper.isHidden():
            self.accept()
            return
        name = self.tr("evidence.zip")
        folder = Path(self._context.preferences.folder())
        dialog = QFileDialog(self, self.windowTitle(), str(folder / name), self.tr("Zip (*.zip)"))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("zip")
        dialog.selectFile(name)
        dialog.fileSelected.connect(self.write)
        dialog.finished.connect(dialog.deleteLater)
        self.picker = dialog
        dialog.open()

    def write(self, name: str) -> None:
        """Write the file."""
        path = self._path = Path(name)
        self._context.preferences.set_folder(str(path.parent))
        self.wait(True, self.tr("Writing …"))
        self.progress.setValue(0)
        self.progress.show()
        audit = self._audit
        self._work.run(lambda tell: _write(audit, path, tell), self._on_written, self._on_failed)

    def reject(self) -> None:
        if self._work.runs:
            self._work.stop()  # closes when the file is gone
        else:
            super().reject()

    def _on_progress(self, _: str, share: float) -> None:
        self.progress.setValue(round(share * STEPS))

    def _on_failed(self, error: Exception) -> None:
        self.progress.hide()
        if isinstance(error, Stopped):
            self.wait(False)
            self.reject()
        else:
            self.complain(error)

    def _on_written(self, handed: HandedOver) -> None:
        self.progress.hide()
        self.describe(
            self.tr("The evidence is written"),
            self.tr("It is in {path}.").format(path=self._path),
            self.tr("Close"),
        )
        self.wait(False)
        self.cancel.hide()
        self.head.setText(str(handed.head))
        self.manifest.setText(handed.manifest)
        self.paper.show()

    def _on_copy(self) -> None:
        QGuiApplication.clipboard().setText(f"{self.head.text()}\n{self.manifest.text()}")
        self.told.setText(self.tr("Copied."))


def _write(audit: AuditService, path: Path, tell: Tell) -> HandedOver:
    """Write the bundle whole or not at all.

    Raises:
        StorageError: the file cannot be written.

    """
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with unfinished.open("xb") as out:
            handed = audit.export(out, lambda share: tell("", share))
        unfinished.replace(path)
    except OSError as error:
        raise StorageError(
            "{file} cannot be written: {reason}. Nothing was handed over; choose another folder.",
            file=str(path),
            reason=error.strerror or str(error),
        ) from error
    finally:
        unfinished.unlink(missing_ok=True)
    return handed
