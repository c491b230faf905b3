"""Watches for faults while the window is open: the badge, the header and notices go by it."""

from time import monotonic

from PySide6.QtCore import QObject, Signal

from evdesk.domain.faults import Fault
from evdesk.domain.permissions import Action
from evdesk.gui import fault_texts
from evdesk.gui.context import Context
from evdesk.gui.pulse import Snapshot
from evdesk.gui.tasks import Lane
from evdesk.ports import FaultFilter
from evdesk.settings import ALERTS

LOOK_EVERY_S = 2.0
OPEN = FaultFilter(open_only=True)


class Alarms(QObject):
    """``changed`` carries the open faults, ``notice`` one sentence about what is new or over.

    While no collector runs, this looks after what it does otherwise: that it is missed, and mail.
    """

    changed = Signal(tuple)
    notice = Signal(str, str)
    failed = Signal(object)

    def __init__(self, context: Context, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self._known: dict[int, Fault] | None = None
        self._asking = self._attending = False
        self._asked_s = self._attended_s = -ALERTS.look_every_s
        context.pulse.beat.connect(self._on_beat)

    def hurry(self) -> None:
        """Look at once."""
        self._asked_s = -LOOK_EVERY_S
        self._ask()

    def _on_beat(self, snapshot: Snapshot) -> None:
        self._ask()
        if not snapshot.running:
            self._attend()

    def _ask(self) -> None:
        if self._asking or monotonic() - self._asked_s < LOOK_EVERY_S:
            return
        self._asking = True
        faults = self._context.desk.faults
        self._context.tasks.run(lambda: tuple(faults.find(OPEN)), self._tell, self._on_failed)

    def _tell(self, found: tuple[Fault, ...]) -> None:
        self._asking, self._asked_s = False, monotonic()
        before, now = self._known, {int(fault.id): fault for fault in found}
        self._known = now
        if before is None or before.keys() != now.keys() or before != now:
            self.changed.emit(found)
        if before is not None:
            self._notify(
                [fault for number, fault in now.items() if number not in before],
                [fault for number, fault in before.items() if number not in now],
            )

    def _notify(self, began: list[Fault], ended: list[Fault]) -> None:
        """Tell each change once; what somebody has acknowledged needs no notice."""
        began = [fault for fault in began if fault.acknowledged_at is None]
        ended = [fault for fault in ended if fault.acknowledged_at is None]
        if len(began) == 1:
            self.notice.emit(fault_texts.headline(began[0]), fault_texts.action(began[0]))
        elif began:
            lines = "\n".join(fault_texts.headline(fault) for fault in began)
            self.notice.emit(self.tr("{count} new faults").format(count=len(began)), lines)
        if ended:
            lines = "\n".join(fault_texts.headline(fault) for fault in ended)
            self.notice.emit(self.tr("Over"), lines)

    def _on_failed(self, error: Exception) -> None:
        self._asking, self._asked_s = False, monotonic()
        self.failed.emit(error)

    def _attend(self) -> None:
        if self._attending or monotonic() - self._attended_s < ALERTS.batch_s:
            return
        self._attending = True
        desk, sends = self._context.desk, self._context.rights.may(Action.BILL)

        def look() -> int:
            desk.faults.look()
            return desk.mail.deliver() if sends else 0

        self._context.tasks.run(look, self._on_attended, self._on_attended, Lane.OUTSIDE)

    def _on_attended(self, _: object) -> None:
        self._attending, self._attended_s = False, monotonic()
