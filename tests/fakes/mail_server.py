"""A real mail server on loopback, with TLS and a login where asked for, that can misbehave."""

import asyncio
import email
import email.policy
import logging
import ssl
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

from evdesk.devices.urls import Papers
from evdesk.domain.mail import MailServer, Security
from evdesk.domain.secrets import Secret

TAKEN = "250 OK: queued as 42"


@dataclass
class Mailbox:
    """What a server took; ``answer`` is what it says to a whole letter, None hangs up instead."""

    port: int = 0
    answer: str | None = TAKEN
    refuses: str | None = None
    hangs_up_after: int | None = None
    messages: list[EmailMessage] = field(default_factory=list)
    envelopes: list[tuple[str, list[str]]] = field(default_factory=list)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        if self.refuses is not None:
            return self.refuses
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        if self.answer is None:
            server.transport.abort()
            return "451 gone"
        if self.answer.startswith("250"):
            found = email.message_from_bytes(envelope.content, policy=email.policy.default)
            assert isinstance(found, EmailMessage)
            self.messages.append(found)
            self.envelopes.append((envelope.mail_from, envelope.rcpt_tos))
        return self.answer

    def server(self, security: Security, **others: Any) -> MailServer:
        """Return how to reach it."""
        return MailServer(
            "127.0.0.1", self.port, security, "desk@depot.example", "owner@depot.example", **others
        )


class Speaking(SMTP):
    """Hangs up in the middle of a letter, where its mailbox says so."""

    def data_received(self, data: bytes) -> None:
        after = self.event_handler.hangs_up_after
        if after is not None and self._state_is_data(data) and len(data) > after:
            assert isinstance(self.transport, asyncio.WriteTransport)
            self.transport.abort()
            return
        super().data_received(data)

    def _state_is_data(self, data: bytes) -> bool:
        return len(data) > 100  # no command is so long


@contextmanager
def mail_server(
    security: Security = Security.PLAIN,
    papers: Papers | None = None,
    login: tuple[str, bytes] | None = None,
) -> Iterator[Mailbox]:
    """Serve until the block ends."""
    box, context = Mailbox(), _context(papers)
    logging.getLogger("mail.log").setLevel(logging.CRITICAL)  # it logs whoever hangs up
    begun, loop = threading.Event(), asyncio.new_event_loop()
    stop = asyncio.Event()

    def session() -> SMTP:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns of a login on a link that it takes for plain
            return Speaking(
                box,
                hostname="mail.depot.example",
                tls_context=context if security is Security.STARTTLS else None,
                auth_required=login is not None,
                auth_require_tls=security is Security.STARTTLS,
                authenticator=_authenticator(login),
                loop=loop,
            )

    async def serve() -> None:
        implicit = context if security is Security.TLS else None
        server = await loop.create_server(session, "127.0.0.1", 0, ssl=implicit)
        box.port = server.sockets[0].getsockname()[1]
        begun.set()
        async with server:
            await stop.wait()
            server.close()
        for task in asyncio.all_tasks(loop) - {asyncio.current_task()}:
            task.cancel()
        await asyncio.sleep(0.05)  # connections close behind their tasks

    def run() -> None:
        loop.run_until_complete(serve())
        loop.close()

    thread = threading.Thread(target=run, name="mail server")
    thread.start()
    assert begun.wait(10)
    try:
        yield box
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)


def _authenticator(login: tuple[str, bytes] | None) -> Callable[..., AuthResult] | None:
    if login is None:
        return None

    def check(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        good = (data.login.decode(), data.password) == login
        return AuthResult(success=good, handled=False)

    return check


def _context(papers: Papers | None) -> ssl.SSLContext | None:
    if papers is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(papers.cert, papers.key)
    return context


def password(text: str) -> Secret:
    return Secret(text.encode())
