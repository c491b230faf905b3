"""Which entries of the audit log: who, what, when, about what."""

from collections.abc import Mapping
from datetime import timedelta

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QWidget

from evdesk.gui import audit_texts
from evdesk.gui.context import Context
from evdesk.gui.widgets.fields import Chooser, SearchField
from evdesk.gui.widgets.parts import row
from evdesk.ports import AuditFilter

DAYS = {"day": 1, "days7": 7, "days30": 30, "days365": 365}
TYPING_MS = 350
NUMBER = "\N{NUMBER SIGN}"  # before the number of an entry


class AuditFilters(QWidget):
    """``changed`` asks for another reading, ``number_wanted`` for the entry of a number."""

    changed = Signal()
    number_wanted = Signal(int)

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pulse = context.pulse
        self.about = SearchField(context.theme, self.tr("Object, or #number"))
        self.about.setToolTip(
            self.tr("A driver, invoice or session by its id, such as D-7KQ2M9XF or session/12; one "
                    "entry by # and its number")
        )  # fmt: skip
        self.who, self.what = Chooser(self.tr("Who")), Chooser(self.tr("What"))
        self.period = Chooser(self.tr("Period"))
        self.what.offer(audit_texts.nouns())
        self.period.offer(
            [
                ("all", self.tr("All time")), ("day", self.tr("Last 24 hours")),
                ("days7", self.tr("Last 7 days")), ("days30", self.tr("Last 30 days")),
                ("days365", self.tr("Last 12 months")),
            ]
        )  # fmt: skip
        self.offer({})
        self.setLayout(row(self.about, self.who, self.what, self.period, 0))
        self._typing = QTimer(self)
        self._typing.setSingleShot(True)
        self._typing.setInterval(TYPING_MS)
        self._typing.timeout.connect(self._on_typed)
        self.about.textChanged.connect(self._typing.start)
        self.about.returnPressed.connect(self._on_typed)
        for chooser in (self.who, self.what, self.period):
            chooser.currentIndexChanged.connect(self.changed)

    def offer(self, names: Mapping[str, str]) -> None:
        """Offer these accounts, and the parts of the program."""
        programs = [(ref, audit_texts.actor(ref, {})) for ref in ("collector", "recovery")]
        self.who.offer([(None, self.tr("Everybody")), *names.items(), *programs])

    def wanted(self) -> AuditFilter:
        """Return what the choosers ask for."""
        about = self.about.text().strip()
        days = DAYS.get(str(self.period.value()))
        return AuditFilter(
            from_at=None if days is None else self._pulse.now() - timedelta(days=days),
            actor=self.who.value(),
            action=self.what.value(),
            about=about if about and not self.asks_number() else None,
        )

    def asks_number(self) -> bool:
        """Return whether one entry is asked for by its number."""
        return self.about.text().strip().startswith(NUMBER)

    def reset(self) -> None:
        """Let every entry through; nothing is read by this."""
        self._typing.stop()
        for part in (self.about, self.who, self.what, self.period):
            part.blockSignals(True)
        self.about.clear()
        for chooser in (self.who, self.what, self.period):
            chooser.setCurrentIndex(0)
        for part in (self.about, self.who, self.what, self.period):
            part.blockSignals(False)

    def _on_typed(self) -> None:
        self._typing.stop()
        text = self.about.text().strip()
        if not self.asks_number():
            self.changed.emit()
        elif text[1:].isdecimal():
            self.number_wanted.emit(int(text[1:]))
