"""Every change writes its entry, in the name of who made it."""

from dataclasses import replace

from tests.fakes.clock import START
from tests.services.desk import ISSUER, KIM, OWNER, Desk, tariff_text


def one_of_each(desk: Desk) -> None:
    desk.add_meter()
    desk.meters.set_interval("bay1", 2_000)
    desk.billing.set_issuer(ISSUER)
    tariff = desk.tariffs.add(tariff_text()).id
    desk.tariffs.assign(tariff, START)
    kim = desk.add_driver()
    desk.stations.set_default_driver("bay1", kim, START)
    session = desk.charge(None)
    desk.sessions.assign([session], kim)
    desk.billing.drop(desk.billing.draft(kim, "2026-03").invoice.id)
    desk.billing.issue(desk.billing.draft(kim, "2026-03").invoice.id)
    desk.drivers.change(kim, replace(KIM, city="Ulm"))
    desk.drivers.retire(kim)
    desk.stations.rename("bay1", "gate")
    desk.stations.retire("gate")
    desk.stations.add("bay2", "bay1", None)
    desk.stations.retire("bay2")
    desk.meters.remove("bay1")


def test_each_use_case_that_changes_something_says_so_once(desk: Desk) -> None:
    one_of_each(desk)
    assert [entry.action for entry in desk.audit()] == [
        "site.create",
        "meter.added",
        "meter.interval",
        "issuer.changed",
        "tariff.added",
        "tariff.assigned",
        "driver.added",
        "station.default_driver",
        "session.assigned",
        "invoice.drafted",
        "invoice.dropped",
        "invoice.drafted",
        "invoice.issued",
        "driver.changed",
        "driver.retired",
        "station.renamed",
        "station.retired",
        "station.added",
        "station.retired",
        "meter.removed",
    ]


def test_each_entry_bears_the_actor_the_instant_and_what_it_is_about(desk: Desk) -> None:
    one_of_each(desk)
    for entry in desk.audit():
        assert (entry.actor, entry.at, entry.outcome.value) == (OWNER.id, START, "ok")
        assert entry.object_ref
        assert entry.action.startswith(("issuer", entry.object_type))


def test_looking_leaves_no_entry(desk: Desk) -> None:
    kim = desk.ready_to_bill()
    session = desk.charge(kim)
    before = desk.everything()
    desk.sessions.detail(session)
    desk.live.overview()
    desk.site.info()
    desk.billing.all()
    desk.tariffs.all()
    assert desk.everything() == before
