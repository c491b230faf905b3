"""Cards side by side, as many in a row as there is room for."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QScrollArea, QSizePolicy, QWidget

LEAST_CARD_PX, LEAST_SMALL_PX, GAP_PX, MOST_COLUMNS = 250, 204, 12, 6
EDGE_PX, ANY_HEIGHT_PX = 2, 100_000


class CardGrid(QScrollArea):
    """Lays out cards of equal width; scrolls when they need more height than it has.

    ``laid_out`` tells that the cards may need another height.
    """

    laid_out = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._cards: list[QWidget] = []
        self._columns = 0
        self._least_px = LEAST_CARD_PX
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

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        handled = super().eventFilter(watched, event)
        if event.type() is QEvent.Type.LayoutRequest:
            self.laid_out.emit()
        return handled

    def set_small(self, small: bool) -> None:
        """Say that the cards are small ones, of which more stand side by side."""
        self._least_px = LEAST_SMALL_PX if small else LEAST_CARD_PX
        self._lay_out()

    def columns(self) -> int:
        """Return how many cards stand side by side."""
        return self._columns_of(self._least_px)

    def lines_in_full(self) -> int:
        """Return how many lines cards in full would take."""
        return -(-len(self._cards) // self._columns_of(LEAST_CARD_PX))

    def height_within(self, most_px: int) -> int:
        """Return the height of the lines that fit, whole: all of them, or at least one."""
        if not self._cards:
            return 0
        line = max(card.sizeHint().height() for card in self._cards) + GAP_PX
        lines = -(-len(self._cards) // self.columns())
        return min(lines, max((most_px + GAP_PX - EDGE_PX) // line, 1)) * line - GAP_PX + EDGE_PX

    def _columns_of(self, least_px: int) -> int:
        room = max(self.viewport().width(), least_px)
        fitting = min(max((room + GAP_PX) // (least_px + GAP_PX), 1), MOST_COLUMNS)
        lines = -(-len(self._cards) // fitting) or 1
        return -(-len(self._cards) // lines) or 1  # lines of about the same length

    def sizeHint(self) -> QSize:
        return QSize(600, self.height_within(ANY_HEIGHT_PX))

    def minimumSizeHint(self) -> QSize:
        if not self._cards:
            return QSize(0, 0)
        return QSize(LEAST_CARD_PX, self._cards[0].sizeHint().height() + EDGE_PX)

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
