"""One session with everything it rests on: registers, raw words, meter, curve, log."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QScrollArea, QVBoxLayout, QWidget

from evdesk.domain.readings import Register
from evdesk.domain.sessions import Session
from evdesk.gui import texts
from evdesk.gui.context import Context
from evdesk.gui.models.points import points_of
from evdesk.gui.models.rows import Chip
from evdesk.gui.widgets.chart import Chart, Series
from evdesk.gui.widgets.chip import ChipLabel
from evdesk.gui.widgets.decision_list import DecisionList
from evdesk.gui.widgets.empty import EmptyState
from evdesk.gui.widgets.parts import column, label, line, paragraph, row, selectable
from evdesk.ports import LoggedEvent
from evdesk.services.sessions import SessionDetail

CHART_PX = 190
SHOWN_EVENTS = 200


class SessionPanel(QFrame):
    """Reads the session that is selected."""

    failed = Signal(object)

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "surface")
        self.setMinimumWidth(330)
        self._context = context
        self._session: Session | None = None
        self.title = label("", "heading")
        self.state = ChipLabel(context.theme)
        self.tools = column()
        self.remarks = paragraph()
        self.registers = QGridLayout()
        self.meter = selectable("", "muted")
        self.chart = Chart(context.zone, context.theme, context.tasks)
        self.chart.setFixedHeight(CHART_PX)
        self.log = QGridLayout()
        self.decisions = DecisionList(context.zone)
        self.decided = self._heading(self.tr("Decisions"))
        self.empty = EmptyState(
            context.theme,
            "sessions",
            self.tr("Nothing selected"),
            self.tr("Select a session to see the two register readings it rests on."),
        )
        self.detail = self._make_detail()
        box = QVBoxLayout(self)
        box.setContentsMargins(1, 1, 1, 1)
        box.addWidget(self.empty)
        box.addWidget(self.detail)
        self.detail.hide()
        context.theme.changed.connect(self._repaint_curve)

    def _make_detail(self) -> QScrollArea:
        for grid in (self.registers, self.log):
            grid.setHorizontalSpacing(14)
            grid.setVerticalSpacing(4)
        head = row(self.title, 0, self.state)
        self.meter.setWordWrap(True)
        inside = QWidget()
        inside.setObjectName("inside")
        box = column(
            head, self.tools, self.remarks,
            self._heading(self.tr("Registers")), self.registers, self.meter,
            self.decided, self.decisions,
            self._heading(self.tr("Charging rate, kW")), self.chart,
            self._heading(self.tr("Log")), self.log, 0, gap=8, margin=16,
        )  # fmt: skip
        inside.setLayout(box)
        area = QScrollArea()
        area.setWidget(inside)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        return area

    def _heading(self, text: str) -> QWidget:
        made = QWidget()
        made.setLayout(column(6, line(), 4, label(text, "strong"), gap=0))
        return made

    def put_tools(self, tools: QWidget) -> None:
        """Show what can be done about the session below its title."""
        self.tools.addWidget(tools)

    def show_session(self, session: Session | None, selected: int = 0) -> None:
        """Show a session; None where not exactly one is selected."""
        if session is None:
            self._session = None
            self.detail.hide()
            self.empty.show()
            self._say_why(selected)
            return
        if session == self._session:
            return
        self._session = session
        sessions = self._context.desk.sessions
        self._context.tasks.run(
            lambda: sessions.detail(session.id, self.chart.width_px() * 2),
            self._show,
            self.failed.emit,
        )

    def forget(self) -> None:
        """Read again what is selected, though it looks the same."""
        self._session = None

    def _say_why(self, selected: int) -> None:
        if selected > 1:
            self.empty.say(
                self.tr("{count} sessions selected").format(count=selected),
                self.tr("They can be assigned to a driver together."),
            )
        else:
            self.empty.say(
                self.tr("Nothing selected"),
                self.tr("Select a session to see the two register readings it rests on."),
            )

    def _show(self, detail: SessionDetail) -> None:
        if self._session is None or detail.session.id != self._session.id:
            return
        session, zone = detail.session, self._context.zone
        self.title.setText(
            self.tr("{station}, {day}").format(
                station=session.station or self.tr("Place not shown"),
                day=texts.day(session.figures.plugged_in_at, zone),
            )
        )
        self.state.show_chip(Chip(*texts.session_look(session)))
        flags = sorted(session.figures.flags)
        self.remarks.setText("\n".join(": ".join(texts.flag(flag)) for flag in flags))
        self.remarks.setVisible(bool(flags))
        self._show_registers(detail)
        self.decisions.show_decisions(detail.decisions, detail.names)
        self.decided.setVisible(bool(detail.decisions))
        self._show_log(detail.events)
        self._show_curve(detail)
        self.empty.hide()
        self.detail.show()

    def _show_registers(self, detail: SessionDetail) -> None:
        figures, meter = detail.session.figures, detail.meter
        clear(self.registers)
        titles = (self.tr("Time"), self.tr("Register, kWh"), self.tr("Raw words"))
        for place, title in enumerate(titles, 1):
            self.registers.addWidget(label(title, "small"), 0, place, _side(place))
        ending = self.tr("Unplug") if figures.unplugged_at else self.tr("So far")
        self._register(1, self.tr("Plug-in"), figures.start)
        self._register(2, ending, figures.end)
        claim, corrected = detail.session.claim(), detail.session.correction is not None
        rows = [(self.tr("Energy"), claim.energy_wh, "strong")]
        if corrected:
            rows = [
                (self.tr("Measured"), figures.energy_wh, "muted"),
                (self.tr("Corrected start"), claim.start_wh, ""),
                (self.tr("Corrected end"), claim.end_wh, ""),
                *rows,
            ]
        for number, (name, wh, role) in enumerate(rows, 3):
            self.registers.addWidget(label(name, role or "muted"), number, 0, 1, 2)
            self.registers.addWidget(selectable(texts.kwh(wh), role), number, 2, _side(2))
        self.registers.setColumnStretch(3, 1)
        serial = meter.serial or self.tr("serial number not known")
        text = self.tr("Meter {name}, {profile}, {serial}")
        if not meter.name:
            text = self.tr("The driver has agreed to a history without places.")
        self.meter.setText(text.format(name=meter.name, profile=meter.profile, serial=serial))

    def _register(self, line_number: int, name: str, register: Register | None) -> None:
        zone = self._context.zone
        shown = (
            texts.clock_time(register.at, zone, with_seconds=True) if register else texts.NONE,
            texts.kwh(register.wh) if register else self.tr("not read"),
            words(register.raw.hex()) if register and register.raw else texts.NONE,
        )
        self.registers.addWidget(label(name, "muted"), line_number, 0)
        for place, text in enumerate(shown, 1):
            self.registers.addWidget(selectable(text), line_number, place, _side(place))

    def _show_log(self, events: tuple[LoggedEvent, ...]) -> None:
        clear(self.log)
        for number, event in enumerate(events[:SHOWN_EVENTS]):
            at = texts.clock_time(event.at, self._context.zone, with_seconds=True)
            self.log.addWidget(label(at, "muted"), number, 0)
            self.log.addWidget(label(texts.event(event.kind)), number, 1)
            if event.wh is not None:
                self.log.addWidget(selectable(texts.kwh(event.wh), "muted"), number, 2, _side(2))
        self.log.setColumnStretch(1, 1)

    def _show_curve(self, detail: SessionDetail) -> None:
        figures = detail.session.figures
        until = figures.unplugged_at or self._context.pulse.now()
        colour = self._context.theme.series(0)
        range_s = (figures.plugged_in_at.timestamp(), max(until, figures.plugged_in_at).timestamp())
        padding_s = max((range_s[1] - range_s[0]) * 0.02, 5)
        self.chart.show_curves(
            [Series("session", colour, fill_alpha=0.1)],
            {"session": points_of(detail.curve)},
            (range_s[0] - padding_s, range_s[1] + padding_s),
        )

    def _repaint_curve(self) -> None:
        session = self._session
        if session is not None:
            self.forget()
            self.show_session(session)


def words(raw_hex: str) -> str:
    """Return hex in groups of one register word."""
    return " ".join(raw_hex[start : start + 4] for start in range(0, len(raw_hex), 4))


def clear(grid: QGridLayout) -> None:
    """Take everything out of a grid."""
    while grid.count():
        item = grid.takeAt(0)
        widget = None if item is None else item.widget()
        if widget is not None:
            widget.setParent(None)
            widget.deleteLater()


def _side(place: int) -> Qt.AlignmentFlag:
    return Qt.AlignmentFlag.AlignRight if place == 2 else Qt.AlignmentFlag.AlignLeft
