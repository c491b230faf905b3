"""A PDF inside the window, and on paper."""

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QRect, Qt
from PySide6.QtGui import QColor, QImage, QPaintEngine, QPainter, QPalette
from PySide6.QtPdf import QPdfDocument, QPdfDocumentRenderOptions
from PySide6.QtPdfWidgets import QPdfView
from PySide6.QtPrintSupport import QPrinter
from PySide6.QtWidgets import QWidget

from evdesk.gui.theme import Theme

SCREEN_DPI, PAPER_DPI = 150, 400  # half a second a page, and Qt wants it on the GUI thread
POINTS_PER_INCH = 72


class PdfView(QPdfView):
    """Shows one document, as wide as there is room."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._pdf = QPdfDocument(parent)  # as a child of the view it crashes when both go (6.11)
        self._buffer: QBuffer | None = None
        self.setPageMode(QPdfView.PageMode.MultiPage)
        self.setZoomMode(QPdfView.ZoomMode.FitToWidth)
        self.setPageSpacing(12)
        self.setAccessibleName(self.tr("Document"))
        theme.changed.connect(self.repaint_ground)
        self.repaint_ground()

    def show_bytes(self, content: bytes) -> None:
        """Show a document."""
        self._pdf.close()
        before, self._buffer = self._buffer, QBuffer(self._pdf)
        self._buffer.setData(QByteArray(content))
        self._buffer.open(QIODevice.OpenModeFlag.ReadOnly)
        self._pdf.load(self._buffer)
        self.setDocument(self._pdf)
        if before is not None:
            before.deleteLater()

    def document_shown(self) -> QPdfDocument | None:
        """Return the document."""
        return self._pdf if self._buffer is not None else None

    def repaint_ground(self) -> None:
        """Take the theme's colour behind the pages."""
        palette = QPalette(self.palette())
        for role in (QPalette.ColorRole.Dark, QPalette.ColorRole.Window):
            palette.setColor(role, QColor(self._theme.palette.raised))
        self.setPalette(palette)


def print_document(document: QPdfDocument, printer: QPrinter) -> None:
    """Paint every page onto a printer, at its resolution up to 400 dpi."""
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
    painter = QPainter(image)
    painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_DestinationOver)
    painter.fillRect(image.rect(), Qt.GlobalColor.white)
    painter.end()
    return image.convertToFormat(QImage.Format.Format_RGB32)
