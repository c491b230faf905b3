"""``meter scan`` and ``meter probe`` against a simulated depot behind a real socket."""

import json
import os
import signal
import sys
from collections.abc import Iterator
from dataclasses import replace

import pytest

from evdesk.devices.simulator.scenario import Scenario
from tests.cli.shell import DEAD, Shell, fails
from tests.devices.looking import HALF_HOUR_MS, charging, link_to
from tests.fakes.link import depot_link
from tests.fakes.served import served


@pytest.fixture(scope="module")
def depot() -> Iterator[str]:
    """The URL of a host behind which there are two devices."""
    devices = (
        replace(charging("goe-gemini", unit=1, serial=176193), name="box", bus="line"),
        replace(charging("eastron-sdm230", unit=2), name="alike", bus="line"),
    )
    with served(depot_link(Scenario(devices), HALF_HOUR_MS).ask) as url:
        yield url


def test_a_scan_names_what_it_found_and_how_sure_it_is(shell: Shell, depot: str) -> None:
    (found,) = shell.json("meter", "scan", depot)
    assert (found["unit"], found["profile"], found["certainty"]) == (1, "goe-gemini", "likely")
    assert found["serial"] == "176193"
    assert found["same_as_unit"] is None
    (candidate,) = found["candidates"]
    assert candidate["score"] > 6
    assert candidate["reasons"][0].startswith("voltages of 2")
    assert found["notes"] == []


def test_what_cannot_be_told_apart_is_listed_and_not_guessed(shell: Shell, depot: str) -> None:
    (found,) = shell.json("meter", "scan", depot, "--units", "2")
    assert (found["profile"], found["certainty"]) == (None, "ambiguous")
    alike = [candidate["profile"] for candidate in found["candidates"]]
    assert alike[:2] == ["eastron-sdm230", "eastron-sdm120"]


def test_a_person_reads_why_and_what_to_do_next(shell: Shell, depot: str) -> None:
    before = shell.state()
    text = shell.text("meter", "scan", depot, "--units", "2")
    assert shell.state() == before
    assert "these fit about as well. Look at its name plate, then choose:" in text
    assert "a voltage of 2" in text
    assert f"next: evdesk meter probe '{depot}' --unit 2 --profile eastron-sdm230" in text


def test_units_of_which_none_answers_are_a_no(shell: Shell, depot: str) -> None:
    answer = shell.run("meter", "scan", depot, "--units", "7", "--json")
    assert (answer.code, json.loads(answer.out)) == (1, [])
    fails(answer, "Nothing answered. Check: is it powered")


def test_a_host_that_is_not_there_cannot_be_reached(shell: Shell) -> None:
    shell.refused(5, "refused the connection", "meter", "scan", DEAD)


@pytest.mark.parametrize(
    ("units", "sentence"),
    [
        ("all", "'all' names no units: write 1-16 or 1,5,7-9"),
        ("9-1", "they go from 0 to 255, the smaller one first"),
        ("1-256", "they go from 0 to 255"),
        ("-3", "names no units"),
    ],
)
def test_units_that_cannot_be_are_refused(shell: Shell, units: str, sentence: str) -> None:
    shell.refused(2, sentence, "meter", "scan", DEAD, f"--units={units}")


def test_a_probe_shows_each_value_with_its_mark_and_what_was_decided(
    shell: Shell, depot: str
) -> None:
    rows = shell.json("meter", "probe", depot, "--profile", "goe-gemini")
    named = {row["name"]: row for row in rows}
    assert named["choice word_order"]["value"] == "big"
    assert named["choice word_order"]["remark"] == "the device says so"
    energy = named["energy_import_total"]
    assert (energy["value"], energy["unit"], energy["mark"]) == ("5005500", "Wh", "fits")
    assert "hint" not in named


def test_a_choice_turns_what_is_shown(shell: Shell, depot: str) -> None:
    choice = ("--choice", "word_order=little")
    rows = shell.json("meter", "probe", depot, "--profile", "goe-gemini", *choice)
    named = {row["name"]: row for row in rows}
    assert named["choice word_order"]["remark"] == "chosen or by default"
    assert named["voltage_l1"]["mark"] == "wrong"
    assert named["hint"]["value"] == "words-swapped"
    assert "Choose 'high word first'" in named["hint"]["remark"]


def test_a_probe_with_the_wrong_profile_says_which_one_fits(shell: Shell, depot: str) -> None:
    rows = shell.json("meter", "probe", depot, "--unit", "2", "--profile", "chint-dtsu666")
    hint = rows[-1]
    assert (hint["name"], hint["value"]) == ("hint", "other-profile")
    assert "eastron-sdm230" in hint["remark"]


def test_a_silent_unit_is_told_from_one_beside_it(shell: Shell, depot: str) -> None:
    arguments = ("meter", "probe", depot, "--unit", "9", "--profile", "goe-gemini")
    shell.refused(5, "unit 9 did not answer, but unit 1 does: try that one", *arguments)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such signal")
def test_ctrl_c_keeps_what_was_found(shell: Shell) -> None:
    link = link_to("goe-gemini")

    def pressed_at_unit_100(unit: int, request: bytes) -> bytes | None:
        if unit == 100:
            os.kill(os.getpid(), signal.SIGINT)
        return link.ask(unit, request) if unit == 1 else None

    with served(pressed_at_unit_100) as url:
        answer = shell.run("meter", "scan", url, "--units", "1,100-200", "--json")
    assert answer.code == 130
    assert [found["profile"] for found in json.loads(answer.out)] == ["goe-gemini"]
    fails(answer, "Interrupted: this is what was found so far.")
