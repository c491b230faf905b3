"""Who may do what: the one table of roles and actions."""

from enum import StrEnum

from evdesk.domain.site import Role


class Action(StrEnum):
    """What a use case is for; each has one of these."""

    LOOK = "look"
    SEE_PERSONS = "see who people are"
    REVEAL_PERSONS = "reveal persons"
    CHANGE_DRIVERS = "change drivers"
    DECIDE_SESSIONS = "decide about sessions"
    ACKNOWLEDGE_FAULTS = "acknowledge faults"
    BILL = "bill"
    EXPORT = "export"
    CHANGE_DEVICES = "change devices"
    CHANGE_TARIFFS = "change tariffs"
    CHANGE_SETTINGS = "change settings"
    RUN_COLLECTOR = "start and stop the collector"
    OWN_ACCOUNT = "change the own account"
    CHANGE_ACCOUNTS = "change accounts and keys"
    READ_AUDIT = "read the audit log"
    VERIFY_AUDIT = "verify the audit log"
    SIGN_AUDIT = "sign the audit log"
    EXPORT_EVIDENCE = "export evidence"
    EXPLAIN_ROLLBACK = "explain a rollback"
    MAKE_BACKUPS = "make backups"
    VERIFY_BACKUPS = "verify backups"
    RESTORE = "restore backups"
    SUPPORT = "write a support bundle"
    RECORD_CONSENTS = "record consents"
    CHANGE_NOTICES = "change notices"
    CHANGE_RETENTION = "change retention rules"
    RUN_RETENTION = "run retention"
    READ_PRIVACY = "read privacy logs"
    ANSWER_RIGHTS = "answer rights"


EVERYBODY = frozenset(
    {
        Action.LOOK,
        Action.EXPORT,
        Action.OWN_ACCOUNT,
        Action.VERIFY_AUDIT,
        Action.VERIFY_BACKUPS,
        Action.READ_PRIVACY,
    }
)
OFFICE = EVERYBODY | {
    Action.SEE_PERSONS,
    Action.CHANGE_DRIVERS,
    Action.DECIDE_SESSIONS,
    Action.ACKNOWLEDGE_FAULTS,
    Action.BILL,
    Action.RUN_COLLECTOR,
    Action.SIGN_AUDIT,
    Action.MAKE_BACKUPS,
    Action.SUPPORT,
    Action.RECORD_CONSENTS,
    Action.ANSWER_RIGHTS,
}
ALLOWED: dict[Role, frozenset[Action]] = {
    Role.OWNER: frozenset(Action),
    Role.STAFF: OFFICE,
    Role.AUDITOR: EVERYBODY | {Action.REVEAL_PERSONS, Action.READ_AUDIT, Action.EXPORT_EVIDENCE},
}


def allows(role: Role | None, action: Action) -> bool:
    """Return whether a role may do something; None is the program itself, such as its collector."""
    return role is None or action in ALLOWED[role]


def sees_persons(role: Role | None) -> bool:
    """Return whether a role is shown who people are; others see pseudonyms until they ask."""
    return role is not Role.AUDITOR
