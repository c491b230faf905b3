"""``driver card``: RFID cards and whose they are."""

from evdesk.cli.context import Context
from evdesk.cli.options import Groups
from evdesk.cli.output import table
from evdesk.domain.cards import Card
from evdesk.domain.instants import rfc3339
from evdesk.domain.site import DriverId


def add_to(driver: Groups) -> None:
    """Declare the verbs."""
    card = driver.group("card", "RFID cards and whose they are", "evdesk driver card list")
    add = card.command(
        "add",
        add_card,
        "give a card to a driver; sessions of before stay where they are",
        "evdesk driver card add D-7KQ2M9XF 04A2F31B",
    )
    add.add_argument("driver", metavar="DRIVER", help="id, see: evdesk driver list")
    add.add_argument("tag", metavar="TAG", help="the card's number; only its hash is kept")
    add.add_argument("--from", dest="from_at", metavar="D", help="date or instant (default: now)")
    add.add_argument("--to", dest="to_at", metavar="D", help="date or instant at which it ends")
    lost = card.command(
        "lost",
        lose_card,
        "say that a card was lost: from now on it is nobody's",
        "evdesk driver card lost 04A2F31B",
    )
    lost.add_argument("tag", metavar="TAG", help="the card's number")
    card.command("list", list_cards, "list the cards", "evdesk driver card list --json")


def add_card(context: Context) -> None:
    """Give a card to a driver."""
    args = context.args
    with context.site() as services:
        tz = services.info.tz
        from_at, to_at = context.instant("from_at", tz), context.instant("to_at", tz)
        card = services.cards.add(DriverId(args.driver), args.tag, from_at, to_at)
    context.out.answer(_row(card), f"Card {card.tag.shown} is {card.driver}'s.")


def lose_card(context: Context) -> None:
    """End a card."""
    with context.site() as services:
        card = services.cards.lost(context.args.tag)
    said = f"Card {card.tag.shown} of {card.driver} is nobody's from now on."
    context.out.answer(_row(card), said)


def list_cards(context: Context) -> None:
    """List the cards."""
    with context.site() as services:
        found = services.cards.all()
    data = [_row(card) for card in found]
    rows = [(r["id"], r["tag"], r["driver"], r["from_at"], r["to_at"], r["state"]) for r in data]
    empty = "There is no card yet. Add one: evdesk driver card add --help"
    context.out.answer(data, table(("id", "card", "driver", "from", "to", "state"), rows, empty))


def _row(card: Card) -> dict[str, object]:
    end = card.ended_at or card.to_at
    return {
        "id": str(card.id),
        "tag": card.tag.shown,
        "driver": card.driver,
        "from_at": rfc3339(card.from_at),
        "to_at": None if end is None else rfc3339(end),
        "state": "in use" if card.end is None else card.end.value,
    }
