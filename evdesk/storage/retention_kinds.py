"""Each kind of data: what of it is past its date, what of that stays, and how rows of it go.

A query has the columns key and why: why is NULL where the row is to go. ``:cutoff`` is exclusive,
in ms; ``:persons`` and ``:invoices`` are JSON lists of what is held, ``:restricted`` of persons.
"""

from collections.abc import Callable
from dataclasses import dataclass

from evdesk.domain.personal_data import DataClass
from evdesk.domain.retention import AUDIT, DRAFT, FAULT, READINGS, SESSION
from evdesk.storage import retention_deletes as deletes
from evdesk.storage.connection import Connection
from evdesk.storage.retention_deletes import UNIT

FAR = 2**62
DAY_MS = 86_400_000
HELD_PERSON = "IN (SELECT value FROM json_each(:persons))"
RESTRICTED = "IN (SELECT value FROM json_each(:restricted))"
CONSENT_END = f"""
    SELECT CASE WHEN state IN ('ConsentGiven', 'RenewedConsentGiven')
                THEN coalesce(valid_until_ms, {FAR}) ELSE at_ms END
    FROM consent_event AS said WHERE said.person_id = {{person}} AND said.purpose = {{purpose}}
    ORDER BY at_ms DESC, seq DESC LIMIT 1
"""  # noqa: S608 - constants
# Since when the last consent is over: asking anew does not move it, and neither does a refusal.
VIN_END = f"""
    SELECT min(coalesce(valid_until_ms, {FAR}), coalesce((
        SELECT min(after.at_ms) FROM consent_event AS after
        WHERE after.person_id = said.person_id AND after.purpose = said.purpose
          AND (after.at_ms, after.seq) > (said.at_ms, said.seq)), {FAR}))
    FROM consent_event AS said
    WHERE said.person_id = vehicle.person_id AND said.purpose = 'vin'
      AND said.state IN ('ConsentGiven', 'RenewedConsentGiven')
    ORDER BY at_ms DESC, seq DESC LIMIT 1
"""  # noqa: S608 - constants
OF_DRAFTS = "SELECT record ->> '$.driver' FROM invoice_draft"
DRAFTED = "SELECT one.value ->> '$.id' FROM invoice_draft, json_each(record, '$.sessions') AS one"
UNBILLED = (
    "SELECT 1 FROM session WHERE driver_id = driver.id AND NOT EXISTS"
    " (SELECT 1 FROM invoice_session WHERE session_id = session.id)"
)
CHANGED = (
    "(SELECT coalesce(max(at_ms), 0) FROM invoice_event WHERE invoice_id = invoice.id"
    " AND kind IN ('cancelled', 'corrected', 'credited'))"
)

SESSIONS = f"""
    SELECT id AS key, CASE
        WHEN driver_id {HELD_PERSON} THEN 'legal_hold'
            WHEN driver_id {RESTRICTED} THEN 'restriction'
        WHEN id IN ({DRAFTED}) THEN 'draft' END AS why
    FROM session
    WHERE +state = 'closed' AND +unplugged_at_ms < :cutoff
      AND NOT EXISTS (SELECT 1 FROM invoice_session WHERE session_id = session.id)
"""  # noqa: S608
LINKS = f"""
    SELECT session.id AS key, CASE
        WHEN session.driver_id {HELD_PERSON} OR invoice.driver_id {HELD_PERSON}
          OR invoice.id IN (SELECT value FROM json_each(:invoices)) THEN 'legal_hold'
        WHEN session.driver_id {RESTRICTED} THEN 'restriction'
        WHEN session.driver_id IN (SELECT value FROM json_each(:consenting)) THEN 'consent'
        END AS why
    FROM session
    CROSS JOIN invoice_session ON invoice_session.session_id = session.id
    CROSS JOIN invoice ON invoice.id = invoice_session.invoice_id
    WHERE invoice.issued_at_ms < :cutoff
      AND (session.driver_id IS NOT NULL OR session.tag_digest IS NOT NULL)
"""  # noqa: S608
INVOICES = f"""
    SELECT id AS key, CASE
        WHEN driver_id {HELD_PERSON} OR id IN (SELECT value FROM json_each(:invoices))
        THEN 'legal_hold' WHEN driver_id {RESTRICTED} THEN 'restriction' END AS why
    FROM invoice WHERE max(issued_at_ms, {CHANGED}) < :cutoff
"""  # noqa: S608
PERSONS = f"""
    SELECT id AS key, CASE
        WHEN id {HELD_PERSON} THEN 'legal_hold'
            WHEN id {RESTRICTED} THEN 'restriction'
        WHEN EXISTS ({UNBILLED}) THEN 'unbilled_session'
        WHEN id IN ({OF_DRAFTS}) THEN 'draft' END AS why
    FROM driver
    WHERE retired_at_ms IS NOT NULL
      AND max(retired_at_ms, coalesce(
          (SELECT max(issued_at_ms) FROM invoice WHERE driver_id = driver.id), 0)) < :cutoff
      AND EXISTS (SELECT 1 FROM person_field WHERE person_id = driver.id AND data_class = :class)
"""  # noqa: S608
VEHICLES = f"""
    SELECT person_id AS key, CASE WHEN person_id {HELD_PERSON} THEN 'legal_hold'
            WHEN person_id {RESTRICTED} THEN 'restriction' END AS why
    FROM vehicle JOIN driver ON driver.id = person_id
    WHERE min(coalesce(retired_at_ms, {FAR}), coalesce(
        ({VIN_END}), set_at_ms)) < :cutoff
"""  # noqa: S608
OF_EVENT = CONSENT_END.format(person="event.person_id", purpose="event.purpose")
CONSENTS = f"""
    SELECT DISTINCT person_id || '{UNIT}' || purpose AS key,
        CASE WHEN person_id {HELD_PERSON} THEN 'legal_hold'
            WHEN person_id {RESTRICTED} THEN 'restriction' END AS why
    FROM consent_event AS event
    WHERE ({OF_EVENT}) < :cutoff
"""  # noqa: S608
EVIDENCE = f"""
    SELECT evidence.id AS key, CASE WHEN person_id {HELD_PERSON} THEN 'legal_hold'
            WHEN person_id {RESTRICTED} THEN 'restriction' END AS why
    FROM consent_evidence AS evidence
    WHERE coalesce((SELECT max(({OF_EVENT})) FROM consent_event AS event
                    WHERE event.person_id = evidence.person_id
                      AND event.evidence_id = evidence.id), 0) < :cutoff
"""  # noqa: S608
CARDS = f"""
    SELECT card.id AS key, CASE WHEN driver_id {HELD_PERSON} THEN 'legal_hold'
            WHEN driver_id {RESTRICTED} THEN 'restriction' END AS why
    FROM card JOIN driver ON driver.id = driver_id LEFT JOIN card_end ON card_id = card.id
    WHERE min(coalesce(card_end.at_ms, {FAR}), coalesce(to_at_ms, {FAR}),
              coalesce(retired_at_ms, {FAR})) < :cutoff
"""  # noqa: S608
MAIL = """
    SELECT id AS key, NULL AS why FROM outbox
    WHERE state IN ('sent', 'failed', 'unclear') AND max(created_at_ms, next_at_ms) < :cutoff
"""
DRAFTS = f"""
    SELECT id AS key,
        CASE WHEN record ->> '$.driver' {HELD_PERSON} THEN 'legal_hold' END AS why
    FROM invoice_draft WHERE created_at_ms < :cutoff
"""  # noqa: S608
FAULTS = """
    SELECT fault_id AS key, NULL AS why FROM fault_event
    WHERE kind = 'closed' AND at_ms < :cutoff
"""
PAYLOADS = """
    SELECT audit.seq AS key, CASE
        WHEN action IN ('log.begun', 'site.restored') THEN 'in_use'
        WHEN action IN ('readings.sealed', 'readings.thinned') AND object_ref >= :oldest_sealed
        THEN 'in_use' END AS why
    FROM audit_payload CROSS JOIN audit ON audit.seq = audit_payload.seq
    WHERE audit.at < :cutoff_text
"""
DAYS = f"""
    SELECT key, CASE WHEN key >= :first_needed_day THEN 'in_use' END AS why FROM (
        SELECT DISTINCT from_ms / {DAY_MS} AS key FROM segment WHERE from_ms < :whole_days
        UNION SELECT DISTINCT at_ms / {DAY_MS} FROM reading WHERE at_ms < :whole_days)
"""  # noqa: S608
# A request is over with its answer; what was disclosed was told to a person, or to a recipient.
REQUESTS = f"""
    SELECT 'request:' || request.id AS key,
        CASE WHEN person_id {HELD_PERSON} THEN 'legal_hold'
            WHEN person_id {RESTRICTED} THEN 'restriction' END AS why
    FROM request WHERE (
        SELECT CASE WHEN state IN ('answered', 'refused', 'withdrawn') THEN at_ms ELSE {FAR} END
        FROM request_event WHERE request_id = request.id ORDER BY id DESC LIMIT 1) < :cutoff
    UNION ALL
    SELECT 'disclosure:' || id, CASE WHEN person_id {HELD_PERSON} THEN 'legal_hold'
            WHEN person_id {RESTRICTED} THEN 'restriction' END
    FROM disclosure WHERE at_ms < :cutoff
"""  # noqa: S608
# The begin of the oldest session that is billed, or whose person is held.
NEEDED = f"""
    SELECT min(plugged_in_at_ms) FROM session
    WHERE driver_id {HELD_PERSON} OR driver_id {RESTRICTED}
       OR EXISTS (SELECT 1 FROM invoice_session WHERE session_id = session.id)
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Kind:
    """How one kind of data goes; ``first`` is how many keys the first transaction takes."""

    query: str
    erase: Callable[[Connection, deletes.Chunk], int]
    first: int = 200
    by_person: bool = False


KINDS: dict[str, Kind] = {
    SESSION: Kind(SESSIONS, deletes.aggregate_sessions),
    DataClass.SESSION_LINK: Kind(LINKS, deletes.unlink_sessions),
    DataClass.INVOICE: Kind(INVOICES, deletes.drop_invoices, first=5),
    DataClass.IDENTITY: Kind(PERSONS, deletes.drop_fields, first=1, by_person=True),
    DataClass.CONTACT: Kind(PERSONS, deletes.drop_fields, first=1, by_person=True),
    DataClass.PAYMENT: Kind(PERSONS, deletes.drop_fields, first=1, by_person=True),
    DataClass.VIN: Kind(VEHICLES, deletes.drop_vehicles, first=1, by_person=True),
    DataClass.CONSENT: Kind(CONSENTS, deletes.drop_consents),
    DataClass.CONSENT_EVIDENCE: Kind(EVIDENCE, deletes.drop_evidence, first=20),
    DataClass.REQUEST: Kind(REQUESTS, deletes.drop_requests),
    DataClass.CARD: Kind(CARDS, deletes.drop_cards),
    DataClass.MAIL: Kind(MAIL, deletes.drop_mail, first=20),
    DRAFT: Kind(DRAFTS, deletes.drop_drafts, first=20),
    FAULT: Kind(FAULTS, deletes.drop_faults),
    AUDIT: Kind(PAYLOADS, deletes.drop_payloads),
    READINGS: Kind(DAYS, deletes.drop_days, first=1),
}
