"""The URLs of devices: where a device is, and how its bus speaks."""

import ipaddress
import re
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from urllib.parse import quote

from evdesk.devices.url_options import Options
from evdesk.domain.errors import UserError

DEFAULT_PORTS = {"tcp": 502, "tls": 802}
LAST_PORT = 65_535
EXAMPLES = {
    "tcp": "tcp://192.168.1.20:502",
    "rtu-tcp": "rtu-tcp://192.168.1.20:8899",
    "rtu": "rtu:///dev/ttyUSB0?baud=9600&parity=N&stop=1 or rtu://COM3?baud=9600",
    "ascii": "ascii:///dev/ttyUSB0?baud=38400&parity=E or ascii://COM3?baud=38400&parity=E",
    "ascii-tcp": "ascii-tcp://192.168.1.20:8899",
    "tls": "tls://192.168.1.20:802?ca=/path/ca.pem&cert=/path/desk.pem&key=/path/desk.key",
}
SPEEDS = (1_200, 2_400, 4_800, 9_600, 14_400, 19_200, 28_800, 38_400, 57_600, 115_200, 230_400)
BITS_PER_BYTE = 11  # what the standard counts with, also where a byte is sent in 10
FAST_BAUD = 19_200
FAST_SILENCE_S = 0.001_75  # above 19,200 baud (Modbus over Serial Line V1.02, 2.5.1.1)
_URL = re.compile(r"(?P<scheme>[a-z-]+)://(?P<rest>.*)", re.IGNORECASE | re.DOTALL)
_PLACE = re.compile(r"(?P<host>\[[^\]]*\]|[^:/?#\[\]]*)(?::(?P<port>[^/?#]*))?(?P<rest>.*)")
_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")
_NUMERIC_HOST = re.compile(r"[0-9.]+")
_COM = re.compile(r"COM[1-9][0-9]{0,2}", re.IGNORECASE)
_PSEUDO_TERMINAL = re.compile(r"/dev/(pts/[0-9]+|ttys[0-9]+)")


class Scheme(StrEnum):
    """How a device is reached."""

    TCP = "tcp"
    RTU_TCP = "rtu-tcp"
    RTU = "rtu"
    ASCII = "ascii"
    ASCII_TCP = "ascii-tcp"
    TLS = "tls"

    @property
    def is_serial(self) -> bool:
        """Say whether it is a serial port of this computer."""
        return self in {Scheme.RTU, Scheme.ASCII}

    @property
    def is_rtu(self) -> bool:
        """Say whether several units share a line at its other end."""
        return self not in {Scheme.TCP, Scheme.TLS}

    @property
    def is_ascii(self) -> bool:
        """Say whether its frames are text."""
        return self in {Scheme.ASCII, Scheme.ASCII_TCP}


@dataclass(frozen=True, slots=True)
class Line:
    """How a serial line is set; ``timeout_s`` None leaves the limit of an answer to the program."""

    baud: int = 9_600
    parity: str = "N"
    stop: int = 1
    timeout_s: float | None = None

    @property
    def silence_s(self) -> float:
        """Return the silence that separates two frames: the time of 3.5 bytes."""
        return FAST_SILENCE_S if self.baud > FAST_BAUD else self.transfer_s(3.5)

    def transfer_s(self, size: float) -> float:
        """Return how long so many bytes take on the line, at the most."""
        return size * BITS_PER_BYTE / self.baud


@dataclass(frozen=True, slots=True)
class Papers:
    """The files of a Modbus/TCP Security link: who is trusted, who we are, and our private key."""

    ca: Path
    cert: Path
    key: Path


@dataclass(frozen=True, slots=True)
class Address:
    """One bus: a host and a port, or a serial port (then ``port`` is 0 and ``line`` is set).

    ``is_rtu``: a serial line is at its end, if only behind a converter; with ``is_ascii`` its
    frames are text.
    """

    host: str
    port: int
    is_rtu: bool
    line: Line | None = None
    papers: Papers | None = None
    is_ascii: bool = False

    @property
    def is_encrypted(self) -> bool:
        """Say whether nobody on the way can read along or answer in the device's place."""
        return self.papers is not None

    @property
    def place(self) -> str:
        """Return what people know the bus by, as a sentence can begin with it."""
        return self.host if self.line is not None else f"{self.host} port {self.port}"

    @property
    def bus(self) -> str:
        """Return the URL in its one normal form, by which a bus is known."""
        if self.line is not None:
            scheme = Scheme.ASCII if self.is_ascii else Scheme.RTU
            return f"{scheme}://{quote(self.host)}?{_line_query(self.line)}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        if self.papers is not None:
            return f"tls://{host}:{self.port}?{_papers_query(self.papers)}"
        through = Scheme.ASCII_TCP if self.is_ascii else Scheme.RTU_TCP
        return f"{through if self.is_rtu else Scheme.TCP}://{host}:{self.port}"


def parse_url(url: str, *, demo: bool) -> Address:
    """Return the bus a URL names.

    Raises:
        UserError: a typo, an unknown scheme, or on a demo site a device that is not simulated on
            this computer; the sentence says what is wrong and where.

    """
    match = _URL.fullmatch(url.strip())
    if match is None:
        raise UserError(
            "'{url}' is no device URL: it begins with a scheme and two slashes, as in {example}.",
            url=url,
            example=EXAMPLES["tcp"],
        )
    scheme = _scheme(url, match["scheme"].lower())
    if scheme.is_serial:
        return _serial(url, scheme, match["rest"], demo=demo)
    return _network(url, scheme, match["rest"], demo=demo)


def is_loopback(host: str) -> bool:
    """Say whether a host can only be this computer."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _scheme(url: str, name: str) -> Scheme:
    if name not in list(Scheme):
        close = get_close_matches(name, list(Scheme), n=1)
        raise UserError(
            "'{url}': the scheme '{scheme}' is not one of {schemes}{hint}.",
            url=url,
            scheme=name,
            schemes=", ".join(Scheme),
            hint=f"; did you mean {close[0]}" if close else "",
        )
    return Scheme(name)


# -- serial ---------------------------------------------------------------------------------------


def _serial(url: str, scheme: Scheme, rest: str, *, demo: bool) -> Address:
    path, _, query = rest.partition("?")
    options = Options(url, query, ("baud", "parity", "stop", "timeout"))
    usual = Line()
    line = Line(
        baud=options.whole("baud", SPEEDS, usual.baud),
        parity=options.word("parity", ("N", "E", "O"), usual.parity),
        stop=options.whole("stop", (1, 2), usual.stop),
        timeout_s=options.seconds("timeout", 0.1, 60.0),
    )
    port = _serial_port(url, options.unquoted(path))
    # A symbolic link is followed here, so that it cannot lead a demo site to a real device.
    if demo and not _PSEUDO_TERMINAL.fullmatch(str(Path(port).resolve())):
        raise UserError(
            "'{url}': a demo site reads simulated devices only: the serial port of a simulator"
            " (evdesk simulate --pty), not {port}.",
            url=url,
            port=port,
        )
    return Address(port, 0, is_rtu=True, line=line, is_ascii=scheme.is_ascii)


def _serial_port(url: str, text: str) -> str:
    if _COM.fullmatch(text):
        return text.upper()
    if not text.startswith("/") or text.endswith("/") or "\0" in text:
        raise UserError(
            "'{url}': '{port}' is no serial port; write it as in {example}.",
            url=url,
            port=text,
            example=EXAMPLES["rtu"],
        )
    return text


def _line_query(line: Line) -> str:
    limit = "" if line.timeout_s is None else f"&timeout={line.timeout_s:g}"
    return f"baud={line.baud}&parity={line.parity}&stop={line.stop}{limit}"


# -- network --------------------------------------------------------------------------------------


def _network(url: str, scheme: Scheme, rest: str, *, demo: bool) -> Address:
    place, _, query = rest.partition("?") if scheme is Scheme.TLS else (rest, "", "")
    match = _PLACE.fullmatch(place)
    tail = place if match is None else match["rest"]
    if match is None or tail not in {"", "/"}:
        raise UserError(
            "'{url}': '{rest}' after the port means nothing here; write it as in {example}.",
            url=url,
            rest=tail,
            example=EXAMPLES[scheme],
        )
    host = _host(url, scheme, match["host"])
    port = _port(url, match["port"], scheme)
    papers = _papers(url, query) if scheme is Scheme.TLS else None
    if demo and not is_loopback(host):
        raise UserError(
            "'{url}': a demo site reads simulated devices on this computer only"
            " (127.0.0.1, ::1 or localhost), not {host}.",
            url=url,
            host=host,
        )
    return Address(host, port, scheme.is_rtu, papers=papers, is_ascii=scheme.is_ascii)


def _host(url: str, scheme: Scheme, text: str) -> str:
    if not text:
        raise UserError(
            "'{url}': the host is missing; write it as in {example}.",
            url=url,
            example=EXAMPLES[scheme],
        )
    bare = text.strip("[]").lower()
    try:
        return str(ipaddress.ip_address(bare))
    except ValueError:
        wrong = text.startswith("[") or _NUMERIC_HOST.fullmatch(bare) is not None
    wrong = wrong or not all(_LABEL.fullmatch(label) for label in bare.split("."))
    if wrong:
        raise UserError("'{url}': '{host}' is no host name or address.", url=url, host=text)
    return bare


def _port(url: str, text: str | None, scheme: Scheme) -> int:
    if text is None and scheme in DEFAULT_PORTS:
        return DEFAULT_PORTS[scheme]
    if text is None:
        raise UserError(
            "'{url}': the port is missing; a converter's is in its manual (often 4196, 8899 or"
            " 26).",
            url=url,
        )
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= LAST_PORT):
        raise UserError(
            "'{url}': the port '{port}' is no number from 1 to {last}.",
            url=url,
            port=text,
            last=LAST_PORT,
        )
    return int(text)


def _papers(url: str, query: str) -> Papers:
    options = Options(url, query, ("ca", "cert", "key"))
    return Papers(options.file("ca"), options.file("cert"), options.file("key"))


def _papers_query(papers: Papers) -> str:
    files = {"ca": papers.ca, "cert": papers.cert, "key": papers.key}
    return "&".join(f"{name}={quote(str(path), safe='/:')}" for name, path in files.items())
