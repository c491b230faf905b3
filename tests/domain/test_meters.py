"""Devices as the site knows them."""

import pytest

from evdesk.domain.meters import Link, Meter, MeterRole
from evdesk.domain.readings import MeterId
from tests.fakes.clock import START


def at(url: str) -> Meter:
    return Meter(MeterId(1), "m", "x", url, 1, "123", None, None, MeterRole.STATION, START)


@pytest.mark.parametrize(
    ("url", "link"),
    [
        ("tcp://a:502", Link.PLAIN),
        ("rtu-tcp://a:1", Link.PLAIN),
        ("rtu:///dev/ttyUSB0", Link.PLAIN),
        ("tls://a:802?ca=/a&cert=/b&key=/c", Link.TLS),
        ("TLS://a", Link.TLS),
    ],
)
def test_only_tls_is_called_encrypted(url: str, link: Link) -> None:
    assert at(url).link is link


def test_a_place_is_shown_without_the_options_of_its_url() -> None:
    assert at("tls://a:802?ca=/a&cert=/b&key=/c").place == "tls://a:802"
    assert at("rtu:///dev/ttyUSB0?baud=9600").place == "rtu:///dev/ttyUSB0"
    assert at("tcp://a").place == "tcp://a"
