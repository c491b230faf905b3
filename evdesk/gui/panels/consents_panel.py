"""The consents of the driver who is selected: each purpose, recording, withdrawing, the receipt."""

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from evdesk.domain.permissions import Action
from evdesk.domain.site import Driver
from evdesk.gui import consent_texts
from evdesk.gui.context import Context
from evdesk.gui.dialogs.consent import RecordConsent, WithdrawConsent
from evdesk.gui.tasks import Latest
from evdesk.gui.widgets.empty import EmptyState
from evdesk.gui.widgets.files import SaveAs
from evdesk.gui.widgets.parts import button, column, give_icon, label, line, paragraph, row
from evdesk.gui.widgets.purpose_row import PurposeRow
from evdesk.services.consents import Standing
from evdesk.services.recording import Recorded

Found = tuple[Driver, list[Standing]]


class ConsentsPanel(QFrame):
    """Reads the driver that is selected; ``changed`` says that something was recorded."""

    failed = Signal(object)
    told = Signal(str)
    changed = Signal()
    drawn = Signal()

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "surface")
        self.setMinimumWidth(330)
        self._context = context
        self._driver: Driver | None = None
        self._shown: Driver | None = None  # whom the rows are about, while another one is read
        self._standing: list[Standing] = []
        self._found = Latest(context.tasks, self._begin, self._show, self.failed.emit, self)
        self.title = paragraph("", "heading")
        self.summary = label("", "small")
        self.rows: list[PurposeRow] = []
        self._box = column(gap=5)
        self.receipt = button(self.tr("Receipt …"), self.ask_receipt)
        self.files = SaveAs(context, self)
        self.dialog: RecordConsent | WithdrawConsent | None = None
        self.empty = EmptyState(
            context.theme, "consent", self.tr("Nobody selected"),
            self.tr("Select a driver to see what they agreed to, and to record what they say."),
        )  # fmt: skip
        self._arrange()
        self.files.saved.connect(self._on_saved)
        self.files.failed.connect(self.failed)
        context.theme.changed.connect(self.repaint_icons)
        self.repaint_icons()

    def _arrange(self) -> None:
        inside = QWidget()
        inside.setObjectName("inside")
        inside.setLayout(column(self._box, 0, margin=16))
        area = QScrollArea()
        area.setWidget(inside)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        names = column(self.title, self.summary, gap=2)
        head = row(names, self.receipt, gap=12)
        head.setStretch(0, 1)
        head.setAlignment(self.receipt, Qt.AlignmentFlag.AlignTop)
        head.setContentsMargins(16, 14, 16, 12)
        self.detail = QWidget()
        self.detail.setLayout(column(head, line(), area, gap=0))
        box = QVBoxLayout(self)
        box.setContentsMargins(1, 1, 1, 1)
        box.addWidget(self.empty)
        box.addWidget(self.detail)
        self.detail.hide()
        self._context.rights.guard(self.receipt, Action.RECORD_CONSENTS)

    def repaint_icons(self) -> None:
        """Draw the icon in the theme's colours."""
        give_icon(self.receipt, self._context.theme, "save")

    # -- reading --------------------------------------------------------------------------------

    def show_driver(self, driver: Driver | None) -> None:
        """Show a driver's consents, or that nobody is selected."""
        before, self._driver = self._driver, driver
        if driver is None:
            self.detail.hide()
            self.empty.show()
        elif driver != before:
            self._found.ask()

    def again(self) -> None:
        """Read what is shown once more."""
        if self._driver is not None:
            self._found.ask()

    def _begin(self) -> Callable[[], Found | None]:
        driver, consents = self._driver, self._context.desk.consents
        return lambda: None if driver is None else (driver, consents.standing(driver.id))

    def _show(self, found: Found | None) -> None:
        if found is None or found[0] != self._driver:
            return
        driver, standing = found
        self._shown = driver
        self.title.setText(self.tr("Consents of {name}").format(name=driver.party.name))
        agreed = sum(one.decision.allowed for one in standing)
        self.summary.setText(
            self.tr("{agreed} of {count} purposes agreed to").format(
                agreed=agreed, count=sum(one.purpose.enabled for one in standing)
            )
        )
        self._fill(standing)
        asked = any(one.event is not None for one in standing)
        self.receipt.setEnabled(asked)
        self.receipt.setToolTip(
            self.tr("What the driver is given about their consents")
            if asked
            else self.tr("Nothing was recorded yet, so there is nothing to confirm.")
        )
        self.empty.hide()
        self.detail.show()
        self.drawn.emit()

    def _fill(self, standing: list[Standing]) -> None:
        """Make the rows anew where something changed: what has the focus keeps it otherwise."""
        if standing == self._standing:
            return
        self._standing = standing
        while self._box.count():
            item = self._box.takeAt(0)
            part = None if item is None else item.widget()
            if part is not None:
                part.setParent(None)
                part.deleteLater()
        self.rows = []
        for one in standing:
            if self.rows:
                self._box.addWidget(line())
            made = PurposeRow(self._context, one)
            made.answer_wanted.connect(self.ask_answer)
            made.withdrawal_wanted.connect(self.ask_withdrawal)
            self._box.addWidget(made)
            self.rows.append(made)

    # -- recording ------------------------------------------------------------------------------

    def ask_answer(self, standing: Standing) -> None:
        """Ask what the driver says to a purpose, with its notice beside."""
        if self._shown is not None:
            self._open(RecordConsent(self._context, self._shown, standing, self))

    def ask_withdrawal(self, standing: Standing) -> None:
        """Ask how a driver withdrew."""
        if self._shown is not None:
            self._open(WithdrawConsent(self._context, self._shown, standing, self))

    def _open(self, dialog: RecordConsent | WithdrawConsent) -> None:
        self.dialog = dialog
        dialog.recorded.connect(self._on_recorded)
        dialog.open()

    def _on_recorded(self, recorded: Recorded, purpose: str) -> None:
        said = [consent_texts.recorded(recorded.events[-1], purpose)]
        if recorded.adopted:
            said.append(
                self.tr(
                    "The ready-made notice was taken over as version {version}. It is a template: "
                    "check it."
                ).format(version=recorded.adopted[0].version)
            )
        if recorded.events[-1].clock_was_back:
            said.append(
                self.tr("This PC's clock had been set back: it counts after what was there before.")
            )
        self.told.emit(" ".join(said))
        self.changed.emit()

    # -- the receipt ----------------------------------------------------------------------------

    def ask_receipt(self) -> None:
        """Ask where to save what the driver is given."""
        driver, consents = self._shown, self._context.desk.consents
        if driver is None:
            return
        self.files.ask(
            self.tr("Save the receipt"),
            f"{driver.id}.pdf",
            self.tr("PDF (*.pdf);;JSON, ISO/IEC TS 27560 (*.json)"),
            lambda suffix: consents.receipt(driver.id, suffix.removeprefix(".")),
        )

    def _on_saved(self, path: str) -> None:
        self.told.emit(self.tr("Receipt saved to {path}").format(path=path))
