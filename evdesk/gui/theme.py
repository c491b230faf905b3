"""One palette per theme, from which everything that has a colour takes it."""

from enum import Enum
from pathlib import Path

from PySide6.QtCore import QObject, Qt, QTemporaryDir, Signal
from PySide6.QtGui import QColor, QFont, QIcon, QPalette
from PySide6.QtWidgets import QApplication

from evdesk.gui.icons import Icons
from evdesk.gui.stylesheet import Palette, stylesheet

SMALLEST_FONT_PT = 10.0

LIGHT = Palette(
    name="light",
    window="#F3F5F8",
    surface="#FFFFFF",
    raised="#EEF2F7",
    border="#DDE3EA",
    border_strong="#AEB9C6",
    text="#17202B",
    muted="#546070",
    accent="#0C6B5C",
    accent_hover="#095548",
    on_accent="#FFFFFF",
    accent_soft="#DCF0EB",
    positive="#0C6B5C",
    positive_soft="#DCF0EB",
    info="#1B5BC0",
    info_soft="#E4EDFC",
    warning="#7F4C00",
    warning_soft="#FCEED3",
    danger="#B3261E",
    danger_hover="#8F1D17",
    danger_soft="#FBE5E3",
    neutral_soft="#E8ECF1",
    grid="#E6EAF0",
    # Okabe and Ito's colours, darkened to at least 3:1 on white
    series=(
        "#0072B2", "#D55E00", "#00896A", "#B0508F", "#9A7400", "#2F8FCB", "#6A51C7", "#4A5462",
    ),
)  # fmt: skip

DARK = Palette(
    name="dark",
    window="#10151B",
    surface="#182029",
    raised="#222C37",
    border="#2B3642",
    border_strong="#4A5868",
    text="#E6EBF1",
    muted="#9CA9B8",
    accent="#4FCDB4",
    accent_hover="#7ADCC8",
    on_accent="#06231D",
    accent_soft="#17372F",
    positive="#4FCDB4",
    positive_soft="#17372F",
    info="#7DB0FF",
    info_soft="#1C2F4C",
    warning="#F2B655",
    warning_soft="#3B2C12",
    danger="#FF8F86",
    danger_hover="#FFB0A9",
    danger_soft="#452220",
    neutral_soft="#28323D",
    grid="#26303B",
    series=(
        "#56B4E9", "#F08A4B", "#2EC79A", "#E08FC0", "#E3B93F", "#8FC7FF", "#A99BF5", "#B4BFCC",
    ),
)  # fmt: skip


class Tone(Enum):
    """What a colour means; never the only bearer of the meaning."""

    POSITIVE = "positive"
    INFO = "info"
    NEUTRAL = "neutral"
    WARNING = "warning"
    DANGER = "danger"


def tone_colours(palette: Palette, tone: Tone) -> tuple[str, str]:
    """Return text and background of a tone."""
    return {
        Tone.POSITIVE: (palette.positive, palette.positive_soft),
        Tone.INFO: (palette.info, palette.info_soft),
        Tone.NEUTRAL: (palette.muted, palette.neutral_soft),
        Tone.WARNING: (palette.warning, palette.warning_soft),
        Tone.DANGER: (palette.danger, palette.danger_soft),
    }[tone]


class Theme(QObject):
    """Paints the program light or dark, as chosen or as the system is; tells when it changed."""

    changed = Signal()

    def __init__(self, app: QApplication, icons_folder: Path, choice: str = "system") -> None:
        super().__init__(app)
        self._app = app
        self._icons = Icons(icons_folder)
        self._pictures = QTemporaryDir()
        self.choice = choice
        self.palette = LIGHT
        self._font = app.font()
        app.styleHints().colorSchemeChanged.connect(self._on_system_changed)
        app.aboutToQuit.connect(self._pictures.remove)

    def choose(self, choice: str) -> None:
        """Switch to ``light``, ``dark`` or ``system``."""
        self.choice = choice
        self.apply()

    def toggle(self) -> str:
        """Switch between light and dark; return the choice."""
        self.choose("light" if self.is_dark() else "dark")
        return self.choice

    def is_dark(self) -> bool:
        """Return whether the dark palette is on."""
        return self.palette is DARK

    def apply(self) -> None:
        """Paint everything."""
        self.palette = DARK if self._wants_dark() else LIGHT
        self._app.setStyle("Fusion")
        font = QFont(self._font)
        font.setPointSizeF(max(SMALLEST_FONT_PT, font.pointSizeF()))
        self._app.setFont(font)
        self._app.setPalette(_qt_palette(self.palette))
        self._app.setStyleSheet(stylesheet(self.palette, self._control_pictures()))
        self.changed.emit()

    def icon(self, name: str, colour: str | None = None, room: float = 1.0) -> QIcon:
        """Return an icon in the text colour or in another of the palette.

        ``room`` is its width over its height: above 1, the rest is empty at its right.
        """
        return self._icons.icon(name, colour or self.palette.text, room)

    def tone(self, tone: Tone) -> tuple[str, str]:
        """Return text and background of a tone."""
        return tone_colours(self.palette, tone)

    def series(self, index: int) -> str:
        """Return the colour of a station's curve; they repeat, dashes tell them apart then."""
        return self.palette.series[index % len(self.palette.series)]

    def _wants_dark(self) -> bool:
        if self.choice == "system":
            return self._app.styleHints().colorScheme() is Qt.ColorScheme.Dark
        return self.choice == "dark"

    def _on_system_changed(self) -> None:
        if self.choice == "system":
            self.apply()

    def _control_pictures(self) -> dict[str, str]:
        """Draw the marks inside controls, which a style sheet takes from files only."""
        wanted = {
            "down": ("chevron-down", self.palette.muted),
            "up": ("chevron-up", self.palette.muted),
            "check": ("check", self.palette.on_accent),
        }
        made = {}
        for key, (name, colour) in wanted.items():
            path = Path(self._pictures.path()) / f"{key}-{self.palette.name}.png"
            if not path.exists():
                self._icons.pixmap(name, colour, 48).save(str(path))
            made[key] = path.as_posix()
        return made


def _qt_palette(colours: Palette) -> QPalette:
    roles = QPalette.ColorRole
    palette = QPalette()
    for role, colour in {
        roles.Window: colours.window,
        roles.WindowText: colours.text,
        roles.Base: colours.surface,
        roles.AlternateBase: colours.raised,
        roles.Text: colours.text,
        roles.Button: colours.surface,
        roles.ButtonText: colours.text,
        roles.BrightText: colours.danger,
        roles.ToolTipBase: colours.surface,
        roles.ToolTipText: colours.text,
        roles.PlaceholderText: colours.muted,
        roles.Highlight: colours.accent,
        roles.HighlightedText: colours.on_accent,
        roles.Link: colours.accent,
        roles.LinkVisited: colours.accent,
        roles.Accent: colours.accent,
        roles.Light: colours.surface,
        roles.Midlight: colours.raised,
        roles.Mid: colours.border,
        roles.Dark: colours.border_strong,
        roles.Shadow: colours.border_strong,
    }.items():
        palette.setColor(role, QColor(colour))
    disabled = QPalette.ColorGroup.Disabled
    for role in (roles.WindowText, roles.Text, roles.ButtonText):
        palette.setColor(disabled, role, QColor(colours.border_strong))
    return palette
