"""One entry of the audit log: what happened, and what proves it."""

from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QPlainTextEdit, QScrollArea, QVBoxLayout, QWidget

from evdesk.domain import merkle
from evdesk.domain.audit import AuditEntry, Outcome
from evdesk.gui import audit_texts, texts
from evdesk.gui.context import Context
from evdesk.gui.models.rows import Chip
from evdesk.gui.theme import Tone
from evdesk.gui.widgets.chip import ChipLabel
from evdesk.gui.widgets.empty import EmptyState
from evdesk.gui.widgets.files import SaveAs
from evdesk.gui.widgets.parts import button, column, label, line, paragraph, row, selectable
from evdesk.ports import KeptEntry
from evdesk.services.auditing import AuditService

SHOWN_ROWS = 12
TEXT_PX = 118


@dataclass(frozen=True, slots=True)
class Shown:
    """An entry with whether its path leads to the roots it should."""

    kept: KeptEntry
    in_tree: bool
    in_signed: bool


def proven(kept: KeptEntry) -> Shown:
    """Return an entry, its hash and its paths computed anew."""
    leaf, seq = merkle.leaf_hash(kept.text.encode()), kept.entry.seq
    signed = kept.checkpoint
    return Shown(
        kept,
        merkle.includes(kept.head.root, kept.head.size, seq, leaf, kept.path),
        signed is not None
        and merkle.includes(signed.head.root, signed.head.size, seq, leaf, kept.signed_path),
    )


class EntryPanel(QFrame):
    """Reads the entry that is selected, and saves what proves it."""

    failed = Signal(object)
    told = Signal(str)

    def __init__(
        self, context: Context, audit: AuditService, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setProperty("role", "surface")
        self.setMinimumWidth(330)
        self._context, self._audit = context, audit
        self._seq: int | None = None
        self._words = audit_texts.actions()
        self.names: dict[str, str] = {}
        self.title = paragraph("", "heading")
        self.outcome, self.proof = ChipLabel(context.theme), ChipLabel(context.theme)
        self.grid, self.facts = _grid(), _grid()
        self.reason = paragraph("", "")
        self.erased = paragraph(
            self.tr("The details were erased. What the entry says of them, a salted hash, stands "
                    "in the log all the same."),
        )  # fmt: skip
        self.rows = paragraph("", "")
        self.proof_text = paragraph("", "")
        self.text = QPlainTextEdit()
        self.text.setReadOnly(True)
        self.text.setFixedHeight(TEXT_PX)
        self.text.setTabChangesFocus(True)
        self.text.setAccessibleName(self.tr("The entry as it is hashed"))
        self.save = button(
            self.tr("Save proof …"), self.ask_file, "",
            self.tr("A small file that proves this one entry to others (C2SP tlog-proof)"),
        )  # fmt: skip
        self.files = SaveAs(context, self)
        self.files.saved.connect(self._on_saved)
        self.files.failed.connect(self.failed)
        self.empty = EmptyState(
            context.theme, "audit", self.tr("Nothing selected"),
            self.tr("Select an entry to see what it says and what proves it."),
        )  # fmt: skip
        self.detail = self._make_detail()
        box = QVBoxLayout(self)
        box.setContentsMargins(1, 1, 1, 1)
        box.addWidget(self.empty)
        box.addWidget(self.detail)
        self.detail.hide()

    def _make_detail(self) -> QScrollArea:
        inside = QWidget()
        inside.setObjectName("inside")
        self._about_facts = _heading(self.tr("Details"))
        self._about_rows = _heading(self.tr("Rows it speaks for"))
        inside.setLayout(
            column(
                row(self.outcome, self.proof, 0), self.title, self.grid, self.reason,
                self._about_facts, self.facts, self.erased,
                self._about_rows, self.rows,
                _heading(self.tr("Proof")), self.proof_text, row(self.save, 0),
                _heading(self.tr("As it is hashed")), self.text, 0, gap=8, margin=16,
            )
        )  # fmt: skip
        area = QScrollArea()
        area.setWidget(inside)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        return area

    def show_entry(self, entry: AuditEntry | None) -> None:
        """Show an entry, or that none is selected."""
        if entry is None:
            self._seq = None
            self.detail.hide()
            self.empty.show()
            return
        if entry.seq != self._seq:
            self._seq = entry.seq
            self.again()

    def again(self) -> None:
        """Read what is shown once more: it may have been signed since."""
        audit, seq = self._audit, self._seq
        if seq is not None:
            self._context.tasks.run(lambda: proven(audit.show(seq)), self._show, self.failed.emit)

    def _show(self, shown: Shown) -> None:
        kept, entry = shown.kept, shown.kept.entry
        if entry.seq != self._seq:
            return
        zone = self._context.zone
        self.title.setText(audit_texts.what(entry, self._words))
        self.outcome.setVisible(entry.outcome is not Outcome.OK)
        self.outcome.show_chip(Chip(*audit_texts.outcome(entry.outcome)))
        self._put(
            self.grid,
            [
                (self.tr("Entry"), texts.number(entry.seq, 0)),
                (self.tr("When"), texts.stamp(entry.at, zone, with_seconds=True)),
                (self.tr("Who"), self._who(entry.actor)),
                (self.tr("About"), audit_texts.about(entry)),
                (self.tr("Action"), entry.action),
            ],
        )
        self.reason.setText(self.tr("“{reason}”").format(reason=entry.reason or ""))
        self.reason.setVisible(bool(entry.reason))
        self._show_facts(kept)
        self._show_rows(kept)
        self._show_proof(shown)
        self.text.setPlainText(kept.text)
        self.empty.hide()
        self.detail.show()

    def _who(self, ref: str) -> str:
        name = audit_texts.actor(ref, self.names)
        return name if name == ref else f"{name} ({ref})"

    def _show_facts(self, kept: KeptEntry) -> None:
        found = audit_texts.facts(kept.entry.facts)
        self._put(self.facts, found)
        self._about_facts.setVisible(bool(found) or kept.body is None)
        self.facts.setVisible(bool(found))
        self.erased.setVisible(kept.body is None)

    def _show_rows(self, kept: KeptEntry) -> None:
        self._about_rows.setVisible(bool(kept.rows))
        self.rows.setVisible(bool(kept.rows))
        told = [
            f"{table} {key}" if digest else self.tr("{row} (removed)").format(row=f"{table} {key}")
            for table, key, digest in kept.rows[:SHOWN_ROWS]
        ]
        if len(kept.rows) > SHOWN_ROWS:
            more = texts.number(len(kept.rows) - SHOWN_ROWS, 0)
            told.append(self.tr("and {count} more").format(count=more))
        self.rows.setText("\n".join(told))

    def _show_proof(self, shown: Shown) -> None:
        kept, signed = shown.kept, shown.kept.checkpoint
        holds = shown.in_tree and (signed is None or shown.in_signed)
        self.save.setVisible(holds and signed is not None)
        if not holds:
            chip = Chip(self.tr("Does not fit"), Tone.DANGER, "error")
            text = self.tr("The entry is not the one the tree was made of: verify the log.")
        elif signed is None:
            chip = Chip(self.tr("Not signed yet"), Tone.WARNING, "info")
            text = self.tr(
                "It is in the tree of {size} entries. No checkpoint covers it yet: sign now, or "
                "it is signed with the next check."
            ).format(size=texts.number(kept.head.size, 0))
        else:
            chip = Chip(self.tr("Proven"), Tone.POSITIVE, "ok")
            text = self.tr(
                "Proven to be in the tree of {size} entries that was signed on {at}."
            ).format(
                size=texts.number(signed.head.size, 0),
                at=texts.stamp(signed.at, self._context.zone),
            )
        self.proof.show_chip(chip)
        self.proof_text.setText(text)

    def _put(self, holder: QWidget, pairs: list[tuple[str, str]]) -> None:
        grid = holder.layout()
        if not isinstance(grid, QGridLayout):
            raise TypeError(type(grid))
        while (item := grid.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.setParent(None)
                widget.deleteLater()
        top = Qt.AlignmentFlag.AlignTop
        for number, (name, value) in enumerate(pairs):
            words = selectable(value)
            words.setWordWrap(True)
            grid.addWidget(label(name, "muted"), number, 0, top)
            grid.addWidget(words, number, 1)

    def ask_file(self) -> None:
        """Ask where the proof of the entry goes."""
        audit, seq = self._audit, self._seq
        if seq is not None:
            self.files.ask(
                self.tr("Save proof"),
                self.tr("entry-{seq}.tlog-proof").format(seq=seq),
                self.tr("Proof (*.tlog-proof)"),
                lambda _suffix: audit.proof(seq).encode(),
            )

    def _on_saved(self, path: str) -> None:
        self.told.emit(self.tr("The proof was saved to {path}").format(path=path))


def _grid() -> QWidget:
    holder = QWidget()
    grid = QGridLayout(holder)
    grid.setContentsMargins(0, 0, 0, 0)
    grid.setHorizontalSpacing(14)
    grid.setVerticalSpacing(4)
    grid.setColumnStretch(1, 1)
    return holder


def _heading(text: str) -> QWidget:
    made = QWidget()
    made.setLayout(column(6, line(), 4, label(text, "strong"), gap=0))
    return made
