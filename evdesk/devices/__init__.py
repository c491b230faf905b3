"""Meters and chargers over Modbus: profiles, connections, readers and a simulated depot.

The only package that imports pymodbus.
"""
