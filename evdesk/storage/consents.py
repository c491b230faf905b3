"""The consent ledger and its evidence."""

import hashlib
from datetime import datetime

from evdesk.domain.consents import ENDED, IN_FORCE, ConsentEvent, ConsentState, EntityRole, Method
from evdesk.domain.instants import from_ms, to_ms
from evdesk.domain.notices import NoticeId, NoticeVersion
from evdesk.domain.personal_data import DataClass
from evdesk.domain.purposes import PurposeId
from evdesk.domain.site import DriverId
from evdesk.ports.consents import ConsentEvidence, EndedConsent
from evdesk.storage.connection import Connection, Row
from evdesk.storage.person_seals import PersonSeals

COLUMNS = """
    person_id, consent_event.purpose, seq, at_ms, recorded_at_ms, state, method, notice_id, major,
    minor, coalesce(language, ''), valid_until_ms, entity_id, entity_role, witness, evidence_id,
    evidence_sha256
"""
JOINED = "consent_event LEFT JOIN notice ON notice.id = notice_id"
SELECT = f"SELECT {COLUMNS} FROM {JOINED} "  # noqa: S608 - constants
LATEST = f"""
    SELECT {COLUMNS} FROM {JOINED}
    WHERE consent_event.id IN (
        SELECT id FROM (
            SELECT id, row_number() OVER (
                PARTITION BY purpose, person_id ORDER BY at_ms DESC, seq DESC
            ) AS place
            FROM consent_event WHERE ?1 IS NULL OR purpose = ?1
        ) WHERE place = 1
    )
    ORDER BY consent_event.id
"""  # noqa: S608 - constants
INSERT = """
    INSERT INTO consent_event (
        person_id, purpose, seq, at_ms, recorded_at_ms, state, method, notice_id, valid_until_ms,
        entity_id, entity_role, witness, evidence_id, evidence_sha256
    ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""


class StoredConsents:
    """Implements ``ports.Consents``."""

    def __init__(self, connection: Connection, seals: PersonSeals) -> None:
        self._db, self._seals = connection, seals

    def add(self, event: ConsentEvent) -> None:
        """Append an event; the caller has checked that it may follow the ones there are."""
        self._db.insert(
            INSERT,
            (
                event.person,
                event.purpose,
                event.seq,
                to_ms(event.at),
                to_ms(event.recorded_at),
                event.state.value,
                event.method.value,
                event.notice,
                None if event.valid_until is None else to_ms(event.valid_until),
                event.entity_id,
                event.entity_role.value,
                event.witness,
                event.evidence,
                event.evidence_sha256,
            ),
        )

    def of(self, person: DriverId, purpose: PurposeId) -> list[ConsentEvent]:
        """Return the events of one person and purpose, by (at, seq)."""
        where = "WHERE consent_event.purpose = ? AND person_id = ? ORDER BY at_ms, seq"
        return [_event(row) for row in self._db.all(SELECT + where, (purpose, person))]

    def find(self, person: DriverId | None = None) -> list[ConsentEvent]:
        """Return the events of one person or all in the order in which they were recorded."""
        where = "WHERE ?1 IS NULL OR person_id = ?1 ORDER BY consent_event.id"
        return [_event(row) for row in self._db.all(SELECT + where, (person,))]

    def latest(self, purpose: PurposeId | None = None) -> list[ConsentEvent]:
        """Return the event that decides for each person, of one purpose or each."""
        return [_event(row) for row in self._db.all(LATEST, (purpose,))]

    def ended(self, at: datetime) -> list[EndedConsent]:
        """Return the consents that were in force and no longer are, also those just over."""
        found = []
        for event in self.latest():
            since_at, state = event.at, event.state
            if event.lapsed(at) and event.valid_until is not None:
                since_at, state = event.valid_until, ConsentState.EXPIRED
            elif state not in ENDED:
                ended_at = self._ended_before(event) if state not in IN_FORCE else None
                if ended_at is None:
                    continue
                since_at, state = ended_at
            found.append(EndedConsent(event.person, event.purpose, state, since_at))
        return found

    def _ended_before(self, event: ConsentEvent) -> tuple[datetime, ConsentState] | None:
        """Return how the last consent ended, for somebody who was asked anew since."""
        for one in reversed(self.of(event.person, event.purpose)):
            if one.state in ENDED:
                return one.at, one.state
        return None

    def add_evidence(
        self, person: DriverId, media_type: str, content: bytes, at: datetime
    ) -> tuple[int, bytes]:
        """Keep evidence under the person's own key; return its id and the SHA-256 of its bytes."""
        digest = hashlib.sha256(content).digest()
        sealed = self._seals.seal(person, DataClass.CONSENT_EVIDENCE, media_type, content, at)
        evidence = self._db.insert(
            "INSERT INTO consent_evidence (person_id, media_type, sealed) VALUES (?, ?, ?)",
            (person, media_type, sealed),
        )
        return evidence, digest

    def evidence(self, evidence: int) -> ConsentEvidence | None:
        """Return evidence; None where the row is gone."""
        found = self._sealed(evidence)
        if found is None:
            return None
        person, media_type, sealed = found
        content = self._seals.open(person, DataClass.CONSENT_EVIDENCE, media_type, sealed)
        return ConsentEvidence(evidence, DriverId(person), media_type, content)

    def reveal_evidence(self, evidence: int) -> bytes | None:
        """Return the bytes of evidence, also to who sees pseudonyms otherwise; None if erased."""
        found = self._sealed(evidence)
        if found is None:
            return None
        person, media_type, sealed = found
        kind = DataClass.CONSENT_EVIDENCE
        return self._seals.open(person, kind, media_type, sealed, reveal=True)

    def _sealed(self, evidence: int) -> Row | None:
        return self._db.one(
            "SELECT person_id, media_type, sealed FROM consent_evidence WHERE id = ?", (evidence,)
        )


def _event(row: Row) -> ConsentEvent:
    (person, purpose, seq, at_ms, recorded_at_ms, state, method, notice, major, minor, language,
     valid_until_ms, entity_id, entity_role, witness, evidence, sha256) = row  # fmt: skip
    return ConsentEvent(
        person=DriverId(person),
        purpose=PurposeId(purpose),
        seq=seq,
        at=from_ms(at_ms),
        recorded_at=from_ms(recorded_at_ms),
        state=ConsentState(state),
        method=Method(method),
        notice=None if notice is None else NoticeId(notice),
        notice_version=None if major is None else NoticeVersion(major, minor),
        notice_language=language,
        valid_until=None if valid_until_ms is None else from_ms(valid_until_ms),
        entity_id=entity_id,
        entity_role=EntityRole(entity_role),
        witness=witness,
        evidence=evidence,
        evidence_sha256=sha256,
    )
