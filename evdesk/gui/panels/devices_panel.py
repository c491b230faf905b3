"""The devices of the site: how they answer, and what can be done with them."""

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QCoreApplication, Qt, Signal
from PySide6.QtWidgets import QMenu, QPushButton, QWidget

from evdesk.domain.meters import Link, MeterState
from evdesk.domain.permissions import Action
from evdesk.gui import texts
from evdesk.gui.context import Context
from evdesk.gui.dialogs.add_meter import Added, AddMeter, told
from evdesk.gui.dialogs.ask import Ask, Choice
from evdesk.gui.dialogs.choose_options import ChooseOptions
from evdesk.gui.dialogs.interval import IntervalDialog
from evdesk.gui.dialogs.meter_facts import MeterFactsDialog
from evdesk.gui.dialogs.probe import ProbeDialog
from evdesk.gui.dialogs.replace_meter import ReplaceMeter
from evdesk.gui.models.label_column import calibration_column
from evdesk.gui.models.rows import Chip, Column, RowsModel
from evdesk.gui.tasks import Latest
from evdesk.gui.theme import Tone
from evdesk.gui.widgets.empty import EmptyState
from evdesk.gui.widgets.fields import SearchField
from evdesk.gui.widgets.parts import button, column, give_icon, row
from evdesk.gui.widgets.table import RowsTable
from evdesk.services.metering import MeterRow


class DevicesPanel(QWidget):
    """A table that is read again whenever the collector has committed."""

    failed = Signal(object)
    told = Signal(str)
    changed = Signal()
    drawn = Signal()

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self._rows = Latest(context.tasks, self._begin, self._show, self.failed.emit, self)
        self.model: RowsModel[MeterRow] = RowsModel(self._columns(), lambda r: r.meter.id, self)
        self.table: RowsTable[MeterRow] = RowsTable(
            self.model, context.theme, (1, Qt.SortOrder.AscendingOrder)
        )
        self.search = SearchField(context.theme, self.tr("Search devices"))
        self.add = button(self.tr("Add meter …"), self.add_new, "primary")
        self.first = button(self.tr("Add meter …"), self.add_new, "primary")
        self.probe = button(self.tr("Read once …"), self.ask_probe)
        menu = QMenu(self)
        self.label = menu.addAction(self.tr("Label …"), partial(self._ask, MeterFactsDialog))
        self.options = menu.addAction(self.tr("Options …"), partial(self._ask, ChooseOptions))
        self.interval = menu.addAction(self.tr("Interval …"), partial(self._ask, IntervalDialog))
        self.replaced = menu.addAction(self.tr("Replaced …"), self.ask_replaced)
        self.change = QPushButton(self.tr("Change"))
        self.change.setMenu(menu)
        self.remove = button(self.tr("Remove …"), self.ask_remove, "danger")
        self.empty = EmptyState(
            context.theme, "meters", self.tr("No meter yet"),
            self.tr("A meter or charger is read over Modbus: by network, or through a serial "
                    "adapter. You need its address; the rest is known from its model."),
            self.first,
        )  # fmt: skip
        self._arrange()
        self._connect()
        self.repaint_icons()
        self._on_picked()

    def _columns(self) -> list[Column[MeterRow]]:
        zone = self._context.zone
        return [
            Column(
                self.tr("State"), lambda r: texts.meter_look(r.status.state)[0],
                chips=lambda r: [Chip(*texts.meter_look(r.status.state))],
                tooltip=lambda r: r.status.last_error or "", width=112,
            ),
            Column(self.tr("Name"), lambda r: r.meter.name,
                   tooltip=lambda r: r.meter.name, width=124, least=92),
            Column(self.tr("Model"), _model, tooltip=_model_tooltip, width=142, least=100),
            Column(
                self.tr("Last read"),
                lambda r: texts.clock_time(r.status.last_read_at, zone, with_seconds=True),
                sort_key=lambda r: r.status.last_read_at,
                tooltip=lambda r: texts.stamp(r.status.last_read_at, zone, with_seconds=True),
                width=92,
            ),
            Column(
                self.tr("Every"), lambda r: texts.seconds(r.status.interval_ms),
                sort_key=lambda r: r.status.interval_ms, numeric=True, width=66,
                tooltip=_interval_tooltip, spare=4,
            ),
            Column(
                self.tr("Register, kWh"), lambda r: texts.kwh(_import_wh(r)),
                sort_key=_import_wh, numeric=True, width=124,
            ),
            Column(
                self.tr("Power, kW"), lambda r: texts.kilowatts(_power_w(r)),
                sort_key=_power_w, numeric=True, width=100,
            ),
            Column(
                self.tr("Errors"), _errors, sort_key=lambda r: r.status.errors, numeric=True,
                width=70, tooltip=_errors_tooltip, spare=3,
            ),
            Column(
                self.tr("Link"), _encryption, chips=_link_chips, tooltip=_encryption_tooltip,
                width=128, spare=1,
            ),
            Column(self.tr("Address · unit"), _link, tooltip=_address_tooltip,
                   width=222, least=140),
            calibration_column(self._context),
        ]  # fmt: skip

    def _arrange(self) -> None:
        self.search.setMinimumWidth(96)
        tools = row(self.search, 0, self.probe, self.change, self.remove, self.add)
        box = column(tools, self.table, self.empty, gap=12)
        box.setContentsMargins(0, 12, 0, 0)
        self.setLayout(box)
        self.table.setSelectionMode(RowsTable.SelectionMode.SingleSelection)
        self.table.setAccessibleName(self.tr("Devices"))
        self.add.setToolTip(self.tr("Add meter (Ctrl+N)"))
        self.empty.hide()
        for part in (self.probe, self.change, self.remove, self.add, self.first):
            self._context.rights.guard(part, Action.CHANGE_DEVICES)

    def _connect(self) -> None:
        self.search.textChanged.connect(self.table.sorted.search)
        self.table.picked.connect(self._on_picked)
        self._context.theme.changed.connect(self.repaint_icons)

    def repaint_icons(self) -> None:
        """Draw icons in the theme's colours."""
        for part, name in (
            (self.add, "add"), (self.first, "add"), (self.probe, "refresh"),
            (self.remove, "remove"),
        ):  # fmt: skip
            give_icon(part, self._context.theme, name)

    # -- reading --------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Read the devices."""
        self._rows.ask()

    def _begin(self) -> Callable[[], tuple[MeterRow, ...]]:
        return self._context.desk.meters.rows

    def _show(self, rows: tuple[MeterRow, ...]) -> None:
        self.model.replace(rows)
        for part in (
            self.table, self.search, self.probe, self.change, self.remove, self.add,
        ):  # fmt: skip
            part.setVisible(bool(rows))
        self.empty.setVisible(not rows)
        self._on_picked()
        self.drawn.emit()

    def _on_picked(self) -> None:
        chosen = bool(self.table.selected())
        for part in (self.probe, self.change, self.remove):
            part.setEnabled(chosen)
        self.options.setEnabled(chosen and _leaves_open(self._chosen()))

    def _chosen(self) -> MeterRow:
        return self.table.selected()[0]

    # -- what can be done -----------------------------------------------------------------------

    def add_new(self) -> None:
        """Ask for a new device."""
        dialog = AddMeter(self._context, self)
        dialog.added.connect(self._on_added)
        self.dialog = dialog
        dialog.open()

    def _on_added(self, added: Added) -> None:
        self.told.emit(told(added))
        self._after()

    def ask_probe(self) -> None:
        """Read the selected device once and show everything it says."""
        ProbeDialog(self._context, self._chosen().meter, self).open()

    def _ask(self, form: type[MeterFactsDialog | IntervalDialog | ChooseOptions]) -> None:
        """Ask what is written on the selected device, how often or how it shall be read."""
        dialog = form(self._context, self._chosen(), self)
        dialog.accepted.connect(self._after)
        dialog.open()

    def ask_replaced(self) -> None:
        """Ask what both displays showed when the selected device was replaced."""
        dialog = ReplaceMeter(self._context, self._chosen(), self)
        dialog.replaced.connect(
            lambda name: self.told.emit(
                self.tr("{name} goes on with another meter; both registers are kept.").format(
                    name=name
                )
            )
        )
        dialog.accepted.connect(self._after)
        dialog.open()

    def ask_remove(self) -> None:
        """Ask whether the selected device may go."""
        name = self._chosen().meter.name
        ask = Ask(
            self.tr("Remove {name}?").format(name=name),
            self.tr("It is read no more. Its readings and sessions stay."),
            (
                Choice("remove", self.tr("Remove"), "danger"),
                Choice("keep", self.tr("Keep it"), "quiet"),
            ),
            parent=self,
        )
        ask.answered.connect(partial(self._on_remove_answered, name))
        self.question = ask
        ask.open()

    def _on_remove_answered(self, name: str, answer: str, _: bool) -> None:
        if answer == "remove":
            meters = self._context.desk.meters
            self._context.tasks.run(lambda: meters.remove(name), self._on_removed, self.failed.emit)

    def _on_removed(self, _: object) -> None:
        self.told.emit(self.tr("Removed. Its readings and sessions stay."))
        self._after()

    def _after(self) -> None:
        self.refresh()
        self.changed.emit()


def _leaves_open(of: MeterRow) -> bool:
    return of.profile is not None and bool(of.profile.choices)


def _model(of: MeterRow) -> str:
    return (
        of.meter.profile if of.profile is None else f"{of.profile.manufacturer} {of.profile.model}"
    )


def _model_tooltip(of: MeterRow) -> str:
    told = [_model(of)]
    if of.missing:
        names = ", ".join(of.missing)
        told.append(_tr("This device does not have: {names}").format(names=names))
    if of.profile is not None and of.profile.counts_vah:
        told.append(_tr("Its register counts VAh, not Wh: as much as was drawn, or more"))
    return "\n".join(told)


def _power_w(of: MeterRow) -> float | None:
    answers = of.latest is not None and of.status.state is MeterState.OK
    return of.latest.power_w if answers and of.latest else None


def _import_wh(of: MeterRow) -> int | None:
    return None if of.latest is None else of.latest.import_wh


def _errors(of: MeterRow) -> str:
    return texts.number(of.status.errors, 0)


def _link(of: MeterRow) -> str:
    return f"{of.meter.place} · {of.meter.unit}"


def _tr(text: str) -> str:
    return QCoreApplication.translate("DevicesPanel", text)


def _link_chips(of: MeterRow) -> list[Chip]:
    word = _encryption(of)
    if of.meter.link is Link.PLAIN:
        return [Chip(word, Tone.NEUTRAL)]
    return [Chip(word, Tone.POSITIVE, "lock")]


def _encryption(of: MeterRow) -> str:
    return _tr("not encrypted") if of.meter.link is Link.PLAIN else _tr("encrypted")


def _encryption_tooltip(of: MeterRow) -> str:
    if of.meter.link is Link.TLS:
        return _tr("Encrypted, and both sides show who they are (Modbus/TCP Security)")
    return _tr("A plain link: who is on this network or line can read along and answer, too")


def _address_tooltip(of: MeterRow) -> str:
    return f"{of.meter.url}\n{_encryption_tooltip(of)}"


def _interval_tooltip(of: MeterRow) -> str:
    wanted = of.meter.interval_ms
    if wanted is None:
        return _tr("As fast as the device and its bus allow, at most once a second")
    return _tr("Asked for: {interval}").format(interval=texts.seconds(wanted))


def _errors_tooltip(of: MeterRow) -> str:
    status = of.status
    counted = _tr("{errors} of {requests} requests failed").format(
        errors=texts.number(status.errors, 0), requests=texts.number(status.requests, 0)
    )
    return f"{counted}\n{status.last_error}" if status.last_error else counted
