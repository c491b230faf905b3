"""Sites made once a run and copied for each test: one new, one with a month in it."""

import shutil
from pathlib import Path

import pytest

from evdesk.domain.secrets import Secret
from evdesk.storage.site_folder import create_site
from tests.cli.shell import Shell, fill
from tests.fakes.keys import make_cheap
from tests.services.desk import OWNER, PASSWORD, SITE


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Secret]:
    """A folder with a site in it that nobody writes to, and its data key."""
    folder = tmp_path_factory.mktemp("made") / "site"
    create_site(folder, SITE, OWNER, PASSWORD)
    data_key = make_cheap(folder, PASSWORD)
    fill(folder, data_key)
    return folder, data_key


@pytest.fixture
def shell(
    made: tuple[Path, Secret],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Shell:
    for name in ("SITE", "PASSWORD_FILE", "USER"):
        monkeypatch.delenv(f"EVDESK_{name}", raising=False)
    folder = Path(shutil.copytree(made[0], tmp_path / "place" / "site"))
    password_file = tmp_path / "password"
    password_file.write_bytes(PASSWORD.reveal() + b"\n")
    return Shell(folder, password_file, made[1], capsys)
