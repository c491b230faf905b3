"""Tariffs: a new one from a few figures, and where one holds."""

import json
from datetime import UTC, datetime
from decimal import Decimal

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from evdesk.domain.instants import midnight, rfc3339
from evdesk.domain.site import Driver
from evdesk.domain.tariffs import Tariff
from evdesk.gui.context import Context
from evdesk.gui.dialogs.base import FormDialog
from evdesk.gui.widgets.fields import (
    Chooser,
    DateField,
    add_field,
    amount,
    form,
    mark_wrong,
    text_field,
)
from evdesk.gui.widgets.parts import label, row
from evdesk.services.stations import StationRow

LONGEST_ID = 36
MOST_VAT = Decimal(100)


class NewTariff(FormDialog):
    """Builds the OCPI 2.2.1 object; ``added`` tells the tariff."""

    added = Signal(object)

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.describe(
            self.tr("New tariff"),
            self.tr("Prices are without VAT. A tariff is never edited: a new price is a new one."),
            self.tr("Add tariff"),
        )
        self._context = context
        self.name = text_field(self.tr("depot-2027"))
        self.name.setMaxLength(LONGEST_ID)
        self.per_kwh, self.start_fee, self.vat = text_field(), text_field(), text_field()
        self.start_fee.setText("0")
        currency = context.site.currency
        fields = form()
        add_field(
            fields, self.tr("Name"), self.name, self.tr("1 to 36 characters; stands on invoices.")
        )
        for caption, field, unit in (
            (self.tr("Energy"), self.per_kwh, self.tr("{currency} per kWh")),
            (self.tr("Start fee"), self.start_fee, self.tr("{currency} per session")),
            (self.tr("VAT"), self.vat, self.tr("percent; 0 where none is due")),
        ):
            holder = QWidget()
            field.setMaximumWidth(130)
            field.setAccessibleName(caption)
            holder.setLayout(row(field, label(unit.format(currency=currency), "muted"), 0))
            add_field(fields, caption, holder)
        self.form.addLayout(fields)
        self.setMinimumWidth(480)
        self.name.setFocus()

    def submit(self) -> None:
        name = self.name.text().strip()
        price, fee, vat = (amount(field) for field in (self.per_kwh, self.start_fee, self.vat))
        mark_wrong(self.name, not name)
        mark_wrong(self.vat, vat is None or vat > MOST_VAT)
        if not name:
            self.complain(self.tr("A tariff needs a name."))
            return
        if price is None or fee is None or vat is None or vat > MOST_VAT:
            self.complain(self.tr("Type prices and VAT as numbers of 0 or more, such as 0.42."))
            return
        self.wait(True)
        text = ocpi_tariff(
            name, self._context.site.currency, (price, fee), vat, self._context.pulse.now()
        )
        tariffs = self._context.desk.tariffs
        self._context.tasks.run(lambda: tariffs.add(text), self._on_added, self.complain)

    def _on_added(self, tariff: Tariff) -> None:
        self.added.emit(tariff)
        self.accept()


class AssignTariff(FormDialog):
    """Where a tariff holds, for whom, from which day on."""

    assigned = Signal()

    def __init__(
        self, context: Context, tariff: Tariff, *, first: bool, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.describe(
            self.tr("Where does {name} hold?").format(name=tariff.id),
            self.tr("Neither station nor driver: for the whole site."),
            self.tr("Assign"),
        )
        self._context, self._tariff = context, tariff
        self.station = Chooser(self.tr("Station"))
        self.driver = Chooser(self.tr("Driver"))
        self.day = DateField(self.tr("From"))
        today = context.pulse.now().astimezone(context.zone).date()
        self.day.set_day(today.replace(day=1) if first else today)
        fields = form()
        add_field(fields, self.tr("Station"), self.station)
        add_field(fields, self.tr("Driver"), self.driver)
        add_field(
            fields, self.tr("From"), self.day,
            self.tr("Sessions that began on this day or later are billed by it."),
        )  # fmt: skip
        self.form.addLayout(fields)
        self.setMinimumWidth(460)
        self.station.setFocus()
        desk = context.desk
        context.tasks.run(
            lambda: (desk.stations.rows(), desk.drivers.all()), self._offer, self.complain
        )

    def _offer(self, read: tuple[tuple[StationRow, ...], list[Driver]]) -> None:
        stations, drivers = read
        names = [(each.station.name, each.station.name) for each in stations]
        self.station.offer([(None, self.tr("All stations")), *names])
        people = sorted(
            ((d.id, d.party.name) for d in drivers), key=lambda pair: pair[1].casefold()
        )
        self.driver.offer([(None, self.tr("All drivers")), *people])

    def submit(self) -> None:
        self.wait(True)
        tariffs, tariff = self._context.desk.tariffs, self._tariff.id
        from_at = midnight(self.day.day(), self._context.site.tz)
        station, driver = self.station.value(), self.driver.value()
        self._context.tasks.run(
            lambda: tariffs.assign(tariff, from_at, station, driver),
            self._on_assigned,
            self.complain,
        )

    def _on_assigned(self, _: object) -> None:
        self.assigned.emit()
        self.accept()


def ocpi_tariff(
    name: str, currency: str, prices: tuple[Decimal, Decimal], vat: Decimal, at: datetime
) -> str:
    """Return an OCPI 2.2.1 tariff object: price per kWh and start fee, digit by digit."""
    parts = [
        f'{{"type": "{kind}", "price": {price:f}, "vat": {vat:f}, "step_size": 1}}'
        for kind, price in zip(("ENERGY", "FLAT"), prices, strict=True)
        if kind == "ENERGY" or price
    ]
    return (
        f'{{"id": {json.dumps(name)}, "currency": {json.dumps(currency)}, "type": "REGULAR",'
        f' "elements": [{{"price_components": [{", ".join(parts)}]}}],'
        f' "last_updated": "{rfc3339(at.astimezone(UTC))}"}}'
    )
