"""Whose account is open, and its menu."""

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QMenu, QToolButton, QWidget

from evdesk.gui.desk import Who
from evdesk.gui.rights import role_name
from evdesk.gui.theme import Theme

MOST_PX, BESIDE_PX = 152, 44


class AccountButton(QToolButton):
    """Name and role; the menu drops down from it."""

    def __init__(self, who: Who, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.said = self.tr("{name} · {role}").format(name=who.name, role=role_name(who.role))
        self.items = QMenu(self)
        self.items.setToolTipsVisible(True)
        self.setMenu(self.items)
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setIconSize(QSize(20, 20))
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setMaximumWidth(MOST_PX)
        room_px, cut = MOST_PX - BESIDE_PX, Qt.TextElideMode.ElideRight
        name = QFontMetrics(self.font()).elidedText(who.name, cut, room_px)
        self.setText(f"{name}\n{role_name(who.role)}")
        self.setToolTip(self.tr("Your account: {who}").format(who=self.said))
        self.setAccessibleName(self.toolTip())
        theme.changed.connect(self.repaint_icon)
        self.repaint_icon()

    def repaint_icon(self) -> None:
        """Draw the icon in the theme's colour."""
        self.setIcon(self._theme.icon("user"))
