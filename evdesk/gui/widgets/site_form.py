"""What a new site needs to know."""

from zoneinfo import available_timezones

from PySide6.QtCore import QLocale, QTimeZone
from PySide6.QtWidgets import QWidget

from evdesk.gui.tasks import Tasks
from evdesk.gui.widgets.fields import Chooser, add_field, form, mark_wrong, text_field
from evdesk.gui.widgets.parts import column, paragraph
from evdesk.gui.widgets.password_fields import PasswordFields
from evdesk.services.drivers import LANGUAGES

CURRENCIES = (
    "EUR", "CHF", "GBP", "USD", "DKK", "NOK", "SEK", "ISK", "PLN", "CZK", "HUF", "RON", "BGN",
    "TRY", "CAD", "AUD", "NZD", "JPY", "KRW", "INR", "ZAR", "BRL", "MXN",
)  # fmt: skip
Answers = tuple[str, str, str, str, str, str, str]


class SiteForm(QWidget):
    """Name, owner, password twice, zone, currency, country, language."""

    def __init__(
        self, tasks: Tasks, locale: QLocale, zone: str, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.name = text_field(self.tr("Depot Nordhafen"))
        self.owner = text_field(self.tr("your name"))
        self.secret = PasswordFields(tasks, lambda: (self.name.text(), self.owner.text()), self)
        self.zone = Chooser(self.tr("Time zone"), searchable=True)
        self.currency = Chooser(self.tr("Currency"))
        self.country = Chooser(self.tr("Country"), searchable=True)
        self.language = Chooser(self.tr("Language"))
        self._offer(locale, zone)
        self._arrange()

    def _offer(self, locale: QLocale, zone: str) -> None:
        zones = sorted(
            name for name in available_timezones() if "/" in name and not name.startswith("Etc/")
        )
        self.zone.offer([(name, name) for name in (*zones, "UTC")])
        self.zone.choose(zone if zone in zones else "UTC")
        self.currency.offer([(code, code) for code in CURRENCIES])
        self.currency.choose(locale.currencySymbol(QLocale.CurrencySymbolFormat.CurrencyIsoCode))
        self.country.offer(countries())
        self.country.choose(QLocale.territoryToCode(QTimeZone(zone.encode()).territory()))
        names = {"en": self.tr("English"), "de": self.tr("German")}
        self.language.offer([(code, names.get(code, code)) for code in LANGUAGES])
        self.language.choose(locale.name().partition("_")[0])

    def _arrange(self) -> None:
        fields = form()
        add_field(fields, self.tr("Name of the site"), self.name)
        add_field(fields, self.tr("Owner"), self.owner)
        self.secret.add_to(fields)
        lost = paragraph(
            self.tr("If every password and the recovery code are lost, nothing opens the site: "
                    "there is no other way in, for anybody."), "small",
        )  # fmt: skip
        fields.addRow("", lost)
        add_field(fields, self.tr("Time zone"), self.zone)
        add_field(fields, self.tr("Currency"), self.currency)
        add_field(fields, self.tr("Country"), self.country)
        add_field(fields, self.tr("Language"), self.language)
        self.setLayout(column(fields, 0))

    def answers(self) -> Answers | str:
        """Return name, owner, password, zone, currency, country, language; else what is wrong."""
        name, owner = self.name.text().strip(), self.owner.text().strip()
        password = self.secret.password.text()
        mark_wrong(self.name, not name)
        mark_wrong(self.owner, not owner)
        zone, country = self.zone.value(), self.country.value()
        for chooser in (self.zone, self.country):
            mark_wrong(chooser, chooser.value() is None)
        if not name or not owner or zone is None or country is None:
            wrong = [
                "" if name and owner else self.tr("The site needs a name and an owner."),
                self.secret.complaint() or "",
                "" if zone and country else self.tr("Choose time zone and country from the lists."),
            ]
            return "\n".join(filter(None, wrong))
        complaint = self.secret.complaint()
        if complaint is not None:
            return complaint
        return name, owner, password, zone, self.currency.value(), country, self.language.value()


def countries() -> list[tuple[str, str]]:
    """Return ISO 3166 codes with names, by name."""
    found = {}
    for territory in QLocale.Country:
        code = QLocale.territoryToCode(territory)
        if len(code) == 2 and code.isalpha():
            found[code] = QLocale.territoryToString(territory)
    return sorted(found.items(), key=lambda pair: pair[1])
