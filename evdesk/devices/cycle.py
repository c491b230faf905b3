"""One cycle of one socket: what is asked for, and what was learned of the device."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from evdesk.devices.connection import ExceptionAnswer, NoAnswer, Unreachable
from evdesk.devices.deciding import NOT_SUPPORTED
from evdesk.devices.decode import BlockDecoder, reading_decoder
from evdesk.devices.lessons import Lessons
from evdesk.devices.plan import Block, plan_cycle, pointed_at
from evdesk.devices.profiles import ENERGY, STATE, Profile
from evdesk.devices.signs import SignWatch


class SocketCycle:
    """What one socket is asked for: its profile with its options, less what the device refuses."""

    def __init__(self, profile: Profile, phases: str, socket: int, lessons: Lessons) -> None:
        profile = profile.wired(phases)
        plan = plan_cycle(profile, phases)
        self.socket = socket
        self.chosen: Mapping[str, str] = profile.chosen
        self.shift = profile.stride * (socket - 1)
        self.cycle_ms = plan.cycle_ms
        self.decoder = reading_decoder(profile, phases)
        self.signs = SignWatch(profile, plan.always, socket, lessons)
        self._pace = profile.pace
        self._essential = {STATE, ENERGY, *pointed_at(profile)}
        self._plan = plan
        self._always: list[BlockDecoder] = []
        self._rotating: list[BlockDecoder] = []
        self._turn = 0
        self._answers = 0
        self._lessons = lessons
        self._version = -1

    def _take_in(self) -> None:
        """Make what to ask for of the plan and of what was learned."""
        always = self._less_of(self._plan.always)
        self.signs.ask_for(
            [r for r in self.signs.carried if not any(block.covers(r) for block in always)]
        )
        self._always = [self._compiled(block) for block in always]
        self._rotating = [self.decoder.compile(b) for b in self._less_of(self._plan.rotating)]
        self._version = self._lessons.version

    def _less_of(self, blocks: Iterable[Block]) -> list[Block]:
        return [
            piece
            for block in blocks
            for piece in self._lessons.pieces(self.socket, block, self._pace, self._essential)
        ]

    def _compiled(self, block: Block) -> BlockDecoder:
        carried = tuple(register for register in self.signs.carried if block.covers(register))
        return replace(self.decoder.compile(block), carried=carried)

    def begin(self) -> Iterable[BlockDecoder]:
        """Return what to ask for in the next cycle."""
        if self._version != self._lessons.version:
            self._take_in()
        self._answers = 0
        asks_for_signs = self.signs.begin()
        if not self._rotating or asks_for_signs:
            return self._always
        self._turn = (self._turn + 1) % len(self._rotating)
        return (*self._always, self._rotating[self._turn - 1])

    def with_less(self, decoder: BlockDecoder, error: ExceptionAnswer) -> list[BlockDecoder]:
        """Return what to ask for instead, and remember it; raises where nothing is left to try."""
        if error.code not in NOT_SUPPORTED:
            raise error
        block = decoder.block
        if len(block.registers) == 1 and block.names() & self._essential:
            self._lessons.undo()  # no matter of length: the whole device refuses
            raise error
        self._lessons.refused(self.socket, block)
        return [self.decoder.compile(piece) for piece in self._less_of([block])]

    def answered(self, decoder: BlockDecoder) -> None:
        """Note that a request was answered."""
        self._answers += 1
        self._lessons.answered(self.socket, decoder.block)

    def without_answer(self, decoder: BlockDecoder, error: NoAnswer) -> None:
        """Note that a request had no answer: it may be too long for the device."""
        if not isinstance(error, Unreachable):
            self._lessons.failed(self.socket, decoder.block, after_others=self._answers > 0)
