"""Device URLs: what is understood, and what is said about a typo."""

import os

import pytest

from evdesk.devices.urls import Line, parse_url
from evdesk.domain.errors import UserError
from tests.fakes.terminals import needs_terminals


@pytest.mark.parametrize(
    ("url", "bus"),
    [
        ("tcp://192.168.1.20", "tcp://192.168.1.20:502"),
        ("tcp://192.168.1.20:1502/", "tcp://192.168.1.20:1502"),
        ("TCP://Meter.Local:502", "tcp://meter.local:502"),
        ("rtu-tcp://converter:8899", "rtu-tcp://converter:8899"),
        ("tcp://[fe80::1]:502", "tcp://[fe80::1]:502"),
        (" tcp://10.0.0.7 ", "tcp://10.0.0.7:502"),
        ("ascii-tcp://converter:8899", "ascii-tcp://converter:8899"),
        (
            "ascii:///dev/ttyUSB0?baud=38400&parity=E",
            "ascii:///dev/ttyUSB0?baud=38400&parity=E&stop=1",
        ),
        ("rtu:///dev/ttyUSB0", "rtu:///dev/ttyUSB0?baud=9600&parity=N&stop=1"),
        (
            "rtu:///dev/ttyUSB0?parity=e&baud=19200&stop=1",
            "rtu:///dev/ttyUSB0?baud=19200&parity=E&stop=1",
        ),
        ("rtu://com3?stop=2", "rtu://COM3?baud=9600&parity=N&stop=2"),
        ("rtu:///dev/radio?timeout=2.5", "rtu:///dev/radio?baud=9600&parity=N&stop=1&timeout=2.5"),
        ("rtu:///dev/a%20b%3f", "rtu:///dev/a%20b%3F?baud=9600&parity=N&stop=1"),
        (
            "tls://Box.local?key=/c/k.pem&ca=/c/ca%26.pem&cert=/c/d+e.pem",
            "tls://box.local:802?ca=/c/ca%26.pem&cert=/c/d%2Be.pem&key=/c/k.pem",
        ),
    ],
)
def test_a_url_names_one_bus(url, bus):
    address = parse_url(url, demo=False)
    assert address.bus == bus
    assert parse_url(bus, demo=False) == address


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("192.168.1.20:502", "is no device URL: it begins with a scheme"),
        ("tcp:/192.168.1.20", "is no device URL"),
        (
            "tpc://192.168.1.20",
            "the scheme 'tpc' is not one of tcp, rtu-tcp, rtu, ascii, ascii-tcp, tls; did you mean",
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
        ("ascii-tcp://converter", "the port is missing"),
        ("ascii://ttyUSB0", "'ttyUSB0' is no serial port"),
        ("tcp://[fe80::zz]:502", "is no host name or address"),
        ("rtu://", "'' is no serial port; write it as in rtu:///dev/ttyUSB0"),
        ("rtu://dev/ttyUSB0", "'dev/ttyUSB0' is no serial port"),
        ("rtu:///dev/", "'/dev/' is no serial port"),
        ("rtu://COM0", "'COM0' is no serial port"),
        ("rtu:///dev/ttyUSB0?baud=9601", "baud=9601 is not one of 1200, 2400, 4800, 9600"),
        ("rtu:///dev/ttyUSB0?baut=9600", "'baut' is not one of baud, parity, stop, timeout; did"),
        ("rtu:///dev/ttyUSB0?parity=X", "parity=X is not one of N, E, O"),
        ("rtu:///dev/ttyUSB0?stop=3", "stop=3 is not one of 1, 2"),
        ("rtu:///dev/ttyUSB0?stop=1&stop=2", "'stop' is given twice"),
        ("rtu:///dev/ttyUSB0?baud=", "'baud' has no value"),
        ("rtu:///dev/ttyUSB0?timeout=nan", "timeout=nan is no number of seconds from 0.1 to 60"),
        ("rtu:///dev/%ff", "'/dev/%ff' is no text"),
        ("tls://host:802", "'ca' is missing: a secured link takes three files"),
        ("tls://host:802?ca=/c/ca.pem", "'cert' is missing"),
        ("tls://host:802?ca=ca.pem&cert=/c/d.pem&key=/c/k.pem", "ca=ca.pem is no whole path"),
        ("tls://?ca=/c/ca.pem", "the host is missing; write it as in tls://"),
        ("tls://host/x?ca=/c/ca.pem", "'/x' after the port means nothing here"),
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


@needs_terminals
def test_a_demo_site_reads_a_serial_line_only_where_it_ends_in_a_simulator(tmp_path):
    master, pseudo_terminal = os.openpty()
    try:
        path = os.ttyname(pseudo_terminal)
        assert parse_url(f"rtu://{path}", demo=True).place == path
        real, disguised = "/dev/ttyS0", tmp_path / "pts"
        disguised.symlink_to(real)
        for port in (real, disguised, "COM3", f"{path}/../../ttyS0"):
            with pytest.raises(UserError, match="reads simulated devices only: the serial port of"):
                parse_url(f"rtu://{port}", demo=True)
    finally:
        os.close(master)
        os.close(pseudo_terminal)


def test_a_link_says_whether_it_is_encrypted():
    papers = "?ca=/c/ca.pem&cert=/c/d.pem&key=/c/k.pem"
    for url in ("tcp://host", "rtu-tcp://host:26", "rtu:///dev/ttyUSB0"):
        assert not parse_url(url, demo=False).is_encrypted
    assert parse_url(f"tls://host{papers}", demo=False).is_encrypted


def test_two_frames_are_told_apart_by_the_time_of_three_and_a_half_bytes():
    assert Line(baud=9_600).silence_s == pytest.approx(0.00401, abs=1e-5)
    assert Line(baud=19_200).silence_s == pytest.approx(0.002005, abs=1e-5)
    assert Line(baud=115_200).silence_s == 0.00175
