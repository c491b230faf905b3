"""A real, encrypted site; made once a run and copied for each test."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from evdesk.domain.secrets import Secret
from evdesk.storage import keys
from evdesk.storage.site_folder import create_site
from tests.services.desk import OWNER, PASSWORD, SITE, Desk, open_desk


@pytest.fixture(scope="session")
def new_site(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Secret]:
    """A folder nobody writes to, and its data key."""
    folder = tmp_path_factory.mktemp("new") / "site"
    create_site(folder, SITE, OWNER, PASSWORD)
    return folder, keys.unlock(folder, None, PASSWORD).data_key


@pytest.fixture
def folder(new_site: tuple[Path, Secret], tmp_path: Path) -> Path:
    return Path(shutil.copytree(new_site[0], tmp_path / "site"))


@pytest.fixture
def desk(folder: Path, new_site: tuple[Path, Secret]) -> Iterator[Desk]:
    desk = open_desk(folder, new_site[1])
    yield desk
    desk.store.close()


@pytest.fixture
def second_desk(folder: Path, new_site: tuple[Path, Secret]) -> Iterator[Desk]:
    """The same site, opened once more."""
    desk = open_desk(folder, new_site[1])
    yield desk
    desk.store.close()
