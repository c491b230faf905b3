"""A link to a simulated depot in the same process: no socket, no waiting, every request counted."""

import struct
from collections.abc import Callable

from evdesk.devices.connection import Connection
from evdesk.devices.failures import TimedOut
from evdesk.devices.plan import plan_blocks
from evdesk.devices.profiles import Profile
from evdesk.devices.simulator.depot import Depot
from evdesk.devices.simulator.scenario import Scenario
from evdesk.devices.tempo import Tempo
from evdesk.devices.urls import parse_url

Answer = Callable[[int, bytes], bytes | None]
MIDNIGHT_MS = 1_772_409_600_000


class DirectLink(Connection):
    """Hands requests (from the function code on) to a function; None is silence."""

    def __init__(self, answer: Answer, url: str = "tcp://127.0.0.1:502") -> None:
        super().__init__(parse_url(url, demo=False), Tempo(lambda: 0.0, 1.0, keeps_gaps=False))
        self.ask = answer
        self.requests: list[tuple[int, bytes]] = []

    async def open(self) -> None:
        """There is nothing to open."""

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


def answers_everything(link: DirectLink, profile: Profile, unit: int) -> DirectLink:
    """Return a link to the same device, did it answer 0 wherever it has nothing."""
    words: dict[tuple[int, int], bytes] = {}
    for register in profile.registers.values():
        (block,) = plan_blocks([register], profile.pace)
        asked = unit if block.unit_id is None else block.unit_id
        request = struct.pack(">BHH", block.function, block.address, block.count)
        answer = link.ask(asked, request)
        if asked == unit and answer is not None and answer[0] == block.function:
            for number in range(block.count):
                key = (int(block.function), block.address + number)
                words[key] = answer[2 + 2 * number : 4 + 2 * number]

    def answered(asked: int, request: bytes) -> bytes | None:
        if asked != unit:
            return None
        if request[0] not in {3, 4}:
            return bytes((request[0] | 0x80, 1))
        function, first, count = struct.unpack(">BHH", request)
        data = b"".join(words.get((function, first + n), b"\0\0") for n in range(count))
        return bytes((function, len(data))) + data

    return DirectLink(answered)
