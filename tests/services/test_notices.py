"""Notices: kept byte for byte, never changed, and complete as they ship."""

import hashlib
import re

import pytest

from evdesk.domain.errors import StorageError
from evdesk.domain.notices import NoticeVersion
from evdesk.domain.purposes import HISTORY, VIN, PurposeId
from evdesk.services.notices import MOST_BYTES
from evdesk.settings import shipped
from tests.services.desk import ISSUER, Desk

V1 = NoticeVersion(1, 0)
TEXT = "Zeile eins\r\nZeile zwei – mit Strich\n".encode()
FOLDER = shipped("resources") / "privacy" / "notices"
# ISO/IEC 29184, 5.3.2 to 5.3.16, in this order but for 5.3.15 and .16 at the end.
SECTIONS = {
    "en": (
        "What it is for", "How you are asked", "Who is responsible", "Which data",
        "How it is collected", "When and where it is collected", "How it is used",
        "Where it is stored, and which law applies", "Who else gets it", "How long it is kept",
        "Your rights", "Questions and complaints", "How to see what you have chosen",
        "What allows this", "Risks",
    ),
    "de": (
        "Wozu es dient", "Wie Sie gefragt werden", "Wer verantwortlich ist", "Welche Daten",
        "Wie sie erhoben werden", "Wann und wo sie erhoben werden", "Wie sie verwendet werden",
        "Wo sie gespeichert werden und welches Recht gilt", "Wer sie noch erhält",
        "Wie lange sie aufbewahrt werden", "Ihre Rechte", "Fragen und Beschwerden",
        "Wie Sie Ihre Entscheidungen einsehen", "Was dies erlaubt", "Risiken",
    ),
}  # fmt: skip
NAMES = {"controller", "address", "contact", "country", "site", "months", "days"}


def test_a_notice_is_kept_byte_for_byte(desk: Desk) -> None:
    added = desk.notices.add(VIN, V1, "de", TEXT)
    assert desk.notices.get(added.id) == added
    assert (added.content, added.sha256) == (TEXT, hashlib.sha256(TEXT).digest())
    assert desk.notices.current(VIN, "de-AT") == added
    assert f'"sha256":"{added.sha256.hex()}"' in desk.audit()[-1].facts


@pytest.mark.parametrize("version", [(1, 0), (1, 1)])
def test_only_a_newer_version_is_added(desk: Desk, version: tuple[int, int]) -> None:
    desk.notices.add(VIN, NoticeVersion(1, 1), "de", TEXT)
    with desk.refused("is not newer than 1.1"):
        desk.notices.add(VIN, NoticeVersion(*version), "de", TEXT)
    desk.notices.add(VIN, NoticeVersion(1, 0), "en", TEXT)  # the same in another language
    desk.notices.add(VIN, NoticeVersion(2, 0), "en", TEXT)
    with desk.refused("is not newer"):
        desk.notices.add(VIN, NoticeVersion(1, 2), "de", TEXT)  # what it says no longer holds


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b" \n", "is empty"), (b"\xff\xfe", "no UTF-8"), (b"x" * (MOST_BYTES + 1), "not a scan")],
)
def test_what_is_no_text_is_refused(desk: Desk, content: bytes, sentence: str) -> None:
    with desk.refused(sentence):
        desk.notices.add(VIN, V1, "de", content)


def test_an_unknown_purpose_or_language_is_named(desk: Desk) -> None:
    with desk.refused("no purpose 'fun'"):
        desk.notices.add(PurposeId("fun"), V1, "de", TEXT)
    with desk.refused("'German' is no language"):
        desk.notices.add(VIN, V1, "German", TEXT)


def test_the_editor_begins_with_what_holds_and_knows_the_next_version(desk: Desk) -> None:
    desk.billing.set_issuer(ISSUER)
    assert "Depot GmbH" in desk.notices.draft(HISTORY, "de")
    assert desk.notices.next_version(HISTORY, "de", material=False) == V1
    desk.notices.add(HISTORY, V1, "de", TEXT)
    assert desk.notices.draft(HISTORY, "de").encode() == TEXT
    assert desk.notices.next_version(HISTORY, "de", material=False) == NoticeVersion(1, 1)
    assert desk.notices.next_version(HISTORY, "en", material=False) == NoticeVersion(1, 0)
    assert desk.notices.next_version(HISTORY, "de", material=True) == NoticeVersion(2, 0)
    with desk.refused("No text in 'fr' ships"):
        desk.notices.draft(HISTORY, "fr")


def test_a_notice_never_changes(desk: Desk) -> None:
    added = desk.notices.add(VIN, V1, "de", TEXT)
    with pytest.raises(StorageError), desk.store.write() as unit:
        unit.notices.add(added)


def test_every_purpose_that_needs_consent_has_ready_made_notices(desk: Desk) -> None:
    asked = {one.id for one in desk.consents.purposes() if one.needs_consent}
    files = {path.name for path in FOLDER.iterdir()}
    assert files == {f"{one}.{language}.md" for one in asked for language in SECTIONS}


@pytest.mark.parametrize("path", sorted(FOLDER.iterdir()), ids=lambda path: path.name)
def test_a_ready_made_notice_says_all_that_the_standard_asks(desk: Desk, path) -> None:
    """A template that says it is one, with nothing left to fill in but what the site knows."""
    desk.billing.set_issuer(ISSUER)
    text, language = path.read_text("utf-8"), path.suffixes[-2].removeprefix(".")
    assert tuple(re.findall(r"^## (.*)$", text, re.MULTILINE)) == SECTIONS[language]
    assert "emplate" in text or "Vorlage" in text
    assert set(re.findall(r"\{\{(\w+)\}\}", text)) == NAMES
    filled = desk.notices.draft(PurposeId(path.name.partition(".")[0]), language)
    assert "{" not in filled
    assert ISSUER.name in filled
