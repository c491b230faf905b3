"""A depot that is not there: devices that answer Modbus as their profiles say, and their faults."""
