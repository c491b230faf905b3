"""What stands out at one register in a month: to explain, explained, and gaps."""

from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from evdesk.domain.permissions import Action
from evdesk.domain.reconciling import Account, Gap, Rest
from evdesk.gui import texts
from evdesk.gui.context import Context
from evdesk.gui.dialogs.explain import ExplainMonth
from evdesk.gui.models.rows import Chip
from evdesk.gui.theme import Tone
from evdesk.gui.widgets.chip import ChipLabel
from evdesk.gui.widgets.empty import EmptyState
from evdesk.gui.widgets.parts import (
    ElidedLabel,
    button,
    column,
    give_icon,
    label,
    line,
    paragraph,
    row,
)
from evdesk.ports import Explanation
from evdesk.services.reconciling import MeterMonth, Month

MOST_GAPS = 30


class MonthPanel(QFrame):
    """``explained`` tells what was done, ``session_wanted`` which session is to be shown."""

    explained = Signal(str)
    session_wanted = Signal(int)

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "surface")
        self.setMinimumWidth(330)
        self._context = context
        self._shown: tuple[Month, MeterMonth] | None = None
        self.title = ElidedLabel(role="heading")
        self.state = ChipLabel(context.theme)
        self.stations = label("", "muted")
        self.read = paragraph("", "small")
        self.explain = button(
            self.tr("Explain …"), self.ask_reason, "primary", self.tr("Account for what is left")
        )
        context.rights.guard(self.explain, Action.DECIDE_SESSIONS)
        self.entries = column(gap=12)
        self.empty = EmptyState(
            context.theme, "reconcile", self.tr("Nothing selected"),
            self.tr("Select a meter to see what stands out, and the gaps in which nobody read it."),
        )  # fmt: skip
        self.detail = self._make_detail()
        box = QVBoxLayout(self)
        box.setContentsMargins(1, 1, 1, 1)
        box.addWidget(self.empty)
        box.addWidget(self.detail)
        self.detail.hide()
        context.theme.changed.connect(self.repaint_icons)
        self.repaint_icons()

    def _make_detail(self) -> QScrollArea:
        head = row(self.title, self.state)
        head.setStretch(0, 1)
        inside = QWidget()
        inside.setObjectName("inside")
        inside.setLayout(
            column(
                head,
                self.stations,
                self.read,
                row(self.explain, 0),
                self.entries,
                0,
                gap=8,
                margin=16,
            )
        )
        area = QScrollArea()
        area.setWidget(inside)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        return area

    def repaint_icons(self) -> None:
        """Draw icons in the theme's colours."""
        give_icon(self.explain, self._context.theme, "edit")

    def show_row(self, month: Month | None, chosen: MeterMonth | None) -> None:
        """Show one register of a month; None where none is selected."""
        nothing = month is None or chosen is None
        self.empty.setVisible(nothing)
        self.detail.setVisible(not nothing)
        self._shown = None if month is None or chosen is None else (month, chosen)
        if month is None or chosen is None:
            return
        self.title.set_text(chosen.name)
        self.state.show_chip(Chip(*texts.month_look(chosen.remainder)))
        points = ", ".join(chosen.stations) or self.tr("No charging point is billed from it")
        self.stations.setText(points)
        self.stations.setVisible(points != chosen.name)
        self.read.setVisible(chosen.account is not None)
        self.explain.setVisible(chosen.account is not None and not chosen.is_clear)
        self._clear()
        if chosen.account is not None:
            self.read.setText(self._span(chosen.account))
            rests = chosen.account.rests
            self._section(self.tr("Stands out"), [self._rest(rest) for rest in rests])
        if chosen.damage is not None:
            why = paragraph(texts.sentence(chosen.damage), "")
            why.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            self._section(self.tr("Cannot be counted"), [why])
        self._section(
            self.tr("Explained"), [self._explanation(month, one) for one in chosen.explained]
        )
        if chosen.account is not None:
            gaps = sorted(chosen.account.gaps, key=lambda gap: (gap.complete, -gap.wh))
            self._section(self.tr("Gaps"), [self._gap(gap) for gap in gaps[:MOST_GAPS]])
        if not self.entries.count():
            self.entries.addWidget(
                paragraph(self.tr("Nothing stands out: the register was read all the time."))
            )

    def _span(self, of: Account) -> str:
        """Return when the registers at both ends were read: not always at the month's ends."""
        start, end, zone = of.start, of.end, self._context.zone
        return self.tr("Register read at {start} and {end}").format(
            start=texts.stamp(None if start is None else start.at, zone),
            end=texts.stamp(None if end is None else end.at, zone),
        )

    def _section(self, heading: str, entries: list[QWidget]) -> None:
        if entries:
            box = column(6, line(), 4, label(heading, "strong"), *entries, gap=6)
            holder = QWidget()
            holder.setLayout(box)
            self.entries.addWidget(holder)

    def _clear(self) -> None:
        while self.entries.count():
            item = self.entries.takeAt(0)
            widget = None if item is None else item.widget()
            if widget is not None:
                widget.setParent(None)
                widget.deleteLater()

    # -- entries --------------------------------------------------------------------------------

    def _rest(self, rest: Rest) -> QWidget:
        entry = self._entry(texts.signed_kwh(rest.wh), texts.rest(rest.kind), Tone.WARNING)
        shows = partial(self.session_wanted.emit, rest.session)
        link = button(self.tr("Show session {id}").format(id=rest.session), shows, "link")
        layout = entry.layout()
        if layout is not None:
            layout.addWidget(link)
        return entry

    def _gap(self, gap: Gap) -> QWidget:
        zone = self._context.zone
        span = self.tr("{begin} to {end}").format(
            begin=texts.stamp(gap.from_at, zone), end=texts.stamp(gap.to_at, zone)
        )
        what = f"{texts.gap(gap.kind)}\n{span}"
        amount = texts.kwh(gap.wh)
        if not gap.complete:
            amount = self.tr("{kwh} + unknown").format(kwh=amount)
        return self._entry(amount, what, Tone.NEUTRAL if gap.complete else Tone.WARNING)

    def _explanation(self, month: Month, one: Explanation) -> QWidget:
        author = month.names.get(one.author, one.author)
        at = texts.stamp(one.at, self._context.zone)
        return self._entry(
            texts.signed_kwh(one.wh), f"{one.reason} ({author}, {at})", Tone.POSITIVE
        )

    def _entry(self, amount: str, what: str, tone: Tone) -> QWidget:
        chip = ChipLabel(self._context.theme)
        chip.show_chip(Chip(self.tr("{kwh} kWh").format(kwh=amount), tone))
        entry = QWidget()
        entry.setLayout(column(row(chip, 0), paragraph(what, ""), gap=2))
        return entry

    # -- explaining -----------------------------------------------------------------------------

    def ask_reason(self) -> None:
        """Ask for amount and reason."""
        if self._shown is None:
            return
        month, chosen = self._shown
        dialog = ExplainMonth(self._context, chosen, month.month, self)
        dialog.explained.connect(self.explained)
        dialog.open()
