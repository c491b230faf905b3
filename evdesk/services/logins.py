"""Who opened the site, and what failed before: entered in its log."""

from contextlib import suppress

from evdesk.domain.audit import LOGIN, LOGIN_FAILED, Change, Outcome
from evdesk.domain.errors import LogBroken
from evdesk.domain.instants import rfc3339
from evdesk.domain.site import SlotKind
from evdesk.ports import LoginAttempts, Store


def note_login(program: Store, person: Store, by: SlotKind, attempts: LoginAttempts) -> None:
    """Enter that somebody opened the site, and unlocks that failed since the last time.

    It is the journal's transaction: a site whose log is in doubt can be read, and that is noted. A
    log that is not whole takes no entry, and can still be verified.
    """
    with suppress(LogBroken), attempts.taken() as failed:
        if failed is not None:
            facts = {
                "count": failed.count,
                "first_at": rfc3339(failed.first_at),
                "last_at": rfc3339(failed.last_at),
            }
            with program.journal() as unit:
                site = unit.site.load().id
                change = Change(LOGIN_FAILED, "site", site, facts, outcome=Outcome.FAILED)
                unit.record_change(change)
    with suppress(LogBroken), person.journal() as unit:
        unit.record_change(Change(LOGIN, "account", person.actor.ref, {"by": by.value}))
