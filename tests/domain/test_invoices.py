"""Prices, rounding and the tariff that holds."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evdesk.domain.errors import UserError
from evdesk.domain.invoices import price_session, total
from evdesk.domain.meters import StationId
from evdesk.domain.money import Money
from evdesk.domain.sessions import SessionId
from evdesk.domain.site import DriverId
from evdesk.domain.tariffs import (
    Assignment,
    Dimension,
    PriceComponent,
    TariffId,
    choose,
    parse_components,
)

ENERGY = PriceComponent(Dimension.ENERGY, Decimal("0.25"), Decimal(10))
START_FEE = PriceComponent(Dimension.FLAT, Decimal("0.50"), Decimal(20))


def test_the_ocpi_example_of_energy_and_start_fee_is_met_to_the_cent() -> None:
    lines = price_session(SessionId(1), 20_000, (ENERGY, START_FEE), "EUR")
    totals = total(lines, "EUR")
    assert (totals.net.amount, totals.gross.amount) == (Decimal("5.50"), Decimal("6.10"))


def test_a_line_is_rounded_half_up_once() -> None:
    price = PriceComponent(Dimension.ENERGY, Decimal("0.45"), Decimal(19))
    line = price_session(SessionId(1), 1_100, (price,), "EUR")[0]
    assert line.quantity * line.unit_price == Decimal("0.49500")
    assert line.net == Money(Decimal("0.50"), "EUR")


@given(
    st.lists(
        st.tuples(
            st.integers(0, 200_000),
            st.decimals(0, 2, places=4),
            st.sampled_from([Decimal(0), Decimal(7), Decimal(19), Decimal("7.7")]),
        ),
        max_size=30,
    )
)
def test_totals_are_the_sums_of_what_is_printed(
    sessions: list[tuple[int, Decimal, Decimal]],
) -> None:
    lines = tuple(
        line
        for number, (wh, price, vat) in enumerate(sessions)
        for line in price_session(
            SessionId(number), wh, (PriceComponent(Dimension.ENERGY, price, vat),), "EUR"
        )
    )
    totals = total(lines, "EUR")
    assert totals.net.amount == sum(line.net.amount for line in lines)
    assert totals.gross.amount == totals.net.amount + totals.vat.amount
    for part in totals.parts:
        exact = part.net.amount * part.percent / 100
        assert abs(part.vat.amount - exact) <= Decimal("0.005")


@given(st.integers(-(10**12), 10**12), st.sampled_from(["EUR", "JPY", "KWD"]))
def test_minor_units_come_back_as_they_went(units: int, currency: str) -> None:
    assert Money.from_minor(units, currency).minor() == units


@pytest.mark.parametrize(("currency", "net"), [("CLP", "5"), ("EUR", "5.00"), ("TND", "5.000")])
def test_an_amount_has_the_decimals_of_its_currency(currency: str, net: str) -> None:
    (line,) = price_session(SessionId(1), 20_000, (ENERGY,), currency)
    assert str(line.net.amount) == net


def test_the_drivers_tariff_goes_before_the_stations_before_the_sites() -> None:
    day = datetime(2026, 1, 1, tzinfo=UTC)
    station, driver = StationId(1), DriverId("D-1")
    site, point, own = TariffId("site"), TariffId("station"), TariffId("driver")
    all_three = [
        Assignment(own, day, driver=driver),
        Assignment(point, day, station=station),
        Assignment(site, day),
    ]
    assert choose(all_three, station, driver, day) == own
    assert choose(all_three, station, None, day) == point
    assert choose(all_three, StationId(2), None, day) == site
    assert choose(all_three, station, driver, day.replace(year=2025)) is None


def test_of_two_tariffs_from_the_same_day_the_one_assigned_last_holds() -> None:
    day = datetime(2026, 1, 1, tzinfo=UTC)
    both = [Assignment(TariffId("mistake"), day), Assignment(TariffId("right"), day)]
    assert choose(both, StationId(1), None, day) == TariffId("right")


@pytest.mark.parametrize(
    ("tariff", "where"),
    [
        ({}, "no elements"),
        ({"elements": [{}]}, "elements[0].price_components"),
        ({"elements": [{"price_components": [{"type": "TIME"}]}]}, "TIME"),
        ({"elements": [{"price_components": [{"type": []}]}]}, "type"),
        ({"elements": [{"price_components": [{"type": "FLAT", "price": "1e30"}]}]}, "no more"),
        ({"elements": [{"price_components": [{"type": "FLAT", "price": "1_0"}]}]}, "not a number"),
        ({"elements": [{"price_components": [{"type": "FLAT", "price": "1e-30"}]}]}, "decimals"),
        ({"elements": [{"price_components": [{"type": "FLAT", "price": "x"}]}]}, "price"),
        ({"elements": [{"price_components": [{"type": "FLAT", "price": 1}]}]}, "vat"),
        ({"elements": [{"price_components": [{"type": "FLAT", "price": -1}]}]}, "0 or more"),
        ({"elements": [{"restrictions": {"min_kwh": 1}}]}, "restrictions"),
    ],
)
def test_a_tariff_that_cannot_be_billed_is_refused_with_the_place(
    tariff: dict[str, object], where: str
) -> None:
    with pytest.raises(UserError) as refused:
        parse_components(tariff)
    assert where in str(refused.value)
