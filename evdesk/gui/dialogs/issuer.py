"""Who bills: the party that every new invoice names."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QWidget

from evdesk.domain.site import Party
from evdesk.gui.context import Context
from evdesk.gui.dialogs.base import FormDialog
from evdesk.gui.widgets.fields import add_field, form, mark_wrong, text_field
from evdesk.gui.widgets.parts import row


class IssuerDialog(FormDialog):
    """``saved`` tells that new drafts name this party."""

    saved = Signal()

    def __init__(
        self, context: Context, issuer: Party | None, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.describe(
            self.tr("Who bills"),
            self.tr("These lines stand on every new invoice. Issued invoices keep what they say."),
            self.tr("Save"),
        )
        self._context = context
        shown = issuer or Party("", country=context.site.country)
        self.fields = {
            name: text_field() for name in (
                "name", "street", "postcode", "city", "country", "vat_id", "tax_number",
                "contact", "email", "phone", "iban",
            )
        }  # fmt: skip
        for name, field in self.fields.items():
            field.setText(getattr(shown, name))
        self._arrange()
        self.setMinimumWidth(560)
        self.fields["name"].setFocus()

    def _arrange(self) -> None:
        of = self.fields
        of["postcode"].setMaximumWidth(110)
        of["country"].setMaximumWidth(70)
        of["country"].setMaxLength(2)
        for name, text in (
            ("postcode", self.tr("Postcode")), ("city", self.tr("City")),
            ("country", self.tr("Country, 2 letters")),
        ):  # fmt: skip
            of[name].setPlaceholderText(text.partition(",")[0])
            of[name].setAccessibleName(text)
        place = QWidget()
        place.setLayout(row(of["postcode"], of["city"], of["country"]))
        fields = form()
        add_field(fields, self.tr("Name *"), of["name"])
        add_field(fields, self.tr("Street"), of["street"])
        add_field(fields, self.tr("City"), place)
        add_field(
            fields, self.tr("VAT id"), of["vat_id"],
            self.tr("One of VAT id and tax number must stand on an invoice."),
        )  # fmt: skip
        add_field(fields, self.tr("Tax number"), of["tax_number"])
        add_field(fields, self.tr("Contact"), of["contact"])
        add_field(fields, self.tr("E-mail"), of["email"])
        add_field(fields, self.tr("Phone"), of["phone"])
        add_field(fields, self.tr("IBAN"), of["iban"])
        self.form.addLayout(fields)

    def party(self) -> Party:
        """Return what the form says."""
        said = {name: _clean(name, field) for name, field in self.fields.items()}
        return Party(**said)

    def submit(self) -> None:
        party = self.party()
        mark_wrong(self.fields["name"], not party.name)
        if not party.name:
            self.complain(self.tr("The issuer needs a name."))
            self.fields["name"].setFocus()
            return
        self.wait(True)
        billing = self._context.desk.billing
        self._context.tasks.run(lambda: billing.set_issuer(party), self._on_saved, self.complain)

    def _on_saved(self, _: object) -> None:
        self.saved.emit()
        self.accept()


def _clean(name: str, field: QLineEdit) -> str:
    text = field.text().strip()
    if name == "country":
        return text.upper()
    return "".join(text.split()).upper() if name in {"iban", "vat_id"} else text
