"""Kinds of personal data: what is kept, erased and answered for as one."""

from enum import StrEnum


class DataClass(StrEnum):
    """A kind of personal data (Datenart, DIN 66398): one purpose of keeping, one rule to delete.

    The values are names of keys in persons.db and of lines in the erasure ledger: they never
    change.
    """

    IDENTITY = "identity"  # name, address, tax numbers of a driver
    CONTACT = "contact"
    PAYMENT = "payment"
    CARD = "card"
    VIN = "vin"
    SESSION_LINK = "session_link"  # who a session, a fault or a station's sessions belong to
    INVOICE = "invoice"  # issued invoices with the sessions and readings behind them
    CONSENT = "consent"  # the ledger: who agreed to what, when and how
    CONSENT_EVIDENCE = "consent_evidence"  # scans and signatures
    REQUEST = "request"  # what people asked for, and what they were answered
    ACCOUNT = "account"  # staff, and what they did
    MAIL = "mail"
