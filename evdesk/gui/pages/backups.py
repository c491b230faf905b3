"""Backups: whether there is a good one, where, and how to come back to it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QWidget

from evdesk.domain.backups import Schedule
from evdesk.domain.errors import WrongKey
from evdesk.domain.permissions import Action
from evdesk.gui import backup_texts, texts
from evdesk.gui.context import Context
from evdesk.gui.dialogs.ask import Ask, Choice
from evdesk.gui.dialogs.backups import BackupSchedule, MakeBackup, PasswordOfThen
from evdesk.gui.models.rows import Column, RowsModel
from evdesk.gui.pulse import Snapshot
from evdesk.gui.tasks import Latest
from evdesk.gui.widgets.backup_work import BackupWork
from evdesk.gui.widgets.empty import EmptyState
from evdesk.gui.widgets.figures import Figure
from evdesk.gui.widgets.page import Page
from evdesk.gui.widgets.parts import ElidedLabel, button, give_icon, row
from evdesk.gui.widgets.table import RowsTable
from evdesk.services.backups import ListedBackup


@dataclass(frozen=True, slots=True)
class _Read:
    """What one refresh reads."""

    folder: Path
    usual: Path
    schedule: Schedule
    backups: tuple[ListedBackup, ...]


class BackupsPage(Page):
    """How things stand, above the list of the backups in a folder."""

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self.set_title(self.tr("Backups"))
        self._read: _Read | None = None
        self._folder: Path | None = None
        self._found = Latest(context.tasks, self._begin, self._show, self.failed.emit, self)
        self.last = Figure(self.tr("Last backup"))
        self.proven = Figure(self.tr("Proven by restoring"))
        self.daily = Figure(self.tr("Made by itself"))
        self.work = BackupWork(context, context.desk.backups)
        self.model: RowsModel[ListedBackup] = RowsModel(
            self._columns(), lambda b: b.found.file, self
        )
        self.table: RowsTable[ListedBackup] = RowsTable(
            self.model, context.theme, (0, Qt.SortOrder.DescendingOrder)
        )
        self.where = ElidedLabel(role="muted")
        self.other = button(self.tr("Other folder …"), self.ask_folder)
        self.schedule = button(self.tr("Daily backups …"), self.ask_schedule)
        self.make = button(
            self.tr("Make one now …"), self.add_new, "primary", self.tr("Make one now (Ctrl+N)")
        )
        self.first = button(self.tr("Make one now …"), self.add_new, "primary")
        self.verify = button(self.tr("Verify"), self.verify_chosen)
        self.restore = button(self.tr("Restore …"), self.ask_restore, "danger")
        self.empty = EmptyState(
            context.theme, "backups", self.tr("No backup here"),
            self.tr("A backup is one encrypted file with everything in it. Without one, a broken "
                    "disk takes the site with it."),
            self.first,
        )  # fmt: skip
        self._arrange()
        self._connect()
        self.repaint_icons()

    def _columns(self) -> list[Column[ListedBackup]]:
        zone = self.context.zone
        return [
            Column(self.tr("Made"), lambda b: texts.stamp(backup_texts.made_at(b), zone),
                   sort_key=backup_texts.made_at, width=180),
            Column(self.tr("State"), lambda b: backup_texts.state(b).text,
                   chips=lambda b: [backup_texts.state(b)], width=136),
            Column(self.tr("Size"), lambda b: backup_texts.size(b.found.size_bytes),
                   sort_key=lambda b: b.found.size_bytes, numeric=True, width=110),
            Column(self.tr("Log entries"), _entries, numeric=True, width=120, spare=1),
            Column(self.tr("File"), lambda b: b.found.file.name, width=0,
                   tooltip=lambda b: str(b.found.file)),
        ]  # fmt: skip

    def _arrange(self) -> None:
        self.buttons.addLayout(row(self.schedule, self.make))
        figures = row(self.last, self.proven, self.daily, gap=12)
        for number in range(3):
            figures.setStretch(number, 1)
        self.body.addLayout(figures)
        self.body.addWidget(self.work)
        tools = row(self.where, self.other, self.verify, self.restore)
        tools.setStretch(0, 1)
        self.body.addLayout(tools)
        self.body.addWidget(self.table, 1)
        self.body.addWidget(self.empty, 1)
        self.empty.hide()
        self.table.setSelectionMode(RowsTable.SelectionMode.SingleSelection)
        self.table.setAccessibleName(self.tr("Backups"))
        self.verify.setToolTip(self.tr("Restore it into a scratch file and check all of it"))
        rights = self.context.rights
        for part in (self.make, self.first):
            rights.guard(part, Action.MAKE_BACKUPS)
        rights.guard(self.schedule, Action.CHANGE_SETTINGS)
        rights.guard(self.verify, Action.VERIFY_BACKUPS)
        rights.guard(self.restore, Action.RESTORE)
        self._on_picked()

    def _connect(self) -> None:
        self.table.picked.connect(self._on_picked)
        self.work.failed.connect(self.failed)
        self.work.ended.connect(self.refresh)
        self.work.runs.connect(self._on_picked)
        self.work.needs_password.connect(self._ask_password)

    def repaint_icons(self) -> None:
        """Draw icons in the theme's colours."""
        for part, name in (
            (self.make, "add"), (self.first, "add"), (self.schedule, "calendar"),
            (self.verify, "audit"), (self.restore, "refresh"),
        ):  # fmt: skip
            give_icon(part, self.context.theme, name)

    # -- reading --------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Read the backups of the folder, and the schedule."""
        self._found.ask()

    def on_beat(self, snapshot: Snapshot) -> None:
        """The collector makes one a day: opening the page or F5 shows it."""

    def _begin(self) -> Callable[[], _Read]:
        backups, chosen = self.context.desk.backups, self._folder

        def read() -> _Read:
            usual = backups.usual_folder()
            folder = chosen or usual
            return _Read(folder, usual, backups.schedule(), tuple(backups.find(folder)))

        return read

    def _show(self, read: _Read) -> None:
        self._read = read
        self.model.replace(read.backups)
        if read.backups and not self.table.selected():
            self.table.selectRow(0)
        for part in (self.table, self.verify, self.restore):
            part.setVisible(bool(read.backups))
        self.empty.setVisible(not read.backups)
        self.make.setVisible(bool(read.backups))  # else the empty page has it
        self.where.set_text(self.tr("In {folder}").format(folder=read.folder))
        self._show_figures(read)
        self._on_picked()
        self.drawn.emit()

    def _show_figures(self, read: _Read) -> None:
        known = [one for one in read.backups if one.found.backup is not None]
        newest = max(known, key=lambda one: str(backup_texts.made_at(one)), default=None)
        at = None if newest is None else backup_texts.made_at(newest)
        now, zone = self.context.pulse.now(), self.context.zone
        self.last.set_value(self.tr("None") if at is None else texts.short_stamp(at, now, zone))
        good = newest is not None and newest.verified
        self.proven.set_value(
            texts.NONE if newest is None else self.tr("Yes") if good else self.tr("Not yet")
        )
        self.daily.set_value(*backup_texts.schedule(read.schedule))

    def _on_picked(self, *_: object) -> None:
        chosen = bool(self.table.selected())
        busy = self.work.isVisible() and not self.work.banner.isVisible()
        for part in (self.verify, self.restore):
            part.setEnabled(chosen and not busy)
        for part in (self.make, self.first):
            part.setEnabled(not busy)

    # -- what can be done -----------------------------------------------------------------------

    def add_new(self) -> None:
        """Ask where the backup goes, and make it."""
        if self._read is None or not self.lets(Action.MAKE_BACKUPS):
            return
        self.dialog = MakeBackup(self._read.usual, self)
        self.dialog.chosen.connect(self.work.make)
        self.dialog.open()

    def ask_schedule(self) -> None:
        """Ask when backups are made by themselves."""
        if self._read is not None:
            form = BackupSchedule(self.context, self._read.schedule, self._read.usual, self)
            form.saved.connect(self.refresh)
            self.form = form
            form.open()

    def ask_folder(self) -> None:
        """Ask for another folder with backups."""
        start = "" if self._read is None else str(self._read.folder)
        dialog = QFileDialog(self, self.tr("Folder with backups"), start)
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.fileSelected.connect(self.show_folder)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def show_folder(self, folder: str) -> None:
        """Show the backups of a folder."""
        self._folder = Path(folder)
        self.refresh()

    def verify_chosen(self) -> None:
        """Check the backup that is selected."""
        self.work.verify(self.table.selected()[0].found.file)

    def _ask_password(self, file: Path, error: WrongKey) -> None:
        """Ask for what opens a backup from before the key of the site was changed."""
        self.older = PasswordOfThen(error.facts.get("on"), self)
        self.older.chosen.connect(partial(self.work.verify, file))
        self.older.open()

    def ask_restore(self) -> None:
        """Say what restoring means; the window closes for it."""
        chosen = self.table.selected()[0]
        ask = Ask(
            self.tr("Restore this backup?"),
            self.tr(
                "The site goes back to how it was on {at}. This window closes and the collector "
                "stops first; the backup is checked and you are shown what would be missing. The "
                "site as it is now is kept beside it, and nothing is changed before you agree "
                "once more."
            ).format(at=texts.stamp(backup_texts.made_at(chosen), self.context.zone)),
            (
                Choice("go", self.tr("Close and go on"), "danger"),
                Choice("stay", self.tr("Cancel"), "quiet"),
            ),
            parent=self,
        )
        ask.answered.connect(partial(self._on_restore_answered, chosen.found.file))
        self.question = ask
        ask.open()

    def _on_restore_answered(self, file: Path, answer: str, _: bool) -> None:
        if answer == "go":
            self.restore_wanted.emit(str(file))


def _entries(of: ListedBackup) -> str:
    return texts.NONE if of.found.backup is None else texts.number(of.found.backup.head.size, 0)
