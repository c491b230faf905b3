"""The site, the accounts that open it and the party that bills."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

AccountId = NewType("AccountId", str)
DriverId = NewType("DriverId", str)


class Role(StrEnum):
    """What an account is for."""

    OWNER = "owner"
    STAFF = "staff"
    AUDITOR = "auditor"


class SlotKind(StrEnum):
    """What opens the site: each account, and each other way in, has a slot in the key file."""

    PASSWORD = "password"  # noqa: S105 - a kind, not a password
    RECOVERY = "recovery"  # the printed code
    KEYRING = "keyring"  # the keyring of the operating system, for one account
    SERVICE = "service"  # a key on this PC, for a collector that starts with it


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who opens the site with a password of their own."""

    id: AccountId
    name: str
    role: Role
    created_at: datetime
    removed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: an account, or a process of the program such as ``collector``."""

    ref: str
    role: Role | None = None


PROGRAM = Actor("evdesk")  # what it does in nobody's name


@dataclass(frozen=True, slots=True)
class Site:
    """What never or rarely changes about a site; a demo site has a stepped clock."""

    id: str
    name: str
    tz: str
    currency: str
    country: str
    language: str
    demo: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Party:
    """Who bills or is billed, with the fields EN 16931 names (BG-4, BG-7)."""

    name: str
    street: str = ""
    postcode: str = ""
    city: str = ""
    country: str = ""
    vat_id: str = ""
    tax_number: str = ""
    contact: str = ""
    email: str = ""
    phone: str = ""
    iban: str = ""


@dataclass(frozen=True, slots=True)
class Driver:
    """A person who charges: the pseudonym, and the personal fields while they may be shown."""

    id: DriverId
    party: Party
    language: str
    created_at: datetime
    retired_at: datetime | None = None
