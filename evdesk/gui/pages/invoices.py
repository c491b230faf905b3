"""Invoices: draft, look, issue, print."""

from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QSplitter, QWidget

from evdesk.domain.invoices import Invoice, InvoiceState
from evdesk.domain.permissions import Action
from evdesk.domain.site import Driver, Party
from evdesk.gui import texts
from evdesk.gui.context import Context
from evdesk.gui.dialogs.ask import Ask, Choice
from evdesk.gui.dialogs.issuer import IssuerDialog
from evdesk.gui.dialogs.new_draft import NewDraft
from evdesk.gui.models.rows import Chip, Column, RowsModel
from evdesk.gui.panels.invoice_panel import InvoicePanel
from evdesk.gui.pulse import Snapshot
from evdesk.gui.widgets.empty import EmptyState
from evdesk.gui.widgets.page import Page
from evdesk.gui.widgets.parts import button, give_icon
from evdesk.gui.widgets.table import RowsTable
from evdesk.services.billing import Drafted

Read = tuple[list[Invoice], list[Driver], Party | None]


class InvoicesPage(Page):
    """The list at the left, the document that is selected at the right."""

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self.set_title(self.tr("Invoices"))
        self._issuer: Party | None = None
        self._select: object = None
        self.model: RowsModel[Invoice] = RowsModel(self._columns(), lambda i: i.id, self)
        self.table: RowsTable[Invoice] = RowsTable(
            self.model, context.theme, (1, Qt.SortOrder.DescendingOrder)
        )
        self.panel = InvoicePanel(context)
        self.issuer = button(self.tr("Who bills …"), self.ask_issuer)
        self.new = button(
            self.tr("New draft …"), self.add_new, "primary", self.tr("New draft (Ctrl+N)")
        )
        self.first = button(self.tr("New draft …"), self.add_new, "primary")
        self.empty = EmptyState(
            context.theme, "invoices", self.tr("No invoice yet"),
            self.tr("A draft takes up the sessions of one driver and month. Look at it, then "
                    "issue it: only then it gets a number."),
            self.first,
        )  # fmt: skip
        self._arrange()
        self._connect()
        self.repaint_icons()

    def _columns(self) -> list[Column[Invoice]]:
        zone = self.context.zone
        return [
            Column(
                self.tr("State"), lambda i: texts.invoice_look(i.state)[0],
                chips=lambda i: [Chip(*texts.invoice_look(i.state))], width=98,
            ),
            Column(
                self.tr("Number"), lambda i: i.number or texts.NONE,
                sort_key=lambda i: (i.state is InvoiceState.DRAFT, i.number or "", i.created_at),
                width=150, least=120,
            ),
            Column(self.tr("Driver"), lambda i: i.buyer.name,
                   tooltip=lambda i: i.buyer.name, width=128, least=90),
            Column(
                self.tr("Month"), lambda i: texts.month(i.period_from, zone),
                sort_key=lambda i: i.period_from, width=136, spare=1,
            ),
            Column(
                self.tr("Gross"), lambda i: texts.money(i.totals.gross),
                sort_key=lambda i: i.totals.gross.amount, numeric=True, width=0, least=96,
            ),
        ]  # fmt: skip

    def _arrange(self) -> None:
        self.buttons.addWidget(self.issuer)
        self.buttons.addWidget(self.new)
        self.table.setSelectionMode(RowsTable.SelectionMode.SingleSelection)
        self.table.setAccessibleName(self.tr("Invoices"))
        self.split = QSplitter(Qt.Orientation.Horizontal)
        self.split.addWidget(self.table)
        self.split.addWidget(self.panel)
        self.split.setHandleWidth(16)
        self.split.setStretchFactor(0, 1)
        self.split.setStretchFactor(1, 1)
        self.split.setChildrenCollapsible(False)
        self.split.setSizes([620, 550])
        self.body.addWidget(self.split, 1)
        self.body.addWidget(self.empty, 1)
        self.empty.hide()
        self.context.rights.guard(self.issuer, Action.CHANGE_SETTINGS)
        for part in (self.new, self.first):
            self.context.rights.guard(part, Action.BILL)

    def _connect(self) -> None:
        self.table.picked.connect(self._on_picked)
        self.panel.failed.connect(self.failed)
        self.panel.told.connect(self.told)
        self.panel.issue_wanted.connect(self.ask_issue)
        self.panel.drop_wanted.connect(self.ask_drop)
        self.panel.drawn.connect(self.drawn)

    def repaint_icons(self) -> None:
        """Draw icons in the theme's colours."""
        theme = self.context.theme
        give_icon(self.issuer, theme, "settings")
        for part in (self.new, self.first):
            give_icon(part, theme, "add")

    # -- reading --------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Read invoices and who bills."""
        billing, drivers = self.context.desk.billing, self.context.desk.drivers
        self.context.tasks.run(
            lambda: (billing.all(), drivers.all(), billing.issuer()), self._show, self.failed.emit
        )

    def on_beat(self, snapshot: Snapshot) -> None:
        """The collector changes no invoice."""

    def _show(self, read: Read) -> None:
        invoices, self._drivers, self._issuer = read
        self.model.replace(invoices)
        self.split.setVisible(bool(invoices))
        self.empty.setVisible(not invoices)
        self.new.setVisible(bool(invoices))
        if self._select is not None:
            self.table.clearSelection()
            self.table.select_key(self._select)
            self._select = None
        elif invoices and not self.table.selected():
            self.table.selectRow(0)
        self._on_picked()
        if not invoices:
            self.drawn.emit()

    def _on_picked(self) -> None:
        chosen = self.table.selected()
        self.panel.show_invoice(chosen[0] if chosen else None)

    # -- drafting -------------------------------------------------------------------------------

    def add_new(self) -> None:
        """Ask for driver and month; first for who bills, where nobody is set."""
        if not self.lets(Action.BILL):
            return
        if self._issuer is None:
            if self.lets(Action.CHANGE_SETTINGS):
                self.ask_issuer()
            return
        dialog = NewDraft(self.context, self)
        dialog.drafted.connect(self._on_drafted)
        dialog.open()

    def _on_drafted(self, drafted: Drafted) -> None:
        told = [self.tr("Draft made for {driver}.").format(driver=drafted.invoice.buyer.name)]
        if drafted.in_review:
            told.append(self.tr("{count} in review left out.").format(count=drafted.in_review))
        if drafted.still_open:
            told.append(
                self.tr("{count} still plugged in left out.").format(count=drafted.still_open)
            )
        self.told.emit(" ".join(told))
        self._select = drafted.invoice.id
        self.refresh()

    def ask_issuer(self) -> None:
        """Ask who bills."""
        dialog = IssuerDialog(self.context, self._issuer, self)
        dialog.saved.connect(self._on_issuer_saved)
        dialog.open()

    def _on_issuer_saved(self) -> None:
        self.told.emit(self.tr("Saved. New drafts name this issuer."))
        self.refresh()

    # -- issuing and dropping -------------------------------------------------------------------

    def ask_issue(self, invoice: Invoice) -> None:
        """Ask once more: this cannot be taken back."""
        ask = Ask(
            self.tr("Issue this invoice?"),
            self.tr(
                "It gets the next number and can never be changed: {gross} for {driver}, {month}."
            ).format(
                gross=texts.money(invoice.totals.gross),
                driver=invoice.buyer.name,
                month=texts.month(invoice.period_from, self.context.zone),
            ),
            (
                Choice("issue", self.tr("Issue"), "primary"),
                Choice("cancel", self.tr("Cancel"), "quiet"),
            ),
            parent=self,
        )
        ask.answered.connect(partial(self._on_issue_answered, invoice))
        self.question = ask
        ask.open()

    def _on_issue_answered(self, invoice: Invoice, answer: str, _: bool) -> None:
        if answer == "issue":
            billing = self.context.desk.billing
            self.context.tasks.run(
                lambda: billing.issue(invoice.id), self._on_issued, self.failed.emit
            )

    def _on_issued(self, invoice: Invoice) -> None:
        self.told.emit(self.tr("Issued as {number}.").format(number=invoice.number))
        self._select = invoice.id
        self.panel.forget()
        self.refresh()

    def ask_drop(self, invoice: Invoice) -> None:
        """Ask whether the draft may go."""
        ask = Ask(
            self.tr("Drop this draft?"),
            self.tr("Its sessions can be billed again. Nothing else is lost."),
            (
                Choice("drop", self.tr("Drop the draft"), "danger"),
                Choice("keep", self.tr("Keep it"), "quiet"),
            ),
            parent=self,
        )
        ask.answered.connect(partial(self._on_drop_answered, invoice))
        self.question = ask
        ask.open()

    def _on_drop_answered(self, invoice: Invoice, answer: str, _: bool) -> None:
        if answer == "drop":
            billing = self.context.desk.billing
            self.context.tasks.run(
                lambda: billing.drop(invoice.id), self._on_dropped, self.failed.emit
            )

    def _on_dropped(self, _: object) -> None:
        self.told.emit(self.tr("The draft is gone; its sessions can be billed again."))
        self.refresh()

    def print_out(self) -> None:
        """Print what is shown."""
        self.panel.print_out()
