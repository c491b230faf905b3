"""What leaves the house as a table: an entry tells of it, and it carries the head before that."""

from contextlib import suppress

from evdesk.domain.audit import Change
from evdesk.domain.errors import LogBroken
from evdesk.ports import Store

EXPORT_MADE = "export.made"


def note_export(store: Store, what: str, suffix: str, rows: int) -> None:
    """Enter that a table was made; a log that is in doubt takes no entry, and can still be read.

    Raises:
        StorageError: the entry could not be written, so that the table is not to be handed out.

    """
    if store.rollback is not None:
        return
    with suppress(LogBroken), store.write() as unit:
        facts = {"format": suffix, "rows": rows}
        unit.record_change(Change(EXPORT_MADE, "export", what, facts))
