"""An unknown unit is recognised by what it says of itself, or by what it measures."""

import struct

import pytest

from evdesk.devices.recognising import certainty_of
from evdesk.ports import Candidate, Certainty
from tests.devices.looking import KNOWN, link_to, recognised
from tests.fakes.link import DirectLink, words_link, words_of

# Maps of one family that show nothing by which a person without the name plate could tell them.
ALIKE = {"eastron-sdm120", "eastron-sdm230"}
MOST_REQUESTS = 62  # of any unit with an address of its own; each profile's first, and a few more
IDENTIFICATION = 0x2B
ANSWER_S = 0.015  # of a device in the local network
ON_A_LINE = {name for name, one in KNOWN.items() if one.info.transports[0] != "tcp"}
LENIENT = (
    *("abb-b23-b24", "carlogavazzi-em330-em340", "eltako-dsz15", "inepro-pro380", "lovato-dmg610"),
    *("keba-p30", "heidelberg-energy-control", "vestel-evc04", "goe-gemini", "peblar"),
)


def seconds_over_the_network(link: DirectLink) -> float:
    """Return what the requests take: the quiet before each, and the way there and back."""
    return sum(link.quiets[1:]) + ANSWER_S * len(link.requests)


def seconds_on_a_line(link: DirectLink) -> float:
    """Return what the requests take at 9,600 baud with a device that thinks for 30 ms."""
    sizes = (8 + 5 + 2 * int.from_bytes(request[3:5], "big") for _, request in link.requests)
    frames_s = sum(11 * size / 9_600 for size in sizes)
    return sum(link.quiets[1:]) + frames_s + 0.03 * len(link.requests)


@pytest.mark.parametrize("name", KNOWN)
def test_every_profile_is_recognised_from_its_simulator(name):
    link = link_to(name)
    found = recognised(link, KNOWN[name].info.default_unit)
    certainty = certainty_of(found.candidates)
    assert not found.out_of_time
    assert len(link.requests) <= MOST_REQUESTS
    if name in ON_A_LINE:
        assert seconds_on_a_line(link) < 20
    elif name != "webasto-next":  # which wants a second between two requests
        assert seconds_over_the_network(link) < 5
    assert {request[0] for _, request in link.requests} <= {1, 2, 3, 4, IDENTIFICATION}
    if name in ALIKE:
        assert certainty is Certainty.AMBIGUOUS
        assert {each.profile for each in found.candidates[:2]} == ALIKE
    else:
        assert certainty in {Certainty.IDENTIFIED, Certainty.LIKELY}
        assert found.candidates[0].profile == name


@pytest.mark.parametrize("name", LENIENT)
def test_a_device_that_answers_zero_to_everything_is_recognised_all_the_same(name):
    profile, unit = KNOWN[name], KNOWN[name].info.default_unit
    words = words_of(link_to(name), profile, unit)
    found = recognised(words_link(words, unit, missing=b"\0\0"), unit)
    assert found.candidates[0].profile == name


@pytest.mark.slow
@pytest.mark.parametrize("name", KNOWN)
def test_a_device_that_answers_zero_to_everything_is_never_taken_for_another(name):
    profile, unit = KNOWN[name], KNOWN[name].info.default_unit
    words = words_of(link_to(name), profile, unit)
    found = recognised(words_link(words, unit, missing=b"\0\0"), unit)
    certainty = certainty_of(found.candidates)
    assert certainty in {Certainty.UNKNOWN, Certainty.AMBIGUOUS} or (
        found.candidates[0].profile == name
    )


@pytest.mark.parametrize("missing", [b"\0\0", b"\xff\xff", b"\x80\x00", b"\x12\x34"])
def test_a_unit_that_says_the_same_to_everything_is_nothing(missing):
    found = recognised(words_link({}, 1, missing=missing), 1)
    assert found.candidates == ()


def test_reasons_are_what_a_person_can_check():
    found = recognised(link_to("eastron-sdm630"), 1)
    reasons = [str(reason) for reason in found.candidates[0].reasons]
    assert reasons[0].startswith("voltages of 2")
    assert reasons[1:] == [
        "50 Hz",
        "an energy register of 5005.5 kWh",
        "power agrees with voltage and current",
    ]
    behind = {each.profile: each for each in found.candidates}["eastron-sdm54"]
    assert "it lacks" in str(behind.reasons[-1])


def test_a_register_that_identifies_a_device_ends_the_search():
    link = link_to("keba-p30")
    found = recognised(link, 255)
    assert found.candidates[0].identified
    assert str(found.candidates[0].reasons[0]).startswith("its product code is 3")
    assert len(link.requests) <= 5


@pytest.mark.parametrize("name", ["sunspec-float", "sunspec-int-sf"])
def test_a_sunspec_device_is_known_by_its_models(name):
    found = recognised(link_to(name), 1)
    assert [each.profile for each in found.candidates] == [name]
    assert str(found.candidates[0].reasons[0]) == "it has a SunSpec meter model"


def test_turned_words_are_no_obstacle_where_the_profile_knows_of_them():
    words = words_of(link_to("eastron-sdm630"), KNOWN["eastron-sdm630"], 1)
    turned = {
        (function, at): words.get((function, at + 1 - 2 * (at % 2)), word)
        for (function, at), word in words.items()
        if function == 4
    }
    found = recognised(words_link({**words, **turned}, 1), 1)
    assert found.candidates[0].profile == "eastron-sdm630"


# -- what it says of itself -----------------------------------------------------------------------


def naming(link: DirectLink, *texts: str) -> DirectLink:
    """Return a link to the same device, did it answer to function 43/14 with these objects."""
    objects = b"".join(
        struct.pack("BB", number, len(text)) + text.encode() for number, text in enumerate(texts)
    )
    answer = bytes((IDENTIFICATION, 0x0E, 1, 1, 0, 0, len(texts))) + objects

    def answered(unit: int, request: bytes) -> bytes | None:
        return answer if request[0] == IDENTIFICATION else link.ask(unit, request)

    return DirectLink(answered)


def test_a_device_of_another_maker_is_named_though_no_profile_fits():
    found = recognised(naming(words_link({}, 1), "Acme", "PowerThing 9", "1.2"), 1)
    assert found.candidates == ()
    assert (found.names.maker, found.names.model) == ("Acme", "PowerThing 9")


def test_a_name_that_a_profile_knows_identifies_a_device():
    found = recognised(naming(link_to("eastron-sdm120"), "Eastron", "SDM120-Modbus"), 1)
    assert found.candidates[0].profile == "eastron-sdm120"
    assert found.candidates[0].identified
    assert str(found.candidates[0].reasons[0]) == "it calls itself Eastron SDM120-Modbus"
    assert certainty_of(found.candidates) is Certainty.IDENTIFIED


def test_a_name_alone_is_not_enough():
    found = recognised(naming(words_link({}, 1), "Eastron", "SDM120-Modbus"), 1)
    assert found.candidates == ()


def test_a_damaged_name_is_left_out():
    link = naming(words_link({}, 1), "Acme", "x" * 40)
    cut = DirectLink(
        lambda unit, request: (
            (link.ask(unit, request) or b"")[:20]
            if request[0] == IDENTIFICATION
            else link.ask(unit, request)
        )
    )
    assert recognised(cut, 1).names.maker == "Acme"


# -- patience -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("is_bus", "requests"), [(False, 1), (True, 2)])
def test_a_silent_unit_costs_one_request_on_a_host_and_two_on_a_bus(is_bus, requests):
    link = words_link({}, 99)
    assert recognised(link, 1, is_bus=is_bus).candidates == ()
    assert len(link.requests) == requests
    assert len({request[0] for _, request in link.requests}) == requests  # one of each function


def test_the_quiet_of_the_most_sensitive_device_is_kept_until_it_is_ruled_out():
    link = link_to("peblar")
    recognised(link, 255)
    assert link.quiets[0] == 1.0  # webasto-next
    assert link.quiets[1] == 0.5  # keba, eastron-sdm72dm
    assert link.quiets[-1] < 0.1
    assert link.quiets == sorted(link.quiets, reverse=True)


def test_a_sensitive_device_has_its_quiet_to_the_end():
    link = link_to("webasto-next")
    assert recognised(link, 255).candidates[0].profile == "webasto-next"
    assert min(link.quiets) == 1.0
    assert len(link.quiets) < 15


@pytest.mark.parametrize(
    ("scores", "certainty"),
    [
        ([], Certainty.UNKNOWN),
        ([9], Certainty.LIKELY),
        ([9, 5], Certainty.LIKELY),
        ([9, 6], Certainty.AMBIGUOUS),
        ([9, 9, 9], Certainty.AMBIGUOUS),
    ],
)
def test_it_is_likely_only_with_a_clear_lead(scores, certainty):
    candidates = [Candidate(f"p{n}", score, False, ()) for n, score in enumerate(scores)]
    assert certainty_of(candidates) is certainty
