"""One cycle of one socket: what is asked for, and what was learned of the device."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from evdesk.devices.connection import ExceptionAnswer
from evdesk.devices.deciding import NOT_SUPPORTED
from evdesk.devices.decode import BlockDecoder, reading_decoder
from evdesk.devices.plan import Block, plan_cycle, pointed_at, split_block
from evdesk.devices.profiles import ENERGY, STATE, Profile
from evdesk.devices.signs import SignWatch


class SocketCycle:
    """What one socket is asked for under the chosen options of its profile.

    A device that refuses a long request (exception 2 or 3) is asked for less at a time from then
    on; a lesser value it refuses alone is left out until the program starts again.
    """

    def __init__(self, profile: Profile, phases: str, socket: int) -> None:
        profile = profile.wired(phases)
        plan = plan_cycle(profile, phases)
        self.socket = socket
        self.chosen: Mapping[str, str] = profile.chosen
        self.shift = profile.stride * (socket - 1)
        self.cycle_ms = plan.cycle_ms
        self.decoder = reading_decoder(profile, phases)
        self.signs = SignWatch(profile, plan.always)
        self._pace = profile.pace
        self._essential = {STATE, ENERGY, *pointed_at(profile)}
        self._plan = plan
        self._always: list[BlockDecoder] = []
        self._rotating: list[BlockDecoder] = []
        self._turn = 0
        self._reset()

    def _reset(self) -> None:
        self._always = [self._compiled(block) for block in self._plan.always]
        self._rotating = [self.decoder.compile(block) for block in self._plan.rotating]

    def _compiled(self, block: Block) -> BlockDecoder:
        carried = tuple(register for register in self.signs.carried if block.covers(register))
        return replace(self.decoder.compile(block), carried=carried)

    def begin(self) -> Iterable[BlockDecoder]:
        """Return what to ask for in the next cycle."""
        asks_for_signs = self.signs.begin()
        if not self._rotating or asks_for_signs:
            return self._always
        self._turn = (self._turn + 1) % len(self._rotating)
        return (*self._always, self._rotating[self._turn - 1])

    def with_less(self, decoder: BlockDecoder, error: ExceptionAnswer) -> list[BlockDecoder]:
        """Return what to ask for instead, and remember it; raises where nothing is left to try."""
        if error.code not in NOT_SUPPORTED:
            raise error
        less: list[BlockDecoder] = []
        if len(decoder.block.registers) > 1:
            self.signs.ask_for(decoder.carried)
            less = [self.decoder.compile(half) for half in split_block(decoder.block, self._pace)]
        elif decoder.block.names() & self._essential:
            self._reset()  # no matter of length: the whole device refuses
            raise error
        self._always = _replaced(self._always, decoder, less)
        self._rotating = _replaced(self._rotating, decoder, less)
        return less


def _replaced(
    decoders: list[BlockDecoder], old: BlockDecoder, new: list[BlockDecoder]
) -> list[BlockDecoder]:
    result: list[BlockDecoder] = []
    for decoder in decoders:
        result += new if decoder.block == old.block else [decoder]
    return result
