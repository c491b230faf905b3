"""Device URLs: what is understood, and what is said about a typo."""

import pytest

from evdesk.devices.urls import parse_url
from evdesk.domain.errors import UserError


@pytest.mark.parametrize(
    ("url", "bus"),
    [
        ("tcp://192.168.1.20", "tcp://192.168.1.20:502"),
        ("tcp://192.168.1.20:1502/", "tcp://192.168.1.20:1502"),
        ("TCP://Meter.Local:502", "tcp://meter.local:502"),
        ("rtu-tcp://converter:8899", "rtu-tcp://converter:8899"),
        ("tcp://[fe80::1]:502", "tcp://[fe80::1]:502"),
        (" tcp://10.0.0.7 ", "tcp://10.0.0.7:502"),
    ],
)
def test_a_url_names_one_bus(url, bus):
    assert parse_url(url, demo=False).bus == bus


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("192.168.1.20:502", "is no device URL: it begins with a scheme"),
        ("tcp:/192.168.1.20", "is no device URL"),
        (
            "tpc://192.168.1.20",
            "the scheme 'tpc' is not one of tcp, rtu-tcp, rtu, tls; did you mean",
        ),
        ("http://192.168.1.20", "the scheme 'http' is not one of"),
        ("tcp://192.168.1.300", "'192.168.1.300' is no host name or address"),
        ("tcp://192.168.1", "'192.168.1' is no host name or address"),
        ("tcp://met er", "'met er' is no host name or address"),
        ("tcp://", "the host is missing"),
        ("tcp://host:5O2", "the port '5O2' is no number from 1 to 65535"),
        ("tcp://host:0", "the port '0' is no number"),
        ("tcp://host:70000", "the port '70000' is no number"),
        ("tcp://host:", "the port '' is no number"),
        ("tcp://host:502/unit/3", "'/unit/3' after the port means nothing here"),
        ("tcp://host:502?unit=3", "after the port means nothing here"),
        ("tcp://user@host", "is no host name or address"),
        ("rtu-tcp://converter", "the port is missing"),
        ("tcp://[fe80::zz]:502", "is no host name or address"),
        ("rtu:///dev/ttyUSB0?baud=9600", "comes with a later release"),
        ("tls://host:802?ca=x", "comes with a later release"),
        ("", "is no device URL"),
    ],
)
def test_a_typo_is_named(url, sentence):
    with pytest.raises(UserError) as caught:
        parse_url(url, demo=False)
    assert sentence in str(caught.value)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "[::1]", "localhost", "LOCALHOST"])
def test_a_demo_site_reads_this_computer(host):
    assert parse_url(f"tcp://{host}:5020", demo=True)


@pytest.mark.parametrize(
    "host",
    ["192.168.1.20", "0.0.0.0", "example.org", "localhost.example.org", "128.0.0.1", "[::2]"],
)
def test_a_demo_site_reads_nothing_else(host):
    with pytest.raises(UserError, match="simulated devices on this computer only"):
        parse_url(f"tcp://{host}:5020", demo=True)
