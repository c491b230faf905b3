"""Real, encrypted sites without devices; made once a run and copied for each test."""

from datetime import UTC, datetime

import pytest

from evdesk.bootstrap.sites import SiteRequest, create_site
from evdesk.storage import keys
from tests.end_to_end.places import PASSWORD
from tests.end_to_end.rig import Blank

MADE_AT = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="session")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Blank:
    """A demo site in stepped time."""
    return _made(tmp_path_factory, demo=True)


@pytest.fixture(scope="session")
def real_blank(tmp_path_factory: pytest.TempPathFactory) -> Blank:
    """A site on the wall clock."""
    return _made(tmp_path_factory, demo=False)


def _made(tmp_path_factory: pytest.TempPathFactory, *, demo: bool) -> Blank:
    """Make a folder nobody writes to; return it with its data key."""
    folder = tmp_path_factory.mktemp("blank") / "site"
    request = SiteRequest(
        name="Test depot",
        owner="Ada",
        tz="Europe/Berlin",
        currency="EUR",
        country="DE",
        language="en",
        demo=demo,
        starts_at=MADE_AT,
    )
    create_site(folder, PASSWORD, request)
    return Blank(folder, keys.unlock(folder, None, PASSWORD).data_key)
