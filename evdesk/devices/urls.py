"""The URLs of devices: where a device is, and how its bus speaks."""

import ipaddress
import re
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum

from evdesk.domain.errors import UserError

DEFAULT_PORT = 502
LAST_PORT = 65_535
EXAMPLE = "tcp://192.168.1.20:502"
_URL = re.compile(
    r"(?P<scheme>[a-z-]+)://(?P<host>\[[^\]]*\]|[^:/?#\[\]]*)(?::(?P<port>[^/?#]*))?(?P<rest>.*)",
    re.IGNORECASE,
)
_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")
_NUMERIC_HOST = re.compile(r"[0-9.]+")


class Scheme(StrEnum):
    """How a device is reached."""

    TCP = "tcp"
    RTU_TCP = "rtu-tcp"
    RTU = "rtu"
    TLS = "tls"


LATER = (Scheme.RTU, Scheme.TLS)


@dataclass(frozen=True, slots=True)
class Address:
    """One bus: a host and a port, and whether RTU frames travel in the stream."""

    host: str
    port: int
    is_rtu: bool

    @property
    def bus(self) -> str:
        """Return the URL in its one normal form, by which a bus is known."""
        scheme = Scheme.RTU_TCP if self.is_rtu else Scheme.TCP
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{scheme}://{host}:{self.port}"


def parse_url(url: str, *, demo: bool) -> Address:
    """Return the bus a URL names.

    Raises:
        UserError: a typo, an unknown scheme, or a host that is not loopback on a demo site; the
            sentence says what is wrong and where.

    """
    match = _URL.fullmatch(url.strip())
    if match is None:
        raise UserError(
            "'{url}' is no device URL: it begins with a scheme and two slashes, as in {example}.",
            url=url,
            example=EXAMPLE,
        )
    scheme = _scheme(url, match["scheme"].lower())
    if match["rest"] not in {"", "/"}:
        raise UserError(
            "'{url}': '{rest}' after the port means nothing here; write it as in {example}.",
            url=url,
            rest=match["rest"],
            example=EXAMPLE,
        )
    host = _host(url, match["host"])
    port = _port(url, match["port"], scheme)
    if demo and not is_loopback(host):
        raise UserError(
            "'{url}': a demo site reads simulated devices on this computer only"
            " (127.0.0.1, ::1 or localhost), not {host}.",
            url=url,
            host=host,
        )
    return Address(host, port, scheme is Scheme.RTU_TCP)


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
    scheme = Scheme(name)
    if scheme in LATER:
        raise UserError(
            "'{url}': {scheme}:// comes with a later release; this one reads tcp:// and"
            " rtu-tcp:// (an RS-485 converter).",
            url=url,
            scheme=scheme.value,
        )
    return scheme


def _host(url: str, text: str) -> str:
    if not text:
        raise UserError(
            "'{url}': the host is missing; write it as in {example}.", url=url, example=EXAMPLE
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
    if text is None and scheme is Scheme.TCP:
        return DEFAULT_PORT
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
