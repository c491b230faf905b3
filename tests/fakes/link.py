"""A link to a simulated depot in the same process: no socket, no waiting, every request counted."""

import struct
from collections.abc import Callable

from evdesk.devices.connection import Connection
from evdesk.devices.failures import TimedOut
from evdesk.devices.plan import Block, plan_blocks
from evdesk.devices.profiles import Profile
from evdesk.devices.simulator.depot import Depot
from evdesk.devices.simulator.scenario import Scenario
from evdesk.devices.tempo import Quiet, Tempo
from evdesk.devices.urls import parse_url

Answer = Callable[[int, bytes], bytes | None]
Words = dict[tuple[int, int], bytes]
MIDNIGHT_MS = 1_772_409_600_000


class DirectLink(Connection):
    """Hands requests (from the function code on) to a function; None is silence."""

    def __init__(self, answer: Answer, url: str = "tcp://127.0.0.1:502") -> None:
        super().__init__(parse_url(url, demo=False), Tempo(lambda: 0.0, 1.0, keeps_gaps=False))
        self.ask = answer
        self.requests: list[tuple[int, bytes]] = []
        self.quiets: list[float] = []

    async def open(self) -> None:
        """There is nothing to open."""

    async def read(
        self, unit: int, block: Block, shift: int, quiet: Quiet, timeout_s: float | None = None
    ) -> bytes:
        self.quiets.append(quiet.gap_s)
        return await super().read(unit, block, shift, quiet, timeout_s)

    async def exchange(self, unit: int, request: bytes, timeout_s: float | None = None) -> bytes:
        self.requests.append((unit, request))
        answer = self.ask(unit, request)
        if answer is None:
            raise TimedOut("Unit {unit} did not answer.", unit=unit)
        return self._checked(unit, request[0], answer)


def depot_link(scenario: Scenario, at_ms: int = 0, url: str = "tcp://127.0.0.1:502") -> DirectLink:
    """Return a link to the first port of a depot that shows one instant of a scenario."""
    depot = Depot(scenario, wall_ms=lambda: MIDNIGHT_MS + at_ms)
    depot._start_ms = MIDNIGHT_MS
    port = depot._ports[0]
    return DirectLink(lambda unit, request: depot._answer(port, unit, request).pdu, url)


def words_of(link: DirectLink, profile: Profile, unit: int) -> Words:
    """Return every word that a device of a profile has, by function and address."""
    words: Words = {}
    for register in profile.registers.values():
        (block,) = plan_blocks([register], profile.pace)
        request = struct.pack(">BHH", block.function, block.address, block.count)
        answer = link.ask(unit, request)
        if block.unit_id is None and answer is not None and answer[0] == block.function:
            for number in range(block.count):
                key = (int(block.function), block.address + number)
                words[key] = answer[2 + 2 * number : 4 + 2 * number]
    return words


def words_link(
    words: Words,
    unit: int,
    *,
    missing: bytes | None = None,
    silent: bool = False,
    url: str = "tcp://127.0.0.1:502",
) -> DirectLink:
    """Return a link to a unit that has these words.

    It refuses others, or answers ``missing`` in their place, or says nothing.
    """

    def answered(asked: int, request: bytes) -> bytes | None:
        if asked != unit:
            return None
        if request[0] not in {3, 4}:
            return None if silent else bytes((request[0] | 0x80, 1))
        function, first, count = struct.unpack(">BHH", request)
        found = [words.get((function, first + n), missing) for n in range(count)]
        data = b"".join(word for word in found if word is not None)
        if len(data) == 2 * count:
            return bytes((function, len(data))) + data
        return None if silent else bytes((function | 0x80, 2))

    return DirectLink(answered, url)
