"""What is learned of a device: too long requests, missing values; and what is no lesson."""

from fractions import Fraction

from evdesk.devices.lessons import STRIKES, Lessons
from evdesk.devices.plan import Block, plan_blocks
from evdesk.devices.profiles import Function, Pace, Register

PACE = Pace(
    max_registers=125, alignment=1, bridge_gap=10, one_value=False, gap_ms=0,
    gap_from_request=False, baud=None,
)  # fmt: skip


def register(name: str, address: int) -> Register:
    return Register(
        name=name, address=address, function=Function.INPUT, type="u16", length=1,
        little_words=False, little_bytes=False, scale=Fraction(1), unit="", mask=None,
        not_available=frozenset(), enum=(), readable=True,
    )  # fmt: skip


LETTERS = "abcdefgh"
(WHOLE,) = plan_blocks([register(name, at) for at, name in enumerate(LETTERS)], PACE)


class Device:
    """Answers requests for so many registers at most, and none that touches what it has not."""

    def __init__(self, most: int = 99, missing: str = "", *, silent: bool = True) -> None:
        self.most, self.missing, self.silent = most, missing, silent
        self.is_on = True
        self.asked: list[str] = []

    def refuses(self, block: Block) -> bool:
        return block.count > self.most or bool(set(self.missing) & block.names())


def cycle(lessons: Lessons, device: Device) -> str | None:
    """Read everything; return what was read, or None where the cycle failed."""
    pending, read = list(lessons.pieces(1, WHOLE, PACE, "a")), ""
    answers = 0
    while pending:
        block = pending.pop(0)
        names = "".join(sorted(block.names()))
        device.asked.append(names)
        if not device.is_on or (device.silent and device.refuses(block)):
            lessons.failed(1, block, after_others=answers > 0)
            return None
        if device.refuses(block):
            if names == "a":
                lessons.undo()
                return None
            lessons.refused(1, block)
            pending = [*lessons.pieces(1, block, PACE, "a"), *pending]
            continue
        lessons.answered(1, block)
        answers += 1
        read += names
    lessons.complete()
    return read


def learn(device: Device, cycles: int = 60, lessons: Lessons | None = None) -> Lessons:
    lessons = lessons or Lessons()
    for _ in range(cycles):
        cycle(lessons, device)
    device.asked.clear()
    return lessons


def test_a_device_that_refuses_long_requests_is_asked_for_less():
    device = Device(most=3, silent=False)
    lessons = Lessons()
    assert cycle(lessons, device) == LETTERS
    device.asked.clear()
    assert cycle(lessons, device) == LETTERS
    assert device.asked == ["ab", "cd", "ef", "gh"]


def test_a_value_that_is_refused_alone_is_left_out():
    device = Device(missing="f", silent=False)
    lessons = Lessons()
    assert cycle(lessons, device) == "abcdegh"
    assert {refusal.missing for refusal in lessons.refusals} == {None, "f"}
    device.asked.clear()
    cycle(lessons, device)
    assert device.asked == ["abcd", "e", "gh"]


def test_a_device_that_refuses_everything_for_a_while_teaches_nothing():
    device = Device(most=0, silent=False)
    lessons = learn(device)
    assert lessons.refusals == frozenset()
    device.most = 99
    assert cycle(lessons, device) == LETTERS
    assert device.asked == [LETTERS]


def test_a_device_that_is_silent_at_long_requests_is_found_out():
    for most, pieces in ((4, ["abcd", "efgh"]), (2, ["ab", "cd", "ef", "gh"]), (1, list(LETTERS))):
        device = Device(most)
        lessons = learn(device)
        assert cycle(lessons, device) == LETTERS
        assert device.asked == pieces


def test_a_value_that_brings_silence_is_left_out():
    device = Device(missing="f")
    lessons = learn(device)
    assert cycle(lessons, device) == "abcdegh"
    assert device.asked == ["abcd", "e", "gh"]
    assert "f" in {refusal.missing for refusal in lessons.refusals}


def test_a_device_that_was_only_off_is_asked_for_everything_at_once():
    device = Device()
    device.is_on = False
    lessons = learn(device, 50)
    device.is_on = True
    learn(device, 3, lessons)
    assert cycle(lessons, device) == LETTERS
    assert device.asked == [LETTERS]
    assert lessons.refusals == frozenset()


def test_a_request_that_was_ever_answered_is_not_doubted():
    device = Device()
    lessons = Lessons()
    cycle(lessons, device)
    device.is_on = False
    for _ in range(20):
        cycle(lessons, device)
    assert set(device.asked) == {LETTERS}
    assert lessons.refusals == frozenset()


def test_a_few_failures_are_no_lesson():
    device = Device()
    device.is_on = False
    lessons = learn(device, STRIKES - 1)
    cycle(lessons, device)
    assert device.asked == [LETTERS]


def test_lessons_hold_after_a_restart():
    device = Device(most=2, missing="h")
    refusals = learn(device).refusals
    again = Lessons(refusals)
    assert cycle(again, device) == "abcdefg"
    assert device.asked == ["ab", "cd", "ef", "g"]
    assert again.refusals == refusals


def test_lessons_of_one_socket_are_not_those_of_another():
    lessons = Lessons(learn(Device(most=2, silent=False)).refusals)
    assert len(lessons.pieces(1, WHOLE, PACE)) == 4
    assert lessons.pieces(2, WHOLE, PACE) == (WHOLE,)


def test_the_essential_value_is_asked_for_whatever_was_remembered():
    refusals = learn(Device(missing="b", silent=False)).refusals
    assert any(refusal.missing == "b" for refusal in refusals)
    pieces = Lessons(refusals).pieces(1, WHOLE, PACE, "b")
    assert [block.names() for block in pieces][1] == {"b"}
