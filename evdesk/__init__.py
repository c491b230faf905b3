"""evdesk: reads the meters of a small charging site, bills the energy, and proves both."""

__version__ = "0.1.0"
