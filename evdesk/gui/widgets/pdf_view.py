"""A PDF inside the window, and on paper."""

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QRect, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPaintEngine, QPainter, QPalette
from PySide6.QtPdf import QPdfDocument, QPdfDocumentRenderOptions
from PySide6.QtPdfWidgets import QPdfView
from PySide6.QtPrintSupport import QPrinter
from PySide6.QtWidgets import QWidget

from evdesk.gui.theme import Theme

SCREEN_DPI, PAPER_DPI = 150, 600
POINTS_PER_INCH = 72


class Document:
    """The bytes of a PDF, opened."""

    def __init__(self, content: bytes, owner: QWidget) -> None:
        self._buffer = QBuffer(owner)
        self._buffer.setData(QByteArray(content))
        self._buffer.open(QIODevice.OpenModeFlag.ReadOnly)
        self.pdf = QPdfDocument(owner)
        self.pdf.load(self._buffer)

    def close(self) -> None:
        """Give the document back."""
        self.pdf.close()
        self.pdf.deleteLater()
        self._buffer.deleteLater()


class PdfView(QPdfView):
    """Shows one document, as wide as there is room."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._shown: Document | None = None
        self.setPageMode(QPdfView.PageMode.MultiPage)
        self.setZoomMode(QPdfView.ZoomMode.FitToWidth)
        self.setPageSpacing(12)
        self.setAccessibleName(self.tr("Document"))
        theme.changed.connect(self.repaint_ground)
        self.repaint_ground()

    def show_bytes(self, content: bytes) -> None:
        """Show a document."""
        before, self._shown = self._shown, Document(content, self)
        self.setDocument(self._shown.pdf)
        if before is not None:
            before.close()

    def document_shown(self) -> QPdfDocument | None:
        """Return the document."""
        return None if self._shown is None else self._shown.pdf

    def repaint_ground(self) -> None:
        """Take the theme's colour behind the pages."""
        palette = QPalette(self.palette())
        for role in (QPalette.ColorRole.Dark, QPalette.ColorRole.Window):
            palette.setColor(role, QColor(self._theme.palette.raised))
        self.setPalette(palette)


def print_document(document: QPdfDocument, printer: QPrinter) -> None:
    """Paint every page onto a printer, at its resolution up to 600 dpi."""
    painter = QPainter(printer)
    for number in range(document.pageCount()):
        if number:
            printer.newPage()
        paint_page(document, number, painter, printer)
    painter.end()


def paint_page(document: QPdfDocument, number: int, painter: QPainter, printer: QPrinter) -> None:
    """Paint one page, as large as the sheet and never cut."""
    engine = printer.paintEngine()
    on_screen = engine is not None and engine.type() is QPaintEngine.Type.Picture
    dpi = min(printer.resolution(), SCREEN_DPI if on_screen else PAPER_DPI)
    size = document.pagePointSize(number) * (dpi / POINTS_PER_INCH)
    image = document.render(number, size.toSize(), QPdfDocumentRenderOptions())
    sheet = printer.paperRect(QPrinter.Unit.DevicePixel).toRect()
    origin = printer.pageRect(QPrinter.Unit.DevicePixel).toRect().topLeft()
    fitted = image.size().scaled(sheet.size(), Qt.AspectRatioMode.KeepAspectRatio)
    place = QRect(-origin, fitted)
    painter.drawImage(place, on_white(image))


def on_white(image: QImage) -> QImage:
    """Return the picture on white: a printer has no transparency."""
    made = QImage(QSize(image.size()), QImage.Format.Format_RGB32)
    made.fill(Qt.GlobalColor.white)
    painter = QPainter(made)
    painter.drawImage(0, 0, image)
    painter.end()
    return made
