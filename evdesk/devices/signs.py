"""What a device says beside its measurements: who it is, which card, which error."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from evdesk.devices.decode import value_of
from evdesk.devices.lessons import STRIKES, Lessons
from evdesk.devices.plan import Block, plan_blocks
from evdesk.devices.profiles import ENERGY, Pace, Profile, Register
from evdesk.domain.readings import PilotState, Signs

SERIAL = "serial_number"
EVERY = 10  # cycles from one request for lesser signs to the next
UID_LENGTHS = (4, 7, 10)  # bytes of a card's number (ISO/IEC 14443-3, 6.5.4)


Answer = tuple[Block, Sequence[Register], bytes]


class SignWatch:
    """Knows which signs of one socket are to be asked for, and makes them of the answers.

    The serial number is asked for once after each new connection or failure, the others then, when
    the state has changed, and one request every few cycles. Those that lie between what is read
    anyway are taken from there.
    """

    def __init__(
        self, profile: Profile, always: Sequence[Block], socket: int, lessons: Lessons
    ) -> None:
        there = [profile.registers[name] for name in FIELDS if name in profile.registers]
        readable = [register for register in there if register.readable]
        self._pace: Pace = profile.pace
        self._socket = socket
        self._lessons = lessons
        self._serial = self._planned([r for r in readable if r.name == SERIAL])
        lesser = [register for register in readable if register.name != SERIAL]
        self.carried = [r for r in lesser if any(block.covers(r) for block in always)]
        self._lesser = list(self._planned([r for r in lesser if r not in self.carried]))
        self._is_new = True
        self._pilot: PilotState | None = None
        self._cycles = 0
        self._turn = 0
        self._strikes: dict[Block, int] = {}
        self._known_serial: str | None = None

    def anew(self) -> None:
        """Ask for all of them again: there is a new connection, or there was a failure."""
        self._is_new = True

    def begin(self) -> bool:
        """Count a cycle; say whether it asks for a sign, in place of a value that rotates."""
        self._cycles += 1
        return bool(self._lesser) and self._cycles % EVERY == 0

    def due(self, pilot: PilotState | None) -> Sequence[Block] | None:
        """Return what to ask for in this cycle, now that its pilot state is known; None for none.

        Empty, what lies in the answers is to be taken.
        """
        has_changed = pilot is not None and pilot is not self._pilot
        if has_changed:
            self._pilot = pilot
        if self._is_new:
            self._is_new = False
            self._known_serial = None
            return (*self._serial, *self._lesser)
        if has_changed:
            return tuple(self._lesser)
        if self._cycles % EVERY or not (self._lesser or self.carried):
            return None
        self._turn = (self._turn + 1) % max(1, len(self._lesser))
        return self._lesser[self._turn : self._turn + 1]

    def ask_for(self, registers: Sequence[Register]) -> None:
        """Ask for signs of their own that were carried by an answer so far."""
        self.carried = [r for r in self.carried if r not in registers]
        self._lesser += self._planned(registers)

    def _planned(self, registers: Sequence[Register]) -> tuple[Block, ...]:
        return self._less_of(plan_blocks(registers, self._pace))

    def _less_of(self, blocks: Iterable[Block]) -> tuple[Block, ...]:
        return tuple(
            piece
            for block in blocks
            for piece in self._lessons.pieces(self._socket, block, self._pace)
        )

    def refused(self, block: Block) -> Sequence[Block]:
        """Take in that a device does not know a register; return what to ask for instead."""
        self._lessons.refused(self._socket, block)
        less = self._less_of([block])
        self._replace(block, less)
        return less

    def failed(self, block: Block) -> None:
        """Take in that a request cost the link; one that always does is left out from then on."""
        self._strikes[block] = self._strikes.get(block, 0) + 1
        if self._strikes[block] >= STRIKES:
            self._lessons.leave_out(self._socket, block)
            self._replace(block, self._less_of([block]))

    def answered(self, block: Block) -> None:
        """Take in that a request was answered."""
        self._strikes.pop(block, None)

    def take(self, answers: Iterable[Answer]) -> Signs | None:
        """Return what was said in this cycle; None where that is nothing."""
        found: dict[str, Any] = {}
        for block, registers, data in answers:
            for register in registers:
                field, convert = FIELDS[register.name]
                value = convert(register, data[block.bytes_of(register)])
                if value is not None:
                    found[field] = max(found.get(field, value), value)
        if not found:
            return None
        self._known_serial = found.get("serial", self._known_serial)
        return Signs(**{"serial": self._known_serial, **found})

    def _replace(self, old: Block, new: Sequence[Block]) -> None:
        if old in self._serial:
            self._serial = tuple(new)
        else:
            self._lesser = [b for one in self._lesser for b in (new if one == old else (one,))]


def _number(register: Register, words: bytes) -> int | None:
    value = value_of(register, words)
    if isinstance(value, str):
        return int(value, 16) if register.type == "bytes" else None
    return None if value is None else int(value)


def _session_wh(register: Register, words: bytes) -> int | None:
    wh: int | None = value_of(replace(register, name=ENERGY), words)
    return wh


def _degrees(register: Register, words: bytes) -> float | None:
    degrees: float | None = value_of(register, words)
    return degrees


def _serial_number(register: Register, words: bytes) -> str | None:
    value = value_of(register, words)
    text = f"{value:.0f}" if isinstance(value, float) else str(value or "").strip()
    return text.upper() if text.strip("0") else None


def _card(register: Register, words: bytes) -> str | None:
    """Return a card's number in plain text; empty where none is shown, as all ones say, too."""
    value = value_of(register, words)
    if not words.strip(b"\xff"):
        return ""
    if register.type == "bytes":
        text = _uid(bytes.fromhex(str(value)))
    elif isinstance(value, float):
        text = f"{int(value):0{4 * register.length}X}"
    else:
        text = str(value or "")
    return text.upper() if text.strip("0 ") else ""


def _uid(padded: bytes) -> str:
    """Return a card's number without the zeros that fill its register."""
    held = len(padded.strip(b"\0"))
    size = next((length for length in UID_LENGTHS if length >= held), len(padded))
    return (padded[:size] if padded[:1] != b"\0" else padded[-size:]).hex()


FIELDS: dict[str, tuple[str, Callable[[Register, bytes], Any]]] = {
    SERIAL: ("serial", _serial_number),
    "rfid_tag": ("tag", _card),
    "connected_duration": ("connected_s", _number),
    "session_energy": ("session_wh", _session_wh),
    "error_code": ("error_code", _number),
    "temperature": ("temperature_c", _degrees),
    "board_temperature": ("temperature_c", _degrees),
}
