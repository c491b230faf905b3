"""Reconcile: where every kWh of a month went, meter by meter, and what is left to explain."""

from datetime import date

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QProgressBar, QWidget

from evdesk.gui import texts
from evdesk.gui.context import Context
from evdesk.gui.models.rows import Chip, Column, RowsModel
from evdesk.gui.panels.month_panel import MonthPanel
from evdesk.gui.pulse import Snapshot
from evdesk.gui.tasks import Lane
from evdesk.gui.theme import Tone
from evdesk.gui.widgets.beside import Beside
from evdesk.gui.widgets.empty import EmptyState
from evdesk.gui.widgets.figures import Figure
from evdesk.gui.widgets.files import SaveAs
from evdesk.gui.widgets.month_field import MonthField
from evdesk.gui.widgets.notice_bar import Banner
from evdesk.gui.widgets.page import Page
from evdesk.gui.widgets.parts import button, column, give_icon, label, row
from evdesk.gui.widgets.table import RowsTable
from evdesk.services.reconciling import MeterMonth, Month

STEPS = 1_000


class ReconcilePage(Page):
    """Counts a month when it is chosen or asked for again, in the background."""

    progressed = Signal(float)

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self.set_title(self.tr("Reconcile"))
        self._month: Month | None = None
        self._counting: str | None = None
        self.month = MonthField(context.theme, self._today())
        self.again = button(self.tr("Count again"), self.refresh, "", self.tr("Count again (F5)"))
        self.export = button(self.tr("Export …"), self.ask_file)
        self.progress = QProgressBar()
        self.until = label("", "muted")
        self.verdict = Banner(context.theme)
        self.figures = {
            name: Figure(caption, self.tr("kWh"))
            for name, caption in (
                ("delta", self.tr("Counted by the registers")), ("sessions", self.tr("Sessions")),
                ("idle", self.tr("Idle")), ("gap", self.tr("Gaps")),
                ("left", self.tr("To explain")),
            )
        }  # fmt: skip
        self.model: RowsModel[MeterMonth] = RowsModel(self._columns(), lambda r: r.source, self)
        self.table: RowsTable[MeterMonth] = RowsTable(self.model, context.theme)
        self.panel = MonthPanel(context)
        self.files = SaveAs(context, self)
        self.empty = EmptyState(context.theme, "reconcile", "", "")
        self._arrange()
        self._connect()
        self.repaint_icons()
        self._on_picked()

    def _today(self) -> date:
        return self.context.pulse.now().astimezone(self.context.zone).date()

    def _columns(self) -> list[Column[MeterMonth]]:
        def energy(title: str, width: int, wh: str, spare: int = 0) -> Column[MeterMonth]:
            return Column(
                title, lambda r: texts.kwh(getattr(r.account, wh, None)),
                sort_key=lambda r: getattr(r.account, wh, None), numeric=True, width=width,
                spare=spare,
            )  # fmt: skip

        return [
            Column(self.tr("Meter"), lambda r: r.name, width=116, least=92,
                   tooltip=lambda r: ", ".join(r.stations)),
            Column(self.tr("To explain"), lambda r: texts.left_kwh(r.remainder),
                   sort_key=_left_key, chips=_left_chips, width=168,
                   tooltip=lambda r: texts.month_look(r.remainder)[0]),
            energy(self.tr("Counted, kWh"), 124, "delta_wh"),
            energy(self.tr("Sessions"), 92, "sessions_wh", 1),
            energy(self.tr("Idle"), 68, "idle_wh", 2),
            energy(self.tr("Gaps"), 72, "gap_wh", 3),
            Column(self.tr("From register"), _start, numeric=True, width=118, spare=5,
                   tooltip=lambda r: self._read_tooltip(r, "start")),
            Column(self.tr("To register"), _end, numeric=True, width=0, spare=4,
                   tooltip=lambda r: self._read_tooltip(r, "end")),
        ]  # fmt: skip

    def _arrange(self) -> None:
        self.buttons.addWidget(self.export)
        self.progress.setRange(0, STEPS)
        self.progress.setTextVisible(False)
        self.progress.setAccessibleName(self.tr("Counting"))
        self.table.setSelectionMode(RowsTable.SelectionMode.SingleSelection)
        self.table.setAccessibleName(self.tr("Meters of the month"))
        self.split = Beside(self.table, self.panel)
        self.counted = QWidget()
        inside = column(self.verdict, row(*self.figures.values(), gap=12), self.split, gap=16)
        inside.setStretch(2, 1)
        self.counted.setLayout(inside)
        self.body.addLayout(column(row(self.month, self.again, self.until, 0), self.progress))
        self.body.addWidget(self.counted, 1)
        self.body.addWidget(self.empty, 1)
        self.counted.hide()

    def _connect(self) -> None:
        self.month.changed.connect(self.refresh)
        self.progressed.connect(self._on_progress)
        self.table.picked.connect(self._on_picked)
        self.panel.explained.connect(self._on_explained)
        self.panel.session_wanted.connect(self.session_wanted)
        self.files.saved.connect(self._on_saved)
        self.files.failed.connect(self.failed)

    def repaint_icons(self) -> None:
        """Draw icons in the theme's colours."""
        give_icon(self.again, self.context.theme, "refresh")
        give_icon(self.export, self.context.theme, "export")

    # -- counting -------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Count the month that is chosen; what was counted before stays until then."""
        if self._counting is not None:
            return
        self.month.offer(self._today())
        month = self.month.month()
        self._counting = month
        self.progress.setValue(0)
        self.progress.show()
        if self._month is None or self._month.month != month:
            self.counted.hide()
            self.empty.say(self.tr("Counting {month} …").format(month=self.month.text()), "")
            self.empty.show()
        months, tell = self.context.desk.months, self.progressed.emit
        self.context.tasks.run(
            lambda: months.month(month, None, tell),
            self._show,
            self._on_failed,
            Lane.OUTSIDE,
        )

    def on_beat(self, snapshot: Snapshot) -> None:
        """A month is counted when somebody asks: it takes a while."""

    def _on_progress(self, share: float) -> None:
        self.progress.setValue(round(share * STEPS))

    def _ended(self) -> bool:
        """Return whether what was counted is still wanted; else count what is."""
        counted, self._counting = self._counting, None
        if counted != self.month.month():
            self.refresh()
            return False
        self.progress.hide()
        return True

    def _on_failed(self, error: Exception) -> None:
        if self._ended():
            self.empty.say(self.tr("This month was not counted"), texts.sentence(error))
            self.counted.hide()
            self.empty.show()
            self.failed.emit(error)

    def _show(self, month: Month) -> None:
        if not self._ended():
            return
        self._month = month
        self.model.replace(month.rows)
        self.until.setText(
            self.tr("So far, until {at}").format(at=texts.stamp(month.to_at, self.context.zone))
            if month.so_far
            else ""
        )
        self._show_figures(month)
        self._show_verdict(month)
        self.export.setEnabled(bool(month.rows))
        self.counted.setVisible(bool(month.rows))
        self.empty.setVisible(not month.rows)
        self.empty.say(
            self.tr("Nothing was counted in {month}").format(month=self.month.text()),
            self.tr("No meter that a charging point is billed from was read. Choose another "
                    "month, or start the collector."),
        )  # fmt: skip
        stands_out = [row for row in month.rows if not row.is_clear]
        if stands_out and not self.table.selected():
            self.table.select_key(stands_out[0].source)
        self._on_picked()
        self.drawn.emit()

    def _show_figures(self, month: Month) -> None:
        counted = [row.account for row in month.rows if row.account is not None]
        sums = {
            "delta": sum(one.delta_wh for one in counted),
            "sessions": sum(one.sessions_wh for one in counted),
            "idle": sum(one.idle_wh for one in counted),
            "gap": sum(one.gap_wh for one in counted),
        }
        for name, wh in sums.items():
            self.figures[name].set_value(texts.kwh(wh, 1))
        left_wh = sum(row.remainder.amount_wh for row in month.rows if row.remainder is not None)
        self.figures["left"].set_value(texts.kwh(left_wh, 3 if left_wh else 1))

    def _show_verdict(self, month: Month) -> None:
        damaged = [row.name for row in month.rows if row.account is None]
        left = [row.name for row in month.rows if row.account is not None and not row.is_clear]
        told = []
        if damaged:
            told.append(
                self.tr("{meters} cannot be counted, because kept readings are damaged: the sums "
                        "below are without it. Select the meter to see which hour it is.")
                .format(meters=", ".join(damaged))
            )  # fmt: skip
        if left:
            told.append(
                self.tr("Something is left to explain at {meters}. Select the meter to see what "
                        "it comes from.").format(meters=", ".join(left))
            )  # fmt: skip
        if told:
            self.verdict.tell(" ".join(told), Tone.DANGER if damaged else Tone.WARNING)
        else:
            self._show_clear(month)

    def _show_clear(self, month: Month) -> None:
        accounts = [row.account for row in month.rows if row.account is not None]
        lost = any(not gap.complete for one in accounts for gap in one.gaps)
        told = self.tr("Everything is accounted for: sessions, idle and gaps add up to what the "
                       "registers counted.")  # fmt: skip
        if lost:
            told += " " + self.tr("A register began anew; what it counted just before is lost.")
        self.verdict.tell(told, Tone.POSITIVE)

    def _on_picked(self) -> None:
        chosen = self.table.selected()
        self.panel.show_row(self._month, chosen[0] if chosen else None)
        self.split.need_panel(bool(chosen))

    # -- what can be done -----------------------------------------------------------------------

    def _on_explained(self, told: str) -> None:
        self.told.emit(told)
        self.refresh()

    def ask_file(self) -> None:
        """Ask where to save the month."""
        exports, month = self.context.desk.exports, self._month
        if month is None:
            return
        self.files.ask(
            self.tr("Export {month}").format(month=month.month),
            self.tr("reconcile-{month}.xlsx").format(month=month.month),
            self.tr("Excel (*.xlsx);;CSV (*.csv);;JSON (*.json)"),
            lambda suffix: exports.month(suffix, month)[0],
        )

    def _on_saved(self, path: str) -> None:
        self.told.emit(self.tr("The month was saved to {path}").format(path=path))

    # -- cells ----------------------------------------------------------------------------------

    def _read_tooltip(self, of: MeterMonth, end: str) -> str:
        register = getattr(of.account, end, None)
        return texts.stamp(register and register.at, self.context.zone, with_seconds=True)


def _start(of: MeterMonth) -> str:
    start = None if of.account is None else of.account.start
    return texts.NONE if start is None else texts.kwh(start.wh)


def _end(of: MeterMonth) -> str:
    end = None if of.account is None else of.account.end
    return texts.NONE if end is None else texts.kwh(end.wh)


def _left_key(of: MeterMonth) -> int | None:
    return None if of.remainder is None else of.remainder.amount_wh


def _left_chips(of: MeterMonth) -> list[Chip]:
    word, tone, icon = texts.month_look(of.remainder)
    left = of.remainder
    if left is not None and left.above_wh and left.below_wh:
        word = texts.left_kwh(left)  # two amounts leave no room for their unit
    return [Chip(word, tone, icon)]
