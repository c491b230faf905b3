"""What was written is found intact, and whatever was changed behind the log's back is named."""

from evdesk.domain.readings import MeterId
from evdesk.domain.verdicts import Known, Result, Verdict
from evdesk.storage import keys
from evdesk.storage.anchor import Anchor
from evdesk.storage.verification import verify_log
from tests.storage.archives import add_two_meters, journal, seal_all, steady
from tests.storage.sites import issue, raw


def verdict_of(folder, data_key, *heads) -> Verdict:
    anchored = Anchor(folder).read()
    connection = raw(folder, data_key)
    try:
        connection.run("PRAGMA query_only = ON")
        connection.run("BEGIN")
        known = [*heads, *([anchored] if anchored else [])]
        return verify_log(connection, Known(keys.verifier(folder), known))
    finally:
        connection.close()


def test_what_was_written_is_intact(store, folder, data_key) -> None:
    issue(store)
    add_two_meters(store)
    journal(store, *steady(MeterId(1), 2.5, 60), *steady(MeterId(2), 2.5, 60))
    seal_all(store)
    found = verdict_of(folder, data_key)
    assert found.findings == ()
    assert (found.result, found.findings, found.doubts) == (Result.INTACT, (), ())
    assert found.entries == found.verified > 5
    assert found.rows > 10
    assert found.segments == 6
    assert found.unproven_segments == 0
    assert found.head == Anchor(folder).read()
