"""What a profile leaves open, decided otherwise on the command line."""

from tests.cli.shell import Shell

CHOOSE = ("meter", "choose", "bay1", "energy_unit=wh", "--reason", "compared with its display")


def test_a_meter_is_read_otherwise_from_now_on(shell: Shell) -> None:
    assert shell.json(*CHOOSE, "--yes") == {
        "name": "bay1",
        "choices": {"energy_unit": "wh"},
        "choices_before": {},
        "energy_changed": True,
    }
    (bay,) = [row for row in shell.json("meter", "list") if row["name"] == "bay1"]
    assert bay["choices"] == {"energy_unit": "wh"}
    back = ("meter", "choose", "bay1", "energy_unit=0.1wh", "--reason", "x", "--yes")
    text = shell.text(*back)
    assert "is read with energy_unit=0.1wh from now on" in text
    assert "A session that is open goes to review." in text


def test_it_is_asked_for_first_and_what_cannot_be_is_refused(shell: Shell) -> None:
    shell.refused(2, "Nobody can be asked here", *CHOOSE)
    given = ("--reason", "x", "--yes")
    shell.refused(2, "not written KEY=OPTION", "meter", "choose", "bay1", "wh", *given)
    shell.refused(2, "has no choice energy_unit=kwh", "meter", "choose", "bay1",
                  "energy_unit=kwh", *given)  # fmt: skip
    shell.refused(2, "no meter named nix", "meter", "choose", "nix", "energy_unit=wh", *given)
    shell.refused(2, "Say why", *CHOOSE[:-1], " ", "--yes")
    shell.refused(2, "Missing: --reason", *CHOOSE[:-2], "--yes")
    shell.refused(2, "Missing: KEY=OPTION", "meter", "choose", "bay1", *given)
