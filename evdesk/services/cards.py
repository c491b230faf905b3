"""RFID cards: whose they are; a card that changes hands never moves a session of before."""

from datetime import datetime

from evdesk.domain.audit import Change
from evdesk.domain.cards import Card, CardEnd, same_number
from evdesk.domain.errors import UserError
from evdesk.domain.permissions import Action
from evdesk.domain.sessions import Tag
from evdesk.domain.site import DriverId
from evdesk.ports import Clock, Store, Unit
from evdesk.services.drivers import existing_driver
from evdesk.services.permitting import permit

SHORTEST = 4  # characters: fewer are no card's number


class CardService:
    """Use cases of cards."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    @permit(Action.CHANGE_DRIVERS)
    def add(
        self,
        driver: DriverId,
        number: str,
        from_at: datetime | None = None,
        to_at: datetime | None = None,
    ) -> Card:
        """Give a card to a driver, from now on unless it is said from when.

        Raises:
            UserError: no number, an unknown or retired driver, or a card that is somebody's then.

        """
        if len(same_number(number)) < SHORTEST:
            raise UserError(
                "A card's number has at least {shortest} characters: as it is printed on the card, "
                "or as the charger shows it.",
                shortest=SHORTEST,
            )
        begin = from_at or self._clock.now()
        if to_at is not None and to_at <= begin:
            raise UserError("A card cannot end before it begins.")
        with self._store.write() as unit:
            if existing_driver(unit, driver).retired_at is not None:
                raise UserError("Driver {driver} no longer charges here.", driver=driver)
            tag = unit.cards.tag(number)
            _check_free(unit, tag, begin, to_at)
            card = unit.cards.add(tag, driver, begin, to_at)
            facts = {"driver": driver, "from_at": begin, "to_at": to_at}
            unit.record_change(Change("card.added", "card", str(card), facts))
            return Card(card, tag, driver, begin, to_at)

    @permit(Action.LOOK)
    def all(self) -> list[Card]:
        """Return every card there is or was, oldest first."""
        with self._store.read() as unit:
            return unit.cards.all()

    @permit(Action.CHANGE_DRIVERS)
    def lost(self, number: str) -> Card:
        """Say that a card was lost: from now on its sessions are nobody's.

        Raises:
            UserError: nobody has such a card now.

        """
        with self._store.write() as unit:
            tag, at = unit.cards.tag(number), self._clock.now()
            held = [card for card in unit.cards.all() if card.tag == tag and card.holds_at(at)]
            if not held:
                raise UserError(
                    "Nobody has a card with that number now. List them with: "
                    "evdesk driver card list"
                )
            return _end(unit, held[0], at, CardEnd.LOST)

    @permit(Action.CHANGE_DRIVERS)
    def end(self, card_id: int, cause: CardEnd) -> Card:
        """Say that a card was lost or given back.

        Raises:
            UserError: unknown, or ended already.

        """
        with self._store.write() as unit:
            at = self._clock.now()
            held = [card for card in unit.cards.all() if card.id == card_id]
            if not held or held[0].ended_at is not None:
                raise UserError("There is no card {card} that somebody has.", card=card_id)
            return _end(unit, held[0], at, cause)


def _end(unit: Unit, card: Card, at: datetime, cause: CardEnd) -> Card:
    unit.cards.end(card.id, at, cause)
    facts = {"driver": card.driver, "cause": cause.value}
    unit.record_change(Change("card.ended", "card", str(card.id), facts))
    return Card(card.id, card.tag, card.driver, card.from_at, card.to_at, at, cause)


def _check_free(unit: Unit, tag: Tag, from_at: datetime, to_at: datetime | None) -> None:
    for card in unit.cards.all():
        if card.tag == tag and card.overlaps(from_at, to_at):
            raise UserError(
                "Card {shown} is {driver}'s at that time. Say first that it was lost or given "
                "back; sessions of before stay {driver}'s.",
                shown=tag.shown,
                driver=card.driver,
            )
