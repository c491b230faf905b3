"""Audit: everything that was changed, who did it, and the proof that nobody altered the record."""

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtWidgets import QWidget

from evdesk.domain.permissions import Action
from evdesk.gui import texts
from evdesk.gui.context import Context
from evdesk.gui.dialogs.checkpoints import SHOWN, Checkpoints
from evdesk.gui.dialogs.evidence import EvidenceDialog
from evdesk.gui.dialogs.paper_head import PaperHead
from evdesk.gui.pulse import Snapshot
from evdesk.gui.tasks import Latest
from evdesk.gui.widgets.audit_filters import AuditFilters
from evdesk.gui.widgets.beside import Beside
from evdesk.gui.widgets.empty import EmptyState
from evdesk.gui.widgets.entry_panel import EntryPanel
from evdesk.gui.widgets.page import Page
from evdesk.gui.widgets.parts import button, column, give_icon, label, row
from evdesk.gui.widgets.timeline import Timeline
from evdesk.gui.widgets.verdict_card import VerdictCard
from evdesk.ports import KeptCheckpoint
from evdesk.services.accounts import AccountService


@dataclass(frozen=True, slots=True)
class _Read:
    """What is read beside the entries: names of accounts, how many entries fit, all there are."""

    names: dict[str, str]
    fitting: int
    size: int


class AuditPage(Page):
    """The timeline at the left, the entry that is selected at the right."""

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self.set_title(self.tr("Audit log"))
        audit = self._audit = context.desk.audit
        self._size = -1
        self._counted = Latest(context.tasks, self._begin, self._show, self.failed.emit, self)
        self._sized = Latest(
            context.tasks, lambda: audit.count, self._on_size, self.failed.emit, self
        )
        self.filters = AuditFilters(context)
        self.timeline = Timeline(context, audit.find)
        self.panel = EntryPanel(context, audit)
        self.card = VerdictCard(context, audit)
        self.count = label("", "muted")
        self.newest = button(self.tr("Back to the newest entries"), self._on_filtered, "link")
        self.checkpoints = button(self.tr("Checkpoints …"), self.show_checkpoints)
        self.sign = button(self.tr("Sign now"), self.sign_now)
        self.export = button(
            self.tr("Export …"), self.ask_export, "",
            self.tr("Write the evidence for the auditor, who checks it without evdesk"),
        )  # fmt: skip
        self.verify = button(
            self.tr("Verify"), lambda: self.card.verify(), "primary",  # noqa: PLW0108 - no "checked"
            self.tr("Check every entry, row and sealed hour, and all signatures"),
        )  # fmt: skip
        self.paper = button(
            self.tr("Compare with paper …"), self.ask_paper, "",
            self.tr("Verify, and see whether a head that was printed or copied is of this log"),
        )  # fmt: skip
        self.empty = EmptyState(
            context.theme, "audit", self.tr("No entry matches"),
            self.tr("Choose a longer period above, or somebody or something else."),
        )  # fmt: skip
        self._arrange()
        self._connect()
        self.repaint_icons()

    def _arrange(self) -> None:
        self.buttons.addLayout(
            row(self.checkpoints, self.sign, self.export, self.paper, self.verify)
        )
        self.sign.setToolTip(self.tr("Sign how the log is now, so that it cannot be cut later"))
        self.context.rights.guard(self.sign, Action.SIGN_AUDIT)
        self.context.rights.guard(self.export, Action.EXPORT_EVIDENCE)
        left = QWidget()
        box = column(self.timeline, row(self.count, 0, self.newest), gap=6)
        box.setStretch(0, 1)
        left.setLayout(box)
        self.split = Beside(left, self.panel)
        self.body.addWidget(self.filters)
        self.body.addWidget(self.card)
        self.body.addWidget(self.split, 1)
        self.body.addWidget(self.empty, 1)
        self.empty.hide()
        self.newest.hide()

    def _connect(self) -> None:
        self.filters.changed.connect(self._on_filtered)
        self.filters.number_wanted.connect(self.show_number)
        self.card.number_wanted.connect(self.show_number)
        self.card.runs.connect(self.verify.setDisabled)
        self.card.runs.connect(self.paper.setDisabled)
        self.card.verified.connect(self.refresh)
        self.card.verified.connect(self.panel.again)
        self.card.failed.connect(self.failed)
        self.timeline.picked.connect(self._on_picked)
        self.timeline.shown.connect(self._on_shown)
        self.timeline.failed.connect(self.failed)
        self.panel.failed.connect(self.failed)
        self.panel.told.connect(self.told)

    def repaint_icons(self) -> None:
        """Draw icons in the theme's colours."""
        for part, name in (
            (self.checkpoints, "info"), (self.sign, "lock"), (self.export, "export"),
            (self.verify, "audit"), (self.paper, "invoices"),
        ):  # fmt: skip
            give_icon(part, self.context.theme, name)

    def focus_search(self) -> None:
        """Put the cursor into the search box."""
        self.filters.about.setFocus()
        self.filters.about.selectAll()

    # -- reading --------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Read the newest entries, unless older ones are looked at."""
        self._counted.ask()
        if self._size < 0:
            self.timeline.show_newest(self.filters.wanted())
        else:
            self.timeline.show_news()

    def on_beat(self, snapshot: Snapshot) -> None:
        """Something was committed, perhaps with an entry."""
        self._sized.ask()

    def _on_size(self, size: int) -> None:
        if self._size >= 0 and size != self._size:
            self.refresh()

    def _begin(self) -> Callable[[], _Read]:
        audit, accounts, wanted = self._audit, self.context.desk.accounts, self.filters.wanted()
        return lambda: _Read(_names(accounts), audit.count(wanted), audit.count())

    def _show(self, read: _Read) -> None:
        self._size = read.size
        if read.names != self.timeline.names:
            self.timeline.names = self.panel.names = read.names
            self.filters.offer(read.names)
            self.timeline.viewport().update()
        every = texts.number(read.size, 0)
        fitting = texts.number(read.fitting, 0)
        self.count.setText(
            self.tr("{count} entries").format(count=every)
            if read.fitting == read.size
            else self.tr("{count} of {all} entries").format(count=fitting, all=every)
        )

    def _on_filtered(self) -> None:
        if self.filters.asks_number():
            self.filters.about.clear()
        self.newest.hide()
        self._counted.ask()
        self.timeline.show_newest(self.filters.wanted())

    def show_number(self, seq: int) -> None:
        """Show one entry, whatever the filters were."""
        self.filters.reset()
        self._counted.ask()
        self.newest.show()
        self.timeline.show_number(seq)

    def _on_shown(self) -> None:
        nothing = not self.timeline.rows.rows()
        self.split.setVisible(not nothing)
        self.empty.setVisible(nothing)
        self.drawn.emit()

    def _on_picked(self, entry: object) -> None:
        self.panel.show_entry(self.timeline.entry())
        self.split.need_panel(entry is not None)

    # -- checking, signing, handing over --------------------------------------------------------

    def ask_paper(self) -> None:
        """Ask for a head from elsewhere, and check the log against it too."""
        self.head = PaperHead(self.context, self)
        self.head.wanted.connect(self.card.compare)
        self.head.open()

    def sign_now(self) -> None:
        """Sign the head as it is."""
        self.context.tasks.run(self._audit.checkpoint, self._on_signed, self.failed.emit)

    def _on_signed(self, signed: KeptCheckpoint) -> None:
        self.told.emit(
            self.tr("Signed: {count} entries, {head}").format(
                count=texts.number(signed.head.size, 0), head=signed.head
            )
        )
        self.panel.again()

    def show_checkpoints(self) -> None:
        """Show what was signed."""
        audit = self._audit
        self.context.tasks.run(
            lambda: audit.checkpoints(SHOWN), self._open_checkpoints, self.failed.emit
        )

    def _open_checkpoints(self, found: list[KeptCheckpoint]) -> None:
        self.dialog = Checkpoints(self.context, found, self)
        self.dialog.open()

    def ask_export(self) -> None:
        """Ask where the evidence goes."""
        self.evidence = EvidenceDialog(self.context, self._audit, self)
        self.evidence.open()


def _names(accounts: AccountService) -> dict[str, str]:
    """Return the names of all accounts there ever were, by what the log calls them."""
    return {str(one.account.id): one.account.name for one in accounts.rows(removed=True)}
