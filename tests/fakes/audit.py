"""An audit log that was never written."""

from evdesk.domain.notes import Rollback


class StubAudit:
    """``told`` is what is wrong with the log as a whole; ``reasons`` are explanations."""

    def __init__(self, told: Rollback | None = None) -> None:
        self.told = told
        self.reasons: list[str] = []

    def rollback(self) -> Rollback | None:
        return self.told

    def explain_rollback(self, reason: str) -> None:
        self.reasons.append(reason)
        self.told = None
