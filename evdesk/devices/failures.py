"""How a request can fail."""

from pymodbus.constants import ExcCodes

from evdesk.domain.errors import DeviceError


class NoAnswer(DeviceError):  # noqa: N818 - the name says all
    """Silent, closed, refused, or an answer that cannot be what was asked for."""


class TimedOut(NoAnswer):
    """Nothing came in time."""


class Unreachable(NoAnswer):
    """There is no connection; the back-off is the connection's own."""


class TooEarly(Unreachable):
    """It failed before and it is too early to try again; says what happened then."""


class ExceptionAnswer(DeviceError):  # noqa: N818
    """The device answered that it will not; ``code`` is the Modbus exception code."""

    def __init__(self, template: str, *, code: int, **facts: object) -> None:
        super().__init__(template, code=code, **facts)
        self.code = code


def exception_name(code: int) -> str:
    """Return the name of a Modbus exception code in words."""
    try:
        return ExcCodes(code).name.lower().replace("_", " ").replace("unaviable", "unavailable")
    except ValueError:
        return "unknown code"
