"""How a language says things: its labels, and its way of writing numbers, money and instants."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_datetime
from babel.numbers import format_currency, format_decimal, format_percent

from evdesk.domain.money import Money, minor_digits

FALLBACK = "en"
WH_PER_KWH = Decimal(1000)
PERCENT = Decimal(100)
NO_BREAK = "\u00a0"
CODE_BESIDE_NUMBER = re.compile(r"(?<=[^\W\d_])(?=\d)")  # HUF10.00: Unicode CLDR puts a space there


@dataclass(frozen=True, slots=True)
class Wording:
    """One language in one territory; figures never break over lines."""

    labels: Mapping[str, str]
    locale: Locale
    tz: ZoneInfo

    def kwh(self, wh: int) -> str:
        """Return energy in kWh with three decimals: every Wh shows."""
        return self._solid(self._fixed(Decimal(wh) / WH_PER_KWH, 3) + " kWh")

    def quantity(self, number: Decimal) -> str:
        """Return a number with all of its decimals and no more."""
        return self._solid(
            format_decimal(_plain(number), "#,##0.#", self.locale, decimal_quantization=False)
        )

    def amount(self, money: Money) -> str:
        """Return an amount with the decimals of its currency, without naming it."""
        return self._solid(self._fixed(money.amount, minor_digits(money.currency)))

    def price(self, number: Decimal, currency: str) -> str:
        """Return a unit price with its exact decimals, at least those of the currency."""
        exponent = _plain(number).as_tuple().exponent
        decimals = max(-exponent if isinstance(exponent, int) else 0, minor_digits(currency))
        return self._solid(self._fixed(number, decimals))

    def money(self, money: Money) -> str:
        """Return an amount with its currency, as the territory writes it."""
        decimals = "0" * minor_digits(money.currency)
        pattern = self.locale.currency_formats["standard"].pattern
        pattern = pattern.replace("0.00", f"0.{decimals}" if decimals else "0")
        text = format_currency(
            money.amount, money.currency, pattern, self.locale, currency_digits=False
        )
        return self._solid(CODE_BESIDE_NUMBER.sub(" ", text))

    def percent(self, number: Decimal) -> str:
        """Return a rate that is given in percent, with its exact decimals."""
        return self._solid(
            format_percent(_plain(number) / PERCENT, None, self.locale, decimal_quantization=False)
        )

    def day(self, at: datetime) -> str:
        """Return the site's date of an instant."""
        return self._solid(format_date(at.astimezone(self.tz).date(), "medium", self.locale))

    def moment(self, at: datetime) -> str:
        """Return the site's date and time of an instant with the offset from UTC."""
        clock = format_datetime(at, "HH:mm:ss xxx", self.tz, self.locale)
        return self._solid(f"{self.day(at)}, {clock}")

    def country(self, code: str) -> str:
        """Return a country's name, or its code where the language has none for it."""
        return str(self.locale.territories.get(code.upper(), code))

    def _fixed(self, number: Decimal, decimals: int) -> str:
        pattern = "#,##0." + "0" * decimals if decimals else "#,##0"
        return format_decimal(number, pattern, self.locale, decimal_quantization=True)

    @staticmethod
    def _solid(text: str) -> str:
        return text.replace(" ", NO_BREAK)


def _plain(number: Decimal) -> Decimal:
    """Return the number without zeros at its end, never as an exponent."""
    stripped = number.normalize()
    exponent = stripped.as_tuple().exponent
    return stripped.quantize(Decimal(1)) if isinstance(exponent, int) and exponent > 0 else stripped


class Wordings:
    """The languages an invoice can speak."""

    def __init__(self, file: Path) -> None:
        self._languages: dict[str, dict[str, str]] = tomllib.loads(file.read_text("utf-8"))

    def of(self, language: str, tz: str) -> Wording:
        """Return the wording of a language tag such as ``de`` or ``de-AT``; English for others."""
        base, _, territory = language.replace("_", "-").partition("-")
        base = base.lower() if base.lower() in self._languages else FALLBACK
        labels = self._languages[base]
        zone = ZoneInfo(tz)
        try:
            return Wording(labels, Locale(base, territory.upper() or labels["territory"]), zone)
        except UnknownLocaleError:
            return Wording(labels, Locale(base, labels["territory"]), zone)
