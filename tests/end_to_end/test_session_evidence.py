"""What a session keeps of where its energy comes from, years after its readings are gone."""

import json
from dataclasses import asdict
from pathlib import Path

from evdesk.devices.simulator.scenario import FaultKind
from evdesk.domain.instants import rfc3339
from evdesk.domain.sessions import Flag
from tests.end_to_end.rig import Blank, Rig, bay, box, fault, rig, visit

OLD, NEW = 21_000_111, 21_000_222
CARD = "04A1B2C3"


def served_raw(site: Rig, at: object) -> set[str]:
    rows = map(json.loads, site.log.read_text(encoding="utf-8").splitlines())
    return {row["raw"] for row in rows if row["at"] == at and row["device"] == "bay"}


def test_a_session_keeps_the_words_of_its_first_and_last_register(
    tmp_path: Path, blank: Blank
) -> None:
    with rig(tmp_path, blank, bay()) as site:
        site.collect(until=30)
        figures = site.the_session().figures
        for register in (figures.start, figures.end):
            assert register is not None
            assert served_raw(site, rfc3339(register.at)) == {register.raw.hex()}


def test_a_session_over_two_meters_names_both(tmp_path: Path, blank: Blank) -> None:
    swap = fault(FaultKind.REPLACE, 11, None, 500, serial=NEW)
    meter = bay(fault(FaultKind.SILENCE, 10, 12), swap, profile="abb-b23-b24", serial=OLD)
    with rig(tmp_path, blank, box(), meter) as site:
        site.join(energy="bay", state="box")
        site.collect(until=30)
        found = site.the_session()
        assert Flag.METER_CHANGED in found.figures.flags
        assert found.figures.start is not None
        assert found.figures.end is not None
        assert found.figures.start.serial == str(OLD)
        assert found.figures.end.serial == str(NEW)


def test_a_card_is_kept_as_a_keyed_hash_with_its_last_characters(
    tmp_path: Path, blank: Blank
) -> None:
    cars = (visit(5, 25, tag=CARD), visit(40, 60, tag=CARD), visit(70, 90, tag="04D4E5F6"))
    with rig(tmp_path, blank, bay(profile="keba-p30", visits=cars)) as site:
        site.collect(until=95)
        tags = [one.figures.tag for one in site.sessions()]
        assert [tag.shown[-4:] for tag in tags if tag] == ["B2C3", "B2C3", "E5F6"]
        first, again, other = tags
        assert first == again != other
        with site.opened.services.store.read() as unit:
            events = [event for one in site.sessions() for event in unit.sessions.events(one.id)]
        kept = repr([asdict(event) for event in events] + [asdict(one) for one in site.sessions()])
        assert CARD not in kept
        assert bytes.fromhex(CARD).hex() not in kept
