"""Power beside the register: it bills nothing and raises a doubt where the two disagree."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from evdesk.domain.sessions import Figures, Flag, Rules, SessionState
from evdesk.domain.tracking import Tracker
from tests.domain.days import BY_PILOT, closed, sample


def visit(
    powers_w: list[float], registers: list[float], step_s: int = 1, rules: Rules = BY_PILOT
) -> Figures:
    """A car that draws this power while the register shows this, sample for sample."""
    tracker = Tracker(rules)
    tracker.on(sample(0, "A", int(registers[0]), 0))
    seconds = 0
    for power_w, wh in zip(powers_w, registers, strict=True):
        seconds += step_s
        tracker.on(sample(seconds, "C", int(wh), power_w))
    last = int(registers[-1])
    tracker.on(sample(seconds + step_s, "A", last, 0))
    return closed(tracker.on(sample(seconds + 2 * step_s, "A", last, 0)))[0].figures


def counted(powers_w: list[float], part: float = 1.0, step_s: int = 1) -> list[float]:
    wh, found = 50_000.0, []
    for power_w in powers_w:
        wh += part * power_w * step_s / 3600
        found.append(wh)
    return found


def test_a_register_that_agrees_with_the_power_raises_no_doubt() -> None:
    powers_w = [11_000.0] * 3_000
    assert visit(powers_w, counted(powers_w)).flags == frozenset()


def test_a_register_that_counts_less_than_was_drawn_sends_the_session_to_review() -> None:
    powers_w = [11_000.0] * 3_000
    figures = visit(powers_w, counted(powers_w, 0.9))
    assert figures.flags == {Flag.POWER_MISMATCH}
    assert figures.state() is SessionState.REVIEW


def test_a_register_that_stood_still_says_so() -> None:
    powers_w = [11_000.0] * 1_200
    figures = visit(powers_w, [50_000.0] * 1_200)
    assert (figures.energy_wh, figures.flags) == (0, frozenset({Flag.REGISTER_FROZEN}))


def test_a_register_that_stood_still_for_a_while_and_lost_it_says_so() -> None:
    powers_w = [11_000.0] * 3_600
    registers = counted(powers_w)
    frozen = [*registers[:1_000], *[registers[1_000]] * 400]
    lost = registers[1_400] - registers[1_000]
    figures = visit(powers_w, [*frozen, *(wh - lost for wh in registers[1_400:])])
    assert Flag.REGISTER_FROZEN in figures.flags


def test_a_register_that_stood_still_and_caught_up_is_right() -> None:
    powers_w = [11_000.0] * 3_600
    registers = counted(powers_w)
    held = [*registers[:1_000], *[registers[1_000]] * 400, *registers[1_400:]]
    assert visit(powers_w, held).flags == frozenset()


@given(st.lists(st.floats(0, 22_000), min_size=5, max_size=60), st.sampled_from([1, 5, 15, 30]))
def test_power_that_jumps_between_two_samples_raises_no_false_doubt(
    powers_w: list[float], step_s: int
) -> None:
    """The register counts each step at the power of its end: as far off as it can be."""
    assert visit(powers_w, counted(powers_w, step_s=step_s), step_s).flags <= {Flag.COMM_GAP}


def test_a_car_that_pauses_between_two_slow_reads_freezes_no_register() -> None:
    """At 60 s the power may be read as before while half of the minute was a pause."""
    powers_w, registers, wh = [], [], 50_000.0
    for minute in range(60):
        drawn = 0.5 if minute % 7 == 3 else 1.0
        wh += 11_000 * drawn / 60
        powers_w.append(11_000.0)
        registers.append(wh)
    assert Flag.REGISTER_FROZEN not in visit(powers_w, registers, 60).flags


def test_modulated_charging_hides_no_register_that_counts_too_little() -> None:
    powers_w = [6_000.0 + 4_000 * (n % 5 == 0) for n in range(3_600)]
    assert visit(powers_w, counted(powers_w, 0.87)).flags == {Flag.POWER_MISMATCH}


def test_a_trickle_told_in_steps_of_100_w_raises_no_doubt() -> None:
    """A car that draws 60 W for eight hours at a charger that tells 100 W."""
    registers = counted([60.0] * 960, step_s=30)
    shown_w = [100.0] * 960
    assert visit(shown_w, registers, 30).flags == {Flag.POWER_MISMATCH}
    coarse = replace(BY_PILOT, power_step_w=100.0)
    assert visit(shown_w, registers, 30, coarse).flags == frozenset()
    lost = [50_000.0 + (wh - 50_000) / 10 for wh in registers]
    assert visit([400.0] * 960, lost, 30, coarse).flags == {Flag.POWER_MISMATCH}
