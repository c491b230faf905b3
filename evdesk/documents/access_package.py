"""What people are given about themselves: a PDF to read, JSON and CSV for programs."""

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

from evdesk.documents.tables import Tables
from evdesk.documents.typesetting import Typesetter
from evdesk.documents.wording import Wording, Wordings
from evdesk.domain.instants import rfc3339
from evdesk.domain.processing import DetailKind
from evdesk.domain.site import Party
from evdesk.ports import Cell, Dossier, Holding, PackageFile, Table

ACCESS, PORTABLE = "access", "portability"
PAIRS = ("field", "value")
WIDE = 7  # columns: more of them are set smaller
WORDS = frozenset({
    "event", "method", "kind", "state", "check", "recipient_kind", "cause", "entity_role",
})  # fmt: skip
DAYS = frozenset({"period_from_at", "period_to_at", "kept_until_at"})
CLASSES = "classes"
CONTACTS = (DetailKind.JOINT_CONTROLLER, DetailKind.REPRESENTATIVE, DetailKind.DPO)
RIGHTS = ("right_rectify", "right_restrict", "right_port", "right_withdraw")
View = dict[str, object]


class PackageDocuments:
    """Implements ``ports.PackageWriter``; ``resources`` is the folder of what ships with evdesk."""

    def __init__(self, resources: Path) -> None:
        self._labels = resources / "rights" / "labels.toml"
        self._setter = Typesetter(resources, "rights/access.typ", "access")
        self._tables = Tables()

    def access(self, dossier: Dossier) -> list[PackageFile]:
        """Return the files of an access package: PDF for people, JSON and CSV for machines."""
        wording = Wordings(self._labels).of(dossier.language, dossier.tz)
        pdf = self._setter.pdf(access_view(dossier, wording), int(dossier.made_at.timestamp()))
        found = dossier.holdings
        machine = [PackageFile(f"{ACCESS}.json", _json(dossier, found, dossier.files))]
        return [PackageFile(f"{ACCESS}.pdf", pdf), *machine, *self._csv(dossier, found),
                *dossier.files]  # fmt: skip

    def portable(self, dossier: Dossier) -> list[PackageFile]:
        """Return the files of what can be taken elsewhere: JSON and CSV."""
        found = [one for one in dossier.holdings if one.provided]
        return [PackageFile(f"{PORTABLE}.json", _json(dossier, found, ())),
                *self._csv(dossier, found)]  # fmt: skip

    def _csv(self, dossier: Dossier, holdings: Iterable[Holding]) -> list[PackageFile]:
        return [
            PackageFile(f"{one.id}.csv", self._tables.write(_table(dossier, one), ".csv"))
            for one in holdings
            if one.rows
        ]


def _table(dossier: Dossier, one: Holding) -> Table:
    return Table(one.id, one.columns, one.rows, dossier.tz)


# -- for machines ----------------------------------------------------------------------------------


def _json(dossier: Dossier, holdings: Iterable[Holding], files: Iterable[PackageFile]) -> bytes:
    """UTF-8; names say the unit, instants are RFC 3339 in UTC, money is decimal text."""
    told = {
        "person": dossier.person,
        "made_at": rfc3339(dossier.made_at),
        "site": dossier.site_name,
        "time_zone": dossier.tz,
        "specimen": dossier.specimen,
        "controller": None if dossier.controller is None else _party(dossier.controller),
        "contacts": {kind.value: text for kind, text in dossier.details},
        "audit_log": dossier.head,
        "held": [_held(one) for one in holdings],
        "files": [one.name for one in files],
    }
    return (json.dumps(told, ensure_ascii=False, indent=2) + "\n").encode()


def _held(one: Holding) -> View:
    return {
        "what": one.id,
        "data_class": None if one.data_class is None else one.data_class.value,
        "purpose": one.purpose,
        "legal_basis": one.basis,
        "source": one.source,
        "recipients": list(one.recipients),
        "retention": one.kept or None,
        "erased_at": None if one.until is None else rfc3339(one.until),
        "rows": [dict(zip(one.columns, map(_plain, row), strict=True)) for row in one.rows],
    }


def _plain(cell: Cell) -> str | int | None:
    if isinstance(cell, datetime):
        return rfc3339(cell)
    return format(cell, "f") if isinstance(cell, Decimal) else cell


def _party(party: Party) -> View:
    names = ("name", "street", "postcode", "city", "country", "contact", "email", "phone")
    return {name: getattr(party, name) for name in names if getattr(party, name)}


# -- for people ------------------------------------------------------------------------------------


def access_view(dossier: Dossier, wording: Wording) -> View:
    """Return the texts of the document, that the template only has to place."""
    words = wording.labels
    details = dict(dossier.details)
    authority = details.get(DetailKind.AUTHORITY)
    complain = words["right_complain"].format(authority=f": {authority}" if authority else "")
    return {
        "lang": wording.locale.language,
        "title": words["title"],
        "marks": [words["specimen_mark"]] if dossier.specimen else [],
        "intro": words["intro"].format(moment=wording.moment(dossier.made_at)),
        "labels": {name: words[name] for name in ("page", "audit_log", "nothing", "rights_title")},
        "site": dossier.site_name,
        "meta": [
            [words["about"], dossier.subject.name],
            [words["pseudonym"], dossier.person],
            *_controller(dossier.controller, words["controller"], wording),
            *([words[kind.value], details[kind]] for kind in CONTACTS if kind in details),
        ],
        "rights": [*(words[name] for name in RIGHTS), complain],
        "closing": [words["no_automation"], words["erased_note"]],
        "holdings": [_section(one, wording) for one in dossier.holdings],
        "head": dossier.head,
    }


def _controller(party: Party | None, label: str, wording: Wording) -> list[list[str]]:
    if party is None:
        return []
    town = f"{party.postcode} {party.city}".strip()
    country = wording.country(party.country) if party.country else ""
    parts = (party.name, party.street, town, country, party.contact, party.email, party.phone)
    return [[label, ", ".join(part for part in parts if part)]]


def _section(one: Holding, wording: Wording) -> View:
    words = wording.labels
    pairs = one.columns == PAIRS
    return {
        "title": words[f"holding_{one.id}"],
        "facts": [
            [words["what_for"], one.purpose],
            [words["basis"], one.basis],
            [words["source"], one.source],
            [words["recipients"], "; ".join(one.recipients)],
            [words["kept"], _kept(one, wording)],
        ],
        "pairs": pairs,
        "wide": len(one.columns) > WIDE,
        "columns": [words[f"column_{name}"] for name in one.columns],
        "numeric": [name.endswith(("_wh", "_w", "_s")) or name in {"net", "vat", "gross"}
                    for name in one.columns],
        "rows": [_row(one.columns, row, wording) for row in one.rows],
    }  # fmt: skip


def _kept(one: Holding, wording: Wording) -> str:
    words = wording.labels
    kept = one.kept or words["kept_none"]
    until = "" if one.until is None else words["kept_until"].format(day=wording.day(one.until))
    return f"{kept}. {until}".strip() if until else kept


def _row(columns: tuple[str, ...], row: tuple[Cell, ...], wording: Wording) -> list[str]:
    if columns == PAIRS:
        name, value = row
        return [wording.labels[f"field_{name}"], _shown("value", value, wording)]
    return [_shown(name, cell, wording) for name, cell in zip(columns, row, strict=True)]


def _shown(name: str, cell: Cell, wording: Wording) -> str:
    """Return a cell as people read it; words of the program in their language."""
    words = wording.labels
    if cell is None:
        return "–"
    if isinstance(cell, datetime):
        last = cell - timedelta(milliseconds=1) if name == "period_to_at" else cell
        return wording.day(last) if name in DAYS else wording.moment(cell)
    if isinstance(cell, int) and name.endswith("_wh"):
        return wording.kwh(cell)
    if isinstance(cell, Decimal):
        return wording.price(cell, "EUR")
    text = str(cell)
    if name == "on":
        return words[text]
    if name == CLASSES:
        return ", ".join(words[f"class_{each}"] for each in text.split())
    if name == "purpose":
        return words.get(f"purpose_{text}", text)
    return words.get(f"value_{text}", text) if name in WORDS else text
