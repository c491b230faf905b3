"""A month that adds up, or exit code 1 with what is left to explain."""

import json
from datetime import timedelta

import pytest

from evdesk.domain.meters import MeterRole, NewMeter, Source
from evdesk.domain.readings import PilotState, Reading
from evdesk.services.journaling import Journal, Reach
from evdesk.services.sealing import Archivist
from tests.cli.shell import DEAD, Shell, fails
from tests.cli.test_answers import keeps_the_promise
from tests.fakes.clock import START
from tests.services.desk import open_desk
from tests.storage.archives import spoil

MONTH = ("--month", "2026-03")
GATE = ("reconcile", *MONTH, "--station", "gate")
PILOTS = "A" * 10 + "C" * 20 + "A" * 10


@pytest.fixture
def gate(shell: Shell) -> Shell:
    """A charging point with a session of 2 kWh and some standby, read every minute."""
    return charged(shell, PILOTS)


def charged(shell: Shell, pilots: str) -> Shell:
    desk = open_desk(shell.folder, shell.data_key)
    try:
        with desk.store.journal() as unit:
            meter = unit.meters.add(NewMeter("gate", "keba-p30", DEAD, 255), START)
            unit.stations.add("gate", Source(meter), Source(meter), START)
            reaches = {each.id: Reach(1_000, 1) for each in unit.meters.all()}
        journal, wh = Journal(desk.store, reaches), 5_000
        for minute, pilot in enumerate(pilots):
            wh += 100 if pilot == "C" else 1
            at = START + timedelta(minutes=minute)
            journal.commit([Reading(meter, 1, at, wh, b"", 6_000.0, pilot=PilotState(pilot))])
    finally:
        desk.store.close()
    return shell


def test_a_month_that_adds_up_says_so(gate: Shell) -> None:
    (row,) = gate.json(*GATE)
    keeps_the_promise([row])
    promised = ("register_start_wh", "register_end_wh", "register_delta_wh", "sessions_wh",
                "idle_wh", "gap_wh", "unexplained_wh", "explained_wh")  # fmt: skip
    assert [row[name] for name in promised] == [5_001, 7_020, 2_019, 2_001, 18, 0, 0, 0]
    assert (row["meter"], row["stations"], row["so_far"]) == ("gate", ["gate"], False)
    assert (row["exceptions"], row["gaps"]) == ([], [])
    text = gate.text(*GATE)
    assert "Everything is accounted for." in text
    assert "not read before" in text
    assert "2026-03-02 07:39:00 CET  2026-04-01 00:00:00 CEST" in text
    assert "not read since" in text


def test_a_remainder_exits_1_until_it_is_explained(gate: Shell) -> None:
    session = gate.json("session", "list", "--station", "gate")[0]["id"]
    gate.json("session", "correct", session, "--start-wh", 0, "--end-wh", 2_501, "--reason", "x")
    answer = gate.run(*GATE, "--json")
    assert (answer.code, answer.err) == (1, "")
    (row,) = json.loads(answer.out)
    assert (row["sessions_wh"], row["unexplained_wh"]) == (2_501, -500)
    (rest,) = row["exceptions"]
    assert (rest["kind"], rest["session"], rest["unexplained_wh"]) == ("correction", session, -500)
    assert "To be explained: gate -0.500 kWh" in gate.run(*GATE).out
    explain = ("reconcile", "explain", "gate", *MONTH, "--reason", "free of charge", "--wh")
    gate.refused(2, "has -500 Wh to explain", *explain, 500)
    assert gate.json(*explain, -500)["unexplained_wh"] == 0
    (row,) = gate.json(*GATE)
    assert (row["unexplained_wh"], row["explained_wh"]) == (0, -500)
    assert row["explanations"][0]["author"] == "Ada"


def test_two_corrections_that_cancel_exit_1_until_each_is_explained(shell: Shell) -> None:
    site = charged(shell, PILOTS + PILOTS)
    later, first = (each["id"] for each in site.json("session", "list", "--station", "gate"))
    for session, wh in ((first, 501), (later, 3_501)):
        registers = ("--start-wh", 0, "--end-wh", wh)
        site.json("session", "correct", session, *registers, "--reason", "x", "--yes")
    answer = site.run(*GATE, "--json")
    (row,) = json.loads(answer.out)
    keeps_the_promise([row])
    names = ("unexplained_wh", "unexplained_above_wh", "unexplained_below_wh")
    assert (answer.code, [row[name] for name in names]) == (1, [0, 1_500, -1_500])
    text = site.run(*GATE).out
    assert "To be explained: gate +1.500 -1.500 kWh." in text
    assert "Everything" not in text
    explain = ("reconcile", "explain", "gate", *MONTH, "--reason", "free of charge", "--wh")
    site.refused(2, "has +1500 Wh and -1500 Wh to explain", *explain, 1_501)
    told = site.text(*explain, 1_000)
    assert told == "1.000 kWh of gate in 2026-03 are explained. +0.500 -1.500 kWh are left.\n"
    answer = site.json(*explain, 500)
    assert [answer[name] for name in names] == [-1_500, 0, -1_500]
    assert site.run(*GATE).code == 1
    assert "Nothing is left to explain." in site.text(*explain, -1_500)
    assert "Everything is accounted for." in site.text(*GATE)


def test_what_is_wrong_about_a_month_is_said(gate: Shell) -> None:
    gate.refused(2, "Name a month", "reconcile")
    gate.refused(2, "is not a month", "reconcile", "--month", "2026-3x")
    gate.refused(2, "has not begun", "reconcile", "--month", "2999-01")
    gate.refused(2, "no station named nix", "reconcile", *MONTH, "--station", "nix")
    gate.refused(2, "Missing: --wh", "reconcile", "explain", "gate", *MONTH, "--reason", "x")
    gate.refused(2, "Name the month", "export", "reconcile", "--out", "x.csv")


@pytest.fixture
def damaged(gate: Shell) -> Shell:
    """The same, sealed; somebody spoilt the first hour of the gate. A grid meter is read, too."""
    desk = open_desk(gate.folder, gate.data_key)
    try:
        with desk.store.journal() as unit:
            grid = NewMeter("mains", "eastron-sdm630-v2", DEAD, 9, role=MeterRole.GRID)
            meter = unit.meters.add(grid, START)
            unit.readings.add([Reading(meter, 1, START + timedelta(minutes=m), m) for m in (1, 2)])
        archivist = Archivist(desk.store)
        while archivist.step(START + timedelta(hours=9)):
            pass
    finally:
        desk.store.close()
    spoil(gate.folder, gate.data_key, "register")
    return gate


SENTENCE = "The sealed readings of meter gate, socket 1, from 2026-03-02T06:00:00Z to"


def test_a_damaged_hour_costs_one_row_its_figures_and_exits_1(damaged: Shell) -> None:
    answer = damaged.run("reconcile", *MONTH, "--json")
    assert (answer.code, answer.err) == (1, "")
    rows = {row["meter"]: row for row in json.loads(answer.out)}
    keeps_the_promise(list(rows.values()))
    mains, gate = rows["mains"], rows["gate"]
    assert (mains["register_delta_wh"], mains["unexplained_wh"], mains["damage"]) == (1, 0, None)
    assert gate["damage"].startswith(SENTENCE)
    assert gate.keys() == mains.keys()
    assert {gate[name] for name in gate if name.endswith("_wh")} == {None, 0}  # 0 is explained
    assert (gate["explained_wh"], gate["unexplained_wh"]) == (0, None)
    assert (gate["unexplained_above_wh"], gate["unexplained_below_wh"]) == (None, None)
    text = damaged.run("reconcile", *MONTH).out
    assert f"gate: {SENTENCE}" in text
    assert "Not counted, because readings are damaged: gate." in text
    assert "Everything" not in text
    explain = ("explain", "gate", *MONTH, "--wh", 5, "--reason", "x")
    damaged.refused(2, "are damaged", "reconcile", *explain)


@pytest.mark.parametrize(("what", "rows"), [("readings", 2), ("reconcile", 3)])
def test_what_is_exported_past_damage_is_no_success(damaged: Shell, what: str, rows: int) -> None:
    out = damaged.folder.parent / "table.json"
    chosen = MONTH if what == "reconcile" else ()
    answer = damaged.run("export", what, *chosen, "--out", out, "--json")
    assert answer.code == 2
    fails(answer, SENTENCE)
    told = json.loads(answer.out)
    assert (told["rows"], told["file"]) == (rows, str(out))
    assert [sentence[: len(SENTENCE)] for sentence in told["damage"]] == [SENTENCE]
    written = json.loads(out.read_text(encoding="utf-8"))
    assert [row["meter"] for row in written if row["damage"]] == ["gate"]
    assert "It is not complete" in damaged.run("export", what, *chosen, "--out", out).out


def test_a_month_without_registers_has_nothing_to_account_for(gate: Shell) -> None:
    assert gate.json("reconcile", "--month", "2025-01") == []
    assert "nothing to account for" in gate.text("reconcile", "--month", "2025-01")


def test_a_month_is_exported(gate: Shell) -> None:
    out = gate.folder.parent / "march.csv"
    answer = gate.json("export", "reconcile", *MONTH, "--station", "gate", "--out", out)
    assert answer["rows"] == 1
    header, row = out.read_text(encoding="utf-8-sig").splitlines()
    assert '"unexplained_wh"' in header
    assert header.endswith('"damage","unexplained_above_wh","unexplained_below_wh","audit_log"')
    assert row.startswith('"2026-03","gate","gate",')
