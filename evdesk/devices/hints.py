"""Other ways to read a device that make sense of values which make none: what to choose instead.

Source of the usual mistakes: manuals count registers from 0 or from 1, print one of two functions,
and leave open which word or byte comes first.
"""

import math
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from evdesk.devices.asking import Asker
from evdesk.devices.connection import ExceptionAnswer, NoAnswer, Unreachable
from evdesk.devices.decode import decode_values, value_of
from evdesk.devices.plan import plan_blocks
from evdesk.devices.plausible import FACTORS, Verdict, judge, limits_of, power_ratio, scale_of
from evdesk.devices.profiles import LAST_ADDRESS, Function, Profile, Register
from evdesk.devices.suspects import plain_name, spelt
from evdesk.ports import Mark, Remark

MOST_ASKED = 6  # registers that are read in another way
EXAMPLES = 2
USUAL = {"V": (180.0, 260.0), "Hz": (48.0, 62.0)}  # narrower than what is believed: to tell factors
OTHER_FUNCTION = {
    Function.INPUT: Function.HOLDING,
    Function.HOLDING: Function.INPUT,
}
WORDS = "With the two words of each number swapped"
BYTES = "With the two bytes of each register swapped"
BOTH = "With bytes and words of each number swapped"
ORDER = "the values make sense ({examples}). {what}"
TURN_WORDS = (
    "Choose '{order} word first' where this model offers it, or set the word order at the device."
)
TURN_BYTES = "Set the byte order at the device, or use a profile that has it so."
FUNCTIONS = {Function.HOLDING: "holding registers (3)", Function.INPUT: "input registers (4)"}


@dataclass(frozen=True, slots=True)
class Look:
    """One register as it was read: its words (none where it was refused), value and verdict."""

    register: Register
    raw: bytes
    value: Any
    verdict: Verdict

    @property
    def sharp(self) -> bool:
        """Say whether a floating-point number has more digits than one of its words holds."""
        return (
            isinstance(self.value, float)
            and math.isfinite(self.value)
            and any(struct.pack(">f", self.value / float(self.register.scale))[2:])
        )


@dataclass(frozen=True, slots=True)
class Turn:
    """Another order of words and bytes."""

    words: bool
    bytes: bool

    def applied(self, register: Register) -> Register:
        """Return a register read in this order."""
        long = register.number_length > 1
        return replace(
            register,
            little_words=register.little_words ^ (self.words and long),
            little_bytes=register.little_bytes ^ self.bytes,
        )


AS_IS = Turn(words=False, bytes=False)
TURNS = (Turn(words=True, bytes=False), Turn(words=False, bytes=True), Turn(words=True, bytes=True))


@dataclass(frozen=True, slots=True)
class Way:
    """Another way to ask: with the other function, or at the next or last address."""

    shift: int = 0
    other_function: bool = False


WAYS = (Way(), Way(other_function=True), Way(shift=-1), Way(shift=1))  # the likeliest first


def is_doubtful(looks: Iterable[Look]) -> bool:
    """Say whether what is telling speaks rather against the profile than for it, or not at all."""
    fits, against = _tally(_telling(looks))
    return against > fits or fits == 0


async def hints_for(
    asker: Asker, profile: Profile, shift: int, looks: Sequence[Look]
) -> list[Remark]:
    """Return what to choose so that the values make sense; empty where they do, or nothing helps.

    Raises:
        Unreachable: there is no connection (any more).

    """
    found = list(_scales(looks))
    if found or not is_doubtful(looks):
        return found
    telling = _telling(looks)[:MOST_ASKED]
    best = (_sense(telling), 0)
    ways: list[list[Remark]] = []
    for way in WAYS:
        others = await _asked(asker, profile, shift, telling, way)
        for turn in (AS_IS, *TURNS):
            looked = _turned(others, turn)
            sense = (_sense(looked), _sharp(looked))
            if sense < best or sense[0] <= _sense(telling) or not _makes_sense(looked):
                continue
            remarks = _said(way, turn, looked)
            if sense > best:
                best, ways = sense, []
            ways.append(remarks)
    return _simplest(profile, ways)


def _simplest(profile: Profile, ways: Sequence[list[Remark]]) -> list[Remark]:
    """Return what takes the fewest changes; of two, what the profile can be set to."""
    fewest = min(map(len, ways), default=0)
    left = [remarks for remarks in ways if len(remarks) == fewest]
    if any(o.little_words is not None for choice in profile.choices for o in choice.options):
        left = [remarks for remarks in left if remarks[0].code == "words-swapped"] or left
    return [remark for remarks in left for remark in remarks]


def _telling(looks: Iterable[Look]) -> list[Look]:
    """Return the registers that show when they are read in a wrong way, the best ones first."""
    return sorted(
        (look for look in looks if _rank(look.register)), key=lambda k: -_rank(k.register)
    )


def _rank(register: Register) -> int:
    if limits_of(register) is not None and register.unit in USUAL:
        return 3
    if register.is_float and not register.is_compound:
        return 2
    return 1 if register.enum else 0


def _tally(looks: Iterable[Look]) -> tuple[int, int]:
    """Return what fits and what does not, each by how telling it is."""
    fits = against = 0
    for look in looks:
        if look.verdict.mark is Mark.FITS:
            fits += _rank(look.register)
        elif look.verdict.mark in {Mark.WRONG, Mark.MISSING}:
            against += _rank(look.register)
    return fits, against


def _sense(looks: Iterable[Look]) -> int:
    """Return how much sense a way of reading makes: what fits, less what is wrong or missing."""
    fits, against = _tally(looks)
    return fits - 2 * against


def _sharp(looks: Iterable[Look]) -> int:
    """Return how many numbers have all their digits: half of a number is plausible, but round."""
    return sum(
        look.verdict.mark is Mark.FITS and look.register.is_float and look.sharp for look in looks
    )


def _makes_sense(looks: Iterable[Look]) -> bool:
    """Say whether nearly all fits, and something of it would hardly do so by chance."""
    looks = list(looks)
    fits, against = _tally(looks)
    strong = any(look.verdict.mark is Mark.FITS and _rank(look.register) > 1 for look in looks)
    return strong and fits > 2 * against


def _turned(looks: Iterable[Look], turn: Turn) -> list[Look]:
    if turn == AS_IS:
        return list(looks)
    found = []
    for look in looks:
        if not look.raw or look.register.is_compound or look.register.type in {"string", "bytes"}:
            found.append(look)
            continue
        register = turn.applied(look.register)
        value = value_of(register, look.raw)
        found.append(Look(look.register, look.raw, value, judge(register, look.raw, value)))
    return found


async def _asked(
    asker: Asker, profile: Profile, shift: int, looks: Iterable[Look], way: Way
) -> list[Look]:
    """Return registers read in another way; those that are refused stay without a value."""
    if way == Way():
        return list(looks)
    found: list[Look] = []
    for look in looks:
        function = look.register.function
        if way.other_function:
            if function not in OTHER_FUNCTION:
                continue
            function = OTHER_FUNCTION[function]
        elsewhere = replace(look.register, function=function)
        (block,) = plan_blocks([elsewhere], profile.pace)
        first = block.address + shift + way.shift
        if not 0 <= first <= LAST_ADDRESS + 1 - block.count:
            continue
        try:
            data = await asker.read(block, shift + way.shift)
        except Unreachable:
            raise
        except (ExceptionAnswer, NoAnswer):
            found.append(Look(look.register, b"", None, Verdict(Mark.MISSING)))
            continue
        found += [
            Look(look.register, raw, value, judge(register, raw, value))
            for register, raw, value in decode_values(block, data)
        ]
    return found


# -- what is said ---------------------------------------------------------------------------------


def _said(way: Way, turn: Turn, looks: Sequence[Look]) -> list[Remark]:
    remarks = [] if way == Way() else [_way(way, looks)]
    return remarks if turn == AS_IS else [*remarks, _order(turn, looks)]


def _order(turn: Turn, looks: Sequence[Look]) -> Remark:
    is_low_first = any(look.register.little_words for look in looks)
    facts = {"examples": _examples(looks), "order": "high" if is_low_first else "low"}
    if turn.words and turn.bytes:
        template = f"{BOTH} {ORDER.replace('{what}', TURN_BYTES)}"
        return Remark("words-and-bytes-swapped", template, facts)
    if turn.words:
        return Remark("words-swapped", f"{WORDS} {ORDER.replace('{what}', TURN_WORDS)}", facts)
    return Remark("bytes-swapped", f"{BYTES} {ORDER.replace('{what}', TURN_BYTES)}", facts)


def _way(way: Way, looks: Sequence[Look]) -> Remark:
    facts: dict[str, object] = {"examples": _examples(looks)}
    if way.other_function:
        facts["function"] = FUNCTIONS[OTHER_FUNCTION[looks[0].register.function]]
        return Remark(
            "other-function",
            "The values make sense when they are read as {function} ({examples}). Choose that"
            " function where this model offers it, or another profile.",
            facts,
        )
    if way.shift < 0:
        return Remark(
            "counts-from-one",
            "One address lower the values make sense ({examples}): this map seems to count from 1,"
            " the device from 0. Choose another profile for this model.",
            facts,
        )
    return Remark(
        "counts-from-zero",
        "One address higher the values make sense ({examples}): this map seems to count from 0,"
        " the device from 1. Choose another profile for this model.",
        facts,
    )


def _examples(looks: Sequence[Look]) -> str:
    good = [look for look in looks if look.verdict.mark is Mark.FITS]
    return ", ".join(
        f"{plain_name(look.register.name)} {_short(look.value)} {look.register.unit}".strip()
        for look in good[:EXAMPLES]
    )


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else spelt(value)


# -- wrong scales ---------------------------------------------------------------------------------


def _scales(looks: Sequence[Look]) -> Iterable[Remark]:
    """Say which values are ten, a hundred or a thousand times too large or too small."""
    values = {look.register.name: look.value for look in looks}
    for unit, (low, high) in USUAL.items():
        shown = [
            abs(look.value)
            for look in looks
            if look.register.unit == unit
            and isinstance(look.value, int | float)
            and look.value
            and limits_of(look.register) is not None
        ]
        factor = _common_factor(shown, low, high)
        if factor is not None and any(look.verdict.mark is Mark.WRONG for look in looks):
            name = "voltages" if unit == "V" else "frequency"
            yield _scale(name, factor)
    ratio = power_ratio(values)
    factor = None if ratio is None else scale_of(ratio)
    if factor not in {None, 1}:
        yield _power(int(factor or 1))


def _common_factor(values: Sequence[float], low: float, high: float) -> int | None:
    """Return how many times all values are too large, or too small (negative)."""
    for factor in FACTORS:
        if values and all(low <= value / factor <= high for value in values):
            return factor
        if values and all(low <= value * factor <= high for value in values):
            return -factor
    return None


def _scale(name: str, factor: int) -> Remark:
    way = "large" if factor > 0 else "small"
    facts = {"name": name, "factor": abs(factor), "way": way}
    return Remark(
        "wrong-scale",
        "The {name} would make sense if they were not {factor} times too {way}: this profile has"
        " another scale than the device. Compare the energy with the display before you trust it.",
        facts,
    )


def _power(factor: int) -> Remark:
    facts = {"factor": abs(factor), "way": "large" if factor > 0 else "small"}
    return Remark(
        "power-scale",
        "Power is about {factor} times too {way} for voltage and current: it may be in another unit"
        " (W or kW). Compare power and energy with the display before you trust them.",
        facts,
    )
