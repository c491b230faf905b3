"""What the error registers of chargers mean, as far as that is known.

Source: the makers' Modbus tables as named in the device profiles. A number that is not listed is a
``VendorError``: it is shown as it came, nothing is guessed.
"""

from collections.abc import Mapping

from evdesk.domain.faults import FaultCode

MEANINGS: Mapping[str, Mapping[int, FaultCode]] = {
    "goe-gemini": {
        1: FaultCode.GROUND_FAILURE,  # residual current breaker
    },
    "webasto-next": {
        1: FaultCode.CONTACTOR_FAULT,  # power switch
        4: FaultCode.OVER_VOLTAGE,
        5: FaultCode.UNDER_VOLTAGE,
        6: FaultCode.OVER_CURRENT,
        8: FaultCode.GROUND_FAILURE,
        10: FaultCode.HIGH_TEMPERATURE,
        11: FaultCode.PROXIMITY_FAULT,
        15: FaultCode.PILOT_FAULT,  # its negative half is out of range
        16: FaultCode.GROUND_FAILURE,  # direct residual current
    },
}
REPORTED = (
    FaultCode.GROUND_FAILURE,
    FaultCode.HIGH_TEMPERATURE,
    FaultCode.OVER_CURRENT,
    FaultCode.OVER_VOLTAGE,
    FaultCode.UNDER_VOLTAGE,
    FaultCode.PILOT_FAULT,
    FaultCode.CONTACTOR_FAULT,
    FaultCode.PROXIMITY_FAULT,
    FaultCode.VENDOR_ERROR,
    FaultCode.INOPERATIVE,
)


def meaning(profile: str, error_code: int | None) -> FaultCode | None:
    """Return what an error register says; None where it says that all is well, or nothing."""
    if not error_code:
        return None
    return MEANINGS.get(profile, {}).get(error_code, FaultCode.VENDOR_ERROR)
