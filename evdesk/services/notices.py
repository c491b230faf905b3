"""Notices: what people are told before they agree; versioned, and never changed once they exist."""

import hashlib
import re
from datetime import datetime

from evdesk.domain.audit import Change
from evdesk.domain.errors import UserError
from evdesk.domain.notices import Notice, NoticeId, NoticeVersion, current
from evdesk.domain.permissions import Action
from evdesk.domain.purposes import Purpose, PurposeId
from evdesk.domain.site import Party, Site
from evdesk.ports import Clock, Store, Unit
from evdesk.services.permitting import permit

MOST_BYTES = 200_000
FIRST = NoticeVersion(1, 0)
LANGUAGE = re.compile("[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
COUNTRIES = {
    "en": {"DE": "Germany", "AT": "Austria", "FR": "France", "IT": "Italy", "BE": "Belgium",
           "DK": "Denmark", "PL": "Poland", "LU": "Luxembourg", "ES": "Spain", "IE": "Ireland"},
    "de": {"DE": "Deutschland", "AT": "Österreich", "FR": "Frankreich", "IT": "Italien",
           "BE": "Belgien", "DK": "Dänemark", "PL": "Polen", "LU": "Luxemburg", "ES": "Spanien",
           "IE": "Irland"},
}  # fmt: skip


class NoticeService:
    """Use cases of notices."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    @permit(Action.CHANGE_NOTICES)
    def add(
        self, purpose: PurposeId, version: NoticeVersion, language: str, content: bytes
    ) -> Notice:
        """Add a notice byte for byte; with a higher major, consents have to be renewed at once.

        Raises:
            UserError: no such purpose or language, no text, or not newer than those there are.

        """
        _check_text(content)
        if not LANGUAGE.fullmatch(language):
            raise UserError(
                "'{language}' is no language: write it as de, en or de-AT.", language=language
            )
        with self._store.write() as unit:
            existing_purpose(unit, purpose)
            _check_newer(unit.notices.of(purpose), version, language)
            at, author = self._clock.now(), self._store.actor.ref
            return _keep(unit, purpose, version, language, content, (at, author))

    @permit(Action.LOOK)
    def all(self) -> list[Notice]:
        """Return every notice, oldest first."""
        with self._store.read() as unit:
            return unit.notices.all()

    @permit(Action.LOOK)
    def get(self, notice: NoticeId) -> Notice:
        """Return a notice by its id."""
        with self._store.read() as unit:
            found = unit.notices.get(notice)
        if found is None:
            raise UserError("There is no notice {notice}. See: evdesk notice list", notice=notice)
        return found

    @permit(Action.LOOK)
    def current(self, purpose: PurposeId, language: str | None = None) -> Notice | None:
        """Return the notice that is shown now, or None while there is none."""
        with self._store.read() as unit:
            existing_purpose(unit, purpose)
            wanted = _languages(unit.site.load(), language)
            return current(unit.notices.of(purpose), wanted)

    @permit(Action.LOOK)
    def draft(self, purpose: PurposeId, language: str) -> str:
        """Return a text to begin with: the one that holds now, else the ready-made one.

        Raises:
            UserError: no such purpose, or nothing ships for it.

        """
        with self._store.read() as unit:
            told = existing_purpose(unit, purpose)
            known = [one for one in unit.notices.of(purpose) if one.language == language]
            newest = current(known, [language])
            if newest is not None:
                return newest.text
            texts = unit.notices.ready_made(purpose)
            if language not in texts:
                raise UserError(
                    "No text in '{language}' ships for '{purpose}': begin with an empty one.",
                    language=language,
                    purpose=purpose,
                )
            issuer = unit.site.issuer()
            return filled(texts[language], told, issuer, unit.site.load(), language)

    @permit(Action.LOOK)
    def next_version(self, purpose: PurposeId, language: str, *, material: bool) -> NoticeVersion:
        """Return the version that a change makes: material ones need consents to be renewed."""
        with self._store.read() as unit:
            existing_purpose(unit, purpose)
            known = unit.notices.of(purpose)
        if not known:
            return FIRST
        major = max(one.version.major for one in known)
        if material:
            return NoticeVersion(major + 1, 0)
        minors = [one.version.minor for one in known
                  if one.version.major == major and one.language == language]  # fmt: skip
        return NoticeVersion(major, max(minors, default=-1) + 1)


def notice_for(
    unit: Unit, purpose: Purpose, language: str, at: datetime, author: str
) -> tuple[Notice, tuple[Notice, ...]]:
    """Return the notice that somebody is shown now, and those that were adopted just now for it.

    Raises:
        UserError: there is none, and none can be adopted.

    """
    wanted = _languages(unit.site.load(), language)
    found = current(unit.notices.of(purpose.id), wanted)
    if found is not None:
        return found, ()
    adopted = _adopt(unit, purpose, at, author)
    found = current(adopted, wanted)
    if found is None:
        raise UserError(
            "There is no notice for '{purpose}', so nobody can know what they agree to. Add one: "
            "evdesk notice add --help",
            purpose=purpose.id,
        )
    return found, adopted


def _adopt(unit: Unit, purpose: Purpose, at: datetime, author: str) -> tuple[Notice, ...]:
    """Take over the ready-made notices of a purpose, with what the site knows filled in."""
    site, issuer = unit.site.load(), unit.site.issuer()
    if issuer is None:
        raise UserError(
            "There is no notice for '{purpose}' yet, and the ready-made one has to say who is "
            "responsible. Nothing was recorded. Set that first: evdesk issuer set --help, or add a "
            "notice of your own: evdesk notice add --help",
            purpose=purpose.id,
        )
    texts = unit.notices.ready_made(purpose.id)
    return tuple(
        _keep(
            unit,
            purpose.id,
            FIRST,
            language,
            filled(text, purpose, issuer, site, language).encode(),
            (at, author),
            ready_made=True,
        )
        for language, text in texts.items()
    )


def filled(text: str, purpose: Purpose, issuer: Party | None, site: Site, language: str) -> str:
    """Return a ready-made text with what the site knows in the place of ``{{names}}``."""
    blank = Party("…")
    who = issuer or blank
    country = who.country or site.country
    town = " ".join(part for part in (who.postcode, who.city) if part)
    reach = ", ".join(part for part in (who.contact, who.email, who.phone) if part)
    address = ", ".join(part for part in (who.street, town, who.country) if part)
    known = {
        "controller": who.name,
        "address": address or "…",
        "contact": reach or address or "…",
        "country": COUNTRIES.get(language, {}).get(country, country),
        "site": site.name,
        "months": str(purpose.validity_months),
        "days": str(purpose.deletion_days),
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda found: known.get(found[1], found[0]), text)


def existing_purpose(unit: Unit, purpose: PurposeId) -> Purpose:
    """Return the purpose of that id."""
    found = unit.purposes.get(purpose)
    if found is None:
        raise UserError(
            "There is no purpose '{purpose}'. List them with: evdesk consent purposes",
            purpose=purpose,
        )
    return found


def _keep(
    unit: Unit,
    purpose: PurposeId,
    version: NoticeVersion,
    language: str,
    content: bytes,
    made: tuple[datetime, str],
    *,
    ready_made: bool = False,
) -> Notice:
    """Append a notice with its entry."""
    digest, (at, author) = hashlib.sha256(content).digest(), made
    draft = Notice(NoticeId(0), purpose, version, language, content, digest, at, author, ready_made)
    notice = unit.notices.add(draft)
    facts = {
        "purpose": purpose,
        "version": str(version),
        "language": language,
        "sha256": digest.hex(),
        "ready_made": ready_made,
    }
    unit.record_change(Change("notice.added", "notice", str(notice), facts))
    return Notice(notice, purpose, version, language, content, digest, at, author, ready_made)


def _check_text(content: bytes) -> None:
    if not content.strip():
        raise UserError("The notice is empty.")
    if len(content) > MOST_BYTES:
        raise UserError(
            "The notice has {count} bytes; {most} are the most. It is a text, not a scan.",
            count=len(content),
            most=MOST_BYTES,
        )
    try:
        content.decode()
    except UnicodeDecodeError as error:
        raise UserError("The notice is no UTF-8 text. Save it as UTF-8 and try again.") from error


def _check_newer(known: list[Notice], version: NoticeVersion, language: str) -> None:
    """Refuse a version that is not newer: what was agreed to must stay unmistakable."""
    major = max((one.version.major for one in known), default=0)
    same = [one.version for one in known if one.language == language]
    newest = max(same, default=None)
    if version.major < major or (newest is not None and version <= newest):
        held = newest if newest is not None and newest.major >= major else f"{major}.…"
        raise UserError(
            "Version {version} is not newer than {held}. Raise the second number for a correction, "
            "the first for a change that people have to agree to anew.",
            version=version,
            held=held,
        )


def _languages(site: Site, language: str | None) -> list[str]:
    return [*([language] if language else []), site.language, "en"]
