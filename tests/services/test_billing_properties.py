"""Whatever is charged, invoices add up and their numbers have no gap."""

import shutil
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evdesk.domain.errors import NothingFound
from evdesk.domain.invoices import Invoice
from evdesk.domain.secrets import Secret
from evdesk.domain.sessions import Flag
from evdesk.ports import SessionFilter
from tests.fakes.clock import START
from tests.services.desk import Desk, open_desk, tariff_text

# A month: whose each session is, what it counted, and whether it is in doubt.
MONTHS = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 90_000), st.booleans()), min_size=1, max_size=12
)
PRICES = st.decimals(0, 1, places=3).map(str)
FEW = settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])


@given(month=MONTHS, price=PRICES)
@FEW
def test_invoices_are_the_sums_of_their_sessions_and_numbered_without_a_gap(
    new_site: tuple[Path, Secret], month: list[tuple[int, int, bool]], price: str
) -> None:
    with TemporaryDirectory() as place:
        folder = Path(shutil.copytree(new_site[0], Path(place) / "site"))
        desk = open_desk(folder, new_site[1])
        try:
            invoices = bill(desk, month, price)
            assert billed_wh(desk) == sum(s.energy_wh for i in invoices for s in i.sessions)
        finally:
            desk.store.close()
    assert [i.number for i in invoices] == [f"2026-{n + 1:05d}" for n in range(len(invoices))]
    for invoice in invoices:
        adds_up(invoice, Decimal(price))


def bill(desk: Desk, month: list[tuple[int, int, bool]], price: str) -> list[Invoice]:
    desk.ready_to_bill()
    desk.add_tariff(tariff_text("own", price, "0.10"), "bay1")
    drivers = [desk.add_driver() for _ in range(4)]
    for hour, (who, wh, doubt) in enumerate(month):
        flags = (Flag.METER_RESET,) if doubt else ()
        desk.charge(drivers[who], wh, START + timedelta(hours=2 * hour), *flags)
    invoices = []
    for driver in drivers:
        try:
            draft = desk.billing.draft(driver, "2026-03").invoice
        except NothingFound:
            continue
        invoices.append(desk.billing.issue(draft.id))
    return invoices


def billed_wh(desk: Desk) -> int:
    found = desk.sessions.find(SessionFilter())
    return sum(s.figures.energy_wh or 0 for s in found if s.invoice is not None)


def adds_up(invoice: Invoice, price: Decimal) -> None:
    totals, cent = invoice.totals, Decimal("0.005")
    assert totals.net.amount == sum(line.net.amount for line in invoice.lines)
    assert totals.gross.amount == totals.net.amount + totals.vat.amount
    exact = sum(Decimal(s.energy_wh) / 1000 * price + Decimal("0.10") for s in invoice.sessions)
    assert abs(totals.net.amount - exact) <= cent * len(invoice.lines)
