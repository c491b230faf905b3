"""A profile that may be the one of an unknown unit, and what was learnt for it and against it."""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from evdesk.devices.asking import Asker
from evdesk.devices.decode import decode_values
from evdesk.devices.plan import Block, plan_blocks, split_block
from evdesk.devices.plausible import judge, power_ratio, scale_of
from evdesk.devices.profiles import ENERGY, STATE, Profile, Register
from evdesk.ports import Candidate, Mark, Remark

VOLTS = ("voltage_l1", "voltage_l2", "voltage_l3")
AMPS = ("current_l1", "current_l2", "current_l3")
LEADS = (*VOLTS, STATE, ENERGY, "frequency", "active_power_total", *AMPS)
IDENTIFIED = 20
POWER_AGREES, POWER_DISAGREES = 3, -2
LACKS = -2  # for a value that a device of this profile would have
HOPELESS = -4
PROVEN, PROVEN_ON_ONE_PHASE = 8, 5  # the voltages, the frequency or power, the energy
MANY, FEW = 8, 4  # values, of more and of all
SEEN_ENOUGH = 2  # answers of which none speaks for a profile
MOST_EXISTENCE = 12
SHOWN_NAMES = 3


@dataclass(slots=True)
class Suspect:
    """``pending`` are the requests still to be made; ``led``: those that tell most are done.

    ``fresh``: requests were planned, which may be among those that were made for others.
    """

    profile: Profile
    asker: Asker
    pending: deque[Block]
    essential: frozenset[str]
    words: frozenset[tuple[int, int]]
    shift: int = 0
    ruled_out: bool = False
    identified: bool = False
    led: bool = False
    fresh: bool = True
    weight: int = 0
    answered: int = 0
    values: dict[str, Any] = field(default_factory=dict)
    lacking: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    tells: list[Remark] = field(default_factory=list)

    @property
    def gap_s(self) -> float:
        """Return the quiet this device would want between two requests."""
        return self.profile.pace.gap_ms / 1_000

    @property
    def is_open(self) -> bool:
        """Say whether there is more to ask; of one that is identified only what it cannot lack."""
        if self.ruled_out or not self.pending:
            return False
        return not (self.identified and self.values.keys() >= self.essential)

    @property
    def unseen(self) -> bool:
        """Say whether hardly anything is known of it yet."""
        seen = self.answered + len(self.lacking)
        return not self.ruled_out and self.weight >= 0 and seen < SEEN_ENOUGH

    @property
    def is_warm(self) -> bool:
        """Say whether something speaks for it: of a unit that refuses much, an answer does."""
        if self.ruled_out:
            return False
        is_there = self.answered and not (self.lacking or self.wrong)
        return self.weight > 0 or bool(is_there and self.asker.is_strict)

    @property
    def holds_pace(self) -> bool:
        """Say whether its quiet must be kept: it is neither ruled out nor shown to be unlikely."""
        return self.unseen or self.is_warm

    @property
    def is_proven(self) -> bool:
        """Say whether what tells most was asked, and fits so well that it is hardly by chance.

        Of a unit that refuses what it does not have, values that are all there say as much as a few
        that are telling.
        """
        fits = self.led and not (self.ruled_out or self.lacking or self.wrong)
        enough = PROVEN if self.profile.phases > 1 else PROVEN_ON_ONE_PHASE
        least = MANY if self.pending else FEW
        all_there = self.asker.is_strict and len(self.values) >= least
        return fits and (self.weight >= enough or all_there)

    def may_be_mixed_up_with(self, other: "Suspect") -> bool:
        """Say whether both have something at the same address, so that one may look like both."""
        return self is other or not self.words.isdisjoint(other.words)

    def learn(self, block: Block, data: bytes) -> None:
        """Take in what the unit answered."""
        self.answered += 1
        for register, raw, value in decode_values(block, data):
            verdict = judge(register, raw, value)
            self.values[register.name] = value
            self.weight += verdict.weight
            if verdict.mark is Mark.WRONG:
                self.wrong.append(register.name)
                self.ruled_out |= _is_telling(register)
        self._identify()

    def lacks(self, block: Block) -> None:
        """Take in that the unit has no such values; of several it may have one."""
        if len(block.registers) > 1:
            self.pending.extend(split_block(block, self.profile.pace))
            self.fresh = True
            return
        (register,) = block.registers
        self.weight += LACKS
        self.lacking.append(register.name)
        self.ruled_out |= register.name in self.essential or self.weight <= HOPELESS

    def claim(self, remark: Remark, weight: int, *, identified: bool) -> None:
        """Take in what the device says of itself."""
        self.tells.append(remark)
        self.fresh = True
        self.weight += weight
        self.identified |= identified

    def ask_more(self) -> None:
        """Plan requests for all the rest of its values, once."""
        if self.led:
            return
        self.led = self.fresh = True
        asked = {*self.values, *self.lacking, *LEADS}
        rest = [r for r in _readable(self.profile) if r.name not in asked]
        self.pending.extend(plan_blocks(rest, self.profile.pace))

    def candidate(self) -> Candidate:
        """Return what is known; of a unit that refuses much, each answer counts."""
        score = self.weight
        if self.asker.is_strict:
            score += min(self.answered, MOST_EXISTENCE)
        ratio = power_ratio(self.values)
        if ratio is not None:
            score += POWER_AGREES if scale_of(ratio) == 1 else POWER_DISAGREES
        if self.identified:
            score += IDENTIFIED
        return Candidate(self.profile.info.id, score, self.identified, tuple(self._reasons(ratio)))

    def _identify(self) -> None:
        rows = self.profile.identify
        known = [row for row in rows if row.register in self.values]
        if self.identified or not rows:
            return
        if not all(row.holds(self.values[row.register]) for row in known):
            self.ruled_out = True
        elif len(known) == len(rows):
            self.identified = True
            for row in rows:
                facts = {
                    "name": plain_name(row.register),
                    "value": spelt(self.values[row.register]),
                }
                self.tells.append(Remark("identified", "its {name} is {value}", facts))

    def _reasons(self, ratio: float | None) -> Iterable[Remark]:
        yield from self.tells
        yield from _measured(self.values)
        if ratio is not None and scale_of(ratio) == 1:
            yield Remark("power-agrees", "power agrees with voltage and current")
        elif ratio is not None:
            yield Remark("power-disagrees", "power does not agree with voltage and current")
        yield from self._state()
        if self.lacking:
            facts = _named(self.lacking)
            yield Remark("lacking", "it lacks {count} of its values ({names})", facts)
        if self.wrong:
            facts = _named(self.wrong)
            yield Remark("wrong", "{count} of its values are implausible ({names})", facts)

    def _state(self) -> Iterable[Remark]:
        register = self.profile.registers.get(STATE)
        for entry in register.enum if register is not None else ():
            if entry.raw == self.values.get(STATE):
                label = entry.label or entry.letter or str(entry.raw)
                yield Remark("state", "its state is '{label}'", {"label": label})


def suspects_of(profile: Profile, asker: Asker) -> list[Suspect]:
    """Return a profile that nothing is known of yet, once for each way its devices may be."""
    seen: list[Mapping[str, Register]] = []
    found: list[Suspect] = []
    for options in (profile.chosen, *_options(profile)):
        variant = profile.variant(options)
        if variant.registers not in seen:
            seen.append(variant.registers)
            found.append(_suspect(variant, asker))
    return found


def essential_of(profile: Profile) -> tuple[str, ...]:
    """Return the values without which a device is none of this profile."""
    identity = [row.register for row in profile.identify]
    leads = (STATE, ENERGY) if profile.info.kind == "charger" else (VOLTS[0], ENERGY)
    names = dict.fromkeys((*identity, *leads))
    readable = {register.name for register in _readable(profile)}
    return tuple(name for name in names if name in readable)


def plain_name(register: str) -> str:
    """Return the name of a register as people read it."""
    return register.replace("_", " ")


def spelt(value: object) -> str:
    """Return a value as people read it."""
    return f"{value:.15g}" if isinstance(value, float) else str(value).strip()


def _suspect(profile: Profile, asker: Asker) -> Suspect:
    """Plan what identifies it first, then, one by one, what it cannot be without.

    Most profiles fall there. The other values that tell much come after, in as few requests as may
    be.
    """
    readable = {register.name: register for register in _readable(profile)}
    essential = essential_of(profile)
    single = (plan_blocks([readable[name]], profile.pace) for name in essential)
    rest = [r for r in readable.values() if r.name in LEADS and r.name not in essential]
    pending = (*(block for blocks in single for block in blocks), *plan_blocks(rest, profile.pace))
    return Suspect(profile, asker, deque(pending), frozenset(essential), _words(profile, essential))


def _words(profile: Profile, essential: Iterable[str]) -> frozenset[tuple[int, int]]:
    """Return function and address of the words of what tells most."""
    leads = {*LEADS, *essential}
    return frozenset(
        (int(register.function), address)
        for register in profile.registers.values()
        if register.name in leads
        for address in register.own_addresses
    )


def _readable(profile: Profile) -> list[Register]:
    return [register for register in profile.registers.values() if register.readable]


def _options(profile: Profile) -> Iterable[dict[str, str]]:
    """Return every combination of what its choices leave open."""
    each = ([(choice.key, option.id) for option in choice.options] for choice in profile.choices)
    return map(dict, product(*each))


def _is_telling(register: Register) -> bool:
    """Say whether one wrong value of it is enough: no device that works shows such a thing."""
    return register.name in VOLTS or register.unit == "Hz" or register.is_float


def _measured(values: Mapping[str, Any]) -> Iterable[Remark]:
    volts = [values[name] for name in VOLTS if values.get(name)]
    if volts:
        facts = {"low": f"{min(volts):g}", "high": f"{max(volts):g}"}
        several = "voltages of {low} to {high} V"
        yield Remark("voltage", several if len(volts) > 1 else "a voltage of {low} V", facts)
    if values.get("frequency"):
        yield Remark("frequency", "{value} Hz", {"value": f"{values['frequency']:g}"})
    if values.get(ENERGY):
        facts = {"kwh": f"{values[ENERGY] / 1_000:.1f}"}
        yield Remark("energy", "an energy register of {kwh} kWh", facts)


def _named(names: list[str]) -> dict[str, object]:
    shown = ", ".join(plain_name(name) for name in names[:SHOWN_NAMES])
    return {"count": len(names), "names": shown + (" …" if len(names) > SHOWN_NAMES else "")}
