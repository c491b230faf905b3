"""Reading every value of a device once, with a remark where a value can hardly be right.

Nothing is corrected unasked: where another way of reading makes sense of the values, a hint says
what to choose.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from evdesk.devices.asking import NO_SUCH_VALUE, Asker, Patience
from evdesk.devices.connection import Connection, ExceptionAnswer, NoAnswer, TimedOut, Unreachable
from evdesk.devices.deciding import Decision, decide, options_of
from evdesk.devices.decode import decode_values
from evdesk.devices.hints import Look, hints_for, is_doubtful
from evdesk.devices.plan import Block, plan_blocks, split_block
from evdesk.devices.plausible import MISSING, Verdict, judge
from evdesk.devices.profiles import ENERGY, Function, Profile, Register
from evdesk.devices.recognising import Effort, Recogniser, effort_for
from evdesk.devices.sunspec import find_model
from evdesk.devices.suspects import spelt
from evdesk.domain.errors import DeviceError, NothingFound
from evdesk.ports import (
    Candidate,
    Decided,
    Mark,
    Probe,
    ProbedValue,
    Remark,
    ScanStep,
    ScanWatch,
)
from evdesk.settings import FINDING

HOST_UNITS = (255, 1, 0)
BUS_UNITS = (1, 2, 3)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be probed: a unit, and a profile with the options people chose, or any profile."""

    unit: int
    profile: Profile | None = None
    choices: Mapping[str, str] = field(default_factory=dict)


async def probe_device(
    connection: Connection,
    wanted: Wanted,
    profiles: Iterable[Profile],
    watch: ScanWatch | None = None,
) -> Probe:
    """Return every value of a profile; where none is named, of the one of ``profiles`` that fits.

    The caller holds the connection's lock. ``watch`` is told how many values are done; it cannot
    stop a probe.

    Raises:
        DeviceError: nothing answers there, or not with a value of the profile.
        NothingFound: it answers, but no profile fits.

    """
    asker = Asker(connection, wanted.unit, Patience(FINDING.patience_s, FINDING.patience_s))
    effort = effort_for(is_bus=connection.address.is_rtu)
    known = {profile.info.id: profile for profile in profiles}
    prober = _Prober(asker, effort, known, watch)
    try:
        return await prober.run(wanted)
    except TimedOut:
        other = await _answering(connection, wanted)
        if other is None:
            raise
        raise DeviceError(
            "{place} unit {unit} did not answer, but unit {other} does: try that one.",
            place=connection.address.place,
            unit=wanted.unit,
            other=other,
        ) from None


class _Prober:
    """Probes one unit."""

    def __init__(
        self,
        asker: Asker,
        effort: Effort,
        profiles: Mapping[str, Profile],
        watch: ScanWatch | None,
    ) -> None:
        self._asker = asker
        self._watch = watch
        self._effort = effort
        self._profiles = profiles

    async def run(self, wanted: Wanted) -> Probe:
        if wanted.profile is not None:
            return await self._probe(wanted.profile, wanted.choices)
        candidates = await self._candidates()
        if not self._asker.answered:
            raise TimedOut("Unit {unit} did not answer.", unit=self._asker.unit)
        if not candidates:
            raise NothingFound(
                "Unit {unit} answers, but none of {count} profiles fits: 'evdesk meter scan' shows"
                " what it says of itself.",
                unit=self._asker.unit,
                count=len(self._profiles),
            )
        return await self._probe(self._profiles[candidates[0].profile], {}, candidates)

    async def _candidates(self) -> tuple[Candidate, ...]:
        every = self._profiles.values()
        known = await Recogniser(self._asker, every, self._effort, lambda: False).run()
        return known.candidates

    async def _probe(
        self,
        profile: Profile,
        choices: Mapping[str, str],
        candidates: tuple[Candidate, ...] = (),
    ) -> Probe:
        self._asker.gap_s = max(self._effort.gap_s, profile.pace.gap_ms / 1_000)
        shift = await self._shift(profile)
        decisions, undecided = await self._decide(profile, choices)
        variant = profile.variant({**choices, **options_of(decisions)})
        looks = await self._look(variant, shift)
        hints = [*undecided, *await hints_for(self._asker, variant, shift, looks)]
        if not candidates and is_doubtful(looks) and not hints:
            hints += await self._better(profile)
        if not hints and all(look.value is None for look in looks):
            raise DeviceError("The device has no value of profile {name}.", name=profile.info.id)
        return Probe(
            profile=profile.info.id,
            unit=self._asker.unit,
            values=tuple(_row(look, shift) for look in looks),
            hints=tuple(hints),
            candidates=candidates,
            decided=tuple(Decided(one.choice.key, one.option, one.is_told) for one in decisions),
        )

    async def _shift(self, profile: Profile) -> int:
        sunspec = profile.sunspec
        return 0 if sunspec is None else await find_model(sunspec, self._asker.read)

    async def _decide(
        self, profile: Profile, choices: Mapping[str, str]
    ) -> tuple[tuple[Decision, ...], list[Remark]]:
        try:
            return await decide(profile, choices, self._asker.read), []
        except (ExceptionAnswer, NoAnswer):
            raise
        except DeviceError as error:
            return (), [Remark("undecided", error.template, error.facts)]

    async def _look(self, profile: Profile, shift: int) -> list[Look]:
        readable = [register for register in profile.registers.values() if register.readable]
        pending = deque(plan_blocks(readable, profile.pace))
        looks: list[Look] = []
        while pending:
            block = pending.popleft()
            self._tell(len(looks), len(readable))
            try:
                data = await self._asker.read(block, shift)
            except Unreachable:
                raise
            except ExceptionAnswer as error:
                if error.code in NO_SUCH_VALUE and len(block.registers) > 1:
                    pending.extendleft(reversed(split_block(block, profile.pace)))
                    continue
                facts = {"code": error.code}
                remark = Remark("refused", "not available (exception {code})", facts)
                looks += _missing(block, remark)
            except NoAnswer:
                if not self._asker.answered:
                    raise
                looks += _missing(block, Remark("silent", "no answer to this request"))
            else:
                looks += [
                    Look(register, raw, value, judge(register, raw, value))
                    for register, raw, value in decode_values(block, data)
                ]
        return looks

    def _tell(self, done: int, total: int) -> None:
        if self._watch is not None:
            self._watch.tell(ScanStep(self._asker.unit, done, total))

    async def _better(self, profile: Profile) -> list[Remark]:
        """Return which profile fits where the one that was named does not."""
        candidates = await self._candidates()
        if not candidates or candidates[0].profile == profile.info.id:
            return []
        facts = {"profile": candidates[0].profile}
        return [Remark("other-profile", "The profile {profile} fits this device better.", facts)]


def _missing(block: Block, remark: Remark) -> Iterable[Look]:
    return [
        Look(register, b"", None, Verdict(Mark.MISSING, 0, remark)) for register in block.registers
    ]


async def _answering(connection: Connection, wanted: Wanted) -> int | None:
    """Return another usual unit that answers in place of a silent one."""
    is_bus = connection.address.is_rtu
    silence_s = FINDING.bus_silence_s if is_bus else FINDING.network_silence_s
    usual = BUS_UNITS if is_bus else HOST_UNITS
    own = usual[:1] if wanted.profile is None else (wanted.profile.info.default_unit,)
    units: tuple[int, ...] = (*own, *usual)
    for unit in dict.fromkeys(units):
        if unit == wanted.unit:
            continue
        asker = Asker(connection, unit, Patience(silence_s, silence_s))
        try:
            await asker.read(Block(Function.HOLDING, 0, 1, ()))
        except Unreachable:
            return None
        except (ExceptionAnswer, NoAnswer):
            pass
        if asker.answered:
            return unit
    return None


def _row(look: Look, shift: int) -> ProbedValue:
    register, verdict = look.register, look.verdict
    return ProbedValue(
        name=register.name,
        address=register.address + shift,
        value=None if look.value is None else _shown(register, look.value),
        unit="Wh" if register.name == ENERGY else register.unit,
        raw=look.raw.hex(" ", 2),
        remark=verdict.remark if look.value is not None or look.raw == b"" else MISSING.remark,
        mark=verdict.mark,
    )


def _shown(register: Register, value: Any) -> str:
    for entry in register.enum:
        if entry.raw == value:
            return f"{spelt(value)} ({entry.label or entry.letter or 'known'})"
    if isinstance(value, float):
        return f"{value:.6f}".rstrip("0").rstrip(".")
    return spelt(value)
