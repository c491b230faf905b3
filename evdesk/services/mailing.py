"""Mail: who sends it, telling the owner of faults, and an outbox that tries again."""

import ipaddress
import re
from dataclasses import replace
from datetime import datetime, timedelta

from evdesk.domain.audit import Change
from evdesk.domain.errors import DeviceError, UserError
from evdesk.domain.instants import to_ms
from evdesk.domain.mail import (
    Letter,
    MailId,
    MailServer,
    MailState,
    Outcome,
    Posted,
    Receipt,
    Security,
)
from evdesk.domain.permissions import Action
from evdesk.ports import Clock, Mailer, Pseudonyms, Store, Unit
from evdesk.services.alerting import body_of, subject_of, worth_telling
from evdesk.services.permitting import permit
from evdesk.settings import ALERTS

ADDRESS = re.compile(r"[^\s@<>\"(),:;\[\]\\]+@[A-Za-z0-9.-]*[A-Za-z0-9]")
HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,250}[A-Za-z0-9])?|\[?[0-9A-Fa-f:.]+\]?")
ALERT, TEST = "alert", "test"
GIVEN_UP = "Given up. Last: {told}"


class MailService:
    """Use cases of mail; ``wall`` is the real clock, also on demo sites."""

    def __init__(self, store: Store, mailer: Mailer, wall: Clock, names: Pseudonyms) -> None:
        self._store, self._mailer, self._wall, self._names = store, mailer, wall, names
        self._news_at: datetime | None = None

    # -- who sends ------------------------------------------------------------------------------

    @permit(Action.LOOK)
    def server(self) -> MailServer | None:
        """Return which server sends, or None while no mail is sent."""
        with self._store.read() as unit:
            return unit.outbox.server()

    @permit(Action.CHANGE_SETTINGS)
    def set_server(self, server: MailServer) -> None:
        """Say which server sends; people are told of what happens from now on.

        Raises:
            UserError: an address or host that cannot be, or a plain link to another computer.

        """
        with self._store.write() as unit:
            _check(server, demo=unit.site.load().demo)
            if unit.outbox.server() is None:
                news = unit.faults.news(0, 0)
                unit.outbox.set_told(news.fault_id, news.event_id)
            unit.outbox.set_server(server)
            facts = {
                "host": server.host,
                "port": server.port,
                "security": server.security,
                "with_password": server.password is not None,
            }
            unit.record_change(Change("mail.set", "mail", "server", facts))

    @permit(Action.CHANGE_SETTINGS)
    def clear_server(self) -> None:
        """Send no mail any longer, and forget the password.

        Raises:
            UserError: no server is set.

        """
        with self._store.write() as unit:
            if unit.outbox.server() is None:
                raise UserError("No mail server is set.")
            unit.outbox.clear_server()
            unit.record_change(Change("mail.cleared", "mail", "server", {}))

    @permit(Action.CHANGE_SETTINGS)
    def test(self) -> str:
        """Send a mail to the owner at once; return what the server said.

        Raises:
            UserError: no server is set.
            DeviceError: the server was not reached, or did not take it.

        """
        with self._store.read() as unit:
            server, site = _set_server(unit), unit.site.load()
        letter = Letter(
            kind=TEST,
            message_id=self._message_id(server, self._wall.now()),
            recipient=server.recipient,
            subject=f"{site.name}: evdesk can send mail",
            body="This is a test. Mail about faults comes to this address.\n",
        )
        receipt = self._mailer.send(server, letter)
        if receipt.outcome is not Outcome.TAKEN:
            raise DeviceError(
                "The mail server {host} did not take the test mail: {told}",
                host=server.host,
                told=receipt.told,
            )
        return receipt.told

    # -- the outbox -----------------------------------------------------------------------------

    @permit(Action.SEE_PERSONS)
    def newest(self, limit: int = 100) -> list[Posted]:
        """Return letters, newest first."""
        with self._store.read() as unit:
            return unit.outbox.newest(limit)

    @permit(Action.CHANGE_SETTINGS)
    def retry(self, mail: MailId) -> None:
        """Let a letter be sent again, also one that may have arrived.

        Raises:
            UserError: unknown, or sent already.

        """
        with self._store.write() as unit:
            known = {posted.id: posted for posted in unit.outbox.newest(10_000)}
            if mail not in known:
                raise UserError("There is no mail {mail}. See: evdesk mail show", mail=mail)
            if known[mail].state in {MailState.SENT, MailState.SENDING}:
                raise UserError("Mail {mail} was sent already.", mail=mail)
            unit.outbox.retry(mail, self._wall.now())
            facts = {"state_before": known[mail].state}
            unit.record_change(Change("mail.retried", "mail", str(mail), facts))

    @permit(Action.BILL)
    def deliver(self) -> int:
        """Write to the owner what is new, and send what is due; return how much was sent.

        Call it every few seconds in one process or more: each letter is sent by one of them.
        """
        now = self._wall.now()
        with self._store.read() as unit:
            server = unit.outbox.server()
            if server is None:
                return 0
            news = unit.faults.news(*unit.outbox.told_up_to())
        self._tell(server, now, is_new=bool(news.began or news.ended))
        sent = 0
        while (posted := self._claim(now)) is not None:
            receipt = self._mailer.send(server, posted.letter)
            self._settle(posted, receipt)
            sent += receipt.outcome is Outcome.TAKEN
            if receipt.outcome is Outcome.LATER:
                break  # the others would fare no better
        return sent

    def _tell(self, server: MailServer, now: datetime, *, is_new: bool) -> None:
        """Put what has happened into one letter, once more may not follow at once."""
        if not is_new:
            self._news_at = None
            return
        self._news_at = self._news_at or now
        if now - self._news_at < timedelta(seconds=ALERTS.batch_s):
            return
        self._news_at = None
        with self._store.journal() as unit:
            news = unit.faults.news(*unit.outbox.told_up_to())
            began, ended = worth_telling(news)
            if began or ended:
                site = unit.site.load()
                letter = Letter(
                    kind=ALERT,
                    message_id=self._message_id(server, now),
                    recipient=server.recipient,
                    subject=subject_of(site, began, ended),
                    body=body_of(site, began, ended),
                )
                unit.outbox.add(letter, now)
            unit.outbox.set_told(news.fault_id, news.event_id)

    def _claim(self, now: datetime) -> Posted | None:
        with self._store.read() as unit:
            waits = unit.outbox.is_due(now, now - timedelta(seconds=ALERTS.stuck_s))
        if not waits:
            return None
        with self._store.journal() as unit:
            unit.outbox.give_up_stuck(now - timedelta(seconds=ALERTS.stuck_s))
            return unit.outbox.claim(now)

    def _settle(self, posted: Posted, receipt: Receipt) -> None:
        now = self._wall.now()
        state, told, next_at = after(posted, receipt, now)
        with self._store.journal() as unit:
            unit.outbox.settle(posted.id, state, told, next_at)

    def _message_id(self, server: MailServer, now: datetime) -> str:
        return f"{to_ms(now)}.{self._names.make('M')}@{server.sender.rpartition('@')[2]}"


def after(posted: Posted, receipt: Receipt, now: datetime) -> tuple[MailState, str, datetime]:
    """Return what becomes of a letter after an attempt, and when it is tried again."""
    if receipt.outcome is not Outcome.LATER:
        states = {
            Outcome.TAKEN: MailState.SENT,
            Outcome.REFUSED: MailState.FAILED,
            Outcome.UNKNOWN: MailState.UNCLEAR,
        }
        return states[receipt.outcome], receipt.told, now
    if now - posted.created_at >= timedelta(seconds=ALERTS.give_up_s):
        return MailState.FAILED, GIVEN_UP.format(told=receipt.told), now
    doubled = ALERTS.retry_first_s * 2 ** min(posted.attempts - 1, 30)
    pause = timedelta(seconds=min(doubled, ALERTS.retry_last_s))
    return MailState.WAITING, receipt.told, now + pause


def with_password_of(server: MailServer, before: MailServer | None) -> MailServer:
    """Return the server with the password kept from before, where none was given anew."""
    if server.password is not None or before is None or before.username != server.username:
        return server
    return replace(server, password=before.password)


def _set_server(unit: Unit) -> MailServer:
    server = unit.outbox.server()
    if server is None:
        raise UserError("No mail server is set. Set one: evdesk mail set --help")
    return server


def _check(server: MailServer, *, demo: bool) -> None:
    for address in (server.sender, server.recipient):
        if not ADDRESS.fullmatch(address) or not address.isascii():
            raise UserError("'{address}' is no e-mail address.", address=address)
    if not HOST.fullmatch(server.host):
        raise UserError("'{host}' is no mail server's name.", host=server.host)
    if not 1 <= server.port <= 65_535:  # noqa: PLR2004 - two bytes
        raise UserError("Port {port} cannot be: ports go from 1 to 65535.", port=server.port)
    if (server.username is None) != (server.password is None):
        raise UserError("A mail server wants a user name and a password, or neither.")
    loopback = is_loopback(server.host)
    if server.security is Security.PLAIN and not loopback:
        raise UserError(
            "Without TLS, mail and password could be read on the way to {host}: choose tls "
            "(usually port 465) or starttls (usually port 587).",
            host=server.host,
        )
    if demo and not loopback:
        raise UserError("A demo site sends mail to this computer only, not to {host}.",
                        host=server.host)  # fmt: skip


def is_loopback(host: str) -> bool:
    """Return whether a host is this computer, by its name alone."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"
