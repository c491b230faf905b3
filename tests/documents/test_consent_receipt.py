"""The receipt of consents: all that was decided, on paper in two languages and for machines."""

import json
import re
import tomllib
import uuid
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from PySide6.QtPdf import QPdfDocument

from evdesk.documents.consent_receipt import STATE_LABELS, ReceiptDocuments
from evdesk.domain.consents import (
    IN_FORCE,
    WORDS,
    ConsentEvent,
    ConsentState,
    Decision,
    EntityRole,
    Method,
    Why,
)
from evdesk.domain.notices import Notice, NoticeId, NoticeVersion
from evdesk.domain.purposes import SHARING, VIN, PurposeId
from evdesk.domain.site import DriverId, Party
from evdesk.ports import ConsentReceipt, ReceiptLine
from evdesk.settings import shipped
from evdesk.storage.purpose_file import privacy_folder, read_purposes
from tests.fakes.clock import START

RESOURCES = shipped("resources")
LABELS = tomllib.loads((RESOURCES / "consent" / "labels.toml").read_text("utf-8"))
S = ConsentState
HEAD = "22:wqruv05jW0Msuxn1Xz3OUL12o5SW1m4TpwNXKqYLFgE="
HOSTILE = '#panic("x") *bold* $x^2$ <label> @ref \\ `raw`'
MANDATORY = {  # ISO/IEC TS 27560, 6.3: what has to be there
    "record": {"schema_version", "record_id", "pii_principal_id"},
    "processing": {
        "privacy_notice", "language", "purpose", "pii_information", "pii_controllers",
        "storage_locations", "retention_period", "jurisdiction", "recipient_third_parties",
        "withdrawal_method", "lawful_basis",
    },
    "party": {"party_id", "party_address", "party_name", "party_contact", "party_type"},
    "event": {"event_time", "validity_duration", "entity_id", "event_type", "event_state"},
}  # fmt: skip


@pytest.fixture(scope="module")
def documents() -> ReceiptDocuments:
    return ReceiptDocuments(RESOURCES)


def event(state: ConsentState, minutes: int, method: Method = Method.SIGNATURE) -> ConsentEvent:
    at = START + timedelta(minutes=minutes)
    return ConsentEvent(
        person=DriverId("D-1"),
        purpose=VIN,
        seq=minutes + 1,
        at=at,
        recorded_at=at,
        state=state,
        method=method,
        notice=NoticeId(1),
        notice_version=NoticeVersion(1, 0),
        notice_language="en",
        valid_until=START.replace(year=2028) if state in IN_FORCE else None,
        entity_id="D-1",
        entity_role=EntityRole.SUBJECT,
        witness="A-1",
        evidence=1 if state in IN_FORCE else None,
        evidence_sha256=b"\x5a" * 32 if state in IN_FORCE else None,
    )


def line(*states: ConsentState, purpose: PurposeId = VIN, why: Why | None = None) -> ReceiptLine:
    events = tuple(event(state, minutes) for minutes, state in enumerate(states))
    last = events[-1]
    allowed = last.state in IN_FORCE and why is None
    found = why or (Why.IN_FORCE if allowed else Why.NO_CONSENT)
    notice = Notice(
        NoticeId(1), purpose, NoticeVersion(1, 0), "en", b"text", b"\xab" * 32, START, "A-1"
    )
    return ReceiptLine(
        purpose=read_purposes(privacy_folder())[purpose],
        notice=notice,
        events=events,
        decision=Decision(allowed, found, last.state, last.at, NoticeVersion(1, 0)),
        valid_until=last.valid_until,
    )


def receipt(*lines: ReceiptLine, language: str = "en") -> ConsentReceipt:
    return ConsentReceipt(
        receipt_id="d11768df-6dd9-45ff-bfbe-36b48794e767",
        site_id="S-1",
        site_name="Depot",
        tz="Europe/Berlin",
        country="DE",
        language=language,
        issued_at=START,
        person=DriverId("D-1"),
        subject=Party("Kim Lee", "Ringstr. 7", "10115", "Berlin", "DE"),
        controller=Party(
            "Depot GmbH", "Hafenstr. 3", "89073", "Ulm", "DE", email="a@depot.example"
        ),
        lines=lines or (line(S.REQUESTED, S.GIVEN),),
        specimen=False,
        head=HEAD,
    )


def read(documents: ReceiptDocuments, told: ConsentReceipt, folder: Path) -> str:
    file = folder / "receipt.pdf"
    file.write_bytes(documents.pdf(told))
    document = QPdfDocument()
    assert document.load(str(file)) is QPdfDocument.Error.None_
    texts = [document.getAllText(page).text() for page in range(document.pageCount())]
    document.close()
    return re.sub(r"\s+", " ", " ".join(texts).replace("\ufffe", "-").replace("\u200b", ""))


def test_both_languages_have_a_word_for_everything() -> None:
    assert set(LABELS["en"]) == set(LABELS["de"])
    needed = {*WORDS, *(method.value for method in Method), *STATE_LABELS.values()}
    assert needed <= set(LABELS["en"])
    for name, text in LABELS["en"].items():
        assert re.findall(r"\{\w+\}", text) == re.findall(r"\{\w+\}", LABELS["de"][name]), name


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ("Your consents", "Recognising your car (VIN)", "You agreed", "since 2 Mar 2026",
                "until 2 Mar 2028", "signed on the screen", "How to withdraw", "notice 1.0")),
        ("de", ("Ihre Einwilligungen", "Ihr Fahrzeug erkennen (FIN)", "Sie haben eingewilligt",
                "seit 02.03.2026", "bis 02.03.2028", "am Bildschirm unterschrieben",
                "So widerrufen Sie", "Art. 6 Abs. 1 Buchst. a DSGVO")),
    ],
)  # fmt: skip
def test_the_paper_says_what_was_decided(
    documents: ReceiptDocuments, tmp_path: Path, language: str, words: tuple[str, ...]
) -> None:
    text = read(documents, receipt(language=language), tmp_path)
    both = ("Kim Lee", "Depot GmbH", "d11768df-6dd9-45ff", "D-1", "ab" * 32, HEAD)
    assert [word for word in (*words, *both) if word not in text] == []


@pytest.mark.parametrize(
    ("told", "word"),
    [
        (line(S.REQUESTED), "You have not answered yet"),
        (line(S.REQUESTED, S.REFUSED), "Not agreed to"),
        (line(S.REQUESTED, S.GIVEN, S.WITHDRAWN), "You withdrew it"),
        (line(S.REQUESTED, S.GIVEN, S.EXPIRED), "Your consent has expired"),
        (line(S.REQUESTED, S.GIVEN, S.REVOKED), "Ended by us"),
        (line(S.REQUESTED, S.GIVEN, why=Why.RESTRICTED), "it is not used at the moment"),
    ],
)
def test_the_paper_says_how_things_stand(
    documents: ReceiptDocuments, tmp_path: Path, told: ReceiptLine, word: str
) -> None:
    text = read(documents, receipt(told), tmp_path)
    assert word in text
    assert "until" not in text


def test_names_are_printed_and_never_run(documents: ReceiptDocuments, tmp_path: Path) -> None:
    hostile = replace(receipt(), subject=Party(HOSTILE), site_name=HOSTILE, controller=None)
    text = read(documents, hostile, tmp_path)
    assert '#panic("x") *bold*' in text
    assert "The operator of this site" in text


def test_a_demo_sites_receipt_is_marked(documents: ReceiptDocuments, tmp_path: Path) -> None:
    text = read(documents, replace(receipt(), specimen=True), tmp_path)
    assert "SPECIMEN" in text
    assert "Nobody agreed to anything" in text


def test_many_consents_run_over_pages(documents: ReceiptDocuments, tmp_path: Path) -> None:
    long = line(S.REQUESTED, S.GIVEN, *[S.RENEWED] * 80)
    text = read(documents, receipt(long, line(S.REQUESTED)), tmp_path)
    assert text.count("You agreed once more") == 80
    assert "1 / 3" in text


def test_the_same_receipt_is_the_same_bytes(documents: ReceiptDocuments) -> None:
    assert documents.pdf(receipt()) == documents.pdf(receipt())
    assert documents.json(receipt()) == documents.json(receipt())


def test_machines_find_every_mandatory_field_of_the_standard(documents: ReceiptDocuments) -> None:
    told = json.loads(documents.json(receipt(line(S.REQUESTED, S.GIVEN, S.WITHDRAWN))))
    assert {"schema_version", "receipt_id", "pii_principal_id"} <= set(told)
    (record,), (party,) = told["consent_records"], told["party_identification"]
    (processing,) = record["processing"]
    assert MANDATORY["record"] <= set(record)
    assert MANDATORY["processing"] <= set(processing)
    assert MANDATORY["party"] <= set(party)
    assert all(processing[name] not in {None, ""} for name in ("purpose", "jurisdiction"))
    assert all(one["pii_type"].startswith("pd:") for one in processing["pii_information"])
    for one in record["events"]:
        assert MANDATORY["event"] <= set(one)
    assert [one["event_state"] for one in record["events"]] == [
        "dpv:ConsentRequested", "dpv:ConsentGiven", "dpv:ConsentWithdrawn",
    ]  # fmt: skip
    assert record["events"][1]["validity_duration"] == "2026-03-02T06:01:00Z/2028-03-02T06:00:00Z"
    assert record["events"][1]["x_evidence_sha256"] == "5a" * 32
    assert record["x_in_force"] is False


def test_a_record_keeps_its_id_and_no_two_share_one(documents: ReceiptDocuments) -> None:
    both = receipt(line(S.REQUESTED), line(S.REQUESTED, purpose=SHARING))
    first, again = (json.loads(documents.json(both)) for _ in range(2))
    ids = [one["record_id"] for one in first["consent_records"]]
    assert ids == [one["record_id"] for one in again["consent_records"]]
    assert len(set(ids)) == 2
    assert all(uuid.UUID(one) for one in ids)
    assert first["consent_records"][1]["processing"][0]["recipient_third_parties"]


def test_the_receipt_for_machines_names_nobody(documents: ReceiptDocuments) -> None:
    assert b"Kim" not in documents.json(receipt())
