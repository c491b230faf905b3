"""What a new site needs to know."""

from zoneinfo import available_timezones

from PySide6.QtCore import QLocale, QTimeZone
from PySide6.QtWidgets import QLineEdit, QProgressBar, QWidget

from evdesk.gui.widgets.fields import Chooser, add_field, form, mark_wrong, text_field
from evdesk.gui.widgets.parts import column, label
from evdesk.services.drivers import LANGUAGES

ADVISED_LENGTH = 12
CURRENCIES = (
    "EUR", "CHF", "GBP", "USD", "DKK", "NOK", "SEK", "ISK", "PLN", "CZK", "HUF", "RON", "BGN",
    "TRY", "CAD", "AUD", "NZD", "JPY", "KRW", "INR", "ZAR", "BRL", "MXN",
)  # fmt: skip
Answers = tuple[str, str, str, str, str, str, str]


class SiteForm(QWidget):
    """Name, owner, password twice, zone, currency, country, language."""

    def __init__(self, locale: QLocale, zone: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.name = text_field(self.tr("Depot Nordhafen"))
        self.owner = text_field(self.tr("your name"))
        self.password, self.again = text_field(), text_field()
        self.strength = QProgressBar()
        self.advice = label("", "small")
        self.zone = Chooser(self.tr("Time zone"), searchable=True)
        self.currency = Chooser(self.tr("Currency"))
        self.country = Chooser(self.tr("Country"), searchable=True)
        self.language = Chooser(self.tr("Language"))
        self._offer(locale, zone)
        self._arrange()
        self.password.textChanged.connect(self._rate)
        self._rate("")

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
        for field in (self.password, self.again):
            field.setEchoMode(QLineEdit.EchoMode.Password)
        self.strength.setRange(0, 4)
        self.strength.setTextVisible(False)
        self.strength.setAccessibleName(self.tr("Password strength"))
        fields = form()
        add_field(fields, self.tr("Name of the site"), self.name)
        add_field(fields, self.tr("Owner"), self.owner)
        add_field(fields, self.tr("Password"), self.password)
        hint = QWidget()
        hint.setLayout(column(self.strength, self.advice, gap=4))
        fields.addRow("", hint)
        add_field(fields, self.tr("Password again"), self.again)
        add_field(fields, self.tr("Time zone"), self.zone)
        add_field(fields, self.tr("Currency"), self.currency)
        add_field(fields, self.tr("Country"), self.country)
        add_field(fields, self.tr("Language"), self.language)
        self.setLayout(column(fields, 0))

    def answers(self) -> Answers | str:
        """Return name, owner, password, zone, currency, country, language; else what is wrong."""
        name, owner = self.name.text().strip(), self.owner.text().strip()
        password = self.password.text()
        mark_wrong(self.name, not name)
        mark_wrong(self.owner, not owner)
        mark_wrong(self.again, password != self.again.text())
        if not name or not owner:
            return self.tr("The site needs a name and an owner.")
        if not password:
            return self.tr("Choose a password. Without it nobody reads what is on this PC.")
        if password != self.again.text():
            return self.tr("The two passwords differ.")
        zone, country = self.zone.value(), self.country.value()
        if zone is None or country is None:
            return self.tr("Choose time zone and country from the lists.")
        return name, owner, password, zone, self.currency.value(), country, self.language.value()

    def _rate(self, password: str) -> None:
        score = strength(password)
        self.strength.setValue(score)
        self.advice.setText(
            (
                self.tr("At least 12 characters; several words are good."),
                self.tr("Weak: somebody with this PC could guess it. 12 characters or more."),
                self.tr("Fair. A longer one is safer: 12 characters or more."),
                self.tr("Good."),
                self.tr("Very good."),
            )[score]
        )


def strength(password: str) -> int:
    """Return 0 for nothing, 1 weak, 2 fair, 3 good, 4 very good: by length and variety."""
    if not password:
        return 0
    if len(password) < ADVISED_LENGTH - 4 or len(set(password)) < 5:
        return 1
    if len(password) < ADVISED_LENGTH or len(set(password)) < 8:
        return 2
    return 4 if len(password) >= ADVISED_LENGTH + 6 else 3


def countries() -> list[tuple[str, str]]:
    """Return ISO 3166 codes with names, by name."""
    found = {}
    for territory in QLocale.Country:
        code = QLocale.territoryToCode(territory)
        if len(code) == 2 and code.isalpha():
            found[code] = QLocale.territoryToString(territory)
    return sorted(found.items(), key=lambda pair: pair[1])
