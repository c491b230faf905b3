"""What a check of the audit log found, and how far one is that runs."""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QProgressBar, QWidget

from evdesk.domain.notes import Head, Rollback
from evdesk.domain.verdicts import Verdict
from evdesk.gui import audit_texts, texts
from evdesk.gui.context import Context
from evdesk.gui.theme import Tone
from evdesk.gui.widgets.notice_bar import Banner
from evdesk.gui.widgets.parts import button, column, label, row
from evdesk.gui.work import Stopped, Work
from evdesk.services.auditing import AuditService, Verified

STEPS = 1_000
SHOWN_FINDINGS = 4


class VerdictCard(QWidget):
    """Checks when it is asked to; ``runs`` tells whether it does, ``verified`` that it is done.

    ``number_wanted`` asks for the first entry that is wrong.
    """

    number_wanted = Signal(int)
    runs = Signal(bool)
    verified = Signal()
    failed = Signal(object)

    def __init__(
        self, context: Context, audit: AuditService, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._audit = audit
        self._work = Work(context.tasks, self)
        self._first: int | None = None
        self.banner = Banner(context.theme)
        self.show_first = button(self.tr("Show the entry"), self._on_first)
        self.close_card = button(self.tr("Close"), self.hide, "quiet")
        self.banner.box.addWidget(self.show_first)
        self.banner.box.addWidget(self.close_card)
        self.progress = QProgressBar()
        self.progress.setRange(0, STEPS)
        self.progress.setTextVisible(False)
        self.progress.setAccessibleName(self.tr("How much is checked"))
        self.stop = button(self.tr("Stop"), self._work.stop)
        self._running = QWidget()
        self._running.setLayout(
            row(label(self.tr("Checking every entry, row and hour …")), self.progress, self.stop)
        )
        self.setLayout(column(self._running, self.banner))
        self._running.hide()
        self.banner.hide()
        self.hide()
        self._work.progressed.connect(self._on_progress)
        self._work.changed.connect(self.runs)

    def compare(self, head: Head) -> None:
        """Check the whole log, and whether a head from elsewhere is of it."""
        self.verify([head])

    def verify(self, heads: Sequence[Head] = ()) -> None:
        """Check the whole log, also against heads from elsewhere, and show how far it is."""
        audit = self._audit
        self.progress.setValue(0)
        self._running.show()
        self.banner.hide()
        self.show()
        self._work.run(
            lambda tell: (audit.verify(heads, lambda share: tell("", share)), audit.rollback()),
            lambda found: self.show_verdict(*found),
            self._on_failed,
        )

    def _on_progress(self, _: str, share: float) -> None:
        self.progress.setValue(round(share * STEPS))

    def _on_failed(self, error: Exception) -> None:
        self._running.hide()
        self.hide()
        if not isinstance(error, Stopped):
            self.failed.emit(error)

    def show_verdict(self, found: Verified, rollback: Rollback | None = None) -> None:
        """Show what was found; of a ``rollback`` alone, the banner above says the rest."""
        verdict = found.verdict
        words, tone = audit_texts.result(verdict)
        known = audit_texts.known_already(found, rollback)
        if known is not None:
            words, tone = known, Tone.WARNING
        signed = found.signed is not None
        lines = [f"{words}: {self._figures(verdict, signed=signed)}"]
        if known is None:
            lines += [audit_texts.finding(one) for one in verdict.findings[:SHOWN_FINDINGS]]
        else:
            lines.append(audit_texts.what_to_do(rollback))
        if len(verdict.findings) > SHOWN_FINDINGS:
            more = len(verdict.findings) - SHOWN_FINDINGS
            lines.append(self.tr("{count} more kinds of damage.").format(count=more))
        lines += [audit_texts.doubt(one) for one in verdict.doubts]
        if tone is Tone.DANGER:
            lines.append(
                self.tr("Change nothing. Keep a copy of the folder as it is, and compare with the "
                        "newest backup and with heads that are on paper.")
            )  # fmt: skip
        if signed:
            lines.append(self.tr("The head was signed, with an entry that says so."))
        self._running.hide()
        seqs = [one.seq for one in verdict.findings if one.seq is not None]
        self._first = seqs[0] if seqs and known is None else None
        self.show_first.setVisible(self._first is not None)
        if self._first is not None:
            number = texts.number(self._first, 0)
            self.show_first.setText(self.tr("Show entry {seq}").format(seq=number))
        self.banner.tell("\n".join(lines), tone)
        self.show()
        self.verified.emit()

    def _figures(self, verdict: Verdict, *, signed: bool) -> str:
        parts = [
            self.tr("{count} of {all} entries verified").format(
                count=texts.number(verdict.verified, 0), all=texts.number(verdict.entries, 0)
            ),
            self.tr("{count} rows").format(count=texts.number(verdict.rows, 0)),
            self.tr("{count} sealed hours").format(count=texts.number(verdict.segments, 0)),
        ]
        if verdict.erased:
            told = self.tr("{count} with details erased")
            parts.append(told.format(count=texts.number(verdict.erased, 0)))
        if verdict.unsigned_tail and not signed:
            told = self.tr("{count} not signed yet")
            parts.append(told.format(count=texts.number(verdict.unsigned_tail, 0)))
        return ", ".join(parts) + "."

    def _on_first(self) -> None:
        if self._first is not None:
            self.number_wanted.emit(self._first)
