"""Correcting, releasing and ending sessions from the command line."""

from tests.cli.shell import Shell

WHY = ("--reason", "read off the display")


def test_a_correction_is_answered_listed_and_shown_beside_what_was_measured(shell: Shell) -> None:
    answer = shell.json("session", "correct", "1", "--start-wh", 500, "--end-wh", 9_500, *WHY)
    assert (answer["id"], answer["energy_wh"], answer["measured_wh"]) == ("1", 9_000, 12_000)
    listed = shell.json("session", "list")[-1]
    assert (listed["start_wh"], listed["end_wh"], listed["energy_wh"]) == (500, 9_500, 9_000)
    shown = shell.json("session", "show", "1")
    (correction,) = shown["corrections"]
    assert correction.pop("at").endswith("Z")
    assert correction == {
        "author": "Ada",
        "author_id": "A-1",
        "reason": "read off the display",
        "before": {"start_wh": 1_000, "end_wh": 13_000, "energy_wh": 12_000},
        "after": {"start_wh": 500, "end_wh": 9_500, "energy_wh": 9_000},
    }
    text = shell.text("session", "show", "1")
    assert "corrected" in text
    assert "read off the display" in text


def test_a_session_in_review_is_released_and_billed(shell: Shell) -> None:
    text = shell.text("session", "correct", "3", "--start-wh", 0, "--end-wh", 100, *WHY)
    assert "5.000 kWh was measured" in text
    assert "stays in review until it is released" in text
    assert shell.json("session", "release", "3", *WHY)["state"] == "closed"
    assert shell.json("session", "show", "3")["releases"][0]["author"] == "Ada"
    draft = shell.json("invoice", "draft", "--driver", "D-1", "--month", "2026-03")
    assert len(draft["sessions"]) == 2


def test_a_session_is_ended_by_hand(shell: Shell) -> None:
    shell.refused(2, "add --yes", "session", "close", "4", *WHY)
    answer = shell.json("session", "close", "4", *WHY, "--yes")
    assert (answer["state"], "forced_end" in answer["flags"]) == ("review", True)
    assert shell.json("session", "show", "4")["forced_ends"][0]["reason"] == WHY[1]


def test_what_cannot_be_decided_is_refused(shell: Shell) -> None:
    correct = ("session", "correct", "1", "--start-wh")
    shell.refused(2, "Say why", *correct, 0, "--end-wh", 1, "--reason", " ")
    shell.refused(2, "Missing: --reason", *correct, 0, "--end-wh", 1)
    shell.refused(
        2, "--start-wh takes a whole number, not '1.5'", *correct, "1.5", "--end-wh", 2, *WHY
    )
    shell.refused(2, "cannot be", *correct, 0, "--end-wh", "9" * 30, *WHY)
    shell.refused(2, "no session nix", "session", "release", "nix", *WHY)
    shell.refused(2, "is closed, not in review", "session", "release", "1", *WHY)
    shell.refused(2, "has ended already", "session", "close", "1", *WHY, "--yes")
    invoice = shell.json("invoice", "draft", "--driver", "D-1", "--month", "2026-03")["id"]
    shell.json("invoice", "issue", invoice, "--yes")
    shell.refused(2, "cancel the invoice", *correct, 0, "--end-wh", 1, *WHY)


def test_what_no_cable_carries_is_asked_about(shell: Shell) -> None:
    odd = ("session", "correct", "1", "--start-wh", 500, "--end-wh", 1_000_500, *WHY)
    shell.refused(2, "1000.000 kWh is more than a charging point delivers", *odd)
    shell.refused(2, "add --yes", *odd)
    assert shell.json(*odd, "--yes")["energy_wh"] == 1_000_000
