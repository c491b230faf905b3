"""What people are given about their consents: on paper, and with the names of ISO/IEC TS 27560."""

import json
import uuid
from pathlib import Path

from evdesk.documents.typesetting import Typesetter
from evdesk.documents.wording import Wording, Wordings
from evdesk.domain.consents import ConsentEvent, ConsentState, Decision
from evdesk.domain.instants import rfc3339
from evdesk.domain.notices import Notice
from evdesk.domain.purposes import SHARING
from evdesk.domain.site import Party
from evdesk.ports import ConsentReceipt, ReceiptLine

SCHEMA = "ISO/IEC TS 27560:2023"
PROFILE = "dpv-27560:receipt-eu-gdpr"
ALL_RIGHTS = ("A7-3", "A15", "A16", "A17", "A18", "A20", "A77")
STATE_LABELS = {
    ConsentState.GIVEN: "state_given",
    ConsentState.RENEWED: "state_given",
    ConsentState.REQUESTED: "state_waiting",
    ConsentState.DEFERRED: "state_waiting",
    ConsentState.WITHDRAWN: "state_withdrawn",
    ConsentState.EXPIRED: "state_expired",
    ConsentState.REVOKED: "state_ended",
    ConsentState.INVALIDATED: "state_ended",
}
View = dict[str, object]


class ReceiptDocuments:
    """Implements ``ports.ReceiptWriter``; ``resources`` is the folder of what ships with evdesk."""

    def __init__(self, resources: Path) -> None:
        self._labels = resources / "consent" / "labels.toml"
        self._setter = Typesetter(resources, "consent/receipt.typ", "receipt")

    def pdf(self, receipt: ConsentReceipt) -> bytes:
        """Return the receipt on paper, in its language; a demo site's is marked as SPECIMEN."""
        wording = Wordings(self._labels).of(receipt.language, receipt.tz)
        made_at = int(receipt.issued_at.timestamp())
        return self._setter.pdf(receipt_view(receipt, wording), made_at)

    def json(self, receipt: ConsentReceipt) -> bytes:
        """Return the receipt as JSON in UTF-8."""
        return (json.dumps(receipt_json(receipt), ensure_ascii=False, indent=2) + "\n").encode()


# -- on paper --------------------------------------------------------------------------------------


def receipt_view(receipt: ConsentReceipt, wording: Wording) -> View:
    """Return the texts of a receipt, that the template only has to place."""
    words, controller = wording.labels, receipt.controller
    name = words["controller_none"] if controller is None else controller.name
    reach = (
        []
        if controller is None
        else [each for each in (controller.phone, controller.email) if each]
    )
    return {
        "lang": wording.locale.language,
        "region": wording.locale.territory or "",
        "title": words["title"],
        "marks": [words["specimen_mark"]] if receipt.specimen else [],
        "notes": [words["specimen_note"]] if receipt.specimen else [],
        "labels": dict(words),
        "intro": words["intro"],
        "controller": {
            "name": name,
            "lines": [] if controller is None else _address(controller, wording),
            "reach": reach,
        },
        "subject": {"name": receipt.subject.name, "lines": _address(receipt.subject, wording)},
        "meta": [
            [words["receipt"], receipt.receipt_id],
            [words["issued"], wording.moment(receipt.issued_at)],
            [words["site"], receipt.site_name],
            [words["driver"], receipt.person],
        ],
        "consents": [_consent(line, receipt, wording) for line in receipt.lines],
        "contact": words["contact"].format(reach=", ".join(reach)) if reach else "",
        "head": receipt.head,
    }


def _consent(line: ReceiptLine, receipt: ConsentReceipt, wording: Wording) -> View:
    words, text = wording.labels, line.purpose.text(wording.locale.language)
    remarks = [
        words["legal"],
        words["validity"].format(
            months=line.purpose.validity_months, days=line.purpose.deletion_days
        ),
    ]
    if line.notice is not None:
        remarks += _told(line.notice, wording)
    remarks.append(words["record"].format(id=record_id(receipt, line)))
    return {
        "name": text.name,
        "description": text.description,
        "agreed": line.decision.allowed,
        "state": words[_state_label(line.decision)],
        "span": _span(line, wording),
        "events": [
            [words[event.word], wording.moment(event.at), words[event.method.value]]
            for event in line.events
        ],
        "remarks": remarks,
    }


def _state_label(decision: Decision) -> str:
    label = STATE_LABELS.get(decision.state or ConsentState.UNKNOWN, "state_no")
    return "state_stopped" if label == "state_given" and not decision.allowed else label


def _span(line: ReceiptLine, wording: Wording) -> list[str]:
    words, span = wording.labels, []
    if line.decision.since_at is not None:
        span.append(words["since"].format(day=wording.day(line.decision.since_at)))
    if line.decision.allowed and line.valid_until is not None:
        span.append(words["holds_until"].format(day=wording.day(line.valid_until)))
    return span


def _told(notice: Notice, wording: Wording) -> list[str]:
    words = wording.labels
    return [
        words["notice"].format(version=notice.version, language=notice.language),
        words["hash"].format(sha256=notice.sha256.hex()),
    ]


def _address(party: Party, wording: Wording) -> list[str]:
    town = " ".join(part for part in (party.postcode, party.city) if part)
    country = wording.country(party.country) if party.country else ""
    return [part for part in (party.street, town, country) if part]


# -- for machines ----------------------------------------------------------------------------------


def receipt_json(receipt: ConsentReceipt) -> View:
    """Return the receipt with the field names of ISO/IEC TS 27560; what is ours begins with x_."""
    return {
        "schema_version": SCHEMA,
        "x_profile": PROFILE,
        "receipt_id": receipt.receipt_id,
        "x_issued_at": rfc3339(receipt.issued_at),
        "pii_principal_id": receipt.person,
        "party_identification": [_party(receipt.controller)],
        "consent_records": [_record(line, receipt) for line in receipt.lines],
        "x_specimen": receipt.specimen,
        "x_audit_head": receipt.head,
    }


def record_id(receipt: ConsentReceipt, line: ReceiptLine) -> str:
    """Return the one id of the record of a person and a purpose; always the same."""
    name = f"evdesk/{receipt.site_id}/{receipt.person}/{line.purpose.id}"
    return str(uuid.uuid5(uuid.NAMESPACE_URL, name))


def _record(line: ReceiptLine, receipt: ConsentReceipt) -> View:
    return {
        "schema_version": SCHEMA,
        "record_id": record_id(receipt, line),
        "pii_principal_id": receipt.person,
        "processing": [_processing(line, receipt)],
        "events": [_event(event) for event in line.events],
        "x_state": None if line.decision.state is None else f"dpv:{line.decision.state}",
        "x_in_force": line.decision.allowed,
        "x_why": line.decision.why.value,
    }


def _processing(line: ReceiptLine, receipt: ConsentReceipt) -> View:
    purpose, notice = line.purpose, line.notice
    text = purpose.text(receipt.language)
    return {
        "privacy_notice": None
        if notice is None
        else {
            "id": str(notice.id),
            "version": str(notice.version),
            "sha256": notice.sha256.hex(),
            "language": notice.language,
        },
        "language": receipt.language if notice is None else notice.language,
        "purpose": text.description,
        "purpose_type": purpose.dpv,
        "x_purpose_id": purpose.id,
        "lawful_basis": "eu-gdpr:A6-1-a",
        "pii_information": [{"pii_type": pd, "pii_optional": True} for pd in purpose.pd],
        "pii_controllers": ["controller"],
        "collection_method": "charging points, and what the person says",
        "storage_locations": [f"{receipt.site_name}, {receipt.country}"],
        "retention_period": f"P{purpose.deletion_days}D after the end of the consent",
        "processing_locations": [receipt.country],
        "jurisdiction": receipt.country,
        "recipient_third_parties": ["employer or fleet manager"] if purpose.id == SHARING else [],
        "withdrawal_method": "in person, in writing, by e-mail or by phone, in one step",
        "privacy_rights": [f"eu-gdpr:{article}" for article in ALL_RIGHTS],
    }


def _event(event: ConsentEvent) -> View:
    until = event.valid_until
    told: View = {
        "event_time": rfc3339(event.at),
        "validity_duration": "P0D" if until is None else f"{rfc3339(event.at)}/{rfc3339(until)}",
        "entity_id": event.entity_id,
        "x_entity_role": event.entity_role.value,
        "event_type": event.word,
        "event_state": f"dpv:{event.state}",
        "dpv:hasIndicationMethod": event.method.value,
        "x_recorded_at": rfc3339(event.recorded_at),
    }
    if event.notice_version is not None:
        told["x_notice_version"] = str(event.notice_version)
    if event.evidence_sha256 is not None:
        told["x_evidence_sha256"] = event.evidence_sha256.hex()
    return told


def _party(controller: Party | None) -> View:
    """Return who is responsible; an address line and a contact are demanded by the format."""
    party = controller or Party("")
    town = " ".join(part for part in (party.postcode, party.city) if part)
    address = ", ".join(part for part in (party.street, town, party.country) if part)
    return {
        "party_id": "controller",
        "party_name": party.name,
        "party_address": address,
        "party_email": party.email or None,
        "party_phone": party.phone or None,
        "party_contact": party.contact or party.email or party.phone or address,
        "party_role": "dpv:DataController",
        "party_type": "dpv:Organisation",
    }
