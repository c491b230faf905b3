"""What data of persons is processed for, and what allows it."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import NewType

from evdesk.domain.personal_data import DataClass

PurposeId = NewType("PurposeId", str)

BILLING = PurposeId("billing")
INVOICES = PurposeId("invoices")
OPERATION = PurposeId("operation")
RIGHTS = PurposeId("rights")
VIN = PurposeId("vin")
HISTORY = PurposeId("history")
LOCATION = PurposeId("location")
ANALYTICS = PurposeId("analytics")
EMAIL = PurposeId("email")
SHARING = PurposeId("sharing")

MOST_MONTHS, MOST_DAYS = 120, 366


class Basis(StrEnum):
    """What allows a purpose: Art. 6(1) GDPR, points (b), (c), (a) and (f)."""

    CONTRACT = "contract"
    LAW = "law"
    CONSENT = "consent"
    LEGITIMATE_INTEREST = "legitimate_interest"


@dataclass(frozen=True, slots=True)
class PurposeText:
    """What people read of a purpose in one language."""

    name: str
    description: str


@dataclass(frozen=True, slots=True)
class Purpose:
    """One purpose; the months and days are those of consents, 0 for other bases.

    ``texts`` are by language, ``pd`` and ``dpv`` are terms of the Data Privacy Vocabulary.
    """

    id: PurposeId
    basis: Basis
    legal: str
    data_classes: tuple[DataClass, ...]
    validity_months: int
    reminder_days: int
    deletion_days: int
    dpv: str
    pd: tuple[str, ...]
    texts: dict[str, PurposeText]
    enabled: bool = True

    @property
    def needs_consent(self) -> bool:
        """Return whether somebody has to agree before it may begin."""
        return self.basis is Basis.CONSENT

    def text(self, language: str) -> PurposeText:
        """Return what people read, in English where their language is not there."""
        return self.texts.get(language.partition("-")[0], self.texts["en"])


@dataclass(frozen=True, slots=True)
class PurposeSetting:
    """What an owner decided of a purpose, from an instant on."""

    purpose: PurposeId
    enabled: bool
    validity_months: int
    deletion_days: int
    at: datetime
    author: str


def with_setting(purpose: Purpose, setting: PurposeSetting | None) -> Purpose:
    """Return the purpose as the owner wants it; without a setting as it ships."""
    if setting is None:
        return purpose
    return replace(
        purpose,
        enabled=setting.enabled,
        validity_months=setting.validity_months,
        deletion_days=setting.deletion_days,
    )
