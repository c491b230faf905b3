"""E-mail over SMTP (RFC 5321), with TLS that is verified; plain only inside this computer.

A letter counts as handed over when the server has confirmed its end. Where the connection breaks
before that end was sent, the server cannot have taken it; where it breaks afterwards, nobody knows.
"""

import base64
import re
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from evdesk.domain.mail import Letter, MailServer, Outcome, Receipt, Security
from evdesk.ports import Clock

LOGGED_IN, OK, GO_AHEAD = 235, 250, 354
FOR_NOW = 4  # first digit of a refusal that may pass (RFC 5321, 4.2.1)
END = b".\r\n"


class SmtpMailer:
    """Implements ``ports.Mailer``."""

    def __init__(self, clock: Clock, timeout_s: float) -> None:
        self._clock, self._timeout_s = clock, timeout_s

    def send(self, server: MailServer, letter: Letter) -> Receipt:
        """Try to hand over a letter once; whatever goes wrong is in the receipt."""
        content = _content(message_of(server, letter, format_datetime(self._clock.now())))
        try:
            with _session(server, self._timeout_s) as smtp:
                return _hand_over(smtp, server.sender, letter.recipient, content)
        except (OSError, smtplib.SMTPException) as error:
            return Receipt(Outcome.LATER, reason(error))

    def check(self, server: MailServer) -> str | None:
        """Connect and log in; return what went wrong, or None."""
        try:
            with _session(server, self._timeout_s) as smtp:
                smtp.noop()
        except (OSError, smtplib.SMTPException) as error:
            return reason(error)
        return None


@contextmanager
def _session(server: MailServer, timeout_s: float) -> Iterator[smtplib.SMTP]:
    """Connect, secure the connection and log in; afterwards say goodbye."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if server.ca_pem is not None:
        context.load_verify_locations(cadata=server.ca_pem)
    smtp = _connected(server, timeout_s, context)
    try:
        if server.security is Security.STARTTLS:
            smtp.starttls(context=context)
        if server.username is not None and server.password is not None:
            _log_in(smtp, server.username, server.password.reveal())
        yield smtp
        with suppress(OSError, smtplib.SMTPException):
            smtp.quit()
    finally:
        smtp.close()


def _connected(server: MailServer, timeout_s: float, context: ssl.SSLContext) -> smtplib.SMTP:
    if server.security is Security.TLS:
        return smtplib.SMTP_SSL(server.host, server.port, timeout=timeout_s, context=context)
    return smtplib.SMTP(server.host, server.port, timeout=timeout_s)


def _log_in(smtp: smtplib.SMTP, username: str, password: bytes) -> None:
    """Log in; what is not ASCII goes as UTF-8 in PLAIN (RFC 4616), which smtplib does not know."""
    if username.isascii() and password.isascii():
        smtp.login(username, password.decode())
        return
    smtp.ehlo_or_helo_if_needed()
    word = base64.b64encode(b"\0" + username.encode() + b"\0" + password).decode()
    code, told = smtp.docmd("AUTH", f"PLAIN {word}")
    if code != LOGGED_IN:
        raise smtplib.SMTPAuthenticationError(code, told)


def _hand_over(smtp: smtplib.SMTP, sender: str, recipient: str, content: bytes) -> Receipt:
    """Say who and to whom, send the content, then its end: only after that nobody may know."""
    smtp.ehlo_or_helo_if_needed()
    for code, told in (smtp.mail(sender), smtp.rcpt(recipient)):
        if code // 100 != OK // 100:
            return _refused(code, told, Outcome.REFUSED)
    code, told = smtp.docmd("DATA")
    if code != GO_AHEAD:
        return _refused(code, told, Outcome.REFUSED)
    smtp.send(content)
    try:
        smtp.send(END)
        code, told = smtp.getreply()
    except (OSError, smtplib.SMTPException) as error:
        return Receipt(Outcome.UNKNOWN, reason(error))
    if code != OK:
        return _refused(code, told, Outcome.REFUSED)
    return Receipt(Outcome.TAKEN, _text(told))


def _refused(code: int, told: bytes | str, for_good: Outcome) -> Receipt:
    outcome = Outcome.LATER if code // 100 == FOR_NOW else for_good
    return Receipt(outcome, f"{code} {_text(told)}")


def message_of(server: MailServer, letter: Letter, date: str) -> EmailMessage:
    """Return the letter as a message (RFC 5322)."""
    message = EmailMessage(policy=SMTP.clone(cte_type="7bit"))
    message["From"] = Address(addr_spec=server.sender)
    message["To"] = Address(addr_spec=letter.recipient)
    message["Subject"] = letter.subject
    message["Date"] = date
    message["Message-ID"] = f"<{letter.message_id}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's holiday answers it
    message.set_content(letter.body)
    for file in letter.attachments:
        kind, _, subtype = file.media_type.partition("/")
        message.add_attachment(file.content, maintype=kind, subtype=subtype, filename=file.name)
    return message


def _content(message: EmailMessage) -> bytes:
    """Return the message as it goes over the wire, without the dot that ends it (4.5.2)."""
    content = re.sub(rb"(?m)^\.", b"..", message.as_bytes())
    return content if content.endswith(b"\r\n") else content + b"\r\n"


def reason(error: Exception) -> str:
    """Return in a few words what went wrong; never a password."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"The server's certificate is not trusted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"TLS failed: {error.reason or error}"
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return f"The server refused user name or password: {_text(error.smtp_error)}"
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{error.smtp_code} {_text(error.smtp_error)}"
    if isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError):
        return "The server did not answer in time."
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__


def _text(told: bytes | str) -> str:
    return told.decode("utf-8", "replace") if isinstance(told, bytes) else told
