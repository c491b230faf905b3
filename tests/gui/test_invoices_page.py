import numpy as np
import pytest
from PySide6.QtGui import QImage
from PySide6.QtPdf import QPdfDocument
from PySide6.QtPrintSupport import QPrinter

from evdesk.domain.invoices import InvoiceState
from evdesk.gui.dialogs.issuer import IssuerDialog
from evdesk.gui.dialogs.new_draft import NewDraft
from evdesk.gui.widgets.pdf_view import print_document


@pytest.fixture
def page(open_window, desk, qtbot):
    found = open_window(desk).open("invoices")
    with qtbot.waitSignal(found.drawn):
        pass
    return found


def make_draft(page, desk, depot, qtbot):
    desk.billing.draft(depot.drivers[0].id, "2026-11")
    page.refresh()
    qtbot.waitUntil(page.panel.print.isEnabled)


def test_a_draft_is_made_looked_at_and_issued(page, desk, depot, qtbot):
    page.add_new()
    dialog = page.findChild(NewDraft)
    qtbot.waitUntil(dialog.ok.isEnabled)
    dialog.driver.setCurrentIndex(0)
    dialog.month.choose("2026-11")
    with qtbot.waitSignal(page.told) as signal:
        dialog.submit()
    assert signal.args[0].startswith(f"Draft made for {depot.drivers[1].party.name}.")
    assert "1 in review left out." in signal.args[0]
    qtbot.waitUntil(page.panel.print.isEnabled)
    assert page.panel.view.document_shown().pageCount() >= 1

    page.panel.issue.click()
    assert "next number and can never be changed" in page.question.words.text()
    with qtbot.waitSignal(page.told) as signal:
        page.question.buttons["issue"].click()
    assert signal.args[0] == "Issued as 2026-00001."
    qtbot.waitUntil(lambda: page.panel.title.text_in_full() == "Invoice 2026-00001")
    assert not page.panel.issue.isVisible()
    assert not page.panel.drop.isVisible()
    assert desk.billing.invoices[0].state is InvoiceState.ISSUED
    qtbot.waitUntil(page.panel.print.isEnabled)


def test_cancelling_the_question_issues_nothing(page, desk, depot, qtbot):
    make_draft(page, desk, depot, qtbot)
    page.panel.issue.click()
    page.question.buttons["cancel"].click()
    assert desk.billing.invoices[0].state is InvoiceState.DRAFT


def test_a_month_without_sessions_is_said_in_the_dialog(page, qtbot):
    page.add_new()
    dialog = page.findChild(NewDraft)
    qtbot.waitUntil(dialog.ok.isEnabled)
    dialog.driver.setCurrentIndex(0)
    dialog.month.choose("2026-03")
    dialog.submit()
    qtbot.waitUntil(dialog.error.isVisible)
    assert "no closed session in 2026-03" in dialog.error.text()
    dialog.reject()


def test_a_draft_can_be_dropped(page, desk, depot, qtbot):
    make_draft(page, desk, depot, qtbot)
    page.panel.drop.click()
    with qtbot.waitSignal(page.told):
        page.question.buttons["drop"].click()
    assert desk.billing.invoices == []
    qtbot.waitUntil(page.empty.isVisible)


def test_who_bills_is_asked_first_where_nobody_is_set(page, desk, qtbot):
    desk.billing.seller = None
    page.refresh()
    qtbot.waitUntil(lambda: page._issuer is None)
    page.add_new()
    dialog = page.findChild(IssuerDialog)
    dialog.submit()
    assert dialog.error.text() == "The issuer needs a name."
    dialog.fields["name"].setText("Nordhafen Energie eG")
    dialog.fields["iban"].setText("DE02 1203 0000 0000 2020 51")
    with qtbot.waitSignal(page.told):
        dialog.submit()
    assert desk.billing.seller.iban == "DE02120300000000202051"
    assert desk.billing.seller.country == "DE"


def test_the_printer_gets_every_page_of_the_document(page, desk, depot, qtbot, tmp_path):
    make_draft(page, desk, depot, qtbot)
    document = page.panel.view.document_shown()
    printer = QPrinter(QPrinter.PrinterMode.HighResolution)
    printer.setOutputFormat(QPrinter.OutputFormat.PdfFormat)
    printer.setOutputFileName(str(tmp_path / "paper.pdf"))
    printer.setFullPage(True)
    print_document(document, printer)
    paper = QPdfDocument()
    paper.load(str(tmp_path / "paper.pdf"))
    assert paper.pageCount() == document.pageCount()
    size = paper.pagePointSize(0).toSize() * 2
    assert edges(paper.render(0, size)) == pytest.approx(edges(document.render(0, size)), abs=6)
    paper.close()


def edges(picture: QImage) -> tuple[int, int, int, int]:
    """Where the ink begins and ends, in pixels from left and top."""
    grey = picture.convertToFormat(QImage.Format.Format_RGBA8888)
    pixels = np.frombuffer(grey.constBits(), np.uint8).reshape(grey.height(), grey.width(), 4)
    dark = (pixels[..., 3] > 128) & (pixels[..., :3].max(axis=2) < 128)
    rows, columns = np.flatnonzero(dark.any(axis=1)), np.flatnonzero(dark.any(axis=0))
    return int(columns[0]), int(columns[-1]), int(rows[0]), int(rows[-1])


def test_printing_shows_a_preview_first(page, desk, depot, qtbot):
    make_draft(page, desk, depot, qtbot)
    page.print_out()
    assert page.panel.preview.isVisible()
    page.panel.preview.close()


def test_the_pdf_is_saved_byte_for_byte(page, desk, depot, qtbot, tmp_path):
    make_draft(page, desk, depot, qtbot)
    page.panel.ask_file()
    page.panel.files.dialog.close()
    with qtbot.waitSignal(page.told):
        page.panel.files.save(str(tmp_path / "draft.pdf"))
    assert (tmp_path / "draft.pdf").read_bytes() == page.panel._content
    assert page.panel._content.startswith(b"%PDF-")
