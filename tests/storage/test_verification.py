"""What was written is found intact, and whatever was changed behind the log's back is named."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evdesk.domain.audit import numbers_of, numbers_text
from evdesk.domain.merkle import leaf_hash
from evdesk.domain.notes import Head
from evdesk.domain.readings import MeterId
from evdesk.domain.verdicts import Doubt, Known, Result, Verdict, What
from evdesk.storage import keys
from evdesk.storage.anchor import Anchor
from evdesk.storage.chain import Chain
from evdesk.storage.checked_tree import BATCH
from evdesk.storage.verification import verify_log
from tests.benchmarks.logs import grow
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


def test_a_log_without_a_key_or_a_head_from_outside_cannot_be_told_intact(
    store, folder, data_key
) -> None:
    issue(store)
    store.close()
    connection = raw(folder, data_key)
    connection.run("BEGIN")
    verdict = verify_log(connection, Known(None, []))
    connection.close()
    assert verdict.result is Result.UNVERIFIABLE
    assert verdict.doubts == (Doubt.KEY_MISSING, Doubt.ANCHOR_MISSING)


def test_the_empty_head_and_every_head_on_the_way_are_of_this_log(store, folder, data_key) -> None:
    issue(store)
    with store.read() as unit:
        chain = Chain(unit._connection)
        heads = [chain.head(size) for size in range(unit.audit.count() + 1)]
    assert verdict_of(folder, data_key, *heads).result is Result.INTACT
    other = Head(2, heads[3].root)
    verdict = verdict_of(folder, data_key, *heads, other)
    assert (verdict.first and verdict.first.what) is What.ROLLED_BACK


def test_a_longer_log_than_a_batch_is_checked_across_its_border(store, folder, data_key) -> None:
    """Whatever stands at the border of two batches is found as well."""
    store.close()
    connection = raw(folder, data_key)
    grow(connection, 2 * BATCH + 3)
    known = Known(keys.verifier(folder), [])
    assert verify_log(connection, known).findings == ()
    for (name,) in connection.all("SELECT name FROM sqlite_master WHERE type = 'trigger'"):
        connection.run(f"DROP TRIGGER {name}")
    (gone,) = verify_log(connection, known).findings
    assert gone.what is What.FILE_CHANGED
    assert gone.facts["detail"] == "trigger account_deleted is missing"
    for seq in (1, BATCH - 1, BATCH, BATCH + 1, 2 * BATCH, 2 * BATCH + 1):
        connection.run("BEGIN")
        sql = 'UPDATE audit SET entry = replace(entry, \'"role":"\', \'"role":"x\'), leaf = ? '
        text = connection.all("SELECT entry FROM audit WHERE seq = ?", (seq,))[0][0]
        changed = text.replace('"role":"', '"role":"x')
        connection.run(f"{sql} WHERE seq = ?", (leaf_hash(changed.encode()), seq))
        verdict = verify_log(connection, known)
        assert verdict.first is not None
        assert (verdict.first.what, verdict.first.seq) == (What.ENTRY_CHANGED, seq)
        connection.run("ROLLBACK")
    connection.close()


def test_a_key_that_is_no_json_and_text_that_is_no_text_are_findings(
    store, folder, data_key
) -> None:
    issue(store)
    store.close()
    connection = raw(folder, data_key)
    for (name,) in connection.all("SELECT name FROM sqlite_master WHERE type = 'trigger'"):
        connection.run(f"DROP TRIGGER {name}")
    connection.run("PRAGMA ignore_check_constraints = ON")
    connection.run("PRAGMA foreign_keys = OFF")
    connection.run("UPDATE row_commit SET row_key = 'x' WHERE table_name = 'site'")
    connection.run("UPDATE session SET flags = CAST(x'ff' AS TEXT)")
    connection.run("UPDATE audit_payload SET body = CAST(x'fffe' AS TEXT) WHERE seq = 1")
    bad = "replace(entry, 'owner', CAST(x'ff' AS TEXT))"
    connection.run(f"UPDATE audit SET entry = {bad} WHERE seq = 2")
    verdict = verify_log(connection, Known(keys.verifier(folder), []))
    connection.close()
    found = {one.what for one in verdict.findings}
    assert {What.ROW_MISSING, What.ROW_CHANGED, What.PAYLOAD_CHANGED, What.ENTRY_CHANGED} <= found


def test_what_ends_the_check_ends_it(store, folder, data_key) -> None:
    class EnoughError(Exception):
        pass

    def tell(_share: float) -> None:
        raise EnoughError

    connection = raw(folder, data_key)
    with pytest.raises(EnoughError):
        verify_log(connection, Known(None, []), tell)
    connection.close()


@given(st.sets(st.integers(0, 60)))
def test_numbers_of_entries_are_read_as_they_are_written(seqs: set[int]) -> None:
    named = [seq for span in numbers_of(numbers_text(seqs)) for seq in span]
    assert named == sorted(seqs)


@pytest.mark.parametrize("text", ["", "x", "1,", "1-", "-1", "1-2-3", "1 - 2", "٣"])
def test_what_names_no_numbers_names_none(text: str) -> None:
    assert numbers_of(text) == []
