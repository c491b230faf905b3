"""The purposes and ready-made notices that ship with evdesk."""

import tomllib
from pathlib import Path
from typing import Any

from evdesk.domain.personal_data import DataClass
from evdesk.domain.purposes import Basis, Purpose, PurposeId, PurposeText
from evdesk.settings import shipped

LANGUAGES = ("en", "de")


def privacy_folder() -> Path:
    """Return where the files are."""
    return shipped("resources") / "privacy"


def read_purposes(folder: Path) -> dict[PurposeId, Purpose]:
    """Return every purpose as it ships, by id, in the order of the file."""
    told = tomllib.loads((folder / "purposes.toml").read_text(encoding="utf-8"))
    found = [_purpose(one) for one in told["purpose"]]
    return {one.id: one for one in found}


def read_notices(folder: Path, purpose: PurposeId) -> dict[str, str]:
    """Return the ready-made notice of a purpose by language; none where no consent is asked for."""
    files = {language: folder / "notices" / f"{purpose}.{language}.md" for language in LANGUAGES}
    return {lang: f.read_text(encoding="utf-8") for lang, f in files.items() if f.is_file()}


def _purpose(told: dict[str, Any]) -> Purpose:
    return Purpose(
        id=PurposeId(told["id"]),
        basis=Basis(told["basis"]),
        legal=told["legal"],
        data_classes=tuple(DataClass(name) for name in told["data_classes"]),
        validity_months=told.get("validity_months", 0),
        reminder_days=told.get("reminder_days", 0),
        deletion_days=told.get("deletion_days", 0),
        dpv=told["dpv"],
        pd=tuple(told["pd"]),
        texts={lang: PurposeText(**told[lang]) for lang in LANGUAGES},
    )
