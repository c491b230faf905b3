"""One fault: what it means, what to do, and who has seen it."""

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QFrame, QPlainTextEdit, QScrollArea, QVBoxLayout, QWidget

from evdesk.domain.faults import Fault
from evdesk.domain.permissions import Action
from evdesk.gui import fault_texts, texts
from evdesk.gui.context import Context
from evdesk.gui.models.rows import Chip
from evdesk.gui.widgets.chip import ChipLabel
from evdesk.gui.widgets.empty import EmptyState
from evdesk.gui.widgets.parts import button, column, label, line, paragraph, row, selectable

NOTE_PX = 66


class Note(QPlainTextEdit):
    """Some words; Tab goes on to the next field."""

    def sizeHint(self) -> QSize:
        return QSize(super().sizeHint().width(), NOTE_PX)


class FaultPanel(QFrame):
    """``acknowledge_wanted`` carries the fault and the note."""

    acknowledge_wanted = Signal(object, str)

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "surface")
        self.setMinimumWidth(316)
        self._context = context
        self._fault: Fault | None = None
        self.title = paragraph("", "heading")
        self.severity, self.state = ChipLabel(context.theme), ChipLabel(context.theme)
        self.place, self.times = label("", "strong"), paragraph()
        self.meaning, self.action = paragraph("", ""), paragraph("", "")
        self.code = selectable("", "small")
        self.seen = paragraph()
        self.note = Note()
        self.note.setTabChangesFocus(True)
        self.note.setFixedHeight(NOTE_PX)
        self.note.setPlaceholderText(self.tr("Note, for example: electrician comes on Monday"))
        self.note.setAccessibleName(self.tr("Note"))
        self.acknowledge = button(
            self.tr("Acknowledge"), self.want_acknowledge, "primary",
            self.tr("You have seen it and take care of it (Ctrl+Return)"),
        )  # fmt: skip
        for part in (self.note, self.acknowledge):
            context.rights.guard(part, Action.ACKNOWLEDGE_FAULTS)
        self.empty = EmptyState(
            context.theme, "faults", self.tr("Nothing selected"),
            self.tr("Select a fault to see what it means and what to do about it."),
        )  # fmt: skip
        self.detail = self._make_detail()
        box = QVBoxLayout(self)
        box.setContentsMargins(1, 1, 1, 1)
        box.addWidget(self.empty)
        box.addWidget(self.detail)
        self.detail.hide()

    def _make_detail(self) -> QScrollArea:
        inside = QWidget()
        inside.setObjectName("inside")
        inside.setLayout(
            column(
                row(self.severity, self.state, 0), self.title, self.place, self.times,
                column(4, line(), 4, gap=0), self.meaning,
                label(self.tr("What to do"), "strong"), self.action,
                column(4, line(), 4, gap=0), self.seen, self.note, row(self.acknowledge, 0),
                0, self.code, gap=8, margin=16,
            )
        )  # fmt: skip
        area = QScrollArea()
        area.setWidget(inside)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        return area

    def show_fault(self, fault: Fault | None) -> None:
        """Show a fault, or that none is selected."""
        if fault is None or self._fault is None or fault.id != self._fault.id:
            self.note.clear()
        self._fault = fault
        self.detail.setVisible(fault is not None)
        self.empty.setVisible(fault is None)
        if fault is None:
            return
        self.severity.show_chip(Chip(*fault_texts.severity_look(fault.severity)))
        self.state.show_chip(Chip(*fault_texts.state_look(fault)))
        self.title.setText(fault_texts.title(fault.code))
        self.place.setText(fault_texts.where(fault))
        self.times.setText(self._times(fault))
        self.meaning.setText(fault_texts.meaning(fault))
        self.action.setText(fault_texts.action(fault))
        self.code.setText(self.tr("Fault {id}, {code}").format(id=fault.id, code=fault.code.value))
        self._show_seen(fault)

    def fault(self) -> Fault | None:
        """Return what is shown."""
        return self._fault

    def want_acknowledge(self) -> None:
        """Ask for the fault that is shown to be acknowledged, if it is not yet."""
        fault = self._fault
        if fault is not None and fault.acknowledged_at is None and self.acknowledge.isEnabled():
            self.acknowledge.setEnabled(False)
            self.acknowledge_wanted.emit(fault, self.note.toPlainText())

    def let_again(self) -> None:
        """Let the button be pressed again."""
        self.acknowledge.setEnabled(True)

    def _show_seen(self, fault: Fault) -> None:
        seen = fault.acknowledged_at is not None
        for part in (self.note, self.acknowledge):
            part.setVisible(not seen)
        self.seen.setVisible(seen)
        self.acknowledge.setEnabled(True)
        if seen:
            told = self.tr("Seen by {name}, {at}.").format(
                name=fault.acknowledged_by,
                at=texts.stamp(fault.acknowledged_at, self._context.zone),
            )
            self.seen.setText(f"{told}\n{fault.note}" if fault.note else told)

    def _times(self, fault: Fault) -> str:
        zone, now = self._context.zone, self._context.pulse.now()
        since = texts.stamp(fault.since_at, zone)
        lasted = fault_texts.lasted(fault, now)
        if fault.until_at is None:
            return self.tr("Since {since}, for {lasted}").format(since=since, lasted=lasted)
        told = self.tr("From {since} to {until}: {lasted}").format(
            since=since, until=texts.stamp(fault.until_at, zone), lasted=lasted
        )
        unseen = self.tr("Nobody watched when it ended.")
        return f"{told}. {unseen}" if fault.unseen_end else told
