"""One real car's charge at 1 s: its pauses, its measured power levels; plotted and billed."""

import csv
import gzip
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest

from evdesk.bootstrap.demo import ISSUER
from evdesk.bootstrap.sites import Opened
from evdesk.devices.simulator.loads import Session
from evdesk.devices.simulator.scenario import Device, Scenario
from evdesk.domain.invoices import Invoice
from evdesk.domain.money import Money
from evdesk.domain.site import Party
from evdesk.ports import SessionFilter
from evdesk.settings import shipped
from tests.end_to_end.places import Served, collect, depot, make_site, sessions

LOG = "VW_id.3_iso_15118-2_AC_2023-04-14T12_45_39.624Z-3_config-ac-iso2.csv.gz"
LEVELS = "Volkswagen_ID3__eta_mean_over_P_grid_and_V_grid.csv"
STARTS_AT = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
STRETCH = 100  # the logged test charge lasted 34 s
LEVEL_MS, SECOND_MS, MW_PER_W = 40_000, 1_000, 1_000

Edges = list[tuple[int, bool]]  # milliseconds after the plug-in, whether the car draws


def logged_edges(data: Path) -> Edges:
    """Return when the logged car began and stopped drawing, stretched to a charge of an hour."""
    path = data / "ts_everest_real_car_eventlogs" / "logs" / LOG
    with gzip.open(path, "rt") as file:
        rows = [(datetime.fromisoformat(row[0]), row[2]) for row in csv.reader(file)]
    plugged = next(at for at, message in rows if "EVConnected" in message)
    return [
        (STRETCH * ((at - plugged) // timedelta(milliseconds=1)), message.endswith("->Charging"))
        for at, message in rows
        if message.startswith("Charger state:")
    ]


def levels_w(data: Path) -> list[int]:
    """Return the grid powers at which the car's charger was measured, highest first."""
    with (data / "ts_obc_measured_characteristics" / LEVELS).open() as file:
        return sorted((int(float(row["P_W"])) for row in csv.DictReader(file)), reverse=True)


def charge(data: Path) -> Session:
    """Return the charge: the logged pauses at full power, then down through the levels."""
    edges, levels = logged_edges(data), levels_w(data)
    points: list[tuple[int, int]] = []
    for (begin, draws), (end, _) in pairwise(edges):
        if draws:
            full = levels[0] * MW_PER_W
            points += [(begin, 0), (begin + 2_000, full), (end - 500, full), (end, 0)]
    at = points[-1][0] + 60_000
    points.append((at, 0))
    for watts in levels:
        points += [(at + 2_000, watts * MW_PER_W), (at + LEVEL_MS, watts * MW_PER_W)]
        at += LEVEL_MS
    points.append((at + 500, 0))
    return Session(60_000, at + 300_000, tuple(points))


def energy_wh(points: tuple[tuple[int, int], ...]) -> Decimal:
    """Return the area under the charge by trapezoids, apart from the simulator's own sum."""
    area = sum((p0 + p1) * (t1 - t0) for (t0, p0), (t1, p1) in pairwise(points))
    return Decimal(area) / 2 / MW_PER_W / SECOND_MS / 3600


@pytest.mark.timeout(180)
def test_a_real_cars_charge_is_metered_plotted_and_billed(
    tmp_path: Path, shared_data: Path
) -> None:
    session = charge(shared_data)
    device = Device("bay", "heidelberg-energy-control", initial_wh=5_000, sessions=(session,))
    with depot(Scenario((device,), start_at=STARTS_AT), tmp_path) as served:
        opened = make_site(tmp_path / "site", STARTS_AT, served)
        collect(opened, session.unplug_ms / SECOND_MS + 10)
    with closing(opened.services.store):
        [found] = sessions(opened)
        expected_wh = energy_wh(session.points)
        assert isinstance(found["energy_wh"], int)
        assert abs(found["energy_wh"] - expected_wh) <= 1
        charges = sum(draws for _, draws in logged_edges(shared_data)) + 1
        check_curve(opened, served, levels_w(shared_data)[0], charges)
        check_bill(bill(opened), found["energy_wh"])


def check_curve(opened: Opened, served: Served, peak_w: int, charges: int) -> None:
    """The plot shows the car's highest power, its pauses, and no gap."""
    stations = [row.station for row in opened.services.stations.rows()]
    [curve] = opened.services.live.curves(stations, timedelta(hours=2), 2_000).values()
    watts = [power for power in curve.power_w if power is not None]
    assert len(watts) == len(curve.power_w)
    assert max(watts) == pytest.approx(peak_w, rel=0.01)
    drawing = [power > 1_000 for power in watts]
    assert sum(now and not before for before, now in pairwise(drawing)) == charges
    assert len(served.registers()["bay"]) > 3_000


def bill(opened: Opened) -> Invoice:
    services = opened.services
    services.billing.set_issuer(ISSUER)
    text = (shipped("sample_data") / "tariff.json").read_text(encoding="utf-8")
    services.tariffs.assign(services.tariffs.add(text).id, STARTS_AT)
    driver = services.drivers.add(Party("Kim Lee", city="Ulm", country="DE"))
    services.sessions.assign([one.id for one in services.sessions.find(SessionFilter())], driver.id)
    return services.billing.issue(services.billing.draft(driver.id, "2026-03").invoice.id)


def check_bill(invoice: Invoice, wh: int) -> None:
    energy, start_fee = invoice.lines
    assert energy.net == Money(Decimal(wh) / 1000 * energy.unit_price, "EUR").rounded()
    assert invoice.totals.net == energy.net + start_fee.net
    assert invoice.sessions[0].end_wh - invoice.sessions[0].start_wh == wh
