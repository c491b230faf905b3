"""What a profile leaves open, decided otherwise: no register is billed under two readings of it."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from evdesk.domain.meters import Source
from evdesk.domain.readings import MeterId, PilotState, Reading
from evdesk.domain.sessions import Flag, Session, SessionState
from evdesk.ports import SessionFilter
from evdesk.services.cautions import energy_read_as
from evdesk.services.journaling import Journal
from evdesk.services.polling import make_plans, reaches
from tests.fakes.clock import START
from tests.services.desk import Desk

WHY = "compared with its display"
TENTHS: Mapping[str, str | None] = {"energy_unit": "0.1wh"}
LATER = timedelta(hours=60)  # so long that the cable carries any step


@pytest.fixture
def box(desk: Desk) -> Desk:
    desk.add_meter("bay1", "box")
    return desk


def read(second: float, wh: int, state: str = "C") -> Reading:
    at = START + timedelta(seconds=second)
    return Reading(MeterId(1), 1, at, wh, pilot=PilotState(state))


def journal(desk: Desk) -> Journal:
    """Begin as the collector does whenever something has changed."""
    plans = make_plans(desk.store, desk.devices, desk.clock.now())
    made = Journal(desk.store, reaches(plans, desk.devices))
    made.settle()
    return made


def sessions(desk: Desk) -> list[Session]:
    return desk.sessions.find(SessionFilter())[::-1]


def test_a_choice_is_changed_with_a_reason_and_told_to_the_collector(box: Desk) -> None:
    made = box.meters.choose("bay1", TENTHS, f" {WHY}\n")
    assert (made.now, made.before, made.counts_otherwise) == (TENTHS, {}, True)
    with box.store.read() as unit:
        assert unit.meters.all()[0].choices == TENTHS
        assert unit.collector.state().revision == 2
    entry = box.audit()[-1]
    assert (entry.action, entry.reason) == ("meter.choices", WHY)
    assert json.loads(entry.facts) == {"before": {}, "now": TENTHS}
    back = box.meters.choose("bay1", {"energy_unit": None, "lamp": "on"}, WHY)
    assert (back.now, back.before) == ({"lamp": "on"}, TENTHS)


def test_the_default_chosen_by_name_counts_nothing_otherwise(box: Desk) -> None:
    assert not box.meters.choose("bay1", {"energy_unit": "wh"}, WHY).counts_otherwise
    assert not box.meters.choose("bay1", {"lamp": "on"}, WHY).counts_otherwise


@pytest.mark.parametrize(
    ("name", "choices", "reason", "sentence"),
    [
        ("nix", TENTHS, WHY, "no meter named nix"),
        ("bay1", TENTHS, " ", "Say why"),
        ("bay1", {"energy_unit": "kwh"}, WHY, "box has no choice energy_unit=kwh. It has: energy_"),
        ("bay1", {"colour": "red"}, WHY, "box has no choice colour=red"),
        ("bay1", {"lamp": None}, WHY, "bay1 is read that way already. Nothing was changed"),
        ("bay1", {"meter": "none"}, WHY, "Station bay1 takes its energy from bay1, which would"),
    ],
)
def test_what_cannot_be_chosen_is_refused(
    box: Desk, name: str, choices: Mapping[str, str | None], reason: str, sentence: str
) -> None:
    with box.refused(sentence):
        box.meters.choose(name, choices, reason)


def test_a_meter_that_nobody_is_billed_from_may_lose_its_register(box: Desk) -> None:
    box.stations.retire("bay1")
    assert box.meters.choose("bay1", {"meter": "none"}, WHY).now == {"meter": "none"}


@pytest.mark.parametrize("wh", [5, 55, 500, 50_000])
@pytest.mark.parametrize("silence", [timedelta(), LATER])
def test_an_open_session_goes_to_review_however_large_the_step(
    box: Desk, wh: int, silence: timedelta
) -> None:
    journal(box).commit([read(0, 10 * wh, "A"), read(1, 10 * wh + 2), read(2, 10 * wh + 4)])
    box.meters.choose("bay1", TENTHS, WHY)
    going_on = journal(box)
    after = [read(3, wh), read(4, wh + 1)]
    going_on.commit([replace(each, at=each.at + silence) for each in after])
    ends = [read(5, wh + 2), read(6, wh + 2, "A"), read(7, wh + 2, "A")]
    journal(box).commit([replace(each, at=each.at + silence) for each in ends])  # started again
    (session,) = sessions(box)
    assert session.figures.flags >= {Flag.METER_CHANGED, Flag.METER_RESET}
    assert session.state is SessionState.REVIEW
    assert session.figures.energy_wh == 4 + 2
    check_account(box, 4 + 2)


def check_account(desk: Desk, delta_wh: int) -> None:
    """The step between the two readings of the register is nobody's energy."""
    desk.clock.at = datetime(2026, 4, 1, tzinfo=UTC)
    (row,) = desk.months.month("2026-03").rows
    assert (row.counted.delta_wh, row.unexplained_wh) == (delta_wh, 0)


@pytest.mark.parametrize(("before", "after"), [(5_000, 500), (500, 5_000), (50, 5), (5, 50)])
@pytest.mark.parametrize("silence", [timedelta(), LATER])
def test_a_session_that_begins_afterwards_has_nothing_of_the_step(
    box: Desk, before: int, after: int, silence: timedelta
) -> None:
    journal(box).commit([read(0, before, "A"), read(1, before, "A")])
    box.meters.choose("bay1", TENTHS, WHY)
    seen = [read(2, after, "A"), read(3, after), read(4, after + 2), read(5, after + 3, "A")]
    seen.append(read(6, after + 3, "A"))
    journal(box).commit([replace(each, at=each.at + silence) for each in seen])
    (session,) = sessions(box)
    assert session.figures.energy_wh == 3
    assert session.state is SessionState.CLOSED
    check_account(box, 3)


def test_a_car_that_came_unseen_meanwhile_is_looked_at_by_somebody(box: Desk) -> None:
    journal(box).commit([read(0, 5_000, "A")])
    box.meters.choose("bay1", TENTHS, WHY)
    journal(box).commit([read(9_000, 700), read(9_001, 703, "A"), read(9_002, 703, "A")])
    (session,) = sessions(box)
    assert (session.figures.energy_wh, session.state) == (3, SessionState.REVIEW)


def test_readings_taken_before_the_collector_knew_count_as_they_were_read(box: Desk) -> None:
    old = journal(box)
    old.commit([read(0, 500, "A"), read(1, 502)])
    box.meters.choose("bay1", TENTHS, WHY)
    old.commit([read(2, 504)])
    del old  # and it was killed: what it had not saved is replayed
    journal(box).commit([read(3, 51), read(4, 53, "A"), read(5, 53, "A")])
    (session,) = sessions(box)
    assert session.figures.energy_wh == 4 + 2
    assert session.state is SessionState.REVIEW


def test_a_choice_beside_the_register_leaves_a_session_alone(box: Desk) -> None:
    journal(box).commit([read(0, 500, "A"), read(1, 502)])
    box.meters.choose("bay1", {"lamp": "on"}, WHY)
    journal(box).commit([read(2, 504), read(3, 504, "A"), read(4, 504, "A")])
    (session,) = sessions(box)
    assert (session.figures.energy_wh, session.state) == (4, SessionState.CLOSED)
    with box.store.read() as unit:
        assert unit.replacements.of(Source(MeterId(1))) == []


def test_the_step_is_kept_with_both_registers_and_what_was_chosen(box: Desk) -> None:
    journal(box).commit([read(0, 500, "A")])
    box.meters.choose("bay1", TENTHS, WHY)
    journal(box).commit([read(1, 50, "A")])
    with box.store.read() as unit:
        (kept,) = unit.replacements.of(Source(MeterId(1)))
    assert (kept.final_wh, kept.first_wh) == (500, 50)
    assert kept.at == START + timedelta(milliseconds=999)
    assert kept.reason == "energy_unit=wh meter=inside -> energy_unit=0.1wh meter=inside"


def test_what_is_undecided_is_read_as_its_default(box: Desk) -> None:
    profile = box.devices.profile("box")
    assert energy_read_as(profile, {}) == "energy_unit=wh meter=inside"
    assert energy_read_as(profile, {"energy_unit": "0.1wh", "lamp": "on"}) == (
        "energy_unit=0.1wh meter=inside"
    )
