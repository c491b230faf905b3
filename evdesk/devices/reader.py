"""Reading one device, cycle by cycle."""

from collections import deque
from collections.abc import Iterable
from typing import Any

from evdesk.devices.connection import (
    Backoff,
    Connection,
    ExceptionAnswer,
    NoAnswer,
    Quiet,
    Tempo,
    TooEarly,
    Unreachable,
)
from evdesk.devices.decode import SLOTS, BlockDecoder, reading_decoder
from evdesk.devices.plan import Block, plan_cycle, pointed_at, split_block
from evdesk.devices.profiles import ENERGY, STATE, Profile
from evdesk.devices.sunspec import find_model
from evdesk.domain.errors import DeviceError
from evdesk.domain.meters import Meter
from evdesk.domain.readings import Reading
from evdesk.ports import Clock

NOT_SUPPORTED = (2, 3)  # illegal address, illegal value: too long a block, or no such register


def quiet_of(profile: Profile) -> Quiet:
    """Return the silence a device wants between two requests."""
    return Quiet(profile.pace.gap_ms / 1_000, profile.pace.gap_from_request)


class ModbusReader:
    """Reads one device; implements ``ports.MeterReader``.

    A device that refuses a long request (exception 2 or 3) is asked for less at a time from then
    on; a lesser value it refuses alone is left out until the program starts again.
    """

    def __init__(
        self, meter: Meter, profile: Profile, connection: Connection, clock: Clock, tempo: Tempo
    ) -> None:
        plan = plan_cycle(profile, meter.phases)
        self.bus = connection.address.bus
        self.cycle_ms = plan.cycle_ms
        self.requests = 0
        self.errors = 0
        self._meter = meter
        self._profile = profile
        self._connection = connection
        self._clock = clock
        self._backoff = Backoff(tempo)
        self._quiet = quiet_of(profile)
        self._decoder = reading_decoder(profile)
        self._essential = {STATE, ENERGY, *pointed_at(profile)}
        self._plan = plan
        self._always: list[BlockDecoder] = []
        self._rotating: list[BlockDecoder] = []
        self._turn = 0
        self._shift = 0
        self._generation = -1
        self._reset()

    def _reset(self) -> None:
        self._always = [self._decoder.compile(block) for block in self._plan.always]
        self._rotating = [self._decoder.compile(block) for block in self._plan.rotating]

    async def read(self) -> tuple[Reading, ...]:
        """Read one cycle; see ``ports.MeterReader.read``."""
        self._backoff.check()
        async with self._connection.lock:
            try:
                reading = await self._cycle()
            except TooEarly:
                raise
            except DeviceError as error:
                self.errors += 1
                if isinstance(error, NoAnswer) and not isinstance(error, Unreachable):
                    self._backoff.failed(error)
                raise
        self._backoff.worked()
        return (reading,)

    async def _cycle(self) -> Reading:
        if self._profile.sunspec is not None:
            await self._find_model()
        slots: list[Any] = [None] * len(SLOTS)
        raw, at = b"", None
        pending = deque(self._this_turn())
        while pending:
            decoder = pending.popleft()
            try:
                answer = await self._ask(decoder.block)
            except ExceptionAnswer as error:
                pending.extendleft(reversed(self._with_less(decoder, error)))
                continue
            decoder.into(slots, answer)
            if decoder.energy is not None:
                at, raw = self._clock.now(), decoder.energy_words(answer)
        return self._decoder.reading(self._meter.id, at or self._clock.now(), slots, raw)

    def _this_turn(self) -> Iterable[BlockDecoder]:
        if not self._rotating:
            return self._always
        self._turn = (self._turn + 1) % len(self._rotating)
        return (*self._always, self._rotating[self._turn - 1])

    async def _ask(self, block: Block) -> bytes:
        await self._connection.open()
        self.requests += 1
        return await self._connection.read(self._meter.unit, block, self._shift, self._quiet)

    def _with_less(self, decoder: BlockDecoder, error: ExceptionAnswer) -> list[BlockDecoder]:
        """Return what to ask for instead, and remember it; raises where nothing is left to try."""
        if error.code not in NOT_SUPPORTED:
            raise error
        less: list[BlockDecoder] = []
        if len(decoder.block.registers) > 1:
            halves = split_block(decoder.block, self._profile.pace)
            less = [self._decoder.compile(half) for half in halves]
        elif decoder.block.names() & self._essential:
            self._reset()  # no matter of length: the whole device refuses
            raise error
        self._always = _replaced(self._always, decoder, less)
        self._rotating = _replaced(self._rotating, decoder, less)
        return less

    async def _find_model(self) -> None:
        await self._connection.open()
        if self._profile.sunspec is None or self._generation == self._connection.generation:
            return
        self._shift = 0
        self._shift = await find_model(self._profile.sunspec, self._ask)
        self._generation = self._connection.generation


def _replaced(
    decoders: list[BlockDecoder], old: BlockDecoder, new: list[BlockDecoder]
) -> list[BlockDecoder]:
    result: list[BlockDecoder] = []
    for decoder in decoders:
        result += new if decoder.block == old.block else [decoder]
    return result
