"""What people are given about themselves: every row, in their language, and no live formula."""

import csv
import io
import json
import tomllib
from pathlib import Path

import pytest
from PySide6.QtPdf import QPdfDocument

from evdesk.documents.access_package import PackageDocuments
from evdesk.domain.disclosures import RecipientKind
from evdesk.domain.personal_data import DataClass
from evdesk.domain.processing import DetailKind
from evdesk.domain.requests import IdentityCheck, RequestKind, RequestState
from evdesk.services.access import KINDS
from evdesk.settings import shipped
from tests.documents.dossiers import ROWS, dossier

RESOURCES = shipped("resources")
LABELS = tomllib.loads((RESOURCES / "rights" / "labels.toml").read_text("utf-8"))


@pytest.fixture(scope="module")
def documents() -> PackageDocuments:
    return PackageDocuments(RESOURCES)


def text_of(pdf: bytes, folder: Path) -> str:
    path = folder / "access.pdf"
    path.write_bytes(pdf)
    document = QPdfDocument()
    document.load(str(path))
    pages = [document.getAllText(page).text() for page in range(document.pageCount())]
    document.close()
    return " ".join(" ".join(pages).replace("\u200b", "").split())


def files(documents: PackageDocuments, language: str = "en") -> dict[str, bytes]:
    return {one.name: one.content for one in documents.access(dossier(language))}


def test_both_languages_say_the_same_things() -> None:
    assert set(LABELS["en"]) == set(LABELS["de"])
    for name, text in LABELS["en"].items():
        other = LABELS["de"][name]
        assert all((text, other)), name
        assert text.count("{") == other.count("{"), name


def test_everything_that_can_be_said_has_words() -> None:
    words = LABELS["en"]
    for kind in KINDS:
        assert f"holding_{kind.id}" in words
        assert [name for name in kind.columns if f"column_{name}" not in words] == []
    for group, names in (
        ("class", DataClass),
        ("value", [*RequestKind, *RequestState, *IdentityCheck, *RecipientKind]),
    ):
        assert [one.value for one in names if f"{group}_{one.value}" not in words] == []
    contacts = {DetailKind.DPO, DetailKind.REPRESENTATIVE, DetailKind.JOINT_CONTROLLER}
    assert [one for one in contacts if one.value not in words] == []


@pytest.mark.parametrize(
    ("language", "title", "session"),
    [
        ("en", "What is stored about you", "12.345 kWh"),
        ("de", "Was über Sie gespeichert ist", "12,345 kWh"),
    ],
)
def test_people_read_it_in_their_language(
    documents: PackageDocuments, tmp_path: Path, language: str, title: str, session: str
) -> None:
    text = text_of(files(documents, language)["access.pdf"], tmp_path)
    words = LABELS[language]
    assert text.startswith(title)
    for kind in KINDS:
        assert words[f"holding_{kind.id}"] in text
    for value in ("Kim Zoë Lindqvist", "Bay 1 north", session, "LfDI Baden"):
        assert value in text.replace("\u00a0", " ")
    assert words["value_withdrawn"] in text


def test_a_demo_site_gives_a_specimen(documents: PackageDocuments, tmp_path: Path) -> None:
    (pdf, *_) = documents.access(dossier(specimen=True))
    assert "SPECIMEN" in text_of(pdf.content, tmp_path)


def test_machines_get_every_row_with_what_has_to_be_told(documents: PackageDocuments) -> None:
    found = files(documents)
    told = json.loads(found["access.json"])
    held = {one["what"]: one for one in told["held"]}
    assert set(held) == {kind.id for kind in KINDS}
    assert {name: len(one["rows"]) for name, one in held.items()} == {
        kind.id: len(ROWS.get(kind.id, ())) for kind in KINDS
    }
    assert held["sessions"]["rows"][0]["start_wh"] == 1000
    assert held["invoices"]["rows"][0]["gross"] == "7.02"
    assert held["requests"]["erased_at"] == "2026-03-02T09:30:00Z"
    assert told["contacts"]["authority"] == "LfDI Baden-Württemberg"
    assert told["files"] == ["invoice-2026-00001.pdf"]
    assert found["invoice-2026-00001.pdf"] == b"%PDF-1.7 x"


def test_each_table_is_a_csv_file_without_a_live_formula(documents: PackageDocuments) -> None:
    found = files(documents)
    for name, rows in ROWS.items():
        lines = list(csv.reader(io.StringIO(found[f"{name}.csv"].decode("utf-8-sig"))))
        assert len(lines) == len(rows) + 1
    assert b'"=Ledger' not in found["disclosures.csv"]
    assert "vehicle.csv" not in found


def test_what_is_portable_has_no_paper_and_no_invoices(documents: PackageDocuments) -> None:
    found = {one.name: one.content for one in documents.portable(dossier())}
    assert "sessions.csv" in found
    assert not {"access.pdf", "invoices.csv", "audit.csv", "invoice-2026-00001.pdf"} & set(found)
    held = {one["what"] for one in json.loads(found["portability.json"])["held"]}
    assert held == {kind.id for kind in KINDS if kind.provided}
