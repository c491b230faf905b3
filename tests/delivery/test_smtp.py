"""Mail over real sockets: taken, refused, not reached, and cut off where nobody knows."""

import socket
import ssl
import threading
import warnings
from pathlib import Path
from typing import Any

import pytest

from evdesk.delivery.smtp import SmtpMailer
from evdesk.domain.mail import Attachment, Letter, MailServer, Outcome, Security
from tests.devices.papers import Authority
from tests.fakes.clock import SetClock
from tests.fakes.mail_server import mail_server, password

LETTER = Letter(
    "alert",
    "1767.M-1@depot.example",
    "owner@depot.example",
    "Depot Nordhafen: Zähler schweigt",
    "Über 20 s keine Antwort.\n.\n.. two dots\nThe end without a line break",
)
SECURED = [Security.TLS, Security.STARTTLS]


@pytest.fixture
def mailer() -> SmtpMailer:
    return SmtpMailer(SetClock(), timeout_s=2)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "ca")


def trusted(authority: Authority) -> dict[str, Any]:
    return {"ca_pem": authority.file.read_text()}


def test_a_letter_arrives_as_it_was_written(mailer) -> None:
    with mail_server() as box:
        receipt = mailer.send(box.server(Security.PLAIN), LETTER)
    assert (receipt.outcome, receipt.told) == (Outcome.TAKEN, "OK: queued as 42")
    (message,) = box.messages
    assert message["Subject"] == LETTER.subject
    assert message["From"] == "desk@depot.example"
    assert message["Message-ID"] == "<1767.M-1@depot.example>"
    assert message["Date"] == "Mon, 02 Mar 2026 06:00:00 +0000"
    assert message.get_content().replace("\r\n", "\n").rstrip("\n") == LETTER.body
    assert box.envelopes == [("desk@depot.example", ["owner@depot.example"])]


def test_attachments_arrive_byte_for_byte(mailer) -> None:
    files = (
        Attachment("Rechnung 1.pdf", "application/pdf", bytes(range(256)) * 9),
        Attachment("invoice.xml", "text/xml", b"<a/>\n"),
    )
    letter = Letter("invoice", "2@x.example", "owner@depot.example", "Invoice", "Hello\n", files)
    with mail_server() as box:
        assert mailer.send(box.server(Security.PLAIN), letter).outcome is Outcome.TAKEN
    found = list(box.messages[0].iter_attachments())
    assert [(part.get_filename(), part.get_content_type()) for part in found] == [
        ("Rechnung 1.pdf", "application/pdf"),
        ("invoice.xml", "text/xml"),
    ]
    assert found[0].get_content() == files[0].content


@pytest.mark.parametrize("security", SECURED)
def test_a_secured_server_with_a_login_takes_mail(mailer, authority, security) -> None:
    papers = authority.papers("mail", "127.0.0.1")
    login = ("desk", b"p\xc3\xa4ss word")
    with mail_server(security, papers, login) as box:
        server = box.server(
            security, username="desk", password=password("päss word"), **trusted(authority)
        )
        assert mailer.check(server) is None
        assert mailer.send(server, LETTER).outcome is Outcome.TAKEN
    assert len(box.messages) == 1


@pytest.mark.parametrize("security", SECURED)
def test_a_certificate_nobody_vouches_for_is_refused_before_the_password_is_sent(
    mailer, authority, security
) -> None:
    papers = authority.papers("mail", "127.0.0.1")
    with mail_server(security, papers, ("desk", b"secret")) as box:
        server = box.server(security, username="desk", password=password("secret"))
        receipt = mailer.send(server, LETTER)
    assert receipt.outcome is Outcome.LATER
    assert receipt.told.startswith("The server's certificate is not trusted")
    assert box.messages == []


@pytest.mark.parametrize("security", SECURED)
def test_a_certificate_for_another_host_is_refused(mailer, authority, security) -> None:
    papers = authority.papers("mail", "mail.somewhere.example")
    with mail_server(security, papers) as box:
        told = mailer.check(box.server(security, **trusted(authority)))
    assert told is not None
    assert "not trusted" in told
    assert "127.0.0.1" in told


def test_a_server_without_starttls_gets_no_mail_in_plain(mailer) -> None:
    with mail_server(Security.PLAIN) as box:
        receipt = mailer.send(box.server(Security.STARTTLS), LETTER)
    assert receipt.outcome is Outcome.LATER
    assert "STARTTLS" in receipt.told
    assert box.messages == []


@pytest.mark.parametrize("given", ["wrong", "Pass word"])
def test_a_wrong_password_is_said_and_never_repeated(mailer, authority, given) -> None:
    papers = authority.papers("mail", "127.0.0.1")
    with mail_server(Security.STARTTLS, papers, ("desk", b"pass word")) as box:
        server = box.server(
            Security.STARTTLS, username="desk", password=password(given), **trusted(authority)
        )
        receipt = mailer.send(server, LETTER)
        told = mailer.check(server)
    assert receipt.outcome is Outcome.LATER
    assert receipt.told.startswith("The server refused user name or password")
    assert told == receipt.told
    assert given not in receipt.told


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [("451 try again", Outcome.LATER), ("554 spam", Outcome.REFUSED), ("250 yes", Outcome.TAKEN)],
)
def test_the_servers_last_word_decides(mailer, answer, outcome) -> None:
    with mail_server() as box:
        box.answer = answer
        receipt = mailer.send(box.server(Security.PLAIN), LETTER)
    assert receipt.outcome is outcome
    assert answer.split(" ", 1)[1] in receipt.told


@pytest.mark.parametrize(
    ("refuses", "outcome"),
    [("550 no such user", Outcome.REFUSED), ("450 mailbox busy", Outcome.LATER)],
)
def test_an_address_may_be_refused_for_good_or_for_now(mailer, refuses, outcome) -> None:
    with mail_server() as box:
        box.refuses = refuses
        receipt = mailer.send(box.server(Security.PLAIN), LETTER)
    assert (receipt.outcome, receipt.told) == (outcome, refuses)


def test_a_connection_cut_after_the_end_of_the_letter_leaves_it_unclear(mailer) -> None:
    with mail_server() as box:
        box.answer = None
        receipt = mailer.send(box.server(Security.PLAIN), LETTER)
    assert receipt.outcome is Outcome.UNKNOWN
    assert receipt.told


def test_a_connection_cut_in_the_middle_of_a_letter_is_tried_again(mailer) -> None:
    big = Attachment("big.bin", "application/octet-stream", bytes(12_000_000))
    letter = Letter("invoice", "3@x.example", "owner@depot.example", "Big", "", (big,))
    with mail_server() as box:
        box.hangs_up_after = 1_000
        receipt = mailer.send(box.server(Security.PLAIN), letter)
    assert receipt.outcome is Outcome.LATER
    assert box.messages == []


def test_a_server_that_is_down_is_tried_again(mailer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    receipt = mailer.send(MailServer("127.0.0.1", port, Security.TLS, "a@b.c", "a@b.c"), LETTER)
    assert receipt.outcome is Outcome.LATER
    assert "refused" in receipt.told


def test_a_server_that_says_nothing_is_not_waited_for_for_ever() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        server = MailServer("127.0.0.1", port, Security.PLAIN, "a@b.c", "a@b.c")
        receipt = SmtpMailer(SetClock(), timeout_s=0.3).send(server, LETTER)
    assert (receipt.outcome, receipt.told) == (
        Outcome.LATER,
        "The server did not answer in time.",
    )


def test_a_server_that_speaks_old_tls_only_is_refused(mailer, authority) -> None:
    papers = authority.papers("mail", "127.0.0.1")
    context = _old_tls()
    context.load_cert_chain(papers.cert, papers.key)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=_shake_hands, args=(listening, context))
        thread.start()
        port = listening.getsockname()[1]
        server = MailServer("127.0.0.1", port, Security.TLS, "a@b.c", "a@b.c", **trusted(authority))
        receipt = mailer.send(server, LETTER)
        thread.join()
    assert receipt.outcome is Outcome.LATER
    assert "TLS" in receipt.told


def _old_tls() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context


def _shake_hands(listening: socket.socket, context: ssl.SSLContext) -> None:
    connection, _ = listening.accept()
    try:
        context.wrap_socket(connection, server_side=True).close()
    except (ssl.SSLError, OSError):
        connection.close()
