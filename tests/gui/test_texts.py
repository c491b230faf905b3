from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from PySide6.QtCore import QLocale

from evdesk.domain.errors import DeviceError
from evdesk.domain.invoices import InvoiceState
from evdesk.domain.meters import MeterState
from evdesk.domain.money import Money
from evdesk.domain.sessions import Flag, SessionState
from evdesk.gui import texts
from evdesk.services.live import StationState

BERLIN = ZoneInfo("Europe/Berlin")
AT = datetime(2026, 11, 23, 8, 41, 5, tzinfo=UTC)


def test_kwh_have_three_decimals_and_are_exact():
    assert texts.kwh(12_345_678) == "12,345.678"
    assert texts.kwh(0) == "0.000"


def test_what_was_not_read_is_a_dash_and_not_zero():
    assert texts.kwh(None) == texts.kilowatts(None) == texts.amps(None) == texts.NONE


def test_numbers_are_written_as_the_country_does(qapp):
    QLocale.setDefault(QLocale("de_DE"))
    assert texts.kwh(12_345_678) == "12.345,678"
    assert texts.money(Money(Decimal("1234.5"), "EUR")) == "1.234,50 EUR"


def test_prices_keep_the_digits_they_have():
    assert texts.plain(Decimal("0.4202")) == "0.4202"
    assert texts.plain(Decimal("0.5")) == "0.50"
    assert texts.plain(Decimal(19)) == "19"


def test_instants_are_local_to_the_site():
    assert texts.stamp(AT, BERLIN, with_seconds=True) == "23 Nov 2026  09:41:05"
    assert texts.short_stamp(AT, AT, BERLIN) == "Mon 23 Nov  09:41"
    assert texts.short_stamp(AT, AT + timedelta(days=60), BERLIN) == "23 Nov 2026  09:41"


@pytest.mark.parametrize(
    ("span", "text"),
    [
        (timedelta(seconds=59), "0 min"),
        (timedelta(minutes=9), "9 min"),
        (timedelta(hours=2, minutes=3), "2 h 03 min"),
        (timedelta(days=2, hours=5), "2 d 5 h"),
    ],
)
def test_durations_are_short(span, text):
    assert texts.duration(span) == text


def test_an_error_is_a_sentence_with_its_facts():
    error = DeviceError("{url} does not answer within {seconds} s.", url="tcp://a:502", seconds=3)
    assert texts.sentence(error) == "tcp://a:502 does not answer within 3 s."


def test_a_bug_is_a_sentence_too():
    assert "ZeroDivisionError" in texts.sentence(ZeroDivisionError("division by zero"))
    assert "division by zero" not in texts.sentence(ZeroDivisionError("division by zero"))


def test_every_state_and_flag_has_a_word():
    for state in StationState:
        assert texts.station_look(state)[0]
    for meter_state in MeterState:
        assert texts.meter_look(meter_state)[0]
    for session_state in SessionState:
        assert texts.session_state(session_state)[0]
    for invoice_state in InvoiceState:
        assert texts.invoice_look(invoice_state)[0]
    for flag in Flag:
        assert all(texts.flag(flag))
