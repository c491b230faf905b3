"""The simulated depot: ports, time, faults, and what it served."""

import asyncio
import json
import secrets
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TextIO

from evdesk.devices.profile_file import load_named
from evdesk.devices.profiles import ENERGY, Function
from evdesk.devices.simulator.encode import Span, served_wh
from evdesk.devices.simulator.listening import Links, listener_maker
from evdesk.devices.simulator.scenario import Fault, FaultKind, Scenario
from evdesk.devices.simulator.units import Port, Unit, lay_out
from evdesk.devices.simulator.wire import CLOSE, READ_REQUEST, SILENCE, Answer
from evdesk.devices.stepping import (
    CLOCK_ADDRESS,
    CONTROL_UNIT,
    CONTROL_WORDS,
    IDENTITY_ADDRESS,
    IDENTITY_MARK,
    SILENCE_ADDRESS,
    WRITE_REGISTERS,
)
from evdesk.domain.errors import DeviceError, UserError
from evdesk.domain.instants import from_ms, rfc3339, to_ms
from evdesk.settings import POLLING, shipped

ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE, DEVICE_FAILURE = 1, 2, 3, 4
CLOCK_REQUEST = struct.Struct(">BHHBQ")
REFUSE_CHECK_S = 0.2  # how often a wall-clock depot opens and closes its ports
EXCEPTION_BIT = 0x80


class Depot:
    """Serves the devices of a scenario on loopback ports or serial lines.

    Raises:
        UserError: a profile is unknown, two devices of a bus share a unit, or the links cannot be.

    """

    def __init__(
        self,
        scenario: Scenario,
        *,
        stepped: bool = False,
        log: TextIO | None = None,
        profiles_dir: Path | None = None,
        wall_ms: Callable[[], int] | None = None,
        links: Links | None = None,
    ) -> None:
        self._stepped = stepped
        self._log = log
        self._wall_ms = wall_ms or _wall_ms
        self._identity = IDENTITY_MARK + secrets.token_bytes(2 * CONTROL_WORDS - len(IDENTITY_MARK))
        self._told_ms: int | None = None
        self._start_ms = None if scenario.start_at is None else to_ms(scenario.start_at)
        self._watch: asyncio.Task[None] | None = None
        wanted = {device.profile for device in scenario.devices}
        profiles = load_named(profiles_dir or shipped("resources") / "meters", wanted)
        self._ports = lay_out(scenario, profiles)
        self._listener = listener_maker(links or Links())
        self.told = 0

    async def start(self, first_port: int = 0) -> None:
        """Listen; ``first_port`` counts up per port, 0 takes free ones.

        Raises:
            DeviceError: a port is taken.
            UserError: no port would be left to tell a stepped depot the time.

        """
        for index, port in enumerate(self._ports):
            number = first_port + index if first_port else 0
            port.listener = self._listener(number, port.is_rtu, partial(self._answer, port))
            try:
                await port.listener.open()
            except DeviceError:
                await self.stop()
                raise
        refusing = [port for port in self._ports if port.may_refuse()]
        if self._stepped and len(refusing) == len(self._ports):
            await self.stop()
            raise UserError(
                "In stepped time at least one port must never refuse: nobody could tell the depot"
                " the time."
            )
        if refusing and not self._stepped:
            self._watch = asyncio.create_task(self._watch_refusals(), name="depot refusals")

    async def stop(self) -> None:
        """Close every port and connection."""
        if self._watch is not None:
            self._watch.cancel()
            with suppress(asyncio.CancelledError):
                await self._watch
            self._watch = None
        for port in self._ports:
            if port.listener is not None:
                port.listener.close()
        await asyncio.sleep(0)

    def addresses(self) -> list[dict[str, object]]:
        """Return name, profile, url, unit, socket, phases, role and serial of each device."""
        rows: list[dict[str, object]] = []
        for port in self._ports:
            assert port.listener is not None  # noqa: S101 - it has started
            url = port.listener.address.bus
            for unit in port.every():
                device = unit.device.device
                rows.append(
                    {
                        "name": device.name,
                        "profile": device.profile,
                        "url": url,
                        "unit": unit.device.unit,
                        "socket": device.socket,
                        "phases": device.phases,
                        "role": device.role.value,
                        "serial": str(device.serial) if device.serial else None,
                    }
                )
        return rows

    def counts(self) -> dict[str, Any]:
        """Return what was served: reads and faults per device and unit, and instants told."""
        units = (unit for port in self._ports for unit in port.every())
        devices = [
            {
                "name": unit.device.device.name,
                "unit": unit.device.unit,
                "reads": unit.reads,
                "faults": unit.faults,
            }
            for unit in units
        ]
        return {"devices": devices, "reads": sum(_reads(row) for row in devices), "told": self.told}

    # -- time -----------------------------------------------------------------------------------

    def _offset_ms(self) -> int:
        """Return milliseconds since the scenario's start."""
        now_ms = self._now_ms()
        if self._start_ms is None:
            self._start_ms = now_ms
        return now_ms - self._start_ms

    def _now_ms(self) -> int:
        if not self._stepped:
            return self._wall_ms()
        return self._told_ms if self._told_ms is not None else self._start_ms or 0

    async def _watch_refusals(self) -> None:
        while True:
            await self._keep_refusals()
            await asyncio.sleep(REFUSE_CHECK_S)

    async def _keep_refusals(self) -> None:
        at_ms = self._offset_ms()
        for port in self._ports:
            if port.listener is None:
                continue
            if port.refuses(at_ms):
                port.listener.refuse()
            elif not port.listener.is_open:
                with suppress(DeviceError):  # taken meanwhile: tried again at the next look
                    await port.listener.open()

    # -- answers --------------------------------------------------------------------------------

    def _answer(self, port: Port, unit_id: int, pdu: bytes) -> Answer:
        if unit_id == CONTROL_UNIT:
            return self._control(port, pdu)
        if self._stepped and self._told_ms is None:
            return _exception(pdu[0], DEVICE_FAILURE)
        unit = port.asked(unit_id, pdu)
        at_ms = self._offset_ms()
        if self._stepped and port.refuses(at_ms):
            return CLOSE
        if unit is None:
            return SILENCE
        return self._device(unit, at_ms, pdu)

    def _device(self, unit: Unit, at_ms: int, pdu: bytes) -> Answer:
        fault = unit.fault(at_ms, pdu)
        delay_s = 0.0
        if fault is not None:
            unit.faults += 1
            if fault.kind is FaultKind.SILENCE:
                return SILENCE
            if fault.kind is FaultKind.DROP:
                return CLOSE
            if fault.kind is FaultKind.EXCEPTION:
                return _exception(pdu[0], fault.amount or DEVICE_FAILURE)
            delay_s = self._delay_s(fault)
        answer = self._read(unit, at_ms, pdu, delay_s)
        before, unit.before = unit.before, answer
        if fault is not None and fault.kind is FaultKind.CROSSED:
            return replace(before, is_late=True)
        return answer

    def _read(self, unit: Unit, at_ms: int, pdu: bytes, delay_s: float) -> Answer:
        if pdu[0] not in list(Function) or len(pdu) != READ_REQUEST.size:
            return _exception(pdu[0], ILLEGAL_FUNCTION)
        function, address, count = READ_REQUEST.unpack(pdu)
        span = unit.encoder.span(function, address, count)
        if not isinstance(span, Span):
            return _exception(function, span)
        unit.reads += 1
        words = unit.encoder.words(span, unit.device.at(at_ms))
        if self._log is not None and span.energy is not None:
            self._note(unit, words[span.energy], at_ms)
        data = _bits(words) if Function(function).is_bits else words
        return Answer(bytes((function, len(data))) + data, delay_s)

    def _delay_s(self, fault: Fault) -> float:
        """Return the delay; in stepped time shorter, as the limit of a request is shorter there."""
        if fault.kind is not FaultKind.SLOW:
            return 0.0
        scale = POLLING.stepped_timeout_s / POLLING.timeout_s if self._stepped else 1.0
        return fault.amount / 1_000 * scale

    def _note(self, unit: Unit, words: bytes, at_ms: int) -> None:
        device = unit.device
        snapshot = device.at(at_ms)
        wh = served_wh(device.profile.registers[ENERGY], words) if snapshot.has_energy else None
        row = {
            "at": rfc3339(from_ms(at_ms + (self._start_ms or 0))),
            "device": device.device.name,
            "unit": device.unit,
            "register_wh": wh,
            "raw": words.hex(),
            "power_w": round(snapshot.power_w, 1),
            "state": snapshot.pilot.value,
        }
        if self._log is not None:
            self._log.write(json.dumps(row) + "\n")

    def _control(self, port: Port, pdu: bytes) -> Answer:
        """Serve the unit through which a collector tells the time; wall clocks are not told."""
        if pdu[0] == WRITE_REGISTERS:
            return self._tell(pdu)
        if len(pdu) != READ_REQUEST.size or pdu[0] != Function.HOLDING:
            return _exception(pdu[0], ILLEGAL_FUNCTION)
        _, address, count = READ_REQUEST.unpack(pdu)
        if self._stepped and (address, count) == (IDENTITY_ADDRESS, CONTROL_WORDS):
            return Answer(bytes((Function.HOLDING, len(self._identity))) + self._identity)
        if self._stepped and count == 1 and SILENCE_ADDRESS <= address < 2 * SILENCE_ADDRESS:
            is_silent = self._is_silent(port.first(address - SILENCE_ADDRESS))
            return Answer(bytes((Function.HOLDING, 2, 0, is_silent)))
        return _exception(pdu[0], ILLEGAL_ADDRESS)

    def _is_silent(self, unit: Unit | None) -> bool:
        if unit is None:
            return True
        fault = unit.device.faults.answering(self._offset_ms(), lambda _: False)
        if fault is None:
            return False
        too_slow = fault.kind is FaultKind.SLOW and fault.amount >= POLLING.timeout_s * 1_000
        return fault.kind is FaultKind.SILENCE or too_slow

    def _tell(self, pdu: bytes) -> Answer:
        if not self._stepped or len(pdu) != CLOCK_REQUEST.size:
            return _exception(pdu[0], ILLEGAL_VALUE)
        function, address, count, _, at_ms = CLOCK_REQUEST.unpack(pdu)
        if (address, count) != (CLOCK_ADDRESS, CONTROL_WORDS):
            return _exception(pdu[0], ILLEGAL_ADDRESS)
        self._told_ms = at_ms
        self.told += 1
        return Answer(struct.pack(">BHH", function, address, count))


def _bits(words: bytes) -> bytes:
    """Return words of 0 or 1 as packed bits, the first lowest (V1.1b3, 6.1)."""
    packed = sum((word & 1) << at for at, word in enumerate(words[1::2]))
    return packed.to_bytes((len(words) // 2 + 7) // 8, "little")


def _reads(row: dict[str, Any]) -> int:
    return int(row["reads"])


def _exception(function: int, code: int) -> Answer:
    return Answer(bytes((function | EXCEPTION_BIT, code)))


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000
