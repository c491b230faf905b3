"""Sessions as columns of a table."""

from functools import partial

from PySide6.QtCore import QObject

from evdesk.domain.sessions import Session
from evdesk.gui import texts
from evdesk.gui.context import Context
from evdesk.gui.models.rows import Chip, Column
from evdesk.gui.pulse import Pulse
from evdesk.gui.theme import Tone

REMARKS_PX = 96


class SessionColumns(QObject):
    """What a table shows of sessions; ``names`` are those of drivers, by id."""

    def __init__(self, context: Context, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self.names: dict[str, str] = {}

    def columns(self) -> list[Column[Session]]:
        """Return the columns."""
        zone = self._context.zone
        return [
            Column(
                self.tr("State"), _state_word, chips=_state_chips, width=106,
                tooltip=self._state_tooltip,
            ),
            Column(
                self.tr("Plugged in"),
                lambda s: texts.short_stamp(
                    s.figures.plugged_in_at, self._context.pulse.now(), zone
                ),
                tooltip=lambda s: texts.stamp(s.figures.plugged_in_at, zone, with_seconds=True),
                sort_key=lambda s: s.figures.plugged_in_at,
                width=164,
            ),
            Column(
                self.tr("Station"), lambda s: s.station or texts.NONE,
                tooltip=lambda s: s.station, width=100, least=84,
            ),
            Column(
                self.tr("Energy, kWh"),
                lambda s: texts.kwh(s.energy_wh),
                sort_key=lambda s: s.energy_wh,
                tooltip=self._energy_tooltip,
                numeric=True,
                width=112,
            ),
            Column(self.tr("Driver"), self._driver, tooltip=self._driver_tooltip, width=124,
                   least=84, spare=1),
            Column(
                self.tr("Duration"),
                partial(_length, self._context.pulse),
                sort_key=lambda s: (s.figures.unplugged_at or self._context.pulse.now())
                - s.figures.plugged_in_at,
                tooltip=lambda s: texts.stamp(s.figures.unplugged_at, zone, with_seconds=True),
                numeric=True,
                width=116,
                spare=3,
            ),
            Column(
                self.tr("Remarks"), _flag_words, chips=_flag_chips, tooltip=_flag_tooltip, width=0,
                least=REMARKS_PX, spare=2,
            ),
        ]  # fmt: skip

    def _driver(self, session: Session) -> str:
        if session.driver is None:
            return texts.NONE
        return self.names.get(session.driver, session.driver)

    def _driver_tooltip(self, session: Session) -> str:
        return "" if session.driver is None else f"{self._driver(session)} ({session.driver})"

    def _energy_tooltip(self, session: Session) -> str:
        if session.correction is None:
            return ""
        return self.tr("Corrected: {reason}. Measured: {kwh} kWh").format(
            reason=session.correction.reason, kwh=texts.kwh(session.figures.energy_wh)
        )

    def _state_tooltip(self, session: Session) -> str:
        if session.invoice is not None:
            return self.tr("Billed by {invoice}").format(invoice=session.invoice)
        return {
            "open": self.tr("A car is plugged in"),
            "closed": self.tr("Ended; can be billed"),
            "review": self.tr("Somebody has to look at it before it is billed"),
        }[session.state.value]


def _length(pulse: Pulse, session: Session) -> str:
    until = session.figures.unplugged_at or pulse.now()
    return texts.duration(until - session.figures.plugged_in_at)


def _state_word(session: Session) -> str:
    return texts.session_look(session)[0]


def _state_chips(session: Session) -> list[Chip]:
    return [Chip(*texts.session_look(session))]


def _flag_words(session: Session) -> str:
    return ", ".join(chip.text for chip in _flag_chips(session))


def _flag_chips(session: Session) -> list[Chip]:
    corrected = [] if session.correction is None else [Chip(texts.event("corrected"), Tone.INFO)]
    flags = sorted(session.figures.flags)
    return corrected + [Chip(texts.flag(flag)[0], Tone.WARNING) for flag in flags]


def _flag_tooltip(session: Session) -> str:
    return "\n".join(
        f"{word}: {meaning}" for word, meaning in map(texts.flag, sorted(session.figures.flags))
    )
