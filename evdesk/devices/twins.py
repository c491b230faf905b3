"""One device that answers to several units, as those with a network port of their own often do."""

from dataclasses import dataclass

from evdesk.devices.asking import Asker
from evdesk.devices.connection import ExceptionAnswer, NoAnswer, Unreachable
from evdesk.devices.decode import decode_values
from evdesk.devices.plan import Block, plan_blocks
from evdesk.devices.profiles import ENERGY
from evdesk.devices.suspects import Suspect
from evdesk.ports import FoundDevice

SERIAL = "serial_number"
LEAST_WH = 1_000  # a register that has hardly begun to count is no sign
MOST_DRIFT_WH = 200  # it goes on counting while its other units are asked


@dataclass(frozen=True, slots=True)
class Sign:
    """What tells a device from another of its kind: a serial number, or else the register."""

    block: Block
    shift: int
    serial: str | None
    energy_wh: int | None

    def matches(self, other: "Sign | None") -> bool:
        """Say whether two units can only be the same device."""
        if other is None:
            return False
        if self.serial is not None or other.serial is not None:
            return self.serial == other.serial
        if self.energy_wh is None or other.energy_wh is None or self.energy_wh < LEAST_WH:
            return False
        return abs(other.energy_wh - self.energy_wh) <= MOST_DRIFT_WH


@dataclass(frozen=True, slots=True)
class Twin:
    """A device that was found, and its sign."""

    device: FoundDevice
    sign: Sign

    async def is_at(self, asker: Asker) -> bool:
        """Ask another unit for the same sign.

        Raises:
            Unreachable: there is no connection (any more).

        """
        return self.sign.matches(await _read(asker, self.sign.block, self.sign.shift))


async def read_sign(asker: Asker, suspect: Suspect | None) -> Sign | None:
    """Return the sign of a unit through the profile it probably has; None where it has none.

    Raises:
        Unreachable: there is no connection (any more).

    """
    if suspect is None:
        return None
    for name in (SERIAL, ENERGY):
        register = suspect.profile.registers.get(name)
        if register is None or not register.readable:
            continue
        (block,) = plan_blocks([register], suspect.profile.pace)
        sign = await _read(asker, block, suspect.shift)
        if sign is not None:
            return sign
    return None


async def _read(asker: Asker, block: Block, shift: int) -> Sign | None:
    try:
        data = await asker.read(block, shift)
    except Unreachable:
        raise
    except (ExceptionAnswer, NoAnswer):
        return None
    ((register, _, value),) = decode_values(block, data)
    if value in {None, 0, ""}:
        return None
    if register.name == SERIAL:
        return Sign(block, shift, _spelt(value), None)
    return Sign(block, shift, None, value)


def _spelt(value: object) -> str:
    return f"{value:.0f}" if isinstance(value, float) else str(value).strip()
