"""Cards side by side, as many in a row as there is room for."""

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QScrollArea, QSizePolicy, QWidget

LEAST_CARD_PX, GAP_PX, MOST_COLUMNS = 250, 12, 6


class CardGrid(QScrollArea):
    """Lays out cards of equal width; scrolls when they need more height than it has."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._cards: list[QWidget] = []
        self._columns = 0
        inside = QWidget()
        inside.setObjectName("inside")
        self._grid = QGridLayout(inside)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(GAP_PX)
        self._grid.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.setWidget(inside)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Maximum)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def set_cards(self, cards: Sequence[QWidget]) -> None:
        """Show other cards, in this order."""
        self._cards = list(cards)
        self._columns = 0
        self._lay_out()
        self.updateGeometry()

    def columns(self) -> int:
        """Return how many cards stand side by side."""
        room = max(self.viewport().width(), LEAST_CARD_PX)
        fitting = min(max((room + GAP_PX) // (LEAST_CARD_PX + GAP_PX), 1), MOST_COLUMNS)
        lines = -(-len(self._cards) // fitting) or 1
        return -(-len(self._cards) // lines) or 1  # lines of about the same length

    def sizeHint(self) -> QSize:
        if not self._cards:
            return QSize(600, 0)
        lines = -(-len(self._cards) // self.columns())
        height = max(card.sizeHint().height() for card in self._cards)
        return QSize(600, lines * (height + GAP_PX) - GAP_PX + 2)

    def minimumSizeHint(self) -> QSize:
        if not self._cards:
            return QSize(0, 0)
        return QSize(LEAST_CARD_PX, self._cards[0].sizeHint().height() + 2)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._lay_out()

    def _lay_out(self) -> None:
        columns = self.columns()
        if columns == self._columns:
            return
        for number in range(self._grid.columnCount()):
            self._grid.setColumnStretch(number, 0)
        for number, card in enumerate(self._cards):
            self._grid.addWidget(card, number // columns, number % columns)
        for number in range(columns):
            self._grid.setColumnStretch(number, 1)
        self._columns = columns
        self.updateGeometry()
