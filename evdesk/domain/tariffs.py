"""Tariffs in the OCPI 2.2.1 form: energy, start fee and VAT for now."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NewType

from evdesk.domain.errors import UserError
from evdesk.domain.meters import StationId
from evdesk.domain.site import DriverId

TariffId = NewType("TariffId", str)


NUMBER = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,3})?")
MOST = 1_000_000  # of any price or percentage; beyond it, a slip of the keyboard
DECIMALS = 10


class Dimension(StrEnum):
    """What a price component counts (OCPI 2.2.1 TariffDimensionType)."""

    ENERGY = "ENERGY"
    FLAT = "FLAT"


@dataclass(frozen=True, slots=True)
class PriceComponent:
    """A price excluding VAT, per kWh (ENERGY) or per session (FLAT); VAT in percent."""

    dimension: Dimension
    price: Decimal
    vat_percent: Decimal


@dataclass(frozen=True, slots=True)
class Tariff:
    """A tariff as it was added; ``ocpi`` is the text of the object, never edited."""

    id: TariffId
    currency: str
    components: tuple[PriceComponent, ...]
    ocpi: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Assignment:
    """From an instant on, a tariff holds for a driver, a station or (neither) the whole site."""

    tariff: TariffId
    from_at: datetime
    station: StationId | None = None
    driver: DriverId | None = None


def parse_components(data: Mapping[str, object]) -> tuple[PriceComponent, ...]:
    """Return the price components of an OCPI 2.2.1 tariff object, decimals parsed as Decimal.

    Raises:
        UserError: a field is missing, of the wrong type, or asks for what is not priced yet.

    """
    elements = data.get("elements")
    if not isinstance(elements, list) or not elements:
        raise UserError("The tariff has no elements: OCPI 2.2.1 wants at least one.")
    found: dict[Dimension, PriceComponent] = {}
    for index, element in enumerate(elements):
        for component in _components(element, f"elements[{index}]"):
            found.setdefault(component.dimension, component)  # the first match wins (OCPI)
    return tuple(found.values())


def _components(element: object, where: str) -> list[PriceComponent]:
    if not isinstance(element, Mapping):
        raise UserError("{where} is not an object.", where=where)
    if element.get("restrictions"):
        raise UserError(
            "{where}.restrictions: tariffs with restrictions cannot be billed by this release.",
            where=where,
        )
    parts = element.get("price_components")
    if not isinstance(parts, list) or not parts:
        raise UserError("{where}.price_components is missing or empty.", where=where)
    return [_component(part, f"{where}.price_components[{n}]") for n, part in enumerate(parts)]


def _component(part: object, where: str) -> PriceComponent:
    if not isinstance(part, Mapping):
        raise UserError("{where} is not an object.", where=where)
    kind = part.get("type")
    if not isinstance(kind, str) or kind not in set(Dimension):
        raise UserError(
            "{where}.type is {kind}: this release bills ENERGY and FLAT.", where=where, kind=kind
        )
    price = _decimal(part.get("price"), f"{where}.price")
    vat = part.get("vat")
    if vat is None:
        raise UserError(
            "{where}.vat is missing: an invoice needs the rate in percent (0 where none is due).",
            where=where,
        )
    return PriceComponent(Dimension(str(kind)), price, _decimal(vat, f"{where}.vat"))


def _decimal(value: object, where: str) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        raise UserError("{where} is not a number.", where=where)
    if isinstance(value, str) and not NUMBER.fullmatch(value):
        raise UserError("{where} is not a number.", where=where)
    number = Decimal(value)
    if not number.is_finite() or not 0 <= number <= MOST:
        raise UserError(
            "{where} is {number}: it must be 0 or more, and no more than {most}.",
            where=where,
            number=number,
            most=MOST,
        )
    if number != round(number, DECIMALS):
        raise UserError("{where} has more than {most} decimals.", where=where, most=DECIMALS)
    return number


def choose(
    assignments: list[Assignment], station: StationId, driver: DriverId | None, at: datetime
) -> TariffId | None:
    """Return the tariff in force: the driver's before the station's before the site's.

    Of several for the same, the one that began last holds; of those that began together, the one
    made last (assignments come in the order in which they were made).
    """
    in_force = [a for a in assignments if a.from_at <= at and _applies(a, station, driver)]
    if not in_force:
        return None
    newest_first = reversed(in_force)
    best = max(newest_first, key=lambda a: (a.driver is not None, a.station is not None, a.from_at))
    return best.tariff


def _applies(assignment: Assignment, station: StationId, driver: DriverId | None) -> bool:
    for_station = assignment.station in {None, station}
    return for_station and (assignment.driver is None or assignment.driver == driver)
