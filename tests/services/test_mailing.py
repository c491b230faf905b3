"""Mail to the owner: batched, sent once, tried again, never in plain to another computer."""

from dataclasses import replace
from datetime import timedelta

import pytest

from evdesk.delivery.smtp import SmtpMailer
from evdesk.domain.errors import DeviceError, UserError
from evdesk.domain.faults import FaultChange, FaultCode, FaultKey
from evdesk.domain.mail import MailId, MailServer, MailState, Outcome, Receipt, Security
from evdesk.domain.secrets import Secret
from evdesk.services.mailing import MailService
from evdesk.settings import ALERTS
from tests.fakes.clock import START, SetClock
from tests.fakes.computer import SetMailer
from tests.fakes.documents import CountedPseudonyms
from tests.fakes.mail_server import mail_server
from tests.services.desk import Desk

SERVER = MailServer(
    "mail.example.org", 465, Security.TLS, "desk@example.org", "owner@example.org",
    "desk", Secret(b"hunter2"),
)  # fmt: skip
BATCH = timedelta(seconds=ALERTS.batch_s)
HOUR = timedelta(minutes=60)
LATER = Receipt(Outcome.LATER, "greylisted")


class Post:
    """Mail of a desk with a clock of its own."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.wall, self.mailer = desk, SetClock(), SetMailer()
        self.service = MailService(desk.store, self.mailer, self.wall, CountedPseudonyms())

    def happen(self, code: FaultCode, meter=None, *, opened: bool = True) -> None:
        change = FaultChange(FaultKey(code, meter), self.wall.at, {}, opened=opened)
        with self.desk.store.journal() as unit:
            unit.faults.apply([change], "collector")

    def after(self, wait: timedelta) -> int:
        """Deliver as the collector does, every few seconds."""
        sent, end = 0, self.wall.at + wait
        often = timedelta(seconds=ALERTS.post_every_s if wait < HOUR else ALERTS.batch_s)
        while self.wall.at < end:
            self.wall.at += often
            sent += self.service.deliver()
        return sent

    def states(self) -> list[MailState]:
        return [posted.state for posted in self.service.newest()]


@pytest.fixture
def post(desk: Desk) -> Post:
    made = Post(desk)
    made.service.set_server(SERVER)
    return made


def test_setting_a_server_is_audited_without_its_secrets(desk, post) -> None:
    entry = desk.audit()[-1]
    assert entry.action == "mail.set"
    assert "mail.example.org" in entry.facts
    assert "hunter2" not in entry.facts
    assert "owner@" not in entry.facts


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"recipient": "owner"}, "'owner' is no e-mail address"),
        ({"sender": "a@b.example\nBcc: all@x.example"}, "is no e-mail address"),
        ({"recipient": "ä@example.org"}, "is no e-mail address"),
        ({"host": "mail example"}, "is no mail server's name"),
        ({"port": 70_000}, "Port 70000 cannot be"),
        ({"security": Security.PLAIN}, "choose tls"),
        ({"username": None}, "a user name and a password, or neither"),
    ],
)
def test_what_cannot_send_safely_is_refused(desk, post, change, sentence) -> None:
    with desk.refused(sentence):
        post.service.set_server(replace(SERVER, **change))


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1"])
def test_a_plain_link_is_for_this_computer(post, host) -> None:
    post.service.set_server(replace(SERVER, host=host, security=Security.PLAIN))


def test_faults_that_follow_each_other_closely_are_one_mail(desk, post) -> None:
    meter = desk.add_meter().meter.id
    post.happen(FaultCode.DEVICE_SILENT, meter)
    assert post.after(timedelta(seconds=15)) == 0
    post.happen(FaultCode.CLOCK_JUMP)
    assert post.after(BATCH) == 1
    (letter,) = post.mailer.sent
    assert letter.subject == "Depot: faults: 2 new"
    assert letter.recipient == "owner@example.org"
    assert "CRITICAL: bay1: Device cannot be read" in letter.body
    assert "Since 2026-03-02 07:00 CET" in letter.body
    assert "What to do: Check its power" in letter.body
    assert "WARNING: Clock was set" in letter.body
    assert post.after(10 * BATCH) == 0


def test_what_is_over_is_told_too_once(desk, post) -> None:
    meter = desk.add_meter().meter.id
    post.happen(FaultCode.DEVICE_SILENT, meter)
    post.after(2 * BATCH)
    post.happen(FaultCode.DEVICE_SILENT, meter, opened=False)
    post.after(2 * BATCH)
    assert [letter.subject for letter in post.mailer.sent] == [
        "Depot: bay1: Device cannot be read",
        "Depot: over: bay1: Device cannot be read",
    ]
    assert "after 0:01:00" in post.mailer.sent[1].body


def test_a_fault_that_came_and_went_within_a_batch_is_told_once(post) -> None:
    post.happen(FaultCode.CLOCK_JUMP)
    post.happen(FaultCode.CLOCK_JUMP, opened=False)
    post.after(2 * BATCH)
    (letter,) = post.mailer.sent
    assert "over after 0:00:00" in letter.body


def test_what_is_for_information_or_was_acknowledged_makes_no_mail(desk, post) -> None:
    post.happen(FaultCode.CALIBRATION_EXPIRING, desk.add_meter().meter.id)
    post.happen(FaultCode.CLOCK_JUMP)
    with desk.store.journal() as unit:
        jump = next(f for f in unit.faults.news(0, 0).began if f.code is FaultCode.CLOCK_JUMP)
        unit.faults.acknowledge(jump.id, "A-1", START, None)
    assert post.after(3 * BATCH) == 0
    assert post.states() == []


def test_what_happened_before_mail_was_set_is_not_told(desk) -> None:
    post = Post(desk)
    post.happen(FaultCode.CLOCK_JUMP)
    assert post.after(2 * BATCH) == 0
    post.service.set_server(SERVER)
    assert post.after(2 * BATCH) == 0
    post.happen(FaultCode.CLOCK_JUMP, opened=False)
    assert post.after(2 * BATCH) == 1


def test_two_processes_send_each_letter_once(desk, second_desk, post) -> None:
    other = MailService(second_desk.store, post.mailer, post.wall, CountedPseudonyms())
    post.happen(FaultCode.CLOCK_JUMP)
    for _ in range(20):
        post.wall.at += timedelta(seconds=5)
        post.service.deliver()
        other.deliver()
    assert len(post.mailer.sent) == 1


def test_a_server_that_is_down_is_tried_again_later_and_later(post) -> None:
    post.mailer.says = [LATER] * 6
    post.happen(FaultCode.CLOCK_JUMP)
    post.after(HOUR)
    assert post.mailer.tried == 6  # after 1, 2, 4, 8, 16, 32 minutes
    assert post.states() == [MailState.WAITING]
    assert post.service.newest()[0].told == "greylisted"
    post.after(HOUR)
    assert post.states() == [MailState.SENT]
    assert len(post.mailer.sent) == 1


def test_a_letter_that_cannot_be_sent_for_days_is_given_up(post) -> None:
    post.mailer.says = [LATER] * 999
    post.happen(FaultCode.CLOCK_JUMP)
    post.after(2 * BATCH)
    for _ in range(90):
        post.wall.at += HOUR
        post.service.deliver()
    assert post.states() == [MailState.FAILED]
    assert post.service.newest()[0].told == "Given up. Last: greylisted"


def test_an_unclear_letter_is_not_sent_again_by_itself(desk, post) -> None:
    post.mailer.says = [Receipt(Outcome.UNKNOWN, "Connection unexpectedly closed")]
    post.happen(FaultCode.CLOCK_JUMP)
    post.after(HOUR)
    assert post.states() == [MailState.UNCLEAR]
    assert post.mailer.tried == 1
    mail = post.service.newest()[0].id
    post.service.retry(mail)
    assert desk.audit()[-1].action == "mail.retried"
    post.after(BATCH)
    assert post.states() == [MailState.SENT]
    with desk.refused("was sent already"):
        post.service.retry(mail)
    with desk.refused("There is no mail 99"):
        post.service.retry(MailId(99))


def test_a_refused_letter_is_not_tried_again(post) -> None:
    post.mailer.says = [Receipt(Outcome.REFUSED, "550 no such user")]
    post.happen(FaultCode.CLOCK_JUMP)
    post.after(HOUR)
    assert post.states() == [MailState.FAILED]
    assert post.mailer.tried == 1


def test_a_test_mail_is_sent_at_once_or_says_why_not(desk, post) -> None:
    assert post.service.test() == "OK"
    assert post.mailer.sent[0].subject == "Depot: evdesk can send mail"
    post.mailer.says = [LATER]
    with pytest.raises(DeviceError, match="did not take the test mail: greylisted"):
        post.service.test()
    post.service.clear_server()
    with pytest.raises(UserError, match="No mail server is set"):
        post.service.test()
    with desk.refused("No mail server is set"):
        post.service.clear_server()


def test_an_alert_reaches_a_real_server(desk) -> None:
    post = Post(desk)
    mailer = SmtpMailer(post.wall, 2)
    service = MailService(desk.store, mailer, post.wall, CountedPseudonyms())
    with mail_server() as box:
        service.set_server(box.server(Security.PLAIN))
        post.happen(FaultCode.COLLECTOR_STOPPED)
        for _ in range(10):
            post.wall.at += timedelta(seconds=5)
            service.deliver()
    (message,) = box.messages
    assert message["Subject"] == "Depot: Collector stopped"
    assert "Start the collector" in message.get_content()
    assert message["Auto-Submitted"] == "auto-generated"
