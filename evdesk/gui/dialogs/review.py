"""Deciding about a session: correct it, release it from review, end it by hand."""

from collections.abc import Callable

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QWidget

from evdesk.domain.errors import Unlikely
from evdesk.domain.sessions import DOUBTS, Session, SessionState
from evdesk.gui import texts
from evdesk.gui.context import Context
from evdesk.gui.dialogs.base import FormDialog
from evdesk.gui.tasks import Lane
from evdesk.gui.widgets.fields import add_field, form, text_field, whole_wh
from evdesk.gui.widgets.parts import paragraph


class DecisionForm(FormDialog):
    """A form that ends in a reason; ``decided`` tells what was done, in a sentence."""

    decided = Signal(str)

    def __init__(self, context: Context, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.context, self.session = context, session
        self.fields = form()
        self.reason = text_field(self.tr("In a few words"))
        self.form.addLayout(self.fields)
        self.setMinimumWidth(500)

    def add_reason(self) -> None:
        """Add the field for the reason, below all others."""
        add_field(
            self.fields,
            self.tr("Reason"),
            self.reason,
            self.tr("Kept for ever with your name, and shown to whoever checks. Name no driver."),
        )

    def decide(self, work: Callable[[], object], done: Callable[[object], object]) -> None:
        """Carry out the decision."""
        self.wait(True)
        self.context.tasks.run(work, done, self.complain, Lane.OUTSIDE)

    def end(self, sentence: str) -> None:
        """Close the form and tell what was done."""
        self.decided.emit(sentence)
        self.accept()


class CorrectSession(DecisionForm):
    """Asks for the registers that hold, in kWh as a meter shows them."""

    def __init__(self, context: Context, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(context, session, parent)
        self.describe(
            self.tr("Correct this session"),
            self.tr("What was measured stays on record beside it. Bills use the corrected "
                    "registers from now on."),
            self.tr("Correct"),
        )  # fmt: skip
        self._certain = False
        claim = session.claim()
        self.start = self._register(claim.start_wh)
        self.end_field = self._register(claim.end_wh)
        self.energy = paragraph("", "")
        add_field(self.fields, self.tr("Plug-in, kWh"), self.start)
        add_field(self.fields, self.tr("Unplug, kWh"), self.end_field)
        add_field(self.fields, self.tr("Energy"), self.energy)
        self.add_reason()
        self.start.setFocus()
        self._count()

    def _register(self, wh: int | None) -> QLineEdit:
        field = text_field(self.tr("as the meter showed it"))
        if wh is not None:
            field.setText(texts.plain_kwh(wh))
        field.textChanged.connect(self._count)
        return field

    def _registers(self) -> tuple[int, int] | None:
        """Return both registers in Wh; None where one is missing or finer than a Wh."""
        start_wh, end_wh = whole_wh(self.start), whole_wh(self.end_field)
        return None if start_wh is None or end_wh is None else (start_wh, end_wh)

    def _count(self) -> None:
        registers = self._registers()
        energy_wh = None if registers is None else registers[1] - registers[0]
        good = energy_wh is not None and energy_wh >= 0
        self.ok.setEnabled(good)
        self._ask_anew()
        measured = texts.kwh(self.session.figures.energy_wh)
        self.energy.setText(
            self.tr("{kwh} kWh; measured: {measured} kWh").format(
                kwh=texts.kwh(energy_wh) if good else texts.NONE, measured=measured
            )
        )

    def submit(self) -> None:
        registers = self._registers()
        if registers is None:
            self.complain(self.tr("Write both registers in kWh, with three decimals at most."))
            return
        reviews, session, reason = self.context.desk.reviews, self.session.id, self.reason.text()
        certain = self._certain
        self.decide(
            lambda: reviews.correct(session, *registers, reason, certain=certain),
            self._on_corrected,
        )

    def complain(self, error: object) -> None:
        """Say what has to be put right; what is only unlikely may be said a second time."""
        super().complain(error)
        if isinstance(error, Unlikely):
            self._certain = True
            self.ok.setText(self.tr("Correct all the same"))

    def _ask_anew(self) -> None:
        """Other registers are another question."""
        if self._certain:
            self._certain = False
            self.error.tell("")
            self.ok.setText(self.tr("Correct"))

    def _on_corrected(self, session: object) -> None:
        if not isinstance(session, Session):
            return
        told = self.tr("Corrected to {kwh} kWh.").format(kwh=texts.kwh(session.energy_wh))
        if session.state is SessionState.REVIEW:
            told += " " + self.tr("It stays in review until you release it.")
        self.end(told)


class ReleaseSession(DecisionForm):
    """Asks why a session may be billed in spite of its doubts."""

    def __init__(self, context: Context, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(context, session, parent)
        self.describe(
            self.tr("Release this session from review"),
            self.tr("It is billed with {kwh} kWh from then on. Its remarks stay.").format(
                kwh=texts.kwh(session.energy_wh)
            ),
            self.tr("Release"),
        )
        for flag in sorted(session.figures.flags & DOUBTS):
            self.form.insertWidget(self.form.count() - 1, paragraph(": ".join(texts.flag(flag))))
        self.add_reason()
        self.reason.setFocus()

    def submit(self) -> None:
        reviews, session, reason = self.context.desk.reviews, self.session.id, self.reason.text()
        self.decide(lambda: reviews.release(session, reason), self._on_released)

    def _on_released(self, _: object) -> None:
        self.end(self.tr("Released. It can be billed now."))


class EndSession(DecisionForm):
    """Asks why an open session is ended by hand."""

    def __init__(self, context: Context, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(context, session, parent)
        end = session.figures.end
        self.describe(
            self.tr("End this session now?"),
            self.tr("For a device that is gone for good. The session ends at the last register "
                    "that was stored ({kwh} kWh, {at}); what its car drew since then is not in "
                    "it. It goes into review.").format(
                kwh=texts.kwh(None if end is None else end.wh),
                at=texts.stamp(None if end is None else end.at, context.zone),
            ),
            self.tr("End it"),
        )  # fmt: skip
        self.add_reason()
        self.reason.setFocus()

    def submit(self) -> None:
        reviews, session, reason = self.context.desk.reviews, self.session.id, self.reason.text()
        self.decide(lambda: reviews.end(session, reason), self._on_ended)

    def _on_ended(self, ended: object) -> None:
        self.end(
            self.tr("Ended. Look at it in review.")
            if ended
            else self.tr("The collector ends it within a second or two.")
        )
