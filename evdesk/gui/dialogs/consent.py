"""What a driver says to one purpose: the answer with the notice beside it, or the withdrawal."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtGui import QTextCharFormat, QTextCursor, QTextDocument, QTextFormat
from PySide6.QtWidgets import QButtonGroup, QRadioButton, QTextEdit, QVBoxLayout, QWidget

from evdesk.domain.consents import IN_FORCE, ConsentState, Method
from evdesk.domain.errors import StorageError
from evdesk.domain.notices import NoticeVersion
from evdesk.domain.site import Driver
from evdesk.gui import consent_texts
from evdesk.gui.context import Context
from evdesk.gui.dialogs.base import FormDialog
from evdesk.gui.widgets.folder_field import PathField
from evdesk.gui.widgets.parts import button, column, label, paragraph, restyle, row
from evdesk.services.consents import Standing
from evdesk.services.recording import MEDIA_TYPES, ConsentEntry, Recorded, Scan, media_type_of

METHODS = (Method.PAPER, Method.PHONE, Method.EMAIL, Method.PORTAL)
SIDE_PX, LARGER = 300, 1


@dataclass(frozen=True, slots=True)
class Told:
    """The notice to be shown; ``version`` is None while it is the ready-made one."""

    text: str
    language: str
    version: NoticeVersion | None
    has_issuer: bool


class ConsentDialog(FormDialog):
    """``recorded`` carries what was written, and the name of the purpose.

    A subclass says with which buttons it is recorded.
    """

    recorded = Signal(object, str)

    def __init__(
        self, context: Context, driver: Driver, of: Standing, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._context, self._driver, self._purpose = context, driver, of.purpose
        self._name = of.purpose.text(context.site.language).name
        self.notice: NoticeVersion | None = None
        self.methods = QButtonGroup(self)
        radios = []
        for number, method in enumerate(METHODS):
            radio = QRadioButton(consent_texts.method(method).capitalize())
            self.methods.addButton(radio, number)
            radios.append(radio)
        kinds = " ".join(f"*{suffix}" for suffix in MEDIA_TYPES)
        self.evidence = PathField(
            self.tr("Evidence"), kinds=self.tr("Evidence ({kinds})").format(kinds=kinds)
        )
        self.fields = column(
            label(self.tr("How did the answer come?"), "strong"), *radios, 12,
            label(self.tr("Evidence, if there is any"), "strong"), self.evidence,
            paragraph(self.tr("A scan, picture or letter: choose it or drop it here. At most 4 MB; "
                              "it is encrypted under a key of this person."), "small"),
            gap=6,
        )  # fmt: skip
        self.ok.setDefault(False)  # no answer is given by pressing Enter

    def choose(self, method: Method) -> None:
        """Say how the answer came."""
        self.methods.button(METHODS.index(method)).setChecked(True)

    def record(self, state: ConsentState) -> None:
        """Record an answer, unless it is not said how it came."""
        number = self.methods.checkedId()
        if number < 0:
            self.complain(self.tr("Say how the answer came: on paper, by phone, …"))
            self.methods.button(0).setFocus()
            return
        self.wait(True, self.tr("Recording …"))
        file, consents = self.evidence.text(), self._context.desk.consents
        entry = partial(
            ConsentEntry, self._driver.id, self._purpose.id, state, METHODS[number],
            notice=self.notice,
        )  # fmt: skip
        self._context.tasks.run(
            lambda: consents.answer(entry(evidence=read_scan(file))), self._on_recorded,
            self.complain,
        )  # fmt: skip

    def _on_recorded(self, recorded: Recorded) -> None:
        self.recorded.emit(recorded, self._name)
        self.accept()


class RecordConsent(ConsentDialog):
    """Each answer is a button of the same weight; they wait until the notice is shown."""

    def __init__(
        self, context: Context, driver: Driver, of: Standing, parent: QWidget | None = None
    ) -> None:
        super().__init__(context, driver, of, parent)
        renews = of.decision.state in IN_FORCE
        self.describe(
            self._name,
            self.tr("Read the notice to {name} or let them read it. It is up to them: charging and "
                    "the bill stay the same.").format(name=driver.party.name),
            self.tr("They agree anew") if renews else self.tr("They agree"),
        )  # fmt: skip
        self.refused = button(self.tr("They refuse"), partial(self.record, ConsentState.REFUSED))
        self.deferred = button(
            self.tr("They want to think about it"), partial(self.record, ConsentState.DEFERRED)
        )
        self.answers = (self.ok,) if renews else (self.ok, self.refused, self.deferred)
        self.about = label(self.tr("Notice"), "strong")
        self.text = QTextEdit()
        self.hint = paragraph("", "small")
        self._is_shown = False
        self._arrange()
        self._context.tasks.run(self._read, self._show, self.complain)

    def _arrange(self) -> None:
        self.text.setReadOnly(True)
        self.text.setTabChangesFocus(True)
        self.text.setAccessibleName(self.tr("Notice"))
        self.ok.setProperty("kind", "")
        restyle(self.ok)
        self.foot.removeWidget(self.ok)
        for part in reversed(self.answers):
            self.foot.addWidget(part)
        side = QWidget()
        side.setFixedWidth(SIDE_PX)
        box = QVBoxLayout(side)
        box.setContentsMargins(0, 0, 0, 0)
        box.addLayout(self.fields)
        box.addStretch(1)
        both = row(column(self.about, self.text, self.hint), side, gap=24)
        both.setStretch(0, 1)
        self.form.addLayout(both, 1)
        self.hint.hide()
        self._offer(False)
        self.methods.button(0).setFocus()
        self.setMinimumSize(820, 560)

    def _read(self) -> Told:
        desk, purpose, language = self._context.desk, self._purpose.id, self._driver.language
        found = desk.notices.current(purpose, language)
        if found is not None:
            return Told(found.text, found.language, found.version, has_issuer=True)
        draft = desk.notices.draft(purpose, language)
        return Told(draft, language, None, desk.billing.issuer() is not None)

    def _show(self, told: Told) -> None:
        self.notice = told.version
        features = QTextDocument.MarkdownFeature
        self.text.document().setMarkdown(
            told.text, features.MarkdownNoHTML | features.MarkdownDialectCommonMark
        )
        calm(self.text.document())
        about = (
            self.tr("Ready-made notice ({language})")
            if told.version is None
            else self.tr("Notice {version} ({language})")
        )
        self.about.setText(about.format(version=told.version, language=told.language))
        if told.version is None and told.has_issuer:
            self.hint.setText(
                self.tr("There is no notice of yours yet. This ready-made one is taken over with "
                        "the first answer; it is a template: check it.")
            )  # fmt: skip
            self.hint.show()
        elif told.version is None:
            self.complain(
                self.tr("There is no notice yet, and the ready-made one has to say who is "
                        "responsible. Set that first: Invoices, “Who bills …”.")
            )  # fmt: skip
        self._is_shown = told.version is not None or told.has_issuer
        self._offer(True)

    def _offer(self, may: bool) -> None:
        """Let an answer be recorded, where it is known what it is an answer to."""
        for part in self.answers:
            part.setEnabled(may and self._is_shown)

    def submit(self) -> None:
        self.record(ConsentState.GIVEN)

    def wait(self, waits: bool, text: str = "") -> None:
        super().wait(waits, text)
        self._offer(not waits)


class WithdrawConsent(ConsentDialog):
    """Takes no more steps than giving."""

    def __init__(
        self, context: Context, driver: Driver, of: Standing, parent: QWidget | None = None
    ) -> None:
        super().__init__(context, driver, of, parent)
        self.describe(
            self.tr("Withdraw: {purpose}").format(purpose=self._name),
            self.tr("{name} no longer agrees. It counts at once: nothing more is collected, shown "
                    "or passed on for this, and what was collected is deleted within {days} "
                    "days.").format(name=driver.party.name, days=of.purpose.deletion_days),
            self.tr("They withdraw"),
        )  # fmt: skip
        self.form.addLayout(self.fields)
        self.methods.button(0).setFocus()
        self.setMinimumWidth(480)

    def submit(self) -> None:
        self.record(ConsentState.WITHDRAWN)


def calm(document: QTextDocument) -> None:
    """Write headings hardly larger than the text: a notice is read, not looked at."""
    cursor, block = QTextCursor(document), document.begin()
    while block.isValid():
        level = block.blockFormat().headingLevel()
        if level:
            size = QTextCharFormat()
            size.setProperty(QTextFormat.Property.FontSizeAdjustment, LARGER if level == 1 else 0)
            cursor.setPosition(block.position())
            cursor.movePosition(cursor.MoveOperation.EndOfBlock, cursor.MoveMode.KeepAnchor)
            cursor.mergeCharFormat(size)
        block = block.next()


def read_scan(name: str) -> Scan | None:
    """Return the evidence of a file; None where none is named.

    Raises:
        UserError: nothing that evidence can be.
        StorageError: the file cannot be read.

    """
    if not name:
        return None
    path = Path(name)
    media_type = media_type_of(path)
    try:
        return Scan(media_type, path.read_bytes())
    except OSError as error:
        raise StorageError(
            "{file} cannot be read: {reason}. Nothing was recorded.",
            file=name,
            reason=error.strerror or str(error),
        ) from error
