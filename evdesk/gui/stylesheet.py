"""The style sheet: one text, filled from a palette."""

from dataclasses import asdict, dataclass
from string import Template


@dataclass(frozen=True, slots=True)
class Palette:
    """Named colours; text colours hold 4.5:1 on the grounds they are used on, series 3:1."""

    name: str
    window: str
    surface: str
    raised: str
    border: str
    border_strong: str
    text: str
    muted: str
    accent: str
    accent_hover: str
    on_accent: str
    accent_soft: str
    positive: str
    positive_soft: str
    info: str
    info_soft: str
    warning: str
    warning_soft: str
    danger: str
    danger_hover: str
    danger_soft: str
    neutral_soft: str
    grid: str
    series: tuple[str, ...]


BASE = """
QWidget { color: $text; }
QMainWindow, QDialog, #page, #content { background: $window; }
QToolTip { color: $text; background: $surface; border: 1px solid $border_strong; padding: 6px; }
QLabel { background: transparent; }
QLabel[role="title"] { font-size: 16pt; font-weight: 600; }
QLabel[role="heading"] { font-size: 12pt; font-weight: 600; }
QLabel[role="figure"] { font-size: 18pt; font-weight: 600; }
QLabel[role="strong"] { font-weight: 600; }
QLabel[role="muted"] { color: $muted; }
QLabel[role="small"] { color: $muted; font-size: 9pt; }
QLabel[role="error"] { color: $danger; }
QLabel[role="badge"] {
    color: $warning; background: $warning_soft; border-radius: 4px; padding: 3px 8px;
    font-weight: 700; font-size: 9pt;
}
QLabel[role="count"] {
    color: $danger; background: $danger_soft; border-radius: 10px; padding: 0 6px;
    min-width: 8px; min-height: 20px; max-height: 20px; font-weight: 700; font-size: 9pt;
}
QLabel[role="step"] {
    color: $muted; background: $neutral_soft; border-radius: 10px; padding: 0 12px;
    min-height: 22px; max-height: 22px; font-size: 9pt; font-weight: 600;
}
QLabel[role="step"][place="present"] { color: $on_accent; background: $accent; }
QLabel[role="step"][place="done"] { color: $accent; background: $accent_soft; }
QLabel[role="count"][tone="warning"] { color: $warning; background: $warning_soft; }
QFrame[role="surface"] { background: $surface; border: 1px solid $border; border-radius: 8px; }
QFrame[role="line"] { background: $border; border: none; max-height: 1px; min-height: 1px; }
QFrame[role="code"] { background: $raised; border: 1px solid $border; border-radius: 8px; }
QScrollArea, QScrollArea > QWidget > #inside { background: transparent; border: none; }
QSplitter::handle { background: transparent; }
QSplitter::handle:hover { background: $border; }
"""

BUTTONS = """
QPushButton {
    background: $surface; border: 1px solid $border_strong; border-radius: 6px;
    padding: 0 14px; min-height: 32px; font-weight: 500;
}
QPushButton:hover { background: $raised; }
QPushButton:pressed { background: $border; }
QPushButton:focus { border: 2px solid $accent; padding: 0 13px; }
QPushButton:disabled { color: $border_strong; border-color: $border; background: $surface; }
QPushButton[kind="primary"], QPushButton:default {
    background: $accent; color: $on_accent; border-color: $accent; font-weight: 600;
}
QPushButton[kind="primary"]:hover, QPushButton:default:hover { background: $accent_hover; }
QPushButton[kind="primary"]:focus, QPushButton:default:focus { border: 2px solid $text; }
QPushButton[kind="primary"]:disabled, QPushButton:default:disabled {
    background: $border; color: $muted; border-color: $border;
}
QPushButton[kind="danger"] { color: $danger; }
QDialog QPushButton[kind="danger"] { font-weight: 600; }
QPushButton[kind="danger"]:hover { background: $danger_soft; border-color: $danger; }
QPushButton[kind="danger"]:disabled { color: $border_strong; }
QPushButton[kind="danger"]:default { background: $danger; border-color: $danger; color: $surface; }
QPushButton[kind="danger"]:default:hover { background: $danger_hover; }
QPushButton[kind="alarm"] {
    color: $danger; background: $danger_soft; border-color: $danger; text-align: left;
}
QPushButton[kind="alarm"]:hover { border: 2px solid $danger; padding: 0 13px; }
QPushButton[kind="quiet"] { background: transparent; border-color: transparent; }
QPushButton[kind="quiet"]:hover { background: $raised; }
QPushButton[kind="quiet"]:focus { border: 2px solid $accent; }
QPushButton[kind="link"] {
    background: transparent; border: none; color: $accent; padding: 0; text-align: left;
}
QPushButton[kind="link"]:disabled { color: $border_strong; }
QPushButton[kind="link"]:hover { text-decoration: underline; }
QPushButton[kind="link"]:focus { border: none; text-decoration: underline; }
QPushButton[kind="segment"] {
    border-radius: 0; border: 1px solid $border_strong; margin-left: -1px; padding: 0 12px;
    color: $muted;
}
QPushButton[kind="segment"][place="first"] {
    border-top-left-radius: 6px; border-bottom-left-radius: 6px; margin-left: 0;
}
QPushButton[kind="segment"][place="last"] {
    border-top-right-radius: 6px; border-bottom-right-radius: 6px;
}
QPushButton[kind="segment"]:checked { background: $accent_soft; color: $accent; font-weight: 600; }
QPushButton[kind="segment"]:focus { color: $text; border: 1px solid $accent; padding: 0 12px; }
QPushButton[kind="toggle"]:checked {
    background: $accent_soft; color: $accent; border-color: $accent;
}
QToolButton { background: transparent; border: 1px solid transparent; border-radius: 6px;
    padding: 6px; }
QToolButton:hover { background: $raised; }
QToolButton:focus { border-color: $accent; }
QToolButton::menu-indicator { image: none; }
QToolButton[kind="navigation"] {
    color: $muted; padding: 0 12px; min-height: 40px; text-align: left; font-weight: 500;
}
QToolButton[kind="navigation"]:hover { background: $raised; color: $text; }
QToolButton[kind="navigation"]:checked {
    background: $accent_soft; color: $accent; font-weight: 600;
}
"""

FIELDS = """
QLineEdit, QComboBox, QAbstractSpinBox, QPlainTextEdit, QTextEdit {
    background: $surface; border: 1px solid $border_strong; border-radius: 6px;
    padding: 0 10px; min-height: 32px; selection-background-color: $accent;
    selection-color: $on_accent;
}
QPlainTextEdit, QTextEdit { padding: 8px; }
QLineEdit:focus, QComboBox:focus, QAbstractSpinBox:focus, QPlainTextEdit:focus {
    border: 2px solid $accent; padding: 0 9px;
}
QLineEdit[wrong="true"] { border: 2px solid $danger; padding: 0 9px; }
QComboBox[wrong="true"] { border: 2px solid $danger; }
QLineEdit:disabled, QComboBox:disabled, QAbstractSpinBox:disabled {
    color: $muted; background: $raised; border-color: $border;
}
QLineEdit[role="search"] { padding-left: 4px; }
QComboBox QLineEdit, QComboBox QLineEdit:focus, QAbstractSpinBox QLineEdit {
    border: none; padding: 0; min-height: 0; background: transparent;
}
QComboBox::drop-down, QDateTimeEdit::drop-down { border: none; width: 26px; }
QComboBox::down-arrow, QDateTimeEdit::down-arrow { image: url($down); width: 14px; height: 14px; }
QComboBox QAbstractItemView {
    background: $surface; border: 1px solid $border_strong; outline: none; padding: 4px;
    selection-background-color: $accent_soft; selection-color: $accent;
}
QComboBox QAbstractItemView::item { min-height: 30px; padding: 0 8px; }
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button {
    border: none; width: 22px; background: transparent;
}
QAbstractSpinBox::up-arrow { image: url($up); width: 12px; height: 12px; }
QAbstractSpinBox::down-arrow { image: url($down); width: 12px; height: 12px; }
QCheckBox, QRadioButton { spacing: 8px; min-height: 24px; }
QCheckBox::indicator {
    width: 16px; height: 16px; border: 1px solid $border_strong; border-radius: 4px;
    background: $surface;
}
QCheckBox::indicator:checked { background: $accent; border-color: $accent; image: url($check); }
QCheckBox::indicator:focus { border: 2px solid $accent; }
QRadioButton { font-weight: 600; outline: none; }
QCheckBox { outline: none; }
QRadioButton::indicator {
    width: 16px; height: 16px; border: 1px solid $border_strong; border-radius: 9px;
    background: $surface;
}
QRadioButton::indicator:checked { border: 5px solid $accent; width: 8px; height: 8px; }
QRadioButton::indicator:focus { border-color: $accent; }
QCalendarWidget QWidget { alternate-background-color: $raised; }
QCalendarWidget QToolButton { color: $text; min-height: 24px; }
QMenu { background: $surface; border: 1px solid $border_strong; padding: 4px; }
QMenu::item { padding: 7px 24px 7px 12px; border-radius: 4px; }
QMenu::item:selected { background: $accent_soft; color: $accent; }
QMenu::separator { height: 1px; background: $border; margin: 4px 0; }
"""

VIEWS = """
QTableView, QListView, QTreeView {
    background: $surface; border: 1px solid $border; border-radius: 8px; outline: none;
    gridline-color: transparent; selection-background-color: $accent_soft;
    selection-color: $text; alternate-background-color: $surface;
}
QTableView[inset="true"], QListView[inset="true"] { border-radius: 6px; }
QTableView::item { padding: 0 9px; border-bottom: 1px solid $border; }
QTableView::item:hover { background: $raised; }
QTableView::item:selected { background: $accent_soft; color: $text; }
QListView::item { padding: 6px 10px; min-height: 24px; border-radius: 4px; }
QListView::item:hover { background: $raised; }
QListView::item:selected { background: $accent_soft; color: $text; }
QHeaderView { background: transparent; border: none; }
QHeaderView::section {
    background: $surface; color: $muted; border: none; border-bottom: 1px solid $border_strong;
    padding: 0 12px; min-height: 34px; font-size: 9pt; font-weight: 600;
}
QHeaderView::section:first { border-top-left-radius: 8px; }
QHeaderView::section:last { border-top-right-radius: 8px; }
QHeaderView::section:hover { color: $text; }
QHeaderView::up-arrow { image: url($up); width: 11px; height: 11px;
    subcontrol-position: center right; right: 6px; }
QHeaderView::down-arrow { image: url($down); width: 11px; height: 11px;
    subcontrol-position: center right; right: 6px; }
QAbstractScrollArea::corner { background: transparent; border: none; }
QTableCornerButton::section { background: $surface; border: none; }
QTabWidget::pane { border: none; }
QTabBar::tab {
    background: transparent; color: $muted; padding: 8px 4px; margin-right: 24px; border: none;
    border-bottom: 2px solid transparent; font-weight: 500;
}
QTabBar::tab:hover { color: $text; }
QTabBar::tab:selected { color: $accent; border-bottom: 2px solid $accent; font-weight: 600; }
QTabBar::tab:focus { color: $text; }
QScrollBar:vertical { background: transparent; width: 12px; margin: 2px; }
QScrollBar:horizontal { background: transparent; height: 12px; margin: 2px; }
QScrollBar::handle { background: $border_strong; border-radius: 4px; }
QScrollBar::handle:vertical { min-height: 32px; }
QScrollBar::handle:horizontal { min-width: 32px; }
QScrollBar::handle:hover { background: $muted; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
QProgressBar { background: $neutral_soft; border: none; border-radius: 3px; max-height: 6px;
    min-height: 6px; }
QProgressBar::chunk { background: $accent; border-radius: 3px; }
"""

PARTS = """
#sidebar { background: $surface; border-right: 1px solid $border; }
#header { background: $surface; border-bottom: 1px solid $border; }
#card { background: $surface; border: 1px solid $border; border-radius: 8px; }
#card:hover { border-color: $border_strong; }
#card[chosen="true"] { border: 2px solid $accent; }
#card QLabel#power { font-size: 19pt; font-weight: 600; }
#card[small="true"] QLabel#power { font-size: 14pt; }
#notice { border-radius: 8px; border: 1px solid transparent; }
#notice[tone="danger"] { background: $danger_soft; border-color: $danger; }
#notice[tone="warning"] { background: $warning_soft; border-color: $warning; }
#notice[tone="positive"] { background: $positive_soft; border-color: $positive; }
#notice[tone="info"] { background: $info_soft; border-color: $info; }
#recovery { font-family: monospace; font-size: 15pt; font-weight: 600; }
"""


def stylesheet(palette: Palette, pictures: dict[str, str]) -> str:
    """Return the style sheet; ``pictures`` are the files of the marks inside controls."""
    text = BASE + BUTTONS + FIELDS + VIEWS + PARTS
    return Template(text).substitute(asdict(palette), **pictures)
