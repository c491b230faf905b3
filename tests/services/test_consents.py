"""Recording consents: what may follow, what is kept with it, and what everybody sees of it."""

import hashlib
import json
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evdesk.domain.consents import ConsentEvent, ConsentState, EntityRole, Method, Why
from evdesk.domain.errors import NotPermitted, StorageError, UserError
from evdesk.domain.notices import NoticeVersion
from evdesk.domain.personal_data import DataClass
from evdesk.domain.purposes import (
    BILLING,
    EMAIL,
    HISTORY,
    INVOICES,
    LOCATION,
    OPERATION,
    RIGHTS,
    VIN,
    PurposeId,
)
from evdesk.domain.site import Actor, DriverId, Role
from evdesk.ports import KeyErasure
from evdesk.services.consents import ConsentService
from evdesk.services.expiring import ConsentKeeper
from evdesk.services.recording import ConsentEntry, Scan
from evdesk.settings import CONSENTS
from tests.fakes.clock import START
from tests.services.desk import ISSUER, KIM, Desk
from tests.storage.sites import DONE, interrupted

S = ConsentState
DAY = timedelta(days=1)
SCAN = Scan("image/png", b"a signature " * 9)


@pytest.fixture
def kim(desk: Desk) -> DriverId:
    desk.billing.set_issuer(ISSUER)
    return desk.add_driver()


def entry(kim: DriverId, state: ConsentState, purpose: PurposeId = VIN) -> ConsentEntry:
    return ConsentEntry(kim, purpose, state, Method.PAPER)


def states(desk: Desk) -> list[ConsentState]:
    return [event.state for event in desk.consents.log()]


def newest(desk: Desk) -> ConsentEvent:
    return desk.consents.log()[-1]


# -- purposes --------------------------------------------------------------------------------------


def test_what_rests_on_contract_or_law_is_never_asked_for(desk: Desk, kim: DriverId) -> None:
    found = {one.id: one.needs_consent for one in desk.consents.purposes()}
    assert {one for one, needs in found.items() if not needs} == {
        BILLING, INVOICES, OPERATION, RIGHTS,
    }  # fmt: skip
    for purpose in (BILLING, INVOICES, OPERATION, RIGHTS):
        assert desk.consents.check(kim, purpose).allowed
        with desk.refused("Nobody is asked for"):
            desk.consents.record(entry(kim, S.REQUESTED, purpose))


def test_every_class_of_personal_data_has_a_purpose(desk: Desk) -> None:
    used = {one for purpose in desk.consents.purposes() for one in purpose.data_classes}
    assert used == set(DataClass)


def test_a_purpose_that_is_switched_off_is_asked_of_nobody_and_used_for_nothing(
    desk: Desk, kim: DriverId
) -> None:
    desk.consent(kim, VIN)
    assert desk.consents.set_purpose(VIN, enabled=False).validity_months == 24
    assert desk.consents.check(kim, VIN).why is Why.SWITCHED_OFF
    with desk.refused("is switched off"):
        desk.consents.record(entry(kim, S.RENEWED))
    desk.consents.record(entry(kim, S.WITHDRAWN))
    with desk.refused("rests on Art"):
        desk.consents.set_purpose(BILLING, enabled=False)
    with desk.refused("1 to 120 months"):
        desk.consents.set_purpose(VIN, validity_months=0)


def test_a_shorter_validity_holds_for_consents_that_are_given_from_now_on(
    desk: Desk, kim: DriverId
) -> None:
    desk.consent(kim, HISTORY)
    desk.consents.set_purpose(HISTORY, validity_months=1, deletion_days=3)
    lee = desk.add_driver()
    desk.consent(lee, HISTORY)
    ends = {one.person: one.valid_until for one in desk.consents.log() if one.valid_until}
    assert ends == {kim: START.replace(year=2029), lee: START.replace(month=4)}


# -- recording -------------------------------------------------------------------------------------


def test_asking_comes_before_the_answer(desk: Desk, kim: DriverId) -> None:
    with desk.refused("nobody has asked them. What can: requested"):
        desk.consents.record(entry(kim, S.GIVEN))
    desk.consents.record(entry(kim, S.REQUESTED))
    desk.consents.record(entry(kim, S.GIVEN))
    with desk.refused("they agreed. What can: invalidated, renewed, revoked, withdrawn"):
        desk.consents.record(entry(kim, S.REQUESTED))
    assert states(desk) == [S.REQUESTED, S.GIVEN]
    assert desk.consents.check(kim, VIN).allowed


def test_withdrawing_is_one_step_and_counts_at_once(desk: Desk, kim: DriverId) -> None:
    desk.consent(kim, VIN)
    recorded = desk.consents.record(replace(entry(kim, S.WITHDRAWN), method=Method.PHONE))
    assert [event.state for event in recorded.events] == [S.WITHDRAWN]
    decision = desk.consents.check(kim, VIN)
    assert (decision.allowed, decision.state, decision.since_at) == (False, S.WITHDRAWN, START)


def test_a_clock_that_was_set_back_brings_no_consent_back(desk: Desk, kim: DriverId) -> None:
    desk.consent(kim, VIN)
    desk.clock.at = START + DAY
    desk.consent(kim, VIN)  # renewed
    desk.clock.at = START + timedelta(hours=1)
    desk.consents.record(entry(kim, S.WITHDRAWN))
    assert newest(desk).at == START + DAY
    assert newest(desk).recorded_at == START + timedelta(hours=1)
    assert newest(desk).clock_was_back
    assert json.loads(desk.audit()[-1].facts)["clock"] == "set back"
    for at in (START, START + timedelta(hours=2), START + 9 * DAY):
        desk.clock.at = at
        assert not desk.consents.check(kim, VIN).allowed


def test_the_first_consent_takes_over_the_ready_made_notice(desk: Desk) -> None:
    kim = desk.add_driver()
    with desk.refused("who is responsible. Nothing was recorded. Set that first"):
        desk.consents.record(entry(kim, S.REQUESTED))
    desk.billing.set_issuer(ISSUER)
    recorded = desk.consents.record(entry(kim, S.REQUESTED))
    assert [(one.language, str(one.version)) for one in recorded.adopted] == [
        ("en", "1.0"), ("de", "1.0"),
    ]  # fmt: skip
    assert recorded.events[0].notice_language == "de"  # the driver's
    assert "Depot GmbH, Hafenstr. 3, 89073 Ulm" in recorded.adopted[0].text
    assert desk.consents.record(entry(kim, S.GIVEN)).adopted == ()


def test_whoever_refuses_at_once_was_asked_with_a_notice(desk: Desk, kim: DriverId) -> None:
    asked, refused = desk.consents.answer(entry(kim, S.REFUSED)).events
    assert asked.notice == refused.notice is not None
    assert asked.valid_until is refused.valid_until is None


def test_a_material_notice_makes_renewals_due_and_a_minor_one_does_not(
    desk: Desk, kim: DriverId
) -> None:
    desk.consent(kim, VIN)
    desk.notices.add(VIN, NoticeVersion(1, 1), "de", b"typo mended")
    assert desk.consents.check(kim, VIN).allowed
    assert desk.consents.due() == []
    desk.clock.at += DAY
    desk.notices.add(VIN, NoticeVersion(2, 0), "de", b"another recipient")
    assert desk.consents.check(kim, VIN).why is Why.NOTICE_CHANGED
    assert desk.consents.check(kim, VIN, START).allowed
    assert [one.why for one in desk.consents.due()] == [Why.NOTICE_CHANGED]
    desk.consents.record(entry(kim, S.RENEWED))
    assert desk.consents.check(kim, VIN).notice_version == NoticeVersion(2, 0)


def test_a_glance_counts_what_holds_and_what_has_to_be_renewed(desk: Desk, kim: DriverId) -> None:
    other = desk.add_driver()
    for purpose in (VIN, HISTORY, EMAIL):
        desk.consent(kim, purpose)
    desk.consents.answer(entry(other, S.REFUSED))
    desk.consents.record(entry(kim, S.WITHDRAWN, EMAIL))
    desk.notices.add(VIN, NoticeVersion(2, 0), "de", b"another recipient")
    desk.consents.set_purpose(LOCATION, enabled=False)
    found = desk.consents.glance()
    assert (found.purposes, dict(found.agreed), dict(found.due)) == (5, {kim: 1}, {kim: 1})
    desk.consents.set_purpose(HISTORY, enabled=False)
    assert (desk.consents.glance().purposes, dict(desk.consents.glance().agreed)) == (4, {})


def test_who_agrees_is_said_and_a_fleet_manager_cannot(desk: Desk, kim: DriverId) -> None:
    by = replace(entry(kim, S.GIVEN), entity_role=EntityRole.GUARDIAN, entity_id="form 12")
    desk.consents.answer(by)
    assert (newest(desk).entity_role, newest(desk).entity_id) == (EntityRole.GUARDIAN, "form 12")
    with desk.refused("cannot agree for a driver"):
        desk.consents.answer(
            replace(entry(kim, S.GIVEN, EMAIL), entity_role=EntityRole.FLEET_MANAGER)
        )


def test_a_witness_is_an_account(desk: Desk, kim: DriverId) -> None:
    desk.consents.answer(replace(entry(kim, S.GIVEN), witness="Ada"))
    assert newest(desk).witness == "A-1"
    with desk.refused("no account Bob"):
        desk.consents.record(replace(entry(kim, S.WITHDRAWN), witness="Bob"))


def test_an_unknown_purpose_or_driver_is_named(desk: Desk, kim: DriverId) -> None:
    with desk.refused("no purpose 'fun'"):
        desk.consents.record(entry(kim, S.REQUESTED, PurposeId("fun")))
    with desk.refused("no driver D-9"):
        desk.consents.check(DriverId("D-9"), VIN)


# -- imports ---------------------------------------------------------------------------------------


def imported(kim: DriverId, state: ConsentState, days: int) -> ConsentEntry:
    return replace(entry(kim, state), method=Method.IMPORT, at=START - days * DAY)


def test_an_import_out_of_order_has_to_fit_its_neighbours(desk: Desk, kim: DriverId) -> None:
    desk.consents.record(imported(kim, S.REQUESTED, 9))
    desk.consents.record(imported(kim, S.GIVEN, 8))
    desk.consents.record(imported(kim, S.WITHDRAWN, 2))
    desk.consents.record(imported(kim, S.RENEWED, 5))
    with desk.refused("does not fit between"):
        desk.consents.record(imported(kim, S.REVOKED, 4))
    assert not desk.consents.check(kim, VIN).allowed
    for days, state in ((10, S.UNKNOWN), (9, S.REQUESTED), (5, S.RENEWED), (2, S.WITHDRAWN)):
        assert desk.consents.check(kim, VIN, START - days * DAY).state is state


def test_only_an_import_says_when_it_was(desk: Desk, kim: DriverId) -> None:
    with desk.refused("An import says when"):
        desk.consents.record(replace(entry(kim, S.REQUESTED), method=Method.IMPORT))
    with desk.refused("An import says when"):
        desk.consents.record(replace(entry(kim, S.REQUESTED), at=START - DAY))
    with desk.refused("lies in the future"):
        desk.consents.record(imported(kim, S.REQUESTED, -1))


# -- evidence --------------------------------------------------------------------------------------


def test_evidence_is_kept_under_the_persons_key_and_its_hash_in_the_event(
    desk: Desk, kim: DriverId
) -> None:
    desk.consents.answer(replace(entry(kim, S.GIVEN), evidence=SCAN))
    asked, gave = desk.consents.log()
    assert asked.evidence is None
    assert gave.evidence_sha256 == hashlib.sha256(SCAN.content).digest()
    assert desk.consents.evidence(gave.evidence or 0).content == SCAN.content
    desk.store._persons.destroy(kim, "consent_evidence")  # type: ignore[attr-defined]
    with desk.refused("it is erased"):
        desk.consents.evidence(gave.evidence or 0)
    assert newest(desk) == gave


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"", "empty file"), (bytes(CONSENTS.most_evidence_bytes + 1), "4 MB are the most")],
)
def test_evidence_that_cannot_be_kept_is_refused(
    desk: Desk, kim: DriverId, content: bytes, sentence: str
) -> None:
    with desk.refused(sentence):
        desk.consents.answer(replace(entry(kim, S.GIVEN), evidence=Scan("image/png", content)))


def test_a_key_that_was_destroyed_for_good_is_never_made_again(desk: Desk, kim: DriverId) -> None:
    with desk.store.write() as unit:
        erased = KeyErasure(kim, DataClass.CONSENT_EVIDENCE, START, "rights", for_good=True)
        unit.key_erasures.add(erased)
        unit.record_change(DONE)
    with desk.refused("was erased for good"):
        desk.consents.answer(replace(entry(kim, S.GIVEN), evidence=SCAN))
    desk.consents.answer(entry(kim, S.GIVEN))


def test_a_failed_recording_leaves_no_key_behind(desk: Desk, kim: DriverId) -> None:
    with pytest.raises(InterruptedError), desk.store.write() as unit:
        interrupted(unit.consents.add_evidence(kim, "image/png", b"x", START))
    desk.consents.answer(replace(entry(kim, S.GIVEN), evidence=SCAN))
    assert desk.consents.evidence(newest(desk).evidence or 0).content == SCAN.content


# -- time passes -----------------------------------------------------------------------------------


def test_expiry_needs_nobody_and_is_written_down_by_the_collector(
    desk: Desk, kim: DriverId
) -> None:
    desk.consent(kim, VIN)
    ends = newest(desk).valid_until
    assert ends == START.replace(year=2028)
    desk.clock.at = ends - 30 * DAY
    assert [(one.why, one.valid_until) for one in desk.consents.due()] == [(Why.IN_FORCE, ends)]
    keeper = ConsentKeeper(desk.store, desk.clock)
    assert keeper.step() == 0
    desk.clock.at = ends + DAY
    assert desk.consents.check(kim, VIN).why is Why.EXPIRED
    assert [one.why for one in desk.consents.due()] == [Why.EXPIRED]
    assert (keeper.step(), keeper.step()) == (1, 0)
    assert (newest(desk).state, newest(desk).at) == (S.EXPIRED, ends)
    assert desk.consents.due() == []


def test_whoever_is_asked_after_the_end_finds_it_written_down(desk: Desk, kim: DriverId) -> None:
    desk.consent(kim, VIN)
    desk.clock.at = START.replace(year=2030)
    desk.consents.record(entry(kim, S.REQUESTED))
    assert states(desk) == [S.REQUESTED, S.GIVEN, S.EXPIRED, S.REQUESTED]
    desk.consent(kim, HISTORY)
    desk.clock.at = START.replace(year=2040)
    desk.consent(kim, HISTORY)
    assert newest(desk).state is S.RENEWED


def test_what_has_ended_is_told_to_whoever_deletes(desk: Desk, kim: DriverId) -> None:
    lee, max_, eva = (desk.add_driver() for _ in range(3))
    for one in (kim, lee, max_):
        desk.consent(one, VIN)
    desk.consent(eva, VIN, S.REFUSED)
    desk.clock.at += DAY
    desk.consents.record(entry(kim, S.WITHDRAWN))
    desk.consents.record(entry(lee, S.WITHDRAWN))
    desk.clock.at += DAY
    desk.consent(lee, VIN)
    desk.consents.record(entry(kim, S.REQUESTED))  # was asked anew, and has not answered
    with desk.store.read() as unit:
        now = unit.consents.ended(desk.clock.at)
        later = unit.consents.ended(START.replace(year=2029))
    assert [(one.person, one.state, one.since_at) for one in now] == [
        (kim, S.WITHDRAWN, START + DAY)
    ]
    assert {one.person for one in later} == {kim, lee, max_}
    assert {one.state for one in later} == {S.WITHDRAWN, S.EXPIRED}


# -- who sees what ---------------------------------------------------------------------------------


def test_the_log_knows_pseudonyms_only(desk: Desk, kim: DriverId) -> None:
    desk.consents.answer(replace(entry(kim, S.GIVEN), evidence=SCAN))
    told = [one for one in desk.audit() if one.action == "consent.recorded"]
    assert [one.object_ref for one in told] == [kim, kim]
    words = " ".join(one.facts for one in desk.audit())
    assert not any(word in words for word in (KIM.name, KIM.email, KIM.street, "signature "))


def test_an_auditor_reads_the_ledger_and_sees_a_scan_with_a_reason_only(
    desk: Desk, kim: DriverId
) -> None:
    desk.consents.answer(replace(entry(kim, S.GIVEN), evidence=SCAN))
    evidence = newest(desk).evidence or 0
    store = desk.store.acting_as(Actor("A-9", Role.AUDITOR))
    auditor = ConsentService(store, desk.clock, desk.consents._receipts)
    assert auditor.log() == desk.consents.log()
    assert auditor.check(kim, VIN).allowed
    for refused in (
        lambda: auditor.evidence(evidence),
        lambda: auditor.record(entry(kim, S.WITHDRAWN)),
        lambda: auditor.receipt(kim),
    ):
        with pytest.raises(NotPermitted):
            refused()
    with pytest.raises(UserError, match="Say why"):
        auditor.reveal_evidence(evidence, " ")
    assert auditor.reveal_evidence(evidence, "sample 4") == SCAN.content
    assert (desk.audit()[-1].action, desk.audit()[-1].reason) == ("person.revealed", "sample 4")


def test_the_ledger_cannot_be_rewritten(desk: Desk, kim: DriverId) -> None:
    desk.consent(kim, VIN)
    with pytest.raises(StorageError), desk.store.write() as unit:
        unit.consents.add(replace(newest(desk), state=S.WITHDRAWN))
    assert newest(desk).state is S.GIVEN


# -- any order -------------------------------------------------------------------------------------


MOVES = st.tuples(
    st.sampled_from([state for state in S if state not in {S.UNKNOWN, S.EXPIRED}]),
    st.integers(-40, 40),  # days by which the clock is set before it
    st.one_of(st.none(), st.integers(0, 60)),  # an import of so many days ago
)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(MOVES, max_size=14))
def test_the_latest_event_decides_and_a_withdrawal_counts_at_once(
    desk: Desk, moves: list[tuple[ConsentState, int, int | None]]
) -> None:
    """Against the real database, with clocks that jump and imports out of order."""
    desk.clock.at = START + 100 * DAY
    if desk.billing.issuer() is None:
        desk.billing.set_issuer(ISSUER)
    kim = desk.add_driver()
    for state, days, ago in moves:
        desk.clock.at += days * DAY
        live = ConsentEntry(kim, LOCATION, state, Method.PAPER)
        at = None if ago is None else desk.clock.at - ago * DAY
        one = live if at is None else replace(live, at=at, method=Method.IMPORT)
        before = desk.consents.log(kim)
        try:
            written = desk.consents.record(one).events
        except UserError:
            assert desk.consents.log(kim) == before
            continue
        if state is S.WITHDRAWN and at is None:
            assert not desk.consents.check(kim, LOCATION).allowed
        events = sorted(desk.consents.log(kim), key=lambda e: (e.at, e.seq))
        assert [e for e in events if e not in before] == sorted(written, key=lambda e: e.at)
        for event in events:
            found = desk.consents.check(kim, LOCATION, event.at)
            last = [e for e in events if e.at <= event.at][-1]
            lapsed = last.valid_until is not None and last.valid_until <= event.at
            assert found.state is (S.EXPIRED if lapsed else last.state)
