"""The collector writes down which consents are over, in the program's name."""

import shutil
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from subprocess import DEVNULL, PIPE, run
from sys import executable

import pytest

from evdesk.bootstrap.sites import open_site
from evdesk.domain.consents import ConsentState, Method, Why, valid_until
from evdesk.domain.purposes import VIN
from evdesk.domain.site import Party
from evdesk.services.recording import ConsentEntry
from tests.end_to_end.places import PASSWORD
from tests.end_to_end.rig import Blank


@pytest.mark.timeout(120)
def test_a_collector_writes_down_what_has_expired(real_blank: Blank, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(real_blank.folder, tmp_path / "site"))
    opened = open_site(folder, PASSWORD)
    with closing(opened.services.store):
        services = opened.services
        services.billing.set_issuer(Party("Depot GmbH"))
        kim = services.drivers.add(Party("Kim")).id
        at = services.clock.now().replace(microsecond=0) - timedelta(days=900)
        for state in (ConsentState.REQUESTED, ConsentState.GIVEN):
            services.consents.record(ConsentEntry(kim, VIN, state, Method.IMPORT, at=at))
        assert services.consents.check(kim, VIN).why is Why.EXPIRED
        command = [executable, "-m", "evdesk", "--site", str(folder), "collect", "--key-stdin"]
        line = f"{opened.data_key.reveal().hex()}\n".encode()
        run([*command, "--seconds", "2"], input=line, stdout=DEVNULL, stderr=PIPE, check=True)
        newest = services.consents.log(kim)[-1]
        assert (newest.state, newest.method) == (ConsentState.EXPIRED, Method.PROGRAM)
        assert newest.at == valid_until(at, 24)
        with services.store.read() as unit:
            (entry,) = [one for one in unit.audit.entries(100) if '"event":"expired"' in one.facts]
        assert (entry.action, entry.actor) == ("consent.recorded", "collector")
