"""Which registers one request asks for, and what a cycle costs on the bus."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from evdesk.devices.profiles import ENERGY, POWER, STATE, Function, Pace, Profile, Register

TCP_ANSWER_MS = 10  # a device with a network of its own
TURNAROUND_MS = 30  # what a serial device and its converter take before the answer begins
ROTATE_ABOVE_MS = 1_000  # a cycle that costs more asks for the lesser values in turn
FRAME_BYTES = 13  # request of 8 and answer of 5 + data (Modbus over Serial Line V1.02)
BITS_PER_BYTE = 11


@dataclass(frozen=True, slots=True)
class Block:
    """One request: ``count`` registers (or bits) from ``address`` on, and the values in them.

    ``shared``: its addresses are those of all sockets. ``unit_id``: it goes to that unit.
    """

    function: Function
    address: int
    count: int
    registers: tuple[Register, ...]
    shared: bool = False
    unit_id: int | None = None

    def names(self) -> frozenset[str]:
        """Return the names of its values."""
        return frozenset(register.name for register in self.registers)

    def covers(self, register: Register) -> bool:
        """Say whether its answer holds the words of a register, wanted or not."""
        inside = self.address <= register.address and register.end <= self.address + self.count
        is_here = (self.shared, self.unit_id) == (register.shared, register.unit_id)
        return inside and is_here and self.function is register.function

    def bytes_of(self, register: Register) -> slice:
        """Return where the words of one of its values lie in the answer."""
        start = 2 * (register.address - self.address)
        return slice(start, start + 2 * register.length)


@dataclass(frozen=True, slots=True)
class CyclePlan:
    """``always`` is asked for each cycle, of ``rotating`` the next one; cost in milliseconds."""

    always: tuple[Block, ...]
    rotating: tuple[Block, ...]
    cycle_ms: int


def pointed_at(profile: Profile) -> tuple[str, ...]:
    """Return the register by which the state goes where it does not say all itself."""
    state = profile.registers.get(STATE)
    names = {value.by for value in state.enum if value.by is not None} if state else set()
    return tuple(names)


def wanted_names(profile: Profile, phases: str) -> tuple[str, ...]:
    """Return the names a reading is made of, of the phases that are wired (``123`` or fewer)."""
    names = [STATE, *pointed_at(profile), ENERGY, POWER]
    for kind in ("current", "voltage"):
        names += [f"{kind}_l{phase}" for phase in phases]
    return tuple(dict.fromkeys(name for name in names if name in profile.registers))


def plan_cycle(profile: Profile, phases: str) -> CyclePlan:
    """Return the requests of one cycle: everything, or in turn where the bus is slow."""
    pace = profile.pace
    wanted = wanted_names(profile, phases)
    blocks = plan_blocks([profile.registers[name] for name in wanted], pace)
    if sum(cost_ms(block, pace) for block in blocks) <= ROTATE_ABOVE_MS:
        return CyclePlan(blocks, (), sum(cost_ms(block, pace) for block in blocks))
    first = {STATE, ENERGY, *pointed_at(profile)}
    always = plan_blocks([profile.registers[name] for name in wanted if name in first], pace)
    order = [name for name in profile.rotation if name in wanted and name not in first]
    if not order:
        order = [name for name in wanted if name not in first]
    carried = frozenset[str]().union(*(block.names() for block in always))
    rotating = tuple(
        plan_blocks([profile.registers[name]], pace)[0] for name in order if name not in carried
    )
    dearest = max((cost_ms(block, pace) for block in rotating), default=0)
    return CyclePlan(always, rotating, sum(cost_ms(block, pace) for block in always) + dearest)


def plan_blocks(registers: Iterable[Register], pace: Pace) -> tuple[Block, ...]:
    """Return as few requests as the device allows that carry all these registers."""
    groups: list[list[Register]] = []
    for register in sorted(registers, key=lambda r: (_place(r), r.address)):
        if groups and _fits(groups[-1], register, pace):
            groups[-1].append(register)
        else:
            groups.append([register])
    return tuple(_block(group, pace) for group in groups)


def split_block(block: Block, pace: Pace) -> tuple[Block, ...]:
    """Return two smaller requests for the same values, for a device that refuses the long one."""
    half = len(block.registers) // 2
    return (_block(block.registers[:half], pace), _block(block.registers[half:], pace))


def cost_ms(block: Block, pace: Pace) -> int:
    """Return what a request costs its bus: the answer (estimated from the speed) and the gap."""
    answer = TCP_ANSWER_MS
    if pace.baud is not None:
        size = FRAME_BYTES + 2 * block.count
        answer = TURNAROUND_MS + size * BITS_PER_BYTE * 1_000 // pace.baud
    return max(pace.gap_ms, answer) if pace.gap_from_request else pace.gap_ms + answer


def _fits(group: Sequence[Register], register: Register, pace: Pace) -> bool:
    return (
        not pace.one_value
        and not register.function.is_bits
        and _place(group[-1]) == _place(register)
        and register.address - _end(group) <= pace.bridge_gap
        and _aligned((*group, register), pace)[1] <= pace.max_registers
    )


def _end(group: Sequence[Register]) -> int:
    """Return the first address after all of them; compound values reach across their neighbours."""
    return max(register.end for register in group)


def _aligned(group: Sequence[Register], pace: Pace) -> tuple[int, int]:
    if len(group) == 1 and group[0].length % pace.alignment:
        return group[0].address, group[0].length  # no pair: the device knows it by itself
    start = group[0].address - group[0].address % pace.alignment
    count = _end(group) - start
    return start, count + -count % pace.alignment


def _block(group: Sequence[Register], pace: Pace) -> Block:
    start, count = _aligned(group, pace)
    first = group[0]
    return Block(first.function, start, count, tuple(group), first.shared, first.unit_id)


def _place(register: Register) -> tuple[int, bool, int]:
    """Return what registers of one request have in common, in the order they are asked for."""
    unit = -1 if register.unit_id is None else register.unit_id
    return (unit, register.shared, register.function)
