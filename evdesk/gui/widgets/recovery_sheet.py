"""The recovery code: shown once, to be copied, printed or written down."""

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QFont, QGuiApplication, QPainter
from PySide6.QtPrintSupport import QPrintDialog, QPrinter
from PySide6.QtWidgets import QCheckBox, QDialog, QFrame, QLabel, QWidget

from evdesk.gui.theme import Theme
from evdesk.gui.widgets.parts import button, column, give_icon, label, paragraph, row

GROUPS_A_LINE = 4


class RecoverySheet(QWidget):
    """``agreed`` tells whether the person says it is written down."""

    agreed = Signal(bool)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._site = self._plain = ""
        self._printer: QPrinter | None = None
        self.code = QLabel()
        self.code.setObjectName("recovery")
        self.code.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
            | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.code.setWordWrap(True)
        self.code.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.copy = button(self.tr("Copy"), self.copy_code)
        self.print = button(self.tr("Print …"), self.ask_printer)
        self.told = label("", "small")
        self.check = QCheckBox(self.tr("I have written it down and keep it away from this PC"))
        self.check.toggled.connect(self.agreed)
        give_icon(self.copy, theme, "save")
        give_icon(self.print, theme, "print")
        frame = QFrame()
        frame.setProperty("role", "code")
        frame.setLayout(column(self.code, margin=20))
        self.setLayout(
            column(
                label(self.tr("Your recovery code"), "title"),
                paragraph(
                    self.tr(
                        "If every password is lost, only this code opens the site. It is shown "
                        "this one time and kept nowhere: when all passwords and the code are "
                        "lost, nothing opens the site, and nobody can help."
                    ),
                    "",
                ),
                8, frame, row(self.copy, self.print, self.told, 0), 12, self.check, 0, gap=12,
            )
        )  # fmt: skip

    def show_code(self, code: str, site: str) -> None:
        """Show the code of a site."""
        self._site, self._plain = site, code
        self.code.setText(_in_two_lines(code))
        self.check.setChecked(False)

    def copy_code(self) -> None:
        """Put the code on the clipboard."""
        QGuiApplication.clipboard().setText(self._plain)
        self.told.setText(self.tr("Copied. Paste it somewhere safe, then copy something else."))

    def ask_printer(self) -> None:
        """Ask which printer."""
        self._printer = QPrinter(QPrinter.PrinterMode.HighResolution)
        dialog = QPrintDialog(self._printer, self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.accepted.connect(self._on_printer)
        QDialog.open(dialog)

    def _on_printer(self) -> None:
        if self._printer is not None:
            self.paint(self._printer)
            self.told.setText(self.tr("Sent to the printer."))

    def paint(self, printer: QPrinter) -> None:
        """Paint the sheet."""
        painter = QPainter(printer)
        page = QRectF(printer.pageRect(QPrinter.Unit.DevicePixel))
        area = QRectF(0, 0, page.width(), page.height() / 8)
        wrap = Qt.TextFlag.TextWordWrap
        painter.setFont(QFont(self.font().family(), 16))
        title = self.tr("Recovery code of {site}").format(site=self._site)
        painter.drawText(area, wrap, title)
        painter.setFont(QFont("monospace", 18))
        painter.drawText(area.translated(0, page.height() / 8), wrap, self.code.text())
        painter.setFont(QFont(self.font().family(), 11))
        painter.drawText(
            area.translated(0, page.height() / 4),
            wrap,
            self.tr("Opens the site when the password is lost. Keep it away from the PC."),
        )
        painter.end()


def _in_two_lines(code: str) -> str:
    """Return a code as it is written down: its groups in two lines."""
    groups = code.split("-")
    if len(groups) <= GROUPS_A_LINE:
        return code
    half = (len(groups) + 1) // 2
    return "-".join(groups[:half]) + "-\n" + "-".join(groups[half:])
