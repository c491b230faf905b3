"""Form fields with the looks and habits of the house."""

import re
from collections.abc import Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from PySide6.QtCore import QDate, QLocale, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QComboBox,
    QCompleter,
    QDateEdit,
    QFormLayout,
    QLineEdit,
    QSpinBox,
    QWidget,
)

from evdesk.gui.theme import Theme
from evdesk.gui.widgets.parts import label, restyle

WH_PER_KWH = 1000
SPIN_MARGINS = (8, 0, 0, 0)  # a style sheet's padding does not reach the text of spin boxes


class SearchField(QLineEdit):
    """A line to search in: magnifier, clear button."""

    def __init__(self, theme: Theme, hint: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._action = QAction(self)
        self.setPlaceholderText(hint)
        self.setAccessibleName(hint)
        self.setClearButtonEnabled(True)
        self.addAction(self._action, QLineEdit.ActionPosition.LeadingPosition)
        self.setMinimumWidth(200)
        self.setProperty("role", "search")
        theme.changed.connect(self.repaint_icon)
        self.repaint_icon()

    def repaint_icon(self) -> None:
        """Draw the magnifier in the theme's colour."""
        self._action.setIcon(self._theme.icon("search", self._theme.palette.muted))


class Chooser(QComboBox):
    """A list of values with their texts; ``searchable`` for long lists."""

    def __init__(self, name: str, searchable: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._values: list[Any] = []  # Qt's own item data turn a StrEnum into a plain str
        self.setAccessibleName(name)
        self.setMaxVisibleItems(14)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        if searchable:
            self.setEditable(True)
            self.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
            line = QLineEdit(self)
            line.setPlaceholderText(self.tr("Type to search"))
            self.setLineEdit(line)
            completer = QCompleter(self.model(), self)
            completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
            completer.setFilterMode(Qt.MatchFlag.MatchContains)
            completer.setCompletionMode(QCompleter.CompletionMode.PopupCompletion)
            self.setCompleter(completer)
            line.editingFinished.connect(self._on_edited)

    def offer(self, options: Sequence[tuple[Any, str]]) -> None:
        """Offer these values; what was chosen stays chosen where it still is offered."""
        texts = [self.itemText(number) for number in range(self.count())]
        if list(zip(self._values, texts, strict=True)) == list(options):
            return
        before = self.value()
        blocked = self.blockSignals(True)
        self.clear()
        self._values = [value for value, _ in options]
        self.addItems([text for _, text in options])
        self.choose(before)
        self.blockSignals(blocked)
        if self.value() != before:
            self.currentIndexChanged.emit(self.currentIndex())

    def choose(self, value: Any) -> None:
        """Choose a value; where it is not offered the first, or none of a searchable list."""
        missing = -1 if self.isEditable() else 0  # a list to search in may be left unanswered
        self.setCurrentIndex(self._values.index(value) if value in self._values else missing)

    def value(self) -> Any:
        """Return the chosen value; of a searchable list also what a typed part means alone."""
        chosen = self._typed() if self.isEditable() else self.currentIndex()
        return self._values[chosen] if chosen >= 0 else None

    def _typed(self) -> int:
        """Return the number of the entry that was typed in full, or in a part no other has."""
        text = self.currentText().strip()
        exact = self.findText(text, Qt.MatchFlag.MatchFixedString)
        if exact >= 0 or not text:
            return exact
        part = text.casefold()
        with_part = [n for n in range(self.count()) if part in self.itemText(n).casefold()]
        return with_part[0] if len(with_part) == 1 else -1

    def _on_edited(self) -> None:
        """Write out what a typed part means, so that the person sees it."""
        chosen = self._typed()
        if chosen >= 0:
            self.setCurrentIndex(chosen)
            self.setEditText(self.itemText(chosen))


class DateField(QDateEdit):
    """A date with a calendar."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setCalendarPopup(True)
        self.setDisplayFormat("d MMM yyyy")
        self.setMinimumWidth(136)

    def set_day(self, day: date) -> None:
        """Show a date."""
        self.setDate(QDate(day.year, day.month, day.day))

    def day(self) -> date:
        """Return the date."""
        shown = self.date()
        return date(shown.year(), shown.month(), shown.day())


class WholeNumber(QSpinBox):
    """A whole number between two bounds."""

    def __init__(self, least: int, most: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setRange(least, most)
        self.lineEdit().setTextMargins(*SPIN_MARGINS)


def text_field(hint: str = "", name: str = "") -> QLineEdit:
    """Return a line of text."""
    made = QLineEdit()
    made.setPlaceholderText(hint)
    if name:
        made.setAccessibleName(name)
    return made


def mark_wrong(field: QWidget, wrong: bool) -> None:
    """Frame a field in red, or no longer."""
    field.setProperty("wrong", "true" if wrong else "false")
    restyle(field)


def form() -> QFormLayout:
    """Return a form: captions above narrow forms' fields, left of wide ones."""
    made = QFormLayout()
    made.setHorizontalSpacing(16)
    made.setVerticalSpacing(10)
    made.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    made.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    return made


def add_field(to: QFormLayout, caption: str, field: QWidget, hint: str = "") -> None:
    """Add a field with its caption and, below it, a hint."""
    words = label(caption)
    words.setBuddy(field)
    words.setMinimumHeight(34)
    to.addRow(words, field)
    if not field.accessibleName():
        field.setAccessibleName(caption)
    if hint:
        small = label(hint, "small")
        small.setWordWrap(True)
        small.setAlignment(Qt.AlignmentFlag.AlignTop)  # close to its field
        to.addRow("", small)


def amount(field: QLineEdit) -> Decimal | None:
    """Return the number of a field, marked where it is none: with a point or the locale's comma."""
    point = QLocale().decimalPoint()
    text = re.sub(r"\s", "", field.text())
    if point in text or point != ".":
        text = text.replace(point, ".")
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal(-1)
    good = number.is_finite() and number >= 0
    mark_wrong(field, not good)
    return number if good else None


def whole_wh(field: QLineEdit) -> int | None:
    """Return the kWh of a field in Wh, marked where it is no number or finer than a Wh."""
    kwh = amount(field)
    if kwh is None:
        return None
    wh = kwh * WH_PER_KWH
    finer = wh != wh.to_integral_value()
    mark_wrong(field, finer)
    return None if finer else int(wh)
