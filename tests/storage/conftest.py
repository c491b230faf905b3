"""A real, encrypted site in a folder of its own; made once a run and copied for each test."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from evdesk.domain.secrets import Secret
from evdesk.ports import Store
from evdesk.storage import keys
from evdesk.storage.site_folder import create_site
from tests.storage.sites import OWNER, PASSWORD, SITE, opened


@pytest.fixture(scope="session")
def made_site(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, Secret]:
    """A folder nobody writes to, its recovery code and its data key."""
    folder = tmp_path_factory.mktemp("made") / "site"
    code = create_site(folder, SITE, OWNER, PASSWORD)
    return folder, code, keys.unlock(folder, None, PASSWORD).data_key


@pytest.fixture
def folder(made_site: tuple[Path, str, Secret], tmp_path: Path) -> Path:
    return Path(shutil.copytree(made_site[0], tmp_path / "site"))


@pytest.fixture
def data_key(made_site: tuple[Path, str, Secret]) -> Secret:
    return made_site[2]


@pytest.fixture
def recovery_code(made_site: tuple[Path, str, Secret]) -> str:
    return made_site[1]


@pytest.fixture
def store(folder: Path, data_key: Secret) -> Iterator[Store]:
    store = opened(folder, data_key)
    yield store
    store.close()
