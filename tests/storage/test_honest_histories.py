"""Whatever honest use, a set clock and power cuts do to a site, its log is found intact."""

import shutil
import tempfile
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest
from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st

from evdesk.documents.evidence import EvidenceZip
from evdesk.domain.secrets import Secret
from evdesk.domain.verdicts import Known, Result
from evdesk.settings import shipped
from evdesk.storage import keys
from evdesk.storage.verification import verify_log
from tests.documents.verifier import verifier
from tests.storage.histories import THINGS, History
from tests.storage.sites import PASSWORD, raw

MANY = 1_000
some = st.tuples(st.sampled_from(THINGS), st.integers(0, 40))
histories = st.lists(some, min_size=6, max_size=30)


@pytest.fixture(scope="session")
def signing_key(made_site: tuple[Path, str, Secret]) -> Secret:
    key = keys.unlock(made_site[0], None, PASSWORD).signing_key
    assert key is not None
    return key


def live(things, folder: Path, made_site, signing_key: Secret) -> None:
    """Let these things happen, then let both verifiers look."""
    site = Path(shutil.copytree(made_site[0], folder / "site"))
    history = History(site, made_site[2], signing_key)
    try:
        history.add_a_station(0)
        history.read(1)
        for thing, number in things:
            thing(history, number)
            event(thing.__name__)
        assert history.store.rollback is None
        found = bundle(history, folder)
    finally:
        history.close()
    connection = raw(site, made_site[2])
    connection.run("BEGIN")
    anchored = history.keys.anchored()
    assert anchored is not None
    verdict = verify_log(connection, Known(history.keys.verifier(), [anchored]))
    connection.close()
    assert (verdict.result, verdict.findings, verdict.doubts) == (Result.INTACT, (), ())
    report = verifier().verify(found, verifier().Given([], None, None))
    assert (report["result"], report["findings"]) == ("intact", [])
    for name in ("entries", "verified", "erased", "clock_set_back", "rows", "segments"):
        assert report[name] == getattr(verdict, name)


def bundle(history: History, folder: Path) -> Path:
    out = BytesIO()
    anchored = history.keys.anchored()
    known = Known(history.keys.verifier(), [] if anchored is None else [anchored])
    with history.store.read() as unit:
        EvidenceZip(shipped("resources")).write(
            unit.audit.evidence(known), out, lambda _share: None
        )
    with ZipFile(out) as archive:
        archive.extractall(folder / "bundle")
    return folder / "bundle"


@settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking takes minutes
)
@given(things=histories)
def test_an_honest_history_is_found_intact(things, made_site, signing_key) -> None:
    with tempfile.TemporaryDirectory() as folder:
        live(things, Path(folder), made_site, signing_key)


@pytest.mark.slow
@pytest.mark.timeout(3_600)
@settings(
    max_examples=MANY,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate, Phase.shrink],
)
@given(things=histories)
def test_a_thousand_honest_histories_are_found_intact(things, made_site, signing_key) -> None:
    with tempfile.TemporaryDirectory() as folder:
        live(things, Path(folder), made_site, signing_key)
