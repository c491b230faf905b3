"""A depot that is not there: devices that answer Modbus as their profiles say, and their faults."""

from evdesk.devices.simulator.scenario_file import load_scenario
from evdesk.devices.simulator.serving import serve

__all__ = ["load_scenario", "serve"]
