"""One invoice as the document people get, with what can be done about it."""

import re

from PySide6.QtCore import Qt, Signal
from PySide6.QtPrintSupport import QPrinter, QPrintPreviewDialog
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from evdesk.domain.invoices import Invoice, InvoiceState
from evdesk.domain.permissions import Action
from evdesk.gui import texts
from evdesk.gui.context import Context
from evdesk.gui.dialogs.reveal import Reveal
from evdesk.gui.models.rows import Chip
from evdesk.gui.widgets.chip import ChipLabel
from evdesk.gui.widgets.empty import EmptyState
from evdesk.gui.widgets.files import SaveAs
from evdesk.gui.widgets.parts import ElidedLabel, button, give_icon, row
from evdesk.gui.widgets.pdf_view import PdfView, print_document


class InvoicePanel(QFrame):
    """Reads the document of the invoice that is selected."""

    failed = Signal(object)
    told = Signal(str)
    issue_wanted = Signal(object)
    drop_wanted = Signal(object)
    drawn = Signal()

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "surface")
        self.setMinimumWidth(440)
        self._context = context
        self._invoice: Invoice | None = None
        self._content = b""
        self.title = ElidedLabel(role="heading")
        self.state = ChipLabel(context.theme)
        self.issue = button(self.tr("Issue …"), self._on_issue, "primary")
        self.drop = button(self.tr("Drop …"), self._on_drop, "danger")
        self.print = button(self.tr("Print …"), self.print_out, "", self.tr("Print (Ctrl+P)"))
        self.save = button(
            self.tr("Save …"), self.ask_file, "", self.tr("Save the PDF, byte for byte")
        )
        self.reveal = button(self.tr("Reveal …"), self.ask_reveal, "primary")
        self.hidden = EmptyState(
            context.theme, "lock", self.tr("The document names a person"),
            self.tr("You see pseudonyms. The document of an issued invoice is shown with a reason, "
                    "which is written in the audit log."),
            self.reveal,
        )  # fmt: skip
        self.view = PdfView(context.theme, self)
        self.view.setFrameShape(QFrame.Shape.NoFrame)
        self.files = SaveAs(context, self)
        self.preview: QPrintPreviewDialog | None = None
        self.empty = EmptyState(
            context.theme, "invoices", self.tr("Nothing selected"),
            self.tr("Select an invoice to see the document."),
        )  # fmt: skip
        self._arrange()
        self.files.saved.connect(self._on_saved)
        self.files.failed.connect(self.failed)
        context.theme.changed.connect(self.repaint_icons)
        self.repaint_icons()

    def _arrange(self) -> None:
        head = row(self.title, self.state)
        head.setStretch(0, 1)
        head.setContentsMargins(16, 12, 16, 0)
        tools = row(self.issue, self.drop, 0, self.print, self.save)
        tools.setContentsMargins(16, 0, 16, 12)
        self.document = QWidget()
        inside = QVBoxLayout(self.document)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(12)
        inside.addLayout(head)
        inside.addLayout(tools)
        inside.addWidget(self.view, 1)
        inside.addWidget(self.hidden, 1)
        self.hidden.hide()
        box = QVBoxLayout(self)
        box.setContentsMargins(1, 1, 1, 8)
        box.addWidget(self.empty)
        box.addWidget(self.document)
        self.document.hide()
        self.print.setEnabled(False)
        self.save.setEnabled(False)
        for part in (self.issue, self.drop):
            self._context.rights.guard(part, Action.BILL)

    def repaint_icons(self) -> None:
        """Draw icons in the theme's colours."""
        theme = self._context.theme
        for part, name in (
            (self.issue, "lock"), (self.drop, "remove"), (self.print, "print"), (self.save, "save"),
        ):  # fmt: skip
            give_icon(part, theme, name)

    def show_invoice(self, invoice: Invoice | None) -> None:
        """Show an invoice."""
        self.empty.setVisible(invoice is None)
        self.document.setVisible(invoice is not None)
        if invoice == self._invoice:
            return
        self._invoice = invoice
        self.print.setEnabled(False)
        self.save.setEnabled(False)
        if invoice is None:
            return
        draft = invoice.state is InvoiceState.DRAFT
        self.title.set_text(
            self.tr("Draft for {driver}").format(driver=invoice.buyer.name)
            if draft
            else self.tr("Invoice {number}").format(number=invoice.number)
        )
        self.state.show_chip(Chip(*texts.invoice_look(invoice.state)))
        self.issue.setVisible(draft)
        self.drop.setVisible(draft)
        shows = self._context.rights.sees_persons()
        self.view.setVisible(shows)
        self.hidden.setVisible(not shows)
        self.reveal.setVisible(not draft)
        if not shows:
            self.drawn.emit()
            return
        billing = self._context.desk.billing
        self._context.tasks.run(
            lambda: (invoice, billing.document(invoice.id)), self._show, self.failed.emit
        )

    def forget(self) -> None:
        """Read the document again, though the invoice looks the same."""
        self._invoice = None

    def _show(self, read: tuple[Invoice, bytes]) -> None:
        invoice, content = read
        if invoice != self._invoice:
            return
        self.hidden.hide()
        self.view.show()
        self._content = content
        self.view.show_bytes(content)
        self.print.setEnabled(True)
        self.save.setEnabled(True)
        self.drawn.emit()

    # -- what can be done -----------------------------------------------------------------------

    def _on_issue(self) -> None:
        self.issue_wanted.emit(self._invoice)

    def _on_drop(self) -> None:
        self.drop_wanted.emit(self._invoice)

    def print_out(self) -> None:
        """Show what will be printed, as the printer will print it."""
        if not self.print.isEnabled() or self._invoice is None:
            return
        printer = QPrinter(QPrinter.PrinterMode.HighResolution)
        printer.setDocName(self._file_name())
        printer.setFullPage(True)
        dialog = QPrintPreviewDialog(printer, self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setWindowTitle(self.title.text_in_full())
        dialog.paintRequested.connect(self._paint)
        dialog.resize(900, 1000)
        self.preview, self._printer = dialog, printer
        dialog.open()

    def _paint(self, printer: QPrinter) -> None:
        document = self.view.document_shown()
        if document is not None:
            print_document(document, printer)

    def ask_reveal(self) -> None:
        """Ask why the document is to be shown; it is, until another invoice is selected."""
        invoice, billing = self._invoice, self._context.desk.billing
        if invoice is None:
            return
        dialog = Reveal(
            self._context,
            self.tr("invoice {number}").format(number=invoice.number),
            lambda reason: (invoice, billing.reveal_document(invoice.id, reason)),
            self,
        )
        dialog.revealed.connect(self._show)
        self.dialog = dialog
        dialog.open()

    def ask_file(self) -> None:
        """Ask where to save the document, byte for byte."""
        content = self._content
        self.files.ask(
            self.tr("Save PDF"),
            f"{self._file_name()}.pdf",
            self.tr("PDF (*.pdf)"),
            lambda _suffix: content,
        )

    def _file_name(self) -> str:
        if self._invoice is None:
            return ""
        name = self._invoice.number or self.tr("Draft {id}").format(id=self._invoice.id)
        return re.sub(r"[^\w.-]+", "-", name)

    def _on_saved(self, path: str) -> None:
        self.told.emit(self.tr("Saved to {path}").format(path=path))
