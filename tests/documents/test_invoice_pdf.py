import io
import re
import threading
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pikepdf
import pytest
from PySide6.QtPdf import QPdfDocument

from evdesk.documents.invoice_pdf import TypstInvoices
from evdesk.domain.invoices import Invoice
from evdesk.domain.site import Party
from evdesk.domain.tariffs import Dimension, PriceComponent
from evdesk.settings import shipped
from tests.documents.bills import BUYER, SELLER, bill, billed_session, draft

HOSTILE = '#panic("x") *bold* _it_ $x^2$ <label> @ref \\ `raw` // comment = "quote" #sys.inputs'


@pytest.fixture(scope="module")
def invoices() -> TypstInvoices:
    return TypstInvoices(shipped("resources"))


@pytest.fixture
def read(invoices: TypstInvoices, tmp_path: Path):
    """Return the pages of an invoice as text, spaces made plain, as a PDF viewer reads them."""

    def pages(invoice: Invoice) -> list[str]:
        file = tmp_path / "invoice.pdf"
        file.write_bytes(invoices.pdf(invoice))
        document = QPdfDocument()
        assert document.load(str(file)) is QPdfDocument.Error.None_
        texts = [document.getAllText(page).text() for page in range(document.pageCount())]
        document.close()
        return [re.sub(r"\s+", " ", text.replace("\ufffe", "-")) for text in texts]

    return pages


def opened(data: bytes) -> pikepdf.Pdf:
    return pikepdf.open(io.BytesIO(data))


# -- what it says ---------------------------------------------------------------------------------


def test_an_invoice_names_everything_the_law_and_the_customer_ask_for(read):
    (page,) = read(bill())

    for text in (
        "Invoice 2026-00042",
        "Date of issue 2 Nov 2026",
        "Period of supply 1 Oct 2026 – 31 Oct 2026",
        "Stadthof Ladepark GmbH",
        "Mühlenstraße 12",
        "VAT ID DE123456789",
        "Tax number 30/123/45678",
        "Jürgen Weiß",
        "14467 Potsdam",
        "Hof 1 Meter Eastron SDM630-Modbus V2 · serial number 21070000 · session 100",
        "Start 3 Oct 2026, 08:12:31 +02:00 12,345.678 kWh",
        "End 3 Oct 2026, 11:45:02 +02:00 12,367.890 kWh",
        "Energy (end − start) 22.212 kWh 0.45 / kWh 19% 10.00",
        "Fee per session 1 0.50 19% 0.50",
        "Total net €10.50",
        "VAT 19% on €10.50 €2.00",
        "Total to pay €12.50",
        "1 / 1",
    ):
        assert text in page


def test_an_invoice_speaks_german_and_writes_numbers_the_german_way(read):
    (page,) = read(bill(language="de"))

    for text in (
        "Rechnung 2026-00042",
        "Rechnungsdatum 02.11.2026",
        "Lieferzeitraum 01.10.2026 – 31.10.2026",
        "Beginn 03.10.2026, 08:12:31 +02:00 12.345,678 kWh",
        "Energie (Ende − Beginn) 22,212 kWh 0,45 / kWh 19 % 10,00",
        "USt 19 % auf 10,50 € 2,00 €",
        "Zu zahlen 12,50 €",
        "Bitte überweisen Sie 12,50 €",
    ):
        assert text in page


@pytest.mark.parametrize(
    ("language", "title", "lang"),
    [
        ("de-AT", "Rechnung", "de-AT"),
        ("de_CH", "Rechnung", "de-CH"),
        ("DE", "Rechnung", "de-DE"),
        ("en", "Invoice", "en-GB"),
        ("en-US", "Invoice", "en-US"),
        ("de-QQ", "Rechnung", "de-DE"),
        ("fr", "Invoice", "en-GB"),
        ("", "Invoice", "en-GB"),
    ],
)
def test_a_language_without_labels_becomes_english_and_says_so(invoices, language, title, lang):
    pdf = opened(invoices.pdf(bill(language=language)))

    assert str(pdf.docinfo["/Title"]).startswith(title)
    assert str(pdf.Root.Lang) == lang


CORRECTED_AT = datetime(2026, 10, 5, 22, 30, tzinfo=UTC)  # the next day in Berlin


@pytest.mark.parametrize(
    ("language", "measured_wh", "remark", "note"),
    [
        (
            "en",
            31_050,
            "Corrected on 6 Oct 2026: the meter measured 31.050 kWh",
            "marked as correc",
        ),
        ("en", None, "Corrected on 6 Oct 2026: the meter measured nothing", "marked as"),
        ("de", 31_050, "Berichtigt am 06.10.2026: gemessen wurden 31,050 kWh", "als berichtigt"),
        (
            "de",
            None,
            "Berichtigt am 06.10.2026: gemessen wurde nichts",
            "als berichtigt gekennzeich",
        ),
    ],
)
def test_a_corrected_session_says_so_and_what_was_measured(
    read, language, measured_wh, remark, note
):
    marked = replace(billed_session(0), corrected_at=CORRECTED_AT, measured_wh=measured_wh)
    (page,) = read(bill(language=language, sessions=(marked, billed_session(1))))

    assert page.count(remark) == 1
    assert page.index(remark) < page.index("Hof 2")
    assert note in page
    assert ("For no. 2:" if language == "en" else "Für Nr. 2:") in page  # what was measured


@pytest.mark.parametrize(
    ("language", "remark"),
    [
        ("en", "This meter counts kVAh (apparent energy), shown here as kWh"),
        ("de", "Dieser Zähler zählt kVAh (Scheinenergie), hier als kWh genannt"),
    ],
)
def test_energy_of_a_register_of_apparent_energy_says_so(read, language, remark):
    marked = replace(billed_session(0), counts_vah=True)
    (page,) = read(bill(language=language, sessions=(marked, billed_session(1))))

    assert page.count(remark) == 1
    assert page.index(remark) < page.index("Hof 2")


def test_an_invoice_of_corrected_sessions_alone_names_no_register_of_a_meter(read):
    marked = replace(billed_session(0), corrected_at=CORRECTED_AT, measured_wh=1)
    (page,) = read(bill(sessions=(marked,)))

    assert "lifetime register" not in page
    assert "Each amount is quantity × net unit price" in page


def test_an_invoice_without_corrections_has_no_word_of_them(read):
    (page,) = read(bill(3))

    assert "orrected" not in page


def test_totals_on_paper_are_those_of_the_record_and_the_sum_of_the_lines_above(read):
    invoice = bill(40)
    text = " ".join(read(invoice))

    lines = [Decimal(net) for net in re.findall(r"19% (\d+\.\d\d)", text)]

    assert len(lines) == 80
    assert sum(lines) == invoice.totals.net.amount
    assert f"Total net €{invoice.totals.net.amount:,}" in text
    assert f"Total to pay €{invoice.totals.gross.amount:,}" in text


def test_energy_on_paper_is_the_difference_of_the_registers_on_paper(read):
    text = " ".join(read(bill(40)))

    registers = [
        Decimal(kwh.replace(",", "")) for kwh in re.findall(r"\+0\d:00 ([\d,.]+) kWh", text)
    ]
    energies = [Decimal(kwh) for kwh in re.findall(r"\(end − start\) ([\d.]+) kWh", text)]

    assert len(energies) == 40
    assert [
        end - start for start, end in zip(registers[::2], registers[1::2], strict=True)
    ] == energies


def test_two_vat_rates_are_broken_down_and_zero_percent_is_named(read):
    prices = (
        PriceComponent(Dimension.ENERGY, Decimal("0.4957983193"), Decimal("8.1")),
        PriceComponent(Dimension.FLAT, Decimal("0.5"), Decimal(0)),
    )
    (page,) = read(bill(1, prices))

    assert "0.4957983193 / kWh 8.1% 11.01" in page
    assert "VAT 8.1% on €11.01 €0.89" in page
    assert "VAT 0% on €0.50 €0.00" in page
    assert "22.212 kWh × 0.4957983193 = 11.0126722682916, which makes €11.01" in page


def test_a_session_without_a_priced_energy_still_shows_its_energy(read):
    prices = (PriceComponent(Dimension.FLAT, Decimal(2), Decimal(19)),)
    (page,) = read(bill(1, prices))

    assert "Energy (end − start) 22.212 kWh" in page
    assert "Fee per session 1 2.00 19% 2.00" in page


def test_a_register_that_did_not_run_through_is_said_and_not_called_a_difference(read):
    session = replace(billed_session(0), energy_wh=20_000)
    (page,) = read(bill(sessions=(session,)))

    assert "Energy (see note) 20.000 kWh" in page
    assert "the register did not run through" in page
    assert "end − start" not in page


def test_a_yen_invoice_has_no_decimals(read):
    prices = (PriceComponent(Dimension.ENERGY, Decimal("62.5"), Decimal(10)),)
    (page,) = read(bill(1, prices, currency="JPY"))

    assert "62.5 / kWh 10% 1,388" in page
    assert "Net amount JPY" in page


def test_times_tell_both_sides_of_the_end_of_summer_time(read):
    session = replace(
        billed_session(0),
        plugged_in_at=datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
        unplugged_at=datetime(2026, 10, 25, 1, 30, tzinfo=UTC),
    )
    (page,) = read(bill(sessions=(session,)))

    assert "25 Oct 2026, 02:30:00 +02:00" in page
    assert "25 Oct 2026, 02:30:00 +01:00" in page


def test_empty_fields_leave_no_label_behind(read):
    (page,) = read(bill(seller=Party("Ann"), buyer=Party("Bob")))

    for label in ("VAT ID", "Tax number", "Payment", "IBAN", "Account holder"):
        assert label not in page


def test_a_buyer_with_a_vat_id_finds_it_on_the_invoice(read):
    (page,) = read(bill(buyer=replace(BUYER, vat_id="DE811907980", contact="Einkauf")))

    assert "Your VAT ID DE811907980" in page
    assert "Jürgen Weiß Einkauf Am Anger 3" in page


def test_payment_names_account_and_reference(read):
    (page,) = read(bill(seller=replace(SELLER, iban="DE89 3704 0044 0532 0130 00")))

    assert "Please transfer €12.50" in page
    assert "IBAN DE89 3704 0044 0532 0130 00 Reference 2026-00042" in page


@pytest.mark.parametrize(("language", "label"), [("en", "Audit log:"), ("de", "Audit-Log:")])
def test_the_head_of_the_audit_log_can_be_copied_from_the_page(read, language, label):
    head = "1234567:+//0ns5uEJsKrgwL2JTyYlrJrsRvc8XFltdLfZnpVw5x0="
    (page,) = read(bill(language=language, audit_head=head))
    assert f"{label} {head}" in page
    assert label not in "".join(read(bill(language=language)))  # one of before had none


def test_a_line_of_a_session_that_is_not_on_the_invoice_is_an_error(invoices):
    invoice = bill(2)

    with pytest.raises(ValueError, match="101"):
        invoices.pdf(replace(invoice, sessions=invoice.sessions[:1]))


# -- drafts and specimens -------------------------------------------------------------------------


@pytest.mark.parametrize(("language", "mark"), [("en", "DRAFT"), ("de", "ENTWURF")])
def test_a_draft_is_marked_and_has_neither_number_nor_request_to_pay(read, language, mark):
    (page,) = read(draft(language=language))

    assert mark in page
    assert "2026-00042" not in page
    assert "Total to pay" not in page
    assert "Please transfer" not in page
    assert "Bitte überweisen" not in page


@pytest.mark.parametrize(("language", "mark"), [("en", "SPECIMEN"), ("de", "MUSTER")])
def test_every_page_of_a_specimen_is_marked_and_nobody_is_asked_to_pay(read, language, mark):
    pages = read(bill(40, specimen=True, language=language))

    assert len(pages) > 1
    assert all(mark in page for page in pages)
    assert "Please transfer" not in pages[-1]


def test_a_draft_of_a_demo_site_carries_both_marks(read):
    (page,) = read(draft(specimen=True))

    assert "SPECIMEN" in page
    assert "DRAFT" in page


def test_an_issued_invoice_carries_no_mark(read):
    (page,) = read(bill())

    assert "DRAFT" not in page
    assert "SPECIMEN" not in page


# -- many sessions --------------------------------------------------------------------------------


def test_many_sessions_go_over_pages_with_repeated_headers_and_page_numbers(read):
    pages = read(bill(40))

    for number, page in enumerate(pages, start=1):
        assert f"{number} / {len(pages)}" in page
        assert "Net unit price EUR" in page
        assert "Invoice 2026-00042" in page


def test_no_session_is_torn_apart_by_a_page(read):
    for page in read(bill(40)):
        assert page.count("Start ") == page.count("End ") == page.count("Fee per session")


# -- what people call themselves ------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [HOSTILE, "Zoë Ångström-Łukasiewicz", "Ρένα Жанна", "Smile 😀", "שלום", "O'Neill & <Söhne>"],
)
def test_a_name_prints_as_it_is(read, name):
    (page,) = read(bill(buyer=replace(BUYER, name=name)))

    assert name in page


def test_hostile_text_in_every_field_is_only_text(read):
    party = Party(
        name=HOSTILE, street=HOSTILE, city=HOSTILE, vat_id=HOSTILE, tax_number=HOSTILE, iban="#x"
    )
    session = replace(billed_session(0), station=HOSTILE, meter_model=HOSTILE, meter_serial=HOSTILE)

    (page, *_) = read(bill(sessions=(session,), seller=party, buyer=party, number="#1 *2*"))

    assert page.count('#panic("x") *bold*') >= 6
    assert "Invoice #1 *2*" in page


def test_a_country_without_a_name_prints_its_code(read):
    (page,) = read(bill(buyer=replace(BUYER, country="#X")))

    assert "#X" in page


def test_arabic_is_shaped_and_readable(read):
    (page,) = read(bill(buyer=replace(BUYER, name="محمد")))

    assert "محمد" in page


def test_a_character_that_no_font_has_prints_its_code(read):
    (page,) = read(bill(buyer=replace(BUYER, name="A\U0010fffdB")))

    assert "A[U+10FFFD]B" in page


def test_a_name_of_nothing_but_unknown_characters_still_makes_an_invoice(read):
    name = "".join(chr(0x10FF00 + index) for index in range(20))

    (page,) = read(bill(buyer=replace(BUYER, name=name, city="Köln")))

    assert "[U+10FF00][U+10FF01]" in page.replace(" ", "").replace("\u200b", "")
    assert "Köln" in page


def test_control_characters_and_text_direction_overrides_do_not_reach_the_paper(read):
    (page,) = read(bill(buyer=replace(BUYER, name="A\u202eB\u2066C\tD\nE\x00F")))

    assert "ABC D E\ufffdF" in page


def test_a_word_longer_than_its_column_breaks_instead_of_running_out(invoices, tmp_path: Path):
    file = tmp_path / "long.pdf"
    file.write_bytes(invoices.pdf(bill(buyer=Party("W" * 150))))
    document = QPdfDocument()
    document.load(str(file))

    bounds = [polygon.boundingRect() for polygon in document.getAllText(0).bounds()]

    assert max(rect.right() for rect in bounds) <= document.pagePointSize(0).width() - 50
    document.close()


# -- the file -------------------------------------------------------------------------------------


def test_the_file_is_tagged_pdf_a_3_and_pdf_ua_with_title_and_language(invoices):
    pdf = opened(invoices.pdf(bill(language="de")))
    metadata = pdf.open_metadata()

    assert metadata["pdfaid:part"] == "3"
    assert metadata["pdfaid:conformance"] == "A"
    assert metadata["pdfuaid:part"] == "1"
    assert metadata["dc:title"] == "Rechnung 2026-00042"
    assert metadata["dc:creator"] == ["Stadthof Ladepark GmbH"]
    assert str(pdf.Root.Lang) == "de-DE"
    assert pdf.Root.MarkInfo.Marked
    assert pdf.Root.ViewerPreferences.DisplayDocTitle
    assert pdf.Root.OutputIntents[0].S == "/GTS_PDFA1"
    assert not pdf.is_encrypted


def test_headings_and_table_headers_are_tagged(invoices):
    pdf = opened(invoices.pdf(bill()))

    tags = {
        str(thing.S)
        for thing in pdf.objects
        if isinstance(thing, pikepdf.Dictionary) and thing.get("/Type") == "/StructElem"
    }

    assert {"/H1", "/H2", "/Table", "/TH", "/TD", "/L"} <= tags


def test_every_font_is_embedded(invoices):
    pdf = opened(invoices.pdf(bill(buyer=replace(BUYER, name="Zoë שלום 😀"))))

    descriptors = [
        thing
        for thing in pdf.objects
        if isinstance(thing, pikepdf.Dictionary) and thing.get("/Type") == "/FontDescriptor"
    ]

    assert len(descriptors) >= 2
    assert all("/FontFile2" in font or "/FontFile3" in font for font in descriptors)
    assert any("Inter" in str(font.FontName) for font in descriptors)


def test_the_same_record_gives_the_same_bytes_also_from_a_new_compiler(invoices):
    first = invoices.pdf(bill(3))
    invoices.pdf(draft(2))

    assert invoices.pdf(bill(3)) == first
    assert TypstInvoices(shipped("resources")).pdf(bill(3)) == first


def test_the_file_is_dated_by_the_record_and_not_by_the_clock(invoices):
    issued = opened(invoices.pdf(bill()))
    drafted = opened(invoices.pdf(draft()))

    assert str(issued.docinfo["/CreationDate"]).startswith("D:20261102093000")
    assert str(drafted.docinfo["/CreationDate"]).startswith("D:20261102080000")


def test_several_threads_may_ask_at_once(invoices):
    expected = [invoices.pdf(bill(count)) for count in (1, 2, 3, 4)]
    made: dict[int, bytes] = {}

    def work(count: int) -> None:
        made[count] = invoices.pdf(bill(count))

    threads = [threading.Thread(target=work, args=(count,)) for count in (1, 2, 3, 4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [made[count] for count in (1, 2, 3, 4)] == expected
