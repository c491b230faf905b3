"""What was learned of devices, kept from one start of the collector to the next."""

from typing import Protocol

from evdesk.domain.device_memory import DeviceMemory
from evdesk.domain.readings import MeterId


class DeviceMemories(Protocol):
    """One memory a device, written by the collector only when something was learned."""

    def all(self) -> dict[MeterId, DeviceMemory]:
        """Return what is known of each device; one of which nothing was learned is left out."""

    def save(self, memory: DeviceMemory) -> None:
        """Replace what is known of a device."""
