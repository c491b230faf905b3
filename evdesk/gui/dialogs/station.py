"""Stations: a new one, another name, a default driver."""

from PySide6.QtWidgets import QWidget

from evdesk.domain.instants import midnight
from evdesk.domain.site import Driver, DriverId
from evdesk.gui.context import Context
from evdesk.gui.dialogs.base import FormDialog
from evdesk.gui.widgets.fields import Chooser, DateField, add_field, form, text_field
from evdesk.services.metering import MeterRow
from evdesk.services.stations import StationRow

NOBODY = ""


class NewStation(FormDialog):
    """A charging point from one or two devices."""

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.describe(
            self.tr("New station"),
            self.tr("For a second socket, or where energy and state come from two devices."),
            self.tr("Add"),
        )
        self._context = context
        self.name = text_field(self.tr("Yard 1"))
        self.energy = Chooser(self.tr("Energy from"))
        self.state = Chooser(self.tr("State from"))
        fields = form()
        add_field(fields, self.tr("Name"), self.name)
        add_field(fields, self.tr("Energy from"), self.energy)
        add_field(
            fields, self.tr("State from"), self.state,
            self.tr("Without a device that tells the plug state, sessions are found by current."),
        )  # fmt: skip
        self.form.addLayout(fields)
        self.setMinimumWidth(480)
        self.name.setFocus()
        context.tasks.run(context.desk.meters.rows, self._offer, self.complain)

    def _offer(self, rows: tuple[MeterRow, ...]) -> None:
        energy: list[tuple[str | None, str]] = []
        state: list[tuple[str | None, str]] = [(None, self.tr("No device: by current"))]
        for row in rows:
            sockets = row.profile.sockets if row.profile else 1
            names = [
                row.meter.name if n == 1 else f"{row.meter.name}:{n}" for n in range(1, sockets + 1)
            ]
            if row.profile is None or row.profile.has_energy:
                energy += [(name, name) for name in names]
            if row.profile is not None and row.profile.has_state:
                state += [(name, name) for name in names]
        self.energy.offer(energy)
        self.state.offer(state)

    def submit(self) -> None:
        name, energy, state = self.name.text().strip(), self.energy.value(), self.state.value()
        if not name or energy is None:
            self.complain(self.tr("A station needs a name and a device that counts energy."))
            return
        self.wait(True)
        stations = self._context.desk.stations
        self._context.tasks.run(
            lambda: stations.add(name, energy, state), self._on_done, self.complain
        )

    def _on_done(self, _: object) -> None:
        self.accept()


class RenameStation(FormDialog):
    """Another name for a station."""

    def __init__(self, context: Context, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.describe(
            self.tr("Rename {name}").format(name=name),
            self.tr("Issued invoices keep the name they were issued with."),
            self.tr("Rename"),
        )
        self._context, self._before = context, name
        self.name = text_field(name=self.tr("New name"))
        self.name.setText(name)
        self.name.selectAll()
        fields = form()
        add_field(fields, self.tr("New name"), self.name)
        self.form.addLayout(fields)
        self.setMinimumWidth(420)
        self.name.setFocus()

    def submit(self) -> None:
        name = self.name.text().strip()
        if not name:
            self.complain(self.tr("A station needs a name."))
            return
        if name == self._before:
            self.accept()
            return
        self.wait(True)
        stations = self._context.desk.stations
        self._context.tasks.run(
            lambda: stations.rename(self._before, name), self._on_done, self.complain
        )

    def _on_done(self, _: object) -> None:
        self.accept()


class DefaultDriver(FormDialog):
    """Whose the sessions of a station are, where nobody else is named."""

    def __init__(self, context: Context, row: StationRow, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.describe(
            self.tr("Default driver of {name}").format(name=row.station.name),
            self.tr("From that day on, sessions here belong to this driver unless another is "
                    "assigned."),
            self.tr("Save"),
        )  # fmt: skip
        self._context, self._row = context, row
        self.driver = Chooser(self.tr("Driver"), searchable=True)
        self.day = DateField(self.tr("From"))
        self.day.set_day(context.pulse.now().astimezone(context.zone).date())
        fields = form()
        add_field(fields, self.tr("Driver"), self.driver)
        add_field(fields, self.tr("From"), self.day)
        self.form.addLayout(fields)
        self.setMinimumWidth(440)
        self.driver.setFocus()
        context.tasks.run(context.desk.drivers.all, self._offer, self.complain)

    def _offer(self, drivers: list[Driver]) -> None:
        people = [(str(d.id), f"{d.party.name} ({d.id})") for d in drivers]
        people.sort(key=lambda pair: pair[1].casefold())
        self.driver.offer([(NOBODY, self.tr("Nobody: each session is assigned")), *people])
        self.driver.choose(self._row.default_driver or NOBODY)

    def submit(self) -> None:
        chosen = self.driver.value()
        if chosen is None:
            self.complain(self.tr("Choose a driver from the list."))
            return
        driver = None if chosen == NOBODY else DriverId(chosen)
        self.wait(True)
        stations, name = self._context.desk.stations, self._row.station.name
        from_at = midnight(self.day.day(), self._context.site.tz)
        self._context.tasks.run(
            lambda: stations.set_default_driver(name, driver, from_at), self._on_done, self.complain
        )

    def _on_done(self, _: object) -> None:
        self.accept()
