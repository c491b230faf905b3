"""What is journaled comes back as it was read."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from evdesk.domain.errors import StorageError
from evdesk.domain.instants import MILLISECOND
from evdesk.domain.meters import Source
from evdesk.domain.readings import MeterId, PilotState, Reading
from evdesk.ports import Curve
from tests.storage.sites import START, add_meter, at, reading, writing

IN_ONE_FOLDER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
deci = st.none() | st.integers(-(10**6), 10**6).map(lambda n: n / 10)
milli = st.none() | st.integers(-(10**6), 10**6).map(lambda n: n / 1000)
readings = st.builds(
    Reading,
    meter_id=st.just(MeterId(1)),
    socket=st.integers(1, 4),
    at=st.integers(0, 10**10).map(lambda ms: START + timedelta(milliseconds=ms)),
    import_wh=st.none() | st.integers(0, 2**62),
    import_raw=st.binary(max_size=8),
    power_w=deci,
    currents_a=st.tuples(milli, milli, milli),
    voltages_v=st.tuples(deci, deci, deci),
    pilot=st.none() | st.sampled_from(PilotState),
)


@pytest.fixture
def meter(store) -> MeterId:
    with writing(store) as unit:
        return add_meter(unit)


def journal(store, *new: Reading) -> None:
    with store.journal() as unit:
        unit.readings.add(new)


def ramp(meter: MeterId, seconds: range) -> list[Reading]:
    return [reading(meter, s, power_w=float(s % 977)) for s in seconds]


def curve(store, meter: MeterId, hours: float, points: int):
    with store.read() as unit:
        return unit.readings.curve(Source(meter), START, at(hours * 3600), points)


@given(new=readings)
@IN_ONE_FOLDER
def test_a_reading_comes_back_as_it_was_read(store, meter, new) -> None:
    source = Source(meter, new.socket)
    with store.read() as unit:
        assume(not list(unit.readings.between(source, new.at, new.at + MILLISECOND)))
    journal(store, new)
    with store.read() as unit:
        assert list(unit.readings.between(source, new.at, new.at + MILLISECOND)) == [new]


def test_between_is_lazy_and_leaves_its_end_out(store, meter) -> None:
    journal(store, *ramp(meter, range(100)))
    with store.read() as unit:
        found = iter(unit.readings.between(Source(meter), at(10), at(20)))
        assert next(found).at == at(10)
        assert [one.at for one in found] == [at(s) for s in range(11, 20)]


def test_the_latest_reading_is_per_source_and_only_where_there_is_one(store, meter) -> None:
    journal(store, reading(meter, 5), reading(meter, 7), reading(meter, 6))
    with store.read() as unit:
        found = unit.readings.latest([Source(meter), Source(meter, 2), Source(MeterId(99))])
    assert found == {Source(meter): reading(meter, 7)}


def test_the_same_instant_twice_is_refused_and_keeps_nothing_of_the_batch(store, meter) -> None:
    journal(store, reading(meter, 1))
    with pytest.raises(StorageError, match="reading is final"):
        journal(store, reading(meter, 2), reading(meter, 1, power_w=0.0))
    with store.read() as unit:
        assert unit.readings.count() == 1


def test_a_reading_of_an_unknown_meter_is_refused(store) -> None:
    with pytest.raises(StorageError, match="does not know"):
        journal(store, reading(MeterId(42)))


def test_the_journal_goes_on_after_a_refused_batch(store, meter) -> None:
    journal(store, reading(meter, 1))
    with pytest.raises(StorageError):
        journal(store, reading(meter, 1))
    journal(store, reading(meter, 2))
    with store.read() as unit:
        assert unit.readings.count() == 2


def test_a_curve_keeps_every_peak_at_its_instant(store, meter) -> None:
    flat = [reading(meter, s, power_w=100.0) for s in range(3600) if s != 1234]
    journal(store, *flat, reading(meter, 1234, power_w=22_000.1))
    found = curve(store, meter, 1, 100)
    peak = found.power_w.index(22_000.1)
    assert found.at_s[peak] == at(1234).timestamp()
    assert len(found.at_s) <= 102
    assert None not in found.power_w


def test_a_curve_of_few_readings_is_all_of_them(store, meter) -> None:
    journal(store, *ramp(meter, range(10)))
    found = curve(store, meter, 1, 10_000)
    assert found.power_w == tuple(float(s) for s in range(10))
    assert found.at_s == tuple(at(s).timestamp() for s in range(10))


def test_a_silence_is_a_gap_in_the_curve(store, meter) -> None:
    journal(store, *ramp(meter, range(600)), *ramp(meter, range(800, 1000)))
    found = curve(store, meter, 1, 1000)
    gap = found.power_w.index(None)
    assert found.power_w.count(None) == 1
    assert at(599).timestamp() < found.at_s[gap] < at(800).timestamp()


def test_a_silence_inside_one_bucket_is_a_gap_too(store, meter) -> None:
    journal(store, *ramp(meter, range(600)), *ramp(meter, range(700, 3600)))
    found = curve(store, meter, 1, 4)
    assert found.power_w.count(None) == 1


def test_slow_devices_have_no_gaps_between_their_readings(store, meter) -> None:
    journal(store, *ramp(meter, range(0, 86_400, 300)))
    assert None not in curve(store, meter, 24, 100).power_w
    assert None not in curve(store, meter, 24, 10_000).power_w


def test_a_device_that_was_read_slowly_and_then_fast_has_no_gaps_either(store, meter) -> None:
    journal(store, *ramp(meter, range(0, 21_600, 120)), *ramp(meter, range(21_600, 21_700, 2)))
    assert None not in curve(store, meter, 6.1, 2_000).power_w


def test_power_that_was_not_read_is_a_gap_and_never_zero(store, meter) -> None:
    unread = [reading(meter, s, power_w=None) for s in range(100, 300)]
    journal(store, *ramp(meter, range(1, 100)), *unread, *ramp(meter, range(300, 400)))
    found = curve(store, meter, 1, 2000)
    assert found.power_w.count(None) == 1
    assert 0.0 not in found.power_w


def test_negative_power_is_kept_in_a_curve(store, meter) -> None:
    journal(store, *[reading(meter, s, power_w=-10.5 * s) for s in range(100)])
    assert min(curve(store, meter, 1, 20).power_w) == -10.5 * 99


def test_an_empty_span_has_an_empty_curve(store, meter) -> None:
    assert curve(store, meter, 1, 100) == Curve((), ())
    assert curve(store, meter, 0, 100) == Curve((), ())
