"""A driver, new or corrected: what a bill needs, no more."""

from dataclasses import replace

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from evdesk.domain.site import Driver, Party
from evdesk.gui.context import Context
from evdesk.gui.dialogs.base import FormDialog
from evdesk.gui.widgets.fields import Chooser, add_field, form, mark_wrong, text_field
from evdesk.gui.widgets.parts import row
from evdesk.services.drivers import LANGUAGES


class NewDriver(FormDialog):
    """``saved`` tells the driver with the pseudonym."""

    saved = Signal(object)

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.describe(
            self.tr("Add driver"),
            self.tr("A person or a company that charges here. The name is needed; the rest stands "
                    "on the invoice where it is known."),
            self.tr("Add driver"),
        )  # fmt: skip
        self._context = context
        self.name = text_field()
        self.email = text_field()
        self.street = text_field()
        self.postcode = text_field(self.tr("Postcode"), self.tr("Postcode"))
        self.city = text_field(self.tr("City"), self.tr("City"))
        self.country = text_field(self.tr("CC"), self.tr("Country, 2 letters"))
        self.vat_id = text_field()
        self.language = Chooser(self.tr("Language"))
        self._before = Party("")
        self._arrange()
        self.setMinimumWidth(520)
        self.name.setFocus()

    def _arrange(self) -> None:
        names = {"en": self.tr("English"), "de": self.tr("German")}
        self.language.offer([(code, names.get(code, code)) for code in LANGUAGES])
        self.language.choose(self._context.site.language)
        self.postcode.setMaximumWidth(110)
        self.country.setMaximumWidth(70)
        self.country.setMaxLength(2)
        self.country.setText(self._context.site.country)
        place = QWidget()
        place.setLayout(row(self.postcode, self.city, self.country))
        fields = form()
        add_field(fields, self.tr("Name *"), self.name)
        add_field(fields, self.tr("E-mail"), self.email)
        add_field(fields, self.tr("Street"), self.street)
        add_field(fields, self.tr("City"), place)
        add_field(fields, self.tr("VAT id"), self.vat_id)
        add_field(fields, self.tr("Language"), self.language, self.tr("Of the invoices."))
        self.form.addLayout(fields)

    def party(self) -> Party:
        """Return what the form says."""
        return replace(
            self._before,
            name=self.name.text().strip(),
            street=self.street.text().strip(),
            postcode=self.postcode.text().strip(),
            city=self.city.text().strip(),
            country=self.country.text().strip().upper(),
            vat_id="".join(self.vat_id.text().split()).upper(),
            email=self.email.text().strip(),
        )

    def submit(self) -> None:
        party, language = self.party(), self.language.value()
        mark_wrong(self.name, not party.name)
        if not party.name:
            self.complain(self.tr("A driver needs a name."))
            self.name.setFocus()
            return
        self.wait(True)
        self._context.tasks.run(lambda: self._save(party, language), self._on_saved, self.complain)

    def _save(self, party: Party, language: str) -> Driver:
        return self._context.desk.drivers.add(party, language)

    def _on_saved(self, driver: Driver) -> None:
        self.saved.emit(driver)
        self.accept()


class EditDriver(NewDriver):
    """Corrects what is known of a driver."""

    def __init__(self, context: Context, driver: Driver, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self.describe(
            self.tr("Edit {name}").format(name=driver.party.name),
            self.tr("Corrections hold for invoices to come; issued ones stay as they are. A draft "
                    "keeps what it was made with: discard it and draft it again."),
            self.tr("Save"),
        )  # fmt: skip
        self._driver, self._before = driver.id, driver.party
        party = driver.party
        for field, text in (
            (self.name, party.name), (self.email, party.email), (self.street, party.street),
            (self.postcode, party.postcode), (self.city, party.city),
            (self.country, party.country), (self.vat_id, party.vat_id),
        ):  # fmt: skip
            field.setText(text)
        self.language.choose(driver.language)

    def _save(self, party: Party, language: str) -> Driver:
        return self._context.desk.drivers.change(self._driver, party, language)
