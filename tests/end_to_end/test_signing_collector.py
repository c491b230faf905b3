"""A collector that was given the key signs the log by itself; one that was not does its work."""

import shutil
from pathlib import Path
from subprocess import DEVNULL, PIPE, run
from sys import executable

import pytest

from evdesk.bootstrap.sites import open_site
from evdesk.domain import notes
from evdesk.storage import keys
from evdesk.storage.signing import is_signed
from tests.end_to_end.places import PASSWORD
from tests.end_to_end.rig import Blank


@pytest.mark.timeout(120)
@pytest.mark.parametrize("signs", [True, False])
def test_the_key_reaches_the_collector_beside_the_data_key(
    real_blank: Blank, tmp_path: Path, signs: bool
) -> None:
    folder = Path(shutil.copytree(real_blank.folder, tmp_path / "site"))
    opened = open_site(folder, PASSWORD)
    assert opened.signing_key is not None
    given = [opened.data_key, *([opened.signing_key] if signs else [])]
    command = [executable, "-m", "evdesk", "--site", str(folder), "collect", "--key-stdin"]
    line = " ".join(key.reveal().hex() for key in given) + "\n"
    run([*command, "--seconds", "2"], input=line.encode(), stdout=DEVNULL, stderr=PIPE, check=True)
    found = opened.services.audit.checkpoints()
    opened.services.store.close()
    assert len(found) == signs
    assert all(is_signed(notes.parse(one.note), keys.verifier(folder)) for one in found)
