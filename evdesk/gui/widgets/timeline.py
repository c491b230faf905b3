"""The entries of the audit log, newest first, read page by page as somebody scrolls."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import QItemSelectionModel, Signal
from PySide6.QtWidgets import QAbstractItemView, QWidget

from evdesk.domain.audit import AuditEntry, Outcome
from evdesk.gui import audit_texts, texts
from evdesk.gui.context import Context
from evdesk.gui.models.growing_rows import GrowingRows
from evdesk.gui.models.rows import Chip, Column
from evdesk.gui.widgets.calm_table import CalmTable
from evdesk.ports import AuditFilter

PAGE, AHEAD = 200, 60  # entries; rows that are left below when the next page is asked for
ROW_PX = 36
ABOVE = 8  # entries shown above the one that is jumped to

Find = Callable[[AuditFilter, int, int | None], list[AuditEntry]]


@dataclass(frozen=True, slots=True)
class _Page:
    """What was read, and for what: an answer to an older question is dropped."""

    question: int
    entries: list[AuditEntry]


class Timeline(CalmTable):
    """``picked`` carries the selected entry or None, ``shown`` tells that a reading is there."""

    picked = Signal(object)
    shown = Signal()
    failed = Signal(object)

    def __init__(self, context: Context, find: Find, parent: QWidget | None = None) -> None:
        self._context, self._find = context, find
        self.names: Mapping[str, str] = {}
        self.rows: GrowingRows[AuditEntry] = GrowingRows(self._describe(), lambda e: e.seq)
        super().__init__(self.rows.columns, self.rows, context.theme, parent)
        self.rows.setParent(self)
        self._wanted = AuditFilter()
        self._question, self._reading, self._jumped = 0, False, False
        self._select: int | None = None
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.verticalHeader().setDefaultSectionSize(ROW_PX)
        self.setAccessibleName(self.tr("Entries of the audit log"))
        self.rows.more_wanted.connect(self._read_on)
        self.verticalScrollBar().valueChanged.connect(self._on_scrolled)
        self.selectionModel().currentRowChanged.connect(self._on_row)

    def _describe(self) -> list[Column[AuditEntry]]:
        zone, pulse = self._context.zone, self._context.pulse
        words = audit_texts.actions()
        return [
            Column(self.tr("No."), lambda e: texts.number(e.seq, 0), numeric=True, width=80),
            Column(
                self.tr("When"), lambda e: texts.short_stamp(e.at, pulse.now(), zone), width=150,
                tooltip=lambda e: texts.stamp(e.at, zone, with_seconds=True),
            ),
            Column(self.tr("Who"), lambda e: audit_texts.actor(e.actor, self.names),
                   width=140, least=90, tooltip=lambda e: e.actor),
            Column(self.tr("What"), lambda e: audit_texts.what(e, words), width=190, least=130,
                   tooltip=lambda e: e.action),
            Column(self.tr("About"), audit_texts.about, width=160, least=90,
                   tooltip=audit_texts.about, spare=2),
            Column(self.tr("Outcome"), lambda e: audit_texts.outcome(e.outcome)[0],
                   chips=_outcome, width=0, spare=1),
        ]  # fmt: skip

    # -- reading --------------------------------------------------------------------------------

    def show_newest(self, wanted: AuditFilter) -> None:
        """Show the newest entries that fit; the rest comes by scrolling."""
        self._wanted, self._jumped = wanted, False
        self._ask(None, self._begin)

    def show_number(self, seq: int) -> None:
        """Show one entry and what stands around it, whatever was shown before."""
        self._wanted, self._jumped, self._select = AuditFilter(), True, seq
        self._ask(seq + ABOVE + 1, self._begin)

    def show_news(self) -> None:
        """Add what was written meanwhile, unless an older part of the log is shown."""
        if not self._jumped and not self._reading and self._question:
            self._ask(None, self._put_above)

    def entry(self) -> AuditEntry | None:
        """Return the entry that is selected."""
        index = self.currentIndex()
        return self.rows.rows()[index.row()] if index.isValid() else None

    def forget(self) -> None:
        """Drop what is still being read."""
        self._question += 1
        self._reading = False

    def _ask(self, before_seq: int | None, then: Callable[[_Page], None]) -> None:
        self._question += 1
        self._reading = True
        work = partial(self._take, self._question, self._wanted, before_seq)
        self._context.tasks.run(work, then, self._on_failed)

    def _take(self, question: int, wanted: AuditFilter, before_seq: int | None) -> _Page:
        return _Page(question, self._find(wanted, PAGE, before_seq))

    def _begin(self, page: _Page) -> None:
        if not self._answers(page):
            return
        keep, self._select = self._select, None
        if keep is None and (before := self.entry()) is not None:
            keep = before.seq
        self.rows.begin(page.entries, ends=len(page.entries) < PAGE)
        self._choose(keep)
        self.shown.emit()

    def _read_on(self) -> None:
        last = self.rows.rows()[-1:]
        if last and not self._reading:
            self._ask(last[0].seq, self._put_below)

    def _put_below(self, page: _Page) -> None:
        if self._answers(page):
            self.rows.append(page.entries, ends=len(page.entries) < PAGE)
            self._on_scrolled()

    def _put_above(self, page: _Page) -> None:
        if not self._answers(page):
            return
        before = self.rows.rows()
        if not before:
            self._question += 1
            self._begin(_Page(self._question, page.entries))
            return
        news = [entry for entry in page.entries if entry.seq > before[0].seq]
        if len(news) == len(page.entries) and len(news) == PAGE:  # there may be more in between
            self.rows.begin(page.entries, ends=False)
            self.shown.emit()
        elif news:
            self.rows.prepend(news)
            self.shown.emit()

    def _answers(self, page: _Page) -> bool:
        if page.question != self._question:
            return False
        self._reading = False
        return True

    def _on_failed(self, error: Exception) -> None:
        self._reading = False
        self.failed.emit(error)

    # -- looking --------------------------------------------------------------------------------

    def _on_scrolled(self, *_: int) -> None:
        bar = self.verticalScrollBar()
        if bar.maximum() - bar.value() < AHEAD * ROW_PX and self.rows.canFetchMore(
            self.rootIndex()
        ):
            self._read_on()

    def _choose(self, seq: int | None) -> None:
        """Select the entry of that number, else the newest."""
        entries = self.rows.rows()
        number = next((n for n, entry in enumerate(entries) if entry.seq == seq), 0)
        if not entries:
            self.picked.emit(None)
            return
        index = self.rows.index(number, 0)
        flags = QItemSelectionModel.SelectionFlag
        self.selectionModel().setCurrentIndex(index, flags.ClearAndSelect | flags.Rows)
        hint = QAbstractItemView.ScrollHint
        self.scrollTo(index, hint.PositionAtCenter if self._jumped else hint.EnsureVisible)

    def _on_row(self, *_: object) -> None:
        self.picked.emit(self.entry())


def _outcome(entry: AuditEntry) -> list[Chip]:
    return [] if entry.outcome is Outcome.OK else [Chip(*audit_texts.outcome(entry.outcome))]
