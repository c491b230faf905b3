"""The same visit at every device there is a profile of: the same session, to its resolution."""

from pathlib import Path

import pytest

from evdesk.devices.profile_file import load_profiles
from evdesk.devices.profiles import Profile
from evdesk.devices.simulator.scenario import Device, FaultKind
from evdesk.domain.sessions import SessionState
from evdesk.ports import SessionFilter
from evdesk.settings import shipped
from tests.end_to_end.rig import WH, Blank, Rig, assert_clean, bay, box, fault, rig, slow

KNOWN = load_profiles(shipped("resources") / "meters")
STEP_MS = 30_000
COUNTS = sorted(name for name, profile in KNOWN.items() if profile.info.has_energy)
TELLS_ONLY = sorted(name for name, profile in KNOWN.items() if not profile.info.has_energy)


def halves(names: list[str]) -> list[list[str]]:
    return [names[: len(names) // 2], names[len(names) // 2 :]]


@pytest.mark.slow
@pytest.mark.parametrize("names", halves(COUNTS), ids=["first half", "second half"])
def test_every_device_with_a_lifetime_register_makes_the_same_session(
    tmp_path: Path, blank: Blank, names: list[str]
) -> None:
    """Two minutes of silence inside cost none of them a Wh."""
    devices = [bay(fault(FaultKind.SILENCE, 10, 12), name=name, profile=name) for name in names]
    with rig(tmp_path, blank, *devices, step_ms=STEP_MS) as site:
        site.collect(until=45)
        wrong = {name: told for name in names if (told := complaint(site, name, KNOWN[name]))}
        assert not wrong


def complaint(site: Rig, name: str, profile: Profile) -> str:
    """Return what is wrong with the session of a device; nothing where nothing is."""
    station = site.opened.services.stations.find(name)
    found = site.opened.services.sessions.find(SessionFilter(station=station))
    if len(found) != 1:
        return f"{len(found)} sessions"
    (one,) = found
    served_wh = site.between_wh(4.9, 25, name)
    if (one.state, one.figures.energy_wh) != (SessionState.CLOSED, served_wh):
        return (
            f"{one.state}, {one.figures.energy_wh} Wh and not {served_wh} Wh, {one.figures.flags}"
        )
    if abs(served_wh - WH) > profile.info.resolution_wh:
        return f"{served_wh} Wh served, {WH} Wh drawn"
    return ""


@pytest.mark.parametrize("name", [*TELLS_ONLY[:1], *slow(*TELLS_ONLY[1:])])
def test_a_charger_without_a_lifetime_register_takes_its_energy_from_a_meter_beside_it(
    tmp_path: Path, blank: Blank, name: str
) -> None:
    """Alone it makes no station: nothing would be billed from a register that may restart."""
    charger: Device = box(profile=name)
    with rig(tmp_path, blank, charger, bay(profile="eastron-sdm630")) as site:
        assert "box" not in site.stations()
        site.join(energy="bay", state="box")
        site.collect(until=45)
        assert_clean(site.the_session(), site.between_wh(4.9, 25))
