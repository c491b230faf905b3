"""Readings go by whole days, however they are kept, and both verifiers still call it intact."""

import zipfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from evdesk.documents.evidence import EvidenceZip
from evdesk.domain.audit import Change
from evdesk.domain.readings import MeterId, Reading
from evdesk.domain.retention import HoldKind
from evdesk.domain.secrets import Secret
from evdesk.domain.verdicts import Known, Result
from evdesk.services.sealing import Archivist
from evdesk.settings import shipped
from evdesk.storage.log_keys import SiteLogKeys
from tests.documents.verifier import verifier
from tests.fakes.clock import START
from tests.services.retained import Retained
from tests.storage.archives import steady


@pytest.fixture
def site(folder: Path, new_site: tuple[Path, Secret]):
    """Two days of readings: one sealed and thinned out, one sealed; and some that came late."""
    site = Retained(folder, new_site[1])
    site.add_meter()
    first = steady(MeterId(1), 3, every_s=20)
    second = [read_later(one, timedelta(days=30)) for one in first]
    with site.store.journal() as unit:
        unit.readings.add([*first, *second])
    archivist = Archivist(site.store)
    archivist.steps(START + timedelta(days=31), 10_000)
    archivist.steps(START + timedelta(days=100), 10_000)  # thins the first day
    late = [read_later(one, timedelta(seconds=7)) for one in first[:20]]
    with site.store.journal() as unit:
        unit.readings.add(late)
    yield site
    site.store.close()


def read_later(one: Reading, by: timedelta) -> Reading:
    return replace(one, at=one.at + by)


def told_by_both(site: Retained, tmp_path: Path) -> tuple[Result, str, int]:
    """What evdesk says, what the script in the bundle says, and of how many erased days."""
    verdict = site.verdict()
    keys = SiteLogKeys(site.folder, lambda: None)
    anchored = keys.anchored()
    assert anchored is not None
    file = tmp_path / "evidence.zip"
    with site.store.read() as unit, file.open("wb") as out:
        evidence = unit.audit.evidence(Known(keys.verifier(), [anchored]))
        EvidenceZip(shipped("resources")).write(evidence, out, lambda _share: None)
    folder = tmp_path / "bundle"
    with zipfile.ZipFile(file) as bundle:
        bundle.extractall(folder)
    script = verifier()
    report = script.verify(folder, script.Given([], None, None))
    assert verdict.erased_days == report["erased_days"]
    assert dict(verdict.erased_under) == report["erased_under"]
    assert (verdict.findings == ()) == (report["findings"] == []), report["findings"]
    return verdict.result, report["result"], verdict.erased_days


def test_days_go_at_the_end_of_their_period(site: Retained, tmp_path: Path) -> None:
    site.clock.at = START.replace(year=2034, month=12, day=31, hour=22)
    assert "readings" not in site.run()
    site.clock.at += timedelta(hours=2)
    assert site.run()["readings"] == 2
    for table in ("reading", "segment", "segment_data"):
        assert site.count(table) == 0, table
    assert site.rows("SELECT readings, bytes FROM archive") == [(0, 0)]
    assert told_by_both(site, tmp_path) == (Result.INTACT, "intact", 2)


def test_readings_that_prove_a_kept_invoice_stay(site: Retained, tmp_path: Path) -> None:
    kim = site.add_driver()
    site.charge(kim, at=START + timedelta(days=30))
    review = (START + timedelta(days=60)).date()
    site.retention.hold(HoldKind.PERSON, kim, "court", review)
    site.to("2035-02-01")
    assert site.run()["readings"] == 1
    plan = {one.rule.id: dict(one.reasons) for one in site.retention.plan() if one.selected}
    assert plan["readings"] == {"in_use": 1}
    assert told_by_both(site, tmp_path) == (Result.INTACT, "intact", 1)


def test_a_day_that_is_taken_away_without_a_rule_is_missed(site: Retained, tmp_path: Path) -> None:
    with site.store.write() as unit:
        db = unit._connection  # type: ignore[attr-defined]
        db.run("INSERT INTO deletion_permit VALUES ('segment', 'x'), ('segment_data', 'x')")
        db.run("DELETE FROM segment WHERE bucket_ms = 60000")
        db.run("DELETE FROM segment_data WHERE id NOT IN (SELECT data_id FROM segment)")
        db.run("DELETE FROM deletion_permit")
        unit.record_change(Change("test.do", "test", "1", {}))
    assert told_by_both(site, tmp_path)[:2] == (Result.TAMPERED, "tampered")


def test_readings_that_come_after_an_erasure_are_told_from_those_before(
    site: Retained, tmp_path: Path
) -> None:
    site.to("2035-02-01")
    site.run()
    with site.store.journal() as unit:
        unit.readings.add(steady(MeterId(1), 0.1, every_s=20))
    Archivist(site.store).steps(site.clock.at, 10_000)
    assert site.count("segment") == 1
    assert told_by_both(site, tmp_path) == (Result.INTACT, "intact", 2)
    assert site.run()["readings"] == 1
