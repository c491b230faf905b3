"""A computer that says what it is told to say, and a mailer without a network."""

from dataclasses import dataclass, field

from evdesk.domain.mail import Letter, MailServer, Outcome, Receipt
from evdesk.domain.surroundings import Surroundings

PLENTY = 50_000_000_000


@dataclass
class SetComputer:
    """Implements ``ports.Computer``."""

    now: Surroundings = Surroundings(clock_synchronised=True, free_bytes=PLENTY)

    def surroundings(self) -> Surroundings:
        return self.now


@dataclass
class SetMailer:
    """Implements ``ports.Mailer``: the next outcomes are ``says``, then all is taken."""

    says: list[Receipt] = field(default_factory=list)
    sent: list[Letter] = field(default_factory=list)
    tried: int = 0

    def send(self, server: MailServer, letter: Letter) -> Receipt:
        self.tried += 1
        receipt = self.says.pop(0) if self.says else Receipt(Outcome.TAKEN, "OK")
        if receipt.outcome is Outcome.TAKEN:
            self.sent.append(letter)
        return receipt

    def check(self, server: MailServer) -> str | None:
        return None
