import string
import subprocess
import sys
import tomllib
from decimal import Decimal

import pytest

from evdesk.documents.wording import Wordings
from evdesk.domain.money import Money
from evdesk.settings import shipped

LABELS = shipped("resources") / "invoice" / "labels.toml"
TEXTS = tomllib.loads(LABELS.read_text("utf-8"))


def wording(language):
    return Wordings(LABELS).of(language, "Europe/Berlin")


def fields(text):
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("language", sorted(TEXTS))
def test_every_language_has_every_label_with_the_same_names_to_fill_in(language):
    assert TEXTS[language].keys() == TEXTS["en"].keys()
    for key, text in TEXTS["en"].items():
        assert fields(TEXTS[language][key]) == fields(text)


@pytest.mark.parametrize(
    ("number", "english", "german"),
    [
        ("0.45", "0.45", "0,45"),
        ("0.4500", "0.45", "0,45"),
        ("0.5", "0.50", "0,50"),
        ("100", "100.00", "100,00"),
        ("1E+3", "1,000.00", "1.000,00"),
        ("0.4957983193277", "0.4957983193277", "0,4957983193277"),
    ],
)
def test_a_unit_price_keeps_every_decimal(number, english, german):
    assert wording("en").price(Decimal(number), "EUR") == english
    assert wording("de").price(Decimal(number), "EUR") == german


@pytest.mark.parametrize(
    ("amount", "currency", "english", "german"),
    [
        ("1234.50", "EUR", "€1,234.50", "1.234,50 €"),
        ("1234", "JPY", "JP¥1,234", "1.234 ¥"),
        ("1.234", "BHD", "BHD 1.234", "1,234 BHD"),
        ("10.00", "HUF", "HUF 10.00", "10,00 HUF"),
        ("-3.10", "EUR", "-€3.10", "-3,10 €"),
    ],
)
def test_money_has_the_decimals_of_its_currency(amount, currency, english, german):
    money = Money(Decimal(amount), currency)

    assert wording("en").money(money).replace("\u00a0", " ") == english
    assert wording("de").money(money).replace("\u00a0", " ") == german


def test_energy_shows_every_watt_hour():
    assert wording("en").kwh(1) == "0.001\u00a0kWh"
    assert wording("de").kwh(12_345_678) == "12.345,678\u00a0kWh"


@pytest.mark.parametrize(
    ("rate", "text"), [("19", "19%"), ("8.10", "8.1%"), ("0", "0%"), ("20", "20%")]
)
def test_a_rate_shows_no_zeros_it_does_not_need(rate, text):
    assert wording("en").percent(Decimal(rate)) == text


def test_nothing_heavy_is_imported_before_it_is_used():
    code = (
        "import sys, evdesk.documents.tables, evdesk.documents.invoice_pdf as i;"
        "print(sorted({'typst', 'openpyxl', 'babel', 'pandas', 'pikepdf'} & set(sys.modules)))"
    )

    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert answer.stdout.strip() == "[]"
