"""Reading one device, cycle by cycle."""

from collections import deque
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from evdesk.devices.connection import (
    Backoff,
    Connection,
    ExceptionAnswer,
    NoAnswer,
    Quiet,
    Tempo,
    TimedOut,
    TooEarly,
    Unreachable,
)
from evdesk.devices.cycle import SocketCycle
from evdesk.devices.deciding import NOT_SUPPORTED, decide, options_of
from evdesk.devices.decode import SLOTS
from evdesk.devices.lessons import Lessons
from evdesk.devices.plan import Block, pointed_at
from evdesk.devices.profiles import Profile
from evdesk.devices.signs import FIELDS, Answer
from evdesk.devices.sunspec import find_model
from evdesk.domain.device_memory import Refusal
from evdesk.domain.errors import DeviceError
from evdesk.domain.meters import Meter
from evdesk.domain.readings import Reading
from evdesk.ports import Clock, Decided

WAKE_S = 0.2  # how long the first request to a device that sleeps may go unanswered


def quiet_of(profile: Profile) -> Quiet:
    """Return the silence a device wants between two requests."""
    return Quiet(profile.pace.gap_ms / 1_000, profile.pace.gap_from_request)


class ModbusReader:
    """Reads one device; implements ``ports.MeterReader``.

    What its profile leaves open is decided with each new connection.
    """

    def __init__(
        self,
        meter: Meter,
        profile: Profile,
        connection: Connection,
        clock: Clock,
        tempo: Tempo,
        sockets: Collection[int] = (1,),
        refusals: Collection[Refusal] = (),
    ) -> None:
        self._meter = meter
        self._profile = profile
        self._connection = connection
        self._clock = clock
        self._backoff = Backoff(tempo)
        self._quiet = quiet_of(profile)
        self._lessons = Lessons(refusals)
        known = profile.variant(meter.choices)
        self._cycles = [self._cycle_of(known, socket) for socket in sorted(sockets)]
        self._shift = 0
        self._generation = -1
        self.bus = connection.address.bus
        self.cycle_ms = sum(cycle.cycle_ms for cycle in self._cycles)
        self.requests = 0
        self.errors = 0
        self.decided: tuple[Decided, ...] = ()

    @property
    def refusals(self) -> frozenset[Refusal]:
        """Return the requests that lead to nothing, to be remembered."""
        return self._lessons.refusals

    def _cycle_of(self, profile: Profile, socket: int) -> SocketCycle:
        return SocketCycle(profile, self._meter.phases, socket, self._lessons)

    async def read(self) -> tuple[Reading, ...]:
        """Read one cycle; see ``ports.MeterReader.read``."""
        self._backoff.check()
        async with self._connection.lock:
            try:
                await self._prepare()
                readings = await self._sockets()
            except TooEarly:
                raise
            except DeviceError as error:
                self._failed(error)
                raise
        self._backoff.worked()
        self._lessons.complete()
        return readings

    def _failed(self, error: DeviceError) -> None:
        self.errors += 1
        for cycle in self._cycles:
            cycle.signs.anew()
        if isinstance(error, NoAnswer) and not isinstance(error, Unreachable):
            self._backoff.failed(error)

    async def _prepare(self) -> None:
        """Find out with a new connection where the values are and what kind of device it is."""
        await self._connection.open()
        if self._generation == self._connection.generation:
            return
        if self._profile.sunspec is not None:
            self._shift = 0
            self._shift = await find_model(self._profile.sunspec, self._ask)
        self._cycles = [await self._decided(cycle) for cycle in self._cycles]
        self._generation = self._connection.generation

    async def _decided(self, cycle: SocketCycle) -> SocketCycle:
        """Return the cycle of a socket for what was decided of it; what it learned stays."""
        cycle.signs.anew()
        if not self._profile.choices:
            return cycle

        async def ask(block: Block) -> bytes:
            return await self._ask(block, cycle.shift)

        names = {*SLOTS, *FIELDS, *pointed_at(self._profile)}
        decisions = await decide(self._profile, self._meter.choices, ask, names)
        self.decided = tuple(Decided(d.choice.key, d.option, d.is_told) for d in decisions)
        profile = self._profile.variant({**self._meter.choices, **options_of(decisions)})
        if profile.chosen == cycle.chosen:
            return cycle
        return self._cycle_of(profile, cycle.socket)

    async def _sockets(self) -> tuple[Reading, ...]:
        """Read every socket; one that refuses leaves the others their readings."""
        if len(self._cycles) == 1:
            return (await self._cycle(self._cycles[0]),)
        readings: list[Reading] = []
        refusal: DeviceError | None = None
        for cycle in self._cycles:
            try:
                readings.append(await self._cycle(cycle))
            except ExceptionAnswer as error:
                self.errors += 1
                refusal = error
        if refusal is not None and not readings:
            raise refusal
        return tuple(readings)

    async def _cycle(self, cycle: SocketCycle) -> Reading:
        slots: list[Any] = [None] * len(SLOTS)
        raw, at = b"", None
        carried: list[Answer] = []
        pending = deque(cycle.begin())
        while pending:
            decoder = pending.popleft()
            try:
                answer = await self._ask(decoder.block, cycle.shift)
            except ExceptionAnswer as error:
                pending.extendleft(reversed(cycle.with_less(decoder, error)))
                continue
            except NoAnswer as error:
                cycle.without_answer(decoder, error)
                raise
            cycle.answered(decoder)
            decoder.into(slots, answer)
            if decoder.energy is not None:
                at, raw = self._clock.now(), decoder.energy_words(answer)
            if decoder.carried:
                carried.append((decoder.block, decoder.carried, answer))
        reading = cycle.decoder.reading(
            self._meter.id, at or self._clock.now(), slots, raw, cycle.socket
        )
        due = cycle.signs.due(reading.pilot)
        if due is None:
            return reading
        answers = carried + await self._signs(cycle, due)
        return replace(reading, signs=cycle.signs.take(answers))

    async def _signs(self, cycle: SocketCycle, due: Sequence[Block]) -> list[Answer]:
        """Return what the device says beside its values; it costs no reading if it does not."""
        answers: list[Answer] = []
        pending = deque(due)
        while pending:
            block = pending.popleft()
            try:
                answers.append((block, block.registers, await self._ask(block, cycle.shift)))
                cycle.signs.answered(block)
            except ExceptionAnswer as error:
                if error.code in NOT_SUPPORTED:
                    pending.extendleft(reversed(cycle.signs.refused(block)))
            except DeviceError:
                self.errors += 1
                cycle.signs.failed(block)
                break
        return answers

    async def _ask(self, block: Block, socket_shift: int = 0) -> bytes:
        await self._connection.open()
        self.requests += 1
        unit = self._meter.unit if block.unit_id is None else block.unit_id
        shift = self._shift if block.shared else self._shift + socket_shift
        if self._profile.pace.asks_twice:
            await self._wake(unit, block, shift)
        return await self._connection.read(unit, block, shift, self._quiet)

    async def _wake(self, unit: int, block: Block, shift: int) -> None:
        """Ask for the same before: a device that sleeps may not answer the first request."""
        self.requests += 1
        with suppress(ExceptionAnswer, TimedOut):
            await self._connection.read(unit, block, shift, self._quiet, WAKE_S)
