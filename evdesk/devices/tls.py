"""Modbus/TCP Security: TLS 1.2 or later, both sides with certificates, and no way around it."""

import ssl
from datetime import UTC, datetime
from pathlib import Path

from evdesk.devices.urls import Papers
from evdesk.domain.errors import UserError

# What OpenSSL calls it (the code of a check, or the reason of an error) and what happened.
CHECKS = {
    9: "shows a certificate that is not valid yet: compare the clocks of device and computer",
    10: "shows a certificate that has expired: it needs a new one",
    18: "shows a certificate that {ca} does not vouch for",
    19: "shows a certificate that {ca} does not vouch for",
    20: "shows a certificate that {ca} does not vouch for",
    21: "shows a certificate that {ca} does not vouch for",
    62: "shows the certificate of another host, not of {host}",
    64: "shows the certificate of another host, not of {host}",
}
REASONS = {
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": "wants a certificate and did not get ours, {cert}",
    "TLSV1_ALERT_UNKNOWN_CA": "does not know who issued our certificate {cert}",
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": "says that our certificate {cert} has expired",
    "SSLV3_ALERT_CERTIFICATE_REVOKED": "says that our certificate {cert} was revoked",
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN": "does not accept our certificate {cert}",
    "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE": "does not accept our certificate {cert}",
    "SSLV3_ALERT_BAD_CERTIFICATE": "does not accept our certificate {cert}",
    "TLSV1_ALERT_DECRYPT_ERROR": "does not accept our certificate {cert}",
    "TLSV1_ALERT_ACCESS_DENIED": "does not allow what our certificate {cert} is for",
    "SSLV3_ALERT_HANDSHAKE_FAILURE": "and evdesk have no cipher in common, or it refuses {cert}",
    "TLSV1_ALERT_PROTOCOL_VERSION": "does not speak TLS 1.2 or later; older ones are not safe",
    "UNSUPPORTED_PROTOCOL": "does not speak TLS 1.2 or later; older ones are not safe",
    "WRONG_VERSION_NUMBER": "does not speak TLS; it may be a port for plain Modbus (tcp://)",
    "UNEXPECTED_EOF_WHILE_READING": "closed the connection while it was being secured",
}


CERTIFICATE, PRIVATE_KEY = "CERTIFICATE", "PRIVATE KEY"
NOT_A_WORD = "closed the connection without a word; it may not accept our certificate {cert}"


class _Locked(Exception):  # noqa: N818 - never leaves this module
    """The private key asks for a password."""


def client_context(papers: Papers) -> ssl.SSLContext:
    """Return what a secured link is made with; the files are read anew each time.

    Raises:
        UserError: a file cannot be read, is not what it should be, or our certificate has expired.

    """
    return _context(ssl.Purpose.SERVER_AUTH, papers)


def server_context(papers: Papers) -> ssl.SSLContext:
    """Return what the simulator secures its ports with: clients without a certificate are refused.

    Raises:
        UserError: as for ``client_context``.

    """
    return _context(ssl.Purpose.CLIENT_AUTH, papers)


def _context(purpose: ssl.Purpose, papers: Papers) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(purpose, cadata=_pem(papers.ca, CERTIFICATE))
    except ssl.SSLError:
        raise _not_in(papers.ca, CERTIFICATE) from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = ssl.CERT_REQUIRED
    _present(context, papers)
    return context


def expires_at(cert: Path) -> datetime:
    """Return when a certificate ceases to be valid.

    Raises:
        UserError: the file cannot be read or holds no certificate.

    """
    from cryptography import x509

    try:
        return x509.load_pem_x509_certificate(_pem(cert, CERTIFICATE).encode()).not_valid_after_utc
    except ValueError:
        raise _not_in(cert, CERTIFICATE) from None


def explain(
    error: Exception | None, host: str, papers: Papers, *, has_answered: bool = True
) -> str:
    """Return what went wrong with a secured link, as the rest of a sentence about the device."""
    if isinstance(error, ssl.SSLCertVerificationError):
        what = CHECKS.get(
            error.verify_code, f"shows a certificate that is not accepted ({error.verify_message})"
        )
    elif isinstance(error, ssl.SSLError):
        what = REASONS.get(error.reason or "", f"broke off the secured link ({error.reason})")
    else:
        what = "closed the connection" if has_answered else NOT_A_WORD
    return what.format(host=host, ca=papers.ca, cert=papers.cert)


def _present(context: ssl.SSLContext, papers: Papers) -> None:
    """Make the context show our certificate."""
    ends_at = expires_at(papers.cert)
    if ends_at < datetime.now(UTC):
        raise UserError(
            "The certificate {file} expired on {date}: ask who issued it for a new one.",
            file=str(papers.cert),
            date=f"{ends_at:%Y-%m-%d}",
        )
    _pem(papers.key, PRIVATE_KEY)
    try:
        context.load_cert_chain(papers.cert, papers.key, password=_refuse_password)
    except _Locked:
        raise UserError(
            "The private key {file} has a password, and nobody is there to type it when the"
            " collector starts: save it without one, readable for its owner only.",
            file=str(papers.key),
        ) from None
    except ssl.SSLError as error:
        raise _no_pair(papers, error) from None


def _no_pair(papers: Papers, error: ssl.SSLError) -> UserError:
    if error.reason == "KEY_VALUES_MISMATCH":
        return UserError(
            "The private key {key} does not belong to the certificate {cert}.",
            key=str(papers.key),
            cert=str(papers.cert),
        )
    if error.reason is None or "PEM" in str(error):
        return _not_in(papers.key, PRIVATE_KEY)
    return UserError(
        "{cert} and {key} cannot be used: {reason}.",
        cert=str(papers.cert),
        key=str(papers.key),
        reason=error.reason.lower().replace("_", " "),
    )


def _refuse_password() -> str:
    raise _Locked


def _pem(path: Path, what: str) -> str:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(
            "{file} cannot be read: {reason}.", file=str(path), reason=error.strerror
        ) from error
    except UnicodeDecodeError:
        text = ""
    begins = (line for line in text.splitlines() if line.startswith("-----BEGIN "))
    if not any(line.endswith(f"{what}-----") for line in begins):
        raise _not_in(path, what)
    return text


def _not_in(path: Path, what: str) -> UserError:
    return UserError(
        "{file} holds no {what} in PEM form (a text with '-----BEGIN {mark}-----').",
        file=str(path),
        what=what.lower(),
        mark=what,
    )
