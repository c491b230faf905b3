"""Faults as rows: opened once, closed once, seen once, and never changed."""

from dataclasses import replace
from datetime import date

import pytest

from evdesk.domain.errors import StorageError, UserError
from evdesk.domain.faults import FaultChange, FaultCode, FaultKey, Severity
from evdesk.domain.meters import MeterStatus, MidClass, NewMeter, Source
from evdesk.domain.readings import MeterId
from evdesk.ports import FaultFilter
from tests.storage.sites import OWNER, START, add_meter, add_station, at, raw, writing

EVERYTHING = FaultFilter()


def opened(code, meter=None, socket=None, seconds=0.0, **facts) -> FaultChange:
    return FaultChange(FaultKey(code, meter, socket), at(seconds), facts, opened=True)


def closed(code, meter=None, socket=None, seconds=60.0, **facts) -> FaultChange:
    return FaultChange(FaultKey(code, meter, socket), at(seconds), facts, opened=False)


@pytest.fixture
def meter(store) -> MeterId:
    with writing(store) as unit:
        add_station(unit, "bay")
        energy: Source = unit.stations.all()[0].energy
    return energy.meter_id


def apply(store, *changes) -> None:
    with store.journal() as unit:
        unit.faults.apply(changes, "collector")


def found(store, wanted=EVERYTHING):
    with store.read() as unit:
        return unit.faults.find(wanted)


def test_a_fault_comes_back_as_it_was_written(store, meter) -> None:
    apply(store, opened(FaultCode.DEVICE_SILENT, meter, None, 5, why="no answer"))
    (fault,) = found(store)
    assert (fault.code, fault.severity) == (FaultCode.DEVICE_SILENT, Severity.CRITICAL)
    assert (fault.meter, fault.station) == ("meter of bay", "bay")
    assert (fault.since_at, fault.until_at, fault.repair_s()) == (at(5), None, None)
    assert fault.detail() == ("{why}", {"why": "no answer"})
    apply(store, closed(FaultCode.DEVICE_SILENT, meter, None, 65, unseen=True))
    (fault,) = found(store)
    assert (fault.until_at, fault.repair_s(), fault.unseen_end) == (at(65), 60, True)


def test_what_is_open_is_not_opened_again_and_what_is_closed_not_closed(store, meter) -> None:
    twice = opened(FaultCode.DEVICE_SILENT, meter), opened(FaultCode.DEVICE_SILENT, meter)
    apply(store, *twice)
    apply(store, *twice)
    apply(store, closed(FaultCode.DEVICE_SILENT, meter), closed(FaultCode.DEVICE_SILENT, meter))
    apply(store, closed(FaultCode.PHASE_LOST, meter, 1))
    assert len(found(store)) == 1
    apply(store, opened(FaultCode.DEVICE_SILENT, meter, None, 99))
    assert [fault.is_open for fault in found(store)] == [True, False]


def test_one_code_may_be_open_at_each_socket_and_at_the_site(store, meter) -> None:
    keys = [(meter, 1), (meter, 2), (meter, None), (None, None)]
    apply(store, *(opened(FaultCode.PHASE_LOST, *key) for key in keys))
    with store.read() as unit:
        assert {(key.meter_id, key.socket) for key in unit.faults.open_keys()} == set(keys)


def test_a_fault_never_ends_before_it_began(store, meter) -> None:
    apply(store, opened(FaultCode.CLOCK_JUMP, None, None, 100))
    apply(store, closed(FaultCode.CLOCK_JUMP, None, None, 40))
    assert found(store)[0].repair_s() == 0


def test_the_station_is_named_where_it_is_one(store) -> None:
    with writing(store) as unit:
        lonely = add_meter(unit, "lonely")
        twin = add_meter(unit, "twin")
        for name, socket in (("left", 1), ("right", 2)):
            unit.stations.add(name, Source(twin, socket), None, START)
    apply(
        store,
        opened(FaultCode.DEVICE_SILENT, lonely),
        opened(FaultCode.DEVICE_SILENT, twin),
        opened(FaultCode.PHASE_LOST, twin, 2),
        opened(FaultCode.COLLECTOR_STOPPED),
    )
    assert {(f.code.value, f.meter): f.station for f in found(store)} == {
        ("device_silent", "lonely"): None,
        ("device_silent", "twin"): None,
        ("phase_lost", "twin"): "right",
        ("collector_stopped", None): None,
    }


def test_faults_are_found_by_when_they_lasted(store, meter) -> None:
    apply(
        store, opened(FaultCode.PHASE_LOST, meter, 1, 0), closed(FaultCode.PHASE_LOST, meter, 1, 50)
    )
    apply(store, opened(FaultCode.CLOCK_JUMP, None, None, 100))
    codes = {
        "all": EVERYTHING,
        "open": FaultFilter(open_only=True),
        "early": FaultFilter(to_at=at(60)),
        "late": FaultFilter(from_at=at(60)),
        "meter": FaultFilter(meter=meter),
        "critical": FaultFilter(severity=Severity.CRITICAL),
    }
    lost, jump = FaultCode.PHASE_LOST, FaultCode.CLOCK_JUMP
    assert {name: [f.code for f in found(store, wanted)] for name, wanted in codes.items()} == {
        "all": [jump, lost],
        "open": [jump],
        "early": [lost],
        "late": [jump],
        "meter": [lost],
        "critical": [],
    }


def test_who_has_seen_it_is_kept_by_name_once(store, meter) -> None:
    apply(store, opened(FaultCode.DEVICE_SILENT, meter))
    fault = found(store)[0].id
    with writing(store) as unit:
        unit.faults.acknowledge(fault, OWNER.id, at(9), "on it")
    (seen,) = found(store)
    assert (seen.acknowledged_by, seen.acknowledged_at, seen.note) == ("anna", at(9), "on it")
    with pytest.raises(StorageError, match="final"), writing(store) as unit:
        unit.faults.acknowledge(fault, OWNER.id, at(10), None)


def test_news_are_what_began_and_ended_since(store, meter) -> None:
    apply(store, opened(FaultCode.DEVICE_SILENT, meter))
    with store.read() as unit:
        first = unit.faults.news(0, 0)
    assert ([f.code for f in first.began], first.ended) == ([FaultCode.DEVICE_SILENT], ())
    apply(store, closed(FaultCode.DEVICE_SILENT, meter), opened(FaultCode.CLOCK_JUMP))
    with store.read() as unit:
        second = unit.faults.news(first.fault_id, first.event_id)
        assert [f.code for f in second.began] == [FaultCode.CLOCK_JUMP]
        assert [f.code for f in second.ended] == [FaultCode.DEVICE_SILENT]
        third = unit.faults.news(second.fault_id, second.event_id)
    assert (third.began, third.ended) == ((), ())


def test_a_second_open_row_is_refused_by_the_database_itself(
    store, folder, data_key, meter
) -> None:
    apply(store, opened(FaultCode.DEVICE_SILENT, meter), opened(FaultCode.COLLECTOR_STOPPED))
    connection = raw(folder, data_key)
    columns = "code, severity, meter_id, socket, station_id, since_at_ms, facts"
    with pytest.raises(StorageError, match="a fault like it is open"):
        connection.run(f"INSERT INTO fault ({columns}) SELECT {columns} FROM fault")
    connection.close()


def test_what_a_meters_label_says_is_kept_and_can_be_changed(store) -> None:
    new = NewMeter(
        "m", "abb_b23", "tcp://127.0.0.1:502", 1,
        mid_class=MidClass.B, seal="S-1", calibrated_until=date(2030, 12, 31),
    )  # fmt: skip
    with writing(store) as unit:
        unit.meters.add(new, START)
        meter = unit.meters.by_name("m")
        assert meter is not None
        assert (meter.mid_class, meter.seal) == (MidClass.B, "S-1")
        assert meter.calibrated_until == date(2030, 12, 31)
        unit.meters.set_facts(replace(meter, mid_class=None, seal=None, calibrated_until=None))
        assert unit.meters.by_name("m") == replace(
            meter, mid_class=None, seal=None, calibrated_until=None
        )


def test_the_first_serial_number_that_was_read_stays_until_another_is_entered(store) -> None:
    with writing(store) as unit:
        meter = add_meter(unit)
        unit.meters.note_serial(meter, "first")
        unit.meters.note_serial(meter, "second")
        unit.meters.save_statuses([MeterStatus(meter, last_error="x")])
        assert unit.meters.statuses()[meter].seen_serial == "first"
        known = unit.meters.by_name("M1")
        assert known is not None
        unit.meters.set_facts(replace(known, seal="S"))
        assert unit.meters.statuses()[meter].seen_serial == "first"
        unit.meters.set_facts(replace(known, serial="4711"))
        assert unit.meters.statuses()[meter].seen_serial is None


def test_a_date_that_is_none_is_refused(store, folder, data_key) -> None:
    with writing(store) as unit:
        add_meter(unit)
    connection = raw(folder, data_key)
    with pytest.raises((StorageError, UserError)):
        connection.run("UPDATE meter SET calibrated_until = 'soon'")
    connection.close()
