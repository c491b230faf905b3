"""The small tables: what is written comes back."""

from dataclasses import replace
from decimal import Decimal

import pytest

from evdesk.domain.errors import UserError
from evdesk.domain.meters import MeterRole, MeterState, MeterStatus, NewMeter, Source
from evdesk.domain.site import Account, AccountId, DriverId, Party, Role
from evdesk.domain.tariffs import Assignment, Dimension, PriceComponent, Tariff, TariffId
from evdesk.ports import CollectorState
from tests.storage.sites import EVA, OWNER, START, add_meter, add_station, at, writing

BEN = Account(AccountId("a-2"), "ben", Role.AUDITOR, at(1))


def test_accounts_are_found_by_name_and_by_id(store) -> None:
    with writing(store) as unit:
        unit.accounts.add(BEN)
        assert unit.accounts.all() == [OWNER, BEN]
        assert unit.accounts.by_name("ben") == unit.accounts.by_id(BEN.id) == BEN
        assert unit.accounts.by_name("eva") is None
        with pytest.raises(UserError, match="account name must be new"):
            unit.accounts.add(replace(BEN, id=AccountId("a-3")))


def test_the_issuer_is_replaced(store) -> None:
    with writing(store) as unit:
        assert unit.site.issuer() is None
        unit.site.set_issuer(Party("Depot GmbH"))
        unit.site.set_issuer(EVA.party)
        assert unit.site.issuer() == EVA.party


def test_the_stepped_clock_moves(store) -> None:
    with store.journal() as unit:
        assert unit.site.stepped_at() is None
        unit.site.set_stepped(at(1))
        unit.site.set_stepped(at(1.25))
        assert unit.site.stepped_at() == at(1.25)


def test_a_meter_comes_back_and_can_be_changed(store) -> None:
    new = NewMeter("M1", "b23", "rtu:///dev/ttyUSB0", 7, "231", "4711", 500, MeterRole.GRID)
    with writing(store) as unit:
        meter = unit.meters.add(new, START)
        unit.meters.set_interval(meter, None)
        found = unit.meters.by_name("M1")
    assert found is not None
    assert (found.id, found.unit, found.phases, found.serial) == (meter, 7, "231", "4711")
    assert (found.role, found.interval_ms, found.created_at) == (MeterRole.GRID, None, START)


def test_what_a_person_chose_of_a_meter_comes_back(store) -> None:
    chosen = {"energy_unit": "wh", "meter": "none"}
    with writing(store) as unit:
        unit.meters.add(NewMeter("M1", "keba-p30", "tcp://box", 255, choices=chosen), START)
        unit.meters.add(NewMeter("M2", "keba-p30", "tcp://bix", 255), START)
        assert [meter.choices for meter in unit.meters.all()] == [chosen, {}]


def test_the_name_of_a_removed_meter_is_free_again(store) -> None:
    with writing(store) as unit:
        unit.meters.remove(add_meter(unit, "M2"), at(5))
        again = add_meter(unit, "M2")
        add_meter(unit, "M1")
        assert [meter.name for meter in unit.meters.all()] == ["M1", "M2"]
        assert unit.meters.by_name("M2").id == again
        assert len(unit.meters.all(removed=True)) == 3


def test_a_meter_never_read_is_new_and_a_status_is_replaced(store) -> None:
    with writing(store) as unit:
        first, second = add_meter(unit, "M1"), add_meter(unit, "M2")
    status = MeterStatus(second, MeterState.SILENT, at(3), 1_000, 12, 3, "no answer for 3 s")
    with store.journal() as unit:
        unit.meters.save_statuses([MeterStatus(second), status])
        assert unit.meters.statuses() == {first: MeterStatus(first), second: status}


def test_stations_are_renamed_and_retired(store) -> None:
    with writing(store) as unit:
        station = add_station(unit, "S1")
        bare = unit.stations.add("S2", Source(add_meter(unit), 2), None, START)
        unit.stations.rename(station, "S9")
        unit.stations.retire(bare, at(5))
        assert [one.name for one in unit.stations.all()] == ["S9"]
        assert unit.stations.by_name("S2") is None
        retired = unit.stations.all(retired=True)[0]
    assert (retired.state, retired.energy.socket, retired.retired_at) == (None, 2, at(5))


def test_the_default_driver_is_the_one_of_that_instant(store) -> None:
    with writing(store) as unit:
        unit.drivers.add(EVA)
        unit.drivers.add(replace(EVA, id=DriverId("d-2")))
        station = add_station(unit)
        unit.stations.set_default_driver(station, DriverId("d-2"), at(10))
        unit.stations.set_default_driver(station, EVA.id, START)
        assert unit.stations.default_driver(station, at(-1)) is None
        assert unit.stations.default_driver(station, at(9)) == EVA.id
        assert unit.stations.default_driver(station, at(10)) == "d-2"


def test_a_tariff_keeps_its_decimals_and_its_text(store) -> None:
    parts = (
        PriceComponent(Dimension.ENERGY, Decimal("0.4500"), Decimal("7.7")),
        PriceComponent(Dimension.FLAT, Decimal("1.0"), Decimal(19)),
    )
    tariff = Tariff(TariffId("t-1"), "EUR", parts, '{"id": "t-1"}', START)
    with writing(store) as unit:
        unit.tariffs.add(tariff)
        unit.tariffs.add(replace(tariff, id=TariffId("a")))
        assert [one.id for one in unit.tariffs.all()] == ["t-1", "a"]
        found = unit.tariffs.get(tariff.id)
    assert found == tariff
    assert [str(part.price) for part in found.components] == ["0.4500", "1.0"]


def test_assignments_are_kept_in_the_order_they_were_made(store) -> None:
    with writing(store) as unit:
        station = add_station(unit)
        unit.tariffs.add(Tariff(TariffId("t-1"), "EUR", (), "{}", START))
        made = [
            Assignment(TariffId("t-1"), at(5)),
            Assignment(TariffId("t-1"), START, station=station),
        ]
        for assignment in made:
            unit.tariffs.assign(assignment)
        assert unit.tariffs.assignments() == made


def test_the_collector_row_is_taken_kept_alive_and_given_back(store) -> None:
    with store.journal() as unit:
        unit.collector.request_stop()
        unit.collector.take(42, "depot-pc", START)
        unit.collector.beat(at(2), 15)
        unit.collector.bump_revision()
        taken = CollectorState(42, "depot-pc", START, at(2), False, 15, 1)
        assert unit.collector.state() == taken
        unit.collector.request_stop()
        assert unit.collector.state() == replace(taken, stop_requested=True)
        unit.collector.release()
        assert unit.collector.state() == CollectorState(None, "", None, None, False, 0, 1)
